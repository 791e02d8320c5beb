//! Mean, variance and correlation of pixels that share charge, against integrals over the position of a photon.
//!
//! Each average has a limit of 4 standard errors, which is exceeded once in 15 000 averages. Seeds are fixed.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]

use std::f64::consts::SQRT_2;

use nanobragg_response::{
    ChargeSharing, Counting, DeadTime, Gain, NoiseStream, Offset, PanelPhotons, Response,
    ResponseSpec, Window,
};

const WIDTH: usize = 500;
const HEIGHT: usize = 400;
/// Large, so that the charge of a photon is not cut to an integer.
const GAIN: f64 = 1000.0;

fn detector(sigma_pixels: f64, threshold_fraction: f64) -> ResponseSpec {
    ResponseSpec {
        charge_sharing: Some(ChargeSharing {
            sigma_pixels,
            threshold_fraction,
        }),
        gain: Some(Gain {
            counts_per_photon: GAIN,
        }),
        offset: Some(Offset { counts: 0.0 }),
        noise_stream: Some(NoiseStream::Counter),
        ..ResponseSpec::default()
    }
}

fn counts(spec: &ResponseSpec, photons: &[f32], seed: i64, window: Window) -> Vec<f64> {
    let panel = PanelPhotons {
        panel: 0,
        pixels: photons,
        width: WIDTH,
        window,
    };
    let response = Response::measured(spec, seed).unwrap();
    let counts: Vec<i32> = response.apply(&[panel], &|| true).unwrap().pixels.remove(0);
    counts
        .into_iter()
        .map(|count| f64::from(count) / GAIN)
        .collect()
}

/// The mean of the signal of a pixel over the positions of a photon, and of its products with the signals of the
/// pixels at (0, 0), (1, 0) and (1, 1), summed over all pixels that the photon may be in.
fn integrals(sigma: f64, threshold: f64) -> (f64, [f64; 3]) {
    const STEPS: usize = 300;
    let signal = |x: f64, y: f64| {
        let share = |at: f64| {
            let below = |edge: f64| libm::erf((edge - at) / (sigma * SQRT_2)) / 2.0;
            below(0.5) - below(-0.5)
        };
        let share = share(x) * share(y);
        if threshold > 0.0 {
            f64::from(u8::from(share > threshold))
        } else {
            share
        }
    };
    let (mut mean, mut products) = (0.0, [0.0; 3]);
    // Positions around a pixel, up to two pixels from its middle.
    let at = |i: usize| -2.0 + 4.0 * (i as f64 + 0.5) / (4 * STEPS) as f64;
    for y in (0..4 * STEPS).map(at) {
        for x in (0..4 * STEPS).map(at) {
            let own = signal(x, y);
            if own == 0.0 {
                continue;
            }
            mean += own;
            let neighbours = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)];
            for (sum, (i, j)) in products.iter_mut().zip(neighbours) {
                *sum += own * signal(x - i, y - j);
            }
        }
    }
    let area = (STEPS * STEPS) as f64;
    (mean / area, products.map(|sum| sum / area))
}

/// Averages of (value - `mean`) of pixels inside the image, and of their products with the pixel i, j further.
fn average(counts: &[f64], mean: f64, i: usize, j: usize) -> f64 {
    let mut sum = 0.0;
    for y in 2..HEIGHT - 3 {
        for x in 2..WIDTH - 3 {
            sum += (counts[y * WIDTH + x] - mean) * (counts[(y + j) * WIDTH + x + i] - mean);
        }
    }
    sum / ((HEIGHT - 5) * (WIDTH - 5)) as f64
}

#[test]
fn shared_charge_has_the_moments_of_the_integrals() {
    let n = ((HEIGHT - 5) * (WIDTH - 5)) as f64;
    for (sigma, threshold) in [(0.1, 0.5), (0.15, 0.2), (0.08, 0.7), (0.15, 0.0)] {
        let (share, products) = integrals(sigma, threshold);
        for photons in [3.0_f32, 40.0, 500.0] {
            let spec = detector(sigma, threshold);
            let image = counts(&spec, &vec![photons; WIDTH * HEIGHT], 3, Window::ALL);
            let m = f64::from(photons);
            let what = format!("sigma {sigma}, threshold {threshold}, {photons} photons");
            // What the spread of positions to a grid may change, and what is cut off by 1/1000 counts.
            let grid = 2e-3 * m + 1e-3;
            let mean = image.iter().sum::<f64>() / image.len() as f64;
            let [variance, side, corner] = products.map(|product| m * product);
            // Pixels that share charge are not independent: their average has this variance.
            let together = variance + 4.0 * side + 4.0 * corner;
            // The pixels at the edge lack what comes from beyond it.
            let edge =
                m * (1.0 - share.min(1.0) + 0.2) * 2.0 * (1.0 / WIDTH as f64 + 1.0 / HEIGHT as f64);
            assert!(
                (mean - m * share).abs() < 4.0 * (together / n).sqrt() + grid + edge,
                "{what}: mean {mean}, expected {}",
                m * share
            );
            let predicted = spec.predict(vec![m; 25], 5);
            assert!(
                (predicted.mean[12] / GAIN - m * share).abs() < grid,
                "{what}"
            );
            let ratio = predicted.variance[12] / (GAIN * GAIN * variance);
            assert!(
                (ratio - 1.0).abs() < 4e-3,
                "{what}: predicted variance {ratio}"
            );
            for ((i, j), expected) in [
                ((0, 0), variance),
                ((1, 0), side),
                ((0, 1), side),
                ((1, 1), corner),
            ] {
                let found = average(&image, mean, i, j);
                // The variance of a product of two deviations, which is larger for few photons, and which
                // neighbours share.
                let kurtosis = 2.0 + 2.0 / m;
                let error = (kurtosis * variance * (variance + 2.0 * side) / n).sqrt();
                assert!(
                    (found - expected).abs() < 4.0 * error + 4e-3 * variance,
                    "{what}: covariance with ({i}, {j}) {found}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn without_counting_noise_the_mean_is_shared() {
    let spec = ResponseSpec {
        counting: Some(Counting::Expected),
        ..detector(0.15, 0.2)
    };
    let mut photons = vec![0.0; WIDTH * HEIGHT];
    photons[200 * WIDTH + 250] = 1000.0;
    let image = counts(&spec, &photons, 1, Window::ALL);
    let predicted = spec.predict(photons.iter().map(|&x| x.into()).collect(), WIDTH);
    for (count, mean) in image.iter().zip(&predicted.mean) {
        assert!((count - mean / GAIN).abs() <= 1.0 / GAIN);
    }
    assert!(image.iter().filter(|count| **count > 0.0).count() > 4);
}

/// The draws of a pixel do not depend on the others.
#[test]
fn a_window_has_the_same_counts_away_from_its_edge() {
    let spec = detector(0.15, 0.3);
    let photons = vec![20.0; WIDTH * HEIGHT];
    let whole = counts(&spec, &photons, 7, Window::ALL);
    let window = Window {
        fast: 100..=200,
        slow: 50..=90,
    };
    let part = counts(&spec, &photons, 7, window);
    for y in 51..90 {
        for x in 101..200 {
            assert_eq!(part[y * WIDTH + x], whole[y * WIDTH + x]);
        }
    }
}

#[test]
fn impossible_numbers_are_refused() {
    for (sigma, threshold) in [
        (0.31, 0.5),
        (-0.1, 0.5),
        (0.1, 0.01),
        (0.1, 1.0),
        (f64::NAN, 0.5),
    ] {
        assert!(
            Response::measured(&detector(sigma, threshold), 1).is_err(),
            "{sigma} {threshold}"
        );
    }
}

/// Stages after one that needs the whole panel still know that photons were counted.
#[test]
fn a_dead_time_draws_after_charge_sharing_as_without_it() {
    let spec = |charge_sharing| ResponseSpec {
        charge_sharing,
        dead_time: Some(DeadTime {
            dead_time_ns: 1e6,
            exposure_s: Some(0.1),
            ..DeadTime::default()
        }),
        ..detector(0.0, 0.5)
    };
    let photons = vec![30.0; WIDTH * HEIGHT];
    let image = |charge_sharing| counts(&spec(charge_sharing), &photons, 4, Window::ALL);
    assert_eq!(image(Some(ChargeSharing::default())), image(None));
}
