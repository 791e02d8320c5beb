//! Layers of amorphous material in the beam: water, air, oil.
//!
//! ```text
//! photons = r_e^2 fluence molecules / steps * sum of F |F| * polarization * solid angle * weight * capture * transmission
//!           the sum over  sub-pixels, layers of the sensor, sources;   steps = sources * sub-pixels
//! F  structure factor of one molecule at sin(theta)/lambda = |q|/2
//! ```
//!
//! The molecules scatter without phases between them, so layers are added to the finished sum of the crystal.
//! Every factor belongs to its own term. The weights of listed sources count here, as in the program nonBragg;
//! they do not count in the sum of the crystal. `docs/BACKGROUND.md` has the physics.

mod sampled;

use std::sync::Arc;

use nanobragg_geometry::{Panel, capture_fraction, vector};
use nanobragg_materials::Profile;
use nanobragg_numeric::Scalar;

use crate::polarization::polarization_factor;
use crate::render::PixelPlace;
use crate::scalar::Pixel;
use crate::scattering::scattering_vector;
use crate::scene::{Scene, SourceRow, View};

pub(crate) use sampled::Nodes;

/// A layer of amorphous material in the beam.
#[derive(Debug, Clone, PartialEq)]
pub struct BackgroundLayer {
    /// The name in reports.
    pub name: String,
    /// The structure factor of one molecule.
    pub profile: Arc<Profile>,
    /// The number of molecules in the beam.
    pub molecules: f64,
    /// The thickness along the beam in metres. It counts only for absorption.
    pub thickness_m: f64,
    /// The linear absorption coefficient in 1/m; 0 if absorption is not modelled.
    pub absorption_per_m: f64,
}

/// The numbers of a layer of which an image is a smooth function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNumbers<T> {
    /// The number of molecules in the beam.
    pub molecules: T,
    /// The thickness along the beam in metres.
    pub thickness_m: T,
    /// The linear absorption coefficient in 1/m.
    pub absorption_per_m: T,
}

impl<T: Copy> LayerNumbers<T> {
    /// The same numbers in another number type. `lift` converts each number.
    pub(crate) fn map<U>(&self, lift: impl Fn(T) -> U) -> LayerNumbers<U> {
        LayerNumbers {
            molecules: lift(self.molecules),
            thickness_m: lift(self.thickness_m),
            absorption_per_m: lift(self.absorption_per_m),
        }
    }
}

impl LayerNumbers<f64> {
    pub(crate) fn of(layer: &BackgroundLayer) -> Self {
        Self {
            molecules: layer.molecules,
            thickness_m: layer.thickness_m,
            absorption_per_m: layer.absorption_per_m,
        }
    }
}

/// Memory for the sums of one pixel, which the next pixel uses again.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    /// The sum of each layer.
    sums: Vec<T>,
    /// The point of the profile of each layer where the last search ended.
    points: Vec<usize>,
}

impl<T: Scalar> Memory<T> {
    pub(crate) fn new<U>(scene: &Scene<U>) -> Self {
        let layers = scene.layers.len();
        Self {
            sums: vec![T::from_f64(0.0); layers],
            points: vec![1; layers],
        }
    }
}

/// The photons that all layers add to a pixel.
///
/// The operations are in the order of the program nonBragg.
pub(crate) fn photons_of_layers<T: Scalar>(
    view: &View<'_, T>,
    pixel: Pixel,
    memory: &mut Memory<T>,
) -> T {
    photons_at(view, on_plane(view, pixel), memory)
}

/// The place of a pixel along fast and slow, counted from the corner of the plane of its panel.
fn on_plane<T>(view: &View<'_, T>, pixel: Pixel) -> [i64; 2] {
    let [first_fast, first_slow] = view.panel.first_pixel();
    [
        i64::from(pixel.fast) + i64::from(first_fast),
        i64::from(pixel.slow) + i64::from(first_slow),
    ]
}

/// [`photons_of_layers`] at a place of the plane, which may be beyond the panel.
fn photons_at<T: Scalar>(view: &View<'_, T>, place: [i64; 2], memory: &mut Memory<T>) -> T {
    let oversample = view.setup.oversample;
    memory.sums.fill(T::from_f64(0.0));
    for sub_slow in 0..oversample {
        for sub_fast in 0..oversample {
            for depth in 0..view.panel.sensor().layers {
                let ray = Ray::new(view, place, [sub_fast, sub_slow], depth);
                add_sources(view, &ray, memory);
            }
        }
    }
    let steps = view.sources.len() as f64 * f64::from(oversample) * f64::from(oversample);
    let mut photons = T::from_f64(0.0);
    for (sum, layer) in memory.sums.iter().zip(view.layers.iter()) {
        photons += *sum * view.scalars.photons_per_electron * layer.molecules / T::from_f64(steps);
    }
    photons
}

/// The ray to a point of the detector.
struct Ray<T> {
    /// Unit vector along the ray.
    diffracted: [T; 3],
    solid_angle_sr: T,
    /// The fraction of its photons that the layer of the sensor captures.
    capture: T,
}

impl<T: Scalar> Ray<T> {
    #[inline(always)]
    fn new(view: &View<'_, T>, place: [i64; 2], sub: [u32; 2], depth: u32) -> Self {
        let panel = view.panel;
        let sensor = panel.sensor();
        let numbers = &view.numbers;
        let oversample = view.setup.oversample;
        let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
        // As `subpixel_offset`, also for places before the corner.
        let offset_m = |pixel: i64, sub: u32| {
            let steps = pixel * i64::from(oversample) + i64::from(sub);
            T::from_f64(subpixel_m * (steps as f64) + subpixel_m / 2.0)
        };
        let position_m = panel.position_placed(
            &numbers.placement,
            offset_m(place[0], sub[0]),
            offset_m(place[1], sub[1]),
            T::from_f64(f64::from(depth)) * numbers.layer_step_m,
        );
        let diffracted = vector::unit(position_m);
        let capture = if sensor.is_modelled() {
            let parallax = vector::dot(diffracted, numbers.placement.normal);
            capture_fraction(depth, numbers.layer_step_m, numbers.mu_per_m, parallax)
        } else {
            T::from_f64(1.0)
        };
        Self {
            diffracted,
            solid_angle_sr: view.solid_angle_sr(vector::norm(position_m)),
            capture,
        }
    }

    /// sin(theta)/lambda in 1/m.
    #[inline(always)]
    fn stol_per_m(&self, source: &SourceRow<T>) -> T {
        let scattering_per_m =
            scattering_vector(self.diffracted, source.incident, source.wavelength_m);
        T::from_f64(0.5) * length(scattering_per_m)
    }

    #[inline(always)]
    fn polarization(&self, view: &View<'_, T>, source: &SourceRow<T>) -> T {
        if view.setup.is_unpolarized {
            return T::from_f64(1.0);
        }
        polarization_factor(
            view.kahn_factor,
            source.incident,
            self.diffracted,
            source.polarization.electric,
            source.polarization.magnetic,
        )
    }
}

/// Adds every source at one point of the detector.
#[inline]
fn add_sources<T: Scalar>(view: &View<'_, T>, ray: &Ray<T>, memory: &mut Memory<T>) {
    for source in view.sources.iter() {
        let stol_per_m = ray.stol_per_m(source);
        let polarization = ray.polarization(view, source);
        let weight = if view.setup.weighs_sources {
            source.recorded_weight
        } else {
            source.weight
        };
        let weight = T::from_f64(weight);
        let layers = view.setup.layers.iter().zip(view.layers.iter());
        let own = memory.sums.iter_mut().zip(&mut memory.points);
        for ((layer, numbers), (sum, near)) in layers.zip(own) {
            let f = layer.profile.electrons_from(near, stol_per_m);
            let squared = if f.value() < 0.0 { -f * f } else { f * f };
            let mut term = squared * polarization * ray.solid_angle_sr * weight * ray.capture;
            if layer.absorption_per_m != 0.0 {
                let cosine = vector::dot(source.incident, ray.diffracted);
                term *= transmission(numbers, cosine);
            }
            *sum += term;
        }
    }
}

/// The numbers of a pixel at its last sub-pixel and last source, from which nonBragg works out the profile of a
/// measured image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastSample {
    /// sin(theta)/lambda in 1/m.
    pub stol_per_m: f64,
    /// The polarization factor.
    pub polarization: f64,
    /// The solid angle in steradian.
    pub solid_angle_sr: f64,
}

impl Scene {
    /// The solid angles of all sub-pixels and layers of the sensor of a pixel, added, in steradian; 0 for a pixel
    /// that is not rendered.
    pub fn solid_angle_of_samples_sr(&self, place: PixelPlace) -> f64 {
        let PixelPlace { panel, slow, fast } = place;
        let uses = |panel: &Panel| panel.uses(fast, slow);
        if !self.panels().get(panel).is_some_and(uses) {
            return 0.0;
        }
        let view = self.view(panel);
        let on_plane = on_plane(&view, Pixel { fast, slow });
        let subpixels = 0..view.setup.oversample;
        let mut sum = 0.0;
        for sub_slow in subpixels.clone() {
            for sub_fast in subpixels.clone() {
                for depth in 0..view.panel.sensor().layers {
                    sum += Ray::new(&view, on_plane, [sub_fast, sub_slow], depth).solid_angle_sr;
                }
            }
        }
        sum
    }

    /// The last sample of a pixel; `None` for a pixel that is not rendered.
    pub fn last_sample(&self, place: PixelPlace) -> Option<LastSample> {
        let PixelPlace { panel, slow, fast } = place;
        let uses = self.panels().get(panel)?.uses(fast, slow);
        let view = self.view(panel);
        let source = view.sources.last().filter(|_| uses)?;
        let sub = view.setup.oversample - 1;
        let depth = view.panel.sensor().layers - 1;
        let place = on_plane(&view, Pixel { fast, slow });
        let ray = Ray::new(&view, place, [sub; 2], depth);
        Some(LastSample {
            stol_per_m: ray.stol_per_m(source),
            polarization: ray.polarization(&view, source),
            solid_angle_sr: ray.solid_angle_sr,
        })
    }
}

/// The length of a vector. A length of 0 has a derivative of 0.
fn length<T: Scalar>(vector: [T; 3]) -> T {
    if vector.iter().all(|component| component.value() == 0.0) {
        return T::from_f64(0.0);
    }
    vector::norm(vector)
}

/// The smallest cosine of the angle of a ray to the beam, in magnitude. The ray along the layer, which would be
/// absorbed over an endless path, has it.
const LEAST_COSINE: f64 = 1e-9;

/// The fraction of photons that leave a slab across the beam, averaged over the depth at which they are
/// scattered. `cosine` is that of the angle between beam and ray.
///
/// With `a = mu t`: a ray forward leaves through the back, `exp(-mu z) exp(-mu (t - z)/cos)`, whose mean is
/// `exp(-a) phi(a/cos - a)`. A ray backward leaves through the front, `exp(-mu z) exp(-mu z/|cos|)`, whose mean
/// is `phi(a + a/|cos|)`. Here `phi(x) = (1 - exp(-x))/x`.
fn transmission<T: Scalar>(layer: &LayerNumbers<T>, cosine: T) -> T {
    let depth = layer.absorption_per_m * layer.thickness_m;
    let is_forward = cosine.value() > 0.0;
    let magnitude = if is_forward { cosine } else { -cosine };
    let magnitude = if magnitude.value() < LEAST_COSINE {
        T::from_f64(LEAST_COSINE)
    } else {
        magnitude
    };
    let slanted = depth / magnitude;
    if is_forward {
        (-depth).exp() * mean_of_exponential(slanted - depth)
    } else {
        mean_of_exponential(slanted + depth)
    }
}

/// `(1 - exp(-x))/x`: the mean of `exp(-y)` over y from 0 to x.
fn mean_of_exponential<T: Scalar>(x: T) -> T {
    let one = T::from_f64(1.0);
    if x.value().abs() > 0.1 {
        return (one - (-x).exp()) / x;
    }
    // The series of the quotient, whose numerator would cancel: the next term is below 1e-16.
    let mut sum = one;
    for n in (2..=10).rev() {
        sum = one - x / T::from_f64(f64::from(n)) * sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean over the depth by the rule of the middle.
    fn summed(mu_t: f64, cosine: f64) -> f64 {
        let n = 20_000;
        let terms = (0..n).map(|i| {
            let z = (f64::from(i) + 0.5) / f64::from(n);
            let out = if cosine > 0.0 {
                (1.0 - z) / cosine
            } else {
                z / -cosine
            };
            (-mu_t * (z + out)).exp()
        });
        terms.sum::<f64>() / f64::from(n)
    }

    #[test]
    fn transmission_is_the_mean_over_the_depth() {
        for mu_t in [1e-6, 0.01, 0.3, 2.0] {
            for degrees in [0.0_f64, 1e-3, 20.0, 60.0, 89.0, 91.0, 120.0, 180.0] {
                let cosine = degrees.to_radians().cos();
                let layer = LayerNumbers {
                    molecules: 1.0,
                    thickness_m: 2.0,
                    absorption_per_m: mu_t / 2.0,
                };
                let expected = summed(mu_t, cosine);
                let found = transmission(&layer, cosine);
                assert!((found / expected - 1.0).abs() < 1e-4, "{mu_t} {degrees}");
            }
        }
    }

    #[test]
    fn the_series_and_the_quotient_meet() {
        for x in [0.0999_f64, 0.1001, -0.0999, -0.1001] {
            let quotient = -(-x).exp_m1() / x;
            assert!(
                (mean_of_exponential(x) / quotient - 1.0).abs() < 1e-14,
                "{x}"
            );
        }
        assert_eq!(mean_of_exponential(0.0), 1.0);
    }
}
