//! The program, for the command `nanoBragg` that the package installs.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

/// Carry out a command line as the program does, with messages on standard output and standard error.
///
/// Parameters
/// ----------
/// program : path
///     The file that was started.
/// words : list of str
///     The words after its name.
///
/// Returns
/// -------
/// int
///     The exit status.
#[pyfunction]
pub(crate) fn program(py: Python<'_>, program: PathBuf, words: Vec<OsString>) -> u8 {
    py.detach(|| nanobragg_cli::program::main(&program, &words))
}
