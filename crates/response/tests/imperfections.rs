//! Mean, variance and correlation of pixels that are dead, hot or noisy, and of a dead time.
//!
//! Each average has a limit of 4 standard errors, which is exceeded once in 15 000 averages. Seeds are
//! fixed.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]

use nanobragg_response::{
    Calibration, Counting, DeadPixels, DeadTime, DeadTimeModel, HotPixels, NoiseStream,
    NoisyPixels, Offset, PanelPhotons, Response, ResponseSpec, Window,
};

const SIGMAS: f64 = 4.0;
const WIDTH: usize = 500;
const PIXELS: usize = 100_000;

/// A detector without noise and with a large offset, so that no count is cut at 0.
fn quiet() -> ResponseSpec {
    ResponseSpec {
        counting: Some(Counting::Expected),
        offset: Some(Offset { counts: 1000.0 }),
        ..ResponseSpec::default()
    }
}

/// The counts of an image in which each pixel expects the same photons.
fn flat(spec: &ResponseSpec, photons: f32, seed: i64) -> Vec<i32> {
    let panel = PanelPhotons {
        panel: 0,
        pixels: &vec![photons; PIXELS],
        width: WIDTH,
        window: Window::ALL,
    };
    let response = Response::measured(spec, seed).unwrap().on_threads(1);
    response.apply(&[panel], &|| true).unwrap().pixels.remove(0)
}

/// Mean and variance of an image, and the correlation of pixels with their neighbours along both axes.
fn moments(counts: &[i32]) -> (f64, f64, [f64; 2]) {
    let n = counts.len() as f64;
    let mean = counts.iter().copied().map(f64::from).sum::<f64>() / n;
    let off: Vec<f64> = counts
        .iter()
        .map(|&count| f64::from(count) - mean)
        .collect();
    let variance = off.iter().map(|off| off * off).sum::<f64>() / n;
    let correlation = |stride: usize| {
        let products = off.iter().zip(&off[stride..]).map(|(a, b)| a * b);
        products.sum::<f64>() / (n * variance)
    };
    (mean, variance, [correlation(1), correlation(WIDTH)])
}

/// The image of `spec` scatters as predicted, and neighbours are not correlated. `kurtosis` is the fourth
/// central moment over the square of the variance; `tolerance` what the prediction leaves out.
fn assert_predicted(spec: &ResponseSpec, photons: f32, kurtosis: f64, tolerance: f64) {
    for stream in [NoiseStream::C, NoiseStream::Counter] {
        let spec = ResponseSpec {
            noise_stream: Some(stream),
            ..spec.clone()
        };
        let predicted = spec.predict(vec![photons.into()], 1);
        let (expected, spread) = (predicted.mean[0], predicted.variance[0]);
        let (mean, variance, correlations) = moments(&flat(&spec, photons, 3));
        let n = PIXELS as f64;
        let error = SIGMAS * (spread / n).sqrt();
        // Truncation reduces a mean by up to a count, by half a count where it is spread.
        assert!(
            mean < expected + error + tolerance && mean > expected - error - tolerance - 1.0,
            "{spec:?}: mean {mean}, predicted {expected}"
        );
        let error = SIGMAS * ((kurtosis - 1.0) / n).sqrt();
        let ratio = variance / spread;
        assert!(
            (ratio - 1.0).abs() < error + 0.1 / spread + tolerance / expected,
            "{spec:?}: variance {variance}, predicted {spread}"
        );
        for correlation in correlations {
            assert!(correlation.abs() < SIGMAS / n.sqrt(), "{correlation}");
        }
    }
}

/// The central moments of a number h with probability f.
fn kurtosis_of_choice(f: f64) -> f64 {
    3.0 + (1.0 - 6.0 * f * (1.0 - f)) / (f * (1.0 - f))
}

#[test]
fn hot_pixels_scatter_as_predicted() {
    for (fraction, counts) in [(0.02, 300.0), (0.5, 10.0), (0.002, 5000.0)] {
        let spec = ResponseSpec {
            hot_pixels: Some(HotPixels {
                fraction,
                counts,
                seed: 9,
            }),
            ..quiet()
        };
        assert_predicted(&spec, 20.0, kurtosis_of_choice(fraction), 0.0);
    }
}

#[test]
fn noisy_pixels_scatter_as_predicted() {
    let spec = ResponseSpec {
        noisy_pixels: Some(NoisyPixels {
            fraction: 0.1,
            sigma_counts: 60.0,
            seed: 9,
        }),
        ..quiet()
    };
    // The fourth moment of the noise is 3 sigma^4 for a part f of pixels, that over (f sigma^2)^2.
    assert_predicted(&spec, 20.0, 3.0 / 0.1, 0.0);
}

#[test]
fn a_dead_time_scatters_as_predicted() {
    for model in [DeadTimeModel::NonParalysable, DeadTimeModel::Paralysable] {
        for (photons, a) in [
            (20.0_f32, 0.2),
            (100.0, 0.5),
            (150.0, 1.5),
            (2000.0, 0.3),
            (1e5, 0.1),
            (1e5, 2.0),
        ] {
            let spec = ResponseSpec {
                counting: Some(Counting::Poisson),
                dead_time: Some(DeadTime {
                    dead_time_ns: 1e9 * a / f64::from(photons),
                    model,
                    exposure_s: None,
                }),
                ..quiet()
            };
            let predicted = spec.predict(vec![photons.into()], 1);
            let (counts, variance) = (predicted.mean[0] - 1000.0, predicted.variance[0]);
            assert!(
                variance < counts,
                "less than that of a Poisson distribution"
            );
            // The formulas hold for many photons; of few they leave out a part of a count.
            assert_predicted(&spec, photons, 3.0, 0.15 + 20.0 / f64::from(photons));
        }
    }
}

/// Formulas 4.23 and 4.27 of Knoll.
#[test]
fn rates_of_a_dead_time_are_those_of_the_models() {
    let rate = |model, photons| {
        let dead_time = Some(DeadTime {
            dead_time_ns: 100.0,
            model,
            exposure_s: Some(0.5),
        });
        let spec = ResponseSpec {
            dead_time,
            offset: Some(Offset { counts: 0.0 }),
            ..quiet()
        };
        spec.predict(vec![photons], 1).mean[0]
    };
    for photons in [1e3, 1e6, 1e7] {
        let a: f64 = photons * 100e-9 / 0.5;
        assert!((rate(DeadTimeModel::NonParalysable, photons) - photons / (1.0 + a)).abs() < 1.0);
        assert!((rate(DeadTimeModel::Paralysable, photons) - photons * (-a).exp()).abs() < 1.0);
    }
}

#[test]
fn an_exposure_is_that_of_the_beam_unless_it_is_given() {
    let dead_time = DeadTime {
        dead_time_ns: 100.0,
        ..DeadTime::default()
    };
    let spec = ResponseSpec {
        dead_time: Some(dead_time),
        ..quiet()
    };
    let given = spec.clone().in_exposure(0.1).in_exposure(7.0);
    assert_eq!(given.dead_time.unwrap().exposure_s, Some(0.1));
    assert_ne!(flat(&spec, 1e6, 1), flat(&given, 1e6, 1));
}

#[test]
fn dead_pixels_count_nothing_and_are_a_random_fraction() {
    let dead = DeadPixels {
        fraction: 0.01,
        seed: 4,
        list: vec![[0, 7, 3], [1, 0, 0], [0, 500, 0]],
    };
    let spec = ResponseSpec {
        dead_pixels: Some(dead.clone()),
        ..quiet()
    };
    let counts = flat(&spec, 20.0, 1);
    let mask = dead.of_panel(0, WIDTH, PIXELS / WIDTH);
    assert!(mask[3 * WIDTH + 7]);
    for (count, dead) in counts.iter().zip(&mask) {
        assert_eq!(*count, if *dead { 0 } else { 1020 });
    }
    let found = mask.iter().filter(|dead| **dead).count() as f64;
    let (expected, n) = (0.01 * PIXELS as f64, PIXELS as f64);
    assert!(
        (found - expected).abs() < SIGMAS * (n * 0.01 * 0.99).sqrt() + 1.0,
        "{found}"
    );
    // The same in every image, others on another panel and with another seed.
    assert_eq!(flat(&spec, 20.0, 2), counts);
    assert_ne!(dead.of_panel(1, WIDTH, PIXELS / WIDTH), mask);
    let other = DeadPixels { seed: 5, ..dead };
    assert_ne!(other.of_panel(0, WIDTH, PIXELS / WIDTH), mask);
}

/// The defects of a detector stay with their pixels, whatever region is read.
#[test]
fn defects_of_a_region_are_those_of_the_panel() {
    let spec = ResponseSpec {
        hot_pixels: Some(HotPixels {
            fraction: 0.05,
            counts: 100.0,
            seed: 1,
        }),
        noisy_pixels: Some(NoisyPixels {
            fraction: 0.05,
            sigma_counts: 9.0,
            seed: 2,
        }),
        dead_pixels: Some(DeadPixels {
            fraction: 0.05,
            seed: 3,
            list: vec![[0, 44, 55]],
        }),
        ..quiet()
    };
    let pixels = vec![5.0; PIXELS];
    let window = Window {
        fast: 33..=90,
        slow: 51..=77,
    };
    let panel = PanelPhotons {
        panel: 0,
        pixels: &pixels,
        width: WIDTH,
        window: window.clone(),
    };
    let response = Response::measured(&spec, 1).unwrap();
    let part = response
        .apply::<i32>(&[panel], &|| true)
        .unwrap()
        .pixels
        .remove(0);
    let whole = flat(&spec, 5.0, 1);
    for (index, (part, whole)) in part.into_iter().zip(whole).enumerate() {
        let is_inside =
            window.fast.contains(&(index % WIDTH)) && window.slow.contains(&(index / WIDTH));
        assert_eq!(part, if is_inside { whole } else { 0 });
    }
}

/// Two defects with one seed are in different pixels, as are those of the calibration.
#[test]
fn defects_with_the_same_seed_do_not_follow_each_other() {
    let of = |spec: ResponseSpec| {
        let counts = flat(&spec, 100.0, 1);
        let (mean, variance, _) = moments(&counts);
        counts
            .into_iter()
            .map(move |count| (f64::from(count) - mean) / variance.sqrt())
    };
    let hot = of(ResponseSpec {
        hot_pixels: Some(HotPixels {
            fraction: 0.1,
            counts: 100.0,
            seed: 1,
        }),
        ..quiet()
    });
    let calibration = of(ResponseSpec {
        noise_stream: Some(NoiseStream::Counter),
        calibration: Some(Calibration {
            sigma_fraction: 0.2,
            seed: 1,
        }),
        ..quiet()
    });
    let correlation: f64 = hot.zip(calibration).map(|(a, b)| a * b).sum::<f64>() / PIXELS as f64;
    assert!(
        correlation.abs() < SIGMAS / (PIXELS as f64).sqrt(),
        "{correlation}"
    );
}

#[test]
fn impossible_numbers_are_named() {
    for (text, message) in [
        (
            r#"{"dead_pixels": {"fraction": 2}}"#,
            "dead_pixels.fraction is 2, which must be from 0 to 1",
        ),
        (
            r#"{"hot_pixels": {"fraction": -1}}"#,
            "hot_pixels.fraction is -1, which must be from 0 to 1",
        ),
        (
            r#"{"noisy_pixels": {"sigma_counts": -1}}"#,
            "noisy_pixels.sigma_counts is -1, which must be 0 or above",
        ),
        (
            r#"{"dead_time": {"dead_time_ns": -1}}"#,
            "dead_time.dead_time_ns is -1, which must be 0 or above",
        ),
        (
            r#"{"dead_time": {"exposure_s": 0}}"#,
            "dead_time.exposure_s is 0, which must be above 0",
        ),
    ] {
        let spec: ResponseSpec = serde_json::from_str(text).unwrap();
        assert_eq!(spec.check().unwrap_err().to_string(), message);
    }
    let nan = HotPixels {
        fraction: f64::NAN,
        ..HotPixels::default()
    };
    let spec = ResponseSpec {
        hot_pixels: Some(nan),
        ..quiet()
    };
    assert!(spec.check().is_err());
}
