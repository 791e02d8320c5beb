//! Space groups: the symmetry of a crystal and of its diffraction pattern.
//!
//! A [`SymmetryOperation`] is exact: its rotation has integer coefficients and its translation is
//! counted in units of 1/24 of a cell edge. A [`SpaceGroup`] is a complete set of operations. It is
//! found in a table by number or name, or generated from the operations that a file lists.
//!
//! ```
//! use nanobragg_crystal::SpaceGroup;
//!
//! let group = SpaceGroup::from_name("P 21 21 21").expect("a name of the International Tables");
//! assert_eq!(group.number(), Some(19));
//! assert_eq!(group.operations().len(), 4);
//! // Along a twofold screw axis only every second reflection is present.
//! assert!(group.is_absent([3, 0, 0]));
//! assert!(!group.is_absent([4, 0, 0]));
//! ```

mod asymmetric_unit;
mod crystal_system;
mod hall;
mod metric;
mod name;
mod operation;
mod space_group;
mod stated;
mod table;
mod twin_law;

pub use asymmetric_unit::AsymmetricUnit;
pub use crystal_system::CrystalSystem;
pub use operation::SymmetryOperation;
pub use space_group::{Equivalent, SpaceGroup};
pub use stated::{GroupDoubt, StatedGroup};
pub use twin_law::TwinLaw;

#[cfg(test)]
mod tests;
