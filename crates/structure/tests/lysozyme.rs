//! Hen egg-white lysozyme, PDB entry 1AKI, against the numbers of another program.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;

use nanobragg_structure::{FactorSpec, StructureFactor, StructureFactors, read};

/// The allowed difference between the two programs, `sum |F - F'| / sum F'`, to 2 A.
///
/// The map cuts off each atom at 1e-5 e/A^3, which gives a difference of 3e-5. The requirement is 5e-3.
const MOST_R: f64 = 1e-4;

struct Known {
    hkl: [i32; 3],
    real: f64,
    imaginary: f64,
    with_solvent: f64,
}

fn known() -> Vec<Known> {
    let lines = include_str!("data/lysozyme_gemmi.csv").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let words: Vec<&str> = line.split(',').collect();
        Known {
            hkl: [0, 1, 2].map(|i| words[i].parse().unwrap()),
            real: words[3].parse().unwrap(),
            imaginary: words[4].parse().unwrap(),
            with_solvent: words[5].parse().unwrap(),
        }
    });
    rows.collect()
}

fn lysozyme(spec: &FactorSpec) -> (StructureFactors, HashMap<[i32; 3], StructureFactor>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/lysozyme/1aki.pdb");
    let reading = read::read(&path, &read::Given::default()).unwrap();
    assert_eq!(reading.model.atoms.len(), 1001);
    assert_eq!(reading.warnings, []);
    let factors = StructureFactors::new(&reading.model, spec).unwrap();
    let by_hkl = factors.list.iter().map(|factor| (factor.hkl.0, *factor));
    let by_hkl = by_hkl.collect();
    (factors, by_hkl)
}

#[test]
fn the_protein_agrees_with_direct_summation_in_amplitude_and_phase() {
    let dry = FactorSpec {
        solvent: None,
        ..FactorSpec::default()
    };
    let (factors, by_hkl) = lysozyme(&dry);
    assert_eq!(factors.solvent_fraction, None);
    let [mut amplitudes, mut vectors, mut sum] = [0.0; 3];
    for known in known() {
        let factor = by_hkl[&known.hkl];
        let amplitude = known.real.hypot(known.imaginary);
        amplitudes += (factor.amplitude() - amplitude).abs();
        vectors += (factor.real - known.real).hypot(factor.imaginary - known.imaginary);
        sum += amplitude;
    }
    assert!(amplitudes < MOST_R * sum, "{}", amplitudes / sum);
    assert!(vectors < MOST_R * sum, "{}", vectors / sum);
}

#[test]
fn bulk_solvent_agrees_too() {
    let (factors, by_hkl) = lysozyme(&FactorSpec::default());
    let [mut differences, mut sum] = [0.0; 2];
    for known in known() {
        differences += (by_hkl[&known.hkl].amplitude() - known.with_solvent).abs();
        sum += known.with_solvent;
    }
    assert!(differences < MOST_R * sum, "{}", differences / sum);
    // The fraction of solvent in the mask of the other program.
    let fraction = factors.solvent_fraction.unwrap();
    assert!((fraction - 0.438_111).abs() < 1e-6, "{fraction}");
    // F of 0 0 0 is the number of electrons: 26 669 of atoms, 18 918 of solvent.
    assert!((by_hkl[&[0, 0, 0]].real - 45_587.7).abs() < 5.0);
}

#[test]
fn the_full_list_of_the_example_is_reproduced() {
    let list =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/lysozyme/lysozyme_P1.hkl");
    let list = nanobragg_crystal::read::hkl::read(&list).unwrap();
    let (_, by_hkl) = lysozyme(&FactorSpec::default());
    let [mut differences, mut sum] = [0.0; 2];
    for known in &list {
        differences += (by_hkl[&known.hkl.0].amplitude() - known.amplitude).abs();
        sum += known.amplitude;
    }
    assert_eq!(list.len(), 64_585);
    assert!(differences < MOST_R * sum, "{}", differences / sum);
}

#[test]
fn the_sphere_is_complete_and_has_the_absences_of_the_screw_axes() {
    let (factors, by_hkl) = lysozyme(&FactorSpec::default());
    let sphere = 4.0 / 3.0 * std::f64::consts::PI / 8.0 * 59.062 * 68.451 * 30.517;
    let share = factors.list.len() as f64 / sphere;
    assert!((share - 1.0).abs() < 0.01, "{share}");
    for hkl in [[3, 0, 0], [0, -5, 0], [0, 0, 7]] {
        assert!(by_hkl[&hkl].amplitude() < 1e-6);
    }
    for (hkl, factor) in &by_hkl {
        let mate = by_hkl[&hkl.map(|index| -index)];
        assert!((factor.amplitude() - mate.amplitude()).abs() < 1e-6);
    }
}
