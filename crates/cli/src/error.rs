use std::ffi::OsString;

use thiserror::Error;

/// What can be wrong with a command line.
#[derive(Debug, Error)]
pub enum Error {
    /// A flag that does not exist.
    #[error("-{name} is not a flag; {}", advice(*nearest))]
    UnknownFlag {
        /// The name as typed, without dashes.
        name: String,
        /// The flag spelled most like it, if any is close.
        nearest: Option<&'static str>,
    },

    /// A word that is neither a flag nor the value of one.
    #[error("\"{word}\" belongs to no flag")]
    StrayWord {
        /// The word as typed.
        word: String,
    },

    /// A flag with fewer values than it needs.
    #[error("-{flag} needs {wanted}; values given: {found}")]
    MissingValue {
        /// The flag.
        flag: &'static str,
        /// How many values were there.
        found: usize,
        /// The values it takes, as in the help.
        wanted: String,
    },

    /// A value attached with `=` to a flag that takes none.
    #[error("-{flag} takes no value")]
    UnexpectedValue {
        /// The flag.
        flag: &'static str,
    },

    /// A value that is no number, not finite, out of range, or no word the flag knows.
    #[error("-{flag}: {} is not allowed; give {allowed}", shown(value))]
    NotAllowed {
        /// The flag.
        flag: &'static str,
        /// The value as typed.
        value: OsString,
        /// What is allowed, in words.
        allowed: String,
    },

    /// A number within its range that no experiment can have.
    #[error(
        "-{flag}: {value:e} is absurd; give {allowed}, of a magnitude from {least:e} to {most:e}"
    )]
    Absurd {
        /// The flag.
        flag: &'static str,
        /// The value as typed.
        value: f64,
        /// What is allowed, in words.
        allowed: String,
        /// The smallest magnitude that makes sense.
        least: f64,
        /// The largest magnitude that makes sense.
        most: f64,
    },

    /// Two flags of which one leaves nothing for the other to do.
    #[error("-{flag} and -{other} do not go together")]
    NotTogether {
        /// The flag that decides what is done.
        flag: &'static str,
        /// The flag that has no place beside it.
        other: &'static str,
    },

    /// A flag that means nothing by itself.
    #[error("-{flag} needs {needed}")]
    Needs {
        /// The flag.
        flag: &'static str,
        /// What has to be there too.
        needed: &'static str,
    },

    /// Numbers that a series does not have.
    #[error("-only {first} {last}: the numbers of this series run from 1 to {count}")]
    OutsideSeries {
        /// The first number asked for.
        first: u32,
        /// The last one.
        last: u32,
        /// How many there are.
        count: u32,
    },
}

/// Where to look for the right name.
fn advice(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean -{name}?"),
        None => "-help lists them".to_owned(),
    }
}

/// A value as it appears in a message: in quotes where it would otherwise be hard to see.
fn shown(value: &OsString) -> String {
    let text = value.to_string_lossy();
    if text.is_empty() || text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text.into_owned()
    }
}
