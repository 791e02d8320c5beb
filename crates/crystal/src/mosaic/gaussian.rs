//! Angles with a Gaussian distribution.

use nanobragg_numeric::normal_quantile;

/// The magnitude of the angle, in standard deviations, below which a fraction `p` of the domains has its angle.
///
/// The angle about a random axis is normal with mean 0; its sign only turns the axis around. The root mean
/// square angle is the standard deviation, and that of the component along a fixed direction is a factor
/// sqrt(3) smaller.
///
/// # Source
/// N. K. Sauter et al., Acta Cryst. D76 (2020) 176, and the simulator simtbx, for angle and axis; Gaussian
/// deviates by the inverse of the distribution.
pub(super) fn quantile(p: f64) -> f64 {
    normal_quantile(0.5 + 0.5 * p)
}
