//! Profiles of a point spread, integrated over pixels.

use std::f64::consts::{LN_2, PI};

/// The width g of the fibre profile, in units of its full width at half maximum: 1 / (2 sqrt(2^(2/3) - 1)),
/// with the digits of the C program.
pub(crate) const FIBER_SCALE: f64 = 0.652383013252053;

/// ln 16.
const LN_16: f64 = 4.0 * LN_2;

/// The error functions at the two edges of a pixel, for the integral of a Gaussian over the pixel.
///
/// The integral of a Gaussian of unit volume over the quadrant below (x, y), up to functions of x or of
/// y alone, is `erf(2 x sqrt(ln 2)) erf(y sqrt(ln 16)) / 4` for a full width at half maximum of 1.
/// Returned for the upper and the lower edge of the pixel at `position`: the factor of x and the factor of y.
pub(crate) fn gauss_edges(position: f64, fwhm: f64) -> [[f64; 2]; 2] {
    let half = 1.0 / fwhm / 2.0;
    let (middle, root) = (position / fwhm, LN_2.sqrt());
    [middle + half, middle - half]
        .map(|edge| [libm::erf(2.0 * edge * root), libm::erf(edge * LN_16.sqrt())])
}

/// The integral of the fibre profile `g / (2 pi) (g^2 + x^2 + y^2)^(-3/2)` over the quadrant below (x, y),
/// up to functions of x or of y alone. It is odd in x and in y.
///
/// # Source
/// J. M. Holton, C. Nielsen and K. A. Frankel, J. Synchrotron Rad. 19 (2012) 1006.
pub(crate) fn fiber_quadrant(x: f64, y: f64, g: f64) -> f64 {
    ((x * y) / (g * (g * g + x * x + y * y).sqrt())).atan() / 2.0 / PI
}
