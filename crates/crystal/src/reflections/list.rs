use std::collections::HashMap;

use super::choice::{ColumnChoice, FactorColumns};
use super::table::{ReflectionTable, RowStatus};
use crate::cell::CellSpec;
use crate::constants::DEGREES_PER_RADIAN;
use crate::factors::{Hkl, Reflection};
use crate::symmetry::{AsymmetricUnit, SpaceGroup};

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
    /// What became of the rows of the file.
    pub counts: RowCounts,
}

/// The numbers of rows or reflections of a file that are special.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows without a value. They are left out.
    pub missing: usize,
    /// Negative intensities. They become 0.
    pub negative: usize,
    /// Reflections with only one of F(+) and F(-). It is used for both.
    pub half: usize,
    /// Rows with neither F(+) nor F(-). The value of both together is used.
    pub of_both: usize,
    /// Rows that the file marks as rejected. They are left out if their values are measured.
    pub rejected: usize,
    /// Rows of the test set. They are used.
    pub test_set: usize,
    /// Rows of intensities whose indices were listed before. The mean is used.
    pub repeated: usize,
}

impl ReflectionList {
    /// The reflections of a table, from the columns of `choice`. The space group is `space_group`, or
    /// else that of the table, or else P 1.
    ///
    /// A row with one of F(+) and F(-) has it for both, a row with neither the value of `choice.mean`.
    /// From an intensity, F is its square root, or 0 if it is negative. Rows of intensities with the same
    /// indices are averaged before, and in an unmerged table those with equivalent indices. Measured values of
    /// rejected rows are left out.
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
            counts: RowCounts::default(),
        };
        // The row of each set of indices, and the sums of its intensities and of those of the mates.
        let mut place_of: HashMap<[i32; 3], usize> = HashMap::new();
        let mut sums: Vec<[Mean; 2]> = Vec::new();
        // Observations of equivalent reflections belong together before the root is taken.
        let unit = (choice.are_intensities && table.is_unmerged)
            .then(|| AsymmetricUnit::of(&list.space_group));
        let is_pair = matches!(choice.quantity, FactorColumns::Pair(..));
        let counts = &mut list.counts;
        let mut statuses = table.statuses.iter();
        for (mut hkl, values) in table.rows() {
            match statuses.next() {
                Some(RowStatus::Rejected) if choice.is_measured => {
                    counts.rejected += 1;
                    continue;
                }
                Some(RowStatus::TestSet) => counts.test_set += 1,
                Some(RowStatus::Used | RowStatus::Rejected) | None => {}
            }
            let value = |place: usize| values.get(place).copied().filter(|v| v.is_finite());
            let [mut plus, mut minus] = match choice.quantity {
                FactorColumns::One(place) => [value(place), None],
                FactorColumns::Pair(plus, minus) => [value(plus), value(minus)],
            };
            if let Some(unit) = &unit {
                // A centric reflection is its own mate: all its observations are those of F(+).
                let equivalents = list.space_group.equivalents(hkl);
                let homes = equivalents.filter(|e| unit.contains(&list.space_group, e.hkl));
                if let Some(home) = homes.min_by_key(|home| home.is_friedel_mate) {
                    hkl = home.hkl;
                    if is_pair && home.is_friedel_mate {
                        std::mem::swap(&mut plus, &mut minus);
                    }
                }
            }
            let of_both = choice.mean.and_then(value);
            let amplitude = match (plus, minus) {
                (Some(plus), Some(minus)) => Amplitude::Pair(plus, minus),
                (None, None) => {
                    let Some(mean) = of_both else {
                        counts.missing += 1;
                        continue;
                    };
                    counts.of_both += 1;
                    plus = of_both;
                    Amplitude::Same(mean)
                }
                // One of the two is missing. Friedel's law is the best estimate of it.
                (Some(one), None) | (None, Some(one)) => {
                    // The mate of an observation is another one.
                    counts.half += usize::from(is_pair && unit.is_none());
                    Amplitude::Same(one)
                }
            };
            if choice.are_intensities {
                // Observations of one reflection are averaged before the root is taken.
                let place = *place_of.entry(hkl).or_insert(sums.len());
                if let Some([sum, mate]) = sums.get_mut(place) {
                    counts.repeated += 1;
                    sum.add(plus);
                    mate.add(minus);
                    continue;
                }
                sums.push([plus, minus].map(Mean::of));
            }
            let phase_deg = choice.phase.and_then(value);
            list.reflections.push(ListedReflection {
                hkl,
                amplitude,
                phase_rad: phase_deg.map(|degrees| degrees / DEGREES_PER_RADIAN),
            });
        }
        let root = |mean: f64, counts: &mut RowCounts| {
            counts.negative += usize::from(mean < 0.0);
            mean.max(0.0).sqrt()
        };
        for (reflection, [plus, minus]) in list.reflections.iter_mut().zip(sums) {
            reflection.amplitude = match (plus.value(), minus.value()) {
                (Some(plus), Some(minus)) => {
                    Amplitude::Pair(root(plus, counts), root(minus, counts))
                }
                (one, other) => Amplitude::Same(root(one.or(other).unwrap_or(0.0), counts)),
            };
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
            counts: RowCounts::default(),
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

/// The mean of values that come one after the other.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn of(value: Option<f64>) -> Self {
        let mut mean = Self::default();
        mean.add(value);
        mean
    }

    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}
