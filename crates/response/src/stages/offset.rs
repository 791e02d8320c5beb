//! The offset of all pixels, which keeps noise from being cut at 0.

use serde::{Deserialize, Serialize};

use crate::{Context, Error, Moments, ResponseStage, Strip};

/// The pedestal of every pixel.
///
/// ```text
/// x' = x + offset     mean' = mean + offset     variance' = variance
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Offset {
    /// The offset in counts.
    pub counts: f64,
}

impl Default for Offset {
    /// The 40 counts of the C program. Many CCD detectors of its time added as many.
    fn default() -> Self {
        Self { counts: 40.0 }
    }
}

impl ResponseStage for Offset {
    fn by_default() -> Option<Self> {
        Some(Self::default())
    }

    fn check(&self) -> Result<(), Error> {
        Error::unless(true, "offset.counts", self.counts, "a finite number")
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        for pixel in strip.pixels.iter_mut() {
            *pixel += self.counts;
        }
    }

    fn predict(&self, moments: &mut Moments) {
        for mean in &mut moments.mean {
            *mean += self.counts;
        }
    }
}
