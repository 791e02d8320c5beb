//! The result of a refinement.

use nanobragg::ExperimentSpec;

use crate::spec::{Bounds, Restraint, Stage};
use crate::{CrystalSystem, Free};

/// The result of a refinement.
#[derive(Debug, Clone)]
pub struct Refinement {
    /// The experiment with the refined values; of several images, that of the first.
    pub spec: ExperimentSpec,
    /// The experiment of each image with the refined values.
    pub specs: Vec<ExperimentSpec>,
    /// The fit of each image.
    pub images: Vec<ImageRecord>,
    /// The refined numbers, in the order of the request.
    pub estimates: Vec<Estimate>,
    /// Correlations of the estimates `[i][j]`: 1 on the diagonal, 0 for a number at a bound.
    pub correlations: Vec<Vec<f64>>,
    /// The crystal system that ties edges and angles, if the cell was refined.
    pub system: Option<CrystalSystem>,
    /// The stages of the best attempt.
    pub stages: Vec<StageRecord>,
    /// The number of attempts.
    pub attempts: usize,
    /// Twice the negative log-likelihood up to a constant, plus the terms of the restraints.
    pub misfit: f64,
    /// The squared residuals divided by their expectation from noise. About 1 if the model is right.
    pub goodness: f64,
    /// The number of pixels that were used.
    pub pixels: usize,
}

/// The fit of one image at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageRecord {
    /// The number of its pixels that were used.
    pub pixels: usize,
    /// Its squared residuals divided by their expectation from noise.
    pub goodness: f64,
}

/// One refined number.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The name of the parameter and of those tied to it; of a number of one image with `#` and its number.
    pub name: String,
    /// The image that has this number, from 0; `None` if all images share it.
    pub image: Option<usize>,
    /// Its unit.
    pub unit: &'static str,
    /// The value at the start.
    pub start: f64,
    /// The refined value.
    pub value: f64,
    /// Its standard uncertainty; `None` at a bound.
    pub sigma: Option<f64>,
    /// Its bounds, if it had any.
    pub bounds: Option<Bounds>,
    /// Its restraint, if it had one.
    pub restraint: Option<Restraint>,
}

/// The record of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRecord {
    /// The stage.
    pub stage: Stage,
    /// The number of its pixels.
    pub pixels: usize,
    /// The number of images that were rendered with derivatives.
    pub iterations: usize,
    /// The misfit at its start and at its end.
    pub misfit: [f64; 2],
    /// The reason of its end.
    pub ending: Ending,
}

/// The reason of the end of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The last steps changed misfit or values by less than the tolerance.
    Converged,
    /// The largest number of steps was reached.
    OutOfSteps,
}

/// A step that improved the fit, for an observer.
#[derive(Debug, Clone, Copy)]
pub struct Iteration<'a> {
    /// The number of the attempt, from 1.
    pub attempt: usize,
    /// The number of the stage, from 1.
    pub stage: usize,
    /// The number of stages.
    pub stages: usize,
    /// The step in the stage; 0 is its start.
    pub step: usize,
    /// The misfit.
    pub misfit: f64,
    /// The number of pixels of the stage.
    pub pixels: usize,
    /// Names and values of the free numbers.
    pub values: &'a [(String, f64)],
}

/// Noise does not explain the residuals if [`Refinement::goodness`] is above this.
pub(crate) const UNEXPLAINED: f64 = 1.5;

impl Refinement {
    /// Whether the last stage has ended at a minimum.
    pub fn is_at_minimum(&self) -> bool {
        (self.stages.last()).is_some_and(|stage| stage.ending == Ending::Converged)
    }

    /// Whether the refinement has ended at a minimum that noise explains.
    pub fn has_converged(&self) -> bool {
        self.is_at_minimum() && self.is_explained()
    }

    /// Whether noise explains the residuals. If it does not, the minimum is a wrong one or the model is
    /// incomplete, and the uncertainties are too small.
    pub fn is_explained(&self) -> bool {
        self.goodness <= UNEXPLAINED
    }
}

impl Estimate {
    /// The result of a free number.
    pub(crate) fn new(free: &Free, value: f64, sigma: Option<f64>) -> Self {
        Self {
            name: free.name(),
            image: free.image(),
            unit: free.unit(),
            start: free.start(),
            value,
            sigma,
            bounds: free.bounds(),
            restraint: free.restraint(),
        }
    }
}

impl Refinement {
    /// The report for people.
    pub fn text(&self) -> String {
        crate::text::text(self)
    }

    /// The report for programs: indented JSON with a line feed at its end. What is no finite number is `null`.
    /// `arguments` are the words that ask for the refined experiment of each image, if there are such words.
    pub fn json(&self, arguments: &[Option<Vec<String>>]) -> String {
        crate::json::json(self, arguments)
    }
}

impl Iteration<'_> {
    /// The step in a line.
    pub fn text(&self) -> String {
        crate::text::step(self)
    }
}
