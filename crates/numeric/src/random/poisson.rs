//! Photon-counting noise.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::estimates::{self, EXP_ERROR};
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
    last: Option<(f32, Method)>,
}

/// The method for one mean m, with the numbers that depend on m alone.
#[derive(Debug, Clone, Copy)]
enum Method {
    /// Multiplies deviates down to exp(-m).
    Direct,
    /// Draws from a Lorentzian about m. `half_width` = sqrt(2 m) and
    /// `log_peak` = m ln m - ln gamma(m + 1).
    Rejection {
        half_width: f32,
        log_mean: f32,
        log_peak: f32,
    },
}

impl Method {
    /// Each number is computed in `f64` and stored in `f32`, as in C, where the accumulated rounding decides
    /// about acceptance.
    #[inline]
    fn new(mean: f32) -> Self {
        let wide_mean = f64::from(mean);
        if mean < DIRECT_BELOW {
            return Self::Direct;
        }
        let log = wide_mean.ln();
        let log_mean = log as f32;
        let next = (wide_mean + 1.0) as f32;
        let log_gamma = estimates::log_gamma_of_next(wide_mean, log, next);
        Self::Rejection {
            half_width: (2.0 * wide_mean).sqrt() as f32,
            log_mean,
            log_peak: mean * log_mean - log_gamma.unwrap_or_else(|| exact_log_gamma(next)),
        }
    }
}

/// [`log_gamma`], not in line, so that it is not computed where it is not needed.
#[cold]
#[inline(never)]
fn exact_log_gamma(x: f32) -> f32 {
    log_gamma(x)
}

/// The logarithms of n! for n below [`FACTORIALS`].
static LOG_FACTORIALS: OnceLock<Vec<f32>> = OnceLock::new();

/// The length of the table of factorials. It is computed in less than a millisecond.
const FACTORIALS: u16 = 1 << 13;

/// ln n! of a whole number, as ln gamma(n + 1).
#[inline]
fn log_factorial(count: f32) -> f32 {
    let exact = |count: f32| exact_log_gamma((f64::from(count) + 1.0) as f32);
    if count < f32::from(FACTORIALS) {
        let table =
            LOG_FACTORIALS.get_or_init(|| (0..FACTORIALS).map(|n| exact(f32::from(n))).collect());
        if let Some(found) = table.get(count as usize) {
            return *found;
        }
    }
    exact(count)
}

/// The number without its fraction, for numbers from 0; NaN stays.
#[inline]
fn whole_part(number: f32) -> f32 {
    /// Larger numbers have no fraction.
    const WHOLE_FROM: f32 = 8_388_608.0;
    // The baseline of x86-64 has no instruction for `floor`.
    match number < WHOLE_FROM {
        true => number as i32 as f32,
        false => number,
    }
}

/// Whether `deviate` is above `factor` times exp(`exponent`) in single precision.
#[inline]
fn is_above_exp(deviate: f32, factor: f64, exponent: f32) -> bool {
    /// The error of an estimate, with that of the rounding to single precision.
    const DOUBT: f64 = EXP_ERROR + 2e-7;
    let (exponent, wide) = (f64::from(exponent), f64::from(deviate));
    if exponent.abs() <= 60.0 {
        let estimate = factor * estimates::exp(exponent);
        let doubt = DOUBT * estimate;
        if wide > estimate + doubt {
            return true;
        }
        if wide < estimate - doubt {
            return false;
        }
    }
    is_above_exp_exactly(deviate, factor, exponent)
}

/// The comparison with the exponential of the system. A function of its own, because compilers take the
/// exponential out of loops and branches, and so compute it always.
#[cold]
#[inline(never)]
fn is_above_exp_exactly(deviate: f32, factor: f64, exponent: f64) -> bool {
    // A NaN compares as false.
    deviate > (factor * exponent.exp()) as f32
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
            last: None,
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
        match self.method(mean) {
            Method::Direct => self.direct_count(mean),
            Method::Rejection {
                half_width,
                log_mean,
                log_peak,
            } => self.rejection_count(mean, half_width, log_mean, log_peak),
        }
    }

    /// A Gaussian deviate of mean 0 and variance 1, from the same stream.
    pub fn gaussian(&mut self) -> f32 {
        self.gaussian.next(&mut self.stream)
    }

    /// The method for `mean`. The last one is kept, because neighbouring pixels often agree.
    fn method(&mut self, mean: f32) -> Method {
        match self.last {
            Some((last_mean, method)) if last_mean == mean => method,
            _ => {
                let method = Method::new(mean);
                self.last = Some((mean, method));
                method
            }
        }
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
        let mut count = 0.0;
        let mut product = self.stream.uniform();
        while is_above_exp(product, 1.0, -mean) {
            count += 1.0;
            product *= self.stream.uniform();
        }
        count
    }

    fn rejection_count(&mut self, mean: f32, half_width: f32, log_mean: f32, log_peak: f32) -> f32 {
        loop {
            // tan(pi u) has the density 1/(pi (1 + y^2)): a Lorentzian of half width 1.
            let angle = PI * f64::from(self.stream.uniform());
            let y = estimates::tan(angle).unwrap_or_else(|| angle.tan() as f32);
            let candidate = half_width * y + mean;
            if candidate < 0.0 {
                continue;
            }
            let count = whole_part(candidate);
            // ln P(n) = n ln m - m - ln n!. The -m is in `log_peak` too and cancels.
            let log_ratio = count * log_mean - log_factorial(count) - log_peak;
            let factor = ACCEPTANCE_SCALE * (1.0 + f64::from(y * y));
            // A NaN is accepted at once: it is not below a deviate. The opposite comparison would refuse
            // it forever.
            if !is_above_exp(self.stream.uniform(), factor, log_ratio) {
                return count;
            }
        }
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
