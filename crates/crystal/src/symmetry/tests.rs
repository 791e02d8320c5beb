use super::*;
use crate::CellSpec;

/// The cosine of a right angle is not quite 0.
const ROUNDING: f64 = 1e-15;

/// A number that depends on every operation and not on their order: the sum over operations of a
/// base-97 reading of the digits `r + 5` and `24 t`, modulo 2^32.
fn fingerprint(group: &SpaceGroup) -> u32 {
    group.operations().iter().fold(0_u32, |sum, operation| {
        let mut word = 0_u32;
        for entry in operation.rotation().as_flattened() {
            word = word.wrapping_mul(97).wrapping_add((entry + 5) as u32);
        }
        for part in operation.translation() {
            let parts = (part * 24.0).round() as u32;
            word = word.wrapping_mul(97).wrapping_add(parts);
        }
        sum.wrapping_add(word ^ (word >> 15))
    })
}

/// A number that depends on which indices of a box of -3 to 3 are chosen.
fn fingerprint_of_box(chosen: impl Fn([i32; 3]) -> bool) -> u32 {
    let range = -3..=3;
    let mut place = 0_u32;
    let mut sum = 0_u32;
    for h in range.clone() {
        for k in range.clone() {
            for l in range.clone() {
                place += 1;
                if chosen([h, k, l]) {
                    sum = sum.wrapping_mul(31).wrapping_add(place);
                }
            }
        }
    }
    sum
}

#[test]
fn the_230_groups_are_those_of_gemmi() {
    let table = include_str!("../../tests/data/space_groups.txt");
    let mut count = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number: u16 = words[0].parse().unwrap();
        let hex = |word: &str| u32::from_str_radix(&word[2..], 16).unwrap();
        let group = SpaceGroup::from_number(number).unwrap();
        let unit = AsymmetricUnit::of(&group);
        assert_eq!(group.operations().len().to_string(), words[1], "{number}");
        assert_eq!(fingerprint(&group), hex(words[2]), "operations of {number}");
        let units = fingerprint_of_box(|hkl| unit.contains(&group, hkl));
        assert_eq!(units, hex(words[3]), "asymmetric unit of {number}");
        let absences = fingerprint_of_box(|hkl| group.is_absent(hkl));
        assert_eq!(absences, hex(words[4]), "absences of {number}");
        count += 1;
    }
    assert_eq!(count, 230);
}

#[test]
fn every_setting_is_found_by_its_operations() {
    assert_eq!(table::SETTINGS.len(), 564);
    for setting in table::SETTINGS.iter() {
        let group = SpaceGroup::from_operations(&setting.operations()).unwrap();
        assert_eq!(group.number(), Some(setting.number), "{setting:?}");
        let is_same = group.name() == setting.name();
        // Group 68 has three settings with two names each, and group 64 one.
        assert!(is_same || [64, 68].contains(&setting.number), "{setting:?}");
    }
}

#[test]
fn names_mean_what_they_mean_to_gemmi_and_cctbx() {
    let table = include_str!("../../tests/data/space_group_names.txt");
    let mut count = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('|');
        let expected = u32::from_str_radix(fields.next().unwrap(), 16).unwrap();
        for name in fields {
            let mut spellings = vec![name.to_owned(), name.to_lowercase(), format!(" {name} ")];
            if !name.starts_with("Hall") {
                spellings.push(name.replace(' ', ""));
            }
            if !name.contains(',') {
                spellings.push(name.replace(' ', "_"));
            }
            for spelling in spellings {
                let group = SpaceGroup::from_name(&spelling);
                let found = group.as_ref().map(fingerprint).ok();
                assert_eq!(found, Some(expected), "{spelling}");
            }
            count += 1;
        }
    }
    assert!(count > 2000, "{count}");
}

#[test]
fn names_of_files_are_understood() {
    for (name, number, hall) in [
        ("P 2ac 2ab", 19, "P 2ac 2ab"),
        ("P212121", 19, "P 2ac 2ab"),
        ("p 1 21 1", 4, "P 2yb"),
        ("P 21", 4, "P 2yb"),
        ("C 2", 5, "C 2y"),
        ("I 1 2 1", 5, "I 2y"),
        ("H 3", 146, "R 3"),
        ("R 3 :H", 146, "R 3"),
        ("R 3:R", 146, "P 3*"),
        ("R3", 146, "R 3"),
        ("H 3 2", 155, "R 3 2\""),
        ("H -3 m", 166, "-R 3 2\""),
        ("P 63 2 2", 182, "P 6c 2c"),
        ("P 4 2", 77, "P 4c"),
        ("Hall: P 4 2", 89, "P 4 2"),
        ("P 21 21 2 A", 18, "P 2ab 2a"),
        ("P 2/m 2/m 2/m", 47, "-P 2 2"),
        ("P42", 77, "P 4c"),
        ("P 4_3 2_1 2", 96, "P 4nw 2abw"),
        ("F d -3 m :2", 227, "-F 4vw 2vw 3"),
        ("F 4/m -3 2/m", 225, "-F 4 2 3"),
        ("92", 92, "P 4abw 2nw"),
        ("P 3 2\"", 150, "P 3 2\""),
        ("P 3 2=", 150, "P 3 2\""),
    ] {
        let group = SpaceGroup::from_name(name).unwrap();
        assert_eq!(group.number(), Some(number), "{name}");
        assert_eq!(group.hall(), Some(hall), "{name}");
    }
    for name in [
        "",
        "0",
        "231",
        "-1",
        "P 5",
        "H 21",
        "P 21 21 21:H",
        "R 3:",
        "999999999999",
    ] {
        assert!(SpaceGroup::from_name(name).is_err(), "{name}");
    }
}

#[test]
fn the_cell_selects_a_setting() {
    // As gemmi does for rhombohedral groups. A unique axis is the one whose angle is not 90 degrees.
    for (name, cell, chosen) in [
        ("R 3 2", [50.0, 50.0, 90.0, 90.0, 90.0, 120.0], "R 3 2:H"),
        ("R 3 2", [50.0, 50.0, 50.0, 80.0, 80.0, 80.0], "R 3 2:R"),
        ("H 3 2", [50.0, 50.0, 50.0, 80.0, 81.0, 80.0], "R 3 2:R"),
        ("R 3 2:H", [50.0, 50.0, 50.0, 80.0, 80.0, 80.0], "R 3 2:H"),
        ("155", [50.0, 50.0, 50.0, 80.0, 80.0, 80.0], "R 3 2:R"),
        ("I 2", [50.0, 60.0, 70.0, 90.0, 105.0, 90.0], "I 1 2 1"),
        ("I2", [50.0, 60.0, 70.0, 90.0, 90.0, 105.0], "I 1 1 2"),
        ("I 2", [50.0, 60.0, 70.0, 105.0, 90.0, 90.0], "I 2 1 1"),
        ("C 2", [50.0, 60.0, 70.0, 90.0, 105.0, 90.0], "C 1 2 1"),
        ("P 2", [50.0, 60.0, 70.0, 90.0, 105.0, 90.0], "P 1 2 1"),
        ("P 2", [50.0, 60.0, 70.0, 90.0, 90.0, 91.0], "P 1 1 2"),
        ("B 2", [50.0, 60.0, 70.0, 90.0, 90.0, 105.0], "B 1 1 2"),
        ("P 21/c", [50.0, 60.0, 70.0, 90.0, 95.0, 90.0], "P 1 21/c 1"),
        ("P 21/n", [50.0, 60.0, 70.0, 90.0, 90.0, 95.0], "P 1 1 21/n"),
        ("P 21/c", [50.0, 60.0, 70.0, 95.0, 90.0, 90.0], "P 21/c 1 1"),
        ("4", [50.0, 60.0, 70.0, 90.0, 90.0, 95.0], "P 1 1 21"),
        // Angles that were measured, and ones that fit no axis.
        ("P 21", [50.0, 60.0, 70.0, 90.01, 90.0, 90.02], "P 1 21 1"),
        ("P 21", [50.0, 60.0, 70.0, 89.97, 104.0, 90.02], "P 1 21 1"),
        ("P 21", [50.0, 60.0, 70.0, 80.0, 104.0, 95.0], "P 1 21 1"),
        (
            "P 1 21 1",
            [50.0, 60.0, 70.0, 90.0, 90.0, 105.0],
            "P 1 21 1",
        ),
        ("P n n n", [50.0, 60.0, 70.0, 90.0, 90.0, 90.0], "P n n n:1"),
    ] {
        let cell = CellSpec::from_values(&cell).unwrap();
        let group = SpaceGroup::from_name_for_cell(name, &cell).unwrap();
        assert_eq!(group.name(), chosen, "{name} {cell:?}");
    }
}

#[test]
fn a_cell_is_compared_with_the_rotations() {
    let tetragonal = SpaceGroup::from_number(92).unwrap();
    let cell = CellSpec::from_values(&[78.0, 78.0, 37.0]).unwrap();
    assert!(tetragonal.cell_misfit(&cell) < ROUNDING);
    let off = CellSpec::from_values(&[78.0, 80.0, 37.0, 91.0, 90.0, 90.0]).unwrap();
    assert!(!tetragonal.fits(&off));
    let nearest = tetragonal.symmetric_cell(&off);
    assert!(tetragonal.cell_misfit(&nearest) < ROUNDING);
    let [a, b, c] = nearest.lengths_angstrom;
    assert!((a - 79.006).abs() < 0.001 && (a - b).abs() < 1e-12 && (c - 37.0).abs() < 1e-12);
    assert!((nearest.angles_rad[0] - std::f64::consts::FRAC_PI_2).abs() < 1e-15);

    let triclinic = SpaceGroup::p1();
    assert!(triclinic.fits(&off));
    assert!((triclinic.symmetric_cell(&off).angles_rad[0] - off.angles_rad[0]).abs() < 1e-14);
}

#[test]
fn groups_have_their_system_and_lattice() {
    for (name, system, letter, points) in [
        ("P -1", CrystalSystem::Triclinic, 'P', 1),
        ("C 1 2/c 1", CrystalSystem::Monoclinic, 'C', 2),
        ("F 2 2 2", CrystalSystem::Orthorhombic, 'F', 4),
        ("I 41", CrystalSystem::Tetragonal, 'I', 2),
        ("R -3 c:H", CrystalSystem::Trigonal, 'R', 3),
        ("P -6", CrystalSystem::Hexagonal, 'P', 1),
        ("P 61 2 2", CrystalSystem::Hexagonal, 'P', 1),
        ("F -4 3 m", CrystalSystem::Cubic, 'F', 4),
        ("P 21 3", CrystalSystem::Cubic, 'P', 1),
    ] {
        let group = SpaceGroup::from_name(name).unwrap();
        assert_eq!(group.crystal_system(), system, "{name}");
        assert_eq!(group.lattice_letter(), letter, "{name}");
        assert_eq!(group.centring_count(), points, "{name}");
    }
}

#[test]
fn operations_that_make_no_group_are_refused() {
    let operation = |text| SymmetryOperation::from_triplet(text).unwrap();
    for generators in [
        vec![operation("x+y,y,z")],
        vec![operation("x+1/24,y,z"), operation("x,y+1/24,z")],
    ] {
        assert!(SpaceGroup::from_operations(&generators).is_err());
    }
    let odd = SpaceGroup::from_operations(&[operation("x,y,z+1/4")]).unwrap();
    assert_eq!(odd.number(), None);
    assert!(odd.is_absent([1, 1, 3]) && !odd.is_absent([1, 1, 4]));
}

#[test]
fn centric_reflections_are_those_whose_mate_is_equivalent() {
    let group = SpaceGroup::from_number(19).unwrap();
    assert!(group.is_centric([0, 3, 5]) && group.is_centric([4, 0, 1]));
    assert!(!group.is_centric([1, 2, 3]));
    assert!(SpaceGroup::from_number(2).unwrap().is_centric([1, 2, 3]));
}
