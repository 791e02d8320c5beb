//! A small picture of an experiment.

use std::sync::PoisonError;

use nanobragg::io::png;
use nanobragg_cli::{RunError, options};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{of_io, of_run};
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// A picture that was drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    side: usize,
    png: Vec<u8>,
    is_rendered: bool,
    reflections: usize,
}

/// A picture as PNG of at most `side` pixels along each edge, whether it is of the image or of the probable places of
/// reflections only, and about how many there are. It takes a fraction of a second, and nothing the second time.
#[pyfunction(name = "_glance")]
pub(crate) fn glance<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    side: usize,
) -> PyResult<(Bound<'py, PyBytes>, bool, usize)> {
    let experiment = experiment.get();
    // A notebook asks for the picture in each of its forms.
    let kept = || {
        experiment
            .drawn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let known = kept().clone().filter(|known| known.side == side);
    let drawn = match known {
        Some(drawn) => drawn,
        None => {
            let drawn = draw(py, experiment, side)?;
            *kept() = Some(drawn.clone());
            drawn
        }
    };
    Ok((
        PyBytes::new(py, &drawn.png),
        drawn.is_rendered,
        drawn.reflections,
    ))
}

fn draw(py: Python<'_>, experiment: &Experiment, side: usize) -> PyResult<Drawn> {
    let resolved = &experiment.job().resolved.experiment;
    let found = interruptible(py, |cancel| -> Result<_, RunError> {
        Ok(nanobragg::glance(
            resolved,
            side,
            &options(&experiment.args, None, cancel)?,
        )?)
    })?;
    let found = found.map_err(|error| of_run(py, &error))?;
    let mut bytes = Vec::new();
    png::write(&mut bytes, &found.picture, png::Grey::Logarithmic)
        .map_err(|error| of_io(py, error))?;
    Ok(Drawn {
        side,
        png: bytes,
        is_rendered: found.is_rendered,
        reflections: found.reflections,
    })
}
