//! The unit cell: three edges and three angles.

use nanobragg_geometry::in_unit::{self, Quantity};
use nanobragg_numeric::Scalar;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::constants::DEGREES_PER_RADIAN;
use crate::error::Error;

/// A unit cell as a user gives it.
///
/// Edges are in Angstrom, not metres, because all formulas up to the direct basis use Angstrom. A
/// conversion to metres and back would change their last bits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound = "T: Quantity + Serialize + DeserializeOwned"
)]
pub struct CellSpec<T = f64> {
    /// a, b, c in Angstrom.
    pub lengths_angstrom: [T; 3],
    /// alpha (between b and c), beta (a and c), gamma (a and b) in radians.
    #[serde(rename = "angles_deg", with = "in_unit::deg")]
    pub angles_rad: [T; 3],
}

/// The pairs of edges that enclose alpha, beta and gamma: (b, c), (a, c), (a, b).
pub(crate) const ENCLOSING: [[usize; 2]; 3] = [[1, 2], [0, 2], [0, 1]];

impl CellSpec {
    /// The cell `a b c alpha beta gamma` in Angstrom and degrees. Only a must be given.
    ///
    /// A missing edge, or one of zero or less, is set to a. A missing angle, or one of zero or less,
    /// is set to 90 degrees. Numbers after the sixth are ignored.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a is missing or not positive, if an angle is 180 degrees or more,
    /// and if any number is not finite.
    ///
    /// ```
    /// # use nanobragg_crystal::CellSpec;
    /// let cell = CellSpec::from_values(&[74.0, 0.0, 36.0])?;
    /// assert_eq!(cell.lengths_angstrom, [74.0, 74.0, 36.0]);
    /// assert_eq!(cell.angles_rad, [std::f64::consts::FRAC_PI_2; 3]);
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn from_values(values: &[f64]) -> Result<Self, Error> {
        let value = |i: usize| values.get(i).copied().unwrap_or(0.0);
        let or_a = |length: f64| if length <= 0.0 { value(0) } else { length };
        let angle = |degrees: f64| {
            if degrees <= 0.0 {
                std::f64::consts::FRAC_PI_2
            } else {
                degrees / DEGREES_PER_RADIAN
            }
        };
        let cell = Self {
            lengths_angstrom: [value(0), or_a(value(1)), or_a(value(2))],
            angles_rad: [angle(value(3)), angle(value(4)), angle(value(5))],
        };
        cell.check()?;
        Ok(cell)
    }

    /// Checks that edges are positive and angles lie between 0 and 180 degrees.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the first number outside its range.
    pub fn check(&self) -> Result<(), Error> {
        const EDGES: [&str; 3] = ["cell edge a (A)", "cell edge b (A)", "cell edge c (A)"];
        const ANGLES: [&str; 3] = ["cell angle alpha", "cell angle beta", "cell angle gamma"];
        for (quantity, value) in EDGES.into_iter().zip(self.lengths_angstrom) {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::OutOfRange {
                    quantity,
                    value,
                    allowed: "a positive length",
                });
            }
        }
        for (quantity, angle) in ANGLES.into_iter().zip(self.angles_rad) {
            if !(angle > 0.0 && angle < std::f64::consts::PI) {
                let value = angle * DEGREES_PER_RADIAN;
                let allowed = "more than 0 and less than 180 degrees";
                return Err(Error::OutOfRange {
                    quantity,
                    value,
                    allowed,
                });
            }
        }
        Ok(())
    }

    /// `1/d^2` of a reflection, in 1/A^2.
    ///
    /// ```
    /// # use nanobragg_crystal::CellSpec;
    /// let cell = CellSpec::from_values(&[20.0, 30.0, 40.0])?;
    /// assert!((cell.inverse_d_squared([0, 0, 8]) - 1.0 / 25.0).abs() < 1e-15);
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn inverse_d_squared(&self, hkl: [i32; 3]) -> f64 {
        let mut s = [0.0; 3];
        for (index, star) in hkl.into_iter().zip(self.upright_reciprocal()) {
            for (sum, component) in s.iter_mut().zip(star) {
                *sum += f64::from(index) * component;
            }
        }
        s.into_iter().map(|component| component * component).sum()
    }
}

impl<T: Scalar> CellSpec<T> {
    /// `sin m sin(m - alpha) sin(m - beta) sin(m - gamma)` with m half the sum of the angles.
    ///
    /// Four times this is the square of the volume of a cell with unit edges. It is negative if no
    /// lattice can have the three angles.
    pub fn skew(&self) -> T {
        let [alpha, beta, gamma] = self.angles_rad;
        let half_sum = (alpha + beta + gamma) / T::from_f64(2.0);
        half_sum.sin()
            * (half_sum - alpha).sin()
            * (half_sum - beta).sin()
            * (half_sum - gamma).sin()
    }

    /// The volume `2 a b c sqrt|skew|` in A^3.
    pub fn volume_a3(&self) -> T {
        let [a, b, c] = self.lengths_angstrom;
        let skew = self.skew();
        let skew = if skew.value() < 0.0 { -skew } else { skew };
        T::from_f64(2.0) * a * b * c * skew.sqrt()
    }

    /// The reciprocal vectors a*, b*, c* of the default orientation, in 1/A.
    ///
    /// a* lies along x and b* in the xy plane:
    /// ```text
    /// a* = a* (1, 0, 0)
    /// b* = b* (cos ga*, sin ga*, 0)
    /// c* = c* (cos be*, (cos al* - cos be* cos ga*)/sin ga*, V/(a b c sin ga*))
    /// ```
    /// The last component is that of the C program. The correct value is `1/c`, and both are equal
    /// in cells with at most one oblique angle. In other cells they differ by the factor
    /// [`CellSpec::c_star_tilt`], which changes the angles of the lattice by a fraction of a degree.
    pub fn default_reciprocal(&self) -> [[T; 3]; 3] {
        let [a, b, c] = self.lengths_angstrom;
        let [a_star, b_star, mut c_star] = self.upright_reciprocal();
        let c_star_length =
            a * b * self.angles_rad[2].sin() * (T::from_f64(1.0) / self.volume_a3());
        let sin_gamma_star = self.sin_gamma_star();
        c_star[2] = c_star_length * self.volume_a3() / (a * b * c * sin_gamma_star);
        [a_star, b_star, c_star]
    }

    /// The error of the last component of [`CellSpec::default_reciprocal`], as a factor:
    /// `sin ga / sin ga*`.
    pub fn c_star_tilt(&self) -> T {
        self.angles_rad[2].sin() / self.sin_gamma_star()
    }

    /// `sin ga* = c / (V a* b*)`, clipped to [-1, 1]. It follows from `|a* x b*| = c / V`.
    fn sin_gamma_star(&self) -> T {
        let [a, b, c] = self.lengths_angstrom;
        let [alpha, beta, _] = self.angles_rad;
        let inverse_volume = T::from_f64(1.0) / self.volume_a3();
        let a_star = b * c * alpha.sin() * inverse_volume;
        let b_star = c * a * beta.sin() * inverse_volume;
        clip_sine(c * inverse_volume / a_star / b_star)
    }

    /// The reciprocal vectors of the default orientation with c along z, in 1/A. Only the last
    /// component differs from [`CellSpec::default_reciprocal`]: it is `1/c`.
    ///
    /// With a* and b* in the xy plane, c lies along z, and `c . c* = 1` gives this component.
    pub fn upright_reciprocal(&self) -> [[T; 3]; 3] {
        let [a, b, c] = self.lengths_angstrom;
        let sin = self.angles_rad.map(T::sin);
        let cos = self.angles_rad.map(T::cos);
        let volume = self.volume_a3();
        let inverse_volume = T::from_f64(1.0) / volume;

        let lengths = [
            b * c * sin[0] * inverse_volume,
            c * a * sin[1] * inverse_volume,
            a * b * sin[2] * inverse_volume,
        ];
        let cos_star = ENCLOSING.map(|[i, j]| {
            // cos alpha* = (cos beta cos gamma - cos alpha)/(sin beta sin gamma), and cyclic. `own`
            // is the one of the indices 0, 1, 2 that is not in the pair.
            let own = 3 - i - j;
            clip_cosine((cos[i] * cos[j] - cos[own]) / (sin[i] * sin[j]))
        });
        let sin_gamma_star = self.sin_gamma_star();

        let zero = T::from_f64(0.0);
        let [a_star, b_star, c_star] = lengths;
        let [cos_alpha_star, cos_beta_star, cos_gamma_star] = cos_star;
        [
            [a_star, zero, zero],
            [b_star * cos_gamma_star, b_star * sin_gamma_star, zero],
            [
                c_star * cos_beta_star,
                c_star * (cos_alpha_star - cos_beta_star * cos_gamma_star) / sin_gamma_star,
                T::from_f64(1.0) / c,
            ],
        ]
    }
}

/// A sine above 1 by less than this is 1 with rounding errors.
const ROUNDING: f64 = 1e-9;

/// A sine, clipped to [-1, 1].
///
/// A sine that is above 1 only by rounding keeps its derivatives. It belongs to a right angle, where
/// the first derivative of a sine vanishes but the second does not.
pub(crate) fn clip_sine<T: Scalar>(x: T) -> T {
    let beyond = x.value() - 1.0;
    if beyond > 0.0 && beyond < ROUNDING {
        // The difference is exact, so the value is 1 to the bit.
        x - T::from_f64(beyond)
    } else if x.value() > 1.0 {
        T::from_f64(1.0)
    } else if x.value() < -1.0 {
        T::from_f64(-1.0)
    } else {
        x
    }
}

/// A cosine, replaced by 1 if its square exceeds 1. As in the C program, a cosine below -1 becomes 1
/// too.
pub(crate) fn clip_cosine<T: Scalar>(x: T) -> T {
    if x.value() * x.value() > 1.0 {
        T::from_f64(1.0)
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_edges_are_a_and_missing_angles_are_90_degrees() {
        let cell = CellSpec::from_values(&[95.0]).unwrap();
        assert_eq!(cell.lengths_angstrom, [95.0; 3]);
        assert_eq!(cell.angles_rad, [std::f64::consts::FRAC_PI_2; 3]);
    }

    #[test]
    fn a_cell_without_a_is_refused() {
        assert!(CellSpec::from_values(&[]).is_err());
        assert!(CellSpec::from_values(&[0.0, 10.0, 10.0]).is_err());
        assert!(CellSpec::from_values(&[f64::NAN]).is_err());
        assert!(CellSpec::from_values(&[10.0, 10.0, 10.0, 180.0]).is_err());
    }

    #[test]
    fn the_volume_of_a_box_is_the_product_of_its_edges() {
        let cell = CellSpec::from_values(&[70.0, 80.0, 90.0]).unwrap();
        assert!((cell.volume_a3() - 504_000.0).abs() < 1e-8);
    }

    #[test]
    fn angles_of_no_lattice_give_a_negative_skew() {
        let cell = CellSpec::from_values(&[10.0, 10.0, 10.0, 30.0, 40.0, 100.0]).unwrap();
        assert!(cell.skew() < 0.0);
        assert!(cell.volume_a3() > 0.0);
    }
}
