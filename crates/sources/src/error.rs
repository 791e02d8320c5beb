//! What can be wrong with a description of the beam.

use std::fmt;
use std::path::PathBuf;

use nanobragg_io::input::ReadError;

use crate::grid::MAX_SOURCES;
use crate::steps::MAX_STEPS;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong with a description of the beam.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A range or a step is NaN or infinite.
    #[error("{quantity}: {value} is no range or step; expected a finite number")]
    StepNotFinite {
        /// What was to be divided into steps.
        quantity: Quantity,
        /// The value found.
        value: f64,
    },

    /// A range would be divided into more steps than any run can take.
    #[error("{quantity}: {count} steps; at most {MAX_STEPS} are possible")]
    TooManySteps {
        /// What was to be divided into steps.
        quantity: Quantity,
        /// The number of steps asked for.
        count: f64,
    },

    /// The grid of directions and wavelengths has more points than any run can take.
    #[error("divergence and dispersion make {count} sources; at most {MAX_SOURCES} are possible")]
    TooManySources {
        /// The number of grid points, before the outline trims any.
        count: u128,
    },

    /// The round outline leaves no direction of the grid.
    #[error(
        "the round outline removes all {horizontal} x {vertical} directions of the divergence \
         grid; use a square outline or more steps"
    )]
    EverySourceTrimmed {
        /// Horizontal steps of the grid.
        horizontal: u32,
        /// Vertical steps of the grid.
        vertical: u32,
    },

    /// The beam has no direction.
    #[error("the beam direction {direction:?} has no usable length")]
    NoBeamDirection {
        /// The vector found.
        direction: [f64; 3],
    },

    /// A wavelength of the band is zero, negative or not finite.
    #[error(
        "a dispersion of {dispersion} about {central_wavelength_m:e} m reaches the wavelength \
         {wavelength_m:e} m; expected a number above 0"
    )]
    BandWavelength {
        /// The wavelength reached.
        wavelength_m: f64,
        /// The central wavelength.
        central_wavelength_m: f64,
        /// The full width of the band as a fraction of the central wavelength.
        dispersion: f64,
    },

    /// Flux, exposure and beam size do not give a finite fluence.
    #[error(
        "the fluence is {fluence_per_m2} photons/m^2 (flux {flux_per_s} photons/s, exposure \
         {exposure_s} s, beam size {beam_size_m} m); expected a finite number"
    )]
    FluenceNotFinite {
        /// The fluence that results.
        fluence_per_m2: f64,
        /// The flux it is made from.
        flux_per_s: f64,
        /// The exposure it is made from.
        exposure_s: f64,
        /// The beam size it is made from.
        beam_size_m: f64,
    },

    /// A source list cannot be read.
    #[error("{}: the source list cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },

    /// A pipe or a device goes on and on.
    #[error("{}: more than {limit_bytes} bytes, and it is no file", path.display())]
    EndlessStream {
        /// Where it comes from.
        path: PathBuf,
        /// How much was read.
        limit_bytes: u64,
    },

    /// A source list holds no source.
    #[error("{name}: no source found; expected lines of X Y Z weight wavelength")]
    NoSources {
        /// The list's name.
        name: String,
    },

    /// A column of a source list is not a finite number.
    #[error("{name}:{line}: the {column} of the source is {found:?}; expected a finite number")]
    NotANumber {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What the column means.
        column: &'static str,
        /// What stands there, shortened if it is long.
        found: String,
    },

    /// A line of a source list has more than five columns.
    #[error(
        "{name}:{line}: {found:?} after the fifth column; expected X Y Z weight wavelength and \
         no more"
    )]
    ExtraColumn {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What the sixth column holds, shortened if it is long.
        found: String,
    },

    /// A source stands where it has no direction: at the sample, or out of the range of numbers.
    #[error("{name}:{line}: a source at {position_m:?} m has no direction")]
    NoDirection {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The position found.
        position_m: [f64; 3],
    },

    /// A source has a wavelength that is not above 0, or absurd.
    #[error(
        "{name}:{line}: the wavelength of the source is {wavelength_m:e} m; expected 1e-20 to 1e20"
    )]
    SourceWavelength {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The wavelength found.
        wavelength_m: f64,
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

/// What is divided into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantity {
    /// The angle of the fan about the vertical axis.
    HorizontalDivergence,
    /// The angle of the fan about the polarization axis.
    VerticalDivergence,
    /// The band of wavelengths.
    Dispersion,
    /// The rotation of the crystal.
    Phi,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HorizontalDivergence => "horizontal divergence",
            Self::VerticalDivergence => "vertical divergence",
            Self::Dispersion => "dispersion",
            Self::Phi => "phi",
        })
    }
}
