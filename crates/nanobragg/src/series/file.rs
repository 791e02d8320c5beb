//! One HDF5 file with several images of a series, and the tables of these images.
//!
//! ```text
//! all.nxs.part        images, each where the thread that rendered it put it; without a superblock
//! all.nxs.rows.part   of each image its row and those of its reflections
//! all.nxs             when all images are there: tables and metadata are added, and the file gets its name
//! ```
//!
//! The log says where the image and its rows are, with their SHA-256, so that a later run finds those of a
//! run that was killed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanobragg_io::hdf5::Compression;
use nanobragg_io::nexus::{NexusWriter, Pixels, Place, Series};
use nanobragg_io::{Image, PartialFile, marked, part_of};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::outputs::columns::{Tables, bytes_of_image, row_of_image, rows_of_reflections};
use crate::outputs::labels::stacked_labels;
use crate::outputs::{FileEntry, Rendered, sha256_of};

/// What the files of a series contain besides the table of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) pixels: bool,
    pub(super) reflections: bool,
    pub(super) labels: bool,
    /// Whether reflections have lattices.
    pub(super) lattices: bool,
}

/// Where an image is in an incomplete file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    pixels: Option<Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Block>,
    rows: Block,
}

/// Bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    address: u64,
    bytes: usize,
    sha256: String,
}

impl Block {
    fn of(place: Place, bytes: &[u8]) -> Self {
        Self {
            address: place.address,
            bytes: place.bytes,
            sha256: sha256_of(bytes),
        }
    }

    const fn place(&self) -> Place {
        Place {
            address: self.address,
            bytes: self.bytes,
        }
    }

    const fn end(&self) -> u64 {
        self.address + self.bytes as u64
    }

    fn is_in(&self, file: &mut File) -> bool {
        let bytes = read_at(file, self.place());
        bytes.is_ok_and(|bytes| sha256_of(&bytes) == self.sha256)
    }
}

fn read_at(file: &mut (impl Read + Seek), place: Place) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(place.address))?;
    let mut bytes = Vec::new();
    file.take(place.bytes as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file for some images of a series, which it gets in any order.
#[derive(Debug)]
pub(super) struct SeriesFile {
    path: PathBuf,
    /// The numbers of its images, in the order in which they are in it.
    pub(super) numbers: Vec<u32>,
    series: Series,
    contents: Contents,
    /// Why pixels of every image are masked; see [`Series::pixel_mask`].
    masked: Arc<Vec<u16>>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The file is complete.
    Complete,
    /// Nothing was written in this run; an earlier one wrote these images, by their index.
    Waiting(Vec<(usize, Stored)>),
    Writing(Box<Writing>),
}

/// An open file.
#[derive(Debug)]
struct Writing {
    images: NexusWriter<PartialFile>,
    rows: PartialFile,
    rows_end: u64,
    /// The places of the rows of each image.
    places: Vec<Option<Place>>,
    /// The number of images whose lines are in the log.
    logged: usize,
}

impl SeriesFile {
    pub(super) fn new(
        path: PathBuf,
        numbers: Vec<u32>,
        series: Series,
        contents: Contents,
        masked: Arc<Vec<u16>>,
    ) -> Self {
        Self {
            path,
            numbers,
            series,
            contents,
            masked,
            state: Mutex::new(State::Waiting(Vec::new())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn rows_path(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".rows");
        self.path.with_file_name(name)
    }

    pub(super) fn has(&self, number: u32) -> Option<usize> {
        self.numbers.binary_search(&number).ok()
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(*self.lock(), State::Complete)
    }

    /// Whether an earlier run has written all its images, without giving it its name.
    pub(super) fn is_restored(&self) -> bool {
        match &*self.lock() {
            State::Waiting(kept) => kept.len() == self.numbers.len(),
            State::Writing(writing) => writing.logged == self.numbers.len(),
            State::Complete => false,
        }
    }

    pub(super) fn set_complete(&self) {
        *self.lock() = State::Complete;
    }

    /// Keeps those images that an earlier run has written and that are still as they were. Returns their numbers.
    pub(super) fn restore(&self, found: Vec<(u32, Stored)>) -> Vec<u32> {
        // A run that was killed after the file got its name and before the log has its line leaves a complete file.
        let is_named = !part_of(&self.path).exists();
        let images = match is_named {
            true => self.path.clone(),
            false => part_of(&self.path),
        };
        let (Ok(mut images), rows) = (File::open(images), File::open(part_of(&self.rows_path())))
        else {
            return Vec::new();
        };
        let mut rows = rows.ok();
        let mut is_kept = |stored: &Stored| {
            let has_all = stored.pixels.is_some() == self.contents.pixels
                && stored.labels.is_some() == self.contents.labels;
            let mut blocks = stored.pixels.iter().chain(&stored.labels);
            let has_rows = is_named || rows.as_mut().is_some_and(|rows| stored.rows.is_in(rows));
            has_all && has_rows && blocks.all(|block| block.is_in(&mut images))
        };
        let indexed = found.into_iter();
        let indexed = indexed.filter_map(|(number, stored)| Some((self.has(number)?, stored)));
        let kept: Vec<_> = indexed.filter(|(_, stored)| is_kept(stored)).collect();
        let of = |&(index, _): &(usize, Stored)| self.numbers.get(index).copied();
        let numbers: Vec<u32> = kept.iter().filter_map(of).collect();
        match (is_named, numbers.len() == self.numbers.len()) {
            (true, true) if self.contents.pixels => self.set_complete(),
            (true, _) => return Vec::new(),
            (false, _) => *self.lock() = State::Waiting(kept),
        }
        numbers
    }

    /// Renders an image anew that was restored.
    pub(super) fn forget(&self, number: u32) {
        if let (State::Waiting(kept), Some(index)) = (&mut *self.lock(), self.has(number)) {
            kept.retain(|(other, _)| *other != index);
        }
    }

    /// Opens the file, so that it is known early if that fails.
    ///
    /// # Errors
    /// As [`PartialFile::begin`].
    pub(super) fn open(&self) -> Result<(), Error> {
        self.writing(|_| Ok(()))
    }

    /// The place for one image; `None` for a number that is not in the file, or if the file is complete.
    pub(super) fn place(self: &Arc<Self>, number: u32) -> Option<Arc<ImagePlace>> {
        let index = self.has(number).filter(|_| !self.is_complete())?;
        Some(Arc::new(ImagePlace {
            index,
            file: Arc::clone(self),
            pixels: Mutex::new(None),
        }))
    }

    /// Notes that the line of one more image, or of none, is in the log. Completes the file if that was the last.
    ///
    /// # Errors
    /// If the file cannot be written or read again.
    pub(super) fn logged(&self, images: usize) -> Result<Option<FileEntry>, Error> {
        let is_full = self.writing(|writing| {
            writing.logged += images;
            Ok(writing.logged == self.numbers.len())
        })?;
        if !is_full {
            return Ok(None);
        }
        let state = std::mem::replace(&mut *self.lock(), State::Complete);
        if let State::Writing(writing) = state {
            writing.commit(self)?;
        }
        let flag = match self.contents.pixels {
            true => "nexusfile",
            false => "truthfile",
        };
        let entry = FileEntry::of_file(flag, &self.path);
        Ok(Some(entry.map_err(nanobragg_io::Error::from)?))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the open file.
    fn writing<R>(&self, with: impl FnOnce(&mut Writing) -> Result<R, Error>) -> Result<R, Error> {
        let mut state = self.lock();
        if let State::Waiting(kept) = &mut *state {
            let kept = std::mem::take(kept);
            *state = State::Writing(Box::new(Writing::open(self, &kept)?));
        }
        match &mut *state {
            State::Writing(writing) => with(writing),
            // Every image of a complete file is in the log.
            State::Complete | State::Waiting(_) => Err(nanobragg_io::Error::ImageIndex {
                index: 0,
                images: self.numbers.len(),
            }
            .into()),
        }
    }
}

impl Writing {
    fn open(file: &SeriesFile, kept: &[(usize, Stored)]) -> Result<Self, Error> {
        let open = |path: &Path| match kept.is_empty() {
            true => PartialFile::begin(path),
            false => PartialFile::resume(path),
        };
        let (images, rows) = (open(&file.path)?, open(&file.rows_path())?);
        let blocks = |stored: &Stored| {
            let blocks = stored.pixels.iter().chain(&stored.labels);
            blocks.map(Block::end).max().unwrap_or(0)
        };
        let series = file.series.clone();
        let mut images = match kept.iter().map(|(_, stored)| blocks(stored)).max() {
            None => NexusWriter::new(images, series)?,
            Some(end) => {
                // Behind it are at most images that the log does not have.
                images.set_length(end)?;
                NexusWriter::resume(images, series, end)?
            }
        };
        if !file.contents.pixels {
            images = images.without_images();
        }
        if file.contents.labels {
            images = images.with_labels()?;
        }
        let mut places = vec![None; file.numbers.len()];
        for (index, stored) in kept {
            if let Some(pixels) = &stored.pixels {
                images.restore(*index, pixels.place())?;
            }
            if let Some(labels) = &stored.labels {
                images.restore_labels(*index, labels.place())?;
            }
            if let Some(place) = places.get_mut(*index) {
                *place = Some(stored.rows.place());
            }
        }
        let rows_end = kept.iter().map(|(_, stored)| stored.rows.end()).max();
        Ok(Self {
            images,
            rows,
            rows_end: rows_end.unwrap_or(0),
            places,
            logged: kept.len(),
        })
    }

    fn append_rows(&mut self, index: usize, rows: &[u8]) -> Result<Place, Error> {
        let place = Place {
            address: self.rows_end,
            bytes: rows.len(),
        };
        let write = |file: &mut PartialFile| {
            file.seek(SeekFrom::Start(place.address))?;
            file.write_all(rows)
        };
        write(&mut self.rows).map_err(nanobragg_io::Error::from)?;
        self.rows_end += rows.len() as u64;
        if let Some(kept) = self.places.get_mut(index) {
            *kept = Some(place);
        }
        Ok(place)
    }

    /// Adds the tables, in the order of the images, and everything else, and gives the file its name.
    fn commit(mut self, file: &SeriesFile) -> Result<(), Error> {
        let mut tables = Tables::new(file.series.compression, file.contents.lattices);
        for place in self.places.iter().flatten() {
            let rows = read_at(&mut self.rows, *place).map_err(nanobragg_io::Error::from)?;
            let (image, reflections) = rows.split_at_checked(bytes_of_image()).unwrap_or_default();
            tables.push(image, reflections, self.images.file())?;
        }
        let [images, reflections] = tables.finish(self.images.file())?;
        self.images.add("images", images);
        if file.contents.reflections {
            self.images.add("truth", reflections);
        }
        self.images.finish()?.commit()?;
        Ok(self.rows.discard()?)
    }
}

/// Where one image is in the file.
#[derive(Debug)]
pub(crate) struct ImagePlace {
    file: Arc<SeriesFile>,
    index: usize,
    pixels: Mutex<Option<Block>>,
}

impl ImagePlace {
    /// Whether the file has pixels.
    pub(crate) fn has_pixels(&self) -> bool {
        self.file.contents.pixels
    }

    pub(super) fn file(&self) -> &Arc<SeriesFile> {
        &self.file
    }

    /// Writes the counts of the image. They are packed on the thread that calls; only the bytes wait
    /// for other images.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&self, counts: &Image<i32>) -> Result<(), Error> {
        let counts = marked(counts.pixels(), &self.file.masked);
        let packed = Pixels::I32(&counts).pack(self.compression())?;
        let place = (self.file)
            .writing(|writing| Ok(writing.images.write_packed(self.index, &packed)?))?;
        let pixels = self.pixels.lock();
        *pixels.unwrap_or_else(PoisonError::into_inner) = Some(Block::of(place, packed.bytes()));
        Ok(())
    }

    /// Writes the rows of the image, and tells where all of it is.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn finish(&self, number: u32, rendered: &Rendered<'_>) -> Result<Stored, Error> {
        let mut rows = row_of_image(number, rendered);
        if let Some(truth) = rendered.truth.filter(|_| self.file.contents.reflections) {
            rows.extend(rows_of_reflections(number, rendered.resolved, truth));
        }
        let place = self
            .file
            .writing(|writing| writing.append_rows(self.index, &rows))?;
        let labels = match self.file.contents.labels {
            true => Some(self.write_labels(rendered)?),
            false => None,
        };
        let pixels = self.pixels.lock();
        Ok(Stored {
            pixels: pixels.unwrap_or_else(PoisonError::into_inner).take(),
            labels,
            rows: Block::of(place, &rows),
        })
    }

    fn write_labels(&self, rendered: &Rendered<'_>) -> Result<Block, Error> {
        let labels = stacked_labels(&rendered.resolved.experiment, rendered.truth)?;
        // No label is negative.
        let labels: Vec<u32> = labels.pixels().iter().map(|&label| label as u32).collect();
        let packed = Pixels::U32(&labels).pack(self.compression())?;
        let place = (self.file)
            .writing(|writing| Ok(writing.images.write_labels(self.index, &packed)?))?;
        Ok(Block::of(place, packed.bytes()))
    }

    fn compression(&self) -> Compression {
        self.file.series.compression
    }
}
