//! The companion programs, compared with the files of the C programs.

use nanobragg_tests::binary::{Finished, Scene};
use nanobragg_tests::toolbox::{cases, folder};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[test]
fn both_programs_have_cases() {
    assert_eq!((cases("noisify").len(), cases("nonbragg").len()), (54, 61));
}

/// Runs all cases of a program. Every byte of every file must be that of the C program.
fn judge(program: &str) {
    let faults: Vec<String> = cases(program)
        .iter()
        .flat_map(|case| case.faults())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn noisify_gives_the_files_of_the_c_program() {
    judge("noisify");
}

/// A folder with the inputs, and the run of a line there.
fn run(line: &str) -> (Scene, Finished) {
    let scene = Scene::with_copies_of(&folder().join("inputs"));
    let finished = scene.run_line(line);
    (scene, finished)
}

#[test]
fn noisify_refuses_bad_input_in_one_line() {
    for (line, status, why) in [
        ("noisify", 2, "-floatfile"),
        ("noisify -floatfile none.float", 1, "none.float"),
        ("noisify -floatfile .", 1, "."),
        ("noisify -floatfile empty.float", 1, "no pixel"),
        (
            "noisify -floatfile spots.float -detpixels 99",
            1,
            "spots.float",
        ),
        (
            "noisify -floatfile spots.float -detpixels 0",
            2,
            "-detpixels 0",
        ),
        (
            "noisify -floatfile spots.float -detpixels_x -5",
            2,
            "-detpixels_x",
        ),
        ("noisify -floatfile nan.float", 1, "fast 1 slow 0 is NaN"),
        (
            "noisify -floatfile spots.float -header spots.float",
            1,
            "spots.float",
        ),
        (
            "noisify -floatfile spots.float -header none.img",
            1,
            "none.img",
        ),
        ("noisify -floatfile spots.float -gain", 2, "-gain"),
        ("noisify -floatfile spots.float -gain many", 2, "-gain many"),
        (
            "noisify -floatfile spots.float -readout -1",
            2,
            "-readout -1",
        ),
        ("noisify -floatfile spots.float -pixel 0", 2, "-pixel 0"),
        ("noisify -floatfile spots.float -bits 8", 2, "16 or 32"),
        (
            "noisify -floatfile spots.float -psf round",
            2,
            "gauss or fiber",
        ),
        (
            "noisify -floatfile spots.float -fix all,none",
            2,
            "psf-wrap",
        ),
        (
            "noisify -floatfile spots.float -intfile no/o.img",
            1,
            "no/o.img",
        ),
        (
            "noisify -floatfile spots.float -intfile spots.float",
            1,
            "overwrite",
        ),
        (
            "noisify -floatfile spots.float -intfile a -noisefile a",
            1,
            "overwrite",
        ),
    ] {
        let scene = Scene::with_copies_of(&folder().join("inputs"));
        scene.write("empty.float", "");
        let floats = [1.0_f32, f32::NAN, 3.0, 4.0].map(f32::to_le_bytes);
        scene.write("nan.float", floats.concat());
        let before = scene.names();
        let finished = scene.run_line(line);
        assert_eq!(finished.status, Some(status), "{line}: {}", finished.stderr);
        let errors = finished
            .stderr
            .lines()
            .filter(|line| line.contains("error:"));
        let errors: Vec<&str> = errors.collect();
        assert!(
            matches!(errors.as_slice(), [error] if error.contains(why)),
            "{line}: {errors:?}"
        );
        assert_eq!(scene.names(), before, "{line}");
    }
}

#[test]
fn noisify_warns_of_oddities_once_and_of_words_without_effect() {
    let line = "noisify -floatfile spots.float -seed 7 -psf gauss -readout 9 -adc 0 -typo";
    let (_, finished) = run(line);
    let warnings = finished.well().stderr;
    for name in ["psf-wrap", "shared-stream", "negative-counts", "-typo"] {
        assert_eq!(warnings.matches(name).count(), 1, "{name}: {warnings}");
    }
    let (_, finished) =
        run("noisify -floatfile spots.float -seed 7 -psf gauss -readout 9 -adc 0 -fix all");
    assert_eq!(finished.well().stderr, "");
}

#[test]
fn noisify_prints_the_lines_of_the_c_program() {
    let (_, finished) =
        run("noisify -floatfile flat.float -seed 7 -calibration 0 -nopgm -detpixels_x 61");
    let expected = "noisify - add noise to pixels - James Holton 3-19-16\n\
        importing 2867 pixel intensites: flat.float\n  \
        distance=0.1 detsize=0.0061x0.0047  pixel=0.0001 meters (61x47 pixels)\n  \
        Xbeam=0.00305 Ybeam=0.00235\n  seed: -7\n  calibration noise seed: 123456789\n  \
        calibration_noise = 0 %\n  input file scale = 1\n  readout_noise = 0 ADU\n  \
        flicker_noise = 0 %\n  quantum_gain = 1 ADU/photon\n  adc_offset = 40 ADU\n\n\
        maximum value in input file: 11.5 ( 11.5 on photon scale)\n\
        writing intimage.img as 2867 2-byte integers\n";
    let lines = finished.well().stdout;
    assert!(lines.starts_with(expected), "{lines}");
    assert!(
        lines.ends_with("writing noiseimage.img as 2-byte integers\n"),
        "{lines}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_with_the_name_of_a_companion_runs_it() {
    let scene = Scene::with_copies_of(&folder().join("inputs"));
    let link = scene.path("noisify");
    std::os::unix::fs::symlink(nanobragg_tests::binary::program(), &link).unwrap();
    let mut command = std::process::Command::new(link);
    command
        .args(["-floatfile", "flat.float", "-seed", "7"])
        .current_dir(scene.path(""));
    assert!(command.output().unwrap().status.success());
    assert!(scene.path("noiseimage.img").exists());
}

#[test]
fn add_adds_floats_and_refuses_the_rest() {
    let scene = Scene::empty();
    let floats = |values: &[f32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    scene.write("a", floats(&[1.0, 2.0, 3.0]));
    scene.write("b", floats(&[10.0, 20.0, -30.0]));
    scene.write("short", floats(&[1.0]));
    scene.write("counts", "P5 3 1 255\nabc");
    for (line, sum) in [
        ("add a b out", [11.0, 22.0, -27.0]),
        ("add a b 0.5 out", [6.0, 12.0, -12.0]),
        ("add a b -1 out", [-9.0, -18.0, 33.0]),
        ("add a b out -scale 2", [21.0, 42.0, -57.0]),
    ] {
        scene.run_line(line).well();
        assert_eq!(scene.read("out"), floats(&sum), "{line}");
    }
    for (line, status, why) in [
        ("add a b", 2, "<OUT>"),
        ("add a short out", 1, "short has 1 pixels"),
        ("add a counts out", 1, "counts"),
        ("add a none out", 1, "none"),
        ("add a b nan out", 2, "finite"),
        ("add a b a", 1, "overwrite"),
    ] {
        let finished = scene.run_line(line);
        assert_eq!(finished.status, Some(status), "{line}: {}", finished.stderr);
        assert!(finished.stderr.contains(why), "{line}: {}", finished.stderr);
    }
}

/// The same command line twice: in a run of nanoBragg, and from an experiment file that it has saved.
#[test]
fn the_response_of_a_run_has_flags_and_fields() {
    let base = "-cell 50 50 50 90 90 90 -default_F 100 -N 5 -distance 100 -pixel 0.2 -detpixels 60 -seed 3 \
                -nopgm -nodefaultfiles";
    let scene = Scene::empty();
    scene.write("psf.txt", "0 1 0\n1 4 1\n0 1 0\n");
    let plain = scene.run_line(&format!("{base} -noisefile plain.img"));
    plain.well();
    for (number, flags) in [
        "-psf fiber -psf_fwhm 100",
        "-psf moffat -psf_beta 3 -psf_radius 4",
        "-psf gauss",
        "-psf psf.txt",
        "-flicker 0.3",
        "-flicker 0.3 -flicker_per_pixel",
        "-calibration 0.2 -calib_seed 5",
        "-gain 3.5 -readout_noise 4",
    ]
    .into_iter()
    .enumerate()
    {
        let line =
            format!("{base} {flags} -noisefile a{number}.img -save-experiment e{number}.toml");
        scene.run_line(&line).well();
        let again =
            format!("-experiment e{number}.toml -nodefaultfiles -noisefile b{number}.img -nopgm");
        scene.run_line(&again).well();
        let (a, b) = (format!("a{number}.img"), format!("b{number}.img"));
        assert!(scene.read(&a) == scene.read(&b), "{flags}");
        assert!(scene.read(&a) != scene.read("plain.img"), "{flags}");
    }
    for (flags, why) in [
        ("-psf roud", "-psf"),
        ("-psf_beta 1 -psf moffat", "beta"),
        ("-flicker -1", "flicker"),
        ("-gain 0", "gain"),
    ] {
        let finished = scene.run_line(&format!("{base} {flags}"));
        assert_ne!(finished.status, Some(0), "{flags}");
        assert!(
            finished.stderr.contains(why),
            "{flags}: {}",
            finished.stderr
        );
    }
}

/// Random command lines, whose files are compared with those of a C binary, which `NOISIFY_C` names. Without
/// it the test does nothing.
#[test]
fn random_lines_of_noisify_give_the_files_of_the_c_program() {
    let Some(c) = std::env::var_os("NOISIFY_C") else {
        println!("NOISIFY_C does not name a C binary: nothing is compared");
        return;
    };
    let word = |names: &'static [&'static str], low: f64, high: f64| {
        let value = (proptest::sample::select(names), low..high);
        let word = value.prop_map(|(name, value)| format!(" {name} {value:.6}"));
        proptest::option::weighted(0.4, word).prop_map(Option::unwrap_or_default)
    };
    let switch = |words: &'static [&'static str]| proptest::sample::select(words);
    let line = (
        switch(&["spots", "flat", "weak", "bright", "points", "zero"]),
        (
            word(&["-readout", "-readnoi", "--readout_noise"], 0.1, 9.0),
            word(&["-flicker"], 0.0, 0.1),
            word(&["-calibration"], 0.0, 0.1),
            word(&["-gain", "-my-gain"], 0.3, 9.0),
            word(&["-adc", "-adcoffset"], -5.0, 90.0),
            word(&["-scale"], 0.1, 9.0),
            word(&["-psf_fwhm", "-psf_size", "-psf_width"], 10.0, 300.0),
            word(&["-psf_radius"], 1.0, 30.0),
        ),
        switch(&[" -psf gauss", " -psf fiber", ""]),
        switch(&["", "", " -nonoise", " -bits 32", " -header header.img"]),
        -9_i64..3_000_000_000,
        switch(&["", " -calib_seed 42", " -calib_seed -3", " -calib_seed 0"]),
    );
    let config = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&line, |(image, numbers, psf, more, seed, calibration)| {
            let (a, b, c1, d, e, f, g, h) = numbers;
            let line = format!(
                "-floatfile {image}.float -pixel 0.1 -seed {seed}{a}{b}{c1}{d}{e}{f}{g}{h}{psf}{more}{calibration}"
            );
            // C stops where nothing is to be spread.
            prop_assume!(!(more == " -nonoise" && image == "weak"));
            let ours = Scene::with_copies_of(&folder().join("inputs"));
            let finished = ours.run_line(&format!("noisify {line}"));
            prop_assert_eq!(finished.status, Some(0), "{}: {}", line, finished.stderr);
            let theirs = Scene::with_copies_of(&folder().join("inputs"));
            let mut command = std::process::Command::new(&c);
            command.args(line.split_whitespace()).current_dir(theirs.path(""));
            let output = command.output().unwrap();
            prop_assert_eq!(ours.names(), theirs.names(), "{}", line);
            for name in ours.names() {
                prop_assert!(ours.read(&name) == theirs.read(&name), "{}: {}", line, name);
            }
            prop_assert_eq!(finished.stdout.as_bytes(), &output.stdout, "{}", line);
            Ok(())
        })
        .unwrap();
}
