//! The files of an image: paths, formats and writing.
//!
//! | file | content |
//! |---|---|
//! | `columns` | the columns of the tables in HDF5 files |
//! | `files` | [`OutputKind`], [`OutputFiles`]: paths of outputs, checks against overwriting |
//! | `format` | [`WideFormat`]: the format for the extension of a file |
//! | `write` | [`OpenOutputs`]: writes all files completely, or changes none |
//! | `panel_files` | the content of a file, of one panel or of all |
//! | `picture` | one picture of all panels in place of a file for each |
//! | `labels` | which reflection each pixel belongs to |
//! | `truth_table` | [`TruthTable`]: the reflections in the image, as CSV or JSON |
//! | `fingerprint` | [`FileEntry`]: length and SHA-256 of a file |

pub(crate) mod columns;
mod files;
mod fingerprint;
mod format;
pub(crate) mod labels;
mod panel_files;
mod picture;
mod truth_table;
mod write;

pub(crate) use files::of_panel;
pub use files::{OutputFiles, OutputKind, SmvHeader, is_device, refuse_collisions};
pub use fingerprint::{FileEntry, sha256_of};
pub use format::WideFormat;
pub use truth_table::{ImageOrientation, TruthRow, TruthTable};
pub use write::{OpenOutputs, OutputEvent, Rendered, write_dump};
