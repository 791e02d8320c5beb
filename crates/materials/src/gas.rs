//! Gases at 20 C and 1 atm.

use crate::atom::Atom;
use crate::molecule::{Molecule, Pair};

/// The gas constant in J/(mol K).
const GAS_CONSTANT: f64 = 8.314_462_618;
const KELVIN: f64 = 293.15;
const PASCAL: f64 = 101_325.0;

/// A mixture of ideal gases: mole fractions and molecules.
///
/// The molecules are independent of each other, so that the intensity per molecule is the mean of those of the
/// molecules.
pub(crate) type Mixture = [(f64, Molecule)];

// Distances of the free molecules at rest: Huber and Herzberg, Constants of Diatomic Molecules (1979) for N2 and O2;
// Graner, Rossetti and Bailly, Mol. Phys. 58 (1986) 627 for CO2. Amplitudes: the zero-point motion of harmonic
// oscillators, l^2 = 16.858 G/omega in A^2 with the inverse effective mass G in 1/u and the wavenumber omega in 1/cm.

const NITROGEN: Molecule = Molecule {
    atoms: &[(Atom::Nitrogen, 2.0)],
    pairs: &[Pair {
        atoms: [Atom::Nitrogen; 2],
        count: 1.0,
        distance_angstrom: 1.0977,
        amplitude_angstrom: 0.032,
    }],
};

const OXYGEN: Molecule = Molecule {
    atoms: &[(Atom::Oxygen, 2.0)],
    pairs: &[Pair {
        atoms: [Atom::Oxygen; 2],
        count: 1.0,
        distance_angstrom: 1.2075,
        amplitude_angstrom: 0.037,
    }],
};

const CARBON_DIOXIDE: Molecule = Molecule {
    atoms: &[(Atom::Carbon, 1.0), (Atom::Oxygen, 2.0)],
    pairs: &[
        Pair {
            atoms: [Atom::Carbon, Atom::Oxygen],
            count: 2.0,
            distance_angstrom: 1.1600,
            amplitude_angstrom: 0.035,
        },
        Pair {
            atoms: [Atom::Oxygen; 2],
            count: 1.0,
            distance_angstrom: 2.3200,
            amplitude_angstrom: 0.040,
        },
    ],
};

const ARGON: Molecule = alone(&[(Atom::Argon, 1.0)]);
const HELIUM: Molecule = alone(&[(Atom::Helium, 1.0)]);

const fn alone(atoms: &'static [(Atom, f64)]) -> Molecule {
    Molecule { atoms, pairs: &[] }
}

/// Dry air.
///
/// # Source
/// Picard, Davis, Glaeser and Fujii, Metrologia 45 (2008) 149, Table 1, without the gases below 20 ppm.
pub(crate) static AIR_GAS: &Mixture = &[
    (0.780_848, NITROGEN),
    (0.209_390, OXYGEN),
    (0.009_332, ARGON),
    (0.000_400, CARBON_DIOXIDE),
];
pub(crate) static ARGON_GAS: &Mixture = &[(1.0, ARGON)];
pub(crate) static CARBON_DIOXIDE_GAS: &Mixture = &[(1.0, CARBON_DIOXIDE)];
pub(crate) static HELIUM_GAS: &Mixture = &[(1.0, HELIUM)];
pub(crate) static NITROGEN_GAS: &Mixture = &[(1.0, NITROGEN)];
pub(crate) static OXYGEN_GAS: &Mixture = &[(1.0, OXYGEN)];

/// The mean of a property of the molecules.
pub(crate) fn mean(mixture: &Mixture, property: impl Fn(&Molecule) -> f64) -> f64 {
    let total: f64 = mixture.iter().map(|(fraction, _)| fraction).sum();
    let weighted = mixture
        .iter()
        .map(|(fraction, molecule)| fraction * property(molecule));
    weighted.sum::<f64>() / total
}

/// The density of an ideal gas in g/cm^3.
pub(crate) fn density_g_per_cm3(mixture: &Mixture) -> f64 {
    const CM3_PER_M3: f64 = 1e6;
    let molar_mass = mean(mixture, Molecule::molar_mass_g_per_mol);
    molar_mass * PASCAL / (GAS_CONSTANT * KELVIN) / CM3_PER_M3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_those_of_handbooks() {
        // CRC Handbook of Chemistry and Physics, at 20 C and 1 atm, in g/l. Argon and oxygen are 0.1 % denser than
        // ideal, carbon dioxide 0.5 %.
        for (gas, grams_per_litre, tolerance) in [
            (AIR_GAS, 1.2045, 1e-3),
            (ARGON_GAS, 1.6617, 2e-3),
            (CARBON_DIOXIDE_GAS, 1.8393, 6e-3),
            (HELIUM_GAS, 0.16631, 1e-3),
            (NITROGEN_GAS, 1.1648, 1e-3),
            (OXYGEN_GAS, 1.3311, 1e-3),
        ] {
            let density = density_g_per_cm3(gas) * 1e3;
            assert!(
                (density / grams_per_litre - 1.0).abs() < tolerance,
                "{density}"
            );
        }
    }

    #[test]
    fn the_mean_molecule_of_air_has_the_mass_of_standard_air() {
        // ISO 2533 (1975), the standard atmosphere.
        let mass = mean(AIR_GAS, Molecule::molar_mass_g_per_mol);
        assert!((mass - 28.9644).abs() < 2e-3, "{mass}");
    }
}
