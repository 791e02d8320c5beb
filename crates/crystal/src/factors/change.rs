//! New grids of structure factors from others.

use super::{Bounds, FactorGrid, GridLimit, count, reserve};
use crate::error::Error;

impl Bounds {
    /// The smallest box around two.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            min: std::array::from_fn(|i| self.min[i].min(other.min[i])),
            max: std::array::from_fn(|i| self.max[i].max(other.max[i])),
        }
    }
}

impl FactorGrid {
    /// The same structure factors with every point of `bounds` in the box. New points have the default value.
    ///
    /// # Errors
    /// [`Error::GridTooLarge`], [`Error::OutOfMemory`].
    pub fn enlarged(&self, bounds: &Bounds, limit: GridLimit) -> Result<Self, Error> {
        let whole = self.bounds.map_or(*bounds, |own| own.union(bounds));
        if self.bounds == Some(whole) {
            return Ok(self.clone());
        }
        let mut values = reserve(&whole, limit)?;
        values.resize(count(&whole), self.default_f);
        let mut grid = Self {
            bounds: Some(whole),
            values,
            ..Self::empty(self.default_f)
        };
        grid.count_read = self.count_read;
        for (offset, value) in self.values.iter().enumerate() {
            if let Some(hkl) = self.hkl_at(offset) {
                grid.replace(hkl, *value);
            }
        }
        Ok(grid)
    }

    /// Structure factors between two grids with the same box: F^2 is linear, `(1 - t) F1^2 + t F2^2`.
    ///
    /// For corrections c of one element that are linear between the two, the exact F^2 is smaller by
    /// `t (1 - t) |c2 - c1|^2 |G|^2`: an error of second order, also where F is near 0. That of a linear F is of first
    /// order there.
    pub fn between(&self, other: &Self, t: f64) -> Self {
        let mix = |a: f64, b: f64| ((1.0 - t) * a * a + t * b * b).sqrt();
        let pairs = self.values.iter().zip(&other.values);
        Self {
            bounds: self.bounds,
            values: pairs.map(|(a, b)| mix(*a, *b)).collect(),
            default_f: mix(self.default_f, other.default_f),
            count_read: self.count_read.max(other.count_read),
        }
    }

    /// The derivatives of [`between`](Self::between) by t at every point: `(F2^2 - F1^2)/(2 F)`, and 0 where F is 0.
    pub fn slopes_between(&self, other: &Self, t: f64) -> Vec<f64> {
        let pairs = self.values.iter().zip(&other.values);
        let middle = self.between(other, t);
        let slopes = pairs.zip(&middle.values).map(|((a, b), f)| match *f {
            0.0 => 0.0,
            f => (b * b - a * a) / (2.0 * f),
        });
        slopes.collect()
    }

    /// The grid with `factor` times a number added to every point of the box, in the order of [`values`](Self::values).
    pub fn moved(&self, factor: f64, by: &[f64]) -> Self {
        let mut moved = self.clone();
        for (value, by) in moved.values.iter_mut().zip(by) {
            *value += factor * by;
        }
        moved
    }

    /// The structure factors of atoms that move more, or of a crystal with more disorder:
    ///
    /// ```text
    /// F(h) exp(-B s^2/4)        s = 1/d = |h a* + k b* + l c*|
    /// ```
    /// B is in A^2, and the reciprocal edges in 1/A. Intensities fall as exp(-B s^2/2). The default value falls off
    /// inside the box, but not outside: a box as far as anything is seen is the caller's work ([`enlarged`](Self::enlarged)).
    pub fn fall_off(&mut self, b_a2: f64, reciprocal_per_angstrom: [[f64; 3]; 3]) {
        let Some(bounds) = self.bounds else {
            return;
        };
        let extent = bounds.extent().map(|n| n as usize);
        let [a, b, c] = reciprocal_per_angstrom;
        let mut values = self.values.iter_mut();
        for h in 0..extent[0] {
            for k in 0..extent[1] {
                for (l, value) in values.by_ref().take(extent[2]).enumerate() {
                    let [h, k, l] = [
                        f64::from(bounds.min[0]) + h as f64,
                        f64::from(bounds.min[1]) + k as f64,
                        f64::from(bounds.min[2]) + l as f64,
                    ];
                    let s: [f64; 3] = std::array::from_fn(|i| h * a[i] + k * b[i] + l * c[i]);
                    let s_squared = s[0] * s[0] + s[1] * s[1] + s[2] * s[2];
                    *value *= (-0.25 * b_a2 * s_squared).exp();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::{Hkl, Reflection};

    fn grid(listed: &[([i32; 3], f64)], default_f: f64) -> FactorGrid {
        let listed: Vec<_> = (listed.iter())
            .map(|&(hkl, amplitude)| Reflection {
                hkl: Hkl(hkl),
                amplitude,
            })
            .collect();
        FactorGrid::from_reflections(&listed, default_f, GridLimit::default()).unwrap()
    }

    #[test]
    fn a_larger_box_changes_no_structure_factor() {
        let small = grid(&[([1, 0, -1], 5.0), ([2, 1, 0], 7.0)], 3.0);
        let bounds = Bounds {
            min: [-2, 1, 0],
            max: [1, 2, 4],
        };
        let large = small.enlarged(&bounds, GridLimit::default()).unwrap();
        let whole = large.bounds().unwrap();
        assert_eq!((whole.min, whole.max), ([-2, 0, -1], [2, 2, 4]));
        assert_eq!(large.count_read(), 2);
        for hkl in [[1, 0, -1], [2, 1, 0], [1, 1, 0], [-2, 2, 4], [9, 9, 9]] {
            assert_eq!(large.nearest(hkl), small.nearest(hkl));
        }
        let limit = GridLimit { max_bytes: 100 };
        assert!(small.enlarged(&bounds, limit).is_err());
        let empty = FactorGrid::empty(2.0)
            .enlarged(&bounds, GridLimit::default())
            .unwrap();
        assert_eq!(empty.nearest([0, 1, 0]), 2.0);
    }

    #[test]
    fn half_way_between_two_grids_is_the_mean_intensity() {
        let one = grid(&[([1, 0, 0], 3.0), ([2, 0, 0], 8.0)], 1.0);
        let two = grid(&[([1, 0, 0], 5.0), ([2, 0, 0], 0.0)], 1.0);
        let middle = one.between(&two, 0.5);
        assert!((middle.nearest([1, 0, 0]) - 17.0_f64.sqrt()).abs() < 1e-12);
        assert!((middle.nearest([2, 0, 0]) - 32.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!((one.between(&two, 0.0), one.between(&two, 1.0)), (one, two));
    }

    #[test]
    fn structure_factors_fall_off_with_their_spacing() {
        let mut grid = grid(&[([0, 0, 0], 100.0), ([3, -1, 2], 50.0)], 4.0);
        // A cell of 10, 20 and 25 A with right angles: s of 3 -1 2 is the root of 0.09 + 0.0025 + 0.0064.
        grid.fall_off(12.0, [[0.1, 0.0, 0.0], [0.0, 0.05, 0.0], [0.0, 0.0, 0.04]]);
        assert_eq!(grid.nearest([0, 0, 0]), 100.0);
        let expected = 50.0 * (-3.0 * 0.0989_f64).exp();
        assert!((grid.nearest([3, -1, 2]) - expected).abs() < 1e-12);
        let default = 4.0 * (-3.0 * (0.04 + 0.0016_f64)).exp();
        assert!((grid.nearest([2, 0, 1]) - default).abs() < 1e-12);
        assert_eq!(grid.nearest([4, 0, 0]), 4.0);
    }
}
