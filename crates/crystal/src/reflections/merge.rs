use super::list::{Amplitude, ListedReflection, ReflectionList};
use crate::symmetry::AsymmetricUnit;

/// The relative difference of two amplitudes that counts as rounding in a file.
const SAME: f64 = 1e-6;

/// The numbers of reflections in a merging.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merging {
    /// Reflections in the list.
    pub listed: usize,
    /// Reflections in the asymmetric unit.
    pub merged: usize,
    /// Listed reflections that are systematically absent in the group. They are left out.
    pub absent: usize,
    /// Reflections whose equivalents have different values. Their mean is used.
    pub averaged: usize,
}

/// A listed reflection, moved into the asymmetric unit.
struct Moved {
    hkl: [i32; 3],
    plus: Option<f64>,
    minus: Option<f64>,
    phase_rad: Option<f64>,
}

impl ReflectionList {
    /// The reflections of the asymmetric unit, in order of h, k, l. Each is the mean of its
    /// equivalents. F(+) and F(-) stay separate if the list has them separate.
    pub fn merge(&self) -> (Self, Merging) {
        let unit = AsymmetricUnit::of(&self.space_group);
        let is_anomalous = self.is_anomalous();
        let mut moved: Vec<Moved> = Vec::with_capacity(self.reflections.len());
        let mut absent = 0;
        for reflection in &self.reflections {
            if self.space_group.is_absent(reflection.hkl) {
                absent += 1;
                continue;
            }
            let mut equivalents = self.space_group.equivalents(reflection.hkl);
            let Some(home) = equivalents.find(|e| unit.contains(&self.space_group, e.hkl)) else {
                continue;
            };
            let (plus, minus) = match reflection.amplitude {
                // In a list with pairs a single value is that of the reflection and of its mate.
                Amplitude::Same(f) if is_anomalous => (Some(f), Some(f)),
                Amplitude::Same(f) => (Some(f), None),
                // The equivalent in the asymmetric unit is -h R, so F(+) is its F(-).
                Amplitude::Pair(plus, minus) if home.is_friedel_mate => (Some(minus), Some(plus)),
                Amplitude::Pair(plus, minus) => (Some(plus), Some(minus)),
            };
            moved.push(Moved {
                hkl: home.hkl,
                plus,
                minus,
                phase_rad: reflection.phase_rad.map(|phase| home.phase_rad(phase)),
            });
        }
        moved.sort_by_key(|moved| moved.hkl);
        let mut averaged = 0;
        let reflections: Vec<_> = moved
            .chunk_by(|a, b| a.hkl == b.hkl)
            .filter_map(|same| {
                let (plus, plus_differs) = mean(same.iter().filter_map(|m| m.plus))?;
                let minus = mean(same.iter().filter_map(|m| m.minus));
                let differs = plus_differs || minus.is_some_and(|(_, differs)| differs);
                averaged += usize::from(differs);
                let first = same.first()?;
                Some(ListedReflection {
                    hkl: first.hkl,
                    amplitude: match minus {
                        Some((minus, _)) => Amplitude::Pair(plus, minus),
                        None => Amplitude::Same(plus),
                    },
                    phase_rad: first.phase_rad,
                })
            })
            .collect();
        let merging = Merging {
            listed: self.reflections.len(),
            merged: reflections.len(),
            absent,
            averaged,
        };
        let merged = Self {
            cell: self.cell,
            space_group: self.space_group.clone(),
            reflections,
            counts: self.counts,
        };
        (merged, merging)
    }
}

/// The mean of some values, and whether they differ by more than rounding. `None` without a value.
fn mean(values: impl Iterator<Item = f64>) -> Option<(f64, bool)> {
    // The mean of equal values can differ from them in the last bit, so it is not computed.
    let values: Vec<f64> = values.collect();
    let first = *values.first()?;
    if values
        .iter()
        .all(|value| value.to_bits() == first.to_bits())
    {
        return Some((first, false));
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let differs = values.iter().any(|v| (v - mean).abs() > SAME * mean.abs());
    Some((mean, differs))
}

#[cfg(test)]
mod tests {
    use crate::{Amplitude, ReflectionList, SpaceGroup};

    #[test]
    fn an_expanded_list_merges_back() {
        for (group, amplitude) in [
            ("P 21 21 21", Amplitude::Same(9.0)),
            ("P 31 2 1", Amplitude::Same(9.0)),
            ("I 4", Amplitude::Same(9.0)),
        ] {
            let group = SpaceGroup::from_name(group).unwrap();
            let mut list = ReflectionList::from_text(&[], Some(&group));
            for hkl in [[1, 2, 3], [4, 2, 1], [5, 3, 2]] {
                list.reflections.push(crate::ListedReflection {
                    hkl,
                    amplitude,
                    phase_rad: Some(0.5),
                });
            }
            let (merged, _) = list.merge();
            let all = merged.expand_to_p1().unwrap();
            let mut listed = ReflectionList::from_text(&all.reflections, Some(&group));
            for (reflection, phase) in listed.reflections.iter_mut().zip(&all.phases_rad) {
                reflection.phase_rad = *phase;
            }
            let (again, merging) = listed.merge();
            assert_eq!(merging.averaged, 0);
            assert_eq!(again.reflections.len(), merged.reflections.len());
            for (a, b) in again.reflections.iter().zip(&merged.reflections) {
                assert_eq!((a.hkl, a.amplitude), (b.hkl, b.amplitude));
                let turns = (a.phase_rad.unwrap() - b.phase_rad.unwrap()) / std::f64::consts::TAU;
                assert!((turns - turns.round()).abs() < 1e-12, "{group} {:?}", a.hkl);
            }
        }
    }

    #[test]
    fn an_anomalous_pair_turns_over_with_its_reflection() {
        let group = SpaceGroup::from_name("P 21").unwrap();
        let mut list = ReflectionList::from_text(&[], Some(&group));
        list.reflections.push(crate::ListedReflection {
            hkl: [1, -2, 3],
            amplitude: Amplitude::Pair(10.0, 20.0),
            phase_rad: None,
        });
        let (merged, _) = list.merge();
        assert_eq!(merged.reflections[0].hkl, [1, 2, 3]);
        assert_eq!(merged.reflections[0].amplitude, Amplitude::Pair(20.0, 10.0));
        let (before, after) = (list.expand_to_p1().unwrap(), merged.expand_to_p1().unwrap());
        assert_eq!(before.reflections, after.reflections);
    }
}
