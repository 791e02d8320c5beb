use std::fmt;

use super::Args;

/// Something about the flags that does not stop the run but may surprise.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// The flag is accepted and changes nothing.
    NoEffect {
        /// The flag.
        flag: &'static str,
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
            Self::PolarizationFactor { factor } => {
                write!(
                    f,
                    "-polar {factor}: a polarization factor lies between -1 and 1"
                )
            }
        }
    }
}

/// Warnings about the values that won.
pub(super) fn of_values(args: &Args) -> Vec<Warning> {
    args.beam
        .polarization
        .filter(|factor| factor.abs() > 1.0)
        .map(|factor| Warning::PolarizationFactor { factor })
        .into_iter()
        .collect()
}
