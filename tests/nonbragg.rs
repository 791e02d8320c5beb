//! `nanoBragg nonbragg`, compared with the files of the C program nonBragg.

use std::fs;

use nanobragg_tests::binary::{Finished, Scene};
use nanobragg_tests::compare::{float_fault, last_u16, smv_header};
use nanobragg_tests::products::floats;
use nanobragg_tests::toolbox::{ToolCase, cases, folder};

const OUTPUTS: &str =
    "-floatfile o.float -intfile o.int.img -noisefile o.noise.img -pgmfile o.pgm -noprogress";

fn inputs() -> Scene {
    Scene::with_copies_of(&folder().join("inputs"))
}

fn run(scene: &Scene, words: &str) -> Finished {
    scene.run_line(&format!("nonbragg {words} {OUTPUTS}"))
}

fn faults(case: &ToolCase) -> Vec<String> {
    let scene = inputs();
    run(&scene, &case.words.join(" ")).well();
    let ours = |ending: &str| fs::read(scene.path(format!("o.{ending}"))).unwrap_or_default();
    let mut faults = Vec::new();
    let expected = |ending: &str| case.expected(ending);
    if let Some(expected) = expected("float") {
        let (expected, ours) = (floats(&expected), floats(&ours("float")));
        faults.extend(float_fault(&case.name, 1, &expected, &ours));
    }
    for (ending, allowed) in [("int.img", 2), ("noise.img", 2)] {
        let Some(expected) = expected(ending) else {
            continue;
        };
        let ours = ours(ending);
        if smv_header(&expected) != smv_header(&ours) || expected[..512] != ours[..512] {
            faults.push(format!("{ending}: another header"));
        }
        let count = (expected.len() - 512) / 2;
        let pairs = last_u16(&expected, count)
            .into_iter()
            .zip(last_u16(&ours, count));
        // A last bit of a mean can change the rounding of a count.
        let off = pairs.filter(|(a, b)| a != b).count();
        if expected.len() != ours.len() || off > allowed {
            faults.push(format!("{ending}: {off} counts differ"));
        }
    }
    if let Some(expected) = expected("pgm") {
        let ours = ours("pgm");
        let off = expected
            .iter()
            .zip(&ours)
            .filter(|(a, b)| a.abs_diff(**b) > 1);
        let off = off.count();
        if expected.len() != ours.len() || off > 0 {
            faults.push(format!("pgm: {off} greys differ"));
        }
    }
    faults
}

#[test]
fn every_command_line_makes_the_files_of_the_c_program() {
    // With a measured image of these sizes C writes beyond its memory, into the other images.
    let measures = |case: &ToolCase| case.words.iter().any(|word| word == "-img");
    let cases: Vec<ToolCase> = (cases("nonbragg").into_iter())
        .filter(|case| !measures(case))
        .collect();
    assert_eq!(cases.len(), 59);
    let faults: Vec<String> = (cases.iter())
        .flat_map(|case| {
            let faults = faults(case);
            faults
                .into_iter()
                .map(|fault| format!("{}: {fault}", case.name))
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

const PLAIN: &str = "-stol glass.stol -detpixels_x 61 -detpixels_y 47 -pixel 0.85 -distance 72.5 -lambda 1.05 -fluence 1e20 -seed 7";

#[test]
fn bad_tables_and_values_are_refused_in_one_line() {
    let scene = inputs();
    for (name, text) in [
        ("empty", ""),
        ("one", "0.1 3\n"),
        ("descends", "0 1\n0.2 1\n0.1 1\n"),
        ("nan", "0 1\n0.1 nan\n0.2 1\n"),
        ("infinite", "0 1\n0.1 inf\n"),
        ("words", "stol F\n"),
    ] {
        scene.write(name, text);
    }
    fs::create_dir(scene.path("folder")).unwrap();
    let refused = |words: &str, status: Option<i32>| {
        let Finished {
            status: found,
            stderr,
            ..
        } = run(&scene, words);
        assert!(
            found != Some(0) && (status.is_none() || found == status),
            "{words}: {found:?} {stderr}"
        );
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        stderr
    };
    for table in [
        "empty", "one", "descends", "nan", "infinite", "words", "folder", "missing",
    ] {
        let told = refused(&PLAIN.replace("glass.stol", table), Some(1));
        assert!(told.contains(table), "{told}");
    }
    for words in [
        "-thick -1",
        "-MW 0",
        "-pixel x",
        "-density",
        "-roi 50 10 0 5",
    ] {
        refused(&format!("{PLAIN} {words}"), None);
    }
    assert!(!scene.path("o.float").exists());
}

#[test]
fn a_table_in_another_unit_is_warned_of() {
    let scene = inputs();
    let told = run(&scene, &PLAIN.replace("glass.stol", "glass.q"))
        .well()
        .stderr;
    assert!(told.contains("glass.q") && told.contains("-Q"), "{told}");
    let told = run(&scene, PLAIN).well().stderr;
    assert!(!told.contains("glass.stol"), "{told}");
    let told = run(&scene, &format!("{PLAIN} -fix pixel-count"))
        .well()
        .stderr;
    assert_eq!(told, "");
    assert_eq!(scene.read("o.float").len(), 4 * 61 * 47);
}

#[test]
fn beyond_the_table_f_is_a_line_or_with_the_fix_constant() {
    let scene = inputs();
    scene.write("short", "0 2\n0.05 2\n0.1 1\n");
    let at_the_corner = |words: &str| {
        run(
            &scene,
            &format!("{} -Fmap {words}", PLAIN.replace("glass.stol", "short")),
        )
        .well();
        floats(&scene.read("o.float"))[0]
    };
    let told = run(&scene, &PLAIN.replace("glass.stol", "short"))
        .well()
        .stderr;
    assert!(told.contains("table-ends"), "{told}");
    assert!(at_the_corner("") < -0.9);
    assert_eq!(at_the_corner("-fix table-ends"), 1.0);
}

/// The profiles of the C program, without rejection, and with the rejection of its code switched on.
const PROFILES: [(&str, &str); 2] = [
    (
        "-ignore 65535",
        "0.05 0.236188 0.0798925   0 0  455\n\
         0.1 0.163958 0.0876782   0 0  954\n\
         0.15 0.0774871 0.0126394   0 0  998\n\
         0.2 0.0811466 0.0120816   0 0  370\n",
    ),
    (
        "-fix rejection",
        "0.05 0.236188 0.0798925   0.257623 0.0555676  455\n\
         0.1 0.163958 0.0876782   0.132324 0.0539978  954\n\
         0.15 0.0775933 0.0124276   0.0786076 0.0077607  996\n\
         0.2 0.0814297 0.0114833   0.0821538 0.00793733  368\n",
    ),
];

#[test]
fn the_profile_of_a_measured_image_is_that_of_the_c_program() {
    let scene = inputs();
    // With 0.9 mm the number of pixels is that of the file.
    let text = [b"PIXEL_SIZE=0.85".as_slice(), b"PIXEL_SIZE=0.90"];
    let mut measured = scene.read("measured.img");
    let at = measured
        .windows(15)
        .position(|window| window == text[0])
        .unwrap();
    measured[at..at + 15].copy_from_slice(text[1]);
    scene.write("measured90.img", measured);
    for (words, expected) in PROFILES {
        let line =
            "-stol gas.stol -img measured90.img -fluence 1e20 -adc 40 -seed 7 -stolout o.stol";
        run(&scene, &format!("{line} {words}")).well();
        assert_eq!(
            String::from_utf8(scene.read("o.stol")).unwrap(),
            expected,
            "{words}"
        );
    }
}

#[test]
fn the_main_program_renders_the_same_layer() {
    let scene = inputs();
    run(
        &scene,
        &format!("{PLAIN} -Xbeam 20 -Ybeam 25 -thick 0.3 -density 0.9 -polar 0.5"),
    )
    .well();
    let companion = floats(&scene.read("o.float"));
    let line = "-stol glass.stol -detpixels_x 62 -detpixels_y 47 -pixel 0.85 -distance 72.5 -lambda 1.05 \
                -fluence 1e20 -Xbeam 20 -Ybeam 25 -thick 0.3 -density 0.9 -polar 0.5 -nonoise \
                -noprogress -floatfile main.float -polar_vector 0 0 1";
    scene.run_line(line).well();
    assert_eq!(floats(&scene.read("main.float")), companion);
}
