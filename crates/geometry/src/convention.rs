//! Conventions: the directions of beam, detector axes and spindle in the laboratory.
//!
//! | | beam | fast | slow | normal | two-theta | polarization | spindle | pivot |
//! |---|---|---|---|---|---|---|---|---|
//! | MOSFLM, DENZO | x | z | -y | x | -z | z | z | beam |
//! | ADXV | z | x | -y | z | -x | x | x | beam |
//! | XDS | z | x | y | z | x | x | x | sample |
//! | DIALS | z | x | y | z | y | y | y | sample |
//! | CUSTOM, unless given | x | z | -y | x | y | z | z | from the user |
//!
//! [`crate::detector::centre`] has the definition of a beam centre in each convention.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pivot::Pivot;

const X: [f64; 3] = [1.0, 0.0, 0.0];
const Y: [f64; 3] = [0.0, 1.0, 0.0];
const Z: [f64; 3] = [0.0, 0.0, 1.0];
const MINUS_X: [f64; 3] = [-1.0, 0.0, 0.0];
const MINUS_Y: [f64; 3] = [0.0, -1.0, 0.0];
const MINUS_Z: [f64; 3] = [0.0, 0.0, -1.0];

/// The name of the detector normal in messages.
pub(crate) const NORMAL: &str = "normal vector";

/// The program whose laboratory frame and beam centre the input uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// MOSFLM: X along slow and Y along fast, from the middle of the first pixel.
    #[default]
    Mosflm,
    /// DENZO: as MOSFLM, but from the outer corner of the first pixel.
    Denzo,
    /// ADXV: X along fast, Y from the far end of slow.
    Adxv,
    /// XDS: the near point in pixels, the middle of the first pixel being 1. The detector turns
    /// about the sample, as on a two-theta arm.
    Xds,
    /// DIALS: as XDS, with two-theta axis, polarization and spindle along y.
    Dials,
    /// Axes from the user.
    Custom,
}

impl Convention {
    /// Every convention, in the order of the enum.
    pub const ALL: [Self; 6] = [
        Self::Mosflm,
        Self::Denzo,
        Self::Adxv,
        Self::Xds,
        Self::Dials,
        Self::Custom,
    ];

    /// The axes of this convention, as in the [table](self). For [`Convention::Custom`] they are
    /// the defaults of the axes that the user does not give.
    pub const fn axes(self) -> Axes {
        match self {
            Self::Mosflm | Self::Denzo => Axes {
                beam: X,
                fast: Z,
                slow: MINUS_Y,
                normal: X,
                twotheta: MINUS_Z,
                polarization: Z,
                spindle: Z,
            },
            Self::Adxv => Axes {
                beam: Z,
                fast: X,
                slow: MINUS_Y,
                normal: Z,
                twotheta: MINUS_X,
                polarization: X,
                spindle: X,
            },
            Self::Xds => Axes {
                beam: Z,
                fast: X,
                slow: Y,
                normal: Z,
                twotheta: X,
                polarization: X,
                spindle: X,
            },
            Self::Dials => Axes {
                beam: Z,
                fast: X,
                slow: Y,
                normal: Z,
                twotheta: Y,
                polarization: Y,
                spindle: Y,
            },
            Self::Custom => Axes {
                beam: X,
                fast: Z,
                slow: MINUS_Y,
                normal: X,
                twotheta: Y,
                polarization: Z,
                spindle: Z,
            },
        }
    }

    /// The pivot that this convention prescribes. `None` for [`Convention::Custom`], where the user
    /// chooses.
    pub const fn pivot(self) -> Option<Pivot> {
        match self {
            Self::Mosflm | Self::Denzo | Self::Adxv => Some(Pivot::Beam),
            Self::Xds | Self::Dials => Some(Pivot::Sample),
            Self::Custom => None,
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mosflm => "mosflm",
            Self::Denzo => "denzo",
            Self::Adxv => "adxv",
            Self::Xds => "xds",
            Self::Dials => "dials",
            Self::Custom => "custom",
        })
    }
}

/// The directions of an experiment in the laboratory frame, before any detector rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axes {
    /// Along the direct beam, from source to sample.
    pub beam: [f64; 3],
    /// Along increasing fast pixel.
    pub fast: [f64; 3],
    /// Along increasing slow pixel.
    pub slow: [f64; 3],
    /// Normal to the detector, pointing away from the sample.
    pub normal: [f64; 3],
    /// The axis of the two-theta arm.
    pub twotheta: [f64; 3],
    /// The electric vector of the beam.
    pub polarization: [f64; 3],
    /// The axis about which phi turns the crystal.
    pub spindle: [f64; 3],
}

/// Axes from the user, for [`Convention::Custom`] only. The other conventions ignore them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomAxes {
    /// See [`Axes::beam`].
    pub beam: Option<[f64; 3]>,
    /// See [`Axes::fast`].
    pub fast: Option<[f64; 3]>,
    /// See [`Axes::slow`].
    pub slow: Option<[f64; 3]>,
    /// See [`Axes::normal`].
    pub normal: Option<[f64; 3]>,
    /// See [`Axes::twotheta`].
    pub twotheta: Option<[f64; 3]>,
    /// See [`Axes::polarization`].
    pub polarization: Option<[f64; 3]>,
    /// See [`Axes::spindle`].
    pub spindle: Option<[f64; 3]>,
}

impl CustomAxes {
    /// The given axes, and the defaults of [`Convention::Custom`] for the others.
    pub fn over_defaults(&self) -> Axes {
        let default = Convention::Custom.axes();
        Axes {
            beam: self.beam.unwrap_or(default.beam),
            fast: self.fast.unwrap_or(default.fast),
            slow: self.slow.unwrap_or(default.slow),
            normal: self.normal.unwrap_or(default.normal),
            twotheta: self.twotheta.unwrap_or(default.twotheta),
            polarization: self.polarization.unwrap_or(default.polarization),
            spindle: self.spindle.unwrap_or(default.spindle),
        }
    }

    /// Each axis with its name, in the order of [`Axes`].
    pub(crate) fn named(&self) -> [(&'static str, Option<[f64; 3]>); 7] {
        [
            ("beam vector", self.beam),
            ("fast vector", self.fast),
            ("slow vector", self.slow),
            (NORMAL, self.normal),
            ("two-theta axis", self.twotheta),
            ("polarization vector", self.polarization),
            ("spindle axis", self.spindle),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::{cross, dot};

    #[test]
    fn the_normal_is_at_right_angles_to_fast_and_slow() {
        for convention in Convention::ALL {
            let axes = convention.axes();
            assert_eq!(dot(axes.normal, axes.fast), 0.0, "{convention}");
            assert_eq!(dot(axes.normal, axes.slow), 0.0, "{convention}");
            assert_eq!(axes.normal, axes.beam, "{convention}");
        }
    }

    #[test]
    fn adxv_is_the_only_convention_with_a_left_handed_detector() {
        for convention in Convention::ALL {
            let axes = convention.axes();
            let handedness = dot(cross(axes.fast, axes.slow), axes.normal);
            let expected = if convention == Convention::Adxv {
                -1.0
            } else {
                1.0
            };
            assert_eq!(handedness, expected, "{convention}");
        }
    }

    #[test]
    fn a_custom_axis_replaces_only_its_own_default() {
        let given = CustomAxes {
            twotheta: Some(X),
            ..CustomAxes::default()
        };
        let axes = given.over_defaults();
        assert_eq!(
            axes,
            Axes {
                twotheta: X,
                ..Convention::Custom.axes()
            }
        );
    }
}
