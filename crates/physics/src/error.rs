//! The errors of a run.

use thiserror::Error;

/// Why an image was not rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The run was asked to stop.
    #[error("the run was stopped before the image was complete")]
    Cancelled,
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// The requested number; 0 means one per core.
        threads: usize,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The lane kernel cannot number the indices or the structure factors of this scene, so it cannot
    /// divide the sum among reflections.
    #[error(
        "indices above 1e12, or a grid of more than 2^32 structure factors: the image cannot be \
         parted among reflections"
    )]
    NoShares,
    /// The image does not fit into memory.
    #[error("no memory for an image of {pixels} pixels ({bytes} bytes)")]
    OutOfMemory {
        /// Pixels of all panels.
        pixels: usize,
        /// The memory that they need.
        bytes: usize,
    },
    /// The orientations of the crystal, with their derivatives, do not fit into memory.
    #[error("no memory for the derivatives of {orientations} orientations ({bytes} bytes)")]
    NoMemoryForOrientations {
        /// Phi steps times mosaic domains.
        orientations: usize,
        /// The memory that they need.
        bytes: usize,
    },
    /// The derivatives by the structure factors do not fit into memory.
    #[error("no memory for the derivatives by {factors} structure factors ({bytes} bytes)")]
    NoMemoryForFactors {
        /// Points of the grid.
        factors: usize,
        /// The memory that they need.
        bytes: usize,
    },
    /// The number of weights is not that of the pixels.
    #[error("{weights} weights are given for an image of {pixels} pixels")]
    WeightCount {
        /// The number of weights.
        weights: usize,
        /// Pixels of all panels.
        pixels: usize,
    },
}
