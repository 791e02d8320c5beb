//! The conversion between the axes of the cell and the orthogonal axes of coordinate files.

use nalgebra::{Matrix3, Vector3};
use nanobragg_crystal::CellSpec;

use crate::error::Error;

/// A cell with the orthogonal axes, in A, of a coordinate file.
///
/// By default x is along a, and y is in the plane of a and b. A file can define other axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellFrame {
    cell: CellSpec,
    orthogonal: Matrix3<f64>,
    fractional: Matrix3<f64>,
    origin: Vector3<f64>,
}

impl CellFrame {
    /// The frame of a cell, with x along a and y in the plane of a and b.
    ///
    /// ```text
    ///        a   b cos ga   c cos be                           x = O u
    ///   O =  0   b sin ga   c (cos al - cos be cos ga)/sin ga  u = O^-1 x
    ///        0   0          V/(a b sin ga)
    /// ```
    /// # Errors
    /// [`Error::Crystal`] if the cell has no volume or a number is outside its range.
    pub fn new(cell: CellSpec) -> Result<Self, Error> {
        cell.check()?;
        let [a, b, c] = cell.lengths_angstrom;
        let [cos_alpha, cos_beta, cos_gamma] = cell.angles_rad.map(right_cosine);
        let sin_gamma = cell.angles_rad[2].sin();
        let volume = cell.volume_a3();
        let orthogonal = Matrix3::new(
            a,
            b * cos_gamma,
            c * cos_beta,
            0.0,
            b * sin_gamma,
            c * (cos_alpha - cos_beta * cos_gamma) / sin_gamma,
            0.0,
            0.0,
            volume / (a * b * sin_gamma),
        );
        let fractional = orthogonal
            .try_inverse()
            // A negative skew has a volume by its absolute value, but no lattice has these angles.
            .filter(|inverse| cell.skew() > 0.0 && inverse.iter().all(|x| x.is_finite()))
            .ok_or_else(|| flat(&cell))?;
        Ok(Self {
            cell,
            orthogonal,
            fractional,
            origin: Vector3::zeros(),
        })
    }

    /// The same cell with the axes of a file that gives the conversion `u = S x + shift`. `None` if S has
    /// no inverse or its volume is not that of the cell.
    pub fn with_scale(self, scale: [[f64; 3]; 3], shift: [f64; 3]) -> Option<Self> {
        let [[a, b, c], [d, e, f], [g, h, i]] = scale;
        let fractional = Matrix3::new(a, b, c, d, e, f, g, h, i);
        let orthogonal = fractional.try_inverse()?;
        let volumes = orthogonal.determinant() / self.orthogonal.determinant();
        let is_of_this_cell = (volumes - 1.0).abs() < VOLUME_TOLERANCE;
        is_of_this_cell.then_some(Self {
            orthogonal,
            fractional,
            origin: shift.into(),
            ..self
        })
    }

    /// The cell.
    pub fn cell(&self) -> &CellSpec {
        &self.cell
    }

    /// The volume of the cell in A^3.
    pub fn volume_a3(&self) -> f64 {
        self.orthogonal.determinant().abs()
    }

    /// The fractional coordinates of a point in A.
    pub fn fractional(&self, position_a: [f64; 3]) -> [f64; 3] {
        (self.fractional * Vector3::from(position_a) + self.origin).into()
    }

    /// The point in A at fractional coordinates.
    pub fn position_a(&self, fractional: [f64; 3]) -> [f64; 3] {
        (self.orthogonal * (Vector3::from(fractional) - self.origin)).into()
    }

    /// The vector in A between two points, from the difference of their fractional coordinates.
    pub fn difference_a(&self, fractional: [f64; 3]) -> [f64; 3] {
        (self.orthogonal * Vector3::from(fractional)).into()
    }

    /// `1/d^2` of a reflection, in 1/A^2.
    pub fn s_squared(&self, hkl: [i32; 3]) -> f64 {
        self.scattering_vector(hkl).norm_squared()
    }

    /// The scattering vector of a reflection for the orthogonal axes, in 1/A.
    pub(crate) fn scattering_vector(&self, hkl: [i32; 3]) -> Vector3<f64> {
        // The rows of the fractional matrix are a*, b*, c*, so the product is h a* + k b* + l c*.
        self.fractional.tr_mul(&Vector3::from(hkl.map(f64::from)))
    }

    /// The lengths of a*, b*, c* in 1/A.
    pub fn reciprocal_lengths_per_a(&self) -> [f64; 3] {
        [0, 1, 2].map(|i| self.fractional.row(i).norm())
    }

    /// U in A^2 for the orthogonal axes, from the U of a small-molecule CIF, which is for a*, b*, c*.
    ///
    /// ```text
    /// U_cart = (O N) U (O N)^T        N = diag(a*, b*, c*)
    /// ```
    pub(crate) fn cartesian_u(&self, u: &Matrix3<f64>) -> Matrix3<f64> {
        let lengths = Vector3::from(self.reciprocal_lengths_per_a());
        let axes = self.orthogonal * Matrix3::from_diagonal(&lengths);
        axes * u * axes.transpose()
    }

    /// The matrix that converts fractional coordinates to A.
    pub(crate) fn orthogonal_matrix(&self) -> &Matrix3<f64> {
        &self.orthogonal
    }

    /// The matrix that converts A to fractional coordinates.
    pub(crate) fn fractional_matrix(&self) -> &Matrix3<f64> {
        &self.fractional
    }
}

/// The allowed relative difference between the volume of the axes in a file and that of its cell. The
/// axes are rounded to six decimals.
const VOLUME_TOLERANCE: f64 = 0.01;

/// A cosine that is exactly 0 for a right angle, instead of 6e-17.
fn right_cosine(angle_rad: f64) -> f64 {
    let cosine = angle_rad.cos();
    if cosine.abs() < 1e-15 { 0.0 } else { cosine }
}

/// The error of a cell without volume.
fn flat(cell: &CellSpec) -> Error {
    let [alpha_deg, beta_deg, gamma_deg] = cell.angles_rad.map(f64::to_degrees);
    Error::Crystal(nanobragg_crystal::Error::FlatCell {
        alpha_deg,
        beta_deg,
        gamma_deg,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triclinic() -> CellFrame {
        CellFrame::new(CellSpec::from_values(&[30.0, 40.0, 50.0, 80.0, 95.0, 105.0]).unwrap())
            .unwrap()
    }

    #[test]
    fn the_axes_have_the_lengths_and_angles_of_the_cell() {
        let frame = triclinic();
        let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
            .map(|axis| Vector3::from(frame.difference_a(axis)));
        for (axis, length) in axes.iter().zip([30.0, 40.0, 50.0]) {
            assert!((axis.norm() - length).abs() < 1e-12);
        }
        assert!((axes[1].angle(&axes[2]).to_degrees() - 80.0).abs() < 1e-12);
        assert!((axes[0].angle(&axes[2]).to_degrees() - 95.0).abs() < 1e-12);
        assert!((axes[0].angle(&axes[1]).to_degrees() - 105.0).abs() < 1e-12);
        assert!((frame.volume_a3() - frame.cell().volume_a3()).abs() < 1e-8);
    }

    #[test]
    fn spacings_of_a_box_are_its_edges() {
        let cell = CellSpec::from_values(&[10.0, 20.0, 40.0]).unwrap();
        let frame = CellFrame::new(cell).unwrap();
        assert!((frame.s_squared([1, 0, 0]) - 0.01).abs() < 1e-15);
        assert!((frame.s_squared([0, 2, -4]) - 0.02).abs() < 1e-15);
    }

    #[test]
    fn a_point_comes_back_from_its_fractions() {
        let frame = triclinic();
        let point = [3.0, -7.0, 11.0];
        let back = frame.position_a(frame.fractional(point));
        assert!(back.iter().zip(point).all(|(x, y)| (x - y).abs() < 1e-12));
    }

    #[test]
    fn a_scale_of_another_volume_is_refused() {
        let third = [[1.0 / 3.0, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]];
        assert_eq!(triclinic().with_scale(third, [0.0; 3]), None);
        let turned = [[0.0, 0.05, 0.0], [0.1, 0.0, 0.0], [0.0, 0.0, -0.025]];
        let cell = CellSpec::from_values(&[20.0, 10.0, 40.0]).unwrap();
        let frame = CellFrame::new(cell)
            .unwrap()
            .with_scale(turned, [0.5, 0.0, 0.0])
            .unwrap();
        assert_eq!(frame.fractional([1.0, 2.0, 4.0]), [0.6, 0.1, -0.1]);
    }

    #[test]
    fn flat_cells_are_refused() {
        let cell = CellSpec::from_values(&[10.0, 10.0, 10.0, 30.0, 40.0, 100.0]).unwrap();
        assert!(CellFrame::new(cell).is_err());
    }
}
