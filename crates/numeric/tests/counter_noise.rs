//! The distributions of the counter-based deviates.
//!
//! All seeds are fixed, so a test that passes always passes. With random seeds each would fail once in
//! 10 000 times.

use nanobragg_numeric::{CounterNoise, log_gamma};

/// The quantile of the normal distribution that is exceeded with probability 1e-4.
const ONE_IN_10_000: f64 = 3.719;

/// Pixels of a row in these tests.
const ROW: usize = 1000;

/// Counts for one mean.
fn counts(mean: f64, rows: u32) -> Vec<f64> {
    let noise = CounterNoise::new(2026, 1, 0);
    let mut all = vec![mean; ROW * rows as usize];
    for (slow, row) in (0..).zip(all.chunks_exact_mut(ROW)) {
        noise.poisson([0, slow], row);
    }
    all
}

/// Ranges of counts, each with its probability: consecutive counts together until at least `least` is
/// reached. The first and the last range have the tails.
fn bins(mean: f64, least: f64) -> Vec<(f64, f64)> {
    // Ratios of neighbours, from the mode to both sides; normalised by their sum.
    let mode = mean.floor();
    let (mut below, mut term, mut n) = (Vec::new(), 1.0, mode);
    while n >= 0.0 && term > 1e-30 {
        below.push((n, term));
        term *= n / mean;
        n -= 1.0;
    }
    below.reverse();
    let (mut term, mut n) = (mean / (mode + 1.0), mode + 1.0);
    while term > 1e-30 {
        below.push((n, term));
        n += 1.0;
        term *= mean / n;
    }
    let total: f64 = below.iter().map(|(_, term)| term).sum();
    let mut bins: Vec<(f64, f64)> = Vec::new();
    let mut sum = 0.0;
    for (n, term) in below {
        sum += term / total;
        if sum >= least {
            bins.push((n, sum));
            sum = 0.0;
        }
    }
    let last = bins.last_mut().expect("the probabilities add up to 1");
    *last = (f64::INFINITY, last.1 + sum);
    bins
}

/// Chi-squared of counts against the Poisson distribution, as a deviate of mean 0 and variance 1.
///
/// # Source
/// E. B. Wilson and M. M. Hilferty, PNAS 17 (1931) 684.
fn deviation(mean: f64, counts: &[f64]) -> f64 {
    let n = counts.len() as f64;
    let bins = bins(mean, 50.0 / n);
    let mut found = vec![0.0; bins.len()];
    for &count in counts {
        found[bins.partition_point(|(last, _)| *last < count)] += 1.0;
    }
    let squares = bins.iter().zip(&found);
    let chi: f64 = squares
        .map(|((_, p), found)| (found - n * p).powi(2) / (n * p))
        .sum();
    let freedom = bins.len() as f64 - 1.0;
    let width = 2.0 / (9.0 * freedom);
    ((chi / freedom).cbrt() - (1.0 - width)) / width.sqrt()
}

#[test]
fn counts_have_the_poisson_distribution() {
    for mean in [0.01, 0.3, 1.0, 5.0, 9.9, 10.1, 30.0, 59.9, 60.1, 1e3, 1e6] {
        let deviation = deviation(mean, &counts(mean, 1000));
        assert!(deviation.abs() < ONE_IN_10_000, "{mean}: {deviation}");
    }
}

/// What the test above would say of counts that are nearly right.
#[test]
fn a_rounded_gaussian_is_told_from_a_poisson_distribution() {
    let mean = 100.0_f64;
    let noise = CounterNoise::new(1, 1, 0);
    let mut pixels = vec![0.0; 1_000_000];
    noise.gaussian([0, 0], &mut pixels, |pixel, g| {
        *pixel = (mean + mean.sqrt() * g).round()
    });
    assert!(deviation(mean, &pixels) > 10.0);
}

/// Mean and variance where a histogram would be too long or too short.
#[test]
fn mean_and_variance_are_equal_from_a_millionth_to_a_billion() {
    for mean in [1e-6, 1e-4, 30.0, 100.0, 1e5, 1e7, 1e9] {
        let counts = counts(mean, 1000);
        let n = counts.len() as f64;
        let sum: f64 = counts.iter().map(|count| count - mean).sum();
        let squares: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
        let z = sum / (n * mean).sqrt();
        // For so few photons the sum is itself a Poisson count, of 1.
        let limit = if n * mean < 10.0 {
            6.0
        } else {
            ONE_IN_10_000 + 0.2
        };
        assert!(z.abs() < limit, "{mean}: mean {z}");
        // The fourth central moment of a Poisson distribution is m + 3 m^2.
        let z = (squares / n - mean) / ((mean + 2.0 * mean * mean) / n).sqrt();
        assert!(z.abs() < limit, "{mean}: variance {z}");
    }
}

#[test]
fn gaussian_deviates_have_the_normal_distribution() {
    let noise = CounterNoise::new(5, 2, 0);
    let n = 1_000_000;
    let mut deviates = vec![0.0; n];
    noise.gaussian([0, 0], &mut deviates, |pixel, g| *pixel = g);
    let moment = |power| deviates.iter().map(|g: &f64| g.powi(power)).sum::<f64>() / n as f64;
    // The variances of the mean powers: E(g^2k) - E(g^k)^2.
    for (power, expected, variance) in
        [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
    {
        let z = (moment(power) - expected) / (variance / n as f64).sqrt();
        assert!(z.abs() < ONE_IN_10_000 + 0.2, "{power}: {z}");
    }
    // Kolmogorov and Smirnov: 2.23 is exceeded with probability 1e-4. The normal distribution is integrated
    // by its series.
    deviates.sort_by(f64::total_cmp);
    let cumulative = |x: f64| {
        let (mut term, mut sum) = (x, x);
        for odd in (3..200).step_by(2) {
            term *= x * x / f64::from(odd);
            sum += term;
        }
        // ln sqrt(2 pi) = ln 2 / 2 + ln gamma(1/2).
        0.5 + sum * (-x * x / 2.0 - 0.5 * 2.0_f64.ln() - f64::from(log_gamma(0.5))).exp()
    };
    let steps = (deviates.iter().enumerate()).step_by(997);
    let distance = steps
        .map(|(i, &g)| (cumulative(g) - i as f64 / n as f64).abs())
        .fold(0.0, f64::max);
    assert!(distance * (n as f64).sqrt() < 2.23, "{distance}");
}

/// Neighbours along both axes, panels, purposes and seeds that follow each other.
#[test]
fn deviates_of_neighbours_are_not_correlated() {
    let image = |seed, purpose, panel| {
        let noise = CounterNoise::new(seed, purpose, panel);
        let mut pixels = vec![0.0; ROW * ROW];
        for (slow, row) in (0..).zip(pixels.chunks_exact_mut(ROW)) {
            noise.gaussian([0, slow], row, |pixel, g| *pixel = g);
        }
        pixels
    };
    let first = image(1, 1, 0);
    let correlation = |a: &[f64], b: &[f64]| {
        let sum: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        sum / (a.len().min(b.len()) as f64).sqrt()
    };
    for (what, z) in [
        ("fast", correlation(&first, &first[1..])),
        ("two along fast", correlation(&first, &first[2..])),
        ("slow", correlation(&first, &first[ROW..])),
        ("panel", correlation(&first, &image(1, 1, 1))),
        ("purpose", correlation(&first, &image(1, 2, 0))),
        ("seed", correlation(&first, &image(2, 1, 0))),
    ] {
        assert!(z.abs() < ONE_IN_10_000 + 0.2, "{what}: {z}");
    }
    let mut further = Vec::new();
    for fast in 0..ROW as u32 {
        let mut pixel = CounterNoise::new(1, 1, 0).pixel([fast, 0]);
        further.extend((0..100).map(|_| pixel.gaussian()));
    }
    let firsts: Vec<f64> = first[..ROW].iter().flat_map(|g| [*g; 100]).collect();
    assert!(correlation(&further, &further[1..]).abs() < ONE_IN_10_000 + 0.2);
    assert!(correlation(&firsts, &further).abs() < 10.0 * ONE_IN_10_000);
}
