//! The outer shape of the crystal and its lattice factor: the amplitude of a finite lattice near a
//! reciprocal-lattice point. All formulas of the shapes are in this file.
//!
//! The formulas are generic over the number type. For `f64` every operation is in the order of the C
//! program, so that the value agrees with it to the last bit. Two of the formulas are quotients of
//! two numbers that vanish together. The derivative of such a quotient loses its digits. Both are
//! therefore methods of the number type, [`LatticeNumber`]: `f64` uses the formula of the C program,
//! and a [`Dual`] uses a power series near the zeros.

use std::f64::consts::{LOG2_E, PI};
use std::fmt;

use nanobragg_numeric::{Dual, Real, Scalar};
use serde::{Deserialize, Serialize};

use crate::constants::{ELLIPSOID_AMPLITUDE, GAUSS_RADIUS_SQUARED, TOPHAT_RADIUS_SQUARED};

/// The outer shape of the crystal, which determines the shape of every spot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A parallelepiped of cells: spots with the fringes of a grating.
    #[default]
    Square,
    /// An ellipsoid: round spots with fringes.
    Round,
    /// Round spots without fringes.
    Gauss,
    /// Spots of constant amplitude inside a sphere and of zero amplitude outside it.
    Tophat,
}

impl Shape {
    /// The names of all shapes in a file, in words.
    pub const NAMES: &'static str = "square, round, gauss or tophat";

    /// The reason why an image has no derivative by the number of cells; `None` if it has one.
    pub const fn no_derivative_by_cells(self) -> Option<&'static str> {
        match self {
            Self::Tophat => Some("a top-hat ends abruptly where the number of cells says"),
            Self::Square | Self::Round | Self::Gauss => None,
        }
    }

    /// The reason why an image has no derivative by the factor on the squared radius; `None` if it
    /// has one.
    pub const fn no_derivative_by_fudge(self) -> Option<&'static str> {
        match self {
            Self::Tophat => Some("a top-hat ends abruptly where fudge says"),
            Self::Square => Some("a parallelepiped does not look at it"),
            Self::Round | Self::Gauss => None,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Square => "parallelepiped",
            Self::Round => "ellipsoid",
            Self::Gauss => "gaussian",
            Self::Tophat => "top-hat",
        })
    }
}

/// How the radius of a Gaussian and of a top-hat is measured. That of an ellipsoid is always in indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotMetric {
    /// As a distance in 1/Angstrom times the number of all cells, as in the C program: all spots are round,
    /// and far too narrow. simtbx calls this shape `gauss_star`.
    #[default]
    Reciprocal,
    /// In fractional indices times the number of cells along each edge, so that a spot is as wide as that of a
    /// parallelepiped. This is the shape `gauss` of simtbx and diffBragg.
    Hkl,
}

impl SpotMetric {
    /// The names of all metrics in a file, in words.
    pub const NAMES: &'static str = "reciprocal or hkl";
}

/// A shape with the numbers that its lattice factor depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatticeShape<T = f64> {
    /// The outer shape.
    pub shape: Shape,
    /// Cells along a, b, c: the diagonal of the size tensor.
    pub cells: [T; 3],
    /// The rest of the size tensor: Nd between a and b, Ne between b and c, Nf between a and c. `None` if it
    /// is diagonal.
    pub tensor: Option<[T; 3]>,
    /// a*, b*, c* in 1/Angstrom. The radius of a Gaussian and of a top-hat is a distance in 1/Angstrom in
    /// the C program, while that of an ellipsoid is in fractional indices.
    pub reciprocal_per_angstrom: [[T; 3]; 3],
    /// How the radius of a Gaussian and of a top-hat is measured.
    pub metric: SpotMetric,
    /// Factor on the squared radius of every shape except [`Shape::Square`].
    pub fudge: T,
}

impl<T: Copy> LatticeShape<T> {
    /// The same shape in another number type. `lift` converts each number.
    #[inline(always)]
    pub fn map<U>(&self, lift: impl Fn(T) -> U) -> LatticeShape<U> {
        LatticeShape {
            shape: self.shape,
            cells: self.cells.map(&lift),
            tensor: self.tensor.map(|rest| rest.map(&lift)),
            reciprocal_per_angstrom: self.reciprocal_per_angstrom.map(|edge| edge.map(&lift)),
            metric: self.metric,
            fudge: lift(self.fudge),
        }
    }
}

impl<T: Scalar> LatticeShape<T> {
    /// The shape of a crystal whose edges are `ratio` times as long.
    pub fn scaled(&self, ratio: f64) -> Self {
        let scale = |n| n * T::from_f64(ratio);
        Self {
            cells: self.cells.map(scale),
            tensor: self.tensor.map(|rest| rest.map(scale)),
            ..*self
        }
    }

    /// The number of all cells: the determinant of the size tensor.
    #[inline(always)]
    pub fn all_cells(&self) -> T {
        let [a, b, c] = self.cells;
        let Some([d, e, f]) = self.tensor else {
            return a * b * c;
        };
        a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f)
    }

    /// `|N (dh, dk, dl)|^2` with the size tensor N; `dh^2 Na^2 + dk^2 Nb^2 + dl^2 Nc^2` if it is diagonal.
    ///
    /// # Source
    /// The tensor `[[Na, Nd, Nf], [Nd, Nb, Ne], [Nf, Ne, Nc]]` is that of diffBragg (Mendez et al. (2020),
    /// IUCrJ 7, 1151-1167).
    #[inline(always)]
    pub fn index_radius_squared(&self, [h, k, l]: [T; 3]) -> T {
        let [a, b, c] = self.cells;
        let squares = match self.tensor {
            // In the order of the C program.
            None => [h * h * a * a, k * k * b * b, l * l * c * c],
            Some([d, e, f]) => {
                let along = [
                    h * a + k * d + l * f,
                    h * d + k * b + l * e,
                    h * f + k * e + l * c,
                ];
                along.map(|x| x * x)
            }
        };
        squares[0] + squares[1] + squares[2]
    }
}

impl<T: LatticeNumber> LatticeShape<T> {
    /// The amplitude of all cells divided by that of one cell, at the fractional indices `hkl`.
    /// `nearest` are the integers nearest to them.
    ///
    /// With `dh = h - h0` and so on, and `N = Na Nb Nc`:
    /// ```text
    /// Square   product over the axes with N other than 1 of sin(pi N h)/sin(pi h)
    /// Round    N sqrt(pi/6) sinc3(pi sqrt(fudge (dh^2 Na^2 + dk^2 Nb^2 + dl^2 Nc^2)))
    /// Gauss    N gauss(r2, fudge)    r2 = |dh a* + dk b* + dl c*|^2 N^2, in 1/A^2
    /// Tophat   N tophat(r2, fudge)   or dh^2 Na^2 + dk^2 Nb^2 + dl^2 Nc^2 with the metric of hkl
    /// ```
    /// With a size tensor, N is its determinant and the sum of squares is that of its product with the offset.
    /// For a parallelepiped the sign is that of the C program for `f64`; numbers with derivatives can
    /// have the other sign. Intensities do not depend on it.
    #[inline(always)]
    pub fn factor(&self, hkl: [T; 3], nearest: [f64; 3]) -> T {
        let total = self.all_cells();
        let offset = || -> [T; 3] { std::array::from_fn(|i| hkl[i] - T::from_f64(nearest[i])) };
        match self.shape {
            Shape::Square => {
                let mut amplitude = T::from_f64(1.0);
                for axis in 0..3 {
                    // The factor of one cell is sin(x)/sin(x) = 1; computing it would add rounding
                    // errors and fail at x = 0 for a derivative.
                    if self.cells[axis].value() != 1.0 {
                        amplitude *= T::grating(hkl[axis], nearest[axis], self.cells[axis]);
                    }
                }
                amplitude
            }
            Shape::Round => {
                let radius_squared = self.index_radius_squared(offset()) * self.fudge;
                total * T::from_f64(ELLIPSOID_AMPLITUDE) * T::ball(radius_squared)
            }
            Shape::Gauss => total * gauss(self.peak_radius_squared(offset()), self.fudge),
            Shape::Tophat => total * tophat(self.peak_radius_squared(offset()), self.fudge),
        }
    }

    /// The squared radius of a Gaussian and of a top-hat.
    #[inline(always)]
    fn peak_radius_squared(&self, offset: [T; 3]) -> T {
        match self.metric {
            SpotMetric::Hkl => self.index_radius_squared(offset),
            SpotMetric::Reciprocal => self.reciprocal_radius_squared(offset),
        }
    }

    /// `|dh a* + dk b* + dl c*|^2 (Na Nb Nc)^2`.
    #[inline(always)]
    fn reciprocal_radius_squared(&self, offset: [T; 3]) -> T {
        let [a_star, b_star, c_star] = &self.reciprocal_per_angstrom;
        let [x, y, z]: [T; 3] = std::array::from_fn(|axis| {
            offset[0] * a_star[axis] + offset[1] * b_star[axis] + offset[2] * c_star[axis]
        });
        // The C program multiplies by the number of all cells in every direction, where the number
        // along the direction was meant: a spot of 20 x 20 x 20 cells is 400 times too narrow, times
        // the edge of the cell in Angstrom.
        let [na, nb, nc] = self.cells;
        (x * x + y * y + z * z) * na * na * nb * nb * nc * nc
    }
}

/// Lattice factors for sums over many pixels: what does not depend on the pixel is multiplied out
/// beforehand. Rounding errors differ from those of [`LatticeShape::factor`] in the last digits of an `f64`.
impl LatticeShape {
    /// The amplitude of a Gaussian or a ball at the centre of a spot, as a multiple of that of one cell.
    #[inline(always)]
    pub fn peak(&self) -> f64 {
        let total = self.all_cells();
        match self.shape {
            Shape::Round => total * ELLIPSOID_AMPLITUDE,
            Shape::Square | Shape::Gauss | Shape::Tophat => total,
        }
    }

    /// The form `[hh, kk, ll, hk, hl, kl]` whose value at the offsets is the logarithm to base 2 of a
    /// Gaussian over its peak: `-r2 fudge/0.63 log2(e)`, with the `r2` of [`LatticeShape::factor`].
    #[inline(always)]
    pub fn gaussian_form(&self) -> [f64; 6] {
        let [na, nb, nc] = self.cells;
        let scale = -self.fudge / GAUSS_RADIUS_SQUARED * LOG2_E;
        if self.metric == SpotMetric::Hkl {
            let [d, e, f] = self.tensor.unwrap_or_default();
            return [
                na * na + d * d + f * f,
                d * d + nb * nb + e * e,
                f * f + e * e + nc * nc,
                2.0 * (na * d + d * nb + f * e),
                2.0 * (na * f + d * e + f * nc),
                2.0 * (d * f + nb * e + e * nc),
            ]
            .map(|product| scale * product);
        }
        let [a, b, c] = self.reciprocal_per_angstrom;
        let dot = |v: [f64; 3], w: [f64; 3]| v[0] * w[0] + v[1] * w[1] + v[2] * w[2];
        let total = na * nb * nc;
        let scale = scale * (total * total);
        [
            dot(a, a),
            dot(b, b),
            dot(c, c),
            2.0 * dot(a, b),
            2.0 * dot(a, c),
            2.0 * dot(b, c),
        ]
        .map(|product| scale * product)
    }

    /// The factors of `dh^2`, `dk^2` and `dl^2` in the squared radius of a ball; `None` with a size tensor.
    #[inline(always)]
    pub fn ball_form(&self) -> Option<[f64; 3]> {
        let form = self.cells.map(|n| n * n * self.fudge);
        self.tensor.is_none().then_some(form)
    }
}

/// A number type for lattice factors.
///
/// The default methods are the closed formulas, which numbers without derivatives use.
pub trait LatticeNumber: Scalar {
    /// The transform of a grating of `n` lines, more than one, at a fractional index:
    /// `sin(pi n h)/sin(pi h)`. `nearest` is the integer nearest to the index.
    ///
    /// With a fractional `n` this has not the period of the lattice. The offset of the index from the nearest
    /// integer then replaces the index, so that all spots are alike.
    #[inline(always)]
    fn grating(index: Self, nearest: f64, n: Self) -> Self {
        let is_whole = n.value().fract() == 0.0;
        let offset = if is_whole { 0.0 } else { nearest };
        sincg(Self::from_f64(PI) * (index - Self::from_f64(offset)), n)
    }

    /// The transform of a ball at `pi r`, [`sinc3`], given the square of r.
    #[inline(always)]
    fn ball(radius_squared: Self) -> Self {
        sinc3(Self::from_f64(PI) * radius_squared.sqrt())
    }
}

impl LatticeNumber for f64 {}

impl<const N: usize, T: Scalar> LatticeNumber for Dual<N, T> {
    /// `sin(pi n d)/sin(pi d)`, where `d` is the offset of the index from the nearest integer. For an
    /// integer `n` this is the closed formula, up to the sign.
    ///
    /// Near an integer index other than 0 the closed formula divides two numbers of about 1e-16. Its
    /// value is that of the C program, but its derivative has no correct digit. With `d` both sines
    /// are power series near the integer and keep all digits.
    ///
    /// The derivative by `n` needs a continuation between integers. The closed formula with a
    /// fractional `n` does not have the period of the lattice. The formula in `d` does: with it all
    /// spots grow in the same way.
    #[inline]
    fn grating(index: Self, nearest: f64, n: Self) -> Self {
        let x = Self::from_f64(PI) * (index - Self::from_f64(nearest));
        n * sinc(n * x) / sinc(x)
    }

    /// A function of the square of the radius. A root has no derivative at the centre of a spot, and
    /// the transform does not need one, because it is an even function.
    #[inline]
    fn ball(radius_squared: Self) -> Self {
        sinc3_of_square(Self::from_f64(PI * PI) * radius_squared)
    }
}

/// The transform of a grating of `n` lines, `sin(n x)/sin(x)`, and n at x = 0.
#[inline(always)]
pub fn sincg<T: Scalar>(x: T, n: T) -> T {
    if x.value() == 0.0 {
        return n;
    }
    (x * n).sin() / x.sin()
}

/// The transform of a ball, `3 (sin x/x - cos x)/x^2`, and 1 at x = 0.
#[inline(always)]
pub fn sinc3<T: Scalar>(x: T) -> T {
    if x.value() == 0.0 {
        return T::from_f64(1.0);
    }
    T::from_f64(3.0) * (x.sin() / x - x.cos()) / (x * x)
}

/// The Gaussian `exp(-(r2/0.63) fudge)` of a squared radius.
#[inline(always)]
fn gauss<T: Scalar>(radius_squared: T, fudge: T) -> T {
    (-(radius_squared / T::from_f64(GAUSS_RADIUS_SQUARED) * fudge)).exp()
}

/// 1 if `r2 fudge < 0.3969`, and 0 otherwise.
#[inline(always)]
fn tophat<T: Scalar>(radius_squared: T, fudge: T) -> T {
    let inside = radius_squared.value() * fudge.value() < TOPHAT_RADIUS_SQUARED;
    T::from_f64(if inside { 1.0 } else { 0.0 })
}

/// Below this square of the argument the series are used. There each term is smaller than the one
/// before it.
const SERIES_END: f64 = 1.0;

/// The number of terms of the series. At [`SERIES_END`] the next one is below 1e-19 of the first.
const TERMS: u32 = 10;

/// `sin(x)/x`, and 1 at x = 0.
#[inline]
fn sinc<T: Scalar>(x: T) -> T {
    let squared = x * x;
    if squared.value() >= SERIES_END {
        return x.sin() / x;
    }
    // The sum of (-x^2)^k/(2k + 1)!. A term divided by the one before it is -x^2/(2k (2k + 1)).
    series(squared, |k| (2 * k) * (2 * k + 1))
}

/// [`sinc3`] as a function of the square of its argument.
#[inline]
fn sinc3_of_square<T: Scalar>(squared: T) -> T {
    if squared.value() >= SERIES_END {
        let x = squared.sqrt();
        return T::from_f64(3.0) * (x.sin() / x - x.cos()) / squared;
    }
    // The sum of (-x^2)^k 6 (k + 1)/(2k + 3)!. A term divided by the one before it is
    // -x^2/(2k (2k + 3)).
    series(squared, |k| 2 * k * (2 * k + 3))
}

/// `1 - z/d1 (1 - z/d2 (1 - ...))`, where `divisor` returns d1, d2 and so on. It is the Horner form
/// of a series whose terms have the ratios `-z/d1`, `-z/d2` and so on.
#[inline]
fn series<T: Scalar>(z: T, divisor: impl Fn(u32) -> u32) -> T {
    let mut sum = T::from_f64(1.0);
    for k in (1..TERMS).rev() {
        sum = T::from_f64(1.0) - z * sum / T::from_f64(f64::from(divisor(k)));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rounding of a few operations on numbers of size 1.
    const ROUNDING: f64 = 1e-13;

    const ALL: [Shape; 4] = [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat];

    fn of(shape: Shape, cells: [f64; 3], fudge: f64) -> LatticeShape {
        LatticeShape {
            shape,
            cells,
            reciprocal_per_angstrom: [[0.02, 0.001, 0.0], [0.0, 0.015, 0.002], [0.0, 0.0, 0.018]],
            tensor: None,
            metric: SpotMetric::Reciprocal,
            fudge,
        }
    }

    /// A grating of whole n at an offset, with its derivative.
    fn grating(d: f64, n: f64) -> Dual<1> {
        LatticeNumber::grating(Dual::variable(d, 0), 0.0, Dual::from_f64(n))
    }

    proptest! {
        #[test]
        fn numbers_with_derivatives_have_the_same_value_up_to_its_sign(
            offset in [-0.5..0.5, -0.5..0.5, -0.5..0.5],
            cells in [1..9_i32, 1..9_i32, 1..9_i32],
            fudge in 0.5..2.0,
        ) {
            let cells = cells.map(f64::from);
            let total: f64 = cells.iter().product();
            for shape in ALL {
                let shape = of(shape, cells, fudge);
                let plain = shape.factor(offset, [0.0; 3]);
                let dual = shape
                    .map(Dual::<1>::from_f64)
                    .factor(offset.map(Dual::from_f64), [0.0; 3])
                    .value();
                prop_assert!((dual.abs() - plain.abs()).abs() < ROUNDING * total, "{shape:?}");
            }
        }

        #[test]
        fn the_derivative_of_a_grating_is_that_of_its_cosine_series(d in -0.5..0.5, n in 2..9_i32) {
            // sin(n x)/sin(x) = sum of cos((n - 1 - 2 k) x) for k below n.
            let x = PI * d;
            let frequency = |k: i32| -> f64 { f64::from(n - 1 - 2 * k) };
            let expected: f64 =
                (0..n).map(|k| -PI * frequency(k) * f64::sin(frequency(k) * x)).sum();
            let [found] = grating(d, f64::from(n)).derivatives;
            prop_assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
    }

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
            assert!((sinc3(x) - sinc3_of_square(x * x)).abs() < 1e-11, "at {x}");
        }
        assert_eq!(sinc3(0.0), 1.0);
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
    fn derivatives_at_the_centre_of_a_spot_are_those_of_the_series() {
        // 1 - x^2/10: by the square, the derivative is -1/10.
        let at_centre = sinc3_of_square(Dual::<1>::variable(0.0, 0));
        assert_eq!(at_centre.derivatives, [-0.1]);
        // n (1 - (n^2 - 1) pi^2 d^2/6).
        let d = 1e-9;
        let expected = -5.0 * 24.0 * PI * PI * d / 3.0;
        assert!((grating(d, 5.0).derivatives[0] / expected - 1.0).abs() < 1e-14);
        assert_eq!(grating(0.0, 5.0).derivatives, [0.0]);
    }

    #[test]
    fn a_whole_index_other_than_zero_is_like_zero() {
        for n in [3.0, 4.0] {
            let far = sincg(PI * (7.0 + 0.03), n);
            assert!((far.abs() - grating(0.03, n).value().abs()).abs() < 1e-12);
        }
    }

    #[test]
    fn every_shape_peaks_at_the_number_of_cells_or_its_share() {
        let at = |shape| of(shape, [5.0, 4.0, 6.0], 1.0).factor([0.0; 3], [0.0; 3]);
        assert_eq!(at(Shape::Square), 120.0);
        assert_eq!(at(Shape::Gauss), 120.0);
        assert_eq!(at(Shape::Tophat), 120.0);
        assert_eq!(at(Shape::Round), 120.0 * ELLIPSOID_AMPLITUDE);
    }

    /// `det N exp(-|N dh|^2/0.63 fudge)` of diffBragg, with the matrix written out.
    #[test]
    fn a_gaussian_with_a_tensor_is_that_of_diffbragg() {
        let mut shape = of(Shape::Gauss, [12.0, 9.0, 15.0], 1.2);
        shape.tensor = Some([2.0, -3.0, 1.0]);
        shape.metric = SpotMetric::Hkl;
        let n = [[12.0, 2.0, 1.0], [2.0, 9.0, -3.0], [1.0, -3.0, 15.0]];
        // The determinant by Sarrus' rule.
        let determinant =
            12.0 * 9.0 * 15.0 + 2.0 * (2.0 * -3.0 * 1.0) - 9.0 - 12.0 * 9.0 - 15.0 * 4.0;
        for d in [[0.01, -0.02, 0.015], [0.0, 0.03, 0.0], [0.0; 3]] {
            let along = n.map(|row: [f64; 3]| row.iter().zip(d).map(|(n, d)| n * d).sum::<f64>());
            let squared: f64 = along.iter().map(|x| x * x).sum();
            let expected = determinant * (-squared / 0.63 * 1.2).exp();
            let factor = shape.factor(d, [0.0; 3]);
            assert!((factor / expected - 1.0).abs() < ROUNDING, "{d:?}");
            // The form of the lanes is the logarithm to base 2 over the peak.
            let [hh, kk, ll, hk, hl, kl] = shape.gaussian_form();
            let [h, k, l] = d;
            let form = hh * h * h + kk * k * k + ll * l * l + hk * h * k + hl * h * l + kl * k * l;
            assert!((shape.peak() * form.exp2() / factor - 1.0).abs() < ROUNDING);
        }
    }

    /// The photons of a spot are the integral of the squared lattice factor over the reciprocal cell. For a
    /// Gaussian it is `det N (pi 0.63/(2 fudge))^(3/2)` with any tensor, by the integral of a Gaussian form.
    #[test]
    fn the_photons_of_a_spot_grow_as_the_volume_of_the_domain() {
        for tensor in [None, Some([2.0, -1.0, 1.5])] {
            let mut shape = of(Shape::Gauss, [6.0, 5.0, 7.0], 1.0);
            shape.tensor = tensor;
            shape.metric = SpotMetric::Hkl;
            const STEPS: i32 = 60;
            let step = 1.0 / f64::from(STEPS);
            let at = |i: i32| (f64::from(i) + 0.5) * step - 0.5;
            let mut sum = 0.0;
            for h in 0..STEPS {
                for k in 0..STEPS {
                    for l in 0..STEPS {
                        sum += shape.factor([at(h), at(k), at(l)], [0.0; 3]).powi(2);
                    }
                }
            }
            let expected = shape.all_cells() * (PI * GAUSS_RADIUS_SQUARED / 2.0).powf(1.5);
            // The tails beyond half an index are cut off.
            let found = sum * step.powi(3);
            assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn a_parallelepiped_of_a_real_number_of_cells_has_equal_spots() {
        let shape = of(Shape::Square, [5.3, 2.5, 7.75], 1.0);
        let offset = [0.11, -0.07, 0.03];
        let at = |near: [f64; 3]| {
            let hkl = std::array::from_fn(|i| near[i] + offset[i]);
            shape.factor(hkl, near).abs()
        };
        let sine = |n: f64, d: f64| (PI * n * d).sin() / (PI * d).sin();
        let expected = (sine(5.3, 0.11) * sine(2.5, -0.07) * sine(7.75, 0.03)).abs();
        for near in [[0.0; 3], [3.0, -7.0, 12.0]] {
            assert!((at(near) / expected - 1.0).abs() < 1e-11, "{near:?}");
        }
    }

    #[test]
    fn an_axis_of_one_cell_has_no_fringes() {
        let shape = of(Shape::Square, [5.0, 5.0, 1.0], 1.0);
        let along_c = |l| shape.factor([0.0, 0.0, l], [0.0; 3]);
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
