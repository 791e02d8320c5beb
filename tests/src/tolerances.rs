//! Every bound that a comparison of images may use, with its reason.

/// Largest relative difference of a float pixel: an f32 carries 6e-8, and the C program's own
/// compilers differ by a few units of that.
pub const PIXEL_RELATIVE: f64 = 1e-6;

/// Added to it, in units of the brightest pixel: near a zero of the lattice transform the last bits of
/// an index decide the whole value.
pub const PIXEL_OF_BRIGHTEST: f64 = 1e-9;

/// Share of all float pixels over all golden cases that must equal the C program's to the bit.
pub const BIT_EQUAL_SHARE: f64 = 0.999;

/// Counts by which an integer pixel may differ where a float pixel does: it may cross a half. Where all
/// float pixels are bit-equal, no integer may differ.
pub const INTEGER_COUNTS: f64 = 1.0;

/// Greys by which a pixel of the greymap may differ: it is truncated after scaling by an rms deviation,
/// which sums in another order than the C program's.
pub const GREY_LEVELS: f64 = 1.0;

/// Largest relative difference of a number in a header: it has six significant digits, and the last of
/// them may be off by one in a value just above a power of ten.
pub const HEADER_RELATIVE: f64 = 2e-5;

/// Magnitude below which header numbers are compared absolutely: differences of large numbers leave
/// residues where the exact value is 0.
pub const HEADER_FLOOR: f64 = 1e-3;

/// Standard errors by which the mean of noisy counts may miss, where one bit of a mean has shifted the
/// random stream so that counts cannot be compared one by one.
pub const NOISE_MEAN_ERRORS: f64 = 5.0;

/// Where the variance of such counts must lie, in units of the Poisson variance.
pub const NOISE_VARIANCE: std::ops::Range<f64> = 0.5..2.0;

/// Means, in photons, over which counts are judged: large enough to be nearly normal, below overload.
pub const NOISE_MEANS: std::ops::Range<f64> = 25.0..60_000.0;

/// Counts needed to judge a distribution at all.
pub const NOISE_LEAST_COUNTS: usize = 30;

/// Largest relative difference of a pixel between two experiments that are the same in exact
/// arithmetic but not in f64, such as one and the same laboratory turned: rounding of an index is
/// magnified by the number of cells.
pub const SAME_PHYSICS_RELATIVE: f64 = 1e-5;

/// Added to it, in units of the brightest pixel: near a zero of the lattice transform all digits of a
/// pixel are rounding.
pub const SAME_PHYSICS_OF_BRIGHTEST: f64 = 1e-6;

/// Steps of an f32 between a level that fuses multiplication and addition and one that does not: their
/// sines are 1e-13 apart, so a sum may round to the next number but not past it.
pub const BASELINE_STEPS: u32 = 1;

/// Largest relative difference of a pixel in single precision, as `docs/PARITY.md` states it.
pub const SINGLE_RELATIVE: f64 = 1e-6;

/// Added to it, in units of the brightest pixel.
pub const SINGLE_OF_BRIGHTEST: f64 = 1e-7;

/// Relative difference of a whole image between one layer of a sensor and many that fill the same
/// thickness: deeper layers are a hundredth farther away, and are seen under other angles by less.
pub const SHALLOW_SENSOR: f64 = 0.01;

/// How far the distribution of n draws may be from the expected one, in units of 1/sqrt(n): the bound of
/// Kolmogorov and Smirnov that one sample in 10 000 exceeds.
pub const DISTRIBUTION_ROOT_N: f64 = 2.2;

/// How far, in pixels, the centroid of a spot may be from where its ray meets the detector: half the
/// window that it is taken over cuts the tails unevenly.
pub const SPOT_PIXELS: f64 = 0.3;

/// Change of the worst pixel, in units of the brightest, when a sum of 8 steps is refined to 16: a left
/// Riemann sum is off by the change over one step.
pub const CONVERGED: f64 = 0.02;

/// Relative difference between the photons of a fully recorded spot and the kinematic theory: what is
/// left out are the tails beyond the angle turned and the pixels summed.
pub const FULLY_RECORDED: f64 = 0.01;
