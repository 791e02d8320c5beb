//! mmCIF reflection files, as in the Protein Data Bank: the category `_refln`.
//!
//! In a tag the category is followed by a dot or, in older files, by an underscore. Case does not
//! matter. Only the first data block with reflections is read. The values `?` and `.` are missing.

mod block;
mod write;

use std::path::Path;

use nanobragg_io::cif::{Fault, Item, Reader, Value};
use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::finite_number;
use crate::error::Error;
use crate::reflections::{ColumnKind, ReflectionTable, TableColumn};
use block::CellAndSymmetry;

pub use write::to_bytes;

/// The category of reflections. Tags are compared in lower case, with an underscore for the dot.
const REFLN: &str = "_refln_";

const INDEX_TAGS: [&str; 3] = ["_refln_index_h", "_refln_index_k", "_refln_index_l"];

/// Reads the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<ReflectionTable, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_mmcif", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// The table in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::Cif`] with the line, [`Error::NoReflections`] if there is no reflection.
///
/// ```
/// # use nanobragg_crystal::read::mmcif;
/// let text = b"data_x\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_calc\n\
///              1 0 2 35.5\n1 0 3 ?\n";
/// let table = mmcif::parse(text, "x.cif")?;
/// assert_eq!(table.columns[0].label, "F_calc");
/// assert_eq!(table.indices, [[1, 0, 2], [1, 0, 3]]);
/// assert!(table.values[1].is_nan());
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str) -> Result<ReflectionTable, Error> {
    let text = String::from_utf8_lossy(without_mark(bytes));
    let mut cif = Reader::new(&text, name);
    let mut block = CellAndSymmetry::default();
    let mut found: Option<ReflectionTable> = None;
    while let Some(item) = cif.next_item()? {
        match item {
            // Cell and symmetry can come after the reflections, so the block is read to its end.
            Item::Block if found.is_some() => break,
            Item::Block => block = CellAndSymmetry::default(),
            Item::Pair(tag, value) => block.take_item(&tag, &value),
            Item::Loop(tags) if found.is_none() && tags.iter().any(|tag| tag == INDEX_TAGS[0]) => {
                found = Some(reflections(&tags, &mut cif, name)?);
            }
            Item::Loop(tags) => {
                while let Some(row) = cif.next_row()? {
                    for (tag, value) in tags.iter().zip(row) {
                        block.take_item(tag, value);
                    }
                }
            }
        }
    }
    let mut table = found.ok_or_else(|| Error::NoReflections {
        name: name.to_owned(),
    })?;
    table.cell = block.cell();
    table.space_group = block.space_group(name)?;
    Ok(table)
}

/// The reflections of a loop.
fn reflections(
    tags: &[String],
    cif: &mut Reader<'_>,
    name: &str,
) -> Result<ReflectionTable, Error> {
    let mut index_places = [0; 3];
    for (place, tag) in index_places.iter_mut().zip(INDEX_TAGS) {
        let found = tags.iter().position(|own| own == tag);
        *place = found.ok_or_else(|| cif.fault(format!("the loop has no {tag}")))?;
    }
    let kept: Vec<(usize, TableColumn)> = tags
        .iter()
        .enumerate()
        .filter_map(|(place, tag)| Some((place, column(tag)?)))
        .collect();
    let mut table = ReflectionTable {
        name: name.to_owned(),
        cell: None,
        space_group: None,
        columns: kept.iter().map(|(_, column)| column.clone()).collect(),
        indices: Vec::new(),
        values: Vec::new(),
    };
    while let Some(row) = cif.next_row()? {
        let mut hkl = [0; 3];
        let values = index_places.iter().filter_map(|place| row.get(*place));
        for (index, value) in hkl.iter_mut().zip(values) {
            *index = value
                .text
                .parse()
                .map_err(|_| expected(value, name, "a whole index"))?;
        }
        for value in kept.iter().filter_map(|(place, _)| row.get(*place)) {
            table.values.push(match value.known() {
                None => f64::NAN,
                // `certain` leaves out the uncertainty of a value such as `12.3(4)`.
                Some(_) => finite_number(value.certain().as_bytes())
                    .ok_or_else(|| expected(value, name, "a number"))?,
            });
        }
        table.indices.push(hkl);
    }
    Ok(table)
}

/// The error of a value that is not `what`.
fn expected(value: &Value<'_>, name: &str, what: &str) -> Fault {
    Fault {
        name: name.to_owned(),
        line: value.line,
        what: format!("found `{}`, expected {what}", quoted(value.text.as_bytes())),
    }
}

/// The column of a tag; `None` if it contains neither F, F squared nor a phase.
fn column(tag: &str) -> Option<TableColumn> {
    const COLUMNS: [(&str, ColumnKind); 18] = [
        ("F_meas_au", ColumnKind::Amplitude),
        ("F_meas", ColumnKind::Amplitude),
        ("F_calc_au", ColumnKind::Amplitude),
        ("F_calc", ColumnKind::Amplitude),
        ("pdbx_FWT", ColumnKind::Amplitude),
        ("pdbx_DELFWT", ColumnKind::Amplitude),
        ("pdbx_F_plus", ColumnKind::AnomalousAmplitude),
        ("pdbx_F_minus", ColumnKind::AnomalousAmplitude),
        ("intensity_meas", ColumnKind::Intensity),
        ("intensity_calc", ColumnKind::Intensity),
        ("F_squared_meas", ColumnKind::Intensity),
        ("F_squared_calc", ColumnKind::Intensity),
        ("pdbx_I_plus", ColumnKind::AnomalousIntensity),
        ("pdbx_I_minus", ColumnKind::AnomalousIntensity),
        ("phase_calc", ColumnKind::Phase),
        ("phase_meas", ColumnKind::Phase),
        ("pdbx_PHWT", ColumnKind::Phase),
        ("pdbx_DELPHWT", ColumnKind::Phase),
    ];
    let own = tag.strip_prefix(REFLN)?;
    let (label, kind) = COLUMNS
        .into_iter()
        .find(|(label, _)| label.eq_ignore_ascii_case(own))?;
    Some(TableColumn {
        label: label.to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests;
