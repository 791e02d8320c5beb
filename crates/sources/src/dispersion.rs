//! The band of wavelengths.

use serde::{Deserialize, Serialize};

use crate::error::{Quantity, Result};
use crate::profile::Profile;
use crate::steps::{StepSpec, Steps, centred_steps};

/// The user's description of the dispersion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DispersionSpec {
    /// Full width of the band as a fraction of the central wavelength; 0 if not given.
    #[serde(rename = "range_fraction")]
    pub range: Option<f64>,
    /// The number of wavelengths.
    pub count: Option<i64>,
    /// How the photons are spread over the wavelengths.
    pub profile: Profile,
}

/// The dispersion of the beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    steps: Steps,
    profile: Profile,
}

impl Dispersion {
    /// The dispersion of a description. [`steps`](crate::steps) has the rules for missing numbers.
    ///
    /// # Errors
    /// [`Error::StepNotFinite`](crate::Error::StepNotFinite) and
    /// [`Error::TooManySteps`](crate::Error::TooManySteps).
    pub fn new(spec: &DispersionSpec) -> Result<Self> {
        let range = Some(spec.range.unwrap_or(0.0));
        let steps = StepSpec {
            range,
            step: None,
            count: spec.count,
        };
        Ok(Self {
            steps: centred_steps(Quantity::Dispersion, steps)?,
            profile: spec.profile,
        })
    }

    /// The steps, as fractions of the central wavelength.
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// How the photons are spread over the wavelengths.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The weights of the wavelengths.
    pub fn weights(&self) -> impl Iterator<Item = f64> + use<> {
        let Self { steps, profile } = *self;
        (0..steps.count).map(move |index| profile.weight(steps, index))
    }

    /// The wavelengths of the band: `central (1 + k step - range/2)` for each step k.
    pub fn wavelengths_m(&self, central_wavelength_m: f64) -> impl Iterator<Item = f64> + use<> {
        let Steps { range, step, count } = self.steps;
        (0..count).map(move |k| central_wavelength_m * (1.0 + step * f64::from(k) - range / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wavelengths(range: Option<f64>, count: Option<i64>) -> Vec<f64> {
        let dispersion = Dispersion::new(&DispersionSpec {
            range,
            count,
            ..DispersionSpec::default()
        })
        .unwrap();
        dispersion.wavelengths_m(1.0).collect()
    }

    #[test]
    fn the_band_is_centred() {
        assert_eq!(wavelengths(Some(0.5), Some(3)), [0.75, 1.0, 1.25]);
    }

    #[test]
    fn a_width_alone_gives_both_ends() {
        assert_eq!(wavelengths(Some(0.5), None), [0.75, 1.25]);
    }

    #[test]
    fn a_count_without_a_width_is_one_wavelength() {
        assert_eq!(wavelengths(None, Some(5)), [1.0]);
    }

    #[test]
    fn a_count_with_a_negative_width_fills_the_widest_band() {
        assert_eq!(wavelengths(Some(-1.0), Some(2)), [0.5, 1.0]);
    }
}
