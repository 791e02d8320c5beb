//! Sources, spectra and mosaic domains in NumPy arrays.

use nanobragg::{Source, SourceList};
use numpy::ndarray::ArrayView1;
use numpy::{
    AllowTypeChange, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayLike1, PyArrayLike2,
    PyArrayLike3, PyArrayMethods,
};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::arrays::of_rows;
use crate::errors::Exception;
use crate::tree::from_python;

/// The sources of an array `[n][5]` with the columns of a source file, or of a list of dicts with the
/// fields of an experiment file.
///
/// # Errors
/// If there are no sources, or if a source is not possible.
pub(crate) fn sources(value: &Bound<'_, PyAny>) -> PyResult<SourceList> {
    let refuse = |text: String| Exception::Usage.says(value.py(), format_args!("sources: {text}"));
    let tree = match value.extract::<PyArrayLike2<'_, f64, AllowTypeChange>>() {
        Ok(array) => {
            let row = |row: ArrayView1<'_, f64>| match row.to_vec()[..] {
                [x, y, z, weight, wavelength_m] => Ok(json!({
                    "position_m": [x, y, z],
                    "weight": weight,
                    // As text with its unit, the number keeps all bits.
                    "wavelength_angstrom": format!("{wavelength_m:?} m"),
                })),
                _ => Err(refuse(format!(
                    "rows of {} numbers; give X Y Z (m), weight, wavelength (m)",
                    row.len()
                ))),
            };
            array
                .as_array()
                .rows()
                .into_iter()
                .map(row)
                .collect::<PyResult<Value>>()?
        }
        Err(_) => from_python(value)?,
    };
    serde_json::from_value(tree).map_err(|error| refuse(error.to_string()))
}

/// Sources as an array `[n][5]`: X, Y, Z in m, weight, wavelength in m.
pub(crate) fn of_sources<'py>(
    py: Python<'py>,
    sources: &[Source],
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let row = |source: &Source| {
        let [x, y, z] = source.position_m;
        [x, y, z, source.recorded_weight, source.wavelength_m]
    };
    of_rows(
        py,
        [sources.len(), 5],
        sources.iter().flat_map(row).collect(),
    )
}

/// The rows of a spectrum, each with an energy in eV and its weights, of a pair of arrays: energies `[n]`, and weights
/// `[n]`, or `[n][spectrum]` of several spectra.
///
/// # Errors
/// If the shapes are others, or a number is not finite.
pub(crate) fn spectrum(value: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<f64>>> {
    let refuse = |text: String| Exception::Usage.says(value.py(), format_args!("spectrum: {text}"));
    let shapes = || {
        refuse(
            "give a name, a file, or a pair of arrays: energies (eV) of shape (n,), weights of shape (n,) or \
             (n, spectra)"
                .to_owned(),
        )
    };
    let (energies, weights): (PyArrayLike1<'_, f64, AllowTypeChange>, Bound<'_, PyAny>) =
        value.extract().map_err(|_| shapes())?;
    let columns: Vec<Vec<f64>> = match weights.extract::<PyArrayLike1<'_, f64, AllowTypeChange>>() {
        Ok(weights) => weights
            .as_array()
            .iter()
            .map(|&weight| vec![weight])
            .collect(),
        Err(_) => {
            let weights: PyArrayLike2<'_, f64, AllowTypeChange> =
                weights.extract().map_err(|_| shapes())?;
            let weights = weights.as_array();
            weights.rows().into_iter().map(|row| row.to_vec()).collect()
        }
    };
    let energies = energies.as_array();
    if energies.len() != columns.len() {
        let (energies, weights) = (energies.len(), columns.len());
        return Err(refuse(format!("{energies} energies and {weights} weights")));
    }
    let rows = energies.iter().zip(columns);
    let rows = rows.map(|(&energy, weights)| [vec![energy], weights].concat());
    finite(rows.collect()).map_err(refuse)
}

/// Energies `[n]` and weights `[n][spectrum]`.
type Spectrum<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>);

/// A spectrum in the form that [`spectrum`] accepts.
pub(crate) fn of_spectrum<'py>(py: Python<'py>, rows: &[Vec<f64>]) -> PyResult<Spectrum<'py>> {
    let split = rows.iter().filter_map(|row| row.split_first());
    let (energies, weights): (Vec<f64>, Vec<&[f64]>) = split.unzip();
    let columns = weights.first().map_or(0, |weights| weights.len());
    let weights = of_rows(py, [rows.len(), columns], weights.concat())?;
    Ok((energies.into_pyarray(py), weights))
}

/// The rows of mosaic domains, each with the nine numbers of a rotation and perhaps a weight, of an array
/// `[n][3][3]`, or of a pair of this and weights `[n]`.
///
/// # Errors
/// If the shapes are others, or a number is not finite.
pub(crate) fn matrices(value: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<f64>>> {
    let refuse =
        |text: String| Exception::Usage.says(value.py(), format_args!("mosaic_matrices: {text}"));
    type Matrices<'py> = PyArrayLike3<'py, f64, AllowTypeChange>;
    type Weights<'py> = PyArrayLike1<'py, f64, AllowTypeChange>;
    let (matrices, weights) = match value.extract::<Matrices<'_>>() {
        Ok(matrices) => (matrices, None),
        Err(_) => {
            let pair = value.extract::<(Matrices<'_>, Weights<'_>)>();
            let (matrices, weights) = pair.map_err(|_| {
                refuse(
                    "give an array of shape (n, 3, 3), or a pair of this and weights of shape (n,)"
                        .to_owned(),
                )
            })?;
            (matrices, Some(weights))
        }
    };
    let matrices = matrices.as_array();
    let (count, 3, 3) = matrices.dim() else {
        return Err(refuse(format!(
            "shape {:?}, expected (n, 3, 3)",
            matrices.shape()
        )));
    };
    let mut rows: Vec<Vec<f64>> = (matrices.outer_iter())
        .map(|matrix| matrix.iter().copied().collect())
        .collect();
    if let Some(weights) = weights {
        let weights = weights.as_array();
        if weights.len() != count {
            let weights = weights.len();
            return Err(refuse(format!("{count} matrices and {weights} weights")));
        }
        for (row, &weight) in rows.iter_mut().zip(&weights) {
            row.push(weight);
        }
    }
    finite(rows).map_err(refuse)
}

/// Mosaic domains in the form that [`matrices`] accepts.
pub(crate) fn of_matrices<'py>(py: Python<'py>, rows: &[Vec<f64>]) -> PyResult<Bound<'py, PyAny>> {
    let numbers: Vec<f64> = rows
        .iter()
        .flat_map(|row| row.iter().take(9))
        .copied()
        .collect();
    let matrices: Bound<'py, PyArray3<f64>> =
        numbers.into_pyarray(py).reshape([rows.len(), 3, 3])?;
    let weights: Vec<f64> = rows.iter().filter_map(|row| row.get(9)).copied().collect();
    match weights.len() {
        0 => Ok(matrices.into_any()),
        _ => Ok((matrices, weights.into_pyarray(py))
            .into_pyobject(py)?
            .into_any()),
    }
}

/// The rows, unless a number is not finite.
fn finite(rows: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, String> {
    for (n, row) in rows.iter().enumerate() {
        if let Some(number) = row.iter().find(|number| !number.is_finite()) {
            return Err(format!("{number} in number {n} is no finite number"));
        }
    }
    if rows.is_empty() {
        return Err("the arrays are empty".to_owned());
    }
    Ok(rows)
}
