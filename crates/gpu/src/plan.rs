//! What a GPU does for a scene: its numbers, its tables, and the kernel that reads them.
//!
//! Nothing here talks to a GPU. [`Gpu`](crate::Gpu) carries a plan out by wgpu; a browser does it with its own.

use std::ops::Range;

use nanobragg_crystal::{LatticeShape, Shape};
use nanobragg_physics::{
    DeviceFault, DiffuseModel, HaloTable, Lookup, NeedsDouble, Precision, Tables,
};

use crate::fixed;
use crate::panel::{PanelTables, direction_bytes, is_point};
use crate::tables::{Bytes, Chunk, Grids, TermTables, shape_bytes, shape_number, term_bytes};

/// The most turns of all loops of the kernel for a pixel in one dispatch. Mesa's drivers in software leave a kernel
/// after 65 535.
const MOST_TURNS: u64 = 60_000;

/// The most bytes of all terms.
const ALL_TERMS: u64 = 1 << 30;

/// The numbers of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arithmetic {
    /// Indices in fixed point, all other numbers in single precision.
    Fixed,
    /// Double precision.
    Double,
}

impl Arithmetic {
    /// The name of a GPU with it in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "gpu, fixed point",
            Self::Double => "gpu, double precision",
        }
    }

    /// The bytes of a sum.
    #[cfg(feature = "wgpu")]
    pub(crate) fn sum_bytes(self) -> u64 {
        match self {
            Self::Fixed => 4,
            Self::Double => 8,
        }
    }

    /// The most passes of a pixel by single sub-pixels. In single precision the error of each addition counts, in
    /// double precision only the time: each pass is a dispatch with tables of its own.
    fn most_passes(self) -> u64 {
        match self {
            Self::Fixed => 128,
            Self::Double => 10_000,
        }
    }

    /// The kernel in WGSL. Its entry point is `main`, its groups have 64 x 1 threads, one for each pixel, and its
    /// constants are those of [`Plan::constants`].
    pub fn kernel(self) -> String {
        let numbers = match self {
            Self::Fixed => include_str!("kernel/fixed.wgsl"),
            Self::Double => include_str!("kernel/double.wgsl"),
        };
        [numbers, include_str!("kernel/sum.wgsl")].concat()
    }
}

/// What a GPU has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether it has double precision.
    pub has_double: bool,
    /// The largest table in bytes.
    pub largest_table: u64,
}

impl Abilities {
    /// The numbers for a scene: double precision if the GPU has it, unless single precision is asked for and fixed
    /// point is good enough.
    ///
    /// # Errors
    /// If it needs double precision, and the GPU has none.
    pub fn arithmetic(&self, tables: &Tables<'_>) -> Result<Arithmetic, DeviceFault> {
        let is_wanted = tables.precision() == Precision::Double;
        match needs_double(tables) {
            None if !(is_wanted && self.has_double) => Ok(Arithmetic::Fixed),
            Some(why) if !self.has_double => Err(DeviceFault::NoDouble(why)),
            _ => Ok(Arithmetic::Double),
        }
    }

    /// Whether a GPU can sum the terms of a scene.
    ///
    /// # Errors
    /// The reason if it cannot.
    pub fn check(&self, tables: &Tables<'_>) -> Result<(), DeviceFault> {
        let arithmetic = self.arithmetic(tables)?;
        let is_counted = tables.panels().iter().all(|panel| {
            let [fast, slow] = panel.first_pixel().map(f64::from);
            let size = [panel.pixels_fast(), panel.pixels_slow()].map(f64::from);
            let last = (fast + size[0]).max(slow + size[1]);
            last * f64::from(tables.oversample()) < f64::from(i32::MAX)
        });
        if !is_counted || tables.largest_index() >= f64::from(i32::MAX) {
            return Err(DeviceFault::TooLarge);
        }
        let memory = |most: u64| DeviceFault::Memory {
            mebibytes: most >> 20,
        };
        if Grids::of(tables)?.count * 4 > self.largest_table {
            return Err(memory(self.largest_table));
        }
        let terms = all_terms(tables) + tables.sources().len() as u64;
        if terms.saturating_mul(term_bytes(arithmetic)) > ALL_TERMS {
            return Err(memory(ALL_TERMS));
        }
        TermTables::new(arithmetic, tables)?;
        self.portion(tables, arithmetic)?;
        Ok(())
    }

    /// The factor on the sums of the kernel, without the rest of a [`Plan`].
    ///
    /// # Errors
    /// If the scene does not pass [`check`](Self::check).
    pub fn scale(&self, tables: &Tables<'_>) -> Result<f64, DeviceFault> {
        let arithmetic = self.arithmetic(tables)?;
        let terms = TermTables::new(arithmetic, tables)?;
        Ok(unit(&Grids::of(tables)?, &terms))
    }

    /// What one dispatch sums.
    fn portion(&self, tables: &Tables<'_>, arithmetic: Arithmetic) -> Result<Portion, DeviceFault> {
        let layers = tables.panels().iter().map(|panel| panel.sensor().layers);
        let steps = u64::from(tables.oversample()).pow(2) * u64::from(layers.max().unwrap_or(1));
        // Each source is one more turn, and has one more row in the table for its limit.
        let turns = 2 + tables.halo().map_or(0, |halo| turns_of(&halo));
        let table = self.largest_table / term_bytes(arithmetic) / 2;
        let terms = |steps: u64| table.min((MOST_TURNS / steps.max(1)).saturating_sub(1) / turns);
        // In a running sum all terms of a sub-pixel stand before those of the next.
        let mut panels = 0..tables.panels().len();
        let runs = panels.any(|panel| tables.running_sum(panel).is_some());
        let of_all = terms(steps);
        let is_whole = of_all > 0 && !(runs && of_all < all_terms(tables));
        let terms = if is_whole { of_all } else { terms(1) };
        if terms == 0 {
            return Err(DeviceFault::TooLarge);
        }
        // A pass of all sub-pixels has many terms, and there are few.
        let passes = all_terms(tables).div_ceil(terms).saturating_mul(steps);
        match usize::try_from(terms) {
            Ok(terms) if is_whole || passes <= arithmetic.most_passes() => {
                Ok(Portion { is_whole, terms })
            }
            _ => Err(DeviceFault::TooLarge),
        }
    }
}

/// What one dispatch sums of a pixel.
#[derive(Debug, Clone, Copy)]
struct Portion {
    /// Whether it has all layers and sub-pixels, not one.
    is_whole: bool,
    /// The most terms of a chunk.
    terms: usize,
}

/// The terms of a sub-pixel.
fn all_terms(tables: &Tables<'_>) -> u64 {
    tables.sources().len() as u64 * tables.orientations().len() as u64
}

/// The turns of the loops over the reflections and operations of diffuse scattering, for a term.
fn turns_of(halo: &HaloTable) -> u64 {
    let along = 2 * u64::from(halo.neighbours) + 1;
    let operations = halo.operations.len() as u64;
    operations + along + along.pow(2) + along.pow(3) * (1 + operations)
}

/// The terms of one chunk at some layers and sub-pixels.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The number of the chunk.
    pub chunk: usize,
    /// Layers and sub-pixels, counted in the order of the sum: by layer, then along slow, then along fast.
    pub steps: Range<u32>,
}

/// The square of the largest amplitude of a scene.
fn unit(grids: &Grids, terms: &TermTables<'_>) -> f64 {
    (grids.largest * terms.largest_peak).powi(2)
}

/// What a scene needs double precision for; `None` if fixed point is good enough.
fn needs_double(tables: &Tables<'_>) -> Option<NeedsDouble> {
    let whole = |n: f64| n.fract() == 0.0 && (1.0..1e6).contains(&n);
    let is_grating =
        |own: &LatticeShape| own.shape == Shape::Square && own.cells.into_iter().all(whole);
    if !tables.shapes().all(is_grating) {
        return Some(NeedsDouble::Shape);
    }
    if tables.lookup() == Lookup::Tricubic {
        return Some(NeedsDouble::Interpolation);
    }
    let cells = tables.shapes().flat_map(|shape| shape.cells);
    if !fixed::is_good(cells.fold(0.0, f64::max), tables.largest_index()) {
        return Some(NeedsDouble::Size);
    }
    if tables.halo().is_some() {
        return Some(NeedsDouble::Diffuse);
    }
    let mut panels = 0..tables.panels().len();
    if panels
        .clone()
        .any(|panel| tables.running_sum(panel).is_some())
    {
        return Some(NeedsDouble::RunningSum);
    }
    let captures = panels.any(|panel| tables.term_weights(panel).capture.is_some());
    captures.then_some(NeedsDouble::Layers)
}

/// The tables of a scene in the bytes of the kernel.
///
/// A dispatch of the kernel makes one [`Pass`] for some rows of a panel; the passes of a panel go in their order. Its
/// bindings are: 0 the band (a uniform), 1 structure factors, 2 sources, 3 the panel, 4 terms, 5 shapes, 6 places,
/// 7 which pixels are used, 8 the sums (zero before the first pass; an `f32` for each pixel in fixed point, an `f64` in
/// double precision), 9 the first pixel in
/// which an index left the grid (`u32::MAX` before).
pub struct Plan<'t> {
    pub(crate) tables: Tables<'t>,
    arithmetic: Arithmetic,
    pub(crate) grids: Grids,
    chunks: Vec<Chunk>,
    halo: Option<HaloTable>,
    /// Whether a pass has all layers and sub-pixels, not one.
    is_whole: bool,
    /// The square of the largest amplitude, which is 1 on the device.
    unit: f64,
}

impl<'t> Plan<'t> {
    /// The plan for a scene that passes [`Abilities::check`].
    ///
    /// # Errors
    /// If it does not.
    pub fn new(tables: Tables<'t>, abilities: Abilities) -> Result<Self, DeviceFault> {
        let arithmetic = abilities.arithmetic(&tables)?;
        let grids = Grids::of(&tables)?;
        let terms = TermTables::new(arithmetic, &tables)?;
        let Portion {
            is_whole,
            terms: most,
        } = abilities.portion(&tables, arithmetic)?;
        Ok(Self {
            chunks: terms.chunks(&grids, most),
            halo: tables.halo(),
            is_whole,
            unit: unit(&grids, &terms),
            tables,
            arithmetic,
            grids,
        })
    }

    /// The numbers of the kernel.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// About how many times as long as a term without diffuse scattering a term takes.
    #[cfg(feature = "wgpu")]
    pub(crate) fn effort(&self) -> f64 {
        1.0 + self.halo.as_ref().map_or(0, turns_of) as f64 / 4.0
    }

    /// The factor on the sums of the kernel.
    pub fn scale(&self) -> f64 {
        self.unit
    }

    /// The chunks of terms, at least one.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// Binding 1.
    pub fn factor_bytes(&self) -> Vec<u8> {
        self.grids.bytes()
    }

    /// Binding 5.
    pub fn shape_bytes(&self) -> Vec<u8> {
        shape_bytes(self.arithmetic, &self.tables, self.halo.as_ref())
    }

    /// Bindings 3 and 6 of a panel.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn panel(&self, number: usize) -> PanelTables {
        PanelTables::new(self.arithmetic, &self.tables, number, self.unit)
    }

    /// Binding 6 for some rows of a panel that has no plane.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn direction_bytes(&self, panel: usize, rows: &Range<u32>) -> Vec<u8> {
        let own = &self.tables.panels()[panel];
        direction_bytes(self.arithmetic, &self.tables, own, rows.clone())
    }

    /// The passes of a panel.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn passes(&self, panel: usize) -> Vec<Pass> {
        let layers = self.tables.panels()[panel].sensor().layers;
        let all = layers * self.tables.oversample().pow(2);
        let at_once = if self.is_whole { all } else { 1 };
        let begins = (0..all).step_by(at_once.max(1) as usize);
        let passes = begins.flat_map(|first| {
            let chunks = 0..self.chunks.len();
            chunks.map(move |chunk| Pass {
                chunk,
                steps: first..first + at_once,
            })
        });
        passes.collect()
    }

    /// Binding 0 for some rows of a panel.
    ///
    /// # Panics
    /// If there is no such panel or chunk.
    pub fn band_bytes(&self, panel: usize, rows: &Range<u32>, pass: &Pass) -> Vec<u8> {
        let own = &self.tables.panels()[panel];
        let [first_fast, first_slow] = own.first_pixel();
        let mut bytes = Bytes::new(self.arithmetic);
        bytes.whole([
            own.roi().fast().start() + first_fast,
            rows.start + first_slow,
            own.roi().fast().count() as u32,
            rows.len() as u32,
            self.tables.oversample(),
            own.sensor().layers,
            self.chunks[pass.chunk].sources,
            u32::from(pass.chunk == 0 && pass.steps.start == 0),
            pass.steps.start,
            pass.steps.end,
            0,
            0,
        ]);
        bytes.signed(self.grids.ranges());
        bytes.bytes
    }

    /// Binding 7 for some rows of a panel: one bit for each pixel. Empty without a mask.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn used_bits(&self, panel: usize, rows: &Range<u32>) -> Vec<u8> {
        let own = &self.tables.panels()[panel];
        if own.mask().is_none() {
            return Vec::new();
        }
        let pixels = rows.clone().flat_map(|slow| {
            let fast = own.roi().fast();
            fast.map(move |fast| own.uses(fast, slow))
        });
        let count = rows.len() * own.roi().fast().count();
        let mut bits = vec![0_u8; count.div_ceil(32) * 4];
        for (number, _) in pixels.enumerate().filter(|(_, is_used)| *is_used) {
            bits[number / 8] |= 1 << (number % 8);
        }
        bits
    }

    /// The constants of the kernel for a panel, `own`.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn constants(
        &self,
        panel: usize,
        own: &PanelTables,
        lookup: Lookup,
    ) -> Vec<(&'static str, f64)> {
        let weights = self.tables.term_weights(panel);
        let yes = |is: bool| if is { 1.0 } else { 0.0 };
        let has_table = own.plane.is_none();
        let panel_itself = &self.tables.panels()[panel];
        let capture = match weights.capture {
            None => 0.0,
            Some(capture) if capture.each_subpixel => 2.0,
            Some(_) => 1.0,
        };
        // A running sum is multiplied by the capture fraction of each layer.
        let by_layer = self.tables.running_sum(panel).is_some()
            || weights.capture.is_some_and(|capture| capture.own_layer);
        let water = match self.tables.water(panel) {
            (0.0, _) => 0.0,
            (_, in_each_layer) => 1.0 + yes(in_each_layer),
        };
        let bit = |is: bool, bit: f64| if is { bit } else { 0.0 };
        let scales_sum = self.tables.running_sum(panel).map_or(0.0, |own| {
            bit(own.capture, 1.0) + bit(own.polarization, 2.0) + bit(own.solid_angle, 4.0)
        });
        let mut constants = vec![
            ("HAS_TABLE", yes(has_table)),
            ("HAS_LIMIT", yes(self.tables.dmin_m() > 0.0)),
            ("HAS_MASK", yes(panel_itself.mask().is_some())),
            ("WEIGHS_POLARIZATION", yes(weights.polarization)),
            ("WEIGHS_SOLID_ANGLE", yes(weights.solid_angle)),
            ("IS_POINT", yes(is_point(panel_itself))),
            ("CAPTURE", capture),
            ("CAPTURES_BY_LAYER", yes(by_layer)),
            ("WATER", water),
            ("SCALES_SUM", scales_sum),
        ];
        if self.arithmetic == Arithmetic::Double {
            let shape = self.tables.shapes().next();
            constants.extend([
                ("SHAPE", shape.map_or(0.0, |own| shape_number(own.shape))),
                ("IS_CUBIC", yes(lookup == Lookup::Tricubic)),
                ("LOOKS_UP_DARK", yes(self.tables.looks_up_dark_terms())),
            ]);
            if let Some(halo) = &self.halo {
                let model = match halo.model {
                    DiffuseModel::LiquidLike => 1.0,
                    DiffuseModel::Acoustic => 2.0,
                };
                constants.extend([
                    ("HALO", model),
                    ("NEIGHBOURS", f64::from(halo.neighbours)),
                    ("OPERATIONS", halo.operations.len() as f64),
                    ("IS_DAMPED", yes(halo.is_damped)),
                ]);
            }
        }
        constants
    }
}
