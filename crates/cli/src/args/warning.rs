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
    args.beam
        .polarization
        .filter(|factor| factor.abs() > 1.0)
        .map(|factor| Warning::PolarizationFactor { factor })
        .into_iter()
        .collect()
}
