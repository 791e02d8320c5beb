//! Photon energy and wavelength.

/// Planck's constant times the speed of light, in eV Angstrom.
///
/// This is the value of the C program. That of CODATA 2018 is 12398.41984, which is smaller by a
/// fraction of 1.3e-8.
pub const HC_EV_ANGSTROM: f64 = 12398.42;

/// The wavelength of photons of this energy.
///
/// ```
/// use nanobragg_sources::wavelength_m_from_energy_ev;
///
/// assert_eq!(wavelength_m_from_energy_ev(12398.42), 1e-10);
/// ```
pub fn wavelength_m_from_energy_ev(energy_ev: f64) -> f64 {
    HC_EV_ANGSTROM / energy_ev / 1e10
}

/// The energy of photons of this wavelength.
pub fn energy_ev_from_wavelength_m(wavelength_m: f64) -> f64 {
    HC_EV_ANGSTROM / (wavelength_m * 1e10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_and_wavelength_are_each_others_inverse() {
        for energy_ev in [500.0, 7112.0, 12_658.0, 100_000.0] {
            let back = energy_ev_from_wavelength_m(wavelength_m_from_energy_ev(energy_ev));
            assert!((back / energy_ev - 1.0).abs() < 1e-15);
        }
    }
}
