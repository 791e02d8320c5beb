//! Geometry from and to files of other programs, with flags of the command line.

use nanobragg_tests::binary::Scene;
use serde_json::Value;

/// The values that such files contain.
const GEOMETRY: &str = "-cell 70 80 90 85 95 100 -misset 10 20 30 -detpixels_x 24 -detpixels_y 18 \
                        -pixel 1.5 -distance 120 -detector_rotx 3 -twotheta 5 -lambda 1.1 -phi 4 \
                        -osc 0.5 -polar 0.9";

/// The values that such files do not contain.
const REST: &str = "-default_F 100 -N 5 -phisteps 3 -noprogress";

/// The largest difference of two float images, relative to the brightest pixel.
fn apart(scene: &Scene, one: &str, other: &str) -> f32 {
    let photons = |name: &str| -> Vec<f32> {
        let bytes = scene.read(name);
        bytes
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect()
    };
    let [one, other] = [photons(one), photons(other)];
    assert_eq!(one.len(), other.len());
    let brightest = one.iter().copied().fold(0.0, f32::max);
    assert!(brightest > 0.0);
    let pairs = one.iter().zip(&other);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / brightest
}

/// The last bits of photons in 32-bit floats.
const SAME_PHOTONS: f32 = 1e-6;

#[test]
fn a_run_in_any_convention_comes_back_from_the_files_it_writes() {
    for convention in ["mosflm", "denzo", "adxv", "xds", "dials"] {
        let scene = Scene::empty();
        let line = format!("-{convention} {GEOMETRY} {REST} -floatfile first.bin");
        scene
            .run_line(&format!("{line} -exptfile a.expt -xdsfile XDS.INP"))
            .well();
        for from in ["-expt a.expt", "-xdsinp XDS.INP"] {
            let run = scene.run_line(&format!("{from} {REST} -floatfile second.bin"));
            let run = run.well();
            assert!(
                apart(&scene, "first.bin", "second.bin") < SAME_PHOTONS,
                "{convention} {from}"
            );
            let taken = run.line("from the file of -");
            assert!(taken.contains("detector, beam direction") && taken.contains("oriented cell"));
        }
    }
}

#[test]
fn flags_win_over_a_file() {
    let scene = Scene::empty();
    scene
        .run_line(&format!("{GEOMETRY} {REST} -exptfile a.expt"))
        .well();
    let plan = |more: &str| -> Vec<(String, String)> {
        let run = scene.run_line(&format!("-expt a.expt {REST} {more} --plan json"));
        let plan: Value = serde_json::from_str(&run.well().stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let decisions = plan["decisions"].as_array().unwrap().iter();
        decisions
            .map(|one| {
                (
                    text(&one["setting"]),
                    format!("{} ({})", text(&one["value"]), text(&one["because"])),
                )
            })
            .collect()
    };
    let of = |more: &str, setting: &str| {
        let found = plan(more).into_iter().find(|(name, _)| name == setting);
        found
            .unwrap_or_else(|| panic!("no decision on {setting}"))
            .1
    };
    assert_eq!(of("", "wavelength"), "1.1 A (the file of -expt)");
    assert_eq!(of("-lambda 2", "wavelength"), "2 A (-lambda)");
    assert_eq!(of("", "fast pixels"), "24 (the file of -expt)");
    assert_eq!(of("-detpixels 30", "fast pixels"), "30 (-detpixels)");
    assert_eq!(
        of("", "pivot"),
        "sample (a file places the detector by its near point)"
    );
    assert_eq!(of("-distance 300", "distance"), "300 mm (-distance)");
    assert_eq!(of("-distance 300", "direct beam"), of("", "direct beam"));
}

#[test]
fn what_cannot_be_taken_is_said_in_one_line() {
    let scene = Scene::empty();
    scene.write("a.expt", "{\"__id__\": \"ExperimentList\", \"experiment\": [{\"detector\": 0}], \"detector\": [{\"panels\": [1, 2]}]}");
    scene.write("XDS.INP", "NX=10\n");
    for (line, message) in [
        ("-expt nosuch.expt", "nosuch.expt: "),
        ("-expt XDS.INP", "XDS.INP: not JSON: "),
        ("-expt a.expt", "a.expt: detector[0].panels[0]"),
        (
            "-expt a.expt -expt_panel 1",
            "a.expt: detector[0].panels[1]",
        ),
        (
            "-expt a.expt -expt_number 1",
            "a.expt: experiment[1] is missing",
        ),
        (
            "-xdsinp XDS.INP",
            "XDS.INP: each of NY QX QY ORGX ORGY DETECTOR_DISTANCE is missing",
        ),
        ("-curved_det -exptfile out.expt", "the detector is curved"),
        (
            "-exptfile both -xdsfile both",
            "-xdsfile would overwrite what -exptfile names",
        ),
        ("-expt a.expt -exptfile a.expt", "a.expt: "),
    ] {
        let run = scene.run_line(&format!("-cell 70 {REST} {line}"));
        assert_eq!(run.status, Some(1), "{line}");
        let errors: Vec<&str> = run
            .stderr
            .lines()
            .filter(|l| l.contains("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{line}: {}", run.stderr);
        assert!(errors[0].contains(message), "{line}: {}", errors[0]);
    }
    assert!(
        !scene
            .names()
            .iter()
            .any(|name| name == "out.expt" || name == "both")
    );
}

#[test]
fn what_files_of_geometry_do_not_say_is_told() {
    let scene = Scene::empty();
    scene.write("XDS.INP", "OSCILLATION_RANGE= 0.5\n");
    let image = |keys: &str| {
        let header = format!("{{\nHEADER_BYTES=512;\nDIM=2;\nSIZE1=8;\nSIZE2=8;\n{keys}}}\x0c");
        [format!("{header:512}").as_bytes(), &[0; 128]].concat()
    };
    scene.write("bare.img", image(""));
    scene.write(
        "full.img",
        image("DISTANCE=90;\nPIXEL_SIZE=0.2;\nBEAM_CENTER_X=1;\nWAVELENGTH=1.1;\n"),
    );
    scene.write("dtrek.img", image("DETECTOR_NAMES=A_;\nA_DETECTOR_DIMENSIONS=8 8;\nA_DETECTOR_VECTORS=1 0 0 0 1 0;\nA_GONIO_UNITS=deg mm;\nA_GONIO_VALUES=20 50;\nA_GONIO_VECTORS=1 0 0 0 0 -1;\nA_SPATIAL_DISTORTION_INFO=4 4 0.09 0.09;\nSOURCE_WAVELENGTH=1.0 1.54178;\n"));
    scene.write("angstrom.txt", "-1 0 0 1 1.0\n");
    let no_wavelength = "gives no wavelength: 1 A is taken; -lambda sets another";
    let no_detector = "DETECTOR_DISTANCE are missing, so that the file places no detector";
    let no_keys = "bare.img: there is no DISTANCE (100 mm is taken), no PIXEL_SIZE (0.1 mm is taken), no BEAM_CENTER_X, BEAM_CENTER_Y (the middle is taken) in the header";
    let no_pixel = "bare.img: there is no PIXEL_SIZE (0.1 mm is taken) in the header";
    let in_metres = "a listed source has a wavelength of 1 m: wavelengths of sources are in metres";
    let all = [no_wavelength, no_detector, no_keys, no_pixel, in_metres];
    for (words, told) in [
        ("-xdsinp XDS.INP", &[no_wavelength, no_detector][..]),
        ("-xdsinp XDS.INP -lambda 1", &[no_detector]),
        ("-xdsinp XDS.INP -vary wavelength=1.2", &[no_detector]),
        ("-img bare.img", &[no_wavelength, no_keys]),
        (
            "-img bare.img -distance 100 -Xbeam 1 -Ybeam 1 -lambda 1",
            &[no_pixel],
        ),
        ("-img full.img", &[]),
        ("-img dtrek.img", &[]),
        ("-sourcefile angstrom.txt", &[in_metres]),
        (
            "-img bare.img -distance 100 -Xbeam 1 -pixel 0.1 -sourcefile angstrom.txt",
            &[in_metres],
        ),
        ("-detpixels 8", &[]),
    ] {
        let line =
            format!("{words} -cell 70 -default_F 10 -N 3 -roi 0 1 0 1 -oversample 1 -noprogress");
        let run = scene.run_line(&line);
        let run = run.well();
        for warning in all {
            let is_told = run.stderr.contains(warning);
            assert_eq!(
                is_told,
                told.contains(&warning),
                "{words}: {warning}: {}",
                run.stderr
            );
        }
    }
    let run = scene.run_line("-img dtrek.img -cell 70 -default_F 10 -N 3 -plan");
    let plan = run.well().stdout;
    assert!(plan.contains("1.54178 A  [the file of -img]"), "{plan}");
}

/// An experiment list with eight tilted panels of `fast` by 18 pixels, each with its own name.
fn eight_panels(fast: [u32; 8]) -> String {
    let panels = (0..8).map(|index: u32| {
        let (row, column) = (f64::from(index / 2), f64::from(index % 2));
        let (sin, cos) = f64::to_radians(3.0 * (row - 1.5)).sin_cos();
        serde_json::json!({
            "name": format!("q{index}"),
            "fast_axis": [cos, 0.0, -sin],
            "slow_axis": [0.0, -1.0, 0.0],
            "origin": [-52.0 + 53.0 * column, 50.0 - 28.0 * row, -100.0 - row],
            "image_size": [fast[index as usize], 18],
            "pixel_size": [1.5, 1.5],
            "trusted_range": [-1.0, 1e6],
            "thickness": 0.32,
            "mu": 3.2,
        })
    });
    let list = serde_json::json!({
        "__id__": "ExperimentList",
        "experiment": [{"beam": 0, "detector": 0}],
        "beam": [{"direction": [0.0, 0.0, 1.0], "wavelength": 1.1}],
        "detector": [{"panels": panels.collect::<Vec<_>>()}],
    });
    list.to_string()
}

const CRYSTAL: &str = "-cell 70 80 90 85 95 100 -misset 10 20 30 -default_F 100 -N 5 -oversample 1 \
                       -fluence 1e26 -noprogress";

/// The crystal of runs whose file gives the orientation.
const ORIENTED: &str = "-default_F 100 -N 5 -oversample 1 -fluence 1e26 -noprogress";

#[test]
fn eight_panels_come_back_from_the_file_that_a_run_writes() {
    let scene = Scene::empty();
    scene.write("in.expt", eight_panels([34; 8]));
    let line = format!("-expt in.expt {CRYSTAL} -floatfile first.bin -exptfile out.expt");
    scene.run_line(&line).well();
    // The shape is [panel][slow][fast]. The written file must give the same image.
    assert_eq!(scene.read("first.bin").len(), 8 * 18 * 34 * 4);
    let line = format!("-expt out.expt {ORIENTED} -floatfile second.bin");
    scene.run_line(&line).well();
    assert!(apart(&scene, "first.bin", "second.bin") < SAME_PHOTONS);
    let written: Value = serde_json::from_slice(&scene.read("out.expt")).unwrap();
    let panels = written["detector"][0]["panels"].as_array().unwrap();
    let names: Vec<_> = panels.iter().map(|panel| panel["name"].as_str()).collect();
    assert_eq!(names[7], Some("q7"));
    assert_eq!(panels[7]["trusted_range"], serde_json::json!([-1.0, 1e6]));
}

#[test]
fn one_panel_of_eight_is_the_part_of_the_image_of_all() {
    let scene = Scene::empty();
    scene.write("in.expt", eight_panels([34; 8]));
    scene
        .run_line(&format!("-expt in.expt {CRYSTAL} -floatfile all.bin"))
        .well();
    let all = scene.read("all.bin");
    for index in [0, 5] {
        let line = format!("-expt in.expt -expt_panel {index} {CRYSTAL} -floatfile one.bin");
        scene.run_line(&line).well();
        let bytes = 18 * 34 * 4;
        scene.write("part.bin", &all[index * bytes..(index + 1) * bytes]);
        // A single panel is rounded differently from a panel of a detector with several.
        assert!(
            apart(&scene, "part.bin", "one.bin") < SAME_PHOTONS,
            "{index}"
        );
    }
}

#[test]
fn a_format_of_one_panel_gets_a_file_for_each() {
    let scene = Scene::empty();
    scene.write("in.expt", eight_panels([34, 34, 34, 34, 34, 34, 34, 20]));
    let line = format!("-expt in.expt {CRYSTAL} -cbffile a.cbf -tiffile a.tif -nexusfile a.nxs");
    scene
        .run_line(&format!("{line} -pngfile a.png -truthfile a.csv"))
        .well();
    for name in [
        "floatimage.bin",
        "intimage.img",
        "noiseimage.img",
        "image.pgm",
        "a.cbf",
    ] {
        assert!(!scene.path(name).exists(), "{name}");
    }
    for name in [
        "floatimage_p0007.bin",
        "intimage_p0000.img",
        "image_p0003.pgm",
        "a_p0005.cbf",
    ] {
        assert!(scene.path(name).exists(), "{name}");
    }
    assert_eq!(scene.read("floatimage_p0006.bin").len(), 18 * 34 * 4);
    assert_eq!(scene.read("floatimage_p0007.bin").len(), 18 * 20 * 4);
    for name in ["a.tif", "a.nxs", "a.png"] {
        assert!(scene.path(name).exists(), "{name}");
    }
    let table = String::from_utf8(scene.read("a.csv")).unwrap();
    let mut rows = table.lines().filter(|line| !line.starts_with('#'));
    let mut names = rows.next().unwrap().split(',');
    let column = names.position(|name| name == "panel").unwrap();
    let panels: std::collections::BTreeSet<&str> =
        rows.filter_map(|row| row.split(',').nth(column)).collect();
    assert_eq!(panels.len(), 8, "{panels:?}");
}

#[test]
fn panels_move_with_the_first_one() {
    let scene = Scene::empty();
    scene.write("in.expt", eight_panels([34; 8]));
    let corner = |line: &str| -> Vec<f64> {
        let line = format!("-expt in.expt {CRYSTAL} {line} -exptfile out.expt");
        scene.run_line(&line).well();
        let written: Value = serde_json::from_slice(&scene.read("out.expt")).unwrap();
        let panels = written["detector"][0]["panels"].as_array().unwrap();
        let at = |index: usize, axis: usize| panels[index]["origin"][axis].as_f64().unwrap();
        (0..3).map(|axis| at(7, axis) - at(0, axis)).collect()
    };
    let before = corner("");
    // A longer distance moves all panels by the same vector.
    for (a, b) in before.iter().zip(corner("-close_distance 250")) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    // A rotation about the beam rotates the detector as a whole.
    let turned = corner("-detector_rotx 90");
    let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!((length(&before) - length(&turned)).abs() < 1e-9);
    assert!((before[0].abs() - turned[1].abs()).abs() < 1e-9);
}

#[test]
fn panels_that_cannot_be_are_refused_by_name() {
    let scene = Scene::empty();
    let refused = |from: &str, to: &str| {
        scene.write("in.expt", eight_panels([34; 8]).replace(from, to));
        let run = scene.run_line(&format!("-expt in.expt {CRYSTAL}"));
        assert_eq!(run.status, Some(1), "{from}");
        run.stderr
    };
    let message = refused("\"q3\"", "\"q2\"");
    assert!(message.contains("panels[3].name"), "{message}");
    let message = refused("[34,18]", "[0,18]");
    assert!(message.contains("pixels"), "{message}");
    scene.write("in.expt", eight_panels([34; 8]));
    let run = scene.run_line(&format!("-expt in.expt {CRYSTAL} -curved_det"));
    assert!(
        run.stderr
            .contains("a detector of several panels cannot be curved")
    );
    let other =
        eight_panels([34; 8]).replacen("\"pixel_size\":[1.5,1.5]", "\"pixel_size\":[1.6,1.6]", 1);
    assert_ne!(other, eight_panels([34; 8]));
    scene.write("in.expt", other);
    let run = scene.run_line(&format!("-expt in.expt {CRYSTAL} -xdsfile XDS.INP"));
    assert!(
        run.stderr
            .contains("an XDS.INP has one size for all panels"),
        "{}",
        run.stderr
    );
}

#[test]
fn without_a_wavelength_files_state_the_mean_of_the_sources() {
    let scene = Scene::empty();
    scene.write(
        "sources.txt",
        "-10 0 0 1 1.2e-10\n-10 0.02 0.01 1 1.5e-10\n-10 0.01 0 1 1.5e-10\n",
    );
    let line = "-cell 70 80 90 -default_F 100 -N 3 -distance 100 -detpixels 32 -pixel 1 -oversample 1 \
                -nopgm -noprogress -sourcefile sources.txt -noisefile a.img -cbffile a.cbf -exptfile a.expt \
                -xdsfile a.inp -truthfile a.json";
    // (1.2 + 1.5 + 1.5)/3, and what is given where it is given.
    for (flags, wavelength) in [("", "1.4"), ("-lambda 1", "1")] {
        scene.run_line(&format!("{line} {flags}")).well();
        for (file, key) in [
            ("a.img", "\nWAVELENGTH="),
            ("a.cbf", "# Wavelength "),
            ("a.expt", "\"wavelength\": "),
            ("a.inp", "X-RAY_WAVELENGTH= "),
            ("a.json", "\"wavelength_angstrom\":"),
        ] {
            let bytes = scene.read(file);
            let text = String::from_utf8_lossy(&bytes);
            let (_, after) = text.split_once(key).unwrap();
            let number = after.split([';', ' ', '\n', ',', '\r']).next().unwrap();
            let number: f64 = number.parse().unwrap();
            let expected: f64 = wavelength.parse().unwrap();
            assert!(
                (number - expected).abs() < 1e-12,
                "{file} {flags}: {number}"
            );
        }
        let plan = scene.run_line(&format!("{line} {flags} -plan")).stdout;
        assert!(plan.contains(&format!("{wavelength} A")), "{plan}");
    }
}

#[test]
fn a_rotation_has_one_xds_inp_that_fits_its_images() {
    let scene = Scene::empty();
    scene.write("a.hkl", "1 2 3 100\n2 2 1 50\n");
    let line = "-hkl a.hkl -spacegroup P43212 -cell 79.1 79.1 37.9 -N 3 -lambda 1.2 -distance 200 -detpixels_f 64 -detpixels_s 48 -pixel 2 -oversample 1 -phi 5 -osc 0.5 \
         -phisteps 1 -nopgm -noprogress -frames 3 -only 2 3 -xdsfile XDS.INP";
    for (files, name, detector) in [
        (
            "-noisefile shot_####.img",
            "shot_????.img",
            "ADSC MINIMUM_VALID_PIXEL_VALUE= 1 OVERLOAD= 65534",
        ),
        (
            "-cbffile c_##.cbf -noisefile n.tif",
            "c_??.cbf",
            "PILATUS MINIMUM_VALID_PIXEL_VALUE= 0 OVERLOAD= 2147483646",
        ),
    ] {
        scene
            .run_line(&format!("{line} {files} -seriesfile {}.jsonl", &name[..1]))
            .well();
        let text = String::from_utf8(scene.read("XDS.INP")).unwrap();
        for expected in [
            &format!("NAME_TEMPLATE_OF_DATA_FRAMES= {name}"),
            "DATA_RANGE= 2 3",
            &format!("DETECTOR= {detector}"),
            "NX= 64",
            "NY= 48",
            "STARTING_ANGLE= 5.5",
            "OSCILLATION_RANGE= 0.5",
            // P 43 21 2
            "SPACE_GROUP_NUMBER= 96",
        ] {
            assert!(
                text.lines().any(|line| line == expected),
                "{expected}\n{text}"
            );
        }
        let inputs = scene
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".INP"));
        assert_eq!(inputs.count(), 1);
    }
}

#[test]
fn a_unit_cell_file_gives_the_cell() {
    let scene = Scene::empty();
    let cell = "CrystFEL unit cell file version 1.0\n\nlattice_type = orthorhombic\ncentering = P\na = 7 nm\n\
                b = 80 A\nc = 90 A\nal = 90 deg\nbe = 90 deg\nga = 90 deg\n";
    scene.write("a.cell", cell);
    let rest = "-default_F 100 -N 5 -detpixels 24 -pixel 3 -lambda 1 -oversample 1 -noprogress -nopgm -noisefile n.img";
    scene
        .run_line(&format!("{rest} -cellfile a.cell -floatfile a.bin"))
        .well();
    scene
        .run_line(&format!("{rest} -cell 70 80 90 -floatfile b.bin"))
        .well();
    assert_eq!(scene.read("a.bin"), scene.read("b.bin"));
    scene
        .run_line(&format!(
            "{rest} -cellfile a.cell -cell 50 -floatfile c.bin"
        ))
        .well();
    assert_ne!(scene.read("a.bin"), scene.read("c.bin"));
}
