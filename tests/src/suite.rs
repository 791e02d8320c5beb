//! The scenes that every backend must pass.
//!
//! A new backend calls [`faults`] with its claimed tolerance. The reference is the scalar backend, which
//! golden cases compare with the C program. Scenes are small, but wider than a block of lanes, so that
//! each has a pixel next to an edge of a block.

use nanobragg::physics::{Backend, Scalar, render_with};
use nanobragg::{Detector, Experiment, Frame, RunOptions, Scene};

use crate::cases;
use crate::products::job;
use crate::tolerances::{PIXEL_OF_BRIGHTEST, PIXEL_RELATIVE, SINGLE_OF_BRIGHTEST, SINGLE_RELATIVE};

/// The allowed difference of a pixel from the scalar backend: the sum of two terms.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// Relative to the pixel.
    pub relative: f64,
    /// Relative to the brightest pixel.
    pub of_brightest: f64,
}

/// The tolerance of double precision: the same as the tolerance against the C program.
pub const DOUBLE: Tolerance = Tolerance {
    relative: PIXEL_RELATIVE,
    of_brightest: PIXEL_OF_BRIGHTEST,
};

/// The tolerance of single precision.
pub const SINGLE: Tolerance = Tolerance {
    relative: SINGLE_RELATIVE,
    of_brightest: SINGLE_OF_BRIGHTEST,
};

/// A scene of the suite.
#[derive(Debug, Clone)]
pub struct SuiteScene {
    /// What the scene tests.
    pub name: &'static str,
    /// The experiment.
    pub experiment: Experiment,
}

/// The beginning of every command line.
const COMMON: &str = "-detpixels_x 71 -detpixels_y 7 -pixel 0.9 -distance 80 -lambda 1 \
                      -cell 70 80 90 85 95 100 -misset 10 20 30";

/// Each scene: its name, and the words that its command line adds to [`COMMON`].
const LINES: &[(&str, &str)] = &[
    ("parallelepiped", "-default_F 100 -N 5"),
    ("ellipsoid", "-default_F 100 -N 5 -round_xtal"),
    ("gaussian", "-default_F 100 -N 5 -gauss_xtal"),
    ("top-hat", "-default_F 100 -N 5 -tophat_spots"),
    ("gaussian in indices", "-default_F 100 -N 5 -gauss_xtal hkl"),
    ("real cells", "-default_F 100 -Nabc 5.3 1.5 7.25"),
    (
        "gaussian with a size tensor",
        "-default_F 100 -Nabc 6.5 5 7 -Ndef 2 -1.5 1 -gauss_xtal",
    ),
    (
        "ellipsoid with a size tensor",
        "-default_F 100 -Nabc 6.5 5 7 -Ndef 2 -1.5 1 -round_xtal",
    ),
    (
        "top-hat with a size tensor",
        "-default_F 100 -Nabc 3.5 3 4 -Ndef 1 -0.5 1 -tophat_spots",
    ),
    (
        "domains of different sizes",
        "-default_F 100 -N 5 -size_spread 0.3 -mosaic 0.5 -mosaic_domains 6 -phi 1 -osc 1 -phisteps 2",
    ),
    (
        "gaussian domains of different sizes",
        "-default_F 100 -N 5 -gauss_xtal hkl -size_spread 0.3 -spot_scale 3",
    ),
    ("needle", "-default_F 100 -Na 1 -Nb 7 -Nc 30"),
    ("listed", "-hkl P1.hkl -N 5 -nointerpolate"),
    (
        "sparse list",
        "-hkl sparse.hkl -default_F 0 -N 5 -nointerpolate",
    ),
    ("interpolation", "-hkl P1.hkl -N 5 -interpolate"),
    ("interpolation ends", "-hkl box.hkl -N 5 -interpolate"),
    (
        "interpolation ends, put right",
        "-hkl box.hkl -N 5 -interpolate -fix interpolation",
    ),
    (
        "interpolation of ellipsoids",
        "-hkl P1.hkl -N 5 -interpolate -round_xtal",
    ),
    (
        "sweep from phi = 0",
        "-default_F 100 -N 5 -phi 0 -osc 3 -phisteps 4",
    ),
    (
        "sweep from phi = 0, put right",
        "-default_F 100 -N 5 -phi 0 -osc 3 -phisteps 4 -fix phi-zero",
    ),
    (
        "sweep from phi = 0 with interpolation that ends",
        "-hkl box.hkl -N 5 -interpolate -phi 0 -osc 3 -phisteps 3",
    ),
    (
        "nothing is evaluated before the middle",
        "-default_F 100 -N 5 -phi 0 -osc 3 -phisteps 3 -dmin 2.2",
    ),
    (
        "mosaic domains",
        "-default_F 100 -N 5 -mosaic 0.6 -mosaic_domains 7",
    ),
    (
        "Gaussian domains, turned by the spindle",
        "-default_F 100 -N 5 -mosaic 0.6 -mosaic_model gaussian -mosaic_sampling even -phi 20 -osc 2 -phisteps 2",
    ),
    (
        "strained domains of three widths",
        "-default_F 100 -N 5 -mosaic_aniso 0.6 0.2 0.3 -strain 1 -strain_abc 0.5 1 2 -mosaic_domains 8 -phi 20",
    ),
    (
        "strained domains of a list",
        "-hkl P1.hkl -N 5 -nointerpolate -strain 2 -mosaic_domains 6",
    ),
    (
        "domains of a file, with weights",
        "-default_F 100 -N 5 -mosaic_file domains.txt -phi 20 -osc 2 -phisteps 2",
    ),
    (
        "sources",
        "-default_F 100 -N 5 -hdivrange 4 -hdivsteps 3 -dispersion 2 -dispsteps 2",
    ),
    (
        "sources of a file",
        "-default_F 100 -N 5 -sourcefile two_sources.txt",
    ),
    ("sub-pixels", "-default_F 100 -N 5 -oversample 3"),
    (
        "each correction at each sub-pixel",
        "-default_F 100 -N 5 -oversample 2 -oversample_polar -oversample_omega -detector_thick 400 -detector_abs 300 -detector_thicksteps 3 -oversample_thick",
    ),
    (
        "capture of each layer",
        "-default_F 100 -N 5 -detector_thick 400 -detector_abs 300 -detector_thicksteps 3 -oversample_thick",
    ),
    (
        "each correction at each sub-pixel, put right",
        "-default_F 100 -N 5 -oversample 2 -oversample_polar -oversample_omega -fix oversample-flags",
    ),
    (
        "all corrections put right",
        "-default_F 100 -N 5 -oversample 2 -detector_thick 400 -detector_abs 300 -detector_thicksteps 3 -hdivrange 4 -hdivsteps 2 -fix all",
    ),
    (
        "sensor",
        "-default_F 100 -N 5 -detector_thick 400 -detector_abs 300 -detector_thicksteps 3",
    ),
    ("polarized", "-default_F 100 -N 5 -polar 0.9"),
    ("without polarization", "-default_F 100 -N 5 -nopolar"),
    (
        "water",
        "-default_F 100 -N 5 -water 20 -dmin 2.2 -hdivrange 4 -hdivsteps 2",
    ),
    (
        "water, put right",
        "-default_F 100 -N 5 -water 20 -dmin 2.2 -hdivrange 4 -hdivsteps 2 -fix water",
    ),
    (
        "liquid-like motions",
        "-default_F 100 -N 5 -diffuse_gamma 30 60 90 -diffuse_sigma 0.3 0.2 0.4",
    ),
    (
        "acoustic phonons of a list, with symmetry",
        "-hkl P1.hkl -N 5 -nointerpolate -cell 70 70 90 -diffuse acoustic -diffuse_gamma 30 60 90 \
         -diffuse_symmetry P43212 -diffuse_stencil 2 -mosaic 0.6 -mosaic_domains 3",
    ),
    (
        "diffuse scattering of an interpolated list that ends, with water",
        "-hkl box.hkl -N 5 -interpolate -diffuse llm -water 20 -diffuse_undamped -hdivrange 4 -hdivsteps 2 -dmin 2.2",
    ),
    (
        "diffuse scattering with each correction at each sub-pixel",
        "-default_F 100 -N 5 -tophat_spots -diffuse llm -oversample 2 -oversample_polar -oversample_omega",
    ),
    (
        "diffuse scattering with each correction put right",
        "-default_F 100 -N 5 -diffuse llm -oversample 2 -oversample_polar -oversample_omega -phi 0 -osc 3 \
         -phisteps 2 -fix oversample-flags",
    ),
    (
        "resolution limit",
        "-default_F 100 -N 5 -dmin 2.2 -oversample 2",
    ),
    ("curved detector", "-default_F 100 -N 5 -curved_det"),
    ("point pixels", "-default_F 100 -N 5 -point_pixel"),
    (
        "tilted detector",
        "-default_F 100 -N 5 -detector_rotx 5 -detector_roty 8 -detector_rotz 30 -twotheta 10",
    ),
    ("region of interest", "-default_F 100 -N 5 -roi 3 69 2 5"),
    (
        "narrow region of interest",
        "-default_F 100 -N 5 -roi 66 66 2 5",
    ),
];

/// The name and the command line of each scene.
pub fn lines() -> impl Iterator<Item = (&'static str, String)> {
    LINES
        .iter()
        .map(|(name, line)| (*name, format!("{COMMON} {line}")))
}

/// All scenes.
///
/// # Panics
/// When a command line of the suite has an error.
pub fn scenes() -> Vec<SuiteScene> {
    let scene = |(name, line): (&'static str, String)| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let job = job(&words, &cases::inputs()).unwrap_or_else(|error| panic!("{name}: {error}"));
        SuiteScene {
            name,
            experiment: job.resolved.experiment,
        }
    };
    let mut scenes: Vec<SuiteScene> = lines().map(scene).collect();
    scenes.extend(scenes.first().map(|scene| SuiteScene {
        name: "two panels",
        experiment: cut_at(&scene.experiment, 30),
    }));
    scenes
}

/// The experiment with its first panel cut into two, of which the second begins with the column `fast`.
///
/// # Panics
/// When there is no such column, or it is the first.
pub fn cut_at(experiment: &Experiment, fast: u32) -> Experiment {
    let (whole, fast) = (experiment.detector.first(), i64::from(fast));
    let part = |name: &str, fast| whole.cut(name.to_owned(), fast, [-1, -1]);
    let panels = [part("left", [0, fast - 1]), part("right", [fast, -1])].map(Result::unwrap);
    Experiment {
        detector: Detector::new(panels.into()).unwrap(),
        ..experiment.clone()
    }
}

/// The errors of a backend: for each scene that fails, the worst pixel, or the difference in the results
/// of the frame. Empty if the backend passes.
///
/// # Panics
/// When a run cannot be started.
pub fn faults(backend: &dyn Backend, tolerance: Tolerance) -> Vec<String> {
    let options = RunOptions {
        threads: 2,
        ..RunOptions::default()
    };
    let mut faults = Vec::new();
    for SuiteScene { name, experiment } in scenes() {
        let scene = Scene::new(&experiment);
        let render = |backend| render_with(backend, &scene, &options).unwrap();
        let (expected, ours) = (render(&Scalar), render(backend));
        if let Some(reason) = ours.unsupported {
            faults.push(format!("{name}: not supported: {reason}"));
        }
        if ours.left_grid_at != expected.left_grid_at {
            faults.push(format!(
                "{name}: interpolation ends at {:?}",
                ours.left_grid_at
            ));
        }
        faults.extend(
            worst_pixel(&expected, &ours, tolerance).map(|worst| format!("{name}: {worst}")),
        );
    }
    faults
}

/// The pixel with the largest difference in units of the tolerance, if it is above the tolerance.
pub fn worst_pixel(expected: &Frame, ours: &Frame, tolerance: Tolerance) -> Option<String> {
    let brightest = f64::from(expected.statistics.max_photons);
    let mut worst = (1.0, None);
    for (panel, (expected, ours)) in expected.panels.iter().zip(&ours.panels).enumerate() {
        let width = expected.pixels_fast as usize;
        for (at, (&e, &o)) in expected.pixels.iter().zip(&ours.pixels).enumerate() {
            if e.to_bits() == o.to_bits() {
                continue;
            }
            let (e, o) = (f64::from(e), f64::from(o));
            // An `f32` below its normal numbers has fewer digits, down to none.
            let digits_lost = f64::from(f32::MIN_POSITIVE);
            let allowed =
                tolerance.relative * (e.abs() + digits_lost) + tolerance.of_brightest * brightest;
            let off = (e - o).abs() / allowed;
            // NaN is the largest difference.
            let off = if off.is_nan() { f64::INFINITY } else { off };
            if off > worst.0 {
                let (fast, slow) = (at % width, at / width);
                let text = format!("panel {panel}, pixel {fast} {slow}: {o} in place of {e}");
                worst = (off, Some(text));
            }
        }
    }
    worst.1
}
