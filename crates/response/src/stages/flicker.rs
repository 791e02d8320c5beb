//! Flicker: an intensity of the source that changes from image to image.

use serde::{Deserialize, Serialize};

use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// The expected photons of an image are multiplied by `1 + sigma g` with one Gaussian deviate g for all
/// pixels of all panels.
///
/// ```text
/// x' = x (1 + sigma g)     mean' = mean     variance' = variance + sigma^2 (mean^2 + variance)
/// ```
///
/// The prediction is that of a pixel over many images: in one image all pixels are too bright or too dark
/// together. The C program noisify draws a deviate for each pixel, `per_pixel`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flicker {
    /// The standard deviation of the intensity, as a fraction.
    pub sigma_fraction: f64,
    /// Whether each pixel has its own deviate.
    pub per_pixel: bool,
}

impl ResponseStage for Flicker {
    fn check(&self) -> Result<(), Error> {
        let sigma = self.sigma_fraction;
        Error::unless(sigma >= 0.0, "flicker.sigma_fraction", sigma, "0 or above")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        if self.per_pixel {
            context.gaussian(Draw::Flicker, strip, |pixel, deviate| {
                *pixel *= 1.0 + self.sigma_fraction * deviate;
            });
            return;
        }
        let factor = 1.0 + self.sigma_fraction * context.deviate_of_image(Draw::Flicker);
        for pixel in strip.pixels.iter_mut() {
            *pixel *= factor;
        }
    }

    fn predict(&self, moments: &mut Moments) {
        if !self.per_pixel {
            // No stage before this one has noise.
            let common = moments.mean.iter().map(|mean| self.sigma_fraction * mean);
            moments.common = common.collect();
            return;
        }
        // As for the calibration: x and g are independent and the mean of g is 0.
        let square = self.sigma_fraction * self.sigma_fraction;
        for (variance, mean) in moments.variance.iter_mut().zip(&moments.mean) {
            *variance += square * (mean * mean + *variance);
        }
    }
}
