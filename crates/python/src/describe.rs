//! What an experiment came to, as dicts and arrays.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg_cli::Job;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{self, HklArrays};

/// Millimetres of a metre.
const MM: f64 = 1000.0;

/// Angstrom of a metre.
const ANGSTROM: f64 = 1e10;

fn vector<'py>(py: Python<'py>, components: [f64; 3]) -> Bound<'py, PyArray1<f64>> {
    PyArray1::from_slice(py, &components)
}

/// An array with these rows.
fn rows<'py>(py: Python<'py>, rows: &[[f64; 3]]) -> PyResult<Bound<'py, PyArray2<f64>>> {
    arrays::of_rows(py, [rows.len(), 3], rows.as_flattened().to_vec())
}

/// Where the detector is.
pub(crate) fn geometry<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let experiment = &job.resolved.experiment;
    let panel = experiment.detector.first();
    let dict = PyDict::new(py);
    dict.set_item("shape", (panel.pixels_slow(), panel.pixels_fast()))?;
    dict.set_item("pixel_mm", panel.pixel_size_m() * MM)?;
    for (key, value) in [
        ("fast", panel.fast()),
        ("slow", panel.slow()),
        ("normal", panel.normal()),
        ("beam", experiment.beam.direction()),
        ("polarization", experiment.beam.polarization()),
        ("spindle", experiment.goniometer.spindle()),
        ("pix0_mm", panel.pix0_m().map(|x| x * MM)),
    ] {
        dict.set_item(key, vector(py, value))?;
    }
    dict.set_item("distance_mm", panel.distance_m() * MM)?;
    dict.set_item("close_distance_mm", panel.close_distance_m() * MM)?;
    for (key, [along_fast_m, along_slow_m]) in [
        ("beam_centre_mm", [panel.f_beam_m(), panel.s_beam_m()]),
        ("near_point_mm", [panel.f_close_m(), panel.s_close_m()]),
    ] {
        dict.set_item(key, (along_fast_m * MM, along_slow_m * MM))?;
    }
    let (fast, slow) = (
        experiment.detector.first().roi().fast(),
        experiment.detector.first().roi().slow(),
    );
    dict.set_item(
        "roi",
        (*fast.start(), *fast.end(), *slow.start(), *slow.end()),
    )?;
    Ok(dict)
}

/// The crystal at phi 0.
pub(crate) fn crystal<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let crystal = &job.resolved.experiment.crystal;
    let lattice = crystal.lattice();
    let degrees = |angles: [f64; 3]| angles.map(|angle| angle * DEGREES_PER_RADIAN);
    let [a, b, c] = lattice.lengths_angstrom;
    let [alpha, beta, gamma] = degrees(lattice.angles_rad());
    let dict = PyDict::new(py);
    dict.set_item("cell", (a, b, c, alpha, beta, gamma))?;
    dict.set_item("volume_angstrom3", lattice.volume_a3)?;
    let direct = crystal.direct().vectors();
    let reciprocal = crystal.reciprocal().vectors();
    dict.set_item(
        "direct_angstrom",
        rows(py, &direct.map(|edge| edge.map(|x| x * ANGSTROM)))?,
    )?;
    dict.set_item("reciprocal_per_angstrom", rows(py, &reciprocal)?)?;
    dict.set_item("misset_deg", crystal.misset_rad().map(degrees))?;
    dict.set_item("cells", crystal.size().cells())?;
    dict.set_item("size_mm", crystal.size().size_m().map(|size| size * MM))?;
    dict.set_item("mosaic_domains", crystal.mosaic().domains().len())?;
    Ok(dict)
}

/// The beam.
pub(crate) fn beam<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let experiment = &job.resolved.experiment;
    let sources = experiment.sources.as_slice();
    let directions: Vec<[f64; 3]> = sources.iter().map(|source| source.incident()).collect();
    let wavelengths: Vec<f64> = sources
        .iter()
        .map(|source| source.wavelength_m * ANGSTROM)
        .collect();
    let dict = PyDict::new(py);
    let wavelength_m = job.resolved.decisions.wavelength_m;
    dict.set_item("wavelength_angstrom", wavelength_m * ANGSTROM)?;
    dict.set_item("fluence_per_m2", experiment.fluence_per_m2)?;
    dict.set_item("source_directions", rows(py, &directions)?)?;
    dict.set_item("source_wavelengths_angstrom", wavelengths.into_pyarray(py))?;
    Ok(dict)
}

/// What the sum runs over.
pub(crate) fn sampling<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let experiment = &job.resolved.experiment;
    let phi = &experiment.phi;
    let dict = PyDict::new(py);
    dict.set_item("phi_start_deg", phi.start_rad * DEGREES_PER_RADIAN)?;
    dict.set_item("phi_range_deg", phi.range_rad * DEGREES_PER_RADIAN)?;
    dict.set_item("phi_steps", phi.count)?;
    dict.set_item("oversample", experiment.sampling.oversample)?;
    dict.set_item(
        "recommended_oversample",
        job.resolved.decisions.recommended_oversample,
    )?;
    dict.set_item("sensor_layers", experiment.detector.first().sensor().layers)?;
    Ok(dict)
}

/// Every point of the box of structure factors: h k l, l fastest, and F.
pub(crate) fn structure_factors<'py>(py: Python<'py>, job: &Job) -> PyResult<HklArrays<'py>> {
    let factors = &job.resolved.experiment.factors;
    let mut indices: Vec<i32> = Vec::new();
    if let Some(bounds) = factors.bounds() {
        let ([h0, k0, l0], [h1, k1, l1]) = (bounds.min, bounds.max);
        indices.reserve(factors.values().len().saturating_mul(3));
        for h in h0..=h1 {
            for k in k0..=k1 {
                for l in l0..=l1 {
                    indices.extend([h, k, l]);
                }
            }
        }
    }
    Ok((
        arrays::of_rows(py, [indices.len() / 3, 3], indices)?,
        PyArray1::from_slice(py, factors.values()),
    ))
}
