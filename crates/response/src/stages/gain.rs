//! The conversion of photons to counts.

use serde::{Deserialize, Serialize};

use crate::{Context, Error, Moments, ResponseStage, Strip};

/// Counts per photon.
///
/// ```text
/// x' = gain x     mean' = gain mean     variance' = gain^2 variance
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gain {
    /// Counts per photon.
    pub counts_per_photon: f64,
}

impl Default for Gain {
    /// One count per photon.
    fn default() -> Self {
        Self {
            counts_per_photon: 1.0,
        }
    }
}

impl ResponseStage for Gain {
    fn check(&self) -> Result<(), Error> {
        let gain = self.counts_per_photon;
        Error::unless(gain > 0.0, "gain.counts_per_photon", gain, "above 0")
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        for pixel in strip.pixels.iter_mut() {
            *pixel *= self.counts_per_photon;
        }
    }

    fn predict(&self, moments: &mut Moments) {
        for (mean, variance) in moments.mean.iter_mut().zip(&mut moments.variance) {
            *mean *= self.counts_per_photon;
            *variance *= self.counts_per_photon * self.counts_per_photon;
        }
        for common in &mut moments.common {
            *common *= self.counts_per_photon;
        }
    }
}
