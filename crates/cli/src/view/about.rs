//! The experiment in the numbers of the page: the values of its fields, the decisions, and where resolutions lie.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::{Assembly, Convention, PRESETS, Panel, Shape};
use serde_json::{Value, json};

use super::Shown;
use crate::RunError;
use crate::plan;
use crate::simulate::warnings;

/// Steps of the mesh of resolutions on the only panel.
const STEPS: u32 = 48;

/// The same on each of several.
const STEPS_OF_SEVERAL: u32 = 4;

impl Shown {
    /// Everything about the experiment but its pixels.
    pub(super) fn about(&self) -> Result<Value, RunError> {
        let of_flags = self.args.warnings.iter().map(ToString::to_string);
        let warnings: Vec<_> = of_flags.chain(warnings(&self.job)).collect();
        let panel = self.detector().first();
        let assembly = Assembly::of(self.detector());
        let panels = self.detector().panels().iter().zip(&self.panels);
        let panels = panels.zip(&assembly.panels);
        let steps = match self.panels.len() {
            1 => STEPS,
            _ => STEPS_OF_SEVERAL,
        };
        Ok(json!({
            "values": self.values(),
            "warnings": warnings,
            "decisions": plan::decisions(&self.job, &self.args)?,
            "fast_axis": panel.fast(),
            "slow_axis": panel.slow(),
            "beam": self.job.resolved.experiment.beam.direction(),
            "cell_a": self.job.resolved.experiment.crystal.direct().vectors().map(|edge| edge.map(|m| m * 1e10)),
            "detectors": PRESETS.iter().map(|preset| [preset.name, preset.model]).collect::<Vec<_>>(),
            "size": assembly.sides,
            "panels": panels.map(|((panel, stacked), placed)| json!({
                "first_row": stacked.rows.start,
                "fast": panel.pixels_fast(),
                "slow": panel.pixels_slow(),
                "corner": placed.corner,
                "steps": placed.steps,
                "mesh": self.mesh(panel, steps),
            })).collect::<Vec<_>>(),
        }))
    }

    /// The values of the fields of the page, in the units of the flags.
    fn values(&self) -> Value {
        let (experiment, decisions) = (&self.job.resolved.experiment, &self.job.resolved.decisions);
        let crystal = &experiment.crystal;
        let lattice = crystal.lattice();
        let panel = experiment.detector.first();
        let angles = lattice.angles_rad().map(|angle| angle * DEGREES_PER_RADIAN);
        let layout = &decisions.layout;
        let mm = |m: f64| m * 1000.0;
        // Each convention has its own flags for a centre; the others are ignored.
        let centre = match layout.convention {
            Convention::Mosflm | Convention::Denzo | Convention::Adxv => {
                json!({ "flags": ["Xbeam", "Ybeam"], "unit": "mm", "at": layout.centre.beam_m.map(mm) })
            }
            Convention::Xds => {
                let px = layout.centre.near_m.map(|m| m / panel.pixel_size_m());
                json!({ "flags": ["ORGX", "ORGY"], "unit": "px", "at": px })
            }
            Convention::Dials | Convention::Custom => Value::Null,
        };
        let shape = match crystal.shape() {
            Shape::Square => "square_xtal",
            Shape::Round => "round_xtal",
            Shape::Gauss => "gauss_xtal",
            Shape::Tophat => "tophat_spots",
        };
        let dispersion = decisions.dispersion.steps();
        json!({
            "misset": crystal.misset_rad().unwrap_or_default().map(|angle| angle * DEGREES_PER_RADIAN),
            "cell": lattice.lengths_angstrom.iter().chain(&angles).collect::<Vec<_>>(),
            "cells": crystal.size().cells(),
            "shape": shape,
            "mosaic": crystal.mosaic().spread_rad() * DEGREES_PER_RADIAN,
            "domains": crystal.mosaic().domains().len(),
            "lambda": decisions.wavelength_m * 1e10,
            "dispersion": dispersion.range * 100.0,
            "sources": experiment.sources.len(),
            "osc": experiment.phi.range_rad * DEGREES_PER_RADIAN,
            "distance": mm(panel.distance_m()),
            "detector": self.args.detector.preset.map(|preset| preset.name),
            "model": layout.model,
            "pixels": [panel.pixels_fast(), panel.pixels_slow()],
            "panels": experiment.detector.panels().len(),
            "pixel": mm(panel.pixel_size_m()),
            "centre": centre,
            "fluence": decisions.fluence.fluence_per_m2,
            "flux": decisions.fluence.flux_per_s,
            "exposure": decisions.fluence.exposure_s,
            "oversample": experiment.sampling.oversample,
            "layers": experiment.background.len(),
        })
    }

    /// 1/d in 1/A at the nodes of a mesh over a panel, row by row: lines of equal resolution are drawn from it.
    fn mesh(&self, panel: &Panel, steps: u32) -> Value {
        let [fast, slow] = [panel.pixels_fast(), panel.pixels_slow()].map(f64::from);
        let part = |step: u32| f64::from(step) / f64::from(steps);
        let spacing_a =
            |(i, j): (u32, u32)| self.spacing_a(panel, [fast * part(j), slow * part(i)]);
        // Half as many digits to send.
        let at = |node| (1.0 / spacing_a(node)) as f32;
        let nodes = (0..=steps).flat_map(|i| (0..=steps).map(move |j| (i, j)));
        json!({ "steps": steps, "inverse_d": nodes.map(at).collect::<Vec<_>>() })
    }
}
