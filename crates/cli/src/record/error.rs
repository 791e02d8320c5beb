use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a record cannot be made, read, or followed.
#[derive(Debug, Error)]
pub enum RecordError {
    /// A word of the command line that JSON cannot hold.
    #[error(
        "-record: the word \"{word}\" of the command line is no UTF-8, which a record cannot hold"
    )]
    NotUtf8 {
        /// The word, as far as it can be read.
        word: String,
    },
    /// Nobody knows where the run takes place.
    #[error("-record: the working folder has no name: {source}")]
    NoFolder {
        /// What the system said.
        source: io::Error,
    },
    /// An input that will not be there a second time.
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
        /// What the system said.
        source: io::Error,
    },
    /// Something else than a record.
    #[error("{} is no record of a run: {reason}", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A record of a kind that this program does not know.
    #[error("{}: a record of version {found}, this program knows version {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that can be read.
        known: u64,
    },
    /// A recorded command line that makes no sense.
    #[error("{}: the recorded command line makes no sense: {source}", path.display())]
    Arguments {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
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
    /// An input of the recorded run is gone.
    #[error("{}, which the run recorded in {} read, is not there any more", input.display(), record.display())]
    InputGone {
        /// The input.
        input: PathBuf,
        /// The record.
        record: PathBuf,
    },
    /// An input is there that the recorded run did not read.
    #[error("{}, which the run recorded in {} did not have, would be read", input.display(), record.display())]
    InputNew {
        /// The input.
        input: PathBuf,
        /// The record.
        record: PathBuf,
    },
}
