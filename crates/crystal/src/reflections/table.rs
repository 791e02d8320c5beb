use std::fmt;

use crate::cell::CellSpec;
use crate::symmetry::{GroupDoubt, SpaceGroup};

/// The contents of a column of a reflection file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// The amplitude F of a structure factor.
    Amplitude,
    /// The amplitude F(+) of a reflection or F(-) of its Friedel mate.
    AnomalousAmplitude,
    /// An intensity, F squared.
    Intensity,
    /// The intensity I(+) of a reflection or I(-) of its Friedel mate.
    AnomalousIntensity,
    /// A phase in degrees.
    Phase,
    /// The number of a batch or image. Merged data does not have it.
    Batch,
    /// Anything else.
    Other,
}

impl ColumnKind {
    /// Whether the column contains F or F squared.
    pub fn is_factor(self) -> bool {
        matches!(
            self,
            Self::Amplitude | Self::AnomalousAmplitude | Self::Intensity | Self::AnomalousIntensity
        )
    }
}

/// A column of a reflection file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name in the file.
    pub label: String,
    /// Its contents.
    pub kind: ColumnKind,
    /// The number of its data set in an MTZ file; 0 in other files.
    pub data_set: u32,
}

/// The contents of a reflection file: indices, and one value in each column.
#[derive(Debug, Clone, PartialEq)]
pub struct ReflectionTable {
    /// The file, for messages.
    pub name: String,
    /// The unit cell, if the file has one.
    pub cell: Option<CellSpec>,
    /// The space group, if the file has one.
    pub space_group: Option<SpaceGroup>,
    /// The wavelength of the measurement in Angstrom, if the file has one; the first of several.
    pub wavelength_a: Option<f64>,
    /// What may surprise about the file.
    pub notes: Vec<TableNote>,
    /// The columns after h, k, l.
    pub columns: Vec<TableColumn>,
    /// The indices h, k, l of each row.
    pub indices: Vec<[i32; 3]>,
    /// The values `[row][column]`. A missing value is NaN.
    pub values: Vec<f64>,
    /// The status of each row; empty if the file has none.
    pub statuses: Vec<RowStatus>,
    /// Whether the rows are single observations, not merged reflections.
    pub is_unmerged: bool,
}

/// What a file says of the use of a reflection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStatus {
    /// It was used.
    Used,
    /// It was left out of the refinement as part of the test set.
    TestSet,
    /// Its measurement is not reliable (`x`) or it should be absent (`-`).
    Rejected,
}

/// Something about the table of a file that may surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableNote {
    /// The space group is doubtful.
    Group(GroupDoubt),
    /// Part of the data comes from another data block of the CIF than the reflections.
    OtherBlock {
        /// What comes from there.
        what: &'static str,
    },
    /// Rows of several measurements are taken together.
    Pooled {
        /// What the measurements differ in, in the plural.
        what: &'static str,
        /// The item that tells them apart.
        item: &'static str,
    },
}

impl fmt::Display for TableNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(doubt) => doubt.fmt(f),
            Self::OtherBlock { what } => {
                write!(f, "{what} of the reflections comes from another data block")
            }
            Self::Pooled { what, item } => {
                write!(
                    f,
                    "reflections of several {what} ({item}) are taken together"
                )
            }
        }
    }
}

impl ReflectionTable {
    /// A table with these columns and no rows, of merged reflections, in the file `name`.
    pub fn new(name: &str, columns: Vec<TableColumn>) -> Self {
        Self {
            name: name.to_owned(),
            cell: None,
            space_group: None,
            wavelength_a: None,
            notes: Vec::new(),
            columns,
            indices: Vec::new(),
            values: Vec::new(),
            statuses: Vec::new(),
            is_unmerged: false,
        }
    }

    /// The rows: indices and values.
    pub fn rows(&self) -> impl Iterator<Item = ([i32; 3], &[f64])> {
        let width = self.columns.len().max(1);
        self.indices
            .iter()
            .copied()
            .zip(self.values.chunks_exact(width))
    }

    /// The smallest spacing of a reflection with a value, in Angstrom, in `cell`; `None` if there is no value.
    pub fn finest_a(&self, cell: &CellSpec) -> Option<f64> {
        let rows = self.rows();
        let measured = rows.filter(|(_, values)| values.iter().any(|value| !value.is_nan()));
        let squares = measured.map(|(hkl, _)| cell.inverse_d_squared(hkl));
        let largest = squares.fold(0.0, f64::max);
        (largest > 0.0).then(|| 1.0 / largest.sqrt())
    }
}
