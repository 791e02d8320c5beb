//! Structure factors from MTZ, mmCIF and text, their conversion, and orientation matrices, with the data
//! of `examples/lysozyme`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use nanobragg_tests::binary::{Finished, Scene};

/// The cell of the lysozyme crystal.
const CELL: &str = "-cell 59.062 68.451 30.517 90 90 90";

/// A small image of the crystal, without cell and orientation.
const SMALL: &str = "-N 5 -distance 100 -detpixels 60 -pixel 1.3 -lambda 1.2";

/// Allowed error of F in `lysozyme_P1.hkl`: F is rounded to 0.001, and equivalents differ in the last
/// digits of 32 bits.
const ROUNDED: f64 = 0.000_6;

fn example(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("examples/lysozyme").join(name)
}

/// A folder with the MTZ file of the example.
fn scene() -> Scene {
    let scene = Scene::empty();
    scene.write("a.mtz", std::fs::read(example("lysozyme.mtz")).unwrap());
    scene
}

fn well(scene: &Scene, line: &str) -> Finished {
    let finished = scene.run_line(line);
    assert_eq!(finished.status, Some(0), "{line}: {}", finished.stderr);
    finished
}

fn refusal(scene: &Scene, line: &str) -> String {
    let finished = scene.run_line(line);
    assert_ne!(finished.status, Some(0), "{line}");
    let mut lines = finished.stderr.lines();
    lines.next_back().unwrap_or_default().to_owned()
}

/// The float image of a run.
fn image(scene: &Scene, line: &str) -> Vec<u8> {
    well(scene, &format!("{line} {SMALL} -floatfile out.bin"));
    let bytes = scene.read("out.bin");
    assert!(bytes.iter().any(|byte| *byte != 0), "{line}");
    bytes
}

/// h, k, l, F of a text list.
fn listed(text: &[u8]) -> Vec<([i32; 3], f64)> {
    let text = std::str::from_utf8(text).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hkl = [0, 1, 2].map(|i| words[i].parse().unwrap());
        (hkl, words[3].parse().unwrap())
    };
    text.lines().map(line).collect()
}

#[test]
fn every_format_gives_the_same_image_to_the_bit() {
    let scene = scene();
    let expected = image(&scene, "-hkl a.mtz -misset 10 20 30");
    for name in ["P1.hkl", "a.cif", "again.mtz", "Fdump2.bin"] {
        well(&scene, &format!("hkl a.mtz {name}"));
    }
    well(&scene, "hkl -expand a.mtz P1.mtz");
    for line in [
        format!("-hkl P1.hkl {CELL}"),
        format!("-hkl a.mtz {CELL}"),
        "-hkl a.cif".to_owned(),
        "-mtz again.mtz".to_owned(),
        "-mtz P1.mtz".to_owned(),
        format!("-dump Fdump2.bin {CELL}"),
        "-hkl a.mtz -columns FMODEL,PHIMODEL -spacegroup P212121".to_owned(),
    ] {
        let found = image(&scene, &format!("{line} -misset 10 20 30"));
        assert!(found == expected, "{line}");
    }
}

#[test]
fn the_expansion_is_that_of_gemmi() {
    let scene = scene();
    well(&scene, "hkl a.mtz P1.hkl");
    let ours = listed(&scene.read("P1.hkl"));
    let theirs = listed(&std::fs::read(example("lysozyme_P1.hkl")).unwrap());
    // gemmi's list has an F000 that the MTZ file does not have.
    let theirs: Vec<_> = theirs
        .into_iter()
        .filter(|(hkl, _)| *hkl != [0; 3])
        .collect();
    assert_eq!(ours.len(), theirs.len());
    for ((our_hkl, ours), (their_hkl, theirs)) in ours.iter().zip(&theirs) {
        assert_eq!(our_hkl, their_hkl);
        assert!((ours - theirs).abs() <= ROUNDED, "{our_hkl:?}");
    }
}

#[test]
fn a_list_that_was_expanded_merges_back() {
    let scene = scene();
    well(&scene, "hkl a.mtz P1.hkl");
    let words = ["hkl", "-spacegroup", "P 21 21 21"].into_iter();
    let finished = scene.run(words.chain(CELL.split(' ')).chain(["P1.hkl", "b.mtz"]));
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(
        finished.stdout.contains("8843 written to b.mtz"),
        "{}",
        finished.stdout
    );
    well(&scene, "hkl b.mtz again.hkl");
    assert!(scene.read("P1.hkl") == scene.read("again.hkl"));
}

#[test]
fn a_text_list_is_expanded_only_if_a_group_is_given() {
    let scene = Scene::empty();
    scene.write("a.hkl", "1 2 3 50\n0 0 3 7\n");
    let run = "-hkl a.hkl -cell 50 60 70 -default_F 1 -detpixels 4";
    let plain = well(&scene, run);
    assert!(
        plain.stdout.contains("2 structure factors from"),
        "{}",
        plain.stdout
    );
    let expanded = well(&scene, &format!("{run} -spacegroup P212121"));
    assert!(
        expanded.stdout.contains("8 structure factors from"),
        "{}",
        expanded.stdout
    );
    assert!(
        expanded
            .stdout
            .contains("P 21 21 21: 2 listed, 8 expanded, 1 absent")
    );
    assert!(
        expanded
            .stderr
            .contains("1 listed reflection that the space group forbids")
    );
}

#[test]
fn the_report_tells_columns_and_symmetry() {
    let finished = well(&scene(), "-hkl a.mtz -detpixels 4");
    let expected =
        "MTZ columns FMODEL, PHIMODEL, P 21 21 21: 8843 listed, 64584 expanded, 0 absent";
    assert!(finished.stdout.contains(expected), "{}", finished.stdout);
    assert!(
        finished
            .stdout
            .contains("Unit Cell: 59.062 68.451 30.517 90 90 90")
    );
}

#[test]
fn another_cell_than_that_of_the_file_draws_a_warning() {
    let scene = scene();
    let warned = |cell: &str| {
        let finished = well(&scene, &format!("-hkl a.mtz -cell {cell} -detpixels 4"));
        let told = "is used, the structure factors belong to 59.062 68.451 30.517 90 90 90";
        finished.stderr.contains(told)
    };
    assert!(warned("59.062 70 30.517"));
    assert!(warned("59.062 68.451 30.517 90 91 90"));
    assert!(!warned("59.4 68.451 30.517"));
}

#[test]
fn intensities_become_amplitudes_and_pairs_stay_apart() {
    let scene = Scene::empty();
    let head = "data_x\n_cell.length_a 50\n_cell.length_b 60\n_cell.length_c 70\n\
        _cell.angle_alpha 90\n_cell.angle_beta 90\n_cell.angle_gamma 90\n\
        _symmetry.space_group_name_H-M 'P 1'\n\
        loop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n";
    scene.write(
        "i.cif",
        format!("{head}_refln.intensity_meas\n1 2 3 16.0\n2 2 3 -1\n3 0 0 ?\n"),
    );
    let finished = well(&scene, "hkl i.cif i.hkl");
    assert!(
        finished.stderr.contains("intensity_meas holds intensities"),
        "{}",
        finished.stderr
    );
    assert_eq!(
        scene.read("i.hkl"),
        b"-2 -2 -3 0\n-1 -2 -3 4\n1 2 3 4\n2 2 3 0\n"
    );
    let pair = "_refln.pdbx_F_plus\n_refln.pdbx_F_minus\n";
    scene.write("p.cif", format!("{head}{pair}1 2 3 10 20\n4 0 0 ? 5\n"));
    for name in ["p.hkl", "p.mtz", "q.cif"] {
        well(&scene, &format!("hkl p.cif {name}"));
    }
    let expected = b"-4 0 0 5\n-1 -2 -3 20\n1 2 3 10\n4 0 0 5\n";
    assert_eq!(scene.read("p.hkl"), expected);
    for name in ["p.mtz", "q.cif"] {
        well(&scene, &format!("hkl {name} again.hkl"));
        assert_eq!(scene.read("again.hkl"), expected, "{name}");
    }
}

#[test]
fn lists_of_shelx_have_intensities_if_they_are_asked_for() {
    let scene = Scene::empty();
    // h, k, l and the intensity touch. The last two are equivalent in P 2 (b unique).
    let lines = [
        "   0   2 -1112345.00  145.23   1",
        "-100   2   3  144.00    1.00   1",
        "   1   2   3   10.00    1.00   1",
        "  -1   2  -3   22.00    1.00   2",
        "   2   2   3   -4.00    1.00   1",
        "   0   0   0    0.00    0.00",
        "CELL 0.71073 5 6 7 90 90 90",
    ];
    scene.write("a.hkl", lines.join("\n"));
    let finished = well(&scene, "hkl a.hkl p.hkl -columns I -spacegroup P2 -merge");
    let root = 12345_f64.sqrt();
    let expected = [
        ([-100, 2, 3], 12.0),
        ([0, 2, -11], root),
        ([1, 2, 3], 4.0),
        ([2, 2, 3], 0.0),
    ];
    let mut found = listed(&scene.read("p.hkl"));
    found.sort_by_key(|(hkl, _)| *hkl);
    // Of the equivalents of each, the one in the asymmetric unit is written.
    let size = |list: &[([i32; 3], f64)]| {
        let mut all: Vec<_> = list
            .iter()
            .map(|(hkl, f)| (hkl.map(i32::abs), f.to_bits()))
            .collect();
        all.sort_unstable();
        all
    };
    assert_eq!(size(&found), size(&expected), "{found:?}");
    for told in ["I holds intensities", "0 for 1 negative one", "unmerged"] {
        assert!(finished.stderr.contains(told), "{}", finished.stderr);
    }

    scene.write(
        "b.hkl",
        "   1   2   3   10.00    1.00\n   0   0   0    0.00    0.00\n",
    );
    let told = "as the lists of SHELX (HKLF 4) do";
    let finished = well(&scene, "hkl b.hkl q.hkl");
    assert!(finished.stderr.contains(told), "{}", finished.stderr);
    assert!(listed(&scene.read("q.hkl")).contains(&([1, 2, 3], 10.0)));
    scene.write("c.hkl", "   1   2   312345.67 1234.56\n");
    let refusal = refusal(&scene, "hkl c.hkl q.hkl");
    assert!(
        refusal.contains("-columns I reads a list of SHELX"),
        "{refusal}"
    );
}

#[test]
fn bad_lists_of_xds_are_refused_with_their_line() {
    let scene = Scene::empty();
    let head = "!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE\n";
    for (text, why) in [
        ("", "the file ends before !END_OF_HEADER"),
        (
            "1 2 3 4 5\n",
            "x.HKL:2: expected !END_OF_HEADER before the reflections",
        ),
        ("!END_OF_HEADER\n!END_OF_DATA\n", "no reflection found"),
        (
            "!END_OF_HEADER\n1 2 3 4\n",
            "x.HKL:3: expected SIGMA(IOBS) in column 5, found 4 columns",
        ),
        (
            "!END_OF_HEADER\n1 2 3 4 x\n",
            "x.HKL:3: found x, expected SIGMA(IOBS), a number",
        ),
        (
            "!END_OF_HEADER\n1 2.5 3 4 5\n",
            "x.HKL:3: found 2.5, expected a whole index",
        ),
        (
            "!SPACE_GROUP_NUMBER= x\n",
            "x.HKL:2: x is not what SPACE_GROUP_NUMBER can be",
        ),
        (
            "!UNIT_CELL_CONSTANTS= 1 2 3\n",
            "x.HKL:2: 1 2 3 is not what UNIT_CELL_CONSTANTS can be",
        ),
        ("!ITEM_H=0\n", "x.HKL:2: 0 is not what ITEM_H can be"),
        (
            "!ITEM_H=1\n!END_OF_HEADER\n1 2 3 4 5\n",
            "x.HKL:3: the header has no ITEM_K=",
        ),
    ] {
        scene.write("x.HKL", format!("{head}{text}"));
        let refusal = refusal(&scene, "hkl x.HKL o.hkl");
        assert!(refusal.contains(why), "{text}: {refusal}");
    }
}

#[test]
fn doubtful_values_draw_a_warning() {
    let scene = scene();
    let tags = "index_h index_k index_l F_meas_au pdbx_F_plus pdbx_F_minus crystal_id";
    let tags = tags.split(' ').map(|tag| format!("_refln.{tag}\n"));
    let rows = "1 2 3 10 11 9 1\n0 0 4 100 ? ? 2\n";
    scene.write(
        "f.cif",
        format!("data_x\nloop_\n{}{rows}", tags.collect::<String>()),
    );
    scene.write("i.hkl", "1 2 3 16.0\n2 2 3 -1\n");
    let aki = example("1aki.pdb");
    for (line, told) in [
        (
            "hkl f.cif o.hkl".to_owned(),
            "1 row with neither of the Friedel mates: F_meas_au is used for both",
        ),
        (
            format!("-hkl f.cif -cell 50 60 70 90 90 90 {SMALL}"),
            "reflections of several crystals (_refln.crystal_id) are taken together",
        ),
        (
            "hkl i.hkl p.hkl".to_owned(),
            "i.hkl: 1 line of the list with a negative F",
        ),
        (
            format!("-hkl i.hkl -cell 50 60 70 90 90 90 {SMALL}"),
            "i.hkl: 1 line of the list with a negative F",
        ),
        (
            format!("hkl {} p.hkl -dmin 8 -anomalous Fe=1,2", aki.display()),
            "no atom is Fe: its f' and f'' have no effect",
        ),
        (
            format!("-pdb {} {SMALL} -dmin 8 -anomalous Fe=1,2", aki.display()),
            "no atom is Fe: its f' and f'' have no effect",
        ),
    ] {
        let finished = well(&scene, &line);
        assert!(
            finished.stderr.contains(told),
            "{line}: {}",
            finished.stderr
        );
    }
    let expected = b"-1 -2 -3 9\n0 0 -4 100\n0 0 4 100\n1 2 3 11\n";
    assert_eq!(scene.read("o.hkl"), expected);
}

#[test]
fn bad_input_is_refused_with_its_name() {
    let scene = scene();
    let bytes = scene.read("a.mtz");
    scene.write("short.mtz", &bytes[..bytes.len() / 2]);
    scene.write(
        "loop.cif",
        "data_x\nloop_\n_refln.index_h\n_refln.F_calc\n1 2 3\n",
    );
    scene.write("bare.hkl", "1 2 3 4\n");
    scene.write("one.pdb", std::fs::read(example("1aki.pdb")).unwrap());
    for (line, why) in [
        (
            "-hkl short.mtz",
            "short.mtz: not a usable MTZ file: its header should begin at word",
        ),
        ("-hkl loop.cif", "loop.cif:"),
        (
            "-hkl a.mtz -columns FOO",
            "a.mtz: has no column FOO; its columns are FMODEL, PHIMODEL",
        ),
        (
            "-hkl a.mtz -columns PHIMODEL",
            "a.mtz: not structure factors: PHIMODEL",
        ),
        ("-hkl a.mtz -columns ,", "-columns: , is not allowed"),
        (
            "-hkl a.mtz -spacegroup Q7",
            "-spacegroup: Q7 is not allowed",
        ),
        ("hkl a.mtz a.mtz", "would overwrite the input"),
        ("hkl bare.hkl b.mtz", "need a unit cell"),
        ("hkl missing.mtz b.hkl", "missing.mtz"),
        ("hkl a.mtz", "<OUT>"),
        ("hkl one.pdb b.mtz", "-dmin must be given"),
        ("hkl one.pdb b.mtz -dmin 0.1", "0.25 to 1000 A"),
        ("hkl a.mtz b.hkl -dmin 2", "-dmin is for coordinates"),
        ("orient -cell 50 60 70 90 90 90", "<OUT>"),
        ("orient -mat bare.hkl A.mat", "bare.hkl:"),
    ] {
        let refusal = refusal(&scene, line);
        assert!(
            refusal.starts_with("nanoBragg: error: "),
            "{line}: {refusal}"
        );
        assert!(refusal.contains(why), "{line}: {refusal}");
    }
    assert!(scene.read("a.mtz") == bytes);
}

#[test]
fn a_matrix_renders_the_image_of_cell_and_misset() {
    let scene = scene();
    let expected = image(&scene, &format!("-hkl a.mtz {CELL} -misset 10 -20 30"));
    well(
        &scene,
        &format!("orient {CELL} -misset 10 -20 30 -lambda 1.2 A.mat"),
    );
    assert!(image(&scene, &format!("-hkl a.mtz {CELL} -mat A.mat")) == expected);
    well(&scene, "orient -mat A.mat -lambda 1.2 B.mat");
    assert!(image(&scene, &format!("-hkl a.mtz {CELL} -mat B.mat")) == expected);
}

#[test]
fn a_random_matrix_follows_its_seed_and_tells_its_angles() {
    let scene = scene();
    let random = |seed: u32, name: &str| {
        let line = format!("orient {CELL} -random -seed {seed} {name}");
        well(&scene, &line).stdout
    };
    let told = random(7, "A.mat");
    random(7, "B.mat");
    random(8, "C.mat");
    assert!(scene.read("A.mat") == scene.read("B.mat"));
    assert!(scene.read("A.mat") != scene.read("C.mat"));
    let angles = told
        .split("misset ")
        .nth(1)
        .unwrap()
        .split(" deg")
        .next()
        .unwrap();
    well(
        &scene,
        &format!("orient {CELL} -misset {angles} -fixed D.mat"),
    );
    well(
        &scene,
        &format!("orient {CELL} -random -seed 7 -fixed E.mat"),
    );
    // The angles have nine decimals, the numbers of the matrix eight.
    assert!(scene.read("D.mat") == scene.read("E.mat"));
}

/// h, k, l, F and phase in degrees of an mmCIF file of this program.
fn phased(cif: &[u8]) -> Vec<([i32; 3], f64, f64)> {
    let text = std::str::from_utf8(cif).unwrap();
    let rows = text.split("_refln.phase_calc\n").nth(1).unwrap().lines();
    let row = |line: &str| {
        let words: Vec<f64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
        let hkl = [0, 1, 2].map(|i| words[i] as i32);
        (hkl, words[3], words[4])
    };
    rows.map(row).collect()
}

#[test]
fn atoms_give_the_amplitudes_and_phases_of_another_program() {
    /// `sum |F - F'| / sum F'` over complex F. The map cuts atoms off at 1e-5 e/A^3, which gives 3e-5.
    const MOST_R: f64 = 1e-4;
    let scene = scene();
    scene.write("a.pdb", std::fs::read(example("1aki.pdb")).unwrap());
    let made = well(&scene, "hkl a.pdb atoms.mtz -dmin 2.5");
    assert!(
        made.stdout.contains("(1001 atoms to 2.5 A, P 21 21 21)"),
        "{}",
        made.stdout
    );
    well(&scene, "hkl atoms.mtz atoms.cif");
    well(&scene, "hkl a.mtz a.cif");
    let theirs: std::collections::HashMap<_, _> = phased(&scene.read("a.cif"))
        .into_iter()
        .map(|(hkl, f, phase_deg)| (hkl, (f, phase_deg)))
        .collect();
    let ours = phased(&scene.read("atoms.cif"));
    let [mut apart, mut sum] = [0.0; 2];
    // The example does not list 0 0 0.
    for (hkl, f, phase_deg) in ours.iter().filter(|(hkl, ..)| *hkl != [0; 3]) {
        let (their_f, their_phase_deg) = theirs[hkl];
        let between = (phase_deg - their_phase_deg).to_radians();
        let square = f * f + their_f * their_f - 2.0 * f * their_f * between.cos();
        apart += square.max(0.0).sqrt();
        sum += their_f;
    }
    assert!(ours.len() > 4000, "{}", ours.len());
    assert!(apart < MOST_R * sum, "{}", apart / sum);
}

#[test]
fn atoms_give_one_list_by_either_way() {
    let scene = scene();
    scene.write("a.pdb", std::fs::read(example("1aki.pdb")).unwrap());
    let pixels = |line: &str| -> Vec<f64> {
        let bytes = image(&scene, &format!("{line} -dmin 3 -misset 10 20 30"));
        let (pixels, _) = bytes.as_chunks::<4>();
        let pixel = |bytes: &[u8; 4]| f64::from(f32::from_le_bytes(*bytes));
        pixels.iter().map(pixel).collect()
    };
    for flags in ["", "-nosolvent", "-anomalous S=0.3,2.5"] {
        /// Equivalent reflections differ by rounding errors of their sums, and F in an MTZ file has 32 bits.
        const SAME: f64 = 1e-6;
        well(&scene, &format!("hkl a.pdb list.mtz -dmin 3 {flags}"));
        let listed = pixels("-mtz list.mtz");
        let direct = pixels(&format!("-pdb a.pdb {flags}"));
        let brightest = direct.iter().copied().fold(0.0, f64::max);
        for (a, b) in direct.iter().zip(&listed) {
            assert!((a - b).abs() <= SAME * brightest, "{flags}: {a} {b}");
        }
    }
}
