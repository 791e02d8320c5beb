//! Widths that differ between the axes of the cell.

use nalgebra::Matrix3;
use nanobragg_geometry::vector::dot;
use nanobragg_numeric::Scalar;

use super::draw::Axes;
use crate::basis::DirectBasis;
use crate::error::Error;

/// The width of rotations about the unit vector `u`, for the widths w about a, b and c:
/// ```text
/// 1/w(u)^2 = sum over i of (u.a_i) (u.a*_i) / w_i^2
/// ```
/// With orthogonal axes this is the radius of an ellipsoid whose half axes are the widths. In any cell the
/// width about a and about a* is the first one, and equal widths are the same about all directions, because
/// the products add up to 1.
///
/// # Source
/// The tensor of the simulator diffBragg in the basis of the cell.
pub(super) fn width_about<T: Scalar>(u: [T; 3], widths: [T; 3], axes: &Axes<T>) -> T {
    let one = T::from_f64(1.0);
    let mut sum = T::from_f64(0.0);
    for (i, width) in widths.into_iter().enumerate() {
        let part = dot(u, axes.direct[i]) * dot(u, axes.reciprocal[i]);
        sum += part / (width * width);
    }
    one / sum.sqrt()
}

/// Checks that there is a width about every direction. With orthogonal axes there always is.
///
/// # Errors
/// [`Error::ObliqueSpreads`].
pub(super) fn check_widths(widths_rad: [f64; 3], direct: &DirectBasis) -> Result<(), Error> {
    let axes = Axes::new(direct.vectors());
    let mut tensor = Matrix3::zeros();
    // In units of the smallest width, so that no square overflows.
    let [x, y, z] = widths_rad;
    let smallest = x.min(y).min(z);
    for (i, width) in widths_rad.into_iter().enumerate() {
        let direct = nalgebra::Vector3::from(axes.direct[i]);
        let reciprocal = nalgebra::Vector3::from(axes.reciprocal[i]);
        let part = direct * reciprocal.transpose() * (smallest / width).powi(2);
        tensor += (part + part.transpose()) * 0.5;
    }
    match tensor.cholesky() {
        Some(_) => Ok(()),
        None => Err(Error::ObliqueSpreads {
            spreads_deg: widths_rad.map(f64::to_degrees),
        }),
    }
}
