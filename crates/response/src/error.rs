//! What can be wrong with a response.

use thiserror::Error;

/// Why counts cannot be made.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of a stage is out of its range.
    #[error("{field} is {value}, which must be {allowed}")]
    OutOfRange {
        /// Its place in a [`ResponseSpec`](crate::ResponseSpec): `gain.counts_per_photon`.
        field: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The pixels of a panel are no rectangle.
    #[error("panel {panel} has {pixels} pixels, which are no rows of {width}")]
    Shape {
        /// The panel, counted from 0.
        panel: usize,
        /// How many pixels it has.
        pixels: usize,
        /// Pixels of a row.
        width: usize,
    },
    /// The caller wanted no more.
    #[error("stopped before all pixels were counted")]
    Stopped,
}

impl Error {
    /// `Ok` if `value` is finite and `is_allowed`.
    pub(crate) fn unless(
        is_allowed: bool,
        field: &'static str,
        value: f64,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if is_allowed && value.is_finite() {
            return Ok(());
        }
        Err(Self::OutOfRange {
            field,
            value,
            allowed,
        })
    }
}
