//! Two image files, of any format each.

use std::path::{Path, PathBuf};

use nanobragg_io::any::AnyImage;
use nanobragg_io::{Image, smv};

use super::{LeftOut, NamedImage};
use crate::Error;

/// What tells the sides of images that do not tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSides {
    /// The other image.
    OfOther,
    /// The user: pixels along the fast and the slow axis.
    Given([usize; 2]),
    /// The header of an SMV image.
    OfHeader(PathBuf),
}

/// Two images that have been read, and what they are called.
pub type NamedPair = ([Image<f32>; 2], [NamedImage; 2]);

/// Reads two images; the sides of raw floats are those of the other one where nothing else tells. Pixels
/// that are no measurements in either file are NaN in both images.
///
/// # Errors
/// [`Error::Io`], or [`Error::NoSides`] where nothing tells the sides of raw floats.
pub fn read_pair(a: &Path, b: &Path, sides: &ImageSides) -> Result<(NamedPair, LeftOut), Error> {
    let told = match sides {
        ImageSides::OfOther => None,
        ImageSides::Given(sides) => Some(*sides),
        ImageSides::OfHeader(path) => Some(sides_of_header(path)?),
    };
    let [image_a, image_b] = [AnyImage::read(a)?, AnyImage::read(b)?];
    let told = told.or(image_a.sides()).or(image_b.sides());
    let named = |path: &Path, image: &AnyImage| NamedImage {
        path: path.to_path_buf(),
        format: image.format(),
    };
    let names = [named(a, &image_a), named(b, &image_b)];
    let no_sides = || Error::NoSides {
        a: a.to_path_buf(),
        b: b.to_path_buf(),
    };
    let told = told.ok_or_else(no_sides)?;
    let [image_a, image_b] = [image_a.into_stored(told)?, image_b.into_stored(told)?];
    let [mut a, mut b] = [&image_a, &image_b].map(|image| image.pixels.to_floats());
    let states = [image_a.states(), image_b.states()];
    let left_out = LeftOut::from_both([&mut a, &mut b], states);
    Ok((([a, b], names), left_out))
}

/// The pixels along the fast and the slow axis that an SMV header tells.
///
/// # Errors
/// When it cannot be read.
pub fn sides_of_header(path: &Path) -> Result<[usize; 2], nanobragg_io::Error> {
    Ok(smv::read(path)?.1.sides())
}
