//! The errors of a response.

use thiserror::Error;

/// Why counts cannot be computed.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of a stage is outside its range.
    #[error("{field} is {value}, which must be {allowed}")]
    OutOfRange {
        /// The field of a [`ResponseSpec`](crate::ResponseSpec), such as `gain.counts_per_photon`.
        field: &'static str,
        /// The value given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// Two widths of a point spread.
    #[error("point_spread has several widths: give one of sigma_pixels, fwhm_pixels and kernel")]
    TwoPointSpreads,
    /// The pixels of a panel do not form a rectangle.
    #[error("panel {panel} has {pixels} pixels, which do not form rows of {width}")]
    Shape {
        /// The panel, counted from 0.
        panel: usize,
        /// The number of its pixels.
        pixels: usize,
        /// The number of pixels in a row.
        width: usize,
    },
    /// The caller stopped the computation.
    #[error("stopped before all pixels were counted")]
    Stopped,
}

impl Error {
    /// An error unless `is_allowed` is true and `value` is finite.
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
