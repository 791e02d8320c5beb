//! The resolved experiment as JSON: SI units, except where a name says otherwise.
//!
//! What follows from other fields stands under `derived`, so that a comparison of two experiments
//! can leave it out.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::png::Grey;
use nanobragg::{FactorsSpec, Lookup, Misset, Outline, PixelKind, SourceList, Surface};
use serde_json::{Value, json};

use crate::args::Args;
use crate::digest;
use crate::resolve::{DEFAULT_MOSAIC_SEED, Job};

/// Sources that are listed one by one; of more there is a hash.
const MOST_SOURCES: usize = 1000;

/// The experiment of a job.
pub(crate) fn of(job: &Job) -> Value {
    let experiment = &job.resolved.experiment;
    let sampling = &experiment.sampling;
    let phi = &experiment.phi;
    let (fast, slow) = (
        experiment.detector.first().roi().fast(),
        experiment.detector.first().roi().slow(),
    );
    json!({
        "crystal": crystal(job),
        "structure_factors": structure_factors(job),
        "detector": detector(job),
        "region": {
            "fast_first": fast.start(),
            "fast_last": fast.end(),
            "slow_first": slow.start(),
            "slow_last": slow.end(),
            "mask": mask(job),
        },
        "beam": beam(job),
        "spindle": {
            "axis": experiment.goniometer.spindle(),
            "start_rad": phi.start_rad,
            "range_rad": phi.range_rad,
            "step_rad": phi.step_rad,
            "steps": phi.count,
        },
        "sampling": {
            "oversample": sampling.oversample,
            "capture_at_each_subpixel": sampling.per_subpixel_capture,
            "polarization_at_each_subpixel": sampling.per_subpixel_polarization,
            "solid_angle_at_each_subpixel": sampling.per_subpixel_solid_angle,
        },
        "water_m": experiment.water_m,
        "dmin_m": experiment.dmin_m,
    })
}

fn crystal(job: &Job) -> Value {
    let crystal = &job.resolved.experiment.crystal;
    let lattice = crystal.lattice();
    let angles_deg = lattice.angles_rad().map(|angle| angle * DEGREES_PER_RADIAN);
    json!({
        "cell_angstrom": lattice.lengths_angstrom,
        "cell_angles_deg": angles_deg,
        "reciprocal_per_angstrom": lattice.reciprocal_per_angstrom,
        "misset_rad": crystal.misset_rad(),
        "cells": crystal.size().cells(),
        "shape": crystal.shape().to_string(),
        "fudge": crystal.fudge(),
        "mosaic_spread_rad": crystal.mosaic().spread_rad(),
        "mosaic_domains": crystal.mosaic().domains().len(),
        "derived": {
            "direct_m": crystal.direct().vectors(),
            "size_m": crystal.size().size_m(),
            "volume_angstrom3": lattice.volume_a3,
        },
    })
}

fn structure_factors(job: &Job) -> Value {
    let factors = &job.resolved.experiment.factors;
    let bounds = factors.bounds();
    json!({
        "from": match &job.named.factors {
            FactorsSpec::List(_) | FactorsSpec::Grid(_) => "list",
            FactorsSpec::Coordinates(_) => "coordinates",
            FactorsSpec::Dump { .. } => "dump",
            FactorsSpec::Constant(_) => "default",
        },
        "default": factors.default_f(),
        "lookup": match job.resolved.experiment.lookup {
            Lookup::Nearest => "nearest",
            Lookup::Tricubic => "tricubic",
        },
        // A count beyond 2^64 does not fit into memory.
        "read": u64::try_from(factors.count_read()).unwrap_or(u64::MAX),
        "hkl_min": bounds.map(|bounds| bounds.min),
        "hkl_max": bounds.map(|bounds| bounds.max),
    })
}

fn detector(job: &Job) -> Value {
    let panel = job.resolved.experiment.detector.first();
    let layout = &job.resolved.decisions.layout;
    let sensor = panel.sensor();
    json!({
        "convention": layout.convention.to_string(),
        "pivot": layout.pivot.to_string(),
        "pixels_fast": panel.pixels_fast(),
        "pixels_slow": panel.pixels_slow(),
        "pixel_size_m": panel.pixel_size_m(),
        "distance_m": panel.distance_m(),
        "x_beam_m": layout.centre.beam_m[0],
        "y_beam_m": layout.centre.beam_m[1],
        "direct_beam_fast_m": panel.f_beam_m(),
        "direct_beam_slow_m": panel.s_beam_m(),
        "rotations_rad": layout.rotations.map(|angle| angle.radians()),
        "twotheta_rad": layout.twotheta.radians(),
        "twotheta_axis": layout.input.twotheta_axis,
        "fast": panel.fast(),
        "slow": panel.slow(),
        "normal": panel.normal(),
        "surface": match panel.surface() {
            Surface::Flat => "flat",
            Surface::Curved => "curved",
        },
        "pixel_kind": match panel.pixel_kind() {
            PixelKind::Facet => "facet",
            PixelKind::Point => "point",
        },
        "sensor_thickness_m": sensor.thickness_m,
        "sensor_layers": sensor.layers,
        "sensor_layer_step_m": sensor.layer_step_m,
        "sensor_attenuation_per_m": sensor.mu_per_m,
        "derived": {
            "size_fast_m": layout.size_m[0],
            "size_slow_m": layout.size_m[1],
            "close_distance_m": panel.close_distance_m(),
            "near_point_fast_m": panel.f_close_m(),
            "near_point_slow_m": panel.s_close_m(),
            "first_pixel_corner_m": panel.pix0_m(),
        },
    })
}

fn mask(job: &Job) -> Value {
    let Some(mask) = job.resolved.experiment.detector.first().mask() else {
        return Value::Null;
    };
    let rows = 0..mask.pixels_slow();
    let used: Vec<u8> = rows
        .flat_map(|slow| mask.row(slow))
        .map(|&used| used.into())
        .collect();
    json!({
        "pixels_used": used.iter().filter(|&&used| used != 0).count(),
        "sha256": digest::of_bytes(&used),
    })
}

fn beam(job: &Job) -> Value {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    let fluence = &decisions.fluence;
    let (horizontal, vertical) = (
        decisions.divergence.horizontal(),
        decisions.divergence.vertical(),
    );
    let dispersion = decisions.dispersion.steps();
    json!({
        "direction": experiment.beam.direction(),
        "polarization_direction": experiment.beam.polarization(),
        "polarization_factor": experiment.polarization.kahn_factor,
        "polarization_correction": !experiment.polarization.off,
        "wavelength_m": decisions.wavelength_m,
        "fluence_per_m2": fluence.fluence_per_m2,
        "horizontal_divergence_rad": horizontal.range,
        "horizontal_divergence_steps": horizontal.count,
        "vertical_divergence_rad": vertical.range,
        "vertical_divergence_steps": vertical.count,
        "divergence_outline": match decisions.divergence.outline() {
            Outline::Round => "round",
            Outline::Square => "square",
        },
        "dispersion_fraction": dispersion.range,
        "dispersion_steps": dispersion.count,
        "sources": experiment.sources.len(),
        "derived": {
            "flux_per_s": fluence.flux_per_s,
            "exposure_s": fluence.exposure_s,
            "beam_size_m": fluence.beam_size_m,
            "source_list": source_list(&experiment.sources),
        },
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
        return json!({ "sha256": digest::of_bytes(&bytes) });
    }
    let source = |source: &nanobragg::Source| {
        json!({
            "position_m": source.position_m,
            "wavelength_m": source.wavelength_m,
            "recorded_weight": source.recorded_weight,
        })
    };
    sources.iter().map(source).collect()
}

/// The seeds that were used.
pub(crate) fn seeds(job: &Job, args: &Args) -> Value {
    let is_random = matches!(args.crystal.misset, Some(Misset::Random { .. }));
    let noise = &args.noise;
    json!({
        "noise": job.noise_seed,
        "noise_from": if noise.seed.is_some() { "flag" } else { "clock" },
        "misset": is_random.then(|| noise.misset_seed.unwrap_or(job.noise_seed)),
        "mosaic": noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
    })
}

/// What turns photons into the numbers of the other images; `null` is automatic.
pub(crate) fn images(job: &Job, args: &Args) -> Value {
    let response = &job.spec.response;
    json!({
        "offset_counts": response.offset.unwrap_or_default().counts,
        "integer_scale": response.given_integer_scale(),
        "grey_scale": response.given_grey_scale(),
        "picture_scale": match args.output.png_scale {
            Grey::Logarithmic => "logarithm",
            Grey::SquareRoot => "square root",
        },
    })
}
