//! Properties of every detector.

use nanobragg_geometry::vector::{cross, dot, norm};
use nanobragg_geometry::{
    Angle, Convention, DetectorSpec, GeometryFixes, Laboratory, Length, Pivot, Surface, Warning,
    rotate_about, rotate_xyz,
};
use proptest::prelude::*;

/// Rounding of a few dozen operations on coordinates of some hundred pixels.
const PIXELS: f64 = 1e-8;
/// Rounding of a few operations on numbers of about 1.
const ROUNDING: f64 = 1e-14;

fn conventions() -> impl Strategy<Value = Convention> {
    prop::sample::select(Convention::ALL.to_vec())
}

fn pivots() -> impl Strategy<Value = Pivot> {
    prop::sample::select(vec![Pivot::Sample, Pivot::Beam])
}

fn vectors() -> impl Strategy<Value = [f64; 3]> {
    prop::array::uniform3(-2.0..2.0)
}

prop_compose! {
    /// Detectors that face the beam, tilted by up to half a radian each way.
    fn specs()(
        convention in conventions(),
        pivot in pivots(),
        rotations in prop::array::uniform3(-0.5..0.5f64),
        twotheta in -0.5..0.5f64,
        centre in prop::array::uniform2(10.0..90.0f64),
        distance in 50.0..500.0f64,
    ) -> DetectorSpec {
        DetectorSpec {
            convention,
            pivot: Some(pivot),
            rotations: rotations.map(Angle::from_radians),
            twotheta: Angle::from_radians(twotheta),
            x_beam: Some(Length::from_mm(centre[0])),
            y_beam: Some(Length::from_mm(centre[1])),
            distance: Length::from_mm(distance),
            ..DetectorSpec::default()
        }
    }
}

proptest! {
    #[test]
    fn a_pixel_is_found_from_its_position(
        spec in specs(),
        fast in 0.0..1024.0f64,
        slow in 0.0..1024.0f64,
    ) {
        let detector = Laboratory::new(&spec).unwrap();
        let px = detector.panel().pixel_size_m();
        let place = detector.panel().position_m(fast * px, slow * px, 0.0);
        if let Some((f, s)) = detector.panel().pixel_at(place) {
            prop_assert!((f - fast).abs() < PIXELS && (s - slow).abs() < PIXELS);
        } else {
            prop_assert!(dot(place, detector.panel().normal()) <= ROUNDING);
        }
    }

    #[test]
    fn the_beam_pivot_preserves_the_beam_centre(spec in specs()) {
        let detector = Laboratory::new(&spec).unwrap();
        prop_assume!(detector.layout.pivot == Pivot::Beam && detector.panel().close_distance_m() > 0.01);
        let untilted = Laboratory::new(&DetectorSpec {
            rotations: Default::default(),
            twotheta: Angle::default(),
            ..spec
        });
        let (f, s) = detector.panel().pixel_at(detector.beam.direction()).unwrap();
        let (f0, s0) = untilted.unwrap().panel().pixel_at(detector.beam.direction()).unwrap();
        prop_assert!((f - f0).abs() < PIXELS && (s - s0).abs() < PIXELS, "({f}, {s}) ({f0}, {s0})");
    }

    #[test]
    fn without_twotheta_the_beam_hits_the_recorded_spot_under_every_pivot(spec in specs()) {
        let spec = DetectorSpec { twotheta: Angle::default(), ..spec };
        let detector = Laboratory::new(&spec).unwrap();
        let (f, s) = detector.panel().pixel_at(detector.beam.direction()).unwrap();
        let px = detector.panel().pixel_size_m();
        prop_assert!((f - detector.panel().f_beam_m() / px).abs() < PIXELS);
        prop_assert!((s - detector.panel().s_beam_m() / px).abs() < PIXELS);
    }

    #[test]
    fn the_beam_meets_its_spot_under_two_theta_as_well(spec in specs()) {
        let detector = Laboratory::new(&spec).unwrap();
        let beam = detector.beam.direction();
        let [fast_m, slow_m] = detector.panel().beam_spot_m(beam);
        let spot = detector.panel().position_m(fast_m, slow_m, 0.0);
        prop_assert!(norm(cross(spot, beam)) < ROUNDING * norm(spot), "{spot:?}");
    }

    #[test]
    fn the_sample_pivot_preserves_the_near_point(spec in specs()) {
        let spec = DetectorSpec { convention: Convention::Xds, org_x: Some(300.0), ..spec };
        let detector = Laboratory::new(&spec).unwrap();
        let (f, _) = detector.panel().pixel_at(detector.panel().normal()).unwrap();
        prop_assert!((f - 299.5).abs() < PIXELS);
        prop_assert!((detector.panel().org_x() - 300.0).abs() < PIXELS);
    }

    #[test]
    fn the_axes_stay_orthonormal(spec in specs()) {
        let detector = Laboratory::new(&spec).unwrap();
        let axes = [detector.panel().fast(), detector.panel().slow(), detector.panel().normal()];
        for (i, x) in axes.into_iter().enumerate() {
            for (j, y) in axes.into_iter().enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                prop_assert!((dot(x, y) - expected).abs() < ROUNDING);
            }
        }
    }

    #[test]
    fn a_rotation_keeps_lengths_angles_and_handedness(
        x in vectors(),
        y in vectors(),
        angles in prop::array::uniform3(-7.0..7.0f64),
    ) {
        let turn = |v| rotate_xyz(v, angles);
        prop_assert!((dot(turn(x), turn(y)) - dot(x, y)).abs() < 100.0 * ROUNDING);
        let (before, after) = (turn(cross(x, y)), cross(turn(x), turn(y)));
        for (b, a) in before.into_iter().zip(after) {
            prop_assert!((b - a).abs() < 100.0 * ROUNDING);
        }
    }

    #[test]
    fn turning_back_undoes_a_turn(v in vectors(), axis in vectors(), angle in -7.0..7.0f64) {
        let length = norm(axis);
        prop_assume!(length > 0.1);
        let axis = axis.map(|x| x / length);
        let back = rotate_about(rotate_about(v, axis, angle), axis, -angle);
        for (b, e) in back.into_iter().zip(v) {
            prop_assert!((b - e).abs() < 100.0 * ROUNDING);
        }
    }

    #[test]
    fn the_curved_detector_is_everywhere_at_its_distance(
        spec in specs(),
        f in 0.0..0.1f64,
        s in 0.0..0.1f64,
        own_frame: bool,
    ) {
        let fixes = GeometryFixes { curved: own_frame, ..GeometryFixes::default() };
        let detector =
            Laboratory::new(&DetectorSpec { surface: Surface::Curved, fixes, ..spec }).unwrap();
        let distance_m =
            if own_frame { detector.panel().close_distance_m() } else { detector.panel().distance_m() };
        prop_assert!((norm(detector.panel().position_m(f, s, 0.0)) - distance_m.abs()).abs() < ROUNDING);
    }

    #[test]
    fn with_every_fix_no_input_is_ignored(
        spec in specs(),
        explicit in prop::option::of(pivots()),
        org in prop::option::of(1.0..1000.0f64),
    ) {
        let spec = DetectorSpec {
            explicit_pivot: explicit,
            org_x: org,
            fixes: GeometryFixes {
                pivot: true,
                beam_centre: true,
                thickness: true,
                curved: true,
                ignored_input: true,
                twotheta_distance: true,
            },
            ..spec
        };
        let detector = Laboratory::new(&spec).unwrap();
        let is_ignored = |warning: &Warning| warning.fix().is_some();
        prop_assert!(!detector.layout.warnings.iter().any(is_ignored), "{:?}", detector.layout.warnings);
    }
}
