//! Structure factors on a box of Miller indices.

mod change;
mod nearest;
mod tricubic;

pub use nearest::nearest_index;
pub use tricubic::{lagrange_cubic, tricubic};

use crate::error::Error;

/// Integer Miller indices h, k, l.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hkl(pub [i32; 3]);

/// A reflection: its indices and the amplitude F of its structure factor, in electrons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reflection {
    /// The indices.
    pub hkl: Hkl,
    /// The amplitude.
    pub amplitude: f64,
}

/// The smallest and largest index along h, k, l. Both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest h, k, l.
    pub min: [i32; 3],
    /// Largest h, k, l.
    pub max: [i32; 3],
}

impl Bounds {
    /// The smallest box around some reflections; `None` if there is no reflection.
    pub fn around(reflections: &[Reflection]) -> Option<Self> {
        let Hkl(first) = reflections.first()?.hkl;
        let mut bounds = Self {
            min: first,
            max: first,
        };
        for Reflection { hkl: Hkl(hkl), .. } in reflections {
            for (i, index) in hkl.iter().enumerate() {
                bounds.min[i] = bounds.min[i].min(*index);
                bounds.max[i] = bounds.max[i].max(*index);
            }
        }
        Some(bounds)
    }

    /// The number of indices along h, k, l.
    pub fn extent(&self) -> [u64; 3] {
        // The difference of two i32 fits in an i64. Reversed ends, which no grid has, give 0.
        std::array::from_fn(|i| {
            u64::try_from(i64::from(self.max[i]) - i64::from(self.min[i]) + 1).unwrap_or(0)
        })
    }

    /// The number of points in the box; at most 2^96.
    pub fn points(&self) -> u128 {
        self.extent().into_iter().map(u128::from).product()
    }
}

/// The largest memory of a grid.
///
/// Two reflections with distant indices span a box of any size. With this limit a typing error in a
/// file cannot use up the memory of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridLimit {
    /// The limit in bytes, 8 GiB by default.
    pub max_bytes: u64,
}

impl Default for GridLimit {
    fn default() -> Self {
        Self { max_bytes: 8 << 30 }
    }
}

/// Structure factors on a box of Miller indices, and one value for all other indices.
///
/// # Shape
/// `values` is `[h][k][l]` from `bounds.min`; l is the fastest index.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorGrid {
    bounds: Option<Bounds>,
    values: Vec<f64>,
    default_f: f64,
    count_read: u128,
}

impl FactorGrid {
    /// A grid without reflections: F is `default_f` everywhere.
    pub fn empty(default_f: f64) -> Self {
        Self {
            bounds: None,
            values: Vec::new(),
            default_f,
            count_read: 0,
        }
    }

    /// The grid over the box around `reflections`.
    ///
    /// Points of the box that are not listed get `default_f`. If indices are listed more than once,
    /// the last amplitude is used.
    ///
    /// # Errors
    /// [`Error::GridTooLarge`] if the box needs more memory than `limit` allows,
    /// [`Error::OutOfMemory`] if the system cannot provide it.
    pub fn from_reflections(
        reflections: &[Reflection],
        default_f: f64,
        limit: GridLimit,
    ) -> Result<Self, Error> {
        Self::counting_repeats(reflections, default_f, limit).map(|(grid, _)| grid)
    }

    /// The grid as from [`FactorGrid::from_reflections`], and how many listed amplitudes gave way to a
    /// later one that differs.
    ///
    /// # Errors
    /// Those of [`FactorGrid::from_reflections`].
    pub fn counting_repeats(
        reflections: &[Reflection],
        default_f: f64,
        limit: GridLimit,
    ) -> Result<(Self, usize), Error> {
        let Some(bounds) = Bounds::around(reflections) else {
            return Ok((Self::empty(default_f), 0));
        };
        let mut repeats = 0;
        let mut values = reserve(&bounds, limit)?;
        values.resize(count(&bounds), default_f);
        let mut grid = Self {
            bounds: Some(bounds),
            values,
            default_f,
            count_read: reflections.len() as u128,
        };
        for Reflection {
            hkl: Hkl(hkl),
            amplitude,
        } in reflections
        {
            let offset = grid.offset(hkl.map(i64::from));
            if let Some(value) = offset.and_then(|offset| grid.values.get_mut(offset)) {
                let is_other = value.to_bits() != amplitude.to_bits();
                repeats += usize::from(is_other && value.to_bits() != default_f.to_bits());
                *value = *amplitude;
            }
        }
        Ok((grid, repeats))
    }

    /// The grid of values that already fill their box. Every point counts as read.
    ///
    /// There must be as many values as points, which the reader of dumps ensures.
    pub(crate) fn from_values(bounds: Bounds, values: Vec<f64>, default_f: f64) -> Self {
        debug_assert_eq!(values.len() as u128, bounds.points());
        Self {
            bounds: Some(bounds),
            values,
            default_f,
            count_read: bounds.points(),
        }
    }

    /// The box; `None` without reflections.
    #[inline]
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// The distances in [`values`](Self::values) between neighbours along h, k, l.
    #[inline]
    pub fn strides(&self) -> [usize; 3] {
        // The values are in memory, so each product fits.
        let [_, k, l] = self
            .bounds
            .map_or([0; 3], |bounds| bounds.extent().map(|n| n as usize));
        [k * l, l, 1]
    }

    /// All values of the box.
    #[inline]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The amplitude F of every reflection outside the box.
    #[inline]
    pub fn default_f(&self) -> f64 {
        self.default_f
    }

    /// The reflections of the box whose amplitude differs from `amplitude`, in order of h, k, l.
    pub fn reflections_other_than(&self, amplitude: f64) -> Vec<Reflection> {
        let Some(bounds) = self.bounds else {
            return Vec::new();
        };
        let [_, k_extent, l_extent] = bounds.extent().map(|n| n as usize);
        let [h_min, k_min, l_min] = bounds.min;
        let values = self.values.iter().enumerate();
        values
            .filter(|(_, value)| **value != amplitude)
            .map(|(offset, value)| {
                let (plane, l) = (offset / l_extent, offset % l_extent);
                let (h, k) = (plane / k_extent, plane % k_extent);
                Reflection {
                    // The point is in the box, whose ends are i32.
                    hkl: Hkl([h_min + h as i32, k_min + k as i32, l_min + l as i32]),
                    amplitude: *value,
                }
            })
            .collect()
    }

    /// The number of reflections that were read: lines of a list or points of a dump.
    pub fn count_read(&self) -> u128 {
        self.count_read
    }

    /// Whether the grid has no reflection.
    pub fn is_empty(&self) -> bool {
        self.bounds.is_none()
    }

    /// The position of h k l in [`values`](Self::values); `None` outside the box.
    #[inline]
    pub fn offset(&self, hkl: [i64; 3]) -> Option<usize> {
        let bounds = self.bounds.as_ref()?;
        let strides = self.strides();
        let mut offset = 0;
        for i in 0..3 {
            if hkl[i] < i64::from(bounds.min[i]) || hkl[i] > i64::from(bounds.max[i]) {
                return None;
            }
            offset += (hkl[i] - i64::from(bounds.min[i])) as usize * strides[i];
        }
        Some(offset)
    }

    /// Replaces F of one point of the box. Returns false, without a change, outside the box.
    pub fn replace(&mut self, hkl: Hkl, amplitude: f64) -> bool {
        let offset = self.offset(hkl.0.map(i64::from));
        let value = offset.and_then(|offset| self.values.get_mut(offset));
        let is_inside = value.is_some();
        if let Some(value) = value {
            *value = amplitude;
        }
        is_inside
    }

    /// The indices of the point at an offset in [`values`](Self::values); `None` after the last one.
    pub fn hkl_at(&self, offset: usize) -> Option<Hkl> {
        let bounds = self.bounds.filter(|_| offset < self.values.len())?;
        let [h_stride, k_stride, _] = self.strides();
        let steps = [
            offset / h_stride,
            offset % h_stride / k_stride,
            offset % k_stride,
        ];
        // The point is in the box, so each sum is an i32 and does not wrap.
        Some(Hkl(std::array::from_fn(|i| {
            bounds.min[i].wrapping_add_unsigned(steps[i] as u32)
        })))
    }

    /// The value at an offset inside the box.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> f64 {
        self.values.get(offset).copied().unwrap_or(self.default_f)
    }
}

/// The number of points of a box that is known to fit in memory.
fn count(bounds: &Bounds) -> usize {
    usize::try_from(bounds.points()).unwrap_or(usize::MAX)
}

/// An empty vector with memory for every point of a box.
pub(crate) fn reserve(bounds: &Bounds, limit: GridLimit) -> Result<Vec<f64>, Error> {
    let needed_bytes = bounds.points().saturating_mul(size_of::<f64>() as u128);
    if needed_bytes > u128::from(limit.max_bytes) {
        return Err(Error::GridTooLarge {
            min: bounds.min,
            max: bounds.max,
            needed_bytes,
            limit_bytes: limit.max_bytes,
        });
    }
    let mut values = Vec::new();
    values
        .try_reserve_exact(count(bounds))
        .map_err(|_| Error::OutOfMemory { needed_bytes })?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reflection(h: i32, k: i32, l: i32, amplitude: f64) -> Reflection {
        Reflection {
            hkl: Hkl([h, k, l]),
            amplitude,
        }
    }

    fn grid() -> FactorGrid {
        let listed = [
            reflection(0, 0, 0, 100.0),
            reflection(2, 0, 0, 80.0),
            reflection(0, 2, -1, 60.0),
        ];
        FactorGrid::from_reflections(&listed, 10.0, GridLimit::default()).unwrap()
    }

    #[test]
    fn listed_reflections_are_found_and_others_take_the_default() {
        let grid = grid();
        assert_eq!(grid.nearest([2, 0, 0]), 80.0);
        assert_eq!(grid.nearest([0, 2, -1]), 60.0);
        assert_eq!(grid.nearest([1, 1, 0]), 10.0);
        assert_eq!(grid.nearest([3, 0, 0]), 10.0);
        assert_eq!(grid.nearest([i64::MAX, i64::MIN, 0]), 10.0);
        assert_eq!(grid.count_read(), 3);
    }

    #[test]
    fn fractional_indices_find_the_nearest_reflection() {
        let grid = grid();
        assert_eq!(grid.nearest_to([1.6, 0.4, -0.4]), 80.0);
        assert_eq!(grid.nearest_to([f64::NAN, 0.0, 0.0]), 10.0);
        assert_eq!(grid.nearest_to([f64::INFINITY, 0.0, 0.0]), 10.0);
    }

    #[test]
    fn values_run_fastest_along_l() {
        let grid = grid();
        assert_eq!(
            grid.bounds().unwrap(),
            Bounds {
                min: [0, 0, -1],
                max: [2, 2, 0]
            }
        );
        assert_eq!(grid.strides(), [6, 2, 1]);
        assert_eq!(grid.values().len(), 18);
        assert_eq!(grid.values()[1], 100.0);
    }

    #[test]
    fn listed_reflections_come_back_from_the_grid() {
        let found = grid().reflections_other_than(10.0);
        let indices: Vec<_> = found.iter().map(|r| (r.hkl.0, r.amplitude)).collect();
        assert_eq!(
            indices,
            [([0, 0, 0], 100.0), ([0, 2, -1], 60.0), ([2, 0, 0], 80.0)]
        );
    }

    #[test]
    fn the_last_of_repeated_reflections_stays() {
        let listed = [reflection(1, 1, 1, 5.0), reflection(1, 1, 1, 6.0)];
        let grid = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap();
        assert_eq!(grid.nearest([1, 1, 1]), 6.0);
        assert_eq!(grid.count_read(), 2);
        let counted = FactorGrid::counting_repeats(&listed, 0.0, GridLimit::default()).unwrap();
        assert_eq!(counted, (grid, 1));
    }

    #[test]
    fn a_box_beyond_the_limit_is_refused_with_its_size() {
        let listed = [
            reflection(0, 0, 0, 1.0),
            reflection(100_000, 100_000, 100_000, 1.0),
        ];
        let error = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap_err();
        assert!(matches!(
            error,
            Error::GridTooLarge {
                needed_bytes: 8_000_240_002_400_008,
                ..
            }
        ));
        let whole = [
            reflection(i32::MIN, i32::MIN, i32::MIN, 1.0),
            reflection(i32::MAX, i32::MAX, i32::MAX, 1.0),
        ];
        assert!(FactorGrid::from_reflections(&whole, 0.0, GridLimit::default()).is_err());
    }

    #[test]
    fn an_empty_grid_is_the_default_everywhere() {
        let grid = FactorGrid::empty(7.0);
        assert!(grid.is_empty());
        assert_eq!(grid.nearest([0; 3]), 7.0);
    }
}
