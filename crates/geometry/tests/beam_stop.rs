//! The shadow of a beam stop against shapes that are worked out another way.

#![allow(clippy::unwrap_used)]

use std::f64::consts::PI;

use nanobragg_geometry::vector::{dot, unit};
use nanobragg_geometry::{
    Angle, BeamStop, BeamStopSpec, DetectorSpec, HolderSpec, Laboratory, Length, Panel,
};

const L_MM: f64 = 20.0;

fn laboratory(twotheta_deg: f64, roty_deg: f64) -> Laboratory {
    Laboratory::new(&DetectorSpec {
        pixel_size: Length::from_mm(0.2),
        pixels_fast: Some(150),
        pixels_slow: Some(130),
        distance: Length::from_mm(100.0),
        twotheta: Angle::from_degrees(twotheta_deg),
        rotations: [0.0, roty_deg, 0.0].map(Angle::from_degrees),
        ..DetectorSpec::default()
    })
    .unwrap()
}

fn stop(change: impl FnOnce(&mut BeamStopSpec)) -> BeamStopSpec {
    let mut spec = BeamStopSpec {
        distance: Length::from_mm(L_MM),
        penumbra: Some(Length::default()),
        ..BeamStopSpec::new(Length::from_mm(2.0))
    };
    change(&mut spec);
    spec
}

fn shaded(spec: &BeamStopSpec, laboratory: &Laboratory, beam_size_m: f64) -> Panel {
    let panel = laboratory.panel();
    let stop = BeamStop::new(spec, &laboratory.beam, panel, beam_size_m).unwrap();
    stop.cast_on(panel.clone())
}

/// The area of a shadow in square metres: that of the light that is missing.
fn area_m2(panel: &Panel) -> f64 {
    let missing = panel
        .shade()
        .iter()
        .map(|(_, passed)| 1.0 - f64::from(*passed));
    missing.sum::<f64>() * panel.pixel_size_m().powi(2)
}

#[test]
fn the_shadow_of_a_disc_is_larger_by_the_ratio_of_distances() {
    let panel = shaded(&stop(|_| {}), &laboratory(0.0, 0.0), 0.0);
    let radius_m = 1e-3 * 100.0 / L_MM;
    let expected = PI * radius_m * radius_m;
    assert!((area_m2(&panel) / expected - 1.0).abs() < 2e-3);
}

/// On a tilted plane the cone around the beam cuts an ellipse. With half angle a, tilt t and distance D
/// along the beam its half axes are `D sin a cos a cos t / (cos^2 t - sin^2 a)` in the direction of the
/// tilt and `D sin a cos t / sqrt(cos^2 t - sin^2 a)` at right angles to it.
#[test]
fn the_shadow_on_a_tilted_detector_is_the_conic_of_its_cone() {
    let laboratory = laboratory(0.0, 40.0);
    let panel = shaded(&stop(|_| {}), &laboratory, 0.0);
    let cos_t = dot(panel.normal(), laboratory.beam.direction());
    assert!(cos_t < 0.9);
    let sin_a = 1.0_f64.atan2(L_MM).sin();
    let cos_a = (1.0 - sin_a * sin_a).sqrt();
    let q = cos_t * cos_t - sin_a * sin_a;
    let distance_m = panel.distance_m();
    let long = distance_m * sin_a * cos_a * cos_t / q;
    let short = distance_m * sin_a * cos_t / q.sqrt();
    let found = area_m2(&panel);
    let expected = PI * long * short;
    assert!((found / expected - 1.0).abs() < 3e-3, "{found} {expected}");
}

#[test]
fn a_detector_at_two_theta_has_the_shadow_around_the_direct_beam() {
    let laboratory = laboratory(15.0, 0.0);
    let panel = shaded(&stop(|_| {}), &laboratory, 0.0);
    let (f, s) = laboratory
        .panel()
        .pixel_at(laboratory.beam.direction())
        .unwrap();
    let at = |f: f64, s: f64| {
        let number = (s as u32) * panel.pixels_fast() + f as u32;
        panel
            .shade()
            .iter()
            .find(|(pixel, _)| *pixel == number)
            .map(|(_, part)| *part)
    };
    if f > 0.0 && s > 0.0 && f < 150.0 && s < 130.0 {
        assert_eq!(at(f, s), Some(0.0));
    }
    // The direction of every shaded pixel is within the half angle of the disc, and no other is.
    let half = 1.0_f64.atan2(L_MM);
    let edge = 0.2 * 1.5 / 100.0;
    for slow in 0..panel.pixels_slow() {
        for fast in 0..panel.pixels_fast() {
            let direction = unit(panel.middle_m(fast, slow));
            let angle = dot(direction, laboratory.beam.direction()).acos();
            let part = at(f64::from(fast), f64::from(slow)).unwrap_or(1.0);
            if angle < half - edge {
                assert_eq!(part, 0.0);
            } else if angle > half + edge {
                assert_eq!(part, 1.0);
            }
        }
    }
}

#[test]
fn an_arm_shades_a_strip_in_its_direction() {
    let arm = |degrees| HolderSpec {
        width: Length::from_mm(0.4),
        direction: Angle::from_degrees(degrees),
        transmission: 0.25,
    };
    let laboratory = laboratory(0.0, 0.0);
    let centre = laboratory
        .panel()
        .pixel_at(laboratory.beam.direction())
        .unwrap();
    for (degrees, [f, s]) in [(0.0, [1.0, 0.0]), (90.0, [0.0, 1.0]), (180.0, [-1.0, 0.0])] {
        let panel = shaded(
            &stop(|spec| spec.holder = Some(arm(degrees))),
            &laboratory,
            0.0,
        );
        let part = |along: f64, across: f64| {
            // The disc of the stop has a radius of 25 pixels, the arm is 10 wide.
            let fast = centre.0 + along * f + across * s;
            let slow = centre.1 + along * s + across * f;
            let number = (slow as u32) * panel.pixels_fast() + fast as u32;
            let found = panel.shade().iter().find(|(pixel, _)| *pixel == number);
            found.map_or(1.0, |(_, part)| *part)
        };
        assert_eq!((part(40.0, 0.0), part(40.0, 8.0)), (0.25, 1.0), "{degrees}");
        assert_eq!(
            (part(-40.0, 0.0), part(-10.0, 0.0)),
            (1.0, 0.0),
            "{degrees}"
        );
    }
}

/// The part of the light at the signed distance d from the edge is `1/2 + d/w`, so that the penumbra
/// leaves the area of a straight edge and adds `pi w^2 / 12` to that of a disc.
#[test]
fn a_penumbra_is_as_wide_as_the_beam_seen_past_the_stop() {
    let laboratory = laboratory(0.0, 0.0);
    let beam_size_m = 0.5e-3;
    let panel = shaded(&stop(|spec| spec.penumbra = None), &laboratory, beam_size_m);
    let width_m = beam_size_m * (1.0 - L_MM / 100.0);
    let magnified = 100.0 / L_MM;
    let expected = (PI * 1e-6 + PI * width_m * width_m / 12.0) * magnified * magnified;
    assert!((area_m2(&panel) / expected - 1.0).abs() < 2e-3);
    let half_lit = panel
        .shade()
        .iter()
        .filter(|(_, part)| *part > 0.01 && *part < 0.99);
    let ring = half_lit.count() as f64 * panel.pixel_size_m().powi(2);
    let expected = 2.0 * PI * 1e-3 * width_m * magnified * magnified;
    assert!((ring / expected - 1.0).abs() < 0.1, "{ring} {expected}");
}

#[test]
fn only_pixels_wholly_in_the_shadow_are_masked_if_asked() {
    let laboratory = laboratory(0.0, 0.0);
    assert_eq!(shaded(&stop(|_| {}), &laboratory, 0.0).mask(), None);
    let panel = shaded(&stop(|spec| spec.mask = true), &laboratory, 0.0);
    let mask = panel.mask().unwrap();
    for (number, part) in panel.shade() {
        let (fast, slow) = (number % 150, number / 150);
        assert_eq!(mask.row(slow as usize)[fast as usize], *part > 0.0);
    }
}

#[test]
fn a_stop_behind_the_detector_shades_nothing() {
    let laboratory = laboratory(0.0, 0.0);
    let spec = stop(|spec| spec.distance = Length::from_mm(101.0));
    assert!(shaded(&spec, &laboratory, 1e-4).shade().is_empty());
}

#[test]
fn a_part_of_a_panel_has_its_part_of_the_shadow() {
    let panel = shaded(&stop(|_| {}), &laboratory(0.0, 0.0), 0.0);
    let part = panel.cut("part".to_owned(), [70, 109], [50, 69]).unwrap();
    let stop = BeamStop::new(&stop(|_| {}), &laboratory(0.0, 0.0).beam, &panel, 0.0).unwrap();
    assert!(!part.shade().is_empty());
    assert_eq!(stop.cast_on(part.clone()).shade(), part.shade());
}

#[test]
fn numbers_that_no_stop_has_are_errors() {
    type Change = fn(&mut BeamStopSpec);
    let changes: [(&str, Change); 5] = [
        (
            "the diameter of the beam stop (m) is 0; it must be above 0",
            |spec| {
                spec.diameter = Length::default();
            },
        ),
        (
            "the distance of the beam stop (m) is -0.001; it must be above 0",
            |spec| {
                spec.distance = Length::from_mm(-1.0);
            },
        ),
        (
            "the penumbra of the beam stop (m) is NaN; it must be a finite number",
            |spec| {
                spec.penumbra = Some(Length::from_mm(f64::NAN));
            },
        ),
        (
            "the transmission of the beam stop is 1.5; it must be from 0 to 1",
            |spec| {
                spec.transmission = 1.5;
            },
        ),
        (
            "the width of the holder of the beam stop (m) is 0; it must be above 0",
            |spec| {
                spec.holder = Some(HolderSpec {
                    width: Length::default(),
                    direction: Angle::default(),
                    transmission: 0.0,
                });
            },
        ),
    ];
    let laboratory = laboratory(0.0, 0.0);
    for (message, change) in changes {
        let spec = stop(change);
        let error = BeamStop::new(&spec, &laboratory.beam, laboratory.panel(), 0.0).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
