//! The companion programs, compared with the files of the C programs.

use nanobragg_tests::toolbox::cases;

#[test]
fn both_programs_have_cases() {
    assert_eq!((cases("noisify").len(), cases("nonbragg").len()), (54, 61));
}

/// Runs all cases of a program. Every byte of every file must be that of the C program.
fn judge(program: &str) {
    let faults: Vec<String> = cases(program)
        .iter()
        .flat_map(|case| case.faults())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn noisify_gives_the_files_of_the_c_program() {
    judge("noisify");
}
