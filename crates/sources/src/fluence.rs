//! The number of photons on the sample.

use nanobragg_geometry::in_unit;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The default fluence, in photons per square metre.
///
/// It is 1 divided by the squared classical electron radius. An image is then the squared structure
/// amplitude times the solid angle.
pub const DEFAULT_FLUENCE_PER_M2: f64 = 125932015286227086360700780544.0;

/// The default exposure.
pub const DEFAULT_EXPOSURE_S: f64 = 1.0;

/// The default edge of the square beam.
pub const DEFAULT_BEAM_SIZE_M: f64 = 1e-4;

/// The user's description of the intensity. `None` is for numbers that were not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FluenceSpec {
    /// Photons per area during the exposure.
    pub fluence_per_m2: Option<f64>,
    /// Photons per time in the full beam.
    pub flux_per_s: Option<f64>,
    /// The duration of the exposure.
    pub exposure_s: Option<f64>,
    /// The edge of the square beam.
    #[serde(rename = "beam_size_mm", with = "in_unit::mm")]
    pub beam_size_m: Option<f64>,
}

/// The intensity of the beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fluence {
    /// Photons per area during the exposure. The image is in proportion to it.
    pub fluence_per_m2: f64,
    /// Photons per time in the full beam. It agrees with the other numbers if the exposure is above 0.
    pub flux_per_s: f64,
    /// The duration of the exposure.
    pub exposure_s: f64,
    /// The edge of the square beam. A larger sample is clipped to it, unless it is negative.
    pub beam_size_m: f64,
}

impl Fluence {
    /// The intensity of a description.
    ///
    /// A flux other than 0, with an exposure above 0 and a beam size of 0 or more, replaces a given
    /// fluence: `fluence = flux exposure / size^2`. Otherwise the given fluence or the default is used.
    ///
    /// # Errors
    /// [`Error::FluenceNotFinite`], for example for a flux through a beam of size 0.
    pub fn new(spec: &FluenceSpec) -> Result<Self> {
        let flux_per_s = spec.flux_per_s.unwrap_or(0.0);
        let exposure_s = spec.exposure_s.unwrap_or(DEFAULT_EXPOSURE_S);
        let beam_size_m = spec.beam_size_m.unwrap_or(DEFAULT_BEAM_SIZE_M);

        let fluence_per_m2 = if flux_per_s != 0.0 && exposure_s > 0.0 && beam_size_m >= 0.0 {
            flux_per_s * exposure_s / beam_size_m / beam_size_m
        } else {
            spec.fluence_per_m2.unwrap_or(DEFAULT_FLUENCE_PER_M2)
        };
        if !fluence_per_m2.is_finite() {
            return Err(Error::FluenceNotFinite {
                fluence_per_m2,
                flux_per_s,
                exposure_s,
                beam_size_m,
            });
        }

        // The flux for headers and reports follows from the fluence that is used.
        let flux_per_s = if exposure_s > 0.0 {
            fluence_per_m2 / exposure_s * beam_size_m * beam_size_m
        } else {
            flux_per_s
        };
        Ok(Self {
            fluence_per_m2,
            flux_per_s,
            exposure_s,
            beam_size_m,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_fluence_cancels_the_electron_radius() {
        let fluence = Fluence::new(&FluenceSpec::default()).unwrap();
        assert!((fluence.fluence_per_m2 * 7.94079248018965e-30 - 1.0).abs() < 1e-12);
        assert_eq!(fluence.beam_size_m, 1e-4);
    }

    #[test]
    fn a_flux_replaces_a_fluence() {
        let spec = FluenceSpec {
            fluence_per_m2: Some(5.0),
            flux_per_s: Some(1e18),
            exposure_s: Some(2.0),
            beam_size_m: Some(0.001),
        };
        let fluence = Fluence::new(&spec).unwrap();
        assert_eq!(fluence.fluence_per_m2, 1e18 * 2.0 / 0.001 / 0.001);
        assert!((fluence.flux_per_s / 1e18 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_flux_without_exposure_or_size_is_ignored() {
        for (exposure_s, beam_size_m) in [(0.0, 1e-4), (-1.0, 1e-4), (1.0, -1e-4)] {
            let spec = FluenceSpec {
                fluence_per_m2: Some(5.0),
                flux_per_s: Some(1e18),
                exposure_s: Some(exposure_s),
                beam_size_m: Some(beam_size_m),
            };
            assert_eq!(Fluence::new(&spec).unwrap().fluence_per_m2, 5.0);
        }
    }

    #[test]
    fn a_flux_through_no_area_is_refused() {
        let spec = FluenceSpec {
            flux_per_s: Some(1e12),
            beam_size_m: Some(0.0),
            ..FluenceSpec::default()
        };
        assert!(matches!(
            Fluence::new(&spec),
            Err(Error::FluenceNotFinite { .. })
        ));
    }
}
