//! The errors of image files.

use std::io;
use std::path::{Path, PathBuf};

/// A result whose error is this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why an image file cannot be read or written.
///
/// Each message is complete: it contains the underlying cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with the contents of a file.
    #[error("{}: {fault}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<Error>,
    },
    /// A file cannot be opened or read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// An output cannot be created, so nothing has been written.
    #[error("cannot create {}: {cause}", path.display())]
    Create {
        /// The output.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// An output cannot be completed. A file that was there before is unchanged.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The path is a folder; a file is needed.
    #[error("{} is a folder, not a file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A file of a kind that no reader takes.
    #[error("this is {what}")]
    Foreign {
        /// What it is, and what to do.
        what: &'static str,
    },
    /// A writer other than [`Output`](crate::Output) failed.
    #[error("cannot write: {0}")]
    Stream(io::Error),

    /// The number of pixels is not the product of the sides of the image, or a side is 0.
    #[error("{pixels} pixels do not make an image of {fast} x {slow} (fast x slow)")]
    Shape {
        /// Pixels along the fast axis.
        fast: usize,
        /// Pixels along the slow axis.
        slow: usize,
        /// The number of pixels.
        pixels: usize,
    },
    /// The image is too large for the memory or for the format.
    #[error("an image of {fast} x {slow} pixels (fast x slow) is too large")]
    TooLarge {
        /// Pixels along the fast axis.
        fast: usize,
        /// Pixels along the slow axis.
        slow: usize,
    },
    /// The length of the file does not agree with its header or with what its reader expects.
    #[error("the file holds {found} bytes where {expected} are expected")]
    Length {
        /// Bytes expected.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },

    /// The file does not begin with the `{` of an SMV header.
    #[error("not an SMV image: the file does not begin with '{{'")]
    NotSmv,
    /// No `}` closes the SMV header within its stated length.
    #[error("the SMV header is not closed by '}}' within its {header_bytes} bytes")]
    Unclosed {
        /// The stated length, or the number of bytes that were searched.
        header_bytes: usize,
    },
    /// A key that the reader needs is not in the header.
    #[error("the header has no {key}")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// The value of a key is not a finite number.
    #[error("{key}={text:?} in the header is not a number")]
    NotANumber {
        /// The key.
        key: String,
        /// Its value.
        text: String,
    },
    /// A size in the header is not a whole number within its range.
    #[error("{key}={value} in the header is not a whole number from 1 to {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The largest value allowed.
        max: u32,
    },
    /// A word in the header is not supported.
    #[error("{key}={value:?} in the header is not supported; {known} is")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// The words that are supported.
        known: &'static str,
    },
    /// A key or a value that an SMV header cannot hold, or a key that the writer sets itself.
    #[error("{key}={value} cannot be written into an SMV header")]
    Field {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },

    /// The file does not begin with the header of a binary greymap with one byte a pixel.
    #[error("not a binary greymap: no P5 header with a largest value from 1 to 255")]
    NotPgm,
    /// The file does not begin as a CBF, or has no binary section near its beginning.
    #[error("not a CBF: no ###CBF header with a binary section")]
    NotCbf,
    /// The number of pixels does not agree with the header.
    #[error("the file holds {found} pixels where {expected} are expected")]
    Pixels {
        /// Pixels expected.
        expected: usize,
        /// Pixels in the file.
        found: usize,
    },
    /// The pixels were changed after the file was written: their MD5 is not that in the header.
    #[error("the pixels are damaged: their MD5 is {found}, the header says {stated}")]
    Digest {
        /// The MD5 in the header, base 64.
        stated: String,
        /// The MD5 of the pixels, base 64.
        found: String,
    },
    /// An HDF5 file that cannot be read.
    #[cfg(feature = "codecs")]
    #[error("cannot read the HDF5 file: {0}")]
    Hdf5(hdf5_reader::error::Error),
    /// The values of a dataset of HDF5 are not pixels.
    #[error(
        "'{name}' is {found}; images are integers of 8 to 64 bits or floats of 32 or 64, [slow][fast], \
         [image][slow][fast] or [image][panel][slow][fast]"
    )]
    Hdf5Pixels {
        /// The dataset.
        name: String,
        /// What it is.
        found: String,
    },
    /// The mask of an HDF5 file is not that of its images.
    #[error(
        "the pixel_mask of {shape:?} values does not fit images of {fast} x {slow} (fast x slow)"
    )]
    Hdf5Mask {
        /// The lengths of its axes.
        shape: Vec<u64>,
        /// Pixels along the fast axis.
        fast: usize,
        /// Pixels along the slow axis.
        slow: usize,
    },
    /// A dataset of HDF5 that is needed is missing.
    #[error("{place} is missing")]
    Hdf5Lacks {
        /// Its path in the file.
        place: String,
    },
    /// A value in an HDF5 file is not allowed.
    #[error("{place}: found {found}, expected {expected}")]
    Hdf5Value {
        /// The path of the dataset in the file.
        place: String,
        /// The value in the file.
        found: String,
        /// The allowed values.
        expected: &'static str,
    },
    /// A dataset that cannot stand in an HDF5 file beside those of NXmx.
    #[error(
        "{path} cannot be a dataset of a NeXus file: a group or the images are there, a part of the path is a dataset, or \
         a name has more than 255 bytes"
    )]
    Hdf5Path {
        /// The path of the dataset.
        path: String,
    },
    /// An HDF5 file without images.
    #[error(
        "the HDF5 file has no images where NXmx has them: an NXdata, such as /entry/data, in an NXentry; \
         name their dataset, as in FILE:/entry_1/data_1/data"
    )]
    NoImages,
    /// It must be said which image of a file is meant.
    #[error("the file holds {images} images; add #1 to #{images} to its name to choose one")]
    ManyImages {
        /// How many it holds.
        images: usize,
    },
    /// There is no image of this number.
    #[error("there is no image #{number}; the file holds {images}, counted from 1")]
    NoSuchImage {
        /// The number, counted from 1.
        number: usize,
        /// How many the file holds.
        images: usize,
    },
    /// There is no dataset of this name.
    #[error("there is no dataset {dataset}; {group} holds {there}")]
    NoDataset {
        /// The name, from the root.
        dataset: String,
        /// The group in which it was looked for.
        group: String,
        /// The names that this group has.
        there: String,
    },
    /// A dataset was chosen of a file that is no HDF5.
    #[error(
        "the dataset {dataset} cannot be chosen: only HDF5 files have datasets, this one is {format}"
    )]
    OneDataset {
        /// The dataset.
        dataset: String,
        /// The format of the file.
        format: &'static str,
    },
    /// An image was chosen of a file that holds one only.
    #[error(
        "image #{number} cannot be chosen: files of several images are HDF5, this one is {format}"
    )]
    OneImage {
        /// The number, counted from 1.
        number: usize,
        /// The format of the file.
        format: &'static str,
    },
    /// A file that an HDF5 file links to is missing.
    #[error("the file links to {name}, which is not there")]
    LinkedFile {
        /// Its name in the link.
        name: String,
    },
    /// A TIFF that cannot be read.
    #[cfg(feature = "codecs")]
    #[error("cannot read the TIFF: {0}")]
    Tiff(::tiff::TiffError),
    /// The pixels of a TIFF are not single numbers of a supported type.
    #[error(
        "a TIFF of {found} is not supported; one 8, 16 or 32-bit number or 32-bit float a pixel is"
    )]
    TiffPixels {
        /// The type of its pixels.
        found: String,
    },
    /// The pixel type of an image is not that of its series.
    #[error("an image of {found} does not fit a series of {expected}")]
    PixelType {
        /// The pixels of the series.
        expected: &'static str,
        /// The pixels of the image.
        found: &'static str,
    },
    /// The series has no image of this index, or the image has been written already.
    #[error("image {index} cannot be written into a series of {images}, counted from 0, once each")]
    ImageIndex {
        /// The image, counted from 0.
        index: usize,
        /// Images of the series.
        images: usize,
    },
    /// A series cannot be closed before all its images are written.
    #[error("the series has {written} of {images} images")]
    Incomplete {
        /// Images written.
        written: usize,
        /// Images of the series.
        images: usize,
    },
    /// The PNG encoder refused.
    #[cfg(feature = "codecs")]
    #[error("cannot encode the PNG preview: {0}")]
    Png(::png::EncodingError),
}

impl Error {
    /// The same error with the name of the file that it is about.
    ///
    /// An error that already names a file is returned unchanged.
    ///
    /// ```
    /// let error = nanobragg_io::Error::NotSmv.in_file("a.img");
    /// assert_eq!(error.to_string(), "a.img: not an SMV image: the file does not begin with '{'");
    /// ```
    #[must_use]
    pub fn in_file(self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::InFile { .. }
            | Self::Read { .. }
            | Self::Create { .. }
            | Self::Write { .. }
            | Self::Folder { .. } => self,
            fault => Self::InFile {
                path: path.as_ref().to_path_buf(),
                fault: Box::new(fault),
            },
        }
    }
}

/// `Write` can only return an `io::Error`, so an [`Output`](crate::Output) puts its [`Error`],
/// which names the file, inside one. This conversion takes it out again.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Stream)
    }
}

#[cfg(feature = "codecs")]
impl From<::png::EncodingError> for Error {
    fn from(error: ::png::EncodingError) -> Self {
        match error {
            ::png::EncodingError::IoError(cause) => cause.into(),
            refusal => Self::Png(refusal),
        }
    }
}

#[cfg(feature = "codecs")]
impl From<::tiff::TiffError> for Error {
    fn from(error: ::tiff::TiffError) -> Self {
        match error {
            ::tiff::TiffError::IoError(cause) => match cause.downcast::<Self>() {
                Ok(ours) => ours,
                Err(cause) => Self::Tiff(::tiff::TiffError::IoError(cause)),
            },
            refusal => Self::Tiff(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_is_not_named_twice() {
        let once = Error::NotPgm.in_file("a.pgm");
        let text = once.to_string();
        assert_eq!(once.in_file("b.pgm").to_string(), text);
    }

    #[test]
    fn an_error_inside_an_io_error_comes_out_again() {
        let hidden = io::Error::other(Error::Folder { path: "dir".into() });
        assert!(matches!(Error::from(hidden), Error::Folder { .. }));
        assert!(matches!(
            Error::from(io::Error::other("x")),
            Error::Stream(_)
        ));
    }
}
