//! Shape transforms: the amplitude of a finite lattice near a reciprocal-lattice point.
//!
//! All are generic so that derivatives can flow through them, and for `f64` every operation is in
//! the C program's order.
//!
//! [`sincg`] and [`sinc3`] have removable singularities. At exactly 0 they return the limit, whose
//! derivative is 0, which is right since both are even. Next to a multiple of pi (a whole Miller
//! index other than 0) `sincg` divides two numbers of size 1e-16: the value is what the C program
//! gets, but a derivative carried through that division has lost all its digits. Gradients take
//! [`lattice_factor_at_offset`](crate::lattice_factor_at_offset) instead, which works with `h - h0`:
//! for whole n and m, `sincg(x + m pi, n) = (-1)^(m(n-1)) sincg(x, n)`.

use std::f64::consts::PI;

use nanobragg_numeric::Scalar;

use crate::constants::{ELLIPSOID_AMPLITUDE, GAUSS_RADIUS_SQUARED, TOPHAT_RADIUS_SQUARED};
use crate::shape::Shape;

/// The transform of a grating of `n` lines, `sin(n x)/sin(x)`; n at x = 0.
#[inline(always)]
pub fn sincg<T: Scalar>(x: T, n: f64) -> T {
    if x.value() == 0.0 {
        return T::from_f64(n);
    }
    (x * T::from_f64(n)).sin() / x.sin()
}

/// The transform of a sphere, `3 (sin x/x - cos x)/x^2`; 1 at x = 0.
#[inline(always)]
pub fn sinc3<T: Scalar>(x: T) -> T {
    if x.value() == 0.0 {
        return T::from_f64(1.0);
    }
    T::from_f64(3.0) * (x.sin() / x - x.cos()) / (x * x)
}

/// The Gaussian `exp(-(r2/0.63) fudge)` of a squared radius.
#[inline(always)]
pub fn gauss<T: Scalar>(radius_squared: T, fudge: f64) -> T {
    (-(radius_squared / T::from_f64(GAUSS_RADIUS_SQUARED) * T::from_f64(fudge))).exp()
}

/// 1 where `r2 fudge < 0.3969` and 0 elsewhere.
#[inline(always)]
pub fn tophat<T: Scalar>(radius_squared: T, fudge: f64) -> T {
    let inside = radius_squared.value() * fudge < TOPHAT_RADIUS_SQUARED;
    T::from_f64(if inside { 1.0 } else { 0.0 })
}

/// The amplitude of the whole lattice, relative to one cell, at fractional indices `hkl`.
///
/// With `dh = h - h0` and so on, and `N = Na Nb Nc`:
/// ```text
/// Square   product over the axes with N > 1 of sincg(pi h, N)
/// Round    N sqrt(pi/6) sinc3(pi sqrt(fudge (dh^2 Na^2 + dk^2 Nb^2 + dl^2 Nc^2)))
/// Gauss    N gauss(r2, fudge)    r2 = |dh a* + dk b* + dl c*|^2 N^2
/// Tophat   N tophat(r2, fudge)
/// ```
/// `nearest` are the whole indices h0 k0 l0 and `reciprocal` holds a*, b*, c* in 1/A, which lends
/// Gauss and Tophat a width in 1/A whatever the cell.
#[inline(always)]
pub fn lattice_factor<T: Scalar>(
    shape: Shape,
    hkl: [T; 3],
    nearest: [f64; 3],
    cells: [f64; 3],
    reciprocal: &[[f64; 3]; 3],
    fudge: f64,
) -> T {
    let offset = || -> [T; 3] { std::array::from_fn(|i| hkl[i] - T::from_f64(nearest[i])) };
    let total = cells[0] * cells[1] * cells[2];
    match shape {
        Shape::Square => square(hkl, cells),
        Shape::Round => {
            let radius_squared = index_radius_squared(offset(), cells);
            let argument = T::from_f64(PI) * (radius_squared * T::from_f64(fudge)).sqrt();
            T::from_f64(total * ELLIPSOID_AMPLITUDE) * sinc3(argument)
        }
        Shape::Gauss => {
            T::from_f64(total)
                * gauss(
                    reciprocal_radius_squared(offset(), cells, reciprocal),
                    fudge,
                )
        }
        Shape::Tophat => {
            let radius_squared = reciprocal_radius_squared(offset(), cells, reciprocal);
            T::from_f64(total) * tophat(radius_squared, fudge)
        }
    }
}

#[inline(always)]
fn square<T: Scalar>(hkl: [T; 3], cells: [f64; 3]) -> T {
    let mut amplitude = T::from_f64(1.0);
    for (index, n) in hkl.into_iter().zip(cells) {
        if n > 1.0 {
            amplitude *= sincg(T::from_f64(PI) * index, n);
        }
    }
    amplitude
}

/// `dh^2 Na^2 + dk^2 Nb^2 + dl^2 Nc^2`.
#[inline(always)]
fn index_radius_squared<T: Scalar>(offset: [T; 3], cells: [f64; 3]) -> T {
    let [a, b, c] = std::array::from_fn(|i| {
        let n = T::from_f64(cells[i]);
        offset[i] * offset[i] * n * n
    });
    a + b + c
}

/// `|dh a* + dk b* + dl c*|^2 (Na Nb Nc)^2`.
#[inline(always)]
fn reciprocal_radius_squared<T: Scalar>(
    offset: [T; 3],
    cells: [f64; 3],
    reciprocal: &[[f64; 3]; 3],
) -> T {
    let [a_star, b_star, c_star] = reciprocal;
    let [x, y, z]: [T; 3] = std::array::from_fn(|axis| {
        offset[0] * T::from_f64(a_star[axis])
            + offset[1] * T::from_f64(b_star[axis])
            + offset[2] * T::from_f64(c_star[axis])
    });
    let [na, nb, nc] = cells.map(T::from_f64);
    (x * x + y * y + z * z) * na * na * nb * nb * nc * nc
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPROCAL: [[f64; 3]; 3] = [[0.01, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, 0.01]];

    #[test]
    fn sincg_at_zero_is_n() {
        assert_eq!(sincg(0.0, 5.0), 5.0);
    }

    #[test]
    fn sincg_is_a_sum_of_cosines() {
        // sin(n x)/sin(x) = 1 + 2 cos 2x + 2 cos 4x for n = 5.
        for x in [1e-3, 0.1, 0.7, 1.5, 3.0, -2.2] {
            let sum = 1.0 + 2.0 * f64::cos(2.0 * x) + 2.0 * f64::cos(4.0 * x);
            assert!((sincg(x, 5.0) - sum).abs() < 1e-12, "at {x}");
        }
    }

    #[test]
    fn sinc3_follows_its_power_series() {
        for x in [0.01, 0.1, 0.5] {
            let x2: f64 = x * x;
            let series = 1.0 - x2 / 10.0 + x2 * x2 / 280.0 - x2.powi(3) / 15_120.0
                + x2.powi(4) / 1_330_560.0
                - x2.powi(5) / 172_972_800.0;
            assert!((sinc3(x) - series).abs() < 1e-11, "at {x}");
        }
        assert_eq!(sinc3(0.0), 1.0);
    }

    #[test]
    fn every_shape_peaks_at_the_number_of_cells_or_its_share() {
        let at = |shape| {
            let hkl = [0.0; 3];
            lattice_factor(shape, hkl, hkl, [5.0, 4.0, 6.0], &RECIPROCAL, 1.0)
        };
        assert_eq!(at(Shape::Square), 120.0);
        assert_eq!(at(Shape::Gauss), 120.0);
        assert_eq!(at(Shape::Tophat), 120.0);
        assert_eq!(at(Shape::Round), 120.0 * ELLIPSOID_AMPLITUDE);
    }

    #[test]
    fn an_axis_of_one_cell_has_no_fringes() {
        let along_c = |l| {
            let hkl = [0.0, 0.0, l];
            lattice_factor(
                Shape::Square,
                hkl,
                [0.0; 3],
                [5.0, 5.0, 1.0],
                &RECIPROCAL,
                1.0,
            )
        };
        assert_eq!(along_c(0.37), along_c(0.0));
    }

    #[test]
    fn the_top_hat_ends_at_its_radius() {
        assert_eq!(tophat(0.3968, 1.0), 1.0);
        assert_eq!(tophat(0.3969, 1.0), 0.0);
        assert_eq!(tophat(0.3968, 1.1), 0.0);
    }

    #[test]
    fn the_ellipsoid_amplitude_is_the_root_of_the_volume_ratio() {
        assert!((ELLIPSOID_AMPLITUDE - (PI / 6.0).sqrt()).abs() < 1e-15);
    }
}
