//! The files of an image: which there are, in which format, and how they are written.
//!
//! | file | |
//! |---|---|
//! | `files` | [`OutputKind`], [`OutputFiles`]: what is written where, and what would destroy another file |
//! | `format` | [`WideFormat`]: the format that the name of a file asks for |
//! | `write` | [`OpenOutputs`]: all files complete, or none changed |
//! | `truth_table` | [`TruthTable`]: what is in the image, as CSV or JSON |
//! | `fingerprint` | [`FileEntry`]: length and SHA-256 of a file |

mod files;
mod fingerprint;
mod format;
mod truth_table;
mod write;

pub use files::{OutputFiles, OutputKind, is_device, refuse_collisions};
pub use fingerprint::{FileEntry, sha256_of};
pub use format::WideFormat;
pub use truth_table::TruthTable;
pub use write::{OpenOutputs, OutputEvent, Rendered, write_dump};
