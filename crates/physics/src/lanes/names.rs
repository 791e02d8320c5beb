//! The names of reflections: one number for three indices, so that lanes compare them at once.

use super::lane::Arithmetic;

/// The indices along one axis that have names of their own: the name of a reflection is
/// `(h COUNT + k) COUNT + l`, in `f64` an exact integer.
const COUNT: i64 = 1 << 18;

/// Names are different for indices of smaller magnitude.
pub(crate) const LARGEST_NAMED_INDEX: f64 = (COUNT / 2) as f64;

/// The name of the reflection with these integer indices.
#[inline(always)]
pub(super) fn name<A: Arithmetic>([h, k, l]: [f64; 3]) -> f64 {
    let count = COUNT as f64;
    // All terms are integers of at most 2^53, so the sum is exact, fused or not.
    A::multiply_add(h, count * count, A::multiply_add(k, count, l))
}

/// The indices of a name. The order of names is that of h, then k, then l.
pub(crate) fn indices(name: i64) -> [i32; 3] {
    let nearest = |number: i64| {
        let last = (number + COUNT / 2).rem_euclid(COUNT) - COUNT / 2;
        ((number - last) / COUNT, last as i32)
    };
    let (above, l) = nearest(name);
    let (h, k) = nearest(above);
    [h as i32, k, l]
}

#[cfg(test)]
mod tests {
    use super::super::lane::{Fused, Separate};
    use super::*;

    #[test]
    fn a_name_has_the_indices_that_it_was_made_of() {
        let some = [-131_071, -131_070, -30, -1, 0, 1, 7, 131_070, 131_071];
        let mut names = Vec::new();
        for h in some {
            for k in some {
                for l in some {
                    let hkl = [h, k, l].map(f64::from);
                    let name = name::<Separate>(hkl);
                    assert_eq!(name, super::name::<Fused>(hkl));
                    assert_eq!(indices(name as i64), [h, k, l]);
                    names.push(name);
                }
            }
        }
        assert!(names.is_sorted_by(|one, next| one < next));
    }
}
