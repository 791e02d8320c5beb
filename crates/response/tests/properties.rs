//! Properties for any photons, windows and detectors.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]

use nanobragg_numeric::PoissonNoise;
use nanobragg_response::{
    Calibration, Count, Counting, Counts, Error, Flicker, Gain, NoiseStream, Offset, PanelPhotons,
    PointSpread, PointSpreadProfile, ReadOut, Response, ResponseSpec, Window,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The allowed error of an average over draws, in standard errors. It is exceeded once in 15 000
/// averages.
const SIGMAS: f64 = 4.0;

/// Panels of up to 12 x 12 pixels: photons and width.
fn panel(photons: impl Strategy<Value = f32> + Clone) -> impl Strategy<Value = (Vec<f32>, usize)> {
    (1_usize..12, 1_usize..12)
        .prop_flat_map(move |(fast, slow)| (vec(photons.clone(), fast * slow), Just(fast)))
}

fn window() -> impl Strategy<Value = Window> {
    (0_usize..12, 0_usize..12, 0_usize..12, 0_usize..12).prop_map(|(fast, slow, wide, high)| {
        Window {
            fast: fast..=fast + wide,
            slow: slow..=slow + high,
        }
    })
}

fn panel_of(pixels: &[f32], width: usize, window: Window) -> PanelPhotons<'_> {
    PanelPhotons {
        panel: 0,
        pixels,
        width,
        window,
    }
}

fn counted<C: Count>(response: Result<Response, Error>, pixels: &[f32], width: usize) -> Vec<C> {
    let panel = panel_of(pixels, width, Window::ALL);
    all_counted(response, &[panel]).pixels.remove(0)
}

fn all_counted<C: Count>(
    response: Result<Response, Error>,
    panels: &[PanelPhotons<'_>],
) -> Counts<Vec<Vec<C>>> {
    let response = response.unwrap().on_threads(1);
    response.apply(panels, &|| true).unwrap()
}

fn offset(counts: f64) -> ResponseSpec {
    ResponseSpec {
        offset: Some(Offset { counts }),
        ..ResponseSpec::default()
    }
}

/// A detector with every stage.
fn full_chain() -> ResponseSpec {
    ResponseSpec {
        calibration: Some(Calibration {
            sigma_fraction: 0.05,
            seed: 5,
        }),
        flicker: Some(Flicker {
            sigma_fraction: 0.05,
            per_pixel: false,
        }),
        counting: Some(Counting::Poisson),
        point_spread: Some(PointSpread::gaussian(0.8)),
        gain: Some(Gain {
            counts_per_photon: 300.0,
        }),
        read_out: Some(ReadOut {
            sigma_counts: 400.0,
        }),
        offset: Some(Offset { counts: 50_000.0 }),
        ..ResponseSpec::default()
    }
}

proptest! {
    #[test]
    fn any_photons_become_counts_and_greys(
        (photons, width) in panel(any::<f32>()),
        scale in any::<f64>(),
        counts in any::<f64>().prop_filter("finite", |counts| counts.is_finite()),
    ) {
        let spec = offset(counts);
        counted::<u16>(Response::integers(&spec, scale), &photons, width);
        counted::<i32>(Response::measured(&spec, 1), &photons, width);
        counted::<u8>(Ok(Response::greys(scale)), &photons, width);
    }

    #[test]
    fn a_window_is_a_crop((photons, width) in panel(0_f32..1e5), window in window()) {
        let whole = counted::<u16>(Response::integers(&offset(40.0), 1.0), &photons, width);
        let part = panel_of(&photons, width, window.clone());
        let part = all_counted::<u16>(Response::integers(&offset(40.0), 1.0), &[part]);
        for (index, (&count, &whole)) in part.pixels[0].iter().zip(&whole).enumerate() {
            let is_inside =
                window.fast.contains(&(index % width)) && window.slow.contains(&(index / width));
            prop_assert_eq!(count, if is_inside { whole } else { 0 });
        }
    }

    /// Counts are drawn in raster order, only for the pixels of the window, and the stream continues
    /// from panel to panel.
    #[test]
    fn counts_come_from_one_stream(
        (a, a_width) in panel(0_f32..1e5),
        (b, b_width) in panel(0_f32..30.0),
        window in window(),
        seed in any::<i64>(),
    ) {
        let panels = [panel_of(&a, a_width, window.clone()), panel_of(&b, b_width, Window::ALL)];
        let noise = all_counted::<i32>(Response::measured(&offset(40.0), seed), &panels);
        let mut stream = PoissonNoise::from_seed(seed);
        let mut photons = 0.0;
        for (index, &mean) in a.iter().enumerate() {
            let is_inside = window.fast.contains(&(index % a_width))
                && window.slow.contains(&(index / a_width));
            let drawn = if is_inside { f64::from(stream.count(mean)) } else { 0.0 };
            let expected = if is_inside { drawn + 40.0 } else { 0.0 };
            prop_assert_eq!(f64::from(noise.pixels[0][index]), expected);
            photons += drawn;
        }
        for (&count, &mean) in noise.pixels[1].iter().zip(&b) {
            let drawn = f64::from(stream.count(mean));
            prop_assert_eq!(f64::from(count), drawn + 40.0);
            photons += drawn;
        }
        prop_assert_eq!(noise.photons, Some(photons));
    }

    /// Counts of 32 and of 16 bits are equal if the latter are not clipped, and both report overloads.
    #[test]
    fn a_file_of_16_bits_clips_one_of_32((photons, width) in panel(0_f32..1e5), seed in any::<i64>()) {
        let panels = [panel_of(&photons, width, Window::ALL)];
        let response = || Response::measured(&ResponseSpec::default(), seed);
        let narrow = all_counted::<u16>(response(), &panels);
        let wide = all_counted::<i32>(response(), &panels);
        let clipped: Vec<u16> = wide.pixels[0].iter().map(|&c| c.min(65535) as u16).collect();
        prop_assert_eq!(&narrow.pixels[0], &clipped);
        let over = wide.pixels[0].iter().filter(|&&count| count > 65535).count();
        prop_assert_eq!((narrow.overloads, wide.overloads), (over as u64, 0));
        let limited = ResponseSpec { saturation_counts: Some(65535), ..ResponseSpec::default() };
        let limited = all_counted::<i32>(Response::measured(&limited, seed), &panels);
        prop_assert_eq!(limited.saturation_counts, narrow.saturation_counts);
        let narrowed: Vec<u16> = limited.pixels[0].iter().map(|&count| count as u16).collect();
        prop_assert_eq!(narrowed, clipped);
    }

    /// The point spread keeps the sum and the mean position of photons far enough from the edges.
    #[test]
    fn a_point_spread_keeps_photons_and_their_place(sigma_pixels in 0_f64..2.5, photons in 1e-3..1e6) {
        const SIDE: usize = 25;
        let mut image = vec![0.0; SIDE * SIDE];
        image[SIDE * 14 + 10] = photons;
        let spread = PointSpread::gaussian(sigma_pixels).spread(&image, SIDE);
        let total: f64 = spread.iter().sum();
        // Sums of less than a thousand numbers.
        prop_assert!((total / photons - 1.0).abs() < 1e-12, "{total}");
        let moment = |at: &dyn Fn(usize) -> usize| -> f64 {
            spread.iter().enumerate().map(|(i, pixel)| pixel * at(i) as f64).sum::<f64>() / total
        };
        prop_assert!((moment(&|i| i % SIDE) - 10.0).abs() < 1e-10);
        prop_assert!((moment(&|i| i / SIDE) - 14.0).abs() < 1e-10);
    }

    /// A spec reads back as it was written.
    #[test]
    fn a_description_of_a_detector_reads_back(sigma_counts in 0_f64..1e3, seed in any::<i64>()) {
        let spec = ResponseSpec {
            calibration: Some(Calibration { sigma_fraction: 0.1, seed }),
            read_out: Some(ReadOut { sigma_counts }),
            ..full_chain()
        };
        let text = serde_json::to_string(&spec).unwrap();
        let back: ResponseSpec = serde_json::from_str(&text).unwrap();
        // The shortest text of a number reads back within the last bit.
        prop_assert!((back.read_out.unwrap().sigma_counts - sigma_counts).abs() <= 1e-12);
        prop_assert_eq!(ResponseSpec { read_out: spec.read_out, ..back }, spec);
    }
}

/// The averages over many images are the predicted mean and variance.
fn assert_predicted(spec: &ResponseSpec, photons: &[f32], width: usize) {
    for stream in [NoiseStream::C, NoiseStream::Counter] {
        let spec = ResponseSpec {
            noise_stream: Some(stream),
            ..spec.clone()
        };
        assert_predicted_with(&spec, photons, width);
    }
}

fn assert_predicted_with(spec: &ResponseSpec, photons: &[f32], width: usize) {
    const IMAGES: i64 = 3000;
    let expected = photons.iter().map(|&photons| photons.into()).collect();
    let predicted = spec.predict(expected, width);
    let (mut sum, mut squares) = (vec![0.0; photons.len()], vec![0.0; photons.len()]);
    for image in 1..=IMAGES {
        let mut spec = spec.clone();
        // Each image has another detector, because the prediction is also an average over calibrations.
        if let Some(calibration) = &mut spec.calibration {
            calibration.seed = -image;
        }
        let counts = counted::<i32>(Response::measured(&spec, image), photons, width);
        for (i, &count) in counts.iter().enumerate() {
            let off = f64::from(count) - predicted.mean[i];
            sum[i] += off;
            squares[i] += off * off;
        }
    }
    let n = IMAGES as f64;
    for i in 0..photons.len() {
        let variance = predicted.variance[i];
        // Truncation reduces the mean by half a count and adds 1/12 to the variance.
        let mean = sum[i] / n;
        assert!(
            mean.abs() < SIGMAS * (variance / n).sqrt() + 0.5,
            "pixel {i}: {mean}"
        );
        // The standard deviation of a squared deviation is at most twice its mean here (the kurtosis).
        let ratio = squares[i] / n / variance;
        let limit = SIGMAS * 2.0 / n.sqrt() + 0.1 / variance;
        assert!((ratio - 1.0).abs() < limit, "pixel {i}: {ratio}");
    }
}

/// Means for the three methods of the Poisson noise.
const PHOTONS: [f32; 6] = [3.0, 10.0, 30.0, 200.0, 5e3, 2e4];

#[test]
fn counts_scatter_as_their_photons() {
    let spec = offset(40.0);
    let predicted = spec.predict(vec![9.0], 1);
    assert_eq!(
        (predicted.mean, predicted.variance),
        (vec![49.0], vec![9.0])
    );
    assert_predicted(&spec, &PHOTONS, 3);
}

#[test]
fn each_stage_scatters_as_predicted() {
    let all = full_chain();
    let bright = offset(1e5);
    let moffat = PointSpreadProfile::Moffat { beta: 2.5 };
    for spec in [
        ResponseSpec {
            calibration: all.calibration,
            ..bright.clone()
        },
        ResponseSpec {
            flicker: all.flicker,
            ..bright.clone()
        },
        ResponseSpec {
            flicker: Some(Flicker {
                sigma_fraction: 0.05,
                per_pixel: true,
            }),
            ..bright.clone()
        },
        ResponseSpec {
            gain: all.gain,
            point_spread: Some(profile(PointSpreadProfile::Fiber)),
            ..bright.clone()
        },
        ResponseSpec {
            gain: all.gain,
            point_spread: Some(profile(moffat)),
            ..bright.clone()
        },
        ResponseSpec {
            gain: all.gain,
            point_spread: Some(profile(PointSpreadProfile::Gauss)),
            ..bright.clone()
        },
        ResponseSpec {
            gain: all.gain,
            ..bright.clone()
        },
        ResponseSpec {
            gain: all.gain,
            point_spread: all.point_spread.clone(),
            ..bright.clone()
        },
        ResponseSpec {
            read_out: all.read_out,
            ..bright.clone()
        },
        ResponseSpec {
            counting: Some(Counting::Expected),
            read_out: all.read_out,
            ..bright
        },
        all,
    ] {
        assert_predicted(&spec, &PHOTONS, 3);
    }
}

fn profile(profile: PointSpreadProfile) -> PointSpread {
    PointSpread {
        fwhm_pixels: 1.3,
        profile,
        ..PointSpread::default()
    }
}

/// One factor for all pixels of an image, which differs from image to image.
#[test]
fn flicker_changes_all_pixels_together() {
    let spec = ResponseSpec {
        counting: Some(Counting::Expected),
        flicker: Some(Flicker {
            sigma_fraction: 0.1,
            per_pixel: false,
        }),
        ..offset(0.0)
    };
    for noise_stream in [NoiseStream::C, NoiseStream::Counter] {
        let spec = ResponseSpec {
            noise_stream: Some(noise_stream),
            ..spec.clone()
        };
        let image = |seed| counted::<i32>(Response::measured(&spec, seed), &[1e6; 5000], 1);
        assert!(image(1).iter().all(|count| *count == image(1)[0]));
        assert_ne!(image(1)[0], image(2)[0]);
    }
}

/// Pixels of a flat image are correlated by the light that they share:
/// `covariance_(i,l) = sum_j k_(i-j) k_(l-j) variance_j`.
#[test]
fn a_point_spread_correlates_neighbouring_pixels_as_its_formula_says() {
    const SIDE: usize = 11;
    const MIDDLE: usize = SIDE * 5 + 5;
    const IMAGES: i64 = 6000;
    const PHOTONS: f64 = 100.0;
    const GAIN: f64 = 100.0;
    for shape in [PointSpreadProfile::Fiber, PointSpreadProfile::Gauss] {
        let point_spread = profile(shape);
        // The image of a photon in the middle is the kernel.
        let mut point = vec![0.0; SIDE * SIDE];
        point[MIDDLE] = 1.0;
        let kernel = point_spread.spread(&point, SIDE);
        let weight = |i: usize, j: usize| -> f64 {
            let place = |i: usize| [(i % SIDE) as isize, (i / SIDE) as isize];
            let ([ix, iy], [jx, jy]) = (place(i), place(j));
            let (x, y) = (ix - jx + 5, iy - jy + 5);
            let inside = (0..SIDE as isize).contains(&x) && (0..SIDE as isize).contains(&y);
            if inside {
                kernel[(y * SIDE as isize + x) as usize]
            } else {
                0.0
            }
        };
        let spec = ResponseSpec {
            point_spread: Some(point_spread),
            gain: Some(Gain {
                counts_per_photon: GAIN,
            }),
            ..offset(0.0)
        };
        let expected = vec![PHOTONS; SIDE * SIDE];
        let mean = spec.predict(expected, SIDE).mean;
        let others = [MIDDLE + 1, MIDDLE + SIDE, MIDDLE + SIDE + 1, MIDDLE + 3];
        let mut sums = [0.0; 4];
        for seed in 1..=IMAGES {
            let photons = [PHOTONS as f32; SIDE * SIDE];
            let counts = counted::<i32>(Response::measured(&spec, seed), &photons, SIDE);
            let off = |i: usize| f64::from(counts[i]) + 0.5 - mean[i];
            for (sum, &other) in sums.iter_mut().zip(&others) {
                *sum += off(MIDDLE) * off(other);
            }
        }
        let covariance = |i: usize, l: usize| -> f64 {
            let shared = (0..SIDE * SIDE).map(|j| weight(i, j) * weight(l, j));
            shared.sum::<f64>() * PHOTONS * GAIN * GAIN
        };
        for (sum, &other) in sums.iter().zip(&others) {
            let predicted = covariance(MIDDLE, other);
            let own = covariance(MIDDLE, MIDDLE) * covariance(other, other);
            let error = ((own + predicted * predicted) / IMAGES as f64).sqrt();
            let found = sum / IMAGES as f64;
            assert!(
                (found - predicted).abs() < SIGMAS * error,
                "{shape:?}: {found} {predicted}"
            );
        }
    }
}

#[test]
fn the_light_beyond_a_radius_is_gone() {
    let side = 81;
    let mut point = vec![0.0; side * side];
    point[side * 40 + 40] = 1.0;
    for (radius_pixels, tail) in [(Some(10), 10.5_f64), (Some(30), 30.5)] {
        let spread = PointSpread {
            radius_pixels,
            ..profile(PointSpreadProfile::Fiber)
        };
        let inside: f64 = spread.spread(&point, side).iter().sum();
        let g = 1.3 * 0.652_383;
        let outside = g / (g * g + tail * tail).sqrt();
        // A disc of pixels has not quite the area of a circle.
        assert!(
            (1.0 - inside - outside).abs() < 0.05 * outside,
            "{inside} {outside}"
        );
    }
    let all: f64 = profile(PointSpreadProfile::Gauss)
        .spread(&point, side)
        .iter()
        .sum();
    assert!((all - 1.0).abs() < 1e-6, "{all}");
}

#[test]
fn a_point_spread_has_one_width() {
    let spread = |fwhm_pixels, sigma_pixels| ResponseSpec {
        point_spread: Some(PointSpread {
            fwhm_pixels,
            sigma_pixels,
            ..PointSpread::default()
        }),
        ..ResponseSpec::default()
    };
    assert!(spread(1.0, 0.0).check().is_ok());
    assert_eq!(spread(1.0, 1.0).check(), Err(Error::TwoPointSpreads));
    assert!(spread(-1.0, 0.0).check().is_err());
    let text = r#"{"point_spread": {"kernel": [[1, 2], [3, 4]]}}"#;
    let error = serde_json::from_str::<ResponseSpec>(text).unwrap_err();
    assert!(error.to_string().contains("odd"), "{error}");
    let text = r#"{"point_spread": {"fwhm_pixels": 2, "profile": {"moffat": {"beta": 1}}}}"#;
    let spec: ResponseSpec = serde_json::from_str(text).unwrap();
    assert!(spec.check().unwrap_err().to_string().contains("beta"));
}

/// The variance that a refinement uses for the weights of pixels.
#[test]
fn variances_of_counting_read_out_and_calibration_add() {
    let spec = ResponseSpec {
        calibration: Some(Calibration {
            sigma_fraction: 0.03,
            seed: 1,
        }),
        read_out: Some(ReadOut { sigma_counts: 2.0 }),
        ..offset(0.0)
    };
    let variance = spec.predict(vec![100.0, 0.0, -5.0], 3).variance;
    assert_eq!(variance[0], 0.03 * 0.03 * 1e4 + 100.0 + 4.0);
    assert_eq!(variance[1], 4.0);
}

#[test]
fn a_detector_keeps_its_calibration_from_image_to_image() {
    let spec = ResponseSpec {
        counting: Some(Counting::Expected),
        calibration: Some(Calibration {
            sigma_fraction: 0.1,
            seed: 3,
        }),
        ..offset(0.0)
    };
    let image = |seed| counted::<i32>(Response::measured(&spec, seed), &[1e4; 9], 3);
    assert_eq!(image(1), image(2));
    assert!(image(1).iter().any(|count| count.abs_diff(10_000) > 100));
}

#[test]
fn photon_counts_do_not_depend_on_the_rows_of_a_strip() {
    // Many strips of one row, one strip of many rows, and one strip of the full panel.
    for (width, height) in [(5000, 3), (3, 5000)] {
        let photons: Vec<f32> = (0..width * height).map(|i| (i % 97) as f32).collect();
        let spec = offset(40.0);
        let whole = ResponseSpec {
            point_spread: Some(PointSpread::gaussian(0.0)),
            ..spec.clone()
        };
        assert_eq!(
            counted::<u16>(Response::measured(&spec, 9), &photons, width),
            counted::<u16>(Response::measured(&whole, 9), &photons, width),
        );
    }
}

#[test]
fn a_window_beyond_the_panel_ends_with_it() {
    let window = |fast| Window {
        fast,
        slow: 0..=usize::MAX,
    };
    let counts = |fast| {
        let panel = panel_of(&[1.0, 2.0], 2, window(fast));
        all_counted::<u16>(Response::integers(&offset(40.0), 1.0), &[panel]).pixels
    };
    assert_eq!(counts(1..=usize::MAX), [[0, 42]]);
    assert_eq!(counts(5..=9), [[0, 0]]);
}

#[test]
fn a_negative_offset_does_not_wrap_around() {
    let spec = offset(-10.0);
    let panel = panel_of(&[3.0], 1, Window::ALL);
    let noise = all_counted::<u16>(Response::measured(&spec, 1), &[panel]);
    assert_eq!((&noise.pixels[0][..], noise.overloads), (&[0][..], 0));
}

#[test]
fn automatic_scales_are_those_of_the_c_program() {
    let spec = ResponseSpec::default();
    assert_eq!(spec.integer_scale(110.0), 500.0);
    assert_eq!(spec.integer_scale(0.0), 1.0);
    assert_eq!(spec.grey_scale(2.0, 7.0), 25.0);
    assert_eq!(spec.grey_scale(0.0, 7.0), 7.0);
    assert_eq!(spec.grey_scale(f64::NAN, 7.0), 7.0);
    let said = ResponseSpec {
        integer_scale_counts_per_photon: Some(3.0),
        grey_scale_per_photon: Some(0.0),
        ..spec
    };
    assert_eq!(
        (said.integer_scale(110.0), said.grey_scale(2.0, 7.0)),
        (3.0, 25.0)
    );
}

#[test]
fn missing_numbers_are_taken_from_the_other() {
    let said = offset(7.0).or(full_chain());
    assert_eq!(said.offset, Some(Offset { counts: 7.0 }));
    assert_eq!(said.gain, full_chain().gain);
}

#[test]
fn a_number_out_of_range_is_named() {
    let said: ResponseSpec = serde_json::from_str(r#"{"gain": {"counts_per_photon": 0}}"#).unwrap();
    let error = Response::measured(&said, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gain.counts_per_photon is 0, which must be above 0"
    );
    assert!(offset(f64::NAN).check().is_err());
    for sigma in [-1.0, f64::NAN, f64::INFINITY] {
        let read_out = Some(ReadOut {
            sigma_counts: sigma,
        });
        let point_spread = Some(PointSpread::gaussian(sigma));
        let spec = ResponseSpec::default();
        assert!(
            ResponseSpec {
                read_out,
                ..spec.clone()
            }
            .check()
            .is_err()
        );
        assert!(
            ResponseSpec {
                point_spread,
                ..spec
            }
            .check()
            .is_err()
        );
    }
}

#[test]
fn an_unknown_field_is_an_error() {
    let error = serde_json::from_str::<ResponseSpec>(r#"{"offset": {"count": 0}}"#).unwrap_err();
    assert!(error.to_string().contains("count"), "{error}");
    assert!(serde_json::from_str::<ResponseSpec>(r#"{"flick": {}}"#).is_err());
}

#[test]
fn pixels_that_do_not_form_a_rectangle_are_an_error() {
    for width in [0, 2] {
        let panel = panel_of(&[0.0; 3], width, Window::ALL);
        let response = Response::measured(&ResponseSpec::default(), 1).unwrap();
        let error = response.apply::<u16>(&[panel], &|| true).unwrap_err();
        assert_eq!(
            error,
            Error::Shape {
                panel: 0,
                pixels: 3,
                width
            }
        );
    }
}

#[test]
fn a_stop_ends_the_computation() {
    let panel = panel_of(&[0.0; 3], 3, Window::ALL);
    let response = Response::measured(&ResponseSpec::default(), 1).unwrap();
    let error = response.apply::<u16>(&[panel], &|| false).unwrap_err();
    assert_eq!(error, Error::Stopped);
}
