//! The shape transforms once more, in forms whose derivatives keep their digits.
//!
//! They are the functions of [`transform`](crate::transform), up to the sign of a parallelepiped's,
//! which no intensity shows. What differs is how they are worked: `sin(n x)/sin(x)` near a whole
//! index and `3 (sin x/x - cos x)/x^2` near a spot's centre are quotients of two small numbers, and
//! a derivative carried through them has lost its digits. Here both are power series there.
//!
//! The number of cells is a number that a parameter may move. A grating of whole `n` is periodic in
//! the index but for its sign; one of fractional `n` is not, and its continuation chosen here,
//! `sin(pi n d)/sin(pi d)` of the offset `d` from the nearest index, is the one in which every spot
//! grows alike.

use std::f64::consts::PI;

use nanobragg_numeric::Scalar;

use crate::constants::{ELLIPSOID_AMPLITUDE, GAUSS_RADIUS_SQUARED, TOPHAT_RADIUS_SQUARED};
use crate::shape::Shape;

/// Below this square of the argument the series are used; their terms shrink from the first one on.
const SERIES_END: f64 = 1.0;

/// Terms of the series; the next one is below 1e-19 of the first at [`SERIES_END`].
const TERMS: u32 = 10;

/// `sin(x)/x`; 1 at x = 0.
#[inline]
pub fn sinc<T: Scalar>(x: T) -> T {
    let squared = x * x;
    if squared.value() >= SERIES_END {
        return x.sin() / x;
    }
    // sum of (-x^2)^k/(2k + 1)!, from the last term inwards.
    let mut sum = T::from_f64(1.0);
    for k in (1..TERMS).rev() {
        let divisor = f64::from((2 * k) * (2 * k + 1));
        sum = T::from_f64(1.0) - squared * sum / T::from_f64(divisor);
    }
    sum
}

/// The transform of a sphere, `3 (sin x/x - cos x)/x^2`, by the square of x; 1 at 0.
#[inline]
pub fn sinc3_of_square<T: Scalar>(squared: T) -> T {
    if squared.value() >= SERIES_END {
        let x = squared.sqrt();
        return T::from_f64(3.0) * (x.sin() / x - x.cos()) / squared;
    }
    // sum of (-x^2)^k 6 (k + 1)/(2k + 3)!; one term over the one before is x^2/(2k (2k + 3)).
    let mut sum = T::from_f64(1.0);
    for k in (1..TERMS).rev() {
        let divisor = f64::from(2 * k * (2 * k + 3));
        sum = T::from_f64(1.0) - squared * sum / T::from_f64(divisor);
    }
    sum
}

/// The transform of a grating of `n` lines at the offset `d` from a whole index:
/// `sin(pi n d)/sin(pi d)`; n at d = 0, and 1 for `n` up to 1.
#[inline]
pub fn grating<T: Scalar>(d: T, n: T) -> T {
    if n.value() <= 1.0 {
        return T::from_f64(1.0);
    }
    let x = T::from_f64(PI) * d;
    n * sinc(n * x) / sinc(x)
}

/// [`lattice_factor`](crate::lattice_factor), up to its sign, at an offset from the nearest whole
/// indices, with every number one that a parameter may move.
#[inline]
pub fn lattice_factor_at_offset<T: Scalar>(
    shape: Shape,
    offset: [T; 3],
    cells: [T; 3],
    reciprocal: &[[T; 3]; 3],
    fudge: T,
) -> T {
    let [na, nb, nc] = cells;
    let total = na * nb * nc;
    let reciprocal_radius_squared = || {
        let [x, y, z]: [T; 3] = std::array::from_fn(|axis| {
            offset[0] * reciprocal[0][axis]
                + offset[1] * reciprocal[1][axis]
                + offset[2] * reciprocal[2][axis]
        });
        (x * x + y * y + z * z) * total * total
    };
    match shape {
        Shape::Square => grating(offset[0], na) * grating(offset[1], nb) * grating(offset[2], nc),
        Shape::Round => {
            let [h, k, l]: [T; 3] = std::array::from_fn(|i| offset[i] * cells[i]);
            let radius_squared = (h * h + k * k + l * l) * fudge;
            total
                * T::from_f64(ELLIPSOID_AMPLITUDE)
                * sinc3_of_square(T::from_f64(PI * PI) * radius_squared)
        }
        Shape::Gauss => {
            let exponent = reciprocal_radius_squared() / T::from_f64(GAUSS_RADIUS_SQUARED) * fudge;
            total * (-exponent).exp()
        }
        Shape::Tophat => {
            let inside =
                reciprocal_radius_squared().value() * fudge.value() < TOPHAT_RADIUS_SQUARED;
            if inside { total } else { T::from_f64(0.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{lattice_factor, sinc3, sincg};
    use nanobragg_numeric::{Dual, Real};
    use proptest::prelude::*;

    /// Rounding of a few operations on numbers of size 1.
    const ROUNDING: f64 = 1e-13;

    const RECIPROCAL: [[f64; 3]; 3] = [[0.02, 0.001, 0.0], [0.0, 0.015, 0.002], [0.0, 0.0, 0.018]];

    proptest! {
        #[test]
        fn every_shape_is_the_reference_up_to_its_sign(
            offset in [-0.5..0.5, -0.5..0.5, -0.5..0.5],
            cells in [1..9_i32, 1..9_i32, 1..9_i32],
            fudge in 0.5..2.0,
        ) {
            let cells = cells.map(f64::from);
            let total: f64 = cells.iter().product();
            for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
                let ours = lattice_factor_at_offset(shape, offset, cells, &RECIPROCAL, fudge);
                let reference = lattice_factor(shape, offset, [0.0; 3], cells, &RECIPROCAL, fudge);
                prop_assert!((ours.abs() - reference.abs()).abs() < ROUNDING * total, "{shape}");
            }
        }

        #[test]
        fn the_slope_of_a_grating_is_that_of_its_cosine_series(d in -0.5..0.5, n in 2..9_i32) {
            // sin(n x)/sin(x) = sum of cos((n - 1 - 2 k) x) for k below n.
            let x = PI * d;
            let frequency = |k: i32| -> f64 { f64::from(n - 1 - 2 * k) };
            let slope: f64 = (0..n).map(|k| -PI * frequency(k) * f64::sin(frequency(k) * x)).sum();
            let ours = grating(Dual::<1>::variable(d, 0), Dual::from_f64(f64::from(n)));
            prop_assert!((ours.derivatives[0] - slope).abs() < 1e-11, "{} {}", ours.derivatives[0], slope);
        }
    }

    #[test]
    fn the_series_meet_the_closed_forms_where_they_end() {
        for below in [0.999_999, 0.9, 0.5] {
            let x = f64::sqrt(below);
            assert!((sinc(x) - x.sin() / x).abs() < 1e-15);
            assert!((sinc3_of_square(below) - sinc3(x)).abs() < 1e-15);
        }
    }

    #[test]
    fn slopes_at_the_centre_of_a_spot_are_those_of_the_series() {
        let at = |x: f64| Dual::<1>::variable(x, 0);
        // 1 - x^2/10: by the square, the slope is -1/10.
        assert_eq!(sinc3_of_square(at(0.0)).derivatives[0], -0.1);
        // n (1 - (n^2 - 1) pi^2 d^2/6).
        let d = 1e-9;
        let expected = -5.0 * 24.0 * PI * PI * d / 3.0;
        let slope = grating(at(d), Dual::from_f64(5.0)).derivatives[0];
        assert!((slope / expected - 1.0).abs() < 1e-14);
        assert_eq!(grating(at(0.0), Dual::from_f64(5.0)).derivatives[0], 0.0);
    }

    #[test]
    fn a_whole_index_other_than_zero_is_like_zero() {
        for n in [3.0, 4.0] {
            let far = sincg(PI * (7.0 + 0.03), n);
            assert!((far.abs() - grating(0.03, n).abs()).abs() < 1e-12);
        }
    }
}
