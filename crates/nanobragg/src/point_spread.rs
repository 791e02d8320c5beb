//! A point spread from a file.

use std::path::Path;

use nanobragg_io::any::AnyImage;
use nanobragg_io::{StoredPixels, input};
use nanobragg_response::PointSpreadKernel;

use crate::Error;

/// Reads the weights of a point spread: a text with a row of numbers on each line, or an image in a format
/// that states its sides, such as NPY or TIFF. Raw floats are a square.
///
/// # Errors
/// [`Error::Io`], or [`Error::PointSpread`] for weights that are no point spread.
pub fn read_point_spread(path: impl AsRef<Path>) -> Result<PointSpreadKernel, Error> {
    let path = path.as_ref();
    let fault = |fault: String| Error::PointSpread {
        path: path.to_owned(),
        fault,
    };
    let bytes = input::bytes_of(path).map_err(|_| {
        fault("neither gauss, fiber, moffat or none nor a file that can be read".to_owned())
    })?;
    if let Ok(text) = std::str::from_utf8(&bytes)
        && !text.contains('\0')
        && text.starts_with(|c: char| !matches!(c, '{' | 'P'))
    {
        return PointSpreadKernel::from_text(text).map_err(fault);
    }
    let image = AnyImage::read(path)?;
    let side = (bytes.len() / size_of::<f32>()).isqrt();
    let sides = image.sides().unwrap_or([side; 2]);
    let pixels: StoredPixels = image.into_stored(sides)?.pixels;
    let floats = pixels.to_floats();
    let rows = (floats.rows()).map(|row| row.iter().map(|&weight| weight.into()).collect());
    PointSpreadKernel::try_from(rows.collect::<Vec<Vec<f64>>>()).map_err(fault)
}
