//! `-anomalous`, `-hkl_at` and `-b_factor`, and the example at the edge of iron.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fs;
use std::path::PathBuf;

use nanobragg::structure::{Displacement, Element, FormFactor, dispersion_at, read};
use nanobragg_tests::binary::Scene;

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/iron_edge")
}

/// The photons of each reflection in a truth table.
fn photons(scene: &Scene, name: &str) -> HashMap<[i32; 3], f64> {
    let text = String::from_utf8(scene.read(name)).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| names.iter().position(|own| *own == name).unwrap();
    let [h, k, l, photons] = ["h", "k", "l", "photons"].map(column);
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let hkl = [h, k, l].map(|at| fields[at].parse().unwrap());
        (hkl, fields[photons].parse().unwrap())
    };
    lines.map(row).collect()
}

/// F^2 of each reflection: photons over those of F = 1.
fn intensities(scene: &Scene, name: &str) -> HashMap<[i32; 3], f64> {
    /// Photons are sums of numbers in single precision; below this their digits are few.
    const LEAST: f64 = 1e-6;
    let ones = photons(scene, &format!("{name}_one.csv"));
    let brightest = ones.values().copied().fold(0.0, f64::max);
    let here = photons(scene, &format!("{name}.csv")).into_iter();
    here.filter(|(hkl, _)| ones.get(hkl).is_some_and(|one| *one > LEAST * brightest))
        .map(|(hkl, here)| (hkl, here / ones[&hkl]))
        .collect()
}

/// The sums over the light atoms (A) and over the iron without its form factor (G), real and imaginary.
fn closed_form(hkl: [i32; 3]) -> ([f64; 2], [f64; 2]) {
    let model = read::read(&example().join("iron.pdb"), &read::Given::default())
        .unwrap()
        .model;
    let [h, k, l] = hkl.map(f64::from);
    let s_squared = (h / 20.0).powi(2) + (k / 24.0).powi(2) + (l / 19.0).powi(2);
    let [mut a, mut g] = [[0.0; 2]; 2];
    for atom in &model.atoms {
        let Displacement::Isotropic { b_a2 } = atom.displacement else {
            unreachable!("all atoms are isotropic");
        };
        let [x, y, z] = atom.position;
        let (sin, cos) = (TAU * (h * x + k * y + l * z)).sin_cos();
        let motion = (-b_a2 * s_squared / 4.0).exp();
        let f0 = motion * FormFactor::of(atom.element, 0).at(s_squared);
        a = [a[0] + f0 * cos, a[1] + f0 * sin];
        if atom.element.symbol() == "Fe" {
            g = [g[0] + motion * cos, g[1] + motion * sin];
        }
    }
    (a, g)
}

#[test]
fn the_example_at_the_edge_of_iron_shows_the_closed_forms() {
    /// F^2 of the map of the density, relative to the mean F^2 of these reflections.
    const MAP: f64 = 1e-3;
    let page = fs::read_to_string(example().join("README.md")).unwrap();
    let scene = Scene::empty();
    fs::copy(example().join("iron.pdb"), scene.path("iron.pdb")).unwrap();
    let block = page
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let block = block.replace("\\\n", " ");
    for line in block.lines() {
        let words = line.strip_prefix("nanoBragg ").unwrap();
        scene.run_line(&format!("{words} -noprogress")).well();
    }
    // Those of a dump are the same at every energy, so none is kept.
    assert!(!scene.names().contains(&"Fdump.bin".to_owned()));
    let [edge, peak] = ["edge", "peak"].map(|name| intensities(&scene, name));
    let iron = Element::from_symbol("Fe").unwrap();
    let [at_edge, at_peak] = [1.743_555, 1.738_811]
        .map(|wavelength_a| dispersion_at(iron, 12_398.42 / wavelength_a).unwrap());
    let mean = peak.values().sum::<f64>() / peak.len() as f64;
    let mut pairs = 0;
    for (hkl, plus) in &peak {
        let mate = hkl.map(|index| -index);
        let known = [peak.get(&mate), edge.get(hkl), edge.get(&mate)];
        let [Some(minus), Some(edge_plus), Some(edge_minus)] = known else {
            continue;
        };
        pairs += 1;
        let ([a_real, a_imaginary], [g_real, g_imaginary]) = closed_form(*hkl);
        // |F(h)|^2 - |F(-h)|^2 = 4 f'' Im(A G*)
        let crossed = a_imaginary * g_real - a_real * g_imaginary;
        for (plus, minus, f) in [(plus, minus, at_peak), (edge_plus, edge_minus, at_edge)] {
            let expected = 4.0 * f.imaginary * crossed;
            assert!(
                (plus - minus - expected).abs() < MAP * mean,
                "{hkl:?} {plus} {minus} {expected}"
            );
        }
        // The sums of mates at two energies differ by 4 (f'1 - f'2) Re(A G*) + 2 (|f1|^2 - |f2|^2) |G|^2.
        let along = a_real * g_real + a_imaginary * g_imaginary;
        let size = |real: f64, imaginary: f64| real * real + imaginary * imaginary;
        let dispersive =
            size(at_edge.real, at_edge.imaginary) - size(at_peak.real, at_peak.imaginary);
        let expected = 4.0 * (at_edge.real - at_peak.real) * along
            + 2.0 * dispersive * size(g_real, g_imaginary);
        let found = edge_plus + edge_minus - plus - minus;
        assert!(
            (found - expected).abs() < MAP * mean,
            "{hkl:?} {found} {expected}"
        );
        // The table of the page: h k l, then F^2 of both mates at both energies.
        let [h, k, l] = *hkl;
        let begins = format!("| {h} {k} {l} |");
        if let Some(row) = page.lines().find(|line| line.starts_with(&begins)) {
            let cells: Vec<f64> = row
                .split('|')
                .skip(2)
                .filter_map(|cell| cell.trim().parse().ok())
                .collect();
            let here = [edge_plus, edge_minus, plus, minus].map(|f_squared| f_squared.round());
            assert_eq!(cells, here, "{row}");
        }
    }
    assert!(pairs > 20, "{pairs}");
}

/// A small image of the toy at 7120 eV and around it.
const VIEW: &str = "-N 4 -energy 7120 -distance 60 -detpixels 40 -pixel 2 -oversample 1 -dmin 4 -misset 10 20 30 \
                    -nonoise -nopgm -noprogress -seed 1";

fn scene() -> Scene {
    let scene = Scene::with_copies_of(&example());
    scene.write("Fe.dat", "7000 -4 0.5\n7100 -6 1.5\n7200 -3 3.5\n");
    scene.write("one.hkl", "1 0 0 100\n0 1 0 50\n");
    scene.write("two.hkl", "1 0 0 200\n0 0 1 50\n");
    scene
}

#[test]
fn faults_of_energies_are_told_with_flag_and_range() {
    let scene = scene();
    let cell = "-cell 20 24 19 90 90 90";
    for (flags, expected) in [
        ("-pdb iron.pdb -anomalous table -energy 1000", "-anomalous"),
        ("-pdb iron.pdb -anomalous table -energy 1000", "1000"),
        ("-pdb iron.pdb -anomalous Fe=none.dat", "none.dat"),
        (
            "-pdb iron.pdb -anomalous Fe=Fe.dat -energy 7300",
            "7000 to 7200 eV",
        ),
        ("-pdb iron.pdb -anomalous Fe=one.hkl", "one.hkl"),
        (
            "-pdb iron.pdb -anomalous tables",
            "-anomalous: tables is not allowed",
        ),
        (
            "-pdb iron.pdb -hkl_at 7100 one.hkl",
            "-pdb and -hkl_at do not go together",
        ),
        ("-hkl one.hkl -hkl_at 7100 one.hkl", "-hkl"),
        ("-hkl_at one.hkl 7100", "an energy from 1 to 1e6 eV"),
        ("-hkl_at 7100", "-hkl_at needs"),
        ("-hkl_at 7100 one.hkl", "-hkl_at"),
        ("-hkl_at 7120 one.hkl -hkl_at 7120 two.hkl", "another list"),
        ("-default_F 1 -b_factor nan", "-b_factor"),
        ("-default_F 1 -b_factor 1e5", "-b_factor"),
    ] {
        let run = scene.run_line(&format!("{VIEW} {cell} {flags}"));
        assert_ne!(run.status, Some(0), "{flags}");
        assert!(run.stderr.contains(expected), "{flags}: {}", run.stderr);
    }
}

#[test]
fn lists_at_energies_are_told_planned_and_repeated() {
    let scene = scene();
    let line = format!(
        "{VIEW} -cell 20 24 19 90 90 90 -hkl_at 7100 one.hkl -hkl_at 7140 two.hkl -dispersion 0.2 -dispsteps 3 \
         -b_factor 12"
    );
    let run = scene
        .run_line(&format!("{line} -record a.json -floatfile a.bin"))
        .well();
    for expected in [
        "from lists at 2 energies",
        "3 tables of them for the energies of 3 sources",
        "B = 12 A^2",
    ] {
        assert!(run.stdout.contains(expected), "{expected}: {}", run.stdout);
    }
    let plan = scene.run_line(&format!("{line} -plan")).well().stdout;
    assert!(
        plan.contains("tables of structure factors") && plan.contains("B factor"),
        "{plan}"
    );
    scene
        .run_line("-rerun a.json -floatfile b.bin -noprogress")
        .well();
    assert_eq!(scene.read("a.bin"), scene.read("b.bin"));
    scene.write("two.hkl", "1 0 0 201\n");
    let changed = scene.run_line("-rerun a.json -floatfile b.bin -noprogress");
    assert!(changed.stderr.contains("two.hkl"), "{}", changed.stderr);
}

#[test]
fn a_dump_has_structure_factors_before_the_fall_off() {
    let scene = scene();
    let line = format!("{VIEW} -cell 20 24 19 90 90 90 -b_factor 12");
    scene
        .run_line(&format!("{line} -hkl one.hkl -floatfile a.bin"))
        .well();
    scene.run_line(&format!("{line} -floatfile b.bin")).well();
    assert_eq!(scene.read("a.bin"), scene.read("b.bin"));
}
