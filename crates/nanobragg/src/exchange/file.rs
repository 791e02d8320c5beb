//! Text files of other programs.

use std::path::Path;

use nanobragg_geometry::vector::{cross, dot, norm};
use nanobragg_io::input::{self, ReadError};

use crate::error::Error;

/// The most that is read of a file: scan-varying models of long sweeps take some megabytes.
const LARGEST: u64 = 256 << 20;

/// The largest magnitude of a number that an experiment can have.
pub(super) const MOST: f64 = 1e15;

/// The sine of the angle by which the axes of a detector may miss a right angle, as in the 1e-5 of a
/// file with five decimals.
pub(super) const LARGEST_SKEW: f64 = 1e-3;

/// How far apart the edges of a pixel may be, relative to them: less than a hundredth of a pixel
/// over the largest detectors.
pub(super) const SQUARE: f64 = 1e-6;

/// The smallest volume of a cell over the product of its edges.
const FLATTEST: f64 = 1e-6;

/// Whether three vectors span a cell with a right-handed set of edges.
pub(super) fn is_right_handed([a, b, c]: [[f64; 3]; 3]) -> bool {
    dot(a, cross(b, c)) > FLATTEST * norm(a) * norm(b) * norm(c)
}

/// The bytes of the file at `path`.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    input::bytes_up_to(path, LARGEST).map_err(|error| match error {
        ReadError::System { path, source } => Error::Unreadable { path, source },
        ReadError::TooLong { path, limit_bytes } => Error::FileTooLarge { path, limit_bytes },
    })
}

/// A piece of a file as a message shows it.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", input::quoted(text.as_bytes()))
}
