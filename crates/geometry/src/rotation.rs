//! Rotations of vectors: about an axis, about the laboratory axes, and by a matrix.
//!
//! All rotations are active (they move the vector, not the axes) and right-handed. Every function
//! keeps the order of operations of the reference program, so that a placement or an orientation
//! agrees with it to the last bit.

use nanobragg_numeric::{Real, Scalar};

use crate::vector::{cross, dot};

/// The rotation that leaves everything in place, as rows x, y, z.
pub const IDENTITY: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// `v` rotated about `axis` by `angle_rad`, right-handed:
/// `v' = k (k.v)(1 - cos) + v cos + (k x v) sin` with `k` the axis.
///
/// The axis is not normalised, as in the reference program. With an axis of another length than 1
/// the formula is not a rotation: it changes lengths and angles.
///
/// # Source
/// O. Rodrigues, J. Math. Pures Appl. 5 (1840) 380.
#[inline]
pub fn rotate_about<T: Scalar>(v: [T; 3], axis: [T; 3], angle_rad: T) -> [T; 3] {
    let sin = angle_rad.sin();
    let cos = angle_rad.cos();
    let [x, y, z] = axis;
    // The part of `v` along the axis does not turn: cos and 1 - cos of it add up to all of it.
    let along = (x * v[0] + y * v[1] + z * v[2]) * (T::from_f64(1.0) - cos);
    // The brackets are the components of k x v, with the terms in the order of the reference.
    [
        x * along + v[0] * cos + (-z * v[1] + y * v[2]) * sin,
        y * along + v[1] * cos + (z * v[0] - x * v[2]) * sin,
        z * along + v[2] * cos + (-y * v[0] + x * v[1]) * sin,
    ]
}

/// `v` rotated about the laboratory X, then Y, then Z axis by the three angles.
///
/// An angle of exactly zero is not applied, so that it does not change a bit of the vector. A zero
/// with a derivative is applied: the value stays the same, but the derivative does not.
#[inline]
pub fn rotate_xyz<T: Scalar>(v: [T; 3], angles_rad: [T; 3]) -> [T; 3] {
    let [mut x, mut y, mut z] = v;
    let [about_x, about_y, about_z] = angles_rad;
    (y, z) = turn(y, z, about_x);
    if !about_y.is_zero() {
        let sin = about_y.sin();
        let cos = about_y.cos();
        // The reference program adds `0 y` in this rotation only. The term matters if the result is
        // zero: -0 + 0 is +0, so it can change the sign that is printed.
        let zero = y * T::from_f64(0.0);
        (x, z) = (x * cos + zero + z * sin, x * -sin + zero + z * cos);
    }
    (x, y) = turn(x, y, about_z);
    [x, y, z]
}

/// The pair `(p, q)` turned by `angle_rad` from p towards q: `(p cos - q sin, p sin + q cos)`.
#[inline(always)]
fn turn<T: Scalar>(p: T, q: T, angle_rad: T) -> (T, T) {
    if angle_rad.is_zero() {
        return (p, q);
    }
    let sin = angle_rad.sin();
    let cos = angle_rad.cos();
    (p * cos - q * sin, p * sin + q * cos)
}

/// The product `matrix v`. The matrix is given as rows x, y, z.
#[inline(always)]
pub fn rotate_by<T: Real>(matrix: &[[T; 3]; 3], v: [T; 3]) -> [T; 3] {
    let [x, y, z] = matrix;
    [
        x[0] * v[0] + x[1] * v[1] + x[2] * v[2],
        y[0] * v[0] + y[1] * v[1] + y[2] * v[2],
        z[0] * v[0] + z[1] * v[1] + z[2] * v[2],
    ]
}

/// How far a matrix by rows is from a rotation: the largest error of a product of two rows, and of a row from the cross product of the others: a reflection
/// is as far from a rotation as can be.
pub fn distance_from_rotation(&[x, y, z]: &[[f64; 3]; 3]) -> f64 {
    let products = [(x, x), (y, y), (z, z)].map(|(v, w)| dot(v, w) - 1.0);
    let angles = [dot(x, y), dot(y, z), dot(z, x)];
    let [nx, ny, nz] = cross(x, y);
    let handed = [nx - z[0], ny - z[1], nz - z[2]];
    [products, angles, handed]
        .as_flattened()
        .iter()
        .fold(0.0, |largest, error| error.abs().max(largest))
}

/// The matrix with rows and columns exchanged.
pub fn transposed<T: Copy>(matrix: &[[T; 3]; 3]) -> [[T; 3]; 3] {
    [0, 1, 2].map(|i| matrix.map(|row| row[i]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    fn assert_near(actual: [f64; 3], expected: [f64; 3]) {
        for (a, e) in actual.into_iter().zip(expected) {
            assert!((a - e).abs() < 1e-15, "{actual:?} is not {expected:?}");
        }
    }

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        let z = [0.0, 0.0, 1.0];
        assert_near(rotate_about([1.0, 0.0, 0.0], z, FRAC_PI_2), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn the_laboratory_axes_are_turned_about_in_the_order_x_y_z() {
        let quarter_turns = [FRAC_PI_2; 3];
        // z -> -y about X, stays about Y, -> x about Z.
        assert_near(rotate_xyz([0.0, 0.0, 1.0], quarter_turns), [1.0, 0.0, 0.0]);
        // x stays about X, -> -z about Y, stays about Z.
        assert_near(rotate_xyz([1.0, 0.0, 0.0], quarter_turns), [0.0, 0.0, -1.0]);
    }

    #[test]
    fn each_laboratory_angle_agrees_with_the_axis_formula() {
        let v = [0.3, -1.7, 2.2];
        for (axis, unit) in IDENTITY.into_iter().enumerate() {
            let mut angles = [0.0; 3];
            angles[axis] = 0.7;
            assert_near(rotate_xyz(v, angles), rotate_about(v, unit, 0.7));
        }
    }

    #[test]
    fn zero_angles_keep_the_sign_of_zero() {
        let rotated = rotate_xyz([-0.0, -0.0, -1.0], [0.0, -0.0, 0.0]);
        assert!(rotated[0].is_sign_negative() && rotated[1].is_sign_negative());
    }

    #[test]
    fn an_axis_of_another_length_is_not_normalised() {
        let double = rotate_about([0.0, 0.0, 1.0], [0.0, 0.0, 2.0], FRAC_PI_2);
        assert_near(double, [0.0, 0.0, 4.0]);
    }

    #[test]
    fn the_identity_matrix_leaves_a_vector_alone() {
        assert_eq!(rotate_by(&IDENTITY, [1.5, -2.5, 3.5]), [1.5, -2.5, 3.5]);
    }

    #[test]
    fn a_matrix_is_read_by_rows() {
        let z_to_x = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        assert_eq!(rotate_by(&z_to_x, [0.0, 0.0, 1.0]), [1.0, 0.0, 0.0]);
    }
}
