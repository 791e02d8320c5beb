//! The structure factor of the nearest reflection.

use super::FactorGrid;

/// The integer nearest to `x`, where a half rounds down: `ceil(x - 0.5)`.
///
/// ```
/// # use nanobragg_crystal::nearest_index;
/// assert_eq!([0.4, 0.5, 0.6, -0.5].map(nearest_index), [0.0, 0.0, 1.0, -1.0]);
/// ```
#[inline(always)]
pub fn nearest_index(x: f64) -> f64 {
    (x - 0.5).ceil()
}

impl FactorGrid {
    /// F of the reflection h k l, or the default value outside the grid.
    #[inline]
    pub fn nearest(&self, hkl: [i64; 3]) -> f64 {
        self.offset(hkl)
            .map_or(self.default_f(), |offset| self.at(offset))
    }

    /// F of the reflection nearest to fractional indices.
    ///
    /// Indices that are NaN count as outside the grid.
    #[inline]
    pub fn nearest_to(&self, hkl: [f64; 3]) -> f64 {
        self.offset_of_nearest(hkl)
            .map_or(self.default_f(), |offset| self.at(offset))
    }

    /// The position in [`values`](Self::values) of the reflection nearest to fractional indices;
    /// `None` outside the grid.
    #[inline]
    pub fn offset_of_nearest(&self, hkl: [f64; 3]) -> Option<usize> {
        // The conversion saturates, so infinite indices are outside. It would convert NaN to 0,
        // which can be inside; NaN gets an index that is in no grid.
        let whole = |x: f64| {
            if x.is_nan() {
                i64::MIN
            } else {
                nearest_index(x) as i64
            }
        };
        self.offset(hkl.map(whole))
    }
}
