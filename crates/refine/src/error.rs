//! What can be wrong with a refinement.

use thiserror::Error;

/// Why a refinement cannot be begun or did not come to an end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The experiment cannot be, or cannot be rendered.
    #[error(transparent)]
    Experiment(#[from] nanobragg::Error),
    /// A name that no group or parameter has.
    #[error("{name} is nothing that can be refined; give cell, misset, beam or one of: {known}")]
    UnknownParameter {
        /// The name as given.
        name: String,
        /// All names of single parameters.
        known: String,
    },
    /// The numbers of cells are whole and cannot be moved in small steps.
    #[error(
        "Na, Nb and Nc are whole numbers and cannot be refined; -fudge can, for a Gaussian shape"
    )]
    WholeCells,
    /// The list of parameters is empty.
    #[error("there is nothing to refine: name at least one parameter")]
    NoParameters,
    /// A bound or restraint on a parameter that is not refined.
    #[error("{name} has a {what} but is not refined; refined are: {refined}")]
    NotRefined {
        /// The parameter.
        name: String,
        /// `bound` or `restraint`.
        what: &'static str,
        /// What is refined.
        refined: String,
    },
    /// The start of a parameter is outside its bounds, or the bounds enclose nothing.
    #[error("{name} starts at {start}, which is not between its bounds {low} and {high}")]
    OutsideBounds {
        /// The parameter.
        name: String,
        /// Where it starts.
        start: f64,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// A number that describes the likelihood, a restraint or the course is not usable.
    #[error("{quantity} is {value}, which must be {allowed}")]
    OutOfRange {
        /// What it is.
        quantity: &'static str,
        /// What was given.
        value: f64,
        /// What would do.
        allowed: &'static str,
    },
    /// The cell to start from does not obey the crystal system.
    #[error("the cell to start from is not {system}: {fault}")]
    NotOfSystem {
        /// The crystal system.
        system: &'static str,
        /// What does not fit.
        fault: String,
    },
    /// The target and the detector have different sides.
    #[error(
        "the target has {target_fast} x {target_slow} pixels, the detector {pixels_fast} x \
         {pixels_slow}"
    )]
    TargetSides {
        /// Pixels of the target along the fast axis.
        target_fast: usize,
        /// Pixels of the target along the slow axis.
        target_slow: usize,
        /// Pixels of the detector along the fast axis.
        pixels_fast: usize,
        /// Pixels of the detector along the slow axis.
        pixels_slow: usize,
    },
    /// No pixel of the target can be used.
    #[error(
        "no pixel of the target can be used: all are masked, overloaded, outside the region of \
         interest or not finite"
    )]
    NoPixels,
    /// Fewer usable pixels than parameters.
    #[error("{pixels} usable pixels cannot determine {parameters} parameters")]
    TooFewPixels {
        /// Usable pixels.
        pixels: usize,
        /// Refined parameters.
        parameters: usize,
    },
    /// The target is dark.
    #[error("the usable pixels of the target hold no photons; is the offset of {offset} right?")]
    DarkTarget {
        /// The offset that was subtracted, in counts.
        offset: f64,
    },
    /// The start does not predict the spots of the target.
    #[error(
        "the start does not overlap the target: it predicts {predicted:.3e} photons where the target \
         holds {photons:.3e}, with a correlation of {overlap:.1e} between them; check cell, \
         orientation, distance and beam centre"
    )]
    NoOverlap {
        /// Photons in the pixels of the target that the first stage looks at.
        photons: f64,
        /// Photons that the start predicts there.
        predicted: f64,
        /// The cosine of the angle between the two images.
        overlap: f64,
    },
    /// The likelihood is not a finite number where the refinement begins.
    #[error("the likelihood is not a finite number at the start of stage {stage}")]
    NotFinite {
        /// The stage, from 1.
        stage: usize,
    },
    /// The minimiser has failed.
    #[error("the minimiser failed in stage {stage}: {reason}")]
    Minimiser {
        /// The stage, from 1.
        stage: usize,
        /// Its reason.
        reason: String,
    },
    /// The image does not change with a parameter.
    #[error("{name} cannot be refined: the image does not change with it")]
    NoEffect {
        /// The parameter.
        name: String,
    },
    /// Parameters that the image cannot tell apart.
    #[error(
        "the image cannot tell {} apart: changing them together leaves it as it is; refine fewer of \
         them, or restrain or bound one", names.join(", ")
    )]
    Inseparable {
        /// The parameters.
        names: Vec<String>,
    },
    /// A signal asked to stop.
    #[error("the refinement was stopped")]
    Cancelled,
}
