//! The weights of the points of a range.

use serde::{Deserialize, Serialize};

use crate::steps::Steps;

/// How the photons are spread over a range of directions or wavelengths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Evenly, as in the C program.
    #[default]
    Flat,
    /// As a Gaussian about the middle whose FWHM is half of the range: `exp(-16 ln2 (x/range)^2)`. At both
    /// ends of the range it is 1/16 of the middle.
    Gaussian,
}

impl Profile {
    /// The names of the profiles.
    pub const NAMES: &'static [&'static str] = &["flat", "gaussian"];

    /// The weight of the point with this index, 1 in the middle.
    pub fn weight(self, steps: Steps, index: u32) -> f64 {
        match self {
            Self::Gaussian if steps.range > 0.0 => {
                let share = steps.deviation(index) / steps.range;
                (-16.0 * std::f64::consts::LN_2 * share * share).exp()
            }
            Self::Flat | Self::Gaussian => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_has_half_of_its_range_at_half_height() {
        let steps = Steps {
            range: 0.8,
            step: 0.2,
            count: 5,
        };
        let weights: Vec<f64> = (0..5)
            .map(|index| Profile::Gaussian.weight(steps, index))
            .collect();
        for (weight, expected) in weights.iter().zip([0.0625, 0.5, 1.0, 0.5, 0.0625]) {
            assert!((weight - expected).abs() < 1e-15, "{weights:?}");
        }
        assert_eq!(Profile::Flat.weight(steps, 0), 1.0);
        assert_eq!(Profile::Gaussian.weight(Steps::STILL, 0), 1.0);
    }
}
