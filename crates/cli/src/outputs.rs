//! The files of a run: opened before the long part, complete or untouched after it.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::thread::{self, ScopedJoinHandle};

use nanobragg::crystal::read::fdump;
use nanobragg::exchange::{dxtbx, xds};
use nanobragg::io::printf::general as g;
use nanobragg::io::{self, Exposure, Image, Output, float, nexus, pgm, png, smv, tiff};
use nanobragg::{
    Counts, FactorGrid, Resolved, Response, Simulated, Truth, assembled, smv_fields_of_panel,
};
use tracing::{info_span, warn};

use crate::args::Args;
use crate::digest::{FileEntry, Hashing};
use crate::formats::{PhotonFormat, WideFormat};
use crate::output_names::{Names, of_panel};
use crate::resolve::{Job, dump_path};
use crate::run::RunError;
use crate::series::Place;
use crate::truth_table::Table;

/// The outputs of a run, each open beside the file that it will replace. An image has one output, or
/// one for each panel where its format holds one panel.
#[derive(Debug)]
pub(crate) struct Outputs {
    float: Vec<Output>,
    int: Vec<Output>,
    pgm: Option<Vec<Output>>,
    noise: Option<Vec<Output>>,
    png: Option<Output>,
    expt: Option<Output>,
    xds: Option<Output>,
    copies: Copies,
    truth: Option<Output>,
    record: Option<Output>,
    /// What headers say of every panel, if a file has such a header.
    exposures: Vec<Exposure>,
    /// Take the fingerprint of each file that is written.
    hashes: bool,
}

/// The counts once more, in other formats.
#[derive(Debug, Default)]
struct Copies {
    files: Vec<CountsCopy>,
    /// In the one file of a series.
    place: Option<Place>,
}

impl Copies {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.place.is_none()
    }
}

/// A file with the counts of the noise image or, if there is none, of the integer image.
#[derive(Debug)]
struct CountsCopy {
    flag: &'static str,
    format: WideFormat,
    outputs: Vec<Output>,
}

impl Outputs {
    /// Opens every output, so that one that cannot be written is known before anything is rendered.
    /// With `hashes` the SHA-256 of each is taken while it is written.
    ///
    /// # Errors
    /// [`RunError::SameFile`] if two outputs, or an output and an input, are the same file; an error
    /// naming the file that cannot be written, or the format that cannot hold the image.
    pub(crate) fn open(args: &Args, resolved: &Resolved, hashes: bool) -> Result<Self, RunError> {
        let names = Names::of(args);
        names.refuse_collisions(args)?;
        let exposures = names.exposures(resolved)?;
        let detector = &resolved.experiment.detector;
        let panels = detector.panels().len();
        let all_of = |path: &Path, holds_panels: bool| -> Result<Vec<Output>, RunError> {
            if holds_panels || panels == 1 {
                return Ok(vec![Output::create(path)?]);
            }
            let each = (0..panels).map(|index| Ok(Output::create(of_panel(path, index))?));
            each.collect()
        };
        // A file of floats or counts without a header holds all panels if they have one size.
        let holds = |path: &Path, otherwise: bool| {
            WideFormat::of(path).map_or(otherwise, WideFormat::holds_panels)
        };
        let optional = |path: &Option<PathBuf>| {
            let path = path.as_ref();
            path.map(|path| all_of(path, holds(path, false)))
                .transpose()
        };
        let copies = names.copies.iter().map(|(flag, format, path)| {
            Ok(CountsCopy {
                flag,
                format: *format,
                outputs: all_of(path, format.holds_panels())?,
            })
        });
        let files = copies.collect::<Result<_, RunError>>()?;
        let open = |path: &Option<PathBuf>| path.as_ref().map(Output::create).transpose();
        Ok(Self {
            float: all_of(
                &names.float,
                holds(&names.float, detector.common_size().is_some()),
            )?,
            int: all_of(&names.int, holds(&names.int, false))?,
            pgm: optional(&names.pgm)?,
            noise: optional(&names.noise)?,
            png: open(&names.png)?,
            expt: open(&names.expt)?,
            xds: open(&names.xds)?,
            copies: Copies { files, place: None },
            exposures,
            truth: open(&names.truth)?,
            record: open(&args.running.record_path)?,
            hashes,
        })
    }

    /// Has the counts written to `place` too.
    pub(crate) fn also_to(&mut self, place: Option<Place>) {
        self.copies.place = place;
    }

    /// The record, to be written when everything else is in place.
    pub(crate) fn take_record(&mut self) -> Option<Output> {
        self.record.take()
    }

    /// Writes the image in every form asked for, and when all of them are complete puts them in
    /// place. `say` is told of each file, `go_on` is asked before each.
    ///
    /// # Errors
    /// The first file that cannot be written; no file is then changed, devices aside.
    pub(crate) fn write(
        self,
        job: &Job,
        image: &Simulated,
        truth: Option<&Truth>,
        args: &Args,
        say: &(dyn Fn(&str) + Sync),
        go_on: &(dyn Fn() -> Result<(), RunError> + Sync),
    ) -> Result<Vec<FileEntry>, RunError> {
        let _span = info_span!("write").entered();
        let response = &job.spec.response;
        let int_scale = image.integer_scale(response);
        let pgm_scale = image.grey_scale(response);
        let hashes = self.hashes;
        say(&format!("intfile_scale = {}\n", g(int_scale)));
        if self.pgm.is_some() {
            say(&format!("pgm_scale = {}\n", g(pgm_scale)));
        }
        let exposures = self.exposures;
        let of = |numbers: Range<usize>| exposures.get(numbers).unwrap_or_default();
        let write_float = |outputs: Vec<Output>| {
            let format = outputs
                .first()
                .and_then(|output| PhotonFormat::of(output.path()));
            let files = PanelFiles::new("floatfile", outputs, hashes);
            files.fill(
                image,
                &image.photons,
                &|out, numbers, panels| match format {
                    Some(PhotonFormat::Tiff) => tiff::write_photons(out, of(numbers), panels),
                    Some(PhotonFormat::Nexus) => nexus::write_photons(out, of(numbers), panels),
                    Some(PhotonFormat::Raw) | None => panels
                        .iter()
                        .try_for_each(|panel| float::write(&mut *out, panel)),
                },
            )
        };
        let write_wide = |flag, format: WideFormat, outputs, counts: &Image<i32>| {
            go_on()?;
            let files = PanelFiles::new(flag, outputs, hashes);
            files.fill(image, counts, &|out, numbers, panels| {
                format.write_counts(out, of(numbers), panels)
            })
        };
        let write_copies = |copies: Copies, counts: &Image<i32>| {
            if let Some(place) = copies.place {
                go_on()?;
                place.write(counts)?;
            }
            let mut written = Vec::new();
            for copy in copies.files {
                written.extend(write_wide(copy.flag, copy.format, copy.outputs, counts)?);
            }
            Ok::<_, RunError>(written)
        };
        let mut headers = Vec::new();
        for index in 0..image.panels().len() {
            headers.push(smv_fields_of_panel(&job.resolved, index)?);
        }
        let write_narrow = |flag, outputs, counts: &Image<u16>| {
            go_on()?;
            let files = PanelFiles::new(flag, outputs, hashes);
            files.fill(image, counts, &|out, numbers, panels| {
                let each = headers.iter().skip(numbers.start).zip(panels);
                each.take(1)
                    .try_for_each(|(header, panel)| smv::write(&mut *out, header, panel))
            })
        };
        let say_counted = |photons: Option<f64>, overloads: u64| {
            if let Some(photons) = photons {
                say(&format!(
                    "{photons:.0} photons on noise image ({overloads} overloads)\n"
                ));
            }
        };
        let write_counts = |flag, response: Response, outputs: Vec<Output>, copies: Copies| {
            go_on()?;
            let path = outputs.first().map(Output::path);
            let format = path.and_then(WideFormat::of);
            if format.is_none() && copies.is_empty() {
                let counts: Counts<Image<u16>> = image.counts(response)?;
                go_on()?;
                say_counted(counts.photons, counts.overloads);
                return write_narrow(flag, outputs, &counts.pixels);
            }
            let counts: Counts<Image<i32>> = image.counts(response)?;
            go_on()?;
            let mut written = match format {
                Some(format) => {
                    say_counted(counts.photons, counts.overloads);
                    write_wide(flag, format, outputs, &counts.pixels)?
                }
                None => {
                    let (narrow, overloads) = narrow(&counts.pixels);
                    say_counted(counts.photons, overloads);
                    write_narrow(flag, outputs, &narrow)?
                }
            };
            written.extend(write_copies(copies, &counts.pixels)?);
            Ok::<_, RunError>(written)
        };
        let write_pgm = |outputs: Vec<Output>| {
            go_on()?;
            let greys: Counts<Image<u8>> = image.counts(Response::greys(pgm_scale))?;
            let files = PanelFiles::new("pgmfile", outputs, hashes);
            files.fill(image, &greys.pixels, &|out, _, panels| {
                let mut each = panels.iter().take(1);
                each.try_for_each(|panel| pgm::write(&mut *out, panel, pgm_scale))
            })
        };
        let detector = &job.resolved.experiment.detector;
        let write_png = |output: Output| {
            go_on()?;
            let grey = args.output.png_scale;
            let files = PanelFiles::new("pngfile", vec![output], hashes);
            files.fill(image, &image.photons, &|out, _, panels| match panels {
                [panel] => png::write(out, panel, grey),
                _ => png::write(out, &assembled(detector, panels)?, grey),
            })
        };
        let write_truth = |output: Output| {
            go_on()?;
            let as_json = output.path().extension().is_some_and(|e| e == "json");
            filled(output, "truthfile", hashes, &|out| {
                let table = truth.map(|truth| Table::new(job, truth));
                table.map_or(Ok(()), |table| table.write(as_json, out))?;
                Ok(())
            })
        };
        go_on()?;
        // The noise stream is sequential and the raw image waits for the disk: neither holds up the
        // others.
        let Self {
            float,
            int,
            pgm,
            png,
            truth: truth_output,
            noise,
            expt,
            xds,
            copies,
            ..
        } = self;
        let integers = Response::integers(response, int_scale)?;
        let measured = Response::measured(response, job.noise_seed)?;
        let (of_noise, of_int) = match noise {
            Some(_) => (copies, Copies::default()),
            None => (Copies::default(), copies),
        };
        let complete = thread::scope(|scope| {
            let float = scope.spawn(|| write_float(float));
            let noise = noise.map(|outputs| {
                scope.spawn(|| write_counts("noisefile", measured, outputs, of_noise))
            });
            let pgm = pgm.map(|outputs| scope.spawn(|| write_pgm(outputs)));
            let here = || -> Result<_, RunError> {
                let mut complete = write_counts("intfile", integers, int, of_int)?;
                complete.extend(pgm.map(joined).transpose()?.into_iter().flatten());
                complete.extend(png.map(write_png).transpose()?.into_iter().flatten());
                if let Some(geometry) = &job.geometry {
                    let text = |output, flag, text: String| {
                        filled(output, flag, hashes, &|out| {
                            Ok(out.write_all(text.as_bytes())?)
                        })
                    };
                    let expt = expt.map(|to| text(to, "exptfile", dxtbx::write(geometry)));
                    complete.extend(expt.transpose()?);
                    if let Some(to) = xds {
                        complete.push(text(to, "xdsfile", xds::write(geometry)?)?);
                    }
                }
                complete.extend(truth_output.map(write_truth).transpose()?);
                Ok(complete)
            };
            let others = here();
            // Of several that failed, the first in this order is told, whichever came first in time.
            let mut complete = joined(float)?;
            complete.extend(others?);
            complete.extend(noise.map(joined).transpose()?.into_iter().flatten());
            Ok::<_, RunError>(complete)
        })?;
        go_on()?;
        let mut entries = Vec::with_capacity(complete.len());
        let mut replaced = Vec::with_capacity(complete.len());
        for (output, entry) in complete {
            say(&format!("writing {}\n", output.path().display()));
            replaced.push(output.commit()?);
            entries.push(entry);
        }
        thread::scope(|scope| {
            for file in replaced {
                scope.spawn(|| drop(file));
            }
        });
        Ok(entries)
    }
}

/// Writes panels, whose numbers these are.
type PanelFilling<'f, T> = &'f dyn Fn(&mut dyn Write, Range<usize>, &[Image<T>]) -> io::Result<()>;

/// The files of an image: one with all panels, or one for each.
struct PanelFiles {
    flag: &'static str,
    outputs: Vec<Output>,
    hashes: bool,
}

impl PanelFiles {
    const fn new(flag: &'static str, outputs: Vec<Output>, hashes: bool) -> Self {
        Self {
            flag,
            outputs,
            hashes,
        }
    }

    /// Fills them with `stacked`, an image like that of `simulated`.
    fn fill<T: Copy>(
        self,
        simulated: &Simulated,
        stacked: &Image<T>,
        write: PanelFilling<'_, T>,
    ) -> Result<Vec<(Output, FileEntry)>, RunError> {
        let (flag, hashes) = (self.flag, self.hashes);
        let copies;
        let panels = match simulated.panels() {
            // The image of one panel is written as it is, not copied.
            [_] => from_ref(stacked),
            several => {
                let each = several.iter().map(|panel| panel.of(stacked));
                copies = each.collect::<Result<Vec<_>, _>>()?;
                copies.as_slice()
            }
        };
        if self.outputs.len() == 1 {
            let outputs = self.outputs.into_iter();
            let all = outputs.map(|output| {
                filled(output, flag, hashes, &|out| {
                    write(out, 0..panels.len(), panels)
                })
            });
            return all.collect();
        }
        let outputs = self.outputs.into_iter().zip(panels).enumerate();
        let each = outputs.map(|(index, (output, panel))| {
            filled(output, flag, hashes, &|out| {
                write(out, index..index + 1, from_ref(panel))
            })
        });
        each.collect()
    }
}

/// Counts as files of 16 bits hold them, and how many of them are overloads there.
fn narrow(counts: &Image<i32>) -> (Image<u16>, u64) {
    let full = i32::from(u16::MAX);
    let overloads = counts.pixels().iter().filter(|&&count| count > full);
    // Clipped first, so that nothing is lost.
    let narrow = counts.map(|&count| count.clamp(0, full) as u16);
    (narrow, overloads.count() as u64)
}

/// What a thread came to; a panic in it goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What fills an output.
type Filling<'f> = &'f dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Fills one output to the last byte, without putting it in place.
fn filled(
    mut output: Output,
    flag: &str,
    hashes: bool,
    write: Filling<'_>,
) -> Result<(Output, FileEntry), RunError> {
    let path = output.path().to_path_buf();
    let mut hashing = Hashing::new(&mut output, hashes);
    write(&mut hashing)?;
    hashing.flush().map_err(io::Error::from)?;
    let entry = hashing.entry(flag, &path);
    Ok((output, entry))
}

/// Keeps the structure factors for the next run. Not being able to is no reason to stop.
pub(crate) fn write_dump(args: &Args, factors: &FactorGrid, hashes: bool) -> Option<FileEntry> {
    let path = dump_path(args);
    let written = Output::create(path).and_then(|mut output| {
        let mut hashing = Hashing::new(&mut output, hashes);
        fdump::write(factors, &mut hashing)?;
        let entry = hashing.entry("dump", path);
        output.commit()?;
        Ok(entry)
    });
    written
        .inspect_err(|error| {
            warn!("the structure factors are not kept for the next run: {error}");
        })
        .ok()
}
