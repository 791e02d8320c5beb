use std::ffi::OsString;
use std::path::PathBuf;

use thiserror::Error;

/// An error in a command line.
#[derive(Debug, Error)]
pub enum Error {
    /// The flag does not exist.
    #[error("-{name} is not a flag; {}", advice(*nearest))]
    UnknownFlag {
        /// The name as typed, without dashes.
        name: String,
        /// The most similar flag, if the similarity is large enough.
        nearest: Option<&'static str>,
    },

    /// A word that is neither a flag nor the value of one.
    #[error("\"{word}\" belongs to no flag")]
    StrayWord {
        /// The word as typed.
        word: String,
    },

    /// A flag with too few values.
    #[error("-{flag} needs {wanted}; values given: {found}")]
    MissingValue {
        /// The flag.
        flag: &'static str,
        /// The number of values on the command line.
        found: usize,
        /// The values of the flag, as in the help.
        wanted: String,
    },

    /// A value attached with `=` to a flag that takes none.
    #[error("-{flag} takes no value")]
    UnexpectedValue {
        /// The flag.
        flag: &'static str,
    },

    /// A value that is not a number, not finite, out of range, or not a word of the flag.
    #[error("-{flag}: {} is not allowed; give {allowed}", shown(value))]
    NotAllowed {
        /// The flag.
        flag: &'static str,
        /// The value as typed.
        value: OsString,
        /// The allowed values, in words.
        allowed: String,
    },

    /// A number within the range of the flag but beyond any experiment.
    #[error(
        "-{flag}: {value:e} is absurd; give {allowed}, of a magnitude from {least:e} to {most:e}"
    )]
    Absurd {
        /// The flag.
        flag: &'static str,
        /// The number as typed.
        value: f64,
        /// The allowed values, in words.
        allowed: String,
        /// The smallest allowed magnitude.
        least: f64,
        /// The largest allowed magnitude.
        most: f64,
    },

    /// Two flags that exclude each other.
    #[error("-{flag} and -{other} do not go together")]
    NotTogether {
        /// The flag that decides the task.
        flag: &'static str,
        /// The flag that has no effect for this task.
        other: &'static str,
    },

    /// A flag that needs another flag.
    #[error("-{flag} needs {needed}")]
    Needs {
        /// The flag.
        flag: &'static str,
        /// The missing flag.
        needed: &'static str,
    },

    /// Image numbers outside the series.
    #[error("-only {first} {last}: the numbers of this series run from 1 to {count}")]
    OutsideSeries {
        /// The first requested number.
        first: u32,
        /// The last requested number.
        last: u32,
        /// The number of images of the series.
        count: u32,
    },
}

/// Why `nanoBragg new`, `hkl`, `materials`, `orient`, `detectors`, `help`, `add`, `verify` or `plot` failed.
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
    /// Files of a series are not what its log says, or images are missing; in a sentence.
    #[error("{0}")]
    NotAsLogged(String),
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
            nanobragg::Error::ResolutionOfList { path } => usage(&format!(
                "-dmin is for coordinates (PDB, mmCIF, CIF), and {} has none",
                path.display()
            )),
            error => Self::Other(error),
        }
    }
}

/// The end of the message: the suggested flag, or where the flags are listed.
fn advice(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean -{name}?"),
        None => "-help all lists them".to_owned(),
    }
}

/// A value in a message, in quotes where it is hard to see without them.
fn shown(value: &OsString) -> String {
    let text = value.to_string_lossy();
    if text.is_empty() || text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text.into_owned()
    }
}
