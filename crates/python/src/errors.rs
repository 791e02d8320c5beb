//! Converts errors of the other crates to Python exceptions with the same text.

use nanobragg::{crystal, io, sources, structure};
use nanobragg_cli::RunError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The exceptions that `nanobragg/_errors.py` defines.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Exception {
    /// An unknown flag or a value that is not allowed.
    Usage,
    /// A file that cannot be read, parsed or written.
    File,
    /// An experiment that is not possible or cannot be rendered.
    Run,
}

impl Exception {
    fn name(self) -> &'static str {
        match self {
            Self::Usage => "UsageError",
            Self::File => "FileError",
            Self::Run => "RunError",
        }
    }

    /// The exception with this text.
    pub(crate) fn says(self, py: Python<'_>, text: impl std::fmt::Display) -> PyErr {
        let raised = class(py, self.name())
            .and_then(|class| class.call1((PyString::new(py, &text.to_string()),)));
        match raised {
            Ok(exception) => PyErr::from_value(exception),
            Err(error) => error,
        }
    }
}

/// A class of `nanobragg/_errors.py`.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("nanobragg._errors")?.getattr(name)
}

/// Issues an `ExperimentWarning` in Python.
pub(crate) fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let message = std::ffi::CString::new(text.replace('\0', ""))?;
    PyErr::warn(py, &class(py, "ExperimentWarning")?, &message, 1)
}

/// The exception for an error in a command line.
pub(crate) fn of_usage(py: Python<'_>, error: &nanobragg_cli::Error) -> PyErr {
    Exception::Usage.says(py, error)
}

/// The exception for a failed run.
pub(crate) fn of_run(py: Python<'_>, error: &RunError) -> PyErr {
    let exception = match error {
        RunError::Simulation(error) if is_about_a_file(error) => Exception::File,
        RunError::LevelNotAvailable { .. } => Exception::Usage,
        _ => Exception::Run,
    };
    exception.says(py, error)
}

/// The exception for an error of an image or its file.
pub(crate) fn of_io(py: Python<'_>, error: io::Error) -> PyErr {
    of_run(py, &error.into())
}

/// Whether the contents or the absence of a file caused the error.
fn is_about_a_file(error: &nanobragg::Error) -> bool {
    match error {
        nanobragg::Error::HeaderValue { .. }
        | nanobragg::Error::Unreadable { .. }
        | nanobragg::Error::FileTooLarge { .. }
        | nanobragg::Error::ExperimentFile { .. }
        | nanobragg::Error::NotJson { .. }
        | nanobragg::Error::FileValue { .. }
        | nanobragg::Error::FileLacks { .. } => true,
        nanobragg::Error::Io(error) => {
            !matches!(error, io::Error::Shape { .. } | io::Error::TooLarge { .. })
        }
        nanobragg::Error::Crystal(error)
        | nanobragg::Error::Structure(structure::Error::Crystal(error)) => matches!(
            error,
            crystal::Error::Unreadable { .. }
                | crystal::Error::EndlessStream { .. }
                | crystal::Error::TooManyReflections { .. }
                | crystal::Error::TooFewColumns { .. }
                | crystal::Error::NotANumber { .. }
                | crystal::Error::NotAnIndex { .. }
                | crystal::Error::NoReflections { .. }
                | crystal::Error::ShortMatrix { .. }
                | crystal::Error::DumpHeader { .. }
                | crystal::Error::DumpLength { .. }
                | crystal::Error::DumpValue { .. }
                | crystal::Error::Symmetry { .. }
                | crystal::Error::Mtz { .. }
                | crystal::Error::Cif(_)
                | crystal::Error::NoColumn { .. }
                | crystal::Error::ColumnKind { .. }
                | crystal::Error::NoFactorColumn { .. }
        ),
        nanobragg::Error::Structure(error) => matches!(
            error,
            structure::Error::Unreadable { .. }
                | structure::Error::EndlessStream { .. }
                | structure::Error::Field { .. }
                | structure::Error::DoubtfulAtoms { .. }
                | structure::Error::Cif(_)
                | structure::Error::NoAtoms { .. }
                | structure::Error::NoCell { .. }
                | structure::Error::NoSpaceGroup { .. }
                | structure::Error::Scale { .. }
                | structure::Error::TooManyCopies { .. }
        ),
        nanobragg::Error::Sources(error) => matches!(
            error,
            sources::Error::Unreadable { .. }
                | sources::Error::EndlessStream { .. }
                | sources::Error::NoSources { .. }
                | sources::Error::NotANumber { .. }
                | sources::Error::ExtraColumn { .. }
                | sources::Error::NoDirection { .. }
                | sources::Error::SourceWavelength { .. }
        ),
        _ => false,
    }
}
