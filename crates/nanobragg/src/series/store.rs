//! The HDF5 files that hold several images of a series: one for all, or data files with a master file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanobragg_geometry::Length;
use nanobragg_io::nexus::{
    DataFile, ImageBeam, Module, PixelType, Series, View, check_views, write_master,
};
use nanobragg_io::{Exposure, Output};
use nanobragg_sources::{Fluence, FluenceSpec};
use tracing::warn;

use super::file::{Contents, ImagePlace, SeriesFile};
use super::log::FileOfAll;
use super::names::{FileOfImages, of_part};
use super::{Quantity, SeriesIdentity, SeriesKind, SeriesRequest, Shard};
use crate::error::Error;
use crate::exposure::exposures;
use crate::outputs::columns::has_lattices;
use crate::resolve::Resolved;

/// The part of a series that a run renders, and the logs of the others.
#[derive(Debug, Clone)]
pub struct PartOfSeries {
    /// The part.
    pub shard: Shard,
    /// The log that the whole series would have.
    pub log_path: PathBuf,
    /// The numbers of all parts, ascending, without a gap.
    pub numbers: Vec<u32>,
}

/// The files of a run with several images each.
#[derive(Debug)]
pub(super) struct SeriesStore {
    pub(super) files: Vec<Arc<SeriesFile>>,
    named: FileOfImages,
    /// The series of the run.
    series: Series,
    kind: SeriesKind,
    /// The beams of the images of all parts; empty if they do not vary.
    beams_of_parts: Vec<ImageBeam>,
}

impl SeriesStore {
    /// The files of a run, none of them open; `first` is its first image, resolved.
    ///
    /// # Errors
    /// A detector that NeXus cannot state.
    pub(super) fn new(
        named: &FileOfImages,
        request: &SeriesRequest<'_>,
        first: &Resolved,
    ) -> Result<Self, Error> {
        let (numbers, kind) = (&request.numbers, request.series.kind);
        let exposures = exposures(first, &request.loaded.spec.response)?;
        let views = views(request, &exposures)?;
        let width_degrees = exposures.first().map_or(0.0, |first| first.width_degrees);
        let panels = exposures
            .into_iter()
            .zip(first.experiment.detector.panels());
        let stride = match numbers[..] {
            [first, second, ..] => f64::from(second - first),
            _ => 1.0,
        };
        let series = Series {
            step_degrees: match kind {
                SeriesKind::Rotation => stride * width_degrees,
                SeriesKind::Shots => 0.0,
            },
            panels: panels
                .map(|(exposure, panel)| Module {
                    exposure,
                    fast: panel.pixels_fast() as usize,
                    slow: panel.pixels_slow() as usize,
                })
                .collect(),
            images: numbers.len(),
            pixel: PixelType::I32,
            compression: request.files.compression(),
            beams: beams(request, numbers)?,
            views,
        };
        let of_parts = request.part.as_ref().map(|part| &*part.numbers);
        let beams_of_parts = beams(request, of_parts.unwrap_or_default())?;
        let masked = Arc::new(series.pixel_mask());
        let laid_out = named.files(numbers, request.part.as_ref().map(|part| part.shard));
        let mut files = Vec::with_capacity(laid_out.len());
        for (index, (path, numbers)) in laid_out.into_iter().enumerate() {
            let before = index * named.images_per_file.unwrap_or(0);
            let series = starting_at(&series, before, numbers.len());
            let contents = Contents {
                lattices: has_lattices(first),
                ..named.contents
            };
            let masked = Arc::clone(&masked);
            files.push(Arc::new(SeriesFile::new(
                path, numbers, series, contents, masked,
            )));
        }
        Ok(Self {
            files,
            named: named.clone(),
            series,
            kind,
            beams_of_parts,
        })
    }

    /// The place for one image, unless its file is complete.
    pub(super) fn place(&self, number: u32) -> Option<Arc<ImagePlace>> {
        self.file_of(number)?.place(number)
    }

    pub(super) fn file_of(&self, number: u32) -> Option<&Arc<SeriesFile>> {
        // The files have the numbers in ascending order.
        let at = self
            .files
            .partition_point(|file| file.numbers.last().is_some_and(|last| *last < number));
        self.files.get(at).filter(|file| file.has(number).is_some())
    }

    /// Writes the master file of data files that are all complete. Returns its path.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write_master(&self, shard: Option<Shard>) -> Result<Option<PathBuf>, Error> {
        if self.named.images_per_file.is_none() || !self.named.contents.pixels {
            return Ok(None);
        }
        let mut first = 0;
        let files = self.files.iter().map(|file| {
            let images = file.numbers.len();
            first += images;
            data_file(file.path(), first - images, 1, images)
        });
        let path = self.named.path_of(shard);
        self.write(&path, &self.series, &files.collect::<Vec<_>>())?;
        Ok(Some(path))
    }

    /// Writes the file that puts together those of all parts, if all are complete. Returns its path.
    ///
    /// # Errors
    /// If it cannot be written, or the log of a part cannot be read.
    pub(super) fn join(
        &self,
        part: &PartOfSeries,
        identity: &SeriesIdentity,
    ) -> Result<Option<PathBuf>, Error> {
        if !self.named.contents.pixels {
            return Ok(None);
        }
        let parts = part.shard.parts();
        let before = |number: u32| (number - part.numbers.first().copied().unwrap_or(0)) as usize;
        let mut files = Vec::new();
        for shard in (1..=parts).filter_map(|number| Shard::new(number, parts)) {
            let numbers = part.numbers.iter().copied();
            let numbers: Vec<u32> = numbers.filter(|number| shard.contains(*number)).collect();
            let laid_out = self.named.files(&numbers, Some(shard));
            let Some(complete) = FileOfAll::in_log(&of_part(&part.log_path, shard), identity)?
            else {
                return Ok(None);
            };
            for (path, numbers) in laid_out {
                if !complete.iter().any(|file| file.is_of(&numbers, &path)) {
                    return Ok(None);
                }
                let first = numbers.first().map_or(0, |number| before(*number));
                files.push(data_file(&path, first, parts as usize, numbers.len()));
            }
        }
        // The first image of the run is not the first of all parts.
        let own = self.files.first().and_then(|file| file.numbers.first());
        let own = own.map_or(0, |number| before(*number));
        let mut series = self.series.clone();
        if self.kind == SeriesKind::Rotation {
            series.step_degrees = series
                .panels
                .first()
                .map_or(0.0, |panel| panel.exposure.width_degrees);
            for panel in &mut series.panels {
                panel.exposure.start_degrees -= own as f64 * series.step_degrees;
            }
        }
        series.images = part.numbers.len();
        series.beams.clone_from(&self.beams_of_parts);
        let path = self.named.path_of(None);
        self.write(&path, &series, &files)?;
        Ok(Some(path))
    }

    fn write(&self, path: &Path, series: &Series, files: &[DataFile]) -> Result<(), Error> {
        let mut groups = vec![("images", "/entry/images")];
        if self.named.contents.reflections {
            groups.push(("truth", "/entry/truth"));
        }
        let mut output = Output::create(path)?;
        write_master(&mut output, series, files, &groups)?;
        output.commit()?;
        Ok(())
    }
}

fn data_file(path: &Path, first: usize, step: usize, images: usize) -> DataFile {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    DataFile {
        name: name.into_owned(),
        first,
        step,
        images,
    }
}

/// The `images` images of a series after the first `before`.
fn starting_at(series: &Series, before: usize, images: usize) -> Series {
    let mut series = series.clone();
    for panel in &mut series.panels {
        panel.exposure.start_degrees += before as f64 * series.step_degrees;
    }
    series.images = images;
    series.beams = series.beams.into_iter().skip(before).take(images).collect();
    series
}

/// The datasets for a geometry of CrystFEL.
fn views(request: &SeriesRequest<'_>, exposures: &[Exposure]) -> Result<Vec<View>, Error> {
    let layout = request.files.data_layout();
    let layout = layout.filter(|layout| {
        let holds_all = layout.holds_series() || request.numbers.len() < 2;
        if !holds_all {
            warn!(
                "the geometry of -geom has no % for images: the HDF5 file of all of them has no datasets for it. \
                 With a # in its name there is a file for each image"
            );
        }
        holds_all
    });
    let views = layout.map_or_else(Vec::new, |layout| layout.views(exposures));
    check_views(exposures, &views)?;
    Ok(views)
}

/// The beams of the images with these numbers; empty if they do not vary.
fn beams(request: &SeriesRequest<'_>, numbers: &[u32]) -> Result<Vec<ImageBeam>, Error> {
    let spec = &request.loaded.spec;
    let varies = |quantity| spec.series.vary.contains_key(&quantity);
    if !varies(Quantity::Wavelength) && !varies(Quantity::Fluence) {
        return Ok(Vec::new());
    }
    let beam = |&number: &u32| {
        let values = spec.values(request.series.vary_seed(number))?;
        let of = |wanted| values.iter().find(|(quantity, _)| *quantity == wanted);
        let wavelength = of(Quantity::Wavelength)
            .map_or(spec.beam.nominal_wavelength(), |(_, angstrom)| {
                Length::from_angstrom(*angstrom)
            });
        let fluence = of(Quantity::Fluence).map_or(spec.beam.fluence, |(_, per_m2)| FluenceSpec {
            flux_per_s: None,
            fluence_per_m2: Some(*per_m2),
            ..spec.beam.fluence
        });
        Ok(ImageBeam {
            wavelength_angstrom: wavelength.m() * 1e10,
            flux_per_s: Fluence::new(&fluence)?.flux_per_s,
        })
    };
    numbers.iter().map(beam).collect()
}
