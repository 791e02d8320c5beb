//! Where sub-pixels lie, the three corrections, and how both follow the tangents that move rays.

use nanobragg_geometry::{
    PixelKind, capture_fraction, flat_position, point_solid_angle, solid_angle,
};
use nanobragg_numeric::{Dual, Scalar};

use super::super::block::{BLOCK, Column, any};
use super::super::lane::Lane;
use super::block::SlopeBlock;
use crate::gradient::tables::Tables;
use crate::plan::Plan;
use crate::polarization::polarization_factor;

type LaneDual = Dual<1, Lane>;

#[inline(always)]
fn dual(real: f64, rate: f64) -> LaneDual {
    LaneDual {
        real: Lane(real),
        derivatives: [Lane(rate)],
    }
}

#[inline(always)]
fn duals(real: [f64; 3], rate: [f64; 3]) -> [LaneDual; 3] {
    [
        dual(real[0], rate[0]),
        dual(real[1], rate[1]),
        dual(real[2], rate[2]),
    ]
}

impl SlopeBlock {
    /// Finds where the sub-pixels lie, and how they move.
    #[inline(always)]
    pub(super) fn place_subpixels(
        &mut self,
        plan: &Plan<'_>,
        tables: &Tables,
        fast_m: &Column,
        slow_m: f64,
        layer: u32,
    ) {
        let detector = &plan.experiment.detector;
        let (fast, slow) = (detector.fast(), detector.slow());
        let (normal, pix0) = (detector.normal(), detector.pix0_m());
        let layer = f64::from(layer);
        let depth_m = layer * detector.sensor().layer_step_m;
        for i in 0..BLOCK {
            let [x, y, z] = flat_position(fast_m[i], slow_m, depth_m, fast, slow, normal, pix0);
            let path_m = (x * x + y * y + z * z).sqrt();
            // A pixel on the crystal itself has no direction: a zero vector.
            let length = if path_m == 0.0 { 1.0 } else { path_m };
            self.base.path_m[i] = path_m;
            self.base.diffracted[0][i] = x / length;
            self.base.diffracted[1][i] = y / length;
            self.base.diffracted[2][i] = z / length;
        }
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            let depth_rate = layer * rates.layer_step_m;
            let still = std::array::from_fn(|x| rates.pix0_m[x] + depth_rate * normal[x]);
            for i in 0..BLOCK {
                let moved = flat_position(
                    fast_m[i],
                    slow_m,
                    depth_m,
                    rates.fast,
                    rates.slow,
                    rates.normal,
                    still,
                );
                let (d0, d1, d2) = (
                    self.base.diffracted[0][i],
                    self.base.diffracted[1][i],
                    self.base.diffracted[2][i],
                );
                let along = d0 * moved[0] + d1 * moved[1] + d2 * moved[2];
                let path_m = self.base.path_m[i];
                let length = if path_m == 0.0 { 1.0 } else { path_m };
                let there = if path_m == 0.0 { 0.0 } else { 1.0 / length };
                ray.path_m[i] = along;
                ray.diffracted[0][i] = (moved[0] - d0 * along) * there;
                ray.diffracted[1][i] = (moved[1] - d1 * along) * there;
                ray.diffracted[2][i] = (moved[2] - d2 * along) * there;
            }
        }
    }

    /// Takes the solid angle where it is not known yet, or everywhere at every sub-pixel.
    #[inline(always)]
    pub(super) fn correct_solid_angle(&mut self, plan: &Plan<'_>, tables: &Tables) {
        let each = plan.rules.solid_angle.refreshes;
        if !each && !any(&self.base.solid_angle_sr, |w| w == 0.0) {
            return;
        }
        let detector = &plan.experiment.detector;
        let close_m = detector.close_distance_m();
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            for i in 0..BLOCK {
                let path_m = self.base.path_m[i];
                let shrinks = ray.path_m[i] / path_m;
                let rate = match detector.pixel_kind() {
                    PixelKind::Facet => {
                        let by_close = solid_angle(detector.pixel_size_m(), 1.0, path_m);
                        by_close * (rates.close_distance_m - 3.0 * close_m * shrinks)
                    }
                    PixelKind::Point => -2.0 * point_solid_angle(path_m) * shrinks,
                };
                if each | (self.base.solid_angle_sr[i] == 0.0) {
                    ray.solid_angle_sr[i] = rate;
                }
            }
        }
        for i in 0..BLOCK {
            let value = plan.solid_angle_sr(self.base.path_m[i]);
            if each | (self.base.solid_angle_sr[i] == 0.0) {
                self.base.solid_angle_sr[i] = value;
            }
        }
    }

    /// Takes the capture fraction of this layer likewise.
    #[inline(always)]
    pub(super) fn correct_capture(&mut self, plan: &Plan<'_>, tables: &Tables, layer: u32) {
        let each = plan.rules.capture.refreshes;
        if !each && !any(&self.base.capture, |capture| capture == 0.0) {
            return;
        }
        let sensor = plan.experiment.detector.sensor();
        let layer = plan.rules.capturing_layer(layer, sensor.layers);
        let normal = plan.experiment.detector.normal();
        let dot = |x: [LaneDual; 3], y: [LaneDual; 3]| x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
        let [x, y, z] = &self.base.diffracted;
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            let step_m = dual(sensor.layer_step_m, rates.layer_step_m);
            let mu_per_m = dual(sensor.mu_per_m, rates.mu_per_m);
            let normal = duals(normal, rates.normal);
            let [rx, ry, rz] = &ray.diffracted;
            for i in 0..BLOCK {
                let diffracted = duals([x[i], y[i], z[i]], [rx[i], ry[i], rz[i]]);
                let parallax = dot(diffracted, normal);
                let capture = capture_fraction(layer, step_m, mu_per_m, parallax);
                if each | (self.base.capture[i] == 0.0) {
                    ray.capture[i] = capture.derivatives[0].0;
                }
            }
        }
        let (step_m, mu_per_m) = (Lane(sensor.layer_step_m), Lane(sensor.mu_per_m));
        for i in 0..BLOCK {
            let parallax = Lane(x[i] * normal[0] + y[i] * normal[1] + z[i] * normal[2]);
            let capture = capture_fraction(layer, step_m, mu_per_m, parallax).value();
            if each | (self.base.capture[i] == 0.0) {
                self.base.capture[i] = capture;
            }
        }
    }

    /// Takes the polarization factor likewise, where the source is not cut, or for all.
    #[inline(always)]
    pub(super) fn correct_polarization(
        &mut self,
        plan: &Plan<'_>,
        tables: &Tables,
        index: usize,
        for_all: bool,
    ) {
        let each = plan.rules.polarization.refreshes;
        if !each && !any(&self.base.polarization, |factor| factor == 0.0) {
            return;
        }
        let kahn_factor = plan.experiment.polarization.kahn_factor;
        let source = &plan.sources[index];
        let frame = &source.polarization;
        let (incident, electric, magnetic) = (source.incident, frame.electric, frame.magnetic);
        let [x, y, z] = &self.base.diffracted;
        let is_taken = |polarization: f64, live: f64| {
            (each | (polarization == 0.0)) & (for_all | (live != 0.0))
        };
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            let slope = &rates.sources[index];
            let [rx, ry, rz] = &ray.diffracted;
            for i in 0..BLOCK {
                let factor = polarization_factor(
                    dual(kahn_factor, rates.kahn_factor),
                    duals(incident, slope.incident),
                    duals([x[i], y[i], z[i]], [rx[i], ry[i], rz[i]]),
                    duals(electric, slope.electric),
                    duals(magnetic, slope.magnetic),
                );
                if is_taken(self.base.polarization[i], self.base.live[i]) {
                    ray.polarization[i] = factor.derivatives[0].0;
                }
            }
        }
        for i in 0..BLOCK {
            let diffracted = [x[i], y[i], z[i]];
            let factor = polarization_factor(kahn_factor, incident, diffracted, electric, magnetic);
            if is_taken(self.base.polarization[i], self.base.live[i]) {
                self.base.polarization[i] = factor;
            }
        }
    }

    /// Adds to `by_tangent` what the tangents that move rays change by the scattering vector.
    #[inline(always)]
    pub(super) fn add_rays(&mut self, plan: &Plan<'_>, tables: &Tables, index: usize) {
        let source = &plan.sources[index];
        let [wx, wy, wz] = &self.by_scattering;
        let [qx, qy, qz] = &self.base.scattering_per_m;
        for (rates, ray) in tables.rays.iter().zip(&self.rays) {
            let slope = &rates.sources[index];
            let [rx, ry, rz] = &ray.diffracted;
            let [ix, iy, iz] = slope.incident;
            let stretch = slope.wavelength_m;
            let per_wavelength = 1.0 / source.wavelength_m;
            let sum = &mut self.sums.by_tangent[rates.tangent];
            for i in 0..BLOCK {
                let x = rx[i] - ix - qx[i] * stretch;
                let y = ry[i] - iy - qy[i] * stretch;
                let z = rz[i] - iz - qz[i] * stretch;
                sum[i] += (wx[i] * x + wy[i] * y + wz[i] * z) * per_wavelength;
            }
        }
    }
}
