//! Cell and symmetry in a data block.

use nanobragg_io::cif::Value;

use super::finite_number;
use crate::cell::CellSpec;
use crate::error::Error;
use crate::symmetry::{GroupDoubt, SpaceGroup, StatedGroup, SymmetryOperation};

const CELL_TAGS: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];

/// Tags of Hall symbols.
const HALL_TAGS: [&str; 2] = ["_space_group_name_hall", "_symmetry_space_group_name_hall"];

/// Tags of Hermann-Mauguin symbols. The first ones specify the setting best.
const NAME_TAGS: [&str; 3] = [
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
];

/// Tags of the number.
const NUMBER_TAGS: [&str; 2] = ["_space_group_it_number", "_symmetry_int_tables_number"];

/// Tags of the triplets of the operations.
const OPERATION_TAGS: [&str; 2] = [
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_operation_xyz",
];

/// Tags of the wavelength: of macromolecules and of small molecules.
const WAVELENGTH_TAGS: [&str; 2] = [
    "_diffrn_radiation_wavelength_wavelength",
    "_diffrn_radiation_wavelength",
];

/// Cell and symmetry of a data block.
#[derive(Debug, Default, Clone)]
pub(super) struct CellAndSymmetry {
    /// The first wavelength of the block, in Angstrom.
    pub(super) wavelength_a: Option<f64>,
    cell: [Option<f64>; 6],
    symmetry: Symmetry,
}

/// What a data block says of its symmetry.
#[derive(Debug, Default, Clone, PartialEq)]
struct Symmetry {
    stated: StatedGroup,
    operations: Vec<String>,
}

impl CellAndSymmetry {
    /// Stores the value of a tag, if it is about cell or symmetry.
    pub(super) fn take_item(&mut self, tag: &str, value: &Value<'_>) {
        let named = CELL_TAGS.iter().position(|own| *own == tag);
        if let Some(place) = named.and_then(|place| self.cell.get_mut(place)) {
            *place = finite_number(value.certain().as_bytes());
        }
        if self.wavelength_a.is_none() && WAVELENGTH_TAGS.contains(&tag) {
            let wavelength_a = finite_number(value.certain().as_bytes());
            self.wavelength_a = wavelength_a.filter(|wavelength_a| *wavelength_a > 0.0);
        }
        // Some programs write a missing name in quotes, as '?', which is text in CIF.
        if matches!(value.text.trim(), "" | "?" | ".") {
            return;
        }
        let text = || value.text.to_owned();
        let stated = &mut self.symmetry.stated;
        if HALL_TAGS.contains(&tag) {
            stated.hall = Some(text());
        } else if let Some(rank) = NAME_TAGS.iter().position(|own| *own == tag) {
            // The names stay in the order of the tags.
            let at = if rank == 0 { 0 } else { stated.names.len() };
            stated.names.insert(at, text());
        } else if NUMBER_TAGS.contains(&tag) {
            stated.number = value.text.parse().ok().filter(|number| *number > 0);
        } else if OPERATION_TAGS.contains(&tag) {
            self.symmetry.operations.push(text());
        }
    }

    fn has_cell(&self) -> bool {
        self.cell.iter().all(Option::is_some)
    }

    fn has_symmetry(&self) -> bool {
        self.symmetry != Symmetry::default()
    }

    /// Whether nothing is left to be taken from another block.
    pub(super) fn is_complete(&self) -> bool {
        self.has_cell() && self.has_symmetry()
    }

    /// Takes from another block what this one does not have. The result says what was taken.
    pub(super) fn fill_from(&mut self, other: &Self) -> Option<&'static str> {
        let takes_cell = !self.has_cell() && other.has_cell();
        let takes_symmetry = !self.has_symmetry() && other.has_symmetry();
        if takes_cell {
            self.cell = other.cell;
        }
        if takes_symmetry {
            self.symmetry = other.symmetry.clone();
        }
        match (takes_cell, takes_symmetry) {
            (true, true) => Some("the cell and the space group"),
            (true, false) => Some("the cell"),
            (false, true) => Some("the space group"),
            (false, false) => None,
        }
    }

    /// The cell, if all six numbers are given.
    pub(super) fn cell(&self) -> Option<CellSpec> {
        let mut numbers = [0.0; 6];
        for (number, given) in numbers.iter_mut().zip(self.cell) {
            *number = given.filter(|given| *given > 0.0)?;
        }
        CellSpec::from_values(&numbers).ok()
    }

    /// The group of the operations, or else the one that is stated.
    ///
    /// # Errors
    /// [`Error::Symmetry`] if the operations are wrong.
    pub(super) fn space_group(
        &self,
        name: &str,
    ) -> Result<(Option<SpaceGroup>, Option<GroupDoubt>), Error> {
        let Symmetry { stated, operations } = &self.symmetry;
        if operations.is_empty() {
            return Ok(stated.find(self.cell().as_ref()));
        }
        let operations: Result<Vec<_>, _> = operations
            .iter()
            .map(|triplet| SymmetryOperation::from_triplet(triplet))
            .collect();
        let group = operations.and_then(|operations| SpaceGroup::from_operations(&operations));
        let group = group.map_err(|error| Error::Symmetry {
            name: name.to_owned(),
            source: Box::new(error),
        })?;
        Ok((Some(group), None))
    }
}
