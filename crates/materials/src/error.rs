//! The errors of materials.

use std::path::PathBuf;

use nanobragg_io::input::ReadError;

/// Why a material cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no material of this name.
    #[error("no material is called \"{name}\"; {}there are {}", crate::catalogue::did_you_mean(*.nearest), .names.join(", "))]
    UnknownMaterial {
        /// The name.
        name: String,
        /// The known name that is most similar, if one is.
        nearest: Option<&'static str>,
        /// All names.
        names: Vec<&'static str>,
    },
    /// The size of grains is no length, or outside its range.
    #[error("\"{found}\" is no size of grains; give 3nm to 2um, such as ice-Ih@50nm")]
    GrainSize {
        /// The text after the @.
        found: String,
    },
    /// A material without grains has a size of grains.
    #[error("{name} has no grains; only ice-Ih and ice-Ic take a size such as @50nm")]
    NoGrains {
        /// The material.
        name: &'static str,
    },
    /// The structure factors of a crystal cannot be computed.
    #[error("the structure factors of a material: {reason}")]
    Structure {
        /// The error of the structure factors.
        reason: String,
    },
    /// There are no absorption coefficients at this wavelength.
    #[error(
        "the tables of materials are for {least:.3} to {most:.1} A, found a wavelength of {found} A"
    )]
    Wavelength {
        /// The wavelength in A.
        found: f64,
        /// The shortest wavelength of the tables, in A.
        least: f64,
        /// The longest wavelength of the tables, in A.
        most: f64,
    },
    /// A profile needs more points.
    #[error("a profile needs at least two points, found {points}")]
    TooFewPoints {
        /// The number of points.
        points: usize,
    },
    /// The points of a profile are not in ascending order, or one is not a finite number.
    #[error(
        "point {point} of a profile, {stol_per_angstrom} 1/A, does not follow the one before it"
    )]
    NotAscending {
        /// The point, counted from 1.
        point: usize,
        /// Its sin(theta)/lambda.
        stol_per_angstrom: f64,
    },
    /// A table cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said, or the limit.
        reason: String,
    },
    /// A line of a table has something else than two numbers.
    #[error("{name}:{line}: {found} is no finite number; a line is sin(theta)/lambda and F")]
    NotANumber {
        /// The name of the table.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The word.
        found: String,
    },
    /// A table has fewer than two points.
    #[error("{name}: {points} points of sin(theta)/lambda and F, and a table needs at least two")]
    ShortTable {
        /// The name of the table.
        name: String,
        /// The number of points.
        points: usize,
    },
    /// A line of a table is not above the line before it.
    #[error("{name}:{line}: {value} does not follow {before}; the first column must ascend")]
    Descends {
        /// The name of the table.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The number of the first column.
        value: f64,
        /// That of the line before.
        before: f64,
    },
    /// No line of a table has an F.
    #[error("{name}: no line has an F beside its sin(theta)/lambda")]
    NoF {
        /// The name of the table.
        name: String,
    },
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::System { path, source } => Self::Unreadable {
                path,
                reason: source.to_string(),
            },
            ReadError::TooLong { path, limit_bytes } => Self::Unreadable {
                path,
                reason: format!("more than {limit_bytes} bytes"),
            },
        }
    }
}
