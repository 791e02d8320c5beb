//! Space groups: what turns one part of a crystal, or of its diffraction pattern, into another.
//!
//! A [`SymmetryOperation`] is exact: whole numbers for the rotation, twenty-fourths for the
//! translation. A [`SpaceGroup`] is a complete set of them, from a table by number or name
//! or from the operations that a file lists.
//!
//! ```
//! use nanobragg_crystal::SpaceGroup;
//!
//! let group = SpaceGroup::from_name("P 21 21 21").expect("a name of the International Tables");
//! assert_eq!(group.number(), Some(19));
//! assert_eq!(group.operations().len(), 4);
//! // Along a screw axis only every second reflection is there.
//! assert!(group.is_absent([3, 0, 0]));
//! assert!(!group.is_absent([4, 0, 0]));
//! ```

mod asymmetric_unit;
mod crystal_system;
mod operation;
mod space_group;
mod table;

pub use asymmetric_unit::AsymmetricUnit;
pub use crystal_system::CrystalSystem;
pub use operation::SymmetryOperation;
pub use space_group::{Equivalent, SpaceGroup};

#[cfg(test)]
mod tests;
