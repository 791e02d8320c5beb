//! Outputs that cannot be written, or would overwrite an input or another output.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;

use nanobragg_tests::binary::Scene;

use crate::case::Accept::{As, No, Warn};
use crate::case::{
    BASE, Case, OLD, OUTPUTS, check_all, contents, furnished, limited, run, run_line,
};

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_run() {
    check_all(CASES);
}

#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    // Places where no file can be written.
    ("-floatfile missing/a", No("cannot create missing/a: ")),
    ("-intfile missing/a", No("cannot create missing/a: ")),
    ("-pgmfile missing/a", No("cannot create missing/a: ")),
    ("-noisefile missing/a", No("cannot create missing/a: ")),
    ("-pngfile missing/a", No("cannot create missing/a: ")),
    ("-cbffile missing/a", No("cannot create missing/a: ")),
    ("-tiffile missing/a", No("cannot create missing/a: ")),
    ("-nexusfile missing/a", No("cannot create missing/a: ")),
    ("-floatfile a.cbf", No("a.cbf: a CBF holds whole numbers; give -floatfile a .tif, .h5 or .nxs")),
    ("-curved_det -intfile a.cbf", No("the detector is curved")),
    ("-curved_det -noisefile a.tif", No("the detector is curved")),
    ("-detector_rotx 1 -nexusfile a.nxs -cbffile a.cbf", Warn("the miniCBF lines of a CBF cannot state", "-detector_rotx 1")),
    ("-floatfile .", No(". is a folder, not a file")),
    ("-intfile in/folder.img", No("in/folder.img is a folder, not a file")),
    ("-noisefile ..", No(".. is a folder, not a file")),
    ("-pgmfile /", No("/ is a folder, not a file")),
    ("-pgmfile image.pgm/", No("cannot create image.pgm/: ")),
    ("-floatfile intimage.img/a", No("cannot create intimage.img/a: ")),
    ("-noisefile /proc/a", No("cannot create /proc/a: ")),
    ("-floatfile in/circle.img", No("cannot create in/circle.img: ")),
    // A full disk.
    ("-floatfile /dev/full", No("cannot write /dev/full: ")),
    ("-intfile /dev/full", No("cannot write /dev/full: ")),
    ("-pgmfile /dev/full", No("cannot write /dev/full: ")),
    ("-noisefile /dev/full", No("cannot write /dev/full: ")),
    ("-pngfile /dev/full", No("cannot write /dev/full: ")),
    ("-cbffile /dev/full", No("cannot write /dev/full: ")),
    ("-tiffile /dev/full", No("cannot write /dev/full: ")),
    ("-nexusfile /dev/full", No("cannot write /dev/full: ")),
    // One file for two outputs.
    ("-floatfile a -intfile a", No("a: -intfile would overwrite what -floatfile names")),
    ("-intfile a -pgmfile ./a", No("-pgmfile would overwrite what -intfile names")),
    ("-pgmfile a -noisefile .//a", No("-noisefile would overwrite what -pgmfile names")),
    ("-floatfile intimage.img", No("-intfile would overwrite what -floatfile names")),
    ("-pngfile image.pgm", No("-pngfile would overwrite what -pgmfile names")),
    ("-noisefile floatimage.bin", No("-noisefile would overwrite what -floatfile names")),
    ("-floatfile in/dangling.img -intfile in/nowhere", No("-intfile would overwrite what -floatfile names")),
    ("-cbffile a -nexusfile a", No("a: -nexusfile would overwrite what -cbffile names")),
    ("-tiffile intimage.img", No("-tiffile would overwrite what -intfile names")),
    ("-hkl in/good.hkl -floatfile in/good.hkl", No("-floatfile would overwrite what -hkl names")),
    ("-hkl in/good.hkl -noisefile in/good.hkl", No("-noisefile would overwrite what -hkl names")),
    ("-mat in/good.mat -intfile in/good.mat", No("-intfile would overwrite what -mat names")),
    ("-sourcefile in/good.src -pgmfile in/good.src", No("-pgmfile would overwrite what -sourcefile names")),
    ("-img in/good.img -intfile in/good.img", No("-intfile would overwrite what -img names")),
    ("-mask in/good.img -noisefile in/./good.img", No("-noisefile would overwrite what -mask names")),
    ("-dump in/good.dump -floatfile in/good.dump", No("-floatfile would overwrite what -dump names")),
    ("-hkl in/good.hkl -dump in/good.hkl", No("-dump would overwrite what -hkl names")),
    ("-hkl in/good.hkl -mat in/good.mat -dump in/good.mat", No("-dump would overwrite what -mat names")),
    ("-hkl in/good.hkl -img in/good.img -dump in/good.img", No("-dump would overwrite what -img names")),
    ("-hkl in/good.hkl -dump floatimage.bin", No("-floatfile would overwrite what -dump names")),
    ("-hkl in/good.hkl -floatfile Fdump.bin", No("-floatfile would overwrite what -dump names")),
    // A dump is optional: a run succeeds without it.
    ("-hkl in/good.hkl -dump missing/a", Warn("not kept for the next run: cannot create missing/a", "-hkl in/wordy.hkl")),
    ("-hkl in/good.hkl -dump .", Warn("not kept for the next run: . is a folder", "-hkl in/wordy.hkl")),
    ("-hkl in/good.hkl -dump /proc/a", Warn("not kept for the next run: cannot create /proc/a", "-hkl in/wordy.hkl")),
    ("-hkl in/good.hkl -dump /dev/full", Warn("not kept for the next run: cannot write /dev/full", "-hkl in/wordy.hkl")),
    ("-hkl in/good.hkl -dump /dev/null", As("-hkl in/wordy.hkl")),
];

/// The images of the base line, for comparison.
fn good_images() -> Vec<Vec<u8>> {
    let scene = furnished();
    assert_eq!(run_line(&scene, "").unwrap().status, Some(0));
    OUTPUTS.iter().map(|name| scene.read(name)).collect()
}

fn images(scene: &Scene) -> Vec<Vec<u8>> {
    OUTPUTS.iter().map(|name| scene.read(name)).collect()
}

fn base() -> impl Iterator<Item = &'static str> {
    BASE.split_whitespace()
}

/// Whether permissions bind this process; they do not bind root.
fn permissions_bind() -> bool {
    let scene = Scene::empty();
    scene.write("a", "");
    fs::set_permissions(scene.path("a"), Permissions::from_mode(0o000)).unwrap();
    fs::read(scene.path("a")).is_err()
}

#[test]
fn a_failed_write_of_the_last_output_leaves_the_first_as_it_was() {
    let scene = furnished();
    for name in OUTPUTS {
        scene.write(name, OLD);
    }
    let before = contents(&scene);
    let ended = run_line(&scene, "-noisefile /dev/full").unwrap();
    assert_eq!(ended.status, Some(1), "{}", ended.stderr);
    assert_eq!(contents(&scene), before);
}

#[test]
fn files_without_permission_are_refused() {
    if !permissions_bind() {
        return;
    }
    let scene = furnished();
    scene.write("floatimage.bin", OLD);
    scene.write("locked.hkl", "0 0 0 1\n");
    for name in ["floatimage.bin", "locked.hkl"] {
        fs::set_permissions(scene.path(name), Permissions::from_mode(0o000)).unwrap();
    }
    for (line, culprit) in [
        ("", "cannot create floatimage.bin"),
        ("-hkl locked.hkl", "cannot read locked.hkl"),
    ] {
        let ended = run_line(&scene, line).unwrap();
        assert_eq!(ended.status, Some(1));
        assert!(ended.stderr.contains(culprit), "{}", ended.stderr);
    }
}

#[test]
fn in_a_folder_that_cannot_be_written_the_dump_is_skipped() {
    let scene = furnished();
    let named = ["-floatfile", "-pgmfile", "-intfile", "-noisefile"]
        .into_iter()
        .zip(OUTPUTS);
    let mut command = limited();
    // Even root cannot create files in /proc.
    command
        .args(base())
        .arg("-hkl")
        .arg(scene.path("in/one.hkl"))
        .current_dir("/proc");
    for (flag, name) in named {
        command.arg(flag).arg(scene.path(name));
    }
    let ended = run(&mut command).unwrap();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("warning: the structure factors are not kept"),
        "{}",
        ended.stderr
    );
    assert_eq!(images(&scene), good_images());
}

#[test]
fn paths_may_hold_blanks_and_letters_of_any_kind() {
    let expected = good_images();
    let names: [&[u8]; 4] = [
        b"two words",
        "été 回折".as_bytes(),
        b"not \xff\xfe utf-8",
        b"-dash",
    ];
    for name in names {
        let name = std::ffi::OsStr::from_bytes(name);
        let scene = furnished();
        if fs::create_dir(scene.path(name)).is_err() {
            // Some systems require UTF-8 names.
            continue;
        }
        let hkl = scene.path(name).join("a.hkl");
        fs::write(&hkl, "0 0 0 10\n").unwrap();
        let image = scene.path(name).join(name);
        let mut command = limited();
        command
            .args(base())
            .arg("-hkl")
            .arg(&hkl)
            .arg("-floatfile")
            .arg(&image);
        let ended = run(command.current_dir(scene.path(name))).unwrap();
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        assert_eq!(fs::read(&image).unwrap(), expected[0]);
    }
}

#[test]
fn nobody_listening_is_no_reason_to_stop() {
    let expected = good_images();
    for line in [
        "exec \"$0\" \"$@\" >&-",
        "exec \"$0\" \"$@\" 2>&-",
        "exec \"$0\" \"$@\" >&- 2>&- <&-",
        "exec \"$0\" \"$@\" >/dev/full 2>/dev/full",
        "\"$0\" \"$@\" | true",
        "\"$0\" \"$@\" 2>&1 | true",
    ] {
        let scene = furnished();
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(line)
            .arg(nanobragg_tests::binary::program());
        // A flag that causes a warning, and a flag that prints much.
        command
            .args(base())
            .args(["-coherent", "-printout", "-progress"]);
        command
            .current_dir(scene.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let ended = run(&mut command).unwrap();
        assert_eq!(ended.status, Some(0), "{line}: {}", ended.stderr);
        assert!(
            !ended.stderr.contains("panicked"),
            "{line}: {}",
            ended.stderr
        );
        for _ in 0..500 {
            // The shell waits only for the last command of a pipeline.
            if OUTPUTS.iter().all(|name| scene.path(name).exists()) {
                break;
            }
            thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(images(&scene), expected, "{line}");
    }
}

#[test]
fn help_into_a_closed_pipe_does_not_panic() {
    for line in [
        "\"$0\" -help | true",
        "exec \"$0\" -help >&-",
        "exec \"$0\" -help >/dev/full",
    ] {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(line)
            .arg(nanobragg_tests::binary::program());
        let ended = run(command.stdin(Stdio::null()).stdout(Stdio::null())).unwrap();
        assert_eq!(
            (ended.status, ended.stderr.as_str()),
            (Some(0), ""),
            "{line}"
        );
    }
}

#[test]
fn standard_input_is_not_read() {
    let scene = furnished();
    let mut command = limited();
    command
        .args(base())
        .current_dir(scene.path(""))
        .stdin(Stdio::piped());
    // Standard input stays open: a program that reads it would wait.
    let child = run(&mut command);
    assert_eq!(child.unwrap().status, Some(0));
}

#[test]
fn a_pipe_can_be_an_input_and_an_output() {
    let scene = furnished();
    let made = Command::new("mkfifo")
        .args(["list", "image"])
        .current_dir(scene.path(""))
        .status();
    assert!(made.unwrap().success());
    let mut helpers = ["cat in/one.hkl >list", "cat image >copy"].map(|line| {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(scene.path(""));
        command.spawn().unwrap()
    });
    let ended = run_line(&scene, "-hkl list -floatfile image").unwrap();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    for helper in &mut helpers {
        assert!(helper.wait().unwrap().success());
    }
    assert_eq!(scene.read("copy"), good_images()[0]);
}

#[test]
fn a_small_disk_that_fills_up_leaves_the_old_files() {
    let scene = furnished();
    fs::create_dir(scene.path("disk")).unwrap();
    let disk = scene.path("disk");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&disk)
        .stderr(Stdio::null())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        // Only some computers allow the test to make a disk.
        return;
    }
    fs::write(disk.join("floatimage.bin"), OLD).unwrap();
    let mut command = limited();
    command
        .args(base())
        .args(["-detpixels", "200"])
        .current_dir(&disk);
    let ended = run(&mut command);
    let left: Vec<_> = fs::read_dir(&disk)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let old = fs::read(disk.join("floatimage.bin"));
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.unwrap().success());
    let ended = ended.unwrap();
    assert_eq!(ended.status, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot write floatimage.bin"),
        "{}",
        ended.stderr
    );
    assert_eq!(left, ["floatimage.bin"]);
    assert_eq!(old.unwrap(), OLD);
}

#[test]
fn a_shorter_image_replaces_a_longer_one_in_shared_memory() {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let path = folder.path().join("a.bin");
    fs::write(&path, [7; 10_000]).unwrap();
    let scene = furnished();
    let mut command = limited();
    command
        .args(base())
        .arg("-floatfile")
        .arg(&path)
        .current_dir(scene.path(""));
    assert_eq!(run(&mut command).unwrap().status, Some(0));
    assert_eq!(fs::read(&path).unwrap(), good_images()[0]);
}

#[test]
fn runs_at_once_that_write_the_same_files_leave_complete_ones() {
    let scene = furnished();
    let lines = ["-hkl in/good.hkl", "-hkl in/box.hkl -detpixels 9"];
    let expected = lines.map(|line| {
        let scene = furnished();
        assert_eq!(run_line(&scene, line).unwrap().status, Some(0));
        [scene.read("floatimage.bin"), scene.read("Fdump.bin")]
    });
    thread::scope(|scope| {
        for i in 0..8 {
            let scene = &scene;
            scope.spawn(move || {
                let ended = run_line(scene, lines[i % 2]).unwrap();
                assert_eq!(ended.status, Some(0), "{}", ended.stderr);
            });
        }
    });
    for (i, name) in ["floatimage.bin", "Fdump.bin"].into_iter().enumerate() {
        let left = scene.read(name);
        assert!(expected.iter().any(|files| files[i] == left), "{name}");
    }
    assert!(!scene.names().iter().any(|name| name.contains(".part")));
}

#[test]
fn a_file_protected_against_writing_is_not_replaced() {
    if !permissions_bind() {
        return;
    }
    let scene = furnished();
    scene.write("image.pgm", OLD);
    fs::set_permissions(scene.path("image.pgm"), Permissions::from_mode(0o444)).unwrap();
    assert!(
        OpenOptions::new()
            .write(true)
            .open(scene.path("image.pgm"))
            .is_err()
    );
    assert_eq!(run_line(&scene, "").unwrap().status, Some(1));
    assert_eq!(scene.read("image.pgm"), OLD);
}
