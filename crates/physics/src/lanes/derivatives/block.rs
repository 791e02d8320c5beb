//! A block of neighbouring pixels with the columns of its derivatives.

use super::super::block::{BLOCK, Block, Column};
use super::super::correct::correct_capture;
use super::super::lane::Arithmetic;
use super::super::observer::{Adds, BlockObserver, Subpixels, Unseen};
use super::super::sum::place_subpixels;
use crate::gradient::tables::Tables;
use crate::sampling::Scales;
use crate::scene::{Orientation, View};

/// The derivatives of the sum to which every term contributes.
#[derive(Clone)]
pub(super) struct Sums {
    /// Of the sum by a, b, c at phi = 0, in the frame of the cell.
    pub(super) by_cell: [[Column; 3]; 3],
    /// By each tangent, without the part that comes through the cell.
    pub(super) by_tangent: Vec<Column>,
}

/// The derivatives of rays and their corrections by one tangent that moves rays.
#[derive(Clone)]
pub(super) struct RayColumns {
    /// Of the unit vectors towards the sub-pixels.
    pub(super) diffracted: [Column; 3],
    pub(super) path_m: Column,
    /// Of the current capture fractions.
    pub(super) capture: Column,
    /// Of the current polarization factors.
    pub(super) polarization: Column,
    /// Of the current solid angles.
    pub(super) solid_angle_sr: Column,
}

const ZERO: Column = [0.0; BLOCK];

/// The derivatives of a block while its pixels are summed, aligned like the block.
#[repr(align(64))]
pub(super) struct Derivatives<'t> {
    pub(super) tables: &'t Tables,
    /// The weight of each pixel in the sums over the row; 0 if there are no weights.
    pub(super) weights: Column,
    /// Whether derivatives by structure factors are requested.
    pub(super) wants_factors: bool,
    /// The derivatives of rays by each tangent that moves rays.
    pub(super) rays: Vec<RayColumns>,
    /// dI by the structure factor of a term, `2 F Fl^2`.
    pub(super) by_factor: Column,
    /// dI/dh, dI/dk, dI/dl of a term.
    pub(super) by_index: [Column; 3],
    /// dI by the numbers of cells, of a term.
    pub(super) by_size: [Column; 3],
    /// dI by the scattering vector, summed over the terms of one source.
    pub(super) by_scattering: [Column; 3],
    pub(super) sums: Sums,
    /// True as long as nothing was added to the sums.
    pub(super) is_dark: bool,
    /// Whether the current source has added terms.
    pub(super) is_lit: bool,
    /// The sums before a source whose terms share a weight.
    pub(super) earlier: Sums,
    /// The weight that the terms of the source share; 1 if there is none.
    pub(super) term_weight: Column,
    /// Capture fractions that multiply the finished sum, if a pixel has only one.
    pub(super) final_capture: Column,
    /// The derivatives of finished pixels by each tangent.
    pub(super) slopes: Vec<Column>,
    /// dL by the structure factors at `pending_place`, not yet multiplied by `factor_scale`.
    pub(super) pending: Column,
    pub(super) pending_place: [u32; BLOCK],
    /// The factor from `pending` to dL, for each pixel.
    pub(super) factor_scale: Column,
    /// Whether a correction was 0. It is computed again later, so its final value was not known.
    pub(super) met_zero: bool,
    /// dL by structure factors, in the order in which they were computed.
    pub(super) factor_rates: Vec<(u32, f64)>,
}

impl Sums {
    fn new(tangents: usize) -> Self {
        Self {
            by_cell: [[ZERO; 3]; 3],
            by_tangent: vec![ZERO; tangents],
        }
    }

    pub(super) fn clear(&mut self) {
        self.by_cell = [[ZERO; 3]; 3];
        self.by_tangent.fill(ZERO);
    }
}

impl<'t> Derivatives<'t> {
    pub(super) fn new(tables: &'t Tables) -> Self {
        let still = RayColumns {
            diffracted: [ZERO; 3],
            path_m: ZERO,
            capture: ZERO,
            polarization: ZERO,
            solid_angle_sr: ZERO,
        };
        Self {
            tables,
            weights: ZERO,
            wants_factors: false,
            rays: vec![still; tables.rays.len()],
            by_factor: ZERO,
            by_index: [ZERO; 3],
            by_size: [ZERO; 3],
            by_scattering: [ZERO; 3],
            sums: Sums::new(tables.count),
            is_dark: true,
            is_lit: false,
            earlier: Sums::new(tables.count),
            term_weight: [1.0; BLOCK],
            final_capture: ZERO,
            slopes: vec![ZERO; tables.count],
            pending: ZERO,
            pending_place: [0; BLOCK],
            factor_scale: ZERO,
            met_zero: false,
            factor_rates: Vec::new(),
        }
    }

    /// Copies the weights of the active pixels from those of the row.
    #[inline(always)]
    pub(super) fn take_weights(&mut self, block: &Block, weights: Option<&[f64]>, start: usize) {
        self.weights = ZERO;
        self.wants_factors = weights.is_some();
        let own = weights.and_then(|weights| weights.get(start..));
        for (i, weight) in own.unwrap_or_default().iter().enumerate().take(BLOCK) {
            if block.active[i] != 0.0 {
                self.weights[i] = *weight;
            }
        }
    }

    #[inline(always)]
    fn clear(&mut self, view: &View<'_>) {
        self.sums.clear();
        self.is_dark = view.scalars.background == 0.0;
        for (sum, scalars) in self.sums.by_tangent.iter_mut().zip(&self.tables.scalars) {
            *sum = [scalars.background; BLOCK];
            self.is_dark &= scalars.background == 0.0;
        }
        for ray in &mut self.rays {
            ray.polarization = ZERO;
            ray.solid_angle_sr = ZERO;
        }
        self.factor_rates.clear();
        self.pending = ZERO;
        self.met_zero = false;
    }
}

impl BlockObserver for Derivatives<'_> {
    const ADDS: Adds = Adds::Observer;

    #[inline(always)]
    fn begin<A: Arithmetic>(&mut self, view: &View<'_>, last: &Subpixels, block: &mut Block) {
        self.clear(view);
        let sensor = view.panel.sensor();
        if self.wants_factors && sensor.thickness_m != 0.0 {
            // A capture fraction that serves the whole pixel is that of the last layer, at its first sub-pixel.
            block.capture = ZERO;
            place_subpixels::<A, Self>(view, last, block);
            correct_capture(view, last.layer, block, &mut Unseen);
            self.final_capture = block.capture;
        } else {
            let capture = if sensor.thickness_m == 0.0 { 1.0 } else { 0.0 };
            self.final_capture = [capture; BLOCK];
        }
    }

    #[inline(always)]
    fn layer(&mut self) {
        for ray in &mut self.rays {
            ray.capture = ZERO;
        }
    }

    #[inline(always)]
    fn placed(&mut self, view: &View<'_>, at: &Subpixels, block: &Block) {
        self.move_subpixels(view, at, block);
    }

    #[inline(always)]
    fn solid_angle(&mut self, view: &View<'_>, now: &Column, block: &Block) {
        self.move_solid_angle(view, now, block);
    }

    #[inline(always)]
    fn capture(&mut self, view: &View<'_>, layer: u32, block: &Block) {
        self.move_capture(view, layer, block);
    }

    #[inline(always)]
    fn polarization(&mut self, view: &View<'_>, source: usize, for_all: bool, block: &Block) {
        self.move_polarization(view, source, for_all, block);
    }

    #[inline(always)]
    fn source(&mut self, view: &View<'_>, water: f64, block: &Block) {
        self.open_source(view, water, block);
    }

    #[inline(always)]
    fn term<A: Arithmetic>(
        &mut self,
        view: &View<'_>,
        (place, orientation): (usize, &Orientation),
        block: &mut Block,
    ) {
        self.add_term::<A>(view, place, orientation, block);
    }

    #[inline(always)]
    fn closed(&mut self, view: &View<'_>, source: usize, block: &mut Block) {
        if self.is_lit && !self.tables.rays.is_empty() {
            self.add_rays(view, source, block);
        }
        if view.rules.any(Scales::Terms) {
            self.flush();
            self.close_source(view, block);
        }
    }
}
