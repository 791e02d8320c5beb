use super::SpaceGroup;

/// The asymmetric unit of reciprocal space: a rule that selects one of the equivalent indices.
///
/// It is the rule of CCP4 for each Laue class. In a setting without such a rule, the last of the
/// sorted indices is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsymmetricUnit(Option<usize>);

/// The conditions of CCP4 on h, k, l, in the order of increasing symmetry.
const CONDITIONS: [fn(i32, i32, i32) -> bool; 12] = [
    // -1
    |h, k, l| l > 0 || (l == 0 && (h > 0 || (h == 0 && k >= 0))),
    // 2/m
    |h, k, l| k >= 0 && (l > 0 || (l == 0 && h >= 0)),
    // mmm
    |h, k, l| h >= 0 && k >= 0 && l >= 0,
    // 4/m and 6/m
    |h, k, l| l >= 0 && ((h >= 0 && k > 0) || (h == 0 && k == 0)),
    // 4/mmm and 6/mmm
    |h, k, l| h >= k && k >= 0 && l >= 0,
    // -3
    |h, k, l| (h >= 0 && k > 0) || (h == 0 && k == 0 && l >= 0),
    // -31m
    |h, k, l| h >= k && k >= 0 && (k > 0 || l >= 0),
    // -3m1
    |h, k, l| h >= k && k >= 0 && (h > k || l >= 0),
    // m-3
    |h, k, l| h >= 0 && ((l >= h && k > h) || (l == h && k == h)),
    // m-3m
    |h, k, l| k >= l && l >= h && h >= 0,
    // 2/m, c unique
    |h, k, l| l >= 0 && (h > 0 || (h == 0 && k >= 0)),
    // 2/m, a unique
    |h, k, l| h >= 0 && (k > 0 || (k == 0 && l >= 0)),
];

impl AsymmetricUnit {
    /// The rule for a group.
    ///
    /// A condition fits a group if exactly one index of every set of equivalent indices meets it.
    /// It is tested on a small box of indices. This is enough, because the boundaries of all twelve
    /// regions are planes through the origin with small integer coefficients.
    pub fn of(group: &SpaceGroup) -> Self {
        const REACH: i32 = 3;
        let mut box_of_indices = Vec::new();
        for h in -REACH..=REACH {
            for k in -REACH..=REACH {
                for l in -REACH..=REACH {
                    box_of_indices.push(distinct(group, [h, k, l]));
                }
            }
        }
        let fits = |condition: &&fn(i32, i32, i32) -> bool| {
            box_of_indices.iter().all(|orbit| {
                let met = orbit.iter().filter(|[h, k, l]| condition(*h, *k, *l));
                met.count() == 1
            })
        };
        Self(CONDITIONS.iter().position(|condition| fits(&condition)))
    }

    /// Whether these indices are the ones selected from their equivalents in `group`.
    pub fn contains(&self, group: &SpaceGroup, hkl: [i32; 3]) -> bool {
        let [h, k, l] = hkl;
        match self.0.and_then(|place| CONDITIONS.get(place)) {
            Some(condition) => condition(h, k, l),
            None => distinct(group, hkl).last() == Some(&hkl),
        }
    }
}

/// The equivalents of h k l and their Friedel mates, sorted and without repetition.
fn distinct(group: &SpaceGroup, hkl: [i32; 3]) -> Vec<[i32; 3]> {
    let mut orbit: Vec<_> = group
        .equivalents(hkl)
        .map(|equivalent| equivalent.hkl)
        .collect();
    orbit.sort_unstable();
    orbit.dedup();
    orbit
}
