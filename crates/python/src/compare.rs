//! Comparison of images.

use nanobragg::compare::{Comparison, Tolerance};
use nanobragg::io::Image;
use pyo3::prelude::*;

use crate::arrays;
use crate::errors::{Exception, of_run};
use crate::tree::to_python;

/// Compare image `b` with the reference image `a`.
///
/// The results are those of `nanoBragg compare`.
///
/// Parameters
/// ----------
/// a, b : array_like
///     Images in the form that `render` returns, also of several panels. Numbers are compared as float32.
/// tolerance : float, optional
///     Allowed difference, 1e-6 by default: `|a - b| <= T |a| + T/1000 brightest |a|`.
///
/// Returns
/// -------
/// dict
///     `total` and `brightest` of both images, and the results that docs/COMPARE.md of the source
///     explains. If there are several panels, positions have a `panel`, counted from 0.
///
/// Raises
/// ------
/// RunError
///     If the shapes of the images differ.
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
