//! Experiment files, and flags that override them.

use std::path::Path;

use nanobragg::{ExperimentSpec, FileLanguage};
use nanobragg_tests::binary::Scene;
use nanobragg_tests::{cases, products};

/// The files of a run, in the order of their flags.
const FILES: [&str; 4] = [
    "floatimage.bin",
    "intimage.img",
    "noiseimage.img",
    "image.pgm",
];

/// The images in a scene.
fn images(scene: &Scene) -> Vec<Vec<u8>> {
    FILES.iter().map(|name| scene.read(name)).collect()
}

/// A run that renders 16 x 12 pixels with inputs of every common kind.
const LINE: &str = "-mat A.mat -hkl P1.hkl -sourcefile two_sources.txt -N 3 -lambda 1.1 -distance 70 \
                    -pixel 0.8 -detpixels_x 16 -detpixels_y 12 -noprogress";

/// The images of a command line in a folder with the common inputs and these files.
fn rendered(line: &str, files: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let scene = Scene::with_inputs();
    for (name, contents) in files {
        scene.write(name, contents);
    }
    scene.run_line(line).well();
    images(&scene)
}

#[test]
fn a_saved_experiment_gives_the_images_of_every_golden_case() {
    let outputs: Vec<&str> =
        "-floatfile floatimage.bin -intfile intimage.img -noisefile noiseimage.img \
                              -pgmfile image.pgm -noprogress"
            .split_whitespace()
            .collect();
    let mut faults = Vec::new();
    for case in cases::all() {
        let scene = Scene::with_inputs();
        let words = case.words.iter().map(String::as_str).chain(outputs.clone());
        scene
            .run(words.chain(["-save-experiment", "saved.toml"]))
            .well();
        let before = images(&scene);
        FILES.iter().for_each(|name| scene.write(name, ""));
        let words = ["--experiment", "saved.toml"].into_iter();
        scene.run(words.chain(outputs.clone())).well();
        if images(&scene) != before {
            faults.push(case.name);
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn both_languages_hold_the_same_experiment_to_the_bit() {
    for case in cases::all() {
        let job = products::job(&case.words, &cases::inputs()).unwrap();
        let [toml, json] = ["a.toml", "a.json"].map(|name| {
            let name = Path::new(name);
            let text = job.named.to_text(name).unwrap();
            let language = FileLanguage::of(name);
            let again = ExperimentSpec::parse(&text, "saved", language).unwrap();
            assert_eq!(again.to_text(name).unwrap(), text, "{}", case.name);
            again.to_tree().unwrap()
        });
        assert_eq!(toml, json, "{}", case.name);
        assert_eq!(toml, job.named.to_tree().unwrap(), "{}", case.name);
    }
}

#[test]
fn flags_win_over_the_file() {
    let file = "noise_seed = 3\n[detector]\npixel_size_mm = 0.8\npixels_fast = 16\npixels_slow = 12\n\
                close_distance_mm = 60\n[crystal]\ncells = [5, 5, 5]\nsize_mm = [0.001, 0, 0]\n\
                cell = { lengths_angstrom = [70, 80, 90], angles_deg = [90, 90, 90] }\n\
                [beam]\nwavelength_angstrom = 1.1\n[beam.fluence]\nflux_per_s = 1e12\n\
                [phi]\nrange_deg = 1\nstep_deg = 0.5\ncount = 2\n\
                [structure_factors]\nhkl = \"P1.hkl\"\ndefault_f = 1\n";
    let over = "-experiment a.toml -distance 70 -N 3 -fluence 1e24 -osc 2 -hkl P1.hkl -default_F 2 -adc 10 \
                -noprogress";
    let alone = "-pixel 0.8 -detpixels_x 16 -detpixels_y 12 -cell 70 80 90 -lambda 1.1 -distance 70 -N 3 \
                 -fluence 1e24 -osc 2 -phisteps 2 -hkl P1.hkl -default_F 2 -adc 10 -seed 3 -noprogress";
    assert_eq!(rendered(over, &[("a.toml", file)]), rendered(alone, &[]));
}

#[test]
fn a_number_and_auto_replace_each_other() {
    let rest = "-default_F 9 -cell 70 80 90 -N 3 -detpixels 24 -pixel 2 -seed 3 -noprogress";
    let auto =
        "[sampling.auto]\noversample = true\nphi_steps = true\nerror = 0.3\n[phi]\nrange_deg = 1\n";
    let numbers = "[sampling]\noversample = 9\n[phi]\nrange_deg = 1\ncount = 9\n";
    let chosen = "-oversample auto -phisteps auto -auto_error 0.3";
    for (file, over, alone) in [
        (
            auto,
            "-oversample 2 -phisteps 3",
            "-oversample 2 -phisteps 3",
        ),
        (
            auto,
            "-phisteps 3",
            "-oversample auto -phisteps 3 -auto_error 0.3",
        ),
        (numbers, chosen, chosen),
    ] {
        let over = format!("-experiment a.toml {over} {rest}");
        let alone = format!("-osc 1 {alone} {rest}");
        assert_eq!(
            rendered(&over, &[("a.toml", file)]),
            rendered(&alone, &[]),
            "{over}"
        );
    }
}

#[test]
fn an_experiment_without_structure_factors_reads_no_dump() {
    let scene = Scene::with_inputs();
    scene.run_line(&format!("{LINE} -seed 1")).well();
    let file = "[crystal.cell]\nlengths_angstrom = [70, 70, 70]\nangles_deg = [90, 90, 90]\n";
    scene.write("a.toml", file);
    let run = scene.run_line("-experiment a.toml -noprogress");
    assert!(
        run.stderr.contains("no structure factors"),
        "{}",
        run.stderr
    );
}

#[test]
fn files_are_looked_for_from_the_folder_of_the_experiment() {
    let scene = Scene::with_inputs();
    std::fs::create_dir(scene.path("deep")).unwrap();
    let line = format!("{LINE} -seed 1 -save-experiment deep/saved.toml");
    scene.run_line(&line).well();
    let before = images(&scene);
    let saved = String::from_utf8(scene.read("deep/saved.toml")).unwrap();
    assert!(saved.contains("hkl = \"../P1.hkl\""), "{saved}");
    scene
        .run_line("-experiment deep/saved.toml -noprogress")
        .well();
    assert_eq!(images(&scene), before);
}

#[test]
fn a_run_from_a_file_is_recorded_with_its_inputs_and_repeated() {
    let first = Scene::with_inputs();
    first
        .run_line(&format!("{LINE} -save-experiment a.toml"))
        .well();
    first
        .run_line("-experiment a.toml -record run.json -noprogress")
        .well();
    let record: serde_json::Value = serde_json::from_slice(&first.read("run.json")).unwrap();
    let inputs = record["inputs"].as_array().unwrap().iter();
    let flags: Vec<_> = inputs
        .map(|input| input["flag"].as_str().unwrap())
        .collect();
    assert_eq!(flags, ["experiment", "hkl", "sourcefile"]);
    let second = Scene::empty();
    let record = first.path("run.json");
    let words = ["-rerun", record.to_str().unwrap(), "-noprogress"];
    second.run(words).well();
    assert_eq!(images(&second), images(&first));
}

#[test]
fn values_that_are_taken_for_something_else_are_told() {
    let scene = Scene::with_inputs();
    let text = "[crystal]\ncells = [5, 0, 5]\n[detector]\ndistance_mm = -70\n";
    scene.write("a.toml", text);
    let line = "-experiment a.toml -cell 70 -default_F 9 -detpixels 8 -noprogress";
    let run = scene.run_line(line);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    for part in [
        "crystal.cells = 0: it counts as 1",
        "detector.distance_mm = -70: its magnitude counts",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let quiet = scene.run_line("-cell 70 -default_F 9 -detpixels 8 -noprogress -N 5");
    assert!(!quiet.stderr.contains("counts as"), "{}", quiet.stderr);
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_field() {
    let scene = Scene::with_inputs();
    for (name, text, message) in [
        (
            "a.toml",
            "version = 1\n[detector]\ndistnace_mm = 3\n",
            "a.toml:3: detector.distnace_mm is not a field; did you mean distance_mm?",
        ),
        (
            "a.json",
            "{\n\"detector\": {\n\"distnace_mm\": 3}}",
            "a.json:3: detector.distnace_mm is not a field; did you mean distance_mm?",
        ),
        (
            "a.toml",
            "nonsense = 1\nversion = 2\n",
            "a.toml:2: an experiment of version 2; this program knows version 1",
        ),
        (
            "a.toml",
            "[detector]\nconvention = \"xdss\"\n",
            "did you mean xds?",
        ),
        (
            "a.toml",
            "[detector]\ndistance_mm = \"far\"\n",
            "a.toml:2: detector.distance_mm: found \"far\", expected a number in mm",
        ),
        (
            "a.toml",
            "fixes = [\"no-effect\"]\n",
            "a.toml:1: fixes: no-effect cannot be put right",
        ),
        (
            "a.toml",
            "[structure_factors]\nhkl = \"a\"\ndump = \"b\"\n",
            "only one of hkl, hkl_at, coordinates and dump can be given",
        ),
        (
            "a.toml",
            "[structure_factors]\ncolumns = [\"F\"]\n",
            "columns means something only beside hkl",
        ),
        ("a.toml", "[detector\n", "a.toml:1: "),
        ("a.json", "{\n", "a.json:2: EOF"),
        (
            "a.toml",
            "[beam]\nsources = { list = [{ position_m = [0, 0, 0], wavelength_angstrom = 1 }] }\n",
            "source:1: ",
        ),
    ] {
        scene.write(name, text);
        let run = scene.run_line(&format!(
            "-experiment {name} -cell 70 -default_F 9 -noprogress"
        ));
        assert_eq!(run.status, Some(1), "{text}");
        assert!(run.stderr.contains(message), "{text}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let run = scene.run_line("-experiment none.toml");
    assert!(run.stderr.contains("none.toml"), "{}", run.stderr);
    let run = scene.run_line(&format!("{LINE} -save-experiment P1.hkl"));
    let message = "-save-experiment would overwrite what -hkl names";
    assert!(run.stderr.contains(message), "{}", run.stderr);
}
