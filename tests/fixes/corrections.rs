//! Solid angle, polarization, sensor and water: the weights of the terms of a pixel.

use nanobragg::geometry::vector::{dot, unit};
use nanobragg::{Experiment, Fixes, Oddity};
use nanobragg_tests::tolerances::SHALLOW_SENSOR;

use crate::book::{ELECTRON_RADIUS_SQUARED_M2, Term, photons, terms};
use crate::laboratory::{assert_pixels, assert_same, experiment, pixels, total};

/// A few cells close to a small detector with large pixels, so that corrections change within a pixel.
const CLOSE: &str = "-cell 40 50 60 75 100 95 -default_F 100 -N 3 -misset 10 20 30 -lambda 1.1 \
                     -distance 30 -pixel 2.1 -detpixels_x 15 -detpixels_y 12 -polar 0.7";

/// Sources with two directions.
const TWO_SOURCES: &str = "-sourcefile two_sources.txt";

/// A sensor with three layers that transmits a third of the photons.
const SENSOR: &str = "-detector_abs 400 -detector_thick 450 -detector_thicksteps 3";

/// The photons with the weight `weight` for each term. The arguments of `weight` are the term, the first
/// term, and the term whose capture fraction the C program uses.
fn weighted(weight: impl Fn(&Term, &Term, &Term) -> f64) -> impl Fn(&Experiment, u32, u32) -> f64 {
    move |experiment, fast, slow| {
        let terms = terms(experiment, fast, slow);
        let first = &terms[0];
        let last_layer = terms.iter().map(|term| term.layer).max().unwrap();
        let last = terms.iter().find(|term| term.layer == last_layer).unwrap();
        let sum = terms
            .iter()
            .map(|term| term.electrons * weight(term, first, last))
            .sum();
        photons(experiment, sum)
    }
}

#[test]
fn c_takes_every_correction_once_a_pixel() {
    let line = format!("{CLOSE} {TWO_SOURCES} {SENSOR} -oversample 3");
    assert_pixels(
        &line,
        weighted(|_, first, last| first.solid_angle_sr * first.polarization * last.capture),
    );
}

#[test]
fn corrections_belong_to_each_sub_pixel_and_source() {
    for sensor in ["", SENSOR] {
        let line = format!("{CLOSE} {TWO_SOURCES} {sensor} -oversample 3 -fix corrections");
        assert_pixels(
            &line,
            weighted(|own, _, _| own.solid_angle_sr * own.polarization * own.last_capture),
        );
    }
}

#[test]
fn corrections_of_an_unpolarized_sum_leave_polarization_out() {
    let line = format!("{CLOSE} {TWO_SOURCES} -oversample 2 -nopolar -fix corrections");
    assert_pixels(&line, weighted(|own, _, _| own.solid_angle_sr));
}

#[test]
fn each_layer_counts_with_what_it_captures() {
    let line = format!("{CLOSE} {SENSOR} -oversample 1 -fix thickness");
    assert_pixels(
        &line,
        weighted(|own, first, _| first.solid_angle_sr * first.polarization * own.capture),
    );
}

#[test]
fn a_sensor_stops_what_does_not_pass_it() {
    let stopped_share = |experiment: &Experiment, fast: u32, slow: u32| {
        let panel = experiment.detector.first();
        let middle_m = |pixel: u32| (f64::from(pixel) + 0.5) * panel.pixel_size_m();
        let ray = unit(panel.position_m(middle_m(fast), middle_m(slow), 0.0));
        1.0 - (-450.0 / 400.0 / dot(ray, panel.normal())).exp()
    };
    let without: Vec<f64> = pixels(&format!("{CLOSE} -nopolar -oversample 1"))
        .into_iter()
        .map(f64::from)
        .collect();
    let closed_form = |line: &str| -> Vec<f64> {
        let experiment = experiment(line);
        let share = |i: usize| stopped_share(&experiment, i as u32 % 15, i as u32 / 15);
        (0..without.len()).map(|i| without[i] * share(i)).collect()
    };
    let with_layers = |n: u32| {
        format!(
            "{CLOSE} -nopolar -oversample 1 -detector_abs 400 -detector_thick 450 \
             -detector_thicksteps {n} -fix thickness"
        )
    };
    // A single layer is at the front, so that the closed form is exact.
    let one = with_layers(1);
    assert_same(&one, &closed_form(&one), &pixels(&one));
    // A single cell scatters evenly, so that layers at different depths get almost the same.
    let evenly = |line: &str| line.replace("-N 3", "-N 1");
    let front = total(&evenly(&one));
    for n in [2, 5, 20] {
        let layered = total(&evenly(&with_layers(n)));
        assert!(
            (layered / front - 1.0).abs() < SHALLOW_SENSOR,
            "{n}: {layered} {front}"
        );
        let c = total(&evenly(&with_layers(n)).replace("-fix thickness", ""));
        assert!(c < 0.75 * front, "{n}: {c}");
    }
}

#[test]
fn a_correction_asked_for_at_each_sub_pixel_multiplies_its_own_term() {
    let line = |flag: &str| {
        format!("{CLOSE} {TWO_SOURCES} {SENSOR} -oversample 3 {flag} -fix oversample-flags")
    };
    assert_pixels(
        &line("-oversample_omega"),
        weighted(|own, first, last| own.solid_angle_sr * first.polarization * last.capture),
    );
    assert_pixels(
        &line("-oversample_polar"),
        weighted(|own, first, last| first.solid_angle_sr * own.polarization * last.capture),
    );
    assert_pixels(
        &line("-oversample_thick"),
        weighted(|own, first, _| first.solid_angle_sr * first.polarization * own.capture),
    );
}

#[test]
fn c_multiplies_the_running_sum() {
    let line = format!("{CLOSE} -oversample 2 -oversample_omega");
    assert_pixels(&line, |experiment, fast, slow| {
        let terms = terms(experiment, fast, slow);
        let add = |sum: f64, term: &Term| (sum + term.electrons) * term.solid_angle_sr;
        photons(
            experiment,
            terms.iter().fold(0.0, add) * terms[0].polarization,
        )
    });
}

#[test]
fn a_flag_does_not_bring_in_a_correction_that_is_off() {
    let plain = format!("{CLOSE} -oversample 2 -nopolar");
    let fixed = format!("{plain} -oversample_polar -fix oversample-flags");
    assert_eq!(pixels(&fixed), pixels(&plain));
    assert_ne!(
        pixels(&format!("{plain} -oversample_polar")),
        pixels(&plain)
    );
    let fixed = format!("{plain} -oversample_thick -fix oversample-flags");
    assert_eq!(pixels(&fixed), pixels(&plain));
    assert_eq!(total(&format!("{plain} -oversample_thick")), 0.0);
}

/// Almost nothing except water, in a beam whose fluence times r_e^2 is not 1.
const WET: &str = "-cell 40 50 60 -default_F 1e-5 -N 1 -lambda 1.1 -distance 30 -pixel 2.1 \
                   -detpixels_x 15 -detpixels_y 12 -polar 0.7 -water 10 -fluence 3e24";

/// Photons per steradian from the molecules in a cube of water of 10 micrometres, whose waves add up
/// incoherently.
fn from_water(experiment: &Experiment) -> f64 {
    let molecules = (1e-5_f64).powi(3) * 1e6 / 18.0 * 6.02214179e23;
    molecules * 2.57_f64.powi(2) * ELECTRON_RADIUS_SQUARED_M2 * experiment.fluence_per_m2
}

#[test]
fn water_scatters_as_its_molecules_do() {
    let steps = "-oversample 2 -phi 1 -osc 1 -phisteps 3 -mosaic 1 -mosaic_domains 4 \
                 -sourcefile two_sources_equal.txt";
    for steps in ["-oversample 1", steps] {
        assert_pixels(
            &format!("{WET} {steps} -fix water"),
            |experiment, fast, slow| {
                let first = terms(experiment, fast, slow)[0];
                from_water(experiment) * first.solid_angle_sr * first.polarization
            },
        );
    }
}

#[test]
fn c_scales_water_by_the_fluence_twice() {
    assert_pixels(&format!("{WET} -oversample 2"), |experiment, fast, slow| {
        let first = terms(experiment, fast, slow)[0];
        photons(experiment, from_water(experiment)) * first.solid_angle_sr * first.polarization
    });
}

#[test]
fn water_that_is_scaled_twice_can_still_be_corrected_once() {
    for (fixes, is_own) in [("corrections", true), ("oversample-flags", false)] {
        let line = format!("{WET} {TWO_SOURCES} -oversample 2 -oversample_omega -fix {fixes}");
        assert_pixels(&line, |experiment, fast, slow| {
            let terms = terms(experiment, fast, slow);
            let polarization = |own: &Term| if is_own { own } else { &terms[0] }.polarization;
            let sum: f64 = terms
                .iter()
                .map(|own| own.solid_angle_sr * polarization(own))
                .sum();
            photons(experiment, from_water(experiment)) * sum / terms.len() as f64
        });
    }
}

#[test]
fn water_is_corrected_as_the_crystal_is() {
    let line = format!("{WET} {TWO_SOURCES} {SENSOR} -oversample 2 -fix all");
    assert_pixels(&line, |experiment, fast, slow| {
        let terms = terms(experiment, fast, slow);
        let sum: f64 = terms
            .iter()
            .map(|term| term.solid_angle_sr * term.polarization * term.capture)
            .sum();
        let subpixels_and_sources =
            terms.len() as f64 / f64::from(experiment.detector.first().sensor().layers);
        from_water(experiment) * sum / subpixels_and_sources
    });
}

#[test]
fn only_what_is_named_is_put_right() {
    let fixes = experiment(&format!("{CLOSE} -fix water,thickness")).fixes;
    let expected = Fixes::none().with(Oddity::Water).with(Oddity::Thickness);
    assert_eq!(fixes, expected);
    assert_eq!(experiment(&format!("{CLOSE} -fix all")).fixes, Fixes::all());
    assert_eq!(experiment(CLOSE).fixes, Fixes::none());
}
