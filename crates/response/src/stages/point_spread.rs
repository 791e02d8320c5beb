//! The spread of the signal of a photon over several pixels.

use std::borrow::Cow;
use std::f64::consts::{LN_2, SQRT_2};

use serde::{Deserialize, Serialize};

use crate::psf::{FIBER_SCALE, PointSpreadKernel, convolve, convolve_separable};
use crate::{Context, Error, Moments, ResponseStage, Strip};

/// The kernel of a Gaussian without `fwhm_pixels` ends at this number of standard deviations.
const REACH_SIGMAS: f64 = 3.0;

/// The largest width of a profile. It is wider than every detector.
const WIDEST_PIXELS: f64 = 1e5;

/// The part of the light of a long tail that may be beyond the automatic radius.
const TAIL: f64 = 1e-3;

/// The same for a Gaussian, whose tail is short.
const GAUSS_TAIL: f64 = 1e-7;

/// A point spread: the light of a pixel is distributed over the pixels around it. Photons that leave the
/// window are gone, and no photons come from outside.
///
/// ```text
/// x'_i = sum_j k_j x_(i-j)      mean'_i = sum_j k_j mean_(i-j)      variance'_i = sum_j k_j^2 variance_(i-j)
/// ```
///
/// The weights k are given by one of three fields: `kernel`, `fwhm_pixels` with `profile`, or
/// `sigma_pixels`. Noise of neighbouring pixels is correlated after the stage:
/// `covariance_(i,l) = sum_j k_(i-j) k_(l-j) variance_j`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointSpread {
    /// The standard deviation, in pixels, of a Gaussian that is sampled at the middles of pixels up to
    /// 3 sigma and has a sum of 1; 0 for none.
    pub sigma_pixels: f64,
    /// The full width of `profile` at half maximum, in pixels; 0 for none. The profile is integrated over
    /// each pixel.
    pub fwhm_pixels: f64,
    /// The profile of `fwhm_pixels`.
    pub profile: PointSpreadProfile,
    /// The radius in pixels; what is beyond is gone. `None` for the radius with all but 1e-3 of the light
    /// (1e-7 for a Gaussian), but not beyond the panel.
    pub radius_pixels: Option<u32>,
    /// The weights themselves, in rows. They are scaled to a sum of 1.
    pub kernel: Option<PointSpreadKernel>,
}

/// The profile of a point spread.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointSpreadProfile {
    /// A Gaussian.
    #[default]
    Gauss,
    /// The fibre-optic taper of a CCD detector: `g / (2 pi) (g^2 + r^2)^(-3/2)`.
    Fiber,
    /// `(beta - 1) / (pi alpha^2) (1 + r^2 / alpha^2)^(-beta)`.
    Moffat {
        /// The exponent, above 1. A smaller one has longer tails; 3/2 is the fibre profile.
        beta: f64,
    },
}

/// The weights of a point spread.
enum Weights<'a> {
    /// The weights along both axes, from the middle to one end.
    Separable(Vec<f64>),
    Whole(Cow<'a, PointSpreadKernel>),
}

impl Weights<'_> {
    fn apply(&self, pixels: &[f64], width: usize) -> Vec<f64> {
        match self {
            Self::Separable(kernel) => convolve_separable(kernel, pixels, width),
            Self::Whole(kernel) => convolve(kernel, pixels, width),
        }
    }

    fn squared(self) -> Self {
        match self {
            Self::Separable(kernel) => {
                Self::Separable(kernel.into_iter().map(|weight| weight * weight).collect())
            }
            Self::Whole(kernel) => Self::Whole(Cow::Owned(kernel.into_owned().squared())),
        }
    }
}

impl PointSpread {
    /// A Gaussian of this standard deviation, sampled at the middles of pixels.
    pub fn gaussian(sigma_pixels: f64) -> Self {
        Self {
            sigma_pixels,
            ..Self::default()
        }
    }

    /// The pixels after the spread, `[slow][fast]` in rows of `width`.
    pub fn spread(&self, pixels: &[f64], width: usize) -> Vec<f64> {
        self.weights(pixels.len(), width).apply(pixels, width)
    }

    /// The weights for a panel of this many pixels.
    fn weights(&self, pixels: usize, width: usize) -> Weights<'_> {
        if let Some(kernel) = &self.kernel {
            return Weights::Whole(Cow::Owned(kernel.clone().normalised()));
        }
        let fwhm = self.fwhm_pixels.min(WIDEST_PIXELS);
        if fwhm.is_nan() || fwhm <= 0.0 {
            return Weights::Separable(self.sampled());
        }
        let longest = width.max(pixels / width.max(1)).max(1);
        let radius = match self.radius_pixels {
            Some(radius) => radius as usize,
            None => self.profile.reach(fwhm).ceil() as usize,
        };
        // No light goes further on the panel.
        let radius = radius.clamp(1, longest);
        match self.profile {
            PointSpreadProfile::Gauss => {
                let scale = SQRT_2 * fwhm / (8.0 * LN_2).sqrt();
                let below = |edge: f64| libm::erf(edge / scale);
                let weight = |i: usize| (below(i as f64 + 0.5) - below(i as f64 - 0.5)) / 2.0;
                Weights::Separable((0..=radius).map(weight).collect())
            }
            PointSpreadProfile::Fiber => Weights::Whole(Cow::Owned(PointSpreadKernel::fiber(
                fwhm * FIBER_SCALE,
                radius,
            ))),
            PointSpreadProfile::Moffat { beta } => {
                let alpha = moffat_width(fwhm, beta);
                Weights::Whole(Cow::Owned(PointSpreadKernel::moffat(alpha, beta, radius)))
            }
        }
    }

    /// The sampled Gaussian from its middle to one end. Its sum over both sides is 1.
    fn sampled(&self) -> Vec<f64> {
        let sigma = self.sigma_pixels.min(WIDEST_PIXELS);
        if sigma.is_nan() || sigma <= 0.0 {
            return vec![1.0];
        }
        let reach = (REACH_SIGMAS * sigma).ceil() as usize;
        let weight = |i: usize| (-0.5 * (i as f64 / sigma).powi(2)).exp();
        let mut kernel: Vec<f64> = (0..=reach).map(weight).collect();
        // Both sides, with the middle, whose weight is 1, counted once.
        let total = 2.0 * kernel.iter().sum::<f64>() - 1.0;
        kernel.iter_mut().for_each(|weight| *weight /= total);
        kernel
    }
}

/// The width alpha of a Moffat profile.
fn moffat_width(fwhm: f64, beta: f64) -> f64 {
    fwhm / (2.0 * (2.0_f64.powf(1.0 / beta) - 1.0).sqrt())
}

impl PointSpreadProfile {
    /// The radius beyond which [`TAIL`] or [`GAUSS_TAIL`] of the light is.
    fn reach(self, fwhm: f64) -> f64 {
        match self {
            // The light beyond r is 16^(-(r / fwhm)^2).
            Self::Gauss => 1.0 + fwhm * (-GAUSS_TAIL.ln() / (4.0 * LN_2)).sqrt(),
            // g / sqrt(g^2 + r^2).
            Self::Fiber => fwhm * FIBER_SCALE / TAIL,
            // (1 + r^2 / alpha^2)^(1 - beta).
            Self::Moffat { beta } => {
                moffat_width(fwhm, beta) * (TAIL.powf(1.0 / (1.0 - beta)) - 1.0).sqrt()
            }
        }
    }
}

impl ResponseStage for PointSpread {
    fn check(&self) -> Result<(), Error> {
        for (field, value) in [
            ("point_spread.sigma_pixels", self.sigma_pixels),
            ("point_spread.fwhm_pixels", self.fwhm_pixels),
        ] {
            let is_allowed = (0.0..=WIDEST_PIXELS).contains(&value);
            Error::unless(is_allowed, field, value, "from 0 to 100000")?;
        }
        if let PointSpreadProfile::Moffat { beta } = self.profile {
            let field = "point_spread.profile.moffat.beta";
            let is_allowed = (1.01..=100.0).contains(&beta);
            Error::unless(is_allowed, field, beta, "from 1.01 to 100")?;
        }
        let widths = [
            self.sigma_pixels > 0.0,
            self.fwhm_pixels > 0.0,
            self.kernel.is_some(),
        ];
        if widths.iter().filter(|is_given| **is_given).count() > 1 {
            return Err(Error::TwoPointSpreads);
        }
        Ok(())
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        let spread = self.spread(strip.pixels, strip.width);
        strip.pixels.copy_from_slice(&spread);
    }

    fn predict(&self, moments: &mut Moments) {
        let weights = self.weights(moments.mean.len(), moments.width);
        moments.mean = weights.apply(&moments.mean, moments.width);
        if !moments.common.is_empty() {
            moments.common = weights.apply(&moments.common, moments.width);
        }
        // The noise of different pixels is independent before the spread, so the variances add up with
        // the squares of the weights.
        moments.variance = weights.squared().apply(&moments.variance, moments.width);
    }

    fn needs_panel(&self) -> bool {
        true
    }
}
