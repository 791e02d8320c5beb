//! The elements that materials are made of.

use nanobragg_structure::{Element, FormFactor};

use crate::data::{ATTENUATION, INCOHERENT, log_log};

/// hc in keV A.
const KEV_ANGSTROM: f64 = 12.398_419_84;

/// An element with all tables. The number is the column of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atom {
    Hydrogen = 1,
    Helium,
    Carbon,
    Nitrogen,
    Oxygen,
    Argon,
}

impl Atom {
    /// The element, and the mass of a mole in g.
    ///
    /// # Source
    /// Standard atomic weights, abridged: Prohaska et al., Pure Appl. Chem. 94 (2022) 573.
    fn row(self) -> (Element, f64) {
        match self {
            Self::Hydrogen => (Element::HYDROGEN, 1.008),
            Self::Helium => (Element::HELIUM, 4.0026),
            Self::Carbon => (Element::CARBON, 12.011),
            Self::Nitrogen => (Element::NITROGEN, 14.007),
            Self::Oxygen => (Element::OXYGEN, 15.999),
            Self::Argon => (Element::ARGON, 39.95),
        }
    }

    pub(crate) fn molar_mass_g_per_mol(self) -> f64 {
        self.row().1
    }

    /// The form factor of the atom at rest, in electrons.
    pub(crate) fn form_factor(self, stol_per_angstrom: f64) -> f64 {
        FormFactor::of(self.row().0, 0).at(4.0 * stol_per_angstrom * stol_per_angstrom)
    }

    /// The incoherent scattering function, in electrons. At small x it falls like `x^2`.
    pub(crate) fn incoherent(self, stol_per_angstrom: f64) -> f64 {
        let [least, ..] = INCOHERENT[0];
        let inside = stol_per_angstrom.max(least);
        log_log(&INCOHERENT, self as usize, inside) * (stol_per_angstrom / inside).powi(2)
    }

    /// The mass attenuation coefficient in cm^2/g.
    pub(crate) fn attenuation_cm2_per_g(self, wavelength_angstrom: f64) -> f64 {
        log_log(
            &ATTENUATION,
            self as usize,
            KEV_ANGSTROM / wavelength_angstrom,
        )
    }
}

/// The wavelengths in A for which there are attenuation coefficients, shortest first.
pub(crate) fn wavelengths_angstrom() -> [f64; 2] {
    let [lowest, ..] = ATTENUATION[0];
    let [highest, ..] = ATTENUATION[ATTENUATION.len() - 1];
    [KEV_ANGSTROM / highest, KEV_ANGSTROM / lowest]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Atom; 6] = [
        Atom::Hydrogen,
        Atom::Helium,
        Atom::Carbon,
        Atom::Nitrogen,
        Atom::Oxygen,
        Atom::Argon,
    ];

    /// The logarithmic interpolation; the tables of Elam and of NIST agree to 0.05 % at these energies.
    const ATTENUATION_TOLERANCE: f64 = 0.004;

    /// xraylib's splines through the same table.
    const INCOHERENT_TOLERANCE_ELECTRONS: f64 = 0.01;

    #[test]
    fn attenuation_is_that_of_nist() {
        // Hubbell and Seltzer, NISTIR 5632: mu/rho of H, He, C, N, O, Ar.
        let table = [
            (10.0, [0.3854, 0.2476, 2.373, 3.879, 5.952, 63.16]),
            (15.0, [0.3764, 0.2092, 0.8071, 1.236, 1.836, 19.83]),
            (20.0, [0.3695, 0.1960, 0.4420, 0.6178, 0.8651, 8.629]),
            (30.0, [0.3570, 0.1838, 0.2562, 0.3066, 0.3779, 2.697]),
        ];
        for (kev, column) in table {
            for (atom, expected) in ALL.into_iter().zip(column) {
                let found = atom.attenuation_cm2_per_g(KEV_ANGSTROM / kev);
                let relative = (found / expected - 1.0).abs();
                assert!(
                    relative < ATTENUATION_TOLERANCE,
                    "{atom:?} at {kev} keV: {found}"
                );
            }
        }
    }

    #[test]
    fn form_factors_at_zero_count_the_electrons() {
        for (atom, electrons) in ALL.into_iter().zip([1.0, 2.0, 6.0, 7.0, 8.0, 18.0]) {
            assert!((atom.form_factor(0.0) - electrons).abs() < 0.01, "{atom:?}");
        }
    }

    #[test]
    fn incoherent_functions_are_those_of_xraylib() {
        // SF_Compt of xraylib 4.3.0 at x = 0.1, 0.5 and 2.0: H, C, O, Ar.
        let table = [
            (0.1, [0.3426, 1.0392, 0.977, 1.956]),
            (0.5, [0.995, 4.4777, 5.828, 10.106]),
            (2.0, [1.0, 5.9302, 7.7642, 16.324]),
        ];
        for (x, column) in table {
            for (atom, expected) in [Atom::Hydrogen, Atom::Carbon, Atom::Oxygen, Atom::Argon]
                .into_iter()
                .zip(column)
            {
                let error = (atom.incoherent(x) - expected).abs();
                assert!(error < INCOHERENT_TOLERANCE_ELECTRONS, "{atom:?} at {x}");
            }
        }
        let ratio = Atom::Oxygen.incoherent(0.002) / Atom::Oxygen.incoherent(0.001);
        assert!((ratio - 4.0).abs() < 1e-9);
    }
}
