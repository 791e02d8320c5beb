//! `nanoBragg refine` on the command line.

use nanobragg_tests::binary::{Finished, Scene};
use serde_json::Value;

/// The exit status of a failed refinement.
const FAILED: Option<i32> = Some(1);

/// The exit status of a wrong command line.
const USAGE: Option<i32> = Some(2);

/// The flags of the lysozyme image that are not refined: a still of a perfect crystal on a detector of
/// 128 x 128 pixels with a resolution of 3.5 A.
const STILL: &str = "-N 10 -lambda 1 -detpixels 128 -pixel 0.2 -oversample 1 -fluence 1e25 -seed 1";

/// Cell edges (A), missetting angles (degrees) and distance (mm) of the image.
const TRUTH: [f64; 7] = [59.062, 68.451, 30.517, 10.0, 20.0, 30.0, 60.0];

/// The names of [`TRUTH`], in the same order.
const NAMES: [&str; 7] = [
    "cell_a", "cell_b", "cell_c", "misset_x", "misset_y", "misset_z", "distance",
];

/// The allowed error of a refined number, in standard uncertainties.
const SIGMAS: f64 = 3.0;

/// The flags for these values of the refined parameters.
fn flags(values: [f64; 7]) -> String {
    let [a, b, c, x, y, z, distance] = values;
    format!("-cell {a} {b} {c} 90 90 90 -misset {x} {y} {z} -distance {distance}")
}

/// A folder with the structure factors of lysozyme and a noisy image of it.
fn scene() -> Scene {
    let scene = Scene::empty();
    let list = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/lysozyme/lysozyme_P1.hkl"
    );
    scene.write("P1.hkl", std::fs::read(list).unwrap());
    scene
        .run_line(&format!(
            "-hkl P1.hkl {STILL} {} -noisefile noisy.img -floatfile photons.bin",
            flags(TRUTH)
        ))
        .well();
    scene
}

fn refine(scene: &Scene, flags_of_refine: &str, start: [f64; 7]) -> Finished {
    scene.run_line(&format!(
        "refine {flags_of_refine} -- -hkl P1.hkl {STILL} {}",
        flags(start)
    ))
}

/// Numbers from 0 to 1 that are the same in every run.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        // Knuth's linear congruential generator, whose high bits are good.
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn sign(&mut self) -> f64 {
        if self.next() < 0.5 { -1.0 } else { 1.0 }
    }

    /// A start with errors of 2 % in each edge, 0.3 degrees about a random axis in the orientation, and 1 %
    /// in the distance.
    fn start(&mut self) -> [f64; 7] {
        let mut start = TRUTH;
        for edge in &mut start[..3] {
            *edge *= 1.0 + 0.02 * self.sign();
        }
        let axis = [(); 3].map(|()| 2.0 * self.next() - 1.0);
        let length = axis.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (angle, x) in start[3..6].iter_mut().zip(axis) {
            *angle += 0.3 * x / length;
        }
        start[6] *= 1.0 + 0.01 * self.sign();
        start
    }
}

/// The last line of standard error, without the prefix of all messages.
fn message(finished: &Finished) -> &str {
    let last = finished.stderr.lines().next_back().unwrap_or_default();
    last.strip_prefix("nanoBragg: error: ")
        .unwrap_or_else(|| panic!("{}", finished.stderr))
}

#[test]
fn lysozyme_is_recovered_from_ten_random_starts() {
    let scene = scene();
    let mut draws = Draws(2026);
    for number in 0..10 {
        let start = draws.start();
        let ended = refine(
            &scene,
            "-target noisy.img -refine cell,misset,distance -json -",
            start,
        )
        .well();
        let result: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(result["explained_by_noise"], true, "start {number}");
        let parameters = result["parameters"].as_array().unwrap();
        assert_eq!(parameters.len(), NAMES.len());
        for ((one, name), truth) in parameters.iter().zip(NAMES).zip(TRUTH) {
            assert_eq!(one["name"], name);
            let value = one["value"].as_f64().unwrap();
            let sigma = one["standard_uncertainty"].as_f64().unwrap();
            assert!(
                (value - truth).abs() < SIGMAS * sigma,
                "start {number}: {name} is {value} +- {sigma}"
            );
            // The uncertainty is small enough that the error of the start is many uncertainties.
            assert!(sigma < 0.005 * truth, "{name}: {sigma}");
        }
        // The distance and the scale of the cell have nearly the same effect on an image.
        let correlation = result["correlations"]["matrix"][6][1].as_f64().unwrap();
        assert!(correlation > 0.9, "{correlation}");
    }
}

#[test]
fn a_float_image_is_fitted_and_everything_asked_for_is_written() {
    let scene = scene();
    let mut start = TRUTH;
    start[3] += 0.1;
    start[6] *= 1.001;
    let ended = refine(
        &scene,
        "-target photons.bin -refine misset,distance -schedule final -likelihood gaussian \
         -bounds distance=59:61 -restrain misset_x=10+-0.5 -json r.json -png fit -output-args",
        start,
    )
    .well();
    for picture in ["fit_before.png", "fit_after.png", "fit_residual.png"] {
        assert_eq!(&scene.read(picture)[1..4], b"PNG");
    }
    let result: Value = serde_json::from_slice(&scene.read("r.json")).unwrap();
    let distance = &result["parameters"][3];
    assert_eq!(distance["bounds"][0], 59.0);
    // Without noise the result is exact.
    assert!((distance["value"].as_f64().unwrap() - 60.0).abs() < 1e-3);
    assert!(ended.stderr.contains("stage 1/1 step   0"));

    // The printed command line renders the fitted image.
    let line = ended.line("nanoBragg ");
    scene
        .run_line(&format!("{line} -floatfile again.bin"))
        .well();
    let compared = scene.run_line("compare photons.bin again.bin -size 128 128 -tolerance 1e-2");
    assert_eq!(compared.status, Some(0), "{}", compared.stdout);
}

/// The exit status of a refinement at a minimum that noise does not explain.
const UNEXPLAINED: Option<i32> = Some(3);

/// A small crystal whose image takes no time, and the start of its refinement.
const QUICK: &str = "-cell 30 35 40 90 90 90 -default_F 300 -N 5 -lambda 1 -distance 60 -detpixels 64 \
     -pixel 0.8 -oversample 1 -misset 10 20 30 -nopgm -noprogress -seed 5 -adc 0";

/// Gaps between modules, as in images of Pilatus and Eiger, in every image that can hold them.
#[test]
fn gaps_and_defective_pixels_do_not_count() {
    use nanobragg::io::{Exposure, Image, cbf};

    let scene = Scene::empty();
    scene
        .run_line(&format!("{QUICK} -fluence 1e27 -noisefile t.cbf"))
        .well();
    let whole = cbf::read(scene.path("t.cbf")).unwrap();
    let mut gapped = whole.clone();
    for (slow, row) in gapped.rows_mut().enumerate() {
        for (fast, pixel) in row.iter_mut().enumerate() {
            if slow % 20 == 19 {
                *pixel = -1;
            } else if fast % 30 == 29 {
                *pixel = -2;
            }
        }
    }
    let gaps = gapped.pixels().iter().filter(|&&pixel| pixel < 0).count();
    let with_cutoff = |name: &str, cutoff: i32, image: &Image<i32>| {
        let exposure = Exposure {
            cutoff,
            ..Exposure::default()
        };
        let mut bytes = Vec::new();
        cbf::write(&mut bytes, &exposure, image).unwrap();
        scene.write(name, bytes);
    };
    with_cutoff("gaps.cbf", i32::MAX, &gapped);
    with_cutoff(
        "mask.cbf",
        i32::MAX,
        &gapped.map(|&count| if count < 0 { count } else { 1 }),
    );
    // Clipped at 200 counts, which the header says.
    with_cutoff("clipped.cbf", 200, &whole.map(|&count| count.min(200)));
    // The same, and the header does not say so.
    with_cutoff("unsaid.cbf", i32::MAX, &whole.map(|&count| count.min(200)));
    let overloads = whole.pixels().iter().filter(|&&count| count >= 200).count();

    let refine = |flags: &str| {
        scene.run_line(&format!(
            "refine {flags} -refine fluence,misset -- {QUICK} -fluence 0.8e27"
        ))
    };
    for (flags, pixels) in [
        ("-target t.cbf", 4096),
        ("-target gaps.cbf", 4096 - gaps),
        ("-target t.cbf -mask mask.cbf", 4096 - gaps),
        ("-target clipped.cbf", 4096 - overloads),
    ] {
        let ended = refine(flags).well();
        let expected = format!("converged in {pixels} pixels");
        assert!(
            ended.stdout.contains(&expected),
            "{flags}: {}",
            ended.stdout
        );
        for (name, truth) in [
            ("fluence", 1e27),
            ("misset_x", 10.0),
            ("misset_y", 20.0),
            ("misset_z", 30.0),
        ] {
            let line = ended
                .stdout
                .lines()
                .find(|line| line.starts_with(&format!("{name} ")));
            let words: Vec<f64> = line
                .unwrap()
                .split_whitespace()
                .filter_map(|w| w.parse().ok())
                .collect();
            let [_, value, sigma] = words[..3] else {
                panic!("{words:?}")
            };
            assert!(
                (value - truth).abs() < SIGMAS * sigma,
                "{flags}: {name} {value} {sigma}"
            );
        }
    }
    let ended = refine("-target unsaid.cbf -json r.json");
    assert_eq!(ended.status, UNEXPLAINED, "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("at a minimum that noise does not explain")
    );
    assert!(!ended.stdout.contains("converged"));
    assert!(message(&ended).contains("noise does not explain"));
    let result: Value = serde_json::from_slice(&scene.read("r.json")).unwrap();
    assert_eq!(
        (&result["converged"], &result["at_minimum"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn a_quiet_refinement_tells_no_steps() {
    let scene = scene();
    let ended = scene
        .run_line(&format!(
            "refine -target noisy.img -refine distance -schedule final -- -quiet -quiet -hkl P1.hkl {STILL} {}",
            flags(TRUTH)
        ))
        .well();
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("converged"));
}

#[test]
fn starts_that_lead_nowhere_end_with_a_message() {
    let scene = scene();
    scene.write("short.bin", [0_u8; 12]);
    let mut dark = Vec::new();
    let counts = nanobragg::io::Image::new(128, 128, vec![40_u16; 128 * 128]).unwrap();
    nanobragg::io::smv::write(&mut dark, &nanobragg::io::smv::Fields::new(), &counts).unwrap();
    scene.write("dark.img", dark);
    scene.write("nan.bin", f32::NAN.to_le_bytes().repeat(128 * 128));
    for (flags, why) in [
        ("-target missing.img", "missing.img"),
        ("-target short.bin", "short.bin"),
        ("-target dark.img", "hold no photons"),
        ("-target nan.bin", "no pixel of the target can be used"),
        (
            "-target noisy.img -mask dark.img -system cubic",
            "not cubic",
        ),
        (
            "-target noisy.img -refine cell -bounds cell_a=60:61",
            "cell_a starts at",
        ),
        ("-target noisy.img -png no/where", "no"),
        (
            "-target noisy.img -json noisy.img",
            "-json would overwrite what -target names",
        ),
    ] {
        let ended = refine(&scene, flags, TRUTH);
        assert_eq!(ended.status, FAILED, "{flags}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{flags}");
        assert!(message(&ended).contains(why), "{flags}: {}", ended.stderr);
    }
    let other = format!(
        "refine -target noisy.img -- -hkl P1.hkl {} {}",
        STILL.replace("128", "64"),
        flags(TRUTH)
    );
    let ended = scene.run_line(&other);
    assert_eq!(ended.status, FAILED);
    assert!(message(&ended).contains("the target has 128 x 128 pixels, the detector 64 x 64"));
}

#[test]
fn command_lines_that_make_no_sense_are_refused() {
    let scene = Scene::empty();
    for (line, why) in [
        ("refine -target a.img", "ARGUMENTS"),
        (
            "refine -target a.img -refine size -- -cell 70",
            "size is nothing that can be refined",
        ),
        (
            "refine -target a.img -- -cell seventy",
            "the arguments after --: -cell",
        ),
        ("refine -target a.img -- -help", "do not ask for an image"),
    ] {
        let ended = scene.run_line(line);
        assert_eq!(ended.status, USAGE, "{line}: {}", ended.stderr);
        assert!(message(&ended).contains(why), "{line}: {}", ended.stderr);
    }
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn frames_of_a_rotation_are_fitted_together() {
    let scene = scene();
    let still = STILL.replace("-fluence 1e25", "-fluence 5e25");
    let rotation = format!("-hkl P1.hkl {still} -osc 0.5 -phisteps 2 -frames 6");
    scene
        .run_line(&format!(
            "{rotation} {} -noisefile turn_####.img -nexusfile all.nxs -nopgm",
            flags(TRUTH)
        ))
        .well();
    let mut start = TRUTH;
    start[0] *= 1.002;
    start[3] += 0.05;
    let line = |target: &str, frames: &str| {
        format!(
            "refine {target} -refine cell,misset -per-image fluence -schedule final -json - -- {rotation} \
             {frames} {}",
            flags(start)
        )
    };
    let fitted = |target: &str, frames: &str| -> Value {
        let ended = scene.run_line(&line(target, frames)).well();
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let result = fitted("-target turn_####.img", "-only 2 4");
    assert_eq!(result["explained_by_noise"], true);
    assert_eq!(result["images"].as_array().unwrap().len(), 3);
    let parameters = result["parameters"].as_array().unwrap();
    let names: Vec<&str> = parameters
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    let own = ["fluence#1", "fluence#2", "fluence#3"];
    assert_eq!(names, [&NAMES[..6], &own].concat());
    for (one, truth) in parameters.iter().zip(&TRUTH[..6]) {
        let [value, sigma] =
            ["value", "standard_uncertainty"].map(|key| one[key].as_f64().unwrap());
        assert!((value - truth).abs() < 4.0 * sigma, "{one}");
    }
    let words = result["images"][2]["arguments"].to_string();
    assert!(
        words.contains("-fluence") && words.contains("-misset"),
        "{words}"
    );
    // The same images named one by one; and those of one file, whose counts are not cut off at 65535.
    let each = "-target turn_0002.img -target turn_0003.img -target turn_0004.img";
    assert_eq!(fitted(each, "-only 2 4"), result);
    let of_file = fitted("-target all.nxs", "-only 2 4");
    assert_eq!(of_file["explained_by_noise"], true);
    assert_eq!(fitted("-target all.nxs#2-4", "-only 2 4"), of_file);
    let refused = scene.run_line(&line(
        "-target turn_0002.img -target turn_0003.img",
        "-only 2 4",
    ));
    assert_eq!(refused.status, USAGE);
    assert!(
        message(&refused).contains("2 targets for 3 images"),
        "{}",
        refused.stderr
    );
}

#[test]
fn stills_have_lines_of_their_own() {
    let scene = scene();
    let other = [12.0, -15.0, 40.0];
    let mut second = TRUTH;
    second[3..6].copy_from_slice(&other);
    scene
        .run_line(&format!(
            "-hkl P1.hkl {STILL} {} -noisefile second.img",
            flags(second)
        ))
        .well();
    scene.write(
        "each.txt",
        "# the orientation of each\n-misset 10.05 20 30\n\n-misset 12 -15.05 40\n",
    );
    let mut start = TRUTH;
    start[1] *= 0.998;
    let targets = "-target noisy.img -target second.img -each each.txt";
    let ended = refine(
        &scene,
        &format!("{targets} -refine cell -per-image misset,fluence -schedule final -json r.json -output-args"),
        start,
    )
    .well();
    assert_eq!(ended.stdout.matches("\nnanoBragg -hkl P1.hkl").count(), 2);
    assert!(
        ended.stdout.contains("image       pixels"),
        "{}",
        ended.stdout
    );
    let result: Value = serde_json::from_slice(&scene.read("r.json")).unwrap();
    let parameters = result["parameters"].as_array().unwrap();
    for (name, truth) in [
        ("cell_b", TRUTH[1]),
        ("misset_x#1", 10.0),
        ("misset_y#2", -15.0),
    ] {
        let one = parameters.iter().find(|one| one["name"] == name).unwrap();
        let [value, sigma] =
            ["value", "standard_uncertainty"].map(|key| one[key].as_f64().unwrap());
        assert!((value - truth).abs() < 4.0 * sigma, "{one}");
    }
    for (line, says) in [
        ("-misset 1 2", "line 1"),
        ("-frames 3", "line 1: does not ask for an image"),
    ] {
        scene.write("each.txt", line);
        let refused = refine(&scene, &format!("{targets} -refine cell"), start);
        assert_eq!(refused.status, USAGE, "{}", refused.stderr);
        assert!(message(&refused).contains(says), "{}", refused.stderr);
    }
}
