//! The traits of the number types that a formula may be written over.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A number with the four operations and a square root.
///
/// Implemented by single numbers (`f64`) and by SIMD lanes. A formula over `Real` cannot branch on
/// a value, because the lanes of one vector may need different branches.
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

/// A single number with transcendental functions, whose value may be branched on.
///
/// Implemented by `f64` and by [`Dual`](crate::Dual).
pub trait Scalar: Real {
    /// The value without derivatives, to branch on.
    fn value(self) -> f64;

    /// Whether the value and all derivatives are 0. A rotation by such an angle may be skipped.
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
