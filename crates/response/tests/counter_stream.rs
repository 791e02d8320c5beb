//! With the counter stream a count depends on nothing but seed, panel, pixel and photons.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]

use nanobragg_response::{
    Calibration, Counting, Counts, Error, Gain, NoiseStream, Offset, PanelPhotons, PointSpread,
    ReadOut, Response, ResponseSpec, Window,
};
use proptest::prelude::*;

/// A detector with every stage that draws random numbers.
fn detector() -> ResponseSpec {
    ResponseSpec {
        noise_stream: Some(NoiseStream::Counter),
        calibration: Some(Calibration {
            sigma_fraction: 0.05,
            seed: 5,
        }),
        gain: Some(Gain {
            counts_per_photon: 7.0,
        }),
        read_out: Some(ReadOut { sigma_counts: 3.0 }),
        offset: Some(Offset { counts: 50.0 }),
        ..ResponseSpec::default()
    }
}

/// Photons of all sizes, which no two neighbours share.
fn photons(width: usize, height: usize) -> Vec<f32> {
    let pixels = (0..width * height).map(|i| ((i * 2_654_435_761) % 1009) as f32);
    pixels.map(|photons| photons * photons * 1e-3).collect()
}

fn counts(
    spec: &ResponseSpec,
    panels: &[PanelPhotons<'_>],
    seed: i64,
    threads: usize,
) -> Counts<Vec<Vec<i32>>> {
    let response = Response::measured(spec, seed).unwrap().on_threads(threads);
    response.apply(panels, &|| true).unwrap()
}

fn panel(number: usize, pixels: &[f32], width: usize, window: Window) -> PanelPhotons<'_> {
    PanelPhotons {
        panel: number,
        pixels,
        width,
        window,
    }
}

proptest! {
    #[test]
    fn a_region_has_the_counts_of_the_full_panel(
        (fast, slow) in (0_usize..120, 0_usize..90),
        (wide, high) in (0_usize..120, 0_usize..90),
    ) {
        let pixels = photons(120, 90);
        let window = Window { fast: fast..=fast + wide, slow: slow..=slow + high };
        let whole = counts(&detector(), &[panel(0, &pixels, 120, Window::ALL)], 7, 1);
        let part = counts(&detector(), &[panel(0, &pixels, 120, window.clone())], 7, 2);
        for (index, (&part, &whole)) in part.pixels[0].iter().zip(&whole.pixels[0]).enumerate() {
            let is_inside =
                window.fast.contains(&(index % 120)) && window.slow.contains(&(index / 120));
            prop_assert_eq!(part, if is_inside { whole } else { 0 });
        }
    }
}

#[test]
fn threads_change_no_count() {
    // Wide and narrow: strips of one row and of many rows.
    for (width, height) in [(3000, 40), (30, 4000)] {
        let pixels = photons(width, height);
        let panels = [panel(0, &pixels, width, Window::ALL)];
        let one = counts(&detector(), &panels, 7, 1);
        for threads in [0, 2, 3] {
            assert_eq!(counts(&detector(), &panels, 7, threads), one);
        }
        // The sum of photons is the same, although these are no whole numbers.
        let expected = ResponseSpec {
            counting: Some(Counting::Expected),
            ..detector()
        };
        assert_eq!(
            counts(&expected, &panels, 7, 1).photons,
            counts(&expected, &panels, 7, 2).photons
        );
    }
}

/// A point spread needs the full panel, so that all stages act on one strip.
#[test]
fn the_size_of_a_strip_changes_no_count() {
    let pixels = photons(700, 60);
    let panels = [panel(0, &pixels, 700, Window::ALL)];
    let whole = ResponseSpec {
        point_spread: Some(PointSpread::gaussian(0.0)),
        ..detector()
    };
    assert_eq!(
        counts(&detector(), &panels, 7, 1).pixels,
        counts(&whole, &panels, 7, 2).pixels
    );
}

#[test]
fn a_panel_alone_has_the_counts_that_it_has_in_the_detector() {
    let pixels = photons(100, 30);
    let of = |number| panel(number, &pixels, 100, Window::ALL);
    let all = counts(&detector(), &[of(0), of(1), of(2)], 7, 2);
    for number in 0..3 {
        let alone = counts(&detector(), &[of(number)], 7, 1);
        assert_eq!(alone.pixels[0], all.pixels[number]);
    }
    assert_ne!(all.pixels[0], all.pixels[1]);
}

#[test]
fn a_change_of_one_pixel_changes_one_count() {
    let pixels = photons(100, 30);
    let mut brighter = pixels.clone();
    brighter[1234] += 1e4;
    let of = |pixels| counts(&detector(), &[panel(0, pixels, 100, Window::ALL)], 7, 1).pixels;
    let (a, b) = (of(&pixels), of(&brighter));
    let differ = (0..pixels.len()).filter(|&i| a[0][i] != b[0][i]);
    assert_eq!(differ.collect::<Vec<_>>(), [1234]);
}

#[test]
fn another_image_has_other_noise_on_the_same_detector() {
    let pixels = photons(100, 30);
    let panels = [panel(0, &pixels, 100, Window::ALL)];
    assert_ne!(
        counts(&detector(), &panels, 7, 1).pixels,
        counts(&detector(), &panels, 8, 1).pixels
    );
    let quiet = ResponseSpec {
        counting: Some(Counting::Expected),
        read_out: None,
        ..detector()
    };
    assert_eq!(
        counts(&quiet, &panels, 7, 1).pixels,
        counts(&quiet, &panels, 8, 1).pixels
    );
}

/// The sum of counted photons is that of the pixels, and a stop is heard on all threads.
#[test]
fn photons_are_counted_and_a_stop_ends_the_computation() {
    let pixels = photons(300, 300);
    let plain = ResponseSpec {
        noise_stream: Some(NoiseStream::Counter),
        offset: Some(Offset { counts: 0.0 }),
        ..ResponseSpec::default()
    };
    let panels = [panel(0, &pixels, 300, Window::ALL)];
    let counted = counts(&plain, &panels, 7, 2);
    let sum: f64 = counted.pixels[0].iter().copied().map(f64::from).sum();
    assert_eq!(counted.photons, Some(sum));
    let response = Response::measured(&plain, 7).unwrap();
    let error = response.apply::<u16>(&panels, &|| false).unwrap_err();
    assert_eq!(error, Error::Stopped);
}

#[test]
fn a_spec_without_a_stream_has_that_of_the_c_program() {
    let pixels = photons(30, 30);
    let panels = [panel(0, &pixels, 30, Window::ALL)];
    let of = |stream| {
        let spec = ResponseSpec {
            noise_stream: stream,
            ..ResponseSpec::default()
        };
        counts(&spec, &panels, 7, 1).pixels
    };
    assert_eq!(of(None), of(Some(NoiseStream::C)));
    assert_ne!(of(None), of(Some(NoiseStream::Counter)));
}
