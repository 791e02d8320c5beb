//! Warnings about the detector that was built.

use std::fmt;

use crate::convention::Convention;
use crate::pivot::Pivot;

/// Input that was replaced, guessed or ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The given detector normal is not of length 1; `unit(fast x slow)` is used instead.
    NormalGenerated {
        /// The normal as given.
        given: [f64; 3],
    },
    /// The two-theta axis is not of length 1, so the two-theta "rotation" deforms the detector.
    TwothetaAxisNotUnit {
        /// Its length.
        length: f64,
    },
    /// A sensor has a thickness but no attenuation; its attenuation depth is set to its thickness.
    AttenuationFromThickness {
        /// The attenuation coefficient that is used, in m^-1.
        mu_per_m: f64,
    },
    /// One layer was asked for, and two are taken.
    LayersRaised,
    /// Axes were given, but a later flag selected a convention that has its own axes.
    IgnoredAxes {
        /// The convention in use.
        convention: Convention,
    },
    /// The user asked for one pivot, but the convention prescribes the other.
    IgnoredPivot {
        /// The pivot that the user asked for.
        asked: Pivot,
        /// The pivot that is used.
        used: Pivot,
        /// The convention in use.
        convention: Convention,
    },
    /// A centre was given in a way that the convention ignores.
    IgnoredBeamCentre {
        /// The convention in use.
        convention: Convention,
        /// The given centre along fast and slow, in metres.
        asked_m: [f64; 2],
        /// The centre that is used along fast and slow, in metres.
        used_m: [f64; 2],
    },
    /// A corner of the first pixel was given, but centre and distance place the detector.
    IgnoredPix0 {
        /// The given corner, in metres.
        asked_m: [f64; 3],
        /// The corner that is used, in metres.
        used_m: [f64; 3],
    },
    /// The curved detector is bent along laboratory y and z, and the two are exchanged.
    CurvedExchanged,
    /// The distance along the beam and the beam spot are those before the two-theta rotation.
    TwothetaDistance {
        /// The distance in use, in metres.
        reported_m: f64,
        /// The distance from the sample to the point where the beam meets the detector, in metres.
        along_beam_m: f64,
    },
}

impl Warning {
    /// The name of the fix that corrects this, if there is one.
    pub const fn fix(&self) -> Option<&'static str> {
        match self {
            Self::IgnoredPivot { .. } => Some("pivot"),
            Self::IgnoredBeamCentre { .. } => Some("beam-centre"),
            Self::IgnoredPix0 { .. } => Some("ignored-input"),
            Self::CurvedExchanged => Some("curved"),
            Self::TwothetaDistance { .. } => Some("twotheta-distance"),
            Self::LayersRaised => Some("thickness"),
            Self::NormalGenerated { .. }
            | Self::TwothetaAxisNotUnit { .. }
            | Self::AttenuationFromThickness { .. }
            | Self::IgnoredAxes { .. } => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NormalGenerated { given: [x, y, z] } => write!(
                f,
                "the detector normal ({x}, {y}, {z}) is not of length 1; \
                 taking the cross product of the fast and slow axes"
            ),
            Self::TwothetaAxisNotUnit { length } => write!(
                f,
                "the two-theta axis has length {length}, not 1; it is used as it is, \
                 which deforms the detector"
            ),
            Self::AttenuationFromThickness { mu_per_m } => write!(
                f,
                "no attenuation given for the sensor; taking {mu_per_m} per metre, \
                 one over its thickness"
            ),
            Self::LayersRaised => {
                f.write_str("a single layer of a sensor becomes two, the second on its far side")
            }
            Self::IgnoredAxes { convention } => {
                write!(
                    f,
                    "the vectors given are ignored under the {convention} convention"
                )
            }
            Self::IgnoredPivot {
                asked,
                used,
                convention,
            } => write!(
                f,
                "the {asked} pivot is ignored under the {convention} convention, \
                 which turns the detector about the {used}"
            ),
            Self::IgnoredBeamCentre {
                convention,
                asked_m,
                used_m,
            } => write!(
                f,
                "the centre given is ignored under the {convention} convention: it is at \
                 ({}, {}) mm along fast and slow, not ({}, {})",
                used_m[0] * 1000.0,
                used_m[1] * 1000.0,
                asked_m[0] * 1000.0,
                asked_m[1] * 1000.0
            ),
            Self::IgnoredPix0 {
                asked_m: [x, y, z],
                used_m: [u, v, w],
            } => write!(
                f,
                "the numbers of the pix0 vector are ignored: the first pixel is at \
                 ({u}, {v}, {w}) m, not ({x}, {y}, {z})"
            ),
            Self::CurvedExchanged => f.write_str(
                "the curved detector is bent along laboratory y and z, and the picture on it is \
                 mirrored",
            ),
            Self::TwothetaDistance {
                reported_m,
                along_beam_m,
            } => write!(
                f,
                "two-theta is left out of the distance: it is given as {} mm, but the beam meets the \
                 detector at {} mm",
                reported_m * 1000.0,
                along_beam_m * 1000.0
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_of_an_ignored_pivot_names_the_pivot_in_use_and_the_fix() {
        let warning = Warning::IgnoredPivot {
            asked: Pivot::Sample,
            used: Pivot::Beam,
            convention: Convention::Mosflm,
        };
        assert_eq!(
            warning.to_string(),
            "the sample pivot is ignored under the mosflm convention, \
             which turns the detector about the beam"
        );
        assert_eq!(warning.fix(), Some("pivot"));
    }
}
