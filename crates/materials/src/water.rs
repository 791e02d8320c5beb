//! Water.

use std::f64::consts::PI;

use crate::atom::Atom;
use crate::molecule::{Molecule, Pair};
use crate::tables::WATER;

/// The density of liquid water at 25 C in g/cm^3.
///
/// # Source
/// Wagner and Pruss, J. Phys. Chem. Ref. Data 31 (2002) 387 (IAPWS-95).
pub(crate) const DENSITY_G_PER_CM3: f64 = 0.997_05;

/// The distance of the hydrogen atoms of a molecule in A.
pub(crate) const HYDROGENS_APART_ANGSTROM: f64 = 1.5139;

/// The free molecule: O-H 0.9572 A, H-O-H 104.52 degrees.
///
/// # Source
/// Benedict, Gailar and Plyler, J. Chem. Phys. 24 (1956) 1139. Amplitudes as for the gases.
pub(crate) const MOLECULE: Molecule = Molecule {
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

/// The coherent intensity of the liquid: sin(theta)/lambda in 1/A, and electron units per molecule. Beyond the
/// measured range it is that of free molecules, at those of the points `free` that are there.
pub(crate) fn coherent(free: impl Iterator<Item = f64>) -> impl Iterator<Item = (f64, f64)> {
    let stol = |q: f64| q / (4.0 * PI);
    let (last, _) = WATER[WATER.len() - 1];
    let beyond = free.filter(move |point| *point > stol(last));
    let measured = WATER
        .iter()
        .map(move |&(q, intensity)| (stol(q), intensity));
    measured.chain(beyond.map(|point| (point, MOLECULE.coherent(point))))
}
