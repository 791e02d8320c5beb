//! Writes the files of a run. Files are opened before the image is computed. At the end all are complete,
//! or none is changed.

use std::ops::Range;
use std::path::Path;
use std::slice::from_ref;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use nanobragg_crystal::read::fdump;
use nanobragg_io::hdf5::Compression;
use nanobragg_io::nexus::View;
use nanobragg_io::{Exposure, Image, Output, float, nexus, pgm, png, smv, tiff};
use nanobragg_physics::{Cancel, Experiment, Truth};
use nanobragg_response::{Counts, Response, ResponseSpec};
use tracing::info_span;

use super::columns;
use super::files::{OutputFiles, OutputKind, SmvHeader, is_device, of_panel};
use super::fingerprint::{FileEntry, Hashing};
use super::format::{PhotonFormat, WideFormat};
use super::labels::{LabelFormat, stacked_labels};
use super::panel_files::{PanelFiles, filled};
use super::picture::Picture;
use super::truth_table::TruthTable;
use crate::assembled::assembled;
use crate::error::Error;
use crate::exchange::crystfel::{self, DataLayout, ImageName, Layout};
use crate::exchange::xds::{self, Images};
use crate::exchange::{Geometry, dxtbx};
use crate::exposure::masked_bits;
use crate::factors::DumpOrigin;
use crate::header::{smv_fields, smv_fields_of_panel};
use crate::images::Simulated;
use crate::resolve::Resolved;
use crate::series::ImagePlace;

/// The opened outputs of an image, each beside the file that it will replace. An image has one output, or
/// one output for each panel if its format holds only one.
#[derive(Debug)]
pub struct OpenOutputs {
    float: Option<Vec<Output>>,
    int: Option<Vec<Output>>,
    pgm: Option<Vec<Output>>,
    noise: Option<Vec<Output>>,
    png: Option<Output>,
    expt: Option<Output>,
    xds: Option<Output>,
    geom: Option<Output>,
    stream: Option<Output>,
    solutions: Option<Output>,
    copies: Copies,
    truth: Option<Output>,
    labels: Option<Vec<Output>>,
    /// The header contents of every panel, if any file has such a header.
    exposures: Vec<Exposure>,
    /// What files of one image hold in place of a panel each.
    picture: Option<Picture>,
    smv_header: SmvHeader,
    compression: Compression,
    /// The datasets of HDF5 files for a geometry of CrystFEL.
    views: Vec<View>,
    /// What a geometry of CrystFEL says of files and groups.
    data_layout: Option<Arc<DataLayout>>,
    /// What an `XDS.INP` says of the images.
    of_xds: Images,
    /// How pixels lie in the file that CrystFEL reads.
    layout: Layout,
    /// The image in files of CrystFEL.
    image_name: ImageName,
    /// Take the fingerprint of each file that is written.
    hashes: bool,
}

/// An image with the data for its files.
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'r> {
    /// The experiment.
    pub resolved: &'r Resolved,
    /// The image.
    pub image: &'r Simulated,
    /// The conversion of photons to counts.
    pub response: &'r ResponseSpec,
    /// The seed of the noise.
    pub noise_seed: i64,
    /// The seed of the mosaic domains.
    pub mosaic_seed: i64,
    /// The geometry for files of other programs.
    pub geometry: Option<&'r Geometry>,
    /// The reflections in the image, for the table.
    pub truth: Option<&'r Truth>,
    /// The conversion of photons to greys in the picture.
    pub grey: png::Grey,
    /// The threads that count photons with the counter stream; 0 is one for each core.
    pub threads: usize,
}

/// An event during the writing of outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputEvent<'e> {
    /// The factor from photons to counts without noise.
    IntScale(f64),
    /// The factor from photons to greys.
    GreyScale(f64),
    /// The noise of an image was drawn.
    Noise {
        /// The sum of its photons.
        photons: f64,
        /// The number of pixels above the maximum of the file format.
        overloads: u64,
    },
    /// A complete file is moved to its final path.
    Writing(&'e Path),
}

/// Further files of the counts, in other formats.
#[derive(Debug, Default)]
struct Copies {
    files: Vec<CountsCopy>,
    /// The place of this image in the one file of a series.
    place: Option<Arc<ImagePlace>>,
}

impl Copies {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.place.is_none()
    }
}

/// A file with the counts of the noise image or, without a noise image, of the integer image.
#[derive(Debug)]
struct CountsCopy {
    kind: OutputKind,
    format: WideFormat,
    outputs: Vec<Output>,
}

impl OpenOutputs {
    /// Opens every output, so that errors of opening occur before rendering. With `hashes` the SHA-256 of
    /// each file is computed while it is written.
    ///
    /// # Errors
    /// An error naming the file that cannot be written, or the format that cannot hold the image.
    pub fn open(
        files: &OutputFiles,
        resolved: &Resolved,
        response: &ResponseSpec,
        hashes: bool,
    ) -> Result<Self, Error> {
        let exposures = files.exposures(resolved, response)?;
        let views = files.views(&exposures)?;
        let detector = &resolved.experiment.detector;
        let panels = detector.panels().len();
        let picture = (files.assembles && panels > 1)
            .then(|| Picture::of(resolved, response))
            .transpose()?;
        let all_of = |path: &Path, holds_panels: bool| -> Result<Vec<Output>, Error> {
            if holds_panels || panels == 1 {
                return Ok(vec![Output::create(path)?]);
            }
            let each = (0..panels).map(|index| match is_device(path) {
                true => Ok(Output::create(path)?),
                false => Ok(Output::create(of_panel(path, index))?),
            });
            each.collect()
        };
        // A format without a header holds all panels if they have one size.
        let image = |kind, holds_panels: bool| {
            let holds = |path| WideFormat::of(path).map_or(holds_panels, WideFormat::holds_panels);
            let path = files.get(kind);
            path.map(|path| all_of(path, holds(path))).transpose()
        };
        let assembles = picture.is_some();
        let copies = files.iter().filter_map(|(kind, path)| {
            let format = kind.copy_format()?;
            let outputs = all_of(path, format.holds_panels() || assembles);
            Some(outputs.map(|outputs| CountsCopy {
                kind,
                format,
                outputs,
            }))
        });
        let copies = copies.collect::<Result<_, Error>>()?;
        let one = |kind| files.get(kind).map(Output::create).transpose();
        let counts = |kind| {
            let without_file = (files.counts_without_file == Some(kind)).then(Vec::new);
            let one = |path| all_of(path, true);
            let named = match assembles {
                true => files.get(kind).map(one).transpose()?,
                false => image(kind, false)?,
            };
            Ok::<_, Error>(named.or(without_file))
        };
        Ok(Self {
            float: image(OutputKind::Float, detector.common_size().is_some())?,
            int: counts(OutputKind::Int)?,
            pgm: image(OutputKind::Pgm, assembles)?,
            noise: counts(OutputKind::Noise)?,
            png: one(OutputKind::Png)?,
            expt: one(OutputKind::Expt)?,
            xds: one(OutputKind::Xds)?,
            geom: one(OutputKind::Geom)?,
            stream: one(OutputKind::Stream)?,
            solutions: one(OutputKind::Solutions)?,
            truth: one(OutputKind::Truth)?,
            labels: image(OutputKind::Labels, detector.common_size().is_some())?,
            copies: Copies {
                files: copies,
                place: None,
            },
            exposures,
            picture,
            smv_header: files.smv_header,
            compression: files.compression,
            views,
            data_layout: files.data_layout.clone(),
            of_xds: files.of_xds(response).of_panels(panels, response),
            layout: files.layout(),
            image_name: files.image_name(1),
            hashes,
        })
    }

    pub(crate) fn also_to(&mut self, place: Option<Arc<ImagePlace>>) {
        self.copies.place = place;
    }

    /// Writes all requested files and, when all are complete, moves them to their final paths. If `stop`
    /// is raised, it ends as soon as possible.
    ///
    /// # Errors
    /// The error of the first file that cannot be written. No file is changed then, except devices.
    pub fn write(
        self,
        rendered: &Rendered<'_>,
        observe: &(dyn Fn(OutputEvent<'_>) + Sync),
        stop: &Cancel,
    ) -> Result<Vec<FileEntry>, Error> {
        let _span = info_span!("write").entered();
        let Rendered {
            resolved,
            image,
            response,
            ..
        } = *rendered;
        let go_on = || match stop.is_raised() {
            true => Err(nanobragg_physics::Error::Cancelled),
            false => Ok(()),
        };
        let int_scale = image.integer_scale(response);
        let pgm_scale = image.grey_scale(response);
        let (hashes, compression) = (self.hashes, self.compression);
        observe(OutputEvent::IntScale(int_scale));
        if self.pgm.is_some() {
            observe(OutputEvent::GreyScale(pgm_scale));
        }
        let (exposures, views) = (self.exposures, self.views.as_slice());
        let picture = self.picture.as_ref();
        let of_picture = picture.map(|picture| picture.exposure(response));
        let of_picture = of_picture.transpose()?.flatten();
        let of = |numbers: Range<usize>| exposures.get(numbers).unwrap_or_default();
        let write_float = |outputs: Vec<Output>| {
            let format = outputs
                .first()
                .and_then(|output| PhotonFormat::of(output.path()));
            let files = PanelFiles::new(OutputKind::Float, outputs, hashes);
            files.fill(
                image,
                &image.photons,
                &|out, numbers, panels| match format {
                    Some(PhotonFormat::Tiff) => tiff::write_photons(out, of(numbers), panels),
                    Some(PhotonFormat::Nexus) => {
                        nexus::write_photons(out, of(numbers), panels, compression, views)
                    }
                    Some(PhotonFormat::Raw) | None => panels
                        .iter()
                        .try_for_each(|panel| float::write(&mut *out, panel)),
                },
            )
        };
        let write_wide = |kind, format: WideFormat, outputs, counts: &Image<i32>| {
            go_on()?;
            let files = PanelFiles::new(kind, outputs, hashes);
            if let (Some(exposure), false) = (&of_picture, format.holds_panels()) {
                return files.fill(image, counts, &|out, _, panels| {
                    let counts = picture.map(|picture| picture.of_images(panels));
                    let counts = counts.transpose()?;
                    let exposures = from_ref(exposure);
                    format.write_counts(out, exposures, counts.as_slice(), compression, views)
                });
            }
            files.fill(image, counts, &|out, numbers, panels| {
                format.write_counts(out, of(numbers), panels, compression, views)
            })
        };
        let write_copies = |copies: Copies, counts: &Image<i32>| {
            if let Some(place) = copies.place.filter(|place| place.has_pixels()) {
                go_on()?;
                place.write(counts)?;
            }
            let mut written = Vec::new();
            for copy in copies.files {
                written.extend(write_wide(copy.kind, copy.format, copy.outputs, counts)?);
            }
            Ok::<_, Error>(written)
        };
        let detector = &resolved.experiment.detector;
        let mut headers = Vec::new();
        let for_dials = match self.smv_header {
            SmvHeader::Dials => Some(response),
            SmvHeader::C => None,
        };
        match picture {
            Some(picture) => headers.push(smv_fields(&picture.resolved, for_dials)?),
            None => {
                for index in 0..image.panels().len() {
                    headers.push(smv_fields_of_panel(resolved, for_dials, index)?);
                }
            }
        }
        let write_narrow = |kind, outputs, counts: &Image<u16>| {
            go_on()?;
            let files = PanelFiles::new(kind, outputs, hashes);
            if let (Some(picture), [header]) = (picture, headers.as_slice()) {
                return files.fill(image, counts, &|out, _, panels| {
                    let counts = picture.of_images(panels)?;
                    match response.masked_counts {
                        Some(masked) => {
                            smv::write(out, header, &marked(&counts, &picture.bits, masked))
                        }
                        None => smv::write(out, header, &counts),
                    }
                });
            }
            files.fill(image, counts, &|out, numbers, panels| {
                let mut each = numbers.zip(panels);
                each.next().map_or(Ok(()), |(index, counts)| {
                    let (header, panel) = (headers.get(index), detector.panels().get(index));
                    let (Some(header), Some(panel)) = (header, panel) else {
                        return Ok(());
                    };
                    match response.masked_counts {
                        Some(masked) => {
                            let bits = masked_bits(response, index, panel);
                            smv::write(out, header, &marked(counts, &bits, masked))
                        }
                        None => smv::write(out, header, counts),
                    }
                })
            })
        };
        let tell_counted = |photons: Option<f64>, overloads: u64| {
            if let Some(photons) = photons {
                observe(OutputEvent::Noise { photons, overloads });
            }
        };
        let write_counts = |kind, response: Response, outputs: Vec<Output>, copies: Copies| {
            go_on()?;
            let path = outputs.first().map(Output::path);
            let format = path.and_then(WideFormat::of);
            if format.is_none() && copies.is_empty() {
                let counts: Counts<Image<u16>> = image.counts(response)?;
                go_on()?;
                tell_counted(counts.photons, counts.overloads);
                return write_narrow(kind, outputs, &counts.pixels);
            }
            let counts: Counts<Image<i32>> = image.counts(response)?;
            go_on()?;
            let mut written = match format {
                Some(format) => {
                    tell_counted(counts.photons, counts.overloads);
                    write_wide(kind, format, outputs, &counts.pixels)?
                }
                None => {
                    let (narrow, overloads) = narrow(&counts.pixels);
                    tell_counted(counts.photons, overloads);
                    write_narrow(kind, outputs, &narrow)?
                }
            };
            written.extend(write_copies(copies, &counts.pixels)?);
            Ok::<_, Error>(written)
        };
        let write_pgm = |outputs: Vec<Output>| {
            go_on()?;
            let greys: Counts<Image<u8>> = image.counts(Response::greys(pgm_scale))?;
            let files = PanelFiles::new(OutputKind::Pgm, outputs, hashes);
            files.fill(image, &greys.pixels, &|out, _, panels| {
                if let Some(picture) = picture {
                    return pgm::write(out, &picture.of_images(panels)?, pgm_scale);
                }
                let mut each = panels.iter().take(1);
                each.try_for_each(|panel| pgm::write(&mut *out, panel, pgm_scale))
            })
        };
        let write_png = |output: Output| {
            go_on()?;
            let grey = rendered.grey;
            let files = PanelFiles::new(OutputKind::Png, vec![output], hashes);
            files.fill(image, &image.photons, &|out, _, panels| match panels {
                [panel] => png::write(out, panel, grey),
                _ => png::write(out, &assembled(detector, panels)?, grey),
            })
        };
        let write_truth = |output: Output| {
            go_on()?;
            let as_json = output.path().extension().is_some_and(|e| e == "json");
            let as_hdf5 = WideFormat::of(output.path()) == Some(WideFormat::Nexus);
            filled(output, OutputKind::Truth, hashes, &|out| {
                if as_hdf5 {
                    return columns::write(out, rendered, compression);
                }
                let table = rendered.truth.map(|truth| TruthTable::new(resolved, truth));
                table.map_or(Ok(()), |table| table.write(as_json, out))?;
                Ok(())
            })
        };
        let write_labels = |outputs: Vec<Output>| {
            go_on()?;
            let path = outputs.first().map(Output::path);
            let format = path.map_or(LabelFormat::Raw, LabelFormat::of);
            let labels = stacked_labels(&resolved.experiment, rendered.truth)?;
            let files = PanelFiles::new(OutputKind::Labels, outputs, hashes);
            files.fill(image, &labels, &|out, numbers, panels| {
                format.write(out, of(numbers), panels, compression)
            })
        };
        go_on()?;
        // The noise of the C program is one sequential random stream and the raw image waits for the disk, so
        // each of the two has a thread of its own.
        let Self {
            float,
            int,
            pgm,
            png,
            truth: truth_output,
            labels,
            noise,
            expt,
            xds,
            geom,
            stream,
            solutions,
            of_xds,
            layout,
            image_name,
            data_layout,
            copies,
            ..
        } = self;
        let integers = Response::integers(response, int_scale)?;
        let in_exposure = (response.clone()).in_exposure(resolved.decisions.fluence.exposure_s);
        let measured = Response::measured(&in_exposure, rendered.noise_seed)?;
        let measured = measured.on_threads(rendered.threads);
        let (of_noise, of_int) = match noise {
            Some(_) => (copies, Copies::default()),
            None => (Copies::default(), copies),
        };
        let complete = thread::scope(|scope| {
            let float = float.map(|outputs| scope.spawn(|| write_float(outputs)));
            let noise = noise.map(|outputs| {
                scope.spawn(|| write_counts(OutputKind::Noise, measured, outputs, of_noise))
            });
            let pgm = pgm.map(|outputs| scope.spawn(|| write_pgm(outputs)));
            let here = || -> Result<_, Error> {
                let int = int.map(|to| write_counts(OutputKind::Int, integers, to, of_int));
                let mut complete = int.transpose()?.unwrap_or_default();
                complete.extend(pgm.map(joined).transpose()?.into_iter().flatten());
                complete.extend(png.map(write_png).transpose()?.into_iter().flatten());
                if let Some(geometry) = rendered.geometry {
                    let from = data_layout.as_deref();
                    let text = |output, kind, text: String| {
                        filled(output, kind, hashes, &|out| {
                            Ok(out.write_all(text.as_bytes())?)
                        })
                    };
                    let expt =
                        expt.map(|to| text(to, OutputKind::Expt, dxtbx::write(geometry, response)));
                    complete.extend(expt.transpose()?);
                    if let Some(to) = xds {
                        complete.push(text(to, OutputKind::Xds, xds::write(geometry, &of_xds)?)?);
                    }
                    if let Some(to) = geom {
                        let of_geom = crystfel::write(resolved, geometry, response, layout, from);
                        complete.push(text(to, OutputKind::Geom, of_geom)?);
                    }
                    if let (Some(to), Some(truth)) = (stream, rendered.truth) {
                        let head =
                            crystfel::stream_head(resolved, geometry, response, layout, from);
                        let chunk = crystfel::stream_chunk(
                            resolved,
                            geometry,
                            truth,
                            response,
                            &image_name,
                        );
                        complete.push(text(to, OutputKind::Stream, head + &chunk)?);
                    }
                    if let Some(to) = solutions {
                        let line = crystfel::solution(resolved, geometry, &image_name);
                        complete.push(text(to, OutputKind::Solutions, line)?);
                    }
                }
                complete.extend(truth_output.map(write_truth).transpose()?);
                complete.extend(labels.map(write_labels).transpose()?.into_iter().flatten());
                Ok(complete)
            };
            let others = here();
            // Of several errors the first in this order is returned, so that the result does not depend
            // on time.
            let mut complete = float.map(joined).transpose()?.unwrap_or_default();
            complete.extend(others?);
            complete.extend(noise.map(joined).transpose()?.into_iter().flatten());
            Ok::<_, Error>(complete)
        })?;
        go_on()?;
        let mut entries = Vec::with_capacity(complete.len());
        let mut replaced = Vec::with_capacity(complete.len());
        for (output, entry) in complete {
            observe(OutputEvent::Writing(output.path()));
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

/// Counts for 16-bit files, and the number of overloads among them.
fn narrow(counts: &Image<i32>) -> (Image<u16>, u64) {
    let full = i32::from(u16::MAX);
    let overloads = counts.pixels().iter().filter(|&&count| count > full);
    // Clamped first, so that the conversion loses nothing.
    let narrow = counts.map(|&count| count.clamp(0, full) as u16);
    (narrow, overloads.count() as u64)
}

/// The counts with `masked` where `bits`, as of [`masked_bits`], are not 0.
fn marked(counts: &Image<u16>, bits: &[u16], masked: u16) -> Image<u16> {
    let mut marked = counts.clone();
    for (count, bits) in marked.rows_mut().flatten().zip(bits) {
        if *bits != 0 {
            *count = masked;
        }
    }
    marked
}

/// What a thread came to; a panic in it goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Writes the structure factors of `experiment`, which were made from the file `made_from`, to a dump for later
/// runs; their origin goes to a file beside it.
///
/// # Errors
/// If a file cannot be written.
pub fn write_dump(
    experiment: &Experiment,
    made_from: Option<&Path>,
    path: &Path,
    hashes: bool,
) -> Result<FileEntry, nanobragg_io::Error> {
    let mut output = Output::create(path)?;
    let mut hashing = Hashing::new(&mut output, hashes);
    fdump::write(&experiment.factors, &mut hashing)?;
    let entry = hashing.entry("dump", path);
    output.commit()?;
    if let Some(made_from) = made_from.filter(|_| !is_device(path)) {
        DumpOrigin::keep(path, made_from, experiment.crystal.lattice())?;
    }
    Ok(entry)
}
