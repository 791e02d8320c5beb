//! The lines of nonBragg on standard output.

use nanobragg::geometry::Pivot;
use nanobragg::io::printf::{general as g, general_with};
use nanobragg::{ExperimentSpec, Resolved, SourcesSpec};

use super::options::Request;
use crate::report::{line, triple};

/// The lines before the image is rendered.
pub(super) fn before(
    page: &mut String,
    request: &Request,
    spec: &ExperimentSpec,
    resolved: &Resolved,
    seed: i64,
) {
    let (experiment, decisions) = (&resolved.experiment, &resolved.decisions);
    let beam_m = decisions.fluence.beam_size_m;
    let mut sample_m = request.sample_m;
    for (edge_m, side) in sample_m.iter_mut().skip(1).zip(["high", "wide"]) {
        if beam_m >= 0.0 && beam_m < *edge_m {
            line!(
                page,
                "WARNING: clipping sample ({} m {side}) with beam ({} m)",
                g(*edge_m),
                g(beam_m)
            );
            *edge_m = beam_m;
        }
    }
    match request.pivot {
        Pivot::Sample => line!(page, "pivoting detector around sample"),
        Pivot::Beam => line!(page, "pivoting detector around direct beam spot"),
    }
    if let Some((path, _)) = &request.table {
        line!(page, "reading {}", path.display());
    }
    sources(page, request, spec, resolved);

    let layer = experiment.background.first();
    let points = layer.map_or(0, |layer| layer.profile.points().count() + 4);
    line!(
        page,
        "  {points} initialized F points (will cubic-spline interpolate between them)"
    );
    let dispersion = decisions.dispersion.steps();
    line!(
        page,
        "  wave={} meters +/- {}% in {} steps",
        g(request.wavelength_m),
        g(dispersion.range * 100.0),
        dispersion.count
    );
    if request.is_unpolarized {
        line!(page, "  polarization effect disabled");
    } else {
        line!(
            page,
            "  Kahn polarization factor: {:.6}",
            request.kahn_factor
        );
    }
    for (is_on, text) in [
        (
            request.is_curved,
            "curved detector: all pixels same distance from origin",
        ),
        (request.is_point_pixel, "pixel obliquity effect disabled"),
        (
            request.is_f_map,
            "Fmap mode: plotting structure factor at every pixel",
        ),
    ] {
        if is_on {
            line!(page, "  {text}");
        }
    }
    line!(
        page,
        "  incident fluence: {} photons/m^2",
        g(experiment.fluence_per_m2)
    );
    let molecules = layer.map_or(0.0, |layer| layer.molecules);
    let volume_m3: f64 = sample_m.iter().product();
    let density = if request.molecules == 0.0 {
        request.density_g_per_cm3
    } else {
        molecules / volume_m3 / nanobragg::physics::AVOGADRO_PER_MOL * request.molar_mass_g_per_mol
            / 1e6
    };
    let [thick, high, wide] = sample_m.map(g);
    line!(
        page,
        "  sample is {thick} m thick x {high} m high x {wide} m wide, {} g/cm^3 and {} g/mol ({} molecules)",
        g(density),
        g(request.molar_mass_g_per_mol),
        g(molecules)
    );
    detector(page, request, resolved);
    let (h, v) = (
        decisions.divergence.horizontal(),
        decisions.divergence.vertical(),
    );
    for (axis, steps) in [("h", h), ("v", v)] {
        line!(
            page,
            "  {axis}divrange={} {axis}divstep={}  radians",
            g(steps.range),
            g(steps.step)
        );
    }
    let is_grid = spec.beam.sources == SourcesSpec::Grid;
    let directions = is_grid.then(|| decisions.divergence.kept().len());
    let directions = directions.and_then(|count| i64::try_from(count).ok());
    line!(page, "  {} divergence steps", directions.unwrap_or(-1));
    line!(page, "  {} sources", experiment.sources.len());
    line!(
        page,
        "  {} pixel oversample steps",
        experiment.sampling.oversample
    );
    if request.has_noise {
        line!(page, "\n  noise image paramters:");
        line!(page, "  seed: {}", seed.wrapping_neg());
    }
}

fn sources(page: &mut String, request: &Request, spec: &ExperimentSpec, resolved: &Resolved) {
    let (experiment, decisions) = (&resolved.experiment, &resolved.decisions);
    let is_grid = spec.beam.sources == SourcesSpec::Grid;
    if is_grid {
        for (h, v) in decisions.divergence.deviations_rad() {
            line!(page, "divergence deviation: {} {}", g(h), g(v));
        }
        let wavelengths = decisions.dispersion.wavelengths_m(request.wavelength_m);
        for (index, wavelength_m) in wavelengths.enumerate() {
            line!(page, "lambda{index} = {}", general_with(wavelength_m, 15));
        }
    }
    let far = request.source_distance_m / 10.0;
    line!(
        page,
        "  created a total of {} sources:",
        experiment.sources.len()
    );
    for source in &experiment.sources {
        let position_m = match is_grid {
            true => source.position_m.map(|x| x * far),
            false => source.position_m,
        };
        line!(
            page,
            "{}   {} {}",
            triple(position_m),
            g(if is_grid { 1.0 } else { source.recorded_weight }),
            g(source.wavelength_m)
        );
    }
}

fn detector(page: &mut String, request: &Request, resolved: &Resolved) {
    let experiment = &resolved.experiment;
    let panel = experiment.detector.first();
    let (size_m, [fast, slow]) = request.sides();
    line!(
        page,
        "  distance={} detsize={}x{}  pixel={} meters ({fast}x{slow} pixels)",
        g(panel.distance_m()),
        g(size_m[0]),
        g(size_m[1]),
        g(request.pixel_m)
    );
    line!(
        page,
        "  Xbeam={} Ybeam={}",
        g(panel.f_beam_m()),
        g(panel.s_beam_m())
    );
    for (name, vector) in [
        ("detector origin:", panel.pix0_m()),
        ("DIRECTION_OF_DETECTOR_X-AXIS=", panel.fast()),
        ("DIRECTION_OF_DETECTOR_Y-AXIS=", panel.slow()),
        ("INCIDENT_BEAM_DIRECTION=", experiment.beam.direction()),
        ("POLARIZATION_PLANE_NORMAL=", experiment.beam.polarization()),
    ] {
        line!(page, "  {name} {}", triple(vector));
    }
    let [fast_first, fast_last, slow_first, slow_last] = request.region();
    line!(
        page,
        "  roi: {fast_first} < x < {fast_last} && {slow_first} < y < {slow_last}"
    );
}

/// The lines that C prints while it renders.
pub(super) fn progress(page: &mut String, request: &Request, pixels: u64) {
    let [fast_first, fast_last, slow_first, slow_last] = request.region();
    // C counts one more along each axis.
    let total = (fast_last - fast_first + 1) * (slow_last - slow_first + 1);
    let total = u64::try_from(total).unwrap_or(0);
    if request.shows_progress && total >= 100 {
        for done in 0..pixels {
            let is_near_an_end = 10 * done < total || 10 * done > 9 * total;
            if done % (total / 20) == 0 || (is_near_an_end && done % (total / 100) == 0) {
                line!(page, "{}% done", done * 100 / total);
            }
        }
    }
    line!(page, "");
}
