//! Tables: a dataset for each column, with the same number of rows.

use std::io::{Seek, Write};

use super::images::COLUMN_ROWS;
use super::{Compression, Dataset, Group, Images, Type, Value, Writer};
use crate::Result;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name of its dataset.
    pub name: &'static str,
    /// The type of its numbers.
    pub element: Type,
    /// The axes of a value; empty for a single number.
    pub sides: &'static [u32],
    /// Units; empty for numbers without.
    pub units: &'static str,
    /// What the numbers are.
    pub meaning: &'static str,
}

impl Column {
    /// The bytes of a value.
    pub fn bytes(&self) -> usize {
        (self.sides.iter().product::<u32>() * self.element.bytes()) as usize
    }
}

/// A table whose rows are written to a file as they come. Only the rows of the last chunk are in memory.
#[derive(Debug)]
pub struct Table {
    columns: &'static [Column],
    compression: Compression,
    row_bytes: usize,
    /// The rows that are in no chunk yet.
    waiting: Vec<u8>,
    places: Vec<Images>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &'static [Column], compression: Compression) -> Self {
        let place =
            |column: &Column| Images::column(column.element, column.sides).packed_by(compression);
        Self {
            columns,
            compression,
            row_bytes: columns.iter().map(Column::bytes).sum(),
            waiting: Vec::new(),
            places: columns.iter().map(place).collect(),
        }
    }

    /// Appends rows: the values of all columns of the first row, little-endian, then those of the next row.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn push<W: Write + Seek>(&mut self, rows: &[u8], file: &mut Writer<W>) -> Result<()> {
        self.waiting.extend(rows);
        let chunk = self.row_bytes * COLUMN_ROWS as usize;
        let mut begin = 0;
        while self.waiting.len() - begin >= chunk {
            self.flush(begin, chunk, file)?;
            begin += chunk;
        }
        self.waiting.drain(..begin);
        Ok(())
    }

    /// Writes the last rows and returns the columns as a group of datasets.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn finish<W: Write + Seek>(mut self, file: &mut Writer<W>) -> Result<Group> {
        if !self.waiting.is_empty() {
            self.flush(0, self.waiting.len(), file)?;
        }
        let mut group = Group::of_class("NXcollection");
        for (column, places) in self.columns.iter().zip(self.places) {
            let mut dataset =
                Dataset::from(places).attribute("long_name", Value::text(column.meaning));
            if !column.units.is_empty() {
                dataset = dataset.units(column.units);
            }
            group = group.with(column.name, dataset);
        }
        Ok(group)
    }

    /// Writes a chunk of each column from `bytes` of the waiting rows.
    fn flush<W: Write + Seek>(
        &mut self,
        begin: usize,
        bytes: usize,
        file: &mut Writer<W>,
    ) -> Result<()> {
        let rows = self.waiting.get(begin..begin + bytes).unwrap_or_default();
        let count = rows.len() / self.row_bytes.max(1);
        let mut at = 0;
        for (column, places) in self.columns.iter().zip(&mut self.places) {
            let width = column.bytes();
            let values = rows.chunks_exact(self.row_bytes);
            let values = values.filter_map(|row| row.get(at..at + width));
            let mut values: Vec<u8> = values.flatten().copied().collect();
            // A chunk always has its full size.
            values.resize(width * COLUMN_ROWS as usize, 0);
            let packed = (self.compression).pack(&values, column.element.bytes() as usize)?;
            let address = file.append(&packed)?;
            places.push(count as u64, address, packed.len());
            at += width;
        }
        Ok(())
    }
}
