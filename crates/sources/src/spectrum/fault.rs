//! The faults of a spectrum.

use super::steps::MAX_SPECTRUM_STEPS;

/// What is wrong with a spectrum.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpectrumFault {
    /// There is no line.
    #[error(
        "no line of the spectrum found; expected lines of an energy or wavelength and a weight"
    )]
    NoLines,
    /// The unit of the first column is not known.
    #[error(
        "the unit of the first column is not stated; begin the file with a line as \
         \"# energy_eV weight\" or \"# wavelength_A weight\" (or energy_keV), or give the unit"
    )]
    NoUnit,
    /// The first line names two units.
    #[error("the header {header:?} names two units; expected one of eV, keV and A")]
    TwoUnits {
        /// The header.
        header: String,
    },
    /// The names of the columns have a weight before the energy or the wavelength.
    #[error(
        "the header {header:?} has a weight or a count first; the first column must be the energy or the wavelength"
    )]
    WeightFirst {
        /// The header, shortened if it is long.
        header: String,
    },
    /// A number with a comma where the decimal point should be.
    #[error("{found:?} has a decimal comma; write numbers with a decimal point")]
    DecimalComma {
        /// The number, shortened if it is long.
        found: String,
    },
    /// A word that is not a finite number.
    #[error("the {column} is {found:?}; expected a finite number")]
    NotANumber {
        /// The name of the column.
        column: &'static str,
        /// The word, shortened if it is long.
        found: String,
    },
    /// A line without a weight, or with another number of weights than the first.
    #[error(
        "{found} columns; expected an energy or wavelength and a weight, or as many weights as before"
    )]
    Columns {
        /// The number of columns.
        found: usize,
    },
    /// Several spectra in one file, of which none is chosen.
    #[error("{found} columns of weights; choose one")]
    SeveralColumns {
        /// The number of columns.
        found: usize,
    },
    /// A column of weights that the file does not have.
    #[error("no column {column} of weights; it has {found}")]
    NoSuchColumn {
        /// The column.
        column: u32,
        /// The number of columns.
        found: usize,
    },
    /// An energy that no photon of a beam has.
    #[error("an energy of {energy_ev} eV; expected 1e-3 to 1e12")]
    Energy {
        /// The energy.
        energy_ev: f64,
    },
    /// A wavelength of 0 or below.
    #[error("a wavelength of {wavelength_angstrom} A; expected a number above 0")]
    Wavelength {
        /// The wavelength.
        wavelength_angstrom: f64,
    },
    /// A weight that is no number of photons.
    #[error("a weight of {weight}; expected a finite number of 0 or above")]
    Weight {
        /// The weight.
        weight: f64,
    },
    /// An energy that the line before has too.
    #[error("the energy {energy_ev} eV a second time")]
    SameEnergy {
        /// The energy.
        energy_ev: f64,
    },
    /// An energy that neither rises nor falls with those before.
    #[error("the energy {energy_ev} eV is not in order; expected all to rise or all to fall")]
    NotInOrder {
        /// The energy.
        energy_ev: f64,
    },
    /// No photons, or too many to count.
    #[error("the weights add up to {total}; expected a finite number above 0")]
    NoPhotons {
        /// The sum.
        total: f64,
    },
    /// No photons between two energies.
    #[error("no photons from {from_ev} to {to_ev} eV")]
    EmptyWindow {
        /// The lower energy.
        from_ev: f64,
        /// The upper energy.
        to_ev: f64,
    },
    /// A number of steps that cannot be.
    #[error("{steps} steps; expected 1 to {MAX_SPECTRUM_STEPS}")]
    Steps {
        /// The number.
        steps: i64,
    },
    /// A spectrum that reaches down to energies of 0.
    #[error("a band of {width_ev} eV about {energy_ev} eV is too wide")]
    TooWide {
        /// The width.
        width_ev: f64,
        /// The energy.
        energy_ev: f64,
    },
    /// Too many details for the width of a spectrum.
    #[error("details of {detail_ev} eV in a band of {width_ev} eV are too many")]
    TooFine {
        /// The width of a detail.
        detail_ev: f64,
        /// The width of the spectrum.
        width_ev: f64,
    },
}
