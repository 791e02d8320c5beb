//! The noise of the read-out of a pixel.

use serde::{Deserialize, Serialize};

use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// Gaussian noise that does not depend on the signal, different in every image.
///
/// ```text
/// x' = x + sigma g     mean' = mean     variance' = variance + sigma^2
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOut {
    /// The standard deviation of a dark pixel, in counts.
    pub sigma_counts: f64,
}

impl ResponseStage for ReadOut {
    fn check(&self) -> Result<(), Error> {
        let sigma = self.sigma_counts;
        Error::unless(sigma >= 0.0, "read_out.sigma_counts", sigma, "0 or above")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        // A deviate is drawn even if sigma is 0, so that sigma does not change the stream.
        context.gaussian(Draw::ReadOut, strip, |pixel, g| {
            *pixel += self.sigma_counts * g
        });
    }

    fn predict(&self, moments: &mut Moments) {
        for variance in &mut moments.variance {
            *variance += self.sigma_counts * self.sigma_counts;
        }
    }
}
