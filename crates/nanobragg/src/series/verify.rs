//! Whether the files of a series are still what its logs say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nanobragg_io::folder_of;

use super::log::{FileOfAll, read, unkept};
use crate::error::Error;
use crate::outputs::{FileEntry, is_device};

/// What [`verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The number of images of the series.
    pub images: u32,
    /// The numbers of the images that no log has.
    pub missing: Vec<u32>,
    /// How many files were read.
    pub files: usize,
    /// The files that are not what the logs say.
    pub faults: Vec<FileFault>,
}

/// A file that is not what a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable(String),
    /// It has another number of bytes than it was written with.
    Length {
        /// The bytes that were written.
        written: u64,
        /// The bytes that it has.
        found: u64,
    },
    /// It has other contents of the same length.
    Contents,
    /// The file of several images that has this image is not complete.
    Incomplete(u32),
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            FaultKind::Missing => write!(f, "{path} is missing"),
            FaultKind::Unreadable(cause) => write!(f, "{path} cannot be read: {cause}"),
            FaultKind::Length { written, found } => {
                write!(f, "{path} has {found} bytes, and {written} were written")
            }
            FaultKind::Contents => write!(f, "{path} was changed: its SHA-256 is another"),
            FaultKind::Incomplete(number) => {
                write!(
                    f,
                    "{path}: the file of several images with image {number} is not complete"
                )
            }
        }
    }
}

/// Reads all files of a series and compares them with its log, or with the logs of its parts. Of an image with several
/// lines the last counts. A file that is not where it was written from this folder is looked for from the folder of the
/// log, and then in it.
///
/// # Errors
/// A log that cannot be read, or is that of another series than the first.
pub fn verify(logs: &[PathBuf]) -> Result<Verification, Error> {
    let mut found = Verification::default();
    let mut complete = BTreeSet::new();
    // A file of several parts is read once.
    let mut files: BTreeMap<PathBuf, FileEntry> = BTreeMap::new();
    let mut first = None;
    for log in logs {
        let not_there = || unkept(log)(io::ErrorKind::NotFound.into());
        let (identity, contents) = read(log)?.ok_or_else(not_there)?;
        let first = first.get_or_insert_with(|| identity.clone());
        if *first != identity {
            return Err(Error::AnotherSeries {
                path: log.clone(),
                difference: identity.difference(first),
            });
        }
        found.images = found.images.max(contents.count);
        let mut wholes: BTreeMap<&str, &FileOfAll> = BTreeMap::new();
        for whole in &contents.wholes {
            wholes.insert(&whole.output.path, whole);
        }
        let entries = contents
            .images
            .values()
            .flat_map(|(entry, _)| &entry.outputs);
        for file in entries.chain(wholes.values().map(|whole| &whole.output)) {
            files.insert(place_of(log, file), file.clone());
        }
        for (number, (entry, _)) in &contents.images {
            complete.insert(*number);
            let is_in = |whole: &&FileOfAll| whole.first <= *number && *number <= whole.last;
            if entry.stored.is_some() && !wholes.values().any(is_in) {
                found.faults.push(FileFault {
                    path: log.clone(),
                    kind: FaultKind::Incomplete(*number),
                });
            }
        }
    }
    for (path, file) in files {
        if is_device(&path) {
            continue;
        }
        found.files += 1;
        let kind = match FileEntry::of_file(&file.flag, &path) {
            Ok(here) if here.bytes != file.bytes => FaultKind::Length {
                written: file.bytes,
                found: here.bytes,
            },
            Ok(here) if here.sha256 != file.sha256 => FaultKind::Contents,
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => FaultKind::Missing,
            Err(error) => FaultKind::Unreadable(error.to_string()),
        };
        found.faults.push(FileFault { path, kind });
    }
    let missing = (1..=found.images).filter(|number| !complete.contains(number));
    found.missing = missing.collect();
    Ok(found)
}

/// The file of an entry: from this folder, or else from that of the log, or else beside the log.
fn place_of(log: &Path, file: &FileEntry) -> PathBuf {
    let named = PathBuf::from(&file.path);
    if named.exists() {
        return named;
    }
    let folder = folder_of(log);
    let others = [
        Some(folder.join(&named)),
        named.file_name().map(|name| folder.join(name)),
    ];
    let mut others = others.into_iter().flatten();
    others.find(|other| other.exists()).unwrap_or(named)
}
