//! Rendering the image of an experiment.

use nanobragg::{Oddity, Simulated, Statistics};
use nanobragg_cli::{RunError, options};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Sides;
use crate::errors::{of_run, warn};
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// An image with its statistics.
type ImageAndFigures<'py> = (Bound<'py, PyAny>, Bound<'py, PyDict>);

/// Options of a run that replace those in the flags of the experiment.
pub(crate) struct Running<'py> {
    pub(crate) threads: Option<Bound<'py, PyAny>>,
    pub(crate) precision: Option<Bound<'py, PyAny>>,
    pub(crate) level: Option<Bound<'py, PyAny>>,
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
///
/// Returns
/// -------
/// numpy.ndarray
///     Photons per pixel, float32, shape (slow, fast); 0 outside the region of interest and under the
///     mask. For several panels of the same shape: (panel, slow, fast). For panels of different shapes: a
///     list of arrays.
#[pyfunction]
#[pyo3(signature = (experiment, *, threads=None, precision=None, level=None))]
pub(crate) fn render<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    threads: Option<Bound<'py, PyAny>>,
    precision: Option<Bound<'py, PyAny>>,
    level: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let running = Running {
        threads,
        precision,
        level,
    };
    let image = simulated(py, experiment.get(), running)?;
    Sides::of(experiment.get()).of_stack(py, image.photons)
}

/// Render the image of an experiment and return it with its statistics.
///
/// Parameters
/// ----------
/// experiment, threads, precision, level
///     As in `render`.
///
/// Returns
/// -------
/// image : numpy.ndarray
///     As in `render`.
/// figures : dict
///     Over the region of interest: `max_photons` and its position `max_at_mm` (fast, slow), `mean`,
///     `rms`, `rmsd`, the number of rendered `pixels`, and the solid angle `solid_angle_sr`.
#[pyfunction]
#[pyo3(signature = (experiment, *, threads=None, precision=None, level=None))]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    threads: Option<Bound<'py, PyAny>>,
    precision: Option<Bound<'py, PyAny>>,
    level: Option<Bound<'py, PyAny>>,
) -> PyResult<ImageAndFigures<'py>> {
    let running = Running {
        threads,
        precision,
        level,
    };
    let image = simulated(py, experiment.get(), running)?;
    let figures = figures(py, &image.statistics)?;
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
        ],
    )?;
    let resolved = &experiment.job().resolved.experiment;
    let work = |cancel: &nanobragg::Cancel| -> Result<_, RunError> {
        let image = nanobragg::simulate(resolved, &options(&args, None, cancel)?)?;
        let not_finite = image.not_finite()?;
        Ok((image, not_finite))
    };
    let (image, not_finite) = interruptible(py, work)?.map_err(|error| of_run(py, &error))?;
    if let Some(nanobragg::PixelPlace { fast, slow, .. }) = image.left_grid_at {
        warn(
            py,
            &format!("{}, from pixel {fast} {slow} on", Oddity::Interpolation),
        )?;
    }
    if let Some(not_finite) = not_finite {
        warn(py, &not_finite.to_string())?;
    }
    Ok(image)
}

fn figures<'py>(py: Python<'py>, statistics: &Statistics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let [fast_m, slow_m] = statistics.max_at_m;
    dict.set_item("max_photons", statistics.max_photons)?;
    dict.set_item("max_at_mm", (fast_m * 1000.0, slow_m * 1000.0))?;
    dict.set_item("mean", statistics.mean)?;
    dict.set_item("rms", statistics.rms)?;
    dict.set_item("rmsd", statistics.rmsd)?;
    dict.set_item("pixels", statistics.pixels)?;
    dict.set_item("solid_angle_sr", statistics.solid_angle_sr)?;
    Ok(dict)
}
