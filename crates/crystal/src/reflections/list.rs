use super::choice::{ColumnChoice, FactorColumns};
use super::table::ReflectionTable;
use crate::cell::CellSpec;
use crate::constants::DEGREES_PER_RADIAN;
use crate::factors::{Hkl, Reflection};
use crate::symmetry::SpaceGroup;

/// The amplitude of a reflection and of its Friedel mate, in electrons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amplitude {
    /// The same for both.
    Same(f64),
    /// F(+) of h k l and F(-) of -h -k -l.
    Pair(f64, f64),
}

impl Amplitude {
    /// F of the reflection itself, or of its mate.
    pub fn of(self, is_friedel_mate: bool) -> f64 {
        match (self, is_friedel_mate) {
            (Self::Same(f), _) | (Self::Pair(f, _), false) | (Self::Pair(_, f), true) => f,
        }
    }
}

/// A reflection in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedReflection {
    /// The indices.
    pub hkl: [i32; 3],
    /// The amplitude.
    pub amplitude: Amplitude,
    /// The phase in radians, if there is one.
    pub phase_rad: Option<f64>,
}

/// Reflections with their space group. Usually they are those of the asymmetric unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ReflectionList {
    /// The unit cell, if it is known.
    pub cell: Option<CellSpec>,
    /// The space group.
    pub space_group: SpaceGroup,
    /// The reflections.
    pub reflections: Vec<ListedReflection>,
    /// The number of rows without a value. They are left out.
    pub missing_count: usize,
    /// The number of negative intensities. They become 0.
    pub negative_count: usize,
    /// The number of reflections with only one of F(+) and F(-). It is used for both.
    pub half_count: usize,
}

impl ReflectionList {
    /// The reflections of a table, from the columns of `choice`. The space group is `space_group`, or
    /// else that of the table, or else P 1.
    ///
    /// From an intensity, F is its square root, or 0 if it is negative.
    pub fn from_table(
        table: &ReflectionTable,
        choice: &ColumnChoice,
        space_group: Option<&SpaceGroup>,
    ) -> Self {
        let mut list = Self {
            cell: table.cell,
            space_group: space_group
                .or(table.space_group.as_ref())
                .cloned()
                .unwrap_or_else(SpaceGroup::p1),
            reflections: Vec::new(),
            missing_count: 0,
            negative_count: 0,
            half_count: 0,
        };
        for (hkl, values) in table.rows() {
            let value = |place: usize| values.get(place).copied().filter(|v| v.is_finite());
            let mut factor = |place: usize| {
                let value = value(place)?;
                if !choice.are_intensities {
                    return Some(value);
                }
                if value < 0.0 {
                    list.negative_count += 1;
                }
                Some(value.max(0.0).sqrt())
            };
            let amplitude = match choice.quantity {
                FactorColumns::One(place) => factor(place).map(Amplitude::Same),
                FactorColumns::Pair(plus, minus) => match (factor(plus), factor(minus)) {
                    (Some(plus), Some(minus)) => Some(Amplitude::Pair(plus, minus)),
                    (None, None) => None,
                    // One of the two is missing. Friedel's law is the best estimate of it.
                    (one, other) => {
                        list.half_count += 1;
                        one.or(other).map(Amplitude::Same)
                    }
                },
            };
            let Some(amplitude) = amplitude else {
                list.missing_count += 1;
                continue;
            };
            let phase_deg = choice.phase.and_then(value);
            list.reflections.push(ListedReflection {
                hkl,
                amplitude,
                phase_rad: phase_deg.map(|degrees| degrees / DEGREES_PER_RADIAN),
            });
        }
        list
    }

    /// The reflections of a text list, which has neither cell nor phases.
    pub fn from_text(reflections: &[Reflection], space_group: Option<&SpaceGroup>) -> Self {
        let listed = |reflection: &Reflection| {
            let Hkl(hkl) = reflection.hkl;
            ListedReflection {
                hkl,
                amplitude: Amplitude::Same(reflection.amplitude),
                phase_rad: None,
            }
        };
        Self {
            cell: None,
            space_group: space_group.cloned().unwrap_or_else(SpaceGroup::p1),
            reflections: reflections.iter().map(listed).collect(),
            missing_count: 0,
            negative_count: 0,
            half_count: 0,
        }
    }

    /// The reflections for a text list. A pair F(+), F(-) becomes two of them.
    pub fn to_reflections(&self) -> Vec<Reflection> {
        let two = |reflection: &ListedReflection| {
            let ListedReflection { hkl, amplitude, .. } = *reflection;
            let own = Reflection {
                hkl: Hkl(hkl),
                amplitude: amplitude.of(false),
            };
            let mate = matches!(amplitude, Amplitude::Pair(..)).then(|| Reflection {
                hkl: Hkl(hkl.map(i32::saturating_neg)),
                amplitude: amplitude.of(true),
            });
            std::iter::once(own).chain(mate)
        };
        self.reflections.iter().flat_map(two).collect()
    }

    /// Whether a reflection has separate F(+) and F(-).
    pub fn is_anomalous(&self) -> bool {
        let mut reflections = self.reflections.iter();
        reflections.any(|r| matches!(r.amplitude, Amplitude::Pair(..)))
    }

    /// Whether a reflection has a phase.
    pub fn has_phases(&self) -> bool {
        self.reflections.iter().any(|r| r.phase_rad.is_some())
    }
}
