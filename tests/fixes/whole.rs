//! All fixes together: they converge, are the same in every way of running, and change only what an
//! oddity affects.

use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use nanobragg::crystal::Reflection;
use nanobragg::{FactorGrid, GridLimit, Hkl, Level, Precision, RunOptions, simulate};
use nanobragg_tests::cases::{self, Case};
use nanobragg_tests::compare::float_fault;
use nanobragg_tests::products::job;
use nanobragg_tests::tolerances::{
    CONVERGED, FULLY_RECORDED, SINGLE_OF_BRIGHTEST, SINGLE_RELATIVE,
};

use crate::book::ELECTRON_RADIUS_SQUARED_M2;
use crate::laboratory::{experiment, largest_difference, pixels, render};

/// Broad spots on large pixels with a thick sensor: coarse in every respect.
const COARSE: &str = "-cell 40 50 60 75 100 95 -default_F 100 -N 2 -misset 10 20 30 -lambda 1.1 \
                      -distance 30 -pixel 0.5 -detpixels_x 30 -detpixels_y 30 -polar 0.7 \
                      -sourcefile two_sources.txt -detector_abs 400 -detector_thick 450 -water 0.005 \
                      -phi -1 -osc 2 -fix all";

#[test]
fn the_image_converges_as_each_sum_is_refined() {
    type Refined = fn(u32) -> String;
    let subpixels: Refined =
        |n| format!("{COARSE} -phisteps 3 -detector_thicksteps 2 -oversample {n}");
    let layers: Refined =
        |n| format!("{COARSE} -phisteps 3 -oversample 2 -detector_thicksteps {n}");
    let steps: Refined = |n| format!("{COARSE} -oversample 2 -detector_thicksteps 2 -phisteps {n}");
    for refined in [subpixels, layers, steps] {
        let images = [2, 4, 8, 16].map(|n| pixels(&refined(n)));
        let changes: Vec<f64> = images
            .windows(2)
            .map(|pair| largest_difference(&pair[0], &pair[1]))
            .collect();
        assert!(
            changes.is_sorted_by(|x, y| x > y),
            "{}: {changes:?}",
            refined(2)
        );
        assert!(changes[2] < CONVERGED, "{}: {changes:?}", refined(2));
    }
}

/// One reflection on the Ewald sphere at phi = 0, rotated about the axis perpendicular to it and the
/// beam, until it is fully recorded.
const TURNING: &str = "-cell 13 -default_F 1 -lambda 1 -N 20 -distance 60 -pixel 1 -detpixels_x 61 \
                       -detpixels_y 47 -Xbeam 34 -Ybeam 30 -roi 10 50 0 22 -phi -7 -osc 14";

/// Thickness divided by attenuation depth of the sensor in some runs.
const DEPTHS: f64 = 0.5;

/// Photons of the whole reflection.
fn recorded(flags: &str) -> f64 {
    let mut experiment = experiment(&format!("{TURNING} {flags}"));
    let reflection = Reflection {
        hkl: Hkl([-1, 5, 0]),
        amplitude: 100.0,
    };
    let grid = FactorGrid::from_reflections(&[reflection], 0.0, GridLimit::default());
    experiment.factors = Arc::new(grid.unwrap());
    let image = render(&experiment, &RunOptions::default());
    image.into_iter().map(f64::from).sum()
}

/// The kinematic theory for this reflection and an unpolarized beam: r_e^2 fluence P F^2 wavelength^3 N/V
/// divided by sin(two theta) and the rotation range.
fn integrated() -> f64 {
    let fluence_per_m2 = 125932015286227086360700780544.0;
    let (sin, cos) = (5.0 / 13.0, 12.0 / 13.0_f64);
    let polarization = 0.5 * (1.0 + cos * cos);
    let cells_per_wavelengths = 20.0_f64.powi(3) / 13.0_f64.powi(3);
    ELECTRON_RADIUS_SQUARED_M2
        * fluence_per_m2
        * polarization
        * 100.0_f64.powi(2)
        * cells_per_wavelengths
        / (sin * 14.0_f64.to_radians())
}

#[test]
fn a_fully_recorded_spot_does_not_depend_on_the_sampling() {
    let sensor = "-detector_abs 400 -detector_thick 200 -detector_thicksteps";
    // The cosine of the angle of incidence is 12/13.
    let stopped = 1.0 - (-DEPTHS * 13.0 / 12.0).exp();
    // The integral over a spot of the squared shape, where that of a parallelepiped is 1: of a Gaussian
    // exp(-2 x^2/0.63).
    let gauss = (PI * 0.63 / 2.0).powf(1.5);
    for (flags, share) in [
        ("-oversample 5 -phisteps 100".to_owned(), 1.0),
        ("-oversample 8 -phisteps 100".to_owned(), 1.0),
        ("-oversample 5 -phisteps 211".to_owned(), 1.0),
        (
            "-oversample 5 -phisteps 100 -mosaic 0.3 -mosaic_domains 3".to_owned(),
            1.0,
        ),
        (
            "-oversample 5 -phisteps 100 -mosaic 0.3 -mosaic_domains 8".to_owned(),
            1.0,
        ),
        (format!("-oversample 5 -phisteps 100 {sensor} 1"), stopped),
        (format!("-oversample 5 -phisteps 100 {sensor} 4"), stopped),
        ("-oversample 8 -phisteps 100 -gauss_xtal".to_owned(), gauss),
    ] {
        let ratio = recorded(&format!("{flags} -fix all")) / (integrated() * share);
        assert!((ratio - 1.0).abs() < FULLY_RECORDED, "{flags}: {ratio}");
    }
    let in_c = recorded(&format!("-oversample 5 -phisteps 100 {sensor} 4"));
    assert!(in_c < 0.9 * integrated() * stopped, "{in_c}");
}

/// Runs in which every fix has an effect, alone or with others.
fn fixed_runs() -> Vec<String> {
    const SMALL: &str = "-cell 40 50 60 75 100 95 -default_F 100 -misset 10 20 30 -lambda 1.1 \
                         -distance 40 -pixel 1.1 -detpixels_x 37 -detpixels_y 23 -polar 0.6 -N 3 \
                         -oversample 2";
    let sensor = "-detector_abs 300 -detector_thick 400 -detector_thicksteps 3";
    let rich = format!(
        "{SMALL} {sensor} -sourcefile two_sources.txt -water 0.02 -fluence 1e25 -phi 0 -osc 3 \
         -phisteps 3 -mosaic 1 -mosaic_domains 2 -dmin 1.9"
    );
    let interpolated = "-hkl box.hkl -interpolate";
    let bent = "-xds -Xbeam 20 -pivot beam -detector_rotx 9 -curved_det";
    let each = "-oversample_thick -oversample_polar -oversample_omega";
    let mut runs: Vec<String> = [
        "corrections",
        "thickness",
        "oversample-flags",
        "water",
        "phi-zero",
        "corrections,thickness",
        "thickness,water",
        "all",
    ]
    .iter()
    .flat_map(|fixes| {
        [
            format!("{rich} -fix {fixes}"),
            format!("{rich} {each} -fix {fixes}"),
        ]
    })
    .collect();
    runs.extend([
        format!("{SMALL} {interpolated} -fix interpolation"),
        format!("{rich} {interpolated} -gauss_xtal -fudge 1e-3 -fix all"),
        format!("{rich} -round_xtal -fix all"),
        format!("{SMALL} -gauss_xtal -fix spot-width"),
        format!("{SMALL} -tophat_spots -Na 4 -phi 0 -osc 3 -phisteps 3 -fix spot-width,half-step"),
        format!("{SMALL} -close_distance 40 -twotheta 15 -fix twotheta-distance"),
        format!("{SMALL} -hkl box.hkl -xtalsize 0.0002 -fix size-lookup"),
        format!("{SMALL} {bent} -fix pivot,beam-centre,curved"),
        format!("{rich} {bent} {sensor} -fix all"),
        format!("{SMALL} -nopolar -oversample_polar -oversample_thick -fix all"),
        format!("{SMALL} -pix0_vector 0.04 0.02 -0.02 -fix ignored-input"),
        format!("{SMALL} -misset random -misset_seed 3 -fix misset-random,c-star"),
        "-img own.img -cell 40 50 60 -default_F 100 -N 3 -distance 90 -oversample 1 \
         -fix header-distance"
            .to_owned(),
    ]);
    runs
}

#[test]
fn every_level_and_number_of_threads_gives_the_fixed_image_of_the_reference() {
    for (number, line) in fixed_runs().iter().enumerate() {
        let experiment = experiment(line);
        let fast = experiment.detector.first().pixels_fast() as usize;
        let image = |level, threads, precision| {
            let options = RunOptions {
                level: Some(level),
                threads,
                precision,
                ..RunOptions::default()
            };
            render(&experiment, &options)
        };
        let expected = image(Level::Reference, 1, Precision::Double);
        assert!(expected.iter().any(|photons| *photons > 0.0), "{line}");
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            let [one, two] = [1, 2].map(|threads| image(level, threads, Precision::Double));
            assert!(one == two, "{line}: {level} differs on two threads");
            let fault = float_fault(&format!("fixed-{number}-{level}"), fast, &expected, &one);
            assert!(fault.is_none(), "{line}: {level}: {fault:?}");
            assert_single(line, &expected, &image(level, 2, Precision::Single));
        }
    }
}

/// Checks that single precision is within its tolerance.
fn assert_single(line: &str, expected: &[f32], ours: &[f32]) {
    let brightest = f64::from(expected.iter().copied().fold(0.0, f32::max));
    for (i, (&expected, &ours)) in expected.iter().zip(ours).enumerate() {
        let allowed = SINGLE_RELATIVE * f64::from(expected) + SINGLE_OF_BRIGHTEST * brightest;
        let off = f64::from(expected - ours).abs();
        assert!(
            off <= allowed,
            "{line}: pixel {i} is {ours} instead of {expected}"
        );
    }
}

/// The pixels of a golden case with further flags, as bits, and whether the run warns about oddities.
fn golden_run(case: &Case, more: &[&str]) -> (Vec<u32>, bool) {
    let more = more.iter().map(|word| (*word).to_owned());
    let words: Vec<String> = case.words.iter().cloned().chain(more).collect();
    let job = job(&words, &cases::inputs()).unwrap();
    let image = simulate(&job.resolved.experiment, &RunOptions::default()).unwrap();
    let is_odd = !job.oddities.is_empty()
        || !job.resolved.decisions.oddities.is_empty()
        || image.left_grid_at.is_some();
    let bits = image
        .photons
        .pixels()
        .iter()
        .map(|photons| photons.to_bits())
        .collect();
    (bits, is_odd)
}

/// The golden cases that `docs/QUIRKS.md` lists as changed, in code font under a heading.
fn listed_as_changed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/QUIRKS.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, section) = text
        .split_once("\n## The golden cases put right\n")
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn only_golden_cases_that_an_oddity_touches_change_and_they_are_documented() {
    let mut changed = BTreeSet::new();
    for case in cases::all() {
        let (in_c, is_odd) = golden_run(&case, &[]);
        let (fixed, _) = golden_run(&case, &["-fix", "all"]);
        assert!(
            is_odd || fixed == in_c,
            "{} changes without an oddity",
            case.name
        );
        if fixed != in_c {
            changed.insert(case.name);
        }
    }
    assert_eq!(changed, listed_as_changed());
}
