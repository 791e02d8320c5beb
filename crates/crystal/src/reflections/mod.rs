//! Reflections as files list them: for an asymmetric part, in columns, with symmetry to be applied.
//!
//! ```text
//! file -> ReflectionTable -(columns chosen)-> ReflectionList -(symmetry)-> ExpandedList -> FactorGrid
//! ```
//! A [`ReflectionTable`] is what MTZ and mmCIF files hold, a [`ReflectionList`] what is left of it once
//! columns are chosen: amplitudes, F(+) and F(-) kept apart, and phases if there are any. Phases are
//! carried along for conversion; no image depends on them.

mod choice;
mod expand;
mod list;
mod merge;
mod table;

pub use choice::{ColumnChoice, Quantity};
pub use expand::{ExpandedList, Expansion};
pub use list::{Amplitude, ListedReflection, ReflectionList};
pub use merge::Merging;
pub use table::{Column, ColumnKind, ReflectionTable};
