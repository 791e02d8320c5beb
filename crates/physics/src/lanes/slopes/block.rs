//! A block of neighbouring pixels with everything its derivatives are summed in.

use nanobragg_geometry::subpixel_offset;

use super::super::block::{BLOCK, Block, Column};
use super::super::lane::Arithmetic;
use crate::backend::RowPart;
use crate::gradient::tables::Tables;
use crate::scene::View;

/// The sums that every term adds to, with the derivatives that are not yet those of a tangent.
#[derive(Clone)]
pub(super) struct Sums {
    /// The sum itself.
    pub(super) intensity: Column,
    /// Its derivative by a, b, c at phi = 0, in the frame of the cell.
    pub(super) by_cell: [[Column; 3]; 3],
    /// Its derivative by each tangent, as far as it does not come through the cell.
    pub(super) by_tangent: Vec<Column>,
}

/// How rays and their corrections follow a tangent that moves them.
#[derive(Clone)]
pub(super) struct RayColumns {
    /// Of the unit vectors towards the sub-pixels.
    pub(super) diffracted: [Column; 3],
    /// Of the distances.
    pub(super) path_m: Column,
    /// Of the capture fractions in force.
    pub(super) capture: Column,
    /// Of the polarization factors in force.
    pub(super) polarization: Column,
    /// Of the solid angles in force.
    pub(super) solid_angle_sr: Column,
}

const ZERO: Column = [0.0; BLOCK];

/// What a block keeps while its pixels are summed.
pub(super) struct SlopeBlock {
    /// What the fast kernel keeps.
    pub(super) base: Block,
    /// Its weight in the sums over the row; 0 where there are none.
    pub(super) weights: Column,
    /// Whether derivatives by structure factors are wanted.
    pub(super) wants_factors: bool,
    /// One over the distances of the sub-pixels; 0 for one on the crystal.
    pub(super) per_path_m: Column,
    /// The rates of all these along the tangents that move rays.
    pub(super) rays: Vec<RayColumns>,
    /// dI by the structure factor of a term, `2 F Fl^2`.
    pub(super) by_factor: Column,
    /// dI/dh, dI/dk, dI/dl of a term.
    pub(super) by_index: [Column; 3],
    /// dI by the numbers of cells.
    pub(super) by_size: [Column; 3],
    /// dI by the scattering vector, of one source.
    pub(super) by_scattering: [Column; 3],
    pub(super) sums: Sums,
    /// Whether nothing was added to the sums, which are then 0.
    pub(super) is_dark: bool,
    /// The sums before a source whose terms share a weight.
    pub(super) earlier: Sums,
    /// That weight; 1 without.
    pub(super) term_weight: Column,
    /// Capture fractions that scale the finished sum, where one serves the whole pixel.
    pub(super) final_capture: Column,
    /// The derivatives of finished pixels by each tangent.
    pub(super) slopes: Vec<Column>,
    /// dL by the structure factors at `pending_place`, before the pixel's own factors.
    pub(super) pending: Column,
    pub(super) pending_place: [u32; BLOCK],
    /// What turns a pending number into dL, for each pixel.
    pub(super) factor_scale: Column,
    /// Whether a correction of 0 was met, which may be taken anew.
    pub(super) met_zero: bool,
    /// dL by structure factors, in the order in which they came.
    pub(super) factor_rates: Vec<(u32, f64)>,
}

impl Sums {
    fn new(tangents: usize) -> Self {
        Self {
            intensity: ZERO,
            by_cell: [[ZERO; 3]; 3],
            by_tangent: vec![ZERO; tangents],
        }
    }

    pub(super) fn clear(&mut self) {
        self.intensity = ZERO;
        self.by_cell = [[ZERO; 3]; 3];
        self.by_tangent.fill(ZERO);
    }
}

impl SlopeBlock {
    pub(super) fn new(tables: &Tables) -> Self {
        let still = RayColumns {
            diffracted: [ZERO; 3],
            path_m: ZERO,
            capture: ZERO,
            polarization: ZERO,
            solid_angle_sr: ZERO,
        };
        Self {
            base: Block::new(),
            weights: ZERO,
            wants_factors: false,
            per_path_m: ZERO,
            rays: vec![still; tables.rays.len()],
            by_factor: ZERO,
            by_index: [ZERO; 3],
            by_size: [ZERO; 3],
            by_scattering: [ZERO; 3],
            sums: Sums::new(tables.count),
            is_dark: true,
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

    /// Takes the weights of the pixels from those of the row.
    #[inline(always)]
    pub(super) fn take_weights(&mut self, weights: Option<&[f64]>, start: usize, pixels: usize) {
        self.weights = ZERO;
        self.wants_factors = weights.is_some();
        let own = weights.and_then(|weights| weights.get(start..start + pixels));
        for (i, weight) in own.unwrap_or_default().iter().enumerate() {
            if self.base.active[i] != 0.0 {
                self.weights[i] = *weight;
            }
        }
    }

    /// Sums every pixel of the block.
    #[inline(always)]
    pub(super) fn sum<A: Arithmetic>(
        &mut self,
        view: &View<'_>,
        tables: &Tables,
        part: &RowPart<'_>,
        first: u32,
    ) {
        let setup = &view.setup;
        let sensor = view.panel.sensor();
        let [first_fast, first_slow] = view.panel.first_pixel();
        let oversample = setup.oversample;
        let subpixel_m = view.panel.pixel_size_m() / f64::from(oversample);
        let row =
            |sub_slow| subpixel_offset(part.slow + first_slow, sub_slow, oversample, subpixel_m);
        let column = |sub_fast| {
            let mut fast_m = ZERO;
            for (i, fast_m) in fast_m.iter_mut().enumerate() {
                let pixel = first + first_fast + i as u32;
                *fast_m = subpixel_offset(pixel, sub_fast, oversample, subpixel_m);
            }
            fast_m
        };
        let polarization = if setup.is_unpolarized { 1.0 } else { 0.0 };
        let capture = if sensor.thickness_m == 0.0 { 1.0 } else { 0.0 };
        self.start(view, tables, polarization);
        if self.wants_factors && sensor.thickness_m != 0.0 {
            // The layer whose capture fraction is in force at the end, at its first sub-pixel.
            let layer = sensor.layers - 1;
            self.base.capture = ZERO;
            self.place_subpixels::<A>(view, tables, &column(0), row(0), layer);
            self.correct_capture(view, tables, layer);
            self.final_capture = self.base.capture;
        } else {
            self.final_capture = [capture; BLOCK];
        }
        for layer in 0..sensor.layers {
            self.base.capture = [capture; BLOCK];
            for ray in &mut self.rays {
                ray.capture = ZERO;
            }
            for sub_slow in 0..oversample {
                for sub_fast in 0..oversample {
                    self.place_subpixels::<A>(
                        view,
                        tables,
                        &column(sub_fast),
                        row(sub_slow),
                        layer,
                    );
                    self.correct_solid_angle(view, tables);
                    self.correct_capture(view, tables, layer);
                    for source in 0..view.sources.len() {
                        if part.is_cancelled() {
                            return;
                        }
                        self.sum_source::<A>(view, tables, source, layer);
                    }
                }
            }
        }
        self.flush();
    }

    /// Empties the sums.
    #[inline(always)]
    fn start(&mut self, view: &View<'_>, tables: &Tables, polarization: f64) {
        self.sums.clear();
        self.sums.intensity = [view.scalars.background; BLOCK];
        self.is_dark = view.scalars.background == 0.0;
        for (sum, scalars) in self.sums.by_tangent.iter_mut().zip(&tables.scalars) {
            *sum = [scalars.background; BLOCK];
            self.is_dark &= scalars.background == 0.0;
        }
        self.base.polarization = [polarization; BLOCK];
        self.base.solid_angle_sr = ZERO;
        for ray in &mut self.rays {
            ray.polarization = ZERO;
            ray.solid_angle_sr = ZERO;
        }
        self.factor_rates.clear();
        self.pending = ZERO;
        self.met_zero = false;
    }
}
