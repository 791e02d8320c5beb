//! Everything that does not depend on the pixel, tabulated.

use std::sync::Arc;

use nanobragg_crystal::{LatticeShape, rotate_by_phi};
use nanobragg_geometry::{Panel, PixelKind, point_solid_angle, rotate_by, solid_angle, vector};

use crate::background::water_background;
use crate::experiment::Experiment;
use crate::fixes::Oddity;
use crate::kernel::reference::Pixel;
use crate::kernel::{LARGEST_INDEX, LaneGrid};
use crate::polarization::PolarizationFrame;
use crate::render::PixelPlace;
use crate::sampling::{CorrectionRules, Modelled, Scales};
use crate::scattering::ELECTRON_RADIUS_SQUARED_M2;

/// One source as the kernel sees it. There is no weight: every source counts the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceRow {
    /// Unit vector along the beam.
    pub(crate) incident: [f64; 3],
    /// Wavelength in metres.
    pub(crate) wavelength_m: f64,
    /// Directions of its electric and magnetic fields.
    pub(crate) polarization: PolarizationFrame,
}

/// The direct cell of one phi step and mosaic domain: a, b, c in metres.
pub(crate) type Orientation = [[f64; 3]; 3];

/// An experiment with all its tables, ready to render, looking at one panel of its detector.
#[derive(Debug, Clone)]
pub struct Plan<'e> {
    pub(crate) experiment: &'e Experiment,
    /// The panel that is looked at, and its number.
    pub(crate) panel: &'e Panel,
    pub(crate) panel_index: usize,
    pub(crate) sources: Arc<[SourceRow]>,
    /// One row per phi step and mosaic domain, the domain fastest.
    pub(crate) orientations: Arc<[Orientation]>,
    /// The rows of the first phi step as the first evaluation of the run finds them, where that
    /// differs from what every later evaluation finds.
    pub(crate) untouched_orientations: Option<Arc<[Orientation]>>,
    /// The outline of the crystal with the numbers that decide its spots.
    pub(crate) lattice: LatticeShape,
    /// How solid angle, polarization and capture fraction are taken.
    pub(crate) rules: CorrectionRules,
    /// What the sum of every pixel starts with.
    pub(crate) background: f64,
    /// What water adds to the sum for every source and sub-pixel, where it is scaled only once or
    /// corrections multiply terms; then the sum does not start with it.
    pub(crate) water_per_source: f64,
    /// `r_e^2 fluence`.
    pub(crate) photons_per_electron: f64,
    /// Terms of the sum of a pixel, the layers of the sensor not counted.
    pub(crate) steps: f64,
    /// The grid of structure factors for the fast kernel.
    pub(crate) lane_grid: LaneGrid,
    /// Whether the fast kernel can number every index and point of the grid.
    pub(crate) suits_lanes: bool,
    /// The square of the scattering vector beyond which every structure factor is 0; `None` if
    /// there is no such limit.
    pub(crate) reach_squared_per_m2: Option<f64>,
    /// The longest a, b and c of all orientations, in metres.
    pub(crate) longest_edges_m: [f64; 3],
}

impl<'e> Plan<'e> {
    /// Tabulates the sources and orientations of `experiment`, and looks at its first panel.
    pub fn new(experiment: &'e Experiment) -> Self {
        let axis = experiment.beam.polarization();
        let sources: Arc<[SourceRow]> = experiment
            .sources
            .iter()
            .map(|source| {
                let incident = source.incident();
                SourceRow {
                    incident,
                    wavelength_m: source.wavelength_m,
                    polarization: PolarizationFrame::new(axis, incident),
                }
            })
            .collect();
        let rotated = phi_rotated_cells(experiment);
        let orientations: Arc<[Orientation]> = rotated
            .steady
            .iter()
            .flat_map(|&cell| domains_of(experiment, cell))
            .collect();
        let untouched_orientations = rotated
            .untouched
            .map(|cell| domains_of(experiment, cell).collect());
        let oversample = f64::from(experiment.sampling.oversample);
        let lane_grid = LaneGrid::new(&experiment.factors);
        let panel = experiment.detector.first();
        let corrections =
            PanelCorrections::new(experiment, panel, sources.len(), orientations.len());
        Self {
            suits_lanes: lane_grid.is_some()
                && largest_index(&sources, &orientations) < LARGEST_INDEX,
            lane_grid: lane_grid.unwrap_or_default(),
            reach_squared_per_m2: reach_squared_per_m2(experiment, &orientations),
            longest_edges_m: longest_edges_m(&orientations),
            lattice: experiment.crystal.lattice_shape(),
            rules: corrections.rules,
            background: corrections.background,
            water_per_source: corrections.water_per_source,
            photons_per_electron: ELECTRON_RADIUS_SQUARED_M2 * experiment.fluence_per_m2,
            steps: sources.len() as f64 * orientations.len() as f64 * oversample * oversample,
            experiment,
            panel,
            panel_index: 0,
            sources,
            orientations,
            untouched_orientations,
        }
    }

    /// The same plan looking at every panel in turn.
    pub(crate) fn panels(&self) -> impl Iterator<Item = Self> + use<'e> {
        let base = self.clone();
        let panels = self.experiment.detector.panels().iter().enumerate();
        panels.map(move |(panel_index, panel)| {
            let (sources, orientations) = (base.sources.len(), base.orientations.len());
            let corrections = PanelCorrections::new(base.experiment, panel, sources, orientations);
            Self {
                panel,
                panel_index,
                rules: corrections.rules,
                background: corrections.background,
                water_per_source: corrections.water_per_source,
                ..base.clone()
            }
        })
    }

    /// Where a pixel of the panel that is looked at is.
    pub(crate) fn place(&self, pixel: Pixel) -> PixelPlace {
        PixelPlace {
            panel: self.panel_index,
            slow: pixel.slow,
            fast: pixel.fast,
        }
    }

    /// The same plan looking at the panel of this number; `None` if there is none.
    pub fn on_panel(&self, index: usize) -> Option<Self> {
        self.panels().nth(index)
    }

    /// The experiment this plan renders.
    pub fn experiment(&self) -> &'e Experiment {
        self.experiment
    }

    /// Terms of the sum of one pixel: sources, phi steps, mosaic domains and sub-pixels, multiplied.
    /// The layers of the sensor are not counted (the oddity named `thickness`).
    pub fn steps(&self) -> f64 {
        self.steps
    }

    /// What water adds for every source at every sub-pixel of a layer: once, or in every layer if
    /// each is weighted by what it captures.
    #[inline(always)]
    pub(crate) fn water_in_layer(&self, layer: u32) -> f64 {
        if layer == 0 || self.rules.weighs_layers() {
            self.water_per_source
        } else {
            0.0
        }
    }

    /// The solid angle of a pixel at `path_m` metres from the crystal, in steradian.
    #[inline(always)]
    pub(crate) fn solid_angle_sr(&self, path_m: f64) -> f64 {
        let panel = self.panel;
        match panel.pixel_kind() {
            PixelKind::Facet => solid_angle(panel.pixel_size_m(), panel.close_distance_m(), path_m),
            PixelKind::Point => point_solid_angle(path_m),
        }
    }

    /// The direct cell of phi step `phi` and mosaic domain `domain`: rows a, b, c in metres.
    pub fn orientation(&self, phi: usize, domain: usize) -> Option<[[f64; 3]; 3]> {
        let domains = self.experiment.crystal.mosaic().domains().len();
        (domain < domains)
            .then(|| self.orientations.get(phi * domains + domain).copied())
            .flatten()
    }
}

/// What of a plan depends on the panel, since its sensor decides which corrections there are.
struct PanelCorrections {
    rules: CorrectionRules,
    background: f64,
    water_per_source: f64,
}

impl PanelCorrections {
    fn new(experiment: &Experiment, panel: &Panel, sources: usize, orientations: usize) -> Self {
        let oversample = f64::from(experiment.sampling.oversample);
        let photons_per_electron = ELECTRON_RADIUS_SQUARED_M2 * experiment.fluence_per_m2;
        let water = water_background(experiment.fluence_per_m2, experiment.water_m);
        let rules = CorrectionRules::new(
            &experiment.sampling,
            Modelled {
                sensor: panel.sensor().is_modelled(),
                polarization: !experiment.polarization.off,
            },
            experiment.fixes,
        );
        let water_is_fixed = experiment.fixes.contains(Oddity::Water) && water > 0.0;
        let starts_with_water = !water_is_fixed && !rules.any(Scales::Terms);
        Self {
            rules,
            background: if starts_with_water { water } else { 0.0 },
            water_per_source: if water_is_fixed {
                water / photons_per_electron * orientations as f64
            } else if starts_with_water {
                0.0
            } else {
                water / (sources as f64 * oversample * oversample)
            },
        }
    }
}

/// A bound on every Miller index of the run: the longest edge times twice the shortest wavelength's
/// inverse.
fn largest_index(sources: &[SourceRow], orientations: &[Orientation]) -> f64 {
    let longest_m = orientations
        .iter()
        .flatten()
        .map(|&edge| vector::norm(edge));
    let shortest_m = sources.iter().map(|source| source.wavelength_m);
    2.0 * longest_m.fold(0.0, f64::max) / shortest_m.fold(f64::INFINITY, f64::min)
}

/// The longest a, b and c of all orientations, in metres; a little more, for rounding. An index is at
/// most this times the length of the scattering vector.
fn longest_edges_m(orientations: &[Orientation]) -> [f64; 3] {
    [0, 1, 2].map(|axis| {
        let lengths_m = orientations.iter().map(|edges| vector::norm(edges[axis]));
        lengths_m.fold(0.0, f64::max) * (1.0 + 1e-9)
    })
}

/// How far from the origin of reciprocal space a point can lie whose nearest reflection is not 0,
/// squared: the longest listed reflection and half the diagonal of the reciprocal cell.
///
/// There is no limit where unlisted reflections are not 0, or where an orientation is no rotation of
/// the cell (about a spindle axis of zero length, say).
fn reach_squared_per_m2(experiment: &Experiment, orientations: &[Orientation]) -> Option<f64> {
    let factors = &experiment.factors;
    let bounds = factors.bounds()?;
    if factors.default_f() != 0.0 {
        return None;
    }
    let cell = experiment.crystal.direct().vectors();
    let keeps_shape = |orientation: &Orientation| {
        (0..3).all(|i| {
            (0..3).all(|j| {
                let (p, q) = (
                    vector::dot(cell[i], cell[j]),
                    vector::dot(orientation[i], orientation[j]),
                );
                (p - q).abs() <= 1e-9 * vector::norm(cell[i]) * vector::norm(cell[j])
            })
        })
    };
    if !orientations.iter().all(keeps_shape) {
        return None;
    }
    let [a, b, c] = experiment.crystal.reciprocal().vectors();
    let point = |h: f64, k: f64, l: f64| {
        vector::add(
            vector::add(vector::scale(h, a), vector::scale(k, b)),
            vector::scale(l, c),
        )
    };
    let [h_stride, k_stride, _] = factors.strides();
    let mut longest_squared = 0.0_f64;
    for (h, plane) in (bounds.min[0]..).zip(factors.values().chunks(h_stride)) {
        for (k, row) in (bounds.min[1]..).zip(plane.chunks(k_stride)) {
            // The square is convex along a row, so its ends decide.
            let listed = |factor: &f64| *factor != 0.0;
            let ends = row
                .iter()
                .position(listed)
                .zip(row.iter().rposition(listed));
            for index in ends.into_iter().flat_map(|(first, last)| [first, last]) {
                let l = f64::from(bounds.min[2]) + index as f64;
                let q = point(f64::from(h), f64::from(k), l);
                longest_squared = longest_squared.max(vector::dot(q, q));
            }
        }
    }
    let half_diagonal = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
        .map(|[k, l]| vector::norm(point(0.5, 0.5 * k, 0.5 * l)))
        .into_iter()
        .fold(0.0, f64::max);
    let reach_per_m = (longest_squared.sqrt() + half_diagonal) * (1.0 + 1e-6) * 1e10;
    Some(reach_per_m * reach_per_m)
}

/// The cell of each phi step, and what the first step of the run uses instead.
struct RotatedCells {
    steady: Vec<Orientation>,
    untouched: Option<Orientation>,
}

/// The phi-rotated cells, with the oddity `phi-zero`: a step at exactly phi = 0 does not rotate but
/// keeps the cell that the step before it left behind. A first step at phi = 0 therefore finds the
/// cell of the last step, except in the first evaluation of a run, which finds the unrotated cell.
fn phi_rotated_cells(experiment: &Experiment) -> RotatedCells {
    let cell = experiment.crystal.direct().vectors();
    let spindle = experiment.goniometer.spindle();
    let rotates_by_zero = experiment.fixes.contains(Oddity::PhiZero);
    let rotated: Vec<Option<Orientation>> = experiment
        .phi
        .angles_rad()
        .map(|phi| (rotates_by_zero || phi != 0.0).then(|| rotate_by_phi(cell, spindle, phi)))
        .collect();
    let left_by_sweep = rotated.iter().rev().find_map(|&cell| cell);
    let mut carried = left_by_sweep.unwrap_or(cell);
    let mut steady = Vec::with_capacity(rotated.len());
    for step in &rotated {
        carried = step.unwrap_or(carried);
        steady.push(carried);
    }
    let starts_at_zero = matches!(rotated.first(), Some(None));
    let untouched = (starts_at_zero && left_by_sweep.is_some()).then_some(cell);
    RotatedCells { steady, untouched }
}

/// The orientation of every mosaic domain of one phi-rotated cell.
fn domains_of(experiment: &Experiment, cell: Orientation) -> impl Iterator<Item = Orientation> {
    let crystal = &experiment.crystal;
    let turned = crystal.mosaic().spread_rad() > 0.0;
    crystal.mosaic().domains().iter().map(move |domain| {
        if turned {
            cell.map(|edge| rotate_by(domain, edge))
        } else {
            cell
        }
    })
}
