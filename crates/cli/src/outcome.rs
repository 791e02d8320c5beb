//! How a command line ended: as asked for, or why not.

use std::path::PathBuf;

use thiserror::Error;

use crate::hint::hint;
use crate::record::RecordError;
use crate::series::SeriesError;

/// How a command line that could be carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it was asked for.
    Done,
    /// Two things were compared and are not the same.
    Differs,
}

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The experiment cannot be, or a file of it cannot be read or written.
    #[error("{error}{hint}", error = .0, hint = hint(.0))]
    Simulation(nanobragg::Error),
    /// Two outputs, or an output and an input, are one file.
    #[error("{path}: -{output} would overwrite what -{other} names")]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The flag of the output.
        output: &'static str,
        /// The other flag.
        other: &'static str,
    },
    /// A format that has no place for photons.
    #[error("{}: a CBF holds whole numbers; give -floatfile a .tif, .h5 or .nxs", path.display())]
    NoPhotons {
        /// The file.
        path: PathBuf,
    },
    /// The processor lacks the vector instructions asked for.
    #[error("-level: this processor has no {level}; give auto for the best that it has")]
    LevelNotAvailable {
        /// As on the command line.
        level: &'static str,
    },
    /// A record cannot be made, read, or followed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A series cannot be rendered, gone on with, or was stopped.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A signal asked the run to stop.
    #[error("stopped by a signal; no output was changed")]
    Stopped,
}

macro_rules! from_errors_below {
    ($($error:ty),+) => {$(
        impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                nanobragg::Error::from(error).into()
            }
        }
    )+};
}

from_errors_below!(
    nanobragg::crystal::Error,
    nanobragg::io::Error,
    nanobragg::physics::Error,
    nanobragg::response::Error
);

impl From<nanobragg::Error> for RunError {
    fn from(error: nanobragg::Error) -> Self {
        match error {
            nanobragg::Error::Physics(nanobragg::physics::Error::Cancelled) => Self::Stopped,
            nanobragg::Error::SameFile {
                path,
                output,
                other,
            } => Self::SameFile {
                path,
                output,
                other,
            },
            nanobragg::Error::NoPhotons { path } => Self::NoPhotons { path },
            error => match SeriesError::of(error) {
                Ok(error) => Self::Series(error),
                Err(error) => Self::Simulation(error),
            },
        }
    }
}
