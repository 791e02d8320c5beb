//! The number of a frame in the names of its outputs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanobragg_io::folder_of;
use nanobragg_io::hdf5::Compression;
use nanobragg_response::ResponseSpec;

use super::file::Contents;
use super::{SeriesKind, Shard};
use crate::error::Error;
use crate::exchange::crystfel::{DataLayout, ImageName, Layout};
use crate::exchange::xds::Images;
use crate::outputs::{OutputFiles, OutputKind, WideFormat, is_device};

/// Digits of a number that is inserted.
const DIGITS: usize = 5;

/// The outputs of a series: those of each frame, and the one NeXus file of all of them.
#[derive(Debug, Clone)]
pub struct SeriesFiles {
    /// With a place for the number.
    of_frames: OutputFiles,
    of_all: Option<FileOfImages>,
    /// Its path, or that of the part of a series.
    of_all_path: Option<PathBuf>,
    xds: Option<PathBuf>,
    geom: Option<PathBuf>,
    stream: Option<PathBuf>,
    solutions: Option<PathBuf>,
    layout: Layout,
}

/// An HDF5 file that holds all images of a series, or the master file of such files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileOfImages {
    path: PathBuf,
    pub(super) contents: Contents,
    /// The images of a data file, if there are data files.
    pub(super) images_per_file: Option<usize>,
}

impl FileOfImages {
    /// Its path, or that of a part of the series.
    pub(super) fn path_of(&self, shard: Option<Shard>) -> PathBuf {
        shard.map_or(self.path.clone(), |shard| of_part(&self.path, shard))
    }

    /// The files with the images `numbers` of a part of the series, with those of each.
    pub(super) fn files(&self, numbers: &[u32], shard: Option<Shard>) -> Vec<(PathBuf, Vec<u32>)> {
        let Some(images) = self.images_per_file else {
            return match numbers {
                [] => Vec::new(),
                _ => vec![(self.path_of(shard), numbers.to_vec())],
            };
        };
        let parts = numbers.chunks(images).enumerate();
        let parts = parts.map(|(index, numbers)| (self.data_path(index, shard), numbers.to_vec()));
        parts.collect()
    }

    /// `all_data_000001.h5` for `all.h5` and for `all_master.h5`.
    fn data_path(&self, index: usize, shard: Option<Shard>) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let stem = stem.strip_suffix("_master").unwrap_or(&stem);
        let extension = self.path.extension().unwrap_or_default();
        let path = self.path.with_file_name(stem).with_extension(extension);
        let path = shard.map_or(path.clone(), |shard| of_part(&path, shard));
        inserted(&path, &format!("_data_{:06}", index + 1))
    }
}

impl SeriesFiles {
    /// The outputs of a series, or of a part of one. The names of `files` get the number of a frame: in
    /// place of the last run of `#` in the file name, or else before the extension. A NeXus file
    /// without `#` is one for all frames; a part of a series has a file of its own.
    ///
    /// # Errors
    /// [`Error::SeriesNames`] where two names could become one file, be it for different numbers.
    pub fn new(files: &OutputFiles, shard: Option<Shard>, kind: SeriesKind) -> Result<Self, Error> {
        let mut of_frames = files.clone();
        // Shots have an orientation each.
        let xds = files.get(OutputKind::Xds).filter(|path| !is_numbered(path));
        let xds = xds.filter(|_| kind == SeriesKind::Rotation);
        let xds = xds.map(Path::to_path_buf);
        if xds.is_some() {
            of_frames.remove(OutputKind::Xds);
        }
        // All images have the same detector.
        let geom = files
            .get(OutputKind::Geom)
            .filter(|path| !is_numbered(path));
        let geom = geom.map(Path::to_path_buf);
        if geom.is_some() {
            of_frames.remove(OutputKind::Geom);
        }
        let mut one_of_all = |kind| {
            let path = files.get(kind)?;
            of_frames.remove(kind);
            Some(shard.map_or(path.to_path_buf(), |shard| of_part(path, shard)))
        };
        let stream = one_of_all(OutputKind::Stream);
        let solutions = one_of_all(OutputKind::Solutions);
        let one = |kind| {
            let path = files.get(kind);
            path.filter(|path| !is_numbered(path) && !is_device(path))
        };
        let nexus = one(OutputKind::Nexus);
        let truth = one(OutputKind::Truth);
        let truth = truth.filter(|path| WideFormat::of(path) == Some(WideFormat::Nexus));
        if nexus.is_some() {
            of_frames.remove(OutputKind::Nexus);
        }
        if truth.is_some() && (nexus.is_none() || nexus == truth) {
            of_frames.remove(OutputKind::Truth);
        }
        let labels = one(OutputKind::Labels).filter(|_| nexus.is_some());
        let labels = labels.filter(|path| nexus == Some(path));
        if labels.is_some() {
            of_frames.remove(OutputKind::Labels);
        }
        let has_reflections = of_frames.get(OutputKind::Truth).is_none() && truth.is_some();
        let of_all = nexus.or(truth).map(|path| FileOfImages {
            path: path.to_path_buf(),
            contents: Contents {
                pixels: nexus.is_some(),
                // A label is the number of a row.
                reflections: has_reflections || labels.is_some(),
                labels: labels.is_some(),
                // The experiment is not known yet; see `SeriesStore::new`.
                lattices: false,
            },
            images_per_file: files.images_per_file.map(|images| images as usize),
        });
        let files = Self {
            of_frames,
            of_all_path: of_all.as_ref().map(|file| file.path_of(shard)),
            of_all,
            xds,
            geom,
            stream,
            solutions,
            layout: files.layout(),
        };
        files.refuse_collisions()?;
        Ok(files)
    }

    /// The outputs of one frame.
    pub fn of_frame(&self, number: u32) -> OutputFiles {
        self.of_frames.map(|path| numbered(path, number))
    }

    /// The one `XDS.INP` of all frames of a rotation.
    pub fn xds(&self) -> Option<&Path> {
        self.xds.as_deref()
    }

    /// The one geometry of CrystFEL for all frames.
    pub(super) fn geom(&self) -> Option<&Path> {
        self.geom.as_deref()
    }

    /// How pixels lie in the files of counts.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// What the `XDS.INP` of all frames says of the images `numbers`, with names as seen from its folder.
    pub(super) fn of_xds(&self, numbers: &[u32], response: &ResponseSpec) -> Images {
        let processed = self.of_frames.processed();
        let images = Images::new(processed.and_then(|(_, format)| format), response);
        let template = processed.and_then(|(path, _)| Template::of(path));
        Images {
            template: template.map(|template| template.with_question_marks(self.xds())),
            numbers: [numbers.first(), numbers.last()].map(|number| number.copied().unwrap_or(1)),
            ..images
        }
    }

    /// The one NeXus file of all frames, or the master file of data files.
    pub fn nexus(&self) -> Option<&Path> {
        let has_pixels = self
            .of_all
            .as_ref()
            .is_some_and(|file| file.contents.pixels);
        self.file_of_all().filter(|_| has_pixels)
    }

    /// The one HDF5 file of all frames, with their pixels or with the tables only, or its master file.
    pub fn file_of_all(&self) -> Option<&Path> {
        self.of_all_path.as_deref()
    }

    /// What the one HDF5 file of all frames is.
    fn kind_of_all(&self) -> OutputKind {
        match self.nexus() {
            Some(_) => OutputKind::Nexus,
            None => OutputKind::Truth,
        }
    }

    pub(super) fn file_of_images(&self) -> Option<&FileOfImages> {
        self.of_all.as_ref()
    }

    /// Whether a frame has a table of reflections.
    pub(super) fn have_truth(&self) -> bool {
        let of_all = self.of_all.as_ref();
        let in_file = of_all.is_some_and(|file| file.contents.reflections);
        in_file || self.stream.is_some() || self.of_frames.have_truth()
    }

    /// The compression of HDF5 files.
    pub(super) fn compression(&self) -> Compression {
        self.of_frames.compression
    }

    /// Gives HDF5 files the datasets for a geometry of CrystFEL.
    pub fn set_data_layout(&mut self, layout: Option<Arc<DataLayout>>) {
        self.of_frames.data_layout = layout;
    }

    /// The datasets that HDF5 files have for a geometry of CrystFEL.
    pub(super) fn data_layout(&self) -> Option<&DataLayout> {
        self.of_frames.data_layout.as_deref()
    }

    /// The stream of CrystFEL with all frames.
    pub(super) fn stream(&self) -> Option<&Path> {
        self.stream.as_deref()
    }

    /// The list of solutions for CrystFEL of all frames.
    pub(super) fn solutions(&self) -> Option<&Path> {
        self.solutions.as_deref()
    }

    /// The files of all frames that are written besides those of each frame.
    pub fn of_all(&self) -> OutputFiles {
        let mut files = OutputFiles::default();
        let named = [
            (self.kind_of_all(), &self.of_all_path),
            (OutputKind::Geom, &self.geom),
            (OutputKind::Stream, &self.stream),
            (OutputKind::Solutions, &self.solutions),
        ];
        for (kind, path) in named {
            if let Some(path) = path {
                files.set(kind, path.clone());
            }
        }
        files
    }

    /// The image of this number in files of CrystFEL, of a series with `numbers`.
    pub(super) fn image_name(&self, number: u32, numbers: &[u32]) -> ImageName {
        match (self.nexus(), numbers.binary_search(&number)) {
            (Some(path), Ok(place)) => ImageName {
                file: path.display().to_string(),
                event: format!("//{place}"),
                number,
            },
            _ => self.of_frame(number).image_name(number),
        }
    }

    /// The folders of all these files.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let of_frames = self.of_frames.iter().map(|(_, path)| path);
        let of_all = self.of_all();
        let of_all = of_all.iter().map(|(_, path)| path).chain(self.xds());
        let files = of_frames.chain(of_all).filter(|path| !is_device(path));
        files.map(|path| folder_of(path).to_path_buf()).collect()
    }

    fn refuse_collisions(&self) -> Result<(), Error> {
        let templates = self.of_frames.iter();
        let templates: Vec<(&'static str, Template)> = templates
            .filter_map(|(kind, path)| Some((kind.name(), Template::of(path)?)))
            .collect();
        let of_images = self.of_all.as_ref();
        let with_data = of_images.filter(|file| file.images_per_file.is_some());
        let first_data = with_data.map(|file| file.data_path(0, None));
        let several = self.file_of_all().into_iter().chain(first_data.as_deref());
        let may_be_one = |template: &Template| several.clone().any(|path| template.may_be(path));
        if let Some((other, _)) = templates.iter().find(|(_, t)| may_be_one(t)) {
            let output = self.kind_of_all().name();
            return Err(Error::SeriesNames { output, other });
        }
        for (i, (output, template)) in templates.iter().enumerate() {
            for (other, earlier) in templates.iter().take(i) {
                if template.may_equal(earlier) {
                    return Err(Error::SeriesNames { output, other });
                }
            }
        }
        Ok(())
    }
}

/// Whether the name of a file has a place for a number: `#`.
pub fn is_numbered(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().contains('#'))
}

/// The name of a file with a number in it: in place of the last run of `#` in the file name, with as
/// many digits as there are `#`, or else before the extension, with an underscore and five digits. A
/// number with more digits is written out.
///
/// Devices such as `/dev/null` have no number.
pub fn numbered(path: &Path, number: u32) -> PathBuf {
    match Template::of(path) {
        Some(template) => template.path(number),
        None => path.to_path_buf(),
    }
}

/// The name of a file of a part of a series: `series_2of5.jsonl`.
pub fn of_part(path: &Path, shard: Shard) -> PathBuf {
    inserted(path, &format!("_{}of{}", shard.part(), shard.parts()))
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
        if is_device(path) {
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

    /// The names with a `?` for each digit, without their folder if `beside` is in it.
    fn with_question_marks(&self, beside: Option<&Path>) -> String {
        let mut name = self.before.clone();
        name.push("?".repeat(self.digits));
        name.push(&self.after);
        let folder = beside.and_then(Path::parent);
        let path = match folder.is_some_and(|folder| same_folder(folder, &self.folder)) {
            true => PathBuf::from(name),
            false => self.folder.join(name),
        };
        path.display().to_string()
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
        let path = of_part(Path::new("a/series.jsonl"), Shard::new(2, 5).unwrap());
        assert_eq!(path, Path::new("a/series_2of5.jsonl"));
    }

    fn files(named: &[(OutputKind, &str)]) -> OutputFiles {
        let mut files = OutputFiles::default();
        files.set(OutputKind::Float, "floatimage.bin".into());
        files.set(OutputKind::Int, "intimage.img".into());
        for (kind, path) in named {
            files.set(*kind, path.into());
        }
        files
    }

    fn is_refused(named: &[(OutputKind, &str)]) -> bool {
        SeriesFiles::new(&files(named), None, SeriesKind::Rotation).is_err()
    }

    #[test]
    fn names_that_meet_at_some_number_are_refused() {
        for [float, int] in [
            ["a_#.x", "a_##.x"],
            ["a#2", "a1#"],
            ["a.x", "a_#####.x"],
            ["a1#", "./a#"],
        ] {
            let named = [(OutputKind::Float, float), (OutputKind::Int, int)];
            assert!(is_refused(&named), "{float} {int}");
        }
        assert!(!is_refused(&[]));
        for [float, int] in [["a_#.x", "b_#.x"], ["a#.x", "a#.y"]] {
            let named = [(OutputKind::Float, float), (OutputKind::Int, int)];
            assert!(!is_refused(&named), "{float} {int}");
        }
    }

    #[test]
    fn every_output_of_a_frame_has_its_number() {
        let named = [
            (OutputKind::Nexus, "n_#.nxs"),
            (OutputKind::Cbf, "c.cbf"),
            (OutputKind::Expt, "e.expt"),
            (OutputKind::Xds, "XDS.INP"),
            (OutputKind::Truth, "t.csv"),
        ];
        let of_series = SeriesFiles::new(&files(&named), None, SeriesKind::Shots).unwrap();
        let of_frame = of_series.of_frame(7);
        assert_eq!(of_frame.iter().count(), 7);
        for (kind, path) in of_frame.iter() {
            assert!(
                path.display().to_string().contains('7'),
                "{kind:?} {path:?}"
            );
        }
    }

    #[test]
    fn a_nexus_file_without_hashes_is_one_for_all_frames() {
        let of = |path: &str, shard| {
            let files = files(&[(OutputKind::Nexus, path)]);
            let of_series = SeriesFiles::new(&files, shard, SeriesKind::Rotation).unwrap();
            let of_frame = of_series.of_frame(7);
            assert_eq!(
                of_frame.get(OutputKind::Nexus).is_none(),
                of_series.nexus().is_some()
            );
            of_series.nexus().map(Path::to_path_buf)
        };
        assert_eq!(of("a.nxs", None), Some(PathBuf::from("a.nxs")));
        let part = of("b/a.nxs", Shard::new(2, 3));
        assert_eq!(part, Some(PathBuf::from("b/a_2of3.nxs")));
        assert_eq!(of("a#.nxs", None), None);
        #[cfg(unix)]
        assert_eq!(of("/dev/null", None), None);
        for (name, meets) in [("i_00003.nxs", true), ("i.nxs", false), ("i_3x.nxs", false)] {
            let named = [(OutputKind::Int, "i.nxs"), (OutputKind::Nexus, name)];
            assert_eq!(is_refused(&named), meets, "{name}");
        }
    }
}
