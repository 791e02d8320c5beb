//! The errors and warnings of coordinates and structure factors.

use std::fmt;
use std::path::PathBuf;

use nanobragg_crystal::GroupDoubt;
use nanobragg_io::input::{ReadError, counted};

use crate::element::Element;

/// Why coordinates cannot be read or structure factors cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A pipe or a device yields more bytes than the limit.
    #[error(
        "cannot read {}: more than {limit_bytes} bytes, and it is not a regular file",
        path.display()
    )]
    EndlessStream {
        /// The pipe or device.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },

    /// A file of a kind that no reader takes.
    #[error("{name}: this is {what}")]
    Foreign {
        /// The file.
        name: String,
        /// What it is, and what to do.
        what: &'static str,
    },

    /// A field of a coordinate file is wrong.
    #[error("{name}:{line}: found `{found}`, expected {expected}")]
    Field {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The text of the field, shortened if it is long.
        found: String,
        /// The expected contents.
        expected: &'static str,
    },

    /// Atoms are not as they should be, and [`Given::is_strict`](crate::read::Given) is set.
    #[error("{name}: {warning}")]
    DoubtfulAtoms {
        /// The file.
        name: String,
        /// What is wrong with the atoms.
        warning: Warning,
    },

    /// The text of a CIF is not valid, or the last row of a loop is incomplete.
    #[error(transparent)]
    Cif(#[from] nanobragg_io::cif::Fault),

    /// A file has no atoms.
    #[error(
        "{name}: no atom found, expected the ATOM records of a PDB file or the _atom_site loop of a CIF"
    )]
    NoAtoms {
        /// The file.
        name: String,
    },

    /// A file has no cell.
    #[error("{name}: no unit cell found (a cell of 1 1 1 is none); give one")]
    NoCell {
        /// The file.
        name: String,
    },

    /// A file does not give its space group.
    #[error("{name}: no space group found; give one")]
    NoSpaceGroup {
        /// The file.
        name: String,
    },

    /// The axes of the coordinates do not agree with the cell.
    #[error(
        "{name}: the SCALE records of a PDB file, or the matrix of _atom_sites in a CIF, do not fit the cell"
    )]
    Scale {
        /// The file.
        name: String,
    },

    /// Non-crystallographic symmetry generates more atoms than the limit.
    #[error("{name}: non-crystallographic symmetry makes more than {limit} atoms")]
    TooManyCopies {
        /// The file.
        name: String,
        /// The largest number of atoms.
        limit: usize,
    },

    /// The cell or the space group is impossible.
    #[error(transparent)]
    Crystal(#[from] nanobragg_crystal::Error),

    /// A quantity lies outside its range or is not a number.
    #[error("{quantity} is {value}, expected {allowed}")]
    OutOfRange {
        /// The quantity, with its unit.
        quantity: &'static str,
        /// The value given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },

    /// There is no table of the dispersion of an element.
    #[error("there is no table of f' and f'' of {element}: it has the elements from H to U")]
    NoDispersion {
        /// The element.
        element: Element,
    },

    /// An energy outside a table of f' and f''.
    #[error(
        "{element}: {energy_ev} eV is outside {name}, which reaches from {from_ev} to {to_ev} eV"
    )]
    EnergyOutside {
        /// The element.
        element: Element,
        /// The energy.
        energy_ev: f64,
        /// The table.
        name: String,
        /// Its lowest energy.
        from_ev: f64,
        /// Its highest energy.
        to_ev: f64,
    },

    /// The energies of a curve do not rise.
    #[error("{name}:{line}: the energy {energy_ev} eV is not above that of the row before")]
    EnergyDescends {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The energy.
        energy_ev: f64,
    },

    /// A curve has fewer than two rows.
    #[error("{name}: {rows} rows of energy, f' and f'', expected at least two")]
    ShortCurve {
        /// The file.
        name: String,
        /// How many rows there are.
        rows: usize,
    },

    /// The density map or the list of reflections needs more memory than the limit.
    #[error(
        "structure factors to {dmin_a} A need {:.3} GiB of memory, the limit is {:.3} GiB",
        gib(*needed_bytes),
        gib(u128::from(*limit_bytes))
    )]
    TooLarge {
        /// The resolution, in A.
        dmin_a: f64,
        /// Memory that is needed.
        needed_bytes: u128,
        /// The limit.
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

/// Bytes in GiB.
fn gib(bytes: u128) -> f64 {
    bytes as f64 / (1_u64 << 30) as f64
}

/// Something in a coordinate file that was changed or looks wrong but is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The space group of the file is doubtful.
    SpaceGroup(GroupDoubt),
    /// Atoms of an unknown element count as oxygen.
    UnknownElements {
        /// The number of these atoms.
        atoms: usize,
        /// The symbol of the first one.
        symbol: String,
        /// Its line, counted from 1.
        line: usize,
    },
    /// Occupancies below 0 or above 1 are used as they are.
    Occupancies {
        /// The number of these atoms.
        atoms: usize,
    },
    /// Negative B factors and tensors that are not positive are used as they are.
    NegativeDisplacements {
        /// The number of these atoms.
        atoms: usize,
    },
    /// Atoms without an occupancy have 1, and atoms without B have 20 A^2.
    MissingNumbers {
        /// The number of these atoms.
        atoms: usize,
    },
    /// Charges that are not understood count as 0.
    Charges {
        /// The number of these atoms.
        atoms: usize,
    },
    /// Tensors that do not follow their atom are ignored.
    StrayTensors {
        /// The number of these records.
        records: usize,
    },
    /// Only the first of several models is used.
    ModelsLeftOut {
        /// The number of the other models.
        models: usize,
    },
    /// Only the first structure in the file is used.
    StructuresLeftOut {
        /// The number of the other structures.
        structures: usize,
    },
    /// A dispersion correction is given for an element that no atom is of.
    AbsentElement {
        /// The element.
        element: Element,
    },
    /// The cell does not have the symmetry of the space group.
    CellMisfit,
    /// The occupancy of atoms on special positions was divided among their coinciding images.
    SharedOccupancy {
        /// The number of these atoms.
        atoms: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpaceGroup(doubt) => doubt.fmt(f),
            Self::UnknownElements {
                atoms,
                symbol,
                line,
            } => write!(
                f,
                "{} of unknown elements, taken for oxygen; the first is `{symbol}` in line {line}",
                counted(*atoms, "atom")
            ),
            Self::Occupancies { atoms } => write!(
                f,
                "{} with an occupancy below 0 or above 1, which is used as it is",
                counted(*atoms, "atom")
            ),
            Self::NegativeDisplacements { atoms } => write!(
                f,
                "{} with a negative B factor or tensor, which is used as it is",
                counted(*atoms, "atom")
            ),
            Self::MissingNumbers { atoms } => write!(
                f,
                "{} without occupancy or B factor: 1 and 20 A^2 are used",
                counted(*atoms, "atom")
            ),
            Self::Charges { atoms } => write!(
                f,
                "{} with a charge that is not understood: 0 is used",
                counted(*atoms, "atom")
            ),
            Self::StrayTensors { records } => write!(
                f,
                "{} not behind the record of an atom, ignored",
                counted(*records, "ANISOU record")
            ),
            Self::ModelsLeftOut { models } => {
                write!(f, "only the first model is used; {models} more left out")
            }
            Self::StructuresLeftOut { structures } => write!(
                f,
                "only the first block with atoms is used; {structures} more left out"
            ),
            Self::AbsentElement { element } => {
                write!(f, "no atom is {element}: its f' and f'' have no effect")
            }
            Self::CellMisfit => {
                f.write_str("the cell does not have the symmetry of the space group")
            }
            Self::SharedOccupancy { atoms } => write!(
                f,
                "{} on special positions: the occupancy is divided among the images there",
                counted(*atoms, "atom")
            ),
        }
    }
}
