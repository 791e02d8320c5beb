//! Numbers that carry derivatives along with their value.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::real::{Real, Scalar};

/// A value and its derivatives by `N` parameters.
///
/// A formula written over [`Scalar`] gives, for a `Dual`, its value and its exact derivatives
/// together (forward differentiation). The value comes from the very operations that a plain number
/// would go through, so it has the same bits. Over `Dual<M>` instead of `f64` the derivatives have
/// derivatives of their own, which gives second ones.
///
/// Where a derivative would be 0 times infinity (a square root at 0, an exponential that has
/// underflowed) and what stands under it does not change, it is 0 and not NaN.
///
/// ```
/// use nanobragg_numeric::{Dual, Scalar};
///
/// // x sin x at 2: the derivative is sin 2 + 2 cos 2.
/// let x = Dual::<1>::variable(2.0, 0);
/// let y = x * x.sin();
/// assert_eq!(y.value(), 2.0 * 2.0_f64.sin());
/// assert!((y.derivatives[0] - (2.0_f64.sin() + 2.0 * 2.0_f64.cos())).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<const N: usize, T = f64> {
    /// The number itself.
    pub real: T,
    /// Its derivative by each parameter.
    pub derivatives: [T; N],
}

impl<const N: usize, T: Real> Dual<N, T> {
    /// A number that no parameter changes.
    #[inline(always)]
    pub fn constant(real: T) -> Self {
        Self {
            real,
            derivatives: [T::from_f64(0.0); N],
        }
    }

    /// The parameter of this index itself: its derivative by itself is 1. An index beyond `N` gives
    /// a constant.
    #[inline(always)]
    pub fn variable(real: T, index: usize) -> Self {
        let mut variable = Self::constant(real);
        if let Some(derivative) = variable.derivatives.get_mut(index) {
            *derivative = T::from_f64(1.0);
        }
        variable
    }

    /// `f(self)` from its value and its first derivative.
    #[inline(always)]
    fn chain(self, value: T, slope: T) -> Self {
        Self {
            real: value,
            derivatives: self.derivatives.map(|d| slope * d),
        }
    }

    #[inline(always)]
    fn zip(self, other: Self, real: T, derivative: impl Fn(T, T) -> T) -> Self {
        let mut derivatives = self.derivatives;
        for (mine, theirs) in derivatives.iter_mut().zip(other.derivatives) {
            *mine = derivative(*mine, theirs);
        }
        Self { real, derivatives }
    }
}

impl<const N: usize, T: Scalar> Dual<N, T> {
    /// `f(self)`, where a slope that is infinite leaves derivatives of 0 alone.
    #[inline(always)]
    fn chain_guarded(self, value: T, slope: T, is_singular: bool) -> Self {
        Self {
            real: value,
            derivatives: self.derivatives.map(|d| {
                if is_singular && d.is_zero() {
                    d
                } else {
                    slope * d
                }
            }),
        }
    }
}

impl<const N: usize, T: Real> Add for Dual<N, T> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, self.real + other.real, |a, b| a + b)
    }
}

impl<const N: usize, T: Real> Sub for Dual<N, T> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, self.real - other.real, |a, b| a - b)
    }
}

#[allow(clippy::suspicious_arithmetic_impl, reason = "the product rule adds")]
impl<const N: usize, T: Real> Mul for Dual<N, T> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (x, y) = (self.real, other.real);
        self.zip(other, x * y, |a, b| a * y + x * b)
    }
}

#[allow(
    clippy::suspicious_arithmetic_impl,
    reason = "the quotient rule subtracts and multiplies"
)]
impl<const N: usize, T: Real> Div for Dual<N, T> {
    type Output = Self;

    /// The derivative is written `(a' - (a/b) b')/b`, which never squares the divisor; one division
    /// serves all derivatives.
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let quotient = self.real / other.real;
        let inverse = T::from_f64(1.0) / other.real;
        self.zip(other, quotient, |a, b| (a - quotient * b) * inverse)
    }
}

impl<const N: usize, T: Real> Neg for Dual<N, T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self {
            real: -self.real,
            derivatives: self.derivatives.map(|d| -d),
        }
    }
}

macro_rules! assigning_operators {
    ($($trait:ident $method:ident $op:tt),+) => {$(
        impl<const N: usize, T: Real> $trait for Dual<N, T> {
            #[inline(always)]
            fn $method(&mut self, other: Self) {
                *self = *self $op other;
            }
        }
    )+};
}

assigning_operators!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *);

impl<const N: usize, T: Scalar> Real for Dual<N, T> {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        Self::constant(T::from_f64(x))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.real.sqrt();
        let slope = T::from_f64(0.5) / root;
        self.chain_guarded(root, slope, root.value() == 0.0)
    }
}

impl<const N: usize, T: Scalar> Scalar for Dual<N, T> {
    #[inline(always)]
    fn value(self) -> f64 {
        self.real.value()
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.real.is_zero() && self.derivatives.iter().all(|d| d.is_zero())
    }

    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.real.sin(), self.real.cos())
    }

    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.real.cos(), -self.real.sin())
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let power = self.real.exp();
        // Where it has underflowed it is flat, however fast the exponent runs.
        if power.value() == 0.0 {
            return Self::constant(power);
        }
        self.chain(power, power)
    }

    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let (opposite, adjacent) = (self.real, x.real);
        let squared = opposite * opposite + adjacent * adjacent;
        self.zip(x, opposite.atan2(adjacent), |a, b| {
            (a * adjacent - opposite * b) / squared
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How well a central difference with the step below meets a derivative of size 1.
    const DIFFERENCE: f64 = 1e-8;
    const STEP: f64 = 1e-5;

    /// Something with every operation in it, well defined for x and y in [0.5, 2].
    fn formula<T: Scalar>(x: T, y: T) -> T {
        let mut z = x.sin() * y.cos() - (x / y).sqrt() + (-x * y).exp();
        z *= x.atan2(y);
        z += T::from_f64(2.0) * y;
        z -= x * x;
        z / (T::from_f64(3.0) + y)
    }

    proptest! {
        #[test]
        fn derivatives_meet_central_differences(x in 0.5..2.0, y in 0.5..2.0) {
            let z = formula(Dual::<2>::variable(x, 0), Dual::variable(y, 1));
            prop_assert_eq!(z.value().to_bits(), formula(x, y).to_bits());
            let by_x = (formula(x + STEP, y) - formula(x - STEP, y)) / (2.0 * STEP);
            let by_y = (formula(x, y + STEP) - formula(x, y - STEP)) / (2.0 * STEP);
            prop_assert!((z.derivatives[0] - by_x).abs() < DIFFERENCE);
            prop_assert!((z.derivatives[1] - by_y).abs() < DIFFERENCE);
        }

        #[test]
        fn second_derivatives_are_those_of_the_first(x in 0.5..2.0, y in 0.5..2.0) {
            let seed = |value, index| Dual::<2, Dual<2>> {
                real: Dual::variable(value, index),
                derivatives: std::array::from_fn(|i| Dual::constant(if i == index { 1.0 } else { 0.0 })),
            };
            let z = formula(seed(x, 0), seed(y, 1));
            let first = |x, y| formula(Dual::<2>::variable(x, 0), Dual::variable(y, 1)).derivatives;
            for i in 0..2 {
                let by_x = (first(x + STEP, y)[i] - first(x - STEP, y)[i]) / (2.0 * STEP);
                let by_y = (first(x, y + STEP)[i] - first(x, y - STEP)[i]) / (2.0 * STEP);
                prop_assert!((z.derivatives[i].derivatives[0] - by_x).abs() < 10.0 * DIFFERENCE);
                prop_assert!((z.derivatives[i].derivatives[1] - by_y).abs() < 10.0 * DIFFERENCE);
            }
            // Mixed ones agree whichever comes first.
            let mixed = z.derivatives[0].derivatives[1] - z.derivatives[1].derivatives[0];
            prop_assert!(mixed.abs() < 1e-13);
        }
    }

    #[test]
    fn a_root_of_a_constant_zero_is_flat() {
        let root = Dual::<1>::constant(0.0).sqrt();
        assert_eq!(root, Dual::constant(0.0));
    }

    #[test]
    fn an_exponential_that_has_underflowed_is_flat() {
        let x = Dual::<1> {
            real: f64::NEG_INFINITY,
            derivatives: [f64::INFINITY],
        };
        assert_eq!(x.exp(), Dual::constant(0.0));
    }

    #[test]
    fn zero_is_only_what_no_parameter_moves() {
        assert!(Dual::<1>::constant(0.0).is_zero());
        assert!(!Dual::<1>::variable(0.0, 0).is_zero());
    }
}
