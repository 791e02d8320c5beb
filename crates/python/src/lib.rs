//! nanoBragg for Python: the compiled part of the package `nanobragg`.
//!
//! The Python interface has the flags of the command line. An experiment is a list of flags, given as a
//! command line or as keyword arguments. The parser, the messages and the defaults are those of
//! `nanobragg-cli`.
//!
//! | module | content |
//! |---|---|
//! | `flags` | keyword arguments to words of a command line |
//! | `experiment` | the class `Experiment`: construction, copies with other flags, pickling |
//! | `pickle` | the same as text, as a dict and as a pickle |
//! | `describe` | views of a resolved experiment: geometry, crystal, beam, structure factors |
//! | `render` | `render`, `simulate` |
//! | `glance` | the small picture of an experiment |
//! | `gradient` | `jacobian`, `jvp`, `vjp`, `hvp` |
//! | `refine` | `refine` |
//! | `counts` | `add_noise`, `counts` |
//! | `compare` | `compare` |
//! | `files` | readers and writers of images |
//! | `reflections` | readers and writers of structure factors |
//! | `truth` | `truth` |
//! | `tree` | JSON trees as dicts |
//! | `arrays` | conversion of NumPy arrays |
//! | `sources` | the same for sources, spectra and mosaic domains |
//! | `program` | the command `nanoBragg` that the package installs |
//! | `interrupt` | long work without the interpreter lock, stopped by Ctrl-C |
//! | `errors` | errors of the other crates as Python exceptions with the same text |
//!
//! Images are arrays `[slow][fast]`.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod arrays;
mod compare;
mod counts;
mod describe;
mod errors;
mod experiment;
mod files;
mod flags;
mod glance;
mod gradient;
mod interrupt;
mod pickle;
mod program;
mod refine;
mod reflections;
mod render;
mod sources;
mod tree;
mod truth;

/// The module `nanobragg._nanobragg`. The package re-exports its names without an underscore.
#[pyo3::pymodule]
mod _nanobragg {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::compare::compare;
    #[pymodule_export]
    use crate::counts::{add_noise, counts};
    #[pymodule_export]
    use crate::experiment::Experiment;
    #[pymodule_export]
    use crate::files::{read_header, read_image, read_mask, write_image};
    #[pymodule_export]
    use crate::flags::flags;
    #[pymodule_export]
    use crate::glance::glance;
    #[pymodule_export]
    use crate::gradient::{hvp, jacobian, jvp, parameters, vjp};
    #[pymodule_export]
    use crate::pickle::restored;
    #[pymodule_export]
    use crate::program::program;
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
        // The package has the list of public names.
        module.delattr("__all__")
    }
}
