//! Comparison of images.

use nanobragg::compare::{Comparison, LeftOut, Tolerance};
use nanobragg::io::{Image, PixelState};
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
///     Images as `render` returns them, of several panels too. Numbers are compared as float32. Negative
///     numbers of an integer type are marks of gaps and left out.
/// mask : array_like, optional
///     0 where the images are not to be compared.
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
#[pyo3(signature = (a, b, *, mask=None, tolerance=None))]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    mask: Option<&Bound<'py, PyAny>>,
    tolerance: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let images = |value| -> PyResult<Vec<Image<f32>>> {
        let images = arrays::images(value)?;
        Ok(images
            .iter()
            .map(|image| image.map(|&pixel| pixel as f32))
            .collect())
    };
    let (marks_a, marks_b) = (arrays::has_integers(a)?, arrays::has_integers(b)?);
    let (mut a, mut b) = (images(a)?, images(b)?);
    let masks = mask.map(arrays::images).transpose()?;
    let masks = masks
        .iter()
        .flatten()
        .map(Some)
        .chain(std::iter::repeat(None));
    let mut left_out = LeftOut::default();
    for ((a, b), mask) in a.iter_mut().zip(&mut b).zip(masks) {
        let states = [
            states(a, marks_a, mask),
            // The mask counts once.
            states(b, marks_b, None),
        ];
        left_out += LeftOut::from_both([a, b], states);
    }
    let tolerance = tolerance.map(Tolerance::new).transpose();
    let tolerance = tolerance.map_err(|error| Exception::Usage.says(py, error))?;
    let tolerance = tolerance.unwrap_or_default();
    let found = py.detach(|| Comparison::of_panels(&a, &b, tolerance));
    let found = found.map_err(|error| of_run(py, &error.into()))?;
    let found = found.without(left_out);
    let figures = to_python(py, &found.to_tree(tolerance))?;
    figures.set_item("total", found.totals)?;
    figures.set_item("brightest", found.brightest)?;
    Ok(figures)
}

/// The state of each pixel of an array: masked where the mask is 0, or the number a negative count.
fn states(image: &Image<f32>, are_counts: bool, mask: Option<&Image<f64>>) -> Vec<PixelState> {
    let used = mask
        .into_iter()
        .flat_map(|mask| mask.pixels().iter().map(|&used| used != 0.0));
    let pixels = image
        .pixels()
        .iter()
        .zip(used.chain(std::iter::repeat(true)));
    let is_masked = pixels.map(|(&pixel, used)| !used || (are_counts && pixel < 0.0));
    is_masked
        .map(|masked| {
            if masked {
                PixelState::Masked
            } else {
                PixelState::Measured
            }
        })
        .collect()
}
