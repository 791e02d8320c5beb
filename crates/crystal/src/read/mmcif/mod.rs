//! mmCIF reflection files, as in the Protein Data Bank: the category `_refln`.
//!
//! In a tag the category is followed by a dot or, in older files, by an underscore. Case does not
//! matter. Only the first data block with reflections is read. Cell and symmetry come from another block if it
//! has none. The values `?` and `.` are missing.

mod block;
mod write;

use std::path::Path;

use nanobragg_io::cif::{Fault, Item, Reader, Value};
use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::finite_number;
use crate::error::Error;
use crate::reflections::{ColumnKind, ReflectionTable, RowStatus, TableColumn, TableNote};
use block::CellAndSymmetry;

pub use write::to_bytes;

/// The category of reflections. Tags are compared in lower case, with an underscore for the dot.
const REFLN: &str = "_refln_";

/// The tags of the status of a reflection: of macromolecules, of small molecules, and an older one of these.
const STATUS_TAGS: [&str; 3] = [
    "_refln_status",
    "_refln_include_status",
    "_refln_observed_status",
];

/// The tags of real and imaginary part of F.
const PART_TAGS: [[&str; 2]; 2] = [
    ["_refln_a_calc", "_refln_b_calc"],
    ["_refln_a_calc_au", "_refln_b_calc_au"],
];

/// Items that tell measurements apart, and what they differ in.
const MEASUREMENTS: [(&str, &str); 2] = [
    ("_refln.wavelength_id", "wavelengths"),
    ("_refln.crystal_id", "crystals"),
];

/// Amplitudes of the model. Without them F is worked out from its parts.
const CALCULATED: [&str; 3] = ["F_calc_au", "F_calc", "pdbx_F_calc_with_solvent"];

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
    // What the blocks before say; of the last one first. Then the block with the reflections.
    let mut before = CellAndSymmetry::default();
    let mut own: Option<CellAndSymmetry> = None;
    let mut borrowed = Vec::new();
    while let Some(item) = cif.next_item()? {
        match item {
            // Cell and symmetry can come after the reflections, so the block is read to its end, and the
            // next ones if it does not have them.
            Item::Block => {
                let mut ended = std::mem::take(&mut block);
                match &mut own {
                    Some(own) => borrowed.extend(own.fill_from(&ended)),
                    None if found.is_some() => {
                        borrowed.extend(ended.fill_from(&before));
                        own = Some(ended);
                    }
                    None => {
                        ended.fill_from(&before);
                        before = ended;
                    }
                }
                if own.as_ref().is_some_and(CellAndSymmetry::is_complete) {
                    break;
                }
            }
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
    let block = match own {
        Some(mut own) => {
            borrowed.extend(own.fill_from(&block));
            own
        }
        None => {
            borrowed.extend(block.fill_from(&before));
            block
        }
    };
    let notes = borrowed
        .into_iter()
        .map(|what| TableNote::OtherBlock { what });
    table.notes.extend(notes);
    table.cell = block.cell();
    table.wavelength_a = block.wavelength_a;
    let (group, doubt) = block.space_group(name)?;
    table.space_group = group;
    table.notes.extend(doubt.map(TableNote::Group));
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
    let columns = kept.iter().map(|(_, column)| column.clone()).collect();
    let mut table = ReflectionTable::new(name, columns);
    let place_of = |tag: &str| tags.iter().position(|own| own == tag);
    let status_place = STATUS_TAGS.iter().find_map(|tag| place_of(tag));
    // F as A + iB, as in list 3 of SHELXL, becomes amplitude and phase unless the file has them.
    let parts = PART_TAGS
        .iter()
        .find_map(|[a, b]| Some([place_of(a)?, place_of(b)?]));
    let has_amplitude = |column: &TableColumn| CALCULATED.contains(&column.label.as_str());
    let parts = parts.filter(|_| !table.columns.iter().any(has_amplitude));
    if parts.is_some() {
        let kinds = [ColumnKind::Amplitude, ColumnKind::Phase];
        for (label, kind) in ["F_calc", "phase_calc"].into_iter().zip(kinds) {
            let label = label.to_owned();
            table.columns.push(TableColumn {
                label,
                kind,
                data_set: 0,
            });
        }
    }
    let mut measurements = MEASUREMENTS.map(|(item, what)| {
        let note = TableNote::Pooled { what, item };
        (place_of(&item.replace('.', "_")), None, Some(note))
    });
    while let Some(row) = cif.next_row()? {
        for (place, first, note) in &mut measurements {
            let value = place.and_then(|place| row.get(place)?.known());
            if value.is_some() && *first.get_or_insert(value) != value {
                table.notes.extend(note.take());
            }
        }
        let mut hkl = [0; 3];
        let values = index_places.iter().filter_map(|place| row.get(*place));
        for (index, value) in hkl.iter_mut().zip(values) {
            *index = value
                .text
                .parse()
                .map_err(|_| expected(value, name, "a whole index"))?;
        }
        let number = |place: usize| match row.get(place) {
            Some(value) if value.known().is_some() => {
                // `certain` leaves out the uncertainty of a value such as `12.3(4)`.
                let number: Option<f64> = value.certain().parse().ok();
                number.ok_or_else(|| expected(value, name, "a number"))
            }
            _ => Ok(f64::NAN),
        };
        for (place, _) in &kept {
            table.values.push(number(*place)?);
        }
        if let Some([a, b]) = parts {
            let (a, b) = (number(a)?, number(b)?);
            table.values.extend([a.hypot(b), b.atan2(a).to_degrees()]);
        }
        if let Some(place) = status_place {
            let status = row.get(place).map_or("", |value| value.text);
            table.statuses.push(match status {
                "x" | "X" | "-" => RowStatus::Rejected,
                "f" | "F" => RowStatus::TestSet,
                _ => RowStatus::Used,
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
    const COLUMNS: [(&str, ColumnKind); 20] = [
        ("pdbx_F_calc_with_solvent", ColumnKind::Amplitude),
        ("pdbx_phase_calc_with_solvent", ColumnKind::Phase),
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
        data_set: 0,
    })
}

#[cfg(test)]
mod tests;
