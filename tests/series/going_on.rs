//! A series that was stopped or killed, or whose input has changed, goes on to the same images.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nanobragg_tests::binary::{Scene, program};

use super::{SMALL, STOPPED, entries, images, run, whole};

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
