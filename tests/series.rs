//! `-frames` and `-shots`: every image is equal to that of a single run, in any order and part.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nanobragg::io::any::AnyImage;
use nanobragg::io::nexus;
use nanobragg_tests::binary::{Finished, Scene, program};
use serde_json::Value;

/// A small image with noise, sources, domains and a sweep of three steps.
const SMALL: &str = "-cell 70 80 90 75 85 95 -default_F 100 -N 5 -lambda 1.2 -dispersion 1 \
                     -dispsteps 2 -distance 80 -detpixels_x 41 -detpixels_y 37 -pixel 1.1 \
                     -mosaic 1 -mosaic_domains 3 -phisteps 3 -osc 0.7";

/// The default outputs of a run.
const OUTPUTS: [&str; 4] = [
    "floatimage.bin",
    "intimage.img",
    "image.pgm",
    "noiseimage.img",
];

const STOPPED: Option<i32> = Some(130);

fn run(scene: &Scene, line: &str) -> Finished {
    scene.run_line(&format!("{SMALL} {line}"))
}

/// The default name of an output in a series.
fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = name.split_once('.').unwrap();
    format!("{stem}_{number:05}.{extension}")
}

/// The lines of a log after the first.
fn entries(scene: &Scene, log: &str) -> Vec<Value> {
    let text = String::from_utf8(scene.read(log)).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// All images of a folder, with their names.
fn images(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let names = scene.names().into_iter();
    let is_image = |name: &String| !name.ends_with(".jsonl");
    names
        .filter(is_image)
        .map(|name| (name.clone(), scene.read(&name)))
        .collect()
}

/// The images of a series that was rendered in one run.
fn whole(line: &str) -> Vec<(String, Vec<u8>)> {
    let scene = Scene::empty();
    run(&scene, line).well();
    images(&scene)
}

/// Every kind of quantity and distribution.
const VARYING: &str = "-vary cell_a=normal:1% -vary cell_gamma=uniform:-1,1 -vary Na=choice:3,4,6 \
                       -vary fluence=lognormal:0.5 -vary wavelength=normal:0.5% \
                       -vary mosaic_spread=between:0.5,2 -vary beam_fast=normal:0.7 \
                       -vary beam_tilt_h=normal:3 -vary beam_tilt_v=uniform:-4,4";

/// The numbers of an SMV header.
fn header_number(scene: &Scene, name: &str, key: &str) -> f64 {
    let bytes = scene.read(name);
    let text = String::from_utf8_lossy(&bytes[..512]).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{key}=")));
    line.unwrap().trim_end_matches(';').parse().unwrap()
}

#[test]
fn an_image_that_varies_is_that_of_the_plain_flags_of_its_values() {
    let scene = Scene::empty();
    let vary = "-vary cell_b=normal:1% -vary cell_beta=normal:1 -vary Nc=between:3,9 \
                -vary spot_scale=lognormal:0.3 -vary b_factor=uniform:0,30 \
                -vary fluence=lognormal:0.5 -vary wavelength=uniform:-1%,1% -vary mosaic_spread=normal:30%";
    run(&scene, &format!("-shots 3 {vary}")).well();
    for entry in entries(&scene, "series.jsonl") {
        let number = entry["number"].as_u64().unwrap() as u32;
        let of = |name: &str| entry["values"][name].as_f64().unwrap();
        let words: Vec<&str> = entry["alone"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        let seeds = words.iter().position(|word| *word == "-vary").unwrap();
        let plain = format!(
            "{} -cell 70 {} 90 75 {} 95 -Nc {} -spot_scale {:?} -b_factor {:?} -fluence {:?} -lambda {} -mosaic {}",
            words[..seeds].join(" "),
            of("cell_b"),
            of("cell_beta"),
            of("Nc"),
            of("spot_scale"),
            of("b_factor"),
            of("fluence"),
            of("wavelength"),
            of("mosaic_spread"),
        );
        run(&scene, &plain).well();
        for name in OUTPUTS {
            assert!(
                scene.read(&numbered(name, number)) == scene.read(name),
                "{name} of {number}"
            );
        }
        let stated = header_number(&scene, &numbered("noiseimage.img", number), "WAVELENGTH");
        assert!((stated / of("wavelength") - 1.0).abs() < 1e-5);
    }
}

#[test]
fn files_of_images_that_vary_state_the_values_of_each() {
    let scene = Scene::empty();
    let line = format!(
        "-shots 4 {VARYING} -nodefaultfiles -nexusfile all.nxs -exptfile shot_#.expt -noisefile n_#.img"
    );
    let told = run(&scene, &line).well().stderr;
    let warning = "all.nxs: beam_fast, beam_tilt_h, beam_tilt_v of the first image; the log has those of each";
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    let of_images = entries(&scene, "series.jsonl").into_iter();
    for entry in of_images.filter(|entry| entry["number"].is_u64()) {
        let number = entry["number"].as_u64().unwrap();
        let of = |name: &str| entry["values"][name].as_f64().unwrap();
        let place = scene.path(format!("all.nxs#{number}"));
        let (path, image) = nanobragg::io::any::file_of(&place);
        let read = nexus::read_instrument(&path, image).unwrap();
        assert!((read.wavelength_angstrom.unwrap() / of("wavelength") - 1.0).abs() < 1e-12);
        let text = scene.read(&format!("shot_{number}.expt"));
        let expt: Value = serde_json::from_slice(&text).unwrap();
        let beam = &expt["beam"][0];
        assert!((beam["wavelength"].as_f64().unwrap() / of("wavelength") - 1.0).abs() < 1e-12);
        // In the laboratory of dxtbx the beam without a tilt comes from z.
        let direction: Vec<f64> = beam["direction"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        let tilt_rad = ["beam_tilt_h", "beam_tilt_v"].map(|name| of(name) / 1000.0);
        let expected = tilt_rad[0].cos() * tilt_rad[1].cos();
        assert!((direction[2] - expected).abs() < 1e-12, "{direction:?}");
        // The centre that the header states is where the tilted beam meets the detector.
        let name = format!("n_{number}.img");
        let stated_mm = header_number(&scene, &name, "DENZO_Y_BEAM");
        let expected_mm = of("beam_fast") + 80.0 * tilt_rad[0].tan() / tilt_rad[1].cos();
        assert!(
            (stated_mm - expected_mm).abs() < 2e-3,
            "{stated_mm} {expected_mm}"
        );
        let vectors = expt["crystal"][0]["real_space_a"]
            .as_array()
            .unwrap()
            .iter();
        let a = vectors
            .map(|x| x.as_f64().unwrap().powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((a / of("cell_a") - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_run_alone_that_varies_can_be_recorded_and_repeated() {
    let scene = Scene::empty();
    run(
        &scene,
        "-shots 1 -vary N=between:3,8 -vary cell_a=normal:1%",
    )
    .well();
    let entry = &entries(&scene, "series.jsonl")[0];
    let words = entry["alone"].as_array().unwrap().iter();
    let alone: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
    run(&scene, &format!("{} -record record.json", alone.join(" "))).well();
    let again = scene.run_line("-rerun record.json");
    assert_eq!(again.status, Some(0), "{}", again.stderr);
}

#[test]
fn a_plan_tells_what_varies_and_draws_every_image() {
    let scene = Scene::empty();
    let plan = run(&scene, "-shots 9 -vary cell_a=normal:1% -vary N=12 -plan").well();
    assert!(
        plan.stdout.contains("normal:1%, without it 70 Angstrom"),
        "{}",
        plan.stdout
    );
    let ended = run(
        &scene,
        "-cell 70 80 90 75 60 70 -shots 60 -vary cell_alpha=between:75,178 -plan",
    );
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stderr.contains("image ") && ended.stderr.contains(" would have cell_alpha 1"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("[-vary]"), "{}", ended.stderr);
    assert_eq!(scene.names(), [] as [&str; 0]);
}

#[test]
fn the_first_image_without_a_photon_is_named() {
    let stderr = run(&Scene::empty(), "-frames 3 -nopgm -fluence 1e10")
        .well()
        .stderr;
    let told = "photons in all: no spot can be seen, first in image ";
    assert_eq!(stderr.matches(told).count(), 1, "{stderr}");
    let bright = run(&Scene::empty(), "-frames 3 -nopgm").well().stderr;
    assert!(!bright.contains(told), "{bright}");
}

/// Photons beyond the largest f32: in many pixels, or in every one.
#[test]
fn pixels_of_a_series_that_are_not_finite_are_told_of_each_image() {
    let scene = Scene::empty();
    let line = "-shots 3 -nopgm -nonoise -fluence 1e60 -spot_scale 1e6";
    let stderr = run(&scene, line).well().stderr;
    let log = entries(&scene, "series.jsonl");
    assert_eq!(log.len(), 3);
    for entry in log {
        let number = entry["number"].as_u64().unwrap() as u32;
        let bytes = scene.read(&numbered("floatimage.bin", number));
        let floats = bytes.chunks_exact(4).map(|float| float.try_into().unwrap());
        let count = floats.filter(|float| !f32::from_le_bytes(*float).is_finite());
        let count = count.count();
        assert!((1..41 * 37).contains(&count), "{count}");
        assert_eq!(entry["not_finite_pixels"], count);
        let told = format!("image {number}: {count} pixels are no finite numbers; the first, at");
        assert!(stderr.contains(&told), "{stderr}");
    }
    let none = run(&Scene::empty(), "-shots 2 -fluence 1e60 -spot_scale 1e30");
    let told = "error: image 1: no pixel is a finite number: the first, at";
    assert_eq!(none.status, Some(1));
    assert!(none.stderr.contains(told), "{}", none.stderr);
}

#[test]
fn every_image_is_that_of_a_run_alone_with_the_flags_that_the_log_tells() {
    for (series, rest) in [
        ("-frames 4", "-seed 11"),
        ("-frames 3", "-phi 30.1 -misset random"),
        ("-shots 3", "-seed -7 -misset_seed 5"),
        ("-shots 3", "-fix all"),
        ("-shots 2", "-noise_stream c"),
        ("-shots 2", "-hkl P1.hkl -mat A.mat -interpolate"),
        ("-shots 3", VARYING),
        (
            "-shots 2",
            "-hkl P1.hkl -mat A.mat -vary cell_b=normal:1% -vary wavelength=normal:1%",
        ),
        (
            "-frames 3",
            "-xds -vary beam_slow=normal:1 -vary fluence=normal:30% -vary_seed 9",
        ),
        ("-shots 2", "-experiment varying.toml -vary N=4"),
    ] {
        let scene = Scene::with_inputs();
        let varying =
            "[series.vary]\ncell_c = { uniform = [\"-1 %\", 2] }\nN = { choice = [3, 5] }\n";
        scene.write("varying.toml", varying);
        let rest = format!("{rest} -truthfile truth.csv");
        run(&scene, &format!("{series} {rest}")).well();
        let entries = entries(&scene, "series.jsonl");
        assert_eq!(entries.len().to_string(), series.split_once(' ').unwrap().1);
        for entry in &entries {
            let number = entry["number"].as_u64().unwrap() as u32;
            let words = entry["alone"].as_array().unwrap().iter();
            let alone: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
            run(&scene, &format!("{rest} {}", alone.join(" "))).well();
            for name in OUTPUTS.into_iter().chain(["truth.csv"]) {
                let of_series = scene.read(&numbered(name, number));
                assert!(
                    of_series == scene.read(name),
                    "{series} {rest}: {name} of {number}"
                );
            }
        }
    }
}

#[test]
fn images_of_a_series_differ_from_each_other() {
    for line in ["-frames 3", "-shots 3"] {
        let images = whole(line);
        for name in ["floatimage", "noiseimage"] {
            let mut of_name: Vec<_> = images.iter().filter(|(n, _)| n.starts_with(name)).collect();
            of_name.dedup_by(|a, b| a.1 == b.1);
            assert_eq!(of_name.len(), 3, "{line} {name}");
        }
    }
}

#[test]
fn order_company_and_threads_change_no_bit() {
    let varying = format!("-shots 6 {VARYING}");
    for line in ["-frames 6", "-shots 6", &varying] {
        let expected = whole(&format!("{line} -threads 1"));
        assert!(
            whole(&format!("{line} -threads 3")) == expected,
            "{line} on threads"
        );
        let scene = Scene::empty();
        for only in ["5 6", "1 1", "2 4"] {
            run(&scene, &format!("{line} -only {only}")).well();
        }
        assert!(images(&scene) == expected, "{line} in another order");
        assert_eq!(entries(&scene, "series.jsonl").len(), 6);
    }
}

/// A series has the counter stream, of which the log tells, unless it is asked for that of the C program.
#[test]
fn the_noise_of_a_series_is_of_the_counter_stream() {
    let noise = |line: &str| {
        let scene = Scene::empty();
        run(&scene, line).well();
        let log = scene.read("series.jsonl");
        let head = String::from_utf8(log).unwrap();
        let head: Value = serde_json::from_str(head.lines().next().unwrap()).unwrap();
        let stream = head["series"]["noise_stream"].as_str().unwrap().to_owned();
        (scene.read(&numbered("noiseimage.img", 1)), stream)
    };
    let (plain, counter, c) = (
        noise("-frames 1"),
        noise("-frames 1 -noise_stream counter"),
        noise("-frames 1 -noise_stream c"),
    );
    assert_eq!((&*plain.1, &*c.1), ("counter", "c"));
    assert!(plain == counter && plain.0 != c.0);
}

#[test]
fn the_parts_of_a_series_are_the_whole_and_may_run_at_once() {
    let line = &format!("-shots 7 {VARYING}");
    let expected = whole(line);
    let scene = Scene::empty();
    let words = |part: u32| {
        let words = format!("{SMALL} {line} -shard {part}/3");
        words
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let children: Vec<_> = (1..=3)
        .map(|part| scene.command(words(part)).spawn().unwrap())
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert!(images(&scene) == expected);
    for (part, count) in [(1, 3), (2, 2), (3, 2)] {
        assert_eq!(
            entries(&scene, &format!("series_{part}of3.jsonl")).len(),
            count
        );
    }
    let empty = Scene::empty();
    run(&empty, "-shots 2 -shard 3/3").well();
    assert_eq!(empty.names(), [] as [&str; 0]);
}

#[test]
fn an_interrupted_series_says_how_to_go_on_and_goes_on_to_the_same_images() {
    let line = "-shots 100000 -seed 3 -vary N=between:3,6";
    let scene = Scene::empty();
    let words = format!("{SMALL} {line}");
    let mut child = Command::new(program())
        .args(words.split_whitespace())
        .current_dir(scene.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let logged = |scene: &Scene| {
        let log = fs::read_to_string(scene.path("series.jsonl")).unwrap_or_default();
        log.lines().count().saturating_sub(1)
    };
    while logged(&scene) < 3 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is logged"
        );
        assert_eq!(child.try_wait().unwrap(), None);
        thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), STOPPED);
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        message.contains("images complete; the same command line with -resume"),
        "{message}"
    );
    assert!(scene.names().iter().all(|name| !name.ends_with(".part")));

    let logged_then = logged(&scene);
    let more = logged_then + 3;
    let entries_before = entries(&scene, "series.jsonl");
    let resumed = run(&scene, &format!("{line} -only 1 {more} -resume")).well();
    resumed.line(&format!("{logged_then} of {more} images are complete"));
    let entries_now = entries(&scene, "series.jsonl");
    assert_eq!(entries_now.len(), more);
    assert!(
        entries_before
            .iter()
            .all(|entry| entries_now.contains(entry))
    );
    let expected = whole(&format!("{line} -only 1 {more}"));
    assert!(images(&scene) == expected);
}

#[test]
fn a_resumed_series_renders_what_is_missing_or_changed_and_nothing_else() {
    let scene = Scene::empty();
    let line = "-frames 5 -seed 2";
    // On one thread the log is in the order of the frames.
    run(&scene, &format!("{line} -threads 1")).well();
    let expected = images(&scene);
    fs::remove_file(scene.path("intimage_00002.img")).unwrap();
    scene.write("image_00004.pgm", "not what was written");
    // The log of a run that was killed while it wrote a line.
    let mut log = scene.read("series.jsonl");
    log.truncate(log.len() - 20);
    scene.write("series.jsonl", log);
    let resumed = run(&scene, &format!("{line} -resume -threads 1")).well();
    resumed.line("2 of 5 images are complete");
    for number in [2, 4, 5] {
        resumed.line(&format!("{number}: phi "));
    }
    assert!(!resumed.stdout.contains("\n1: phi"));
    assert!(images(&scene) == expected);
    run(&scene, &format!("{line} -resume"))
        .well()
        .line("5 of 5 images are complete");
    // A series may become longer.
    let longer = run(&scene, "-frames 6 -seed 2 -resume").well();
    longer.line("5 of 6 images are complete");
}

#[test]
fn a_log_of_something_else_is_not_gone_on_with() {
    let scene = Scene::with_inputs();
    let line = "-frames 2 -osc 0.5 -mat A.mat";
    run(&scene, line).well();
    let refusal = |line: &str| {
        let ended = run(&scene, line);
        assert_eq!(ended.status, Some(1), "{line}");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        ended.stderr
    };
    for resume in ["", "-resume"] {
        let other = refusal(&format!("-frames 2 -osc 0.6 -mat A.mat {resume}"));
        assert!(
            other.contains("series.jsonl is the log of a series with -osc 0.5"),
            "{other}"
        );
    }
    let mut matrix = scene.read("A.mat");
    matrix.push(b'\n');
    scene.write("A.mat", matrix);
    let changed = refusal(&format!("{line} -resume"));
    assert!(changed.contains("with another A.mat"), "{changed}");
    for (text, line_number) in [("no JSON\n", 1), ("{}\n", 1), ("", 1)] {
        scene.write("series.jsonl", text);
        let broken = refusal(line);
        assert!(
            broken.contains(&format!("series.jsonl:{line_number}: not the log")),
            "{broken}"
        );
    }
    let of_version_1 = r#"{"format":"nanoBragg series","format_version":1}"#;
    for resume in ["", "-resume"] {
        scene.write("series.jsonl", format!("{of_version_1}\n"));
        let other = refusal(&format!("{line} {resume}"));
        assert!(other.contains("it is not of version 2"), "{other}");
    }
    std::fs::remove_file(scene.path("series.jsonl")).unwrap();
    run(&scene, line).well();
    let mut log = scene.read("series.jsonl");
    log.extend(b"{\"number\":\"x\"}\n");
    scene.write("series.jsonl", log);
    assert!(refusal(line).contains("series.jsonl:4: not the log"));
}

#[test]
fn a_series_with_a_changed_input_begins_anew() {
    let scene = Scene::with_inputs();
    let line = "-frames 2 -osc 0.5 -mat A.mat -only 1 1";
    run(&scene, line).well();
    let mut matrix = scene.read("A.mat");
    matrix.push(b'\n');
    scene.write("A.mat", matrix);
    run(&scene, &line.replace("1 1", "2 2")).well();
    let entries = entries(&scene, "series.jsonl");
    // The image with the old matrix does not belong to this series.
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["number"], 2);
}

#[cfg(unix)]
#[test]
fn a_resumed_series_removes_what_a_killed_run_left() {
    let scene = Scene::empty();
    let line = "-frames 2 -osc 0.5 -floatfile f_#.bin";
    run(&scene, line).well();
    let part = ".nanobragg-killed.part";
    scene.write(part, "half an image");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let file = std::fs::File::options()
        .write(true)
        .open(scene.path(part))
        .unwrap();
    file.set_modified(old).unwrap();
    // A file is locked while a process writes it.
    file.lock().unwrap();
    run(&scene, &format!("{line} -resume")).well();
    assert!(scene.path(part).exists());
    drop(file);
    let resumed = run(&scene, &format!("{line} -resume")).well();
    resumed.line("removed 1 temporary file of a run that was killed");
    assert!(!scene.path(part).exists());
}

#[test]
fn outputs_are_numbered_where_their_names_say() {
    let scene = Scene::empty();
    let line = "-frames 2 -floatfile f_###.bin -intfile i.img -nonoise -pngfile #.png \
                -seriesfile here.jsonl -nopgm -truthfile t#.json";
    run(&scene, line).well();
    let expected = [
        "1.png",
        "2.png",
        "f_001.bin",
        "f_002.bin",
        "here.jsonl",
        "i_00001.img",
        "i_00002.img",
        "t1.json",
        "t2.json",
    ];
    assert_eq!(scene.names(), expected);
}

#[test]
fn what_makes_no_series_is_refused() {
    for (line, status, message) in [
        (
            "-shots 2 -misset 1 2 3",
            2,
            "-shots and -misset do not go together",
        ),
        ("-frames 2 -rerun a.json", 2, "-rerun and"),
        ("-shard 1/2", 2, "-shard needs -frames or -shots"),
        ("-shots 3 -shard 4/3", 2, "-shard: 4/3 is not allowed"),
        (
            "-shots 3 -only 1 4",
            2,
            "-only 1 4: the numbers of this series run from 1 to 3",
        ),
        (
            "-shots 99999999999",
            2,
            "-shots: 99999999999 is not allowed",
        ),
        (
            "-frames 2 -osc 0",
            1,
            "needs an oscillation range above 0 for each frame [-osc]",
        ),
        (
            "-vary N=between:3,6",
            1,
            "series.vary.N: an image that is not one of a series needs a value, not a distribution [-vary]",
        ),
        ("-shots 2 -vary n=3", 2, "there are cell_a, cell_b"),
        (
            "-shots 2 -vary cell_a=normal:-1",
            2,
            "-vary: cell_a=normal:-1 is not allowed",
        ),
        (
            "-shots 2 -floatfile a#.x -intfile a##.x",
            1,
            "would name the same file",
        ),
        (
            "-shots 2 -floatfile no/such/folder.bin",
            1,
            "no/such/folder_00001.bin",
        ),
    ] {
        let scene = Scene::empty();
        let ended = run(&scene, line);
        assert_eq!(ended.status, Some(status), "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{line}: {}", ended.stderr);
        let left = scene.names();
        assert!(
            left.iter().all(|name| name == "series.jsonl"),
            "{line}: {left:?}"
        );
    }
}

/// The columns h, k, l, d, F, fast, slow, photons, partiality of a table, and the values of its head.
fn table(text: &str) -> (Vec<[f64; 17]>, Value) {
    let mut head = serde_json::Map::new();
    let (comments, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.starts_with('#'));
    for comment in comments {
        let (name, value) = comment.trim_start_matches("# ").split_once(": ").unwrap();
        head.insert(name.to_owned(), serde_json::from_str(value).unwrap());
    }
    let columns = "h,k,l,d_angstrom,f_electrons,fast_px,slow_px,photons,partiality,peak_photons,\
                   fast0_px,fast1_px,slow0_px,slow1_px,variance_fast_px2,variance_slow_px2,covariance_px2";
    assert_eq!(rows[0], columns);
    let row = |line: &&str| {
        let mut numbers = line.split(',').map(|number| number.parse().unwrap());
        let row = std::array::from_fn(|_| numbers.next().unwrap());
        assert_eq!(numbers.next(), None);
        row
    };
    (rows[1..].iter().map(row).collect(), Value::Object(head))
}

#[test]
fn the_table_of_an_image_adds_up_to_it_and_says_the_same_in_csv_and_json() {
    let scene = Scene::empty();
    let line = "-misset 10 20 30 -phi 40 -water 20";
    run(&scene, &format!("{line} -truthfile t.csv")).well();
    run(&scene, &format!("{line} -truthfile t.json")).well();
    let (rows, head) = table(&String::from_utf8(scene.read("t.csv")).unwrap());
    let bytes = scene.read("floatimage.bin");
    let pixels = bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    let image: f64 = pixels.map(f64::from).sum();
    let background = head["background_photons"].as_f64().unwrap();
    let sum: f64 = rows.iter().map(|row| row[7]).sum();
    assert!(background > 0.0 && sum > 0.0);
    // Sums of a few thousand numbers in double precision.
    assert!(((sum + background) / image - 1.0).abs() < 1e-11);
    for row in &rows {
        let [_, _, _, _, _, fast, slow, photons, partiality, rest @ ..] = row;
        let [peak, fast0, fast1, slow0, slow1, ..] = rest;
        assert!(0.0 <= *fast0 && fast0 < fast1 && *fast1 <= 41.0);
        assert!(0.0 <= *slow0 && slow0 < slow1 && *slow1 <= 37.0);
        assert!(*peak > 0.0 && *peak <= photons * (1.0 + 1e-6));
        assert!((0.0..=41.0).contains(fast) && (0.0..=37.0).contains(slow));
        assert!((0.0..=1.0).contains(partiality));
    }

    let json: Value = serde_json::from_slice(&scene.read("t.json")).unwrap();
    let reflections = json["reflections"].as_array().unwrap();
    assert_eq!(reflections.len(), rows.len());
    for (row, reflection) in rows.iter().zip(reflections) {
        let photons = reflection["photons"].as_f64().unwrap();
        // The JSON reader may change the last bit.
        assert!((row[7] / photons - 1.0).abs() < 1e-15, "{row:?}");
        let hkl = [0, 1, 2].map(|i| reflection["hkl"][i].as_f64().unwrap());
        assert_eq!([row[0], row[1], row[2]], hkl);
        let ends = ["fast_range_px", "slow_range_px"].map(|name| {
            let range = &reflection[name];
            [0, 1].map(|end| range[end].as_f64().unwrap())
        });
        assert_eq!(row[10..14], ends.concat());
        let moment = |name: &str| reflection[name].as_f64().unwrap();
        assert!((row[14] - moment("variance_fast_px2")).abs() <= 5.1e-6);
        assert!((row[15] - moment("variance_slow_px2")).abs() <= 5.1e-6);
        assert!((row[16] - moment("covariance_px2")).abs() <= 5.1e-6);
    }
    assert_eq!(
        json["a_matrix_at_phi_0_per_angstrom"],
        head["a_matrix_at_phi_0_per_angstrom"]
    );
    assert_eq!(json["phi_start_deg"].as_f64().unwrap().round(), 40.0);
}

#[test]
fn the_matrices_of_a_table_are_a_rotation_and_the_cell_turned_by_it() {
    let scene = Scene::empty();
    run(&scene, "-misset 10 20 30 -phi 90 -truthfile t.json").well();
    let json: Value = serde_json::from_slice(&scene.read("t.json")).unwrap();
    let matrix = |name: &str| -> [[f64; 3]; 3] {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| json[name][i][j].as_f64().unwrap()))
    };
    let [a, at_phi, u] = [
        "a_matrix_at_phi_0_per_angstrom",
        "a_matrix_at_phi_start_per_angstrom",
        "u_matrix_at_phi_0",
    ]
    .map(matrix);
    let product = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| {
        let term = |i: usize, j: usize| (0..3).map(|k| a[k][i] * b[k][j]).sum::<f64>();
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| term(i, j)))
    };
    // The quaternions turn vectors as U and the rotation by phi after U do.
    let quaternion = |name: &str| [0, 1, 2, 3].map(|i| json[name][i].as_f64().unwrap());
    let turned = |q: [f64; 4], [x, y, z]: [f64; 3]| {
        let times = |[a, b, c, d]: [f64; 4], [e, f, g, h]: [f64; 4]| {
            [
                a * e - b * f - c * g - d * h,
                a * f + b * e + c * h - d * g,
                a * g - b * h + c * e + d * f,
                a * h + b * g - c * f + d * e,
            ]
        };
        let [w, i, j, k] = q;
        let [_, x, y, z] = times(times(q, [0.0, x, y, z]), [w, -i, -j, -k]);
        [x, y, z]
    };
    let (q, at_start) = (
        quaternion("quaternion_at_phi_0"),
        quaternion("quaternion_at_phi_start"),
    );
    assert!(q[0] >= 0.0 && at_start[0] >= 0.0);
    for j in 0..3 {
        let axis = [0, 1, 2].map(|i| f64::from(u8::from(i == j)));
        let ([x, y, z], after) = (turned(q, axis), turned(at_start, axis));
        for (i, row) in u.iter().enumerate() {
            assert!(([x, y, z][i] - row[j]).abs() < 1e-12);
            assert!(([-y, x, z][i] - after[i]).abs() < 1e-12);
        }
    }
    // U^T U is 1, and U^T A is B, with zeros below the diagonal.
    let unit = product(u, u);
    let b = product(u, a);
    for i in 0..3 {
        for j in 0..3 {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((unit[i][j] - expected).abs() < 1e-12);
            assert!(i <= j || b[i][j].abs() < 1e-15);
        }
        assert!(b[i][i] > 0.0);
        // A rotation by 90 degrees about z, the spindle, takes (x, y, z) to (-y, x, z).
        assert!((at_phi[0][i] + a[1][i]).abs() < 1e-15);
        assert!((at_phi[1][i] - a[0][i]).abs() < 1e-15);
        assert!((at_phi[2][i] - a[2][i]).abs() < 1e-15);
    }
    // A cell of 70 x 80 x 90 A with 95 degrees between a and b: |c*| is 1/(c sin sin).
    let lengths = [0, 1, 2].map(|j| (0..3).map(|i| a[i][j] * a[i][j]).sum::<f64>().sqrt());
    assert!(lengths[0] > 1.0 / 70.0 && lengths[1] > 1.0 / 80.0 && lengths[2] > 1.0 / 90.0);
}

#[test]
fn labels_are_rows_of_the_table_and_the_same_in_every_format() {
    let scene = Scene::empty();
    let line = "-shots 1 -truthfile t.csv -truth_pixel_floor 0.001 -truth_floor 0.01";
    let mut files = Vec::new();
    for name in ["l.npy", "l.bin", "l.tif", "l.h5"] {
        run(
            &scene,
            &format!("{line} -labelfile {name} -seriesfile {name}.jsonl"),
        )
        .well();
        files.push(scene.read(&numbered(name, 1)));
    }
    let (rows, _) = table(&String::from_utf8(scene.read(&numbered("t.csv", 1))).unwrap());
    let labels: Vec<u32> = (files[1].chunks_exact(4))
        .map(|four| u32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    assert_eq!(labels.len(), 41 * 37);
    // Numbers below 2^24 are exact.
    let expected: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    for name in ["l.npy", "l.tif", "l.h5"] {
        let name = numbered(name, 1);
        let image = AnyImage::read(scene.path(&name)).unwrap();
        let image = image.into_stored([41, 37]).unwrap().pixels.to_floats();
        assert_eq!((image.fast(), image.slow()), (41, 37), "{name}");
        assert_eq!(image.pixels(), expected, "{name}");
    }
    let mut seen = vec![false; rows.len()];
    for (i, &label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
        let row = &rows[label as usize - 1];
        let (fast, slow) = ((i % 41) as f64, (i / 41) as f64);
        assert!(row[10] <= fast && fast < row[11] && row[12] <= slow && slow < row[13]);
        seen[label as usize - 1] = true;
    }
    assert!(seen.iter().filter(|seen| **seen).count() > 5, "{rows:?}");
}

/// The output of a series that was interrupted when its log had `count` images.
#[cfg(unix)]
fn interrupted_after(scene: &Scene, line: &str, count: usize) -> std::process::Output {
    let words = format!("{SMALL} {line}");
    let mut command = scene.command(words.split_whitespace().map(str::to_owned));
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let logged = || {
        let log = fs::read_to_string(scene.path("series.jsonl")).unwrap_or_default();
        log.lines().count().saturating_sub(1)
    };
    while logged() < count {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing logged");
        thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    child.wait_with_output().unwrap()
}

/// The lines of `series.jsonl`: the images, by number, and the lines of the file of all images.
fn images_and_wholes(scene: &Scene) -> (Vec<Value>, Vec<Value>) {
    let is_image = |entry: &Value| entry.get("whole").is_none();
    let (mut images, wholes): (Vec<_>, Vec<_>) = entries(scene, "series.jsonl")
        .into_iter()
        .partition(is_image);
    // Two threads complete the images in any order.
    images.sort_by_key(|entry| entry["number"].as_u64());
    (images, wholes)
}

#[test]
fn one_nexus_file_holds_all_images_and_is_logged_last() {
    let scene = Scene::empty();
    let line = "-frames 4 -nexusfile all.nxs";
    run(&scene, line).well();
    let names = scene.names();
    let nexus: Vec<_> = names.iter().filter(|n| n.ends_with(".nxs")).collect();
    assert_eq!(nexus, ["all.nxs"]);
    let (images, wholes) = images_and_wholes(&scene);
    assert_eq!(images.len(), 4);
    let outputs = |entry: &Value| entry["outputs"].as_array().unwrap().len();
    assert!(images.iter().all(|entry| outputs(entry) == OUTPUTS.len()));
    let [Value::Object(last)] = &wholes[..] else {
        panic!("{wholes:?}")
    };
    let told = &last["whole"];
    assert_eq!(told["images"], 4);
    assert_eq!(told["output"]["bytes"], scene.read("all.nxs").len());

    let resumed = run(&scene, &format!("{line} -resume")).well();
    resumed.line("4 of 4 images are complete");
    assert_eq!(images_and_wholes(&scene), (images, wholes));

    let whole = scene.read("all.nxs");
    fs::remove_file(scene.path("intimage_00002.img")).unwrap();
    run(&scene, &format!("{line} -resume"))
        .well()
        .line("3 of 4 images are complete");
    assert_eq!(scene.read("all.nxs"), whole);

    fs::write(scene.path("all.nxs"), "changed").unwrap();
    run(&scene, &format!("{line} -resume -threads 1")).well();
    assert!(scene.read("all.nxs").starts_with(b"\x89HDF"));
    assert_eq!(images_and_wholes(&scene).1.len(), 1);
}

#[cfg(unix)]
#[test]
fn an_interrupted_series_goes_on_with_the_images_of_its_nexus_file() {
    let scene = Scene::empty();
    // One thread completes the images in order: the first three are the three in the log.
    let line = "-shots 100000 -seed 3 -nexusfile all.nxs -threads 1";
    let ended = interrupted_after(&scene, line, 3);
    assert_eq!(ended.status.code(), STOPPED);
    let names = scene.names();
    let of_nexus: Vec<_> = names.iter().filter(|n| n.contains("nxs")).collect();
    assert_eq!(of_nexus, ["all.nxs.part", "all.nxs.rows.part"]);

    // One image is lost in the middle of the file, and what is behind the last is no image.
    let (images, _) = images_and_wholes(&scene);
    let address = images[1]["stored"]["pixels"]["address"].as_u64().unwrap() as usize;
    let mut part = scene.read("all.nxs.part");
    part[address] ^= 1;
    part.extend([7; 100]);
    scene.write("all.nxs.part", part);
    let resumed = "-shots 3 -seed 3 -nexusfile all.nxs -threads 1";
    let report = run(&scene, &format!("{resumed} -resume")).well();
    report.line("2 of 3 images are complete");
    let fresh = Scene::empty();
    run(&fresh, resumed).well();
    for number in 1..=3 {
        let image = |scene: &Scene| nexus::read(&scene.path("all.nxs"), Some(number)).unwrap().0;
        assert!(image(&scene) == image(&fresh), "{number}");
    }
    assert!(!scene.names().iter().any(|name| name.ends_with(".part")));
}

#[test]
fn a_file_that_got_its_name_before_its_line_is_complete() {
    let scene = Scene::empty();
    let line = "-shots 4 -nexusfile all_master.h5 -nexus_images_per_file 2";
    run(&scene, line).well();
    let log = String::from_utf8(scene.read("series.jsonl")).unwrap();
    let lines = log.lines().filter(|line| !line.contains("\"whole\""));
    let without: String = lines.map(|line| format!("{line}\n")).collect();
    scene.write("series.jsonl", without);
    let files = ["all_data_000001.h5", "all_data_000002.h5", "all_master.h5"];
    let before = files.map(|name| scene.read(name));
    let resumed = run(&scene, &format!("{line} -resume")).well();
    resumed.line("4 of 4 images are complete");
    assert!(before == files.map(|name| scene.read(name)));
    assert_eq!(images_and_wholes(&scene).1.len(), 2);

    // Of a changed data file every image is rendered anew, and of the other none.
    let mut changed = before[1].clone();
    changed[100] ^= 1;
    scene.write("all_data_000002.h5", changed);
    let resumed = run(&scene, &format!("{line} -resume -threads 1")).well();
    resumed.line("2 of 4 images are complete");
    assert!(before[0] == scene.read(files[0]));
    assert!(nexus::read(&scene.path("all_master.h5"), Some(4)).is_ok());
}

#[test]
fn nexus_files_of_parts_and_of_numbered_names_are_files_of_their_own() {
    let scene = Scene::empty();
    for part in ["1/2", "2/2"] {
        run(&scene, &format!("-frames 3 -nexusfile a.nxs -shard {part}")).well();
    }
    run(&scene, "-frames 2 -nexusfile b_#.nxs -seriesfile b.jsonl").well();
    let names = scene.names().into_iter();
    let nexus: Vec<_> = names.filter(|name| name.ends_with(".nxs")).collect();
    // The last part writes a master file over both.
    let files = ["a.nxs", "a_1of2.nxs", "a_2of2.nxs", "b_1.nxs", "b_2.nxs"];
    assert_eq!(nexus, files);
}

#[test]
fn a_nexus_file_never_takes_the_place_of_another_file_of_the_series() {
    for (rest, word) in [
        ("-intfile a.nxs -nexusfile a_00002.nxs", "-intfile"),
        ("-nexusfile series.jsonl", "-seriesfile"),
        ("-truthfile a.h5 -seriesfile a.h5", "-seriesfile"),
        (
            "-hkl a.nxs -nexusfile b.nxs -nexus_images_per_file 3 -tiffile b_data_######.nxs",
            "-nexusfile",
        ),
        ("-hkl a.nxs -nexusfile a.nxs", "-hkl"),
    ] {
        let scene = Scene::empty();
        fs::write(scene.path("a.nxs"), "0 0 1 10\n").unwrap();
        let refused = run(&scene, &format!("-frames 3 {rest}"));
        assert_eq!(refused.status, Some(1), "{rest}");
        assert!(refused.stderr.contains(word), "{rest}: {}", refused.stderr);
        assert_eq!(scene.read("a.nxs"), b"0 0 1 10\n");
    }
}

#[test]
fn every_kind_of_output_is_numbered() {
    let scene = Scene::empty();
    let line = "-frames 2 -cbffile c.cbf -tiffile t.tif -exptfile e.expt -xdsfile XDS.INP";
    run(&scene, line).well();
    let names = scene.names();
    // One file tells XDS of a rotation. Each shot has an orientation of its own.
    assert!(names.contains(&"XDS.INP".to_owned()) && !names.contains(&numbered("XDS.INP", 1)));
    let shots = Scene::empty();
    run(&shots, "-shots 2 -xdsfile XDS.INP").well();
    assert!(shots.names().contains(&numbered("XDS.INP", 2)));
    for name in ["c.cbf", "t.tif", "e.expt"] {
        assert!(!names.contains(&name.to_owned()), "{name}");
        for number in [1, 2] {
            assert!(names.contains(&numbered(name, number)), "{name} {names:?}");
        }
    }
}
