//! What of an experiment was replaced, guessed or not listened to.

use std::fmt;

use nanobragg_io::printf::general;
use nanobragg_materials::table::TableWarning;
use nanobragg_sources::{StepSpec, Steps, energy_ev_from_wavelength_m};

use crate::adaptive::SamplingChoice;
use crate::factors::FactorWarning;

/// Something that was replaced, guessed or not listened to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// About the detector.
    Detector(nanobragg_geometry::Warning),
    /// About the crystal.
    Crystal(nanobragg_crystal::Warning),
    /// About a file of structure factors.
    Factors(FactorWarning),
    /// About a file of coordinates.
    Structure(nanobragg_structure::Warning),
    /// About the table of a material.
    Material(TableWarning),
    /// The table of a material ends before the detector does.
    TableEnds {
        /// The material.
        name: String,
        /// The last sin(theta)/lambda of its table in 1/Angstrom.
        ends_at: f64,
        /// The largest of the rendered pixels.
        reach: f64,
    },
    /// A layer denser than any element.
    DenseLayer {
        /// The material.
        name: String,
        /// Its density.
        density_g_per_cm3: f64,
    },
    /// A value of a file that is taken for something else.
    Replaced {
        /// The field in the file.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What the value means.
        meaning: &'static str,
    },
    /// Another number of steps than was asked for.
    Steps {
        /// What is stepped through.
        quantity: &'static str,
        /// The number given.
        asked: i64,
        /// The number that is rendered.
        used: u32,
    },
    /// A range that nobody gave.
    RangeAssumed {
        /// What is stepped through.
        quantity: &'static str,
        /// The range that is taken.
        range: f64,
        /// Its unit.
        unit: &'static str,
    },
    /// Weights of sources are asked for, and no sources are listed.
    NoWeights,
    /// The given wavelength is not that of the spectrum.
    OtherWavelength {
        /// The wavelength that is given.
        given_angstrom: f64,
        /// The mean of the spectrum.
        mean_angstrom: f64,
    },
    /// The operation of a twin is no exact symmetry of the lattice.
    TwinMisfit {
        /// The operation.
        operator: String,
        /// The largest difference of two products of edges, relative to their lengths.
        misfit: f64,
    },
    /// A trial ended before the number of samples kept the allowed error.
    SamplingMissed(SamplingChoice),
    /// Numbers of samples were to be chosen, and no reflection is on the detector.
    NothingToSample,
    /// A listed source has a wavelength that is hardly one in metres.
    LongWavelength {
        /// The wavelength in metres.
        wavelength_m: f64,
    },
    /// The central wavelength is hardly one of X-rays.
    OddWavelength {
        /// The wavelength in metres.
        wavelength_m: f64,
        /// Whether it is the mean of a spectrum with energies of its own, whose unit may be wrong.
        is_of_spectrum: bool,
    },
    /// Fewer sub-pixels than the crystal asks for.
    CoarseSampling {
        /// Sub-pixels along an edge as given.
        oversample: u32,
        /// Sub-pixels along an edge that are recommended.
        recommended: u32,
        /// Largest dimension of the crystal in metres.
        crystal_m: f64,
        /// Wavelength times distance over pixel size, in metres.
        reciprocal_pixel_m: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detector(warning) => warning.fmt(f),
            Self::Crystal(warning) => warning.fmt(f),
            Self::Factors(warning) => warning.fmt(f),
            Self::Structure(warning) => warning.fmt(f),
            Self::Material(warning) => warning.fmt(f),
            Self::TableEnds {
                name,
                ends_at,
                reach,
            } => write!(
                f,
                "the structure factor of {name} is known up to sin(theta)/lambda = {ends_at:.4} 1/A, and \
                 the image reaches {reach:.4} 1/A"
            ),
            Self::DenseLayer {
                name,
                density_g_per_cm3,
            } => write!(
                f,
                "the density of {name} is {density_g_per_cm3} g/cm^3, above that of every element"
            ),
            Self::Replaced {
                field,
                value,
                meaning,
            } => write!(f, "{field} = {value}: {meaning}"),
            Self::Steps {
                quantity,
                asked,
                used,
            } => write!(
                f,
                "{quantity}: {asked} steps were asked for, {used} are rendered, because of the range and step given"
            ),
            Self::RangeAssumed {
                quantity,
                range,
                unit,
            } => write!(
                f,
                "{quantity}: no range is given, {range:.6} {unit} is taken"
            ),
            Self::NoWeights => f.write_str(
                "no sources are listed whose weights could be used; a grid has those of its profile",
            ),
            Self::OtherWavelength {
                given_angstrom,
                mean_angstrom,
            } => write!(
                f,
                "the wavelength given is {given_angstrom} A, but the mean of the spectrum is \
                 {mean_angstrom:.6} A, which files state"
            ),
            Self::TwinMisfit { operator, misfit } => write!(
                f,
                "the twin {operator} misses a symmetry of the lattice by {misfit:.4}: its cell is bent so that its \
                 spots are those of the crystal; -lattice places a twin with spots of its own"
            ),
            Self::SamplingMissed(choice) if choice.error.is_infinite() => write!(
                f,
                "{}: {} is the least number that could do, and a trial of more would take too long",
                choice.sampled, choice.number
            ),
            Self::SamplingMissed(choice) => write!(
                f,
                "{}: {} is as far as a trial goes, with an error of {:.2e} of the brightest pixel; {:.2e} is allowed",
                choice.sampled, choice.number, choice.error, choice.allowed
            ),
            Self::NothingToSample => f.write_str(
                "no reflection is on the detector by which numbers of samples could be chosen: the defaults are taken",
            ),
            Self::LongWavelength { wavelength_m } => write!(
                f,
                "a listed source has a wavelength of {wavelength_m} m: wavelengths of sources are in metres"
            ),
            Self::OddWavelength {
                wavelength_m,
                is_of_spectrum,
            } => write!(
                f,
                "a wavelength of {} A ({} eV) is hardly one of X-rays: a unit may be wrong{}",
                general(wavelength_m * 1e10),
                general(energy_ev_from_wavelength_m(*wavelength_m)),
                if *is_of_spectrum {
                    " (-spectrum_unit)"
                } else {
                    ""
                }
            ),
            Self::CoarseSampling {
                oversample,
                recommended,
                crystal_m,
                reciprocal_pixel_m,
            } => {
                write!(
                    f,
                    "the crystal is up to {:.6} A large but a pixel spans only {:.6} A in \
                     reciprocal units: intensity may vary within a pixel; -oversample {recommended} is \
                     recommended, {oversample} is given",
                    crystal_m * 1e10,
                    reciprocal_pixel_m * 1e10
                )
            }
        }
    }
}

/// What surprises about the steps of a quantity. `in_unit` takes a range into `unit`.
pub(crate) fn of_steps(
    quantity: &'static str,
    unit: &'static str,
    in_unit: fn(f64) -> f64,
    spec: &StepSpec,
    steps: Steps,
) -> Vec<Warning> {
    let used = steps.count;
    let asked = spec.count.filter(|count| *count > 0);
    let other = asked.filter(|count| *count != i64::from(used));
    let has_range = spec.range.is_some_and(|range| range >= 0.0);
    let has_step = spec.step.is_some_and(|step| step > 0.0);
    let range = in_unit(steps.range);
    let is_assumed = asked.is_some() && !has_range && !has_step && range != 0.0;
    let assumed = Warning::RangeAssumed {
        quantity,
        range,
        unit,
    };
    let other = other.map(|asked| Warning::Steps {
        quantity,
        asked,
        used,
    });
    other
        .into_iter()
        .chain(is_assumed.then_some(assumed))
        .collect()
}
