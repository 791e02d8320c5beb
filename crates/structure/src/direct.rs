//! Structure factors by the sum over atoms, which is their definition. It is slow but exact.

use std::f64::consts::TAU;

use nanobragg_geometry::vector::dot;

use crate::frame::CellFrame;
use crate::scatterer::Scatterer;

/// Real and imaginary part of the sum over the asymmetric unit, in electrons.
///
/// ```text
/// F(h) = sum_j o_j f_j(s) exp(2 pi i h.x_j)
/// ```
pub(crate) fn at(frame: &CellFrame, scatterers: &[Scatterer], hkl: [i32; 3]) -> [f64; 2] {
    let vector = frame.scattering_vector(hkl);
    let indices = hkl.map(f64::from);
    let mut sum = [0.0; 2];
    for scatterer in scatterers {
        let [real, imaginary] = scatterer.scattering(&vector);
        let (sin, cos) = (TAU * dot(indices, scatterer.position)).sin_cos();
        sum[0] += real * cos - imaginary * sin;
        sum[1] += real * sin + imaginary * cos;
    }
    sum
}
