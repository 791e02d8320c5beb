//! Where sub-pixels lie, the three corrections, and how both follow the tangents that move rays.

use nanobragg_geometry::{
    PixelKind, capture_fraction, flat_position, point_solid_angle, solid_angle, vector,
};
use nanobragg_numeric::{Dual, Scalar};

use super::super::block::{BLOCK, Column, any};
use super::super::correct::refresh;
use super::super::lane::{Arithmetic, Lane};
use super::block::SlopeBlock;
use crate::gradient::tables::Tables;
use crate::polarization::{RayComponents, polarization_along};
use crate::scene::View;

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
    pub(super) fn place_subpixels<A: Arithmetic>(
        &mut self,
        view: &View<'_>,
        tables: &Tables,
        fast_m: &Column,
        slow_m: f64,
        layer: u32,
    ) {
        let panel = view.panel;
        let (fast, slow) = (panel.fast(), panel.slow());
        let (normal, pix0) = (panel.normal(), panel.plane().pix0_m);
        let layer = f64::from(layer);
        let depth_m = layer * panel.sensor().layer_step_m;
        for i in 0..BLOCK {
            let [x, y, z] = flat_position(fast_m[i], slow_m, depth_m, fast, slow, normal, pix0);
            let path_m = (x * x + y * y + z * z).sqrt();
            // A pixel on the crystal itself has no direction: a zero vector.
            let length = if path_m == 0.0 { 1.0 } else { path_m };
            let over_length = A::over(length);
            self.base.path_m[i] = path_m;
            self.per_path_m[i] = if path_m == 0.0 { 0.0 } else { 1.0 / length };
            self.base.diffracted[0][i] = over_length(x);
            self.base.diffracted[1][i] = over_length(y);
            self.base.diffracted[2][i] = over_length(z);
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
                let per_path_m = self.per_path_m[i];
                ray.path_m[i] = along;
                ray.diffracted[0][i] = (moved[0] - d0 * along) * per_path_m;
                ray.diffracted[1][i] = (moved[1] - d1 * along) * per_path_m;
                ray.diffracted[2][i] = (moved[2] - d2 * along) * per_path_m;
            }
        }
    }

    /// Takes the solid angle where it is not known yet, or everywhere at every sub-pixel.
    #[inline(always)]
    pub(super) fn correct_solid_angle(&mut self, view: &View<'_>, tables: &Tables) {
        let each = view.rules.solid_angle.refreshes;
        if !each && !any(&self.base.solid_angle_sr, |w| w == 0.0) {
            return;
        }
        let panel = view.panel;
        let (pixel_m, close_m) = (panel.pixel_size_m(), panel.close_distance_m());
        let path_m = &self.base.path_m;
        // The solid angle is `by_close` times the close distance, and shrinks as the path to some power.
        let (mut now, mut by_close) = ([0.0; BLOCK], [0.0; BLOCK]);
        let power = match panel.pixel_kind() {
            PixelKind::Facet => {
                for i in 0..BLOCK {
                    now[i] = solid_angle(pixel_m, close_m, path_m[i]);
                    by_close[i] = solid_angle(pixel_m, 1.0, path_m[i]);
                }
                3.0
            }
            PixelKind::Point => {
                for i in 0..BLOCK {
                    now[i] = point_solid_angle(path_m[i]);
                }
                2.0
            }
        };
        let known = &self.base.solid_angle_sr;
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            let rate = &mut ray.solid_angle_sr;
            for i in 0..BLOCK {
                let shrinks = power * ray.path_m[i] * self.per_path_m[i];
                let here = by_close[i] * rates.close_distance_m - now[i] * shrinks;
                rate[i] = if each | (known[i] == 0.0) {
                    here
                } else {
                    rate[i]
                };
            }
        }
        refresh(each, &mut self.base.solid_angle_sr, &now);
    }

    /// Takes the capture fraction of this layer likewise.
    #[inline(always)]
    pub(super) fn correct_capture(&mut self, view: &View<'_>, tables: &Tables, layer: u32) {
        let each = view.rules.capture.refreshes;
        if !each && !any(&self.base.capture, |capture| capture == 0.0) {
            return;
        }
        let sensor = view.panel.sensor();
        let layer = view.rules.capturing_layer(layer, sensor.layers);
        let normal = view.panel.normal();
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
                ray.capture[i] = if each | (self.base.capture[i] == 0.0) {
                    capture.derivatives[0].0
                } else {
                    ray.capture[i]
                };
            }
        }
        let (step_m, mu_per_m) = (Lane(sensor.layer_step_m), Lane(sensor.mu_per_m));
        let mut now = [0.0; BLOCK];
        for i in 0..BLOCK {
            let parallax = Lane(x[i] * normal[0] + y[i] * normal[1] + z[i] * normal[2]);
            now[i] = capture_fraction(layer, step_m, mu_per_m, parallax).value();
        }
        refresh(each, &mut self.base.capture, &now);
    }

    /// Takes the polarization factor likewise, where the source is not cut, or for all.
    #[inline(always)]
    pub(super) fn correct_polarization(
        &mut self,
        view: &View<'_>,
        tables: &Tables,
        index: usize,
        for_all: bool,
    ) {
        let each = view.rules.polarization.refreshes;
        if !each && !any(&self.base.polarization, |factor| factor == 0.0) {
            return;
        }
        let kahn_factor = Lane(view.kahn_factor);
        let source = &view.sources[index];
        let frame = &source.polarization;
        let (incident, electric, magnetic) = (source.incident, frame.electric, frame.magnetic);
        let [x, y, z] = &self.base.diffracted;
        let along = |direction: [f64; 3], i: usize| vector::dot(direction, [x[i], y[i], z[i]]);
        let mut now = [0.0; BLOCK];
        // The slopes by Kahn's factor and by the components along the beam and the two fields.
        let mut by = [[0.0; BLOCK]; 4];
        for i in 0..BLOCK {
            let component = |direction, index| Dual::variable(Lane(along(direction, i)), index);
            let factor: Dual<4, Lane> = polarization_along(RayComponents {
                kahn_factor: Dual::variable(kahn_factor, 0),
                along_beam: component(incident, 1),
                along_electric: component(electric, 2),
                along_magnetic: component(magnetic, 3),
            });
            now[i] = factor.real.0;
            for (by, slope) in by.iter_mut().zip(factor.derivatives) {
                by[i] = slope.0;
            }
        }
        let [by_kahn, by_beam, by_electric, by_magnetic] = &by;
        let known = &mut self.base.polarization;
        let mut taken = [false; BLOCK];
        for i in 0..BLOCK {
            taken[i] = (each | (known[i] == 0.0)) & (for_all | (self.base.live[i] != 0.0));
            known[i] = if taken[i] { now[i] } else { known[i] };
        }
        for (rates, ray) in tables.rays.iter().zip(&mut self.rays) {
            let slope = &rates.sources[index];
            let [rx, ry, rz] = &ray.diffracted;
            let rate = &mut ray.polarization;
            for i in 0..BLOCK {
                let moved = |fixed: [f64; 3], moving: [f64; 3]| {
                    vector::dot(fixed, [rx[i], ry[i], rz[i]]) + along(moving, i)
                };
                let here = by_kahn[i] * rates.kahn_factor
                    + by_beam[i] * moved(incident, slope.incident)
                    + by_electric[i] * moved(electric, slope.electric)
                    + by_magnetic[i] * moved(magnetic, slope.magnetic);
                rate[i] = if taken[i] { here } else { rate[i] };
            }
        }
    }

    /// Adds to `by_tangent` what the tangents that move rays change by the scattering vector.
    #[inline(always)]
    pub(super) fn add_rays(&mut self, view: &View<'_>, tables: &Tables, index: usize) {
        let source = &view.sources[index];
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
