//! From flags to a series, and the messages of a series.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nanobragg::outputs::FileEntry;
use nanobragg::series::{
    BaseSeeds, Distribution, Frame, FrameReport, PartOfSeries, Quantity, SeriesFiles,
    SeriesIdentity, SeriesKind, SeriesObserver, SeriesRequest, SeriesRun, SeriesSpec, Shard,
    of_part,
};
use nanobragg::{Cancel, Misset, NoiseStream, Oddity, SourcesSpec};
use tracing::warn;

use crate::args::Args;
use crate::argv::{self, Spelled};
use crate::base;
use crate::console::Console;
use crate::devices::device;
use crate::outcome::RunError;
use crate::output_names::{self, write_dump, writing};
#[cfg(feature = "plot")]
use crate::page::Report;
use crate::progress::Progress;
use crate::record::inputs;
use crate::report;
use crate::resolve::{DEFAULT_MOSAIC_SEED, Job, Prepared, memory_limit};
use crate::simulate::{accuracy, level, precision, warn_of_decisions};

/// The default log of a series.
const DEFAULT_LOG: &str = "series.jsonl";

/// The default seed of a series. It is not taken from the clock: several jobs that render parts of a
/// series must use the same seed.
const DEFAULT_SEED: i64 = 1;

/// Flags that do not change images, or only select the images to render.
const NOT_OF_THE_IMAGES: &[&str] = &[
    "only",
    "shard",
    "resume",
    "seriesfile",
    "report",
    "threads",
    "max_memory",
    "progress",
    "noprogress",
    "quiet",
    "verbose",
];

/// Flags whose count may change without a change of any image.
const COUNTS: &[&str] = &["frames", "shots"];

/// The first seeds of a series; `seed` replaces seeds without a flag.
pub fn base_seeds(args: &Args, seed: i64) -> BaseSeeds {
    BaseSeeds {
        noise: args.noise.seed.unwrap_or(seed),
        misset: args.noise.misset_seed.unwrap_or(seed),
        mosaic: args.noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
        vary: args.series.vary_seed.or(args.noise.seed).unwrap_or(seed),
    }
}

/// The series of a command line.
pub(crate) struct Asked {
    /// The flags, with the seed of the series set.
    pub(crate) args: Args,
    /// The numbers of the images to render, ascending.
    pub(crate) numbers: Vec<u32>,
    series: SeriesSpec,
    shard: Option<Shard>,
    files: SeriesFiles,
}

impl Asked {
    /// The series; without `-frames` or `-shots` it has one image.
    ///
    /// # Errors
    /// Outputs that could have the same name.
    pub(crate) fn of(args: &Args) -> Result<Self, RunError> {
        let mut args = args.clone();
        let seed = *args.noise.seed.get_or_insert(DEFAULT_SEED);
        let series = SeriesSpec {
            kind: match args.series.shots {
                Some(_) => SeriesKind::Shots,
                None => SeriesKind::Rotation,
            },
            count: args.series.count().unwrap_or(1),
            seeds: base_seeds(&args, seed),
        };
        let shard = args.series.shard;
        let shard = shard.and_then(|[part, parts]| Shard::new(part, parts));
        Ok(Self {
            numbers: series.numbers(args.series.only, shard),
            files: SeriesFiles::new(&output_names::named(&args), shard, series.kind)?,
            args,
            series,
            shard,
        })
    }

    /// The first image of this run, or the first of the series if this run has no image.
    ///
    /// # Errors
    /// The errors of a single run.
    pub(crate) fn first_job(&self, stop: &Cancel) -> Result<Job, RunError> {
        self.first_of(&Prepared::from_args(&self.args)?, stop)
    }

    /// All images of this run, with their numbers. Structure factors are read once.
    ///
    /// # Errors
    /// The errors of a single run.
    pub(crate) fn jobs(&self, stop: &Cancel) -> Result<Vec<(u32, Job)>, RunError> {
        let prepared = Prepared::from_args(&self.args)?;
        let job = |&number: &u32| {
            let frame = self.series.frame(&prepared.loaded.spec, number)?;
            let job = prepared.resolve(&frame.spec, frame.noise_seed, &self.args, stop)?;
            Ok((number, job))
        };
        self.numbers.iter().map(job).collect()
    }

    /// What varies, each with its distribution and the value that it is about. The values of every image of
    /// this run are drawn.
    ///
    /// # Errors
    /// The first image that cannot be as drawn.
    pub(crate) fn variation(&self) -> Result<Vec<(Quantity, String)>, RunError> {
        let prepared = Prepared::from_args(&self.args)?;
        let spec = &prepared.loaded.spec;
        if !spec.series.vary.is_empty() {
            for &number in &self.numbers {
                self.series.frame(spec, number)?;
            }
        }
        let varies = spec.series.vary.iter();
        let told = varies.map(|(&quantity, distribution)| {
            let (base, unit) = (quantity.base(spec)?, quantity.unit());
            let told = match distribution {
                Distribution::Value(value) => format!("{value} {unit}"),
                _ => format!("{distribution}, without it {base} {unit}"),
            };
            Ok((quantity, told))
        });
        told.collect()
    }

    fn first_of(&self, prepared: &Prepared, stop: &Cancel) -> Result<Job, RunError> {
        let first = self.numbers.first().copied().unwrap_or(1);
        let frame = self.series.frame(&prepared.loaded.spec, first)?;
        prepared.resolve(&frame.spec, frame.noise_seed, &self.args, stop)
    }
}

/// Renders and writes the requested frames that are not complete yet.
///
/// # Errors
/// [`RunError::Series`], and the errors of a single run. Complete frames then stay and are in the log.
pub(crate) fn carry_out(args: &Args, words: &[OsString], stop: &Cancel) -> Result<(), RunError> {
    let mut asked = Asked::of(args)?;
    let mut prepared = Prepared::from_args(&asked.args)?;
    asked.files.set_data_layout(prepared.data_layout());
    let Asked {
        args,
        numbers,
        series,
        shard,
        files,
    } = &asked;
    let (series, shard) = (*series, *shard);
    let console = Console::of(args);
    let Some(&first) = numbers.first() else {
        console.text("no number of the series is in this part\n");
        return Ok(());
    };
    let job = asked.first_of(&prepared, stop)?;
    // The list of sources is read once: later changes of the file have no effect.
    if let SourcesSpec::File(_) = prepared.loaded.spec.beam.sources {
        let mut straight = prepared.loaded.spec.clone();
        straight.beam.tilt_rad = [0.0; 2];
        straight.sampling.auto = None;
        let sources = straight.resolve()?.experiment.sources;
        prepared.loaded.spec.beam.sources = SourcesSpec::List(sources);
    }
    let log_path = log_path(args, shard);
    refuse_files_of_all(args, files, first, &log_path)?;
    let request = SeriesRequest {
        loaded: &prepared.loaded,
        series,
        numbers: numbers.clone(),
        files,
        part: shard.map(|shard| PartOfSeries {
            shard,
            log_path: named_log(args).to_path_buf(),
            numbers: series.numbers(args.series.only, None),
        }),
        log_path,
        identity: identity(args, words)?,
        resumes: args.series.resume,
        threads: args.running.threads,
        level: level(args)?,
        precision: precision(args),
        accuracy: accuracy(args),
        device: device(args)?,
        limit: memory_limit(args),
        truth: args.output.truth_wishes(),
        grey: args.output.png_scale,
        check_files: &|files| output_names::check(args, files),
        words_for: &|frame| words_for(series.kind, frame),
    };
    let wanted = request.numbers.len();
    let run = SeriesRun::open(request, &job.resolved)?;
    console.text(&report::before(&job, args));
    warn_of_decisions(&job);
    warn_of_reach(&prepared);
    #[cfg(feature = "plot")]
    let page = {
        let words = words.iter().map(|word| word.to_string_lossy().into_owned());
        Report::of(args, &job, &words.collect::<Vec<_>>())?
    };
    base::save(args, &job)?;
    write_dump(args, &job, false);
    drop(job);
    match run.removed() {
        0 => {}
        1 => console.text("removed 1 temporary file of a run that was killed\n"),
        removed => console.text(&format!(
            "removed {removed} temporary files of runs that were killed\n"
        )),
    }
    if run.complete() > 0 {
        console.text(&format!(
            "{} of {wanted} images are complete\n",
            run.complete()
        ));
    }
    let progress = Progress::of_images(args.running.progress, args.running.verbosity);
    let watching = SeriesConsole {
        console,
        progress,
        left_grid: AtomicBool::new(false),
        every_term: AtomicBool::new(false),
        dark: AtomicBool::new(false),
    };
    let rendered = run.render(&watching, stop);
    watching.progress.finish();
    rendered?;
    #[cfg(feature = "plot")]
    if let Some(mut page) = page {
        page.add_series(files, numbers)?;
        watching.console.text(&writing(page.path()));
        page.write(&[])?;
    }
    Ok(())
}

/// Warns where images of a series can see reflections of atoms beyond those of its first values.
fn warn_of_reach(prepared: &Prepared) {
    /// More than distributions usually move a corner.
    const MARGIN: f64 = 0.95;
    let spec = &prepared.loaded.spec;
    let moves = spec.series.vary.keys().find(|one| one.moves_reflections());
    if let (Some(atoms), Some(quantity)) = (&prepared.loaded.coordinates, moves)
        && spec.dmin.m() == 0.0
    {
        tracing::warn!(
            "structure factors of the atoms end at {:.4} A, the finest corner without -vary; where {} moves the corner \
             farther, images have no reflections there; -dmin {:.2} adds them",
            atoms.dmin_a,
            quantity.name(),
            MARGIN * atoms.dmin_a
        );
    }
}

/// Refuses a file of all images that is also an input, another output or the log.
fn refuse_files_of_all(
    args: &Args,
    files: &SeriesFiles,
    first: u32,
    log_path: &Path,
) -> Result<(), RunError> {
    let mut all = files.of_frame(first);
    for (kind, path) in files.of_all().iter() {
        if path == log_path {
            return Err(RunError::SameFile {
                path: path.to_path_buf(),
                output: kind.name(),
                other: "seriesfile",
            });
        }
        all.set(kind, path.to_path_buf());
    }
    Ok(output_names::check(args, &all)?)
}

fn named_log(args: &Args) -> &Path {
    let path = args.series.log_path.as_deref();
    path.unwrap_or(Path::new(DEFAULT_LOG))
}

fn log_path(args: &Args, shard: Option<Shard>) -> PathBuf {
    let path = named_log(args);
    shard.map_or(path.to_path_buf(), |shard| of_part(path, shard))
}

/// The settings that determine the images of a series.
fn identity(args: &Args, words: &[OsString]) -> Result<SeriesIdentity, RunError> {
    let given = match argv::parse(words.iter()) {
        Ok(Spelled::Flags(given)) => given,
        // The words were already parsed as a series.
        Ok(Spelled::Show(_)) | Err(_) => Vec::new(),
    };
    let given = given.iter();
    let given = given.filter(|given| !NOT_OF_THE_IMAGES.contains(&given.spec.name));
    let flags = given.map(|given| {
        let values = given.words.iter();
        let values = values.map(|word| word.to_string_lossy().into_owned());
        let is_count = COUNTS.contains(&given.spec.name);
        std::iter::once(given.spec.name.to_owned())
            .chain(values.filter(|_| !is_count))
            .collect()
    });
    // A pipe can be read only once, so that it has no fingerprint.
    let files = inputs::named(args);
    let files = files.into_iter().filter(|(_, path)| path.is_file());
    let inputs = files.map(|(flag, path)| {
        let entry = FileEntry::of_file(flag, &path);
        entry.map_err(|source| RunError::Series(super::SeriesError::Unkept { path, source }))
    });
    Ok(SeriesIdentity {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        flags: flags.collect(),
        inputs: inputs.collect::<Result<_, _>>()?,
    })
}

/// The flags that, added to the flags of the series without `-frames` or `-shots`, render one frame.
fn words_for(kind: SeriesKind, frame: &Frame) -> Vec<String> {
    let mut words = vec!["-seed".to_owned(), frame.noise_seed.to_string()];
    if frame.spec.response.noise_stream == Some(NoiseStream::Counter) {
        words.extend(["-noise_stream", "counter"].map(str::to_owned));
    }
    match kind {
        SeriesKind::Rotation => words.extend(["-phi".to_owned(), frame.phi_deg.to_string()]),
        SeriesKind::Shots => {
            let fixed = Oddity::MissetRandom.name();
            words.extend(["-misset", "random", "-fix", fixed].map(str::to_owned));
            let mosaic_seed = frame.spec.crystal.mosaic.seed;
            words.extend(["-mosaic_seed".to_owned(), mosaic_seed.to_string()]);
        }
    }
    if let Some(Misset::Random { seed } | Misset::RandomUniform { seed }) =
        frame.spec.crystal.misset
    {
        words.extend(["-misset_seed".to_owned(), seed.to_string()]);
    }
    for (quantity, value) in &frame.values {
        words.extend(["-vary".to_owned(), format!("{quantity}={value:?}")]);
    }
    words
}

/// The messages of a series while it runs.
struct SeriesConsole {
    console: Console,
    progress: Progress,
    /// Whether the warning that an index left the grid of structure factors was shown.
    left_grid: AtomicBool,
    /// Whether the warning that every term was summed was shown.
    every_term: AtomicBool,
    /// Whether the warning about an image without photons was shown.
    dark: AtomicBool,
}

impl SeriesObserver for SeriesConsole {
    fn frame(&self, frame: &FrameReport, done: usize, wanted: usize) {
        let number = frame.number;
        let setting = match (frame.kind, frame.misset_deg) {
            (SeriesKind::Shots, Some([x, y, z])) => format!("misset {x:.3} {y:.3} {z:.3}"),
            _ => format!("phi {}", frame.phi_deg),
        };
        let line = format!("{number}: {setting}, max_I = {:.4e}\n", frame.max_photons);
        self.progress.aside(|| self.console.text(&line));
        self.progress.update(done, wanted);
        if let Some(not_finite) = frame.not_finite {
            warn!("image {number}: {not_finite}");
        }
        if frame.left_grid && !self.left_grid.swap(true, Ordering::Relaxed) {
            warn!("{}, first in image {number}", Oddity::Interpolation);
        }
        if let Some(Err(reason)) = frame.omission
            && !self.every_term.swap(true, Ordering::Relaxed)
        {
            warn!("{}, first in image {number}", report::every_term(reason));
        }
        if let Some(photons) = frame.less_than_a_photon
            && !self.dark.swap(true, Ordering::Relaxed)
        {
            warn!("{}, first in image {number}", report::no_photons(photons));
        }
    }

    fn complete(&self, frames: usize) {
        self.progress.finish();
        self.console
            .text(&format!("{frames} images are complete\n"));
    }

    fn file_of_all(&self, path: &str) {
        self.console.text(&writing(Path::new(path)));
    }
}
