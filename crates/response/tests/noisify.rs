//! The oddities of noisify, as they are and fixed.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]

use nanobragg_response::noisify::{
    Noisify, NoisifyFixes, NoisifyOddity, NoisifyProfile, NoisifySpread,
};

fn fixed(oddity: NoisifyOddity) -> NoisifyFixes {
    NoisifyFixes::default().with(oddity)
}

/// A detector that only spreads.
fn spreading(fixes: NoisifyFixes) -> Noisify {
    Noisify {
        spread: Some(NoisifySpread {
            profile: NoisifyProfile::Fiber,
            fwhm_pixels: 1.0,
            radius_pixels: 2,
        }),
        fixes,
        ..Noisify::default()
    }
}

#[test]
fn light_beyond_the_right_edge_arrives_at_the_left_edge_or_is_gone() {
    let mut photons = vec![0.0; 9 * 9];
    photons[9 * 4 + 8] = 1000.0;
    let spread = |fixes| spreading(fixes).spread(&photons, 9).unwrap();
    let (as_c, right) = (
        spread(NoisifyFixes::default()),
        spread(fixed(NoisifyOddity::PsfWrap)),
    );
    let lost = (as_c.lost_photons / 81.0) as f32;
    // Far from the point there are only the lost photons.
    assert_eq!((as_c.photons[4], right.photons[4]), (lost, 0.0));
    // The pixel right of the last one of row 4 is the first one of row 5.
    assert!((as_c.photons[9 * 5] - as_c.photons[9 * 4 + 7]).abs() < 1e-3);
    assert_eq!(right.photons[9 * 5], 0.0);
    // Without an edge in reach both are the same, but for the lost photons.
    let mut middle = vec![0.0; 9 * 9];
    middle[9 * 4 + 4] = 1000.0;
    let as_c = spreading(NoisifyFixes::default())
        .spread(&middle, 9)
        .unwrap();
    let right = spreading(fixed(NoisifyOddity::PsfWrap))
        .spread(&middle, 9)
        .unwrap();
    for (a, b) in as_c.photons.iter().zip(&right.photons) {
        assert!((a - b - lost).abs() < 1e-4);
    }
    let inside: f32 = right.photons.iter().sum();
    // The corners of the disc make the difference.
    assert!((f64::from(inside) + right.lost_photons - 1000.0).abs() < 60.0);
}

#[test]
fn a_calibration_of_its_own_stays_the_same_for_all_seeds() {
    let bright = vec![9e5_f32; 4000];
    let image = |seed: i64, fixes| {
        let detector = Noisify {
            calibration_fraction: 0.1,
            calibration_seed: -42,
            seed: -seed,
            fixes,
            ..Noisify::default()
        };
        detector.count(bright.clone()).photons
    };
    // The counting noise of a pixel is 950 photons, that of the calibration 90000.
    let correlation = |fixes| {
        let (a, b) = (image(1, fixes), image(2, fixes));
        let deviations = a.iter().zip(&b).map(|(a, b)| {
            let [a, b] = [a, b].map(|count| f64::from(*count) - 9e5);
            (a * b, a * a)
        });
        let (both, own) = deviations.fold((0.0, 0.0), |sum, d| (sum.0 + d.0, sum.1 + d.1));
        both / own
    };
    assert!(correlation(fixed(NoisifyOddity::SharedStream)) > 0.99);
    // Five standard errors of a correlation of 0.
    assert!(correlation(NoisifyFixes::default()).abs() < 5.0 / 4000_f64.sqrt());
}

#[test]
fn an_integer_image_of_32_bits_is_clipped_at_16_bits_or_not() {
    let image = |fixes| {
        let detector = Noisify {
            fixes,
            ..Noisify::default()
        };
        detector.ideal::<i32>(&[1e5, 100.0, 3e9])
    };
    let as_c = image(NoisifyFixes::default());
    assert_eq!((as_c.pixels, as_c.clipped), (vec![65535, 140, 65535], 2));
    let right = image(fixed(NoisifyOddity::IntClip));
    assert_eq!(right.pixels, [100_040, 140, i32::MAX]);
}

#[test]
fn negative_counts_wrap_or_are_0() {
    let image = |fixes| {
        let detector = Noisify {
            offset_counts: -7.5,
            fixes,
            ..Noisify::default()
        };
        (
            detector.ideal::<u16>(&[3.0, 7.0, 9.0]),
            detector.ideal::<i32>(&[3.0, 7.0, 9.0]),
        )
    };
    let (narrow, wide) = image(NoisifyFixes::default());
    assert_eq!((narrow.pixels, narrow.negative), (vec![65532, 0, 1], 1));
    assert_eq!(wide.pixels, [-4, 0, 1]);
    let (narrow, wide) = image(fixed(NoisifyOddity::NegativeCounts));
    assert_eq!((narrow.pixels, wide.pixels), (vec![0, 0, 1], vec![0, 0, 1]));
}

/// The means of flicker, counting and read-out.
#[test]
fn counts_have_the_variance_of_their_noises() {
    let detector = Noisify {
        flicker_fraction: 0.1,
        calibration_fraction: 0.05,
        counts_per_photon: 2.0,
        read_out_counts: 5.0,
        ..Noisify::default()
    };
    let counted = detector.count(vec![400.0; 40_000]);
    let counts = detector.measured::<i32>(counted).pixels;
    let n = counts.len() as f64;
    let mean = counts.iter().map(|&c| f64::from(c)).sum::<f64>() / n;
    let variance = counts
        .iter()
        .map(|&c| (f64::from(c) - mean).powi(2))
        .sum::<f64>()
        / n;
    let relative = (1.0 + 0.01) * (1.0 + 0.0025) - 1.0;
    let expected = 4.0 * (400.0 + 400.0 * 400.0 * relative) + 25.0;
    // Four standard errors; the fourth moment is nearly that of a Gaussian. Truncation takes half a count.
    assert!(
        (mean + 0.5 - 840.0).abs() < 4.0 * (expected / n).sqrt(),
        "{mean}"
    );
    assert!(
        (variance / expected - 1.0).abs() < 4.0 * (2.2 / n).sqrt(),
        "{variance} {expected}"
    );
}
