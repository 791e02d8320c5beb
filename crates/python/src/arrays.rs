//! NumPy arrays, in and out.

use std::sync::Arc;

use nanobragg::crystal::Reflection;
use nanobragg::io::Image;
use nanobragg::{Error, Hkl, Mask};
use numpy::ndarray::Array2;
use numpy::{
    AllowTypeChange, Element, IntoPyArray, PyArray1, PyArray2, PyArrayLike1, PyArrayLike2,
};
use pyo3::prelude::*;

use crate::errors::{Exception, of_io, of_run};
use crate::experiment::Experiment;

/// Indices `[n][3]` and amplitudes `[n]`.
pub(crate) type HklArrays<'py> = (Bound<'py, PyArray2<i32>>, Bound<'py, PyArray1<f64>>);

/// An array `[slow][fast]` that takes over the pixels of an image.
///
/// # Errors
/// None that an image can have.
pub(crate) fn of_image<T: Element>(
    py: Python<'_>,
    image: Image<T>,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    of_rows(py, [image.slow(), image.fast()], image.into_pixels())
}

/// An array `[slow][fast]` that takes over `values`.
///
/// # Errors
/// If they are not as many as the sides say.
pub(crate) fn of_rows<T: Element>(
    py: Python<'_>,
    [slow, fast]: [usize; 2],
    values: Vec<T>,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let array = Array2::from_shape_vec((slow, fast), values)
        .map_err(|error| Exception::Run.says(py, error))?;
    Ok(array.into_pyarray(py))
}

/// The image in an array `[slow][fast]`. Its pixels are copied, since Python may change them while
/// other threads run.
///
/// # Errors
/// Where it has no pixels.
pub(crate) fn image<T: Element + Copy>(
    array: &PyArrayLike2<'_, T, AllowTypeChange>,
) -> PyResult<Image<T>> {
    let view = array.as_array();
    let (slow, fast) = view.dim();
    let pixels = view.iter().copied().collect();
    Image::new(fast, slow, pixels).map_err(|error| of_io(array.py(), error))
}

/// The image in anything like an array `[slow][fast]`, and whether its numbers are of an integer
/// type.
///
/// # Errors
/// Where it has no numbers, or no pixels.
pub(crate) fn numbers(value: &Bound<'_, PyAny>) -> PyResult<(Image<f64>, bool)> {
    let array = value
        .py()
        .import("numpy")?
        .call_method1("asarray", (value,))?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let numbers: PyArrayLike2<'_, f64, AllowTypeChange> = array.extract()?;
    Ok((image(&numbers)?, matches!(kind.as_str(), "i" | "u" | "b")))
}

/// Makes sure that an image is of the detector of `experiment`.
///
/// # Errors
/// [`Error::ImageSides`] with both.
pub(crate) fn same_sides<T>(
    py: Python<'_>,
    image: &Image<T>,
    experiment: &Experiment,
) -> PyResult<()> {
    let (slow, fast) = experiment.sides();
    let (a, b) = ([image.fast(), image.slow()], [fast, slow]);
    if a != b {
        return Err(of_run(py, &Error::ImageSides { a, b }.into()));
    }
    Ok(())
}

/// The mask that an array `[slow][fast]` is: pixels that are not 0 are rendered.
///
/// # Errors
/// Where it is no array of two dimensions with at least a pixel.
pub(crate) fn mask(value: &Bound<'_, PyAny>) -> PyResult<Mask> {
    let array: PyArrayLike2<'_, bool, AllowTypeChange> = value.extract()?;
    let used = image(&array)?;
    Mask::new(used.fast(), used.pixels().to_vec())
        .ok_or_else(|| Exception::Usage.says(value.py(), "-mask: the array has no pixels"))
}

/// A mask as an array `[slow][fast]`.
pub(crate) fn of_mask<'py>(
    py: Python<'py>,
    mask: &Mask,
    rows: usize,
) -> PyResult<Bound<'py, PyArray2<bool>>> {
    let used: Vec<bool> = (0..rows).flat_map(|slow| mask.row(slow)).copied().collect();
    of_rows(py, [rows, mask.pixels_fast()], used)
}

/// The reflections of a pair of arrays: indices `[n][3]`, amplitudes `[n]`.
///
/// # Errors
/// An index that is not whole, an amplitude that is not finite, lengths that differ, or no
/// reflection at all.
pub(crate) fn reflections(value: &Bound<'_, PyAny>) -> PyResult<Arc<[Reflection]>> {
    let py = value.py();
    let refuse = |text: String| Exception::Usage.says(py, format_args!("-hkl: {text}"));
    let (indices, amplitudes): (
        PyArrayLike2<'_, f64, AllowTypeChange>,
        PyArrayLike1<'_, f64, AllowTypeChange>,
    ) = value.extract().map_err(|error| {
        let refused = refuse(
            "give the name of a file, or a pair of arrays: indices of shape (n, 3), amplitudes of \
             shape (n,)"
                .to_owned(),
        );
        refused.set_cause(py, Some(error));
        refused
    })?;
    let (indices, amplitudes) = (indices.as_array(), amplitudes.as_array());
    let (count, columns) = indices.dim();
    if columns != 3 || count != amplitudes.len() {
        return Err(refuse(format!(
            "indices of shape ({count}, {columns}) and {} amplitudes do not make a list of \
             reflections",
            amplitudes.len()
        )));
    }
    if count == 0 {
        return Err(refuse("the list of reflections is empty".to_owned()));
    }
    let mut list = Vec::with_capacity(count);
    for (n, (row, &amplitude)) in indices.rows().into_iter().zip(&amplitudes).enumerate() {
        let mut hkl = [0; 3];
        for (index, &number) in hkl.iter_mut().zip(row) {
            *index = whole(number).ok_or_else(|| {
                refuse(format!(
                    "{number} in reflection {n} is no whole number that an index can be"
                ))
            })?;
        }
        if !amplitude.is_finite() {
            return Err(refuse(format!(
                "{amplitude} in reflection {n} is no finite amplitude"
            )));
        }
        list.push(Reflection {
            hkl: Hkl(hkl),
            amplitude,
        });
    }
    Ok(list.into())
}

/// The index that a number is.
fn whole(number: f64) -> Option<i32> {
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    (fits && number.fract() == 0.0).then_some(number as i32)
}

/// Indices `[n][3]` and amplitudes `[n]` of reflections.
pub(crate) fn of_reflections<'py>(
    py: Python<'py>,
    list: &[Reflection],
) -> PyResult<HklArrays<'py>> {
    let indices: Vec<i32> = list
        .iter()
        .flat_map(|reflection| reflection.hkl.0)
        .collect();
    let amplitudes: Vec<f64> = list.iter().map(|reflection| reflection.amplitude).collect();
    Ok((
        of_rows(py, [list.len(), 3], indices)?,
        amplitudes.into_pyarray(py),
    ))
}
