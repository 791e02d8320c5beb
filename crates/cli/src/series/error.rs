use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a series cannot be rendered or resumed.
#[derive(Debug, Error)]
pub enum SeriesError {
    /// Two outputs of a series would get the same name.
    #[error("-{output} and -{other} would name the same file for some number of the series")]
    SameNames {
        /// The flag of one output.
        output: &'static str,
        /// The flag of the other.
        other: &'static str,
    },
    /// The log is of another series.
    #[error(
        "{} is the log of a series with {difference}; give what it was begun with, name another log \
         with -seriesfile, or remove this one",
        path.display()
    )]
    Another {
        /// The log.
        path: PathBuf,
        /// The differences.
        difference: String,
    },
    /// The file is not the log of a series.
    #[error("{}:{line}: not the log of a series: {reason}", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is missing or wrong.
        reason: String,
    },
    /// The log, or an input whose fingerprint is in the log, cannot be read or written.
    #[error("cannot keep the log of the series: {}: {source}", path.display())]
    Unkept {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A signal asked the series to stop.
    #[error(
        "stopped by a signal with {done} of {wanted} images complete; the same command line with \
         -resume goes on from there"
    )]
    Stopped {
        /// The number of complete images.
        done: usize,
        /// The number of requested images.
        wanted: usize,
    },
}

impl SeriesError {
    /// The error of the library in words of the command line; any other error unchanged.
    pub(crate) fn of(error: nanobragg::Error) -> Result<Self, nanobragg::Error> {
        use nanobragg::Error as E;
        Ok(match error {
            E::SeriesNames { output, other } => Self::SameNames { output, other },
            E::AnotherSeries { path, difference } => Self::Another { path, difference },
            E::NotASeriesLog { path, line, reason } => Self::NotALog { path, line, reason },
            E::SeriesLog { path, source } => Self::Unkept { path, source },
            E::SeriesStopped { done, wanted } => Self::Stopped { done, wanted },
            error => return Err(error),
        })
    }
}
