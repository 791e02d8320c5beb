//! How likely the target is, given the photons that are expected.

use nanobragg::ResponseSpec;

use crate::Error;

/// The photons added to both sides of the Poisson likelihood.
///
/// Between spots a prediction falls by many orders of magnitude, where the logarithm would let a
/// single stray photon outweigh an image. With the same number added to target and prediction, the
/// expectation of the score stays 0, so nothing is biased; what is lost is the information of pixels
/// that expect fewer photons than this.
pub const POISSON_FLOOR: f64 = 0.1;

/// The probability of what a pixel holds, given the photons `m` that are expected there.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Likelihood {
    /// Counting noise: twice the negative log-likelihood is, up to a constant, the deviance
    /// `2 (m - t + t ln(t/m))`, with [`POISSON_FLOOR`] added to t and m.
    #[default]
    Poisson,
    /// Normal noise: `(t - m)^2/v`.
    Gaussian(Variance),
}

/// The variance of a pixel, in squared photons.
#[derive(Debug, Clone, PartialEq)]
pub enum Variance {
    /// The same everywhere.
    Fixed {
        /// Standard deviation in photons.
        sigma: f64,
    },
    /// What the stages of a detector make of the photons that are predicted when a round of the fit
    /// begins, over the square of its gain. Boxed for its size.
    Counting(Box<ResponseSpec>),
}

impl Likelihood {
    /// Checks that variances are above 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::Experiment`] for a detector that cannot be.
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
        match self {
            Self::Poisson => Ok(()),
            Self::Gaussian(Variance::Fixed { sigma }) => positive("the sigma of a pixel", *sigma),
            Self::Gaussian(Variance::Counting(detector)) => {
                detector.check().map_err(nanobragg::Error::from)?;
                let dark = detector.predict(vec![0.0], 1).variance;
                positive("the variance of a dark pixel", dark.iter().sum())
            }
        }
    }
}

impl Variance {
    /// The variance of each pixel of an image, `[slow][fast]`, that expects `photons`.
    pub(crate) fn of(&self, photons: &[f64], pixels_fast: usize) -> Vec<f64> {
        match self {
            Self::Fixed { sigma } => vec![sigma * sigma; photons.len()],
            Self::Counting(detector) => {
                let gain = detector.gain.unwrap_or_default().counts_per_photon;
                let mut variance = detector.predict(photons.to_vec(), pixels_fast).variance;
                variance.iter_mut().for_each(|v| *v /= gain * gain);
                variance
            }
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
