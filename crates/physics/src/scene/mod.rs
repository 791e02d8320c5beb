//! The tables of an experiment.
//!
//! A [`Scene`] is owned and flat: rows of sources, rows of orientations, panels, and a few numbers. It
//! has no lifetime, no flags and no files. It is the only input of a backend.
//!
//! A scene is generic over the number type `T`. Numbers that have derivatives come from
//! [`Numbers`](crate::gradient::Numbers). Integers, lists and switches (counts, masks, fixes, the grid of
//! structure factors) are in `Setup`, the same for every `T`.
//!
//! | file | content |
//! |---|---|
//! | `mod` | the tables |
//! | `setup` | integers, lists and switches |
//! | `tabulate` | from numbers to tables |
//! | `bounds` | bounds of the scene in reciprocal space |

mod bounds;
mod setup;
mod tabulate;

use std::ops::{Deref, Range};
use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, LatticeShape};
use nanobragg_geometry::{Panel, PixelKind, point_solid_angle, solid_angle};
use nanobragg_numeric::Scalar;

use crate::diffuse::Halo;
use crate::experiment::Experiment;
use crate::gradient::PanelNumbers;
use crate::lanes::LaneGrid;
use crate::layers::LayerNumbers;
use crate::polarization::PolarizationFrame;
use crate::render::PixelPlace;
use crate::sampling::{CorrectionRules, Scales};
use crate::scalar::{Corrections, Pixel};

pub(crate) use bounds::Bounds;
pub(crate) use setup::Setup;
pub(crate) use tabulate::{Counts, Scalars, fill_orientations_turned, steps_kept};

/// One source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceRow<T = f64> {
    /// Unit vector along the beam.
    pub(crate) incident: [T; 3],
    pub(crate) wavelength_m: T,
    /// Directions of its electric and magnetic fields.
    pub(crate) polarization: PolarizationFrame<T>,
    /// The listed weight, for the trace and the layers.
    pub(crate) recorded_weight: f64,
    /// The factor on the terms of the source; 1 unless weights are asked for.
    pub(crate) weight: f64,
}

/// The direct cell of one phi step, lattice and mosaic domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Orientation<T = f64> {
    /// a, b, c in metres.
    pub(crate) edges_m: [[T; 3]; 3],
    /// The factor on the terms: the weight of the lattice times that of the domain.
    pub(crate) weight: T,
    /// The root of the weight, which is a factor on amplitudes.
    pub(crate) amplitude: f64,
    /// What the names of its reflections begin at, which tells lattices apart.
    pub(crate) first_name: f64,
}

/// A run of orientations whose crystals have the same size.
#[derive(Debug, Clone)]
pub(crate) struct SizeRun<T = f64> {
    /// Their places in the list of orientations.
    pub(crate) places: Range<usize>,
    pub(crate) lattice: LatticeShape<T>,
}

/// An experiment with all its tables, ready to render.
#[derive(Debug, Clone)]
pub struct Scene<T = f64> {
    pub(crate) setup: Arc<Setup>,
    pub(crate) sources: Arc<[SourceRow<T>]>,
    /// One row per phi step, lattice and mosaic domain, the domain fastest.
    pub(crate) orientations: Arc<[Orientation<T>]>,
    /// The rows of the first phi step in the first evaluation of the run, if they differ from those of
    /// every later evaluation (the oddity `phi-zero`).
    pub(crate) untouched_orientations: Option<Arc<[Orientation<T>]>>,
    /// The shape of the crystal with the numbers that determine the shape of its spots.
    pub(crate) lattice: LatticeShape<T>,
    /// The orientations in runs of the same size, if domains differ in size; else empty.
    pub(crate) size_runs: Arc<[SizeRun<T>]>,
    /// Whether sources differ in weight or structure factors.
    pub(crate) sources_differ: bool,
    /// The diffuse scattering of the crystal.
    pub(crate) diffuse: Option<Halo<T>>,
    /// Structure factors that replace those of the grid, each with its offset in the grid.
    pub(crate) moved_factors: Arc<[(usize, T)]>,
    pub(crate) kahn_factor: T,
    /// The layers of amorphous material.
    pub(crate) layers: Arc<[LayerNumbers<T>]>,
    /// Terms of the sum of a pixel, the layers of the sensor not counted.
    pub(crate) steps: f64,
    pub(crate) panels: Arc<[PanelRow<T>]>,
    pub(crate) bounds: Bounds,
    /// The grid of structure factors in the numbers that lanes use.
    pub(crate) lane_grid: LaneGrid,
}

/// The part of a scene that depends on the panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanelRow<T> {
    /// Position and sensor of the panel.
    pub(crate) numbers: PanelNumbers<T>,
    /// How solid angle, polarization and capture fraction are computed. They depend on the sensor.
    pub(crate) rules: CorrectionRules,
    pub(crate) scalars: Scalars<T>,
}

/// A scene and one of its panels.
///
/// The numbers that the innermost loops read are copied into the view. The compiler then knows that no
/// store in a loop changes them. It does not know this of data behind a reference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'s, T = f64> {
    scene: &'s Scene<T>,
    /// The panel: its pixels, mask, region of interest and, in `f64`, its position.
    pub(crate) panel: &'s Panel,
    pub(crate) panel_index: usize,
    /// The position of the panel, in the number type of the scene.
    pub(crate) numbers: PanelNumbers<T>,
    pub(crate) rules: CorrectionRules,
    pub(crate) scalars: Scalars<T>,
    /// The orientations that are summed.
    pub(crate) orientations: &'s [Orientation<T>],
    /// Their shape and size.
    pub(crate) lattice: LatticeShape<T>,
    /// The structure factors of the source.
    pub(crate) factors: &'s FactorGrid,
    /// The root of the weight of the source.
    pub(crate) source_amplitude: f64,
    pub(crate) lane_grid: LaneGrid,
    pub(crate) steps: f64,
}

impl<T> Deref for View<'_, T> {
    type Target = Scene<T>;

    #[inline(always)]
    fn deref(&self) -> &Scene<T> {
        self.scene
    }
}

impl Scene {
    /// Tabulates an experiment.
    pub fn new(experiment: &Experiment) -> Self {
        let setup = Arc::new(Setup::new(experiment));
        Self::tabulate(Arc::clone(&setup), &setup.numbers, Vec::new(), None)
    }
}

impl<T: Copy> Scene<T> {
    pub(crate) fn views(&self) -> impl Iterator<Item = View<'_, T>> {
        (0..self.panels.len()).map(|panel| self.view(panel))
    }

    /// The view of the panel `panel_index`, which must be less than the number of panels.
    pub(crate) fn view(&self, panel_index: usize) -> View<'_, T> {
        let row = self.panels[panel_index];
        View {
            scene: self,
            panel: &self.setup.panels[panel_index],
            panel_index,
            numbers: row.numbers,
            rules: row.rules,
            scalars: row.scalars,
            orientations: &self.orientations,
            lattice: self.lattice,
            factors: &self.setup.factors,
            source_amplitude: 1.0,
            lane_grid: self.lane_grid,
            steps: self.steps,
        }
    }

    /// The structure factors of a source.
    #[inline(always)]
    pub(crate) fn factors_of(&self, source: usize) -> &FactorGrid {
        let own = self.setup.factors_by_source.get(source);
        own.unwrap_or(&self.setup.factors)
    }

    /// The number of the run of orientations with the orientation `place`; 0 if all have one size.
    #[inline(always)]
    pub(crate) fn run_number(&self, place: usize) -> usize {
        (self.size_runs).partition_point(|run| run.places.end <= place)
    }

    /// The panels of the detector.
    pub fn panels(&self) -> &[Panel] {
        &self.setup.panels
    }

    pub(crate) fn pixel_count(&self) -> usize {
        let counts = self.setup.panels.iter().map(Panel::pixel_count);
        counts.fold(0, usize::saturating_add)
    }

    /// The number by which the sum of one pixel is divided: sources, phi steps, mosaic domains and sub-pixels,
    /// multiplied. The layers of the sensor are not counted (the oddity named `thickness`), nor are lattices,
    /// whose intensities are added.
    pub fn steps(&self) -> f64 {
        self.steps
    }
}

impl<'s, T: Copy> View<'s, T> {
    /// The view of the terms of one source, if sources differ.
    #[inline(always)]
    pub(crate) fn of_source(&self, index: usize) -> Self {
        let scene = self.scene;
        Self {
            factors: scene.factors_of(index),
            source_amplitude: scene.sources[index].weight.sqrt(),
            ..*self
        }
    }

    /// The shape and size of the orientation with the number `place`.
    #[inline(always)]
    pub(crate) fn lattice_at(&self, place: usize) -> &LatticeShape<T> {
        self.run_at(place).map_or(&self.lattice, |run| &run.lattice)
    }

    /// The run of orientations with the orientation `place`, if domains differ in size.
    #[inline(always)]
    pub(crate) fn run_at(&self, place: usize) -> Option<&'s SizeRun<T>> {
        self.scene.size_runs.get(self.run_number(place))
    }

    /// The view of a run of orientations.
    #[inline(always)]
    pub(crate) fn of_run(&self, run: &'s SizeRun<T>) -> Self {
        self.of_orientations(&self.scene.orientations[run.places.clone()], run.lattice)
    }

    /// The view of some orientations of one size.
    #[inline(always)]
    pub(crate) fn of_orientations<'o>(
        &self,
        orientations: &'o [Orientation<T>],
        lattice: LatticeShape<T>,
    ) -> View<'o, T>
    where
        's: 'o,
    {
        View {
            orientations,
            lattice,
            ..*self
        }
    }
}

impl<T: Scalar> View<'_, T> {
    /// The structure factor at an offset in the grid.
    #[inline(always)]
    pub(crate) fn factor_at(&self, offset: usize) -> T {
        let moved = self.moved_factors.iter().find(|(at, _)| *at == offset);
        match moved {
            Some((_, factor)) => *factor,
            None => {
                let listed = self.factors.values().get(offset).copied();
                T::from_f64(listed.unwrap_or(self.factors.default_f()))
            }
        }
    }

    /// The structure factor of the reflection nearest to fractional indices.
    #[inline(always)]
    pub(crate) fn nearest_factor(&self, hkl: [f64; 3]) -> T {
        let nearest = self.factors.offset_of_nearest(hkl);
        nearest.map_or(T::from_f64(self.factors.default_f()), |offset| {
            self.factor_at(offset)
        })
    }

    pub(crate) fn place(&self, pixel: Pixel) -> PixelPlace {
        PixelPlace {
            panel: self.panel_index,
            slow: pixel.slow,
            fast: pixel.fast,
        }
    }

    /// What water adds for every source at every sub-pixel of a layer. It is added once; if every layer
    /// has a weight of its own, it is added in every layer.
    #[inline(always)]
    pub(crate) fn water_in_layer(&self, layer: u32) -> T {
        if layer == 0 || self.rules.weighs_layers() {
            self.scalars.water_per_source
        } else {
            T::from_f64(0.0)
        }
    }

    /// The solid angle of a pixel at `path_m` metres from the crystal, in steradian.
    #[inline(always)]
    pub(crate) fn solid_angle_sr(&self, path_m: T) -> T {
        match self.panel.pixel_kind() {
            PixelKind::Facet => solid_angle(
                T::from_f64(self.panel.pixel_size_m()),
                self.numbers.placement.close_distance_m,
                path_m,
            ),
            PixelKind::Point => point_solid_angle(path_m),
        }
    }

    /// The photons of a finished sum: `r_e^2 fluence sum / steps`, times the corrections of the whole pixel.
    ///
    /// The operations are in the order of the C program. A product of the constants that is computed
    /// beforehand would be faster, but would change the last bit.
    #[inline(always)]
    pub(crate) fn photons(&self, intensity: T, now: &Corrections<T>) -> T {
        let steps = T::from_f64(self.steps);
        let mut photons = self.scalars.photons_per_electron * intensity / steps;
        for (rule, factor) in now.with_rules(&self.rules) {
            if rule.scales == Scales::Pixel {
                photons *= factor;
            }
        }
        photons
    }
}
