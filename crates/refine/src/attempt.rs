//! One way from a start through all stages.

use std::cell::RefCell;

use levenberg_marquardt::{LevenbergMarquardt, TerminationReason};
use nanobragg::response::PointSpread;
use nanobragg::{ExperimentSpec, Mask, MaskSpec, RunOptions};

use crate::Error;
use crate::free::FreeSet;
use crate::likelihood::{Likelihood, Variance};
use crate::normal::Normal;
use crate::problem::{Fit, Problem, Step, Weighting};
use crate::refinement::{Ending, StageRecord};
use crate::spec::{RefineSpec, Stage};
use crate::stage::View;
use crate::target::Target;

/// What a start may be off, as a fraction of the reach of a parameter, in all stages but the last:
/// it keeps what the stage cannot tell apart, as the distance and the scale of the cell, where it is.
const PRIOR: f64 = 0.5;

/// When a stage before the last has converged.
const ROUGHLY: f64 = 1e-4;

/// The most steps of a stage before the last.
const FEW_STEPS: usize = 40;

/// The cosine of the angle between two images below which they have nothing in common.
const NO_OVERLAP: f64 = 1e-3;

/// How far the first step of the first stage goes, as a fraction of what a start may be off.
const FIRST_STEP: f64 = 1.0;

/// The same in further stages, which begin nearer to where they end: a bold step would leave the
/// minimum that the stage before has found.
const NEXT_STEP: f64 = 0.1;

/// Rounds of the last stage, where weights follow from what was predicted when the round began.
const ROUNDS: usize = 2;

/// What does not change from attempt to attempt.
pub(crate) struct Setting<'a> {
    /// The experiment at its start, with nothing left that changes in steps.
    pub(crate) spec: ExperimentSpec,
    pub(crate) target: &'a Target,
    pub(crate) used: Vec<bool>,
    pub(crate) view: View,
    pub(crate) free: FreeSet,
    pub(crate) stages: Vec<Stage>,
    pub(crate) wanted: &'a RefineSpec,
    pub(crate) options: &'a RunOptions<'a>,
}

/// Where an attempt has ended.
pub(crate) struct End {
    pub(crate) values: Vec<f64>,
    /// By the values, at the end.
    pub(crate) normal: Normal,
    pub(crate) goodness: f64,
    pub(crate) pixels: usize,
    pub(crate) stages: Vec<StageRecord>,
}

/// A step of a stage: the stage, its pixels, the step and the values.
pub(crate) type Told<'t> = &'t mut dyn FnMut(usize, usize, &Step, &[f64]);

impl Setting<'_> {
    /// Goes from the values through all stages.
    pub(crate) fn attempt(&self, start: &[f64], told: Told<'_>) -> Result<End, Error> {
        let mut values = start.to_vec();
        let mut records = Vec::new();
        let mut end = None;
        for (index, stage) in self.stages.iter().enumerate() {
            let is_last = index + 1 == self.stages.len();
            let looks_at = stage.looks_at(&self.used, &self.view);
            let pixels = looks_at.iter().filter(|&&looked| looked).count();
            if pixels <= self.free.len() {
                if !is_last {
                    continue;
                }
                return Err(Error::TooFewPixels {
                    pixels,
                    parameters: self.free.len(),
                });
            }
            let rounds = match self.wanted.likelihood {
                Likelihood::Gaussian(Variance::Counting(_)) if is_last => ROUNDS,
                _ => 1,
            };
            for _ in 0..rounds {
                let fit = self.fit(stage, &looks_at, is_last, &mut values, records.is_empty())?;
                let mut tell = |step: &Step| told(index + 1, pixels, step, &fit.values(&step.u).0);
                let (best, record) =
                    self.minimise(&fit, (index + 1, stage, pixels), is_last, &mut tell)?;
                values = fit.values(&best.u).0;
                records.push(record);
                if is_last {
                    let goodness = fit.goodness(&values, &self.wanted.likelihood)?;
                    end = Some((best.normal, goodness, pixels));
                }
            }
        }
        let (normal, goodness, pixels) = end.ok_or(Error::NoPixels)?;
        Ok(End {
            values,
            normal,
            goodness,
            pixels,
            stages: records,
        })
    }

    /// A stage, beginning at the values; the fluence among them is first brought to what the target
    /// asks for.
    fn fit(
        &self,
        stage: &Stage,
        looks_at: &[bool],
        is_last: bool,
        values: &mut [f64],
        is_first: bool,
    ) -> Result<Fit<'_>, Error> {
        let photons = self.target.photons();
        let mut spec = stage.crystal(self.spec.clone());
        spec.mask = Mask::new(photons.fast(), looks_at.to_vec()).map(MaskSpec::Pixels);
        let pixels_fast = photons.fast();
        let blur = (stage.blur_pixels > 0.0).then_some(PointSpread {
            sigma_pixels: stage.blur_pixels,
        });
        let pairs = photons.pixels().iter().zip(looks_at);
        let cut: Vec<f64> = pairs
            .map(|(&photons, &looked)| if looked { photons } else { 0.0 })
            .collect();
        let target = match blur {
            Some(blur) => blur.spread(&cut, pixels_fast),
            None => cut,
        };
        let mut fit = Fit {
            spec,
            looked_at: looks_at.to_vec(),
            free: self.free.starting_at(values),
            scale: 1.0,
            scale_is_free: stage.most_cells.is_some(),
            target,
            blur,
            pixels_fast,
            weighting: Weighting::Deviance,
            priors: Vec::new(),
            options: self.options,
            images: RefCell::default(),
        };
        let predicted = fit.predict(values)?;
        let rough = fit.rough_weights(stage.blur_pixels);
        let (scale, overlap) = fit.scale_and_overlap(&predicted, &rough);
        if is_first && (overlap.is_nan() || overlap < NO_OVERLAP) {
            let seen = |image: &[f64]| -> f64 {
                let looked = image.iter().zip(looks_at).filter(|(_, looked)| **looked);
                looked.map(|(photons, _)| photons).sum()
            };
            return Err(Error::NoOverlap {
                photons: seen(&fit.target),
                predicted: seen(&predicted),
                overlap: if overlap.is_nan() { 0.0 } else { overlap },
            });
        }
        let mut factor = 1.0;
        if fit.scale_is_free {
            fit.scale = scale;
        } else if let Some(value) = fluence(&self.free, values) {
            let brought = *value * scale;
            if scale.is_finite() && scale > 0.0 && self.free.allows_fluence(brought) {
                *value = brought;
                factor = scale;
                fit.free = self.free.starting_at(values);
            }
        }
        if is_last {
            let predicted: Vec<f64> = predicted.iter().map(|m| factor * m).collect();
            fit.weighting = Weighting::of(&self.wanted.likelihood, &predicted, pixels_fast);
        } else {
            fit.weighting = Weighting::Weights(rough);
            let priors = self.free.iter().zip(values.iter());
            fit.priors = priors
                .map(|(free, &value)| free.prior(value, PRIOR))
                .collect();
        }
        Ok(fit)
    }

    fn minimise(
        &self,
        fit: &Fit<'_>,
        (number, stage, pixels): (usize, &Stage, usize),
        is_last: bool,
        told: &mut dyn FnMut(&Step),
    ) -> Result<(Step, StageRecord), Error> {
        let (tolerance, steps) = if is_last {
            (self.wanted.tolerance, self.wanted.max_iterations)
        } else {
            (ROUGHLY, FEW_STEPS.min(self.wanted.max_iterations))
        };
        let mut first = None;
        let mut tell = |step: &Step| {
            first.get_or_insert(step.normal.misfit);
            told(step);
        };
        let problem = Problem::new(fit, &mut tell);
        let (problem, report) = LevenbergMarquardt::new()
            .with_ftol(tolerance)
            .with_xtol(tolerance)
            .with_gtol(0.0)
            // The numbers start at 1 and change by about 1 over what a start may be off.
            .with_stepbound(if number == 1 { FIRST_STEP } else { NEXT_STEP })
            .with_patience(steps.div_ceil(fit.numbers() + 1).max(1))
            .minimize(problem);
        let (best, iterations, error) = problem.end();
        if let Some(error) = error {
            return Err(error);
        }
        let best = best.ok_or(Error::NotFinite { stage: number })?;
        let ending = match report.termination {
            TerminationReason::LostPatience => Ending::OutOfSteps,
            TerminationReason::Converged { .. }
            | TerminationReason::Orthogonal
            | TerminationReason::ResidualsZero
            // Nothing can be gained within the precision of the sums.
            | TerminationReason::NoImprovementPossible(_) => Ending::Converged,
            other => {
                return Err(Error::Minimiser {
                    stage: number,
                    reason: format!("{other:?}"),
                });
            }
        };
        let record = StageRecord {
            stage: *stage,
            pixels,
            iterations,
            misfit: [first.unwrap_or(f64::NAN), best.normal.misfit],
            ending,
        };
        Ok((best, record))
    }
}

/// The fluence among the values.
fn fluence<'v>(free: &FreeSet, values: &'v mut [f64]) -> Option<&'v mut f64> {
    let mut numbers = free.iter().zip(values);
    numbers.find_map(|(free, value)| free.is_fluence().then_some(value))
}
