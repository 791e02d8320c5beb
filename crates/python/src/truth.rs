//! The reflections in an image.

use nanobragg::Scene;
use nanobragg::physics::{self, Truth};
use nanobragg_cli::{RunError, options};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays;
use crate::errors::of_run;
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// Return the reflections in the image of an experiment, with their photons and positions.
///
/// This is the table of `-truthfile`. Other Python threads run during the computation. Ctrl-C stops it.
///
/// Parameters
/// ----------
/// experiment : Experiment
/// floor : float, optional
///     Reflections with fewer photons are omitted; by default the floor of the experiment (0 without
///     `-truth_floor`).
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// dict
///     Arrays with one item per reflection, ordered by h, then k, then l: `hkl` (int32, shape (n, 3)),
///     `panel` from 0 (a reflection on several panels has an item for each), `photons` on the panel,
///     their mean position `fast_px` and `slow_px` in pixels from the outer edge of the first pixel,
///     `partiality` from 0 to 1. Numbers: `background_photons` of water, and `left_out_photons` of the
///     reflections below the floor. The sum of all photons is that of the image.
#[pyfunction]
#[pyo3(signature = (experiment, *, floor=None, threads=None))]
pub(crate) fn truth<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    floor: Option<Bound<'py, PyAny>>,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let experiment = experiment.get();
    let args = experiment.args_with(py, &[("truth_floor", floor), ("threads", threads)])?;
    let floor_photons = args.output.truth_floor.unwrap_or(0.0);
    let resolved = &experiment.job().resolved.experiment;
    let found = interruptible(py, |cancel| -> Result<Truth, RunError> {
        let options = options(&args, None, cancel)?;
        let scene = Scene::new(resolved);
        let rendered = physics::render(&scene, &options)?;
        Ok(physics::truth(&scene, &rendered, floor_photons, &options)?)
    })?;
    let found = found.map_err(|error| of_run(py, &error))?;
    let list = &found.reflections;
    let column = |value: fn(&physics::ReflectionTruth) -> f64| -> Bound<'py, PyArray1<f64>> {
        list.iter().map(value).collect::<Vec<_>>().into_pyarray(py)
    };
    let hkl = list.iter().flat_map(|one| one.hkl).collect();
    let dict = PyDict::new(py);
    dict.set_item("hkl", arrays::of_rows::<i32>(py, [list.len(), 3], hkl)?)?;
    let panels: Vec<usize> = list.iter().map(|one| one.panel).collect();
    dict.set_item("panel", panels.into_pyarray(py))?;
    dict.set_item("photons", column(|one| one.photons))?;
    dict.set_item("fast_px", column(|one| one.fast_px))?;
    dict.set_item("slow_px", column(|one| one.slow_px))?;
    dict.set_item("partiality", column(|one| one.partiality))?;
    dict.set_item("background_photons", found.background_photons)?;
    dict.set_item("left_out_photons", found.left_out_photons)?;
    Ok(dict)
}
