//! `nanoBragg help` and `nanoBragg new`.

use std::fs;

use nanobragg_cli::shell;
use nanobragg_tests::binary::{Finished, Scene};

/// The exit status of a wrong command line.
const USAGE: Option<i32> = Some(2);

/// The exit status of a failed run.
const FAILURE: Option<i32> = Some(1);

fn run(line: &str) -> Finished {
    Scene::with_inputs().run_line(line)
}

#[test]
fn a_topic_a_subcommand_and_a_flag_are_explained() {
    let topics = run("help").well().stdout;
    assert!(topics.contains("\n  geometry "), "{topics}");
    let hkl = run("hkl -help").well().stdout;
    for (line, said) in [
        ("help Noise", "noise: from expected photons to counts\n"),
        ("-help noise", "\nMore: docs/RESPONSE.md\n"),
        ("help -distance", "Distance from the sample along the beam."),
        ("help wavelength", "-lambda, -wave, -wavelength <A>"),
        ("help -hkl", "-hkl, -mtz <file>"),
        ("help hkl", &hkl),
        ("help help", "nanoBragg help [TOPIC"),
    ] {
        let help = run(line).well();
        assert!(help.stdout.contains(said), "{line}: {}", help.stdout);
    }
    for (line, said) in [
        ("help noize", "no help on noize, but on noise;"),
        ("help -distanc", "no help on -distanc, but on distance;"),
        ("help zzz", "nanoBragg help lists the topics"),
        (
            "comparre a b",
            "\"comparre\" belongs to no flag; did you mean nanoBragg compare?",
        ),
        ("A.mat", "nanoBragg new A.mat makes an experiment"),
    ] {
        let finished = run(line);
        assert_eq!(finished.status, USAGE, "{line}");
        assert!(
            finished.stderr.contains(said),
            "{line}: {}",
            finished.stderr
        );
    }
}

/// The command lines under "Examples:" in a help, each as words without the program.
fn examples(help: &str) -> Vec<Vec<String>> {
    let (_, below) = help.split_once("\nExamples:\n").unwrap_or_default();
    let lines = below
        .lines()
        .map_while(|line| line.strip_prefix("  nanoBragg "));
    lines
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_example_of_the_help_runs() {
    let scene = Scene::empty();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lysozyme");
    for (from, to) in [
        ("1aki.pdb", "protein.pdb"),
        ("lysozyme.mtz", "lysozyme.mtz"),
    ] {
        fs::copy(format!("{root}/{from}"), scene.path(to)).unwrap();
    }
    let topics = scene.run_line("help").well().stdout;
    let topics = topics
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands = shell::names_of_commands().map(|name| vec![name.to_owned(), "-help".to_owned()]);
    let helps = topics
        .map(|topic| vec!["help".to_owned(), topic.to_owned()])
        .chain(commands);
    // The inputs of some of them.
    let small =
        "-cell 40 -default_F 50 -N 3 -distance 50 -detpixels 24 -pixel 2 -seed 1 -fluence 1e24";
    for line in [
        format!("{small} -floatfile lattice.bin -noisefile noisy.img -save-experiment start.toml"),
        format!("{small} -floatfile background.bin -noisefile shot.cbf -truthfile shot.csv"),
    ] {
        scene.run_line(&line).well();
    }
    // Examples of other commands write series of their own.
    let of_verify = Scene::empty();
    for part in ["", " -shard 1/2", " -shard 2/2"] {
        let line = format!("{small} -nodefaultfiles -cbffile s_#.cbf -shots 2{part}");
        of_verify.run_line(&line).well();
    }
    let water = scene.run_line("materials water").well().stdout;
    scene.write("water.stol", water);
    for help in helps {
        let found = examples(&scene.run(&help).well().stdout);
        assert!(!found.is_empty(), "{help:?}");
        for example in found {
            // The live view goes on until it is stopped.
            if example.first().is_some_and(|word| word == "view") {
                continue;
            }
            let scene = match example.first().map(String::as_str) {
                Some("verify") => &of_verify,
                _ => &scene,
            };
            let finished = scene.run(&example);
            // A refinement may end at a minimum that noise does not explain, and images may differ.
            let is_done = match example.first().map(String::as_str) {
                Some("compare") => finished.status == FAILURE,
                Some("refine") => matches!(finished.status, Some(0 | 3)),
                _ => finished.status == Some(0),
            };
            assert!(
                is_done,
                "{example:?}: {:?} {}",
                finished.status, finished.stderr
            );
        }
    }
}

#[test]
fn a_new_experiment_renders_with_the_command_that_is_printed() {
    let scene = Scene::empty();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lysozyme/1aki.pdb");
    fs::copy(path, scene.path("my protein.pdb")).unwrap();
    let line = [
        "new",
        "my protein.pdb",
        "-detector",
        "pilatus300k",
        "-energy",
        "12000",
    ];
    let told = scene.run(line).well().stdout;
    assert_eq!(
        told.lines().last(),
        Some("nanoBragg -experiment 'my protein.toml' -pngfile 'my protein.png' -pngscale sqrt")
    );
    let toml = String::from_utf8(scene.read("my protein.toml")).unwrap();
    // 487 pixels of 172 um, 1.5 A, 12 keV: sin theta = 12.39842/12/3, and half the width over tan 2 theta.
    let two_theta = 2.0 * (12.398_42 / 12.0 / 3.0_f64).asin();
    let distance = (0.5 * 487.0 * 0.172 / two_theta.tan()).floor();
    assert!(
        toml.contains(&format!("\ndistance_mm = {distance:.1} ")),
        "{toml}"
    );

    let again = scene.run(line);
    assert_eq!(again.status, USAGE);
    assert!(
        again.stderr.contains("my protein.toml is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(scene.read("my protein.toml"), toml.as_bytes());

    let run = [
        "-experiment",
        "my protein.toml",
        "-pngfile",
        "my protein.png",
        "-pngscale",
        "sqrt",
    ];
    let rendered = scene.run(run).well();
    assert_eq!(rendered.stderr, "");
    assert!(scene.read("my protein.png").starts_with(b"\x89PNG"));
}

#[test]
fn a_structure_that_cannot_be_rendered_says_what_to_give() {
    let scene = Scene::empty();
    let atom = "ATOM      1  CA  ALA A   1       2.500   3.000   3.500  1.00 20.00           C\n";
    let unit = "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n";
    scene.write("nmr.pdb", format!("EXPDTA    SOLUTION NMR\n{unit}{atom}"));
    scene.write("list.hkl", "1 2 3 50\n0 0 20 10\n");
    scene.write("plain.txt", "no structure\n");
    let give = "give one with -cell A B C ALPHA BETA GAMMA and -spacegroup NAME";
    for (line, said) in [
        ("new nmr.pdb", give),
        ("new list.hkl", give),
        (
            "new nmr.pdb -cell 20 20 20 90 90 90",
            "give one with -spacegroup NAME",
        ),
        ("new 1aki", "https://files.rcsb.org/download/1aki.pdb"),
        ("new none.pdb", "none.pdb: No such file"),
        ("new plain.txt", "plain.txt"),
        ("new nmr.pdb -detector pilatus7m", "did you mean pilatus"),
        ("new nmr.pdb -energy 0", "a number above 0"),
        ("new nmr.pdb -energy 12000 -lambda 1", "cannot be used with"),
        (
            "new nmr.pdb -cell 20 20 20 90 90 90 -spacegroup P1 -o none/x.toml",
            "cannot create none/x.toml",
        ),
        ("new nmr.pdb -o a.json", "JSON has no comments"),
        ("new", "<FILE>"),
    ] {
        let finished = scene.run_line(line);
        assert!(
            finished.status == USAGE || finished.status == FAILURE,
            "{line}"
        );
        assert!(
            finished.stderr.contains(said),
            "{line}: {}",
            finished.stderr
        );
        assert!(
            !scene.names().iter().any(|name| name.ends_with(".toml")),
            "{line}"
        );
    }
    scene
        .run_line("new nmr.pdb -cell 20 20 20 90 90 90 -spacegroup P1")
        .well();
    // 1/d of 0 0 20 in a cell with c = 40 A is 1/2.
    let told = scene
        .run_line("new list.hkl -cell 30 30 40 90 90 90")
        .well()
        .stdout;
    assert!(
        told.contains("at 38") && told.contains(": 2 A at its edge, wavelength 1 A"),
        "{told}"
    );
}
