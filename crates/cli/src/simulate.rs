//! Resolves, renders and writes one image.

use std::ffi::OsString;
use std::sync::OnceLock;
use std::time::Instant;

use nanobragg::io::Output;
use nanobragg::outputs::{FileEntry, OpenOutputs, OutputEvent, Rendered};
use nanobragg::{
    Cancel, Frame, Level, Oddity, PixelPlace, Precision, Resolved, RunOptions, Scene, Simulated,
    Truth,
};
#[cfg(feature = "plot")]
use nanobragg_plot::report::RunFacts;
use tracing::{info, warn};

use crate::args::Args;
use crate::base;
use crate::console::Console;
use crate::devices::device;
use crate::outcome::RunError;
use crate::output_names::{self, said, write_dump, writing};
#[cfg(feature = "plot")]
use crate::page::Report;
use crate::printout;
use crate::progress::Progress;
use crate::record::{Beginning, Ended, Timing};
use crate::report;
use crate::resolve::{DEFAULT_MOSAIC_SEED, Job};

/// The data of a run that are kept besides its images.
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
    pub(crate) fn of(recording: Option<&'w [OsString]>) -> Self {
        recording.map_or(Self::Nothing, Self::Record)
    }
}

/// Renders and writes the images; returns the written files.
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
    let job = Job::from_args(args, stop)?;
    let mut timing = Timing {
        read_s: begun.elapsed().as_secs_f64() - job.resolve_s,
        resolve_s: job.resolve_s,
        ..Timing::default()
    };
    let mut files = output_names::named(args);
    files.data_layout = job.data_layout();
    output_names::check(args, &files)?;
    let outputs = OpenOutputs::open(&files, &job.resolved, &job.spec.response, hashes)?;
    let record = args.running.record_path.as_ref().map(Output::create);
    let record = record.transpose()?;
    #[cfg(feature = "plot")]
    let page = match &beginning {
        Some(beginning) => Report::of(args, &job, &beginning.arguments)?,
        None => None,
    };
    base::save(args, &job)?;
    let console = Console::of(args);
    console.text(&report::before(&job, args));
    warn_of_decisions(&job);
    files.warn_of_headers(&job.resolved, &job.spec.response)?;
    let dump = write_dump(args, &job, hashes);
    stop_unless_wanted(stop)?;

    let begun = Instant::now();
    let experiment = &job.resolved.experiment;
    let scene = Scene::new(experiment);
    let progress = Progress::new(args.running.progress, args.running.verbosity);
    let (image, truth) = picture(&scene, &job.resolved, args, Some(&progress), stop)?;
    let image = image.with_spots(&job.resolved);
    if let Some(PixelPlace { fast, slow, .. }) = image.left_grid_at {
        warn!("{}, from pixel {fast} {slow} on", Oddity::Interpolation);
    }
    drop(scene);
    timing.render_s = begun.elapsed().as_secs_f64();
    if let Some(not_finite) = image.not_finite()? {
        warn!("{not_finite}");
    }
    if let Some(photons) = image.less_than_a_photon() {
        warn!("{}", report::no_photons(photons));
    }
    console.text(&report::statistics(&image.statistics));
    if let Some(Ok(omission)) = &image.omission {
        console.text(&report::omission(
            omission,
            accuracy(args),
            image.statistics.max_photons,
        ));
    }
    if let Some(spots) = &image.spots {
        console.text(&report::spots(spots));
    }

    let begun = Instant::now();
    let rendered = Rendered {
        resolved: &job.resolved,
        image: &image,
        response: &job.spec.response,
        noise_seed: job.noise_seed,
        mosaic_seed: args.noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
        geometry: job.geometry.as_ref(),
        truth: truth.as_ref(),
        grey: args.output.png_scale,
        threads: args.running.threads.map_or(0, |n| n as usize),
    };
    let noise = OnceLock::new();
    let watch = |event: OutputEvent<'_>| {
        if let OutputEvent::Noise { photons, overloads } = event {
            let _ = noise.set((photons, overloads));
        }
        console.text(&said(event));
    };
    let images = outputs.write(&rendered, &watch, stop)?;
    timing.write_s = begun.elapsed().as_secs_f64();
    let written: Vec<FileEntry> = dump.into_iter().chain(images).collect();
    if let (Some(mut output), Some(beginning)) = (record, beginning) {
        console.text(&writing(output.path()));
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
    #[cfg(feature = "plot")]
    if let (Some(mut report), Some(truth)) = (page, &truth) {
        let facts = RunFacts {
            resolved: &job.resolved,
            image: &image,
            truth,
            response: &job.spec.response,
            noise: noise.get().copied(),
        };
        facts.add_to(report.page())?;
        console.text(&writing(report.path()));
        report.write(&written)?;
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

/// The requested vector instructions.
pub(crate) fn level(args: &Args) -> Result<Option<Level>, RunError> {
    let Some(name) = args.running.level else {
        return Ok(None);
    };
    match Level::ALL.into_iter().find(|level| level.name() == name) {
        Some(level) if level.is_available() => Ok(Some(level)),
        _ => Err(RunError::LevelNotAvailable { level: name }),
    }
}

/// The requested precision.
pub(crate) fn precision(args: &Args) -> Precision {
    if args.running.single_precision {
        Precision::Single
    } else {
        Precision::Double
    }
}

/// The requested accuracy; 0 for every term.
pub(crate) fn accuracy(args: &Args) -> f64 {
    args.running.accuracy.unwrap_or(0.0)
}

/// Renders the image, and lists its reflections if requested.
pub(crate) fn picture(
    scene: &Scene,
    resolved: &Resolved,
    args: &Args,
    progress: Option<&Progress>,
    stop: &Cancel,
) -> Result<(Simulated, Option<Truth>), RunError> {
    let watched = progress.map(|progress| -> &dyn nanobragg::Progress { progress });
    let wants_truth = args.output.files.have_truth() || args.running.report_path.is_some();
    let rendered = match wants_truth {
        true => {
            let wishes = args.output.truth_wishes();
            let options = options(args, watched, stop)?;
            let found = nanobragg::render_with_truth(scene, &wishes, &options);
            let found = found.map(|(frame, truth)| (frame, Some(truth)));
            found.map_err(RunError::from)
        }
        false => render_with(scene, args, watched, stop).map(|frame| (frame, None)),
    };
    if let Some(progress) = progress {
        progress.finish();
    }
    let (rendered, truth) = rendered?;
    if let Some(reason) = rendered.unsupported {
        warn!("rendered by the {} backend: {reason}", rendered.backend);
    }
    if rendered.backend.starts_with("gpu") {
        info!("terms summed by the {}", rendered.backend);
    }
    if let Some(Err(reason)) = rendered.omission {
        warn!("{}", report::every_term(reason));
    }
    if args.output.printout {
        let console = Console::of(args);
        let wavelength_m = resolved.decisions.wavelength_m;
        console.anyway(|out| {
            printout::pixels(
                scene,
                &rendered,
                args.output.printout_pixel,
                wavelength_m,
                out,
            )
        });
    }
    Ok((Simulated::new(&resolved.experiment, rendered)?, truth))
}

/// Renders without showing progress.
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

/// The options of a run from the flags.
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
        accuracy: accuracy(args),
        device: device(args)?,
        progress,
        cancel: Some(stop),
    })
}

impl nanobragg::Progress for Progress {
    fn rows_done(&self, done: usize, total: usize) {
        self.update(done, total);
    }
}

/// The warnings about files and decisions of a job.
pub fn warnings(job: &Job) -> Vec<String> {
    let mut warnings = warnings_but_oddities(job);
    let oddities = job.oddities.iter().chain(&job.resolved.decisions.oddities);
    warnings.extend(oddities.map(|oddity| match oddity.is_fixable() {
        true => format!(
            "{} (oddity '{name}' of the C program; -fix {name} puts it right)",
            oddity.effect(),
            name = oddity.name()
        ),
        false => oddity.to_string(),
    }));
    warnings
}

/// The same, except those about oddities of the C program.
pub(crate) fn warnings_but_oddities(job: &Job) -> Vec<String> {
    let mut warnings = Vec::new();
    for from in &job.geometry_from {
        warnings.extend(from.described.ignored.iter().map(ToString::to_string));
        warnings.extend(from.described.absent.iter().cloned());
    }
    warnings.extend(job.file_warnings.iter().cloned());
    let of_decisions = &job.resolved.decisions.warnings;
    warnings.extend(of_decisions.iter().map(ToString::to_string));
    warnings
}

pub(crate) fn warn_of_decisions(job: &Job) {
    for warning in warnings(job) {
        warn!("{warning}");
    }
}
