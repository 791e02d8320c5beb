//! The number of a frame in the names of its outputs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::SeriesError;
use crate::args::Args;
use crate::output_names;

/// Digits of a number that is inserted.
const DIGITS: usize = 5;

/// The name of a file with a number in it: in place of the last run of `#` in the file name, with as
/// many digits as there are `#`, or else before the extension, with an underscore and five digits. A
/// number with more digits is written out.
///
/// Devices such as `/dev/null` have no number.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    match Template::of(path) {
        Some(template) => template.path(number),
        None => path.to_path_buf(),
    }
}

/// The name of a log with the part of the series in it: `series_2of5.jsonl`.
pub(super) fn of_part(path: &Path, [part, parts]: [u32; 2]) -> PathBuf {
    inserted(path, &format!("_{part}of{parts}"))
}

/// The one NeXus file of all frames: `-nexusfile` with a name that has no `#` and is no device. A part
/// of a series has a file of its own.
pub(super) fn whole(args: &Args) -> Option<PathBuf> {
    let path = args.output.nexus_path.as_deref()?;
    let is_numbered = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains('#'));
    if is_numbered || output_names::is_device(path) {
        return None;
    }
    Some(match args.series.shard {
        Some(part) => of_part(path, part),
        None => path.to_path_buf(),
    })
}

/// `args` with the names of the outputs of one frame, without what is one file for all of them.
pub(super) fn args_of(args: &Args, number: u32) -> Args {
    let mut of_frame = args.clone();
    if whole(args).is_some() {
        of_frame.output.nexus_path = None;
    }
    for (flag, path) in output_names::named(&of_frame) {
        let path = Some(numbered(&path, number));
        match flag {
            "floatfile" => of_frame.output.float_path = path,
            "intfile" => of_frame.output.int_path = path,
            "pgmfile" => of_frame.output.pgm_path = path,
            "pngfile" => of_frame.output.png_path = path,
            "truthfile" => of_frame.output.truth_path = path,
            "cbffile" => of_frame.output.cbf_path = path,
            "tiffile" => of_frame.output.tiff_path = path,
            "nexusfile" => of_frame.output.nexus_path = path,
            "exptfile" => of_frame.output.expt_path = path,
            "xdsfile" => of_frame.output.xds_path = path,
            "noisefile" => of_frame.noise.path = path,
            // Of two kinds in one place the first would be lost.
            unknown => debug_assert!(false, "-{unknown} has no number"),
        }
    }
    of_frame
}

/// Refuses names of which two could become one file, be it for different numbers.
///
/// # Errors
/// [`SeriesError::SameNames`] naming both flags.
pub(super) fn refuse_collisions(args: &Args) -> Result<(), SeriesError> {
    let whole = whole(args);
    let templates: Vec<(&'static str, Template)> = output_names::named(args)
        .into_iter()
        .filter(|(flag, _)| *flag != "nexusfile" || whole.is_none())
        .filter_map(|(flag, path)| Some((flag, Template::of(&path)?)))
        .collect();
    if let Some(whole) = &whole
        && let Some((other, _)) = templates.iter().find(|(_, t)| t.may_be(whole))
    {
        let output = "nexusfile";
        return Err(SeriesError::SameNames { output, other });
    }
    for (i, (output, template)) in templates.iter().enumerate() {
        for (other, earlier) in templates.iter().take(i) {
            if template.may_equal(earlier) {
                return Err(SeriesError::SameNames { output, other });
            }
        }
    }
    Ok(())
}

/// A file name around a number.
struct Template {
    folder: PathBuf,
    before: OsString,
    digits: usize,
    after: OsString,
}

impl Template {
    /// `None` for what is no file, or has no name.
    fn of(path: &Path) -> Option<Self> {
        if output_names::is_device(path) {
            return None;
        }
        let name = path.file_name()?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        // A name that is no text has no `#` that could be found.
        if let Some((before, digits, after)) = name.to_str().and_then(around_hashes) {
            return Some(Self {
                folder,
                before: before.into(),
                digits,
                after: after.into(),
            });
        }
        let mut before = path.file_stem()?.to_owned();
        before.push("_");
        let mut after = OsString::new();
        if let Some(extension) = path.extension() {
            after.push(".");
            after.push(extension);
        }
        Some(Self {
            folder,
            before,
            digits: DIGITS,
            after,
        })
    }

    fn path(&self, number: u32) -> PathBuf {
        let mut name = self.before.clone();
        name.push(format!("{number:0digits$}", digits = self.digits));
        name.push(&self.after);
        self.folder.join(name)
    }

    /// Whether some number gives the name `path`.
    fn may_be(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let [before, after] = [&self.before, &self.after].map(|end| end.to_string_lossy());
        let number = name.strip_prefix(&*before);
        let number = number.and_then(|rest| rest.strip_suffix(&*after));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
            && same_folder(&self.folder, path.parent().unwrap_or(Path::new("")))
    }

    /// Whether some number here and some number there give one name: where one has more around its
    /// number than the other, the rest would have to be digits.
    fn may_equal(&self, other: &Self) -> bool {
        let texts =
            |a: &OsString, b: &OsString| [a, b].map(|end| end.to_string_lossy().into_owned());
        let rest_is_digits = |rest: Option<&str>| {
            rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let [a, b] = texts(&self.before, &other.before);
        let before = rest_is_digits(a.strip_prefix(&b)) || rest_is_digits(b.strip_prefix(&a));
        let [a, b] = texts(&self.after, &other.after);
        let after = rest_is_digits(a.strip_suffix(&b)) || rest_is_digits(b.strip_suffix(&a));
        before && after && same_folder(&self.folder, &other.folder)
    }
}

fn same_folder(a: &Path, b: &Path) -> bool {
    let identity = |folder: &Path| Path::new(".").join(folder).canonicalize();
    match (identity(a), identity(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// What stands before and after the last run of `#`, and how long that is.
fn around_hashes(name: &str) -> Option<(&str, usize, &str)> {
    let end = name.rfind('#')? + 1;
    let (head, after) = name.split_at(end);
    let before = head.trim_end_matches('#');
    Some((before, head.len() - before.len(), after))
}

fn inserted(path: &Path, text: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(text);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Invocation;

    #[test]
    fn a_number_takes_the_place_of_the_last_hashes() {
        for (name, with_7) in [
            ("out_###.bin", "out_007.bin"),
            ("a/out_#.img", "a/out_7.img"),
            ("run#/#_x##y.img", "run#/#_x07y.img"),
            ("out.bin", "out_00007.bin"),
            ("a.b/out", "a.b/out_00007"),
            ("x.cbf.gz", "x.cbf_00007.gz"),
        ] {
            assert_eq!(numbered(Path::new(name), 7), Path::new(with_7), "{name}");
        }
        assert_eq!(numbered(Path::new("##"), 12345), Path::new("12345"));
        #[cfg(unix)]
        assert_eq!(numbered(Path::new("/dev/null"), 7), Path::new("/dev/null"));
    }

    #[test]
    fn a_part_has_a_log_of_its_own() {
        let path = of_part(Path::new("a/series.jsonl"), [2, 5]);
        assert_eq!(path, Path::new("a/series_2of5.jsonl"));
    }

    fn refusal(line: &str) -> Option<String> {
        let Invocation::Run(args) = Invocation::from_words(line.split_whitespace()).unwrap() else {
            panic!("{line}")
        };
        refuse_collisions(&args)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn names_that_meet_at_some_number_are_refused() {
        for line in [
            "-floatfile a_#.x -intfile a_##.x",
            "-floatfile a#2 -intfile a1#",
            "-floatfile a.x -intfile a_#####.x",
            "-floatfile a1# -intfile ./a#",
        ] {
            assert!(refusal(&format!("-shots 20 {line}")).is_some(), "{line}");
        }
        for line in [
            "",
            "-floatfile a_#.x -intfile b_#.x",
            "-floatfile a#.x -intfile a#.y",
        ] {
            assert_eq!(refusal(&format!("-shots 20 {line}")), None, "{line}");
        }
    }

    fn args(line: &str) -> Args {
        match Invocation::from_words(line.split_whitespace()).unwrap() {
            Invocation::Run(args) => *args,
            _ => panic!("{line}"),
        }
    }

    #[test]
    fn every_output_of_a_frame_has_its_number() {
        let all = "-shots 9 -nexusfile n_#.nxs -cbffile c.cbf -tiffile t.tif -exptfile e.expt \
                   -xdsfile XDS.INP -pngfile p.png -truthfile t.csv";
        let of_frame = output_names::named(&args_of(&args(all), 7));
        assert_eq!(of_frame.len(), 11);
        for (flag, path) in of_frame {
            assert!(path.display().to_string().contains('7'), "{flag} {path:?}");
        }
    }

    #[test]
    fn a_nexus_file_without_hashes_is_one_for_all_frames() {
        let of = |line: &str| whole(&args(&format!("-shots 9 {line}")));
        assert_eq!(of("-nexusfile a.nxs"), Some(PathBuf::from("a.nxs")));
        let part = of("-nexusfile b/a.nxs -shard 2/3");
        assert_eq!(part, Some(PathBuf::from("b/a_2of3.nxs")));
        assert_eq!(of("-nexusfile a#.nxs"), None);
        #[cfg(unix)]
        assert_eq!(of("-nexusfile /dev/null"), None);
        let of_frame = args_of(&args("-shots 9 -nexusfile a.nxs"), 7);
        assert_eq!(of_frame.output.nexus_path, None);
        for (name, meets) in [("i_00003.nxs", true), ("i.nxs", false), ("i_3x.nxs", false)] {
            let told = refusal(&format!("-shots 9 -intfile i.nxs -nexusfile {name}"));
            assert_eq!(told.is_some(), meets, "{name}");
        }
    }
}
