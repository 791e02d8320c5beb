//! The errors of a refinement.

use std::path::PathBuf;

use thiserror::Error;

/// Why a refinement cannot start or has failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The experiment is impossible or cannot be rendered.
    #[error(transparent)]
    Experiment(#[from] nanobragg::Error),
    /// No group and no parameter has this name.
    #[error("{name} is nothing that can be refined; give cell, misset, beam or one of: {known}")]
    UnknownParameter {
        /// The name as given.
        name: String,
        /// All names of single parameters.
        known: String,
    },
    /// There is no image to refine against.
    #[error("there is no image to refine against")]
    NoImages,
    /// One of several images has an error of its own.
    #[error("image {number}: {source}")]
    OfImage {
        /// The number of the image, from 1.
        number: usize,
        /// What is wrong.
        source: Box<Error>,
    },
    /// The list of parameters is empty.
    #[error("there is nothing to refine: name at least one parameter")]
    NoParameters,
    /// A bound or restraint is on a parameter that is not refined.
    #[error("{name} has a {what} but is not refined; refined are: {refined}")]
    NotRefined {
        /// The parameter.
        name: String,
        /// `bound` or `restraint`.
        what: &'static str,
        /// The parameters that are refined.
        refined: String,
    },
    /// The start of a parameter is not between its bounds.
    #[error("{name} starts at {start}, which is not between its bounds {low} and {high}")]
    OutsideBounds {
        /// The parameter.
        name: String,
        /// The value at the start.
        start: f64,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// A number of the likelihood, of a restraint or of the minimiser is outside its range.
    #[error("{quantity} is {value}, which must be {allowed}")]
    OutOfRange {
        /// The quantity.
        quantity: &'static str,
        /// The value given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// The cell at the start does not obey the crystal system.
    #[error("the cell to start from is not {system}: {fault}")]
    NotOfSystem {
        /// The crystal system.
        system: &'static str,
        /// The number that does not fit.
        fault: String,
    },
    /// Panels of which the images do not make one array.
    #[error(
        "the panels of the detector have different numbers of pixels: such a detector cannot be \
         refined"
    )]
    PanelSizes,
    /// The target and the detector have different sides; those of panels one below the other.
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
    /// The mask is of another size than the target.
    #[error(
        "{}: the mask has {} x {} pixels, the target {} x {}",
        path.display(), mask[0], mask[1], target[0], target[1]
    )]
    MaskSides {
        /// The mask.
        path: PathBuf,
        /// Its pixels along the fast and the slow axis.
        mask: [usize; 2],
        /// Those of the target.
        target: [usize; 2],
    },
    /// No pixel of the target can be used.
    #[error(
        "no pixel of the target can be used: all are masked, overloaded, outside the region of \
         interest or not finite"
    )]
    NoPixels,
    /// There are not more usable pixels than parameters.
    #[error("{pixels} usable pixels cannot determine {parameters} parameters")]
    TooFewPixels {
        /// Usable pixels.
        pixels: usize,
        /// Refined parameters.
        parameters: usize,
    },
    /// The target has no photons.
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
        /// Photons of the target in the pixels of the first stage.
        photons: f64,
        /// Photons in these pixels in the image of the start.
        predicted: f64,
        /// The cosine of the angle between the two images.
        overlap: f64,
    },
    /// The likelihood is not finite at the start of a stage.
    #[error("the likelihood is not a finite number at the start of stage {stage}")]
    NotFinite {
        /// The stage, from 1.
        stage: usize,
    },
    /// The minimiser failed.
    #[error("the minimiser failed in stage {stage}: {reason}")]
    Minimiser {
        /// The stage, from 1.
        stage: usize,
        /// The reason from the minimiser.
        reason: String,
    },
    /// The image does not change with a parameter.
    #[error("{name} cannot be refined: the image does not change with it")]
    NoEffect {
        /// The parameter.
        name: String,
    },
    /// The image does not determine some parameters separately.
    #[error(
        "the image cannot tell {} apart: changing them together leaves it as it is; refine fewer of \
         them, or restrain or bound one", names.join(", ")
    )]
    Inseparable {
        /// The parameters.
        names: Vec<String>,
    },
    /// The refinement was interrupted by a signal.
    #[error("the refinement was stopped")]
    Cancelled,
}

impl Error {
    /// The error of the image with this index, with its number if there are several.
    pub(crate) fn of_image(self, index: usize, images: usize) -> Self {
        if images == 1 {
            return self;
        }
        Self::OfImage {
            number: index + 1,
            source: Box::new(self),
        }
    }
}
