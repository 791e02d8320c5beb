use std::path::PathBuf;

use thiserror::Error;

use crate::outcome::RunError;

/// Why a refinement failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RefineError {
    /// The command line is wrong.
    #[error("refine: {0}; nanoBragg refine -help tells more")]
    Usage(String),
    /// The arguments of the experiment are wrong.
    #[error("the arguments after --: {0}")]
    Arguments(crate::Error),
    /// The arguments do not render an image.
    #[error("the arguments after -- do not ask for an image")]
    NoImageWanted,
    /// The experiment is wrong.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The target cannot be read, or an output cannot be written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// An output is an input of the fit, or two outputs are the same file.
    #[error("{}: -{flag} would overwrite what -{other} names", path.display())]
    SameFile {
        /// The output.
        path: PathBuf,
        /// The flag of the output.
        flag: &'static str,
        /// The other flag.
        other: &'static str,
    },
    /// The refinement has failed.
    #[error(transparent)]
    Refinement(nanobragg_refine::Error),
    /// The last stage has used all its iterations.
    #[error("the refinement has not converged; begin where it ended, or give more -iterations")]
    NotConverged,
    /// The refinement has ended at a minimum, whose residuals are larger than noise.
    #[error(
        "noise does not explain what is left of the image: the squared residuals are {goodness:.4} times \
         those of noise; look at -png, and begin elsewhere, refine more, or mask what is not of the crystal"
    )]
    NotExplained {
        /// Squared residuals over those that noise explains.
        goodness: f64,
    },
    /// A signal asked to stop.
    #[error("stopped by a signal")]
    Stopped,
}

impl RefineError {
    /// Whether the error is in the command line.
    pub fn is_usage(&self) -> bool {
        use nanobragg_refine::Error as E;
        match self {
            Self::Usage(_) | Self::Arguments(_) | Self::NoImageWanted => true,
            Self::Refinement(fault) => matches!(
                fault,
                E::NotRefined { .. } | E::NoParameters | E::OutOfRange { .. }
            ),
            _ => false,
        }
    }
}

impl From<nanobragg_refine::Error> for RefineError {
    fn from(fault: nanobragg_refine::Error) -> Self {
        match fault {
            nanobragg_refine::Error::Cancelled => Self::Stopped,
            fault => Self::Refinement(fault),
        }
    }
}
