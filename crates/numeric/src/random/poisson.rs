//! Photon-counting noise.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::estimates::{self, LOG_SQRT_TWO_PI, TangentTable};
use super::{GaussianDeviates, MinimalStandard, UniformDeviates, log_gamma};

/// Means above this get Gaussian noise. The rejection method fails there: its exponent is a
/// difference of numbers as large as m ln m, which has no correct digit left in `f32`.
const GAUSSIAN_ABOVE: f32 = 1.0e6;

/// Means below this use the direct method, which takes m + 1 deviates on average.
const DIRECT_BELOW: f32 = 12.0;

/// Scale of the Lorentzian above the distribution: small enough that no acceptance exceeds 1.
const ACCEPTANCE_SCALE: f64 = 0.9;

/// Counts with Poisson statistics, from a random stream of their own.
///
/// The method depends on the mean m:
///
/// - m < 12, direct: uniform deviates are multiplied until the product is exp(-m) or less. The
///   count is their number minus 1.
/// - 12 to 1e6, rejection: a count is drawn from a Lorentzian that lies above the Poisson
///   distribution, and accepted with a probability of Poisson / Lorentzian.
/// - above 1e6: m + sqrt(m) times a Gaussian deviate. These counts are not whole numbers.
///
/// # Source
/// W. H. Press et al., Numerical Recipes in C, second edition (1992), section 7.3; the Gaussian
/// branch is the C program's.
#[derive(Debug, Clone)]
pub struct PoissonNoise<S = MinimalStandard> {
    stream: S,
    gaussian: GaussianDeviates,
    last: Estimate,
    tangents: &'static TangentTable,
    log_factorials: &'static [f32],
}

/// The numbers of the rejection that depend on the mean m alone: `half_width` = sqrt(2 m) and
/// `log_peak` = m ln m - ln gamma(m + 1).
#[derive(Debug, Clone, Copy)]
struct Rejection {
    mean: f32,
    half_width: f32,
    log_mean: f32,
    log_peak: f32,
}

impl Rejection {
    /// Each number is computed in `f64` and stored in `f32`, as in C, where the accumulated rounding decides
    /// about acceptance.
    #[cold]
    #[inline(never)]
    fn new(mean: f32) -> Self {
        let wide_mean = f64::from(mean);
        let log_mean = wide_mean.ln() as f32;
        Self {
            mean,
            half_width: (2.0 * wide_mean).sqrt() as f32,
            log_mean,
            log_peak: mean * log_mean - log_gamma((wide_mean + 1.0) as f32),
        }
    }

    /// tan(pi u), which has the density 1/(pi (1 + y^2)), a Lorentzian of half width 1; and the count with a
    /// fraction.
    fn candidate(&self, u: f32) -> (f32, f32) {
        let y = (PI * f64::from(u)).tan() as f32;
        (y, self.half_width * y + self.mean)
    }

    /// The count of a candidate if it is accepted.
    fn accepts(&self, (y, candidate): (f32, f32), deviate: f32) -> Option<f32> {
        let count = candidate.floor();
        let log_factorial = log_gamma((f64::from(count) + 1.0) as f32);
        let log_ratio = count * self.log_mean - log_factorial - self.log_peak;
        let factor = ACCEPTANCE_SCALE * (1.0 + f64::from(y * y));
        let acceptance = (factor * f64::from(log_ratio).exp()) as f32;
        // A NaN is accepted at once: it is not below a deviate. The opposite comparison would refuse it forever.
        let refused = deviate > acceptance;
        (!refused).then_some(count)
    }
}

/// Estimates of the numbers of [`Rejection`], with the error of the logarithm of the acceptance that depends on the
/// mean alone.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    mean: f64,
    half_width: f64,
    log_mean: f64,
    log_peak: f64,
    error: f64,
}

/// Means above this are counted without estimates, whose doubt grows with the mean.
const ESTIMATED_BELOW: f32 = 5000.0;

/// The relative error of each number in the logarithm of an acceptance, which C rounds several times to single
/// precision, rounded up.
const ROUNDING: f64 = 6e-7;

impl Estimate {
    #[inline]
    fn new(mean: f32) -> Self {
        let mean = f64::from(mean);
        let log_mean = estimates::near_ln(mean);
        // By Stirling's series.
        let log_peak = mean - 0.5 * log_mean - LOG_SQRT_TWO_PI - 1.0 / (12.0 * mean);
        Self {
            mean,
            half_width: (2.0 * mean).sqrt(),
            log_mean,
            log_peak,
            error: ROUNDING * (mean * log_mean) + 1e-5,
        }
    }
}

/// The logarithms of n! for n below [`FACTORIALS`].
static LOG_FACTORIALS: OnceLock<Vec<f32>> = OnceLock::new();

/// The length of the table of factorials. It is computed in less than a millisecond.
const FACTORIALS: u16 = 1 << 13;

/// The table of ln n!, as ln gamma(n + 1).
fn log_factorials() -> &'static [f32] {
    let exact = |n: u16| log_gamma((f64::from(n) + 1.0) as f32);
    LOG_FACTORIALS.get_or_init(|| (0..FACTORIALS).map(exact).collect())
}

/// exp(-`mean`) in single precision. Not in line, so that it is not computed where it is not needed.
#[cold]
#[inline(never)]
fn exact_exp_of_minus(mean: f32) -> f32 {
    (-f64::from(mean)).exp() as f32
}

impl PoissonNoise {
    /// Noise at the beginning of the stream of `seed`; see [`MinimalStandard::from_seed`].
    pub fn from_seed(seed: i64) -> Self {
        Self::from_stream(MinimalStandard::from_seed(seed))
    }
}

impl<S: UniformDeviates> PoissonNoise<S> {
    /// Noise from the deviates of `stream`.
    pub fn from_stream(stream: S) -> Self {
        Self {
            stream,
            gaussian: GaussianDeviates::default(),
            // A mean that the rejection never has.
            last: Estimate::new(1.0),
            tangents: TangentTable::get(),
            log_factorials: log_factorials(),
        }
    }

    /// The stream of the deviates.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// A count of photons for the expected number `mean`.
    ///
    /// A negative mean counts 0, an infinite one is returned as it is, and NaN gives NaN.
    pub fn count(&mut self, mean: f32) -> f32 {
        if mean > GAUSSIAN_ABOVE {
            return self.gaussian_count(mean);
        }
        if mean < DIRECT_BELOW {
            return self.direct_count(mean);
        }
        self.rejection_count(mean)
    }

    /// A Gaussian deviate of mean 0 and variance 1, from the same stream.
    pub fn gaussian(&mut self) -> f32 {
        self.gaussian.next(&mut self.stream)
    }

    fn gaussian_count(&mut self, mean: f32) -> f32 {
        // Drawn before the test, so that an infinite mean uses as many deviates as any other mean.
        let deviate = f64::from(self.gaussian.next(&mut self.stream));
        if mean.is_infinite() {
            return mean;
        }
        let mean = f64::from(mean);
        (mean + mean.sqrt() * deviate) as f32
    }

    fn direct_count(&mut self, mean: f32) -> f32 {
        // The estimate holds for |mean| <= 700. A smaller mean than 0 counts nothing, as 0 does.
        let estimate = estimates::exp(-f64::from(mean.max(0.0)));
        let (below, above) = (
            (estimate * (1.0 - 5e-6)) as f32,
            (estimate * (1.0 + 5e-6)) as f32,
        );
        let (mut count, mut product) = (0.0, self.stream.uniform());
        loop {
            while product > above {
                count += 1.0;
                product *= self.stream.uniform();
            }
            if product < below || product <= exact_exp_of_minus(mean) {
                return count;
            }
            count += 1.0;
            product *= self.stream.uniform();
        }
    }

    #[inline(never)]
    fn rejection_count(&mut self, mean: f32) -> f32 {
        /// The sum rounds to the next integer, which is in its last bits.
        const ROUNDER: f64 = 6_755_399_441_055_744.0;
        if mean > ESTIMATED_BELOW {
            let rejection = Rejection::new(mean);
            loop {
                let u = self.stream.uniform();
                if let Some(count) = self.exact_attempt(&rejection, u) {
                    return count;
                }
            }
        }
        // Neighbouring pixels often have the same mean.
        if self.last.mean != f64::from(mean) {
            self.last = Estimate::new(mean);
        }
        let last = self.last;
        loop {
            // tan(pi u) has the density 1/(pi (1 + y^2)): a Lorentzian of half width 1.
            let u = self.stream.uniform();
            let y = self.tangents.near(u);
            let candidate = last.half_width * y + last.mean;
            // The error of the candidate in single precision.
            let doubt = 4e-7 * (candidate.abs() + last.mean);
            if candidate < -doubt {
                continue;
            }
            let middle = candidate - 0.5;
            let rounded = middle + ROUNDER;
            let count = rounded - ROUNDER;
            let place = (rounded.to_bits() & 0xffff_ffff) as usize;
            let log_factorial = match self.log_factorials.get(place) {
                Some(&found) if (middle - count).abs() < 0.5 - doubt => f64::from(found),
                _ => match self.exact_attempt(&Rejection::new(mean), u) {
                    Some(count) => return count,
                    None => continue,
                },
            };
            // ln P(n) = n ln m - m - ln n!. The -m is in `log_peak` too and cancels.
            let sum = count * last.log_mean;
            let log_ratio = (sum - log_factorial - last.log_peak).max(-700.0);
            let acceptance = ACCEPTANCE_SCALE * (1.0 + y * y) * estimates::exp(log_ratio);
            let error = acceptance * (last.error + ROUNDING * (sum + log_factorial));
            let deviate = self.stream.uniform();
            let distance = f64::from(deviate) - acceptance;
            if distance.abs() <= error {
                let rejection = Rejection::new(mean);
                let exact = rejection.accepts(rejection.candidate(u), deviate);
                if exact.is_some() {
                    return count as f32;
                }
            } else if distance < 0.0 {
                return count as f32;
            }
        }
    }

    /// The count if it is accepted, without estimates.
    #[cold]
    #[inline(never)]
    fn exact_attempt(&mut self, rejection: &Rejection, u: f32) -> Option<f32> {
        let candidate = rejection.candidate(u);
        // A NaN goes on.
        if candidate.1 < 0.0 {
            return None;
        }
        rejection.accepts(candidate, self.stream.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts<const N: usize>(seed: i64, mean: f32) -> [f32; N] {
        let mut noise = PoissonNoise::from_seed(seed);
        std::array::from_fn(|_| noise.count(mean))
    }

    #[test]
    fn seeds_keep_their_counts() {
        let kept = [
            (1, 0.0, [0.0, 0.0, 0.0, 0.0]),
            (1, 0.5, [0.0, 0.0, 1.0, 1.0]),
            (12_345_678, 0.5, [1.0, 0.0, 0.0, 2.0]),
            (1, 5.0, [5.0, 5.0, 8.0, 5.0]),
            (12_345_678, 5.0, [3.0, 8.0, 7.0, 1.0]),
            (1, 11.9, [15.0, 14.0, 12.0, 13.0]),
            (12_345_678, 11.9, [16.0, 8.0, 12.0, 15.0]),
            (1, 12.0, [7.0, 10.0, 10.0, 13.0]),
            (12_345_678, 12.0, [7.0, 11.0, 9.0, 14.0]),
            (1, 100.0, [86.0, 96.0, 73.0, 94.0]),
            (12_345_678, 100.0, [87.0, 99.0, 92.0, 96.0]),
            (1, 1e4, [9864.0, 9968.0, 9730.0, 9946.0]),
            (12_345_678, 1e4, [9872.0, 9992.0, 9927.0, 9978.0]),
            (1, 1e6, [997_306.0, 999_464.0, 1_000_328.0, 999_528.0]),
            (
                12_345_678,
                1e6,
                [998_721.0, 998_596.0, 999_078.0, 1_000_290.0],
            ),
            (1, 2e6, [1_998_816.5, 1_999_756.4, 2_000_264.6, 2_002_284.6]),
            (
                12_345_678,
                2e6,
                [2_001_322.3, 2_003_380.0, 1_998_285.5, 1_998_558.1],
            ),
        ];
        for (seed, mean, expected) in kept {
            assert_eq!(counts(seed, mean), expected, "seed {seed}, mean {mean}");
        }
    }

    /// The count of C, without estimates and tables.
    fn plain_count(mean: f32, stream: &mut MinimalStandard) -> f32 {
        let wide = f64::from(mean);
        if mean < DIRECT_BELOW {
            let threshold = (-wide).exp() as f32;
            let (mut count, mut product) = (0.0, stream.uniform());
            while product > threshold {
                count += 1.0;
                product *= stream.uniform();
            }
            return count;
        }
        let (half_width, log_mean) = ((2.0 * wide).sqrt() as f32, wide.ln() as f32);
        let log_peak = mean * log_mean - log_gamma((wide + 1.0) as f32);
        loop {
            let y = (PI * f64::from(stream.uniform())).tan() as f32;
            let candidate = half_width * y + mean;
            if candidate < 0.0 {
                continue;
            }
            let count = candidate.floor();
            let log_ratio =
                count * log_mean - log_gamma((f64::from(count) + 1.0) as f32) - log_peak;
            let acceptance =
                (ACCEPTANCE_SCALE * (1.0 + f64::from(y * y)) * f64::from(log_ratio).exp()) as f32;
            if stream.uniform() <= acceptance {
                return count;
            }
        }
    }

    #[test]
    fn counts_with_estimates_are_the_plain_ones() {
        let mut noise = PoissonNoise::from_seed(11);
        let mut stream = MinimalStandard::from_seed(11);
        let mut means = MinimalStandard::from_seed(5);
        for _ in 0..400_000 {
            let mean = 10_f64.powf(9.0 * f64::from(means.uniform()) - 3.0) as f32;
            assert_eq!(noise.count(mean), plain_count(mean, &mut stream), "{mean}");
        }
        assert_eq!(noise.stream, stream);
    }

    #[test]
    fn a_mean_of_zero_uses_one_deviate() {
        let mut noise = PoissonNoise::from_seed(7);
        let mut stream = MinimalStandard::from_seed(7);
        assert_eq!(noise.count(0.0), 0.0);
        stream.uniform();
        assert_eq!(noise.stream, stream);
    }

    #[test]
    fn a_negative_mean_counts_zero_with_one_deviate() {
        for mean in [-1.0, -1e-3, -1e30, f32::NEG_INFINITY] {
            let mut noise = PoissonNoise::from_seed(7);
            let mut stream = MinimalStandard::from_seed(7);
            assert_eq!(noise.count(mean), 0.0);
            stream.uniform();
            assert_eq!(noise.stream, stream);
        }
    }

    #[test]
    fn a_mean_that_is_not_finite_is_returned() {
        let mut noise = PoissonNoise::from_seed(1);
        for _ in 0..20 {
            assert!(noise.count(f32::NAN).is_nan());
            assert_eq!(noise.count(f32::INFINITY), f32::INFINITY);
        }
    }

    #[test]
    fn the_largest_mean_gives_counts_near_it() {
        assert!(
            counts::<20>(1, f32::MAX)
                .iter()
                .all(|count| *count > 0.9 * f32::MAX)
        );
    }
}
