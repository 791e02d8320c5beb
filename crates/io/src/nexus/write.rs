//! Writing a series, image by image.

use std::borrow::Cow;
use std::io::{Cursor, Seek, Write};
use std::path::Path;

use super::tree::{self, Contents};
use super::views::{self, View};
use crate::bytes::write_pixels;
use crate::exposure::{GAP, marked};
use crate::hdf5::{Compression, Group, Images, Type, Writer, pack};
use crate::{Error, Exposure, Image, Output, Result};

/// The properties that all images of a file share.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The panels of the detector, of which there is at least one. Their images stand one below the
    /// other in the order of this list, each beginning at the first fast pixel; pixels of the file
    /// that belong to no panel are masked.
    pub panels: Vec<Module>,
    /// The angle of the spindle from the start of one image to the start of the next:
    /// `width_degrees` of the exposures for a rotation, more if images are left out, 0 for stills.
    pub step_degrees: f64,
    /// The number of images.
    pub images: usize,
    /// The type of a pixel.
    pub pixel: PixelType,
    /// How images and mask are compressed.
    pub compression: Compression,
    /// The beam of each image; empty if all have that of the exposures.
    pub beams: Vec<ImageBeam>,
    /// What other programs look for at paths of their own.
    pub views: Vec<View>,
}

/// The beam of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageBeam {
    /// Its wavelength.
    pub wavelength_angstrom: f64,
    /// Photons per second.
    pub flux_per_s: f64,
}

/// A panel of the detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The first image as the panel sees it. Beam and spindle are the same for all panels.
    pub exposure: Exposure,
    /// Pixels along the fast axis.
    pub fast: usize,
    /// Pixels along the slow axis.
    pub slow: usize,
}

impl Series {
    /// Pixels of an image in the file along fast and slow.
    pub fn sides(&self) -> [usize; 2] {
        let fast = self.panels.iter().map(|panel| panel.fast).max();
        let slow = self.panels.iter().map(|panel| panel.slow).sum();
        [fast.unwrap_or(0), slow]
    }

    /// Why each pixel of an image is masked, `[slow][fast]`, as in [`Exposure::masked`]; empty if no pixel of
    /// a panel is. Pixels that belong to no panel are gaps.
    pub fn pixel_mask(&self) -> Vec<u16> {
        let [widest, slow] = self.sides();
        let mut mask = Vec::new();
        if !self.panels.iter().any(|panel| panel.exposure.is_masked()) {
            return mask;
        }
        mask.reserve(widest * slow);
        for panel in &self.panels {
            let mut masked = panel.exposure.masked.iter().copied();
            for _ in 0..panel.slow {
                mask.extend((0..panel.fast).map(|_| masked.next().unwrap_or(0)));
                mask.resize(mask.len() + widest - panel.fast, GAP);
            }
        }
        mask
    }

    /// Writes the mask, if a pixel is masked.
    pub(super) fn packed_mask<W: Write + Seek>(
        &self,
        file: &mut Writer<W>,
    ) -> Result<Option<Images>> {
        let mask = self.pixel_mask();
        if mask.is_empty() {
            return Ok(None);
        }
        let [fast, slow] = self.sides();
        let packed = packed(self.compression, &mask, u32::from)?;
        let address = file.append(&packed)?;
        let sides = [slow, fast].map(|side| side as u64);
        let mask = Images::whole(Type::U32, &sides, address, packed.len())?;
        Ok(Some(mask.packed_by(self.compression)))
    }
}

/// The type of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelType {
    /// Counts that may be negative.
    I32,
    /// Counts.
    U32,
    /// Photons.
    F32,
}

/// The pixels of an image, `[slow][fast]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pixels<'p> {
    /// Counts that may be negative.
    I32(&'p [i32]),
    /// Counts.
    U32(&'p [u32]),
    /// Photons.
    F32(&'p [f32]),
}

impl PixelType {
    const fn name(self) -> &'static str {
        match self {
            Self::I32 => "signed 32-bit counts",
            Self::U32 => "unsigned 32-bit counts",
            Self::F32 => "32-bit floats",
        }
    }

    pub(super) const fn element(self) -> Type {
        match self {
            Self::I32 => Type::I32,
            Self::U32 => Type::U32,
            Self::F32 => Type::F32,
        }
    }
}

/// An image as it is stored in the file. Packing is most of the work, and may be done by any
/// thread.
#[derive(Debug, Clone)]
pub struct PackedImage {
    pixel: PixelType,
    compression: Compression,
    pixels: usize,
    bytes: Vec<u8>,
}

impl PackedImage {
    /// The packed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Pixels<'_> {
    const fn pixel_type(self) -> PixelType {
        match self {
            Self::I32(_) => PixelType::I32,
            Self::U32(_) => PixelType::U32,
            Self::F32(_) => PixelType::F32,
        }
    }

    /// Packs the pixels for [`NexusWriter::write_packed`].
    ///
    /// # Errors
    /// [`Error::Stream`] if the encoder fails, which is not expected.
    pub fn pack(self, compression: Compression) -> Result<PackedImage> {
        let (pixels, bytes) = match self {
            Self::I32(pixels) => {
                let bits = |pixel| pixel as u32;
                (pixels.len(), packed(compression, pixels, bits))
            }
            Self::U32(pixels) => (pixels.len(), packed(compression, pixels, |pixel| pixel)),
            Self::F32(pixels) => (pixels.len(), packed(compression, pixels, f32::to_bits)),
        };
        Ok(PackedImage {
            pixel: self.pixel_type(),
            compression,
            pixels,
            bytes: bytes?,
        })
    }
}

/// Pixels of four bytes, compressed.
pub(super) fn packed<T: Copy + Sync>(
    compression: Compression,
    pixels: &[T],
    bits: impl Fn(T) -> u32 + Sync,
) -> Result<Vec<u8>> {
    if compression == Compression::Gzip {
        return pack(pixels, bits);
    }
    let mut bytes = Vec::with_capacity(4 * pixels.len());
    write_pixels(&mut bytes, pixels, |pixel| bits(pixel).to_le_bytes())?;
    compression.pack(&bytes, 4)
}

/// A file to which the images of a series are written one by one, in any order.
///
/// ```
/// use nanobragg_io::nexus::{Module, NexusWriter, PixelType, Pixels, Series};
/// use nanobragg_io::{Exposure, hdf5::Compression};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("series.nxs");
/// let exposure = Exposure { width_degrees: 0.1, ..Exposure::default() };
/// let series = Series {
///     panels: vec![Module { exposure, fast: 3, slow: 1 }],
///     step_degrees: 0.1,
///     images: 2,
///     pixel: PixelType::I32,
///     compression: Compression::Gzip,
///     beams: Vec::new(),
///     views: Vec::new(),
/// };
/// let mut writer = NexusWriter::create(&path, series)?;
/// writer.write_image(1, Pixels::I32(&[4, 5, 70000]))?;
/// writer.write_image(0, Pixels::I32(&[1, 2, 3]))?;
/// assert!(!path.exists());
/// writer.commit()?;
/// assert!(std::fs::read(&path)?.starts_with(b"\x89HDF"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NexusWriter<W> {
    series: Series,
    /// The first image as the first panel sees it.
    first: Exposure,
    images: Images,
    has_images: bool,
    labels: Option<Images>,
    groups: Vec<(&'static str, Group)>,
    file: Writer<W>,
}

/// Where a packed image is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The address of its first byte.
    pub address: u64,
    /// Its bytes.
    pub bytes: usize,
}

impl NexusWriter<Output> {
    /// Begins a file for `path`, where it appears on [`commit`](Self::commit).
    ///
    /// # Errors
    /// As [`Output::create`] and [`new`](Self::new).
    pub fn create(path: impl AsRef<Path>, series: Series) -> Result<Self> {
        Self::new(Output::create(path)?, series)
    }

    /// Completes the file and moves it to its path.
    ///
    /// # Errors
    /// As [`finish`](Self::finish); the path is then unchanged.
    pub fn commit(self) -> Result<()> {
        self.finish()?.commit().map(drop)
    }
}

impl<W: Write + Seek> NexusWriter<W> {
    /// Begins a file at the beginning of `out`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a series without images or images without pixels, [`Error::TooLarge`]
    /// for images of 4 GB or more, and errors of the writer.
    pub fn new(out: W, series: Series) -> Result<Self> {
        Self::with_file(Writer::new(out)?, series)
    }

    /// Goes on with a file of the same series that was not finished, and overwrites it from the byte `end` on. Its
    /// images count as missing until they are [restored](Self::restore).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(out: W, series: Series, end: u64) -> Result<Self> {
        Self::with_file(Writer::resume(out, end)?, series)
    }

    fn with_file(file: Writer<W>, series: Series) -> Result<Self> {
        let images = series.images;
        let [fast, slow] = series.sides();
        let first = series.panels.first().map(|panel| panel.exposure.clone());
        if images == 0 || fast == 0 || slow == 0 {
            return Err(Error::Shape {
                fast,
                slow,
                pixels: 0,
            });
        }
        let images = Images::new(series.pixel.element(), fast, slow, images)?;
        Ok(Self {
            images: images.packed_by(series.compression),
            has_images: true,
            labels: None,
            groups: Vec::new(),
            file,
            first: first.unwrap_or_default(),
            series,
        })
    }

    /// The same without images: a file of geometry and of what is [added](Self::add).
    #[must_use]
    pub fn without_images(mut self) -> Self {
        self.has_images = false;
        self
    }

    /// The same with labels of pixels, of which every image must be written too.
    ///
    /// # Errors
    /// [`Error::TooLarge`] as [`new`](Self::new).
    pub fn with_labels(mut self) -> Result<Self> {
        let [fast, slow] = self.series.sides();
        let labels = Images::new(Type::U32, fast, slow, self.series.images)?;
        self.labels = Some(labels.packed_by(self.series.compression));
        Ok(self)
    }

    /// The writer of the file, for tables and the like.
    pub fn file(&mut self) -> &mut Writer<W> {
        &mut self.file
    }

    /// Adds a group to the entry. The group `truth` gets the labels.
    pub fn add(&mut self, name: &'static str, group: Group) {
        self.groups.push((name, group));
    }

    /// Records an image that is in the file already.
    ///
    /// # Errors
    /// [`Error::ImageIndex`] for an image that is not in the series or has been written already.
    pub fn restore(&mut self, index: usize, place: Place) -> Result<()> {
        self.images.place(index, place.address, place.bytes)
    }

    /// Records the labels of an image that are in the file already.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_labels(&mut self, index: usize, place: Place) -> Result<()> {
        let labels = self.labels.as_mut();
        labels.map_or(Ok(()), |labels| {
            labels.place(index, place.address, place.bytes)
        })
    }

    /// Writes the labels of image `index`.
    ///
    /// # Errors
    /// As [`write_packed`](Self::write_packed).
    pub fn write_labels(&mut self, index: usize, image: &PackedImage) -> Result<Place> {
        let place = self.append(image)?;
        self.restore_labels(index, place)?;
        Ok(place)
    }

    fn append(&mut self, image: &PackedImage) -> Result<Place> {
        let bytes = image.bytes.len();
        let address = self.file.append(&image.bytes)?;
        Ok(Place { address, bytes })
    }

    /// Writes image `index`, counted from 0, in any order.
    ///
    /// # Errors
    /// As [`write_packed`](Self::write_packed).
    pub fn write_image(&mut self, index: usize, pixels: Pixels<'_>) -> Result<Place> {
        self.write_packed(index, &pixels.pack(self.series.compression)?)
    }

    /// Writes image `index`, packed by [`Pixels::pack`].
    ///
    /// # Errors
    /// [`Error::ImageIndex`] for an image that is not in the series or has been written already,
    /// [`Error::PixelType`] or [`Error::Shape`] if type or number of pixels are not those of the
    /// series, and errors of the writer.
    pub fn write_packed(&mut self, index: usize, image: &PackedImage) -> Result<Place> {
        let Series {
            pixel, compression, ..
        } = self.series;
        let [fast, slow] = self.series.sides();
        if image.pixel != pixel || image.compression != compression {
            return Err(Error::PixelType {
                expected: pixel.name(),
                found: image.pixel.name(),
            });
        }
        if fast.checked_mul(slow) != Some(image.pixels) {
            return Err(Error::Shape {
                fast,
                slow,
                pixels: image.pixels,
            });
        }
        self.images.check_missing(index)?;
        let place = self.append(image)?;
        self.restore(index, place)?;
        Ok(place)
    }

    /// The number of images that were written.
    pub fn written(&self) -> usize {
        self.images.written().0
    }

    /// Writes everything but the images and returns the writer.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if an image is missing, and errors of the writer.
    pub fn finish(mut self) -> Result<W> {
        let (written, images) = self.images.written();
        if written < images && self.has_images {
            return Err(Error::Incomplete { written, images });
        }
        let mask = self.series.packed_mask(&mut self.file)?;
        let mut groups = self.groups;
        if let Some(labels) = self.labels {
            let truth = groups.iter().position(|(name, _)| *name == "truth");
            let truth = truth.map(|at| groups.remove(at).1).unwrap_or_default();
            groups.push(("truth", truth.with("labels", labels)));
        }
        let contents = Contents {
            data: match self.has_images {
                true => vec![(self.series.images_name().to_owned(), self.images.into())],
                false => Vec::new(),
            },
            pixel_mask: mask,
            groups,
        };
        let mut root = tree::root(&self.series, &self.first, contents);
        if self.has_images {
            views::add(&self.series, &mut root, &mut self.file)?;
        }
        self.file.close(&root)
    }
}

/// Writes a file of one image of counts. Masked pixels become negative. `views` as in [`Series`].
///
/// # Errors
/// Errors of the writer, or [`Error::TooLarge`] for an image of 4 GB or more.
pub fn write_counts(
    writer: impl Write,
    exposures: &[Exposure],
    panels: &[Image<i32>],
    compression: Compression,
    views: &[View],
) -> Result<()> {
    let (series, stacked) = one(exposures, panels, (PixelType::I32, compression), views)?;
    let counts = marked(stacked.pixels(), &series.pixel_mask());
    write_one(writer, series, Pixels::I32(&counts))
}

/// Writes a file of one image of photons.
///
/// # Errors
/// As [`write_counts`].
pub fn write_photons(
    writer: impl Write,
    exposures: &[Exposure],
    panels: &[Image<f32>],
    compression: Compression,
    views: &[View],
) -> Result<()> {
    let (series, stacked) = one(exposures, panels, (PixelType::F32, compression), views)?;
    write_one(writer, series, Pixels::F32(stacked.pixels()))
}

/// A series of one image, and its pixels.
fn one<'p, T: Copy + Default>(
    exposures: &[Exposure],
    panels: &'p [Image<T>],
    (pixel, compression): (PixelType, Compression),
    views: &[View],
) -> Result<(Series, Cow<'p, Image<T>>)> {
    let modules = exposures
        .iter()
        .zip(panels)
        .map(|(exposure, image)| Module {
            exposure: exposure.clone(),
            fast: image.fast(),
            slow: image.slow(),
        });
    let series = Series {
        step_degrees: exposures.first().map_or(0.0, |first| first.width_degrees),
        panels: modules.collect(),
        images: 1,
        pixel,
        compression,
        beams: Vec::new(),
        views: views.to_vec(),
    };
    // The image of one panel is not copied.
    let stacked = match panels {
        [image] => Cow::Borrowed(image),
        several => Cow::Owned(Image::stacked(several)?),
    };
    Ok((series, stacked))
}

/// Writes a file of one image. It is made in memory, because the superblock is written last and a
/// pipe cannot seek.
fn write_one(mut writer: impl Write, series: Series, pixels: Pixels<'_>) -> Result<()> {
    let mut file = NexusWriter::new(Cursor::new(Vec::new()), series)?;
    file.write_image(0, pixels)?;
    writer.write_all(file.finish()?.get_ref())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(images: usize) -> NexusWriter<Cursor<Vec<u8>>> {
        let module = Module {
            exposure: Exposure::default(),
            fast: 2,
            slow: 1,
        };
        let series = Series {
            panels: vec![module],
            step_degrees: 0.0,
            images,
            pixel: PixelType::F32,
            compression: Compression::default(),
            beams: Vec::new(),
            views: Vec::new(),
        };
        NexusWriter::new(Cursor::new(Vec::new()), series).unwrap()
    }

    #[test]
    fn every_image_must_be_written_exactly_once() {
        let mut writer = series(2);
        let image = Pixels::F32(&[1.0, 2.0]);
        writer.write_image(1, image).unwrap();
        for index in [1, 2] {
            assert!(matches!(
                writer.write_image(index, image),
                Err(Error::ImageIndex { images: 2, .. })
            ));
        }
        assert!(matches!(
            writer.finish(),
            Err(Error::Incomplete {
                written: 1,
                images: 2
            })
        ));
    }

    #[test]
    fn pixels_of_another_type_or_number_are_refused() {
        let mut writer = series(1);
        assert!(matches!(
            writer.write_image(0, Pixels::I32(&[1, 2])),
            Err(Error::PixelType { .. })
        ));
        assert!(matches!(
            writer.write_image(0, Pixels::F32(&[1.0])),
            Err(Error::Shape { pixels: 1, .. })
        ));
    }

    #[test]
    fn an_incomplete_series_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nxs");
        let mut writer = NexusWriter::create(&path, series(2).series).unwrap();
        writer.write_image(0, Pixels::F32(&[1.0, 2.0])).unwrap();
        assert!(writer.commit().is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
