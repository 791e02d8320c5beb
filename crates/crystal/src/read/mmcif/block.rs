//! Cell and symmetry in a data block.

use nanobragg_io::cif::Value;

use super::finite_number;
use crate::cell::CellSpec;
use crate::error::Error;
use crate::symmetry::{SpaceGroup, SymmetryOperation};

const CELL_TAGS: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];

/// Tags of the name or number of the space group. The first ones specify the setting best.
const GROUP_TAGS: [&str; 6] = [
    "_space_group_name_hall",
    "_symmetry_space_group_name_hall",
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_it_number",
    "_symmetry_int_tables_number",
];

/// Tags of the triplets of the operations.
const OPERATION_TAGS: [&str; 2] = [
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_operation_xyz",
];

/// Cell and symmetry of a data block.
#[derive(Debug, Default)]
pub(super) struct CellAndSymmetry {
    cell: [Option<f64>; 6],
    group_names: [Option<String>; GROUP_TAGS.len()],
    operations: Vec<String>,
}

impl CellAndSymmetry {
    /// Stores the value of a tag, if it is about cell or symmetry.
    pub(super) fn take_item(&mut self, tag: &str, value: &Value<'_>) {
        let named = CELL_TAGS.iter().position(|own| *own == tag);
        if let Some(place) = named.and_then(|place| self.cell.get_mut(place)) {
            *place = finite_number(value.certain().as_bytes());
        }
        // Some programs write a missing name in quotes, as '?', which is text in CIF.
        let is_missing = matches!(value.text, "?" | ".");
        let named = GROUP_TAGS.iter().position(|own| *own == tag);
        if let Some(place) = named.and_then(|place| self.group_names.get_mut(place))
            && !is_missing
        {
            *place = Some(value.text.to_owned());
        }
        if OPERATION_TAGS.contains(&tag) {
            self.operations.push(value.text.to_owned());
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

    /// The group of the operations. If there are none, the group of the first name or number that is
    /// known; `None` if there is no name either.
    ///
    /// # Errors
    /// [`Error::Symmetry`] if the operations or all names are wrong.
    pub(super) fn space_group(&self, name: &str) -> Result<Option<SpaceGroup>, Error> {
        if !self.operations.is_empty() {
            let operations: Result<Vec<_>, _> = self
                .operations
                .iter()
                .map(|triplet| SymmetryOperation::from_triplet(triplet))
                .collect();
            let group = operations.and_then(|operations| SpaceGroup::from_operations(&operations));
            return group.map(Some).map_err(|error| Error::Symmetry {
                name: name.to_owned(),
                source: Box::new(error),
            });
        }
        let known = self.group_names.iter().flatten().find_map(|group| {
            match self.cell() {
                Some(cell) => SpaceGroup::from_name_for_cell(group, &cell),
                None => SpaceGroup::from_name(group),
            }
            .ok()
        });
        match (known, self.group_names.iter().flatten().next()) {
            (None, Some(unknown)) => Err(Error::Symmetry {
                name: name.to_owned(),
                source: Box::new(Error::UnknownSpaceGroup {
                    found: unknown.chars().take(40).collect(),
                }),
            }),
            (known, _) => Ok(known),
        }
    }
}
