//! Coordinate files: the PDB format, and CIF of macromolecules (mmCIF) or small molecules.
//!
//! The format is recognised by the contents: a CIF begins with `data_`.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod contents;
mod mmcif;
mod pdb;
mod symbols;

use std::path::Path;

use nanobragg_io::cif::{Item, Reader, is_cif};
use nanobragg_io::input::{bytes_of, foreign, quoted, without_mark};

use crate::error::Error;
pub use contents::{DataStated, Given, Reading};

/// What an MTZ file is where atoms are expected.
const MTZ: &str = "an MTZ file with structure factors; -hkl reads it";

/// Reads a coordinate file; see [`parse`].
///
/// # Errors
/// [`Error::Unreadable`] or [`Error::EndlessStream`], and those of [`parse`].
pub fn read(path: &Path, given: &Given) -> Result<Reading, Error> {
    let bytes = bytes_of(path)?;
    parse(&bytes, &path.display().to_string(), given)
}

/// The model in the contents of a coordinate file. `name` is the name of the file in messages.
///
/// # Errors
/// A variant of [`Error`] with the file and, for a wrong field, the line.
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
    if let Some(what) = foreign(bytes).or(bytes.starts_with(b"MTZ ").then_some(MTZ)) {
        let name = name.to_owned();
        return Err(Error::Foreign { name, what });
    }
    let bytes = without_mark(bytes);
    let contents = if is_cif(bytes) {
        mmcif::parse(&String::from_utf8_lossy(bytes), name)?
    } else {
        pdb::parse(bytes, name)?
    };
    contents.into_model(name, given)
}

/// Whether a file contains coordinates. A CIF does if it lists atoms before any reflection; another
/// file does if it has a record of the PDB format for a cell or an atom.
pub fn are_coordinates(bytes: &[u8]) -> bool {
    let bytes = without_mark(bytes);
    if !is_cif(bytes) {
        const RECORDS: [&[u8]; 3] = [b"CRYST1", b"ATOM  ", b"HETATM"];
        let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        return lines.any(|line| RECORDS.iter().any(|record| line.starts_with(record)));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut cif = Reader::new(&text, "");
    while let Ok(Some(item)) = cif.next_item() {
        let tags = match item {
            Item::Block => continue,
            Item::Pair(tag, _) => vec![tag],
            Item::Loop(tags) => tags,
        };
        // A CIF of a small molecule can have both. The first of the two decides.
        let found = tags.iter().find_map(|tag| {
            let lists_atoms = tag.starts_with("_atom_site_");
            (lists_atoms || tag.starts_with("_refln_")).then_some(lists_atoms)
        });
        if let Some(lists_atoms) = found {
            return lists_atoms;
        }
    }
    false
}

/// The first positive number in a text such as `0.9794, 0.9796`.
fn first_positive(text: &str) -> Option<f64> {
    let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    let number = words.find(|word| !word.is_empty())?.parse().ok()?;
    Some(number).filter(|number: &f64| *number > 0.0 && number.is_finite())
}

/// The position of a field, for messages.
#[derive(Debug, Clone, Copy)]
struct FieldPlace<'a> {
    name: &'a str,
    line: usize,
}

impl FieldPlace<'_> {
    /// The error of a wrong field.
    fn error(&self, found: &str, expected: &'static str) -> Error {
        Error::Field {
            name: self.name.to_owned(),
            line: self.line,
            found: quoted(found.as_bytes()),
            expected,
        }
    }

    /// The number in a field, if it is in the range.
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

    /// The occupancy, which should be from 0 to 1, but is not in every file.
    fn occupancy(&self, found: &str) -> Result<f64, Error> {
        self.number(found, -10.0..=10.0, "an occupancy from -10 to 10")
    }

    /// The B factor. Some programs refine a negative one.
    fn b_a2(&self, found: &str) -> Result<f64, Error> {
        self.number(
            found,
            LEAST_B_A2..=MOST_B_A2,
            "a B factor from -100 to 1000 A^2",
        )
    }
}

/// The largest B. An atom with it extends over 20 A; one with a larger B would need much time and
/// scatter next to nothing.
const MOST_B_A2: f64 = 1000.0;

/// The smallest B.
const LEAST_B_A2: f64 = -100.0;

#[cfg(test)]
mod tests;
