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

/// The Moffat profile `(beta - 1) / (pi alpha^2) (1 + r^2 / alpha^2)^(-beta)`, integrated over the pixel at
/// (x, y), to about 1e-10. The fibre profile has an exponent of 3/2.
///
/// # Source
/// A. F. J. Moffat, Astronomy and Astrophysics 3 (1969) 455.
pub(crate) fn moffat_over_pixel(x: f64, y: f64, alpha: f64, beta: f64) -> f64 {
    let factor = (beta - 1.0) / (PI * alpha * alpha);
    let profile = |x: f64, y: f64| factor * (1.0 + (x * x + y * y) / (alpha * alpha)).powf(-beta);
    let square = Square { x, y, half: 0.5 };
    square.refined(&profile, square.quadrature(&profile), DEEPEST)
}

/// How often a square is halved at most.
const DEEPEST: u32 = 24;

/// The error at which a square is not halved again.
const INTEGRAL_ERROR: f64 = 1e-11;

/// A square of which an integral is taken.
#[derive(Clone, Copy)]
struct Square {
    x: f64,
    y: f64,
    half: f64,
}

impl Square {
    /// The Gauss-Legendre quadrature with four nodes along each axis.
    fn quadrature(self, f: &impl Fn(f64, f64) -> f64) -> f64 {
        const NODES: [(f64, f64); 4] = [
            (-0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
            (-0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
            (0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
            (0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
        ];
        let mut sum = 0.0;
        for (y, weight_y) in NODES {
            for (x, weight_x) in NODES {
                sum += weight_x * weight_y * f(self.x + self.half * x, self.y + self.half * y);
            }
        }
        sum * self.half * self.half
    }

    /// The integral, of which `rough` is the quadrature: the sum over quarters of the square, which are
    /// quartered again until that changes nothing.
    fn refined(self, f: &impl Fn(f64, f64) -> f64, rough: f64, depth: u32) -> f64 {
        let half = self.half / 2.0;
        let quarters = [(-half, -half), (half, -half), (-half, half), (half, half)];
        let quarters = quarters.map(|(x, y)| {
            let quarter = Self {
                x: self.x + x,
                y: self.y + y,
                half,
            };
            (quarter, quarter.quadrature(f))
        });
        let sum: f64 = quarters.iter().map(|(_, integral)| integral).sum();
        if depth == 0 || (sum - rough).abs() < INTEGRAL_ERROR {
            return sum;
        }
        let parts = quarters.map(|(quarter, rough)| quarter.refined(f, rough, depth - 1));
        parts.iter().sum()
    }
}
