//! nanoBragg for Python: the compiled half of the package `nanobragg`.
//!
//! The Python face says what the command line says. An experiment is a list of flags, typed as a
//! command line or given as keyword arguments, and the parser, the messages and the defaults are
//! those of `nanobragg-cli`.
//!
//! | module | what Python sees of it |
//! |---|---|
//! | `flags` | keyword arguments become words of a command line |
//! | `experiment` | the class `Experiment`: made, copied with other flags, pickled |
//! | `describe` | what an experiment came to: geometry, crystal, beam, structure factors |
//! | `render` | `render`, `simulate` |
//! | `gradient` | `jacobian`, `jvp`, `vjp`, `hvp` |
//! | `refine` | `refine` |
//! | `counts` | `add_noise`, `counts` |
//! | `compare` | `compare` |
//! | `files` | readers and writers of images |
//! | `reflections` | readers and writers of structure factors |
//! | `truth` | `truth` |
//! | `tree` | trees of JSON as dicts |
//! | `arrays` | NumPy arrays, in and out |
//! | `interrupt` | long work without the lock of the interpreter, stopped by Ctrl-C |
//! | `errors` | errors of the crates below as Python exceptions with the same text |
//!
//! Arrays are `[slow][fast]`, as everywhere.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod arrays;
mod compare;
mod counts;
mod describe;
mod errors;
mod experiment;
mod files;
mod flags;
mod gradient;
mod interrupt;
mod refine;
mod reflections;
mod render;
mod tree;
mod truth;

/// The module `nanobragg._nanobragg`, of which the package re-exports what has no underscore.
#[pyo3::pymodule]
mod _nanobragg {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::compare::compare;
    #[pymodule_export]
    use crate::counts::{add_noise, counts};
    #[pymodule_export]
    use crate::experiment::{Experiment, restored};
    #[pymodule_export]
    use crate::files::{read_header, read_image, write_image};
    #[pymodule_export]
    use crate::flags::flags;
    #[pymodule_export]
    use crate::gradient::{hvp, jacobian, jvp, parameters, vjp};
    #[pymodule_export]
    use crate::refine::refine;
    #[pymodule_export]
    use crate::reflections::{read_hkl, write_hkl};
    #[pymodule_export]
    use crate::render::{render, simulate};
    #[pymodule_export]
    use crate::truth::truth;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // What is for others to see is listed by the package.
        module.delattr("__all__")
    }
}
