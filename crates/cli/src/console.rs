//! Standard output.

use std::io::{self, Write};

use crate::args::{Args, Verbosity};

/// Standard output. A reader that has closed it does not stop the run.
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn of(args: &Args) -> Self {
        Self {
            quiet: args.running.verbosity == Verbosity::Quiet,
        }
    }

    pub(crate) fn text(&self, text: &str) {
        if !self.quiet {
            let _ = io::stdout().write_all(text.as_bytes());
        }
    }

    /// What was asked for by name is said even by a quiet run.
    pub(crate) fn anyway(&self, say: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let _ = say(&mut out).and_then(|()| out.flush());
    }
}
