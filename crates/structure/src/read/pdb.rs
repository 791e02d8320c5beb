//! The PDB format: records of fixed columns.
//!
//! # Source
//! Protein Data Bank Contents Guide, version 3.30.

use nalgebra::{Matrix3, Vector3};
use nanobragg_crystal::{CellSpec, StatedGroup};

use super::contents::{
    Contents, Copy, FileAtom, FileDisplacement, MISSING_B_A2, OddAtoms, Position,
};
use super::symbols::{element_of_name, element_or_oxygen};
use super::{FieldPlace, first_positive};
use crate::element::Element;
use crate::error::Error;

/// The contents of a PDB file.
pub(super) fn parse(bytes: &[u8], name: &str) -> Result<Contents, Error> {
    let mut reader = PdbReader::default();
    for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let record = Record {
            line: line.strip_suffix(b"\r").unwrap_or(line),
            place: FieldPlace { name, line: i + 1 },
        };
        reader.take(&record)?;
    }
    Ok(reader.finish())
}

/// A line of the file.
struct Record<'a> {
    line: &'a [u8],
    place: FieldPlace<'a>,
}

impl<'a> Record<'a> {
    /// The text in the columns from `first` to `last`. Columns are counted from 1.
    fn columns(&self, first: usize, last: usize) -> &'a str {
        let last = last.min(self.line.len());
        let bytes = self.line.get(first - 1..last).unwrap_or_default();
        // Bytes that are not UTF-8 become a character that is an error in every field.
        std::str::from_utf8(bytes).unwrap_or("\u{fffd}")
    }

    /// The text in these columns without blanks around it.
    fn word(&self, first: usize, last: usize) -> &'a str {
        self.columns(first, last).trim()
    }

    /// Three fields from the column `first`, each `width` columns wide.
    fn three(&self, first: usize, width: usize) -> [&'a str; 3] {
        std::array::from_fn(|i| {
            let first = first + i * width;
            self.word(first, first + width - 1)
        })
    }

    /// A row of a matrix and its shift, in a SCALE or MTRIX record.
    fn row(&self) -> Result<([f64; 3], f64), Error> {
        let expected = "a number";
        let number = |word| self.place.number(word, -1e6..=1e6, expected);
        let [x, y, z] = self.three(11, 10);
        Ok((
            [number(x)?, number(y)?, number(z)?],
            number(self.word(46, 55))?,
        ))
    }
}

/// The contents that were read so far.
#[derive(Debug, Default)]
struct PdbReader {
    contents: Contents,
    models: usize,
    /// Whether the first model has ended.
    is_ended: bool,
    /// Whether the entry has ended. A file can have several, one after the other; the first one counts.
    has_end: bool,
    /// Whether atoms follow the first model without a record MODEL.
    has_more: bool,
    scale: [Option<([f64; 3], f64)>; 3],
    copy: [Option<([f64; 3], f64)>; 3],
    /// The columns that identify the last atom. Its ANISOU record repeats them.
    last_atom: Option<Vec<u8>>,
}

impl PdbReader {
    /// Reads one record. Atoms after the first model are ignored.
    fn take(&mut self, record: &Record) -> Result<(), Error> {
        let kind = record.columns(1, 6).trim_end();
        if self.is_ended && matches!(kind, "ATOM" | "HETATM") {
            self.has_more = true;
        }
        match kind {
            _ if self.has_end => {}
            "END" if !self.contents.atoms.is_empty() => {
                (self.is_ended, self.has_end) = (true, true)
            }
            "ENDMDL" if !self.contents.atoms.is_empty() => self.is_ended = true,
            // A file with one model need not have a MODEL record, so the first model is 0 or 1.
            "ATOM" | "HETATM" if self.models <= 1 && !self.is_ended => {
                self.atom(record)?;
                self.last_atom = record.line.get(6..27).map(<[u8]>::to_vec);
            }
            "ANISOU" if self.models <= 1 && !self.is_ended => self.anisou(record)?,
            "MODEL" => self.models += 1,
            "CRYST1" => self.cryst1(record)?,
            "REMARK" => self.remark(record),
            "SCALE1" => self.scale[0] = Some(record.row()?),
            "SCALE2" => self.scale[1] = Some(record.row()?),
            "SCALE3" => self.scale[2] = Some(record.row()?),
            "MTRIX1" => self.copy = [Some(record.row()?), None, None],
            "MTRIX2" => self.copy[1] = Some(record.row()?),
            "MTRIX3" => {
                self.copy[2] = Some(record.row()?);
                self.end_of_copy(record);
            }
            _ => {}
        }
        Ok(())
    }

    /// The remarks with resolution and wavelength. Other programs write other texts there, which are no error.
    fn remark(&mut self, record: &Record) {
        let text = record.word(11, 80);
        let data = &mut self.contents.data;
        match record.word(8, 10) {
            "2" if data.dmin_a.is_none() => {
                let number = text.strip_prefix("RESOLUTION.").and_then(first_positive);
                data.dmin_a = number;
            }
            "200" if data.wavelength_a.is_none() && text.starts_with("WAVELENGTH OR RANGE") => {
                let (_, number) = text.split_once(':').unwrap_or_default();
                data.wavelength_a = first_positive(number);
            }
            _ => {}
        }
    }

    /// The record CRYST1: cell and space group.
    fn cryst1(&mut self, record: &Record) -> Result<(), Error> {
        let edge = "a cell edge above 0 and up to 1e5 A";
        let angle = "a cell angle between 0 and 180 degrees";
        let edges = record.three(7, 9);
        // A structure that is not from a crystal has no cell: its edges are blank, 0 or 1 A.
        if edges
            .iter()
            .all(|word| matches!(word.parse(), Err(_) | Ok(0.0 | 1.0)))
        {
            return Ok(());
        }
        let mut values = [0.0; 6];
        let words = edges.into_iter().chain(record.three(34, 7));
        for (i, (value, word)) in values.iter_mut().zip(words).enumerate() {
            *value = if i < 3 {
                record.place.number(word, 1e-3..=1e5, edge)?
            } else {
                record.place.number(word, 1e-3..=179.999, angle)?
            };
        }
        self.contents.cell = Some(CellSpec::from_values(&values)?);
        let space_group = record.word(56, 66);
        self.contents.group_line = record.place.line;
        self.contents.group = StatedGroup {
            names: (!space_group.is_empty())
                .then(|| space_group.to_owned())
                .into_iter()
                .collect(),
            ..StatedGroup::default()
        };
        Ok(())
    }

    /// The record ATOM or HETATM.
    fn atom(&mut self, record: &Record) -> Result<(), Error> {
        let place = record.place;
        let [x, y, z] = record.three(31, 8);
        let odd = &mut self.contents.odd;
        let (occupancy, b) = (record.word(55, 60), record.word(61, 66));
        odd.missing += usize::from(occupancy.is_empty() || b.is_empty());
        let atom = FileAtom {
            element: element(record, odd)?,
            charge: charge(record).unwrap_or_else(|| {
                odd.charges += 1;
                0
            }),
            position: Position::Orthogonal([
                place.coordinate(x)?,
                place.coordinate(y)?,
                place.coordinate(z)?,
            ]),
            site_order: None,
            occupancy: match occupancy {
                "" => 1.0,
                word => place.occupancy(word)?,
            },
            displacement: FileDisplacement::Isotropic {
                b_a2: match b {
                    "" => MISSING_B_A2,
                    word => place.b_a2(word)?,
                },
            },
        };
        self.contents.atoms.push(atom);
        Ok(())
    }

    /// The last record of a non-crystallographic operation. Column 60 is 1 if the file already lists
    /// the atoms of this copy.
    fn end_of_copy(&mut self, record: &Record) {
        let is_in_file = record.word(60, 60) == "1";
        if let ([Some(x), Some(y), Some(z)], false) = (self.copy, is_in_file) {
            let rows = [x, y, z].map(|(row, _)| Vector3::from(row).transpose());
            let copy = Copy {
                rotation: Matrix3::from_rows(&rows),
                translation_a: [x.1, y.1, z.1].into(),
            };
            if !copy.is_identity() {
                self.contents.copies.push(copy);
            }
        }
        self.copy = [None; 3];
    }

    /// The record ANISOU: U of the atom before it.
    fn anisou(&mut self, record: &Record) -> Result<(), Error> {
        let is_same = self.last_atom.as_deref() == record.line.get(6..27);
        let (true, Some(atom)) = (is_same, self.contents.atoms.last_mut()) else {
            self.contents.odd.stray_tensors += 1;
            return Ok(());
        };
        let mut u_a2 = [0.0; 6];
        for (i, value) in u_a2.iter_mut().enumerate() {
            let word = record.word(29 + 7 * i, 35 + 7 * i);
            let expected = "a component of U in 1e-4 A^2, from -120000 to 120000";
            *value = record
                .place
                .number(word, -120_000.0..=120_000.0, expected)?
                * 1e-4;
        }
        atom.displacement = FileDisplacement::Cartesian { u_a2 };
        Ok(())
    }

    /// The contents after the last record.
    fn finish(self) -> Contents {
        let mut contents = self.contents;
        if let [Some(x), Some(y), Some(z)] = self.scale {
            contents.scale = Some(([x.0, y.0, z.0], [x.1, y.1, z.1]));
        }
        // Without records MODEL it is not known how many there are.
        let counted = self.models.saturating_sub(1);
        contents.models_left_out = counted.max(usize::from(self.has_more));
        contents
    }
}

/// The element in columns 77-78. If they are blank, the element at the beginning of the atom's name.
fn element(record: &Record, odd: &mut OddAtoms) -> Result<Element, Error> {
    // Files from before 1996 have line numbers in these columns.
    let symbol = record
        .word(77, 78)
        .trim_matches(|c: char| c.is_ascii_digit());
    let (symbol, found) = if symbol.is_empty() {
        (record.word(13, 16), element_of_name(record.columns(13, 16)))
    } else {
        (symbol, Element::from_symbol(symbol))
    };
    let (element, is_known) = element_or_oxygen(found, symbol, &record.place)?;
    if !is_known {
        odd.unknown(symbol, record.place.line);
    }
    Ok(element)
}

/// The charge in columns 79-80, such as `2+`. `None` if it is not understood.
fn charge(record: &Record) -> Option<i8> {
    let (sign, digit) = match record.word(79, 80).as_bytes() {
        // Old files have other text in these columns, such as the end of a line number.
        [] | [_] | [b'0'..=b'9', b'0'..=b'9'] => return Some(0),
        [digit @ b'0'..=b'8', b'+'] | [b'+', digit @ b'0'..=b'8'] => (1, digit),
        [digit @ b'0'..=b'8', b'-'] | [b'-', digit @ b'0'..=b'8'] => (-1, digit),
        _ => return None,
    };
    Some(sign * i8::try_from(digit - b'0').unwrap_or(0))
}
