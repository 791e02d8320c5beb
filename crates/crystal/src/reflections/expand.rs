use super::list::{Amplitude, ListedReflection, ReflectionList};
use crate::cell::CellSpec;
use crate::error::Error;
use crate::factors::{Hkl, Reflection};
use crate::symmetry::{AsymmetricUnit, SpaceGroup};

/// The relative difference of two amplitudes that counts as rounding in a file.
const SAME: f64 = 1e-6;

/// The numbers of reflections in an expansion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Reflections in the list.
    pub listed: usize,
    /// Reflections in the full reciprocal space.
    pub expanded: usize,
    /// Listed reflections that are systematically absent in the group. They are left out.
    pub absent: usize,
    /// Reflections with different values from several listed ones. Their mean is used.
    pub averaged: usize,
}

/// The reflections of the full reciprocal space, in order of h, k, l.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandedList {
    /// The reflections.
    pub reflections: Vec<Reflection>,
    /// Their phases in radians, if known.
    pub phases_rad: Vec<Option<f64>>,
    /// The numbers of reflections.
    pub expansion: Expansion,
}

impl ExpandedList {
    /// The list in P 1, which is half of reciprocal space. A reflection and its Friedel mate become a
    /// pair if they differ.
    pub fn into_list(self, cell: Option<CellSpec>) -> ReflectionList {
        let group = SpaceGroup::p1();
        let unit = AsymmetricUnit::of(&group);
        let mut list = ReflectionList::from_text(&[], Some(&group));
        list.cell = cell;
        for (reflection, phase_rad) in self.reflections.iter().zip(&self.phases_rad) {
            let Hkl(hkl) = reflection.hkl;
            if !unit.contains(&group, hkl) {
                continue;
            }
            // The reflections are in order of h, k, l, as the search needs.
            let mate = Hkl(hkl.map(i32::saturating_neg));
            let mate = self.reflections.binary_search_by_key(&mate, |r| r.hkl).ok();
            let mate = mate.and_then(|place| self.reflections.get(place));
            let plus = reflection.amplitude;
            let amplitude = match mate.map(|mate| mate.amplitude) {
                Some(minus) if minus.to_bits() != plus.to_bits() => Amplitude::Pair(plus, minus),
                _ => Amplitude::Same(plus),
            };
            list.reflections.push(ListedReflection {
                hkl,
                amplitude,
                phase_rad: *phase_rad,
            });
        }
        list
    }
}

/// The value of a listed reflection for one of its equivalents.
struct EquivalentValue {
    hkl: [i32; 3],
    source: usize,
    amplitude: f64,
    phase_rad: Option<f64>,
}

impl ReflectionList {
    /// The reflections of the full reciprocal space, by symmetry and Friedel's law.
    ///
    /// A reflection and its mate have different amplitudes if the list has separate F(+) and F(-). If
    /// several listed reflections are equivalent, their mean and the phase of the first are used.
    ///
    /// # Errors
    /// [`Error::TooManyEquivalents`] if there is no memory for them.
    ///
    /// ```
    /// # use nanobragg_crystal::{Hkl, Reflection, ReflectionList, SpaceGroup};
    /// let group = SpaceGroup::from_number(19);
    /// let listed = [Reflection { hkl: Hkl([1, 2, 3]), amplitude: 50.0 }];
    /// let all = ReflectionList::from_text(&listed, group.as_ref()).expand_to_p1()?;
    /// assert_eq!(all.reflections.len(), 8);
    /// assert!(all.reflections.iter().all(|reflection| reflection.amplitude == 50.0));
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn expand_to_p1(&self) -> Result<ExpandedList, Error> {
        let (values, absent) = equivalent_values(&self.space_group, &self.reflections)?;
        let (reflections, averaged) = means(&values);
        let mut expanded = ExpandedList {
            reflections: Vec::with_capacity(reflections.len()),
            phases_rad: Vec::with_capacity(reflections.len()),
            expansion: Expansion {
                listed: self.reflections.len(),
                expanded: reflections.len(),
                absent,
                averaged,
            },
        };
        for reflection in reflections {
            let ListedReflection {
                hkl,
                amplitude,
                phase_rad,
            } = reflection;
            expanded.reflections.push(Reflection {
                hkl: Hkl(hkl),
                amplitude: amplitude.of(false),
            });
            expanded.phases_rad.push(phase_rad);
        }
        Ok(expanded)
    }
}

/// The values of listed reflections for all their equivalents, in order of the indices, and the
/// number of absent reflections.
fn equivalent_values(
    group: &SpaceGroup,
    listed: &[ListedReflection],
) -> Result<(Vec<EquivalentValue>, usize), Error> {
    let mut values: Vec<EquivalentValue> = Vec::new();
    let mut absent = 0;
    for (source, reflection) in listed.iter().enumerate() {
        if group.is_absent(reflection.hkl) {
            absent += 1;
            continue;
        }
        let begin = values.len();
        for equivalent in group.equivalents(reflection.hkl) {
            let amplitude = reflection.amplitude.of(equivalent.is_friedel_mate);
            // In a special position one reflection reaches the same indices several times. Its value
            // must count once in the mean.
            let own = values.get(begin..).unwrap_or_default();
            let is_same = |value: &EquivalentValue| {
                value.hkl == equivalent.hkl && value.amplitude.to_bits() == amplitude.to_bits()
            };
            if own.iter().any(is_same) {
                continue;
            }
            values
                .try_reserve(1)
                .map_err(|_| Error::TooManyEquivalents {
                    listed: listed.len(),
                })?;
            values.push(EquivalentValue {
                hkl: equivalent.hkl,
                source,
                amplitude,
                phase_rad: reflection
                    .phase_rad
                    .map(|phase| equivalent.phase_rad(phase)),
            });
        }
    }
    values.sort_unstable_by_key(|value| (value.hkl, value.source));
    Ok((values, absent))
}

/// One reflection for each set of indices, and the number of those whose values differ.
fn means(values: &[EquivalentValue]) -> (Vec<ListedReflection>, usize) {
    let mut averaged = 0;
    let mut reflections = Vec::new();
    for same in values.chunk_by(|a, b| a.hkl == b.hkl) {
        let Some(first) = same.first() else { continue };
        // The mean of equal values can differ from them in the last bit, so it is not computed.
        let mut amplitude = first.amplitude;
        let differs =
            |value: &EquivalentValue| value.amplitude.to_bits() != first.amplitude.to_bits();
        if same.iter().any(differs) {
            let sum: f64 = same.iter().map(|value| value.amplitude).sum();
            amplitude = sum / same.len() as f64;
            let spread = same
                .iter()
                .map(|value| (value.amplitude - amplitude).abs())
                .fold(0.0, f64::max);
            averaged += usize::from(spread > SAME * amplitude.abs());
        }
        reflections.push(ListedReflection {
            hkl: first.hkl,
            amplitude: Amplitude::Same(amplitude),
            phase_rad: first.phase_rad,
        });
    }
    (reflections, averaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(group: &str, reflections: &[([i32; 3], Amplitude, Option<f64>)]) -> ReflectionList {
        let group = SpaceGroup::from_name(group).unwrap();
        let mut list = ReflectionList::from_text(&[], Some(&group));
        for &(hkl, amplitude, phase_rad) in reflections {
            list.reflections.push(ListedReflection {
                hkl,
                amplitude,
                phase_rad,
            });
        }
        list
    }

    fn value(all: &ExpandedList, hkl: [i32; 3]) -> Option<f64> {
        let mut found = all.reflections.iter().filter(|r| r.hkl.0 == hkl);
        let value = found.next().map(|r| r.amplitude);
        assert_eq!(found.next(), None);
        value
    }

    #[test]
    fn special_reflections_are_listed_once() {
        let all = list(
            "P 21 21 21",
            &[
                ([0, 0, 4], Amplitude::Same(7.0), None),
                ([1, 2, 0], Amplitude::Same(8.0), None),
            ],
        )
        .expand_to_p1()
        .unwrap();
        assert_eq!(all.reflections.len(), 2 + 4);
        assert_eq!(value(&all, [0, 0, -4]), Some(7.0));
        assert_eq!(value(&all, [-1, 2, 0]), Some(8.0));
        assert_eq!(all.expansion.averaged, 0);
    }

    #[test]
    fn absent_reflections_are_left_out_and_counted() {
        let all = list(
            "C 1 2 1",
            &[
                ([1, 2, 3], Amplitude::Same(1.0), None),
                ([1, 1, 3], Amplitude::Same(2.0), None),
            ],
        )
        .expand_to_p1()
        .unwrap();
        assert_eq!(all.expansion.absent, 1);
        assert_eq!(all.reflections.len(), 4);
    }

    #[test]
    fn anomalous_pairs_stay_separate() {
        let all = list("P 21", &[([1, 2, 3], Amplitude::Pair(10.0, 20.0), None)])
            .expand_to_p1()
            .unwrap();
        for (hkl, f) in [
            ([1, 2, 3], 10.0),
            ([-1, 2, -3], 10.0),
            ([-1, -2, -3], 20.0),
            ([1, -2, 3], 20.0),
        ] {
            assert_eq!(value(&all, hkl), Some(f));
        }
    }

    #[test]
    fn half_of_an_expansion_keeps_pairs_that_differ() {
        let listed = list(
            "P 21",
            &[
                ([1, 2, 3], Amplitude::Pair(10.0, 20.0), None),
                ([1, 0, 3], Amplitude::Same(5.0), None),
            ],
        );
        let all = listed.expand_to_p1().unwrap();
        let half = all.clone().into_list(None);
        assert_eq!(half.reflections.len(), 3);
        assert_eq!(half.expand_to_p1().unwrap().reflections, all.reflections);
    }

    #[test]
    fn a_centric_pair_has_one_value() {
        let all = list("P 21", &[([1, 0, 3], Amplitude::Pair(10.0, 20.0), None)])
            .expand_to_p1()
            .unwrap();
        assert_eq!(value(&all, [1, 0, 3]), Some(15.0));
        assert_eq!(value(&all, [-1, 0, -3]), Some(15.0));
    }

    #[test]
    fn different_values_are_averaged_and_counted() {
        let all = list(
            "P 21",
            &[
                ([1, 2, 3], Amplitude::Same(10.0), None),
                ([-1, 2, -3], Amplitude::Same(14.0), None),
                ([1, 1, 1], Amplitude::Same(5.0), None),
                ([1, -1, 1], Amplitude::Same(5.0), None),
            ],
        )
        .expand_to_p1()
        .unwrap();
        assert_eq!(all.expansion.averaged, 4);
        assert_eq!(value(&all, [1, -2, 3]), Some(12.0));
        assert_eq!(value(&all, [1, -1, 1]), Some(5.0));
    }

    #[test]
    fn phases_follow_the_sum_over_atoms() {
        let group = SpaceGroup::from_name("P 31 2 1").unwrap();
        let atom = [0.13, 0.29, 0.41];
        let factor = |hkl: [i32; 3]| {
            let angle = |x: [f64; 3]| {
                let turns: f64 = (0..3).map(|i| f64::from(hkl[i]) * x[i]).sum();
                std::f64::consts::TAU * turns
            };
            let atoms = group.operations().iter().map(|o| angle(o.apply(atom)));
            let (re, im) = atoms.fold((0.0, 0.0), |(re, im), a| (re + a.cos(), im + a.sin()));
            (re.hypot(im), im.atan2(re))
        };
        let hkl = [2, 1, 5];
        let (f, phase) = factor(hkl);
        let all = list("P 31 2 1", &[(hkl, Amplitude::Same(f), Some(phase))])
            .expand_to_p1()
            .unwrap();
        assert_eq!(all.reflections.len(), 12);
        for (reflection, found) in all.reflections.iter().zip(&all.phases_rad) {
            let (f, phase) = factor(reflection.hkl.0);
            assert!((f - reflection.amplitude).abs() < 1e-12);
            let turns = (found.unwrap() - phase) / std::f64::consts::TAU;
            assert!((turns - turns.round()).abs() < 1e-12);
        }
    }
}
