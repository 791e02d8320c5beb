//! What a refinement has found.

use nanobragg::ExperimentSpec;

use crate::spec::{Bounds, Restraint, Stage};
use crate::{CrystalSystem, Free};

/// A refinement that has come to its end.
#[derive(Debug, Clone)]
pub struct Refinement {
    /// The experiment with the refined values.
    pub spec: ExperimentSpec,
    /// What was refined, in the order asked for.
    pub estimates: Vec<Estimate>,
    /// Correlations of the estimates: `[i][j]`, 1 on the diagonal, 0 beside a bound.
    pub correlations: Vec<Vec<f64>>,
    /// The crystal system that tied edges and angles, if the cell was refined.
    pub system: Option<CrystalSystem>,
    /// The stages of the attempt that is kept.
    pub stages: Vec<StageRecord>,
    /// How many starts were tried.
    pub attempts: usize,
    /// Twice the negative log-likelihood, up to a constant, with the restraints.
    pub misfit: f64,
    /// The squared residuals over what noise explains: about 1 where the model is right.
    pub goodness: f64,
    /// Pixels that were used.
    pub pixels: usize,
}

/// One refined number.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The parameter, with those tied to it.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Where it started.
    pub start: f64,
    /// Where it ended.
    pub value: f64,
    /// Its standard uncertainty; `None` where it stands at a bound.
    pub sigma: Option<f64>,
    /// The bounds it was held in.
    pub bounds: Option<Bounds>,
    /// What was known of it.
    pub restraint: Option<Restraint>,
}

/// The course of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRecord {
    /// What it looked at.
    pub stage: Stage,
    /// How many pixels that is.
    pub pixels: usize,
    /// Images with derivatives that it took.
    pub iterations: usize,
    /// The misfit at its start and its end.
    pub misfit: [f64; 2],
    /// Why it ended.
    pub ending: Ending,
}

/// Why a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left to gain.
    Converged,
    /// It had all the steps that it was given.
    OutOfSteps,
}

/// A step that has bettered the fit, as an observer is told.
#[derive(Debug, Clone, Copy)]
pub struct Iteration<'a> {
    /// The start, from 1.
    pub attempt: usize,
    /// The stage, from 1.
    pub stage: usize,
    /// How many stages there are.
    pub stages: usize,
    /// The step in the stage; 0 is its start.
    pub step: usize,
    /// The misfit.
    pub misfit: f64,
    /// Pixels that the stage looks at.
    pub pixels: usize,
    /// Names and values of the free numbers.
    pub values: &'a [(String, f64)],
}

/// The squared residuals, relative to noise, above which they are not explained by it.
pub(crate) const UNEXPLAINED: f64 = 1.5;

impl Refinement {
    /// Whether the last stage has converged.
    pub fn has_converged(&self) -> bool {
        (self.stages.last()).is_some_and(|stage| stage.ending == Ending::Converged)
    }

    /// Whether noise explains the residuals. Where it does not, the end is a wrong one, or the model
    /// leaves something out, and the uncertainties are too small.
    pub fn is_explained(&self) -> bool {
        self.goodness <= UNEXPLAINED
    }
}

impl Estimate {
    pub(crate) fn new(free: &Free, value: f64, sigma: Option<f64>) -> Self {
        Self {
            name: free.name(),
            unit: free.unit(),
            start: free.start(),
            value,
            sigma,
            bounds: free.bounds(),
            restraint: free.restraint(),
        }
    }
}
