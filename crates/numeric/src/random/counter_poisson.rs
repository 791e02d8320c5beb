//! Photon counts by the counter-based generator.

use std::f64::consts::{LN_2, LOG2_E, TAU};

use super::counter::{CHUNK, CounterNoise, PixelNoise};

/// Means below this are counted by inversion. Its effort grows with the mean: here it is three quarters of
/// that of the rejection.
const INVERSION_BELOW: f64 = 60.0;

/// The largest count of an inversion. The probability of more is below 1e-25 for all its means.
const MOST: usize = 160;

/// A factor of uniform deviates, 1 - 2^-48. The sum of all probabilities is 1 only up to rounding; the
/// largest deviates would never be below it.
const BELOW_ONE: f64 = 1.0 - 3.6e-15;

/// The number of pixels that are inverted together, in vector instructions.
const LANES: usize = 8;

impl CounterNoise {
    /// Replaces the expected photons of `pixels` by counts with Poisson statistics. The pixels are
    /// neighbours along the fast axis; `first` is the position of the first one, fast and slow.
    ///
    /// The method depends on the mean m. Both are exact, so that the distribution is Poisson's for every
    /// mean:
    ///
    /// - m < 60, inversion: the count is the smallest n for which the sum of the probabilities of 0 to n
    ///   is not below a uniform deviate.
    /// - above, transformed rejection. The logarithm of the probability is in Loader's form, without the
    ///   difference of large numbers in n ln m - m - ln n!.
    ///
    /// A negative mean counts 0, an infinite one is left as it is, and so is NaN.
    ///
    /// # Source
    /// L. Devroye, "Non-uniform random variate generation" (1986), section X.3 (inversion);
    /// W. Hoermann, Insurance: Mathematics and Economics 12 (1993) 39, algorithm PTRS; C. Loader, "Fast and
    /// accurate computation of binomial probabilities" (2000).
    pub fn poisson(&self, first: [u32; 2], pixels: &mut [f64]) {
        self.in_chunks(first, pixels, |[fast, slow], uniforms, pixels| {
            let mut expected = [0.0; CHUNK];
            for (expected, &pixel) in expected.iter_mut().zip(&*pixels) {
                *expected = pixel;
            }
            // The mean of the other pixels is 0 here, for which the inversion ends at once.
            let is_small = |mean: f64| mean > 0.0 && mean < INVERSION_BELOW;
            let means = expected.map(|mean| if is_small(mean) { mean } else { 0.0 });
            let counts = inverted(&means, uniforms);
            for (pixel, count) in pixels.iter_mut().zip(counts) {
                *pixel = count;
            }
            if expected.iter().all(|&mean| mean < INVERSION_BELOW) {
                return;
            }
            for ((pixel, mean), fast) in pixels.iter_mut().zip(expected).zip(fast..) {
                if mean.is_nan() || mean == f64::INFINITY {
                    *pixel = mean;
                } else if mean >= INVERSION_BELOW {
                    *pixel = rejected(mean, &mut self.pixel([fast, slow]));
                }
            }
        });
    }
}

/// 1/n, so that the loop of the inversion has no division.
const INVERSE: [f64; MOST] = {
    let mut inverse = [0.0; MOST];
    let mut n = 1;
    while n < MOST {
        inverse[n] = 1.0 / n as f64;
        n += 1;
    }
    inverse
};

/// Counts for means below [`INVERSION_BELOW`].
#[inline(always)]
fn inverted(means: &[f64; CHUNK], uniforms: &[f64; CHUNK]) -> [f64; CHUNK] {
    let mut first = [0.0; CHUNK];
    for (term, &mean) in first.iter_mut().zip(means) {
        *term = exp_of_minus(mean);
    }
    let mut all = [0.0; CHUNK];
    for (at, all) in all.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let lanes =
            |of: &[f64; CHUNK]| -> [f64; LANES] { std::array::from_fn(|i| of[at * LANES + i]) };
        let means = lanes(means);
        let uniforms = lanes(uniforms).map(|uniform| uniform * BELOW_ONE);
        let mut terms = lanes(&first);
        let (mut counts, mut sums) = ([0_u64; LANES], terms);
        for inverse in &INVERSE[1..] {
            let mut steps = 0_u64;
            for i in 0..LANES {
                let step = u64::from(uniforms[i] > sums[i]);
                counts[i] += step;
                steps |= step;
                terms[i] *= means[i] * inverse;
                sums[i] += terms[i];
            }
            if steps == 0 {
                break;
            }
        }
        // Processors convert such small numbers in one instruction only if they are signed.
        *all = counts.map(|count| f64::from(count as i32));
    }
    all
}

/// exp(-x) for x from 0 to 60, within 1e-14 of the result. The same bits on every machine, in operations that have
/// vector instructions.
///
/// With n the integer nearest to -x / ln 2 and r = -x - n ln 2, the result is 2^n exp(r), and exp(r) is its
/// series up to r^11: |r| < 0.35, so that the rest is below 1e-14.
#[inline(always)]
fn exp_of_minus(x: f64) -> f64 {
    // Adding 1.5 2^52 rounds a number to an integer, which is then in the last bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts. The first has 21 bits less than an f64, so that its product with n is exact.
    const LN_2_HIGH: f64 = f64::from_bits(LN_2.to_bits() & !((1 << 21) - 1));
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = -x * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (-x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = SERIES.iter().fold(0.0, |sum, term| sum * r + term);
    f64::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// 1/11!, 1/10!, ..., 1/1!, 1: the series of the exponential, from its last term.
const SERIES: [f64; 12] = {
    let mut series = [1.0; 12];
    let mut i = 11;
    let mut factorial = 1.0;
    while i > 0 {
        i -= 1;
        factorial *= (11 - i) as f64;
        series[i] = 1.0 / factorial;
    }
    series
};

/// A count for a mean of at least 10, by transformed rejection.
fn rejected(mean: f64, noise: &mut PixelNoise) -> f64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_of_acceptance = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = noise.uniform() - 0.5;
        let v = noise.uniform();
        let distance = 0.5 - u.abs();
        let count = ((2.0 * a / distance + b) * u + mean + 0.43).floor();
        if distance >= 0.07 && v <= v_of_acceptance {
            return count;
        }
        if count < 0.0 || (distance < 0.013 && v > distance) {
            continue;
        }
        let density = (v * inverse_alpha / (a / (distance * distance) + b)).ln();
        if density <= log_probability(count, mean) {
            return count;
        }
    }
}

/// The logarithm of the probability of `count` for a mean, `n ln m - m - ln n!`.
///
/// With Stirling's series it is `-D - s(n) - ln(2 pi n) / 2`, where D = n ln(n / m) + m - n and s is the
/// error of Stirling's formula.
fn log_probability(count: f64, mean: f64) -> f64 {
    if count < 16.0 {
        // The factorial is exact, and the numbers are small.
        let factorial: f64 = (2..=count as u32).map(f64::from).product();
        return count * mean.ln() - mean - factorial.ln();
    }
    let inverse = 1.0 / count;
    let square = inverse * inverse;
    // The next term is below 1e-13 from 16 on.
    let stirling = inverse
        * (1.0 / 12.0
            - square
                * (1.0 / 360.0
                    - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    -deviance(count, mean) - stirling - 0.5 * (TAU * count).ln()
}

/// n ln(n / m) + m - n. Near m it is a series in v = (n - m) / (n + m), because the terms cancel there:
/// `(n - m) v + 2 n (v^3 / 3 + v^5 / 5 + ...)`.
fn deviance(n: f64, m: f64) -> f64 {
    let difference = n - m;
    if difference.abs() >= 0.1 * (n + m) {
        return n * (n / m).ln() - difference;
    }
    let v = difference / (n + m);
    let mut sum = difference * v;
    let mut term = 2.0 * n * v;
    for odd in (3..).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in 0..=60_000 {
            let x = f64::from(i) * 1e-3;
            let error = (exp_of_minus(x) / (-x).exp() - 1.0).abs();
            assert!(error < 1e-14, "{x}: {error:e}");
        }
        assert_eq!(exp_of_minus(0.0), 1.0);
        assert!((exp_of_minus(1e-6) - (1.0 - 1e-6 + 5e-13)).abs() < 2e-16);
    }

    /// By the sum of ln m - ln i + ..., term by term, and the normalisation of the distribution.
    #[test]
    fn probabilities_are_the_products_of_their_definition() {
        for mean in [10.0_f64, 60.0, 300.0, 5000.0] {
            let mut product = -mean;
            let mut total = (product).exp();
            for i in 1..(mean + 20.0 * mean.sqrt()) as u32 {
                let count = f64::from(i);
                product += (mean / count).ln();
                let error = (log_probability(count, mean) - product).abs();
                // Each of the terms adds half a last digit.
                assert!(error < 1e-11 + 1e-14 * mean, "{mean} {count}: {error:e}");
                total += log_probability(count, mean).exp();
            }
            assert!((total - 1.0).abs() < 1e-11, "{mean}: {total}");
        }
    }

    #[test]
    fn impossible_means_keep_their_place() {
        let mut pixels = [
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            3e38,
        ];
        CounterNoise::new(1, 1, 0).poisson([0, 0], &mut pixels);
        assert_eq!([pixels[0], pixels[3], pixels[4], pixels[5]], [0.0; 4]);
        assert!(pixels[1].is_nan() && pixels[2] == f64::INFINITY);
        assert!((pixels[6] / 3e38 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn counts_of_a_row_do_not_depend_on_its_parts() {
        let means: Vec<f64> = (0..200).map(|i| 0.05 * f64::from(i * i % 1999)).collect();
        let noise = CounterNoise::new(3, 1, 2);
        let mut whole = means.clone();
        noise.poisson([0, 9], &mut whole);
        for (from, to) in [(0, 200), (1, 200), (7, 8), (31, 65), (64, 97), (199, 200)] {
            let mut part = means[from..to].to_vec();
            noise.poisson([from as u32, 9], &mut part);
            assert_eq!(part, whole[from..to], "{from} to {to}");
        }
    }

    #[test]
    fn seeds_keep_their_counts() {
        let mut pixels = [0.01, 0.3, 1.0, 5.0, 59.9, 60.1, 1e3, 1e6, 1e9, 1e12];
        CounterNoise::new(1, 1, 0).poisson([0, 0], &mut pixels);
        let kept = [
            0.0,
            2.0,
            1.0,
            3.0,
            65.0,
            47.0,
            998.0,
            998_844.0,
            1_000_033_103.0,
            999_999_651_180.0,
        ];
        assert_eq!(pixels, kept);
    }
}
