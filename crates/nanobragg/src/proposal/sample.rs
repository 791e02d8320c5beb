//! What a file of a structure says of the sample and of the measurement.

use std::path::Path;

use nanobragg_crystal::read::structure_factors::{StructureFactors, parse};
use nanobragg_crystal::{CellSpec, SpaceGroup};
use nanobragg_structure::Error as StructureError;
use nanobragg_structure::read as coordinates;

use super::ProposalSpec;
use crate::error::Error;
use crate::exchange::bytes_of;
use crate::factors::list_of;

/// Wavelengths at which crystals are measured with X-rays. Those of electrons are shorter; a neutron's may be within.
const X_RAYS_A: std::ops::RangeInclusive<f64> = 0.2..=5.0;

/// The sample in a file of coordinates or reflections.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whether the file has atoms, not reflections.
    pub has_atoms: bool,
    /// The number of atoms or reflections in the file.
    pub count: usize,
    /// The unit cell.
    pub cell: CellSpec,
    /// The space group; P 1 for reflections without one.
    pub space_group: SpaceGroup,
    /// The resolution that the file states, or its finest reflection, in Angstrom.
    pub dmin_a: Option<f64>,
    /// The wavelength of the measurement in Angstrom, if the file states it.
    pub wavelength_a: Option<f64>,
}

impl Sample {
    /// The sample in the file of `spec`. Cell and space group of `spec` replace those of the file.
    ///
    /// # Errors
    /// Those of the readers, and [`StructureError::NoCell`] for a file without a cell.
    pub(super) fn read(spec: &ProposalSpec) -> Result<Self, Error> {
        let bytes = bytes_of(&spec.path)?;
        let sample = match coordinates::are_coordinates(&bytes) {
            true => Self::of_atoms(&bytes, spec)?,
            false => Self::of_reflections(&bytes, spec)?,
        };
        Ok(Self {
            wavelength_a: sample.wavelength_a.filter(|a| X_RAYS_A.contains(a)),
            ..sample
        })
    }

    fn of_atoms(bytes: &[u8], spec: &ProposalSpec) -> Result<Self, Error> {
        let given = coordinates::Given {
            cell: spec.cell,
            space_group: spec.space_group.clone(),
            is_strict: false,
        };
        let reading = coordinates::parse(bytes, &name(&spec.path), &given)?;
        Ok(Self {
            has_atoms: true,
            count: reading.model.atoms.len(),
            cell: *reading.model.frame.cell(),
            space_group: reading.model.space_group,
            dmin_a: reading.data.dmin_a,
            wavelength_a: reading.data.wavelength_a,
        })
    }

    fn of_reflections(bytes: &[u8], spec: &ProposalSpec) -> Result<Self, Error> {
        let name = name(&spec.path);
        let group = spec.space_group.as_deref();
        let no_cell = || StructureError::NoCell { name: name.clone() };
        let table = match parse(bytes, &name, &[])? {
            StructureFactors::Table(_, table) => *table,
            StructureFactors::Text(listed) => {
                let cell = spec.cell.ok_or_else(no_cell)?;
                let squares = listed
                    .iter()
                    .map(|listed| cell.inverse_d_squared(listed.hkl.0));
                let largest = squares.fold(0.0, f64::max);
                let group = group.unwrap_or("P 1");
                return Ok(Self {
                    has_atoms: false,
                    count: listed.len(),
                    cell,
                    space_group: SpaceGroup::from_name_for_cell(group, Some(&cell))?,
                    dmin_a: (largest > 0.0).then(|| 1.0 / largest.sqrt()),
                    wavelength_a: None,
                });
            }
        };
        let (list, ..) = list_of(&table, &[], group)?;
        let cell = spec.cell.or(table.cell).ok_or_else(no_cell)?;
        Ok(Self {
            has_atoms: false,
            count: table.indices.len(),
            cell,
            space_group: list.space_group,
            dmin_a: table.finest_a(&cell),
            wavelength_a: table.wavelength_a,
        })
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
