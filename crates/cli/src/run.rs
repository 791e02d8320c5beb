//! A command line carried out: resolve, render, write.

use std::io::{self, Write};
use std::path::PathBuf;

use nanobragg::{Cancel, Level, Oddity, Plan, Precision, Rendered, RunOptions, Simulated};
use thiserror::Error;
use tracing::warn;

use crate::args::Args;
use crate::outputs::{Outputs, write_dump};
use crate::printout;
use crate::progress::Progress;
use crate::report;
use crate::resolve::{FactorsFrom, Job};

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The experiment cannot be, or a file of it cannot be read or written.
    #[error(transparent)]
    Simulation(#[from] nanobragg::Error),
    /// Two outputs, or an output and an input, are one file.
    #[error("{path}: -{output} would overwrite what -{other} names")]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The flag of the output.
        output: &'static str,
        /// The other flag.
        other: &'static str,
    },
    /// The processor lacks the vector instructions asked for.
    #[error("-level: this processor has no {level}; give auto for the best that it has")]
    LevelNotAvailable {
        /// As on the command line.
        level: &'static str,
    },
    /// Signals cannot be caught.
    #[error("cannot prepare for being interrupted: {0}")]
    Signal(#[from] ctrlc::Error),
    /// A signal asked the run to stop.
    #[error("stopped by a signal; no output was changed")]
    Stopped,
}

macro_rules! from_errors_below {
    ($($error:ty),+) => {$(
        impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                Self::Simulation(error.into())
            }
        }
    )+};
}

from_errors_below!(
    nanobragg::crystal::Error,
    nanobragg::io::Error,
    nanobragg::physics::Error
);

/// Raised by the first SIGINT, SIGTERM or SIGHUP.
static STOP: Cancel = Cancel::new();

/// Carries out a command line: images on disk, the course of it on standard output.
///
/// # Errors
/// See [`RunError`]. Outputs that were not complete are then gone, and older files are as they were.
pub fn run(args: &Args) -> Result<(), RunError> {
    ctrlc::set_handler(|| STOP.raise())?;
    let job = Job::from_args(args)?;
    let outputs = Outputs::open(args)?;
    let says = Says {
        quiet: args.running.verbosity == crate::args::Verbosity::Quiet,
    };
    says.text(&report::before(&job, args));
    warn_of_decisions(&job);
    if job.factors_from == FactorsFrom::List {
        write_dump(args, &job.resolved.experiment.factors);
    }
    stop_if_asked()?;

    let experiment = &job.resolved.experiment;
    let plan = Plan::new(experiment);
    let rendered = render(&plan, args)?;
    if let Some([fast, slow]) = rendered.left_grid_at {
        warn!("{}, from pixel {fast} {slow} on", Oddity::Interpolation);
    }
    if args.output.printout {
        says.anyway(|out| printout::pixels(&plan, &rendered, args.output.printout_pixel, out));
    }
    drop(plan);
    let image = Simulated::new(experiment, rendered)?;
    says.text(&report::statistics(&image.statistics));
    outputs.write(&job, &image, args, &|text| says.text(text), &stop_if_asked)
}

/// Whether a signal has asked the run to stop.
fn stop_if_asked() -> Result<(), RunError> {
    if STOP.is_raised() {
        Err(RunError::Stopped)
    } else {
        Ok(())
    }
}

/// The vector instructions asked for.
fn level(args: &Args) -> Result<Option<Level>, RunError> {
    let Some(name) = args.running.level else {
        return Ok(None);
    };
    match Level::ALL.into_iter().find(|level| level.name() == name) {
        Some(level) if level.is_available() => Ok(Some(level)),
        _ => Err(RunError::LevelNotAvailable { level: name }),
    }
}

fn render(plan: &Plan<'_>, args: &Args) -> Result<Rendered, RunError> {
    let progress = Progress::new(args.running.progress, args.running.verbosity);
    let options = RunOptions {
        threads: args.running.threads.map_or(0, |n| n as usize),
        level: level(args)?,
        precision: if args.running.single_precision {
            Precision::Single
        } else {
            Precision::Double
        },
        progress: Some(&progress),
        cancel: Some(&STOP),
    };
    let rendered = nanobragg::physics::render(plan, &options);
    progress.finish();
    match rendered {
        Err(nanobragg::physics::Error::Cancelled) => Err(RunError::Stopped),
        other => Ok(other?),
    }
}

impl nanobragg::Progress for Progress {
    fn rows_done(&self, done: usize, total: usize) {
        self.update(done, total);
    }
}

fn warn_of_decisions(job: &Job) {
    for warning in &job.resolved.decisions.warnings {
        warn!("{warning}");
    }
    for oddity in job.oddities.iter().chain(&job.resolved.decisions.oddities) {
        warn!("{oddity}");
    }
}

/// Standard output. A reader that has closed it does not stop the run.
struct Says {
    quiet: bool,
}

impl Says {
    fn text(&self, text: &str) {
        if !self.quiet {
            let _ = io::stdout().write_all(text.as_bytes());
        }
    }

    /// What was asked for by name is said even by a quiet run.
    fn anyway(&self, say: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let _ = say(&mut out).and_then(|()| out.flush());
    }
}
