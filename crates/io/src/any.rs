//! An image file of unknown format, recognised by its contents.

use std::path::{Path, PathBuf};

use crate::bytes::Source;
use crate::input::foreign;
use crate::{
    Error, Image, Marks, PixelState, Result, StoredPixels, cbf, float, nexus, npy, pgm, smv, tiff,
};

/// The most bytes that are read from a pipe or a device, whose length is not known beforehand.
const MOST_OF_A_PIPE: u64 = 1 << 30;

/// The bytes in which an SMV header must state its length.
const SMV_START: usize = 512;

/// The first bytes of an HDF5 file, or of its part after a user block.
const HDF5_SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Where they may be.
const HDF5_BEGINS: [usize; 4] = [0, 512, 1024, 2048];
/// The bytes that show the format.
const FORMAT_BYTES: u64 = 4096;

/// What an EDF image is.
const EDF: &str = "an EDF image; fabio-convert makes a TIFF of it";

/// Whether a file that is not SMV has the header of an EDF image.
fn is_edf(bytes: &[u8]) -> bool {
    let start = bytes.get(..SMV_START).unwrap_or(bytes);
    let has = |word: &[u8]| {
        start
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    bytes.starts_with(b"{") && has(b"ByteOrder") && has(b"Dim_1")
}

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
    /// The signature of HDF5, at the beginning or at byte 512, 1024 or 2048.
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
        let is_hdf5 = |&begin: &usize| {
            let after = contents.get(begin..);
            after.is_some_and(|after| after.starts_with(HDF5_SIGNATURE))
        };
        match contents {
            [b'P', b'5', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Self::Pgm,
            [b'{', ..] if start.windows(12).any(|word| word == b"HEADER_BYTES") => Self::Smv,
            [b'#', b'#', b'#', b'C', b'B', b'F', ..] => Self::Cbf,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Self::Tiff,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            _ if HDF5_BEGINS.iter().any(is_hdf5) => Self::Hdf5,
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

/// What a path names: a file, and what of an HDF5 file is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The dataset of the images, from the root: `/entry_1/data_1/data`.
    pub dataset: Option<String>,
    /// Which of its images, counted from 1.
    pub number: Option<usize>,
}

impl Place {
    /// What a path names: `series.nxs#7` is image 7 of `series.nxs`, `run.h5:/entry_1/data_1/data#7` that of the
    /// dataset `/entry_1/data_1/data` of `run.h5`. A path that exists as it stands is a file.
    ///
    /// ```
    /// use nanobragg_io::any::Place;
    ///
    /// let place = Place::of("run.h5:/entry_1/data_1/data#7".as_ref());
    /// assert_eq!(place.file.to_str(), Some("run.h5"));
    /// assert_eq!(place.dataset.as_deref(), Some("/entry_1/data_1/data"));
    /// assert_eq!(place.number, Some(7));
    /// ```
    pub fn of(path: &Path) -> Self {
        let (file, number) = numbered(path);
        let split = file.to_str().filter(|_| !file.exists()).and_then(|name| {
            let (file, dataset) = name.split_once(":/")?;
            (!file.is_empty()).then(|| (PathBuf::from(file), format!("/{dataset}")))
        });
        match split {
            Some((file, dataset)) => Self {
                file,
                dataset: Some(dataset),
                number,
            },
            None => Self {
                file,
                dataset: None,
                number,
            },
        }
    }
}

/// The file that a path names, and which of its images; see [`Place::of`].
///
/// ```
/// use nanobragg_io::any::file_of;
///
/// assert_eq!(file_of("a/series.nxs#7".as_ref()), ("a/series.nxs".into(), Some(7)));
/// assert_eq!(file_of("shot_#.img".as_ref()), ("shot_#.img".into(), None));
/// ```
pub fn file_of(path: &Path) -> (PathBuf, Option<usize>) {
    let Place { file, number, .. } = Place::of(path);
    (file, number)
}

/// A path without the number at its end, and this number.
fn numbered(path: &Path) -> (PathBuf, Option<usize>) {
    let chosen = path.to_str().and_then(|name| {
        let (file, number) = name.rsplit_once('#')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !file.is_empty() && !path.exists()).then_some(())?;
        Some((PathBuf::from(file), number.parse().ok()?))
    });
    match chosen {
        Some((file, number)) => (file, Some(number)),
        None => (path.to_path_buf(), None),
    }
}

/// The format of the file that a path names, see [`file_of`]; `None` for a pipe or a device, which is read only once.
///
/// # Errors
/// [`Error::Read`] or [`Error::Folder`].
pub fn format_of(path: &Path) -> Result<Option<Format>> {
    let mut source = Source::open(&file_of(path).0)?;
    if source.length().is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    source.extend(&mut bytes, FORMAT_BYTES)?;
    Ok(Some(Format::of(&bytes)))
}

impl AnyImage {
    /// Reads a file to its end; of an HDF5 file the image that the path names, see [`Place::of`].
    ///
    /// # Errors
    /// As [`smv::read`], [`pgm::read`], [`cbf::read`], [`tiff::parse`], [`npy::parse`] and [`nexus::read`];
    /// [`Error::OneImage`] and [`Error::OneDataset`] if an image or a dataset is chosen of a file of another format.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let Place {
            file: path,
            dataset,
            number,
        } = Place::of(path.as_ref());
        let mut source = Source::open(&path)?;
        let mut bytes = Vec::new();
        source.extend(&mut bytes, FORMAT_BYTES)?;
        let format = Format::of(&bytes);
        let is_regular = source.length().is_some();
        // A series may be larger than the memory: only one image is read of it.
        if !is_regular || format != Format::Hdf5 {
            source.extend(&mut bytes, source.length().unwrap_or(MOST_OF_A_PIPE))?;
        }
        let bare = |(pixels, marks)| (pixels, marks, None);
        let image = match (format, number) {
            _ if dataset.is_some() => dataset_of(&path, format, dataset, number).map(bare),
            (Format::Hdf5, _) if is_regular => nexus::read(&path, number).map(bare),
            (Format::Hdf5, _) => nexus::parse(bytes, number).map(bare),
            (_, Some(number)) => {
                let format = format.name();
                Err(Error::OneImage { number, format })
            }
            (Format::Float, None) => match foreign(&bytes).or(is_edf(&bytes).then_some(EDF)) {
                // The least significant bytes of a float are hardly ever those. UTF-16 is no image at all.
                Some(what)
                    if !bytes.starts_with(b"\xff\xfe") && !bytes.starts_with(b"\xfe\xff") =>
                {
                    Err(Error::Foreign { what })
                }
                _ => return Ok(Self::RawFloats(RawFloats { path, bytes })),
            },
            (Format::Smv, None) => smv::parse(&bytes)
                .and_then(|(header, pixels)| Ok((pixels, header.marks()?, Some(header)))),
            (Format::Pgm, None) => {
                pgm::parse(&bytes).map(|image| bare((image.into(), Marks::default())))
            }
            (Format::Cbf, None) => {
                cbf::parse(&bytes).map(|image| bare((image.into(), cbf::marks(&bytes))))
            }
            (Format::Tiff, None) => tiff::parse(&bytes).map(bare),
            (Format::Npy, None) => {
                npy::parse(&bytes).map(|pixels| bare((pixels, Marks::default())))
            }
        };
        let (pixels, marks, header) = image.map_err(|fault| fault.in_file(&path))?;
        Ok(Self::Shaped(StoredImage {
            format,
            pixels,
            marks,
            header,
        }))
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

/// An image of a dataset that is named. Only the type says which of its pixels are measurements.
fn dataset_of(
    path: &Path,
    format: Format,
    dataset: Option<String>,
    number: Option<usize>,
) -> Result<(StoredPixels, Marks)> {
    let dataset = dataset.unwrap_or_default();
    if format != Format::Hdf5 {
        let format = format.name();
        return Err(Error::OneDataset { dataset, format });
    }
    let pixels = nexus::read_dataset(path, &dataset, number)?;
    Ok((pixels, Marks::default()))
}

impl StoredImage {
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
    use crate::hdf5::Compression;
    use std::io::Write;

    use super::*;
    use crate::Exposure;

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

        let nexus = |out: &mut Vec<u8>| {
            nexus::write_photons(out, &exposures, panels, Compression::Bslz4, &[])
        };
        check(nexus, Format::Hdf5, floats.clone())?;

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
