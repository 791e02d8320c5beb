//! What can end a run before its image is complete.

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
        /// How many were asked for; 0 for one a core.
        threads: usize,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A sum that the kernel which parts it among reflections cannot number.
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
        /// What they need.
        bytes: usize,
    },
    /// The orientations of the crystal, with their derivatives, do not fit into memory.
    #[error("no memory for the derivatives of {orientations} orientations ({bytes} bytes)")]
    NoMemoryForOrientations {
        /// Phi steps times mosaic domains.
        orientations: usize,
        /// What they need.
        bytes: usize,
    },
    /// The derivatives by the structure factors do not fit into memory.
    #[error("no memory for the derivatives by {factors} structure factors ({bytes} bytes)")]
    NoMemoryForFactors {
        /// Points of the grid.
        factors: usize,
        /// What they need.
        bytes: usize,
    },
    /// Weights of another image.
    #[error("{weights} weights are given for an image of {pixels} pixels")]
    WeightCount {
        /// How many there are.
        weights: usize,
        /// Pixels of all panels.
        pixels: usize,
    },
}
