//! The definition of the sum of a pixel, generic over the number type.
//!
//! ```text
//! for each layer, sub-pixel, source, phi step, lattice and domain
//!     q = (d - i)/lambda      h = a.q  k = b.q  l = c.q
//!     sum += w F(h, k, l)^2 Fl(h, k, l)^2, and the diffuse scattering
//! photons = r_e^2 fluence sum/steps * capture * polarization * solid angle
//! ```
//!
//! For `f64` this sum is the standard for every other sum. The order of operations is that of the C
//! program and the sine is that of the system, so that a pixel has the bits of C and a trace can be
//! compared with the trace of C number by number. Numbers with derivatives go through the same
//! operations. Comparisons use plain values. Where a formula divides two numbers that vanish together,
//! a number with derivatives uses a power series ([`LatticeNumber`]).

use nanobragg_crystal::{LatticeNumber, nearest_index};
use nanobragg_geometry::{capture_fraction, subpixel_offset, vector};
use nanobragg_numeric::Scalar;

use super::observer::{DiffuseTerm, Observer, Subpixel, Term};
use crate::compat::Habits;
use crate::polarization::polarization_factor;
use crate::sampling::{CorrectionRules, Rule, Scales};
use crate::scattering::scattering_vector;
use crate::scene::View;

/// A pixel of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pixel {
    pub(crate) fast: u32,
    pub(crate) slow: u32,
}

/// The result of the sum of one pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PixelSum<T> {
    pub(crate) photons: T,
    /// The sum from which the photons are computed, background included.
    pub(crate) intensity: T,
    pub(crate) corrections: Corrections<T>,
    /// Solid angle summed over layers and sub-pixels, in steradian.
    pub(crate) solid_angle_sum_sr: f64,
}

/// The correction factors at one point of the sum.
///
/// A factor of 0 means "not computed yet". A computed factor that is 0 is therefore computed again at
/// the next sub-pixel or source, as in the C program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Corrections<T = f64> {
    pub(crate) capture: T,
    pub(crate) polarization: T,
    pub(crate) solid_angle_sr: T,
}

impl<T: Scalar> Corrections<T> {
    /// Each factor with its rule, in the order in which the C program multiplies by them.
    #[inline(always)]
    pub(crate) fn with_rules(&self, rules: &CorrectionRules) -> [(Rule, T); 3] {
        [
            (rules.capture, self.capture),
            (rules.polarization, self.polarization),
            (rules.solid_angle, self.solid_angle_sr),
        ]
    }

    /// The product of the factors that multiply single terms; `None` if there are none.
    ///
    /// `None` is not the same as a product of 1. With `None` the terms are added directly to the one running
    /// sum. With a product they are added to a sum of their own first, which is another order of additions.
    #[inline(always)]
    fn term_weight(&self, rules: &CorrectionRules) -> Option<T> {
        if !rules.any(Scales::Terms) {
            return None;
        }
        let mut weight = T::from_f64(1.0);
        for (rule, factor) in self.with_rules(rules) {
            if rule.scales == Scales::Terms {
                weight *= factor;
            }
        }
        Some(weight)
    }

    /// The oddity `oversample-flags`: a correction that is computed at every sub-pixel multiplies the
    /// running sum, with all earlier terms in it, after every single addition.
    #[inline(always)]
    fn multiply_running_sum(
        &self,
        rules: &CorrectionRules,
        sum: &mut T,
        observer: &mut impl Observer<T>,
    ) {
        for (rule, factor) in self.with_rules(rules) {
            if rule.scales == Scales::RunningSum {
                *sum *= factor;
                observer.scaled(factor);
            }
        }
    }
}

/// Sums one pixel. `habits` is the state in which the run reaches this pixel; it is updated.
pub(crate) fn sum_pixel<T: LatticeNumber>(
    view: &View<'_, T>,
    pixel: Pixel,
    habits: &mut Habits,
    observer: &mut impl Observer<T>,
) -> PixelSum<T> {
    let panel = view.panel;
    let [first_fast, first_slow] = panel.first_pixel();
    let sensor = panel.sensor();
    let rules = &view.rules;
    let oversample = view.setup.oversample;
    let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
    let offset_m = |pixel, sub| T::from_f64(subpixel_offset(pixel, sub, oversample, subpixel_m));
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    // 0 means "not computed yet"; 1 is the known value where there is nothing to correct.
    let unknown_unless = |is_one: bool| if is_one { one } else { zero };

    let mut intensity = view.scalars.background;
    let mut now = Corrections {
        capture: zero,
        polarization: unknown_unless(view.setup.is_unpolarized),
        solid_angle_sr: zero,
    };
    let mut solid_angle_sum_sr = 0.0;

    for layer in 0..sensor.layers {
        now.capture = unknown_unless(sensor.thickness_m == 0.0);
        let depth_m = T::from_f64(f64::from(layer)) * view.numbers.layer_step_m;
        for sub_slow in 0..oversample {
            for sub_fast in 0..oversample {
                let position_m = panel.position_placed(
                    &view.numbers.placement,
                    offset_m(pixel.fast + first_fast, sub_fast),
                    offset_m(pixel.slow + first_slow, sub_slow),
                    depth_m,
                );
                let subpixel = Subpixel {
                    position_m,
                    diffracted: vector::unit(position_m),
                    path_m: vector::norm(position_m),
                };
                if now.solid_angle_sr.value() == 0.0 || rules.solid_angle.refreshes {
                    now.solid_angle_sr = view.solid_angle_sr(subpixel.path_m);
                }
                solid_angle_sum_sr += now.solid_angle_sr.value();
                if now.capture.value() == 0.0 || rules.capture.refreshes {
                    now.capture = capture_fraction(
                        rules.capturing_layer(layer, sensor.layers),
                        view.numbers.layer_step_m,
                        view.numbers.mu_per_m,
                        vector::dot(subpixel.diffracted, view.numbers.placement.normal),
                    );
                }
                observer.subpixel(&subpixel);
                if !view.setup.has_crystal && !view.setup.has_water {
                    continue;
                }
                let water = view.water_in_layer(layer);
                sum_sources(
                    view,
                    subpixel.diffracted,
                    water,
                    &mut intensity,
                    &mut now,
                    habits,
                    observer,
                );
            }
        }
    }
    PixelSum {
        photons: view.photons(intensity, &now),
        intensity,
        corrections: now,
        solid_angle_sum_sr,
    }
}

/// Adds every source, phi step, lattice and domain at one sub-pixel.
#[inline]
fn sum_sources<T: LatticeNumber>(
    view: &View<'_, T>,
    mut diffracted: [T; 3],
    water: T,
    intensity: &mut T,
    now: &mut Corrections<T>,
    habits: &mut Habits,
    observer: &mut impl Observer<T>,
) {
    let rules = &view.rules;
    for (index, source) in view.sources.iter().enumerate() {
        let view = &view.of_source(index);
        let source_weight = T::from_f64(source.weight);
        // A factor of 1 changes no bit.
        let water = water * source_weight;
        let scattering_per_m = scattering_vector(diffracted, source.incident, source.wavelength_m);
        let q_per_m = vector::norm(scattering_per_m.map(T::value));
        let is_cut = is_beyond_limit(view.setup.dmin_m, q_per_m);
        observer.source(index, scattering_per_m, is_cut);
        if is_cut && water.value() == 0.0 {
            continue;
        }
        if now.polarization.value() == 0.0 || rules.polarization.refreshes {
            // The C program normalizes the unit vector a second time here. This can change its last bit
            // for the sources that follow, so `diffracted` keeps the result.
            diffracted = vector::unit(diffracted);
            now.polarization = polarization_factor(
                view.kahn_factor,
                source.incident,
                diffracted,
                source.polarization.electric,
                source.polarization.magnetic,
            );
        }
        let weight = now.term_weight(rules);
        let mut sum = if weight.is_some() {
            observer.opened();
            water
        } else {
            *intensity + water
        };
        if !is_cut {
            for (place, orientation) in habits.orientations(view) {
                let edges_m = &orientation.edges_m;
                let hkl = edges_m.map(|edge| vector::dot(edge, scattering_per_m));
                let nearest = hkl.map(|index| nearest_index(index.value()));
                let lattice = view.lattice_at(place);
                let weight = source_weight * orientation.weight;
                if let Some(halo) = &view.diffuse {
                    halo.visit(hkl, weight * lattice.all_cells(), |reflection, by| {
                        let factor = view.nearest_factor(reflection);
                        sum += factor * factor * by;
                        observer.diffuse(&DiffuseTerm {
                            source: index,
                            reflection,
                            factor,
                            by,
                        });
                    });
                }
                let lattice_factor = lattice.factor(hkl, nearest);
                // Without water, C skips a term whose lattice factor is 0. It then also skips the lookup of the
                // structure factor (which could end interpolation) and the correction of the running sum.
                if lattice_factor.value() == 0.0 && !view.setup.has_water {
                    continue;
                }
                let (lookup, cell_factor) = habits.look_up(view, hkl);
                // From left to right, as in C: (F Fl)^2 would round differently. A weight of 1 changes no bit.
                sum += cell_factor * cell_factor * lattice_factor * lattice_factor * weight;
                observer.term(&Term {
                    source: index,
                    orientation,
                    weight,
                    hkl,
                    lookup,
                    cell_factor,
                    lattice_factor,
                });
                now.multiply_running_sum(rules, &mut sum, observer);
            }
        }
        // A running sum without a weight already contains all earlier terms, so it replaces the intensity.
        match weight {
            Some(weight) => {
                observer.closed(weight);
                *intensity += weight * sum;
            }
            None => *intensity = sum,
        }
    }
}

/// Whether a spacing of `1 / |q|` is finer than `dmin_m` (0 for no limit).
#[inline(always)]
fn is_beyond_limit(dmin_m: f64, q_per_m: f64) -> bool {
    dmin_m > 0.0 && q_per_m > 0.0 && dmin_m > 1.0 / q_per_m
}
