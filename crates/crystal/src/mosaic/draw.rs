//! From the deviates of a domain to its rotation and deformation.

use std::f64::consts::TAU;

use nanobragg_geometry::vector::{cross, dot, scale};
use nanobragg_numeric::{Scalar, normal_quantile};

use super::MosaicModel;
use super::anisotropic::width_about;
use super::points::Point;
use super::strain::deformation;

/// The width of the distribution of rotations, in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread<T> {
    /// The same about all axes.
    Isotropic(T),
    /// About a, b and c.
    Anisotropic([T; 3]),
}

impl Spread<f64> {
    /// Whether domains are turned.
    pub(super) fn is_some(self) -> bool {
        match self {
            Self::Isotropic(spread_rad) => spread_rad > 0.0,
            Self::Anisotropic(_) => true,
        }
    }
}

/// The widths of the distributions of a mosaic, by which its domains have derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MosaicNumbers<T> {
    /// Of the rotations.
    pub spread: Spread<T>,
    /// Standard deviation of the length of all three edges together, as a fraction.
    pub strain: T,
    /// Standard deviations of the lengths of a, b, c on their own, as fractions.
    pub strain_abc: [T; 3],
}

impl MosaicNumbers<f64> {
    pub(super) fn has_strain(&self) -> bool {
        self.strain > 0.0 || self.has_strain_abc()
    }

    pub(super) fn has_strain_abc(&self) -> bool {
        self.strain_abc.iter().any(|strain| *strain > 0.0)
    }

    /// The same numbers in another number type.
    pub fn lift<T: Scalar>(&self) -> MosaicNumbers<T> {
        MosaicNumbers {
            spread: match self.spread {
                Spread::Isotropic(spread_rad) => Spread::Isotropic(T::from_f64(spread_rad)),
                Spread::Anisotropic(widths) => Spread::Anisotropic(widths.map(T::from_f64)),
            },
            strain: T::from_f64(self.strain),
            strain_abc: self.strain_abc.map(T::from_f64),
        }
    }
}

/// The axes of a cell at phi = 0, in the laboratory, in any unit of length.
pub(super) struct Axes<T> {
    /// a, b, c.
    pub(super) direct: [[T; 3]; 3],
    /// a*, b*, c* in the inverse unit.
    pub(super) reciprocal: [[T; 3]; 3],
}

impl<T: Scalar> Axes<T> {
    pub(super) fn new(direct: [[T; 3]; 3]) -> Self {
        let [a, b, c] = direct;
        let per_volume = T::from_f64(1.0) / dot(a, cross(b, c));
        let normals = [cross(b, c), cross(c, a), cross(a, b)];
        Self {
            direct,
            reciprocal: normals.map(|normal| scale(per_volume, normal)),
        }
    }
}

/// What a domain has drawn. It does not depend on any width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    /// The rotation axis, a unit vector of the laboratory at phi = 0.
    pub(super) axis: [f64; 3],
    /// The angle divided by the width.
    pub(super) share: f64,
    /// Gaussian deviates of all edges together.
    pub(super) strain: f64,
    /// Gaussian deviates of a, b, c.
    pub(super) strain_abc: [f64; 3],
}

impl Draw {
    /// Neither rotation nor strain.
    pub(super) const NONE: Self = Self {
        axis: [0.0, 0.0, 1.0],
        share: 0.0,
        strain: 0.0,
        strain_abc: [0.0; 3],
    };

    /// ```text
    /// axis = (sqrt(1 - z^2) cos(2 pi x), sqrt(1 - z^2) sin(2 pi x), z)
    /// ```
    /// with z uniform and x a uniform fraction of a turn: zones of equal height have equal areas.
    pub(super) fn new(point: &Point, model: MosaicModel) -> Self {
        let equator = (1.0 - point.height * point.height).sqrt();
        let azimuth = TAU * point.turn;
        Self {
            axis: [
                equator * azimuth.cos(),
                equator * azimuth.sin(),
                point.height,
            ],
            share: model.quantile(point.angle),
            strain: normal_quantile(point.strain),
            strain_abc: point.strain_abc.map(normal_quantile),
        }
    }

    /// The opposite rotation and strain.
    pub(super) fn inverse(self) -> Self {
        Self {
            axis: self.axis,
            share: -self.share,
            strain: -self.strain,
            strain_abc: self.strain_abc.map(|deviate| -deviate),
        }
    }

    /// The rotation, as a matrix by rows.
    pub(super) fn rotation<T: Scalar>(&self, spread: Spread<T>, axes: &Axes<T>) -> [[T; 3]; 3] {
        let axis = self.axis.map(T::from_f64);
        let width_rad = match spread {
            Spread::Isotropic(spread_rad) => spread_rad,
            Spread::Anisotropic(widths_rad) => width_about(axis, widths_rad, axes),
        };
        axis_rotation(axis, width_rad * T::from_f64(self.share))
    }

    /// The deformation by the strain, as a matrix by rows.
    pub(super) fn deformation<T: Scalar>(
        &self,
        numbers: &MosaicNumbers<T>,
        axes: &Axes<T>,
    ) -> [[T; 3]; 3] {
        let common = numbers.strain * T::from_f64(self.strain);
        let [a, b, c] = numbers.strain_abc;
        let [of_a, of_b, of_c] = self.strain_abc.map(T::from_f64);
        deformation(common, [a * of_a, b * of_b, c * of_c], axes)
    }
}

/// The rotation about a unit axis, as a matrix by rows: Rodrigues' formula, with the products in the
/// order of the C program.
pub(super) fn axis_rotation<T: Scalar>([x, y, z]: [T; 3], angle_rad: T) -> [[T; 3]; 3] {
    let (sin, cos) = (angle_rad.sin(), angle_rad.cos());
    let versine = T::from_f64(1.0) - cos;
    let xy = versine * x * y;
    let xz = versine * x * z;
    let yz = versine * y * z;
    [
        [cos + versine * (x * x), xy - sin * z, xz + sin * y],
        [xy + sin * z, cos + versine * (y * y), yz - sin * x],
        [xz - sin * y, yz + sin * x, cos + versine * (z * z)],
    ]
}
