//! `-frames` and `-shots`: every image is equal to that of a single run, in any order and part.

mod going_on;
mod tables;
mod varying;
mod whole_files;

use nanobragg_tests::binary::{Finished, Scene};
use serde_json::Value;

use varying::VARYING;

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
