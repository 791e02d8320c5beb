//! Runs that are interrupted by a signal.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nanobragg_tests::binary::{Scene, program};

use crate::case::{BASE, OLD, OUTPUTS, contents, end_of, furnished};

/// A run of hours, and a run whose single pixel takes a minute.
const LONG: &str = "-detpixels 2000 -oversample 60";
const LONG_PIXEL: &str = "-detpixels 4 -oversample 10000 -mosaic 1 -mosaic_domains 100";

/// The exit status of a run that a signal stopped.
const STOPPED: Option<i32> = Some(130);

/// Ctrl-C stops a run within a second; the other two seconds are for a busy machine.
const A_SECOND: Duration = Duration::from_millis(1000 + 2000);

/// Starts a run in a folder with old images, and waits for the start of the rendering.
fn start(line: &str) -> (Scene, Vec<(String, Vec<u8>)>, Child) {
    let scene = furnished();
    for name in OUTPUTS {
        scene.write(name, OLD);
    }
    let before = contents(&scene);
    let child = Command::new(program())
        .args(BASE.split_whitespace().chain(line.split_whitespace()))
        .current_dir(scene.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while parts(&scene) < OUTPUTS.len() && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(parts(&scene), OUTPUTS.len(), "the run has not begun");
    (scene, before, child)
}

fn parts(scene: &Scene) -> usize {
    let names = scene.names();
    names.iter().filter(|name| name.ends_with(".part")).count()
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_signal_stops_within_a_second_and_leaves_all_as_it_was() {
    for line in [LONG, LONG_PIXEL] {
        for signal in ["INT", "TERM", "HUP"] {
            let (scene, before, mut child) = start(line);
            send(signal, &child);
            assert_eq!(end_of(&mut child, A_SECOND), Ok(STOPPED), "{signal} {line}");
            assert_eq!(contents(&scene), before, "{signal} {line}");
        }
    }
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_no_temporary_file() {
    let (scene, before, mut child) = start(LONG_PIXEL);
    send("INT", &child);
    send("TERM", &child);
    assert_eq!(end_of(&mut child, A_SECOND), Ok(STOPPED));
    assert_eq!(contents(&scene), before);
}

#[test]
fn a_run_that_waits_for_a_pipe_can_be_stopped() {
    let scene = furnished();
    let made = Command::new("mkfifo").arg(scene.path("list")).status();
    assert!(made.unwrap().success());
    let mut child = Command::new(program())
        .args(BASE.split_whitespace())
        .args(["-hkl", "list"])
        .current_dir(scene.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    send("INT", &child);
    assert_eq!(end_of(&mut child, A_SECOND), Ok(STOPPED));
    assert_eq!(scene.names(), ["in", "list"]);
}

#[test]
fn a_killed_run_leaves_the_old_images_and_the_next_run_is_none_the_worse() {
    let (scene, before, mut child) = start(LONG);
    send("KILL", &child);
    assert_eq!(end_of(&mut child, A_SECOND), Ok(None));
    for (name, bytes) in before {
        assert_eq!(
            fs::read(scene.path(&name)).unwrap_or_default(),
            bytes,
            "{name}"
        );
    }
    // A killed process cannot delete its files. The files are hidden, and their names mark them.
    assert_eq!(parts(&scene), OUTPUTS.len());
    let ended = crate::case::run_line(&scene, "").unwrap();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let scene = furnished();
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(program())
        .args(BASE.split_whitespace().chain(LONG.split_whitespace()))
        .current_dir(scene.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while parts(&scene) < OUTPUTS.len() {
        assert_eq!(child.try_wait().unwrap(), None);
        thread::sleep(Duration::from_millis(5));
    }
    send("HUP", &child);
    assert!(
        end_of_or_running(&mut child, Duration::from_millis(1500)),
        "it stopped"
    );
    send("TERM", &child);
    assert_eq!(end_of(&mut child, A_SECOND), Ok(STOPPED));
}

/// Whether the process still runs after `wait`.
#[cfg(target_os = "linux")]
fn end_of_or_running(child: &mut Child, wait: Duration) -> bool {
    thread::sleep(wait);
    child.try_wait().unwrap().is_none()
}
