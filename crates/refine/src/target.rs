//! The image to fit.

use std::path::Path;

use nanobragg::io::Image;
use nanobragg::io::any::{AnyImage, Format, StoredImage};
use nanobragg::io::{PixelState, StoredPixels};
use nanobragg::response::{Count, PointSpread};
use nanobragg::{Mask, ResponseSpec, mask_of};

use crate::Error;

/// The panels of a target. All have the same number of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panels {
    /// Pixels of each along the fast axis.
    pub(crate) fast: usize,
    /// Pixels of each.
    pub(crate) pixels: usize,
}

impl Panels {
    /// The results of `work` for the image of each panel, `[slow][fast]`.
    pub(crate) fn each(self, pixels: &[f64], work: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        pixels.chunks(self.pixels).flat_map(work).collect()
    }

    /// The images blurred, each within its panel.
    pub(crate) fn spread(self, blur: &PointSpread, pixels: &[f64]) -> Vec<f64> {
        self.each(pixels, |panel| blur.spread(panel, self.fast))
    }
}

/// The image to fit, in photons, with one flag per pixel for those that are used. The panels of a detector
/// follow each other, one below the other.
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
    /// photons. The saturation is that of the detector, or the largest count of 16 bits. Negative counts,
    /// with which detectors mark gaps and defective pixels, are not used either.
    ///
    /// # Errors
    /// [`Error::Experiment`] for an impossible detector.
    pub fn of_counts(image: &Image<f32>, detector: &ResponseSpec) -> Result<Self, Error> {
        detector.check().map_err(nanobragg::Error::from)?;
        let offset = detector.offset.unwrap_or_default().counts;
        let gain = detector.gain.unwrap_or_default().counts_per_photon;
        let saturation = detector.saturation_counts.unwrap_or(u16::FULL);
        let mut target = Self::new(image, offset, gain, saturation as f32);
        for (used, &count) in target.used.iter_mut().zip(image.pixels()) {
            *used &= count >= 0.0;
        }
        Ok(target)
    }

    /// A target from an image that was in a file: of counts if its numbers are whole, except for raw
    /// floats, which are photons. Pixels are not used that the file says are no measurements, and of
    /// unsigned counts not the largest that the type can hold.
    ///
    /// # Errors
    /// As [`of_counts`](Self::of_counts).
    pub fn of_stored(image: &StoredImage, response: &ResponseSpec) -> Result<Self, Error> {
        let floats = image.pixels.to_floats();
        let holds_counts = match &image.pixels {
            StoredPixels::F32(floats) => {
                let is_whole = |pixel: &f32| pixel.fract() == 0.0;
                image.format != Format::Float && floats.pixels().iter().all(is_whole)
            }
            _ => true,
        };
        let mut target = if holds_counts {
            // Saturates: floats have no largest count.
            let most = image.pixels.most() as u32;
            let saturation = response
                .saturation_counts
                .map_or(most, |counts| counts.min(most));
            let response = ResponseSpec {
                saturation_counts: Some(saturation),
                ..response.clone()
            };
            Self::of_counts(&floats, &response)?
        } else {
            Self::of_photons(&floats)
        };
        for (used, state) in target.used.iter_mut().zip(image.states()) {
            *used &= state == PixelState::Measured;
        }
        Ok(target)
    }

    /// The image in a file, for a detector of these sides (fast, slow), which made counts of photons as
    /// `response` says; see [`of_stored`](Self::of_stored). Pixels that are 0 or masked in the image `mask`
    /// are not used.
    ///
    /// # Errors
    /// [`Error::Experiment`] for a file that cannot be read or a detector that cannot be, [`Error::MaskSides`].
    pub fn read(
        path: &Path,
        mask: Option<&Path>,
        sides: [usize; 2],
        response: &ResponseSpec,
    ) -> Result<Self, Error> {
        let image = read_image(path, sides)?;
        let target = Self::of_stored(&image, response)?;
        let Some(path) = mask else {
            return Ok(target);
        };
        let target_sides = image.pixels.sides();
        let mask = read_image(path, target_sides)?;
        match mask_of(&mask) {
            Some(kept) if mask.pixels.sides() == target_sides => Ok(target.without(&kept)),
            _ => Err(Error::MaskSides {
                path: path.to_path_buf(),
                mask: mask.pixels.sides(),
                target: target_sides,
            }),
        }
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

/// An image of any format; raw floats have the sides given.
fn read_image(path: &Path, sides: [usize; 2]) -> Result<StoredImage, Error> {
    let image = AnyImage::read(path).and_then(|image| image.into_stored(sides));
    Ok(image.map_err(nanobragg::Error::from)?)
}
