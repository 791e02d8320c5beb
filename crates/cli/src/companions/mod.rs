//! The companion programs of nanoBragg, with the command lines of their C programs:
//! `nanoBragg noisify ARGS` and `nanoBragg nonbragg ARGS`, or a link to the program with one of these names.

mod files;
mod noisify;
mod nonbragg;
mod words;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

use nanobragg::io::input::{self, ReadError};
use thiserror::Error;

use crate::shell::Page;

/// A program that comes with nanoBragg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Companion {
    /// Adds the noise of a detector to a float image.
    Noisify,
    /// Renders amorphous material.
    NonBragg,
}

impl Companion {
    /// The companion that the first word of a command line names.
    pub fn of_word(word: &OsStr) -> Option<Self> {
        match word.to_str()? {
            "noisify" => Some(Self::Noisify),
            "nonbragg" | "nonBragg" => Some(Self::NonBragg),
            _ => None,
        }
    }

    /// The companion whose name the file of the program has.
    pub fn of_program(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_name()?.to_str()?;
        let suffix = std::env::consts::EXE_SUFFIX;
        Self::of_word(name.strip_suffix(suffix).unwrap_or(name).as_ref())
    }

    /// The name of the C program.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noisify => "noisify",
            Self::NonBragg => "nonBragg",
        }
    }
}

/// Why a companion program failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompanionError {
    /// The command line is wrong.
    #[error("{program}: {fault}; nanoBragg {program} -help tells more")]
    Usage {
        /// The program.
        program: &'static str,
        /// The error.
        fault: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be read or written, or its contents are wrong.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// A float image without a pixel.
    #[error("{}: there is no pixel in it", path.display())]
    NoPixels {
        /// The file.
        path: PathBuf,
    },
    /// A pixel of a float image is NaN or infinite.
    #[error("{}: the pixel at fast {fast} slow {slow} is {value}", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The position along the fast axis.
        fast: usize,
        /// The position along the slow axis.
        slow: usize,
        /// The value.
        value: f32,
    },
    /// A header without the size of the image or of a pixel.
    #[error("{}: the header has no SIZE1 and SIZE2 above 0, or a PIXEL_SIZE of 0", path.display())]
    NoSize {
        /// The file.
        path: PathBuf,
    },
    /// Two outputs, or an output and an input, are the same file.
    #[error("{}: an output would overwrite another file of this run", path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
    },
    /// An input that does not fit.
    #[error("{0}")]
    Input(String),
    /// The experiment cannot be rendered.
    #[error(transparent)]
    Library(#[from] nanobragg::Error),
}

/// Carries out the words after the name of a companion. The lines of the C program's standard output go
/// to `page`.
///
/// # Errors
/// [`CompanionError`]; outputs are then unchanged.
pub fn run(
    companion: Companion,
    words: &[OsString],
    page: &mut dyn Write,
) -> Result<(), CompanionError> {
    match companion {
        Companion::Noisify => noisify::run(words, page),
        Companion::NonBragg => nonbragg::run(words, page),
    }
}

/// Command lines of noisify.
const NOISIFY_EXAMPLES: [&str; 1] = [
    "nanoBragg noisify -floatfile floatimage.bin -detpixels 256 -pixel 0.4 -adc 10 -psf gauss -noisefile counts.img",
];

/// Command lines of nonBragg.
const NONBRAGG_EXAMPLES: [&str; 1] =
    ["nanoBragg nonbragg -stol water.stol -thickness 0.1 -distance 100 -detpixels 256 -pixel 0.4"];

/// The pages of both for completions and the manual.
pub(crate) fn pages() -> [Page; 2] {
    let page = |name, about: &str, usage: &str, examples: &[&'static str], flags| Page {
        name,
        about: about.to_owned(),
        usage: vec![usage.to_owned()],
        places: Vec::new(),
        groups: vec![("", flags)],
        examples: examples.to_vec(),
        notes: String::new(),
        has_two_dashes: false,
    };
    [
        page(
            "noisify",
            "Makes counts of a float image, as the C program noisify does.",
            "nanoBragg noisify -floatfile FILE [options]",
            &NOISIFY_EXAMPLES,
            noisify::entries(),
        ),
        page(
            "nonbragg",
            "Renders amorphous material, as the C program nonBragg does.",
            "nanoBragg nonbragg -stol FILE [options]",
            &NONBRAGG_EXAMPLES,
            nonbragg::entries(),
        ),
    ]
}

/// The contents of a file.
fn bytes_of(path: &Path) -> Result<Vec<u8>, CompanionError> {
    Ok(input::bytes_of(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_companion_is_named_by_a_word_or_by_the_file_of_the_program() {
        let program = |name: &str| Companion::of_program(name.as_ref());
        assert_eq!(program("/usr/bin/noisify"), Some(Companion::Noisify));
        assert_eq!(program("nonBragg"), Some(Companion::NonBragg));
        assert_eq!(program("target/release/nanoBragg"), None);
        assert_eq!(
            Companion::of_word("nonbragg".as_ref()),
            Some(Companion::NonBragg)
        );
        assert_eq!(Companion::of_word("noise".as_ref()), None);
    }
}
