//! The derivatives of sub-pixels and of the three corrections by the tangents that move rays.

use nanobragg_geometry::{PixelKind, capture_fraction, flat_position, solid_angle, vector};
use nanobragg_numeric::Dual;

use super::super::block::{BLOCK, Block, Column};
use super::super::lane::Lane;
use super::super::observer::Subpixels;
use super::block::Derivatives;
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

impl Derivatives<'_> {
    /// Computes the derivatives of the sub-pixels: of the distance, and of the direction (the component
    /// across the ray, divided by the distance).
    #[inline(always)]
    pub(super) fn move_subpixels(&mut self, view: &View<'_>, at: &Subpixels, block: &Block) {
        let layer = f64::from(at.layer);
        let depth_m = layer * view.panel.sensor().layer_step_m;
        let normal = view.panel.normal();
        let [x, y, z] = &block.diffracted;
        for (rates, ray) in self.tables.rays.iter().zip(&mut self.rays) {
            let depth_rate = layer * rates.layer_step_m;
            let still = std::array::from_fn(|x| rates.pix0_m[x] + depth_rate * normal[x]);
            for i in 0..BLOCK {
                let moved = flat_position(
                    at.fast_m[i],
                    at.slow_m,
                    depth_m,
                    rates.fast,
                    rates.slow,
                    rates.normal,
                    still,
                );
                let along = x[i] * moved[0] + y[i] * moved[1] + z[i] * moved[2];
                let per_path_m = block.per_path_m[i];
                ray.path_m[i] = along;
                ray.diffracted[0][i] = (moved[0] - x[i] * along) * per_path_m;
                ray.diffracted[1][i] = (moved[1] - y[i] * along) * per_path_m;
                ray.diffracted[2][i] = (moved[2] - z[i] * along) * per_path_m;
            }
        }
    }

    /// Computes the derivatives of the solid angles in `now`.
    ///
    /// A solid angle is `by_close` times the close distance, and is proportional to the path to the power
    /// of `-power`.
    #[inline(always)]
    pub(super) fn move_solid_angle(&mut self, view: &View<'_>, now: &Column, block: &Block) {
        let each = view.rules.solid_angle.refreshes;
        let pixel_m = view.panel.pixel_size_m();
        let mut by_close = [0.0; BLOCK];
        let power = match view.panel.pixel_kind() {
            PixelKind::Facet => {
                for i in 0..BLOCK {
                    by_close[i] = solid_angle(pixel_m, 1.0, block.path_m[i]);
                }
                3.0
            }
            PixelKind::Point => 2.0,
        };
        let known = &block.solid_angle_sr;
        for (rates, ray) in self.tables.rays.iter().zip(&mut self.rays) {
            let rate = &mut ray.solid_angle_sr;
            for i in 0..BLOCK {
                let shrinks = power * ray.path_m[i] * block.per_path_m[i];
                let here = by_close[i] * rates.close_distance_m - now[i] * shrinks;
                let taken = each | (known[i] == 0.0);
                rate[i] = if taken { here } else { rate[i] };
            }
        }
    }

    /// Computes the derivatives of the capture fractions of this layer.
    #[inline(always)]
    pub(super) fn move_capture(&mut self, view: &View<'_>, layer: u32, block: &Block) {
        let each = view.rules.capture.refreshes;
        let sensor = view.panel.sensor();
        let layer = view.rules.capturing_layer(layer, sensor.layers);
        let normal = view.panel.normal();
        let dot = |x: [LaneDual; 3], y: [LaneDual; 3]| x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
        let [x, y, z] = &block.diffracted;
        for (rates, ray) in self.tables.rays.iter().zip(&mut self.rays) {
            let step_m = dual(sensor.layer_step_m, rates.layer_step_m);
            let mu_per_m = dual(sensor.mu_per_m, rates.mu_per_m);
            let normal = duals(normal, rates.normal);
            let [rx, ry, rz] = &ray.diffracted;
            for i in 0..BLOCK {
                let diffracted = duals([x[i], y[i], z[i]], [rx[i], ry[i], rz[i]]);
                let parallax = dot(diffracted, normal);
                let capture = capture_fraction(layer, step_m, mu_per_m, parallax);
                ray.capture[i] = if each | (block.capture[i] == 0.0) {
                    capture.derivatives[0].0
                } else {
                    ray.capture[i]
                };
            }
        }
    }

    /// Computes the derivatives of the polarization factors for a source, in the lanes where the source
    /// is not cut, or in all.
    #[inline(always)]
    pub(super) fn move_polarization(
        &mut self,
        view: &View<'_>,
        index: usize,
        for_all: bool,
        block: &Block,
    ) {
        if self.rays.is_empty() {
            return;
        }
        let each = view.rules.polarization.refreshes;
        let kahn_factor = Lane(view.kahn_factor);
        let source = &view.sources[index];
        let frame = &source.polarization;
        let (incident, electric, magnetic) = (source.incident, frame.electric, frame.magnetic);
        let [x, y, z] = &block.diffracted;
        let along = |direction: [f64; 3], i: usize| vector::dot(direction, [x[i], y[i], z[i]]);
        // The derivatives by Kahn's factor and by the components along the beam and the two fields.
        let mut by = [[0.0; BLOCK]; 4];
        for i in 0..BLOCK {
            let component = |direction, index| Dual::variable(Lane(along(direction, i)), index);
            let factor: Dual<4, Lane> = polarization_along(RayComponents {
                kahn_factor: Dual::variable(kahn_factor, 0),
                along_beam: component(incident, 1),
                along_electric: component(electric, 2),
                along_magnetic: component(magnetic, 3),
            });
            for (by, derivative) in by.iter_mut().zip(factor.derivatives) {
                by[i] = derivative.0;
            }
        }
        let [by_kahn, by_beam, by_electric, by_magnetic] = &by;
        let mut taken = [false; BLOCK];
        for i in 0..BLOCK {
            let known = block.polarization[i];
            taken[i] = (each | (known == 0.0)) & (for_all | (block.live[i] != 0.0));
        }
        for (rates, ray) in self.tables.rays.iter().zip(&mut self.rays) {
            let moving = &rates.sources[index];
            let [rx, ry, rz] = &ray.diffracted;
            let rate = &mut ray.polarization;
            for i in 0..BLOCK {
                let moved = |fixed: [f64; 3], moving: [f64; 3]| {
                    vector::dot(fixed, [rx[i], ry[i], rz[i]]) + along(moving, i)
                };
                let here = by_kahn[i] * rates.kahn_factor
                    + by_beam[i] * moved(incident, moving.incident)
                    + by_electric[i] * moved(electric, moving.electric)
                    + by_magnetic[i] * moved(magnetic, moving.magnetic);
                rate[i] = if taken[i] { here } else { rate[i] };
            }
        }
    }

    /// Adds to `by_tangent` the change of the sum that comes through the scattering vector.
    #[inline(always)]
    pub(super) fn add_rays(&mut self, view: &View<'_>, index: usize, block: &Block) {
        let source = &view.sources[index];
        let [wx, wy, wz] = &self.by_scattering;
        let [qx, qy, qz] = &block.scattering_per_m;
        for (rates, ray) in self.tables.rays.iter().zip(&self.rays) {
            let moving = &rates.sources[index];
            let [rx, ry, rz] = &ray.diffracted;
            let [ix, iy, iz] = moving.incident;
            let stretch = moving.wavelength_m;
            let per_wavelength = 1.0 / source.wavelength_m;
            let sum = &mut self.sums.by_tangent[rates.tangent];
            for i in 0..BLOCK {
                // q = (d - i)/lambda, so dq = (dd - di - q dlambda)/lambda.
                let x = rx[i] - ix - qx[i] * stretch;
                let y = ry[i] - iy - qy[i] * stretch;
                let z = rz[i] - iz - qz[i] * stretch;
                sum[i] += (wx[i] * x + wy[i] * y + wz[i] * z) * per_wavelength;
            }
        }
    }
}
