//! Derivatives of images by the numbers of an experiment.

use nanobragg::gradient::{self, Parameter};
use nanobragg::{Cancel, RunOptions};
use nanobragg_cli::{RunError, options};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Sides;
use crate::errors::{Exception, of_run};
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// An image, the derivatives by parameters, and the derivatives by structure factors.
type Pulled<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

/// An image and its derivatives.
type ImageAndDerivatives<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The parameters by which an image can be differentiated.
///
/// Structure factors are also parameters, with the name `F(h,k,l)`, and shifts of f' and f'' of an element, as
/// `f_prime(Fe)` and `f_double_prime(Fe)`.
///
/// Returns
/// -------
/// dict of str to str
///     The unit of each parameter, by name.
#[pyfunction]
pub(crate) fn parameters(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let units = PyDict::new(py);
    for parameter in Parameter::ALL {
        units.set_item(parameter.name(), parameter.unit())?;
    }
    Ok(units)
}

/// The parameter of this name.
///
/// # Errors
/// If there is no parameter with this name.
pub(crate) fn named(py: Python<'_>, name: &str) -> PyResult<Parameter> {
    Parameter::from_name(name).ok_or_else(|| {
        let text =
            format!("\"{name}\" is no parameter; nanobragg.parameters() lists them, and F(h,k,l), f_prime(El), f_double_prime(El)");
        Exception::Usage.says(py, text)
    })
}

fn all_named(py: Python<'_>, names: &[String]) -> PyResult<Vec<Parameter>> {
    names.iter().map(|name| named(py, name)).collect()
}

/// Parameters, each with a number.
pub(crate) fn with_numbers(numbers: &Bound<'_, PyDict>) -> PyResult<Vec<(Parameter, f64)>> {
    let pair = |(name, number): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name: String = name.extract()?;
        Ok((named(numbers.py(), &name)?, number.extract()?))
    };
    numbers.iter().map(pair).collect()
}

/// Runs a long computation with the options in the flags of the experiment.
fn differentiated<T: Send>(
    py: Python<'_>,
    experiment: &Experiment,
    threads: Option<Bound<'_, PyAny>>,
    work: impl FnOnce(&RunOptions<'_>) -> Result<T, nanobragg::Error> + Send,
) -> PyResult<T> {
    let args = experiment.args_with(py, &[("threads", threads)])?;
    let work =
        |cancel: &Cancel| -> Result<T, RunError> { Ok(work(&options(&args, None, cancel)?)?) };
    interruptible(py, work)?.map_err(|error| of_run(py, &error))
}

/// The image and its derivative by each of several parameters, in one pass.
///
/// Derivatives are exact. Other Python threads run during the computation. Ctrl-C stops it.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// parameters : sequence of str
///     Names as in `parameters()`, or `F(h,k,l)`.
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// image : numpy.ndarray
///     Photons per pixel, float64, in the shape of an image.
/// derivatives : numpy.ndarray
///     Photons per pixel and unit of the parameter, float64, shape (parameters, slow, fast). For several
///     panels the shape is (parameters, panel, slow, fast), or the result is a list with an array for
///     each panel.
///
/// Raises
/// ------
/// RunError
///     For a parameter by which the image has no derivative.
#[pyfunction]
#[pyo3(signature = (experiment, parameters, *, threads=None))]
pub(crate) fn jacobian<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    parameters: Vec<String>,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<ImageAndDerivatives<'py>> {
    let experiment = experiment.get();
    let parameters = all_named(py, &parameters)?;
    let spec = experiment.spec();
    let rendered = differentiated(py, experiment, threads, |options| {
        gradient::render_jacobian(spec, &parameters, options)
    })?;
    let sides = Sides::of(experiment);
    let derivatives = sides.to_python(py, &[parameters.len()], rendered.derivatives)?;
    Ok((sides.to_python(py, &[], rendered.photons)?, derivatives))
}

/// The image and its derivative along one direction.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// direction : dict of str to float
///     The component of the direction by each parameter.
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// image, derivative : numpy.ndarray
///     Photons per pixel, and the sum of component times derivative; float64, in the shape of an image.
///
/// Raises
/// ------
/// RunError
///     For a parameter by which the image has no derivative.
#[pyfunction]
#[pyo3(signature = (experiment, direction, *, threads=None))]
pub(crate) fn jvp<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    direction: &Bound<'py, PyDict>,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<ImageAndDerivatives<'py>> {
    let experiment = experiment.get();
    let direction = with_numbers(direction)?;
    let spec = experiment.spec();
    let rendered = differentiated(py, experiment, threads, |options| {
        gradient::render_jvp(spec, &direction, options)
    })?;
    let sides = Sides::of(experiment);
    Ok((
        sides.to_python(py, &[], rendered.photons)?,
        sides.to_python(py, &[], rendered.derivative)?,
    ))
}

/// The derivatives of a number L by parameters and structure factors, from its derivatives by every
/// pixel.
///
/// The time is little more than that of one image, for any number of parameters.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// weights : array_like
///     dL/dpixel, in the shape of an image.
/// parameters : sequence of str, optional
///     Names as in `parameters()`, or `F(h,k,l)`.
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// image : numpy.ndarray
///     Photons per pixel, float64, in the shape of an image.
/// by_parameters : numpy.ndarray
///     dL by each parameter.
/// by_factors : numpy.ndarray
///     dL by each of `experiment.structure_factors`.
///
/// Raises
/// ------
/// RunError
///     For a parameter by which the image has no derivative.
#[pyfunction]
#[pyo3(signature = (experiment, weights, parameters=Vec::new(), *, threads=None))]
pub(crate) fn vjp<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    weights: &Bound<'py, PyAny>,
    parameters: Vec<String>,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<Pulled<'py>> {
    let experiment = experiment.get();
    let parameters = all_named(py, &parameters)?;
    let sides = Sides::of(experiment);
    let weights: Vec<f64> = sides.pixels(weights)?;
    let spec = experiment.spec();
    let pulled = differentiated(py, experiment, threads, |options| {
        gradient::render_vjp(spec, &weights, &parameters, options)
    })?;
    Ok((
        sides.to_python(py, &[], pulled.photons)?,
        pulled.parameters.into_pyarray(py),
        PyArray1::from_slice(py, pulled.factors.derivatives()),
    ))
}

/// The change of the weighted sum of derivatives along a direction.
///
/// This is the product of a direction with the second derivatives of the image, summed with weights over
/// the pixels. If a number L is linear in the image, it is the product of the Hessian of L with the
/// direction.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// weights : array_like
///     dL/dpixel, in the shape of an image.
/// parameters : sequence of str
///     Names as in `parameters()`, or `F(h,k,l)`.
/// direction : dict of str to float
///     The component of the direction by each parameter.
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// numpy.ndarray
///     One number for each of `parameters`.
///
/// Raises
/// ------
/// RunError
///     For a parameter by which the image has no derivative.
#[pyfunction]
#[pyo3(signature = (experiment, weights, parameters, direction, *, threads=None))]
pub(crate) fn hvp<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    weights: &Bound<'py, PyAny>,
    parameters: Vec<String>,
    direction: &Bound<'py, PyDict>,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let experiment = experiment.get();
    let parameters = all_named(py, &parameters)?;
    let direction = with_numbers(direction)?;
    let weights: Vec<f64> = Sides::of(experiment).pixels(weights)?;
    let spec = experiment.spec();
    let product = differentiated(py, experiment, threads, |options| {
        gradient::render_hvp(spec, &weights, &parameters, &direction, options)
    })?;
    Ok(product.into_pyarray(py))
}
