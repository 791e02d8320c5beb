//! `nanoBragg compare` on the command line.

use nanobragg::io::{Image, float, pgm, smv};
use nanobragg_tests::binary::{Finished, Scene, program};
use serde_json::Value;

/// The exit status if image B is beyond the tolerance.
const BEYOND: Option<i32> = Some(1);

/// The exit status if a comparison is not possible.
const TROUBLE: Option<i32> = Some(2);

/// A small image that renders quickly, from input files.
const FROM_FILES: &str = "-hkl P1.hkl -cell 70 80 90 75 85 95 -N 3 -distance 70 -pixel 0.8 -detpixels_x 16 \
     -detpixels_y 12 -seed 1";

/// A small image that renders quickly, without input files.
const SMALL: &str = "-cell 70 80 90 -default_F 120 -N 3 -distance 70 -pixel 0.8 -detpixels 16";

/// Counts of 6 x 4 pixels with one spot.
fn counts() -> Image<u16> {
    let mut pixels: Vec<u16> = (0..24).collect();
    pixels[8] = 200;
    Image::new(6, 4, pixels).unwrap()
}

/// A folder with the same image in each format, with names that do not show the format, and an image
/// that differs by 1 at fast 3 slow 2.
fn scene() -> Scene {
    let scene = Scene::empty();
    let put = |name: &str, write: &dyn Fn(&mut Vec<u8>) -> nanobragg::io::Result<()>| {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        scene.write(name, bytes);
    };
    let floats = counts().map(|&count| f32::from(count));
    let mut off = floats.pixels().to_vec();
    off[2 * 6 + 3] += 1.0;
    let off = Image::new(6, 4, off).unwrap();
    put("float", &|out| float::write(out, &floats));
    put("off", &|out| float::write(out, &off));
    put("smv", &|out| {
        smv::write(out, &smv::Fields::new(), &counts())
    });
    put("pgm", &|out| {
        pgm::write(out, &counts().map(|&count| count as u8), 1.0)
    });
    scene
}

fn compare(scene: &Scene, line: &str) -> Finished {
    scene.run_line(&format!("compare {line}"))
}

/// Compares files and returns the JSON.
fn figures(line: &str, status: Option<i32>) -> Value {
    let finished = compare(&scene(), &format!("{line} -json -"));
    assert_eq!(finished.status, status, "{}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// The error message of an impossible comparison.
fn refusal(scene: &Scene, line: &str) -> String {
    let finished = compare(scene, line);
    assert_eq!(finished.status, TROUBLE, "{line}: {}", finished.stdout);
    assert_eq!(finished.stdout, "", "{line}");
    let mut lines = finished.stderr.lines();
    let error = lines.next_back().unwrap_or_default();
    let error = error.strip_prefix("nanoBragg: error: ");
    error
        .unwrap_or_else(|| panic!("{line}: {}", finished.stderr))
        .to_owned()
}

#[test]
fn every_format_is_compared_with_every_other() {
    for a in ["float", "smv", "pgm"] {
        for b in ["float", "smv", "pgm"] {
            let size = if (a, b) == ("float", "float") {
                "-size 6 4"
            } else {
                ""
            };
            let figures = figures(&format!("{a} {b} {size}"), Some(0));
            assert_eq!(figures["equal_to_the_bit_pixels"], 24, "{a} {b}");
            assert_eq!(figures["a"]["format"].as_str().unwrap().to_lowercase(), a);
            assert_eq!(figures["total_b_over_a"], 1.0);
        }
    }
}

/// Pixels of 32 bits, of which the last but two are a gap, the last but one is defective, and the last is
/// an overload.
const WIDE: [i32; 8] = [7, 70_000, 3, 1_999_999, 0, -1, -2, 2_000_000];

/// The pixels of [`WIDE`] that are no measurements are not compared, in any format that can mark them.
#[test]
fn pixels_that_are_no_measurements_are_counted_and_left_out() {
    use nanobragg::io::{Exposure, cbf};

    let scene = Scene::empty();
    let smv = |name: &str, keys: &str, of_pixel: &dyn Fn(i32) -> Vec<u8>| {
        let header = format!("{{\nHEADER_BYTES=512;\nDIM=2;\n{keys}SIZE1=4;\nSIZE2=2;\n}}\x0c");
        let pixels = WIDE.into_iter().flat_map(of_pixel);
        let bytes = format!("{header:512}").into_bytes().into_iter();
        scene.write(name, bytes.chain(pixels).collect::<Vec<u8>>());
    };
    let little = |pixel: i32| pixel.to_le_bytes().to_vec();
    let overload = "CCD_IMAGE_SATURATION=2000000;\n";
    smv(
        "dtrek",
        "Data_type=long int;\nBYTE_ORDER=little_endian;\nSATURATED_VALUE= 2000000;\n",
        &little,
    );
    smv(
        "noisify",
        &format!("TYPE=long_integer;\n{overload}"),
        &little,
    );
    smv(
        "big",
        &format!("TYPE=signed_int;\nBYTE_ORDER=big_endian;\n{overload}"),
        &|pixel| pixel.to_be_bytes().to_vec(),
    );
    smv(
        "float",
        &format!("Data_type=float IEEE;\n{overload}"),
        &|pixel| (pixel as f32).to_le_bytes().to_vec(),
    );
    let exposure = Exposure {
        cutoff: 2_000_000,
        ..Exposure::default()
    };
    let mut bytes = Vec::new();
    cbf::write(
        &mut bytes,
        &exposure,
        &Image::new(4, 2, WIDE.to_vec()).unwrap(),
    )
    .unwrap();
    scene.write("cbf", bytes);

    for (a, b) in [
        ("cbf", "dtrek"),
        ("dtrek", "noisify"),
        ("noisify", "big"),
        ("float", "cbf"),
    ] {
        let finished = compare(&scene, &format!("{a} {b}"));
        assert_eq!(finished.status, Some(0), "{a} {b}: {}", finished.stderr);
        let told = |name: &str| finished.line(name).trim().to_owned();
        assert_eq!(told("masked"), "2 pixels of A or B, left out below");
        assert_eq!(told("overloaded"), "1 pixels of A or B, left out below");
        assert_eq!(told("equal to the bit"), "5 of 5 pixels (100 %)");
    }
    let finished = compare(&scene, "cbf cbf -json -");
    let figures: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (&figures["masked_pixels"], &figures["overloaded_pixels"]),
        (&2.into(), &1.into())
    );

    // Nothing says that these are 32 bits, and their length does.
    smv("silent", "", &little);
    assert!(refusal(&scene, "cbf silent").contains("the header has no TYPE"));
    smv("packed", "Data_type=Compressed;\n", &little);
    assert!(refusal(&scene, "cbf packed").contains("Data_type=\"Compressed\""));
    let gap = [0xff, 0xff, 0xff, 0xff];
    smv("gaps", "TYPE=long_integer;\n", &|_| gap.to_vec());
    assert!(refusal(&scene, "gaps gaps").contains("no pixel"));
}

#[test]
fn the_sides_of_floats_come_from_a_header_too() {
    let figures = figures("float off -img smv", BEYOND);
    assert_eq!(figures["pixels_fast"], 6);
    assert_eq!(figures["pixels_slow"], 4);
}

#[test]
fn a_difference_is_told_with_its_place_and_size() {
    let figures = figures("smv off", BEYOND);
    let place = &figures["largest_absolute_difference"];
    assert_eq!((&place["fast"], &place["slow"]), (&3.into(), &2.into()));
    assert_eq!((&place["a"], &place["b"]), (&15.0.into(), &16.0.into()));
    assert_eq!(place["value"], 1.0);
    assert_eq!(figures["largest_relative_difference"]["value"], 1.0 / 16.0);
    assert_eq!(figures["beyond_tolerance_pixels"], 1);
    assert_eq!(figures["within_tolerance"], false);
    assert_eq!(figures["rmsd"], (1.0_f64 / 24.0).sqrt());
    assert_eq!(figures["median_difference"], 0.0);
    let quantiles = &figures["relative_difference_quantiles"];
    assert_eq!(quantiles["90_percent"], 0.0);
    assert_eq!(quantiles["100_percent"], 1.0 / 16.0);
    // 0 + 1 + ... + 23, with 200 instead of 8.
    assert_eq!(figures["a"]["total"], 468.0);
    assert_eq!(figures["b"]["total"], 469.0);
    let peaks = &figures["peaks"];
    assert_eq!((&peaks["sought"], &peaks["found"]), (&1.into(), &1.into()));
}

#[test]
fn the_tolerance_decides_the_exit_status() {
    // The limit is t 15 + t 200/1000, and the pixel differs by 1.
    figures("smv off -tolerance 0.0657", BEYOND);
    figures("smv off -tolerance 0.0658", Some(0));
    figures("smv float --tolerance=0", Some(0));
}

#[test]
fn people_are_told_in_lines() {
    let finished = compare(&scene(), "smv off");
    assert_eq!(finished.status, BEYOND, "{}", finished.stderr);
    assert_eq!(
        finished.line("largest |a - b|").trim(),
        "1 at fast 3 slow 2: A 15.0, B 16.0"
    );
    assert_eq!(
        finished.line("tolerance").trim(),
        "1e-06: 1 pixels are beyond it"
    );
    assert_eq!(finished.line("pixels").trim(), "6 x 4 (fast x slow)");
    assert_eq!(
        finished.line("peaks").trim().split(" are").next(),
        Some("1 of the 1 brightest of A")
    );
}

#[test]
fn a_stack_tells_the_panel_of_its_worst_pixel() {
    let finished = compare(&scene(), "float off -size 6 2 -panels 2");
    assert_eq!(finished.status, BEYOND, "{}", finished.stderr);
    assert_eq!(
        finished.line("largest |a - b|").trim(),
        "1 at panel 1 fast 3 slow 0: A 15.0, B 16.0"
    );
    assert_eq!(
        finished.line("pixels").trim(),
        "6 x 4 (fast x slow) of 2 panels"
    );
    let figures = figures("smv off -panels 2", BEYOND);
    assert_eq!(figures["panels"], 2);
    assert_eq!(figures["largest_absolute_difference"]["panel"], 1);
    let beyond = &figures["beyond_tolerance_pixels_of_panels"];
    assert_eq!(beyond, &serde_json::json!([0, 1]));
    let refused = refusal(&scene(), "smv off -panels 3");
    assert!(
        refused.contains("4 slow pixels do not make -panels 3"),
        "{refused}"
    );
}

#[test]
fn json_and_picture_are_written_beside_the_text() {
    let scene = scene();
    let finished = compare(&scene, "float smv -json figures.json -png picture.png").well();
    assert!(finished.stdout.contains("B is within it"));
    let figures: Value = serde_json::from_slice(&scene.read("figures.json")).unwrap();
    assert_eq!(figures["within_tolerance"], true);
    // Three panels of width 6 with two gaps of 2, and a height of 4.
    let picture = scene.read("picture.png");
    assert_eq!(picture[16..24], [0, 0, 0, 22, 0, 0, 0, 4]);
    assert_eq!(
        scene.names(),
        ["figures.json", "float", "off", "pgm", "picture.png", "smv"]
    );
}

#[test]
fn pixels_that_are_no_numbers_are_counted() {
    let scene = Scene::empty();
    let image = |pixel: f32| [1.0, pixel].map(f32::to_le_bytes).concat();
    scene.write("nan", image(f32::NAN));
    scene.write("one", image(1.0));
    let finished = compare(&scene, "nan one -size 2 1 -json -");
    assert_eq!(finished.status, BEYOND);
    let figures: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(figures["not_finite_pixels"], 1);
    assert_eq!(figures["beyond_tolerance_pixels"], 1);
    assert_eq!(figures["correlation"], Value::Null);
    compare(&scene, "nan nan -size 2 1").well();
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let scene = scene();
    scene.write("empty", "");
    scene.write("short.pgm", "P5 9 9 255\nab");
    scene.write("cut.img", &scene.read("smv")[..540]);
    scene.write("small.pgm", "P5 2 1 255\nab");
    for (line, why) in [
        ("", "<A>"),
        ("float", "<B>"),
        ("float off pgm", "'pgm'"),
        ("float off", "give -size FAST SLOW"),
        ("float off -size 6", "2 values"),
        (
            "float off -size 5 4",
            "float: the file holds 96 bytes where 80",
        ),
        ("float off -size 4000000000 4000000000", "float: "),
        ("float off -size 0 4", "'0'"),
        ("float off -img float", "float: not an SMV image"),
        ("float off -img nowhere", "cannot read nowhere"),
        ("float small.pgm", "float: the file holds 96 bytes where 8"),
        (
            "smv small.pgm",
            "one image has 6 x 4 pixels (fast x slow), the other 2 x 1",
        ),
        ("smv empty", "empty: the file holds 0 bytes where 96"),
        ("empty empty", "give -size"),
        ("smv short.pgm", "short.pgm: the file holds"),
        ("smv cut.img", "cut.img: the file holds 540 bytes"),
        ("smv nowhere", "cannot read nowhere"),
        ("smv .", ". is a folder"),
        ("smv pgm -tolerance x", "not a number"),
        ("smv pgm -tolerance -1", "0 or above"),
        ("smv pgm -json", "--json"),
        ("smv pgm -jsn x", "similar"),
        ("smv pgm -json nowhere/j", "nowhere"),
        ("smv pgm -png nowhere/p", "nowhere"),
        ("smv pgm -json smv", "-json would overwrite"),
        ("smv pgm -png ./pgm", "-png would overwrite"),
        ("smv pgm -png new -json new", "-json and -png are one file"),
    ] {
        let refusal = refusal(&scene, line);
        assert!(refusal.contains(why), "compare {line}: {refusal}");
    }
    assert_eq!(scene.names().len(), 8, "{:?}", scene.names());
}

#[test]
fn no_output_is_left_of_a_comparison_that_failed() {
    let scene = scene();
    scene.write("old.json", "old");
    refusal(&scene, "float off -json old.json -png new.png");
    assert_eq!(scene.read("old.json"), b"old");
    assert!(!scene.names().contains(&"new.png".to_owned()));
}

#[test]
fn help_tells_how_to_compare() {
    for word in ["-h", "-help", "--help"] {
        let help = compare(&Scene::empty(), word).well();
        assert!(
            help.stdout
                .contains("|a - b| <= T |a| + T/1000 brightest |a|")
        );
        assert_eq!(help.stderr, "");
    }
    let help = Scene::empty().run_line("-help").well();
    assert!(help.stdout.contains("nanoBragg compare"));
}

/// Runs this program and `reference` with the same arguments in `scene`. The temporary folders are in
/// another folder, which must be empty at the end.
fn beside(scene: &Scene, reference: &str, arguments: &str) -> Finished {
    let temporary = tempfile::tempdir().unwrap();
    let flags = ["compare", "-json", "-", "-reference", reference, "--"];
    let output = scene
        .command(flags.into_iter().chain(arguments.split_whitespace()))
        .env("TMPDIR", temporary.path())
        .env("OMP_NUM_THREADS", "3")
        .output()
        .unwrap();
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished {
        status: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn the_program_equals_itself_as_its_own_reference() {
    let scene = Scene::with_inputs();
    let before = scene.names();
    let program = program().to_string_lossy();
    // Arguments for outputs have no effect.
    let arguments = format!("{FROM_FILES} -threads 2 -level reference -floatfile nowhere/f -nopgm");
    let finished = beside(&scene, &program, &arguments).well();
    let figures: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(figures["equal_to_the_bit_share"], 1.0);
    assert_eq!(
        (&figures["pixels_fast"], &figures["pixels_slow"]),
        (&16.into(), &12.into())
    );
    let runs = &figures["runs"];
    assert_eq!(runs["arguments"][0], "-hkl");
    for run in ["a", "b"] {
        assert_eq!(runs[run]["exit_status"], 0);
        assert!(runs[run]["wall_time_s"].as_f64().unwrap() > 0.0);
    }
    assert!(runs["time_a_over_b"].as_f64().unwrap() > 0.0);
    let environment = &figures["environment"];
    assert_eq!(environment["threads"], 2);
    assert_eq!(environment["level"], "reference");
    assert_eq!(environment["OMP_NUM_THREADS"], "3");
    assert_eq!(figures["nanobragg_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(scene.names(), before);
}

#[test]
fn arguments_that_no_image_comes_of_are_refused() {
    let program = program().to_string_lossy().into_owned();
    let because = |reference: &str, arguments: &str, why: &str| {
        let finished = beside(&Scene::with_inputs(), reference, arguments);
        assert_eq!(finished.status, TROUBLE, "{arguments}");
        assert_eq!(finished.stdout, "");
        assert!(
            finished.stderr.contains(why),
            "{arguments}: {}",
            finished.stderr
        );
    };
    because(&program, "-N 5 -detpixel 9", "did you mean");
    because(&program, "-help", "do not ask for an image");
    because(&program, "-N 5 -default_F 1", "cell");
    because(&program, &format!("{SMALL} -misset random"), "-misset_seed");
    because("./nowhere", SMALL, "./nowhere cannot be run");
    because("P1.hkl", SMALL, "P1.hkl cannot be run");
}

/// A shell script in place of the C program.
#[cfg(unix)]
fn script(scene: &Scene, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;

    scene.write("reference", format!("#!/bin/sh\n{text}\n"));
    let mode = PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scene.path("reference"), mode).unwrap();
    "./reference".to_owned()
}

#[cfg(unix)]
#[test]
fn a_reference_without_an_image_is_quoted() {
    let scene = Scene::empty();
    let reference = script(&scene, "echo no beam today >&2; exit 9");
    let finished = beside(&scene, &reference, SMALL);
    assert_eq!(finished.status, TROUBLE);
    assert!(
        finished
            .stderr
            .contains("./reference left no image (exit status 9): no beam today"),
        "{}",
        finished.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_reference_that_stumbles_after_its_image_is_compared_all_the_same() {
    let scene = Scene::empty();
    let program = program().display();
    let reference = script(&scene, &format!("{program} \"$@\"; exit 7"));
    let finished = beside(&scene, &reference, SMALL);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("warning: ./reference left a float image")
    );
    let figures: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(figures["runs"]["a"]["exit_status"], 7);
}

#[cfg(unix)]
#[test]
fn another_image_is_beyond_the_tolerance() {
    let scene = Scene::empty();
    let program = program().display();
    let reference = script(&scene, &format!("{program} \"$@\" -fluence 1e29"));
    assert_eq!(beside(&scene, &reference, SMALL).status, BEYOND);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_both_programs_and_leaves_nothing() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let scene = Scene::empty();
    let reference = script(
        &scene,
        "echo $$ > started.part; mv started.part started; exec sleep 60",
    );
    let temporary = tempfile::tempdir().unwrap();
    let flags = [
        "compare",
        "-json",
        "figures.json",
        "-reference",
        &reference,
        "--",
    ];
    let mut child = scene
        .command(flags.into_iter().chain(SMALL.split_whitespace()))
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !scene.path("started").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the reference never started"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = |words: &[&str]| {
        Command::new("kill")
            .args(words)
            .stderr(Stdio::null())
            .status()
            .unwrap()
    };
    assert!(kill(&["-TERM", &child.id().to_string()]).success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let reference = String::from_utf8(scene.read("started")).unwrap();
    assert!(
        !kill(&["-0", reference.trim()]).success(),
        "the reference runs on"
    );
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
    assert_eq!(scene.names(), ["reference", "started"]);
}
