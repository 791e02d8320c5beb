//! The errors of materials.

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
}
