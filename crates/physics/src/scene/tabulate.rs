//! From the numbers of an experiment to the tables of a scene, in any number type.

use std::sync::Arc;

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::rotate_by;
use nanobragg_numeric::Scalar;

use super::bounds::Bounds;
use super::setup::Setup;
use super::{Orientation, PanelRow, Scene, SizeRun, SourceRow};
use crate::background::water_background;
use crate::diffuse::Halo;
use crate::error::Error;
use crate::fixes::Oddity;
use crate::gradient::{Numbers, PanelNumbers};
use crate::lanes::{LaneGrid, LatticeNames};
use crate::polarization::PolarizationFrame;
use crate::sampling::{CorrectionRules, Scales};
use crate::scattering::ELECTRON_RADIUS_SQUARED_M2;

/// Numbers of a scene that depend neither on the orientation nor on the source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalars<T> {
    /// The start value of the sum of every pixel.
    pub(crate) background: T,
    /// What water adds to the sum for every source and sub-pixel. It is 0 if the sum starts with the
    /// water: that is without the fix `water`, and without corrections that multiply terms.
    pub(crate) water_per_source: T,
    /// `r_e^2 fluence`.
    pub(crate) photons_per_electron: T,
}

/// The numbers by which a sum is divided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) sources: usize,
    /// Phi steps times mosaic domains. Lattices do not count: their intensities are added.
    pub(crate) orientations: usize,
}

impl Counts {
    pub(crate) fn of(setup: &Setup) -> Self {
        Self {
            sources: setup.sources.len(),
            orientations: setup.phi.count as usize * setup.domains.len(),
        }
    }
}

impl<T: Scalar> Scalars<T> {
    pub(crate) fn new(
        setup: &Setup,
        rules: &CorrectionRules,
        numbers: &Numbers<T>,
        count: Counts,
    ) -> Self {
        let fluence_per_m2 = numbers.fluence_per_m2;
        let photons_per_electron = T::from_f64(ELECTRON_RADIUS_SQUARED_M2) * fluence_per_m2;
        let water = water_background(fluence_per_m2, numbers.water_m);
        let oversample = f64::from(setup.oversample);
        let sources_and_subpixels = count.sources as f64 * oversample * oversample;
        let water_is_fixed = setup.fixes.contains(Oddity::Water) && water.value() > 0.0;
        let starts_with_water = !water_is_fixed && !rules.any(Scales::Terms);
        let zero = T::from_f64(0.0);
        Self {
            background: if starts_with_water { water } else { zero },
            // The finished sum is divided by the steps. Sources and sub-pixels add their water one by
            // one, but orientations add none, so the number of orientations is a factor here.
            water_per_source: if water_is_fixed {
                water / photons_per_electron * T::from_f64(count.orientations as f64)
            } else if starts_with_water {
                zero
            } else {
                water / T::from_f64(sources_and_subpixels)
            },
            photons_per_electron,
        }
    }
}

impl<T: Scalar> Scene<T> {
    /// The tables of `numbers`. `room` is the allocated memory for the orientations. Bounds are computed
    /// if `known` is `None`.
    pub(super) fn tabulate(
        setup: Arc<Setup>,
        numbers: &Numbers<T>,
        mut room: Vec<Orientation<T>>,
        known: Option<(Bounds, LaneGrid)>,
    ) -> Self {
        let sources = source_rows(&setup, numbers);
        let untouched = fill_orientations(&setup, numbers, &mut room);
        let orientations: Arc<[_]> = room.into();
        let count = Counts::of(&setup);
        let panels = setup.panels.iter().zip(&setup.rules).enumerate();
        let panels = panels.map(|(index, (panel, rules))| PanelRow {
            numbers: (numbers.panels.get(index).copied())
                .unwrap_or_else(|| PanelNumbers::of(panel).map(T::from_f64)),
            rules: *rules,
            scalars: Scalars::new(&setup, rules, numbers, count),
        });
        let panels = panels.collect();
        let oversample = f64::from(setup.oversample);
        let (bounds, lane_grid) = known.unwrap_or_else(|| {
            let bounds = Bounds::new(&setup, &sources, &orientations);
            (bounds, LaneGrid::new(&setup.factors).unwrap_or_default())
        });
        Self {
            untouched_orientations: untouched.map(Into::into),
            diffuse: (setup.diffuse.as_ref().zip(numbers.diffuse.as_ref()))
                .map(|(diffuse, own)| Halo::new(diffuse, own, &numbers.direct_m)),
            lattice: numbers.lattice,
            size_runs: size_runs(&setup, numbers, orientations.len()),
            sources_differ: !setup.factors_by_source.is_empty()
                || sources.iter().any(|source| source.weight != 1.0),
            moved_factors: numbers.factors.as_slice().into(),
            kahn_factor: numbers.kahn_factor,
            layers: numbers.layers.as_slice().into(),
            steps: count.sources as f64 * count.orientations as f64 * oversample * oversample,
            panels,
            bounds,
            lane_grid,
            sources,
            orientations,
            setup,
        }
    }

    /// The same scene with other numbers, also of another type. The setup is kept, and with it the phi
    /// steps that keep the rotation of another step.
    ///
    /// # Errors
    /// [`Error::NoMemoryForOrientations`].
    pub(crate) fn with_numbers<U: Scalar>(&self, numbers: &Numbers<U>) -> Result<Scene<U>, Error> {
        let count = self.orientations.len();
        let mut room = Vec::new();
        room.try_reserve_exact(count)
            .map_err(|_| Error::NoMemoryForOrientations {
                orientations: count,
                bytes: count.saturating_mul(size_of::<Orientation<U>>()),
            })?;
        let known = Some((self.bounds, self.lane_grid));
        Ok(Scene::tabulate(
            Arc::clone(&self.setup),
            numbers,
            room,
            known,
        ))
    }
}

fn source_rows<T: Scalar>(setup: &Setup, numbers: &Numbers<T>) -> Arc<[SourceRow<T>]> {
    let axis = setup.polarization_axis.map(T::from_f64);
    let own = setup.sources.iter().enumerate();
    own.map(|(index, source)| {
        let moved = numbers.sources.as_ref().and_then(|rows| rows.get(index));
        let (incident, wavelength_m) = match moved {
            Some(moved) => (moved.incident, moved.wavelength_m),
            None => (
                source.incident().map(T::from_f64),
                T::from_f64(source.wavelength_m),
            ),
        };
        SourceRow {
            incident,
            wavelength_m,
            polarization: PolarizationFrame::new(axis, incident),
            recorded_weight: source.recorded_weight,
            weight: source.weight,
        }
    })
    .collect()
}

/// Fills `swept` with the orientations of every phi step and domain. Returns the orientations of the
/// first step in the first evaluation of the run, if they differ.
///
/// The oddity `phi-zero`: a step at exactly phi = 0 does not rotate. It keeps the cell of the step before
/// it. A first step at phi = 0 therefore has the cell of the last step of the evaluation before. Only in
/// the first evaluation of a run it has the unrotated cell.
fn fill_orientations<T: Scalar>(
    setup: &Setup,
    numbers: &Numbers<T>,
    swept: &mut Vec<Orientation<T>>,
) -> Option<Vec<Orientation<T>>> {
    let spindle = setup.spindle.map(T::from_f64);
    let rotates_by_zero = setup.fixes.contains(Oddity::PhiZero);
    let rotated = |step: usize, cell: [[T; 3]; 3]| {
        let phi_rad = numbers.phi_rad.get(step).copied();
        let phi_rad = phi_rad.unwrap_or(T::from_f64(0.0));
        // If a parameter moves an angle of 0, the cell is rotated by this angle: the value is that of the
        // cell, and the derivative is that of a rotation.
        if phi_rad.is_zero() && !rotates_by_zero {
            cell
        } else {
            rotate_by_phi(cell, spindle, phi_rad)
        }
    };
    let fill_step = |step: usize, out: &mut Vec<Orientation<T>>| {
        fill_orientations_turned(setup, numbers, |cell| rotated(step, cell), out);
    };
    for step in steps_kept(setup) {
        fill_step(step, swept);
    }
    first_step_is_untouched(setup).then(|| {
        let mut untouched = Vec::new();
        fill_step(0, &mut untouched);
        untouched
    })
}

/// Adds the orientations of every lattice and domain to `out`, the domain fastest. `turned` rotates cell edges
/// from phi = 0 to the angle of the spindle.
pub(crate) fn fill_orientations_turned<T: Scalar>(
    setup: &Setup,
    numbers: &Numbers<T>,
    turned: impl Fn([[T; 3]; 3]) -> [[T; 3]; 3],
    out: &mut Vec<Orientation<T>>,
) {
    let deformed = |index: usize, own: &[[f64; 3]; 3], cell: [[T; 3]; 3]| {
        let moved = numbers.domains.as_ref().and_then(|rows| rows.get(index));
        let matrix = moved.copied();
        let matrix = matrix.unwrap_or_else(|| own.map(|row| row.map(T::from_f64)));
        cell.map(|edge| rotate_by(&matrix, edge))
    };
    let names = LatticeNames::of(setup.lattices.len());
    let lattices = setup.lattices.iter().zip(&numbers.lattice_weights);
    for (number, (lattice, weight)) in lattices.enumerate() {
        let cell = lattice.edges_m(numbers.direct_m);
        let lattice_turned = turned(cell);
        out.extend(setup.domains.iter().enumerate().map(|(index, own)| {
            let edges_m = if !setup.has_spread {
                lattice_turned
            } else if setup.domains_turn_with_crystal {
                turned(deformed(index, own, cell))
            } else {
                deformed(index, own, lattice_turned)
            };
            let weight = *weight * T::from_f64(setup.domain_weight(index));
            Orientation {
                edges_m,
                weight,
                amplitude: weight.value().sqrt(),
                first_name: names.first(number),
            }
        }));
    }
}

/// The orientations in runs of the same size; empty if all have the size of the crystal.
fn size_runs<T: Scalar>(setup: &Setup, numbers: &Numbers<T>, count: usize) -> Arc<[SizeRun<T>]> {
    if setup.domain_sizes.is_empty() {
        return Arc::default();
    }
    let ratios = setup.domain_sizes.iter().cycle().take(count);
    let mut runs: Vec<SizeRun<T>> = Vec::new();
    let mut latest = f64::NAN;
    for (place, &ratio) in ratios.enumerate() {
        match runs.last_mut() {
            Some(run) if ratio == latest => run.places.end = place + 1,
            _ => runs.push(SizeRun {
                places: place..place + 1,
                lattice: numbers.lattice.scaled(ratio),
            }),
        }
        latest = ratio;
    }
    runs.into()
}

/// For every phi step, whether it rotates the cell.
fn is_rotated(setup: &Setup) -> Vec<bool> {
    let rotates_by_zero = setup.fixes.contains(Oddity::PhiZero);
    let angles = setup.phi.angles_rad();
    angles
        .map(|phi_rad| rotates_by_zero || phi_rad != 0.0)
        .collect()
}

/// For every phi step, the step whose rotation it is rendered at.
pub(crate) fn steps_kept(setup: &Setup) -> Vec<usize> {
    let is_rotated = is_rotated(setup);
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

/// Whether the first evaluation of the run has a cell in its first step that no later evaluation has.
fn first_step_is_untouched(setup: &Setup) -> bool {
    let is_rotated = is_rotated(setup);
    is_rotated.first() == Some(&false) && is_rotated.contains(&true)
}
