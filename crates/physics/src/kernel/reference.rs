//! The scalar kernel in double precision: the judge of every other path.
//!
//! It reads as the sum it is (layers, sub-pixels, sources, phi steps and domains, in the C program's
//! order) and uses the system's sine, so that a trace of one pixel can be laid beside a trace of the
//! C program number by number.

use nanobragg_crystal::nearest_index;
use nanobragg_geometry::{capture_fraction, subpixel_offset, vector};
use nanobragg_numeric::Scalar;

use crate::fixes::Oddity;
use crate::plan::{Orientation, Plan};
use crate::polarization::polarization_factor;
use crate::sampling::{CorrectionRules, Lookup, Scales};
use crate::scattering::scattering_vector;

/// What one evaluation leaves behind for the next, over the whole run.
///
/// Two oddities of the C program live here. `phi-zero`: until the first evaluation of the run has
/// rotated the cell, a step at phi = 0 finds it untouched. `interpolation`: the first index that
/// leaves the grid ends interpolation for good. A run on many threads starts every pixel from the
/// state that a run on one thread would have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carried {
    /// No evaluation of this run has rotated the cell yet.
    pub(crate) cell_is_untouched: bool,
    /// How structure factors are looked up from here on.
    pub(crate) lookup: Lookup,
}

/// A pixel of the detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pixel {
    pub(crate) fast: u32,
    pub(crate) slow: u32,
}

/// One pixel rendered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PixelSum {
    /// Photons in this pixel.
    pub(crate) photons: f32,
    /// Solid angle summed over layers and sub-pixels, in steradian.
    pub(crate) solid_angle_sum_sr: f64,
}

/// One sub-pixel of one layer of the sensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subpixel {
    /// Position in metres from the crystal.
    pub(crate) position_m: [f64; 3],
    /// Unit vector from the crystal.
    pub(crate) diffracted: [f64; 3],
    /// Distance from the crystal in metres.
    pub(crate) path_m: f64,
}

/// One term of the sum: one source, phi step and domain at one sub-pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluation {
    pub(crate) source: usize,
    pub(crate) orientation: Orientation,
    /// Fractional Miller indices.
    pub(crate) hkl: [f64; 3],
    /// Structure factor of the unit cell in electrons.
    pub(crate) cell_factor: f64,
    /// Structure factor of the lattice.
    pub(crate) lattice_factor: f64,
}

/// The corrections in force at some point of the sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Corrections<T = f64> {
    pub(crate) capture: T,
    pub(crate) polarization: T,
    pub(crate) solid_angle_sr: T,
}

/// Looks on while a pixel is summed. Every method does nothing unless it is written.
pub(crate) trait Witness {
    fn subpixel(&mut self, _subpixel: &Subpixel) {}
    fn source(&mut self, _source: usize, _scattering_per_m: [f64; 3], _cut_by_dmin: bool) {}
    fn evaluation(&mut self, _evaluation: &Evaluation) {}
    fn pixel(&mut self, _intensity: f64, _corrections: &Corrections) {}
}

/// The witness of a plain render.
pub(crate) struct Nobody;

impl Witness for Nobody {}

/// Renders one pixel, starting from and updating what the run carries along.
pub(crate) fn render_pixel<W: Witness>(
    plan: &Plan<'_>,
    pixel: Pixel,
    carried: &mut Carried,
    witness: &mut W,
) -> PixelSum {
    let experiment = plan.experiment;
    let panel = plan.panel;
    let [first_fast, first_slow] = panel.first_pixel();
    let sensor = panel.sensor();
    let rules = &plan.rules;
    let oversample = experiment.sampling.oversample;
    let subpixel_m = panel.pixel_size_m() / f64::from(oversample);

    let mut intensity = plan.background;
    // A factor of 0 stands for "not computed yet"; one that comes out as 0 is computed again at the
    // next occasion, as in the C program.
    let mut now = Corrections {
        capture: 0.0,
        polarization: if experiment.polarization.off {
            1.0
        } else {
            0.0
        },
        solid_angle_sr: 0.0,
    };
    let mut solid_angle_sum_sr = 0.0;

    for layer in 0..sensor.layers {
        now.capture = if sensor.thickness_m == 0.0 { 1.0 } else { 0.0 };
        let depth_m = f64::from(layer) * sensor.layer_step_m;
        for sub_slow in 0..oversample {
            for sub_fast in 0..oversample {
                let subpixel = place_subpixel(
                    plan,
                    subpixel_offset(pixel.fast + first_fast, sub_fast, oversample, subpixel_m),
                    subpixel_offset(pixel.slow + first_slow, sub_slow, oversample, subpixel_m),
                    depth_m,
                );
                if now.solid_angle_sr == 0.0 || rules.solid_angle.refreshes {
                    now.solid_angle_sr = plan.solid_angle_sr(subpixel.path_m);
                }
                solid_angle_sum_sr += now.solid_angle_sr;
                if now.capture == 0.0 || rules.capture.refreshes {
                    let parallax = vector::dot(subpixel.diffracted, panel.normal());
                    now.capture = capture_fraction(
                        rules.capturing_layer(layer, sensor.layers),
                        sensor.layer_step_m,
                        sensor.mu_per_m,
                        parallax,
                    );
                }
                witness.subpixel(&subpixel);
                let water = plan.water_in_layer(layer);
                sum_sources(
                    plan,
                    &subpixel,
                    water,
                    &mut intensity,
                    &mut now,
                    carried,
                    witness,
                );
            }
        }
    }
    witness.pixel(intensity, &now);

    let mut photons = plan.photons_per_electron * intensity / plan.steps;
    if rules.capture.scales == Scales::Pixel {
        photons *= now.capture;
    }
    if rules.polarization.scales == Scales::Pixel {
        photons *= now.polarization;
    }
    if rules.solid_angle.scales == Scales::Pixel {
        photons *= now.solid_angle_sr;
    }
    PixelSum {
        photons: photons as f32,
        solid_angle_sum_sr,
    }
}

/// Where the point `fast_m`, `slow_m`, `depth_m` of the detector lies.
fn place_subpixel(plan: &Plan<'_>, fast_m: f64, slow_m: f64, depth_m: f64) -> Subpixel {
    let position_m = plan.panel.position_m(fast_m, slow_m, depth_m);
    let path_m = vector::norm(position_m);
    Subpixel {
        position_m,
        diffracted: vector::unit(position_m),
        path_m,
    }
}

/// Adds every source, phi step and domain at one sub-pixel.
fn sum_sources<W: Witness>(
    plan: &Plan<'_>,
    subpixel: &Subpixel,
    water: f64,
    intensity: &mut f64,
    now: &mut Corrections,
    carried: &mut Carried,
    witness: &mut W,
) {
    let experiment = plan.experiment;
    let rules = &plan.rules;
    let domains = experiment.crystal.mosaic().domains().len();
    let mut diffracted = subpixel.diffracted;
    for (index, source) in plan.sources.iter().enumerate() {
        let scattering_per_m = scattering_vector(diffracted, source.incident, source.wavelength_m);
        let cut = is_beyond_limit(experiment.dmin_m, vector::norm(scattering_per_m));
        witness.source(index, scattering_per_m, cut);
        if cut && water == 0.0 {
            continue;
        }
        if now.polarization == 0.0 || rules.polarization.refreshes {
            // The C program makes the unit vector unit once more on this occasion, which can change
            // its last bit for the sources that follow.
            diffracted = vector::unit(diffracted);
            now.polarization = polarization_factor(
                experiment.polarization.kahn_factor,
                source.incident,
                diffracted,
                source.polarization.electric,
                source.polarization.magnetic,
            );
        }
        let weight = term_weight(rules, now);
        let mut sum = if weight.is_some() {
            water
        } else {
            *intensity + water
        };
        let close = |sum: f64, intensity: &mut f64| {
            *intensity = weight.map_or(sum, |weight| *intensity + weight * sum);
        };
        if cut {
            close(sum, intensity);
            continue;
        }
        let untouched = match &plan.untouched_orientations {
            Some(first_step) if carried.cell_is_untouched => &first_step[..],
            _ => &[],
        };
        carried.cell_is_untouched = false;
        let swept = plan.orientations.iter().skip(untouched.len());
        debug_assert!(untouched.is_empty() || untouched.len() == domains);
        for orientation in untouched.iter().chain(swept) {
            let hkl = orientation.map(|edge| vector::dot(edge, scattering_per_m));
            let lattice_factor = plan.lattice.factor(hkl, hkl.map(nearest_index));
            if lattice_factor == 0.0 && experiment.water_m == 0.0 {
                continue;
            }
            let cell_factor = look_up(plan, hkl, &mut carried.lookup);
            sum += cell_factor * cell_factor * lattice_factor * lattice_factor;
            correct_running_sum(rules, now, &mut sum);
            witness.evaluation(&Evaluation {
                source: index,
                orientation: *orientation,
                hkl,
                cell_factor,
                lattice_factor,
            });
        }
        close(sum, intensity);
    }
}

/// The product of the factors that multiply single terms; `None` if there are none.
#[inline(always)]
pub(crate) fn term_weight<T: Scalar>(rules: &CorrectionRules, now: &Corrections<T>) -> Option<T> {
    if !rules.any(Scales::Terms) {
        return None;
    }
    let mut weight = T::from_f64(1.0);
    for (rule, factor) in [
        (rules.capture, now.capture),
        (rules.polarization, now.polarization),
        (rules.solid_angle, now.solid_angle_sr),
    ] {
        if rule.scales == Scales::Terms {
            weight *= factor;
        }
    }
    Some(weight)
}

/// Whether a spacing of `1 / |q|` is finer than `dmin_m` (0 for no limit).
#[inline(always)]
fn is_beyond_limit(dmin_m: f64, q_per_m: f64) -> bool {
    dmin_m > 0.0 && q_per_m > 0.0 && dmin_m > 1.0 / q_per_m
}

/// The oddity `oversample-flags`: a correction taken at every sub-pixel multiplies the running sum,
/// all earlier terms included, after every single addition.
#[inline(always)]
fn correct_running_sum(rules: &CorrectionRules, now: &Corrections, sum: &mut f64) {
    for (rule, factor) in [
        (rules.capture, now.capture),
        (rules.polarization, now.polarization),
        (rules.solid_angle, now.solid_angle_sr),
    ] {
        if rule.scales == Scales::RunningSum {
            *sum *= factor;
        }
    }
}

/// The structure factor at fractional `hkl`.
///
/// The oddity `interpolation`: an index too close to the edge of the grid ends interpolation for the
/// rest of the run, this evaluation included. Put right, this evaluation alone goes without.
#[inline(always)]
fn look_up(plan: &Plan<'_>, hkl: [f64; 3], lookup: &mut Lookup) -> f64 {
    let factors = &plan.experiment.factors;
    if *lookup == Lookup::Tricubic {
        match factors.tricubic(hkl) {
            Some(factor) => return factor,
            None if plan.experiment.fixes.contains(Oddity::Interpolation) => {}
            None => *lookup = Lookup::Nearest,
        }
    }
    factors.nearest_to(hkl)
}
