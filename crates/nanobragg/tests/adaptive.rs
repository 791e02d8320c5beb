//! Numbers of samples that are chosen from an allowed error, against the closed form of a parallelepiped.

#![allow(clippy::unwrap_used)]

use std::f64::consts::PI;

use nanobragg::geometry::rotation::rotate_about;
use nanobragg::geometry::vector::{dot, scale, sub, unit};
use nanobragg::{
    AutoSpec, Cancel, CellSpec, Error, Experiment, ExperimentSpec, FactorsSpec, Fixes, Length,
    Misset, MosaicModel, MosaicSampling, Oddity, PixelKind, Resolved, RunOptions, Sampled,
    SamplingChoice, Warning, simulate,
};

const PIXELS: u32 = 32;

/// A parallelepiped whose spots are narrower than a pixel, without corrections that vary over a pixel.
fn parallelepiped(cells: [i64; 3]) -> ExperimentSpec {
    let mut spec = ExperimentSpec::default();
    spec.crystal.cell =
        Some(CellSpec::from_values(&[60.0, 70.0, 80.0, 80.0, 95.0, 100.0]).unwrap());
    spec.crystal.cells = cells;
    spec.crystal.misset = Some(Misset::Angles([0.2, -0.4, 0.7]));
    spec.factors = FactorsSpec::Constant(100.0);
    spec.detector.pixels_fast = Some(PIXELS);
    spec.detector.pixels_slow = Some(PIXELS);
    spec.detector.pixel_size = Length::from_mm(0.8);
    spec.detector.distance = Length::from_mm(100.0);
    // The direct beam is beside the detector.
    spec.detector.x_beam = Some(Length::from_mm(-12.0));
    spec.detector.y_beam = Some(Length::from_mm(-7.0));
    spec.detector.pixel_kind = PixelKind::Point;
    spec.beam.wavelength = Some(Length::from_angstrom(1.0));
    spec.beam.polarization.off = true;
    spec.beam.fluence.fluence_per_m2 = Some(1e26);
    // Solid angles at the middle of a pixel, not at its corner.
    spec.fixes = Fixes::none().with(Oddity::Corrections);
    spec
}

fn pixels(experiment: &Experiment) -> Vec<f64> {
    let image = simulate(experiment, &RunOptions::default()).unwrap();
    image.photons.pixels().iter().map(|&p| p.into()).collect()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The closed form at a place of a pixel: the indices, and how they change over a part of it.
struct Local {
    indices: [f64; 3],
    changes: Vec<[f64; 3]>,
}

impl Local {
    /// Over a part of the area: its middle in pixels, and its edge.
    fn in_area(experiment: &Experiment, [x, y]: [f64; 2], edge: f64) -> Self {
        let edges_m = experiment.crystal.direct().vectors();
        let indices = |at: [f64; 2]| edges_m.map(|edge| dot(edge, scattering(experiment, at)));
        let half = 0.5 * edge;
        Self {
            indices: indices([x, y]),
            changes: vec![
                sub(indices([x + half, y]), indices([x - half, y])),
                sub(indices([x, y + half]), indices([x, y - half])),
            ],
        }
    }

    /// Over a part of the turn of the crystal: its middle and its size.
    fn in_turn(experiment: &Experiment, at: [f64; 2], angle_rad: f64, size_rad: f64) -> Self {
        let edges_m = experiment.crystal.direct().vectors();
        let q = scattering(experiment, at);
        let axis = experiment.goniometer.spindle();
        let indices = |angle| edges_m.map(|edge| dot(rotate_about(edge, axis, angle), q));
        Self {
            indices: indices(angle_rad),
            changes: vec![sub(
                indices(angle_rad + 0.5 * size_rad),
                indices(angle_rad - 0.5 * size_rad),
            )],
        }
    }

    /// `sin^2(pi N h)/sin^2(pi h)` of three axes in the middle.
    fn point(&self, cells: [i64; 3]) -> f64 {
        let each = self.indices.iter().zip(cells);
        let each = each.map(|(h, n)| ((PI * n as f64 * h).sin() / (PI * h).sin()).powi(2));
        each.product()
    }

    /// Its mean: `sin^2(N x)/sin^2(x) = sum over |m| < N of (N - |m|) exp(2 i m x)`, a sum of waves, of which the
    /// mean over a range is a sinc.
    fn mean(&self, [a, b, c]: [i64; 3]) -> f64 {
        let mut sum = 0.0;
        for h in 1 - a..a {
            for k in 1 - b..b {
                for l in 0..c {
                    // The waves of m and -m have the same real part.
                    let twice = if l == 0 { 1 } else { 2 };
                    let weight = twice * (a - h.abs()) * (b - k.abs()) * (c - l);
                    let order = [h, k, l].map(|m| m as f64);
                    let over = self.changes.iter().map(|change| sinc(dot(order, *change)));
                    let phase = 2.0 * PI * dot(order, self.indices);
                    sum += weight as f64 * phase.cos() * over.product::<f64>();
                }
            }
        }
        sum
    }
}

/// The scattering vector at a place in pixels.
fn scattering(experiment: &Experiment, at: [f64; 2]) -> [f64; 3] {
    let panel = experiment.detector.first();
    let [fast_m, slow_m] = at.map(|at| at * panel.pixel_size_m());
    let source = experiment.sources[0];
    let direction = unit(panel.position_m(fast_m, slow_m, 0.0));
    scale(1.0 / source.wavelength_m, sub(direction, source.incident()))
}

/// Parts of a pixel or a turn along each direction, within which indices are linear.
const PARTS: u32 = 3;

/// The photons of every pixel in closed form: those of an amplitude of 1, which the middle of the brightest pixel
/// tells, times the mean of the lattice factor and the solid angle, `1/R^2` of a point.
fn in_closed_form(spec: &ExperimentSpec) -> Vec<f64> {
    let mut single = spec.clone();
    single.sampling.auto = None;
    single.sampling.oversample = Some(1);
    single.phi.sweep = Default::default();
    let experiment = single.resolve().unwrap().experiment;
    let points = pixels(&experiment);
    let numbers = 0..points.len();
    let known = numbers
        .clone()
        .max_by(|a, b| points[*a].total_cmp(&points[*b]))
        .unwrap();
    let middle =
        |pixel: usize| [pixel as u32 % PIXELS, pixel as u32 / PIXELS].map(|at| f64::from(at) + 0.5);
    let inverse_square = |pixel: usize| {
        let [fast, slow] = [pixel as u32 % PIXELS, pixel as u32 / PIXELS];
        let middle_m = experiment.detector.first().middle_m(fast, slow);
        1.0 / dot(middle_m, middle_m)
    };
    let cells = spec.crystal.cells;
    let part = 1.0 / f64::from(PARTS);
    let amplitude = Local::in_area(&experiment, middle(known), 0.0).point(cells);
    let photons = points[known] / (amplitude * inverse_square(known));
    let places = || (0..PARTS).map(move |at| (f64::from(at) + 0.5) * part);
    let mean = |pixel: usize| {
        let [x, y] = middle(pixel);
        if let Some(turn_rad) = spec.phi.sweep.range {
            let local = |at| Local::in_turn(&experiment, [x, y], turn_rad * at, turn_rad * part);
            return places().map(|at| local(at).mean(cells)).sum::<f64>() * part;
        }
        let [x, y] = [x - 0.5, y - 0.5];
        let local = |i, j| Local::in_area(&experiment, [x + i, y + j], part).mean(cells);
        let all = places().flat_map(|j| places().map(move |i| (i, j)));
        all.map(|(i, j)| local(i, j)).sum::<f64>() * part * part
    };
    numbers
        .map(|pixel| photons * inverse_square(pixel) * mean(pixel))
        .collect()
}

/// The largest error of a pixel as a part of the brightest.
fn error(image: &[f64], closed: &[f64]) -> f64 {
    let brightest = closed.iter().copied().fold(0.0, f64::max);
    let errors = image.iter().zip(closed).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max) / brightest
}

fn chosen(resolved: &Resolved, sampled: Sampled) -> SamplingChoice {
    let mut choices = resolved.decisions.sampling.iter();
    *choices.find(|choice| choice.sampled == sampled).unwrap()
}

/// Checks a number that was chosen: the image keeps the allowed error of `exact`, and an image with fewer samples
/// than `part` of that number does not.
fn assert_least(number: u32, part: f64, allowed: f64, error_with: impl Fn(u32) -> f64) {
    let kept = error_with(number);
    // The trial has not seen every pixel.
    assert!(kept <= 1.2 * allowed, "{number}: {kept}, {allowed} allowed");
    let fewer = (part * f64::from(number)).ceil() as u32 - 1;
    if fewer > 0 {
        let error = error_with(fewer);
        assert!(
            error > allowed,
            "{number}, and {fewer} has {error}, {allowed} allowed"
        );
    }
}

#[test]
fn chosen_subpixels_keep_the_error_of_the_closed_form_and_no_half_of_them_does() {
    for (cells, allowed) in [([8, 6, 5], 0.01), ([5, 7, 6], 0.03), ([9, 3, 6], 0.1)] {
        let mut spec = parallelepiped(cells);
        spec.sampling.auto = Some(AutoSpec {
            oversample: true,
            error: allowed,
            ..AutoSpec::default()
        });
        let resolved = spec.resolve().unwrap();
        let choice = chosen(&resolved, Sampled::SubPixels);
        assert_eq!(resolved.experiment.sampling.oversample, choice.number);
        assert!(choice.error <= allowed && choice.against >= 2 * choice.number);
        let closed = in_closed_form(&spec);
        assert_least(choice.number, 0.5, allowed, |n| {
            let mut tried = resolved.experiment.clone();
            tried.sampling.oversample = n;
            error(&pixels(&tried), &closed)
        });
    }
}

#[test]
fn chosen_phi_steps_keep_the_error_of_the_closed_form_and_no_half_of_them_does() {
    // Spots that the sweep cuts off need many steps unless those are centred.
    for (cells, allowed, is_centred) in [([8, 9, 5], 0.01, true), ([6, 8, 9], 0.1, false)] {
        let mut spec = parallelepiped(cells);
        if is_centred {
            spec.fixes = spec.fixes.with(Oddity::HalfStep);
        }
        spec.phi.sweep.range = Some(0.02);
        spec.sampling.oversample = Some(1);
        spec.sampling.auto = Some(AutoSpec {
            phi_steps: true,
            error: allowed,
            ..AutoSpec::default()
        });
        let resolved = spec.resolve().unwrap();
        let choice = chosen(&resolved, Sampled::PhiSteps);
        assert_eq!(resolved.experiment.phi.count, choice.number);
        assert!(choice.error <= allowed);
        let closed = in_closed_form(&spec);
        assert_least(choice.number, 0.5, allowed, |n| {
            let mut tried = resolved.experiment.clone();
            tried.phi.count = n;
            tried.phi.step_rad = tried.phi.range_rad / f64::from(n);
            error(&pixels(&tried), &closed)
        });
    }
}

/// A parallelepiped whose mosaic domains are chosen.
fn mosaic(sampling: MosaicSampling, allowed: f64) -> ExperimentSpec {
    let mut spec = parallelepiped([8, 6, 5]);
    spec.sampling.oversample = Some(2);
    spec.crystal.mosaic.spread_rad = Some(0.02);
    spec.crystal.mosaic.model = Some(MosaicModel::Gaussian);
    spec.crystal.mosaic.sampling = Some(sampling);
    spec.sampling.auto = Some(AutoSpec {
        mosaic_domains: true,
        error: allowed,
        ..AutoSpec::default()
    });
    spec
}

#[test]
fn chosen_domains_keep_the_error_of_many_others_and_no_quarter_of_them_does() {
    for (sampling, allowed) in [(MosaicSampling::Even, 0.05), (MosaicSampling::Random, 0.3)] {
        let spec = mosaic(sampling, allowed);
        let resolved = spec.resolve().unwrap();
        let choice = chosen(&resolved, Sampled::MosaicDomains);
        let domains = resolved.experiment.crystal.mosaic().domains().len();
        assert_eq!(domains, choice.number as usize);
        assert!(choice.error <= allowed && choice.against == 2 * choice.number);
        let with = |domains: i64, seed: i64, sampling| {
            let mut spec = spec.clone();
            spec.sampling.auto = None;
            let mosaic = &mut spec.crystal.mosaic;
            (mosaic.domains, mosaic.seed, mosaic.sampling) = (Some(domains), seed, Some(sampling));
            pixels(&spec.resolve().unwrap().experiment)
        };
        let many = with(6000, 77, MosaicSampling::Even);
        let seed = spec.crystal.mosaic.seed;
        assert_least(choice.number, 0.25, allowed, |n| {
            error(&with(n.into(), seed, sampling), &many)
        });
    }
}

#[test]
fn what_is_chosen_together_keeps_the_error_of_a_far_finer_sum() {
    let allowed = 0.3;
    let mut spec = mosaic(MosaicSampling::Even, allowed);
    spec.sampling.oversample = None;
    spec.phi.sweep.range = Some(0.01);
    spec.fixes = spec.fixes.with(Oddity::HalfStep);
    spec.sampling.auto = Some(AutoSpec {
        oversample: true,
        phi_steps: true,
        mosaic_domains: true,
        error: allowed,
    });
    let resolved = spec.resolve().unwrap();
    let choices = &resolved.decisions.sampling;
    assert_eq!(choices.len(), 3);
    assert!(choices.iter().map(|choice| choice.error).sum::<f64>() <= allowed);
    let numbers = Sampled::ALL.map(|sampled| chosen(&resolved, sampled).number);
    spec.sampling.auto = None;
    spec.sampling.oversample = Some(2 * numbers[0]);
    spec.phi.sweep.count = Some((2 * numbers[1]).into());
    spec.crystal.mosaic.domains = Some((2 * numbers[2]).into());
    spec.crystal.mosaic.seed = 77;
    let finer = pixels(&spec.resolve().unwrap().experiment);
    let kept = error(&pixels(&resolved.experiment), &finer);
    assert!(kept <= allowed, "{numbers:?}: {kept}");
}

#[test]
fn what_is_not_chosen_stays_and_what_is_given_is_refused() {
    let mut spec = parallelepiped([8, 6, 5]);
    let plain = spec.resolve().unwrap();
    assert!(plain.decisions.sampling.is_empty());
    // A still of a perfect crystal has nothing to choose but its sub-pixels.
    spec.sampling.auto = Some(AutoSpec {
        phi_steps: true,
        mosaic_domains: true,
        ..AutoSpec::default()
    });
    let still = spec.resolve().unwrap();
    assert!(still.decisions.sampling.is_empty());
    assert_eq!(pixels(&still.experiment), pixels(&plain.experiment));
    spec.phi.sweep.count = Some(5);
    let message = spec.resolve().unwrap_err().to_string();
    assert!(
        message.contains("sampling.auto.phi_steps is 5"),
        "{message}"
    );
    spec.phi.sweep.count = None;
    spec.sampling.auto = Some(AutoSpec {
        oversample: true,
        error: 0.0,
        ..AutoSpec::default()
    });
    let message = spec.resolve().unwrap_err().to_string();
    assert!(message.contains("allowed error"), "{message}");
    spec.sampling.auto = Some(AutoSpec::default());
    let message = spec.resolve().unwrap_err().to_string();
    assert!(message.contains("no number of samples"), "{message}");
}

#[test]
fn trials_end_when_the_run_is_cancelled() {
    let mut spec = parallelepiped([8, 6, 5]);
    let stopped = Cancel::new();
    stopped.raise();
    let options = RunOptions {
        threads: 1,
        cancel: Some(&stopped),
        ..RunOptions::default()
    };
    assert!(spec.resolve_with(&options).is_ok());
    spec.sampling.auto = Some(AutoSpec {
        oversample: true,
        ..AutoSpec::default()
    });
    let cancelled = Error::Physics(nanobragg::physics::Error::Cancelled).to_string();
    let error = spec.resolve_with(&options).unwrap_err().to_string();
    assert_eq!(error, cancelled);
}

#[test]
fn a_trial_ends_with_a_warning_where_it_cannot_keep_the_error() {
    let mut spec = mosaic(MosaicSampling::Random, 0.01);
    spec.sampling.oversample = Some(3000);
    let resolved = spec.resolve().unwrap();
    let choice = chosen(&resolved, Sampled::MosaicDomains);
    assert!(choice.number >= 2 && choice.error > choice.allowed);
    let missed = |warning: &Warning| *warning == Warning::SamplingMissed(choice);
    assert!(resolved.decisions.warnings.iter().any(missed));
    // No reflection is on the detector: the rule of thumb is left.
    let mut spec = parallelepiped([8, 6, 5]);
    let plain = spec.resolve().unwrap().experiment.sampling.oversample;
    spec.factors = FactorsSpec::Constant(0.0);
    spec.water = Length::from_um(1.0);
    spec.background.push(Default::default());
    spec.sampling.auto = Some(AutoSpec {
        oversample: true,
        ..AutoSpec::default()
    });
    let resolved = spec.resolve().unwrap();
    assert_eq!(resolved.experiment.sampling.oversample, plain);
    assert!(
        resolved
            .decisions
            .warnings
            .contains(&Warning::NothingToSample)
    );
}
