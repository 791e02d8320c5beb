//! Errors of the calibration: pixels of unequal sensitivity.

use serde::{Deserialize, Serialize};

use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// The sensitivity of each pixel is `1 + sigma g` with a Gaussian deviate g. The deviates have a seed of
/// their own, so that they are the same in every image of a detector.
///
/// ```text
/// x' = x (1 + sigma g)     mean' = mean     variance' = variance + sigma^2 (mean^2 + variance)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calibration {
    /// The standard deviation of the sensitivity, as a fraction.
    pub sigma_fraction: f64,
    /// The seed of the sensitivities.
    pub seed: i64,
}

impl ResponseStage for Calibration {
    fn check(&self) -> Result<(), Error> {
        let sigma = self.sigma_fraction;
        let field = "calibration.sigma_fraction";
        Error::unless(sigma >= 0.0, field, sigma, "0 or above")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        context.gaussian_of_detector(Draw::Calibration, self.seed, strip, |pixel, g| {
            *pixel *= 1.0 + self.sigma_fraction * g;
        });
    }

    fn predict(&self, moments: &mut Moments) {
        // x and g are independent and the mean of g is 0, so
        // Var(x g) = E(x^2) E(g^2) = mean^2 + variance.
        let square = self.sigma_fraction * self.sigma_fraction;
        for (variance, mean) in moments.variance.iter_mut().zip(&moments.mean) {
            *variance += square * (mean * mean + *variance);
        }
        for (variance, common) in moments.variance.iter_mut().zip(&moments.common) {
            *variance += square * common * common;
        }
    }
}
