//! Tables of the tangents for the fast path.

use std::slice::from_ref;

use nanobragg_crystal::{Shape, rotate_by_phi};
use nanobragg_geometry::rotation::{IDENTITY, distance_from_rotation};
use nanobragg_geometry::{Surface, rotate_by, vector};
use nanobragg_numeric::{Dual, Scalar};

use super::numbers::{Numbers, Tangent, own_sources};
use crate::backend::{Backend, Lanes};
use crate::lanes::{Level, Precision};
use crate::polarization::PolarizationFrame;
use crate::render::RunOptions;
use crate::sampling::{Lookup, Scales};
use crate::scene::{Counts, Scalars, View, steps_kept};

/// The largest deviation of the length of the spindle from 1 at which `rotate_by_phi` is a rotation, and of a domain
/// from a rotation.
const UNIT: f64 = 1e-9;

/// The tangents by what they move: the cell, the orientations, the numbers of cells, or anything between
/// source and pixel.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) count: usize,
    /// For every orientation, the columns of the rotation from the cell at phi = 0 to this orientation.
    pub(crate) rotations: Vec<[[f64; 3]; 3]>,
    /// Tangents that move a, b, c at phi = 0, with the derivatives in m.
    pub(crate) cells_m: Vec<(usize, [[f64; 3]; 3])>,
    /// Tangents that rotate orientations, with the angular rate of each orientation.
    pub(crate) turns: Vec<(usize, Vec<[f64; 3]>)>,
    pub(crate) sizes: Vec<(usize, [f64; 3])>,
    /// Tangents that move the weight of the lattice, with its relative rate.
    pub(crate) scales: Vec<(usize, f64)>,
    /// Tangents that move anything between source and pixel.
    pub(crate) rays: Vec<RayRates>,
    /// The derivatives of background, water and photons per electron, for every tangent.
    pub(crate) scalars: Vec<Scalars<f64>>,
    /// Tangents that move a structure factor: index of the tangent, offset in the grid, derivative.
    pub(crate) factors: Vec<(usize, u32, f64)>,
}

/// The derivatives of everything between source and pixel by one tangent.
#[derive(Debug)]
pub(crate) struct RayRates {
    pub(crate) tangent: usize,
    pub(crate) pix0_m: [f64; 3],
    pub(crate) fast: [f64; 3],
    pub(crate) slow: [f64; 3],
    pub(crate) normal: [f64; 3],
    pub(crate) close_distance_m: f64,
    pub(crate) layer_step_m: f64,
    pub(crate) mu_per_m: f64,
    pub(crate) kahn_factor: f64,
    pub(crate) sources: Vec<SourceRates>,
}

/// The derivatives of one source.
#[derive(Debug)]
pub(crate) struct SourceRates {
    pub(crate) incident: [f64; 3],
    pub(crate) wavelength_m: f64,
    pub(crate) electric: [f64; 3],
    pub(crate) magnetic: [f64; 3],
}

/// The level for the fast path; `None` if the scene or a tangent needs the general path.
pub(crate) fn fast_level(
    view: &View<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
) -> Option<Level> {
    let level = options.level.unwrap_or_else(Level::detect);
    let lanes = Lanes {
        level,
        precision: Precision::Double,
    };
    let spindle = vector::norm(view.setup.spindle);
    let suits = level != Level::Reference
        && view.setup.has_crystal
        && lanes.supports(view).is_ok()
        && view.lattice.shape == Shape::Square
        && view.setup.lookup == Lookup::Nearest
        && view.setup.diffuse.is_none()
        && view.panel.surface() == Surface::Flat
        && !view.rules.any(Scales::RunningSum)
        && (spindle - 1.0).abs() < UNIT
        && view.size_runs.is_empty()
        && view.setup.factors_by_source.is_empty()
        && matches!(&view.setup.lattices[..], [one] if one.basis.is_none() && one.turn.is_none())
        && tangents.iter().all(|tangent| suits(view, tangent));
    suits.then_some(level)
}

/// Whether the fast path has this derivative: not that of a weight of 0, nor that of a domain that is deformed.
fn suits(view: &View<'_>, Tangent(tangent): &Tangent) -> bool {
    (is_zero(&tangent.lattice_weights) || view.setup.numbers.lattice_weights != [0.0])
        && (is_still(tangent)
            || (view.setup.domains.iter()).all(|rows| distance_from_rotation(rows) < UNIT))
}

/// Whether the tangent turns no orientation.
fn is_still(tangent: &Numbers<f64>) -> bool {
    is_zero(&tangent.phi_rad) && tangent.domains.is_none()
}

impl Tables {
    pub(crate) fn new(view: &View<'_>, tangents: &[Tangent]) -> Self {
        let setup = &view.setup;
        let count = Counts::of(setup);
        let all = || tangents.iter().enumerate();
        let rates_of_scalars = |tangent: &Tangent| {
            let numbers = Numbers::<Dual<1>>::moved(setup, from_ref(tangent));
            let scalars = Scalars::new(setup, &view.rules, &numbers, count);
            Scalars {
                background: scalars.background.derivatives[0],
                water_per_source: scalars.water_per_source.derivatives[0],
                photons_per_electron: scalars.photons_per_electron.derivatives[0],
            }
        };
        Self {
            count: tangents.len(),
            rotations: rotations(view),
            cells_m: all()
                .filter(|(_, Tangent(t))| !is_zero(t.direct_m.as_flattened()))
                .map(|(index, Tangent(t))| (index, t.direct_m))
                .collect(),
            turns: all()
                .filter_map(|(index, tangent)| Some((index, turns(view, tangent)?)))
                .collect(),
            sizes: all()
                .filter(|(_, Tangent(t))| !is_zero(&t.lattice.cells))
                .map(|(index, Tangent(t))| (index, t.lattice.cells))
                .collect(),
            scales: all()
                .filter_map(|(index, Tangent(t))| {
                    let rate = *t.lattice_weights.first()?;
                    let weight = *setup.numbers.lattice_weights.first()?;
                    (rate != 0.0).then_some((index, rate / weight))
                })
                .collect(),
            rays: all()
                .filter_map(|(index, tangent)| RayRates::new(view, index, tangent))
                .collect(),
            scalars: tangents.iter().map(rates_of_scalars).collect(),
            factors: all()
                .flat_map(|(index, Tangent(t))| {
                    let moved = t.factors.iter();
                    moved.map(move |&(offset, rate)| (index, offset as u32, rate))
                })
                .collect(),
        }
    }
}

fn is_zero(numbers: &[f64]) -> bool {
    numbers.iter().all(|x| *x == 0.0)
}

/// The columns of the matrix of every phi step and mosaic domain, the domain fastest.
fn rotations(view: &View<'_>) -> Vec<[[f64; 3]; 3]> {
    let setup = &view.setup;
    let angles: Vec<f64> = setup.phi.angles_rad().collect();
    let mut rotations = Vec::with_capacity(view.orientations.len());
    for step in steps_kept(&view.setup) {
        let phi = angles.get(step).copied().unwrap_or(0.0);
        let turned = |columns| rotate_by_phi(columns, setup.spindle, phi);
        rotations.extend(setup.domains.iter().map(|domain| {
            let deformed = |columns: [[f64; 3]; 3]| columns.map(|column| rotate_by(domain, column));
            if !setup.has_spread {
                turned(IDENTITY)
            } else if setup.domains_turn_with_crystal {
                turned(deformed(IDENTITY))
            } else {
                deformed(turned(IDENTITY))
            }
        }));
    }
    rotations
}

/// The angular rate of every orientation, `da/dt = rate x a`; `None` if the tangent rotates none.
fn turns(view: &View<'_>, Tangent(tangent): &Tangent) -> Option<Vec<[f64; 3]>> {
    if is_still(tangent) {
        return None;
    }
    let setup = &view.setup;
    let mut rates = Vec::with_capacity(view.orientations.len());
    let angles: Vec<f64> = setup.phi.angles_rad().collect();
    for step in steps_kept(&view.setup) {
        let phi_rad = angles.get(step).copied().unwrap_or(0.0);
        let moved = tangent.phi_rad.get(step).copied().unwrap_or(0.0);
        let about_spindle = vector::scale(moved, setup.spindle);
        for (index, domain) in setup.domains.iter().enumerate() {
            let moved = (tangent.domains.as_ref()).and_then(|domains| domains.get(index));
            let of_domain = moved.map_or([0.0; 3], |by| {
                // M is orthogonal, so dM M^T is antisymmetric: it is the cross product with the angular rate.
                let entry = |i: usize, j: usize| vector::dot(by[i], domain[j]);
                [entry(2, 1), entry(0, 2), entry(1, 0)]
            });
            // The rate of the rotation that is applied first is turned by the second.
            rates.push(if !setup.has_spread {
                about_spindle
            } else if setup.domains_turn_with_crystal {
                let [turned, ..] = rotate_by_phi([of_domain; 3], setup.spindle, phi_rad);
                vector::add(turned, about_spindle)
            } else {
                vector::add(rotate_by(domain, about_spindle), of_domain)
            });
        }
    }
    Some(rates)
}

impl RayRates {
    /// `None` if the tangent moves nothing between source and pixel.
    fn new(view: &View<'_>, index: usize, Tangent(tangent): &Tangent) -> Option<Self> {
        let panel = tangent.panels.get(view.panel_index)?;
        let placement = &panel.placement;
        let vectors = [
            placement.pix0_m,
            placement.fast,
            placement.slow,
            placement.normal,
        ];
        let numbers = [
            placement.close_distance_m,
            panel.layer_step_m,
            panel.mu_per_m,
            tangent.kahn_factor,
        ];
        let sources_move = tangent.sources.as_ref().is_some_and(|sources| {
            (sources.iter()).any(|s| s.wavelength_m != 0.0 || !is_zero(&s.incident))
        });
        if is_zero(vectors.as_flattened()) && is_zero(&numbers) && !sources_move {
            return None;
        }
        Some(Self {
            tangent: index,
            pix0_m: placement.pix0_m,
            fast: placement.fast,
            slow: placement.slow,
            normal: placement.normal,
            close_distance_m: placement.close_distance_m,
            layer_step_m: panel.layer_step_m,
            mu_per_m: panel.mu_per_m,
            kahn_factor: tangent.kahn_factor,
            sources: source_rates(view, tangent),
        })
    }
}

fn source_rates(view: &View<'_>, tangent: &Numbers<f64>) -> Vec<SourceRates> {
    let axis = view.setup.polarization_axis.map(Dual::constant);
    let own = own_sources::<f64>(&view.setup);
    (own.iter().enumerate())
        .map(|(index, source)| {
            let moved = (tangent.sources.as_ref()).and_then(|sources| sources.get(index));
            let incident_rate = moved.map_or([0.0; 3], |source| source.incident);
            let incident = std::array::from_fn(|i| Dual::<1> {
                real: source.incident[i],
                derivatives: [incident_rate[i]],
            });
            let frame = PolarizationFrame::new(axis, incident);
            let rates = |v: [Dual<1>; 3]| v.map(|component| component.derivatives[0]);
            debug_assert!(frame.electric.iter().all(|e| e.value().is_finite()));
            SourceRates {
                incident: incident_rate,
                wavelength_m: moved.map_or(0.0, |source| source.wavelength_m),
                electric: rates(frame.electric),
                magnetic: rates(frame.magnetic),
            }
        })
        .collect()
}
