//! The errors of a description of the beam.

use std::fmt;
use std::path::PathBuf;

use nanobragg_io::input::ReadError;

use crate::grid::MAX_SOURCES;
use crate::spectrum::SpectrumFault;
use crate::steps::MAX_STEPS;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a beam cannot be built or a source list cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A range or a step is NaN or infinite.
    #[error("{quantity}: a range or step of {value}; expected a finite number")]
    StepNotFinite {
        /// The quantity that has the steps.
        quantity: Quantity,
        /// The value given.
        value: f64,
    },

    /// The number of steps of a range exceeds [`MAX_STEPS`].
    #[error("{quantity}: {count} steps; at most {MAX_STEPS} are possible")]
    TooManySteps {
        /// The quantity that has the steps.
        quantity: Quantity,
        /// The number of steps.
        count: f64,
    },

    /// The grid of directions and wavelengths has more than [`MAX_SOURCES`] points.
    #[error("directions and wavelengths make {count} sources; at most {MAX_SOURCES} are possible")]
    TooManySources {
        /// The number of grid points before trimming.
        count: u128,
    },

    /// All directions of the grid are outside the round outline.
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

    /// The beam vector is zero, or its length is too large or too small.
    #[error("the beam direction {direction:?} has no usable length")]
    NoBeamDirection {
        /// The vector given.
        direction: [f64; 3],
    },

    /// A wavelength of the band is zero, negative or not finite.
    #[error(
        "a dispersion of {dispersion} about {central_wavelength_m:e} m reaches the wavelength \
         {wavelength_m:e} m; expected a number above 0"
    )]
    BandWavelength {
        /// This wavelength.
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
        /// The resulting fluence.
        fluence_per_m2: f64,
        /// The flux.
        flux_per_s: f64,
        /// The exposure.
        exposure_s: f64,
        /// The beam size.
        beam_size_m: f64,
    },

    /// A source list cannot be read.
    #[error("{}: the source list cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A pipe or a device yields more bytes than the limit.
    #[error("{}: more than {limit_bytes} bytes, and it is not a regular file", path.display())]
    EndlessStream {
        /// The pipe or device.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },

    /// A spectrum cannot be read.
    #[error("{}: the spectrum cannot be read: {source}", path.display())]
    SpectrumUnreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A spectrum, or a line of its file, is not possible.
    #[error("{place}: {fault}")]
    Spectrum {
        /// The file and the line, or the name of the spectrum.
        place: String,
        /// What is wrong.
        fault: SpectrumFault,
    },

    /// The weights of sources that are to be used are not possible.
    #[error("the weights of the sources: {problem}")]
    Weights {
        /// What is wrong.
        problem: String,
    },

    /// A source list has no source.
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
        /// The name of the column.
        column: &'static str,
        /// The text in the column, shortened if it is long.
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
        /// The text in the sixth column, shortened if it is long.
        found: String,
    },

    /// The position of a source has no direction: it is at the sample, or too near or too far for the
    /// square of its distance.
    #[error("{name}:{line}: a source at {position_m:?} m has no direction")]
    NoDirection {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The position given.
        position_m: [f64; 3],
    },

    /// The wavelength of a source is outside 1e-20 to 1e20 m.
    #[error(
        "{name}:{line}: the wavelength of the source is {wavelength_m:e} m; expected 1e-20 to 1e20"
    )]
    SourceWavelength {
        /// The list's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// The wavelength given.
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

impl Error {
    /// A spectrum that cannot be read.
    pub(crate) fn unreadable_spectrum(error: ReadError) -> Self {
        match error {
            ReadError::System { path, source } => Self::SpectrumUnreadable { path, source },
            too_long @ ReadError::TooLong { .. } => too_long.into(),
        }
    }
}

/// A quantity that is divided into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantity {
    /// The angle of directions about the vertical axis.
    HorizontalDivergence,
    /// The angle of directions about the polarization axis.
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
