//! The outline of the crystal.

use std::fmt;

/// The outline of the crystal, which decides the shape of every spot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Shape {
    /// A parallelepiped of whole cells: spots with the fringes of a grating.
    #[default]
    Square,
    /// An ellipsoid: round spots with fringes.
    Round,
    /// Round spots without fringes.
    Gauss,
    /// Spots that are flat inside a sphere and nothing outside it.
    Tophat,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Square => "parallelepiped",
            Self::Round => "ellipsoid",
            Self::Gauss => "gaussian",
            Self::Tophat => "top-hat",
        })
    }
}
