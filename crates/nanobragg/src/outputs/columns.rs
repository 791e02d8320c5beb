//! The tables in HDF5 files: a row for each image, and one for each reflection in an image.

use std::io::{Cursor, Seek, Write};

use nanobragg_io::hdf5::{Column, Compression, Group, Table, Type, Writer};
use nanobragg_physics::{ReflectionTruth, Truth};

use super::Rendered;
use super::truth_table::{ImageOrientation, TruthTable, beam_centre_px};
use crate::resolve::Resolved;

/// A number for each row.
const fn number(
    name: &'static str,
    element: Type,
    units: &'static str,
    meaning: &'static str,
) -> Column {
    Column {
        name,
        element,
        sides: &[],
        units,
        meaning,
    }
}

/// Several numbers for each row.
const fn numbers(sides: &'static [u32], column: Column) -> Column {
    Column { sides, ..column }
}

/// The table of images, `/entry/images`.
const OF_IMAGES: &[Column] = &[
    number(
        "number",
        Type::U32,
        "",
        "number of the image in the series, from 1",
    ),
    number(
        "first_row",
        Type::U64,
        "",
        "row of its first reflection in /entry/truth",
    ),
    number(
        "rows",
        Type::U64,
        "",
        "number of its reflections in /entry/truth",
    ),
    number("phi", Type::F64, "deg", "angle of the spindle at the start"),
    number("osc", Type::F64, "deg", "range of the rotation"),
    number("wavelength", Type::F64, "angstrom", "central wavelength"),
    number(
        "fluence",
        Type::F64,
        "1/m^2",
        "photons per area in the whole exposure",
    ),
    number("noise_seed", Type::I64, "", "seed of the noise"),
    number("mosaic_seed", Type::I64, "", "seed of the mosaic domains"),
    numbers(
        &[6],
        number(
            "cell",
            Type::F64,
            "",
            "a, b, c in angstrom, alpha, beta, gamma in degrees",
        ),
    ),
    numbers(
        &[3, 3],
        number(
            "reciprocal",
            Type::F64,
            "1/angstrom",
            "vectors a*, b*, c* in the laboratory at phi 0",
        ),
    ),
    numbers(
        &[4],
        number(
            "orientation",
            Type::F64,
            "",
            "quaternion w, x, y, z of U at phi 0; a* of U = 1 along x, b* in xy",
        ),
    ),
    number(
        "max_photons",
        Type::F64,
        "",
        "expected photons of the brightest pixel",
    ),
    number(
        "mean_photons",
        Type::F64,
        "",
        "expected photons of a pixel, the mean",
    ),
    number(
        "background_photons",
        Type::F64,
        "",
        "expected photons of the background; 0 without a table of reflections",
    ),
    number(
        "left_out_photons",
        Type::F64,
        "",
        "expected photons of reflections that are not in the table",
    ),
    numbers(
        &[3],
        number("cells", Type::F64, "", "cells along a, b and c"),
    ),
    number("mosaic_spread", Type::F64, "deg", "mosaic spread"),
    numbers(
        &[2],
        number(
            "beam_centre",
            Type::F64,
            "pixels",
            "where the beam meets the first panel: fast, slow from the outer edge of the first pixel",
        ),
    ),
    numbers(
        &[3],
        number(
            "beam_direction",
            Type::F64,
            "",
            "unit vector from source to sample in the laboratory",
        ),
    ),
];

/// The table of reflections, `/entry/truth`.
const OF_REFLECTIONS: [Column; 14] = [
    number(
        "image",
        Type::U32,
        "",
        "number of the image in the series, from 1",
    ),
    numbers(&[3], number("hkl", Type::I32, "", "Miller indices")),
    number("panel", Type::U32, "", "number of the panel, from 0"),
    numbers(
        &[4],
        number(
            "box",
            Type::U32,
            "pixels",
            "first column, that behind the last, first row, that behind the last",
        ),
    ),
    number(
        "fast",
        Type::F64,
        "pixels",
        "mean position of its photons, from the outer edge of the first pixel",
    ),
    number(
        "slow",
        Type::F64,
        "pixels",
        "mean position of its photons, from the outer edge of the first pixel",
    ),
    number("variance_fast", Type::F64, "pixels^2", "of the positions"),
    number("variance_slow", Type::F64, "pixels^2", "of the positions"),
    number("covariance", Type::F64, "pixels^2", "of the positions"),
    number("photons", Type::F64, "", "expected photons, before noise"),
    number(
        "peak_photons",
        Type::F64,
        "",
        "expected photons in the pixel where it has most",
    ),
    number(
        "partiality",
        Type::F64,
        "",
        "recorded fraction of the reflection, 0 to 1",
    ),
    number("d", Type::F64, "angstrom", "spacing"),
    number("f", Type::F64, "electrons", "structure factor of the list"),
];

/// The same of an experiment with several lattices.
const OF_LATTICES: [Column; OF_REFLECTIONS.len() + 1] = {
    let last = number(
        "lattice",
        Type::U32,
        "",
        "number of the lattice of the reflection, from 0",
    );
    let mut columns = [last; OF_REFLECTIONS.len() + 1];
    let (rest, _) = columns.split_at_mut(OF_REFLECTIONS.len());
    rest.copy_from_slice(&OF_REFLECTIONS);
    columns
};

/// The columns of the table of reflections. As in text, that of the lattice is left out if there is one only.
const fn of_reflections(has_lattices: bool) -> &'static [Column] {
    if has_lattices {
        &OF_LATTICES
    } else {
        &OF_REFLECTIONS
    }
}

/// Whether the table of reflections has a column of lattices.
pub(crate) fn has_lattices(resolved: &Resolved) -> bool {
    resolved.experiment.lattices.len() > 1
}

/// The row of an image. Its place among the reflections, `first_row` and `rows`, is filled in when the file is complete
/// ([`with_rows`]).
pub(crate) fn row_of_image(number: u32, rendered: &Rendered<'_>) -> Vec<u8> {
    let Rendered {
        resolved,
        image,
        truth,
        noise_seed,
        mosaic_seed,
        ..
    } = *rendered;
    let experiment = &resolved.experiment;
    let crystal = &experiment.crystal;
    let reciprocal = crystal.reciprocal().vectors();
    let mut row = number.to_le_bytes().to_vec();
    row.extend([0; 16]);
    let mut push = |values: &[f64]| row.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    push(&[
        experiment.phi.start_rad.to_degrees(),
        experiment.phi.range_rad.to_degrees(),
        resolved.decisions.central_wavelength_m * 1e10,
        experiment.fluence_per_m2,
    ]);
    row.extend(noise_seed.to_le_bytes());
    row.extend(mosaic_seed.to_le_bytes());
    let mut push = |values: &[f64]| row.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let lattice = crystal.lattice();
    push(&crystal.direct().lengths_m().map(|length_m| length_m * 1e10));
    push(&lattice.angles_rad().map(f64::to_degrees));
    push(reciprocal.as_flattened());
    push(&ImageOrientation::of(reciprocal).quaternion);
    push(&[image.statistics.max_photons.into(), image.statistics.mean]);
    push(&truth.map_or([0.0; 2], |truth| {
        [truth.background_photons, truth.left_out_photons]
    }));
    push(&crystal.size().cells());
    push(&[crystal.mosaic().spread_rad().to_degrees()]);
    push(&beam_centre_px(experiment));
    push(&experiment.beam.direction());
    row
}

/// The row of an image whose reflections are these rows.
fn with_rows(row: &[u8], first: u64, rows: u64) -> Vec<u8> {
    let mut row = row.to_vec();
    let place = [first.to_le_bytes(), rows.to_le_bytes()];
    if let Some(cells) = row.get_mut(4..20) {
        cells.copy_from_slice(place.as_flattened());
    }
    row
}

/// The rows of the reflections in an image.
pub(crate) fn rows_of_reflections(number: u32, resolved: &Resolved, truth: &Truth) -> Vec<u8> {
    let mut rows = Vec::new();
    for row in TruthTable::new(resolved, truth).rows() {
        let ReflectionTruth {
            lattice,
            hkl,
            panel,
            photons,
            fast_px,
            slow_px,
            partiality,
            variance_fast_px2,
            variance_slow_px2,
            covariance_px2,
            peak_photons,
            fast_range_px,
            slow_range_px,
        } = row.reflection;
        rows.extend(number.to_le_bytes());
        rows.extend(hkl.iter().flat_map(|index| index.to_le_bytes()));
        rows.extend((panel as u32).to_le_bytes());
        let sides = [fast_range_px, slow_range_px];
        rows.extend(sides.iter().flatten().flat_map(|side| side.to_le_bytes()));
        let values = [
            fast_px,
            slow_px,
            variance_fast_px2,
            variance_slow_px2,
            covariance_px2,
            photons,
            peak_photons,
            partiality,
            row.d_angstrom,
            row.f_electrons,
        ];
        rows.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        if has_lattices(resolved) {
            rows.extend((lattice as u32).to_le_bytes());
        }
    }
    rows
}

/// Writes a file with the tables of one image.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(
    out: &mut dyn Write,
    rendered: &Rendered<'_>,
    compression: Compression,
) -> nanobragg_io::Result<()> {
    /// The number of an image that is not one of a series.
    const NUMBER: u32 = 1;
    let reflections = rendered
        .truth
        .map(|truth| rows_of_reflections(NUMBER, rendered.resolved, truth));
    let mut file = Writer::new(Cursor::new(Vec::new()))?;
    let mut tables = Tables::new(compression, has_lattices(rendered.resolved));
    let row = row_of_image(NUMBER, rendered);
    tables.push(&row, &reflections.unwrap_or_default(), &mut file)?;
    let [images, truth] = tables.finish(&mut file)?;
    let entry = Group::of_class("NXentry")
        .with("images", images)
        .with("truth", truth);
    let root = Group::of_class("NXroot").with("entry", entry);
    Ok(out.write_all(file.close(&root)?.get_ref())?)
}

/// Both tables while they are written.
#[derive(Debug)]
pub(crate) struct Tables {
    images: Table,
    reflections: Table,
    bytes_of_reflection: usize,
    rows: u64,
}

impl Tables {
    pub(crate) fn new(compression: Compression, has_lattices: bool) -> Self {
        let of_reflections = of_reflections(has_lattices);
        Self {
            images: Table::new(OF_IMAGES, compression),
            reflections: Table::new(of_reflections, compression),
            bytes_of_reflection: bytes_of_row(of_reflections),
            rows: 0,
        }
    }

    /// Appends an image and its reflections.
    ///
    /// # Errors
    /// Errors of the writer.
    pub(crate) fn push<W: Write + Seek>(
        &mut self,
        image: &[u8],
        reflections: &[u8],
        file: &mut Writer<W>,
    ) -> nanobragg_io::Result<()> {
        let rows = reflections.len() / self.bytes_of_reflection;
        let image = with_rows(image, self.rows, rows as u64);
        self.rows += rows as u64;
        self.images.push(&image, file)?;
        self.reflections.push(reflections, file)
    }

    /// Writes the last rows; the groups of images and of reflections.
    ///
    /// # Errors
    /// Errors of the writer.
    pub(crate) fn finish<W: Write + Seek>(
        self,
        file: &mut Writer<W>,
    ) -> nanobragg_io::Result<[Group; 2]> {
        Ok([self.images.finish(file)?, self.reflections.finish(file)?])
    }
}

/// The bytes of the row of an image.
pub(crate) fn bytes_of_image() -> usize {
    bytes_of_row(OF_IMAGES)
}

fn bytes_of_row(columns: &[Column]) -> usize {
    columns.iter().map(Column::bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_bytes_of_their_columns() {
        assert_eq!(
            bytes_of_row(OF_IMAGES),
            4 + 16 + 4 * 8 + 16 + (6 + 9 + 4 + 4 + 3 + 1 + 2 + 3) * 8
        );
        assert_eq!(bytes_of_row(&OF_REFLECTIONS), 4 + 12 + 4 + 16 + 10 * 8);
        assert_eq!(
            bytes_of_row(&OF_LATTICES),
            bytes_of_row(&OF_REFLECTIONS) + 4
        );
    }
}
