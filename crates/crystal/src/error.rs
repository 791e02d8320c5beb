//! What can be wrong with a crystal, and what is merely worth saying about it.

use std::fmt;
use std::path::PathBuf;

use nanobragg_io::input::ReadError;

/// Why a crystal or a table of structure factors could not be made.
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

    /// A reflection list is too long for the memory there is.
    #[error("{name}: no memory for the reflections from line {line} on")]
    TooManyReflections {
        /// The file.
        name: String,
        /// The first line, counted from 1, whose reflection could not be kept.
        line: usize,
    },

    /// A line of a reflection list has too few columns.
    #[error("{name}:{line}: found {found} columns, expected at least 4: h k l F")]
    TooFewColumns {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// How many columns there are.
        found: usize,
    },

    /// Something that should be a number is not, or is not finite.
    #[error("{name}:{line}: found `{found}`, expected {expected}")]
    NotANumber {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The text in that place, cut short if it is long.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },

    /// A Miller index has a fractional part, or does not fit 32 bits.
    #[error(
        "{name}:{line}: found `{found}`, expected {expected}, a whole number between {} and {}",
        i32::MIN,
        i32::MAX
    )]
    NotAnIndex {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The text in that place.
        found: String,
        /// Which index belongs there.
        expected: &'static str,
    },

    /// A reflection list holds no reflection.
    #[error("{name}: no reflection found, expected lines of h k l F")]
    NoReflections {
        /// The file.
        name: String,
    },

    /// An orientation matrix ends too early.
    #[error("{name}:{line}: the file ends after {found} numbers, expected 9")]
    ShortMatrix {
        /// The file.
        name: String,
        /// Its last line, counted from 1.
        line: usize,
        /// How many numbers were found.
        found: usize,
    },

    /// A structure-factor dump does not begin with its six index limits.
    #[error(
        "{name}: found `{found}`, expected a dump to begin with \
         `hmin hmax kmin kmax lmin lmax`, a line feed and a form feed"
    )]
    DumpHeader {
        /// The file.
        name: String,
        /// How it begins.
        found: String,
    },

    /// A structure-factor dump is not as long as its header says.
    #[error("{name}: found {found} bytes of structure factors, its header announces {expected}")]
    DumpLength {
        /// The file.
        name: String,
        /// Bytes after the header.
        found: u64,
        /// Bytes that the index limits ask for.
        expected: u128,
    },

    /// A structure-factor dump holds a value that is no number.
    #[error(
        "{name}: structure factor {position} is {value:e}, expected a finite number in this \
         machine's byte order"
    )]
    DumpValue {
        /// The file.
        name: String,
        /// Which value it is, counted from 0.
        position: usize,
        /// The value.
        value: f64,
    },

    /// The box around the reflections needs more memory than allowed.
    #[error(
        "structure factors from {min:?} to {max:?} need {:.3} GiB of memory, the limit is {:.3} GiB",
        gib(*needed_bytes),
        gib(u128::from(*limit_bytes))
    )]
    GridTooLarge {
        /// Smallest h, k, l.
        min: [i32; 3],
        /// Largest h, k, l.
        max: [i32; 3],
        /// Memory the box takes.
        needed_bytes: u128,
        /// Memory allowed.
        limit_bytes: u64,
    },

    /// The system has no memory for the box around the reflections.
    #[error("the system has no {:.3} GiB of memory for structure factors", gib(*needed_bytes))]
    OutOfMemory {
        /// Memory the box takes.
        needed_bytes: u128,
    },

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

    /// Neither a unit cell nor an orientation matrix was given.
    #[error("no unit cell: expected cell edges and angles or an orientation matrix")]
    NoCell,

    /// The cell angles span no volume.
    #[error(
        "a unit cell with angles {alpha_deg} {beta_deg} {gamma_deg} degrees has no volume: \
         expected three angles that do not lie in one plane"
    )]
    FlatCell {
        /// Angle between b and c, in degrees.
        alpha_deg: f64,
        /// Angle between a and c, in degrees.
        beta_deg: f64,
        /// Angle between a and b, in degrees.
        gamma_deg: f64,
    },

    /// The columns of an orientation matrix span no volume.
    #[error(
        "the orientation matrix has reciprocal volume {reciprocal_volume_per_a3} A^-3: \
         expected three columns that do not lie in one plane"
    )]
    SingularMatrix {
        /// `a* . b* x c*` in 1/A^3.
        reciprocal_volume_per_a3: f64,
    },

    /// Text that should write a symmetry operation does not.
    #[error("found `{found}`, expected a symmetry operation such as x,y,z or -x+1/2,-y,z+1/2")]
    SymmetryTriplet {
        /// The text, cut short if it is long.
        found: String,
    },

    /// A name or number that belongs to no space group.
    #[error(
        "found `{found}`, expected a space group: a number from 1 to 230, or a name such as \
         P 21 21 21, C 1 2 1, R 3 :H or P 2ac 2ab"
    )]
    UnknownSpaceGroup {
        /// The name, cut short if it is long.
        found: String,
    },

    /// Symmetry operations that belong to no space group.
    #[error("the symmetry operations listed generate more than any space group has")]
    NoSpaceGroup,

    /// The symmetry of a file makes no sense.
    #[error("{name}: {source}")]
    Symmetry {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// An MTZ file that is none, or is damaged.
    #[error("{name}: not a usable MTZ file: {what}")]
    Mtz {
        /// The file.
        name: String,
        /// What is wrong with it.
        what: String,
    },

    /// An mmCIF file that is none, or is damaged.
    #[error(transparent)]
    Cif(#[from] nanobragg_io::cif::Fault),

    /// A reflection file lacks a column that was asked for.
    #[error("{name}: has no column {column}; its columns are {present}")]
    NoColumn {
        /// The file.
        name: String,
        /// The column asked for.
        column: String,
        /// The columns there are.
        present: String,
    },

    /// Columns that cannot be used as they were asked for.
    #[error(
        "{name}: not structure factors: {columns}; expected a column of F or I, or two for \
         Friedel mates, and perhaps a phase after them"
    )]
    ColumnKind {
        /// The file.
        name: String,
        /// The columns asked for.
        columns: String,
    },

    /// A reflection file has neither amplitudes nor intensities.
    #[error("{name}: has no column of structure factors or intensities among {present}")]
    NoFactorColumn {
        /// The file.
        name: String,
        /// The columns there are.
        present: String,
    },

    /// The system has no memory for the equivalents of a reflection list.
    #[error("no memory for the equivalents of {listed} reflections")]
    TooManyEquivalents {
        /// How many reflections are listed.
        listed: usize,
    },

    /// A format that cannot do without a cell.
    #[error("{format} files need a unit cell, and none is known")]
    CellNeeded {
        /// The format.
        format: &'static str,
    },

    /// More mosaic domains than can be kept.
    #[error("{count} mosaic domains, expected at most {limit}")]
    TooManyDomains {
        /// How many were asked for.
        count: i64,
        /// How many are allowed.
        limit: i64,
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

/// Something that was changed or looks wrong, without being an error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// No lattice has these angles; the volume is computed from the absolute value of its square.
    ImpossibleAngles {
        /// alpha, beta, gamma in degrees.
        angles_deg: [f64; 3],
    },
    /// Edges, volume and orientation do not fit each other: a sine or cosine of the angles
    /// worked out from them exceeds 1.
    InconsistentAngles {
        /// The three sines.
        sines: [f64; 3],
        /// The three cosines.
        cosines: [f64; 3],
    },
    /// The orientation matrix is left-handed.
    LeftHandedMatrix {
        /// The (negative) cell volume in A^3.
        volume_a3: f64,
    },
    /// The crystal is larger than the beam and was cut down to it.
    ClippedByBeam {
        /// The cell axis along which it was cut, `b` or `c`.
        axis: char,
        /// The size asked for, in metres.
        size_m: f64,
        /// The size of the beam, in metres.
        beam_size_m: f64,
    },
    /// A mosaic spread came without a number of domains.
    DomainsAssumed {
        /// The number taken.
        domains: usize,
    },
    /// A number of mosaic domains came without a spread, or with a spread of zero.
    DomainsWithoutSpread {
        /// The number asked for; one is used.
        asked: i64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImpossibleAngles {
                angles_deg: [alpha, beta, gamma],
            } => {
                write!(
                    f,
                    "no lattice has the cell angles {alpha} {beta} {gamma} degrees"
                )
            }
            Self::InconsistentAngles { sines, cosines } => write!(
                f,
                "cell edges and orientation do not fit each other: \
                 sines {sines:?} and cosines {cosines:?} of the cell angles"
            ),
            Self::LeftHandedMatrix { volume_a3 } => {
                write!(
                    f,
                    "the orientation matrix is left-handed: cell volume {volume_a3} A^3"
                )
            }
            Self::ClippedByBeam {
                axis,
                size_m,
                beam_size_m,
            } => write!(
                f,
                "crystal of {size_m} m along {axis} is larger than the beam: \
                 cut down to {beam_size_m} m"
            ),
            Self::DomainsAssumed { domains } => {
                write!(
                    f,
                    "mosaic spread without a number of domains: using {domains}"
                )
            }
            Self::DomainsWithoutSpread { asked } => {
                write!(
                    f,
                    "{asked} mosaic domains but no mosaic spread: using one domain"
                )
            }
        }
    }
}

/// Passes a finite value on, and names the quantity otherwise.
pub(crate) fn finite(quantity: &'static str, value: f64) -> Result<f64, Error> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::OutOfRange {
            quantity,
            value,
            allowed: "a finite number",
        })
    }
}
