//! The structure factor between reflections, from a cubic polynomial along each axis.

use nanobragg_numeric::{Real, Scalar};

use super::FactorGrid;

/// The cubic polynomial through four values at `first`, `first + 1`, `first + 2`, `first + 3`, in
/// the form of Lagrange.
///
/// ```text
/// sum over i of  values[i] product over j != i of (x - x_j)/(x_i - x_j)
/// ```
/// The order of operations is that of the C program. With points 1 apart, the denominators are the
/// integers -6, 2, -2 and 6.
#[inline(always)]
pub fn lagrange_cubic<T: Real>(first: T, values: [T; 4], x: T) -> T {
    let d0 = x - first;
    let d1 = x - (first + T::from_f64(1.0));
    let d2 = x - (first + T::from_f64(2.0));
    let d3 = x - (first + T::from_f64(3.0));
    let term0 = d1 * d2 * d3 * values[0] / T::from_f64(-6.0);
    let term1 = d0 * d2 * d3 * values[1] / T::from_f64(2.0);
    let term2 = d0 * d1 * d3 * values[2] / T::from_f64(-2.0);
    let term3 = d0 * d1 * d2 * values[3] / T::from_f64(6.0);
    term0 + term1 + term2 + term3
}

/// The interpolated value among 64 values `[h][k][l]` whose first point is `first`. It interpolates
/// along l, then along k, then along h.
#[inline(always)]
pub fn tricubic<T: Real>(first: [T; 3], values: &[[[T; 4]; 4]; 4], hkl: [T; 3]) -> T {
    let along_h = values.map(|plane| {
        let along_k = plane.map(|row| lagrange_cubic(first[2], row, hkl[2]));
        lagrange_cubic(first[1], along_k, hkl[1])
    });
    lagrange_cubic(first[0], along_h, hkl[0])
}

impl FactorGrid {
    /// Whether all 64 points around `hkl` lie in the grid, by the test of the C program:
    /// `h - hmin + 3 <= hmax - hmin + 1` and `h - 2 >= hmin`, and the same for k and l. False for an
    /// empty grid.
    ///
    /// The points along h are `floor(h) - 1` to `floor(h) + 2`, so `hmin + 1 <= h < hmax - 1` would
    /// be enough. The test is stricter by one index at each end.
    #[inline]
    pub fn allows_tricubic(&self, hkl: [f64; 3]) -> bool {
        let Some(bounds) = self.bounds() else {
            return false;
        };
        (0..3).all(|i| {
            let min = f64::from(bounds.min[i]);
            let span = f64::from(bounds.max[i]) - min + 1.0;
            hkl[i] - min + 3.0 <= span && hkl[i] - 2.0 >= min
        })
    }

    /// F at fractional indices; `None` if they are too near the edge of the grid.
    #[inline]
    pub fn tricubic<T: Scalar>(&self, hkl: [T; 3]) -> Option<T> {
        self.tricubic_of(hkl, |offset| T::from_f64(self.at(offset)))
    }

    /// As [`tricubic`](Self::tricubic), with other values than those of the grid: `value_at` returns
    /// the value at an offset in [`values`](Self::values).
    #[inline]
    pub fn tricubic_of<T: Scalar>(&self, hkl: [T; 3], value_at: impl Fn(usize) -> T) -> Option<T> {
        let values = hkl.map(T::value);
        if !self.allows_tricubic(values) {
            return None;
        }
        let first = values.map(|x| x.floor() - 1.0);
        // The indices are in the grid, so they fit in an i64.
        let corner = self.offset(first.map(|x| x as i64))?;
        let [h_stride, k_stride, _] = self.strides();
        let around = std::array::from_fn(|h| {
            std::array::from_fn(|k| {
                std::array::from_fn(|l| value_at(corner + h * h_stride + k * k_stride + l))
            })
        });
        Some(tricubic(first.map(T::from_f64), &around, hkl))
    }

    /// Calls `visit` with the offset and the weight of each of the 64 values from which
    /// [`tricubic`](Self::tricubic) interpolates at `hkl`. There is no call if `hkl` is too near the
    /// edge of the grid.
    ///
    /// The interpolated value is linear in the 64 values, so the weights are its derivatives by them.
    pub fn for_each_neighbour(&self, hkl: [f64; 3], mut visit: impl FnMut(usize, f64)) {
        if !self.allows_tricubic(hkl) {
            return;
        }
        let first = hkl.map(|x| x.floor() - 1.0);
        let Some(corner) = self.offset(first.map(|x| x as i64)) else {
            return;
        };
        let [h_stride, k_stride, _] = self.strides();
        // The weight of a value is the polynomial through 1 at this value and 0 at the others.
        let weights: [[f64; 4]; 3] = std::array::from_fn(|axis| {
            std::array::from_fn(|i| {
                let mut unit = [0.0; 4];
                unit[i] = 1.0;
                lagrange_cubic(first[axis], unit, hkl[axis])
            })
        });
        for (h, by_h) in weights[0].iter().enumerate() {
            for (k, by_k) in weights[1].iter().enumerate() {
                for (l, by_l) in weights[2].iter().enumerate() {
                    visit(corner + h * h_stride + k * k_stride + l, by_h * by_k * by_l);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::{GridLimit, Hkl, Reflection};

    fn cubic(x: f64) -> f64 {
        2.0 - 3.0 * x + 0.5 * x * x + 0.25 * x * x * x
    }

    /// A product of cubics on the box from -4 to 4.
    fn grid() -> FactorGrid {
        let mut reflections = Vec::new();
        for h in -4..=4 {
            for k in -4..=4 {
                for l in -4..=4 {
                    let amplitude = [h, k, l].map(|x| cubic(f64::from(x))).iter().product();
                    reflections.push(Reflection {
                        hkl: Hkl([h, k, l]),
                        amplitude,
                    });
                }
            }
        }
        FactorGrid::from_reflections(&reflections, 0.0, GridLimit::default()).unwrap()
    }

    #[test]
    fn a_cubic_is_reproduced_exactly() {
        let values = [-1.0, 0.0, 1.0, 2.0].map(cubic);
        for x in [-0.5, 0.0, 0.25, 0.9, 1.7] {
            assert!((lagrange_cubic(-1.0, values, x) - cubic(x)).abs() < 1e-13);
        }
    }

    #[test]
    fn a_product_of_cubics_is_reproduced_between_the_points() {
        let grid = grid();
        for hkl in [[0.1, -0.4, 1.9], [-1.99, 1.5, 0.0], [2.0, -2.0, 0.5]] {
            let expected: f64 = hkl.iter().copied().map(cubic).product();
            let found = grid.tricubic(hkl).unwrap();
            assert!((found - expected).abs() < 1e-10 * expected.abs().max(1.0));
        }
    }

    #[test]
    fn interpolation_ends_two_indices_from_the_edge() {
        let grid = grid();
        assert!(grid.tricubic([2.0, 0.0, 0.0]).is_some());
        assert!(grid.tricubic([2.000_001, 0.0, 0.0]).is_none());
        assert!(grid.tricubic([0.0, -2.0, 0.0]).is_some());
        assert!(grid.tricubic([0.0, -2.000_001, 0.0]).is_none());
        assert!(grid.tricubic([f64::NAN, 0.0, 0.0]).is_none());
        assert!(FactorGrid::empty(1.0).tricubic([0.0; 3]).is_none());
    }
}
