//! Standard output.

use std::io::{self, Write};

use crate::args::{Args, Verbosity};

/// Standard output. A run goes on if the reader has closed it.
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn of(args: &Args) -> Self {
        Self {
            quiet: args.running.verbosity <= Verbosity::Quiet,
        }
    }

    pub(crate) fn text(&self, text: &str) {
        if !self.quiet {
            let _ = io::stdout().write_all(text.as_bytes());
        }
    }

    /// Prints in a quiet run too: the text was requested by a flag.
    pub(crate) fn anyway(&self, say: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let _ = say(&mut out).and_then(|()| out.flush());
    }
}
