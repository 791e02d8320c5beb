//! The errors of materials.

/// Why a material cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A profile needs more points.
    #[error("a profile needs at least two points, found {points}")]
    TooFewPoints {
        /// The number of points.
        points: usize,
    },
    /// The points of a profile are not in ascending order, or one is not a finite number.
    #[error(
        "point {point} of a profile, {stol_per_angstrom} 1/A, does not follow the one before it"
    )]
    NotAscending {
        /// The point, counted from 1.
        point: usize,
        /// Its sin(theta)/lambda.
        stol_per_angstrom: f64,
    },
}
