//! A command line carried out: resolve, render, write.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use nanobragg::io::Output;
use nanobragg::outputs::{FileEntry, OpenOutputs, OutputKind, Rendered};
use nanobragg::{
    Cancel, Experiment, Frame, Level, Oddity, PixelPlace, Precision, RunOptions, Scene, Simulated,
    Truth,
};
use thiserror::Error;
use tracing::warn;

use crate::args::{Args, Task, Verbosity};
use crate::base;
use crate::culprit;
use crate::diff;
use crate::output_names::{self, said, write_dump, writing};
use crate::plan;
use crate::printout;
use crate::progress::Progress;
use crate::record::{Beginning, Ended, RecordError, Timing};
use crate::report;
use crate::rerun;
use crate::resolve::Job;
use crate::series::{self, SeriesError};

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The experiment cannot be, or a file of it cannot be read or written.
    #[error("{error}{hint}", error = .0, hint = culprit::hint(.0))]
    Simulation(nanobragg::Error),
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
    /// A format that has no place for photons.
    #[error("{}: a CBF holds whole numbers; give -floatfile a .tif, .h5 or .nxs", path.display())]
    NoPhotons {
        /// The file.
        path: PathBuf,
    },
    /// The processor lacks the vector instructions asked for.
    #[error("-level: this processor has no {level}; give auto for the best that it has")]
    LevelNotAvailable {
        /// As on the command line.
        level: &'static str,
    },
    /// A record cannot be made, read, or followed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A series cannot be rendered, gone on with, or was stopped.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A signal asked the run to stop.
    #[error("stopped by a signal; no output was changed")]
    Stopped,
}

macro_rules! from_errors_below {
    ($($error:ty),+) => {$(
        impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                nanobragg::Error::from(error).into()
            }
        }
    )+};
}

from_errors_below!(
    nanobragg::crystal::Error,
    nanobragg::io::Error,
    nanobragg::physics::Error,
    nanobragg::response::Error
);

impl From<nanobragg::Error> for RunError {
    fn from(error: nanobragg::Error) -> Self {
        match error {
            nanobragg::Error::Physics(nanobragg::physics::Error::Cancelled) => Self::Stopped,
            nanobragg::Error::SameFile {
                path,
                output,
                other,
            } => Self::SameFile {
                path,
                output,
                other,
            },
            nanobragg::Error::NoPhotons { path } => Self::NoPhotons { path },
            error => match SeriesError::of(error) {
                Ok(error) => Self::Series(error),
                Err(error) => Self::Simulation(error),
            },
        }
    }
}

/// How a command line that could be carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it was asked for.
    Done,
    /// Two things were compared and are not the same.
    Differs,
}

/// Carries out a command line, of which `words` are kept in a record: images on disk, the course of
/// it on standard output. Once `stop` is raised it ends as soon as it can.
///
/// # Errors
/// See [`RunError`]. Outputs that were not complete are then gone, and older files are as they were.
pub fn run(args: &Args, words: &[OsString], stop: &Cancel) -> Result<Outcome, RunError> {
    let args = &*args.with_base()?;
    match args.task() {
        Task::Simulate => {
            let recording = args.running.record_path.as_ref().map(|_| words);
            simulate(args, Keep::of(recording), stop).map(|_| Outcome::Done)
        }
        Task::Series => series::carry_out(args, words, stop).map(|()| Outcome::Done),
        Task::Plan(format) => plan::say(args, format, stop).map(|()| Outcome::Done),
        Task::Rerun(record) => rerun::again(record, args, stop),
        Task::Diff(old, new) => diff::say(old, new, &Says::of(args)),
    }
}

/// What is kept of a run besides its images.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep<'w> {
    /// Nothing.
    Nothing,
    /// The fingerprints of the outputs.
    Hashes,
    /// A record, with these words of the command line.
    Record(&'w [OsString]),
}

impl<'w> Keep<'w> {
    fn of(recording: Option<&'w [OsString]>) -> Self {
        recording.map_or(Self::Nothing, Self::Record)
    }
}

/// Renders and writes the images; returns what was written.
pub(crate) fn simulate(
    args: &Args,
    keep: Keep<'_>,
    stop: &Cancel,
) -> Result<Vec<FileEntry>, RunError> {
    let begun = Instant::now();
    let beginning = match keep {
        Keep::Record(words) => Some(Beginning::of(args, words)?),
        Keep::Nothing | Keep::Hashes => None,
    };
    let hashes = !matches!(keep, Keep::Nothing);
    let job = Job::from_args(args)?;
    let mut timing = Timing {
        read_s: begun.elapsed().as_secs_f64() - job.resolve_s,
        resolve_s: job.resolve_s,
        ..Timing::default()
    };
    let files = output_names::named(args);
    output_names::check(args, &files)?;
    let outputs = OpenOutputs::open(&files, &job.resolved, hashes)?;
    let record = args.running.record_path.as_ref().map(Output::create);
    let record = record.transpose()?;
    base::save(args, &job)?;
    let says = Says::of(args);
    says.text(&report::before(&job, args));
    warn_of_decisions(&job);
    let dump = job.named.factors.are_new();
    let dump = dump.then(|| write_dump(args, &job.resolved.experiment.factors, hashes));
    stop_unless_wanted(stop)?;

    let begun = Instant::now();
    let experiment = &job.resolved.experiment;
    let scene = Scene::new(experiment);
    let progress = Progress::new(args.running.progress, args.running.verbosity);
    let (image, truth) = picture(&scene, experiment, args, Some(&progress), stop)?;
    if let Some(PixelPlace { fast, slow, .. }) = image.left_grid_at {
        warn!("{}, from pixel {fast} {slow} on", Oddity::Interpolation);
    }
    drop(scene);
    timing.render_s = begun.elapsed().as_secs_f64();
    if let Some(not_finite) = image.not_finite()? {
        warn!("{not_finite}");
    }
    says.text(&report::statistics(&image.statistics));

    let begun = Instant::now();
    let rendered = Rendered {
        resolved: &job.resolved,
        image: &image,
        response: &job.spec.response,
        noise_seed: job.noise_seed,
        geometry: job.geometry.as_ref(),
        truth: truth.as_ref(),
        grey: args.output.png_scale,
    };
    let images = outputs.write(&rendered, &|event| says.text(&said(event)), stop)?;
    timing.write_s = begun.elapsed().as_secs_f64();
    let written: Vec<FileEntry> = dump.flatten().into_iter().chain(images).collect();
    if let (Some(mut output), Some(beginning)) = (record, beginning) {
        says.text(&writing(output.path()));
        let ended = Ended {
            args,
            job: &job,
            image: &image,
            level: level(args)?,
            timing,
            outputs: &written,
        };
        crate::record::write(&mut output, &beginning, &ended)
            .map_err(nanobragg::io::Error::from)?;
        output.commit()?;
    }
    Ok(written)
}

pub(crate) fn stop_unless_wanted(stop: &Cancel) -> Result<(), RunError> {
    if stop.is_raised() {
        Err(RunError::Stopped)
    } else {
        Ok(())
    }
}

/// The vector instructions asked for.
pub(crate) fn level(args: &Args) -> Result<Option<Level>, RunError> {
    let Some(name) = args.running.level else {
        return Ok(None);
    };
    match Level::ALL.into_iter().find(|level| level.name() == name) {
        Some(level) if level.is_available() => Ok(Some(level)),
        _ => Err(RunError::LevelNotAvailable { level: name }),
    }
}

/// The precision asked for.
pub(crate) fn precision(args: &Args) -> Precision {
    if args.running.single_precision {
        Precision::Single
    } else {
        Precision::Double
    }
}

/// Renders the image, and finds what is in it if that is asked for.
pub(crate) fn picture(
    scene: &Scene,
    experiment: &Experiment,
    args: &Args,
    progress: Option<&Progress>,
    stop: &Cancel,
) -> Result<(Simulated, Option<Truth>), RunError> {
    let watched = progress.map(|progress| -> &dyn nanobragg::Progress { progress });
    let rendered = render_with(scene, args, watched, stop);
    if let Some(progress) = progress {
        progress.finish();
    }
    let rendered = rendered?;
    if let Some(reason) = rendered.unsupported {
        warn!("rendered by the {} backend: {reason}", rendered.backend);
    }
    if args.output.printout {
        let says = Says::of(args);
        says.anyway(|out| printout::pixels(scene, &rendered, args.output.printout_pixel, out));
    }
    let floor_photons = args.output.truth_floor.unwrap_or(0.0);
    let truth = args.output.files.get(OutputKind::Truth).map(|_| {
        let options = options(args, None, stop)?;
        let truth = nanobragg::physics::truth(scene, &rendered, floor_photons, &options);
        truth.map_err(RunError::from)
    });
    let truth = truth.transpose()?;
    Ok((Simulated::new(experiment, rendered)?, truth))
}

/// Renders without a word on how far it is.
pub(crate) fn render_quietly(scene: &Scene, args: &Args, stop: &Cancel) -> Result<Frame, RunError> {
    render_with(scene, args, None, stop)
}

fn render_with(
    scene: &Scene,
    args: &Args,
    progress: Option<&dyn nanobragg::Progress>,
    stop: &Cancel,
) -> Result<Frame, RunError> {
    Ok(nanobragg::physics::render(
        scene,
        &options(args, progress, stop)?,
    )?)
}

/// How a run goes, as the flags have it.
///
/// # Errors
/// [`RunError::LevelNotAvailable`].
pub fn options<'a>(
    args: &Args,
    progress: Option<&'a dyn nanobragg::Progress>,
    stop: &'a Cancel,
) -> Result<RunOptions<'a>, RunError> {
    Ok(RunOptions {
        threads: args.running.threads.map_or(0, |n| n as usize),
        level: level(args)?,
        precision: precision(args),
        progress,
        cancel: Some(stop),
    })
}

impl nanobragg::Progress for Progress {
    fn rows_done(&self, done: usize, total: usize) {
        self.update(done, total);
    }
}

/// What may surprise about the files and decisions of a job.
pub fn warnings(job: &Job) -> Vec<String> {
    let decisions = &job.resolved.decisions;
    let mut warnings = Vec::new();
    for from in &job.geometry_from {
        warnings.extend(from.described.ignored.iter().map(ToString::to_string));
    }
    warnings.extend(decisions.warnings.iter().map(ToString::to_string));
    let oddities = job.oddities.iter().chain(&decisions.oddities);
    warnings.extend(oddities.map(ToString::to_string));
    warnings
}

pub(crate) fn warn_of_decisions(job: &Job) {
    for warning in warnings(job) {
        warn!("{warning}");
    }
}

/// Standard output. A reader that has closed it does not stop the run.
pub(crate) struct Says {
    quiet: bool,
}

impl Says {
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
