use std::fmt;

use super::Args;

/// A warning about the flags.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// The flag has no effect.
    NoEffect {
        /// The flag.
        flag: &'static str,
    },
    /// The value is taken for something else.
    Replaced {
        /// The flag.
        flag: &'static str,
        /// The value.
        value: f64,
        /// What is made of it.
        by: &'static str,
    },
    /// A polarization factor that no beam has.
    PolarizationFactor {
        /// The factor.
        factor: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEffect { flag } => write!(f, "-{flag} has no effect"),
            Self::Replaced { flag, value, by } => write!(f, "-{flag} {value}: {by}"),
            Self::PolarizationFactor { factor } => {
                write!(
                    f,
                    "-polar {factor}: a polarization factor lies between -1 and 1"
                )
            }
        }
    }
}

/// Warnings about the final values.
pub(super) fn of_values(args: &Args) -> Vec<Warning> {
    let factor = args.beam.polarization.filter(|factor| factor.abs() > 1.0);
    let factor = factor.map(|factor| Warning::PolarizationFactor { factor });
    // A layer of an experiment file may have them.
    let has_layer = args.background.table.is_some() || args.running.experiment_path.is_some();
    let without_layer = ["thick", "molecules"].into_iter();
    let without_layer = without_layer.filter(|flag| !has_layer && args.gives(flag));
    factor
        .into_iter()
        .chain(without_layer.map(|flag| Warning::NoEffect { flag }))
        .collect()
}
