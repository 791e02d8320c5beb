//! Images of crystals from the coordinates of their atoms.

use std::path::PathBuf;

use nanobragg_tests::binary::{Finished, Scene};
use nanobragg_tests::compare::last_u16;

/// A quarter of a detector, away from the direct beam.
const VIEW: &str = "-N 5 -lambda 1 -distance 100 -detpixels 200 -pixel 0.5 -misset 10 20 30 \
                    -roi 110 199 110 199 -nonoise -nopgm -seed 1 -noprogress";

/// Rock salt, with the ions on special positions.
const ROCK_SALT: &str = "data_NaCl\n_cell_length_a 5.6402\n_cell_length_b 5.6402\n\
    _cell_length_c 5.6402\n_space_group_name_H-M_alt 'F m -3 m'\n\
    loop_ _atom_site_label _atom_site_type_symbol _atom_site_fract_x _atom_site_fract_y \
    _atom_site_fract_z _atom_site_U_iso_or_equiv\n\
    Na1 Na1+ 0 0 0 0.02\nCl1 Cl1- 0.5 0.5 0.5 0.02\n";

fn lysozyme(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/lysozyme");
    folder.join(name).display().to_string()
}

fn pixels(scene: &Scene) -> Vec<f64> {
    let bytes = scene.read("floatimage.bin");
    let (floats, _) = bytes.as_chunks::<4>();
    floats
        .iter()
        .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
        .collect()
}

/// `sum |a - b| / sum b`.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let differences: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
    differences / b.iter().sum::<f64>()
}

fn atoms(scene: &Scene, flags: &str) -> Finished {
    scene.run_line(&format!("-pdb {} {VIEW} {flags}", lysozyme("1aki.pdb")))
}

/// The corner of some images is finer than that for which structure factors were computed.
#[test]
fn a_series_that_moves_reflections_of_atoms_says_how_far_they_reach() {
    let scene = Scene::empty();
    let file = lysozyme("1aki.pdb");
    let warns = |name: &str, vary: &str| {
        let done = scene.run_line(&format!(
            "-pdb {file} -distance 200 -pixel 2 -detpixels 30 -N 3 -oversample 1 -nodefaultfiles \
             -shots 2 -floatfile {name}_#.bin -seriesfile {name}.jsonl -vary {vary}"
        ));
        let told = done.well().stderr;
        told.contains("structure factors of the atoms end at")
    };
    assert!(warns("moves", "wavelength=normal:1%"));
    assert!(!warns("stays", "fluence=lognormal:0.3"));
    assert!(!warns("reaches", "wavelength=normal:1% -dmin 5"));
}

#[test]
fn atoms_render_as_the_structure_factors_that_another_program_made_of_them() {
    /// The photons are proportional to F squared, and the lists agree to 1e-5.
    const MOST: f64 = 1e-3;
    let [here, there] = [Scene::empty(), Scene::empty()];
    atoms(&here, "-dmin 2.0001").well();
    let line = format!("-mtz {} {VIEW} -dmin 2.0001", lysozyme("lysozyme.mtz"));
    there.run_line(&line).well();
    let (here, there) = (pixels(&here), pixels(&there));
    assert!(there.iter().sum::<f64>() > 0.0);
    assert!(
        difference(&here, &there) < MOST,
        "{}",
        difference(&here, &there)
    );
}

#[test]
fn automatic_scales_and_the_plan_leave_out_the_direct_beam() {
    const FAST: usize = 120;
    let view = "-N 5 -lambda 1 -distance 100 -detpixels 120 -pixel 0.5 -oversample 1 -dmin 3 -nonoise \
                -noprogress";
    let line = format!("-pdb {} {view}", lysozyme("1aki.pdb"));
    let scene = Scene::empty();
    let run = scene.run_line(&line).well();
    let photons = pixels(&scene);
    // Pixels away from the beam by two thirds of the first order of the edge of 68.45 A.
    let limit_px = 100.0 / 0.5 / 68.45 * 2.0 / 3.0;
    let from_beam = |index: usize| {
        let [fast, slow] = [index % FAST, index / FAST].map(|i| i as f64 + 0.5 - 60.0);
        fast.hypot(slow)
    };
    let spots = (0..photons.len()).filter(|i| from_beam(*i) > limit_px + 1.0);
    let brightest = spots
        .max_by(|a, b| photons[*a].total_cmp(&photons[*b]))
        .unwrap();
    let all = photons.iter().copied().fold(0.0, f64::max);
    assert!(all > 20.0 * photons[brightest]);
    run.line("brightest pixel outside the direct beam = ");
    let counts = last_u16(&scene.read("intimage.img"), photons.len());
    assert_eq!(counts[brightest], 55_040);
    let plan = scene.run_line(&format!("{line} -plan json")).well();
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let planned = plan["estimate"]["brightest_photons"].as_f64().unwrap();
    assert!(
        (planned / photons[brightest] - 1.0).abs() < 1e-6,
        "{planned}"
    );
    // The list of the C program keeps its scale.
    let line = format!(
        "-hkl {} -cell 59.062 68.451 30.517 {view}",
        lysozyme("lysozyme_P1.hkl")
    );
    scene.run_line(&line).well();
    let photons = pixels(&scene);
    let counts = last_u16(&scene.read("intimage.img"), photons.len());
    assert!(counts[brightest] < 3000, "{}", counts[brightest]);
    // Without F(000) only the fringes of other reflections are left in the middle.
    scene.run_line(&format!("{line} -nof000")).well();
    let middle = 60 * FAST + 60;
    assert!(pixels(&scene)[middle] < 1e-3 * photons[middle]);
}

#[test]
fn solvent_and_dispersion_change_the_image() {
    let image = |flags: &str| {
        let scene = Scene::empty();
        atoms(&scene, &format!("-dmin 3 {flags}")).well();
        pixels(&scene)
    };
    let plain = image("");
    assert_eq!(image("-ksol 0.35 -bsol 46"), plain);
    for flags in ["-nosolvent", "-ksol 0.2", "-bsol 90", "-anomalous S=-2,4"] {
        assert!(difference(&image(flags), &plain) > 1e-3, "{flags}");
    }
}

#[test]
fn the_report_tells_atoms_cell_and_resolution() {
    let scene = Scene::empty();
    let report = atoms(&scene, "-dmin 4").well().stdout;
    assert!(
        report.contains("structure factors worked out from"),
        "{report}"
    );
    let line = "  1001 atoms, P 21 21 21, cell 59.062 68.451 30.517 A, 90 90 90 deg, to 4 A, 43.8 % \
                solvent";
    assert!(report.contains(line), "{report}");
    assert!(report.contains("Unit Cell: 59.062 68.451 30.517 90 90 90"));
}

#[test]
fn without_dmin_the_structure_factors_reach_to_the_corner_of_the_detector() {
    let scene = Scene::empty();
    let report = atoms(&scene, "-nosolvent").well().stdout;
    let limit = report.split(" deg, to ").nth(1).unwrap();
    let limit: f64 = limit.split(' ').next().unwrap().parse().unwrap();
    // The centre is 50.25 mm from two edges: the far corner is 70.4 mm from it, at a distance of 100 mm.
    let angle = (50.0_f64 * 2.0_f64.sqrt() / 100.0).atan();
    let corner = 1.0 / (2.0 * (angle / 2.0).sin());
    assert!(limit < corner && limit > 0.95 * corner, "{limit} {corner}");
}

#[test]
fn the_dump_serves_the_next_run() {
    let scene = Scene::empty();
    atoms(&scene, "-dmin 3").well();
    let first = scene.read("floatimage.bin");
    scene
        .run_line(&format!(
            "-cell 59.062 68.451 30.517 90 90 90 {VIEW} -dmin 3"
        ))
        .well();
    assert_eq!(scene.read("floatimage.bin"), first);
}

#[test]
fn a_record_brings_the_image_back() {
    let scene = Scene::empty();
    atoms(&scene, "-dmin 3 -record run.json").well();
    let first = scene.read("floatimage.bin");
    scene
        .run_line("-rerun run.json -floatfile again.bin")
        .well();
    assert_eq!(scene.read("again.bin"), first);
}

#[test]
fn small_molecules_are_rendered_and_shared_places_are_told() {
    let scene = Scene::empty();
    scene.write("salt.cif", ROCK_SALT);
    let finished = scene
        .run_line(&format!("-pdb salt.cif {VIEW} -N 20 -nosolvent"))
        .well();
    assert!(
        finished.stdout.contains("2 atoms, F m -3 m"),
        "{}",
        finished.stdout
    );
    assert!(
        finished.stderr.contains("2 atoms on special positions"),
        "{}",
        finished.stderr
    );
    assert!(pixels(&scene).iter().any(|photons| *photons > 0.0));
}

#[test]
fn a_matrix_of_another_cell_is_told() {
    let scene = Scene::empty();
    scene.write("A.mat", "0.02 0 0\n0 0.02 0\n0 0 0.02\n");
    let finished = atoms(&scene, "-dmin 4 -mat A.mat").well();
    assert!(
        finished
            .stderr
            .contains("the structure factors belong to 59.062 68.451 30.517"),
        "{}",
        finished.stderr
    );
}

#[test]
fn faults_are_told_in_one_line() {
    let scene = Scene::empty();
    scene.write("empty.pdb", "");
    scene.write(
        "bad.pdb",
        "CRYST1   59.062   68.451   30.517  90.00  90.00  90.00 P 21 21 21\n\
        ATOM      1  N   LYS A   1      35.365  22.3x2 -11.980  1.00 22.28           N\n",
    );
    scene.write(
        "nocell.pdb",
        "ATOM      1  N   LYS A   1      35.365  22.342 -11.980  1.00 22.28\n",
    );
    scene.write(
        "short.cif",
        "data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1\n",
    );
    let file = lysozyme("1aki.pdb");
    for (line, status, message) in [
        ("-pdb none.pdb".to_owned(), 1, "cannot read none.pdb: "),
        ("-pdb empty.pdb".to_owned(), 1, "empty.pdb: no atom found"),
        (
            "-pdb bad.pdb".to_owned(),
            1,
            "bad.pdb:2: found `22.3x2`, expected a coordinate, a number from -1e6 to 1e6",
        ),
        (
            "-pdb nocell.pdb".to_owned(),
            1,
            "nocell.pdb: no unit cell found",
        ),
        (
            "-pdb nocell.pdb -cell 50 60 70 90 90 90".to_owned(),
            1,
            "nocell.pdb: no space group found; give one [-spacegroup]",
        ),
        (
            "-pdb short.cif".to_owned(),
            1,
            "short.cif:2: a loop whose values",
        ),
        (
            format!("-pdb {file} -dmin 0.1"),
            1,
            "expected 0.25 to 1000 A",
        ),
        (
            format!("-pdb {file} -dmin 0.5 -max_memory 0.001"),
            1,
            "[-dmin; -max_memory raises the limit]",
        ),
        (format!("-pdb {file} -ksol 20"), 1, "[-ksol]"),
        (
            format!("-pdb {file} -hkl P1.hkl"),
            2,
            "-pdb and -hkl do not go together",
        ),
        (
            format!("-pdb {file} -anomalous Xx=1,2"),
            2,
            "-anomalous: Xx=1,2 is not allowed",
        ),
    ] {
        let finished = scene.run_line(&format!("{line} {VIEW}"));
        assert_eq!(finished.status, Some(status), "{line}: {}", finished.stderr);
        let told = finished.stderr.trim_end();
        assert!(told.contains(message), "{line}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let inputs = ["bad.pdb", "empty.pdb", "nocell.pdb", "short.cif"];
    assert_eq!(scene.names(), inputs);
}
