//! The result for programs. What is no finite number is `null`.

use serde_json::{Value, json};

use crate::{CrystalSystem, Ending, Estimate, Refinement, StageRecord};

/// The result as indented JSON, with a line feed at its end.
pub(super) fn json(result: &Refinement, arguments: &[Option<Vec<String>>]) -> String {
    let names: Vec<&str> = result
        .estimates
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let value = json!({
        "nanobragg_version": env!("CARGO_PKG_VERSION"),
        "converged": result.has_converged(),
        "at_minimum": result.is_at_minimum(),
        "explained_by_noise": result.is_explained(),
        "goodness": result.goodness,
        "misfit": result.misfit,
        "pixels": result.pixels,
        "images": result.images.iter().zip(arguments).map(|(image, arguments)| json!({
            "pixels": image.pixels, "goodness": image.goodness, "arguments": arguments,
        })).collect::<Vec<_>>(),
        "attempts": result.attempts,
        "crystal_system": result.system.map(CrystalSystem::name),
        "parameters": result.estimates.iter().map(estimate).collect::<Vec<_>>(),
        "correlations": { "names": names, "matrix": result.correlations },
        "stages": result.stages.iter().map(stage).collect::<Vec<_>>(),
        "arguments": arguments.first(),
    });
    format!("{value:#}\n")
}

fn estimate(one: &Estimate) -> Value {
    json!({
        "name": one.name,
        "image": one.image.map(|index| index + 1),
        "unit": one.unit,
        "start": one.start,
        "value": one.value,
        "standard_uncertainty": one.sigma,
        "bounds": one.bounds.map(|bounds| [bounds.low, bounds.high]),
        "restraint": one.restraint.map(|known| json!({
            "value": known.value, "standard_uncertainty": known.sigma,
        })),
    })
}

fn stage(record: &StageRecord) -> Value {
    let [before, after] = record.misfit;
    json!({
        "dmin_angstrom": record.stage.dmin.m() * 1e10,
        "most_cells": record.stage.most_cells,
        "blur_pixels": record.stage.blur_pixels,
        "pixels": record.pixels,
        "steps": record.iterations.saturating_sub(1),
        "misfit_before": before,
        "misfit_after": after,
        "converged": record.ending == Ending::Converged,
    })
}
