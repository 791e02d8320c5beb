//! The sum of a pixel as in a textbook, term by term.

use std::f64::consts::PI;

use nanobragg::Experiment;
use nanobragg::geometry::vector::{cross, dot, norm, scale, sub, unit};

/// Square of the classical electron radius in m^2, with the digits of the C program.
pub(crate) const ELECTRON_RADIUS_SQUARED_M2: f64 = 7.94079248018965e-30;

/// The contribution of one source at one sub-pixel of one layer of the sensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    pub(crate) layer: u32,
    /// The sum over all orientations of the intensity, in units of the intensity of a free electron.
    pub(crate) electrons: f64,
    pub(crate) solid_angle_sr: f64,
    pub(crate) polarization: f64,
    /// The probability that this layer absorbs a photon of this direction.
    pub(crate) capture: f64,
    /// The same for the last layer.
    pub(crate) last_capture: f64,
}

/// The terms of a pixel of an experiment with one orientation of a parallelepiped crystal and one
/// structure factor for all reflections, in the order layer, slow, fast, source.
pub(crate) fn terms(experiment: &Experiment, fast: u32, slow: u32) -> Vec<Term> {
    let panel = experiment.detector.first();
    let sensor = panel.sensor();
    let n = experiment.sampling.oversample;
    let centre_m = |pixel: u32, index: u32| {
        (f64::from(pixel) + (f64::from(index) + 0.5) / f64::from(n)) * panel.pixel_size_m()
    };
    let mut terms = Vec::new();
    for layer in 0..sensor.layers {
        for (sub_slow, sub_fast) in (0..n * n).map(|i| (i / n, i % n)) {
            let position_m = panel.position_m(
                centre_m(fast, sub_fast),
                centre_m(slow, sub_slow),
                f64::from(layer) * sensor.layer_step_m,
            );
            let path_m = norm(position_m);
            let ray = unit(position_m);
            let cosine = dot(ray, panel.normal());
            let stopped = |layer: u32| {
                let reaches = |layer: u32| {
                    (-sensor.mu_per_m * f64::from(layer) * sensor.layer_step_m / cosine).exp()
                };
                if sensor.is_modelled() {
                    reaches(layer) - reaches(layer + 1)
                } else {
                    1.0
                }
            };
            for source in experiment.sources.iter() {
                let incident = source.incident();
                terms.push(Term {
                    layer,
                    electrons: electrons(experiment, ray, incident, source.wavelength_m),
                    solid_angle_sr: panel.pixel_size_m().powi(2) * panel.close_distance_m()
                        / path_m.powi(3),
                    polarization: kahn(
                        experiment.polarization.kahn_factor,
                        ray,
                        incident,
                        experiment.beam.polarization(),
                    ),
                    capture: stopped(layer),
                    last_capture: stopped(sensor.layers - 1),
                });
            }
        }
    }
    terms
}

/// Photons of a pixel whose terms, with their corrections, have the sum `sum`. The sum is averaged over
/// sub-pixels and sources, but not over the layers of the sensor.
pub(crate) fn photons(experiment: &Experiment, sum: f64) -> f64 {
    let subpixels = f64::from(experiment.sampling.oversample).powi(2);
    let steps = subpixels * experiment.sources.len() as f64;
    ELECTRON_RADIUS_SQUARED_M2 * experiment.fluence_per_m2 * sum / steps
}

/// `F^2 Fl^2` of the crystal at phi 0. Fl is the product of `sin(pi N h)/sin(pi h)` over three axes.
fn electrons(experiment: &Experiment, ray: [f64; 3], incident: [f64; 3], wavelength_m: f64) -> f64 {
    let q_per_m = scale(1.0 / wavelength_m, sub(ray, incident));
    let edges = experiment.crystal.direct().vectors();
    let cells = experiment.crystal.size().cells();
    let lattice: f64 = (0..3)
        .map(|axis| {
            let h = dot(edges[axis], q_per_m);
            (PI * cells[axis] * h).sin() / (PI * h).sin()
        })
        .product();
    (experiment.factors.default_f() * lattice).powi(2)
}

/// Kahn's polarization factor, from the azimuth of the ray about the beam.
pub(crate) fn kahn(factor: f64, ray: [f64; 3], incident: [f64; 3], axis: [f64; 3]) -> f64 {
    let magnetic = unit(cross(axis, incident));
    let electric = cross(incident, magnetic);
    let azimuth = dot(ray, magnetic).atan2(dot(ray, electric));
    let cos_squared = dot(ray, incident).powi(2);
    0.5 * (1.0 + cos_squared - factor * (2.0 * azimuth).cos() * (1.0 - cos_squared))
}
