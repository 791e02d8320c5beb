//! The sum over small areas: blocks of sub-pixels of a square, and only the terms that are asked for.

use nanobragg_geometry::subpixel_offset;

use super::block::{BLOCK, Block, Column};
use super::correct::{correct_capture, correct_polarization, correct_solid_angle};
use super::interference::Interference;
use super::lane::Arithmetic;
use super::level::{Kernel, Level, Precision, Task, run_at, run_kernel};
use super::observer::{BlockObserver, Unseen};
use super::parts::Parts;
use super::sum::{Wanted, place, scatter, sum_orientations, sum_source, write_photons};
use crate::backend::RowPart;
use crate::sampling::{Lookup, Scales};
use crate::scene::{Orientation, View};

/// The sub-pixels along the edge of a leaf.
pub(crate) const LEAF: u32 = 8;

/// The sub-pixels of a leaf.
pub(crate) const LANES: usize = BLOCK;

/// A square of 8 x 8 sub-pixels of one layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    /// The first sub-pixel along fast and slow, from the corner of the plane.
    pub(crate) first: [u32; 2],
    pub(crate) layer: u32,
}

/// The memory that leaves of one thread are summed in.
pub(crate) struct LeafMemory {
    block: Box<Block>,
    orientations: Vec<Orientation>,
    /// The sums by reflection, if they are wanted.
    parts: Option<Box<Parts<'static>>>,
}

impl std::fmt::Debug for LeafMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeafMemory")
    }
}

impl LeafMemory {
    pub(crate) fn new() -> Self {
        Self {
            block: Box::new(Block::new()),
            orientations: Vec::new(),
            parts: None,
        }
    }

    /// From now on [`sum_leaf`] also finds the sums by reflection.
    pub(crate) fn want_parts(&mut self, view: &View<'_>) {
        self.parts = Some(Box::new(Parts::new(view, None)));
    }

    /// The sums of a sub-pixel by reflection, each with its name. A name may come twice.
    pub(crate) fn parts(&self, subpixel: usize) -> impl Iterator<Item = (f64, f64)> {
        let parts = self.parts.iter();
        parts.flat_map(move |parts| parts.of_lane(&self.block, subpixel))
    }
}

/// The sums of the sub-pixels of a leaf over some terms: of each source the orientations at these places, which
/// ascend. The sub-pixel `x`, `y` of the leaf is at `8 y + x`.
///
/// Corrections of single terms are in the sums, those of the whole pixel are not.
pub(crate) fn sum_leaf<'m, 't>(
    kernel: (Level, Precision),
    view: &View<'_>,
    leaf: &Leaf,
    terms: impl Iterator<Item = (usize, &'t [u32])> + Clone,
    memory: &'m mut LeafMemory,
) -> &'m Column {
    let LeafMemory {
        block,
        orientations,
        parts,
    } = memory;
    match parts {
        Some(parts) => {
            let parts = &mut **parts;
            run_kernel(
                kernel,
                SumLeaf(view, leaf, terms, block, orientations, parts),
            )
        }
        None => {
            let unseen = &mut Unseen;
            run_kernel(
                kernel,
                SumLeaf(view, leaf, terms, block, orientations, unseen),
            )
        }
    }
    &block.intensity
}

struct SumLeaf<'r, I, O>(
    &'r View<'r>,
    &'r Leaf,
    I,
    &'r mut Block,
    &'r mut Vec<Orientation>,
    &'r mut O,
);

impl<'t, I, O> Kernel for SumLeaf<'_, I, O>
where
    I: Iterator<Item = (usize, &'t [u32])> + Clone,
    O: BlockObserver,
{
    type Output = ();

    #[inline(always)]
    fn run<P: Interference, A: Arithmetic>(self) {
        let Self(view, leaf, terms, block, orientations, observer) = self;
        let oversample = view.setup.oversample;
        let subpixel_m = view.panel.pixel_size_m() / f64::from(oversample);
        let at = |i: usize| -> [u32; 2] {
            let [fast, slow] = leaf.first;
            [fast + i as u32 % LEAF, slow + i as u32 / LEAF]
        };
        let mut coordinates = [[0.0; 2]; BLOCK];
        let rules = &view.rules;
        block.active = [1.0; BLOCK];
        block.polarization = [1.0; BLOCK];
        block.capture = [1.0; BLOCK];
        block.solid_angle_sr = [1.0; BLOCK];
        // Capture fractions that are not computed at each sub-pixel are those of the first one of the pixel.
        if rules.capture.scales == Scales::Terms && !rules.capture.refreshes {
            for (i, coordinates) in coordinates.iter_mut().enumerate() {
                *coordinates =
                    at(i).map(|n| subpixel_offset(n / oversample, 0, oversample, subpixel_m));
            }
            place::<A, Unseen>(view, leaf.layer, |i| coordinates[i], block);
            block.capture = [0.0; BLOCK];
            correct_capture(view, leaf.layer, block, &mut Unseen);
        }
        for (i, coordinates) in coordinates.iter_mut().enumerate() {
            *coordinates = at(i).map(|n| subpixel_offset(n, 0, 1, subpixel_m));
        }
        place::<A, Unseen>(view, leaf.layer, |i| coordinates[i], block);
        if rules.solid_angle.refreshes {
            correct_solid_angle(view, block, &mut Unseen);
        }
        if rules.capture.refreshes {
            correct_capture(view, leaf.layer, block, &mut Unseen);
        }
        let mut first = None;
        loop {
            block.intensity = [0.0; BLOCK];
            observer.opened(view, block);
            for (source, places) in terms.clone() {
                let mut wanted = Places(places, orientations);
                sum_source::<P, A, O>(view, &mut wanted, source, 0.0, block, observer);
            }
            if !observer.repeats() {
                break;
            }
            first.get_or_insert(block.intensity);
        }
        // The first sums are those without an observer, to the bit.
        if let Some(first) = first {
            block.intensity = first;
        }
    }
}

/// The orientations at some places, which ascend, with memory for their copies.
struct Places<'p>(&'p [u32], &'p mut Vec<Orientation>);

impl Wanted for Places<'_> {
    #[inline(always)]
    fn add<P: Interference, A: Arithmetic, O: BlockObserver>(
        &mut self,
        view: &View<'_>,
        block: &mut Block,
        observer: &mut O,
    ) {
        let Self(places, orientations) = self;
        let mut places = *places;
        let all = view.orientations;
        // Run by run of the same size.
        while let Some(&first) = places.first() {
            let run = view.run_at(first as usize);
            let end = run.map_or(u32::MAX, |run| run.places.end as u32);
            let (own, others) = places.split_at(places.partition_point(|&place| place < end));
            places = others;
            orientations.clear();
            orientations.extend(own.iter().filter_map(|&place| all.get(place as usize)));
            let lattice = run.map_or(view.lattice, |run| run.lattice);
            let view = view.of_orientations(orientations, lattice);
            sum_orientations::<P, A, O>(&view, Lookup::Nearest, block, observer);
        }
    }
}

/// The photons of some pixels of a row, at most [`LANES`], from the sums of their terms, to which the
/// background is added if no correction multiplies the running sum. `row` has one element for each pixel; masked pixels are not changed.
pub(crate) fn finish_row(
    (level, _): (Level, Precision),
    view: &View<'_>,
    part: &RowPart<'_>,
    sums: &[f64],
    row: &mut [f32],
    memory: &mut LeafMemory,
) {
    run_at(level, FinishRow(view, part, sums, row, &mut memory.block));
}

struct FinishRow<'r>(
    &'r View<'r>,
    &'r RowPart<'r>,
    &'r [f64],
    &'r mut [f32],
    &'r mut Block,
);

impl Task for FinishRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self(view, part, sums, row, block) = self;
        let first = part.fast.start;
        if !block.mark_active(part, first, sums.len()) {
            return;
        }
        let setup = &view.setup;
        let (oversample, rules) = (setup.oversample, &view.rules);
        let [first_fast, first_slow] = view.panel.first_pixel();
        let subpixel_m = view.panel.pixel_size_m() / f64::from(oversample);
        let mut fast_m = [0.0; BLOCK];
        for (i, fast_m) in fast_m.iter_mut().enumerate() {
            *fast_m = subpixel_offset(first + first_fast + i as u32, 0, oversample, subpixel_m);
        }
        let slow_m = subpixel_offset(part.slow + first_slow, 0, oversample, subpixel_m);
        // A running sum has begun with the background.
        let background = match rules.any(Scales::RunningSum) {
            true => 0.0,
            false => view.scalars.background,
        };
        block.intensity = [background; BLOCK];
        for (sum, own) in block.intensity.iter_mut().zip(sums) {
            *sum += own;
        }
        // The factors of the whole pixel are those of its first sub-pixel: the solid angle in the first layer, the
        // capture fraction in the last one. Polarization is that of the first sub-pixel and source that dmin does
        // not cut.
        place::<A, Unseen>(view, 0, |i| [fast_m[i], slow_m], block);
        if rules.solid_angle.scales == Scales::Pixel {
            block.solid_angle_sr = [0.0; BLOCK];
            correct_solid_angle(view, block, &mut Unseen);
        }
        if rules.polarization.scales == Scales::Pixel {
            let unpolarized = if setup.is_unpolarized { 1.0 } else { 0.0 };
            block.polarization = [unpolarized; BLOCK];
            let layers = 0..view.panel.sensor().layers;
            let subpixels = layers.flat_map(|layer| {
                (0..oversample).flat_map(move |y| (0..oversample).map(move |x| (layer, y, x)))
            });
            for (layer, y, x) in subpixels {
                if !is_unknown(block) {
                    break;
                }
                let offset = |pixel, sub| subpixel_offset(pixel, sub, oversample, subpixel_m);
                for (i, fast_m) in fast_m.iter_mut().enumerate() {
                    *fast_m = offset(first + first_fast + i as u32, x);
                }
                let slow_m = offset(part.slow + first_slow, y);
                place::<A, Unseen>(view, layer, |i| [fast_m[i], slow_m], block);
                // Water has a factor even where dmin cuts the terms of the crystal.
                let has_water = view.water_in_layer(layer) != 0.0;
                for (index, source) in view.sources.iter().enumerate() {
                    let lives = is_unknown(block) && scatter::<A>(view, source, block);
                    if lives || (has_water && is_unknown(block)) {
                        correct_polarization::<A, Unseen>(
                            view,
                            index,
                            has_water,
                            block,
                            &mut Unseen,
                        );
                    }
                }
            }
            for (i, fast_m) in fast_m.iter_mut().enumerate() {
                *fast_m = subpixel_offset(first + first_fast + i as u32, 0, oversample, subpixel_m);
            }
        }
        if rules.capture.scales == Scales::Pixel {
            let sensor = view.panel.sensor();
            let last = sensor.layers.saturating_sub(1);
            block.capture = [if sensor.thickness_m == 0.0 { 1.0 } else { 0.0 }; BLOCK];
            place::<A, Unseen>(view, last, |i| [fast_m[i], slow_m], block);
            correct_capture(view, last, block, &mut Unseen);
        }
        write_photons(view, block, row);
    }
}

/// Whether a pixel with photons has no polarization factor yet.
#[inline(always)]
fn is_unknown(block: &Block) -> bool {
    let mut is_unknown = false;
    for i in 0..BLOCK {
        is_unknown |= (block.polarization[i] == 0.0) & (block.intensity[i] != 0.0);
    }
    is_unknown
}
