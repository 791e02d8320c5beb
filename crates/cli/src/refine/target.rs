//! The image to fit, from files.

use std::path::Path;

use nanobragg::io::Image;
use nanobragg::io::any::{AnyImage, Format};
use nanobragg::{Mask, ResponseSpec};
use nanobragg_refine::Target;

use super::{RefineError, Request};

/// The target, for a detector of these sides, which made counts of photons as `response` says.
pub(super) fn read(
    request: &Request,
    sides: [usize; 2],
    response: &ResponseSpec,
) -> Result<Target, RefineError> {
    let (format, image) = image(&request.target, sides)?;
    // A TIFF holds one or the other.
    let is_whole = || image.pixels().iter().all(|pixel| pixel.fract() == 0.0);
    let holds_counts = match format {
        Format::Float => false,
        Format::Tiff => is_whole(),
        Format::Smv | Format::Pgm | Format::Cbf | Format::Hdf5 => true,
    };
    let target = if holds_counts {
        Target::of_counts(&image, response)?
    } else {
        Target::of_photons(&image)
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
        AnyImage::RawFloats(floats) => (Format::Float, floats.into_image(fast, slow)?),
    })
}
