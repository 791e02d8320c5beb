//! A resolved experiment as one tree, from which records, plans, comparisons and Python are made.

use nanobragg_crystal::Spread;
use nanobragg_geometry::units::DEGREES_PER_RADIAN;
use nanobragg_geometry::{AttachedPanel, Mask, Panel, Sensor};
use nanobragg_physics::{BackgroundLayer, Diffuse};
use nanobragg_sources::{Source, SourceList, SpectrumSteps};
use serde_json::{Value, json};

use crate::factors::FactorsSpec;
use crate::lattices::LatticesSpec;
use crate::memory::factor_tables;
use crate::outputs::sha256_of;
use crate::resolve::Resolved;
use crate::spec::ExperimentSpec;

/// The largest number of sources that are listed; more are represented by a hash.
const MOST_SOURCES: usize = 1000;

impl Resolved {
    /// The experiment as JSON. Numbers are in SI units unless their name says otherwise. Vectors are in
    /// the laboratory frame. `spec` is the resolved specification, with the names of its files.
    ///
    /// Fields that follow from others are in `derived`. `detector` and `region` belong to the first
    /// panel. If there are several, `panels` has all of them, each with its position in the frame of the
    /// first. `docs/RECORDS.md` explains every field.
    pub fn to_tree(&self, spec: &ExperimentSpec) -> Value {
        let experiment = &self.experiment;
        let (sampling, phi) = (&experiment.sampling, &experiment.phi);
        let mut tree = json!({
            "crystal": self.crystal(),
            "structure_factors": self.structure_factors(spec),
            "detector": self.detector(),
            "region": region(experiment.detector.first()),
            "beam": self.beam(),
            "spindle": {
                "axis": experiment.goniometer.spindle(),
                "start_rad": phi.start_rad,
                "range_rad": phi.range_rad,
                "step_rad": phi.step_rad,
                "steps": phi.count,
                "lead_rad": phi.lead_rad(),
            },
            "sampling": {
                "oversample": sampling.oversample,
                "capture_at_each_subpixel": sampling.per_subpixel_capture,
                "polarization_at_each_subpixel": sampling.per_subpixel_polarization,
                "solid_angle_at_each_subpixel": sampling.per_subpixel_solid_angle,
            },
            "water_m": experiment.water_m,
            "background": self.background(),
            "dmin_m": experiment.dmin_m,
        });
        if spec.lattices != LatticesSpec::default() {
            put(&mut tree, "lattices", self.lattices());
        }
        if let (choices @ [_, ..], Some(sampling)) =
            (&self.decisions.sampling[..], tree.pointer_mut("/sampling"))
        {
            put(sampling, "chosen", json!(choices));
        }
        if let Some(stop) = &spec.beam_stop {
            put(&mut tree, "beam_stop", json!(stop));
        }
        if let Some(diffuse) = &experiment.diffuse {
            put(&mut tree, "diffuse", of_diffuse(diffuse));
        }
        let panels = experiment.detector.panels();
        if panels.len() > 1 {
            let others = spec.detector.others.iter().map(Some);
            let places = std::iter::once(None).chain(others);
            let panels = panels.iter().zip(places);
            let panels: Value = panels.map(|(p, at)| panel(p, at)).collect();
            put(&mut tree, "panels", panels);
        }
        tree
    }

    /// The layers of amorphous material, each with the hash of its points.
    fn background(&self) -> Value {
        let layer = |layer: &BackgroundLayer| {
            let points = layer.profile.points().flat_map(|(stol, f)| [stol, f]);
            let bytes: Vec<u8> = points.flat_map(f64::to_le_bytes).collect();
            json!({
                "material": layer.name,
                "molecules": layer.molecules,
                "thickness_m": layer.thickness_m,
                "absorption_per_m": layer.absorption_per_m,
                "profile_sha256": sha256_of(&bytes),
            })
        };
        self.experiment.background.iter().map(layer).collect()
    }

    /// The edges and the weight of each lattice.
    fn lattices(&self) -> Value {
        let experiment = &self.experiment;
        let edges = experiment.lattice_edges_m().zip(&experiment.lattices);
        edges
            .map(|(direct_m, lattice)| json!({"weight": lattice.weight, "direct_m": direct_m}))
            .collect()
    }

    fn crystal(&self) -> Value {
        let crystal = &self.experiment.crystal;
        let lattice = crystal.lattice();
        json!({
            "cell_angstrom": lattice.lengths_angstrom,
            "cell_angles_deg": lattice.angles_rad().map(|angle| angle * DEGREES_PER_RADIAN),
            "reciprocal_per_angstrom": lattice.reciprocal_per_angstrom,
            "misset_rad": crystal.misset_rad(),
            "cells": crystal.size().cells(),
            "shape": crystal.shape().to_string(),
            "fudge": crystal.fudge(),
            "spot_metric": crystal.spot_metric(),
            "domain": crystal.domain(),
            "intensity_scale": crystal.intensity_scale(),
            "mosaic_spread_rad": crystal.mosaic().spread_rad(),
            "mosaic_domains": crystal.mosaic().domains().len(),
            "mosaic": self.mosaic(),
            "derived": {
                "direct_m": crystal.direct().vectors(),
                "size_m": crystal.size().size_m(),
                "volume_angstrom3": lattice.volume_a3,
            },
        })
    }

    /// What the C program does not have; `null` for its model.
    fn mosaic(&self) -> Value {
        let mosaic = self.experiment.crystal.mosaic();
        if !mosaic.turns_with_crystal() {
            return Value::Null;
        }
        let numbers = mosaic.numbers();
        let rows = mosaic.domains().as_flattened().as_flattened().iter();
        let weights = mosaic.weights().iter();
        let bytes: Vec<u8> = rows.chain(weights).flat_map(|x| x.to_le_bytes()).collect();
        json!({
            "model": (!mosaic.is_listed()).then_some(mosaic.model()),
            "sampling": mosaic.sampling(),
            "spread_abc_rad": match numbers.spread {
                Spread::Isotropic(_) => None,
                Spread::Anisotropic(widths_rad) => Some(widths_rad),
            },
            "strain": numbers.strain,
            "strain_abc": numbers.strain_abc,
            "domains_sha256": sha256_of(&bytes),
        })
    }

    fn structure_factors(&self, spec: &ExperimentSpec) -> Value {
        let factors = &self.experiment.factors;
        let bounds = factors.bounds();
        json!({
            "from": match &spec.factors {
                FactorsSpec::List(_) | FactorsSpec::Grid(_) => "list",
                FactorsSpec::Lists(_) | FactorsSpec::ByEnergy(_) => "lists",
                FactorsSpec::Coordinates(_) => "coordinates",
                FactorsSpec::Dump { .. } => "dump",
                FactorsSpec::Constant(_) => "default",
            },
            "default": factors.default_f(),
            "lookup": self.experiment.lookup,
            // A count above 2^64 does not fit into memory.
            "read": u64::try_from(factors.count_read()).unwrap_or(u64::MAX),
            "hkl_min": bounds.map(|bounds| bounds.min),
            "hkl_max": bounds.map(|bounds| bounds.max),
            "tables": factor_tables(&self.experiment).len(),
            "b_factor_a2": spec.b_factor_a2,
        })
    }

    fn detector(&self) -> Value {
        let panel = self.experiment.detector.first();
        let layout = &self.decisions.layout;
        let [spot_fast_m, spot_slow_m] = panel.beam_spot_m(self.experiment.beam.direction());
        let mut tree = json!({
            "convention": layout.convention.to_string(),
            "pivot": layout.pivot.to_string(),
            "pixels_fast": panel.pixels_fast(),
            "pixels_slow": panel.pixels_slow(),
            "pixel_size_m": panel.pixel_size_m(),
            "distance_m": panel.distance_m(),
            "x_beam_m": layout.centre.beam_m[0],
            "y_beam_m": layout.centre.beam_m[1],
            "direct_beam_fast_m": spot_fast_m,
            "direct_beam_slow_m": spot_slow_m,
            "rotations_rad": layout.rotations.map(|angle| angle.radians()),
            "twotheta_rad": layout.twotheta.radians(),
            "twotheta_axis": layout.input.twotheta_axis,
            "fast": panel.fast(),
            "slow": panel.slow(),
            "normal": panel.normal(),
            "surface": panel.surface(),
            "pixel_kind": panel.pixel_kind(),
        });
        put_sensor(&mut tree, panel.sensor());
        let derived = json!({
            "size_fast_m": layout.size_m[0],
            "size_slow_m": layout.size_m[1],
            "close_distance_m": panel.close_distance_m(),
            "near_point_fast_m": panel.f_close_m(),
            "near_point_slow_m": panel.s_close_m(),
            "first_pixel_corner_m": panel.pix0_m(),
        });
        put(&mut tree, "derived", derived);
        tree
    }

    fn beam(&self) -> Value {
        let experiment = &self.experiment;
        let fluence = &self.decisions.fluence;
        let divergence = &self.decisions.divergence;
        let (horizontal, vertical) = (divergence.horizontal(), divergence.vertical());
        let dispersion = self.decisions.dispersion.steps();
        let mut tree = json!({
            "direction": experiment.beam.direction(),
            "polarization_direction": experiment.beam.polarization(),
            "polarization_factor": experiment.polarization.kahn_factor,
            "polarization_correction": !experiment.polarization.off,
            "wavelength_m": self.decisions.central_wavelength_m,
            "fluence_per_m2": fluence.fluence_per_m2,
            "horizontal_divergence_rad": horizontal.range,
            "horizontal_divergence_steps": horizontal.count,
            "vertical_divergence_rad": vertical.range,
            "vertical_divergence_steps": vertical.count,
            "divergence_outline": divergence.outline(),
            "dispersion_fraction": dispersion.range,
            "dispersion_steps": dispersion.count,
            "sources": experiment.sources.len(),
            "derived": {
                "flux_per_s": fluence.flux_per_s,
                "exposure_s": fluence.exposure_s,
                "beam_size_m": fluence.beam_size_m,
                "source_list": source_list(&experiment.sources),
            },
        });
        if experiment.sources.has_weights() {
            put(&mut tree, "weights_are_used", true);
        }
        if let Some(SpectrumSteps { lines, resampling }) = &self.decisions.spectrum {
            let spectrum = json!({
                "steps": lines.len(),
                "mean_energy_ev": resampling.mean_energy_ev,
                "bandwidth_ev": resampling.bandwidth_ev,
                "outside": resampling.outside,
                "mean_energy_error_ev": resampling.mean_energy_error_ev,
                "bandwidth_error_ev": resampling.bandwidth_error_ev,
                "moved_ev": resampling.moved_ev,
                "l1": resampling.l1,
            });
            put(&mut tree, "spectrum", spectrum);
        }
        tree
    }
}

/// A panel with its position `at` in the frame of the first panel; the first has none.
fn panel(panel: &Panel, at: Option<&AttachedPanel>) -> Value {
    let mut tree = json!({
        "name": panel.name(),
        "pixels_fast": panel.pixels_fast(),
        "pixels_slow": panel.pixels_slow(),
        "pixel_size_m": panel.pixel_size_m(),
        "origin_in_first_m": at.map(|at| at.origin.map(|length| length.m())),
        "fast_in_first": at.map(|at| at.fast),
        "slow_in_first": at.map(|at| at.slow),
        "trusted_range_counts": panel.trusted_range(),
        "region": region(panel),
    });
    put_sensor(&mut tree, panel.sensor());
    let derived = json!({
        "origin_m": panel.pix0_m(),
        "fast": panel.fast(),
        "slow": panel.slow(),
        "normal": panel.normal(),
        "distance_m": panel.distance_m(),
        "close_distance_m": panel.close_distance_m(),
    });
    put(&mut tree, "derived", derived);
    tree
}

fn of_diffuse(diffuse: &Diffuse) -> Value {
    json!({
        "model": diffuse.model,
        "axes": diffuse.axes,
        "gamma_angstrom": diffuse.numbers.gamma_angstrom,
        "sigma_angstrom": diffuse.numbers.sigma_angstrom,
        "stencil": diffuse.neighbours,
        "rotations": diffuse.operations,
        "damped": diffuse.is_damped,
    })
}

pub(crate) fn put(tree: &mut Value, field: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = tree {
        fields.insert(field.to_owned(), value.into());
    }
}

fn put_sensor(tree: &mut Value, sensor: &Sensor) {
    put(tree, "sensor_thickness_m", sensor.thickness_m);
    put(tree, "sensor_layers", sensor.layers);
    put(tree, "sensor_layer_step_m", sensor.layer_step_m);
    put(tree, "sensor_attenuation_per_m", sensor.mu_per_m);
}

fn region(panel: &Panel) -> Value {
    let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
    json!({
        "fast_first": fast.start(),
        "fast_last": fast.end(),
        "slow_first": slow.start(),
        "slow_last": slow.end(),
        "mask": panel.mask().map(mask),
    })
}

fn mask(mask: &Mask) -> Value {
    let rows = (0..mask.pixels_slow()).flat_map(|slow| mask.row(slow));
    let used: Vec<u8> = rows.map(|&used| used.into()).collect();
    json!({
        "pixels_used": used.iter().filter(|&&used| used != 0).count(),
        "sha256": sha256_of(&used),
    })
}

/// Every source with its recorded weight, or the hash of all of them.
fn source_list(sources: &SourceList) -> Value {
    if sources.len() > MOST_SOURCES {
        let numbers = sources.iter().flat_map(|source| {
            let [x, y, z] = source.position_m;
            [x, y, z, source.wavelength_m, source.recorded_weight]
        });
        let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
        return json!({ "sha256": sha256_of(&bytes) });
    }
    let source = |source: &Source| {
        json!({
            "position_m": source.position_m,
            "wavelength_m": source.wavelength_m,
            "recorded_weight": source.recorded_weight,
        })
    };
    sources.iter().map(source).collect()
}
