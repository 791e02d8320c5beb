//! What is asked of a refinement.

use nanobragg::Length;

use crate::{CrystalSystem, Error, Likelihood};
use nanobragg::gradient::Parameter;

/// A refinement as a user describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct RefineSpec {
    /// What is refined.
    pub selection: Vec<Selection>,
    /// The crystal system; `None` takes the most symmetric one that the cell to start from obeys.
    pub system: Option<CrystalSystem>,
    /// Bounds on parameters, at most one each.
    pub bounds: Vec<(Parameter, Bounds)>,
    /// What is known of parameters beforehand.
    pub restraints: Vec<(Parameter, Restraint)>,
    /// How likely counts are, given the photons that are expected.
    pub likelihood: Likelihood,
    /// The stages, from wide to narrow.
    pub schedule: Schedule,
    /// The most steps that one stage may try.
    pub max_iterations: usize,
    /// The last stage has converged when a step changes twice the negative log-likelihood by less
    /// than this fraction of it, or the free numbers by less than this fraction of their scale.
    pub tolerance: f64,
    /// How often to begin, from starts nudged about the one given, while the residuals at the end are
    /// more than noise explains; the best end is kept.
    pub attempts: usize,
}

impl Default for RefineSpec {
    /// Cell and misset, by the default schedule.
    fn default() -> Self {
        Self {
            selection: vec![Selection::Cell, Selection::Misset],
            system: None,
            bounds: Vec::new(),
            restraints: Vec::new(),
            likelihood: Likelihood::default(),
            schedule: Schedule::default(),
            max_iterations: 100,
            tolerance: 1e-8,
            attempts: 6,
        }
    }
}

/// Parameters that are refined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The edges and angles of the cell that the crystal system leaves free.
    Cell,
    /// The three missetting angles.
    Misset,
    /// The beam centre along fast and slow.
    BeamCentre,
    /// One parameter.
    One(Parameter),
}

impl Selection {
    /// The selection called `name`: `cell`, `misset`, `beam`, or the name of a parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`].
    pub fn from_name(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "cell" => Self::Cell,
            "misset" => Self::Misset,
            "beam" => Self::BeamCentre,
            _ => Self::One(parameter(name)?),
        })
    }
}

/// The parameter called `name`.
///
/// # Errors
/// [`Error::UnknownParameter`].
pub fn parameter(name: &str) -> Result<Parameter, Error> {
    Parameter::from_name(name).ok_or_else(|| {
        let known: Vec<String> = Parameter::ALL.iter().map(|p| p.name()).collect();
        Error::UnknownParameter {
            name: name.to_owned(),
            known: known.join(" "),
        }
    })
}

/// The range that a parameter may not leave, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What is known of a parameter beforehand, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Restraint {
    /// The value.
    pub value: f64,
    /// Its standard uncertainty.
    pub sigma: f64,
}

/// The stages of a refinement.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Schedule {
    /// From few orders of diffraction and a small crystal to all orders and the true crystal.
    #[default]
    WideToNarrow,
    /// The last stage of it only, for starts that are nearly right.
    Final,
    /// These, of which the last gives the result.
    Stages(Vec<Stage>),
}

/// One stage: what of the target is looked at, and how sharply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Pixels at a spacing below this are left out; 0 keeps all.
    pub dmin: Length,
    /// The crystal is cut to this many cells along each axis, with Gaussian spots, so that
    /// reflections a little off the Ewald sphere are seen.
    pub most_cells: Option<u32>,
    /// Target and prediction are both smeared by a Gaussian of this standard deviation; 0 for none.
    pub blur_pixels: f64,
}
