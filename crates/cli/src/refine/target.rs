//! The image to fit, from files.

use std::path::Path;

use nanobragg::Mask;
use nanobragg::io::Image;
use nanobragg::io::any::{AnyImage, Format};
use nanobragg_refine::Target;

use super::{RefineError, Request};

/// The target, for a detector of these sides, with `adc` counts added to images of counts.
pub(super) fn read(request: &Request, sides: [usize; 2], adc: f64) -> Result<Target, RefineError> {
    let (format, image) = image(&request.target, sides)?;
    let target = match format {
        Format::Float => Target::of_photons(&image),
        Format::Smv | Format::Pgm => Target::of_counts(&image, adc, request.gain)?,
    };
    let Some(path) = &request.mask else {
        return Ok(target);
    };
    let target_sides = [image.fast(), image.slow()];
    let (_, mask) = self::image(path, target_sides)?;
    let mask_sides = [mask.fast(), mask.slow()];
    let kept = mask.pixels().iter().map(|&pixel| pixel != 0.0).collect();
    match Mask::new(mask.fast(), kept) {
        Some(mask) if mask_sides == target_sides => Ok(target.without(&mask)),
        _ => Err(RefineError::MaskSides {
            path: path.clone(),
            mask: mask_sides,
            target: target_sides,
        }),
    }
}

/// An image of any format; raw floats have the sides given.
fn image(path: &Path, [fast, slow]: [usize; 2]) -> Result<(Format, Image<f32>), RefineError> {
    Ok(match AnyImage::read(path)? {
        AnyImage::Shaped(format, image) => (format, image),
        AnyImage::Shapeless(floats) => (Format::Float, floats.into_image(fast, slow)?),
    })
}
