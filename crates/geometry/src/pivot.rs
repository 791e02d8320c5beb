//! The point about which the detector turns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stays in place when the detector is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pivot {
    /// The sample: the whole detector swings around it, as on a two-theta arm. The near point and
    /// the distance along the detector normal are preserved, the direct beam moves on the detector.
    Sample,
    /// The direct-beam spot: the detector tilts about it. The beam centre and the distance along
    /// the beam are preserved, the near point moves.
    #[default]
    Beam,
}

impl fmt::Display for Pivot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sample => "sample",
            Self::Beam => "beam",
        })
    }
}
