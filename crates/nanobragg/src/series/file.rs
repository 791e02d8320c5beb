//! One NeXus file for all images of a run of a series.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nanobragg_io::nexus::{Module, NexusWriter, PixelType, Pixels, Series};
use nanobragg_io::{Image, Output, marked};
use nanobragg_response::ResponseSpec;

use super::SeriesKind;
use crate::error::Error;
use crate::exposure::exposures;
use crate::outputs::{FileEntry, OutputKind};
use crate::resolve::Resolved;

/// A NeXus file that gets its images in any order, and has its name only when it has all of them.
#[derive(Debug)]
pub(super) struct SeriesFile {
    path: PathBuf,
    /// The numbers of its images, in the order in which they stand in it.
    numbers: Vec<u32>,
    /// Why pixels of every image are masked; see [`Series::pixel_mask`].
    masked: Vec<u16>,
    writer: Mutex<NexusWriter<Output>>,
}

impl SeriesFile {
    /// Begins the file for the images `numbers`, which are equally far from each other; `first` is the
    /// first of them, resolved.
    ///
    /// # Errors
    /// A file that cannot be written, or a detector that NeXus cannot state.
    pub(super) fn create(
        path: PathBuf,
        numbers: Vec<u32>,
        kind: SeriesKind,
        first: &Resolved,
        response: &ResponseSpec,
    ) -> Result<Self, Error> {
        let exposures = exposures(first, response)?;
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
        };
        Ok(Self {
            masked: series.pixel_mask(),
            writer: Mutex::new(NexusWriter::create(&path, series)?),
            path,
            numbers,
        })
    }

    /// The place for one image; `None` for a number that is not in the file.
    pub(super) fn place(self: &Arc<Self>, number: u32) -> Option<ImagePlace> {
        Some(ImagePlace {
            index: self.numbers.binary_search(&number).ok()?,
            file: Arc::clone(self),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file, puts it in its place and takes its fingerprint.
    ///
    /// # Errors
    /// When an image lacks, or the file cannot be written or read again.
    pub(super) fn commit(self) -> Result<FileEntry, Error> {
        let writer = self.writer.into_inner();
        writer.unwrap_or_else(PoisonError::into_inner).commit()?;
        let entry = FileEntry::of_file(OutputKind::Nexus.name(), &self.path);
        Ok(entry.map_err(nanobragg_io::Error::from)?)
    }
}

/// Where one image stands in the file.
#[derive(Debug)]
pub(crate) struct ImagePlace {
    file: Arc<SeriesFile>,
    index: usize,
}

impl ImagePlace {
    /// Writes the counts of the image. They are packed on the thread that calls; only the bytes wait
    /// for other images.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&self, counts: &Image<i32>) -> Result<(), Error> {
        let counts = marked(counts.pixels(), &self.file.masked);
        let packed = Pixels::I32(&counts).pack()?;
        let writer = self.file.writer.lock();
        let mut writer = writer.unwrap_or_else(PoisonError::into_inner);
        Ok(writer.write_packed(self.index, &packed)?)
    }
}
