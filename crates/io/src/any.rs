//! An image file of unknown format, recognised by its contents.

use std::path::{Path, PathBuf};

use crate::bytes::Source;
use crate::{
    Error, Image, Marks, PixelState, Result, StoredPixels, cbf, float, npy, pgm, smv, tiff,
};

/// The most bytes that are read from a pipe or a device, whose length is not known beforehand.
const MOST_OF_A_PIPE: u64 = 1 << 30;

/// The bytes in which an SMV header must state its length.
const SMV_START: usize = 512;

/// The formats that can be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Raw 32-bit floats: any file that is none of the others.
    Float,
    /// `{` and, within 512 bytes, `HEADER_BYTES`.
    Smv,
    /// `P5` and a blank or a comment.
    Pgm,
    /// `###CBF`.
    Cbf,
    /// `II` or `MM`, then 42 in two bytes of that byte order.
    Tiff,
    /// The signature of HDF5. This format can be written but not read.
    Hdf5,
    /// The signature of an array of NumPy.
    Npy,
}

impl Format {
    /// The format of a file with these contents.
    ///
    /// ```
    /// use nanobragg_io::any::Format;
    ///
    /// assert_eq!(Format::of(b"P5 2 1 255\nab"), Format::Pgm);
    /// assert_eq!(Format::of(&1.5_f32.to_le_bytes()), Format::Float);
    /// ```
    pub fn of(contents: &[u8]) -> Self {
        let start = contents.get(..SMV_START).unwrap_or(contents);
        match contents {
            [b'P', b'5', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Self::Pgm,
            [b'{', ..] if start.windows(12).any(|word| word == b"HEADER_BYTES") => Self::Smv,
            [b'#', b'#', b'#', b'C', b'B', b'F', ..] => Self::Cbf,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Self::Tiff,
            [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Hdf5,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            _ => Self::Float,
        }
    }

    /// The name of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Smv => "SMV",
            Self::Pgm => "PGM",
            Self::Cbf => "CBF",
            Self::Tiff => "TIFF",
            Self::Hdf5 => "HDF5",
            Self::Npy => "NPY",
        }
    }
}

/// A file that has been read and recognised.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyImage {
    /// A file that states its sides.
    Shaped(StoredImage),
    /// A file that does not state its sides.
    RawFloats(RawFloats),
}

/// An image from a file, which knows which of its pixels are measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredImage {
    /// The format of the file.
    pub format: Format,
    /// The pixels, in the type of the file.
    pub pixels: StoredPixels,
    /// What the file says of pixels that are no measurements.
    pub marks: Marks,
    /// The header of an SMV image.
    pub header: Option<smv::Header>,
}

/// The contents of a file of raw floats.
#[derive(Debug, Clone, PartialEq)]
pub struct RawFloats {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl AnyImage {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// As [`smv::read`], [`pgm::read`], [`cbf::read`], [`tiff::parse`] and [`npy::parse`];
    /// [`Error::NotRead`] for HDF5.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut source = Source::open(path)?;
        let mut bytes = Vec::new();
        let until = source.length().unwrap_or(MOST_OF_A_PIPE);
        source.extend(&mut bytes, until)?;
        let format = Format::of(&bytes);
        if format == Format::Float {
            return Ok(Self::RawFloats(RawFloats {
                path: path.to_path_buf(),
                bytes,
            }));
        }
        let image = StoredImage::parse(format, &bytes).map_err(|fault| fault.in_file(path))?;
        Ok(Self::Shaped(image))
    }

    /// The pixels along the fast and the slow axis, if the file states them.
    pub fn sides(&self) -> Option<[usize; 2]> {
        match self {
            Self::Shaped(image) => Some(image.pixels.sides()),
            Self::RawFloats(_) => None,
        }
    }

    /// The format of the file.
    pub fn format(&self) -> Format {
        match self {
            Self::Shaped(image) => image.format,
            Self::RawFloats(_) => Format::Float,
        }
    }

    /// The image, which has `sides` (fast, slow) if it is one of raw floats.
    ///
    /// # Errors
    /// [`Error::Length`] with the name of the file unless raw floats are exactly that many.
    pub fn into_stored(self, [fast, slow]: [usize; 2]) -> Result<StoredImage> {
        match self {
            Self::Shaped(image) => Ok(image),
            Self::RawFloats(floats) => Ok(floats.into_image(fast, slow)?.into()),
        }
    }
}

impl StoredImage {
    fn parse(format: Format, bytes: &[u8]) -> Result<Self> {
        let (pixels, marks, header) = match format {
            Format::Smv => {
                let (header, pixels) = smv::parse(bytes)?;
                (pixels, header.marks()?, Some(header))
            }
            Format::Pgm => (pgm::parse(bytes)?.into(), Marks::default(), None),
            Format::Cbf => (cbf::parse(bytes)?.into(), cbf::marks(bytes), None),
            Format::Tiff => {
                let (pixels, marks) = tiff::parse(bytes)?;
                (pixels, marks, None)
            }
            Format::Npy => (npy::parse(bytes)?, Marks::default(), None),
            Format::Hdf5 | Format::Float => {
                return Err(Error::NotRead {
                    format: format.name(),
                });
            }
        };
        Ok(Self {
            format,
            pixels,
            marks,
            header,
        })
    }

    /// What each pixel is, `[slow][fast]`.
    pub fn states(&self) -> Vec<PixelState> {
        self.pixels.states(&self.marks)
    }
}

impl From<Image<f32>> for StoredImage {
    /// Floats without a header.
    fn from(image: Image<f32>) -> Self {
        Self {
            format: Format::Float,
            pixels: image.into(),
            marks: Marks::default(),
            header: None,
        }
    }
}

impl RawFloats {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The image of `fast` x `slow` pixels.
    ///
    /// # Errors
    /// [`Error::Length`] with the name of the file unless it holds exactly that many pixels.
    pub fn into_image(self, fast: usize, slow: usize) -> Result<Image<f32>> {
        float::parse(&self.bytes, fast, slow).map_err(|fault| fault.in_file(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::{Exposure, nexus};

    fn stored(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> tempfile::NamedTempFile {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        file
    }

    #[test]
    fn every_format_is_recognised_whatever_its_name() -> Result<()> {
        fn check(
            write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
            format: Format,
            pixels: impl Into<StoredPixels>,
        ) -> Result<()> {
            let AnyImage::Shaped(image) = AnyImage::read(stored(write).path())? else {
                panic!("{} states its sides", format.name())
            };
            assert_eq!((image.format, image.pixels), (format, pixels.into()));
            Ok(())
        }
        let counts = Image::new(2, 1, vec![7_u16, 65535])?;
        let fields = smv::Fields::new();
        let smv = |out: &mut Vec<u8>| smv::write(out, &fields, &counts);
        check(smv, Format::Smv, counts.clone())?;

        let greys = counts.map(|_| 9_u8);
        check(
            |out| pgm::write(out, &greys, 1.0),
            Format::Pgm,
            greys.clone(),
        )?;

        let wide = Image::new(2, 1, vec![-7, 70000])?;
        let cbf = |out: &mut Vec<u8>| cbf::write(out, &Exposure::default(), &wide);
        check(cbf, Format::Cbf, wide.clone())?;

        let floats = Image::new(2, 1, vec![0.5, -1.0])?;
        let panels = std::slice::from_ref(&floats);
        let exposures = [Exposure::default()];
        let tiff = |out: &mut Vec<u8>| tiff::write_photons(out, &exposures, panels);
        check(tiff, Format::Tiff, floats.clone())?;

        let file = stored(|out| nexus::write_photons(out, &exposures, panels));
        let error = AnyImage::read(file.path()).unwrap_err().to_string();
        assert!(error.contains("HDF5"), "{error}");

        let file = stored(|out| float::write(out, &floats));
        let AnyImage::RawFloats(raw) = AnyImage::read(file.path())? else {
            panic!("floats have no shape")
        };
        assert_eq!(raw.into_image(2, 1)?, floats);
        Ok(())
    }

    #[test]
    fn floats_that_begin_like_a_header_are_floats() {
        assert_eq!(Format::of(b"{\n\0\0"), Format::Float);
        assert_eq!(Format::of(b"P5\0\0"), Format::Float);
        assert_eq!(Format::of(b""), Format::Float);
    }

    #[test]
    fn a_header_that_states_too_many_pixels_is_an_error_with_the_name_of_the_file() {
        let file = stored(|out| Ok(out.write_all(b"P5 9 9 255\nab")?));
        let error = AnyImage::read(file.path()).unwrap_err().to_string();
        assert!(
            error.contains(&*file.path().to_string_lossy()) && error.contains("92"),
            "{error}"
        );
    }
}
