//! Counting of photons.

use serde::{Deserialize, Serialize};

use crate::{Context, Moments, ResponseStage, Strip};

/// The number of photons in a pixel, given the expected number.
///
/// ```text
/// x' = poisson(x)     mean' = max(mean, 0)     variance' = variance + max(mean, 0)
/// ```
///
/// With the stream of the C program ([`NoiseStream::C`](crate::NoiseStream::C)) a seed gives the counts of
/// the C program. For this the pixels are drawn in raster order, from means that are converted to `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counting {
    /// An integer with Poisson statistics.
    #[default]
    Poisson,
    /// The expected number, without noise.
    Expected,
}

impl ResponseStage for Counting {
    fn by_default() -> Option<Self> {
        Some(Self::default())
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        if *self == Self::Poisson {
            context.count(strip);
        }
        context.add_photons(strip.pixels);
    }

    fn predict(&self, moments: &mut Moments) {
        if *self == Self::Poisson {
            for (mean, variance) in moments.mean.iter_mut().zip(&mut moments.variance) {
                // If the mean m itself has a variance v, that of the count is m + v.
                *mean = mean.max(0.0);
                *variance += *mean;
            }
        }
    }
}
