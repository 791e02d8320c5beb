//! The number types a formula of this program can be written over.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// What every number below a formula can do: the four operations and a square root.
///
/// Implemented by single numbers (`f64`) and by SIMD lanes, so nothing here may branch on a value.
pub trait Real:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// The constant `x` in this number type.
    fn from_f64(x: f64) -> Self;

    /// The square root.
    fn sqrt(self) -> Self;
}

/// A single number, with the transcendental functions and a value to branch on.
///
/// Implemented by `f64` and by anything that carries derivatives along with a value.
pub trait Scalar: Real {
    /// The plain value, for decisions.
    fn value(self) -> f64;

    /// Whether this is 0 and no parameter moves it. A number that carries derivatives is 0 only if
    /// all of them are 0 too: a rotation by it may then be left out.
    #[inline(always)]
    fn is_zero(self) -> bool {
        self.value() == 0.0
    }

    /// The sine of an angle in radians.
    fn sin(self) -> Self;

    /// The cosine of an angle in radians.
    fn cos(self) -> Self;

    /// The exponential function.
    fn exp(self) -> Self;

    /// The angle of the point (x, self) in radians, in (-pi, pi].
    fn atan2(self, x: Self) -> Self;
}

impl Real for f64 {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn value(self) -> f64 {
        self
    }

    #[inline(always)]
    fn sin(self) -> Self {
        self.sin()
    }

    #[inline(always)]
    fn cos(self) -> Self {
        self.cos()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        self.atan2(x)
    }
}
