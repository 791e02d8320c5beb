//! The sum over blocks of pixels, for every [`BlockObserver`].
//!
//! Every stage is a plain loop over the lanes of a block, without a branch or a call that would prevent
//! vectorisation. `level` compiles the stages once for each set of vector instructions.

use nanobragg_crystal::Shape;
use nanobragg_geometry::{Surface, flat_position, subpixel_offset, vector};

use super::block::{BLOCK, Block, any, dot};
use super::correct::{correct_capture, correct_polarization, correct_solid_angle, weigh_terms};
use super::diffuse::add_diffuse;
use super::extent::Extent;
use super::interference::{Interference, fill_lattice};
use super::lane::Arithmetic;
use super::lookup::{
    OUTSIDE, find_nearest, find_neighbours, gather_nearest, gather_nearest_outside, gather_tricubic,
};
use super::observer::{Adds, BlockObserver, Subpixels};
use super::peaked::{Ball, Gaussian, Peaked, add_peaked_terms, radii};
use super::square::{add_square_orientations, add_square_terms_of_c};
use crate::backend::{PartOutcome, RowPart, stored};
use crate::fixes::Oddity;
use crate::sampling::{Lookup, Scales};
use crate::scene::{Orientation, SourceRow, View};

/// Renders the pixels of `part` into `row`, which has one element for each pixel of the part.
#[inline(always)]
pub(super) fn render_part<P: Interference, A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    part: &RowPart<'_>,
    row: &mut [f32],
    observer: &mut O,
) -> PartOutcome {
    let mut block = Block::new();
    let mut outcome = PartOutcome {
        solid_angle_sum_sr: 0.0,
        left_grid_at: None,
    };
    let (mut first, mut end) = (part.fast.start, part.fast.end);
    'blocks: while first < end && !part.is_cancelled() {
        let pixels = BLOCK.min((end - first) as usize);
        if block.mark_active(part, first, pixels) {
            let start = (first - part.fast.start) as usize;
            let out = row.get_mut(start..start + pixels).unwrap_or_default();
            let mut is_written = false;
            loop {
                let solid_angle_sr = sum_block::<P, A, O>(view, part, first, &mut block, observer);
                if !is_written {
                    if let Some(lane) = left_lane(&block) {
                        // Sum this block again, without this pixel and those after it: their lookup is another one.
                        end = first + lane as u32;
                        outcome.left_grid_at = Some(end);
                        continue 'blocks;
                    }
                    outcome.solid_angle_sum_sr += solid_angle_sr;
                    write_photons(view, &block, out);
                    is_written = true;
                }
                if !observer.repeats() {
                    break;
                }
            }
            observer.finished(view, first, &block, out);
        }
        first += BLOCK as u32;
    }
    outcome
}

/// The first lane in which an index has left the grid.
#[inline(always)]
fn left_lane(block: &Block) -> Option<usize> {
    let has_left = |left: f64| left != 0.0;
    if !any(&block.left_grid, has_left) {
        return None;
    }
    block.left_grid.iter().position(|&left| has_left(left))
}

/// Sums every pixel of the block. Returns the sum of the solid angles over pixels, layers and sub-pixels.
#[inline(always)]
pub(super) fn sum_block<P: Interference, A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    part: &RowPart<'_>,
    first: u32,
    block: &mut Block,
    observer: &mut O,
) -> f64 {
    let setup = &view.setup;
    let sensor = view.panel.sensor();
    let [first_fast, first_slow] = view.panel.first_pixel();
    let oversample = setup.oversample;
    let subpixel_m = view.panel.pixel_size_m() / f64::from(oversample);
    let subpixels = |layer: u32, sub_slow: u32, sub_fast: u32| Subpixels {
        fast_m: std::array::from_fn(|i| {
            let pixel = first + first_fast + i as u32;
            subpixel_offset(pixel, sub_fast, oversample, subpixel_m)
        }),
        slow_m: subpixel_offset(part.slow + first_slow, sub_slow, oversample, subpixel_m),
        layer,
    };
    let unpolarized = if setup.is_unpolarized { 1.0 } else { 0.0 };
    observer.begin::<A>(
        view,
        &subpixels(sensor.layers.saturating_sub(1), 0, 0),
        block,
    );
    observer.opened(view, block);
    block.intensity = [view.scalars.background; BLOCK];
    block.polarization = [unpolarized; BLOCK];
    block.solid_angle_sr = [0.0; BLOCK];
    block.left_grid = [0.0; BLOCK];

    let mut solid_angle_sum_sr = 0.0;
    for layer in 0..sensor.layers {
        block.capture = [if sensor.thickness_m == 0.0 { 1.0 } else { 0.0 }; BLOCK];
        observer.layer();
        for sub_slow in 0..oversample {
            for sub_fast in 0..oversample {
                let at = subpixels(layer, sub_slow, sub_fast);
                place_subpixels::<A, O>(view, &at, block);
                observer.placed(view, &at, block);
                correct_solid_angle(view, block, observer);
                solid_angle_sum_sr += dot(&block.solid_angle_sr, &block.active);
                correct_capture(view, layer, block, observer);
                let water = view.water_in_layer(layer);
                for source in 0..view.sources.len() {
                    if part.is_cancelled() {
                        return solid_angle_sum_sr;
                    }
                    sum_source::<P, A, O>(
                        view,
                        &mut All(part.lookup),
                        source,
                        water,
                        block,
                        observer,
                    );
                }
            }
        }
    }
    solid_angle_sum_sr
}

/// Fills `path_m` and `diffracted` for the sub-pixels.
#[inline(always)]
pub(super) fn place_subpixels<A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    at: &Subpixels,
    block: &mut Block,
) {
    place::<A, O>(view, at.layer, |i| [at.fast_m[i], at.slow_m], block);
}

/// Fills `path_m` and `diffracted` for the points at `coordinates` of a lane: along fast and slow, in metres.
#[inline(always)]
pub(super) fn place<A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    layer: u32,
    coordinates: impl Fn(usize) -> [f64; 2],
    block: &mut Block,
) {
    let panel = view.panel;
    let depth_m = f64::from(layer) * panel.sensor().layer_step_m;
    let (fast, slow) = (panel.fast(), panel.slow());
    let (normal, pix0) = (panel.normal(), panel.plane().pix0_m);
    let mut position_m = [[0.0; BLOCK]; 3];
    match panel.surface() {
        Surface::Flat => {
            for i in 0..BLOCK {
                let [fast_m, slow_m] = coordinates(i);
                let [x, y, z] = flat_position(fast_m, slow_m, depth_m, fast, slow, normal, pix0);
                position_m[0][i] = x;
                position_m[1][i] = y;
                position_m[2][i] = z;
            }
        }
        // Two rotations with the sine of the system: only this stage is not vectorised.
        Surface::Curved => {
            for i in 0..BLOCK {
                let [fast_m, slow_m] = coordinates(i);
                let [x, y, z] = panel.position_m(fast_m, slow_m, depth_m);
                position_m[0][i] = x;
                position_m[1][i] = y;
                position_m[2][i] = z;
            }
        }
    }
    let [x, y, z] = &position_m;
    for i in 0..BLOCK {
        let path_m = (x[i] * x[i] + y[i] * y[i] + z[i] * z[i]).sqrt();
        // A pixel on the crystal has no direction: `diffracted` is a zero vector.
        let length = if path_m == 0.0 { 1.0 } else { path_m };
        block.path_m[i] = path_m;
        // With `Fused` the compiler shares this division with `A::over`, which needs the same reciprocal.
        if matches!(O::ADDS, Adds::Observer) {
            block.per_path_m[i] = if path_m == 0.0 { 0.0 } else { 1.0 / length };
        }
        let diffracted = [x[i], y[i], z[i]].map(A::over(length));
        block.diffracted[0][i] = diffracted[0];
        block.diffracted[1][i] = diffracted[1];
        block.diffracted[2][i] = diffracted[2];
    }
}

/// The orientations whose terms are summed.
///
/// A trait and not a closure: only methods can be asked to be inlined, and only what is inlined is compiled for the
/// instructions of a level.
pub(super) trait Wanted {
    /// Adds their terms, for the scattering vectors of one source.
    fn add<P: Interference, A: Arithmetic, O: BlockObserver>(
        &mut self,
        view: &View<'_>,
        block: &mut Block,
        observer: &mut O,
    );
}

/// Every phi step and domain.
struct All(Lookup);

impl Wanted for All {
    #[inline(always)]
    fn add<P: Interference, A: Arithmetic, O: BlockObserver>(
        &mut self,
        view: &View<'_>,
        block: &mut Block,
        observer: &mut O,
    ) {
        if view.size_runs.is_empty() {
            sum_orientations::<P, A, O>(view, self.0, block, observer);
        } else {
            for run in view.size_runs.iter() {
                sum_orientations::<P, A, O>(&view.of_run(run), self.0, block, observer);
            }
        }
    }
}

/// Adds the terms of one source at one sub-pixel, for every pixel.
#[inline(always)]
pub(super) fn sum_source<P: Interference, A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    wanted: &mut impl Wanted,
    index: usize,
    water: f64,
    block: &mut Block,
    observer: &mut O,
) {
    let source = &view.sources[index];
    let of_source;
    let view = if view.sources_differ {
        of_source = view.of_source(index);
        &of_source
    } else {
        view
    };
    let water = water * source.weight;
    let lives = scatter::<A>(view, source, block);
    if !lives && water == 0.0 {
        return;
    }
    correct_polarization::<A, O>(view, index, water != 0.0, block, observer);
    observer.source(view, water, block);
    let by_terms = view.rules.any(Scales::Terms);
    // Terms with a common weight are summed apart from the earlier ones; see `weigh_terms`.
    let earlier = block.intensity;
    if by_terms {
        block.intensity = [water; BLOCK];
    } else if water != 0.0 {
        block.intensity.iter_mut().for_each(|sum| *sum += water);
    }
    if lives {
        wanted.add::<P, A, O>(view, block, observer);
    }
    observer.closed(view, index, block);
    if by_terms {
        weigh_terms(view, &earlier, block);
    }
}

/// Adds every phi step and domain, for the scattering vectors of one source.
#[inline(always)]
pub(super) fn sum_orientations<P: Interference, A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    lookup: Lookup,
    block: &mut Block,
    observer: &mut O,
) {
    // A term of 0 can be skipped, except if every term also corrects the running sum.
    let may_skip = !view.rules.any(Scales::RunningSum);
    let is_fast = may_skip && matches!(O::ADDS, Adds::Unseen | Adds::Named);
    let by_square = is_fast && view.lattice.shape == Shape::Square;
    // The blocks that need less than the general loop below.
    if may_skip && lookup == Lookup::Nearest && view.diffuse.is_none() {
        let extent = Extent::of(block);
        if extent.is_beyond_list(view) {
            return;
        }
        if matches!(O::ADDS, Adds::Observer) {
            return if extent.is_inside_grid(view) {
                observe_orientations::<A, O, true>(view, block, observer)
            } else {
                observe_orientations::<A, O, false>(view, block, observer)
            };
        }
        if is_fast && !any(&block.live, |live| live == 0.0) {
            let is_inside = extent.is_inside_grid(view);
            if by_square {
                return if is_inside {
                    add_square_orientations::<P, A, O, true>(view, block, observer)
                } else {
                    add_square_orientations::<P, A, O, false>(view, block, observer)
                };
            }
            if let Some(shape) = Gaussian::of(&view.lattice) {
                return if is_inside {
                    add_peaked_orientations::<P, A, _, O, true>(view, &shape, block, observer)
                } else {
                    add_peaked_orientations::<P, A, _, O, false>(view, &shape, block, observer)
                };
            }
            if let Some(shape) = Ball::of(&view.lattice) {
                return if is_inside {
                    add_peaked_orientations::<P, A, _, O, true>(view, &shape, block, observer)
                } else {
                    add_peaked_orientations::<P, A, _, O, false>(view, &shape, block, observer)
                };
            }
        }
    }
    for orientation in view.orientations.iter() {
        if !matches!(O::ADDS, Adds::Observer)
            && let Some(halo) = &view.diffuse
        {
            add_diffuse::<A, O>(view, halo, orientation, block, observer);
        }
        match lookup {
            Lookup::Nearest => {
                find_nearest_for::<A, O, false>(view, orientation, block);
                if !gather_nearest::<false>(view, orientation, block) && may_skip {
                    continue;
                }
                if by_square {
                    observer.named(block);
                    if O::NAMES {
                        add_square_terms_of_c::<P, A, false, true>(view, orientation, block);
                    } else {
                        add_square_terms_of_c::<P, A, false, false>(view, orientation, block);
                    }
                    continue;
                }
                fill_lattice::<P, A>(view, orientation, block);
            }
            Lookup::Tricubic => {
                if O::NAMES {
                    find_neighbours::<A, true>(view, orientation, block);
                } else {
                    find_neighbours::<A, false>(view, orientation, block);
                }
                fill_lattice::<P, A>(view, orientation, block);
                gather_tricubic::<A>(view, orientation, block);
                if view.setup.fixes.contains(Oddity::Interpolation) {
                    gather_nearest_outside(view, orientation, block);
                } else {
                    note_where_grid_is_left(view, block);
                }
            }
        }
        observer.named(block);
        if may_skip {
            add_terms::<O>(block);
        } else {
            add_terms_and_correct::<O>(view, block);
            observer.rescaled(view, block);
        }
    }
}

/// [`find_nearest`], with names if the observer wants them.
#[inline(always)]
pub(super) fn find_nearest_for<A: Arithmetic, O: BlockObserver, const INSIDE: bool>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    if O::NAMES {
        find_nearest::<A, INSIDE, true>(view, orientation, block);
    } else {
        find_nearest::<A, INSIDE, false>(view, orientation, block);
    }
}

/// Looks up the structure factors of every phi step and domain. The observer adds the terms.
#[inline(always)]
fn observe_orientations<A: Arithmetic, O: BlockObserver, const INSIDE: bool>(
    view: &View<'_>,
    block: &mut Block,
    observer: &mut O,
) {
    for (index, orientation) in view.orientations.iter().enumerate() {
        find_nearest::<A, INSIDE, false>(view, orientation, block);
        if gather_nearest::<INSIDE>(view, orientation, block) {
            observer.term::<A>(view, (index, orientation), block);
        }
    }
}

/// Fills `scattering_per_m` ([`crate::scattering_vector`]) and `live`, which is 1 where dmin does not cut
/// `source`. Returns false if dmin cuts the source in every lane.
#[inline(always)]
pub(super) fn scatter<A: Arithmetic>(
    view: &View<'_>,
    source: &SourceRow,
    block: &mut Block,
) -> bool {
    let dmin_m = view.setup.dmin_m;
    let [x, y, z] = &block.diffracted;
    for i in 0..BLOCK {
        let difference = vector::sub([x[i], y[i], z[i]], source.incident);
        // The quotients have the bits of a division (see `Fused::over`): indices must agree with C.
        let q = difference.map(A::over(source.wavelength_m));
        block.scattering_per_m[0][i] = q[0];
        block.scattering_per_m[1][i] = q[1];
        block.scattering_per_m[2][i] = q[2];
    }
    block.live = [1.0; BLOCK];
    if dmin_m > 0.0 {
        let [x, y, z] = &block.scattering_per_m;
        for i in 0..BLOCK {
            let q_per_m = (x[i] * x[i] + y[i] * y[i] + z[i] * z[i]).sqrt();
            let cut = (q_per_m > 0.0) & (dmin_m > 1.0 / q_per_m);
            block.live[i] = if cut { 0.0 } else { 1.0 };
        }
    }
    any(&block.live, |live| live != 0.0)
}

/// Adds every phi step and domain of a crystal with Gaussian or ball-shaped spots, for a source that is not cut in
/// any lane.
#[inline(always)]
fn add_peaked_orientations<
    P: Interference,
    A: Arithmetic,
    S: Peaked,
    O: BlockObserver,
    const INSIDE: bool,
>(
    view: &View<'_>,
    shape: &S,
    block: &mut Block,
    observer: &mut O,
) {
    let peak = view.lattice.peak();
    for orientation in view.orientations.iter() {
        find_nearest_for::<A, O, INSIDE>(view, orientation, block);
        let Some((radii, is_regular)) = radii::<A, S>(shape, block) else {
            continue;
        };
        if !gather_nearest::<INSIDE>(view, orientation, block) {
            continue;
        }
        observer.named(block);
        if is_regular {
            add_peaked_terms::<A, S, O>(peak, &radii, block);
        } else {
            fill_lattice::<P, A>(view, orientation, block);
            add_terms::<O>(block);
        }
    }
}

/// Marks the pixels in which an index is too close to the edge of the grid to interpolate. A term whose
/// lattice factor is exactly 0 is not looked up (except with water), so it does not count.
#[inline(always)]
fn note_where_grid_is_left(view: &View<'_>, block: &mut Block) {
    let looks_up_all = view.setup.has_water;
    for i in 0..BLOCK {
        let looked_up = looks_up_all | (block.vanishes[i] == 0.0);
        let left = looked_up & (block.live[i] != 0.0) & (block.place[i] == OUTSIDE);
        if left {
            block.left_grid[i] = block.active[i];
        }
    }
}

/// Adds one term to every pixel where the source is not cut.
#[inline(always)]
fn add_terms<O: BlockObserver>(block: &mut Block) {
    for i in 0..BLOCK {
        let amplitude = block.cell_factor[i] * block.lattice_factor[i];
        let term = amplitude * amplitude;
        let live = block.live[i] != 0.0;
        block.intensity[i] += if live { term } else { 0.0 };
        if O::NAMES {
            block.part[i] += if live { term } else { 0.0 };
        }
    }
}

/// Adds one term to every pixel and then multiplies the running sum by the corrections (the oddity
/// `oversample-flags`). As in the C program, a term whose lattice factor is exactly 0 is skipped if there
/// is no water.
#[inline(always)]
fn add_terms_and_correct<O: BlockObserver>(view: &View<'_>, block: &mut Block) {
    let rules = &view.rules;
    let adds_all = view.setup.has_water;
    for i in 0..BLOCK {
        let amplitude = block.cell_factor[i] * block.lattice_factor[i];
        let mut sum = block.intensity[i] + amplitude * amplitude;
        // The order of the three factors is that of C.
        if rules.capture.scales == Scales::RunningSum {
            sum *= block.capture[i];
        }
        if rules.polarization.scales == Scales::RunningSum {
            sum *= block.polarization[i];
        }
        if rules.solid_angle.scales == Scales::RunningSum {
            sum *= block.solid_angle_sr[i];
        }
        if (block.live[i] != 0.0) & (adds_all | (block.vanishes[i] == 0.0)) {
            block.intensity[i] = sum;
            if O::NAMES {
                block.part[i] += amplitude * amplitude;
            }
        }
    }
}

/// Converts the sums to photons and stores those of the active pixels.
#[inline(always)]
pub(super) fn write_photons(view: &View<'_>, block: &Block, out: &mut [f32]) {
    let rules = &view.rules;
    let mut all = [0.0_f32; BLOCK];
    for (i, out) in all.iter_mut().enumerate() {
        // All lanes are computed, and only the copy below has a branch: stores in some lanes only would
        // prevent vectorisation.
        let mut photons = view.scalars.photons_per_electron * block.intensity[i] / view.steps;
        if rules.capture.scales == Scales::Pixel {
            photons *= block.capture[i];
        }
        if rules.polarization.scales == Scales::Pixel {
            photons *= block.polarization[i];
        }
        if rules.solid_angle.scales == Scales::Pixel {
            photons *= block.solid_angle_sr[i];
        }
        *out = stored(photons);
    }
    for (i, out) in out.iter_mut().enumerate() {
        if block.active[i] != 0.0 {
            *out = all[i];
        }
    }
}
