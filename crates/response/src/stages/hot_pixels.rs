//! Pixels that always count too much.

use serde::{Deserialize, Serialize};

use super::check_fraction;
use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// Hot pixels: a random fraction f of pixels, the same in every image of a detector, has h more counts.
///
/// ```text
/// x' = x + h with probability f     mean' = mean + f h     variance' = variance + f (1 - f) h^2
/// ```
///
/// Mean and variance are over detectors of different seeds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HotPixels {
    /// The probability of a pixel to be hot.
    pub fraction: f64,
    /// The counts that a hot pixel adds.
    pub counts: f64,
    /// The seed of the choice of pixels.
    pub seed: i64,
}

impl ResponseStage for HotPixels {
    fn check(&self) -> Result<(), Error> {
        check_fraction("hot_pixels.fraction", self.fraction)?;
        let field = "hot_pixels.counts";
        Error::unless(true, field, self.counts, "a finite number")
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        strip.rows(Draw::HotPixels, self.seed, |noise, first, row| {
            noise.uniform(first, row, |pixel, uniform| {
                if uniform < self.fraction {
                    *pixel += self.counts;
                }
            });
        });
    }

    fn predict(&self, moments: &mut Moments) {
        let added = self.fraction * self.counts;
        for (mean, variance) in moments.mean.iter_mut().zip(&mut moments.variance) {
            *mean += added;
            *variance += added * (self.counts - added);
        }
    }
}
