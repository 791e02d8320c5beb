use super::SpaceGroup;

/// Which of the equivalent indices stands for all of them: the choice of CCP4 for each Laue class.
///
/// In a setting for which there is none, the largest indices stand for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsymmetricUnit(Option<usize>);

/// The conditions on h, k, l that CCP4 uses, from the least symmetrical Laue class on.
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
    /// The choice for a group.
    ///
    /// A condition serves if exactly one of any set of equivalent indices meets it, which a small
    /// box of indices decides: every boundary of the twelve regions passes through it.
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
        let serves = |condition: &&fn(i32, i32, i32) -> bool| {
            box_of_indices.iter().all(|orbit| {
                let met = orbit.iter().filter(|[h, k, l]| condition(*h, *k, *l));
                met.count() == 1
            })
        };
        Self(CONDITIONS.iter().position(|condition| serves(&condition)))
    }

    /// Whether these indices stand for their equivalents in `group`.
    pub fn contains(&self, group: &SpaceGroup, hkl: [i32; 3]) -> bool {
        let [h, k, l] = hkl;
        match self.0.and_then(|place| CONDITIONS.get(place)) {
            Some(condition) => condition(h, k, l),
            None => distinct(group, hkl).last() == Some(&hkl),
        }
    }
}

/// The equivalents of h k l and their Friedel mates, each once, in order.
fn distinct(group: &SpaceGroup, hkl: [i32; 3]) -> Vec<[i32; 3]> {
    let mut orbit: Vec<_> = group
        .equivalents(hkl)
        .map(|equivalent| equivalent.hkl)
        .collect();
    orbit.sort_unstable();
    orbit.dedup();
    orbit
}
