//! Files on disk, and a dump that the C program wrote.

use nanobragg_crystal::read::{fdump, hkl, matrix};
use nanobragg_crystal::{Error, FactorGrid, GridLimit};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// The C program wrote `tiny.bin` from `tiny.hkl` with `-default_F 10` on a little-endian machine.
#[cfg(target_endian = "little")]
#[test]
fn a_dump_equals_that_of_the_c_program() {
    let list = hkl::read(format!("{DATA}/tiny.hkl")).unwrap();
    let grid = FactorGrid::from_reflections(&list, 10.0, GridLimit::default()).unwrap();
    let path = format!("{DATA}/tiny.bin");
    assert_eq!(fdump::to_bytes(&grid), std::fs::read(&path).unwrap());

    let dumped = fdump::read(&path, 10.0, GridLimit::default()).unwrap();
    assert_eq!(dumped.values(), grid.values());
    assert_eq!(dumped.nearest([1, 1, 2]), -3.0);
    assert_eq!((grid.count_read(), dumped.count_read()), (3, 12));
}

#[test]
fn a_missing_file_is_named() {
    let path = format!("{DATA}/absent");
    for error in [
        hkl::read(&path).unwrap_err(),
        matrix::read(&path).unwrap_err(),
        fdump::read(&path, 0.0, GridLimit::default()).unwrap_err(),
    ] {
        assert!(matches!(&error, Error::Unreadable { .. }));
        assert!(error.to_string().contains(&path));
    }
}
