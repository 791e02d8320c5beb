use crate::cell::CellSpec;
use crate::symmetry::SpaceGroup;

/// What a column of a reflection file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// The amplitude F of a structure factor.
    Amplitude,
    /// The amplitude of a reflection or of its Friedel mate, kept apart.
    AnomalousAmplitude,
    /// An intensity, F squared.
    Intensity,
    /// The intensity of a reflection or of its Friedel mate, kept apart.
    AnomalousIntensity,
    /// A phase in degrees.
    Phase,
    /// A number of the batch or image, which merged data does not have.
    Batch,
    /// Anything else.
    Other,
}

impl ColumnKind {
    /// Whether it is F or F squared.
    pub fn is_factor(self) -> bool {
        matches!(
            self,
            Self::Amplitude | Self::AnomalousAmplitude | Self::Intensity | Self::AnomalousIntensity
        )
    }
}

/// A column of a reflection file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the file.
    pub label: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A reflection file as it is: indices, and a value for each in every column.
#[derive(Debug, Clone, PartialEq)]
pub struct ReflectionTable {
    /// The file, for messages.
    pub name: String,
    /// The unit cell, if the file has one.
    pub cell: Option<CellSpec>,
    /// The space group, if the file has one.
    pub space_group: Option<SpaceGroup>,
    /// The columns besides h, k, l.
    pub columns: Vec<Column>,
    /// h, k, l of each row.
    pub indices: Vec<[i32; 3]>,
    /// `[row][column]`; NaN where a value is missing.
    pub values: Vec<f64>,
}

impl ReflectionTable {
    /// The values of row after row with their indices.
    pub fn rows(&self) -> impl Iterator<Item = ([i32; 3], &[f64])> {
        let width = self.columns.len().max(1);
        self.indices
            .iter()
            .copied()
            .zip(self.values.chunks_exact(width))
    }

    /// Whether rows are single observations rather than merged reflections.
    pub fn is_unmerged(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| column.kind == ColumnKind::Batch)
    }
}
