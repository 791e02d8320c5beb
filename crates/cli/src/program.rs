//! The whole program: words to an exit status, with messages on standard output and standard error. The binary
//! and the command of the Python package are this.
//!
//! Exit status: 0 when all went well, 1 when the run failed, what was compared differs or a refinement
//! has not converged, 2 for a command line that makes no sense or records that cannot be compared, 3 for a refinement
//! whose residuals noise does not explain, 130 when a signal stopped it.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::slice;

use nanobragg::Cancel;

use crate::args::{Task, Verbosity};
use crate::companions::{self, Companion, CompanionError};
use crate::compare::{self, CompareError, compare};
use crate::refine::{self, RefineError, refine};
use crate::{
    Command, Invocation, Outcome, RunError, SeriesError, ToolError, add, convert, detectors,
    devices, help, log, materials, new, orient, run, shell, signals, verify,
};

/// The exit status if all went well.
const SUCCESS: u8 = 0;

/// The exit status of a run that failed.
const RUN_ERROR: u8 = 1;

/// The exit status if compared things differ.
const DIFFERS: u8 = 1;

/// The exit status if a comparison is not possible.
const TROUBLE: u8 = 2;

/// The exit status of a refinement that has ended at a minimum that noise does not explain.
const UNEXPLAINED: u8 = 3;

/// The exit status of a run that a signal stopped, as in shells.
pub(crate) const STOPPED: u8 = 130;

/// The exit status of a wrong command line.
const USAGE_ERROR: u8 = 2;

/// Raised by the first SIGINT, SIGTERM or SIGHUP.
static STOP: Cancel = Cancel::new();

/// Carries out a command line, and returns the exit status. `program` is the file that was started: its name may be that
/// of a companion, and if it is absolute, `compare -reference` starts it again.
///
/// A signal of the kinds SIGINT, SIGTERM and SIGHUP ends the process if the work does not stop soon.
pub fn main(program: &Path, words: &[OsString]) -> u8 {
    if let Some(companion) = Companion::of_program(program.as_os_str()) {
        return run_companion(companion, words);
    }
    match words {
        // As in the C program, the error follows.
        [] => {
            let _ = show(&help::brief());
        }
        [flag, word] if ["-h", "-help", "--help"].iter().any(|known| flag == known) => {
            return tell(program, slice::from_ref(word));
        }
        [command, words @ ..] if command == "help" => return tell(program, words),
        [command, words @ ..] if command == "new" => return tool(words, new::from_words),
        [command, words @ ..] if command == "compare" => return compare_images(program, words),
        [command, words @ ..] if command == "refine" => return refine_experiment(words),
        #[cfg(feature = "view")]
        [command, words @ ..] if command == "view" => return view_experiment(words),
        #[cfg(feature = "plot")]
        [command, words @ ..] if command == "plot" => return tool(words, crate::plot::from_words),
        [command, words @ ..] if command == "hkl" => return tool(words, convert::from_words),
        [command, words @ ..] if command == "materials" => {
            return tool(words, materials::from_words);
        }
        [command, words @ ..] if command == "add" => return tool(words, add::from_words),
        [command, words @ ..] if command == "verify" => return tool(words, verify::from_words),
        [command, words @ ..] if command == "orient" => return tool(words, orient::from_words),
        [command, words @ ..] if command == "detectors" => {
            return tool(words, detectors::from_words);
        }
        [command, words @ ..] if command == "devices" => return tool(words, devices::from_words),
        [command, words @ ..] if command == "completions" => {
            return tool(words, shell::completions_from_words);
        }
        [command, words @ ..] if command == "man" => return tool(words, shell::man_from_words),
        [command, words @ ..] => {
            if let Some(companion) = Companion::of_word(command) {
                return run_companion(companion, words);
            }
        }
    }
    match Invocation::from_words(words.iter()) {
        Ok(Invocation::Show(text)) => show(&text),
        Ok(Invocation::Run(args)) => {
            log::init(args.running.verbosity);
            for warning in &args.warnings {
                tracing::warn!("{warning}");
            }
            watch_signals();
            match run(&args, words, &STOP) {
                Ok(Outcome::Done) => SUCCESS,
                Ok(Outcome::Differs) => DIFFERS,
                Err(error) => {
                    complain(&error);
                    match (&error, args.task()) {
                        (RunError::Stopped | RunError::Series(SeriesError::Stopped { .. }), _) => {
                            STOPPED
                        }
                        // As in diff, where 1 means that the files differ.
                        (_, Task::Diff(..)) => TROUBLE,
                        _ => RUN_ERROR,
                    }
                }
            }
        }
        Err(error) => {
            let first = words.first().map(|word| word.to_string_lossy());
            let advice = match (&error, first) {
                (crate::Error::StrayWord { word }, Some(first)) if *word == first => {
                    help::advice(word)
                }
                _ => String::new(),
            };
            let _ = writeln!(io::stderr(), "nanoBragg: error: {error}{advice}");
            USAGE_ERROR
        }
    }
}

/// `nanoBragg help`. A subcommand tells of itself.
fn tell(program: &Path, words: &[OsString]) -> u8 {
    match words {
        [word] if shell::names_of_commands().any(|name| word == name) => {
            main(program, &[word.clone(), "-help".into()])
        }
        _ => tool(words, help::from_words),
    }
}

/// A subcommand that writes one file and prints a few lines about it.
fn tool(words: &[OsString], run: fn(&[OsString]) -> Result<String, ToolError>) -> u8 {
    log::init(Verbosity::Normal);
    match run(words) {
        Ok(text) => show(&text),
        Err(error) => {
            complain(&error);
            match error {
                ToolError::Usage { .. } => USAGE_ERROR,
                _ => RUN_ERROR,
            }
        }
    }
}

/// `nanoBragg noisify` and `nanoBragg nonbragg`.
fn run_companion(companion: Companion, words: &[OsString]) -> u8 {
    log::init(Verbosity::Normal);
    watch_signals();
    match companions::run(companion, words, &mut io::stdout().lock()) {
        Ok(()) => SUCCESS,
        Err(error) => {
            complain(&error);
            match error {
                CompanionError::Usage { .. } => USAGE_ERROR,
                _ => RUN_ERROR,
            }
        }
    }
}

/// `nanoBragg compare`.
fn compare_images(program: &Path, words: &[OsString]) -> u8 {
    log::init(Verbosity::Normal);
    let compared = match compare::CompareRequest::from_words(words) {
        Ok(Command::Show(text)) => return show(&text),
        Ok(Command::Run(request)) => {
            watch_signals();
            compare(&request, program, &STOP)
        }
        Err(error) => Err(error),
    };
    match compared {
        Ok(true) => SUCCESS,
        Ok(false) => DIFFERS,
        Err(error) => {
            complain(&error);
            match error {
                CompareError::Stopped => STOPPED,
                _ => TROUBLE,
            }
        }
    }
}

/// `nanoBragg refine`.
fn refine_experiment(words: &[OsString]) -> u8 {
    let refined = match refine::RefineRequest::from_words(words) {
        Ok(Command::Show(text)) => return show(&text),
        Ok(Command::Run(request)) => {
            watch_signals();
            refine(&request, &STOP)
        }
        Err(error) => Err(error),
    };
    match refined {
        Ok(()) => SUCCESS,
        Err(error) => {
            complain(&error);
            match &error {
                RefineError::Stopped => STOPPED,
                RefineError::NotExplained { .. } => UNEXPLAINED,
                error if error.is_usage() => USAGE_ERROR,
                _ => RUN_ERROR,
            }
        }
    }
}

/// `nanoBragg view`, which Ctrl-C ends as it should.
#[cfg(feature = "view")]
fn view_experiment(words: &[OsString]) -> u8 {
    use crate::view::{ViewRequest, serve};

    log::init(Verbosity::Normal);
    match ViewRequest::from_words(words) {
        Ok(Command::Show(text)) => show(&text),
        Ok(Command::Run(request)) => {
            watch_signals();
            match serve(&request, &STOP) {
                Ok(()) => SUCCESS,
                Err(error) => {
                    complain(&error);
                    RUN_ERROR
                }
            }
        }
        Err(error) => {
            complain(&error);
            USAGE_ERROR
        }
    }
}

/// Prints help or version.
fn show(text: &str) -> u8 {
    // It is no error if the reader closes the pipe early (`| head`).
    let _ = io::stdout().write_all(text.as_bytes());
    SUCCESS
}

/// Makes the first signal raise [`STOP`].
fn watch_signals() {
    if let Err(error) = signals::watch(&STOP) {
        tracing::warn!("an interrupt will leave temporary files behind: {error}");
    }
}

/// Prints one line on standard error, and ignores a closed standard error.
fn complain(error: &dyn Error) {
    let _ = writeln!(io::stderr(), "nanoBragg: error: {error}");
}
