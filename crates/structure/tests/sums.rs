//! Structure factors, compared with closed formulas and with laws.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::f64::consts::{PI, TAU};

use nanobragg_crystal::{CellSpec, SpaceGroup};
use nanobragg_structure::{
    Atom, CellFrame, Correction, Dispersion, Displacement, Element, FactorSpec, FormFactor, Model,
    StructureFactor, StructureFactors, Summation, read,
};

/// The map compared with the direct sum, `sum |F - F'| / sum |F'|` over complex F.
const MAP_R: f64 = 3e-4;

/// Direct sums compared with each other or with a closed formula: rounding of sums of a hundred
/// electrons.
const ROUNDING: f64 = 1e-9;

type Factors = HashMap<[i32; 3], StructureFactor>;

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

fn atom(symbol: &str, position: [f64; 3], b_a2: f64) -> Atom {
    Atom {
        element: element(symbol),
        charge: 0,
        position,
        occupancy: 1.0,
        displacement: Displacement::Isotropic { b_a2 },
    }
}

fn model(cell: &[f64], group: &str, atoms: Vec<Atom>) -> Model {
    Model {
        frame: CellFrame::new(CellSpec::from_values(cell).unwrap()).unwrap(),
        space_group: SpaceGroup::from_name(group).unwrap(),
        atoms,
        dispersion: Dispersion::new(),
    }
}

fn factors(model: &Model, method: Summation, dispersion: Dispersion) -> Factors {
    let spec = FactorSpec {
        dmin_a: 1.2,
        solvent: None,
        dispersion,
        method,
        ..FactorSpec::default()
    };
    let list = StructureFactors::new(model, &spec).unwrap().list;
    list.into_iter()
        .map(|factor| (factor.hkl.0, factor))
        .collect()
}

fn direct(model: &Model) -> Factors {
    factors(model, Summation::Direct, Dispersion::new())
}

/// `sum |F - F'| / sum |F'|`.
fn r(found: &Factors, expected: &Factors) -> f64 {
    assert_eq!(found.len(), expected.len());
    let [mut differences, mut sum] = [0.0; 2];
    for (hkl, factor) in expected {
        let other = found[hkl];
        differences += (factor.real - other.real).hypot(factor.imaginary - other.imaginary);
        sum += factor.amplitude();
    }
    differences / sum
}

const TRICLINIC: [f64; 6] = [9.0, 11.0, 13.0, 82.0, 97.0, 106.0];

/// Atoms of many elements, sharp and wide, some with anisotropic displacements.
fn mixture() -> Vec<Atom> {
    let mut atoms = vec![
        atom("C", [0.11, 0.27, 0.83], 2.0),
        atom("N", [0.52, -0.31, 0.08], 12.0),
        atom("O", [0.77, 0.64, 1.45], 60.0),
        atom("H", [0.05, 0.91, 0.49], 5.0),
        atom("Se", [0.35, 0.45, 0.25], 8.0),
        atom("Ti", [0.95, 0.15, 0.65], 0.0),
    ];
    atoms[1].occupancy = 0.4;
    atoms[4].displacement = Displacement::Anisotropic {
        u_a2: [0.05, 0.20, 0.10, 0.03, -0.02, 0.06],
    };
    // The ion with the most negative of all b.
    atoms[5].charge = 4;
    atoms
}

fn dispersive() -> Dispersion {
    let selenium = Correction {
        real: -8.0,
        imaginary: 4.5,
    };
    Dispersion::from([(element("Se"), selenium)])
}

#[test]
fn the_map_agrees_with_direct_summation() {
    for (cell, group) in [(&TRICLINIC[..], "P 1"), (&[14.0, 14.0, 11.0], "P 41 21 2")] {
        let model = model(cell, group, mixture());
        let exact = factors(&model, Summation::Direct, dispersive());
        let fast = factors(&model, Summation::Density, dispersive());
        assert!(r(&fast, &exact) < MAP_R, "{group}: {}", r(&fast, &exact));
    }
}

#[test]
fn one_atom_scatters_like_its_form_factor() {
    let position = [0.2, 0.3, 0.4];
    let found = direct(&model(
        &[8.0, 9.0, 10.0],
        "P 1",
        vec![atom("S", position, 15.0)],
    ));
    let sulphur = FormFactor::of(element("S"), 0);
    for (hkl, factor) in &found {
        let [h, k, l] = hkl.map(f64::from);
        let s_squared = h * h / 64.0 + k * k / 81.0 + l * l / 100.0;
        let amplitude = sulphur.at(s_squared) * (-15.0 * s_squared / 4.0).exp();
        assert!((factor.amplitude() - amplitude).abs() < ROUNDING);
        let turns = h * position[0] + k * position[1] + l * position[2];
        assert!((factor.real - amplitude * (TAU * turns).cos()).abs() < ROUNDING);
        assert!((factor.imaginary - amplitude * (TAU * turns).sin()).abs() < ROUNDING);
    }
}

#[test]
fn symmetry_equals_a_list_of_all_atoms() {
    // P 21 21 21 as the International Tables print it.
    let images = |[x, y, z]: [f64; 3]| {
        [
            [x, y, z],
            [0.5 - x, -y, 0.5 + z],
            [-x, 0.5 + y, 0.5 - z],
            [0.5 + x, 0.5 - y, -z],
        ]
    };
    let cell = [11.0, 12.0, 13.0];
    let mut unit = mixture();
    // Tensors are left out, because they would have to be rotated here too.
    unit.retain(|atom| matches!(atom.displacement, Displacement::Isotropic { .. }));
    let all = unit
        .iter()
        .flat_map(|atom| images(atom.position).map(|position| Atom { position, ..*atom }));
    let written_out = direct(&model(&cell, "P 1", all.collect()));
    let symmetric = direct(&model(&cell, "P 21 21 21", unit));
    assert!(r(&symmetric, &written_out) < ROUNDING);
}

#[test]
fn a_tensor_turns_with_its_atom() {
    // Under 2 along b, (x, y, z) -> (-x, y, -z), U12 and U23 change sign.
    let tensor = |u12, u23| Displacement::Anisotropic {
        u_a2: [0.05, 0.20, 0.10, u12, -0.02, u23],
    };
    let mut here = atom("Fe", [0.1, 0.2, 0.3], 0.0);
    here.displacement = tensor(0.03, 0.06);
    let mut there = atom("Fe", [-0.1, 0.2, -0.3], 0.0);
    there.displacement = tensor(-0.03, -0.06);
    let cell = [9.0, 10.0, 11.0, 90.0, 104.0, 90.0];
    let written_out = direct(&model(&cell, "P 1", vec![here, there]));
    let symmetric = direct(&model(&cell, "P 1 2 1", vec![here]));
    assert!(r(&symmetric, &written_out) < ROUNDING);
}

#[test]
fn a_round_tensor_is_a_b_factor() {
    let b_a2 = 18.0;
    let u = b_a2 / (8.0 * PI * PI);
    let mut tensor = mixture();
    let mut number = mixture();
    for (tensor, number) in tensor.iter_mut().zip(&mut number) {
        number.displacement = Displacement::Isotropic { b_a2 };
        tensor.displacement = Displacement::Anisotropic {
            u_a2: [u, u, u, 0.0, 0.0, 0.0],
        };
    }
    let [tensor, number] = [tensor, number].map(|atoms| model(&TRICLINIC, "P 1", atoms));
    assert!(r(&direct(&tensor), &direct(&number)) < ROUNDING);
    let [tensor, number] =
        [tensor, number].map(|model| factors(&model, Summation::Density, Dispersion::new()));
    assert!(r(&tensor, &number) < ROUNDING);
}

#[test]
fn a_larger_b_weakens_each_reflection_by_its_spacing() {
    let atoms = |more: f64| {
        let mut atoms = mixture();
        atoms[4] = atom("Se", [0.35, 0.45, 0.25], 8.0);
        for atom in &mut atoms {
            if let Displacement::Isotropic { b_a2 } = &mut atom.displacement {
                *b_a2 += more;
            }
        }
        model(&TRICLINIC, "P 1", atoms)
    };
    let (sharp, wide) = (atoms(0.0), atoms(10.0));
    let mut expected = direct(&sharp);
    for (hkl, factor) in &mut expected {
        let weaker = (-10.0 * sharp.frame.s_squared(*hkl) / 4.0).exp();
        factor.real *= weaker;
        factor.imaginary *= weaker;
    }
    assert!(r(&direct(&wide), &expected) < ROUNDING);
}

#[test]
fn moving_the_crystal_moves_only_phases() {
    let still = model(&TRICLINIC, "P 1", mixture());
    let mut moved = still.clone();
    for atom in &mut moved.atoms {
        atom.position[0] += 0.137;
        atom.position[2] -= 2.5;
    }
    let (before, after) = (direct(&still), direct(&moved));
    for (hkl, factor) in &before {
        assert!((factor.amplitude() - after[hkl].amplitude()).abs() < ROUNDING);
    }
    assert!(r(&after, &before) > 0.1);
    // The points of the map are at other positions in the atoms. The result must not depend on it.
    let map = |model| factors(model, Summation::Density, Dispersion::new());
    let (before, after) = (map(&still), map(&moved));
    let difference = |hkl: &[i32; 3]| (before[hkl].amplitude() - after[hkl].amplitude()).abs();
    let differences: f64 = before.keys().map(difference).sum();
    let sum: f64 = before.values().map(StructureFactor::amplitude).sum();
    assert!(differences < MAP_R * sum, "{}", differences / sum);
}

#[test]
fn only_absorption_breaks_the_law_of_friedel() {
    let model = model(&TRICLINIC, "P 1", mixture());
    let split = |dispersion| {
        let found = factors(&model, Summation::Density, dispersion);
        let mates = found.iter().map(|(hkl, factor)| {
            (factor.amplitude() - found[&hkl.map(|index| -index)].amplitude()).abs()
        });
        mates.fold(0.0, f64::max)
    };
    let real_only = Correction {
        real: -8.0,
        imaginary: 0.0,
    };
    assert!(split(Dispersion::new()) < ROUNDING);
    assert!(split(Dispersion::from([(element("Se"), real_only)])) < ROUNDING);
    assert!(split(dispersive()) > 1.0);
}

#[test]
fn mates_differ_as_two_atoms_predict() {
    // |F(h)|^2 - |F(-h)|^2 = -4 f1 f2'' sin(2 pi h.(x1 - x2)) with f'' on atom 2 only.
    let atoms = vec![atom("C", [0.3, 0.1, 0.6], 0.0), atom("Se", [0.0; 3], 0.0)];
    let model = model(&[8.0, 9.0, 10.0], "P 1", atoms);
    let found = factors(&model, Summation::Direct, dispersive());
    let carbon = FormFactor::of(element("C"), 0);
    for (hkl, factor) in &found {
        let mate = found[&hkl.map(|index| -index)];
        let [h, k, l] = hkl.map(f64::from);
        let turns = 0.3 * h + 0.1 * k + 0.6 * l;
        let f1 = carbon.at(model.frame.s_squared(*hkl));
        let expected = 4.0 * f1 * 4.5 * (TAU * turns).sin();
        let difference = factor.amplitude().powi(2) - mate.amplitude().powi(2);
        assert!(
            (difference - expected).abs() < 1e-7,
            "{hkl:?} {difference} {expected}"
        );
    }
}

#[test]
fn rock_salt_adds_or_subtracts_its_two_sublattices() {
    let text = "data_NaCl\n_cell_length_a 5.6402(2)\n_cell_length_b 5.6402\n_cell_length_c 5.6402\n\
        _space_group_name_H-M_alt 'F m -3 m'\n\
        loop_ _atom_site_label _atom_site_type_symbol _atom_site_fract_x _atom_site_fract_y \
        _atom_site_fract_z _atom_site_U_iso_or_equiv\n\
        Na1 Na1+ 0 0 0 0.02\nCl1 Cl1- 0.5 0.5 0.5 0.02\n";
    let reading = read::parse(text.as_bytes(), "NaCl.cif", &read::Given::default()).unwrap();
    // 48 of the 192 operations map each atom to itself.
    assert_eq!(reading.warnings.len(), 1);
    let found = direct(&reading.model);
    let [sodium, chlorine] =
        [("Na", 1), ("Cl", -1)].map(|(symbol, charge)| FormFactor::of(element(symbol), charge));
    let mut counts = [0; 3];
    for (hkl, factor) in &found {
        let s_squared = reading.model.frame.s_squared(*hkl);
        let motion = (-2.0 * PI * PI * 0.02 * s_squared).exp();
        let [sodium, chlorine] = [sodium, chlorine].map(|ion| ion.at(s_squared) * motion);
        let odd = hkl.iter().filter(|index| *index % 2 != 0).count();
        let (kind, expected) = match odd {
            0 => (0, 4.0 * (sodium + chlorine)),
            3 => (1, 4.0 * (sodium - chlorine)),
            _ => (2, 0.0),
        };
        counts[kind] += 1;
        assert!(
            (factor.real - expected).abs() < 1e-6,
            "{hkl:?} {factor:?} {expected}"
        );
        assert!(factor.imaginary.abs() < 1e-6);
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
}

#[test]
fn odd_atoms_scatter_as_in_gemmi() {
    // F(1 2 3) of two atoms by the direct sum of gemmi 0.7.5. The first one is an ordinary carbon.
    const PRINTED: f64 = 2e-6;
    let text = |occupancy: &str, b: &str, symbol: &str| {
        let cell = "CRYST1   10.000   12.000   14.000  90.00  90.00  90.00 P 1           1\n";
        let atom = |x: &str, end: &str| {
            format!("ATOM      1  CA  ALA A   1       {x}   3.100   3.700{end}\n")
        };
        let first = atom("7.500", "  1.00 20.00           C");
        cell.to_owned() + &first + &atom("2.500", &format!("{occupancy}{b}          {symbol}"))
    };
    for (occupancy, b, symbol, expected) in [
        ("  1.20", " 20.00", " C", [-0.538_592_35, -0.211_381_92]),
        (" -0.50", " 20.00", " C", [4.039_441_68, 1.585_364_03]),
        ("  1.00", " -5.00", " C", [-1.850_741_76, -0.726_362_62]),
        ("  1.00", " 20.00", " X", [-1.325_933_91, -0.520_390_71]),
        ("  1.00", " 20.00", " D", [2.246_355_39, 0.881_629_52]),
    ] {
        let text = text(occupancy, b, symbol);
        let reading = read::parse(text.as_bytes(), "x.pdb", &read::Given::default()).unwrap();
        for method in [Summation::Direct, Summation::Density] {
            let found = factors(&reading.model, method, Dispersion::new())[&[1, 2, 3]];
            let off = (found.real - expected[0]).hypot(found.imaginary - expected[1]);
            let tolerance = match method {
                Summation::Direct => PRINTED,
                Summation::Density => MAP_R * 6.0,
            };
            assert!(off < tolerance, "{text}{found:?} {expected:?}");
        }
    }
}

/// A CIF whose atoms are in A along other axes than x along a: `sites` in `cell`, and
/// matrix and vector of `_atom_sites`, whose names begin with `kind`.
fn in_axes(cell: &str, kind: &str, matrix: [[f64; 3]; 3], vector: [f64; 3], sites: &str) -> String {
    let tags = [
        "length_a",
        "length_b",
        "length_c",
        "angle_alpha",
        "angle_beta",
        "angle_gamma",
    ];
    let mut text = "data_x\n_symmetry.space_group_name_H-M 'P 1'\n".to_owned();
    for (tag, value) in tags.into_iter().zip(cell.split(' ')) {
        text += &format!("_cell.{tag} {value}\n");
    }
    for (i, (row, shift)) in matrix.iter().zip(vector).enumerate() {
        for (j, x) in row.iter().enumerate() {
            text += &format!("_atom_sites.{kind}_matrix[{}][{}] {x}\n", i + 1, j + 1);
        }
        text += &format!("_atom_sites.{kind}_vector[{}] {shift}\n", i + 1);
    }
    text += "loop_\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n\
             _atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n";
    text + sites
}

#[test]
fn atoms_of_a_cif_are_in_the_axes_that_it_states() {
    let read = |text: &str| read::parse(text.as_bytes(), "x.cif", &read::Given::default());
    // x along -b, y along a: the atoms are half a cell apart along a, so F = 0 for odd h.
    let turned = [[0.0, 0.025, 0.0], [-0.02, 0.0, 0.0], [0.0, 0.0, 1.0 / 60.0]];
    let sites = "1 C 0 0 0 1 20\n2 C 0 20 0 1 20\n";
    let cell = "40 50 60 90 90 90";
    let found = direct(
        &read(&in_axes(cell, "fract_transf", turned, [0.0; 3], sites))
            .unwrap()
            .model,
    );
    let [odd, even] = [[1, 0, 0], [0, 1, 0]].map(|hkl| found[&hkl].amplitude());
    // Twice the six electrons of carbon, less the fall-off to 50 A.
    assert!(odd < 1e-9 && (even - 12.0).abs() < 0.05, "{odd} {even}");

    // gemmi 0.7.5 wrote down F of the file with the matrix to fractions. The other matrix is its inverse, by numpy.
    let expected = [
        ([1, 0, 0], [6.434_951, -5.566_075]),
        ([0, 1, 0], [-3.312_535, 4.361_350]),
        ([1, 2, 3], [-6.212_354, 4.240_366]),
        ([-2, 1, 2], [7.814_058, 3.567_681]),
        ([3, -1, 1], [-0.725_172, 6.749_918]),
    ];
    let to_fractions = [
        [0.047_149_47, -0.069_772_53, 0.079_831_829],
        [0.053_819_035, 0.056_743_606, 0.054_208_4],
        [-0.062_383_753, 0.0, 0.046_787_815],
    ];
    let to_a = [
        [3.240_000_018, 3.983_937_828, -10.144_051_881],
        [-7.199_999_986, 8.769_935_858, 2.124_163_667],
        [4.320_000_001, 5.311_917_076, 7.847_683_698],
    ];
    let shift_a = [0.204_405_184, 1.587_583_630, -1.864_768_370];
    let indices = ["11", "22", "33", "12", "13", "23"];
    let tags = indices.map(|ij| format!("_atom_site_anisotrop.U[{}][{}]\n", &ij[..1], &ij[1..]));
    let sites = format!(
        "1 C 1.5 -2.25 3 1 12\n2 S 4 5.5 -0.75 0.5 20\nloop_\n_atom_site_anisotrop.id\n{}\
         2 0.05 0.2 0.1 0.03 -0.02 0.06\n",
        tags.concat()
    );
    let cell = "9 11 13 82 97 106";
    let fractions = in_axes(cell, "fract_transf", to_fractions, [0.25, 0.0, 0.1], "");
    let a = in_axes(cell, "Cartn_transf", to_a, shift_a, "");
    // The tags of the core dictionary: `_atom_sites_fract_tran_matrix_12`.
    let of_core = |text: &str| {
        let text = text.replace("_transf_", "_tran_").replace("][", "");
        text.replace("matrix[", "matrix_")
            .replace("vector[", "vector_")
            .replace("] ", " ")
    };
    for text in [of_core(&fractions), of_core(&a), fractions, a] {
        let text = text + &sites;
        let found = direct(&read(&text).unwrap().model);
        for (hkl, [real, imaginary]) in expected {
            let factor = found[&hkl];
            let off = (factor.real - real).hypot(factor.imaginary - imaginary);
            assert!(off < 2e-5, "{hkl:?} {factor:?}\n{text}");
        }
    }

    // As with the SCALE records of a PDB file: rounded standard axes are the exact ones, and another volume is an error.
    let message = |text: &str| read(text).unwrap_err().to_string();
    let sites = "1 C 1 2 3 1 20\n";
    let standard = [
        [0.016931, 0.0, 0.0],
        [0.0, 0.014609, 0.0],
        [0.0, 0.0, 0.032769],
    ];
    let cell = "59.062 68.451 30.517 90 90 90";
    let rounded = in_axes(cell, "fract_transf", standard, [0.0; 3], sites);
    let position = read(&rounded).unwrap().model.atoms[0].position;
    assert!((position[0] - 1.0 / 59.062).abs() < 1e-15, "{position:?}");
    let misfit = "x.cif: the SCALE records of a PDB file, or the matrix of _atom_sites in a CIF, do not fit the cell";
    assert_eq!(message(&rounded.replace("0.016931", "0.026931")), misfit);
    assert_eq!(
        message(&in_axes(
            cell,
            "Cartn_transf",
            [[0.0; 3]; 3],
            [0.0; 3],
            sites
        )),
        misfit
    );
    assert_eq!(
        message(&rounded.replace("0.014609", "?")),
        "x.cif:9: found `?`, expected all nine numbers of the matrix in _atom_sites"
    );
    assert_eq!(
        message(&rounded.replace("0.014609", "x")),
        "x.cif:14: found `x`, expected a number"
    );
}

#[test]
fn impossible_requests_are_errors() {
    let model = model(&TRICLINIC, "P 1", mixture());
    let message = |spec: FactorSpec| {
        StructureFactors::new(&model, &spec)
            .unwrap_err()
            .to_string()
    };
    for dmin_a in [0.0, -1.0, 0.2, f64::NAN, f64::INFINITY] {
        let spec = FactorSpec {
            dmin_a,
            ..FactorSpec::default()
        };
        assert!(message(spec).starts_with("the resolution limit (A) is"));
    }
    let mut unphysical = model.clone();
    unphysical.atoms[4].displacement = Displacement::Anisotropic {
        u_a2: [0.1, 0.1, -2.0, 0.0, 0.0, 0.0],
    };
    let error = StructureFactors::new(&unphysical, &FactorSpec::default()).unwrap_err();
    assert!(error.to_string().starts_with("the B factor of an atom"));
    let mut spec = FactorSpec::default();
    spec.limit.max_bytes = 1000;
    assert!(message(spec).contains("GiB"));
}
