//! The images of a refinement: the experiment and the target of each.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nanobragg::series::{is_numbered, numbered};
use nanobragg::{Cancel, FactorsSpec};

use super::{RefineError, RefineRequest};
use crate::Invocation;
use crate::args::{Args, Task};
use crate::resolve::Job;
use crate::series::Asked;

/// The most images of one range of a file.
const MOST_OF_RANGE: usize = 100_000;

/// One image: what it starts from, and the words and the file that it has of its own.
pub(super) struct Start {
    pub(super) job: Job,
    pub(super) target: PathBuf,
    /// Words of its own behind those of all images.
    pub(super) words: Vec<OsString>,
}

/// The images of a request, in the order of its targets.
///
/// # Errors
/// A number of targets that is not that of the experiments, and the errors of a single run.
pub(super) fn starts(
    request: &RefineRequest,
    args: &Args,
    stop: &Cancel,
) -> Result<Vec<Start>, RefineError> {
    let targets: Vec<PathBuf> = request
        .targets
        .iter()
        .flat_map(|path| range(path))
        .collect();
    let numbered: Vec<(u32, Job, Vec<OsString>)> = match &request.each {
        Some(_) if args.series.count().is_some() => {
            let fault =
                "-each and a series (-frames, -shots) both say which images there are; give one";
            return Err(RefineError::Usage(fault.to_owned()));
        }
        Some(path) => of_lines(path, &request.words, stop)?,
        None if args.series.count().is_some() => (Asked::of(args)?.jobs(stop)?.into_iter())
            .map(|(number, job)| (number, job, Vec::new()))
            .collect(),
        None => (1..)
            .zip(&targets)
            .map(|(number, _)| Ok((number, Job::from_args(args, stop)?, Vec::new())))
            .collect::<Result<_, RefineError>>()?,
    };
    let targets = match targets.as_slice() {
        [one] if numbered.len() > 1 => (numbered.iter())
            .map(|(number, ..)| of_number(one, *number))
            .collect(),
        _ if targets.len() == numbered.len() => targets,
        _ => {
            let (given, asked) = (targets.len(), numbered.len());
            return Err(RefineError::Usage(format!(
                "there are {given} targets for {asked} images; give one -target for each, or one name with #### or \
                 one file with all images"
            )));
        }
    };
    let images = numbered.into_iter().zip(targets);
    let mut starts: Vec<Start> = images
        .map(|((_, job, words), target)| Start { job, target, words })
        .collect();
    share_factors(&mut starts);
    Ok(starts)
}

/// Images with the same structure factors have them in memory once.
fn share_factors(starts: &mut [Start]) {
    let Some((first, others)) = starts.split_first_mut() else {
        return;
    };
    for other in others {
        let first = &first.job.spec.factors;
        let factors = &mut other.job.spec.factors;
        if let (FactorsSpec::Grid(one), FactorsSpec::Grid(same)) = (first, &*factors)
            && one == same
        {
            *factors = first.clone();
        }
    }
}

/// The target of one image: in place of `#` its number, or else that image of the file.
fn of_number(path: &Path, number: u32) -> PathBuf {
    if is_numbered(path) {
        return numbered(path, number);
    }
    let mut path = OsString::from(path);
    path.push(format!("#{number}"));
    path.into()
}

/// `FILE#3-9` as the paths `FILE#3` to `FILE#9`; any other path as it is.
fn range(path: &Path) -> Vec<PathBuf> {
    let ends = path.to_str().filter(|_| !path.exists()).and_then(|name| {
        let (file, range) = name.rsplit_once('#')?;
        let (first, last) = range.split_once('-')?;
        let [first, last]: [usize; 2] = [first.parse().ok()?, last.parse().ok()?];
        (first <= last && last - first < MOST_OF_RANGE).then_some((file, first..=last))
    });
    match ends {
        Some((file, numbers)) => numbers
            .map(|number| PathBuf::from(format!("{file}#{number}")))
            .collect(),
        None => vec![path.to_path_buf()],
    }
}

/// The images of a file with a line of words for each. Lines that begin with `#` and empty ones do not count.
fn of_lines(
    path: &Path,
    words: &[OsString],
    stop: &Cancel,
) -> Result<Vec<(u32, Job, Vec<OsString>)>, RefineError> {
    let content = std::fs::read_to_string(path)
        .map_err(|source| nanobragg::io::Error::from(source).in_file(path))?;
    let lines = content.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut images = Vec::new();
    for (number, (line, text)) in (1..).zip(lines) {
        let own: Vec<OsString> = text.split_whitespace().map(Into::into).collect();
        let refused = |fault: String| {
            RefineError::Usage(format!("{} line {}: {fault}", path.display(), line + 1))
        };
        let args = match Invocation::from_words(words.iter().chain(&own)) {
            Ok(Invocation::Run(args)) if matches!(args.task(), Task::Simulate) => args,
            Ok(_) => return Err(refused("does not ask for an image".to_owned())),
            Err(error) => return Err(refused(error.to_string())),
        };
        images.push((number, Job::from_args(&args, stop)?, own));
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_file_is_each_of_its_images() {
        let of = |path: &str| range(Path::new(path));
        assert_eq!(
            of("a.nxs#2-4"),
            ["a.nxs#2", "a.nxs#3", "a.nxs#4"].map(PathBuf::from)
        );
        for same in ["a.nxs#2", "a-b.img", "a_####.cbf", "a#4-2"] {
            assert_eq!(of(same), [PathBuf::from(same)]);
        }
    }

    #[test]
    fn the_number_of_an_image_replaces_the_place_for_it_or_is_appended() {
        assert_eq!(
            of_number(Path::new("a_###.cbf"), 7),
            PathBuf::from("a_007.cbf")
        );
        assert_eq!(of_number(Path::new("a.nxs"), 7), PathBuf::from("a.nxs#7"));
    }
}
