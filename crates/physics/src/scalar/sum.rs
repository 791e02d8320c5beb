//! The sum of a pixel as it is defined, written once for every kind of number.
//!
//! ```text
//! for each layer, sub-pixel, source, phi step and domain
//!     q = (d - i)/lambda      h = a.q  k = b.q  l = c.q
//!     sum += F(h, k, l)^2 Fl(h, k, l)^2
//! photons = r_e^2 fluence sum/steps * capture * polarization * solid angle
//! ```
//!
//! For `f64` this is the judge of every other path: the order of operations is the C program's, and the
//! sine the system's, so that a pixel has C's bits and a trace can be laid beside C's number by number.
//! Numbers with derivatives go through the same operations. Decisions are taken on plain values. Where
//! the formula divides two numbers that vanish together, such a number uses a power series
//! ([`LatticeNumber`]).

use nanobragg_crystal::{LatticeNumber, nearest_index};
use nanobragg_geometry::{capture_fraction, subpixel_offset, vector};
use nanobragg_numeric::Scalar;

use super::observer::{Observer, Subpixel, Term};
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

/// One pixel summed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PixelSum<T> {
    /// Photons in this pixel.
    pub(crate) photons: T,
    /// The sum that they are made of, background included.
    pub(crate) intensity: T,
    /// The corrections in force at the end.
    pub(crate) corrections: Corrections<T>,
    /// Solid angle summed over layers and sub-pixels, in steradian.
    pub(crate) solid_angle_sum_sr: f64,
}

/// The corrections in force at some point of the sum.
///
/// A factor of 0 stands for "not computed yet". One that comes out as 0 is computed again at the next
/// occasion, as in the C program.
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
    /// `None` and a product of 1 differ: without a weight the terms go into the one running sum, which
    /// decides the order of addition.
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

    /// The oddity `oversample-flags`: a correction taken at every sub-pixel multiplies the running sum,
    /// all earlier terms included, after every single addition.
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

/// Sums one pixel. `habits` is what the run has left behind so far, and is updated.
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
    // "Not computed yet", or known to be 1 as there is nothing to correct.
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

/// Adds every source, phi step and domain at one sub-pixel.
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
        let scattering_per_m = scattering_vector(diffracted, source.incident, source.wavelength_m);
        let q_per_m = vector::norm(scattering_per_m.map(T::value));
        let is_cut = is_beyond_limit(view.setup.dmin_m, q_per_m);
        observer.source(index, scattering_per_m, is_cut);
        if is_cut && water.value() == 0.0 {
            continue;
        }
        if now.polarization.value() == 0.0 || rules.polarization.refreshes {
            // The C program makes the unit vector unit once more on this occasion, which can change
            // its last bit for the sources that follow.
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
            for orientation in habits.orientations(view) {
                let hkl = orientation.map(|edge| vector::dot(edge, scattering_per_m));
                let nearest = hkl.map(|index| nearest_index(index.value()));
                let lattice_factor = view.lattice.factor(hkl, nearest);
                // Without water C skips a term of 0, and with it the structure factor, the end of
                // interpolation that its lookup may bring, and the multiplication of the running sum.
                if lattice_factor.value() == 0.0 && !view.setup.has_water {
                    continue;
                }
                let (lookup, cell_factor) = habits.look_up(view, hkl);
                // From left to right, as C: (F Fl)^2 would round otherwise.
                sum += cell_factor * cell_factor * lattice_factor * lattice_factor;
                observer.term(&Term {
                    source: index,
                    orientation,
                    hkl,
                    lookup,
                    cell_factor,
                    lattice_factor,
                });
                now.multiply_running_sum(rules, &mut sum, observer);
            }
        }
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
