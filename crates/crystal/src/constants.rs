//! Constants of the crystal models, each with its unit and where it comes from.

/// Degrees in one radian, `180 * (1/pi)`: the divisor that turns degrees into radians.
///
/// Kept as a product with the rounded reciprocal of pi because the C program divides by exactly
/// that number.
pub const DEGREES_PER_RADIAN: f64 = 180.0 * std::f64::consts::FRAC_1_PI;

/// Metres in one Angstrom.
pub const METRES_PER_ANGSTROM: f64 = 1e-10;

/// Avogadro's number in 1/mol, CODATA 2006; 2e-8 above the exact value of the 2019 SI.
pub const AVOGADRO_PER_MOL: f64 = 6.02214179e23;

/// Density assumed for a molecular crystal, in g/m^3.
pub const CRYSTAL_DENSITY_G_PER_M3: f64 = 1.2e6;

/// `sqrt(pi/6)`, the square root of the volume of a sphere over that of the cube around it.
///
/// An ellipsoidal crystal inscribed in `Na x Nb x Nc` cells is weaker by this factor, so that its
/// integrated spots hold the photons its smaller volume scatters.
pub const ELLIPSOID_AMPLITUDE: f64 = 0.723601254558268;

/// Divisor of the squared radius in the Gaussian shape transform, dimensionless.
///
/// Chosen so that a Gaussian spot has about the volume and width of a parallelepiped's.
pub const GAUSS_RADIUS_SQUARED: f64 = 0.63;

/// Squared radius at which the top-hat shape transform ends, `0.63^2`, dimensionless.
pub const TOPHAT_RADIUS_SQUARED: f64 = 0.3969;
