//! The whole series: which frames there are to do, one after the other or some at a time.

use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nanobragg::series::{BaseSeeds, SeriesKind, SeriesSpec, Shard};
use nanobragg::{Cancel, FactorsSpec, Oddity, SourcesSpec, bytes_needed};
use serde_json::json;
use tracing::warn;

use super::frame::{Made, Maker};
use super::log::Log;
use super::whole::Whole;
use super::{SeriesError, names};
use crate::args::Args;
use crate::base;
use crate::output_names;
use crate::outputs::write_dump;
use crate::progress::Progress;
use crate::report;
use crate::resolve::{DEFAULT_MOSAIC_SEED, Prepared};
use crate::run::{RunError, Says, stop_unless_wanted, warn_of_decisions};

/// The log of a series if no flag says otherwise.
const DEFAULT_LOG: &str = "series.jsonl";

/// The seed of a series if no flag says otherwise. Not the clock: the parts of a series that several
/// jobs render are of one series.
const DEFAULT_SEED: i64 = 1;

/// Up to here an image is too small to keep many threads busy, so that each thread renders images of
/// its own.
const SMALL_BYTES: u64 = 16 << 20;

/// The seeds that a series starts from, with `seed` where the flags name none.
pub fn base_seeds(args: &Args, seed: i64) -> BaseSeeds {
    BaseSeeds {
        noise: args.noise.seed.unwrap_or(seed),
        misset: args.noise.misset_seed.unwrap_or(seed),
        mosaic: args.noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
    }
}

/// Renders and writes the frames of a series that are asked for and not complete yet.
///
/// # Errors
/// [`RunError::Series`], and what a single run can fail of. Frames that are complete then stay, and are
/// in the log.
pub(crate) fn carry_out(args: &Args, words: &[OsString], stop: &Cancel) -> Result<(), RunError> {
    let mut args = args.clone();
    let seed = *args.noise.seed.get_or_insert(DEFAULT_SEED);
    let args = &args;
    let series = SeriesSpec {
        kind: match args.series.shots {
            Some(_) => SeriesKind::Shots,
            None => SeriesKind::Rotation,
        },
        count: args.series.count().unwrap_or(1),
        seeds: base_seeds(args, seed),
    };
    names::refuse_collisions(args)?;
    let wanted = numbers(args, series.count);
    let Some(&first) = wanted.first() else {
        Says::of(args).text("no number of the series is in this part\n");
        return Ok(());
    };
    let mut maker = Maker {
        args,
        series,
        prepared: Prepared::from_args(args)?,
        stop,
        threads: args.running.threads,
        whole: None,
    };
    let (_, job) = maker.job(first)?;
    // Read once; what the file is later does not count.
    let spec = &mut maker.prepared.loaded.spec;
    if let SourcesSpec::File(_) = spec.beam.sources {
        let sources = job.resolved.experiment.sources.clone();
        spec.beam.sources = SourcesSpec::List(sources);
    }
    let about = json!({
        "kind": match series.kind { SeriesKind::Rotation => "rotation", SeriesKind::Shots => "shots" },
        "count": series.count,
        "noise_seed": series.seeds.noise,
        "misset_seed": series.seeds.misset,
        "mosaic_seed": series.seeds.mosaic,
        "spindle": job.resolved.experiment.goniometer.spindle(),
        "wavelength_angstrom": job.resolved.decisions.wavelength_m * 1e10,
    });
    let whole = names::whole(args);
    if let Some(path) = &whole {
        refuse_whole(args, path, first)?;
    }
    let log = Log::open(log_path(args), args, words, &about, &wanted)?;
    if let Some(path) = whole.filter(|_| !log.has_whole()) {
        let whole = Whole::create(path, wanted.clone(), series.kind, &job.resolved)?;
        maker.whole = Some(Arc::new(whole));
    }
    let says = Says::of(args);
    says.text(&report::before(&job, args));
    warn_of_decisions(&job);
    base::save(args, &job)?;
    if let FactorsSpec::List(_) = job.named.factors {
        write_dump(args, &job.resolved.experiment.factors, false);
    }
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args
        .running
        .threads
        .map_or(cores, |threads| threads as usize);
    let is_small = bytes_needed(&job.resolved.experiment) <= SMALL_BYTES;
    let at_once = if is_small { threads } else { 1 };
    if at_once > 1 {
        maker.threads = Some(1);
    }
    drop(job);
    let mut log = Course::new(&maker, &wanted, log, says).run(at_once)?;
    // Its places are gone with the frames.
    if let Some(whole) = maker.whole.take().and_then(Arc::into_inner) {
        let file = whole.commit()?;
        Says::of(args).text(&format!("writing {}\n", file.path));
        log.add_whole(&wanted, file)?;
    }
    Ok(())
}

/// Refuses a file of all images at `path` that is an input, another output or the log.
fn refuse_whole(args: &Args, path: &Path, first: u32) -> Result<(), RunError> {
    if path == log_path(args) {
        return Err(RunError::SameFile {
            path: path.to_path_buf(),
            output: "nexusfile",
            other: "seriesfile",
        });
    }
    let mut of_frame = names::args_of(args, first);
    of_frame.output.nexus_path = Some(path.to_path_buf());
    output_names::refuse_collisions(&of_frame)
}

/// The numbers that are to be there in the end, in their order.
fn numbers(args: &Args, count: u32) -> Vec<u32> {
    let [first, last] = args.series.only.unwrap_or([1, count]);
    let shard = args
        .series
        .shard
        .and_then(|[part, parts]| Shard::new(part, parts));
    (first..=last)
        .filter(|number| shard.is_none_or(|shard| shard.contains(*number)))
        .collect()
}

fn log_path(args: &Args) -> PathBuf {
    let path = args
        .series
        .log_path
        .as_deref()
        .unwrap_or(Path::new(DEFAULT_LOG));
    match args.series.shard {
        Some(part) => names::of_part(path, part),
        None => path.to_path_buf(),
    }
}

/// A series on its way.
struct Course<'m> {
    maker: &'m Maker<'m>,
    wanted: usize,
    to_do: Vec<u32>,
    /// The place in `to_do` of the frame that is next.
    next: AtomicUsize,
    failed: AtomicBool,
    progress: Progress,
    told: Mutex<Told>,
}

/// What threads tell one at a time.
struct Told {
    log: Log,
    says: Says,
    left_grid: bool,
    /// The failure of the frame with the lowest number.
    failure: Option<(u32, RunError)>,
}

impl<'m> Course<'m> {
    fn new(maker: &'m Maker<'m>, wanted: &[u32], log: Log, says: Says) -> Self {
        let running = &maker.args.running;
        if log.len() > 0 {
            says.text(&format!(
                "{} of {} images are complete\n",
                log.len(),
                wanted.len()
            ));
        }
        Self {
            maker,
            wanted: wanted.len(),
            to_do: wanted
                .iter()
                .copied()
                .filter(|number| !log.has(*number))
                .collect(),
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            progress: Progress::of_images(running.progress, running.verbosity),
            told: Mutex::new(Told {
                log,
                says,
                left_grid: false,
                failure: None,
            }),
        }
    }

    /// The log, with all images in it.
    fn run(self, at_once: usize) -> Result<Log, RunError> {
        let at_once = at_once.clamp(1, self.to_do.len().max(1));
        thread::scope(|scope| {
            for _ in 1..at_once {
                scope.spawn(|| self.work());
            }
            self.work();
        });
        self.progress.finish();
        let told = self
            .told
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match told.failure {
            Some((_, RunError::Stopped)) => {
                let (done, wanted) = (told.log.len(), self.wanted);
                Err(match &self.maker.whole {
                    Some(whole) => SeriesError::StoppedShort {
                        done,
                        wanted,
                        path: whole.path().to_path_buf(),
                    },
                    None => SeriesError::Stopped { done, wanted },
                }
                .into())
            }
            Some((_, error)) => Err(error),
            None => {
                told.says
                    .text(&format!("{} images are complete\n", told.log.len()));
                Ok(told.log)
            }
        }
    }

    /// Makes frames until there are none left, or one has failed.
    fn work(&self) {
        while !self.failed.load(Ordering::Relaxed) {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&number) = self.to_do.get(place) else {
                return;
            };
            let made = stop_unless_wanted(self.maker.stop).and_then(|()| self.maker.make(number));
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = made.and_then(|made| self.tell(&made, &mut told)) {
                self.failed.store(true, Ordering::Relaxed);
                let is_first = told
                    .failure
                    .as_ref()
                    .is_none_or(|(other, _)| number < *other);
                if is_first {
                    told.failure = Some((number, error));
                }
            }
        }
    }

    fn tell(&self, made: &Made, told: &mut Told) -> Result<(), RunError> {
        told.log.add(made.number, &made.entry)?;
        self.progress.aside(|| told.says.text(&made.line));
        self.progress.update(told.log.len(), self.wanted);
        if made.left_grid && !std::mem::replace(&mut told.left_grid, true) {
            warn!("{}, first in image {}", Oddity::Interpolation, made.number);
        }
        Ok(())
    }
}
