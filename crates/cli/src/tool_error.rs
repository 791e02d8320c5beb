//! Why a subcommand that is a tool failed.

use std::path::PathBuf;

use thiserror::Error;

/// Why `nanoBragg hkl`, `materials`, `orient`, `detectors`, `add` or `plot` failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The command line is wrong.
    #[error("{tool}: {fault}; nanoBragg {tool} -help tells more")]
    Usage {
        /// The subcommand.
        tool: &'static str,
        /// The error.
        fault: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Crystal(#[from] nanobragg::crystal::Error),
    /// An error of the library.
    #[error(transparent)]
    Other(nanobragg::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// A figure that cannot be drawn.
    #[cfg(feature = "plot")]
    #[error("{0}{hint}", hint = crate::plot::hint(.0))]
    Plot(#[from] nanobragg_plot::Error),
    /// The output is the input file.
    #[error("{path}: the output would overwrite the input", path = .path.display())]
    OverInput {
        /// The file.
        path: PathBuf,
    },
}

impl From<nanobragg::Error> for ToolError {
    fn from(error: nanobragg::Error) -> Self {
        let usage = |fault: &str| Self::Usage {
            tool: "hkl",
            fault: fault.to_owned(),
        };
        match error {
            nanobragg::Error::NoResolution { .. } => {
                usage("IN holds coordinates, for which -dmin must be given")
            }
            nanobragg::Error::ResolutionOfList { .. } => {
                usage("-dmin is for coordinates, and IN lists reflections")
            }
            error => Self::Other(error),
        }
    }
}
