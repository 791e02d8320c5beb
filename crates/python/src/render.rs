//! Rendering the image of an experiment.

use nanobragg::{Cancel, Oddity, Simulated};
use nanobragg_cli::{RunError, options, report};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Sides;
use crate::errors::{of_run, warn};
use crate::experiment::Experiment;
use crate::interrupt::{Done, watched};

/// An image with its statistics.
type ImageAndFigures<'py> = (Bound<'py, PyAny>, Bound<'py, PyDict>);

/// Options of a run that replace those in the flags of the experiment.
pub(crate) struct Running<'py> {
    pub(crate) threads: Option<Bound<'py, PyAny>>,
    pub(crate) precision: Option<Bound<'py, PyAny>>,
    pub(crate) level: Option<Bound<'py, PyAny>>,
    pub(crate) accuracy: Option<Bound<'py, PyAny>>,
    pub(crate) device: Option<Bound<'py, PyAny>>,
    pub(crate) progress: Option<Bound<'py, PyAny>>,
}

/// Render the image of an experiment.
///
/// Other Python threads run during the computation. Ctrl-C stops it.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// threads : int, optional
///     Number of threads; 0 means one per core. The image does not depend on it.
/// precision : {"double", "single"}, optional
///     Precision of the interference function of a parallelepiped crystal.
/// level : {"auto", "reference", "baseline", "avx2", "avx512"}, optional
///     Vector instructions.
/// accuracy : float, optional
///     Leave out terms that together make a pixel darker by no more than this part of the brightest
///     pixel. Without it every term is summed.
/// device : str, optional
///     What sums the terms: "cpu"; "gpu", or "gpu:N" of the list that `nanoBragg devices` shows; "auto" for a
///     GPU if there is a real one.
/// progress : bool or callable, optional
///     True for a bar: that of tqdm if it is installed, otherwise a line on the standard error. A function is
///     called now and then, at last when all is done, with the numbers of rows that are done and of all rows.
///     What it raises ends the run.
///
/// Returns
/// -------
/// numpy.ndarray
///     Photons per pixel, float32, shape (slow, fast); 0 outside the region of interest and under the
///     mask. For several panels of the same shape: (panel, slow, fast). For panels of different shapes: a
///     list of arrays.
#[pyfunction]
#[pyo3(signature = (experiment, *, threads=None, precision=None, level=None, accuracy=None, device=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn render<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    threads: Option<Bound<'py, PyAny>>,
    precision: Option<Bound<'py, PyAny>>,
    level: Option<Bound<'py, PyAny>>,
    accuracy: Option<Bound<'py, PyAny>>,
    device: Option<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let running = Running {
        threads,
        precision,
        level,
        accuracy,
        device,
        progress,
    };
    let image = simulated(py, experiment.get(), running)?;
    Sides::of(experiment.get()).of_stack(py, image.photons)
}

/// Render the image of an experiment and return it with its statistics.
///
/// Parameters
/// ----------
/// experiment, threads, precision, level, accuracy, device, progress
///     As in `render`.
///
/// Returns
/// -------
/// image : numpy.ndarray
///     As in `render`.
/// figures : dict
///     Over the region of interest: `max_photons` and its position `max_at_mm` (fast, slow), `mean`,
///     `rms`, `rmsd`, the number of rendered `pixels`, and the solid angle `solid_angle_sr`. `omission` is
///     `None` if every term was summed. Otherwise it has `error_photons`, by which pixels are darker at
///     most, `allowed_photons`, and the numbers of summed `terms` and of `all_terms`.
#[pyfunction]
#[pyo3(signature = (experiment, *, threads=None, precision=None, level=None, accuracy=None, device=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    threads: Option<Bound<'py, PyAny>>,
    precision: Option<Bound<'py, PyAny>>,
    level: Option<Bound<'py, PyAny>>,
    accuracy: Option<Bound<'py, PyAny>>,
    device: Option<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<ImageAndFigures<'py>> {
    let running = Running {
        threads,
        precision,
        level,
        accuracy,
        device,
        progress,
    };
    let image = simulated(py, experiment.get(), running)?;
    let figures = figures(py, &image)?;
    let image = Sides::of(experiment.get()).of_stack(py, image.photons)?;
    Ok((image, figures))
}

fn simulated(py: Python<'_>, experiment: &Experiment, running: Running<'_>) -> PyResult<Simulated> {
    let args = experiment.args_with(
        py,
        &[
            ("threads", running.threads),
            ("precision", running.precision),
            ("level", running.level),
            ("accuracy", running.accuracy),
            ("device", running.device),
        ],
    )?;
    let resolved = &experiment.job().resolved.experiment;
    let work = |cancel: &Cancel, done: &Done| -> Result<_, RunError> {
        let image = nanobragg::simulate(resolved, &options(&args, Some(done), cancel)?)?;
        let not_finite = image.not_finite()?;
        Ok((image, not_finite))
    };
    let progress = running.progress.as_ref();
    let (image, not_finite) =
        watched(py, progress, "row", work)?.map_err(|error| of_run(py, &error))?;
    if let Some(nanobragg::PixelPlace { fast, slow, .. }) = image.left_grid_at {
        warn(
            py,
            &format!("{}, from pixel {fast} {slow} on", Oddity::Interpolation),
        )?;
    }
    if let Some(reason) = image.unsupported {
        warn(
            py,
            &format!("rendered by the {} backend: {reason}", image.backend),
        )?;
    }
    if let Some(Err(reason)) = image.omission {
        warn(py, &report::every_term(reason))?;
    }
    if let Some(not_finite) = not_finite {
        warn(py, &not_finite.to_string())?;
    }
    Ok(image)
}

fn figures<'py>(py: Python<'py>, image: &Simulated) -> PyResult<Bound<'py, PyDict>> {
    let statistics = &image.statistics;
    let dict = PyDict::new(py);
    let [fast_m, slow_m] = statistics.max_at_m;
    dict.set_item("max_photons", statistics.max_photons)?;
    dict.set_item("max_at_mm", (fast_m * 1000.0, slow_m * 1000.0))?;
    dict.set_item("mean", statistics.mean)?;
    dict.set_item("rms", statistics.rms)?;
    dict.set_item("rmsd", statistics.rmsd)?;
    dict.set_item("pixels", statistics.pixels)?;
    dict.set_item("solid_angle_sr", statistics.solid_angle_sr)?;
    let omission = image.omission.and_then(Result::ok);
    let omission = omission.map(|omission| -> PyResult<_> {
        let dict = PyDict::new(py);
        dict.set_item("allowed_photons", omission.allowed_photons)?;
        dict.set_item("error_photons", omission.error_photons)?;
        dict.set_item("terms", omission.terms)?;
        dict.set_item("all_terms", omission.all_terms)?;
        Ok(dict)
    });
    dict.set_item("omission", omission.transpose()?)?;
    Ok(dict)
}
