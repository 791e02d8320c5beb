//! The companion programs, compared with the files of the C programs.

use nanobragg_tests::toolbox::cases;

#[test]
fn both_programs_have_cases() {
    assert_eq!((cases("noisify").len(), cases("nonbragg").len()), (54, 61));
}
