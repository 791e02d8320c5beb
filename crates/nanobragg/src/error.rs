//! What can be wrong with an experiment.

use thiserror::Error;

/// Why an experiment cannot be resolved or rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The detector cannot be.
    #[error(transparent)]
    Geometry(#[from] nanobragg_geometry::Error),
    /// The crystal cannot be, or a file that describes it cannot be read.
    #[error(transparent)]
    Crystal(#[from] nanobragg_crystal::Error),
    /// The sources cannot be, or their file cannot be read.
    #[error(transparent)]
    Sources(#[from] nanobragg_sources::Error),
    /// An image file cannot be read or written.
    #[error(transparent)]
    Io(#[from] nanobragg_io::Error),
    /// The image was not rendered.
    #[error(transparent)]
    Physics(#[from] nanobragg_physics::Error),
    /// There is nothing to scatter.
    #[error(
        "no structure factors: give a list of reflections, a dump of an earlier run, or a default \
         other than 0"
    )]
    NoStructureFactors,
    /// The mask does not fit the detector.
    #[error(
        "the mask has {mask_fast} x {mask_slow} pixels, the detector {pixels_fast} x {pixels_slow}"
    )]
    MaskSize {
        /// Pixels of the mask along the fast axis.
        mask_fast: usize,
        /// Pixels of the mask along the slow axis.
        mask_slow: usize,
        /// Pixels of the detector along the fast axis.
        pixels_fast: u32,
        /// Pixels of the detector along the slow axis.
        pixels_slow: u32,
    },
    /// A quantity is out of its range.
    #[error("{quantity} is {value}, which must be {allowed}")]
    OutOfRange {
        /// What it is.
        quantity: &'static str,
        /// What was given.
        value: f64,
        /// What would do.
        allowed: &'static str,
    },
    /// More terms than could ever be summed.
    #[error(
        "{terms:e} terms a pixel ({sources} sources x {phi_steps} phi steps x {domains} mosaic \
         domains x {oversample}^2 sub-pixels x {layers} layers) are more than the {limit:e} that \
         can be tabulated"
    )]
    TooManyTerms {
        /// The product.
        terms: f64,
        /// Sources.
        sources: usize,
        /// Phi steps.
        phi_steps: u32,
        /// Mosaic domains.
        domains: usize,
        /// Sub-pixels along an edge.
        oversample: u32,
        /// Layers of the sensor.
        layers: u32,
        /// The most there can be.
        limit: f64,
    },
}
