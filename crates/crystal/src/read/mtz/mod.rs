//! MTZ, the binary reflection file of CCP4.
//!
//! ```text
//! "MTZ ", position of the header, machine stamp, zeros up to byte 80
//! f32 f32 f32 ...              a row of all columns for each reflection, h k l usually first
//! 80-character records         VERS, NCOL, CELL, SYMINF, SYMM, VALM, COLUMN, ..., END
//! ```
//! The machine stamp gives the byte order. A value is missing if it is NaN or the number of VALM.
//! Batch headers and history after END are skipped.

mod header;
mod write;

use std::path::Path;

use nanobragg_io::input::bytes_of;

use crate::error::Error;
use crate::reflections::{ColumnKind, ReflectionTable, TableColumn, TableNote};
use header::{MtzColumn, MtzHeader};

pub use write::to_bytes;

/// The first bytes of a file.
pub const MAGIC: &[u8] = b"MTZ ";

/// The byte at which the numbers begin.
const DATA: usize = 80;

/// Bytes of a number. Positions are counted in words of this length.
const WORD: usize = 4;

/// Bytes of a header record.
const RECORD: usize = 80;

/// 2^24. Larger integers are not exact in 32-bit floating point.
const LARGEST_INDEX: f32 = 16_777_216.0;

/// Reads the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<ReflectionTable, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_mtz", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// The order of bytes in a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The byte order of a machine stamp. Its first four bits are 1 for big and 4 for little endian.
    fn from_stamp(stamp: [u8; WORD]) -> Option<Self> {
        match stamp[0] >> 4 {
            1 => Some(Self::Big),
            4 => Some(Self::Little),
            // Some old programs wrote no stamp. Their files have the byte order of the machine, which
            // was nearly always little endian.
            0 => Some(Self::Little),
            _ => None,
        }
    }

    fn f32(self, bytes: [u8; WORD]) -> f32 {
        match self {
            Self::Little => f32::from_le_bytes(bytes),
            Self::Big => f32::from_be_bytes(bytes),
        }
    }

    fn i32(self, bytes: [u8; WORD]) -> i32 {
        match self {
            Self::Little => i32::from_le_bytes(bytes),
            Self::Big => i32::from_be_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }
}

/// The table in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::Mtz`] with the reason, [`Error::NoReflections`] for a table without rows.
pub fn parse(bytes: &[u8], name: &str) -> Result<ReflectionTable, Error> {
    let fault = |what: String| Error::Mtz {
        name: name.to_owned(),
        what,
    };
    if !bytes.starts_with(MAGIC) {
        return Err(fault("it does not begin with `MTZ `".into()));
    }
    let word = |at: usize| bytes.get(at..)?.first_chunk::<WORD>().copied();
    let truncated = || fault("it ends within its first 80 bytes".into());
    let stamp = word(8).ok_or_else(truncated)?;
    let order = ByteOrder::from_stamp(stamp)
        .ok_or_else(|| fault(format!("its machine stamp is {stamp:02x?}")))?;
    let position = match order.i32(word(4).ok_or_else(truncated)?) {
        // The position does not fit in 32 bits and is stored after the stamp in 64 bits.
        -1 => {
            let long = bytes.get(12..).and_then(|rest| rest.first_chunk());
            order.i64(*long.ok_or_else(truncated)?)
        }
        short => i64::from(short),
    };
    // Positions are counted in words from 1.
    let header_at = usize::try_from(position - 1)
        .ok()
        .and_then(|words| words.checked_mul(WORD))
        .filter(|at| (DATA..=bytes.len()).contains(at))
        .ok_or_else(|| {
            fault(format!(
                "its header should begin at word {position} and the file has {}",
                bytes.len() / WORD
            ))
        })?;
    let (before, records) = bytes.split_at_checked(header_at).ok_or_else(truncated)?;
    let header = MtzHeader::parse(records).map_err(fault)?;

    let data = before.get(DATA..).unwrap_or_default();
    let width = header.columns.len();
    let expected = (width as u128) * u128::from(header.reflection_count) * WORD as u128;
    if (data.len() as u128) < expected || width < 3 {
        return Err(fault(format!(
            "it has {} bytes of numbers, its header announces {} reflections in {width} columns, \
             that is {expected}",
            data.len(),
            header.reflection_count
        )));
    }
    if header.reflection_count == 0 {
        return Err(Error::NoReflections {
            name: name.to_owned(),
        });
    }
    let index_places = index_places(&header.columns)
        .ok_or_else(|| fault("it has no three columns of indices h, k, l".into()))?;
    let is_value = |place: usize| !index_places.contains(&place);
    let columns: Vec<TableColumn> = header
        .columns
        .iter()
        .enumerate()
        .filter(|(place, _)| is_value(*place))
        .map(|(_, column)| column)
        .map(|column| TableColumn {
            label: column.label.clone(),
            kind: kind(column.kind),
            data_set: column.data_set,
        })
        .collect();

    // The file is in memory and its length agrees with the header, so the count fits.
    let rows = header.reflection_count as usize;
    let mut table = ReflectionTable {
        cell: header.cell,
        space_group: header.space_group,
        wavelength_a: header.wavelength_a,
        notes: header
            .group_doubt
            .map(TableNote::Group)
            .into_iter()
            .collect(),
        is_unmerged: columns
            .iter()
            .any(|column| column.kind == ColumnKind::Batch),
        ..ReflectionTable::new(name, columns)
    };
    let out_of_memory = |_| fault(format!("there is no memory for its {rows} reflections"));
    table
        .indices
        .try_reserve_exact(rows)
        .map_err(out_of_memory)?;
    let count = rows * (width - 3);
    table
        .values
        .try_reserve_exact(count)
        .map_err(out_of_memory)?;
    for (i, row) in data.chunks_exact(width * WORD).take(rows).enumerate() {
        let (words, _) = row.as_chunks::<WORD>();
        let numbers = words.iter().map(|word| order.f32(*word)).enumerate();
        let mut hkl = [0; 3];
        for (index, place) in hkl.iter_mut().zip(index_places) {
            let number = words.get(place).map_or(f32::NAN, |word| order.f32(*word));
            if number.fract() != 0.0 || number.abs() > LARGEST_INDEX || number.is_nan() {
                return Err(fault(format!(
                    "reflection {} has {number} for an index, expected a whole number",
                    i + 1
                )));
            }
            *index = number as i32;
        }
        table.indices.push(hkl);
        let values = numbers.filter(|(place, _)| is_value(*place));
        table.values.extend(values.map(|(_, number)| {
            if header.missing == Some(number) || !number.is_finite() {
                f64::NAN
            } else {
                f64::from(number)
            }
        }));
    }
    Ok(table)
}

/// The places of h, k and l: the columns of indices with these names, or else the first three columns of
/// indices.
fn index_places(columns: &[MtzColumn]) -> Option<[usize; 3]> {
    let places: Vec<usize> = (columns.iter().enumerate())
        .filter(|(_, column)| column.kind == 'H')
        .map(|(place, _)| place)
        .collect();
    let named = ["H", "K", "L"].map(|name| {
        let is_named = |place: &&usize| {
            let column = columns.get(**place);
            column.is_some_and(|column| column.label.eq_ignore_ascii_case(name))
        };
        places.iter().find(is_named).copied()
    });
    match (named, places.as_slice()) {
        ([Some(h), Some(k), Some(l)], _) => Some([h, k, l]),
        (_, &[h, k, l, ..]) => Some([h, k, l]),
        _ => None,
    }
}

/// The kind of a column from its letter.
fn kind(letter: char) -> ColumnKind {
    match letter {
        'F' => ColumnKind::Amplitude,
        'G' => ColumnKind::AnomalousAmplitude,
        'J' => ColumnKind::Intensity,
        'K' => ColumnKind::AnomalousIntensity,
        'P' => ColumnKind::Phase,
        'B' => ColumnKind::Batch,
        _ => ColumnKind::Other,
    }
}

#[cfg(test)]
mod tests;
