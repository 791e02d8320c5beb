//! Text files of other programs.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use nanobragg_geometry::vector::{cross, dot, norm};

use crate::error::Error;

/// The most that is read of a file: scan-varying models of long sweeps take some megabytes.
const LARGEST: u64 = 256 << 20;

/// The longest piece of a file that a message repeats, in characters.
const QUOTED: usize = 40;

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
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::FileTooLarge {
            path: path.to_owned(),
            limit_bytes: LARGEST,
        });
    }
    Ok(bytes)
}

/// A piece of a file as a message shows it.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(QUOTED).collect();
    let dots = if shown.len() < text.len() { "..." } else { "" };
    format!("`{}{dots}`", shown.escape_debug())
}
