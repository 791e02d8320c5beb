//! The sensor: its thickness, its layers and its attenuation.

use nanobragg_numeric::Scalar;

use serde::{Deserialize, Serialize};

use crate::detector::warning::Warning;
use crate::error::Error;
use crate::in_unit;
use crate::units::Length;

/// The attenuation of the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attenuation {
    /// Not given. The attenuation depth of a sensor with a thickness is then this thickness.
    #[default]
    NotGiven,
    /// No absorption.
    Transparent,
    /// The intensity falls by a factor e over this depth.
    #[serde(rename = "depth_um", with = "in_unit::um")]
    Depth(Length),
}

/// The material of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SensorMaterial {
    /// Silicon.
    Si,
    /// Cadmium telluride.
    CdTe,
}

impl SensorMaterial {
    /// The chemical formula, as NXmx and dxtbx name it.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Si => "Si",
            Self::CdTe => "CdTe",
        }
    }
}

/// The user's description of the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorSpec {
    /// The attenuation.
    pub attenuation: Attenuation,
    /// The thickness; 0 for a sensor that is not modelled.
    #[serde(rename = "thickness_um", with = "in_unit::um")]
    pub thickness: Length,
    /// The material. Where an attenuation is not given, the caller replaces it by that of the material at
    /// the wavelength in use, which is not known here.
    pub material: Option<SensorMaterial>,
    /// The number of layers. `None` and numbers below 1 select the default of two layers.
    pub layers: Option<i64>,
}

/// The distance between the layers of a sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayerRule {
    /// The rule of the reference program: `step = thickness / (n - 1)` with n at least 2. The last
    /// layer lies on the far side of the sensor.
    #[default]
    Reference,
    /// `n` layers fill the thickness: `step = thickness / n`.
    Filling,
}

/// The layers of a sensor. Layer `t` lies at the depth `t * layer_step_m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensor {
    /// The thickness in metres; 0 means the sensor is not modelled.
    pub thickness_m: f64,
    /// The distance between layers in metres; 0 without a thickness.
    pub layer_step_m: f64,
    /// The number of layers, at least 1.
    pub layers: u32,
    /// The attenuation coefficient in m^-1; 0 if neither it nor a thickness was given.
    pub mu_per_m: f64,
    /// The material, if it is known.
    pub material: Option<SensorMaterial>,
}

impl Sensor {
    /// The layers of the sensor that `spec` describes, with warnings of what was guessed or replaced.
    ///
    /// # Errors
    /// [`Error::NotFinite`] or [`Error::OutOfRange`] for a thickness below 0, an attenuation depth
    /// that is not above 0, or more than `i32::MAX` layers.
    pub fn new(spec: &SensorSpec, rule: LayerRule) -> Result<(Self, Vec<Warning>), Error> {
        let thickness_m = checked(
            "the sensor thickness (m)",
            spec.thickness.m(),
            |m| m >= 0.0,
            "0 or greater",
        )?;
        let given_mu_per_m = match spec.attenuation {
            Attenuation::NotGiven => None,
            Attenuation::Transparent => Some(0.0),
            Attenuation::Depth(depth) => {
                // exp(-mu depth) = 1/e.
                let field = "the attenuation depth (m)";
                Some(1.0 / checked(field, depth.m(), |m| m > 0.0, "greater than 0")?)
            }
        };
        let given_layers = given_layers(spec.layers)?;
        if thickness_m == 0.0 {
            let mu_per_m = given_mu_per_m.unwrap_or(0.0);
            return Ok((
                Self {
                    thickness_m,
                    layer_step_m: 0.0,
                    layers: 1,
                    mu_per_m,
                    material: spec.material,
                },
                Vec::new(),
            ));
        }
        // Without a number, the reference program takes two layers that do fill the thickness.
        let (layers, layer_step_m) = match (given_layers, rule) {
            (None, _) => (2, thickness_m / 2.0),
            (Some(n), LayerRule::Filling) => (n, thickness_m / f64::from(n)),
            (Some(n), LayerRule::Reference) => {
                let n = n.max(2);
                (n, thickness_m / f64::from(n - 1))
            }
        };
        let guessed_mu_per_m = 1.0 / thickness_m;
        let mut warnings = Vec::new();
        if given_mu_per_m.is_none() {
            warnings.push(Warning::AttenuationFromThickness {
                mu_per_m: guessed_mu_per_m,
            });
        }
        if given_layers == Some(1) && layers != 1 {
            warnings.push(Warning::LayersRaised);
        }
        let mu_per_m = given_mu_per_m.unwrap_or(guessed_mu_per_m);
        Ok((
            Self {
                thickness_m,
                layer_step_m,
                layers,
                mu_per_m,
                material: spec.material,
            },
            warnings,
        ))
    }

    /// Whether the sensor is modelled. If not, every pixel captures every photon.
    pub fn is_modelled(&self) -> bool {
        self.thickness_m != 0.0
    }
}

/// The number of layers, if one above 0 was given.
fn given_layers(layers: Option<i64>) -> Result<Option<u32>, Error> {
    match layers {
        Some(n) if n > i64::from(i32::MAX) => Err(Error::OutOfRange {
            field: "the number of sensor layers",
            value: n as f64,
            allowed: "at most 2147483647",
        }),
        Some(n) if n > 0 => Ok(u32::try_from(n).ok()),
        _ => Ok(None),
    }
}

/// `value` if it is finite and within the range that `allowed` describes.
fn checked(
    field: &'static str,
    value: f64,
    is_allowed: impl Fn(f64) -> bool,
    allowed: &'static str,
) -> Result<f64, Error> {
    if !value.is_finite() {
        return Err(Error::NotFinite { field, value });
    }
    if !is_allowed(value) {
        return Err(Error::OutOfRange {
            field,
            value,
            allowed,
        });
    }
    Ok(value)
}

/// The fraction of photons stopped by one layer:
/// `exp(-t step mu / parallax) - exp(-(t + 1) step mu / parallax)`.
///
/// `layer` is t, counted from 0. `parallax` is the cosine of the angle between the ray and the
/// detector normal: the path to a depth d is `d / parallax`.
#[inline(always)]
pub fn capture_fraction<T: Scalar>(layer: u32, step_m: T, mu_per_m: T, parallax: T) -> T {
    // The photons that reach the front of the layer, less those that reach its back.
    let front = T::from_f64(-f64::from(layer)) * step_m * mu_per_m / parallax;
    let back = T::from_f64(-(f64::from(layer) + 1.0)) * step_m * mu_per_m / parallax;
    front.exp() - back.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(spec: SensorSpec) -> (Sensor, Vec<Warning>) {
        Sensor::new(&spec, LayerRule::Reference).unwrap()
    }

    const DEPTH: Attenuation = Attenuation::Depth(Length::from_m(0.5));

    #[test]
    fn without_a_thickness_there_is_always_one_layer() {
        let (sensor, warning) = resolve(SensorSpec {
            attenuation: DEPTH,
            layers: Some(7),
            ..SensorSpec::default()
        });
        assert_eq!(
            (sensor.layers, sensor.layer_step_m, sensor.mu_per_m),
            (1, 0.0, 2.0)
        );
        assert!(!sensor.is_modelled() && warning.is_empty());
    }

    #[test]
    fn a_thickness_alone_gives_two_layers_and_its_own_attenuation() {
        let thickness = Length::from_m(0.25);
        let (sensor, warning) = resolve(SensorSpec {
            thickness,
            ..SensorSpec::default()
        });
        assert_eq!(
            (sensor.layers, sensor.layer_step_m, sensor.mu_per_m),
            (2, 0.125, 4.0)
        );
        assert_eq!(
            warning,
            [Warning::AttenuationFromThickness { mu_per_m: 4.0 }]
        );
    }

    #[test]
    fn the_last_of_n_layers_lies_at_the_full_depth() {
        let thickness = Length::from_m(1.0);
        let of = |n| SensorSpec {
            attenuation: DEPTH,
            thickness,
            layers: Some(n),
            ..SensorSpec::default()
        };
        assert_eq!(resolve(of(5)).0.layer_step_m, 0.25);
        assert_eq!(
            (resolve(of(1)).0.layers, resolve(of(1)).0.layer_step_m),
            (2, 1.0)
        );
        assert_eq!(
            (resolve(of(0)).0.layers, resolve(of(0)).0.layer_step_m),
            (2, 0.5)
        );
    }

    #[test]
    fn filling_layers_share_the_thickness() {
        let spec = SensorSpec {
            attenuation: DEPTH,
            thickness: Length::from_m(1.0),
            layers: Some(4),
            ..SensorSpec::default()
        };
        let (sensor, _) = Sensor::new(&spec, LayerRule::Filling).unwrap();
        assert_eq!((sensor.layers, sensor.layer_step_m), (4, 0.25));
    }

    #[test]
    fn a_transparent_sensor_captures_nothing() {
        assert_eq!(capture_fraction(3, 1e-4, 0.0, 0.9), 0.0);
    }

    #[test]
    fn the_layers_together_stop_as_much_as_the_full_sensor() {
        let total: f64 = (0..10).map(|t| capture_fraction(t, 0.1, 2.0, 0.8)).sum();
        assert!((total - (1.0 - (-2.0_f64 / 0.8).exp())).abs() < 1e-15);
    }

    #[test]
    fn impossible_sensors_are_errors() {
        let thickness = Length::from_um(-1.0);
        let spec = SensorSpec {
            thickness,
            ..SensorSpec::default()
        };
        assert!(matches!(
            Sensor::new(&spec, LayerRule::Reference),
            Err(Error::OutOfRange { value, .. }) if value == -1e-6
        ));
        let attenuation = Attenuation::Depth(Length::from_m(f64::INFINITY));
        let spec = SensorSpec {
            attenuation,
            ..SensorSpec::default()
        };
        assert!(matches!(
            Sensor::new(&spec, LayerRule::Reference),
            Err(Error::NotFinite { .. })
        ));
    }
}
