//! How likely the target is, given the photons that are expected.

use crate::Error;

/// The photons added to both sides of the Poisson likelihood.
///
/// Between spots a prediction falls by many orders of magnitude, where the logarithm would let a
/// single stray photon outweigh an image. With the same number added to target and prediction, the
/// expectation of the score stays 0, so nothing is biased; what is lost is the information of pixels
/// that expect fewer photons than this.
pub const POISSON_FLOOR: f64 = 0.1;

/// The probability of what a pixel holds, given the photons `m` that are expected there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Likelihood {
    /// Counting noise: twice the negative log-likelihood is, up to a constant, the deviance
    /// `2 (m - t + t ln(t/m))`, with [`POISSON_FLOOR`] added to t and m.
    #[default]
    Poisson,
    /// Normal noise: `(t - m)^2/v`.
    Gaussian(Variance),
}

/// The variance of a pixel, in squared photons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variance {
    /// The same everywhere.
    Fixed {
        /// Standard deviation in photons.
        sigma: f64,
    },
    /// `m + readout^2 + (calibration m)^2`, with m as predicted when a round of the fit begins.
    Counting {
        /// Standard deviation of a dark pixel in photons.
        readout: f64,
        /// Standard deviation of the calibration of a pixel, as a fraction.
        calibration: f64,
    },
}

impl Likelihood {
    /// Checks that variances are above 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self) -> Result<(), Error> {
        let positive = |quantity, value: f64| {
            if value > 0.0 && value.is_finite() {
                return Ok(());
            }
            Err(Error::OutOfRange {
                quantity,
                value,
                allowed: "above 0",
            })
        };
        match *self {
            Self::Poisson => Ok(()),
            Self::Gaussian(Variance::Fixed { sigma }) => positive("the sigma of a pixel", sigma),
            Self::Gaussian(Variance::Counting {
                readout,
                calibration,
            }) => {
                positive("the readout noise", readout)?;
                if calibration >= 0.0 && calibration.is_finite() {
                    return Ok(());
                }
                Err(Error::OutOfRange {
                    quantity: "the calibration error",
                    value: calibration,
                    allowed: "0 or above",
                })
            }
        }
    }
}

impl Variance {
    /// The variance of a pixel that expects `m` photons.
    pub fn at(&self, m: f64) -> f64 {
        match *self {
            Self::Fixed { sigma } => sigma * sigma,
            Self::Counting {
                readout,
                calibration,
            } => m.max(0.0) + readout * readout + (calibration * m).powi(2),
        }
    }
}

/// What one pixel adds to twice the negative log-likelihood, and to its first and second derivative
/// by the prediction, halved; the second is the expected one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Term {
    pub(crate) misfit: f64,
    pub(crate) slope: f64,
    pub(crate) weight: f64,
}

impl Term {
    /// `(t - m)^2 w`.
    pub(crate) fn square(target: f64, model: f64, weight: f64) -> Self {
        let residual = model - target;
        Self {
            misfit: weight * residual * residual,
            slope: weight * residual,
            weight,
        }
    }

    /// The deviance of a count.
    pub(crate) fn deviance(target: f64, model: f64) -> Self {
        let m = model.max(0.0) + POISSON_FLOOR;
        // Offsets that are not exact leave a few pixels below 0.
        let t = (target + POISSON_FLOOR).max(0.0);
        let log = if t > 0.0 { t * (t / m).ln() } else { 0.0 };
        Self {
            misfit: 2.0 * (m - t + log),
            slope: 1.0 - t / m,
            weight: 1.0 / m,
        }
    }
}
