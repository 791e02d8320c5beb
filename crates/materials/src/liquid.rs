//! Liquids: a table of their coherent scattering, and free molecules beyond it.

use std::f64::consts::PI;

use crate::atom::Atom;
use crate::data::{OIL, WATER};
use crate::molecule::{Molecule, Pair};

/// A liquid.
#[derive(Debug)]
pub(crate) struct Liquid {
    pub(crate) molecule: Molecule,
    pub(crate) density_g_per_cm3: f64,
    /// Q in 1/A, ascending from 0, and the coherent intensity of a molecule in electron units.
    rows: &'static [(f64, f64)],
}

/// Liquid water at 25 C and 1 atm.
///
/// # Source
/// The density: Wagner and Pruss, J. Phys. Chem. Ref. Data 31 (2002) 387 (IAPWS-95).
pub(crate) static LIQUID_WATER: Liquid = Liquid {
    molecule: WATER_MOLECULE,
    density_g_per_cm3: 0.997_05,
    rows: &WATER,
};

/// A hydrocarbon oil. Its molecule is a CH2 group.
pub(crate) static HYDROCARBON_OIL: Liquid = Liquid {
    molecule: CH2_GROUP,
    density_g_per_cm3: 0.87,
    rows: &OIL,
};

/// The distance of the hydrogen atoms of a molecule of water in A.
pub(crate) const HYDROGENS_APART_ANGSTROM: f64 = 1.5139;

/// A molecule of water: O-H 0.9572 A, H-O-H 104.52 degrees.
///
/// # Source
/// Benedict, Gailar and Plyler, J. Chem. Phys. 24 (1956) 1139. Amplitudes as for the gases.
pub(crate) const WATER_MOLECULE: Molecule = Molecule {
    atoms: &[(Atom::Hydrogen, 2.0), (Atom::Oxygen, 1.0)],
    pairs: &[
        Pair {
            atoms: [Atom::Oxygen, Atom::Hydrogen],
            count: 2.0,
            distance_angstrom: 0.9572,
            amplitude_angstrom: 0.068,
        },
        Pair {
            atoms: [Atom::Hydrogen; 2],
            count: 1.0,
            distance_angstrom: HYDROGENS_APART_ANGSTROM,
            amplitude_angstrom: 0.113,
        },
    ],
};

/// A CH2 group in a long chain, with the distances to its neighbours that do not depend on torsion.
///
/// # Source
/// The distances and amplitudes of `oil.py`.
const CH2_GROUP: Molecule = Molecule {
    atoms: &[(Atom::Carbon, 1.0), (Atom::Hydrogen, 2.0)],
    pairs: &[
        Pair {
            atoms: [Atom::Carbon, Atom::Hydrogen],
            count: 2.0,
            distance_angstrom: 1.09,
            amplitude_angstrom: 0.078,
        },
        Pair {
            atoms: [Atom::Hydrogen; 2],
            count: 1.0,
            distance_angstrom: 1.78,
            amplitude_angstrom: 0.12,
        },
        Pair {
            atoms: [Atom::Carbon; 2],
            count: 1.0,
            distance_angstrom: 1.53,
            amplitude_angstrom: 0.05,
        },
        Pair {
            atoms: [Atom::Carbon; 2],
            count: 1.0,
            distance_angstrom: 2.54,
            amplitude_angstrom: 0.07,
        },
        Pair {
            atoms: [Atom::Carbon, Atom::Hydrogen],
            count: 4.0,
            distance_angstrom: 2.16,
            amplitude_angstrom: 0.11,
        },
    ],
};

impl Liquid {
    /// The coherent intensity: sin(theta)/lambda in 1/A, and electron units per molecule. Beyond the rows it is that of
    /// free molecules, at those of the points `free` that are there.
    pub(crate) fn coherent(
        &'static self,
        free: impl Iterator<Item = f64>,
    ) -> impl Iterator<Item = (f64, f64)> {
        let stol = |q: f64| q / (4.0 * PI);
        let last = self.rows.last().map_or(0.0, |(q, _)| stol(*q));
        let beyond = free.filter(move |point| *point > last);
        let measured = self
            .rows
            .iter()
            .map(move |&(q, intensity)| (stol(q), intensity));
        measured.chain(beyond.map(|point| (point, self.molecule.coherent(point))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_go_over_to_free_molecules() {
        for liquid in [&LIQUID_WATER, &HYDROCARBON_OIL] {
            let &(q, intensity) = liquid.rows.last().unwrap();
            let free = liquid.molecule.coherent(q / (4.0 * PI));
            assert!((intensity / free - 1.0).abs() < 1e-3, "{intensity} {free}");
        }
    }
}
