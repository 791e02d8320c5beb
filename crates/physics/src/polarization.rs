//! The polarization of the incident beam and its effect on scattering.

use nanobragg_geometry::vector;
use nanobragg_numeric::{Real, Scalar};

use serde::{Deserialize, Serialize};

/// How the incident beam is polarized.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polarization {
    /// Kahn's factor: 1 for a beam polarized completely along the polarization axis, 0 for an unpolarized one.
    pub kahn_factor: f64,
    /// Whether the correction is left out (a factor of 1 everywhere).
    pub off: bool,
}

impl Default for Polarization {
    fn default() -> Self {
        Self {
            kahn_factor: 0.0,
            off: false,
        }
    }
}

/// The directions of the electric and magnetic field of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolarizationFrame<T = f64> {
    /// Unit vector of the electric field: the component of the polarization axis perpendicular to the beam.
    pub electric: [T; 3],
    /// Unit vector of the magnetic field.
    pub magnetic: [T; 3],
}

impl<T: Scalar> PolarizationFrame<T> {
    /// The frame of a beam along `incident`, with the electric field as close as possible to `axis`
    /// (both are unit vectors).
    ///
    /// A beam along the axis has no such frame. Both vectors are then zero, and the polarization factor
    /// is that of a beam polarized in the plane of scattering.
    pub fn new(axis: [T; 3], incident: [T; 3]) -> Self {
        let magnetic = vector::unit(vector::cross(axis, incident));
        let electric = vector::unit(vector::cross(incident, magnetic));
        Self { electric, magnetic }
    }
}

/// The fraction of the scattered intensity that remains for a polarized beam: `(1 + cos^2 2theta - K
/// cos 2psi sin^2 2theta) / 2`. All directions are unit vectors; psi is the azimuth of the diffracted
/// ray about the beam, measured from the electric field.
///
/// # Source
/// Kahn, Fourme, Gadet, Janin, Dumas & Andre, J. Appl. Cryst. 15 (1982) 330, equation 2.
#[inline(always)]
pub fn polarization_factor<T: Real>(
    kahn_factor: T,
    incident: [T; 3],
    diffracted: [T; 3],
    electric: [T; 3],
    magnetic: [T; 3],
) -> T {
    polarization_along(RayComponents {
        kahn_factor,
        along_beam: vector::dot(incident, diffracted),
        along_electric: vector::dot(diffracted, electric),
        along_magnetic: vector::dot(diffracted, magnetic),
    })
}

/// The arguments of the polarization factor: Kahn's factor, and the components of the diffracted unit vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RayComponents<T> {
    pub(crate) kahn_factor: T,
    /// Along the incident beam: cos 2theta.
    pub(crate) along_beam: T,
    /// Along the electric field.
    pub(crate) along_electric: T,
    /// Along the magnetic field.
    pub(crate) along_magnetic: T,
}

/// [`polarization_factor`] from the components of the ray.
///
/// `cos 2psi` is computed as `(e^2 - b^2) / (e^2 + b^2)`, where `e` and `b` are the components of the
/// ray along the two fields. This needs no arc tangent. Its derivative exists everywhere except on the
/// beam, where the factor `sin^2 2theta` is 0.
#[inline(always)]
pub(crate) fn polarization_along<T: Real>(ray: RayComponents<T>) -> T {
    let one = T::from_f64(1.0);
    let tiny = T::from_f64(f64::MIN_POSITIVE);
    let cos_squared = ray.along_beam * ray.along_beam;
    let e_squared = ray.along_electric * ray.along_electric;
    let b_squared = ray.along_magnetic * ray.along_magnetic;
    // On the beam e = b = 0. With `tiny` the quotient is 1 there, not 0/0. Anywhere else `tiny` is far
    // below the rounding error.
    let cos_two_psi = (e_squared - b_squared + tiny) / (e_squared + b_squared + tiny);
    T::from_f64(0.5) * (one + cos_squared - ray.kahn_factor * cos_two_psi * (one - cos_squared))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAM: [f64; 3] = [1.0, 0.0, 0.0];
    const AXIS: [f64; 3] = [0.0, 0.0, 1.0];

    fn factor(kahn_factor: f64, diffracted: [f64; 3]) -> f64 {
        let frame = PolarizationFrame::new(AXIS, BEAM);
        polarization_factor(
            kahn_factor,
            BEAM,
            diffracted,
            frame.electric,
            frame.magnetic,
        )
    }

    #[test]
    fn forward_scattering_is_whole() {
        assert_eq!(factor(0.9, BEAM), 1.0);
    }

    #[test]
    fn nothing_is_scattered_along_the_field_of_a_polarized_beam() {
        assert_eq!(factor(1.0, AXIS), 0.0);
        assert_eq!(factor(1.0, [0.0, 1.0, 0.0]), 1.0);
    }

    #[test]
    fn an_unpolarized_beam_leaves_half_at_right_angles() {
        assert_eq!(factor(0.0, AXIS), 0.5);
    }

    #[test]
    fn the_quotient_is_the_cosine_of_twice_the_azimuth() {
        let frame = PolarizationFrame::new(AXIS, BEAM);
        for i in 0..360 {
            let psi = f64::from(i).to_radians();
            let (s, c) = 0.3_f64.sin_cos();
            let ray: Vec<f64> = (0..3)
                .map(|n| {
                    BEAM[n] * c
                        + s * (frame.electric[n] * psi.cos() + frame.magnetic[n] * psi.sin())
                })
                .collect();
            let expected = 0.5 * (1.0 + c * c - 0.7 * (2.0 * psi).cos() * s * s);
            assert!((factor(0.7, [ray[0], ray[1], ray[2]]) - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn a_beam_along_the_axis_counts_as_polarized_in_the_plane() {
        let frame = PolarizationFrame::new(BEAM, BEAM);
        assert_eq!(frame.electric, [0.0; 3]);
        let factor = polarization_factor(1.0, BEAM, AXIS, frame.electric, frame.magnetic);
        assert_eq!(factor, 0.0);
    }
}
