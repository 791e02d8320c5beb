//! Pixels with a larger read-out noise.

use serde::{Deserialize, Serialize};

use super::check_fraction;
use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// Noisy pixels: a random fraction f of pixels, the same in every image of a detector, has additional
/// Gaussian noise, another one in every image.
///
/// ```text
/// x' = x + sigma g with probability f     mean' = mean     variance' = variance + f sigma^2
/// ```
///
/// The variance is over detectors of different seeds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoisyPixels {
    /// The probability of a pixel to be noisy.
    pub fraction: f64,
    /// The standard deviation of the additional noise, in counts.
    pub sigma_counts: f64,
    /// The seed of the choice of pixels.
    pub seed: i64,
}

impl ResponseStage for NoisyPixels {
    fn check(&self) -> Result<(), Error> {
        check_fraction("noisy_pixels.fraction", self.fraction)?;
        let (field, sigma) = ("noisy_pixels.sigma_counts", self.sigma_counts);
        Error::unless(sigma >= 0.0, field, sigma, "0 or above")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        let of_image = context.of_image(Draw::NoisyReadOut, strip.panel);
        strip.rows(Draw::NoisyPixels, self.seed, |noise, [fast, slow], row| {
            let mut positions = fast..;
            noise.uniform([fast, slow], row, |pixel, uniform| {
                let fast = positions.next().unwrap_or_default();
                if uniform < self.fraction {
                    *pixel += self.sigma_counts * of_image.pixel([fast, slow]).gaussian();
                }
            });
        });
    }

    fn predict(&self, moments: &mut Moments) {
        for variance in &mut moments.variance {
            *variance += self.fraction * self.sigma_counts * self.sigma_counts;
        }
    }
}
