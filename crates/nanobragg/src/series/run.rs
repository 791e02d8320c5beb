//! A whole series: the frames that are to be rendered, one after the other or some at a time.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nanobragg_crystal::GridLimit;
use nanobragg_io::Output;
use nanobragg_io::png::Grey;
use nanobragg_io::remove_abandoned;
use nanobragg_physics::{
    Cancel, Device, EveryTerm, Level, Omission, Precision, RunOptions, Scene, TruthWishes, render,
    render_with_truth,
};
use serde_json::{Value, json};

use super::file::{ImagePlace, SeriesFile};
use super::log::Log;
use super::spec::of_image;
use super::stated::warn_of_first;
use super::store::{PartOfSeries, SeriesStore};
use super::stream::{SOLUTION, SeriesStream, write_solutions};
use super::{Frame, SeriesFiles, SeriesIdentity, SeriesKind, SeriesSpec};
use crate::error::Error;
use crate::exchange::{Geometry, crystfel, xds};
use crate::factors::Loaded;
use crate::images::{NotFinite, Simulated};
use crate::memory::{bytes_needed, check_memory};
use crate::outputs::{OpenOutputs, OutputFiles, OutputKind, Rendered};
use crate::resolve::Resolved;
use crate::tree::put;

/// Up to here an image is too small to keep many threads busy, so that each thread renders images of
/// its own.
const SMALL_BYTES: u64 = 16 << 20;

/// A series that is to be rendered.
pub struct SeriesRequest<'r> {
    /// The experiment, with its files in memory.
    pub loaded: &'r Loaded,
    /// The series.
    pub series: SeriesSpec,
    /// The numbers of the frames that are to be there in the end, ascending.
    pub numbers: Vec<u32>,
    /// Their files.
    pub files: &'r SeriesFiles,
    /// Which part of the series it is, if it is rendered in parts.
    pub part: Option<PartOfSeries>,
    /// Where it is kept which frames are complete.
    pub log_path: PathBuf,
    /// What decides the images, so that another series is not gone on with.
    pub identity: SeriesIdentity,
    /// Leave out the frames that the log says are complete.
    pub resumes: bool,
    /// Threads; `None` is one for each core.
    pub threads: Option<u32>,
    /// Vector instructions; `None` is the best of the machine.
    pub level: Option<Level>,
    /// Precision of the interference function.
    pub precision: Precision,
    /// As [`RunOptions::accuracy`]; 0 to sum every term.
    pub accuracy: f64,
    /// As [`RunOptions::device`].
    pub device: Option<&'r dyn Device>,
    /// Memory that an image and its tables may take.
    pub limit: GridLimit,
    /// What the table of a frame contains.
    pub truth: TruthWishes,
    /// How photons become grey in pictures.
    pub grey: Grey,
    /// Refuses outputs of a frame that would destroy another file.
    pub check_files: &'r (dyn Fn(&OutputFiles) -> Result<(), Error> + Sync),
    /// Words that ask for a frame alone, for the log.
    pub words_for: &'r (dyn Fn(&Frame) -> Vec<String> + Sync),
}

/// A frame whose files are in place.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameReport {
    /// Its number, from 1.
    pub number: u32,
    /// What changes from frame to frame.
    pub kind: SeriesKind,
    /// Angle of its first spindle step in degrees.
    pub phi_deg: f64,
    /// The missetting angles in degrees.
    pub misset_deg: Option<[f64; 3]>,
    /// Photons of the brightest pixel.
    pub max_photons: f64,
    /// Photons expected in the whole image, if they are fewer than one.
    pub less_than_a_photon: Option<f64>,
    /// Its pixels that are infinite or NaN.
    pub not_finite: Option<NotFinite>,
    /// Whether an index left the grid of structure factors (the oddity `interpolation`).
    pub left_grid: bool,
    /// What was left out; `None` if the series asks for no accuracy.
    pub omission: Option<Result<Omission, EveryTerm>>,
}

/// Hears how a series comes along, one event at a time.
pub trait SeriesObserver: Sync {
    /// The files of a frame are in place, and `done` frames of `wanted` are complete.
    fn frame(&self, frame: &FrameReport, done: usize, wanted: usize);

    /// All frames that were asked for are complete.
    fn complete(&self, frames: usize);

    /// A file with several frames is in place, or their master file.
    fn file_of_all(&self, path: &str);
}

/// A series ready to be rendered: its log is open, and so is the first file of several frames.
pub struct SeriesRun<'r> {
    request: SeriesRequest<'r>,
    /// Frames that are rendered at a time.
    at_once: usize,
    /// Temporary files of killed runs that were removed.
    removed: usize,
    log: Log,
    store: Option<SeriesStore>,
    stream: Option<SeriesStream>,
}

impl<'r> SeriesRun<'r> {
    /// Opens the log and the files of several frames; `first` is the first frame of the request, resolved.
    ///
    /// # Errors
    /// [`Error::AnotherSeries`], [`Error::NotASeriesLog`], [`Error::SeriesLog`] and other errors for a file that
    /// cannot be read or written.
    pub fn open(mut request: SeriesRequest<'r>, first: &Resolved) -> Result<Self, Error> {
        let SeriesRequest { series, files, .. } = request;
        let about = json!({
            "kind": match series.kind { SeriesKind::Rotation => "rotation", SeriesKind::Shots => "shots" },
            "count": series.count,
            "noise_seed": series.seeds.noise,
            "misset_seed": series.seeds.misset,
            "mosaic_seed": series.seeds.mosaic,
            "vary_seed": series.seeds.vary,
            "vary": request.loaded.spec.series.vary,
            "noise_stream": series.noise_stream(&request.loaded.spec),
            "spindle": first.experiment.goniometer.spindle(),
            "wavelength_angstrom": first.decisions.central_wavelength_m * 1e10,
        });
        if let Some(&number) = request.numbers.first() {
            let mut every = files.of_frame(number);
            if let Some(path) = files.nexus() {
                every.set(OutputKind::Nexus, path.to_path_buf());
            }
            every.warn_of_headers(first, &request.loaded.spec.response)?;
        }
        warn_of_first(files, &request.loaded.spec.series);
        let of_images = files.file_of_images();
        let store = of_images.map(|named| SeriesStore::new(named, &request, first));
        let store = store.transpose()?;
        let log = Log::open(&request, &about, store.as_ref())?;
        let folders = request.resumes.then(|| files.folders());
        // A folder that cannot be listed is noticed when a file is made there.
        let folders = folders.iter().flatten();
        let removed = folders.map(|folder| remove_abandoned(folder).unwrap_or(0));
        let removed = removed.sum();
        let response = &request.loaded.spec.response;
        if let Some(path) = files.xds() {
            let panels = first.experiment.detector.panels().len();
            let images = files.of_xds(&request.numbers, response);
            let images = images.of_panels(panels, response);
            let text = xds::write(&Geometry::of(first)?, &images)?;
            write_text(&request, OutputKind::Xds, path, &text)?;
        }
        if let Some(path) = files.geom() {
            let text = crystfel::write(
                first,
                &Geometry::of(first)?,
                response,
                files.layout(),
                files.data_layout(),
            );
            write_text(&request, OutputKind::Geom, path, &text)?;
        }
        let stream = files.stream().map(|path| {
            let layout = files.layout();
            let head = crystfel::stream_head(
                first,
                &Geometry::of(first)?,
                response,
                layout,
                files.data_layout(),
            );
            SeriesStream::open(path, &head, |number| log.keeps(number))
        });
        let stream = stream.transpose()?;
        for file in store.iter().flat_map(|store| &store.files) {
            let mut written = OutputFiles::default();
            written.set(OutputKind::Nexus, file.path().to_path_buf());
            (request.check_files)(&written)?;
        }
        // An error of opening the next file is found before the frames are rendered.
        let next = store.iter().flat_map(|store| &store.files);
        if let Some(file) = next.clone().find(|file| !file.is_complete()) {
            file.open()?;
        }
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = request.threads.map_or(cores, |threads| threads as usize);
        let is_small = bytes_needed(&first.experiment) <= SMALL_BYTES;
        let at_once = if is_small { threads } else { 1 };
        if at_once > 1 {
            request.threads = Some(1);
        }
        Ok(Self {
            request,
            at_once,
            removed,
            log,
            store,
            stream,
        })
    }

    /// How many temporary files of killed runs were removed, by a series that resumes.
    pub fn removed(&self) -> usize {
        self.removed
    }

    /// How many of the frames are complete already.
    pub fn complete(&self) -> usize {
        self.log.len()
    }

    /// Renders and writes the frames that are not complete. Once `stop` is raised it ends as soon as it can.
    ///
    /// # Errors
    /// [`Error::SeriesStopped`], and what a single frame can fail of: of several, that of the lowest
    /// number. Frames that are complete then stay, and are in the log.
    pub fn render(self, observer: &dyn SeriesObserver, stop: &Cancel) -> Result<(), Error> {
        let Self {
            request,
            at_once,
            log,
            store,
            stream,
            ..
        } = self;
        let to_do = request.numbers.iter().copied();
        let rendering = Rendering {
            to_do: to_do.filter(|number| !log.has(*number)).collect(),
            request: &request,
            store: store.as_ref(),
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            results: Mutex::new(Results {
                log,
                stream,
                failure: None,
            }),
            observer,
            stop,
        };
        // Files whose images an earlier run has all written.
        let mut files = store.iter().flat_map(|store| &store.files);
        files.try_for_each(|file| match file.is_restored() {
            true => rendering.complete(file, 0),
            false => Ok(()),
        })?;
        let at_once = at_once.clamp(1, rendering.to_do.len().max(1));
        thread::scope(|scope| {
            for _ in 1..at_once {
                scope.spawn(|| rendering.work());
            }
            rendering.work();
        });
        let results = rendering.results.into_inner();
        let Results { log, failure, .. } = results.unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some((_, Error::Physics(nanobragg_physics::Error::Cancelled))) => {
                return Err(Error::SeriesStopped {
                    done: log.len(),
                    wanted: request.numbers.len(),
                });
            }
            Some((_, error)) => return Err(error),
            None => observer.complete(log.len()),
        }
        if let Some(path) = request.files.solutions() {
            write_solutions(&request.log_path, path)?;
        }
        if let Some(store) = &store {
            let shard = request.part.as_ref().map(|part| part.shard);
            let master = store.write_master(shard)?;
            let joined = request.part.as_ref();
            let joined = joined.map(|part| store.join(part, &request.identity));
            for path in [master, joined.transpose()?.flatten()]
                .into_iter()
                .flatten()
            {
                observer.file_of_all(&path.display().to_string());
            }
        }
        Ok(())
    }
}

/// Writes a text that all images share.
fn write_text(
    request: &SeriesRequest<'_>,
    kind: OutputKind,
    path: &Path,
    text: &str,
) -> Result<(), Error> {
    let mut file = OutputFiles::default();
    file.set(kind, path.to_path_buf());
    (request.check_files)(&file)?;
    let mut output = Output::create(path)?;
    output
        .write_all(text.as_bytes())
        .map_err(nanobragg_io::Error::from)?;
    output.commit()?;
    Ok(())
}

/// A frame whose files are in place.
struct Made {
    report: FrameReport,
    /// The entry of the log.
    entry: Value,
    /// What the stream says of it.
    chunk: Option<String>,
    /// Its place in a file of several frames.
    place: Option<Arc<ImagePlace>>,
}

/// A series on its way.
struct Rendering<'r> {
    request: &'r SeriesRequest<'r>,
    store: Option<&'r SeriesStore>,
    to_do: Vec<u32>,
    /// The place in `to_do` of the frame that is next.
    next: AtomicUsize,
    failed: AtomicBool,
    results: Mutex<Results>,
    observer: &'r dyn SeriesObserver,
    stop: &'r Cancel,
}

/// What threads tell one at a time.
struct Results {
    log: Log,
    stream: Option<SeriesStream>,
    /// The failure of the frame with the lowest number.
    failure: Option<(u32, Error)>,
}

impl Rendering<'_> {
    /// Makes frames until there are none left, or one has failed.
    fn work(&self) {
        while !self.failed.load(Ordering::Relaxed) {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&number) = self.to_do.get(place) else {
                return;
            };
            let made = self.make(number);
            let kept = made.and_then(|made| {
                let mut results = self.results();
                if let (Some(stream), Some(chunk)) = (&mut results.stream, &made.chunk) {
                    stream.add(chunk)?;
                }
                results.log.add(number, &made.entry)?;
                let wanted = self.request.numbers.len();
                self.observer.frame(&made.report, results.log.len(), wanted);
                drop(results);
                let place = made.place;
                place.map_or(Ok(()), |place| self.complete(place.file(), 1))
            });
            if let Err(error) = kept {
                self.failed.store(true, Ordering::Relaxed);
                let mut results = self.results();
                let failure = results.failure.as_ref();
                if failure.is_none_or(|(other, _)| number < *other) {
                    results.failure = Some((number, error));
                }
            }
        }
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that so many more images of a file are in the log, and in the log that the file is complete.
    fn complete(&self, file: &SeriesFile, images: usize) -> Result<(), Error> {
        if let Some(entry) = file.logged(images)? {
            self.observer.file_of_all(&entry.path);
            self.results().log.add_file_of_all(&file.numbers, entry)?;
        }
        Ok(())
    }

    /// Renders a frame and puts its files in place.
    fn make(&self, number: u32) -> Result<Made, Error> {
        let request = self.request;
        if self.stop.is_raised() {
            return Err(nanobragg_physics::Error::Cancelled.into());
        }
        let frame = request.series.frame(&request.loaded.spec, number)?;
        let options = RunOptions {
            threads: request.threads.map_or(0, |threads| threads as usize),
            level: request.level,
            precision: request.precision,
            accuracy: request.accuracy,
            device: request.device,
            progress: None,
            cancel: Some(self.stop),
        };
        let resolved = request.loaded.resolve(&frame.spec, &options)?;
        let experiment = &resolved.experiment;
        check_memory(experiment, request.limit)?;
        let files = request.files.of_frame(number);
        let of_all = request.files.of_all();
        let needs_geometry = files.have_geometry() || of_all.have_geometry();
        let geometry = needs_geometry.then(|| Geometry::of(&resolved));
        let geometry = geometry.transpose()?;
        (request.check_files)(&files)?;
        let mut outputs = OpenOutputs::open(&files, &resolved, &frame.spec.response, true)?;
        let place = self.store.and_then(|store| store.place(number));
        outputs.also_to(place.clone());

        let scene = Scene::new(experiment);
        let (rendered, truth) = match request.files.have_truth() {
            true => {
                let (frame, truth) = render_with_truth(&scene, &request.truth, &options)?;
                (frame, Some(truth))
            }
            false => (render(&scene, &options)?, None),
        };
        let image = Simulated::new(experiment, rendered)?.with_spots(&resolved);
        drop(scene);
        let not_finite = image.not_finite();
        let not_finite = not_finite.map_err(|source| of_image(number, source))?;
        let of_frame = Rendered {
            resolved: &resolved,
            image: &image,
            response: &frame.spec.response,
            noise_seed: frame.noise_seed,
            mosaic_seed: frame.spec.crystal.mosaic.seed,
            geometry: geometry.as_ref(),
            truth: truth.as_ref(),
            grey: request.grey,
            threads: options.threads,
        };
        let written = outputs.write(&of_frame, &|_| {}, self.stop)?;
        let misset_rad = experiment.crystal.misset_rad();
        let misset_deg = misset_rad.map(|misset_rad| misset_rad.map(f64::to_degrees));
        let statistics = &image.statistics;
        let finish = |place: &Arc<ImagePlace>| place.finish(number, &of_frame);
        let stored = place.as_ref().map(finish).transpose()?;
        let mut entry = json!({
            "number": number,
            "phi_deg": frame.phi_deg,
            "osc_deg": experiment.phi.range_rad.to_degrees(),
            "misset_deg": misset_deg,
            "reciprocal_per_angstrom": experiment.crystal.reciprocal().vectors(),
            "noise_seed": frame.noise_seed,
            "alone": (request.words_for)(&frame),
            "max_photons": statistics.max_photons,
            "mean_photons": statistics.mean,
            "outputs": written,
        });
        if let Some(Ok(omission)) = image.omission {
            put(&mut entry, "error_photons", json!(omission.error_photons));
        }
        if let Some(NotFinite { count, .. }) = not_finite {
            put(&mut entry, "not_finite_pixels", json!(count));
        }
        if !frame.values.is_empty() {
            let values: BTreeMap<_, _> = frame.values.iter().copied().collect();
            put(&mut entry, "values", json!(values));
        }
        if let Some(stored) = stored {
            put(&mut entry, "stored", json!(stored));
        }
        let name = request.files.image_name(number, &request.numbers);
        let response = &frame.spec.response;
        let parts = geometry.as_ref().zip(truth.as_ref());
        let parts = parts.filter(|_| request.files.stream().is_some());
        let chunk = parts.map(|(geometry, truth)| {
            crystfel::stream_chunk(&resolved, geometry, truth, response, &name)
        });
        if let (Some(_), Some(geometry)) = (request.files.solutions(), &geometry) {
            let solution = crystfel::solution(&resolved, geometry, &name);
            put(&mut entry, SOLUTION, solution);
        }
        let report = FrameReport {
            number,
            kind: request.series.kind,
            phi_deg: frame.phi_deg,
            misset_deg,
            max_photons: statistics.max_photons.into(),
            less_than_a_photon: image.less_than_a_photon(),
            not_finite,
            left_grid: image.left_grid_at.is_some(),
            omission: image.omission,
        };
        Ok(Made {
            report,
            entry,
            chunk,
            place,
        })
    }
}
