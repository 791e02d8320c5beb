//! Constants of the crystal models, with unit and origin.

/// Degrees in one radian, as the product `180 * (1/pi)` that the C program divides by.
pub const DEGREES_PER_RADIAN: f64 = 180.0 * std::f64::consts::FRAC_1_PI;

/// Metres in one Angstrom.
pub const METRES_PER_ANGSTROM: f64 = 1e-10;

/// Avogadro's number in 1/mol, CODATA 2006. It is larger than the exact value of the 2019 SI by a
/// factor of 1 + 2e-8.
pub const AVOGADRO_PER_MOL: f64 = 6.02214179e23;

/// Density assumed for a molecular crystal, in g/m^3.
pub const CRYSTAL_DENSITY_G_PER_M3: f64 = 1.2e6;

/// `sqrt(pi/6)`. The volume of a sphere divided by that of the cube around it is `pi/6`.
///
/// The amplitude of an ellipsoidal crystal inscribed in `Na x Nb x Nc` cells has this factor, so
/// that the photons of a spot are in proportion to the smaller volume.
pub const ELLIPSOID_AMPLITUDE: f64 = 0.723601254558268;

/// Divisor of the squared radius in the Gaussian shape transform, dimensionless.
///
/// With this value a Gaussian spot has about the volume and width of the spot of a parallelepiped.
pub const GAUSS_RADIUS_SQUARED: f64 = 0.63;

/// Squared radius at which the top-hat shape transform ends, `0.63^2`, dimensionless.
pub const TOPHAT_RADIUS_SQUARED: f64 = 0.3969;
