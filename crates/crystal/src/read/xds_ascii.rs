//! `XDS_ASCII.HKL`, the reflection list of XDS and XSCALE.
//!
//! ```text
//! !FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE
//! !SPACE_GROUP_NUMBER=   96
//! !UNIT_CELL_CONSTANTS=    78.04    78.04    36.96  90.000  90.000  90.000
//! !ITEM_H=1                                    the column of each item
//! !END_OF_HEADER
//!      1     2     3  1.234E+02  4.500E+00     an observation a line
//! !END_OF_DATA
//! ```
//! Items are separated by blanks. An observation with a negative error does not fit its equivalents, and XDS does not
//! use it.
//!
//! # Source
//! W. Kabsch, XDS program documentation, "XDS_ASCII.HKL".

use nanobragg_io::input::{quoted, without_mark};

use super::finite_number;
use crate::cell::CellSpec;
use crate::error::Error;
use crate::reflections::{ColumnKind, ReflectionTable, RowStatus, TableColumn, TableNote};
use crate::symmetry::StatedGroup;

/// The first bytes of a file.
pub const MAGIC: &[u8] = b"!FORMAT=XDS_ASCII";

/// The items that are read, and which they are if the header does not say.
const ITEMS: [&str; 5] = ["H", "K", "L", "IOBS", "SIGMA(IOBS)"];

fn fault(name: &str, line: usize, what: String) -> Error {
    Error::XdsAscii {
        name: name.to_owned(),
        line,
        what,
    }
}

/// What the header says.
struct Header {
    is_merged: bool,
    has_friedel_pairs: bool,
    group: StatedGroup,
    cell: Option<CellSpec>,
    wavelength_a: Option<f64>,
    /// The column of each of [`ITEMS`], from 0.
    places: [usize; ITEMS.len()],
}

/// The table in the bytes of a file; `name` is for messages.
///
/// Its column is `IOBS`; `IOBS(+)` and `IOBS(-)` too if the mates of a pair were kept apart.
///
/// # Errors
/// [`Error::XdsAscii`] with the line, [`Error::NoReflections`] if there is no observation.
///
/// ```
/// # use nanobragg_crystal::read::xds_ascii;
/// let text = b"!FORMAT=XDS_ASCII MERGE=FALSE FRIEDEL'S_LAW=TRUE\n!SPACE_GROUP_NUMBER= 96\n\
///              !END_OF_HEADER\n 1 2 3 1.5E+02 2.0E+00\n!END_OF_DATA\n";
/// let table = xds_ascii::parse(text, "XDS_ASCII.HKL")?;
/// assert_eq!(table.space_group.unwrap().to_string(), "P 43 21 2");
/// assert_eq!((table.indices[0], table.values[0]), ([1, 2, 3], 150.0));
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str) -> Result<ReflectionTable, Error> {
    let mut lines = (1..).zip(without_mark(bytes).split(|byte| *byte == b'\n'));
    let header = Header::read(&mut lines, name)?;
    let is_pair = header.has_friedel_pairs;
    let column = |label: &str, kind| TableColumn {
        label: label.to_owned(),
        kind,
        data_set: 0,
    };
    let mut columns = vec![column("IOBS", ColumnKind::Intensity)];
    if is_pair {
        columns.extend(
            ["IOBS(+)", "IOBS(-)"].map(|label| column(label, ColumnKind::AnomalousIntensity)),
        );
    }
    let (space_group, doubt) = header.group.find(header.cell.as_ref());
    let mut table = ReflectionTable {
        cell: header.cell,
        space_group,
        wavelength_a: header.wavelength_a,
        notes: doubt.map(TableNote::Group).into_iter().collect(),
        // The mate of a pair is another row.
        is_unmerged: !header.is_merged || is_pair,
        ..ReflectionTable::new(name, columns)
    };
    let mut words = Vec::new();
    for (line, text) in lines {
        if text.starts_with(b"!END_OF_DATA") {
            break;
        }
        words.clear();
        words.extend(
            text.split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty()),
        );
        if words.is_empty() || text.starts_with(b"!") {
            continue;
        }
        let fault = |what: String| fault(name, line, what);
        let mut numbers = [0.0; ITEMS.len()];
        for ((number, item), place) in numbers.iter_mut().zip(ITEMS).zip(header.places) {
            let word = words.get(place).ok_or_else(|| {
                fault(format!(
                    "expected {item} in column {}, found {} columns",
                    place + 1,
                    words.len()
                ))
            })?;
            *number = finite_number(word).ok_or_else(|| {
                fault(format!("found {}, expected {item}, a number", quoted(word)))
            })?;
        }
        let [h, k, l, intensity, error] = numbers;
        let hkl = [h, k, l];
        let is_index = |index: &f64| index.fract() == 0.0 && index.abs() < f64::from(1 << 24);
        if let Some(index) = hkl.iter().find(|index| !is_index(index)) {
            return Err(fault(format!("found {index}, expected a whole index")));
        }
        table.indices.push(hkl.map(|index| index as i32));
        table.values.push(intensity);
        if is_pair {
            // Whether these are indices of F(+) or of F(-), the space group decides.
            table.values.extend([intensity, f64::NAN]);
        }
        let status = if error < 0.0 {
            RowStatus::Rejected
        } else {
            RowStatus::Used
        };
        table.statuses.push(status);
    }
    if table.indices.is_empty() {
        return Err(Error::NoReflections {
            name: name.to_owned(),
        });
    }
    Ok(table)
}

impl Header {
    /// Reads the lines as far as the end of the header.
    fn read<'t>(
        lines: &mut impl Iterator<Item = (usize, &'t [u8])>,
        name: &str,
    ) -> Result<Self, Error> {
        let mut header = Self {
            is_merged: false,
            has_friedel_pairs: false,
            group: StatedGroup::default(),
            cell: None,
            wavelength_a: None,
            places: [0, 1, 2, 3, 4],
        };
        let mut last = 1;
        let mut has_items = false;
        let mut items = [None; ITEMS.len()];
        for (line, text) in lines {
            last = line;
            let text = String::from_utf8_lossy(text);
            if text.trim().is_empty() {
                continue;
            }
            let Some(text) = text.trim().strip_prefix('!') else {
                return Err(fault(
                    name,
                    line,
                    "expected !END_OF_HEADER before the reflections".into(),
                ));
            };
            if text.starts_with("END_OF_HEADER") {
                if has_items {
                    for ((place, item), found) in header.places.iter_mut().zip(ITEMS).zip(items) {
                        *place = found.ok_or_else(|| {
                            fault(name, line, format!("the header has no ITEM_{item}="))
                        })?;
                    }
                }
                return Ok(header);
            }
            let Some((key, value)) = text.split_once('=') else {
                continue;
            };
            let bad = || {
                fault(
                    name,
                    line,
                    format!(
                        "{} is not what {key} can be",
                        quoted(value.trim().as_bytes())
                    ),
                )
            };
            if let Some(item) = key.strip_prefix("ITEM_") {
                has_items = true;
                if let Some(place) = ITEMS.iter().position(|own| *own == item) {
                    let number: usize = value.trim().parse().map_err(|_| bad())?;
                    let column = number.checked_sub(1).ok_or_else(bad)?;
                    if let Some(place) = items.get_mut(place) {
                        *place = Some(column);
                    }
                }
                continue;
            }
            match key {
                "FORMAT" => {
                    header.is_merged = text.contains("MERGE=TRUE");
                    header.has_friedel_pairs = text.contains("FRIEDEL'S_LAW=FALSE");
                }
                "SPACE_GROUP_NUMBER" => {
                    let number: u16 = value.trim().parse().map_err(|_| bad())?;
                    header.group.number = Some(number).filter(|number| *number > 0);
                }
                "UNIT_CELL_CONSTANTS" => {
                    let numbers = value
                        .split_whitespace()
                        .map(|word| finite_number(word.as_bytes()));
                    let numbers: Option<Vec<f64>> = numbers.collect();
                    let numbers = numbers.and_then(|numbers| <[f64; 6]>::try_from(numbers).ok());
                    header.cell =
                        Some(CellSpec::from_values(&numbers.ok_or_else(bad)?).map_err(|_| bad())?);
                }
                "X-RAY_WAVELENGTH" => {
                    header.wavelength_a =
                        finite_number(value.trim().as_bytes()).filter(|a| *a > 0.0);
                }
                _ => {}
            }
        }
        Err(fault(
            name,
            last,
            "the file ends before !END_OF_HEADER".into(),
        ))
    }
}
