//! What a stage makes of experiment and target.

use std::f64::consts::TAU;

use nanobragg::geometry::vector::{dot, sub, unit};
use nanobragg::{CrystalSpec, Experiment, ExperimentSpec, Length, Misset, Shape};

use crate::Error;
use crate::spec::{Schedule, Stage};

/// Orders of diffraction along the longest edge that the first stage looks at: an edge 2 % off moves
/// the last of them by a fifth of the way to its neighbour.
const FIRST_ORDERS: f64 = 10.0;

/// By how much more orders each further stage looks at.
const GROWTH: f64 = 2.0;

impl Stage {
    /// All pixels, the true crystal, no smearing.
    pub const FINAL: Self = Self {
        dmin: Length::from_m(0.0),
        widening: 1.0,
        blur_pixels: 0.0,
    };
}

impl Schedule {
    /// The stages for an experiment whose used pixels reach down to the spacing `least_m`.
    pub fn stages(&self, experiment: &Experiment, least_m: f64) -> Vec<Stage> {
        match self {
            Self::Stages(stages) => stages.clone(),
            Self::Final => vec![Stage::FINAL],
            Self::WideToNarrow => wide_to_narrow(experiment, least_m),
        }
    }
}

fn wide_to_narrow(experiment: &Experiment, least_m: f64) -> Vec<Stage> {
    let _ = TAU;
    let lengths = experiment.crystal.direct().lengths_m();
    let longest_m = lengths.into_iter().fold(0.0, f64::max);
    let mut stages = vec![];
    let mut dmin_m = longest_m / FIRST_ORDERS;
    let w = |n: &str, d: f64| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let det = &experiment.detector;
    let lambda = experiment.sources.as_slice().first().map_or(1e-10, |s| s.wavelength_m);
    let px = lambda * det.distance_m() / (longest_m * det.pixel_size_m());
    stages.push(Stage { dmin: Length::from_m(dmin_m), widening: w("W1", 1.5), blur_pixels: w("F1", 0.27) * px });
    stages.push(Stage { dmin: Length::from_m(dmin_m), widening: 1.0, blur_pixels: w("F2", 0.14) * px });
    while dmin_m / GROWTH > least_m {
        dmin_m /= GROWTH;
        stages.push(Stage { dmin: Length::from_m(dmin_m), widening: 1.0, blur_pixels: w("F3", 0.14) * px });
    }
    stages.push(Stage::FINAL);
    stages
}

/// The experiment with everything fixed that would otherwise follow from parameters in steps:
/// sub-pixels, numbers of cells, interpolation, and a misset that is drawn.
pub(crate) fn frozen(spec: &ExperimentSpec, experiment: &Experiment) -> ExperimentSpec {
    let mut spec = spec.clone();
    spec.sampling.oversample = Some(experiment.sampling.oversample);
    spec.lookup = Some(experiment.lookup);
    // Whole numbers, of which there are far fewer than i64 has.
    let cells = experiment.crystal.size().cells().map(|n| n as i64);
    spec.crystal = CrystalSpec {
        cells,
        size_m: [0.0; 3],
        misset: experiment.crystal.misset_rad().map(Misset::Angles),
        ..spec.crystal
    };
    spec
}

/// The experiment with a crystal smaller by `widening` along each axis, with Gaussian spots.
pub(crate) fn widened(mut spec: ExperimentSpec, widening: f64) -> ExperimentSpec {
    if widening > 1.0 {
        let fewer = |n: i64| ((n as f64 / widening).round() as i64).max(1);
        spec.crystal.cells = spec.crystal.cells.map(fewer);
        spec.crystal.shape = Shape::Gauss;
    }
    spec
}

/// The spacing in metres that each pixel sees at its middle; infinite in the direct beam.
pub(crate) fn spacings_m(experiment: &Experiment, wavelength_m: f64) -> Vec<f64> {
    let detector = &experiment.detector;
    let pixel_m = detector.pixel_size_m();
    let (fast, slow) = (detector.pixels_fast(), detector.pixels_slow());
    let middle = |i: u32| (f64::from(i) + 0.5) * pixel_m;
    let spacing = |s: u32, f: u32| {
        let to_pixel = unit(detector.position_m(middle(f), middle(s), 0.0));
        let step = sub(to_pixel, detector.beam());
        wavelength_m / dot(step, step).sqrt()
    };
    (0..slow)
        .flat_map(|s| (0..fast).map(move |f| spacing(s, f)))
        .collect()
}

/// Which pixels a stage looks at.
pub(crate) fn looked_at(stage: &Stage, used: &[bool], spacings_m: &[f64]) -> Result<Vec<bool>, Error> {
    let dmin_m = stage.dmin.m();
    let looked_at: Vec<bool> = used
        .iter()
        .zip(spacings_m)
        .map(|(&used, &spacing_m)| used && spacing_m >= dmin_m)
        .collect();
    Ok(looked_at)
}
