//! Every tolerance of a comparison of images, with its reason.

/// Largest relative difference of a float pixel: an f32 has a precision of 6e-8, and the C program built
/// with different compilers differs by a few times that.
pub const PIXEL_RELATIVE: f64 = 1e-6;

/// Added tolerance, relative to the brightest pixel: near a zero of the lattice transform the last bits
/// of an index determine the whole value.
pub const PIXEL_OF_BRIGHTEST: f64 = 1e-9;

/// The share of float pixels of all golden cases that must be equal to the C program's to the bit.
pub const BIT_EQUAL_SHARE: f64 = 0.999;

/// Largest difference of an integer pixel whose float pixel differs: rounding may go the other way. If
/// all float pixels are equal to the bit, no integer may differ.
pub const INTEGER_COUNTS: f64 = 1.0;

/// Largest difference of a greymap pixel: it is truncated after scaling by an rms deviation, whose sum
/// has another order than in the C program.
pub const GREY_LEVELS: f64 = 1.0;

/// Largest relative difference of a header number: it has six significant digits, and the last digit
/// may differ by one in a value just above a power of ten.
pub const HEADER_RELATIVE: f64 = 2e-5;

/// Header numbers below this magnitude are compared absolutely: a difference of large numbers leaves a
/// residue if the exact value is 0.
pub const HEADER_FLOOR: f64 = 1e-3;

/// Allowed error of the mean of noisy counts, in standard errors. It applies where one different bit of a
/// mean has shifted the random stream, so that counts cannot be compared one by one.
pub const NOISE_MEAN_ERRORS: f64 = 5.0;

/// The allowed variance of such counts, in units of the Poisson variance.
pub const NOISE_VARIANCE: std::ops::Range<f64> = 0.5..2.0;

/// The means, in photons, of the tested counts: large enough to be nearly normal, below overload.
pub const NOISE_MEANS: std::ops::Range<f64> = 25.0..60_000.0;

/// The smallest number of counts for a test of their distribution.
pub const NOISE_LEAST_COUNTS: usize = 30;

/// Largest relative difference of a pixel between two experiments that are equal in exact arithmetic but
/// not in f64, such as one laboratory in two orientations: the number of cells multiplies the rounding
/// error of an index.
pub const SAME_PHYSICS_RELATIVE: f64 = 1e-5;

/// Added tolerance, relative to the brightest pixel: near a zero of the lattice transform all digits of
/// a pixel are rounding errors.
pub const SAME_PHYSICS_OF_BRIGHTEST: f64 = 1e-6;

/// Allowed f32 steps between a level with fused multiply-add and one without: their sines differ by
/// 1e-13, so that a sum may round to the next f32 but not further.
pub const BASELINE_STEPS: u32 = 1;

/// Largest relative difference of a pixel in single precision, as in `docs/PARITY.md`.
pub const SINGLE_RELATIVE: f64 = 1e-6;

/// Added tolerance, relative to the brightest pixel.
pub const SINGLE_OF_BRIGHTEST: f64 = 1e-7;

/// Relative difference of the sum of an image between one layer of a sensor and many layers of the same
/// thickness: deeper layers are one percent farther away, and the angles differ by less.
pub const SHALLOW_SENSOR: f64 = 0.01;

/// Allowed distance of the distribution of n draws from the expected one, in units of 1/sqrt(n): the
/// Kolmogorov-Smirnov bound that one sample in 10 000 exceeds.
pub const DISTRIBUTION_ROOT_N: f64 = 2.2;

/// Allowed distance, in pixels, of the centroid of a spot from the intersection of its ray with the
/// detector: the window of the centroid cuts the tails unevenly.
pub const SPOT_PIXELS: f64 = 0.3;

/// Change of the worst pixel, relative to the brightest, from a sum of 8 steps to a sum of 16: the error
/// of a left Riemann sum is the change over one step.
pub const CONVERGED: f64 = 0.02;

/// Relative difference between the photons of a fully recorded spot and the kinematic theory: the tails
/// beyond the rotation range and the summed pixels are missing.
pub const FULLY_RECORDED: f64 = 0.01;
