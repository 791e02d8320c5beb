//! The errors and warnings of a crystal.

use std::fmt;
use std::path::PathBuf;

use nanobragg_io::input::ReadError;

/// Why a crystal or its structure factors cannot be read or built.
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

    /// A reflection list is too long for the memory.
    #[error("{name}: no memory for the reflections from line {line} on")]
    TooManyReflections {
        /// The file.
        name: String,
        /// The first line, counted from 1, for which there was no memory.
        line: usize,
    },

    /// A line of a reflection list has too few columns.
    #[error("{name}:{line}: found {found} columns, expected at least 4: h k l F")]
    TooFewColumns {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The number of columns.
        found: usize,
    },

    /// A text that must be a number is not one, or is not finite.
    #[error("{name}:{line}: found `{found}`, expected {expected}")]
    NotANumber {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The text, shortened if it is long.
        found: String,
        /// The quantity that is expected.
        expected: &'static str,
    },

    /// A Miller index has a fractional part or does not fit in 32 bits.
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
        /// The text.
        found: String,
        /// The index that is expected.
        expected: &'static str,
    },

    /// A file has no reflection.
    #[error("{name}: no reflection found, expected lines of h k l F")]
    NoReflections {
        /// The file.
        name: String,
    },

    /// The file of an orientation matrix has fewer than nine numbers.
    #[error("{name}:{line}: the file ends after {found} numbers, expected 9")]
    ShortMatrix {
        /// The file.
        name: String,
        /// Its last line, counted from 1.
        line: usize,
        /// The number of numbers.
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
        /// The first bytes of the file.
        found: String,
    },

    /// The length of a structure-factor dump does not agree with its header.
    #[error("{name}: found {found} bytes of structure factors, its header announces {expected}")]
    DumpLength {
        /// The file.
        name: String,
        /// Bytes after the header.
        found: u64,
        /// Bytes that the index limits require.
        expected: u128,
    },

    /// A value of a structure-factor dump is not a possible amplitude.
    #[error(
        "{name}: structure factor {position} is {value:e}, expected a finite number in this \
         machine's byte order"
    )]
    DumpValue {
        /// The file.
        name: String,
        /// The position of the value, counted from 0.
        position: usize,
        /// The value.
        value: f64,
    },

    /// The box around the reflections needs more memory than the limit.
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
        /// Memory that the box needs.
        needed_bytes: u128,
        /// The limit.
        limit_bytes: u64,
    },

    /// The system has no memory for the box around the reflections.
    #[error("the system has no {:.3} GiB of memory for structure factors", gib(*needed_bytes))]
    OutOfMemory {
        /// Memory that the box needs.
        needed_bytes: u128,
    },

    /// A quantity lies outside its range or is not finite.
    #[error("{quantity} is {value}, expected {allowed}")]
    OutOfRange {
        /// The quantity, with its unit.
        quantity: &'static str,
        /// The value given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },

    /// Neither a unit cell nor an orientation matrix was given.
    #[error("no unit cell: expected cell edges and angles or an orientation matrix")]
    NoCell,

    /// A unit cell with these angles has no volume.
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

    /// No lattice has these angles: the square of the volume is negative.
    #[error(
        "no lattice has the cell angles {} {} {} degrees: each must be below the sum of the other two, and \
         all three together below 360",
        angles_deg[0], angles_deg[1], angles_deg[2]
    )]
    ImpossibleAngles {
        /// alpha, beta, gamma in degrees.
        angles_deg: [f64; 3],
    },

    /// The columns of an orientation matrix lie in one plane.
    #[error(
        "the orientation matrix has reciprocal volume {reciprocal_volume_per_a3} A^-3: \
         expected three columns that do not lie in one plane"
    )]
    SingularMatrix {
        /// `a* . b* x c*` in 1/A^3.
        reciprocal_volume_per_a3: f64,
    },

    /// A text is not a symmetry operation.
    #[error("found `{found}`, expected a symmetry operation such as x,y,z or -x+1/2,-y,z+1/2")]
    SymmetryTriplet {
        /// The text, shortened if it is long.
        found: String,
    },

    /// A text is not the operation of a twin law.
    #[error(
        "found `{found}`, expected the operation of a twin on h,k,l, such as -h,-k,l or k,h,-l, with a determinant of 1 or -1"
    )]
    TwinLaw {
        /// The text, shortened if it is long.
        found: String,
    },

    /// No space group has this name or number.
    #[error(
        "found `{found}`, expected a space group: a number from 1 to 230, or a name such as \
         P 21 21 21, C 1 2 1, R 3 :H or P 2ac 2ab"
    )]
    UnknownSpaceGroup {
        /// The name, shortened if it is long.
        found: String,
    },

    /// Symmetry operations do not generate a space group.
    #[error("the listed symmetry operations generate more operations than any space group has")]
    NoSpaceGroup,

    /// The symmetry in a file is wrong.
    #[error("{name}: {source}")]
    Symmetry {
        /// The file.
        name: String,
        /// The reason.
        source: Box<Error>,
    },

    /// A file of a kind that no reader takes.
    #[error("{name}: this is {what}")]
    Foreign {
        /// The file.
        name: String,
        /// What it is, and what to do.
        what: &'static str,
    },

    /// A line of a list of XDS cannot be used.
    #[error("{name}:{line}: {what}")]
    XdsAscii {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The reason.
        what: String,
    },

    /// A file is not an MTZ file, or is damaged.
    #[error("{name}: not a usable MTZ file: {what}")]
    Mtz {
        /// The file.
        name: String,
        /// The reason.
        what: String,
    },

    /// A file is not an mmCIF file, or is damaged.
    #[error(transparent)]
    Cif(#[from] nanobragg_io::cif::Fault),

    /// A reflection file does not have a column that the user asked for.
    #[error("{name}: has no column {column}; its columns are {present}")]
    NoColumn {
        /// The file.
        name: String,
        /// The column that the user asked for.
        column: String,
        /// The columns of the file.
        present: String,
    },

    /// The columns that the user asked for cannot be used together.
    #[error(
        "{name}: not structure factors: {columns}; expected a column of F or I, or two for \
         Friedel mates, and perhaps a phase after them"
    )]
    ColumnKind {
        /// The file.
        name: String,
        /// The columns that the user asked for.
        columns: String,
    },

    /// A reflection file has neither amplitudes nor intensities.
    #[error("{name}: has no column of structure factors or intensities among {present}")]
    NoFactorColumn {
        /// The file.
        name: String,
        /// The columns of the file.
        present: String,
    },

    /// The system has no memory for the equivalents of a reflection list.
    #[error("no memory for the equivalents of {listed} reflections")]
    TooManyEquivalents {
        /// The number of reflections in the list.
        listed: usize,
    },

    /// A format needs a unit cell, and none is known.
    #[error("{format} files need a unit cell, and none is known")]
    CellNeeded {
        /// The format.
        format: &'static str,
    },

    /// A size tensor that is not positive definite.
    #[error(
        "the size tensor with the cells {cells:?} and {tensor:?} is not positive definite: its domain has no volume"
    )]
    SingularTensor {
        /// Na, Nb, Nc.
        cells: [f64; 3],
        /// Nd, Ne, Nf.
        tensor: [f64; 3],
    },

    /// A size tensor with a parallelepiped.
    #[error("a parallelepiped has no size tensor; it needs a Gaussian, an ellipsoid or a top-hat")]
    TensorOfSquare,

    /// The number of mosaic domains exceeds the limit.
    #[error("{count} mosaic domains, expected at most {limit}")]
    TooManyDomains {
        /// The number that the user asked for.
        count: i64,
        /// The largest number.
        limit: i64,
    },

    /// One mosaic spread and three were given.
    #[error("one mosaic spread for all axes and three for a, b and c; give one of the two")]
    TwoMosaicSpreads,

    /// Three mosaic spreads are too unequal for a cell with oblique axes: about some direction there is no
    /// width.
    #[error("mosaic spreads of {spreads_deg:?} degrees are too unequal for so oblique a cell")]
    ObliqueSpreads {
        /// The spreads about a, b, c in degrees.
        spreads_deg: [f64; 3],
    },

    /// A line of a list of mosaic domains is wrong.
    #[error("{name}:{line}: {what}")]
    ListedDomain {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The reason.
        what: String,
    },

    /// A list of mosaic domains cannot be used.
    #[error("{name}: {why}")]
    ListedDomains {
        /// The file.
        name: String,
        /// The reason.
        why: &'static str,
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

/// Input that was changed or looks wrong but is not an error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// No lattice has these angles: the square of the volume is negative. As was asked for, its absolute
    /// value is used.
    ImpossibleAngles {
        /// alpha, beta, gamma in degrees.
        angles_deg: [f64; 3],
    },
    /// Edges, volume and orientation do not agree: a sine or cosine of the angles that is computed
    /// from them exceeds 1.
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
    /// The crystal is larger than the beam and was cut to its size.
    ClippedByBeam {
        /// The cell axis along which it was cut, `b` or `c`.
        axis: char,
        /// The size given, in metres.
        size_m: f64,
        /// The size of the beam, in metres.
        beam_size_m: f64,
    },
    /// A mosaic spread was given without a number of domains.
    DomainsAssumed {
        /// The number that is used.
        domains: usize,
    },
    /// A number of mosaic domains was given without a spread or with a spread of zero.
    DomainsWithoutSpread {
        /// The number given. One domain is used.
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
                    "no lattice has the cell angles {alpha} {beta} {gamma} degrees: the numbers of the C \
                     program are used"
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
                    "mosaic spread without a number of domains: using {domains}; -mosaic_domains gives another"
                )
            }
            Self::DomainsWithoutSpread { asked } => {
                write!(
                    f,
                    "{asked} mosaic domains but no mosaic spread: using one domain; -mosaic gives a spread"
                )
            }
        }
    }
}

/// The value, if it is finite.
///
/// # Errors
/// [`Error::OutOfRange`] with the quantity.
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
