//! The image to fit.

use nanobragg::io::Image;
use nanobragg::response::Count;
use nanobragg::{Mask, ResponseSpec};

use crate::Error;

/// The image to fit, in photons, with one flag per pixel for those that are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    photons: Image<f64>,
    used: Vec<bool>,
    offset: f64,
}

impl Target {
    /// A target from an image of photons per pixel. Pixels that are not finite are not used.
    pub fn of_photons(image: &Image<f32>) -> Self {
        Self::new(image, 0.0, 1.0, f32::INFINITY)
    }

    /// A target from an image of counts, `counts = gain * photons + offset`.
    ///
    /// Overloads are not used: a pixel at the saturation count can have received any larger number of
    /// photons. The saturation is that of the detector, or the largest count of 16 bits.
    ///
    /// # Errors
    /// [`Error::Experiment`] for an impossible detector.
    pub fn of_counts(image: &Image<f32>, detector: &ResponseSpec) -> Result<Self, Error> {
        detector.check().map_err(nanobragg::Error::from)?;
        let offset = detector.offset.unwrap_or_default().counts;
        let gain = detector.gain.unwrap_or_default().counts_per_photon;
        let saturation = detector.saturation_counts.unwrap_or(u16::FULL);
        Ok(Self::new(image, offset, gain, saturation as f32))
    }

    fn new(image: &Image<f32>, offset: f64, gain: f64, saturation: f32) -> Self {
        // The saturation is in counts, so it is compared before offset and gain are removed.
        let used = image.pixels().iter();
        Self {
            used: used.map(|p| p.is_finite() && *p < saturation).collect(),
            photons: image.map(|&p| (f64::from(p) - offset) / gain),
            offset,
        }
    }

    /// The same target without the pixels that `mask` excludes.
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

    /// Photons per pixel: counts without offset and gain.
    pub fn photons(&self) -> &Image<f64> {
        &self.photons
    }

    /// One flag per pixel, `[slow][fast]`: whether it is used.
    pub fn used(&self) -> &[bool] {
        &self.used
    }

    /// The offset that was subtracted from each pixel, in counts.
    pub fn offset(&self) -> f64 {
        self.offset
    }
}
