//! The names of reflections: one number for three indices, so that lanes compare them at once.

use super::lane::Arithmetic;

/// The indices along one axis that have names of their own: the name of a reflection is
/// `(h COUNT + k) COUNT + l`, in `f64` an exact integer.
const COUNT: i64 = 1 << 18;

/// The numbers of several lattices, which share the range of h: the name of a reflection has `h + n span` in the
/// place of h, with n the number of its lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LatticeNames {
    span: i64,
}

impl LatticeNames {
    pub(crate) fn of(lattices: usize) -> Self {
        // Half of the range, so that the numbers from 0 stay in it.
        let parts = if lattices > 1 { 2 * lattices as i64 } else { 1 };
        Self {
            span: COUNT / parts,
        }
    }

    /// Names are different for indices of smaller magnitude.
    pub(crate) fn largest_index(self) -> f64 {
        (self.span / 2) as f64
    }

    /// The name of 0 0 0 of a lattice, which is added to all its names.
    pub(crate) fn first(self, lattice: usize) -> f64 {
        (lattice as i64 * self.span * COUNT * COUNT) as f64
    }

    /// The lattice and the indices of a name. The order of names is that of the lattice, then h, then k, then l.
    pub(crate) fn read(self, name: i64) -> (usize, [i32; 3]) {
        let nearest = |number: i64, count: i64| {
            let last = (number + count / 2).rem_euclid(count) - count / 2;
            ((number - last) / count, last as i32)
        };
        let (above, l) = nearest(name, COUNT);
        let (above, k) = nearest(above, COUNT);
        let (lattice, h) = nearest(above, self.span);
        (lattice as usize, [h, k, l])
    }
}

/// The name of the reflection with these integer indices, of the lattice whose 0 0 0 is named `first`.
#[inline(always)]
pub(super) fn name<A: Arithmetic>(first: f64, [h, k, l]: [f64; 3]) -> f64 {
    let count = COUNT as f64;
    // All terms are integers of at most 2^53, so the sum is exact, fused or not.
    A::multiply_add(h, count * count, A::multiply_add(k, count, l + first))
}

#[cfg(test)]
mod tests {
    use super::super::lane::{Fused, Separate};
    use super::*;

    #[test]
    fn a_name_has_the_indices_that_it_was_made_of() {
        let some = [-131_071, -131_070, -30, -1, 0, 1, 7, 131_070, 131_071];
        let one = LatticeNames::of(1);
        let mut names = Vec::new();
        for h in some {
            for k in some {
                for l in some {
                    let hkl = [h, k, l].map(f64::from);
                    let name = name::<Separate>(one.first(0), hkl);
                    assert_eq!(name, super::name::<Fused>(0.0, hkl));
                    assert_eq!(one.read(name as i64), (0, [h, k, l]));
                    names.push(name);
                }
            }
        }
        assert!(names.is_sorted_by(|one, next| one < next));
    }
    #[test]
    fn reflections_of_several_lattices_have_different_names_in_their_order() {
        for lattices in [2, 3, 7, 100] {
            let several = LatticeNames::of(lattices);
            let last = several.largest_index() as i32 - 1;
            let mut names = Vec::new();
            for lattice in 0..lattices {
                for h in [-last, -1, 0, last] {
                    for hkl in [[h, -131_071, 5], [h, 0, -131_071], [h, 131_071, 131_071]] {
                        let first = several.first(lattice);
                        let name = name::<Fused>(first, hkl.map(f64::from));
                        assert_eq!(several.read(name as i64), (lattice, hkl));
                        assert!(name.abs() <= (1_i64 << 53) as f64);
                        names.push(name);
                    }
                }
            }
            assert!(names.is_sorted_by(|one, next| one < next));
        }
    }
}
