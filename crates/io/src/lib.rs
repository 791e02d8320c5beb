//! Files of pixels, as diffraction programs exchange them.
//!
//! This crate knows bytes and headers. It does not know what a detector is: keys and values go
//! into a header in the order they are given, and an [`Image`] is a rectangle of numbers.
//!
//! No header is trusted: a file whose size disagrees with its header is an error that names the
//! file, the size expected and the size found. An output appears complete or not at all
//! ([`Output`]).
//!
//! | Module | Format | Pixel | Header |
//! |---|---|---|---|
//! | [`smv`] | SMV (ADSC, d*TREK) image | 8, 16, 32-bit integers or `f32`, either byte order; `u16` is written | `{\nKEY=value;\n...}\f`, a multiple of 512 bytes |
//! | [`float`](mod@float) | raw photons | `f32`, little-endian | none |
//! | [`npy`] | array of NumPy | any number is read; only the header is written | shape and type |
//! | [`pgm`] | portable greymap, `P5` | `u8` | text, one comment with the scale |
//! | [`png`] | preview, dark spots on white | `u8` | PNG's own |
//! | [`cbf`] | CBF, compressed by byte offset | `i32` | imgCIF tables and lines of miniCBF |
//! | [`tiff`] | TIFF, one strip | `u16`, `u32` or `f32` | lines of miniCBF as description |
//! | [`nexus`] | NeXus NXmx in [`hdf5`], one image or a series | any number is read; `i32`, `u32` or `f32` are written | NXmx |
//!
//! [`any`] recognises the format of a file by its contents. [`StoredPixels`] are in the type of their file, and
//! know which of them are measurements.
//!
//! Pixels are always stored `[slow][fast]`: the fast axis runs along a line of the file.
//!
//! ```text
//!            fast ->
//!   slow   0   1   2        index = slow * fast_count + fast
//!    |     3   4   5
//!    v
//! ```
//!
//! Two default features can be left out, so that the readers of text alone cost little: `codecs`, the formats
//! that need a library (CBF, HDF5 and NeXus, PNG, TIFF), and `files`, [`Output`].
//!
//! [`input`] reads a file or a pipe to its end, for the text readers of other crates, and [`cif`]
//! reads the text format that two of them share. [`printf`] writes numbers as C's `%g` does, as SMV
//! headers need it.
//!
//! ```
//! use nanobragg_io::{Image, smv};
//!
//! let counts = Image::new(3, 2, vec![40_u16, 42, 44, 60, 240, 65535])?;
//! let mut fields = smv::Fields::new();
//! fields.push_number("DISTANCE", 0.1 * 1000.0)?;
//! let mut file = Vec::new();
//! smv::write(&mut file, &fields, &counts)?;
//! assert_eq!(file.len(), 512 + 2 * 3 * 2);
//!
//! let header = smv::Header::parse(&file)?;
//! assert_eq!(header.number("DISTANCE")?, Some(100.0));
//! # Ok::<(), nanobragg_io::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

#[cfg(feature = "codecs")]
pub mod any;
#[cfg(feature = "codecs")]
pub mod cbf;
pub mod cif;
pub mod error;
#[cfg(feature = "codecs")]
pub mod exposure;
pub mod float;
#[cfg(feature = "codecs")]
pub mod hdf5;
pub mod image;
pub mod input;
#[cfg(feature = "codecs")]
pub mod nexus;
pub mod npy;
#[cfg(feature = "files")]
pub mod partial;
pub mod pgm;
pub mod pixels;
#[cfg(feature = "codecs")]
pub mod png;
pub mod printf;
#[cfg(feature = "files")]
pub mod replace;
pub mod smv;
#[cfg(feature = "codecs")]
pub mod tiff;

mod bytes;

pub use error::{Error, Result};
#[cfg(feature = "codecs")]
pub use exposure::{BY_USER, DEAD, Exposure, GAP, NOISY, marked};
pub use image::Image;
#[cfg(feature = "files")]
pub use partial::{PartialFile, part_of};
pub use pixels::{Marks, NumberType, PixelState, StoredPixels};
#[cfg(feature = "files")]
pub use replace::{Output, Replaced, folder_of, remove_abandoned};
