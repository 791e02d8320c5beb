//! The rotation of the crystal about the spindle.

use nanobragg_geometry::rotation::rotate_about;
use nanobragg_numeric::Scalar;

/// The angles `phi0 + step i` of a sweep, in radians, for i from 0 to `count` - 1.
///
/// ```
/// # use nanobragg_crystal::phi_angles_rad;
/// assert_eq!(phi_angles_rad(1.0, 0.5, 3).collect::<Vec<_>>(), [1.0, 1.5, 2.0]);
/// ```
pub fn phi_angles_rad(
    phi0_rad: f64,
    step_rad: f64,
    count: u32,
) -> impl ExactSizeIterator<Item = f64> + Clone {
    (0..count as usize).map(move |i| phi0_rad + step_rad * i as f64)
}

/// Three cell vectors, turned about the spindle by phi.
///
/// The C program skips a rotation by exactly 0 and uses the result of an earlier one (the oddity
/// `phi-zero`). This function does not; the caller reproduces the oddity.
pub fn rotate_by_phi<T: Scalar>(vectors: [[T; 3]; 3], spindle: [T; 3], phi_rad: T) -> [[T; 3]; 3] {
    vectors.map(|vector| rotate_about(vector, spindle, phi_rad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_about_z_takes_a_to_b() {
        let cell = [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]];
        let [a, _, c] = rotate_by_phi(cell, [0.0, 0.0, 1.0], std::f64::consts::FRAC_PI_2);
        assert!((a[1] - 2.0).abs() < 1e-15 && a[0].abs() < 1e-15);
        assert_eq!(c, [0.0, 0.0, 2.0]);
    }

    #[test]
    fn a_sweep_of_no_steps_is_empty() {
        assert_eq!(phi_angles_rad(0.0, 1.0, 0).len(), 0);
    }
}
