//! The sum of two float images.

use std::path::Path;

use nanobragg_io::Image;
use nanobragg_io::any::AnyImage;

use crate::Error;

/// The image `first + scale second`, pixel by pixel. The files are raw floats or images of floats, such as
/// TIFF, NPY or SMV. The sum of two files of raw floats is one row, because they do not state their sides.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read, [`Error::NotFloats`], [`Error::DifferentSizes`].
pub fn add(first: &Path, second: &Path, scale: f64) -> Result<Image<f32>, Error> {
    let [one, other] = [(first, second), (second, first)].map(|(path, other)| read(path, other));
    let (one, other) = (one?, other?);
    let size = |image: &Image<f32>| match image.slow() {
        1 => format!("{} pixels", image.fast()),
        slow => format!("{} x {slow} pixels", image.fast()),
    };
    if (one.fast(), one.slow()) != (other.fast(), other.slow()) {
        return Err(Error::DifferentSizes {
            path: first.to_owned(),
            pixels: size(&one),
            other: second.to_owned(),
            others: size(&other),
        });
    }
    let pairs = one.pixels().iter().zip(other.pixels());
    let sums = pairs.map(|(&a, &b)| (f64::from(a) + scale * f64::from(b)) as f32);
    Ok(Image::new(one.fast(), one.slow(), sums.collect())?)
}

/// The floats of a file; raw floats have the sides that `other` states, if it states any.
fn read(path: &Path, other: &Path) -> Result<Image<f32>, Error> {
    let image = AnyImage::read(path)?;
    let format = image.format().name();
    let sides = match image.sides() {
        Some(sides) => sides,
        None => match AnyImage::read(other)?.sides() {
            Some(sides) => sides,
            None => [pixels_of(path)?, 1],
        },
    };
    let stored = image.into_stored(sides)?.pixels;
    match stored.are_counts() {
        true => Err(Error::NotFloats {
            path: path.to_owned(),
            format,
        }),
        false => Ok(stored.to_floats()),
    }
}

/// The number of floats in a file.
fn pixels_of(path: &Path) -> Result<usize, Error> {
    let read = |cause| nanobragg_io::Error::Read {
        path: path.to_owned(),
        cause,
    };
    let bytes = std::fs::metadata(path).map_err(read)?.len();
    Ok(bytes as usize / size_of::<f32>())
}
