//! Random command lines, whose images are compared with the images of a C binary.
//!
//! The environment variable `NANOBRAGG_C` names the binary. Without it the test does nothing.

use std::path::Path;
use std::process::{Command, Stdio};

use nanobragg_tests::binary::Scene;
use nanobragg_tests::compare::float_fault;
use nanobragg_tests::products::floats;
use nanobragg_tests::strategies::command_lines;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// The number of command lines.
const LINES: u32 = 36;

/// Pixels along both axes.
const EDGE: usize = 24;

#[test]
fn random_command_lines_give_the_images_of_the_c_program() {
    let Some(c) = std::env::var_os("NANOBRAGG_C") else {
        println!("NANOBRAGG_C does not name a C binary: nothing is compared");
        return;
    };
    let config = ProptestConfig {
        cases: LINES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&command_lines(), |line| {
            let line = format!("{line} -detpixels {EDGE} -seed 1 -noprogress");
            let ours = Scene::with_inputs();
            let finished = ours.run_line(&line);
            prop_assert_eq!(finished.status, Some(0), "{}: {}", line, finished.stderr);
            let theirs = Scene::with_inputs();
            run_c(Path::new(&c), &theirs, &line);
            let fault = float_fault(
                "differential",
                EDGE,
                &floats(&theirs.read("floatimage.bin")),
                &floats(&ours.read("floatimage.bin")),
            );
            prop_assert_eq!(fault, None, "{}", line);
            Ok(())
        })
        .unwrap();
}

/// Runs the C binary. It may crash on its own headers after it has written the float image.
fn run_c(program: &Path, scene: &Scene, line: &str) {
    Command::new(program)
        .args(line.split_whitespace())
        .current_dir(scene.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
}
