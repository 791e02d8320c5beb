//! `abandon_all` stops all outputs of a process, so its test needs a process of its own.

use std::fs;
use std::io::Write;

use nanobragg_io::{Output, replace};

#[test]
fn abandoned_outputs_leave_no_file_and_cannot_be_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old"), "old").unwrap();
    let mut finished = Output::create(path("finished")).unwrap();
    finished.write_all(b"whole").unwrap();
    finished.commit().unwrap();
    let mut unfinished = Output::create(path("old")).unwrap();
    unfinished.write_all(b"half").unwrap();

    replace::abandon_all();

    let count = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(count, 2, "the temporary file is gone");
    assert!(unfinished.commit().is_err());
    assert!(Output::create(path("new")).is_err());
    assert_eq!(fs::read(path("old")).unwrap(), b"old");
    assert_eq!(fs::read(path("finished")).unwrap(), b"whole");
    assert!(!path("new").exists());
}
