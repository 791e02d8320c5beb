use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why two images could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The command line makes no sense.
    #[error("compare: {0}; nanoBragg compare -help tells more")]
    Usage(String),
    /// An image cannot be read, or a picture or a report cannot be written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// The images do not fit each other.
    #[error("{a} and {b} cannot be compared: {fault}", a = .a.display(), b = .b.display())]
    Unlike {
        /// One image.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// Why not.
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
    /// Neither of two images of raw floats tells its sides.
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
    /// An output is one of the images that are compared.
    #[error("{path}: -{flag} would overwrite an image that is to be compared", path = .path.display())]
    OverInput {
        /// The output.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
    },
    /// The picture and the report are one file.
    #[error("{path}: -json and -png are one file", path = .path.display())]
    SameOutput {
        /// The file.
        path: PathBuf,
    },
    /// The arguments for both programs are not understood by this one.
    #[error("the arguments for both programs: {0}")]
    Arguments(crate::Error),
    /// The arguments ask for something else than an image.
    #[error("the arguments for both programs do not ask for an image")]
    NoImageWanted,
    /// Both programs would draw an orientation of their own.
    #[error(
        "with -misset random both programs need the same -misset_seed, given before -misset: the C \
         program takes its own from the clock"
    )]
    NoMissetSeed,
    /// No folder for the files of both programs.
    #[error("no temporary folder: {0}")]
    NoFolder(io::Error),
    /// A program cannot be started.
    #[error("{program} cannot be run: {cause}", program = .program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A program has ended without an image.
    #[error("{program} left no image ({ending}): {last_words}", program = .program.display())]
    NoImage {
        /// The program.
        program: PathBuf,
        /// Its exit status in words.
        ending: String,
        /// The last line it wrote on standard error, or what is wrong with its image.
        last_words: String,
    },
    /// What else the library refuses.
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
