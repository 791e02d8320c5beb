//! The diffuse background of water in the beam.

use nanobragg_numeric::Real;

use crate::scattering::ELECTRON_RADIUS_SQUARED_M2;

/// Structure factor of one water molecule in the forward direction, in electrons.
pub const WATER_STRUCTURE_FACTOR: f64 = 2.57;

/// Molecules per mole in the C program (the exact value since 2019 is 6.02214076e23).
pub const AVOGADRO_PER_MOL: f64 = 6.022_141_79e23;

/// Molar mass of water in g/mol.
pub const WATER_MOLAR_MASS_G_PER_MOL: f64 = 18.0;

const WATER_DENSITY_G_PER_M3: f64 = 1e6;

/// The intensity that a cube of water of edge `water_m` (metres) adds to the sum of every pixel, as in
/// the C program: `F^2 r_e^2 fluence edge^3 density Avogadro / M`. `fluence_per_m2` is in photons/m^2.
///
/// This number is already in photons per steradian, but the C program adds it to a sum that is
/// multiplied by `r_e^2 fluence / steps` once more. This is the oddity `water`.
pub fn water_background<T: Real>(fluence_per_m2: T, water_m: T) -> T {
    T::from_f64(WATER_STRUCTURE_FACTOR * WATER_STRUCTURE_FACTOR * ELECTRON_RADIUS_SQUARED_M2)
        * fluence_per_m2
        * water_m
        * water_m
        * water_m
        * T::from_f64(WATER_DENSITY_G_PER_M3)
        * T::from_f64(AVOGADRO_PER_MOL)
        / T::from_f64(WATER_MOLAR_MASS_G_PER_MOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_micrometres_of_water_scatter_as_their_molecules() {
        let molecules = 1e-15 * 1e6 / 18.0 * AVOGADRO_PER_MOL;
        let expected = molecules * 2.57 * 2.57 * ELECTRON_RADIUS_SQUARED_M2 * 1e24;
        assert!((water_background(1e24, 1e-5) / expected - 1.0).abs() < 1e-14);
    }

    #[test]
    fn no_water_adds_nothing() {
        assert_eq!(water_background(1e30, 0.0), 0.0);
    }
}
