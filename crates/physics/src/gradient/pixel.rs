//! The general path: the reference's sum in any number type.
//!
//! Term by term the sum of `kernel/reference.rs`, with the decisions taken on plain values. Where that
//! divides two vanishing numbers, numbers with derivatives use power series, which keep their digits;
//! the two images differ by rounding.

use nanobragg_crystal::{LatticeNumber, nearest_index, rotate_by_phi};
use nanobragg_geometry::{
    PixelKind, capture_fraction, point_solid_angle, rotate_by, solid_angle, subpixel_offset, vector,
};
use nanobragg_numeric::Scalar;

use super::scene::{Scene, ScenePanel, SceneSource, own_domains, own_sources};
use super::tape::{Recorder, Term};
use crate::background::water_background;
use crate::error::Error;
use crate::fixes::Oddity;
use crate::kernel::reference::{Carried, Corrections, Pixel, term_weight};
use crate::plan::Plan;
use crate::polarization::{PolarizationFrame, polarization_factor};
use crate::sampling::{CorrectionRules, Lookup, Scales};
use crate::scattering::{ELECTRON_RADIUS_SQUARED_M2, scattering_vector};

/// A scene with its tables: a [`Plan`] in numbers that may carry derivatives.
pub(crate) struct View<'p, 'e, T> {
    plan: &'p Plan<'e>,
    scene: &'p Scene<T>,
    /// The panel that `plan` looks at.
    panel: ScenePanel<T>,
    sources: Vec<(SceneSource<T>, PolarizationFrame<T>)>,
    orientations: Vec<[[T; 3]; 3]>,
    untouched_orientations: Option<Vec<[[T; 3]; 3]>>,
    scalars: Scalars<T>,
}

/// Numbers of a plan that neither orientation nor source decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalars<T> {
    /// What the sum of every pixel starts with.
    pub(crate) background: T,
    /// What water adds to the sum for every source and sub-pixel.
    pub(crate) water_per_source: T,
    /// `r_e^2 fluence`.
    pub(crate) photons_per_electron: T,
}

impl<T: Scalar> Scalars<T> {
    pub(crate) fn new(
        plan: &Plan<'_>,
        fluence_per_m2: T,
        water_m: T,
        orientations: usize,
        sources: usize,
    ) -> Self {
        let experiment = plan.experiment;
        let photons_per_electron = T::from_f64(ELECTRON_RADIUS_SQUARED_M2) * fluence_per_m2;
        let water = water_background(fluence_per_m2, water_m);
        let oversample = f64::from(experiment.sampling.oversample);
        let sources_and_subpixels = sources as f64 * oversample * oversample;
        let water_is_fixed = experiment.fixes.contains(Oddity::Water) && water_m.value() > 0.0;
        let starts_with_water = !water_is_fixed && !plan.rules.any(Scales::Terms);
        let zero = T::from_f64(0.0);
        Self {
            background: if starts_with_water { water } else { zero },
            water_per_source: if water_is_fixed {
                water / photons_per_electron * T::from_f64(orientations as f64)
            } else if starts_with_water {
                zero
            } else {
                water / T::from_f64(sources_and_subpixels)
            },
            photons_per_electron,
        }
    }
}

/// The finished sum of a pixel.
pub(crate) struct Summed<T> {
    /// Photons in it.
    pub(crate) photons: T,
    /// Photons by the sum of terms.
    pub(crate) photons_per_term: T,
}

impl<'p, 'e, T: LatticeNumber> View<'p, 'e, T> {
    /// Tabulates the orientations and sources of `scene`.
    pub(crate) fn new(plan: &'p Plan<'e>, scene: &'p Scene<T>) -> Result<Self, Error> {
        let experiment = plan.experiment;
        let axis = experiment.beam.polarization().map(T::from_f64);
        let sources = match &scene.sources {
            Some(sources) => sources.clone(),
            None => own_sources(experiment),
        };
        let (orientations, untouched_orientations) = orientations(plan, scene)?;
        let scalars = Scalars::new(
            plan,
            scene.fluence_per_m2,
            scene.water_m,
            orientations.len(),
            sources.len(),
        );
        Ok(Self {
            scalars,
            sources: (sources.into_iter())
                .map(|source| (source, PolarizationFrame::new(axis, source.incident)))
                .collect(),
            orientations,
            untouched_orientations,
            panel: scene.panel(plan),
            plan,
            scene,
        })
    }

    /// Sums one pixel, starting from and updating what the run carries along.
    pub(crate) fn sum_pixel(
        &self,
        pixel: Pixel,
        carried: &mut Carried,
        recorder: &mut impl Recorder<T>,
    ) -> Summed<T> {
        let experiment = self.plan.experiment;
        let panel = self.plan.panel;
        let [first_fast, first_slow] = panel.first_pixel();
        let sensor = panel.sensor();
        let rules = &self.plan.rules;
        let oversample = experiment.sampling.oversample;
        let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
        let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));

        let mut intensity = self.scalars.background;
        let mut now = Corrections {
            capture: zero,
            polarization: if experiment.polarization.off {
                one
            } else {
                zero
            },
            solid_angle_sr: zero,
        };
        for layer in 0..sensor.layers {
            now.capture = if sensor.thickness_m == 0.0 { one } else { zero };
            let depth_m = T::from_f64(f64::from(layer)) * self.panel.layer_step_m;
            for sub_slow in 0..oversample {
                for sub_fast in 0..oversample {
                    let offset = |pixel, sub| {
                        T::from_f64(subpixel_offset(pixel, sub, oversample, subpixel_m))
                    };
                    let position_m = panel.position_placed(
                        &self.panel.placement,
                        offset(pixel.fast + first_fast, sub_fast),
                        offset(pixel.slow + first_slow, sub_slow),
                        depth_m,
                    );
                    let diffracted = vector::unit(position_m);
                    if now.solid_angle_sr.value() == 0.0 || rules.solid_angle.refreshes {
                        now.solid_angle_sr = self.solid_angle_sr(vector::norm(position_m));
                    }
                    if now.capture.value() == 0.0 || rules.capture.refreshes {
                        now.capture = capture_fraction(
                            rules.capturing_layer(layer, sensor.layers),
                            self.panel.layer_step_m,
                            self.panel.mu_per_m,
                            vector::dot(diffracted, self.panel.placement.normal),
                        );
                    }
                    let water = if layer == 0 || rules.weighs_layers() {
                        self.scalars.water_per_source
                    } else {
                        zero
                    };
                    self.sum_sources(
                        diffracted,
                        water,
                        &mut intensity,
                        &mut now,
                        carried,
                        recorder,
                    );
                }
            }
        }

        let mut photons_per_term = self.scalars.photons_per_electron / T::from_f64(self.plan.steps);
        for (rule, factor) in [
            (rules.capture, now.capture),
            (rules.polarization, now.polarization),
            (rules.solid_angle, now.solid_angle_sr),
        ] {
            if rule.scales == Scales::Pixel {
                photons_per_term *= factor;
            }
        }
        Summed {
            photons: photons_per_term * intensity,
            photons_per_term,
        }
    }

    fn solid_angle_sr(&self, path_m: T) -> T {
        let panel = self.plan.panel;
        let close_distance_m = self.panel.placement.close_distance_m;
        match panel.pixel_kind() {
            PixelKind::Facet => {
                let pixel_size_m = T::from_f64(panel.pixel_size_m());
                solid_angle(pixel_size_m, close_distance_m, path_m)
            }
            PixelKind::Point => point_solid_angle(path_m),
        }
    }

    /// Adds every source, phi step and domain at one sub-pixel.
    fn sum_sources(
        &self,
        mut diffracted: [T; 3],
        water: T,
        intensity: &mut T,
        now: &mut Corrections<T>,
        carried: &mut Carried,
        recorder: &mut impl Recorder<T>,
    ) {
        let experiment = self.plan.experiment;
        let rules = &self.plan.rules;
        for (source, frame) in &self.sources {
            let scattering_per_m =
                scattering_vector(diffracted, source.incident, source.wavelength_m);
            let q_per_m = vector::norm(scattering_per_m.map(T::value));
            let cut = experiment.dmin_m > 0.0 && q_per_m > 0.0 && experiment.dmin_m > 1.0 / q_per_m;
            if cut && water.value() == 0.0 {
                continue;
            }
            if now.polarization.value() == 0.0 || rules.polarization.refreshes {
                diffracted = vector::unit(diffracted);
                now.polarization = polarization_factor(
                    self.scene.kahn_factor,
                    source.incident,
                    diffracted,
                    frame.electric,
                    frame.magnetic,
                );
            }
            let weight = term_weight(rules, now);
            if weight.is_some() {
                recorder.open();
            }
            let mut sum = match weight {
                Some(_) => water,
                None => *intensity + water,
            };
            if !cut {
                self.sum_orientations(scattering_per_m, &mut sum, now, carried, recorder);
            }
            match weight {
                Some(weight) => {
                    recorder.close(weight);
                    *intensity += weight * sum;
                }
                None => *intensity = sum,
            }
        }
    }

    /// Adds every phi step and domain for one scattering vector.
    fn sum_orientations(
        &self,
        scattering_per_m: [T; 3],
        sum: &mut T,
        now: &Corrections<T>,
        carried: &mut Carried,
        recorder: &mut impl Recorder<T>,
    ) {
        let experiment = self.plan.experiment;
        let untouched = match &self.untouched_orientations {
            Some(first_step) if carried.cell_is_untouched => first_step.as_slice(),
            _ => &[],
        };
        carried.cell_is_untouched = false;
        let swept = self.orientations.iter().skip(untouched.len());
        for orientation in untouched.iter().chain(swept) {
            let hkl = orientation.map(|edge| vector::dot(edge, scattering_per_m));
            let nearest = hkl.map(|index| nearest_index(index.value()));
            let lattice_factor = self.scene.lattice.factor(hkl, nearest);
            if lattice_factor.value() == 0.0 && experiment.water_m == 0.0 {
                continue;
            }
            let (lookup, cell_factor) = self.look_up(hkl, &mut carried.lookup);
            *sum += cell_factor * cell_factor * lattice_factor * lattice_factor;
            recorder.term(&Term {
                lookup,
                hkl,
                cell_factor,
                lattice_factor,
            });
            correct_running_sum(&self.plan.rules, now, sum, recorder);
        }
    }

    /// The structure factor at fractional `hkl`, and how it was found.
    fn look_up(&self, hkl: [T; 3], lookup: &mut Lookup) -> (Lookup, T) {
        let factors = &self.plan.experiment.factors;
        let value_at = |offset: usize| {
            let moved = self.scene.factors.iter().find(|(at, _)| *at == offset);
            match moved {
                Some((_, factor)) => *factor,
                None => {
                    let listed = factors.values().get(offset).copied();
                    T::from_f64(listed.unwrap_or(factors.default_f()))
                }
            }
        };
        if *lookup == Lookup::Tricubic {
            match factors.tricubic_of(hkl, value_at) {
                Some(factor) => return (Lookup::Tricubic, factor),
                None if self.plan.experiment.fixes.contains(Oddity::Interpolation) => {}
                None => *lookup = Lookup::Nearest,
            }
        }
        let nearest = factors.offset_of_nearest(hkl.map(T::value));
        let factor = nearest.map_or(T::from_f64(factors.default_f()), value_at);
        (Lookup::Nearest, factor)
    }
}

/// The oddity `oversample-flags`: a correction taken at every sub-pixel multiplies the running sum.
fn correct_running_sum<T: Scalar>(
    rules: &CorrectionRules,
    now: &Corrections<T>,
    sum: &mut T,
    recorder: &mut impl Recorder<T>,
) {
    for (rule, factor) in [
        (rules.capture, now.capture),
        (rules.polarization, now.polarization),
        (rules.solid_angle, now.solid_angle_sr),
    ] {
        if rule.scales == Scales::RunningSum {
            *sum *= factor;
            recorder.scale(factor);
        }
    }
}

/// The direct cells of every phi step and domain, and those that the first evaluation of the run
/// finds in the place of the first step's.
type Orientations<T> = (Vec<[[T; 3]; 3]>, Option<Vec<[[T; 3]; 3]>>);

/// The orientations of `scene`. Which step keeps the rotation of which (the oddity `phi-zero`) is
/// decided by the angles of the experiment; a step at phi = 0 that is rotated at all has the
/// derivative of a rotation by 0, though the value is the cell itself.
fn orientations<T: Scalar>(plan: &Plan<'_>, scene: &Scene<T>) -> Result<Orientations<T>, Error> {
    let experiment = plan.experiment;
    let spindle = experiment.goniometer.spindle().map(T::from_f64);
    let steps = steps_kept(plan);
    let turned = experiment.crystal.mosaic().spread_rad() > 0.0;
    let domains = match &scene.domains {
        _ if !turned => vec![],
        Some(domains) => domains.clone(),
        None => own_domains(experiment),
    };
    let count = steps.len() * domains.len().max(1);
    let mut swept = Vec::new();
    swept
        .try_reserve_exact(count)
        .map_err(|_| Error::NoMemoryForOrientations {
            orientations: count,
            bytes: count.saturating_mul(size_of::<[[T; 3]; 3]>()),
        })?;
    let rotated = |step: usize| {
        let phi = scene.phi_rad.get(step).copied();
        rotate_by_phi(scene.direct_m, spindle, phi.unwrap_or(T::from_f64(0.0)))
    };
    let spread = |cell: [[T; 3]; 3], out: &mut Vec<[[T; 3]; 3]>| {
        if domains.is_empty() {
            out.push(cell);
        }
        out.extend((domains.iter()).map(|domain| cell.map(|edge| rotate_by(domain, edge))));
    };
    for step in steps {
        spread(rotated(step), &mut swept);
    }
    let untouched = plan.untouched_orientations.as_ref().map(|_| {
        let mut untouched = Vec::new();
        spread(rotated(0), &mut untouched);
        untouched
    });
    Ok((swept, untouched))
}

/// For every phi step the one whose rotation it is rendered at.
pub(crate) fn steps_kept(plan: &Plan<'_>) -> Vec<usize> {
    let experiment = plan.experiment;
    let rotates_by_zero = experiment.fixes.contains(Oddity::PhiZero);
    let is_rotated: Vec<bool> = (experiment.phi.angles_rad())
        .map(|phi| rotates_by_zero || phi != 0.0)
        .collect();
    let mut kept = is_rotated.iter().rposition(|&rotated| rotated);
    (is_rotated.iter().enumerate())
        .map(|(step, &rotated)| {
            if rotated {
                kept = Some(step);
            }
            kept.unwrap_or(step)
        })
        .collect()
}
