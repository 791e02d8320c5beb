//! A spread of the lengths of the cell edges.

use nanobragg_geometry::rotation::IDENTITY;
use nanobragg_numeric::Scalar;

use super::draw::Axes;

/// The matrix, by rows, that takes each edge `a_i` to `a_i (1 + common + along_i)`:
/// ```text
/// E = (1 + common) I + sum over i of along_i a_i a*_i^T
/// ```
/// A scattering vector of the domain is that of the crystal times the inverse transpose of E. A common strain
/// e therefore moves a spot along its own direction by `-e q / (1 + e)`.
pub(super) fn deformation<T: Scalar>(common: T, along: [T; 3], axes: &Axes<T>) -> [[T; 3]; 3] {
    let mut rows = IDENTITY.map(|row| row.map(|x| T::from_f64(x) + T::from_f64(x) * common));
    for (i, strain) in along.into_iter().enumerate() {
        let (edge, reciprocal) = (axes.direct[i], axes.reciprocal[i]);
        for (row, x) in rows.iter_mut().zip(edge) {
            for (entry, y) in row.iter_mut().zip(reciprocal) {
                *entry += strain * x * y;
            }
        }
    }
    rows
}
