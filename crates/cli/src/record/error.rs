use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a record cannot be written, read or repeated.
#[derive(Debug, Error)]
pub enum RecordError {
    /// A word of the command line is not UTF-8, which JSON needs.
    #[error(
        "-record: the word \"{word}\" of the command line is no UTF-8, which a record cannot hold"
    )]
    NotUtf8 {
        /// The word, with replacement characters.
        word: String,
    },
    /// The working folder is unknown.
    #[error("-record: the working folder has no name: {source}")]
    NoFolder {
        /// The error of the system.
        source: io::Error,
    },
    /// An input that can be read only once.
    #[error("-record: {} is no file, so that the run could not be repeated", path.display())]
    InputNotFile {
        /// The input.
        path: PathBuf,
    },
    /// A record or an input of a recorded run cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a record.
    #[error("{} is no record of a run: {reason}", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A record of an unknown version.
    #[error("{}: a record of version {found}, this program knows version {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version of the record.
        found: u64,
        /// The version that this program reads.
        known: u64,
    },
    /// The recorded command line has an error.
    #[error("{}: the recorded command line makes no sense: {source}", path.display())]
    Arguments {
        /// The record.
        path: PathBuf,
        /// The error.
        source: crate::Error,
    },
    /// An input has other contents than in the recorded run.
    #[error("{} has changed since the run was recorded in {}", input.display(), record.display())]
    InputChanged {
        /// The input.
        input: PathBuf,
        /// The record.
        record: PathBuf,
    },
    /// An input of the recorded run is missing.
    #[error("{}, which the run recorded in {} read, is not there any more", input.display(), record.display())]
    InputGone {
        /// The input.
        input: PathBuf,
        /// The record.
        record: PathBuf,
    },
    /// A file would be read that the recorded run did not read.
    #[error("{}, which the run recorded in {} did not have, would be read", input.display(), record.display())]
    InputNew {
        /// The input.
        input: PathBuf,
        /// The record.
        record: PathBuf,
    },
}
