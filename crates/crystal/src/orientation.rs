//! The orientation of the lattice at phi 0: missetting angles, given or random.

use nanobragg_geometry::in_unit;
use nanobragg_geometry::rotation::rotate_xyz;
use nanobragg_geometry::vector::{dot, norm};
use nanobragg_numeric::Scalar;
use nanobragg_numeric::random::MinimalStandard;

use serde::{Deserialize, Serialize};

use crate::constants::METRES_PER_ANGSTROM;
use crate::mosaic::cap_rotation;

/// The spread that the C program passes to the mosaic rotation for a random orientation.
///
/// It is meant as 90 degrees, but the routine takes radians. Angles up to 90 radians wind many times
/// around the axis.
const RANDOM_SPREAD_RAD: f32 = 90.0;

/// The rotation of the crystal away from its default orientation or its matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Misset {
    /// Rotations about the laboratory's X, then Y, then Z, in radians.
    #[serde(rename = "angles_deg", with = "in_unit::deg")]
    Angles([f64; 3]),
    /// The random orientation of the C program: the rotation of a mosaic domain with a spread of
    /// 90 radians. It is not uniform over all rotations.
    Random {
        /// Seed of the random stream.
        seed: i64,
    },
    /// A random orientation, uniform over all rotations.
    RandomUniform {
        /// Seed of the random stream.
        seed: i64,
    },
}

impl Misset {
    /// The rotations about X, Y and Z in radians, as given or drawn from the random stream.
    pub fn angles_rad(&self) -> [f64; 3] {
        match *self {
            Self::Angles(angles) => angles,
            Self::Random { seed } => {
                let mut stream = MinimalStandard::from_seed(seed);
                angles_from_rotation(&cap_rotation(RANDOM_SPREAD_RAD, &mut stream))
            }
            Self::RandomUniform { seed } => {
                let mut stream = MinimalStandard::from_seed(seed);
                angles_from_rotation(&uniform_rotation(&mut stream))
            }
        }
    }

    /// Whether the angles are random.
    pub fn is_random(&self) -> bool {
        !matches!(self, Self::Angles(_))
    }
}

/// Three reciprocal vectors turned about the laboratory's X, then Y, then Z.
pub fn misset<T: Scalar>(reciprocal: [[T; 3]; 3], angles_rad: [T; 3]) -> [[T; 3]; 3] {
    reciprocal.map(|vector| rotate_xyz(vector, angles_rad))
}

/// The reciprocal vectors a*, b*, c* in 1/A of an orientation matrix.
///
/// The matrix has rows x, y, z and columns a*, b*, c*. MOSFLM multiplies it by the wavelength, so it
/// is divided by the wavelength here.
pub fn reciprocal_from_matrix<T: Scalar>(matrix: &[[f64; 3]; 3], wavelength_m: T) -> [[T; 3]; 3] {
    let per_angstrom = T::from_f64(METRES_PER_ANGSTROM) / wavelength_m;
    let column = |j: usize| matrix.map(|row| per_angstrom * T::from_f64(row[j]));
    [column(0), column(1), column(2)]
}

/// The angles x, y, z in radians of a rotation matrix `R = Rz Ry Rx`, given by rows.
///
/// ```text
/// x = atan2(Rzy, Rzz)   y = atan2(-Rzx, sqrt(Rzy^2 + Rzz^2))   z = atan2(Ryx, Rxx)
/// ```
/// Rows are normalised first, twice as in the C program, so that the last bits agree with it. If y
/// is a right angle, only the sum or the difference of x and z is defined; the result is then that
/// of the C program, with x = pi.
pub fn angles_from_rotation(rotation: &[[f64; 3]; 3]) -> [f64; 3] {
    let unit = |row: [f64; 3]| {
        let length = norm(row);
        if length > 0.0 {
            row.map(|x| x / length)
        } else {
            row
        }
    };
    // The last row of Rz Ry Rx is (-sin y, cos y sin x, cos y cos x), and its first column begins
    // with (cos y cos z, cos y sin z).
    let [x, y, z] = rotation.map(unit).map(unit);
    if z[0] * z[0] < 1.0 {
        [
            z[1].atan2(z[2]),
            (-z[0]).atan2((z[1] * z[1] + z[2] * z[2]).sqrt()),
            y[0].atan2(x[0]),
        ]
    } else {
        [
            std::f64::consts::PI,
            std::f64::consts::FRAC_PI_2,
            x[1].atan2(-y[1]),
        ]
    }
}

/// A rotation drawn uniformly from all rotations.
///
/// # Source
/// K. Shoemake, "Uniform random rotations", Graphics Gems III (1992): a uniform unit quaternion
/// from three deviates.
fn uniform_rotation(stream: &mut MinimalStandard) -> [[f64; 3]; 3] {
    // The unit quaternions form a sphere in four dimensions, which is the product of two circles of
    // radii sqrt(1 - s) and sqrt(s). With s and both angles uniform, the points are uniform on it.
    let split = f64::from(stream.uniform());
    let [first, second] =
        std::array::from_fn(|_| 2.0 * std::f64::consts::PI * f64::from(stream.uniform()));
    let (near, far) = ((1.0 - split).sqrt(), split.sqrt());
    let q = [
        near * first.sin(),
        near * first.cos(),
        far * second.sin(),
        far * second.cos(),
    ];
    debug_assert!((dot([q[0], q[1], q[2]], [q[0], q[1], q[2]]) + q[3] * q[3] - 1.0).abs() < 1e-12);
    // The rotation matrix of the unit quaternion w + x i + y j + z k.
    let [x, y, z, w] = q;
    [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - z * w),
            2.0 * (x * z + y * w),
        ],
        [
            2.0 * (x * y + z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - x * w),
        ],
        [
            2.0 * (x * z - y * w),
            2.0 * (y * z + x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: [f64; 3], expected: [f64; 3], bound: f64) {
        for (x, y) in found.into_iter().zip(expected) {
            assert!((x - y).abs() < bound, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn angles_come_back_from_the_rotation_they_make() {
        let angles = [0.3, -0.7, 2.1];
        let columns = misset([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], angles);
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| columns[j][i]));
        assert_close(angles_from_rotation(&rows), angles, 1e-14);
    }

    #[test]
    fn random_angles_are_those_of_the_c_program() {
        let degrees = |seed| {
            Misset::Random { seed }
                .angles_rad()
                .map(|x| format!("{:.6}", x * crate::constants::DEGREES_PER_RADIAN))
        };
        assert_eq!(degrees(12345), ["105.720755", "-34.951318", "-97.823571"]);
        assert_eq!(degrees(54321), ["-27.529715", "53.373759", "91.879165"]);
    }

    #[test]
    fn a_uniform_rotation_is_orthonormal() {
        let mut stream = MinimalStandard::from_seed(3);
        for _ in 0..100 {
            let rows = uniform_rotation(&mut stream);
            for i in 0..3 {
                for j in 0..3 {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot(rows[i], rows[j]) - expected).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn the_mean_of_uniform_rotations_is_zero() {
        let mut stream = MinimalStandard::from_seed(5);
        let mut mean = [0.0; 3];
        for _ in 0..20_000 {
            let rows = uniform_rotation(&mut stream);
            for (sum, row) in mean.iter_mut().zip(rows) {
                *sum += row[0] / 20_000.0;
            }
        }
        assert_close(mean, [0.0; 3], 0.02);
    }

    #[test]
    fn the_wavelength_is_taken_out_of_the_matrix() {
        let matrix = [[0.02, 0.0, 0.0], [0.01, 0.03, 0.0], [0.0, 0.0, 0.04]];
        let [a_star, b_star, c_star] = reciprocal_from_matrix(&matrix, 2e-10);
        assert_close(a_star, [0.01, 0.005, 0.0], 1e-17);
        assert_close(b_star, [0.0, 0.015, 0.0], 1e-17);
        assert_close(c_star, [0.0, 0.0, 0.02], 1e-17);
    }
}
