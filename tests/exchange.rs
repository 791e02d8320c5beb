//! Geometry from and to files of other programs, on the command line.

use nanobragg_tests::binary::Scene;
use serde_json::Value;

/// Everything that such files carry.
const GEOMETRY: &str = "-cell 70 80 90 85 95 100 -misset 10 20 30 -detpixels_x 24 -detpixels_y 18 \
                        -pixel 1.5 -distance 120 -detector_rotx 3 -twotheta 5 -lambda 1.1 -phi 4 \
                        -osc 0.5 -polar 0.9";

/// What they do not.
const REST: &str = "-default_F 100 -N 5 -phisteps 3 -noprogress";

/// The brightest difference of two float images, over the brightest pixel.
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

/// The last bits of 32-bit photons.
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
        ("-xdsinp XDS.INP", "XDS.INP: NY is missing"),
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
