//! Thomson scattering: the constants and the scattering vector.

use nanobragg_geometry::vector;
use nanobragg_numeric::Real;

/// The square of the classical electron radius in m^2: the cross section of one electron per steradian.
///
/// # Source
/// The value in the C program. CODATA 2022 gives r_e = 2.817 940 3205e-15 m; its square is larger by a
/// relative 2e-9.
pub const ELECTRON_RADIUS_SQUARED_M2: f64 = 7.940_792_480_189_65e-30;

/// The scattering vector `q = (d - s) / wavelength` in 1/m.
///
/// `d` is the unit vector towards the pixel, `s` the unit vector along the incident beam.
#[inline(always)]
pub fn scattering_vector<T: Real>(diffracted: [T; 3], incident: [T; 3], wavelength_m: T) -> [T; 3] {
    let difference = vector::sub(diffracted, incident);
    // Three divisions, as in C: a multiplication by 1 / wavelength would round differently, and the
    // last bit of an index can decide which reflection is the nearest.
    [
        difference[0] / wavelength_m,
        difference[1] / wavelength_m,
        difference[2] / wavelength_m,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_scattering_reaches_half_the_wavelength() {
        let q = scattering_vector([-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], 1e-10);
        assert_eq!(vector::norm(q), 2.0 / 1e-10);
    }
}
