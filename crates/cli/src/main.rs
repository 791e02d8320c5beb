//! `nanoBragg`: absolute X-ray scattering of a small perfect crystal onto an area detector.
//!
//! Exit status: 0 when all went well, 1 when the run failed, 2 for a command line that makes no
//! sense, 130 when a signal stopped it.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use nanobragg_cli::{Invocation, RunError, log, run};

/// The exit status of a run that failed.
const RUN_ERROR: u8 = 1;

/// The exit status of a run that a signal stopped, as shells know it.
const STOPPED: u8 = 130;

/// The exit status of a command line that makes no sense.
const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    match Invocation::from_words(std::env::args_os().skip(1)) {
        Ok(Invocation::Show(text)) => {
            // A reader that closes the pipe early (`| head`) has seen what it wanted.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Invocation::Run(args)) => {
            log::init(args.running.verbosity);
            for warning in &args.warnings {
                tracing::warn!("{warning}");
            }
            match run(&args) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    complain(&error);
                    ExitCode::from(if matches!(error, RunError::Stopped) {
                        STOPPED
                    } else {
                        RUN_ERROR
                    })
                }
            }
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// One line on standard error, if anybody listens.
fn complain(error: &dyn Error) {
    let _ = writeln!(io::stderr(), "nanoBragg: error: {error}");
}
