//! Vectors of three components, over any [`Real`].
//!
//! Formulas take `[T; 3]`, so that they work for plain numbers, SIMD lanes and derivatives.
//! `nalgebra` stores and composes the results ([`Vec3`]). Additions are in the order of the
//! reference program: component by component, left to right, without fused multiply-add.

use nanobragg_numeric::{Real, Scalar};

/// A stored vector in the laboratory frame.
pub type Vec3 = nalgebra::Vector3<f64>;

/// The inner product `x . y`.
#[inline(always)]
pub fn dot<T: Real>(x: [T; 3], y: [T; 3]) -> T {
    x[0] * y[0] + x[1] * y[1] + x[2] * y[2]
}

/// The cross product `x cross y`.
#[inline(always)]
pub fn cross<T: Real>(x: [T; 3], y: [T; 3]) -> [T; 3] {
    [
        x[1] * y[2] - x[2] * y[1],
        x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0],
    ]
}

/// The sum `x + y`.
#[inline(always)]
pub fn add<T: Real>(x: [T; 3], y: [T; 3]) -> [T; 3] {
    [x[0] + y[0], x[1] + y[1], x[2] + y[2]]
}

/// The difference `x - y`.
#[inline(always)]
pub fn sub<T: Real>(x: [T; 3], y: [T; 3]) -> [T; 3] {
    [x[0] - y[0], x[1] - y[1], x[2] - y[2]]
}

/// The vector `s x`.
#[inline(always)]
pub fn scale<T: Real>(s: T, x: [T; 3]) -> [T; 3] {
    [s * x[0], s * x[1], s * x[2]]
}

/// The length of `x`.
#[inline(always)]
pub fn norm<T: Real>(x: [T; 3]) -> T {
    dot(x, x).sqrt()
}

/// The unit vector along `x`. A zero vector stays zero.
#[inline(always)]
pub fn unit<T: Scalar>(x: [T; 3]) -> [T; 3] {
    let length = norm(x);
    if length.value() == 0.0 {
        return [T::from_f64(0.0); 3];
    }
    // Three divisions, as in the reference program. A product with 1/length is rounded twice.
    [x[0] / length, x[1] / length, x[2] / length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cross_product_is_right_handed() {
        assert_eq!(cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_unit_vector_of_zero_is_zero() {
        assert_eq!(unit([0.0; 3]), [0.0; 3]);
        assert_eq!(unit([0.0, 3.0, 4.0]), [0.0, 0.6, 0.8]);
    }
}
