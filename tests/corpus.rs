//! Runs the corpus of every fuzz target through the checks of the fuzzer.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is the library of another package")]
mod targets;

#[test]
fn every_corpus_holds_what_the_targets_promise() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for &(name, target) in targets::TARGETS {
        let mut files: Vec<_> = fs::read_dir(corpora.join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(files.len() >= 4, "{name}");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{}", file.display());
        }
    }
}

#[test]
fn every_part_of_a_corpus_file_holds_too() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for &(name, target) in targets::TARGETS {
        for entry in fs::read_dir(corpora.join(name)).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            let step = bytes.len().div_ceil(200).max(1);
            for end in (0..bytes.len()).step_by(step) {
                target(&bytes[..end]);
            }
        }
    }
}
