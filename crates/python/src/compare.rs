//! Images held against each other.

use nanobragg::compare::{Comparison, Tolerance};
use nanobragg::io::Image;
use pyo3::prelude::*;

use crate::arrays;
use crate::errors::{Exception, of_run};
use crate::tree::to_python;

/// Compare image `b` with image `a`, which is what there should be.
///
/// The figures of `nanoBragg compare`.
///
/// Parameters
/// ----------
/// a, b : array_like
///     Images as `render` returns them, of several panels too. Numbers are compared as float32.
/// tolerance : float, optional
///     How far `b` may be from `a`, 1e-6 if it is not given: `|a - b| <= T |a| + T/1000 brightest |a|`.
///
/// Returns
/// -------
/// dict
///     `total` and `brightest` of either, and the figures that docs/COMPARE.md of the source tells of.
///     Places have a `panel` where there are several, from 0.
///
/// Raises
/// ------
/// RunError
///     For images that do not cover each other.
#[pyfunction]
#[pyo3(signature = (a, b, *, tolerance=None))]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    tolerance: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let images = |value| -> PyResult<Vec<Image<f32>>> {
        let images = arrays::images(value)?;
        Ok(images
            .iter()
            .map(|image| image.map(|&pixel| pixel as f32))
            .collect())
    };
    let (a, b) = (images(a)?, images(b)?);
    let tolerance = tolerance.map(Tolerance::new).transpose();
    let tolerance = tolerance.map_err(|error| Exception::Usage.says(py, error))?;
    let tolerance = tolerance.unwrap_or_default();
    let found = py.detach(|| Comparison::of_panels(&a, &b, tolerance));
    let found = found.map_err(|error| of_run(py, &error.into()))?;
    let figures = to_python(py, &found.to_tree(tolerance))?;
    figures.set_item("total", found.totals)?;
    figures.set_item("brightest", found.brightest)?;
    Ok(figures)
}
