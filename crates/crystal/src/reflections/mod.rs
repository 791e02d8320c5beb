//! Reflections as files list them: in columns, and usually only those of the asymmetric unit.
//!
//! ```text
//! file -> ReflectionTable -(columns chosen)-> ReflectionList -(symmetry)-> ExpandedList -> FactorGrid
//! ```
//! A [`ReflectionTable`] is the contents of an MTZ or mmCIF file. A [`ReflectionList`] has only the
//! chosen columns: amplitudes, with separate F(+) and F(-) if the file has them, and phases if there
//! are any. Phases are kept for conversions between formats; images do not depend on them.

mod choice;
mod expand;
mod list;
mod merge;
mod table;

pub use choice::{ColumnChoice, FactorColumns};
pub use expand::{ExpandedList, Expansion};
pub use list::{Amplitude, ListedReflection, ReflectionList, RowCounts};
pub use merge::Merging;
pub use table::{ColumnKind, ReflectionTable, RowStatus, TableColumn, TableNote};
