//! Files that hold all images of a series.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nanobragg::io::nexus;
use nanobragg_tests::binary::Scene;
use serde_json::Value;

use super::{OUTPUTS, SMALL, STOPPED, entries, run};

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
