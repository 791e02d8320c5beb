//! `nanoBragg`: absolute X-ray scattering from a small perfect crystal to an area detector.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let name = PathBuf::from(words.next().unwrap_or_default());
    let words: Vec<OsString> = words.collect();
    ExitCode::from(nanobragg_cli::program::main(&name, &words))
}
