//! The reflections in an image.

use nanobragg::outputs::TruthTable;
use nanobragg::physics::{self, Truth};
use nanobragg::{Scene, TruthWishes, render_with_truth};
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
/// pixel_floor : float, optional
///     The photons that a reflection has at least in each pixel of its spot; by default that of the
///     experiment (1 without `-truth_pixel_floor`). It decides boxes and labels.
/// labels : bool, optional
///     Whether each pixel is labelled.
/// threads : int, optional
///     Number of threads; 0 means one per core.
///
/// Returns
/// -------
/// dict
///     Arrays with one item per reflection, ordered by lattice, then h, then k, then l: `lattice` from 0,
///     `hkl` (int32, shape (n, 3)),
///     `panel` from 0 (a reflection on several panels has an item for each), `photons` on the panel,
///     their mean position `fast_px` and `slow_px` in pixels from the outer edge of the first pixel,
///     their variances `variance_fast_px2` and `variance_slow_px2` and `covariance_px2`,
///     `peak_photons` in the brightest pixel, the box `fast_range_px` and `slow_range_px` (uint32,
///     shape (n, 2), the second behind the end), `partiality` from 0 to 1, `d_angstrom`, `f_electrons`.
///     Of the crystal, with the spindle at 0 and at the start of the image: `quaternion_at_phi_0`,
///     `quaternion_at_phi_start` (w, x, y, z), and the rows a*, b*, c* of
///     `reciprocal_at_phi_0_per_angstrom`, `reciprocal_at_phi_start_per_angstrom`. Numbers: `background_photons` of water, and `left_out_photons` of the
///     reflections below the floor. The sum of all photons is that of the image. With `labels` also
///     `labels`, uint32 of the shape of the image: for each pixel the number, from 1, of the reflection
///     in these arrays with the most photons there; 0 where no reflection has a spot.
#[pyfunction]
#[pyo3(signature = (experiment, *, floor=None, pixel_floor=None, labels=false, threads=None))]
pub(crate) fn truth<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, Experiment>,
    floor: Option<Bound<'py, PyAny>>,
    pixel_floor: Option<Bound<'py, PyAny>>,
    labels: bool,
    threads: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let experiment = experiment.get();
    let keywords = [
        ("truth_floor", floor),
        ("truth_pixel_floor", pixel_floor),
        ("threads", threads),
    ];
    let args = experiment.args_with(py, &keywords)?;
    let wishes = TruthWishes {
        labels,
        ..args.output.truth_wishes()
    };
    let resolved = &experiment.job().resolved;
    let found = interruptible(py, |cancel| -> Result<Truth, RunError> {
        let options = options(&args, None, cancel)?;
        let scene = Scene::new(&resolved.experiment);
        Ok(render_with_truth(&scene, &wishes, &options)?.1)
    })?;
    let found = found.map_err(|error| of_run(py, &error))?;
    let list = &found.reflections;
    let column = |value: fn(&physics::ReflectionTruth) -> f64| -> Bound<'py, PyArray1<f64>> {
        list.iter().map(value).collect::<Vec<_>>().into_pyarray(py)
    };
    let hkl = list.iter().flat_map(|one| one.hkl).collect();
    let dict = PyDict::new(py);
    dict.set_item("hkl", arrays::of_rows::<i32>(py, [list.len(), 3], hkl)?)?;
    let lattices: Vec<usize> = list.iter().map(|one| one.lattice).collect();
    dict.set_item("lattice", lattices.into_pyarray(py))?;
    let panels: Vec<usize> = list.iter().map(|one| one.panel).collect();
    dict.set_item("panel", panels.into_pyarray(py))?;
    dict.set_item("photons", column(|one| one.photons))?;
    dict.set_item("fast_px", column(|one| one.fast_px))?;
    dict.set_item("slow_px", column(|one| one.slow_px))?;
    dict.set_item("variance_fast_px2", column(|one| one.variance_fast_px2))?;
    dict.set_item("variance_slow_px2", column(|one| one.variance_slow_px2))?;
    dict.set_item("covariance_px2", column(|one| one.covariance_px2))?;
    dict.set_item("peak_photons", column(|one| one.peak_photons))?;
    let ranges = |range: fn(&physics::ReflectionTruth) -> [u32; 2]| {
        let ends = list.iter().flat_map(range).collect();
        arrays::of_rows::<u32>(py, [list.len(), 2], ends)
    };
    dict.set_item("fast_range_px", ranges(|one| one.fast_range_px)?)?;
    dict.set_item("slow_range_px", ranges(|one| one.slow_range_px)?)?;
    dict.set_item("partiality", column(|one| one.partiality))?;
    let table = TruthTable::new(resolved, &found);
    let (d_angstrom, f_electrons): (Vec<f64>, Vec<f64>) = (table.rows())
        .map(|row| (row.d_angstrom, row.f_electrons))
        .unzip();
    dict.set_item("d_angstrom", d_angstrom.into_pyarray(py))?;
    dict.set_item("f_electrons", f_electrons.into_pyarray(py))?;
    for (when, orientation) in [
        ("phi_0", table.orientation_at_phi_0()),
        ("phi_start", table.orientation_at_phi_start()),
    ] {
        let quaternion = orientation.quaternion.to_vec().into_pyarray(py);
        dict.set_item(format!("quaternion_at_{when}"), quaternion)?;
        let vectors = orientation.reciprocal_per_angstrom.concat();
        let vectors = arrays::of_rows::<f64>(py, [3, 3], vectors)?;
        dict.set_item(format!("reciprocal_at_{when}_per_angstrom"), vectors)?;
    }
    if labels {
        let sides = arrays::Sides::of(experiment);
        dict.set_item("labels", sides.to_python(py, &[], found.labels.concat())?)?;
    }
    dict.set_item("background_photons", found.background_photons)?;
    dict.set_item("left_out_photons", found.left_out_photons)?;
    Ok(dict)
}
