//! The request of a refinement.

use nanobragg::Length;

use crate::{CrystalSystem, Error, Likelihood};
use nanobragg::gradient::Parameter;

/// A refinement as a user describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct RefineSpec {
    /// The parameters that are refined. Several images share them.
    pub selection: Vec<Selection>,
    /// The parameters of which each image has its own, such as orientation and fluence of stills.
    pub per_image: Vec<Selection>,
    /// The crystal system. `None` is the most symmetric one that the cell at the start obeys.
    pub system: Option<CrystalSystem>,
    /// Bounds on parameters, at most one each.
    pub bounds: Vec<(Parameter, Bounds)>,
    /// Values of parameters that are known from elsewhere, with their uncertainties.
    pub restraints: Vec<(Parameter, Restraint)>,
    /// The probability of the target, given the expected photons.
    pub likelihood: Likelihood,
    /// The stages, from wide to narrow.
    pub schedule: Schedule,
    /// The largest number of steps of one stage.
    pub max_iterations: usize,
    /// The last stage has converged if a step changes twice the negative log-likelihood by less than
    /// this fraction of it, or the free numbers by less than this fraction of their scale.
    pub tolerance: f64,
    /// The largest number of attempts. If noise does not explain the residuals at the end, the
    /// refinement starts again from slightly changed values. The best end is the result.
    pub attempts: usize,
}

impl Default for RefineSpec {
    /// Cell and misset, by the default schedule.
    fn default() -> Self {
        Self {
            selection: vec![Selection::Cell, Selection::Misset],
            per_image: Vec::new(),
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
    /// The selection with this name: `cell`, `misset`, `beam`, or the name of a parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] for any other name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "cell" => Self::Cell,
            "misset" => Self::Misset,
            "beam" => Self::BeamCentre,
            _ => Self::One(parameter(name)?),
        })
    }
}

/// The parameter with this name.
///
/// # Errors
/// [`Error::UnknownParameter`] if there is none.
pub fn parameter(name: &str) -> Result<Parameter, Error> {
    Parameter::from_name(name).ok_or_else(|| {
        let known: Vec<String> = Parameter::ALL.iter().map(|p| p.name()).collect();
        Error::UnknownParameter {
            name: name.to_owned(),
            known: known.join(" "),
        }
    })
}

/// The allowed range of a parameter, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A value of a parameter that is known from elsewhere, in its unit.
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
    /// Only the last stage, for starts that are nearly right.
    Final,
    /// These stages. The last one gives the result.
    Stages(Vec<Stage>),
}

/// One stage: its pixels, its crystal and its blur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Pixels with a lattice spacing below this are left out. 0 keeps all pixels.
    pub dmin: Length,
    /// The crystal has at most this many cells along each axis, and Gaussian spots. Its wide spots make
    /// reflections visible that are slightly off the Ewald sphere.
    pub most_cells: Option<u32>,
    /// The standard deviation of a Gaussian that blurs both target and prediction; 0 for no blur.
    pub blur_pixels: f64,
}
