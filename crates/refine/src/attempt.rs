//! One attempt: from a start through all stages.

use std::cell::RefCell;

use levenberg_marquardt::{LevenbergMarquardt, TerminationReason};
use nanobragg::response::PointSpread;
use nanobragg::{ExperimentSpec, Mask, MaskSpec, RunOptions};

use crate::Error;
use crate::fit::Fit;
use crate::free::FreeSet;
use crate::image_fit::{ImageFit, Overlap, Weighting};
use crate::likelihood::{Likelihood, Variance};
use crate::normal::Normal;
use crate::problem::{Problem, Step};
use crate::refinement::{Ending, ImageRecord, StageRecord};
use crate::spec::{RefineSpec, Stage};
use crate::stage::ImageScales;
use crate::target::{Panels, Target};

/// The standard deviation of the prior of a parameter, as a fraction of its reach, in all stages
/// except the last. The prior keeps parameters that a stage cannot separate, such as the distance and
/// the scale of the cell, near their start.
const PRIOR: f64 = 0.5;

/// The tolerance of the stages before the last.
const ROUGH_TOLERANCE: f64 = 1e-4;

/// The largest number of steps of a stage before the last.
const MOST_ROUGH_STEPS: usize = 40;

/// Two images do not overlap if the cosine of the angle between them is below this.
const NO_OVERLAP: f64 = 1e-3;

/// The largest length of the first step of the first stage, in units of the reach of the parameters.
const FIRST_STEP: f64 = 1.0;

/// The same for later stages. They start nearer to their end, and a long step could leave the minimum
/// that the stage before found.
const NEXT_STEP: f64 = 0.1;

/// The number of rounds of the last stage. The weights of a round come from the prediction at its
/// start.
const ROUNDS: usize = 2;

/// One image, as it is for all attempts.
pub(crate) struct Shot<'a> {
    /// The experiment at its start. Integers that depend on other numbers are fixed.
    pub(crate) spec: ExperimentSpec,
    pub(crate) target: &'a Target,
    pub(crate) panels: Panels,
    /// One flag per pixel, `[panel][slow][fast]`.
    pub(crate) used: Vec<bool>,
    pub(crate) scales: ImageScales,
}

/// Everything that is the same for all attempts.
pub(crate) struct Setting<'a> {
    pub(crate) shots: Vec<Shot<'a>>,
    pub(crate) free: FreeSet,
    pub(crate) stages: Vec<Stage>,
    pub(crate) wanted: &'a RefineSpec,
    pub(crate) options: &'a RunOptions<'a>,
}

/// The end of an attempt.
pub(crate) struct End {
    pub(crate) values: Vec<f64>,
    /// The normal equations of the values at the end.
    pub(crate) normal: Normal,
    pub(crate) goodness: f64,
    pub(crate) images: Vec<ImageRecord>,
    pub(crate) pixels: usize,
    pub(crate) stages: Vec<StageRecord>,
}

/// A function that is called after each step of a stage, with the number of the stage, the number of
/// its pixels, the step and the values.
pub(crate) type StepObserver<'o> = &'o mut dyn FnMut(usize, usize, &Step, &[f64]);

impl Setting<'_> {
    /// Runs all stages from these values.
    pub(crate) fn attempt(&self, start: &[f64], observe: StepObserver<'_>) -> Result<End, Error> {
        let mut values = start.to_vec();
        let mut records = Vec::new();
        let mut end = None;
        for (index, stage) in self.stages.iter().enumerate() {
            let is_last = index + 1 == self.stages.len();
            let selected = self.shots.iter();
            let selected: Vec<Vec<bool>> = selected
                .map(|shot| stage.selected_pixels(&shot.used, &shot.scales))
                .collect();
            let pixels = selected.iter().flatten().filter(|&&is| is).count();
            // A rough stage with too few pixels is skipped; a later one has more.
            if pixels <= self.free.len() {
                if !is_last {
                    continue;
                }
                return Err(Error::TooFewPixels {
                    pixels,
                    parameters: self.free.len(),
                });
            }
            // Weights from a prediction need a second round: the first prediction is not yet right.
            let rounds = match self.wanted.likelihood {
                Likelihood::Gaussian(Variance::Counting(_)) if is_last => ROUNDS,
                _ => 1,
            };
            for _ in 0..rounds {
                let fit = self.fit(stage, &selected, is_last, &mut values, records.is_empty())?;
                let mut observe_step =
                    |step: &Step| observe(index + 1, pixels, step, &fit.values(&step.u).free);
                let (best, record) =
                    self.minimise(&fit, (index + 1, stage, pixels), is_last, &mut observe_step)?;
                values = fit.values(&best.u).free;
                records.push(record);
                if is_last {
                    let goodness = fit.goodness(&values, &self.wanted.likelihood)?;
                    end = Some((best.normal, goodness, pixels));
                }
            }
        }
        let (normal, (goodness, images), pixels) = end.ok_or(Error::NoPixels)?;
        Ok(End {
            values,
            normal,
            goodness,
            images,
            pixels,
            stages: records,
        })
    }

    /// A stage that starts at these values. A fluence among them is first scaled to the target.
    fn fit(
        &self,
        stage: &Stage,
        selected: &[Vec<bool>],
        is_last: bool,
        values: &mut [f64],
        is_first: bool,
    ) -> Result<Fit<'_>, Error> {
        let images = self.shots.iter().zip(selected).enumerate();
        let mut fit = Fit {
            images: images
                .map(|(index, (shot, selected))| shot.image(index, stage, selected))
                .collect(),
            free: self.free.starting_at(values),
            scale_is_free: stage.most_cells.is_some(),
            priors: Vec::new(),
            options: self.options,
            jacobian: RefCell::default(),
        };
        let mut predictions = Vec::new();
        let mut weights = Vec::new();
        let mut overlaps = Vec::new();
        for image in &fit.images {
            let predicted = image.predict(&fit.free, values, self.options)?;
            let rough = image.rough_weights(stage.blur_pixels);
            let overlap = image.overlap(&predicted, &rough);
            if is_first {
                check_overlap(image, &predicted, overlap)
                    .map_err(|error| self.of_image(image.index, error))?;
            }
            predictions.push(predicted);
            weights.push(rough);
            overlaps.push(overlap);
        }
        // The photons are in proportion to the fluence, so its best value follows from one image.
        // With a smaller crystal the spots are weaker by an unknown factor; there the scale is free
        // and the fluence is not changed.
        if fit.scale_is_free {
            for (image, overlap) in fit.images.iter_mut().zip(&overlaps) {
                image.scale = overlap.scale();
            }
        } else {
            for (index, factor) in self.scale_fluences(values, &overlaps) {
                predictions[index].iter_mut().for_each(|m| *m *= factor);
            }
            fit.free = self.free.starting_at(values);
        }
        let weightings = predictions.iter().zip(weights);
        for (image, (predicted, rough)) in fit.images.iter_mut().zip(weightings) {
            image.weighting = match is_last {
                true => Weighting::of(&self.wanted.likelihood, predicted, image.panels),
                false => Weighting::Weights(rough),
            };
        }
        if !is_last {
            let priors = self.free.iter().zip(values.iter());
            fit.priors = priors
                .map(|(free, &value)| free.prior(value, PRIOR))
                .collect();
        }
        Ok(fit)
    }

    /// Multiplies each free fluence by the best factor for its images. Returns the images whose prediction
    /// changes, with the factor.
    fn scale_fluences(&self, values: &mut [f64], overlaps: &[Overlap]) -> Vec<(usize, f64)> {
        let mut changed = Vec::new();
        for (free, value) in self.free.iter().zip(values) {
            if !free.is_fluence() {
                continue;
            }
            let images = match free.image() {
                Some(index) => index..index + 1,
                None => 0..overlaps.len(),
            };
            let mut sums = Overlap::default();
            for overlap in &overlaps[images.clone()] {
                sums.tm += overlap.tm;
                sums.mm += overlap.mm;
            }
            let scale = sums.scale();
            let scaled = *value * scale;
            if scale.is_finite() && scale > 0.0 && free.allows(scaled) {
                *value = scaled;
                changed.extend(images.map(|index| (index, scale)));
            }
        }
        changed
    }

    /// An error of one image, with its number if there are several.
    pub(crate) fn of_image(&self, index: usize, error: Error) -> Error {
        error.of_image(index, self.shots.len())
    }

    /// Minimises the misfit of a stage. Returns its best step and the record of the stage.
    fn minimise(
        &self,
        fit: &Fit<'_>,
        (number, stage, pixels): (usize, &Stage, usize),
        is_last: bool,
        observe: &mut dyn FnMut(&Step),
    ) -> Result<(Step, StageRecord), Error> {
        let (tolerance, steps) = if is_last {
            (self.wanted.tolerance, self.wanted.max_iterations)
        } else {
            (
                ROUGH_TOLERANCE,
                MOST_ROUGH_STEPS.min(self.wanted.max_iterations),
            )
        };
        let mut first = None;
        let mut observe_step = |step: &Step| {
            first.get_or_insert(step.normal.misfit);
            observe(step);
        };
        let problem = Problem::new(fit, &mut observe_step);
        let (problem, report) = LevenbergMarquardt::new()
            .with_ftol(tolerance)
            .with_xtol(tolerance)
            .with_gtol(0.0)
            // The bound of the first step is relative to the numbers. All of them start at 1, and a
            // change by 1 is one reach of the parameter.
            .with_stepbound(if number == 1 { FIRST_STEP } else { NEXT_STEP })
            // The crate multiplies the patience by the number of parameters plus 1, as MINPACK does.
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
            // A further gain is below the rounding errors of the sums.
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

impl Shot<'_> {
    /// The image in a stage, with a scale of 1 and without weights.
    fn image(&self, index: usize, stage: &Stage, selected: &[bool]) -> ImageFit {
        let photons = self.target.photons();
        let mut spec = stage.crystal(self.spec.clone());
        let panels = self.panels;
        let masks = selected.chunks(panels.pixels);
        let masks = masks.map(|used| Mask::new(panels.fast, used.to_vec()));
        spec.mask = masks.collect::<Option<_>>().map(MaskSpec::Panels);
        let blur = stage.blur_pixels;
        let blur = (blur > 0.0).then(|| PointSpread::gaussian(blur));
        // A pixel that is not selected is 0 in the prediction, so it must be 0 in the target before
        // both are blurred.
        let pairs = photons.pixels().iter().zip(selected);
        let cut: Vec<f64> = pairs
            .map(|(&photons, &selected)| if selected { photons } else { 0.0 })
            .collect();
        let target = match &blur {
            Some(blur) => panels.spread(blur, &cut),
            None => cut,
        };
        ImageFit {
            index,
            spec,
            selected: selected.to_vec(),
            scale: 1.0,
            target,
            blur,
            panels,
            weighting: Weighting::Deviance,
        }
    }
}

/// Refuses a start that does not predict the spots of an image.
fn check_overlap(image: &ImageFit, predicted: &[f64], overlap: Overlap) -> Result<(), Error> {
    let cosine = overlap.cosine();
    if cosine >= NO_OVERLAP {
        return Ok(());
    }
    let sum = |pixels: &[f64]| -> f64 {
        let pairs = pixels.iter().zip(&image.selected);
        let photons = pairs.filter(|(_, selected)| **selected);
        photons.map(|(photons, _)| photons).sum()
    };
    Err(Error::NoOverlap {
        photons: sum(&image.target),
        predicted: sum(predicted),
        overlap: if cosine.is_nan() { 0.0 } else { cosine },
    })
}
