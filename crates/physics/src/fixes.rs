//! The oddities of the C program by name, and the set of them that a run fixes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A behaviour of the C program that a physicist does not expect. It is reproduced by default.
///
/// Each oddity has a name and a paragraph in `docs/QUIRKS.md`. A run whose image it changes says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oddity {
    /// Q1: a step at phi = 0 exactly keeps the orientation of the step before it.
    PhiZero,
    /// Q2: named conventions ignore the requested pivot.
    Pivot,
    /// Q3: some ways to give the beam centre have no effect.
    BeamCentre,
    /// Q4: a whole pixel has one solid angle, one polarization factor and one capture fraction.
    Corrections,
    /// Q5: the sums of the sensor layers are added without weights and multiplied by the capture fraction
    /// of the last layer.
    Thickness,
    /// Q6: corrections that are computed at every sub-pixel multiply the running sum.
    OversampleFlags,
    /// Q7: one index outside the grid ends interpolation for the rest of the run.
    Interpolation,
    /// Q8: the water background is multiplied by the fluence twice.
    Water,
    /// Q9: a random misset takes a spread of 90 as radians.
    MissetRandom,
    /// Q10: a curved detector is bent along laboratory axes, and the two axes are exchanged.
    Curved,
    /// Q11: some input is read and not used.
    IgnoredInput,
    /// Q12: some flags have no effect.
    NoEffect,
    /// Q13: a CLOSE_DISTANCE in a header makes an explicit distance ineffective.
    HeaderDistance,
    /// Q14: the default orientation of a cell with several oblique angles is tilted.
    CStar,
    /// Q15: the phi steps of a sweep begin at its edge, so that it is half a step behind its middle.
    HalfStep,
    /// Q16: Gaussian and top-hat spots have a width that depends on the number of all cells.
    SpotWidth,
    /// Q17: distances and beam spot leave two-theta out.
    TwothetaDistance,
    /// Q18: the size of the crystal does not count in the choice of interpolation.
    SizeLookup,
    /// Q19: the header of a mask replaces the geometry.
    MaskHeader,
    /// Q20: beyond the table of a material, F follows a straight line.
    TableEnds,
}

impl Oddity {
    /// All oddities, in the order of `docs/QUIRKS.md`.
    pub const ALL: [Self; 20] = [
        Self::PhiZero,
        Self::Pivot,
        Self::BeamCentre,
        Self::Corrections,
        Self::Thickness,
        Self::OversampleFlags,
        Self::Interpolation,
        Self::Water,
        Self::MissetRandom,
        Self::Curved,
        Self::IgnoredInput,
        Self::NoEffect,
        Self::HeaderDistance,
        Self::CStar,
        Self::HalfStep,
        Self::SpotWidth,
        Self::TwothetaDistance,
        Self::SizeLookup,
        Self::MaskHeader,
        Self::TableEnds,
    ];

    /// The oddity of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|oddity| oddity.name() == name)
    }

    /// Whether the oddity can be fixed; a flag without effect cannot.
    pub const fn is_fixable(self) -> bool {
        !matches!(self, Self::NoEffect)
    }

    /// The name, as in `docs/QUIRKS.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhiZero => "phi-zero",
            Self::Pivot => "pivot",
            Self::BeamCentre => "beam-centre",
            Self::Corrections => "corrections",
            Self::Thickness => "thickness",
            Self::OversampleFlags => "oversample-flags",
            Self::Interpolation => "interpolation",
            Self::Water => "water",
            Self::MissetRandom => "misset-random",
            Self::Curved => "curved",
            Self::IgnoredInput => "ignored-input",
            Self::NoEffect => "no-effect",
            Self::HeaderDistance => "header-distance",
            Self::CStar => "c-star",
            Self::HalfStep => "half-step",
            Self::SpotWidth => "spot-width",
            Self::TwothetaDistance => "twotheta-distance",
            Self::SizeLookup => "size-lookup",
            Self::MaskHeader => "mask-header",
            Self::TableEnds => "table-ends",
        }
    }

    /// The effect of the oddity, in a sentence.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::PhiZero => {
                "a step at exactly phi = 0 is rendered at the orientation of the step before it"
            }
            Self::Pivot => "the convention decides the pivot, not the flags",
            Self::BeamCentre => "this way of giving the beam centre does not place the beam",
            Self::Corrections => {
                "one solid angle, polarization and capture fraction serve all sub-pixels and \
                 sources of a pixel"
            }
            Self::Thickness => {
                "the layers of the sensor are added undivided and scaled by the capture fraction \
                 of the last one"
            }
            Self::OversampleFlags => {
                "corrections taken at every sub-pixel multiply the running sum, not the term"
            }
            Self::Interpolation => {
                "an index near the edge of the grid ended interpolation for the rest of the image"
            }
            Self::Water => "the water background is scaled by the fluence twice",
            Self::MissetRandom => {
                "the random orientation takes a spread of 90 as radians and is not uniform"
            }
            Self::Curved => {
                "a curved detector is bent along laboratory y and z, which it exchanges"
            }
            Self::IgnoredInput => "this input is read and not used",
            Self::NoEffect => "this flag has no effect",
            Self::HeaderDistance => {
                "a CLOSE_DISTANCE in a header makes the distance given ineffective"
            }
            Self::CStar => {
                "the default orientation of a cell with several oblique angles tilts c* and with it \
                 the angles of the cell"
            }
            Self::HalfStep => {
                "the phi steps begin at the edge of the sweep, so that the crystal is turned by half \
                 a step against the middle of the sweep"
            }
            Self::SpotWidth => {
                "the width of a Gaussian or top-hat spot depends on the number of all cells, not on \
                 the size of the crystal"
            }
            Self::TwothetaDistance => {
                "the distance along the beam and the beam spot are worked out without two-theta"
            }
            Self::SizeLookup => {
                "interpolation is chosen by the numbers of cells that were given, not by the size of \
                 the crystal"
            }
            Self::MaskHeader => "the header of the mask sets the geometry",
            Self::TableEnds => {
                "beyond the table of a material its structure factor follows a straight line"
            }
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (oddity '{}' of the C program)",
            self.effect(),
            self.name()
        )
    }
}

/// The set of oddities that a run fixes; by default none.
///
/// ```
/// use nanobragg_physics::{Fixes, Oddity};
///
/// let fixes = Fixes::none().with(Oddity::Water);
/// assert!(fixes.contains(Oddity::Water) && !fixes.contains(Oddity::PhiZero));
/// assert_eq!(fixes.names().collect::<Vec<_>>(), ["water"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Oddity>", into = "Vec<Oddity>")]
pub struct Fixes(u32);

impl Fixes {
    /// No fixes: the image is that of the C program.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Every oddity that can be fixed.
    pub fn all() -> Self {
        Oddity::ALL.into_iter().fold(Self::none(), Self::with)
    }

    /// This set and `oddity`, if it can be fixed.
    #[must_use]
    pub fn with(self, oddity: Oddity) -> Self {
        if oddity.is_fixable() {
            Self(self.0 | Self::bit(oddity))
        } else {
            self
        }
    }

    /// Whether `oddity` is fixed.
    pub const fn contains(self, oddity: Oddity) -> bool {
        self.0 & Self::bit(oddity) != 0
    }

    /// The oddities that are fixed.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL
            .into_iter()
            .filter(move |oddity| self.contains(*oddity))
    }

    /// The names of the oddities that are fixed.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Oddity::name)
    }

    const fn bit(oddity: Oddity) -> u32 {
        1 << oddity as u16
    }
}

impl From<Fixes> for Vec<Oddity> {
    fn from(fixes: Fixes) -> Self {
        fixes.iter().collect()
    }
}

impl TryFrom<Vec<Oddity>> for Fixes {
    type Error = String;

    fn try_from(oddities: Vec<Oddity>) -> Result<Self, String> {
        if let Some(oddity) = oddities.iter().find(|oddity| !oddity.is_fixable()) {
            return Err(format!("{} cannot be put right", oddity.name()));
        }
        Ok(oddities.into_iter().fold(Self::none(), Self::with))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_names_its_oddity() {
        for oddity in Oddity::ALL {
            assert_eq!(Oddity::from_name(oddity.name()), Some(oddity));
        }
        assert_eq!(Oddity::from_name("all"), None);
    }

    #[test]
    fn all_fixes_are_all_but_the_flags_without_effect() {
        assert_eq!(Fixes::all().iter().count(), Oddity::ALL.len() - 1);
        assert_eq!(Fixes::none().with(Oddity::NoEffect), Fixes::none());
    }
}
