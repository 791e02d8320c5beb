//! The result of a command line.

use std::path::PathBuf;

use thiserror::Error;

use crate::hint::hint;
use crate::record::RecordError;
use crate::series::SeriesError;

/// The result of a command line that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The task is done.
    Done,
    /// Two things were compared and differ.
    Differs,
}

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The experiment is wrong, or one of its files cannot be read or written.
    #[error("{error}{hint}", error = .0, hint = hint(.0))]
    Simulation(nanobragg::Error),
    /// Two outputs, or an output and an input, are the same file.
    #[error("{path}: -{output} would overwrite what -{other} names")]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The flag of the output.
        output: &'static str,
        /// The other flag.
        other: &'static str,
    },
    /// A format that cannot hold photons.
    #[error("{}: a CBF holds whole numbers; give -floatfile a .tif, .h5 or .nxs", path.display())]
    NoPhotons {
        /// The file.
        path: PathBuf,
    },
    /// The processor does not have the requested vector instructions.
    #[error("-level: this processor has no {level}; give auto for the best that it has")]
    LevelNotAvailable {
        /// The level as on the command line.
        level: &'static str,
    },
    /// There is no such GPU.
    #[error("-device: {reason}")]
    NoDevice {
        /// Why.
        reason: String,
    },
    /// A record cannot be written, read or repeated.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A series cannot be rendered or resumed, or was stopped.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A report cannot be drawn.
    #[cfg(feature = "plot")]
    #[error("-report: {0}")]
    Report(#[from] nanobragg_plot::Error),
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
