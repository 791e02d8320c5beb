//! Position of the detector: pivot, beam centre, curvature, and input that C ignores.

use nanobragg::geometry::vector::{dot, norm, sub};
use nanobragg::{Convention, Experiment, Panel, Pivot};
use nanobragg_tests::binary::Scene;
use nanobragg_tests::strategies::named_conventions;

use crate::laboratory::{experiment, panel, pixels};
use crate::spots::{
    CENTRE, CRYSTAL, DISTANCE_MM, Drawing, PIXEL_MM, TILT_DEG, assert_spots, beam_flags,
    close_flags, org_flags, spots_missed,
};

/// The intersection of the direct beam with the detector, along fast and slow in pixels.
fn direct_beam(experiment: &Experiment) -> [f64; 2] {
    let panel = experiment.detector.first();
    let (fast, slow) = panel.pixel_at(experiment.beam.direction()).unwrap();
    [fast, slow]
}

fn is_at(found: [f64; 2], expected: [f64; 2]) -> bool {
    (0..2).all(|axis| (found[axis] - expected[axis]).abs() < 1e-6)
}

#[test]
fn the_pivot_is_the_one_asked_for() {
    use {Convention::*, Pivot::*};
    let [x, y, z] = TILT_DEG;
    let tilt = format!("-detector_rotx {x} -detector_roty {y} -detector_rotz {z}");
    for (convention, flags, along_normal, in_c, fixed) in [
        (Mosflm, "-pivot sample -distance 60", false, Beam, Sample),
        (Mosflm, "-distance 60", false, Beam, Beam),
        (Denzo, "-pivot beam -close_distance 60", true, Beam, Beam),
        (Adxv, "-close_distance 60", true, Beam, Sample),
        (Xds, "-pivot beam -distance 60", false, Sample, Beam),
        (Xds, "-close_distance 60", true, Sample, Sample),
        (Dials, "-distance 60", false, Sample, Beam),
    ] {
        // Both centres are given, so that only the pivot matters.
        let line = format!(
            "{CRYSTAL} -{convention} {} {} {tilt} {flags}",
            beam_flags(convention),
            org_flags()
        );
        for (line, pivot) in [(line.clone(), in_c), (format!("{line} -fix pivot"), fixed)] {
            let drawing = Drawing::new(convention, TILT_DEG, pivot, along_normal);
            let place = |ray| drawing.meets(ray);
            let experiment = experiment(&line);
            let spot = direct_beam(&experiment);
            let expected = place(experiment.beam.direction());
            assert!(is_at(spot, expected), "{line}: {spot:?}");
            assert_spots(&line, place);
        }
    }
}

#[test]
fn any_way_of_giving_the_centre_places_the_beam() {
    for convention in named_conventions() {
        let drawing = Drawing::new(convention, [0.0; 3], Pivot::Beam, false);
        let place = |ray| drawing.meets(ray);
        let listens_to_org = matches!(convention, Convention::Xds | Convention::Dials);
        for (way, is_heard_in_c) in [
            (beam_flags(convention), !listens_to_org),
            (org_flags(), listens_to_org),
            (close_flags(), false),
        ] {
            let line = format!("{CRYSTAL} -{convention} -distance {DISTANCE_MM} {way}");
            assert_eq!(
                is_at(direct_beam(&experiment(&line)), CENTRE),
                is_heard_in_c,
                "{line}"
            );
            assert_eq!(
                spots_missed(&line, place).is_empty(),
                is_heard_in_c,
                "{line}"
            );
            let line = format!("{line} -fix beam-centre");
            assert!(is_at(direct_beam(&experiment(&line)), CENTRE), "{line}");
            assert_spots(&line, place);
        }
    }
}

/// The vector from the sample to the point `f`, `s` pixels along fast and slow, in metres.
fn point_m(panel: &Panel, [f, s]: [f64; 2]) -> [f64; 3] {
    let px_m = panel.pixel_size_m();
    panel.position_m(f * px_m, s * px_m, 0.0)
}

#[test]
fn every_pixel_of_a_curved_detector_is_equally_far_whatever_the_convention() {
    for convention in Convention::ALL {
        let flag = if convention == Convention::Custom {
            "-polar_vector 0 0 1".to_owned()
        } else {
            format!("-{convention}")
        };
        for tilt in ["", "-detector_rotx 5 -detector_roty 8 -twotheta 20"] {
            let panel = panel(&format!("{CRYSTAL} -curved_det {flag} {tilt} -fix curved"));
            let reach_m = panel.close_distance_m();
            for i in 0..100 {
                let at = [f64::from(i % 10) * 13.0, f64::from(i / 10) * 12.0];
                let off_m = norm(point_m(&panel, at)) - reach_m;
                assert!(off_m.abs() < 1e-15, "{flag} {tilt} {at:?}: {off_m}");
            }
        }
    }
}

#[test]
fn a_step_on_a_curved_detector_is_an_arc_in_the_same_direction() {
    for convention in named_conventions() {
        let line = format!("{CRYSTAL} -curved_det -{convention} -detector_rotz 3 -twotheta 12");
        let fixed = panel(&format!("{line} -fix curved"));
        let (reach_m, px_m) = (fixed.close_distance_m(), fixed.pixel_size_m());
        let near = [fixed.f_close_m() / px_m, fixed.s_close_m() / px_m];
        for pixels in [1e-3, 10.0, -35.0] {
            let (sin, cos) = (pixels * px_m / reach_m).sin_cos();
            for (along, axis) in [([pixels, 0.0], fixed.fast()), ([0.0, pixels], fixed.slow())] {
                let found = point_m(&fixed, [near[0] + along[0], near[1] + along[1]]);
                let arc =
                    std::array::from_fn(|i| reach_m * (cos * fixed.normal()[i] + sin * axis[i]));
                assert!(
                    norm(sub(found, arc)) < 1e-15,
                    "{convention}: {found:?} {arc:?}"
                );
            }
        }
    }
}

#[test]
fn c_exchanges_the_axes_of_a_curved_detector() {
    let c = panel(&format!("{CRYSTAL} -curved_det"));
    let step_m = sub(point_m(&c, [60.001, 57.5]), point_m(&c, [60.0, 57.5]));
    assert!((dot(step_m, c.slow()).abs() / 0.6e-6 - 1.0).abs() < 1e-3);
    assert!((dot(step_m, c.fast()) / 0.6e-6).abs() < 1e-3);
}

#[test]
fn bragg_spots_on_a_curved_detector_are_arcs_from_the_centre() {
    for convention in named_conventions() {
        let axes = convention.axes();
        // A rotation about slow by f/D, then about fast by s/D, takes the normal to the ray.
        let place = |ray: [f64; 3]| {
            let f = dot(ray, axes.fast).asin();
            let s = dot(ray, axes.slow).atan2(dot(ray, axes.normal));
            [
                CENTRE[0] + f * DISTANCE_MM / PIXEL_MM,
                CENTRE[1] + s * DISTANCE_MM / PIXEL_MM,
            ]
        };
        let line = format!(
            "{CRYSTAL} -curved_det -{convention} -distance {DISTANCE_MM} {} {}",
            beam_flags(convention),
            org_flags()
        );
        assert_spots(&format!("{line} -fix curved"), place);
        assert!(!spots_missed(&line, place).is_empty(), "{line}");
    }
}

#[test]
fn the_pix0_vector_is_where_the_first_pixel_is() {
    let line = format!("{CRYSTAL} -pix0_vector 0.07 0.02 -0.03 -detector_rotx 4 -twotheta 6");
    let given_m = [0.07, 0.02, -0.03];
    let fixed = panel(&format!("{line} -fix ignored-input"));
    assert_eq!(fixed.pix0_m(), given_m);
    assert_eq!(point_m(&fixed, [0.0; 2]), given_m);
    assert!(norm(sub(panel(&line).pix0_m(), given_m)) > 1e-3);
}

#[test]
fn two_theta_of_a_header_turns_the_detector() {
    let scene = Scene::with_inputs();
    let image = String::from_utf8_lossy(&scene.read("header.img")[..512]).into_owned();
    let mut bytes = scene.read("header.img");
    let at = image.find("TWOTHETA=0").unwrap() + "TWOTHETA=".len();
    bytes[at] = b'9';
    scene.write("swung.img", bytes);
    let plain = "-cell 40 50 60 -default_F 100 -N 3 -oversample 1";
    let swung = format!("{plain} -img {}", scene.path("swung.img").display());
    let (still, turned) = (
        pixels(&format!("{plain} -img header.img")),
        pixels(&format!("{plain} -img header.img -twotheta 9")),
    );
    assert_ne!(still, turned);
    assert_eq!(pixels(&swung), still);
    assert_eq!(pixels(&format!("{swung} -fix ignored-input")), turned);
    assert_eq!(
        pixels(&format!("{swung} -twotheta 0 -fix ignored-input")),
        still
    );
}

#[test]
fn a_distance_given_wins_over_a_header() {
    let line = "-img own.img -cell 40 50 60 -default_F 100 -N 3 -distance 90";
    let distance_m = |line: &str| panel(line).distance_m();
    assert!((distance_m(line) - 0.072).abs() < 1e-12);
    let fixed = format!("{line} -fix header-distance");
    assert!((distance_m(&fixed) - 0.09).abs() < 1e-12);
    assert!((distance_m(&format!("{fixed} -close_distance 80")) - 0.08).abs() < 1e-12);
    let header_alone = "-img own.img -cell 40 50 60 -default_F 100 -N 3 -fix header-distance";
    assert!((distance_m(header_alone) - 0.072).abs() < 1e-12);
}

/// Where the direct beam meets the plane of a detector, by its corner and axes alone: from the sample in
/// mm, and from the corner along fast and slow in mm.
fn beam_meets(experiment: &Experiment) -> (f64, [f64; 2]) {
    let panel = experiment.detector.first();
    let px_m = panel.pixel_size_m();
    let corner = point_m(panel, [0.0; 2]);
    let [fast, slow] = [[1.0, 0.0], [0.0, 1.0]]
        .map(|step| sub(point_m(panel, step), corner).map(|along| along / px_m));
    let [a, b, c] = fast;
    let [u, v, w] = slow;
    let normal = [b * w - c * v, c * u - a * w, a * v - b * u];
    let beam = experiment.beam.direction();
    let reach_m = dot(corner, normal) / dot(beam, normal);
    let spot = sub(beam.map(|along| along * reach_m), corner);
    (
        reach_m * 1e3,
        [dot(spot, fast) * 1e3, dot(spot, slow) * 1e3],
    )
}

#[test]
fn the_distance_and_the_beam_spot_are_those_of_the_detector_under_two_theta() {
    for convention in named_conventions() {
        for (reach, rotations) in [
            ("-distance 60", "-twotheta 20"),
            ("-close_distance 60", "-twotheta -15"),
            (
                "-distance 60 -pivot sample",
                "-twotheta 35 -detector_rotx 4",
            ),
            (
                "-close_distance 60 -pivot beam",
                "-twotheta 8 -detector_roty -9",
            ),
        ] {
            let line = format!(
                "{CRYSTAL} -{convention} {} {} {reach} {rotations}",
                beam_flags(convention),
                org_flags()
            );
            for line in [
                format!("{line} -fix twotheta-distance"),
                format!("{line} -fix all"),
            ] {
                let experiment = experiment(&line);
                let panel = experiment.detector.first();
                let (reach_mm, spot_mm) = beam_meets(&experiment);
                assert!((panel.distance_m() * 1e3 - reach_mm).abs() < 1e-9, "{line}");
                let reported = [panel.f_beam_m(), panel.s_beam_m()].map(|m| m * 1e3);
                for axis in 0..2 {
                    assert!((reported[axis] - spot_mm[axis]).abs() < 1e-9, "{line}");
                }
            }
            let in_c = experiment(&line);
            let (reach_mm, _) = beam_meets(&in_c);
            let reported_mm = in_c.detector.first().distance_m() * 1e3;
            assert!((reported_mm / reach_mm - 1.0).abs() > 0.005, "{line}");
        }
    }
}

#[test]
fn a_close_distance_is_kept_under_two_theta_about_the_beam() {
    let line = format!("{CRYSTAL} -mosflm -close_distance 60 -twotheta 20");
    let close_mm = |line: &str| panel(line).close_distance_m() * 1e3;
    // C puts the beam spot there, so that the plane is nearer.
    assert!((close_mm(&line) - 60.0 * 20_f64.to_radians().cos()).abs() < 1e-9);
    assert!((close_mm(&format!("{line} -fix twotheta-distance")) - 60.0).abs() < 1e-9);
    // A distance along the beam puts the same point in both.
    let line = format!("{CRYSTAL} -mosflm -distance 60 -twotheta 20");
    let fixed = panel(&format!("{line} -fix twotheta-distance"));
    assert!(norm(sub(panel(&line).pix0_m(), fixed.pix0_m())) < 1e-15);
    // A detector that turns about the sample is put at its distance and then swung.
    let line = format!("{CRYSTAL} -xds -distance 60 -twotheta 90");
    let fixed = panel(&format!("{line} -fix twotheta-distance"));
    assert!((fixed.close_distance_m() - 0.06).abs() < 1e-15);
}
