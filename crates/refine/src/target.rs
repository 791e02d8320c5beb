//! The image to fit.

use nanobragg::Mask;
use nanobragg::io::Image;

use crate::Error;

/// The brightest count of a 16-bit image: a pixel that holds it may have met any more.
const OVERLOAD: f32 = 65535.0;

/// The image to fit, in photons, and which of its pixels are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    photons: Image<f64>,
    used: Vec<bool>,
    offset: f64,
}

impl Target {
    /// An image of photons per pixel; pixels that are not finite are not used.
    pub fn of_photons(image: &Image<f32>) -> Self {
        Self::new(image, 0.0, 1.0, f32::INFINITY)
    }

    /// An image of 16-bit counts, `counts = gain * photons + offset`. Overloads are not used.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an offset that is not finite or a gain that is not above 0.
    pub fn of_counts(image: &Image<f32>, offset: f64, gain: f64) -> Result<Self, Error> {
        let refuse = |quantity, value, allowed| {
            Err(Error::OutOfRange {
                quantity,
                value,
                allowed,
            })
        };
        if !offset.is_finite() {
            return refuse("the offset of the target", offset, "a finite number");
        }
        if !(gain > 0.0 && gain.is_finite()) {
            return refuse("the gain of the target", gain, "above 0");
        }
        Ok(Self::new(image, offset, gain, OVERLOAD))
    }

    fn new(image: &Image<f32>, offset: f64, gain: f64, overload: f32) -> Self {
        let used = image.pixels().iter();
        Self {
            used: used.map(|p| p.is_finite() && *p < overload).collect(),
            photons: image.map(|&p| (f64::from(p) - offset) / gain),
            offset,
        }
    }

    /// The same target without the pixels that `mask` leaves out.
    #[must_use]
    pub fn without(mut self, mask: &Mask) -> Self {
        let fast = self.photons.fast();
        for (slow, row) in self.used.chunks_exact_mut(fast).enumerate() {
            for (used, kept) in row.iter_mut().zip(mask.row(slow)) {
                *used &= kept;
            }
        }
        self
    }

    /// Photons per pixel, offset and gain undone.
    pub fn photons(&self) -> &Image<f64> {
        &self.photons
    }

    /// One flag a pixel, `[slow][fast]`.
    pub fn used(&self) -> &[bool] {
        &self.used
    }

    /// What was subtracted from each pixel, in counts.
    pub fn offset(&self) -> f64 {
        self.offset
    }
}
