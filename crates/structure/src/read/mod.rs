//! Coordinate files: the PDB format, and CIF of macromolecules (mmCIF) or small molecules.
//!
//! Which of them a file is shows in its contents: a CIF begins with `data_`.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod cif;
mod contents;
mod mmcif;
mod pdb;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Error;
pub use contents::{Given, Reading};

/// The longest piece of a file that a message repeats, in characters.
const QUOTED: usize = 40;

/// The most that is read of something that is no file and has no length, such as a pipe.
const LONGEST_STREAM: u64 = 256 << 20;

/// Reads a coordinate file; see [`parse`].
///
/// # Errors
/// [`Error::Unreadable`] or [`Error::EndlessStream`], and those of [`parse`].
pub fn read(path: &Path, given: &Given) -> Result<Reading, Error> {
    let bytes = bytes_of(path)?;
    parse(&bytes, &path.display().to_string(), given)
}

/// The model in the contents of a coordinate file, which messages call `name`.
///
/// # Errors
/// A variant of [`Error`] that names file and line.
///
/// ```
/// use nanobragg_structure::read::{Given, parse};
///
/// let text = "\
/// CRYST1   10.000   12.000   14.000  90.00  90.00  90.00 P 1           1
/// ATOM      1  CA  ALA A   1       2.500   3.000   3.500  1.00 20.00           C
/// ";
/// let model = parse(text.as_bytes(), "one.pdb", &Given::default())?.model;
/// assert!(model.atoms[0].position.iter().all(|x| (x - 0.25).abs() < 1e-12));
/// # Ok::<(), nanobragg_structure::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str, given: &Given) -> Result<Reading, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let contents = if is_cif(bytes) {
        mmcif::parse(&String::from_utf8_lossy(bytes), name)?
    } else {
        pdb::parse(bytes, name)?
    };
    contents.into_model(name, given)
}

/// Whether the first line that is neither blank nor a comment begins with `data_`.
fn is_cif(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut lines = lines.map(<[u8]>::trim_ascii_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let start = first.and_then(|line| line.get(..5));
    start.is_some_and(|start| start.eq_ignore_ascii_case(b"data_"))
}

/// The bytes of a file, or of a pipe that ends.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_file() {
        return std::fs::read(path).map_err(unreadable);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_STREAM + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_STREAM {
        return Err(Error::EndlessStream {
            path: path.to_owned(),
            limit_bytes: LONGEST_STREAM,
        });
    }
    Ok(bytes)
}

/// A piece of a file as a message shows it.
fn quoted(text: &str) -> String {
    let beginning: String = text.chars().take(QUOTED).collect();
    let dots = if beginning.len() < text.len() {
        "..."
    } else {
        ""
    };
    format!("{}{dots}", beginning.escape_debug())
}

/// Where a field stands, for the message if it is wrong.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    line: usize,
}

impl Place<'_> {
    fn error(&self, found: &str, expected: &'static str) -> Error {
        Error::Field {
            name: self.name.to_owned(),
            line: self.line,
            found: quoted(found),
            expected,
        }
    }

    /// A finite number between limits.
    fn number(
        &self,
        found: &str,
        range: std::ops::RangeInclusive<f64>,
        expected: &'static str,
    ) -> Result<f64, Error> {
        let number = found.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| self.error(found, expected))
    }

    fn coordinate(&self, found: &str) -> Result<f64, Error> {
        self.number(found, -1e6..=1e6, "a coordinate, a number from -1e6 to 1e6")
    }

    fn occupancy(&self, found: &str) -> Result<f64, Error> {
        self.number(found, 0.0..=1.0, "an occupancy from 0 to 1")
    }

    fn b_a2(&self, found: &str) -> Result<f64, Error> {
        self.number(found, 0.0..=MOST_B_A2, "a B factor from 0 to 1000 A^2")
    }
}

/// An atom with this B spreads over 20 A; with a larger one it would cost time and scatter nothing.
const MOST_B_A2: f64 = 1000.0;

#[cfg(test)]
mod tests;
