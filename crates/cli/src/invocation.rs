//! A command line from its words to what it asks for.

use std::ffi::OsString;

use crate::Error;
use crate::args::Args;
use crate::argv::{self, Given, Spelled};

/// A command line, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Simulate.
    Run(Box<Args>),
    /// Print this text (help or version) and be done.
    Show(String),
}

impl Invocation {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// See [`Error`]: the first flag that is unknown, or whose values cannot be taken.
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
    /// Lets flags take effect in the order typed.
    ///
    /// # Errors
    /// The first value that its flag cannot take.
    pub fn from_given(given: &[Given]) -> Result<Self, Error> {
        let mut args = Self::default();
        for Given { spec, words } in given {
            args.take(spec, words)?;
        }
        args.check()?;
        Ok(args)
    }
}
