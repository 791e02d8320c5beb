use super::RECORD;
use crate::cell::CellSpec;
use crate::read::finite_number;
use crate::symmetry::{GroupDoubt, SpaceGroup, StatedGroup, SymmetryOperation};

/// The largest number of columns. It keeps a damaged header from using up the memory.
const MOST_COLUMNS: usize = 10_000;

/// A column in the header: its name, the letter of its type and the number of its data set.
pub(super) struct MtzColumn {
    pub(super) label: String,
    pub(super) kind: char,
    pub(super) data_set: u32,
}

/// The records of the header that are used.
pub(super) struct MtzHeader {
    pub(super) reflection_count: u64,
    pub(super) cell: Option<CellSpec>,
    pub(super) space_group: Option<SpaceGroup>,
    pub(super) group_doubt: Option<GroupDoubt>,
    /// That of the first data set that has one.
    pub(super) wavelength_a: Option<f64>,
    pub(super) columns: Vec<MtzColumn>,
    /// The number for a missing value, from VALM. NaN is always a missing value too.
    pub(super) missing: Option<f32>,
}

impl MtzHeader {
    /// Reads the records up to END.
    ///
    /// # Errors
    /// A message, if a record is wrong or missing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut header = Self {
            reflection_count: 0,
            cell: None,
            space_group: None,
            group_doubt: None,
            wavelength_a: None,
            columns: Vec::new(),
            missing: None,
        };
        let mut stated = StatedGroup::default();
        let mut operations = Vec::new();
        let mut announced = None;
        let mut cell_of_data_set = None;
        let mut has_end = false;
        for record in bytes.chunks(RECORD) {
            let text = String::from_utf8_lossy(record);
            let text = text.trim_end_matches(['\0', ' ']);
            let (key, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let bad = |what: &str| format!("the header record `{}` {what}", text.escape_debug());
            match key.to_ascii_uppercase().as_str() {
                "NCOL" => {
                    let mut words = rest.split_whitespace();
                    let mut count = || words.next()?.parse::<u64>().ok();
                    let columns = count().ok_or_else(|| bad("has no number of columns"))?;
                    announced = Some(columns);
                    header.reflection_count =
                        count().ok_or_else(|| bad("has no number of reflections"))?;
                }
                "CELL" => header.cell = cell(rest),
                // The first word is the number of the data set. Data sets of one crystal have one cell.
                "DCELL" if cell_of_data_set.is_none() => {
                    let numbers = rest.trim_start().split_once(char::is_whitespace);
                    cell_of_data_set = numbers.and_then(|(_, numbers)| cell(numbers));
                }
                // The base data set has 0.
                "DWAVEL" if header.wavelength_a.is_none() => {
                    let wavelength_a = rest.split_whitespace().nth(1);
                    let number = wavelength_a.and_then(|word| finite_number(word.as_bytes()));
                    header.wavelength_a = number.filter(|wavelength_a| *wavelength_a > 0.0);
                }
                "SYMINF" => stated = stated_in(rest),
                "SYMM" => {
                    let operation = SymmetryOperation::from_triplet(rest.trim());
                    operations.push(operation.map_err(|error| error.to_string())?);
                }
                "VALM" => header.missing = rest.trim().parse().ok().filter(|v: &f32| !v.is_nan()),
                "COLUMN" => {
                    let mut words = rest.split_whitespace();
                    let label = words.next().ok_or_else(|| bad("names no column"))?;
                    let kind = words.next().and_then(|word| word.chars().next());
                    if header.columns.len() == MOST_COLUMNS {
                        return Err(format!("it has more than {MOST_COLUMNS} columns"));
                    }
                    header.columns.push(MtzColumn {
                        label: label.to_owned(),
                        kind: kind.ok_or_else(|| bad("has no type of column"))?,
                        // Behind the smallest and the largest value. Old files have no data sets.
                        data_set: words.nth(2).and_then(|word| word.parse().ok()).unwrap_or(0),
                    });
                }
                "END" => {
                    has_end = true;
                    break;
                }
                _ => {}
            }
        }
        let columns = announced.ok_or("its header has no record NCOL")?;
        if !has_end {
            return Err("its header has no record END".into());
        }
        if columns != header.columns.len() as u64 {
            return Err(format!(
                "its header announces {columns} columns and names {}",
                header.columns.len()
            ));
        }
        header.cell = header.cell.or(cell_of_data_set);
        if operations.is_empty() {
            (header.space_group, header.group_doubt) = stated.find(header.cell.as_ref());
        } else {
            let group = SpaceGroup::from_operations(&operations);
            header.space_group = Some(group.map_err(|error| error.to_string())?);
        }
        Ok(header)
    }
}

/// The cell of a CELL record; `None` if it is not a cell, for example six zeros.
fn cell(text: &str) -> Option<CellSpec> {
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let is_cell = numbers.len() == 6 && numbers.iter().all(|n| *n > 0.0 && n.is_finite());
    if is_cell {
        CellSpec::from_values(&numbers).ok()
    } else {
        None
    }
}

/// What a SYMINF record states: `nsym nprim lattice number 'name' 'point group'`.
fn stated_in(text: &str) -> StatedGroup {
    let number = text
        .split_whitespace()
        .nth(3)
        .and_then(|word| word.parse().ok());
    let name = text.split('\'').nth(1).map(str::trim);
    StatedGroup {
        hall: None,
        names: name
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
        number: number.filter(|number| *number > 0),
    }
}
