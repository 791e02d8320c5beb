//! Masks in files.

use nanobragg_geometry::{DetectorSpec, Mask};
use nanobragg_io::PixelState;
use nanobragg_io::any::{AnyImage, StoredImage};

use crate::Error;

/// The mask that an image is: pixels are used that are not 0 and that the file does not mask itself.
pub fn mask_of(image: &StoredImage) -> Option<Mask> {
    let [fast, _] = image.pixels.sides();
    let floats = image.pixels.to_floats();
    let pixels = floats.pixels().iter().zip(image.states());
    let used = pixels.map(|(&pixel, state)| pixel != 0.0 && state != PixelState::Masked);
    Mask::new(fast, used.collect())
}

/// The mask that a file of any format holds. Raw floats have the sides of the first panel.
///
/// # Errors
/// [`Error::Io`] for raw floats of another size, [`Error::Geometry`] for a detector without pixels.
pub fn mask_from(file: AnyImage, detector: &DetectorSpec) -> Result<Option<Mask>, Error> {
    let sides = detector.pixel_counts()?.map(|pixels| pixels as usize);
    Ok(mask_of(&file.into_stored(sides)?))
}
