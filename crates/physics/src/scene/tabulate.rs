//! From the numbers of an experiment to the tables of a scene, in any kind of number.

use std::sync::Arc;

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::rotate_by;
use nanobragg_numeric::Scalar;

use super::bounds::Bounds;
use super::setup::Setup;
use super::{Orientation, PanelRow, Scene, SourceRow};
use crate::background::water_background;
use crate::error::Error;
use crate::fixes::Oddity;
use crate::gradient::{Numbers, PanelNumbers};
use crate::lanes::LaneGrid;
use crate::polarization::PolarizationFrame;
use crate::sampling::{CorrectionRules, Scales};
use crate::scattering::ELECTRON_RADIUS_SQUARED_M2;

/// Numbers of a scene that neither orientation nor source decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalars<T> {
    /// What the sum of every pixel starts with.
    pub(crate) background: T,
    /// What water adds to the sum for every source and sub-pixel, where it is scaled only once or
    /// corrections multiply terms; then the sum does not start with it.
    pub(crate) water_per_source: T,
    /// `r_e^2 fluence`.
    pub(crate) photons_per_electron: T,
}

/// How many there are of what a sum runs over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) sources: usize,
    pub(crate) orientations: usize,
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
            // The finished sum is divided by the steps. Sources and sub-pixels are summed here one by
            // one, orientations are not, so only their number has to be put in.
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
    /// The tables of `numbers`. `room` is memory for the orientations. Bounds are worked out unless
    /// they are given.
    pub(super) fn tabulate(
        setup: Arc<Setup>,
        numbers: &Numbers<T>,
        mut room: Vec<Orientation<T>>,
        known: Option<(Bounds, LaneGrid)>,
    ) -> Self {
        let sources = source_rows(&setup, numbers);
        let untouched = fill_orientations(&setup, numbers, &mut room);
        let orientations: Arc<[_]> = room.into();
        let count = Counts {
            sources: sources.len(),
            orientations: orientations.len(),
        };
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
            lattice: numbers.lattice,
            moved_factors: numbers.factors.as_slice().into(),
            kahn_factor: numbers.kahn_factor,
            steps: count.sources as f64 * count.orientations as f64 * oversample * oversample,
            panels,
            bounds,
            lane_grid,
            sources,
            orientations,
            setup,
        }
    }

    /// The same scene with other numbers, which may be of another kind. What is whole, listed or
    /// switched is kept, and with it which phi step keeps the rotation of which.
    ///
    /// # Errors
    /// [`Error::NoMemoryForOrientations`] where an allocation would abort.
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
            weight: source.recorded_weight,
        }
    })
    .collect()
}

/// Fills `swept` with the orientations of every phi step and domain. Returns those that the first
/// evaluation of the run finds in the place of the first step's, where they differ.
///
/// The oddity `phi-zero`: a step at exactly phi = 0 does not rotate, but keeps the cell that the step
/// before it left behind. A first step at phi = 0 therefore finds the cell of the last step, except in
/// the first evaluation of a run, which finds the unrotated cell.
fn fill_orientations<T: Scalar>(
    setup: &Setup,
    numbers: &Numbers<T>,
    swept: &mut Vec<Orientation<T>>,
) -> Option<Vec<Orientation<T>>> {
    let spindle = setup.spindle.map(T::from_f64);
    let rotates_by_zero = setup.fixes.contains(Oddity::PhiZero);
    let rotated = |step: usize| {
        let phi_rad = numbers.phi_rad.get(step).copied();
        let phi_rad = phi_rad.unwrap_or(T::from_f64(0.0));
        // An angle of 0 that some parameter moves is rotated by: the value is the cell itself, its
        // derivative that of a rotation.
        if phi_rad.is_zero() && !rotates_by_zero {
            numbers.direct_m
        } else {
            rotate_by_phi(numbers.direct_m, spindle, phi_rad)
        }
    };
    let spread = |cell: Orientation<T>, out: &mut Vec<Orientation<T>>| {
        let own = setup.domains.iter().enumerate();
        out.extend(own.map(|(index, own)| {
            if !setup.has_spread {
                return cell;
            }
            let moved = numbers.domains.as_ref().and_then(|rows| rows.get(index));
            let domain = moved
                .copied()
                .unwrap_or_else(|| own.map(|row| row.map(T::from_f64)));
            cell.map(|edge| rotate_by(&domain, edge))
        }));
    };
    for step in steps_kept(setup) {
        spread(rotated(step), swept);
    }
    first_step_is_untouched(setup).then(|| {
        let mut untouched = Vec::new();
        spread(rotated(0), &mut untouched);
        untouched
    })
}

/// For every phi step, whether the angle of the experiment rotates the cell at all.
fn is_rotated(setup: &Setup) -> Vec<bool> {
    let rotates_by_zero = setup.fixes.contains(Oddity::PhiZero);
    let angles = setup.phi.angles_rad();
    angles
        .map(|phi_rad| rotates_by_zero || phi_rad != 0.0)
        .collect()
}

/// For every phi step the one whose rotation it is rendered at.
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

/// Whether the first evaluation of the run finds a cell in the first step that no later one finds.
fn first_step_is_untouched(setup: &Setup) -> bool {
    let is_rotated = is_rotated(setup);
    is_rotated.first() == Some(&false) && is_rotated.contains(&true)
}
