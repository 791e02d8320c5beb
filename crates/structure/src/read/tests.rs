use super::*;
use crate::element::Element;
use crate::error::Warning;
use crate::model::Displacement;
use nanobragg_crystal::CellSpec;
use proptest::prelude::*;

const CRYST1: &str = "CRYST1   59.062   68.451   30.517  90.00  90.00  90.00 P 21 21 21    4\n";
const ATOM: &str =
    "ATOM      1  N   LYS A   1      35.365  22.342 -11.980  1.00 22.28           N  \n";

fn pdb(lines: &[&str]) -> Result<Reading, Error> {
    parse(lines.concat().as_bytes(), "x.pdb", &Given::default())
}

fn message(lines: &[&str]) -> String {
    pdb(lines).unwrap_err().to_string()
}

#[test]
fn positions_are_read_from_a_pdb_file() {
    let model = pdb(&[CRYST1, ATOM]).unwrap().model;
    assert_eq!(model.space_group.number(), Some(19));
    let atom = model.atoms[0];
    assert_eq!(
        (atom.element.symbol(), atom.charge, atom.occupancy),
        ("N", 0, 1.0)
    );
    assert_eq!(atom.displacement, Displacement::Isotropic { b_a2: 22.28 });
    let expected = [35.365 / 59.062, 22.342 / 68.451, -11.980 / 30.517];
    let close = |(x, y): (f64, f64)| (x - y).abs() < 1e-12;
    assert!(atom.position.into_iter().zip(expected).all(close));
}

#[test]
fn elements_come_from_the_name_where_their_columns_are_blank() {
    let named = |name: &str| {
        let line = ATOM.replace(" N   LYS", &format!("{name} LYS"));
        let model = pdb(&[CRYST1, &line[..66], "\n"])?.model;
        Ok::<_, Error>(model.atoms[0].element.symbol())
    };
    for (name, symbol) in [
        (" CA ", "C"),
        ("CA  ", "Ca"),
        ("FE  ", "Fe"),
        ("HG11", "H"),
        ("1HB ", "H"),
        (" SD ", "S"),
        ("ZN  ", "Zn"),
        ("HG  ", "Hg"),
    ] {
        assert_eq!(named(name).unwrap(), symbol, "{name}");
    }
    assert_eq!(named(" X1 ").unwrap(), "O");
    assert_eq!(
        named("ES  ").unwrap_err().to_string(),
        "x.pdb:2: found `ES`, expected the symbol of an element from H to Cf"
    );
}

#[test]
fn line_numbers_of_old_files_are_neither_element_nor_charge() {
    let line = format!("{}      1AKI 123\n", &ATOM[..66]);
    let atom = pdb(&[CRYST1, &line]).unwrap().model.atoms[0];
    assert_eq!((atom.element.symbol(), atom.charge), ("N", 0));
}

#[test]
fn charges_and_tensors_are_read() {
    let atom = "HETATM    1 ZN    ZN A   1      10.000  10.000  10.000  0.50 22.28          ZN2+\n";
    let anisou =
        "ANISOU    1 ZN    ZN A   1     2406   1892   1614    198    519   -328      ZN2+\n";
    let model = pdb(&[CRYST1, atom, anisou]).unwrap().model;
    assert_eq!((model.atoms[0].charge, model.atoms[0].occupancy), (2, 0.5));
    let Displacement::Anisotropic { u_a2 } = model.atoms[0].displacement else {
        panic!("no tensor");
    };
    let expected = [0.2406, 0.1892, 0.1614, 0.0198, 0.0519, -0.0328];
    assert!(
        u_a2.iter()
            .zip(expected)
            .all(|(u, v)| (u - v).abs() < 1e-12)
    );
}

#[test]
fn faults_of_pdb_files_name_file_line_and_field() {
    let with = |from: &str, to: &str| message(&[CRYST1, &ATOM.replace(from, to)]);
    assert_eq!(
        with("  22.342", "  22.3x2"),
        "x.pdb:2: found `22.3x2`, expected a coordinate, a number from -1e6 to 1e6"
    );
    assert_eq!(
        with("  1.00", " 70.00"),
        "x.pdb:2: found `70.00`, expected an occupancy from -10 to 10"
    );
    assert_eq!(
        with(" 22.28", "-200.0"),
        "x.pdb:2: found `-200.0`, expected a B factor from -100 to 1000 A^2"
    );
    assert_eq!(
        with("  N  \n", " FM  \n"),
        "x.pdb:2: found `FM`, expected the symbol of an element from H to Cf"
    );
    assert!(with("  22.342", "     nan").contains("found `nan`"));
    assert_eq!(
        message(&[&CRYST1.replace("P 21 21 21", "P 21 21 ZZ"), ATOM]),
        "x.pdb:1: found `P 21 21 ZZ`, expected the name of a space group such as P 21 21 21"
    );
    assert_eq!(
        message(&[
            &CRYST1.replace("90.00  90.00  90.00", "90.00  90.00 190.00"),
            ATOM
        ]),
        "x.pdb:1: found `190.00`, expected a cell angle between 0 and 180 degrees"
    );
    assert_eq!(
        message(&[ATOM]),
        "x.pdb: no unit cell found (a cell of 1 1 1 is none); give one"
    );
    let none = "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n";
    assert_eq!(message(&[none, ATOM]), message(&[ATOM]));
    assert_eq!(
        message(&[&CRYST1[..54], "\n", ATOM]),
        "x.pdb: no space group found; give one"
    );
    assert!(message(&[CRYST1]).starts_with("x.pdb: no atom found"));
    assert!(message(&[""]).starts_with("x.pdb: no atom found"));
}

/// The rules are those of gemmi 0.7.5: X is oxygen, a missing B is 20 A^2, occupancy and B are used as they are.
#[test]
fn odd_atoms_are_taken_with_a_warning_or_refused() {
    let oxygen = |symbol: &str| Warning::UnknownElements {
        atoms: 1,
        symbol: symbol.to_owned(),
        line: 2,
    };
    let stray =
        "ANISOU    9  N   LYS A   2     2100   2100   2100      0      0      0       N  \n";
    let negative =
        "ANISOU    1  N   LYS A   1     2100   2100  -2100      0      0      0       N  \n";
    for (from, to, after, warning) in [
        ("  N  \n", "  X  \n", "", oxygen("X")),
        ("  N  \n", " QQ  \n", "", oxygen("QQ")),
        ("  1.00", "  1.20", "", Warning::Occupancies { atoms: 1 }),
        ("  1.00", " -0.50", "", Warning::Occupancies { atoms: 1 }),
        (
            " 22.28",
            " -5.00",
            "",
            Warning::NegativeDisplacements { atoms: 1 },
        ),
        (
            "",
            "",
            negative,
            Warning::NegativeDisplacements { atoms: 1 },
        ),
        (" 22.28", "      ", "", Warning::MissingNumbers { atoms: 1 }),
        ("  1.00", "      ", "", Warning::MissingNumbers { atoms: 1 }),
        ("  N  \n", "  N??\n", "", Warning::Charges { atoms: 1 }),
        ("", "", stray, Warning::StrayTensors { records: 1 }),
    ] {
        let text = [CRYST1, &ATOM.replacen(from, to, 1), after].concat();
        let reading = pdb(&[&text]).unwrap();
        assert_eq!(reading.warnings, std::slice::from_ref(&warning), "{text}");
        let given = Given {
            is_strict: true,
            ..Given::default()
        };
        let error = parse(text.as_bytes(), "x.pdb", &given).unwrap_err();
        assert_eq!(error.to_string(), format!("x.pdb: {warning}"));
    }
    // Deuterium, and the solvent of a neutron structure, are as usual.
    let heavy = ATOM.replace("  N  \n", "  D  \n").replace("LYS", "DOD");
    let reading = pdb(&[CRYST1, &heavy, "TER\n"]).unwrap();
    assert_eq!(reading.warnings, []);
    assert_eq!(reading.model.atoms[0].element, Element::HYDROGEN);
}

#[test]
fn the_cell_selects_the_setting_of_the_name() {
    let cryst1 = |gamma: &str, name: &str, beta: &str| {
        format!("CRYST1   24.000   30.000   27.000  90.00 {beta} {gamma} {name:<11}   4\n")
    };
    let group = |text: &str| pdb(&[text, ATOM]).unwrap().model.space_group.to_string();
    for name in ["I 2", "I2", "I 1 2 1"] {
        assert_eq!(group(&cryst1(" 90.00", name, "105.34")), "I 1 2 1");
    }
    assert_eq!(group(&cryst1("105.34", "I 2", " 90.00")), "I 1 1 2");
    for (name, found) in [
        ("I 1 21 1", "I 1 21 1"),
        ("P 21 21 2 A", "P 21212(a)"),
        ("F 4 2 2", "F 4 2 2"),
        ("A 1", "A 1"),
    ] {
        assert_eq!(group(&cryst1(" 90.00", name, " 90.00")), found);
    }
}

#[test]
fn given_cell_and_group_replace_those_of_the_file() {
    let given = Given {
        cell: Some(CellSpec::from_values(&[50.0, 60.0, 70.0]).unwrap()),
        space_group: Some("P 1".to_owned()),
        ..Given::default()
    };
    for text in [[CRYST1, ATOM].concat(), ATOM.to_owned()] {
        let model = parse(text.as_bytes(), "x.pdb", &given).unwrap().model;
        assert_eq!(model.frame.cell().lengths_angstrom, [50.0, 60.0, 70.0]);
        assert!(model.space_group.is_p1());
        assert!((model.atoms[0].position[0] - 35.365 / 50.0).abs() < 1e-12);
    }
}

#[test]
fn only_the_first_model_counts() {
    let lines = [
        "MODEL        1\n",
        ATOM,
        "ENDMDL\nMODEL        2\n",
        ATOM,
        "ENDMDL\n",
    ];
    let reading = pdb(&[CRYST1, &lines.concat()]).unwrap();
    assert_eq!(reading.model.atoms.len(), 1);
    assert_eq!(reading.warnings, [Warning::ModelsLeftOut { models: 1 }]);
}

#[test]
fn copies_that_are_not_in_the_file_are_added() {
    let matrix = |given: &str| {
        [
            "MTRIX1   1 -1.000000  0.000000  0.000000       10.00000",
            "MTRIX2   1  0.000000 -1.000000  0.000000        0.00000",
            "MTRIX3   1  0.000000  0.000000  1.000000        5.00000",
        ]
        .map(|line| format!("{line}    {given}\n"))
        .concat()
    };
    let model = pdb(&[CRYST1, &matrix(" "), ATOM]).unwrap().model;
    assert_eq!(model.atoms.len(), 2);
    let place = model.frame.position_a(model.atoms[1].position);
    let expected = [10.0 - 35.365, -22.342, 5.0 - 11.980];
    assert!(
        place
            .iter()
            .zip(expected)
            .all(|(x, y)| (x - y).abs() < 1e-9)
    );
    assert_eq!(
        pdb(&[CRYST1, &matrix("1"), ATOM])
            .unwrap()
            .model
            .atoms
            .len(),
        1
    );
}

#[test]
fn axes_of_the_file_are_used_if_they_are_not_standard() {
    let scale = |rows: [&str; 3]| {
        let rows = rows.iter().enumerate();
        rows.map(|(i, row)| format!("SCALE{}    {row}        0.00000\n", i + 1))
            .collect::<String>()
    };
    let standard = scale([
        "  0.016931  0.000000  0.000000",
        "  0.000000  0.014609  0.000000",
        "  0.000000  0.000000  0.032769",
    ]);
    let model = pdb(&[CRYST1, &standard, ATOM]).unwrap().model;
    assert_eq!(model, pdb(&[CRYST1, ATOM]).unwrap().model);
    // x along b, y along -a.
    let turned = scale([
        "  0.000000 -0.016931  0.000000",
        "  0.014609  0.000000  0.000000",
        "  0.000000  0.000000  0.032769",
    ]);
    let position = pdb(&[CRYST1, &turned, ATOM]).unwrap().model.atoms[0].position;
    assert!((position[0] + 22.342 * 0.016931).abs() < 1e-12);
    let other = scale(["  1.0", "  0.0       1.0", "  0.0       0.0       1.0"]);
    assert!(pdb(&[CRYST1, &other, ATOM]).is_err());
}

const MMCIF: &str = "data_X\n_cell.length_a 59.062\n_cell.length_b 68.451\n\
    _cell.length_c 30.517\n_cell.angle_alpha 90\n_symmetry.space_group_name_H-M 'P 21 21 21'\n\
    loop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.Cartn_x\n\
    _atom_site.Cartn_y\n_atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n\
    _atom_site.pdbx_formal_charge\n_atom_site.pdbx_PDB_model_num\n\
    ATOM 1 N 35.365 22.342 -11.980 1.00 22.28 ? 1\n";

fn cif(text: &str) -> Result<Reading, Error> {
    parse(text.as_bytes(), "x.cif", &Given::default())
}

#[test]
fn both_formats_give_the_same_model() {
    let reading = cif(MMCIF).unwrap();
    assert_eq!(reading, pdb(&[CRYST1, ATOM]).unwrap());
    let more = format!("{MMCIF}HETATM 2 ZN 1 2 3 0.5 10 2 1\nATOM 3 C 1 2 3 1 10 ? 2\n");
    let reading = cif(&more).unwrap();
    assert_eq!(reading.model.atoms[1].charge, 2);
    assert_eq!(reading.model.atoms.len(), 2);
    assert_eq!(reading.warnings, [Warning::ModelsLeftOut { models: 1 }]);
}

#[test]
fn resolution_and_wavelength_are_those_that_the_file_states() {
    let stated = |lines: &[&str]| {
        let DataStated {
            dmin_a,
            wavelength_a,
        } = pdb(&[lines, &[CRYST1, ATOM]].concat()).unwrap().data;
        (dmin_a, wavelength_a)
    };
    let resolution = "REMARK   2\nREMARK   2 RESOLUTION.    1.50 ANGSTROMS.\n";
    let wavelength = "REMARK 200  WAVELENGTH OR RANGE        (A) : 0.9794, 0.9796\n";
    assert_eq!(stated(&[resolution, wavelength]), (Some(1.5), Some(0.9794)));
    let unknown = [
        "REMARK   2 RESOLUTION. NOT APPLICABLE.\n",
        "REMARK 200  WAVELENGTH OR RANGE        (A) : NULL\n",
        "REMARK 230  WAVELENGTH OR RANGE        (A) : 1.8\n",
    ];
    assert_eq!(stated(&unknown), (None, None));

    let of_cif = |text: &str| {
        let data = cif(&MMCIF.replacen("loop_", &format!("{text}\nloop_"), 1))
            .unwrap()
            .data;
        (data.dmin_a, data.wavelength_a)
    };
    let refined = "_refine.ls_d_res_high 1.80\n_reflns.d_resolution_high 1.75";
    assert_eq!(of_cif(refined), (Some(1.8), None));
    let measured = "_refine.ls_d_res_high ?\n_reflns.d_resolution_high 1.75\n\
                    _diffrn_source.pdbx_wavelength_list '0.979, 0.981'";
    assert_eq!(of_cif(measured), (Some(1.75), Some(0.979)));
    assert_eq!(
        of_cif("_diffrn_radiation_wavelength 0.71073(2)"),
        (None, Some(0.71073))
    );
}

#[test]
fn tensors_of_mmcif_are_cartesian() {
    let tensor = format!(
        "{MMCIF}loop_\n_atom_site_anisotrop.id\n{}1 0.2406 0.1892 0.1614 0.0198 0.0519 -0.0328\n",
        ["[1][1]", "[2][2]", "[3][3]", "[1][2]", "[1][3]", "[2][3]"]
            .map(|indices| format!("_atom_site_anisotrop.U{indices}\n"))
            .concat()
    );
    let anisou =
        "ANISOU    1  N   LYS A   1     2406   1892   1614    198    519   -328       N  \n";
    let expected = pdb(&[CRYST1, ATOM, anisou]).unwrap().model.atoms[0].displacement;
    let found = cif(&tensor).unwrap().model.atoms[0].displacement;
    let components = |displacement| match displacement {
        Displacement::Anisotropic { u_a2 } => u_a2,
        Displacement::Isotropic { .. } => panic!("no tensor"),
    };
    let pairs = components(found).into_iter().zip(components(expected));
    assert!(pairs.into_iter().all(|(x, y)| (x - y).abs() < 1e-12));
}

/// A small molecule in an oblique cell, with operations, uncertainties, U along a*, b*, c* and
/// dispersion corrections.
const SMALL: &str = "data_small\n_cell_length_a 8.0(1)\n_cell_length_b 9.0\n_cell_length_c 10.0\n\
    _cell_angle_alpha 90\n_cell_angle_beta 110.0(2)\n_cell_angle_gamma 90\n\
    loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x, y+1/2, -z+1/2'\n'-x, -y, -z'\n\
    'x, -y+1/2, z+1/2'\n\
    loop_\n_atom_type_symbol\n_atom_type_scat_dispersion_real\n_atom_type_scat_dispersion_imag\n\
    C 0.0033 0.0016\nSe -0.0929 2.2259\n\
    loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
    _atom_site_U_iso_or_equiv\nSe1 0.1000(2) 0.2 0.3 0.04\nC1 0.5 0.6 0.7 0.05\n\
    loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n_atom_site_aniso_U_22\n\
    _atom_site_aniso_U_33\n_atom_site_aniso_U_12\n_atom_site_aniso_U_13\n_atom_site_aniso_U_23\n\
    Se1 0.02 0.03 0.04 0 0.01 0\n";

#[test]
fn small_molecules_are_read() {
    let model = cif(SMALL).unwrap().model;
    assert_eq!(model.space_group.number(), Some(14));
    assert_eq!(model.atoms[0].element.symbol(), "Se");
    assert_eq!(model.atoms[0].position, [0.1, 0.2, 0.3]);
    assert_eq!(model.dispersion[&model.atoms[0].element].imaginary, 2.2259);
    let Displacement::Isotropic { b_a2 } = model.atoms[1].displacement else {
        panic!("no number");
    };
    assert!((b_a2 - 0.05 * 8.0 * std::f64::consts::PI.powi(2)).abs() < 1e-12);
    // exp(-2 pi^2 (h^2 a*^2 U11 + ... + 2 h l a* c* U13)) is the same as with Cartesian U.
    let Displacement::Anisotropic { u_a2 } = model.atoms[0].displacement else {
        panic!("no tensor");
    };
    let [a, b, c] = model.frame.reciprocal_lengths_per_a();
    let [h, k, l] = [2.0, 1.0, -3.0];
    let expected = (h * a) * (h * a) * 0.02
        + (k * b) * (k * b) * 0.03
        + (l * c) * (l * c) * 0.04
        + 2.0 * h * l * a * c * 0.01;
    let s = model.frame.scattering_vector([2, 1, -3]);
    let found = s.dot(&(crate::model::symmetric(u_a2) * s));
    assert!((found - expected).abs() < 1e-12);
}

#[test]
fn faults_of_cif_name_file_and_line() {
    let message = |text: &str| cif(text).unwrap_err().to_string();
    assert_eq!(
        message(&MMCIF.replace("22.342", "?")),
        "x.cif:18: found ``, expected a coordinate, a number from -1e6 to 1e6"
    );
    assert_eq!(
        message(&MMCIF.replace(" N 3", " Es 3")),
        "x.cif:18: found `Es`, expected the symbol of an element from H to Cf"
    );
    assert_eq!(
        message(&SMALL.replace("'-x, -y, -z'", "'-x, -y'")),
        "x.cif:12: found `-x, -y`, expected a symmetry operation such as -x,y+1/2,-z"
    );
    assert!(message("data_x\n_cell_length_a 5\n").starts_with("x.cif: no atom found"));
    assert!(message("data_x").starts_with("x.cif: no atom found"));
    assert!(message(&MMCIF.replace("22.28", "1e9")).contains("a B factor from -100 to 1000 A^2"));
}

/// Mixed positions, whose smaller part alone does not tell that the occupancy is of the whole position.
#[test]
fn occupancies_of_small_molecules_are_of_the_positions() {
    let text = "data_x\n_cell_length_a 10\n_cell_length_b 10\n_cell_length_c 10\n_space_group_name_H-M_alt 'P -1'\n\
                loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                _atom_site_occupancy\n_atom_site_U_iso_or_equiv\n_atom_site_site_symmetry_order\n\
                Na1 0 0 0 0.6 0.02 .\nK1 0 0 0 0.4 0.02 .\nCl1 .2 .3 .4 1 0.02 .\nH1 0.02 0 0 1 0.02 1\n\
                H2 0.5 0.5 0.54 0.5 0.02 2\n";
    let reading = cif(text).unwrap();
    let occupancies: Vec<f64> = (reading.model.atoms.iter())
        .map(|atom| atom.occupancy)
        .collect();
    // cctbx gives the first three these weights; SHELXL, which states the order, has the others.
    assert_eq!(occupancies, [0.3, 0.2, 1.0, 1.0, 0.25]);
    assert_eq!(reading.warnings, [Warning::SharedOccupancy { atoms: 3 }]);
}

#[test]
fn beta_is_a_tensor_too() {
    let beta = SMALL.replace("_atom_site_aniso_U_", "_atom_site_aniso_beta_");
    assert_ne!(beta, SMALL);
    let tensors = |text: &str| -> Vec<[f64; 6]> {
        let atoms = cif(text).unwrap().model.atoms;
        let tensors = atoms.iter().filter_map(|atom| match atom.displacement {
            Displacement::Anisotropic { u_a2 } => Some(u_a2),
            Displacement::Isotropic { .. } => None,
        });
        tensors.collect()
    };
    let (u, beta) = (tensors(SMALL), tensors(&beta));
    // U along c* is a square of z of the standard axes alone.
    let [_, _, c_star] = cif(SMALL).unwrap().model.frame.reciprocal_lengths_per_a();
    let two_pi_squared = 19.739_208_802_178_716;
    assert_eq!((u.len(), beta.len()), (1, 1));
    assert!((beta[0][2] * two_pi_squared * c_star * c_star / u[0][2] - 1.0).abs() < 1e-12);
}

#[test]
fn atoms_are_those_of_the_first_block_that_has_some() {
    let text =
        "data_global\n_journal_volume 12\n_publ_section_title\n; The structure of data_\n;\n";
    let all = format!("{text}{SMALL}data_II\n{}", &MMCIF["data_X\n".len()..]);
    assert!(are_coordinates(all.as_bytes()));
    let (mut first, alone) = (cif(&all).unwrap(), cif(SMALL).unwrap());
    let left_out = Warning::StructuresLeftOut { structures: 1 };
    assert!(first.warnings.contains(&left_out));
    first.warnings.retain(|warning| *warning != left_out);
    assert_eq!(first, alone);
    assert!(
        cif(text)
            .unwrap_err()
            .to_string()
            .starts_with("x.cif: no atom found")
    );
}

#[test]
fn missing_files_are_named() {
    let error = read(Path::new("no/such.pdb"), &Given::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read no/such.pdb: "));
}

proptest! {
    #[test]
    fn any_bytes_are_a_model_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, "x", &Given::default());
        let _ = parse(&[b"data_x\n", &bytes[..]].concat(), "x", &Given::default());
    }

    #[test]
    fn a_file_with_a_few_bytes_changed_is_a_model_or_an_error(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        is_cif in any::<bool>(),
    ) {
        let mut bytes = if is_cif {
            [MMCIF, SMALL].concat().into_bytes()
        } else {
            [CRYST1, ATOM, ATOM].concat().into_bytes()
        };
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        let _ = parse(&bytes, "x", &Given::default());
    }
}

#[test]
fn coordinates_and_reflections_are_distinguished_by_their_lists() {
    for (text, expected) in [
        ("HEADER    WATER\nCRYST1   10.000\n", true),
        ("\u{feff}HETATM    1  O   HOH\n", true),
        ("1 2 3 40.0\n", false),
        ("data_x\n_cell.length_a 1\nloop_\n_atom_site.id\n1\n", true),
        (
            "data_x\nloop_\n_refln.index_h\n1\nloop_\n_atom_site.id\n1\n",
            false,
        ),
        ("data_x\n_text '_atom_site.id'\n", false),
        ("", false),
    ] {
        assert_eq!(are_coordinates(text.as_bytes()), expected, "{text}");
    }
}
