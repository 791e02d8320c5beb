//! Views of a resolved experiment: parts of its tree as dicts with arrays.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg_cli::Job;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::{Value, json};

use crate::arrays::{self, HklArrays};
use crate::tree::to_python;

/// Angstrom per metre.
const ANGSTROM: f64 = 1e10;

/// The geometry of the first panel. Each line has a key for Python, a form, and the paths of the numbers
/// in the tree. The form `value` is the value at the path, `array` an array of it, and `tuple` a tuple of
/// the numbers at all paths.
pub(crate) const GEOMETRY: &str = "
    shape tuple detector/pixels_slow detector/pixels_fast
    pixel_mm value detector/pixel_size_m
    fast array detector/fast
    slow array detector/slow
    normal array detector/normal
    beam array beam/direction
    polarization array beam/polarization_direction
    spindle array spindle/axis
    pix0_mm array detector/derived/first_pixel_corner_m
    distance_mm value detector/distance_m
    close_distance_mm value detector/derived/close_distance_m
    beam_centre_mm tuple detector/direct_beam_fast_m detector/direct_beam_slow_m
    near_point_mm tuple detector/derived/near_point_fast_m detector/derived/near_point_slow_m
    roi tuple region/fast_first region/fast_last region/slow_first region/slow_last
";

/// The crystal at phi 0.
pub(crate) const CRYSTAL: &str = "
    cell tuple crystal/cell_angstrom crystal/cell_angles_deg
    volume_angstrom3 value crystal/derived/volume_angstrom3
    direct_angstrom array crystal/derived/direct_m
    reciprocal_per_angstrom array crystal/reciprocal_per_angstrom
    misset_deg value crystal/misset_rad
    cells value crystal/cells
    size_mm value crystal/derived/size_m
    mosaic_domains value crystal/mosaic_domains
";

const BEAM: &str = "
    wavelength_angstrom value beam/wavelength_m
    fluence_per_m2 value beam/fluence_per_m2
";

const SAMPLING: &str = "
    phi_start_deg value spindle/start_rad
    phi_range_deg value spindle/range_rad
    phi_steps value spindle/steps
    oversample value sampling/oversample
    sensor_layers value detector/sensor_layers
    chosen value sampling/chosen
";

/// The lines of a view as a dict, each number in the unit at the end of its key.
pub(crate) fn view<'py>(py: Python<'py>, job: &Job, lines: &str) -> PyResult<Bound<'py, PyDict>> {
    let tree = job.tree();
    let dict = PyDict::new(py);
    for line in lines.lines() {
        let mut words = line.split_whitespace();
        let (Some(key), Some(form)) = (words.next(), words.next()) else {
            continue;
        };
        let mut found = Vec::new();
        for place in words {
            let mut value = tree
                .pointer(&format!("/{place}"))
                .cloned()
                .unwrap_or_default();
            scale(&mut value, factor(place, key));
            match value {
                Value::Array(items) if form == "tuple" => found.extend(items),
                value => found.push(value),
            }
        }
        let found = found.iter().map(|value| to_python(py, value));
        let found = PyTuple::new(py, found.collect::<PyResult<Vec<_>>>()?)?;
        match form {
            "tuple" => dict.set_item(key, found)?,
            "array" => dict.set_item(key, py.import("numpy")?.call_method1("array", found)?)?,
            _ => dict.set_item(key, found.get_item(0)?)?,
        }
    }
    Ok(dict)
}

/// The factor from the unit at the end of the name `from` to the unit at the end of `to`.
fn factor(from: &str, to: &str) -> f64 {
    let units = [
        ("_m", "_mm", 1000.0),
        ("_m", "_angstrom", ANGSTROM),
        ("_rad", "_deg", DEGREES_PER_RADIAN),
    ];
    let fits = |(of, wanted, _): &&(&str, &str, f64)| from.ends_with(of) && to.ends_with(wanted);
    units.iter().find(fits).map_or(1.0, |(.., factor)| *factor)
}

fn scale(value: &mut Value, by: f64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| scale(item, by)),
        Value::Number(number) if by != 1.0 => {
            *value = number.as_f64().map(|number| number * by).into();
        }
        _ => {}
    }
}

/// The panels in the laboratory, in the form that the constructor accepts.
pub(crate) fn panels<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyAny>> {
    let panels = job.resolved.experiment.detector.panels().iter();
    let panels = panels.map(|panel| {
        json!({
            "name": panel.name(),
            "origin_mm": panel.pix0_m().map(|m| m * 1000.0),
            "fast": panel.fast(),
            "slow": panel.slow(),
            "pixels_fast": panel.pixels_fast(),
            "pixels_slow": panel.pixels_slow(),
            "pixel_size_mm": panel.pixel_size_m() * 1000.0,
            "trusted_range_counts": panel.trusted_range(),
        })
    });
    to_python(py, &panels.collect())
}

/// The beam.
pub(crate) fn beam<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let dict = view(py, job, BEAM)?;
    let sources = job.resolved.experiment.sources.as_slice();
    let directions = sources.iter().flat_map(|source| source.incident());
    let directions = arrays::of_rows(py, [sources.len(), 3], directions.collect())?;
    let wavelengths = sources.iter().map(|source| source.wavelength_m * ANGSTROM);
    let wavelengths: Vec<f64> = wavelengths.collect();
    dict.set_item("source_directions", directions)?;
    dict.set_item("source_wavelengths_angstrom", wavelengths.into_pyarray(py))?;
    Ok(dict)
}

/// The numbers of the terms of a sum.
pub(crate) fn sampling<'py>(py: Python<'py>, job: &Job) -> PyResult<Bound<'py, PyDict>> {
    let dict = view(py, job, SAMPLING)?;
    let recommended = job.resolved.decisions.recommended_oversample;
    dict.set_item("recommended_oversample", recommended)?;
    Ok(dict)
}

/// Every point of the grid of structure factors: h k l (l fastest), and F in electrons.
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
