//! From the words of a command line to [`Args`] or a text.

use std::ffi::OsString;

use crate::Error;
use crate::args::Args;
use crate::argv::{self, Given, Spelled};

/// A parsed command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Carry out these flags.
    Run(Box<Args>),
    /// Print this text (help or version) and end.
    Show(String),
}

impl Invocation {
    /// Parses the words after the program name.
    ///
    /// # Errors
    /// See [`Error`]: the first flag that is unknown or has a wrong value.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, Error> {
        match argv::parse(words)? {
            Spelled::Flags(given) => Ok(Self::Run(Box::new(Args::from_given(&given)?))),
            Spelled::Show(text) => Ok(Self::Show(text)),
        }
    }
}

impl Args {
    /// Applies flags in the order typed.
    ///
    /// # Errors
    /// The first value that its flag does not allow.
    pub fn from_given(given: &[Given]) -> Result<Self, Error> {
        let mut args = Self::default();
        for Given { spec, words } in given {
            args.take(spec, words)?;
        }
        args.check()?;
        Ok(args)
    }
}
