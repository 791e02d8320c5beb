//! Two image files, of any format each.

use std::path::{Path, PathBuf};

use nanobragg_io::any::AnyImage;
use nanobragg_io::{Image, smv};

use super::NamedImage;
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

/// Reads two images; the sides of raw floats are those of the other one where nothing else tells.
///
/// # Errors
/// [`Error::Io`], or [`Error::NoSides`] where nothing tells the sides of raw floats.
pub fn read_pair(
    a: &Path,
    b: &Path,
    sides: &ImageSides,
) -> Result<([Image<f32>; 2], [NamedImage; 2]), Error> {
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
    let shaped = |image| match (image, told) {
        (AnyImage::Shaped(_, image), _) => Ok(image),
        (AnyImage::RawFloats(floats), Some([fast, slow])) => Ok(floats.into_image(fast, slow)?),
        (AnyImage::RawFloats(_), None) => Err(Error::NoSides {
            a: a.to_path_buf(),
            b: b.to_path_buf(),
        }),
    };
    Ok(([shaped(image_a)?, shaped(image_b)?], names))
}

/// The pixels along the fast and the slow axis that an SMV header tells.
///
/// # Errors
/// When it cannot be read.
pub fn sides_of_header(path: &Path) -> Result<[usize; 2], nanobragg_io::Error> {
    let (_, image) = smv::read(path)?;
    Ok([image.fast(), image.slow()])
}
