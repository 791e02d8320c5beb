//! Photons are counted.

use serde::{Deserialize, Serialize};

use crate::{Context, Moments, ResponseStage, Strip};

/// How many photons arrive where some are expected.
///
/// ```text
/// x' = poisson(x)     mean' = max(mean, 0)     variance' = variance + max(mean, 0)
/// ```
///
/// The counts of a seed are those of the C program: pixels are drawn one after the other in raster
/// order, of means narrowed to `f32` ([`PoissonNoise`](nanobragg_numeric::PoissonNoise)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counting {
    /// A whole number with Poisson statistics.
    #[default]
    Poisson,
    /// What is expected, without noise.
    Expected,
}

impl ResponseStage for Counting {
    fn by_default() -> Option<Self> {
        Some(Self::default())
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        let mut photons = context.photons.unwrap_or_default();
        for pixel in strip.pixels.iter_mut() {
            if *self == Self::Poisson {
                *pixel = context.noise().count(*pixel as f32).into();
            }
            photons += *pixel;
        }
        context.photons = Some(photons);
    }

    fn predict(&self, moments: &mut Moments) {
        if *self == Self::Poisson {
            for (mean, variance) in moments.mean.iter_mut().zip(&mut moments.variance) {
                *mean = mean.max(0.0);
                *variance += *mean;
            }
        }
    }
}
