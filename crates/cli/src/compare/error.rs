use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why two images could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The command line is wrong.
    #[error("compare: {0}; nanoBragg compare -help tells more")]
    Usage(String),
    /// An image cannot be read, or a picture or a report cannot be written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// The images cannot be compared with each other.
    #[error("{a} and {b} cannot be compared: {fault}", a = .a.display(), b = .b.display())]
    Unlike {
        /// One image.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// The reason.
        fault: Box<nanobragg::Error>,
    },
    /// No pixel is a measurement in both images.
    #[error("{a} and {b}: no pixel is a measurement in both", a = .a.display(), b = .b.display())]
    NothingMeasured {
        /// One image.
        a: PathBuf,
        /// The other.
        b: PathBuf,
    },
    /// Two images of raw floats, neither of which has its dimensions in a header.
    #[error(
        "{a} and {b} are raw floats, which do not tell how many pixels they have along each axis: \
         give -size FAST SLOW, or -img with an SMV image of that size",
        a = .a.display(), b = .b.display()
    )]
    NoSides {
        /// One image.
        a: PathBuf,
        /// The other.
        b: PathBuf,
    },
    /// An output is one of the compared images.
    #[error("{path}: -{flag} would overwrite an image that is to be compared", path = .path.display())]
    OverInput {
        /// The output.
        path: PathBuf,
        /// The flag of the output.
        flag: &'static str,
    },
    /// The picture and the report are the same file.
    #[error("{path}: -json and -png are one file", path = .path.display())]
    SameOutput {
        /// The file.
        path: PathBuf,
    },
    /// The arguments for both programs are wrong for this program.
    #[error("the arguments for both programs: {0}")]
    Arguments(crate::Error),
    /// The arguments do not render an image.
    #[error("the arguments for both programs do not ask for an image")]
    NoImageWanted,
    /// Both programs would draw different random orientations.
    #[error(
        "with -misset random both programs need the same -misset_seed, given before -misset: the C \
         program takes its own from the clock"
    )]
    NoMissetSeed,
    /// The temporary folder cannot be made.
    #[error("no temporary folder: {0}")]
    NoFolder(io::Error),
    /// A program cannot be started.
    #[error("{program} cannot be run: {cause}", program = .program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// A program has not written an image.
    #[error("{program} left no image ({ending}): {last_words}", program = .program.display())]
    NoImage {
        /// The program.
        program: PathBuf,
        /// The exit status in words.
        ending: String,
        /// The last line of its standard error, or the error in its image.
        last_words: String,
    },
    /// Any other error of the library.
    #[error(transparent)]
    Other(nanobragg::Error),
    /// A signal asked to stop.
    #[error("stopped by a signal")]
    Stopped,
}

impl From<nanobragg::Error> for CompareError {
    fn from(error: nanobragg::Error) -> Self {
        match error {
            nanobragg::Error::NoSides { a, b } => Self::NoSides { a, b },
            nanobragg::Error::Io(error) => Self::Io(error),
            error => Self::Other(error),
        }
    }
}
