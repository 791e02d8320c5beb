//! Direct and reciprocal bases, and the conversion between them.

use nalgebra::Matrix3;
use nanobragg_geometry::vector::{cross, dot, norm, scale};
use nanobragg_numeric::Scalar;

use crate::cell::{CellSpec, ENCLOSING, clip_cosine, clip_sine};
use crate::constants::METRES_PER_ANGSTROM;

/// The direct cell vectors a, b, c in metres, as the columns of a matrix, in the laboratory frame.
///
/// The fractional Miller indices of a scattering vector q (1/m) are `h = a.q`, `k = b.q`,
/// `l = c.q`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectBasis(Matrix3<f64>);

/// The reciprocal cell vectors a*, b*, c* in 1/Angstrom, as the columns of a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReciprocalBasis(Matrix3<f64>);

macro_rules! columns {
    ($basis:ident, $a:literal, $b:literal, $c:literal) => {
        impl $basis {
            /// The basis of three vectors.
            pub fn from_vectors([a, b, c]: [[f64; 3]; 3]) -> Self {
                Self(Matrix3::from_columns(&[a.into(), b.into(), c.into()]))
            }

            /// The three vectors.
            pub fn vectors(&self) -> [[f64; 3]; 3] {
                [self.a(), self.b(), self.c()]
            }

            #[doc = concat!("The vector ", $a, ".")]
            pub fn a(&self) -> [f64; 3] {
                self.0.column(0).into()
            }

            #[doc = concat!("The vector ", $b, ".")]
            pub fn b(&self) -> [f64; 3] {
                self.0.column(1).into()
            }

            #[doc = concat!("The vector ", $c, ".")]
            pub fn c(&self) -> [f64; 3] {
                self.0.column(2).into()
            }

            /// The matrix whose columns are the three vectors.
            pub fn matrix(&self) -> &Matrix3<f64> {
                &self.0
            }
        }
    };
}
columns!(DirectBasis, "a", "b", "c");
columns!(ReciprocalBasis, "a*", "b*", "c*");

impl DirectBasis {
    /// The lengths of a, b and c in metres.
    pub fn lengths_m(&self) -> [f64; 3] {
        self.vectors().map(norm)
    }

    /// The basis turned by a rotation matrix given by rows, such as that of a mosaic domain.
    pub fn rotated_by(&self, rotation: &[[f64; 3]; 3]) -> Self {
        let turn = |vector: [f64; 3]| rotation.map(|row| dot(row, vector));
        Self::from_vectors(self.vectors().map(turn))
    }
}

/// A lattice in Angstrom: both bases, their lengths and volumes, at phi 0 and without mosaicity.
///
/// Lengths are computed from the vectors. They can differ in the last bits from those that a user
/// gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice<T = f64> {
    /// a, b, c in A.
    pub direct_angstrom: [[T; 3]; 3],
    /// Lengths of a, b, c in A.
    pub lengths_angstrom: [T; 3],
    /// a*, b*, c* in 1/A.
    pub reciprocal_per_angstrom: [[T; 3]; 3],
    /// Lengths of a*, b*, c* in 1/A.
    pub reciprocal_lengths_per_angstrom: [T; 3],
    /// Volume of the cell in A^3; negative if the vectors are left-handed.
    pub volume_a3: T,
    /// Volume of the reciprocal cell in 1/A^3.
    pub reciprocal_volume_per_a3: T,
}

impl<T: Scalar> Lattice<T> {
    /// The lattice with the given reciprocal vectors in 1/A.
    ///
    /// ```text
    /// V* = a*.(b* x c*)   V = 1/V*   a = V (b* x c*)   a* = V* (b x c)   and cyclic
    /// ```
    /// With a cell, only the directions of the reciprocal vectors are used. Lengths and volume are
    /// those of the cell: `b* x c*` is scaled to the length `a/V` and so on, and `V* = 1/V`.
    pub fn from_reciprocal(
        [a_star, b_star, c_star]: [[T; 3]; 3],
        cell: Option<&CellSpec<T>>,
    ) -> Self {
        let mut normals = [
            cross(b_star, c_star),
            cross(c_star, a_star),
            cross(a_star, b_star),
        ];
        let mut reciprocal_volume = dot(a_star, normals[0]);
        if let Some(cell) = cell {
            let volume = cell.volume_a3();
            for (normal, length) in normals.iter_mut().zip(cell.lengths_angstrom) {
                *normal = rescale(*normal, length / volume);
            }
            reciprocal_volume = T::from_f64(1.0) / volume;
        }
        let volume = T::from_f64(1.0) / reciprocal_volume;

        let [a, b, c] = normals.map(|normal| scale(volume, normal));
        // The reciprocal vectors are computed again from the direct ones, as in the C program: with
        // a cell their lengths have changed, and without one their last bits.
        let reciprocal =
            [cross(b, c), cross(c, a), cross(a, b)].map(|normal| scale(reciprocal_volume, normal));
        Self {
            direct_angstrom: [a, b, c],
            lengths_angstrom: [a, b, c].map(norm),
            reciprocal_per_angstrom: reciprocal,
            reciprocal_lengths_per_angstrom: reciprocal.map(norm),
            volume_a3: volume,
            reciprocal_volume_per_a3: reciprocal_volume,
        }
    }

    /// The angles alpha, beta, gamma in radians.
    pub fn angles_rad(&self) -> [T; 3] {
        angles(&self.angle_sines(), &self.angle_cosines())
    }

    /// The angles alpha*, beta*, gamma* in radians.
    pub fn reciprocal_angles_rad(&self) -> [T; 3] {
        angles(
            &self.reciprocal_angle_sines(),
            &self.reciprocal_angle_cosines(),
        )
    }

    /// `sin alpha = a* V/(b c)` and so on, not clipped.
    pub fn angle_sines(&self) -> [T; 3] {
        sines(
            self.reciprocal_lengths_per_angstrom,
            self.volume_a3,
            self.lengths_angstrom,
        )
    }

    /// `cos alpha = b.c/(b c)` and so on, not clipped.
    pub fn angle_cosines(&self) -> [T; 3] {
        cosines(self.direct_angstrom, self.lengths_angstrom)
    }

    /// `sin alpha* = a V*/(b* c*)` and so on, not clipped.
    pub fn reciprocal_angle_sines(&self) -> [T; 3] {
        let lengths = self.reciprocal_lengths_per_angstrom;
        sines(
            self.lengths_angstrom,
            self.reciprocal_volume_per_a3,
            lengths,
        )
    }

    /// `cos alpha* = b*.c*/(b* c*)` and so on, not clipped.
    pub fn reciprocal_angle_cosines(&self) -> [T; 3] {
        cosines(
            self.reciprocal_per_angstrom,
            self.reciprocal_lengths_per_angstrom,
        )
    }

    /// The direct vectors a, b, c in metres.
    pub fn direct_m(&self) -> [[T; 3]; 3] {
        self.direct_angstrom
            .map(|vector| scale(T::from_f64(METRES_PER_ANGSTROM), vector))
    }
}

/// `a* V/(b c)` and so on: the sines of the angles between vectors of these lengths, from the
/// lengths of their dual vectors.
fn sines<T: Scalar>(dual: [T; 3], volume: T, lengths: [T; 3]) -> [T; 3] {
    let [a, b, c] = dual;
    let [[i, j], [k, l], [m, n]] = ENCLOSING;
    [
        a * volume / lengths[i] / lengths[j],
        b * volume / lengths[k] / lengths[l],
        c * volume / lengths[m] / lengths[n],
    ]
}

/// The cosines of the angles between three vectors.
fn cosines<T: Scalar>(vectors: [[T; 3]; 3], lengths: [T; 3]) -> [T; 3] {
    ENCLOSING.map(|[i, j]| dot(vectors[i], vectors[j]) / lengths[i] / lengths[j])
}

/// The angles of three sines and cosines.
///
/// The arc tangent of both is accurate at every angle; an arc cosine loses digits near 0 and 180
/// degrees.
fn angles<T: Scalar>(sines: &[T; 3], cosines: &[T; 3]) -> [T; 3] {
    std::array::from_fn(|i| clip_sine(sines[i]).atan2(clip_cosine(cosines[i])))
}

/// The vector along `vector` of the given length. A zero vector stays zero.
fn rescale<T: Scalar>(vector: [T; 3], length: T) -> [T; 3] {
    let old = norm(vector);
    let old = if old.value() <= 0.0 {
        T::from_f64(1.0)
    } else {
        old
    };
    scale(length / old, vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice(values: &[f64]) -> Lattice {
        let cell = CellSpec::from_values(values).unwrap();
        Lattice::from_reciprocal(cell.default_reciprocal(), Some(&cell))
    }

    #[test]
    fn direct_and_reciprocal_are_dual() {
        for values in [
            &[70.0, 80.0, 90.0][..],
            &[50.0, 50.0, 70.0, 90.0, 90.0, 120.0],
        ] {
            let lattice = lattice(values);
            for (i, direct) in lattice.direct_angstrom.into_iter().enumerate() {
                for (j, reciprocal) in lattice.reciprocal_per_angstrom.into_iter().enumerate() {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot(direct, reciprocal) - expected).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn the_angles_of_a_monoclinic_cell_come_back() {
        let lattice = lattice(&[40.0, 50.0, 60.0, 90.0, 110.0, 90.0]);
        let degrees = lattice.angles_rad().map(f64::to_degrees);
        for (found, given) in degrees.into_iter().zip([90.0, 110.0, 90.0]) {
            assert!((found - given).abs() < 1e-12);
        }
    }

    #[test]
    fn a_basis_gives_back_its_vectors() {
        let vectors = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]];
        let basis = DirectBasis::from_vectors(vectors);
        assert_eq!(basis.vectors(), vectors);
        assert_eq!(basis.matrix()[(2, 0)], 3.0);
    }

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        let basis = DirectBasis::from_vectors([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        let quarter = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
        assert_eq!(basis.rotated_by(&quarter).a(), [0.0, 1.0, 0.0]);
    }
}
