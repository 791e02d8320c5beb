//! A refinement from start to end.

use nanobragg::{Detector, ExperimentSpec, Resolved, RunOptions};

use crate::attempt::{End, Setting, Shot};
use crate::covariance::Covariance;
use crate::free::FreeSet;
use crate::problem::Step;
use crate::refinement::{Estimate, Iteration, Refinement, UNEXPLAINED};
use crate::spec::RefineSpec;
use crate::stage::{ImageScales, frozen};
use crate::target::{Panels, Target};
use crate::{CrystalSystem, Error};

/// The change of the values in a further start, as a fraction of the reach of a parameter.
const NUDGE: f64 = 0.5;

/// Fits the experiment `spec` to the target by changing the numbers that `wanted` selects.
///
/// `observe` is called after every step that improves the fit. If noise does not explain the residuals
/// at the end, the refinement starts again from slightly changed values. There are at most
/// [`RefineSpec::attempts`] attempts, and the best end is the result.
///
/// # Errors
/// See the variants of [`Error`].
pub fn refine(
    spec: &ExperimentSpec,
    target: &Target,
    wanted: &RefineSpec,
    options: &RunOptions<'_>,
    observe: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Refinement, Error> {
    refine_images(&[(spec, target)], wanted, options, observe)
}

/// As [`refine`], for several images: each an experiment and its target.
///
/// The images share the numbers of [`RefineSpec::selection`], which start as in the first experiment, and each
/// has its own of [`RefineSpec::per_image`]. The misfit is the sum of those of the images.
///
/// # Errors
/// As [`refine`]; [`Error::OfImage`] has the number of an image that cannot be refined.
pub fn refine_images(
    images: &[(&ExperimentSpec, &Target)],
    wanted: &RefineSpec,
    options: &RunOptions<'_>,
    observe: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Refinement, Error> {
    let (setting, system) = prepare(images, wanted, options)?;
    let names: Vec<String> = setting.free.iter().map(|free| free.name()).collect();
    let start: Vec<f64> = setting.free.iter().map(|free| free.start()).collect();
    let mut best: Option<End> = None;
    let mut attempts = 0;
    for attempt in 1..=wanted.attempts.max(1) {
        let stages = setting.stages.len();
        let mut observe_step = |stage: usize, pixels: usize, step: &Step, values: &[f64]| {
            let values: Vec<(String, f64)> =
                names.iter().cloned().zip(values.iter().copied()).collect();
            observe(&Iteration {
                attempt,
                stage,
                stages,
                step: step.index,
                misfit: step.normal.misfit,
                pixels,
                values: &values,
            });
        };
        let ended = setting.attempt(&nudged(&setting.free, &start, attempt), &mut observe_step);
        let end = match ended {
            Ok(end) => end,
            // A changed start can be impossible, and then another one is tried. An error of the first
            // start is an error of the input.
            Err(error) if is_cancelled(&error) => return Err(Error::Cancelled),
            Err(error) if attempt == 1 => return Err(error),
            Err(_) => continue,
        };
        attempts = attempt;

        let is_better = (best.as_ref()).is_none_or(|best| end.normal.misfit < best.normal.misfit);
        if is_better {
            best = Some(end);
        }
        if best
            .as_ref()
            .is_some_and(|best| best.goodness <= UNEXPLAINED)
        {
            break;
        }
    }
    let end = best.ok_or(Error::NoPixels)?;
    conclude(&setting, system, end, attempts)
}

/// Checks the request against experiments and targets, and prepares the attempts.
fn prepare<'a>(
    images: &[(&ExperimentSpec, &'a Target)],
    wanted: &'a RefineSpec,
    options: &'a RunOptions<'a>,
) -> Result<(Setting<'a>, Option<CrystalSystem>), Error> {
    wanted.likelihood.check()?;
    if wanted.max_iterations == 0 {
        return Err(Error::OutOfRange {
            quantity: "the number of iterations",
            value: 0.0,
            allowed: "1 or above",
        });
    }
    if !(wanted.tolerance > 0.0 && wanted.tolerance < 1.0) {
        return Err(Error::OutOfRange {
            quantity: "the tolerance",
            value: wanted.tolerance,
            allowed: "above 0 and below 1",
        });
    }
    let mut shots = Vec::new();
    for (index, (spec, target)) in images.iter().enumerate() {
        let shot = shot(spec, target).map_err(|error| error.of_image(index, images.len()))?;
        shots.push(shot);
    }
    let specs: Vec<ExperimentSpec> = shots.iter().map(|shot| shot.spec.clone()).collect();
    let (free, system) = FreeSet::new(&specs, wanted)?;
    for (index, shot) in shots.iter().enumerate() {
        check_pixels(shot, free.of_image(index).count())
            .map_err(|error| error.of_image(index, images.len()))?;
    }
    let first = shots.first().ok_or(Error::NoImages)?;
    let stages = wanted.schedule.stages(&first.scales, &first.used);
    let setting = Setting {
        shots,
        free,
        stages,
        wanted,
        options,
    };
    Ok((setting, system))
}

/// One image, with the pixels that can be used.
fn shot<'a>(spec: &ExperimentSpec, target: &'a Target) -> Result<Shot<'a>, Error> {
    let resolved: Resolved = spec.resolve()?;
    let detector = &resolved.experiment.detector;
    let [fast, slow] = (detector.common_size().ok_or(Error::PanelSizes)?).map(|n| n as usize);
    Ok(Shot {
        // From here on the experiment has fixed integers; the values of the user's description do not
        // change.
        spec: frozen(spec, &resolved.experiment),
        target,
        panels: Panels {
            fast,
            pixels: fast * slow,
        },
        used: used(target, detector, [fast, slow])?,
        scales: ImageScales::of(&resolved),
    })
}

/// Whether the used pixels of an image can determine its numbers.
fn check_pixels(shot: &Shot<'_>, parameters: usize) -> Result<(), Error> {
    let pixels = shot.used.iter().filter(|&&used| used).count();
    if pixels == 0 {
        return Err(Error::NoPixels);
    }
    if pixels <= parameters {
        return Err(Error::TooFewPixels { pixels, parameters });
    }
    let lit = shot.target.photons().pixels().iter().zip(&shot.used);
    if lit.filter(|(_, used)| **used).map(|(&p, _)| p).sum::<f64>() <= 0.0 {
        return Err(Error::DarkTarget {
            offset: shot.target.offset(),
        });
    }
    Ok(())
}

/// The pixels that are used in the target, lie in the region of interest and are not masked.
fn used(
    target: &Target,
    detector: &Detector,
    [fast, slow]: [usize; 2],
) -> Result<Vec<bool>, Error> {
    let photons = target.photons();
    let sides = [fast, slow * detector.panels().len()];
    if [photons.fast(), photons.slow()] != sides {
        return Err(Error::TargetSides {
            target_fast: photons.fast(),
            target_slow: photons.slow(),
            pixels_fast: sides[0],
            pixels_slow: sides[1],
        });
    }
    let mut used = target.used().to_vec();
    for (panel, used) in detector.panels().iter().zip(used.chunks_mut(fast * slow)) {
        for (slow, row) in (0_u32..).zip(used.chunks_exact_mut(fast)) {
            for (fast, used) in (0_u32..).zip(row) {
                *used &= panel.uses(fast, slow);
            }
        }
    }
    Ok(used)
}

/// The start of an attempt. The first is the one given; in the others each value is half a reach above
/// or below it.
fn nudged(free: &FreeSet, start: &[f64], attempt: usize) -> Vec<f64> {
    if attempt == 1 {
        return start.to_vec();
    }
    let nudge = |(i, (free, &start)): (usize, (&crate::Free, &f64))| {
        // The sign is the top bit of a multiple of 2^64/golden ratio, which is well mixed. It is the
        // same in every run.
        let bits = (attempt as u64 * 97 + i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let sign = if bits >> 63 == 0 { 1.0 } else { -1.0 };
        let value = start + sign * NUDGE * free.reach();
        match free.bounds() {
            Some(bounds) if value <= bounds.low || value >= bounds.high => start,
            _ => value,
        }
    };
    free.iter().zip(start).enumerate().map(nudge).collect()
}

/// The result of the best attempt.
///
/// A number at a bound has no uncertainty. Its row and column are left out of the normal matrix, so
/// that the others have the uncertainties of a refinement with this number fixed.
fn conclude(
    setting: &Setting<'_>,
    system: Option<CrystalSystem>,
    end: End,
    attempts: usize,
) -> Result<Refinement, Error> {
    let numbers = setting.free.iter().zip(&end.values);
    let inside: Vec<usize> = numbers
        .enumerate()
        .filter(|(_, (free, value))| !free.is_at_bound(**value))
        .map(|(i, _)| i)
        .collect();
    let names: Vec<String> = setting.free.iter().map(|free| free.name()).collect();
    let names_inside: Vec<String> = inside
        .iter()
        .filter_map(|&i| names.get(i).cloned())
        .collect();
    let matrix = end
        .normal
        .matrix
        .select_rows(&inside)
        .select_columns(&inside);
    let covariance = Covariance::of(&matrix, &names_inside)?;
    let place = |i: usize| inside.iter().position(|&inside| inside == i);
    let sigma = |i| place(i).and_then(|at| covariance.sigmas.get(at).copied());
    let correlation = |i: usize, j: usize| match (place(i), place(j)) {
        _ if i == j => 1.0,
        (Some(i), Some(j)) => covariance
            .correlations
            .get(i)
            .and_then(|row| row.get(j).copied())
            .unwrap_or(0.0),
        _ => 0.0,
    };
    let n = setting.free.len();
    let numbers = setting.free.iter().zip(&end.values).enumerate();
    let shots = setting.shots.iter().enumerate();
    let specs = shots
        .map(|(index, shot)| setting.free.apply(&shot.spec, index, &end.values))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Refinement {
        spec: specs.first().cloned().ok_or(Error::NoImages)?,
        specs,
        images: end.images,
        estimates: numbers
            .map(|(i, (free, &value))| Estimate::new(free, value, sigma(i)))
            .collect(),
        correlations: (0..n)
            .map(|i| (0..n).map(|j| correlation(i, j)).collect())
            .collect(),
        system,
        stages: end.stages,
        attempts,
        misfit: end.normal.misfit,
        goodness: end.goodness,
        pixels: end.pixels,
    })
}

/// Whether the error is an interruption by the user.
fn is_cancelled(error: &Error) -> bool {
    use nanobragg::physics::Error as Physics;
    matches!(
        error,
        Error::Experiment(nanobragg::Error::Physics(Physics::Cancelled))
    )
}
