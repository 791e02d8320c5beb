//! An experiment as text, as a dict and as a pickle.

use std::sync::Arc;

use nanobragg::series::SeriesKind;
use nanobragg::{ExperimentSpec, FactorsSpec};
use nanobragg_cli::DEFAULT_DUMP;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::json;

use crate::errors::{Exception, of_run};
use crate::experiment::Experiment;
use crate::flags::Said;
use crate::gradient::with_numbers;
use crate::tree::{from_python, to_python};
use crate::{arrays, describe, sources};

/// What a dict with the fields of an experiment file says.
pub(crate) fn said_by(py: Python<'_>, tree: &Bound<'_, PyDict>) -> PyResult<Said> {
    let tree = tree.copy()?;
    let mut said = Said::default();
    if let Some(mask) = tree.get_item("mask")?
        && !mask.is_none()
        && !mask.is_instance_of::<PyDict>()
    {
        tree.del_item("mask")?;
        said.set("mask", &mask)?;
    }
    if let Some(factors) = tree.get_item("structure_factors")?
        && let Ok(factors) = factors.cast_into::<PyDict>()
        && let Some(hkl) = factors.get_item("hkl")?
        && hkl.is_instance_of::<PyTuple>()
    {
        let factors = factors.copy()?;
        factors.del_item("hkl")?;
        tree.set_item("structure_factors", factors)?;
        said.set("hkl", &hkl)?;
    }
    let base = ExperimentSpec::from_tree(&from_python(tree.as_any())?, "from_dict");
    let base = base.map_err(|error| Exception::Usage.says(py, error))?;
    said.base = Some(Arc::new(base));
    Ok(said)
}

/// An experiment as a dict with every field of an experiment file.
pub(crate) fn tree<'py>(experiment: &Experiment, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let mut spec = experiment.job().named.clone();
    spec.noise_seed = Some(experiment.job().noise_seed);
    let mask = spec.mask.as_ref();
    let mask = mask
        .map(|mask| arrays::of_masks(py, mask))
        .transpose()?
        .flatten();
    if mask.is_some() {
        spec.mask = None;
    }
    let are_arrays = matches!(spec.factors, FactorsSpec::Grid(_));
    if are_arrays {
        spec.factors = FactorsSpec::Constant(spec.factors.default_f());
    }
    let tree = spec.to_tree().map_err(|error| of_run(py, &error.into()))?;
    let dict = to_python(py, &tree)?.cast_into::<PyDict>()?;
    if mask.is_some() {
        dict.set_item("mask", mask)?;
    }
    if are_arrays {
        let hkl = describe::structure_factors(py, experiment.job())?;
        (dict.as_any().get_item("structure_factors")?).set_item("hkl", hkl)?;
    }
    Ok(dict)
}

/// How an experiment shows itself.
pub(crate) fn shown(experiment: &Experiment, py: Python<'_>) -> PyResult<String> {
    let line = py
        .import("shlex")?
        .call_method1("join", (experiment.words(py)?,))?;
    let inputs = &experiment.said.inputs;
    let arrays: String = [
        (inputs.reflections.is_some(), ", hkl=(...)"),
        (inputs.mask.is_some(), ", mask=..."),
        (!inputs.panels.is_empty(), ", panels=[...]"),
        (inputs.sources.is_some(), ", sources=..."),
        (inputs.spectrum.is_some(), ", spectrum=(...)"),
        (inputs.mosaic_matrices.is_some(), ", mosaic_matrices=..."),
    ]
    .into_iter()
    .filter_map(|(is_there, text)| is_there.then_some(text))
    .collect();
    let class = match experiment.said.base {
        Some(_) => "Experiment.from_dict({...}, ",
        None => "Experiment(",
    };
    let values = if experiment.said.values.is_empty() {
        String::new()
    } else {
        format!(".with_values({})", experiment.values(py)?.repr()?)
    };
    let frame = match experiment.said.frame {
        None => String::new(),
        Some((SeriesKind::Rotation, number)) => format!(".frame({number})"),
        Some((SeriesKind::Shots, number)) => format!(".shot({number})"),
    };
    Ok(format!("{class}{}{arrays}){values}{frame}", line.repr()?))
}

/// What pickles an experiment: a function and its arguments.
pub(crate) fn reduced<'py>(
    experiment: &Experiment,
    py: Python<'py>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
    let inputs = &experiment.said.inputs;
    let keywords = PyDict::new(py);
    if let Some(list) = &inputs.reflections {
        keywords.set_item("hkl", arrays::of_reflections(py, list)?)?;
    }
    if let Some(mask) = &inputs.mask {
        keywords.set_item("mask", arrays::of_masks(py, mask)?)?;
    }
    if let Some(list) = &inputs.sources {
        keywords.set_item("sources", sources::of_sources(py, list)?)?;
    }
    if let Some(rows) = &inputs.spectrum {
        keywords.set_item("spectrum", sources::of_spectrum(py, rows)?)?;
    }
    if let Some(rows) = &inputs.mosaic_matrices {
        keywords.set_item("mosaic_matrices", sources::of_matrices(py, rows)?)?;
    }
    if !inputs.panels.is_empty() {
        let panels = inputs.panels.iter().map(|panel| json!(panel)).collect();
        keywords.set_item("panels", to_python(py, &panels)?)?;
    }
    let base = experiment.said.base.as_deref();
    let base = base.map(|base| base.clone().seen_from(&experiment.folder).to_tree());
    let base = base
        .transpose()
        .map_err(|error| of_run(py, &error.into()))?;
    let base = base.map(|tree| to_python(py, &tree)).transpose()?;
    let mut words = experiment.said.words_from(&experiment.folder);
    if !experiment.job().named.factors.are_new()
        && !experiment.args.gives("dump")
        && experiment.args.base.is_none()
    {
        // The default path is relative to this folder, whether the file exists or not.
        words.extend(["-dump".into(), experiment.folder.join(DEFAULT_DUMP).into()]);
    }
    let restored = py.import("nanobragg._nanobragg")?.getattr("_restored")?;
    let values = experiment.values(py)?;
    let frame = experiment
        .said
        .frame
        .map(|(kind, number)| (kind == SeriesKind::Shots, number));
    Ok((
        restored,
        (words, base, keywords, values, frame).into_pyobject(py)?,
    ))
}

/// An experiment from its pickle. Warnings that were issued before are not repeated.
#[pyfunction(name = "_restored")]
pub(crate) fn restored(
    py: Python<'_>,
    words: &Bound<'_, PyAny>,
    base: Option<Bound<'_, PyAny>>,
    keywords: &Bound<'_, PyDict>,
    values: &Bound<'_, PyDict>,
    frame: Option<(bool, u32)>,
) -> PyResult<Experiment> {
    let mut said = Said::by(words)?;
    if let Some(base) = base {
        let base = ExperimentSpec::from_tree(&from_python(&base)?, "pickle");
        said.base = Some(Arc::new(base.map_err(|error| of_run(py, &error.into()))?));
    }
    said.set_all(keywords)?;
    said.set_values(with_numbers(values)?);
    said.frame = frame.map(|(is_shot, number)| match is_shot {
        true => (SeriesKind::Shots, number),
        false => (SeriesKind::Rotation, number),
    });
    Experiment::quietly(py, said)
}
