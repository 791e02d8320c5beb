//! The likelihood of the target, given the expected photons.

use nanobragg::ResponseSpec;

use crate::Error;
use crate::target::Panels;

/// The number of photons that is added to target and prediction in the Poisson likelihood.
///
/// Between spots the prediction can be 1e-10 photons. The logarithm would then give a single stray
/// photon more weight than the rest of the image. Because the same number is added to both, the
/// expectation of the score stays 0 and the result is not biased. Only the information of pixels with
/// fewer expected photons than this is lost.
pub const POISSON_FLOOR: f64 = 0.1;

/// The probability of the photons `t` in a pixel, given the expected photons `m`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Likelihood {
    /// Counting noise. Up to a constant, twice the negative log-likelihood is the deviance
    /// `2 (m - t + t ln(t/m))`, with [`POISSON_FLOOR`] added to t and m.
    #[default]
    Poisson,
    /// Normal noise with the variance v: `(t - m)^2/v`.
    Gaussian(Variance),
}

/// The variance of a pixel, in squared photons.
#[derive(Debug, Clone, PartialEq)]
pub enum Variance {
    /// The same variance in all pixels.
    Fixed {
        /// Standard deviation in photons.
        sigma: f64,
    },
    /// The variance that the stages of this detector predict, divided by the square of its gain. It is
    /// computed from the prediction at the start of a round of the fit. Boxed for its size.
    Counting(Box<ResponseSpec>),
}

impl Likelihood {
    /// Checks that variances are above 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a variance that is not above 0, [`Error::Experiment`] for an
    /// impossible detector.
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
                // A dark pixel has the smallest variance; it must not have an infinite weight.
                let dark = detector.predict(vec![0.0], 1).variance;
                positive("the variance of a dark pixel", dark.iter().sum())
            }
        }
    }
}

impl Variance {
    /// The variance of each pixel of an image `[panel][slow][fast]` with the expected `photons`.
    pub(crate) fn of(&self, photons: &[f64], panels: Panels) -> Vec<f64> {
        match self {
            Self::Fixed { sigma } => vec![sigma * sigma; photons.len()],
            Self::Counting(detector) => {
                let gain = detector.gain.unwrap_or_default().counts_per_photon;
                let of_panel =
                    |photons: &[f64]| detector.predict(photons.to_vec(), panels.fast).variance;
                let mut variance = panels.each(photons, of_panel);
                // In photons squared: the counts of the target were divided by the gain.
                variance.iter_mut().for_each(|v| *v /= gain * gain);
                variance
            }
        }
    }
}

/// The contribution of one pixel to the misfit, to half its first derivative by the prediction, and to
/// the expectation of half its second derivative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PixelTerm {
    pub(crate) misfit: f64,
    pub(crate) slope: f64,
    pub(crate) weight: f64,
}

impl PixelTerm {
    /// `(t - m)^2 w`.
    pub(crate) fn square(target: f64, model: f64, weight: f64) -> Self {
        let residual = model - target;
        Self {
            misfit: weight * residual * residual,
            slope: weight * residual,
            weight,
        }
    }

    /// The deviance of a Poisson count.
    ///
    /// Half its derivative by m is `1 - t/m`. Half its second derivative is `t/m^2`, whose expectation
    /// is `1/m`, because the expectation of t is m.
    pub(crate) fn deviance(target: f64, model: f64) -> Self {
        let m = model.max(0.0) + POISSON_FLOOR;
        // A few pixels can be below 0 if the offset is not exact.
        let t = (target + POISSON_FLOOR).max(0.0);
        // The limit of t ln t at 0 is 0.
        let log = if t > 0.0 { t * (t / m).ln() } else { 0.0 };
        Self {
            misfit: 2.0 * (m - t + log),
            slope: 1.0 - t / m,
            weight: 1.0 / m,
        }
    }
}
