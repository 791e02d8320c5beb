//! What can be wrong with coordinates, and with what is asked of them.

use std::fmt;
use std::path::PathBuf;

use nanobragg_io::input::ReadError;

/// Why there are no structure factors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A pipe or a device goes on and on.
    #[error("cannot read {}: more than {limit_bytes} bytes, and it is no file", path.display())]
    EndlessStream {
        /// Where it comes from.
        path: PathBuf,
        /// How much was read.
        limit_bytes: u64,
    },

    /// A field of a coordinate file is not what belongs there.
    #[error("{name}:{line}: found `{found}`, expected {expected}")]
    Field {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The text in that place, cut short if it is long.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },

    /// An anisotropic displacement that does not follow the atom it is for.
    #[error("{name}:{line}: an ANISOU record that does not follow the record of its atom")]
    StrayAnisou {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
    },

    /// The text of a CIF cannot be cut into words, or a loop does not come out even.
    #[error(transparent)]
    Cif(#[from] nanobragg_io::cif::Fault),

    /// A file without atoms.
    #[error(
        "{name}: no atom found, expected the ATOM records of a PDB file or the _atom_site loop of a CIF"
    )]
    NoAtoms {
        /// The file.
        name: String,
    },

    /// A file without a cell.
    #[error("{name}: no unit cell found (a cell of 1 1 1 is none); give one")]
    NoCell {
        /// The file.
        name: String,
    },

    /// A file that does not name its space group.
    #[error("{name}: no space group found; give one")]
    NoSpaceGroup {
        /// The file.
        name: String,
    },

    /// Axes of the coordinates that are not those of the cell.
    #[error("{name}: the SCALE records do not fit the cell")]
    Scale {
        /// The file.
        name: String,
    },

    /// Non-crystallographic symmetry that makes more atoms than can be kept.
    #[error("{name}: non-crystallographic symmetry makes more than {limit} atoms")]
    TooManyCopies {
        /// The file.
        name: String,
        /// How many atoms are allowed.
        limit: usize,
    },

    /// The cell or the space group cannot be.
    #[error(transparent)]
    Crystal(#[from] nanobragg_crystal::Error),

    /// A quantity lies outside its range, or is no number.
    #[error("{quantity} is {value}, expected {allowed}")]
    OutOfRange {
        /// What it is, with its unit.
        quantity: &'static str,
        /// What it was.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },

    /// The density map or the list of reflections needs more memory than allowed.
    #[error(
        "structure factors to {dmin_a} A need {:.3} GiB of memory, the limit is {:.3} GiB",
        gib(*needed_bytes),
        gib(u128::from(*limit_bytes))
    )]
    TooLarge {
        /// The resolution asked for, in A.
        dmin_a: f64,
        /// Memory needed.
        needed_bytes: u128,
        /// Memory allowed.
        limit_bytes: u64,
    },
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::System { path, source } => Self::Unreadable { path, source },
            ReadError::TooLong { path, limit_bytes } => Self::EndlessStream { path, limit_bytes },
        }
    }
}

/// Bytes in the unit that people think of memory in.
fn gib(bytes: u128) -> f64 {
    bytes as f64 / (1_u64 << 30) as f64
}

/// What is worth saying about a coordinate file, without being an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Only the first of several models is used.
    ModelsLeftOut {
        /// How many others there are.
        models: usize,
    },
    /// The symmetry of the space group wants another shape of cell.
    CellMisfit,
    /// Atoms on special positions had their occupancy divided among coinciding images.
    SharedOccupancy {
        /// How many atoms.
        atoms: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModelsLeftOut { models } => {
                write!(
                    f,
                    "only the first model is used, {models} more are left out"
                )
            }
            Self::CellMisfit => {
                f.write_str("the cell does not have the shape that the space group wants")
            }
            Self::SharedOccupancy { atoms } => write!(
                f,
                "{atoms} atoms on special positions: their occupancy is shared by the images there"
            ),
        }
    }
}
