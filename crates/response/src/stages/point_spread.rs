//! The spread of the signal of a photon over several pixels.

use serde::{Deserialize, Serialize};

use crate::{Context, Error, Moments, ResponseStage, Strip};

/// The kernel ends at this number of standard deviations from its middle.
const REACH_SIGMAS: f64 = 3.0;

/// The largest standard deviation. It is wider than every detector.
const WIDEST_PIXELS: f64 = 1e5;

/// A Gaussian point spread along both axes. Pixels outside the window count as 0.
///
/// ```text
/// x'_i = sum_j k_j x_(i+j)      mean'_i = sum_j k_j mean_(i+j)      variance'_i = sum_j k_j^2 variance_(i+j)
/// k_j proportional to exp(-j^2 / (2 sigma^2)), |j| <= 3 sigma, with a sum of 1; the same along both axes
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointSpread {
    /// The standard deviation in pixels; 0 for no spread.
    pub sigma_pixels: f64,
}

impl PointSpread {
    /// The pixels after the spread, `[slow][fast]` in rows of `width`.
    pub fn spread(&self, pixels: &[f64], width: usize) -> Vec<f64> {
        convolve(&self.kernel(), pixels, width)
    }

    /// The kernel from its middle to one end. Its sum over both sides is 1.
    fn kernel(&self) -> Vec<f64> {
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

impl ResponseStage for PointSpread {
    fn check(&self) -> Result<(), Error> {
        let sigma = self.sigma_pixels;
        let is_allowed = (0.0..=WIDEST_PIXELS).contains(&sigma);
        let field = "point_spread.sigma_pixels";
        Error::unless(is_allowed, field, sigma, "from 0 to 100000")
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        let spread = self.spread(strip.pixels, strip.width);
        strip.pixels.copy_from_slice(&spread);
    }

    fn predict(&self, moments: &mut Moments) {
        let mut kernel = self.kernel();
        moments.mean = convolve(&kernel, &moments.mean, moments.width);
        // The noise of different pixels is independent before the spread, so the variances add up with
        // the squares of the weights.
        kernel.iter_mut().for_each(|weight| *weight *= *weight);
        moments.variance = convolve(&kernel, &moments.variance, moments.width);
    }

    fn needs_panel(&self) -> bool {
        true
    }
}

/// The convolution with a symmetric kernel, along rows and then along columns. `kernel` is the part
/// from its middle to one end.
///
/// A Gaussian in two dimensions is the product of two in one dimension, which needs far fewer
/// operations.
fn convolve(kernel: &[f64], pixels: &[f64], width: usize) -> Vec<f64> {
    let width = width.max(1);
    let mut along_fast = vec![0.0; pixels.len()];
    for (to, from) in along_fast.chunks_mut(width).zip(pixels.chunks(width)) {
        add_weighted(to, kernel, from, 1);
    }
    let mut both = vec![0.0; pixels.len()];
    add_weighted(&mut both, kernel, &along_fast, width);
    both
}

/// Adds to each number of `to` the weighted numbers of `from` at distances of 0, 1, 2, ... strides on
/// both sides.
fn add_weighted(to: &mut [f64], kernel: &[f64], from: &[f64], stride: usize) {
    for (i, &weight) in kernel.iter().enumerate() {
        let shift = i * stride;
        if shift >= from.len() {
            break;
        }
        let (later, earlier) = (from.iter().skip(shift), from.iter());
        for (to, value) in to.iter_mut().zip(later) {
            *to += weight * value;
        }
        if i > 0 {
            for (to, value) in to.iter_mut().skip(shift).zip(earlier) {
                *to += weight * value;
            }
        }
    }
}
