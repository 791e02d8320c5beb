//! A molecule, and what it scatters when it is free.

use std::f64::consts::PI;

use crate::atom::Atom;

/// The Compton wavelength of the electron in A.
const COMPTON_ANGSTROM: f64 = 0.024_263_102;

/// Pairs of atoms at one distance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) atoms: [Atom; 2],
    pub(crate) count: f64,
    pub(crate) distance_angstrom: f64,
    /// The root-mean-square amplitude of the vibration of the distance.
    pub(crate) amplitude_angstrom: f64,
}

/// A molecule: its atoms with their numbers, and all pairs of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Molecule {
    pub(crate) atoms: &'static [(Atom, f64)],
    pub(crate) pairs: &'static [Pair],
}

/// sin(x)/x.
pub(crate) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-4 {
        1.0 - x * x / 6.0
    } else {
        x.sin() / x
    }
}

impl Molecule {
    pub(crate) fn molar_mass_g_per_mol(&self) -> f64 {
        let masses = self
            .atoms
            .iter()
            .map(|(atom, n)| n * atom.molar_mass_g_per_mol());
        masses.sum()
    }

    /// The coherent intensity of a free molecule, averaged over its orientations, in electron units.
    ///
    /// ```text
    /// I = sum_i f_i^2 + 2 sum_(i<j) f_i f_j exp(-l^2 Q^2/2) sin(Q r)/(Q r)        Q = 4 pi sin(theta)/lambda
    /// ```
    /// # Source
    /// Debye, Ann. Phys. 351 (1915) 809; the vibration as in Hargittai and Hargittai, Stereochemical Applications
    /// of Gas-Phase Electron Diffraction (1988), chapter 1.
    pub(crate) fn coherent(&self, stol_per_angstrom: f64) -> f64 {
        let q = 4.0 * PI * stol_per_angstrom;
        let form = |atom: Atom| atom.form_factor(stol_per_angstrom);
        let alone: f64 = self
            .atoms
            .iter()
            .map(|(atom, n)| n * form(*atom).powi(2))
            .sum();
        let together = self.pairs.iter().map(|pair| {
            let [first, second] = pair.atoms;
            let damping = (-0.5 * (pair.amplitude_angstrom * q).powi(2)).exp();
            let interference = damping * sinc(q * pair.distance_angstrom);
            2.0 * pair.count * form(first) * form(second) * interference
        });
        alone + together.sum::<f64>()
    }

    /// The incoherent intensity in electron units, as the number of photons.
    ///
    /// ```text
    /// I = P^2 sum_i S_i        P = 1/(1 + (lambda_C/lambda) (1 - cos(2 theta)))
    /// ```
    /// P is the energy of the scattered photon over that of the incident one. The formula of Klein and Nishina has
    /// another factor, `1 + (P + 1/P - 2)/(1 + cos^2(2 theta))` for a beam without polarization. It is left out: below
    /// 1.0002 at 1 A to 60 degrees, and 1.0044 straight back at 0.5 A.
    ///
    /// The binding of atoms in molecules changes S by a few percent below 0.3/A; it is left out.
    pub(crate) fn incoherent(&self, stol_per_angstrom: f64, wavelength_angstrom: f64) -> f64 {
        let recoil = 2.0 * COMPTON_ANGSTROM * wavelength_angstrom * stol_per_angstrom.powi(2);
        let scattered = self
            .atoms
            .iter()
            .map(|(atom, n)| n * atom.incoherent(stol_per_angstrom));
        scattered.sum::<f64>() / (1.0 + recoil).powi(2)
    }

    /// The attenuation coefficient of a mole in cm^2: the sum of those of its atoms.
    pub(crate) fn attenuation_cm2_per_mol(&self, wavelength_angstrom: f64) -> f64 {
        let attenuation = self.atoms.iter().map(|(atom, n)| {
            n * atom.molar_mass_g_per_mol() * atom.attenuation_cm2_per_g(wavelength_angstrom)
        });
        attenuation.sum()
    }
}
