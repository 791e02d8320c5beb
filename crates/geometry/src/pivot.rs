//! The point about which the detector turns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The point that stays in place when the detector is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pivot {
    /// The sample: the detector swings around it, as on a two-theta arm. The near point and the
    /// distance along the detector normal are kept; the beam spot moves.
    Sample,
    /// The beam spot: the detector tilts about it. The beam centre and the distance along the beam
    /// are kept; the near point moves.
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
