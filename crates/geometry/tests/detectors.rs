//! Warnings and errors of detectors.

use nanobragg_geometry::{
    Angle, Convention, CustomAxes, DetectorSpec, Error, GeometryFixes, Laboratory, Length, Pivot,
    PixelAxis, Surface, Warning,
};

/// The fixes in the warnings about a detector.
fn fixes_offered(spec: &DetectorSpec) -> Vec<&'static str> {
    let detector = Laboratory::new(spec).expect("these detectors can be built");
    detector
        .layout
        .warnings
        .iter()
        .filter_map(Warning::fix)
        .collect()
}

#[test]
fn the_default_detector_has_nothing_to_warn_about() {
    for convention in Convention::ALL {
        let spec = DetectorSpec {
            convention,
            ..DetectorSpec::default()
        };
        assert_eq!(
            Laboratory::new(&spec).unwrap().layout.warnings,
            [],
            "{convention}"
        );
    }
}

#[test]
fn a_size_the_pixel_does_not_divide_is_kept() {
    let detector = Laboratory::new(&DetectorSpec {
        size_fast: Length::from_mm(50.03),
        pixel_size: Length::from_mm(0.172),
        ..DetectorSpec::default()
    })
    .unwrap();
    assert_eq!(
        (detector.panel().pixels_fast(), detector.layout.size_m[0]),
        (291, 0.05003)
    );
}

#[test]
fn a_pivot_gives_a_warning_only_if_it_would_move_the_detector() {
    let flat = DetectorSpec {
        convention: Convention::Xds,
        explicit_pivot: Some(Pivot::Beam),
        ..DetectorSpec::default()
    };
    assert!(fixes_offered(&flat).is_empty());
    let tilted = DetectorSpec {
        rotations: [Angle::from_degrees(5.0), Angle::default(), Angle::default()],
        ..flat
    };
    assert_eq!(fixes_offered(&tilted), ["pivot"]);
    let fixes = GeometryFixes {
        pivot: true,
        ..GeometryFixes::default()
    };
    let detector = Laboratory::new(&DetectorSpec { fixes, ..tilted }).unwrap();
    assert_eq!(detector.layout.pivot, Pivot::Beam);
}

#[test]
fn a_beam_centre_in_xds_changes_only_the_header() {
    let x_beam = Some(Length::from_mm(20.0));
    let spec = DetectorSpec {
        convention: Convention::Xds,
        x_beam,
        ..DetectorSpec::default()
    };
    let detector = Laboratory::new(&spec).unwrap();
    assert_eq!(
        (
            detector.layout.centre.beam_m[0],
            detector.panel().f_beam_m()
        ),
        (0.02, 0.0512)
    );
    assert_eq!(fixes_offered(&spec), ["beam-centre"]);
    let fixes = GeometryFixes {
        beam_centre: true,
        ..GeometryFixes::default()
    };
    let detector = Laboratory::new(&DetectorSpec { fixes, ..spec }).unwrap();
    assert_eq!(
        (
            detector.layout.centre.beam_m[0],
            detector.panel().f_beam_m()
        ),
        (0.02, 0.02)
    );
}

#[test]
fn a_given_corner_is_used_only_with_the_fix() {
    let pix0_m = Some([0.2, 0.01, -0.02]);
    let spec = DetectorSpec {
        convention: Convention::Custom,
        pix0_m,
        ..DetectorSpec::default()
    };
    assert_eq!(fixes_offered(&spec), ["ignored-input"]);
    let fixes = GeometryFixes {
        ignored_input: true,
        ..GeometryFixes::default()
    };
    let detector = Laboratory::new(&DetectorSpec { fixes, ..spec }).unwrap();
    assert_eq!(
        (detector.panel().pix0_m(), detector.panel().distance_m()),
        ([0.2, 0.01, -0.02], 0.2)
    );
}

#[test]
fn the_curved_detector_is_warned_about_in_every_frame() {
    let curved = |convention| DetectorSpec {
        convention,
        surface: Surface::Curved,
        ..DetectorSpec::default()
    };
    assert_eq!(fixes_offered(&curved(Convention::Mosflm)), ["curved"]);
    assert_eq!(fixes_offered(&curved(Convention::Adxv)), ["curved"]);
}

#[test]
fn a_normal_that_is_not_unit_is_made_from_fast_and_slow() {
    let axes = CustomAxes {
        fast: Some([1.0, 0.0, 0.0]),
        slow: Some([0.0, 1.0, 0.0]),
        beam: Some([0.0, 0.0, 1.0]),
        normal: Some([0.0, 0.0, -3.0]),
        ..CustomAxes::default()
    };
    let spec = DetectorSpec {
        convention: Convention::Custom,
        axes,
        ..DetectorSpec::default()
    };
    let detector = Laboratory::new(&spec).unwrap();
    assert_eq!(detector.panel().normal(), [0.0, 0.0, 1.0]);
    assert_eq!(
        detector.layout.warnings,
        [Warning::NormalGenerated {
            given: [0.0, 0.0, -3.0]
        }]
    );
}

#[test]
fn axes_given_to_a_named_convention_are_warned_about() {
    let axes = CustomAxes {
        twotheta: Some([0.0, 2.0, 0.0]),
        ..CustomAxes::default()
    };
    let twotheta = Angle::from_degrees(3.0);
    let spec = DetectorSpec {
        axes,
        twotheta,
        fixes: GeometryFixes {
            twotheta_distance: true,
            ..GeometryFixes::default()
        },
        ..DetectorSpec::default()
    };
    let warnings = |spec: &DetectorSpec| Laboratory::new(spec).unwrap().layout.warnings.to_vec();
    assert_eq!(
        warnings(&spec),
        [Warning::IgnoredAxes {
            convention: Convention::Mosflm
        }]
    );
    let custom = DetectorSpec {
        convention: Convention::Custom,
        ..spec
    };
    assert_eq!(
        warnings(&custom),
        [Warning::TwothetaAxisNotUnit { length: 2.0 }]
    );
}

#[test]
fn a_ray_away_from_the_detector_meets_no_pixel() {
    let detector = Laboratory::new(&DetectorSpec::default()).unwrap();
    assert_eq!(detector.panel().pixel_at([-1.0, 0.0, 0.0]), None);
    assert_eq!(detector.panel().pixel_at([0.0, 0.0, 1.0]), None);
    assert_eq!(detector.panel().pixel_at([0.0; 3]), None);
}

#[test]
fn impossible_detectors_are_refused_with_the_number_that_is_wrong() {
    let refused = |spec: DetectorSpec| Laboratory::new(&spec).unwrap_err();
    let default = DetectorSpec::default;

    let error = refused(DetectorSpec {
        pixel_size: Length::from_m(-1.0),
        ..default()
    });
    assert!(
        matches!(error, Error::OutOfRange { value: -1.0, .. }),
        "{error}"
    );

    let error = refused(DetectorSpec {
        distance: Length::from_m(0.0),
        ..default()
    });
    assert!(
        matches!(error, Error::OutOfRange { value: 0.0, .. }),
        "{error}"
    );

    let error = refused(DetectorSpec {
        org_y: Some(f64::NAN),
        ..default()
    });
    assert!(
        matches!(
            error,
            Error::NotFinite {
                field: "ORGY (pixels)",
                ..
            }
        ),
        "{error}"
    );

    let error = refused(DetectorSpec {
        pixels_slow: Some(0),
        ..default()
    });
    assert!(
        matches!(
            error,
            Error::NoPixels {
                axis: PixelAxis::Slow,
                ..
            }
        ),
        "{error}"
    );

    let (pixels_fast, pixels_slow) = (Some(1 << 16), Some((1 << 15) + 1));
    let error = refused(DetectorSpec {
        pixels_fast,
        pixels_slow,
        ..default()
    });
    assert!(
        matches!(error, Error::TooManyPixels { fast: 65536.0, .. }),
        "{error}"
    );
}

#[test]
fn a_negative_distance_is_a_detector_behind_the_sample() {
    let close_distance = Some(Length::from_mm(-100.0));
    let detector = Laboratory::new(&DetectorSpec {
        close_distance,
        ..DetectorSpec::default()
    })
    .unwrap();
    assert_eq!(
        (detector.panel().distance_m(), detector.panel().pix0_m()[0]),
        (-0.1, -0.1)
    );
}
