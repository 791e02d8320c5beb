//! Numbers with derivatives.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::real::{Real, Scalar};

/// A value and its derivatives by `N` parameters.
///
/// A formula written over [`Scalar`] gives, for a `Dual`, its value and its exact derivatives
/// together (forward differentiation). The value goes through the same operations as a plain
/// number, so it has the same bits. `Dual<N, Dual<M>>` gives second derivatives: its derivatives
/// have derivatives.
///
/// A derivative of the form 0 times infinity is 0, not NaN. Examples are the square root of a constant 0,
/// and an exponential that has underflowed.
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
    /// The value.
    pub real: T,
    /// The derivative by each parameter.
    pub derivatives: [T; N],
}

impl<const N: usize, T: Real> Dual<N, T> {
    /// A number that depends on no parameter: all derivatives are 0.
    #[inline(always)]
    pub fn constant(real: T) -> Self {
        Self {
            real,
            derivatives: [T::from_f64(0.0); N],
        }
    }

    /// Parameter number `index`: its derivative by itself is 1, by the others 0. An index of `N` or more
    /// gives a constant.
    #[inline(always)]
    pub fn variable(real: T, index: usize) -> Self {
        let mut variable = Self::constant(real);
        if let Some(derivative) = variable.derivatives.get_mut(index) {
            *derivative = T::from_f64(1.0);
        }
        variable
    }

    /// `f(self)` by the chain rule, with `value` = f(x) and `slope` = f'(x).
    #[inline(always)]
    fn chain(self, value: T, slope: T) -> Self {
        Self {
            real: value,
            derivatives: self.derivatives.map(|d| slope * d),
        }
    }

    /// A function of two numbers with the value `real`; `derivative` combines two derivatives by a parameter.
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
    /// `f(self)` by the chain rule. If `is_singular` (the slope is infinite), a derivative of 0
    /// stays 0.
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

    /// `(a/b)' = (a' - (a/b) b')/b`. Unlike `(a' b - a b')/b^2` this cannot overflow in `b^2`, and
    /// one division serves all derivatives.
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
        // exp(-inf) = 0. An exponent of -inf often has infinite derivatives, and 0 times infinity
        // would be NaN.
        if power.value() == 0.0 {
            return Self::constant(power);
        }
        self.chain(power, power)
    }

    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let (opposite, adjacent) = (self.real, x.real);
        // d atan2(y, x) = (x dy - y dx)/(x^2 + y^2).
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

    /// The error allowed a central difference with the step below, for a derivative of size 1.
    const DIFFERENCE: f64 = 1e-8;
    const STEP: f64 = 1e-5;

    /// A formula with every operation, well defined for x and y in [0.5, 2].
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
        fn second_derivatives_meet_central_differences_of_the_first(x in 0.5..2.0, y in 0.5..2.0) {
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
            // The order of a mixed derivative does not matter.
            let mixed = z.derivatives[0].derivatives[1] - z.derivatives[1].derivatives[0];
            prop_assert!(mixed.abs() < 1e-13);
        }
    }

    #[test]
    fn the_root_of_a_constant_zero_has_derivative_zero() {
        let root = Dual::<1>::constant(0.0).sqrt();
        assert_eq!(root, Dual::constant(0.0));
    }

    #[test]
    fn an_exponential_that_has_underflowed_has_derivative_zero() {
        let x = Dual::<1> {
            real: f64::NEG_INFINITY,
            derivatives: [f64::INFINITY],
        };
        assert_eq!(x.exp(), Dual::constant(0.0));
    }

    #[test]
    fn a_zero_with_derivatives_is_not_zero() {
        assert!(Dual::<1>::constant(0.0).is_zero());
        assert!(!Dual::<1>::variable(0.0, 0).is_zero());
    }
}
