//! The files that a run reads.

use std::io;
use std::path::{Path, PathBuf};

use super::RecordError;
use crate::args::Args;
use crate::digest::FileEntry;
use crate::resolve::dump_path;

/// The inputs of a command line, with their flags. A dump is one if it is there and no list is named.
pub(crate) fn named(args: &Args) -> Vec<(&'static str, &Path)> {
    let dump = dump_path(args);
    let reads_dump = !args.makes_factors() && !matches!(dump.try_exists(), Ok(false));
    [
        ("hkl", args.factors.hkl_path.as_deref()),
        ("pdb", args.coordinates.path.as_deref()),
        ("mat", args.crystal.matrix_path.as_deref()),
        ("sourcefile", args.beam.source_path.as_deref()),
        ("img", args.detector.image_path.as_deref()),
        ("mask", args.detector.mask_path.as_deref()),
        ("expt", args.detector.expt_path.as_deref()),
        ("xdsinp", args.detector.xds_path.as_deref()),
        ("dump", reads_dump.then_some(dump)),
    ]
    .into_iter()
    .filter_map(|(flag, path)| Some((flag, path?)))
    .collect()
}

/// The fingerprints of the inputs.
///
/// # Errors
/// [`RecordError::InputNotFile`] for a pipe or a device, [`RecordError::Unreadable`].
pub(crate) fn entries(args: &Args) -> Result<Vec<FileEntry>, RecordError> {
    let entry = |(flag, path): (&str, &Path)| {
        let unreadable = |source| RecordError::Unreadable {
            path: path.to_owned(),
            source,
        };
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(RecordError::InputNotFile {
                path: path.to_owned(),
            });
        }
        FileEntry::of_file(flag, path).map_err(unreadable)
    };
    named(args).into_iter().map(entry).collect()
}

/// Makes sure that the inputs of `args` are those of a recorded run.
///
/// # Errors
/// [`RecordError::InputChanged`], [`RecordError::InputGone`] or [`RecordError::InputNew`] naming the
/// file.
pub(crate) fn unchanged(
    args: &Args,
    recorded: &[FileEntry],
    record: &Path,
) -> Result<(), RecordError> {
    let here = named(args);
    let record = || record.to_owned();
    for entry in recorded {
        let path = here.iter().find(|(flag, _)| *flag == entry.flag);
        let gone = |input: PathBuf| RecordError::InputGone {
            input,
            record: record(),
        };
        let (flag, path) = path.ok_or_else(|| gone(PathBuf::from(&entry.path)))?;
        let found = match FileEntry::of_file(flag, path) {
            Ok(found) => found,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(gone((*path).to_owned()));
            }
            Err(source) => {
                return Err(RecordError::Unreadable {
                    path: (*path).to_owned(),
                    source,
                });
            }
        };
        if found.sha256 != entry.sha256 {
            return Err(RecordError::InputChanged {
                input: (*path).to_owned(),
                record: record(),
            });
        }
    }
    match here
        .iter()
        .find(|(flag, _)| recorded.iter().all(|entry| entry.flag != *flag))
    {
        Some((_, input)) => Err(RecordError::InputNew {
            input: (*input).to_owned(),
            record: record(),
        }),
        None => Ok(()),
    }
}
