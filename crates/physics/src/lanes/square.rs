//! Parallelepipeds: lattice factor and addition in one stage.

use super::block::{BLOCK, Block, any};
use super::interference::Interference;
use super::lane::Arithmetic;
use super::lookup::{find_nearest, gather_nearest, hkl};
use super::observer::BlockObserver;
use super::sum::find_nearest_for;
use crate::fixes::Fixes;
use crate::scene::{Orientation, View};

/// Adds every phi step and domain of a parallelepiped crystal, for a source that is not cut in any lane.
/// Most runs spend most of their time here. `INSIDE`: all nearest indices are known to be in the grid.
#[inline(always)]
pub(super) fn add_square_orientations<
    P: Interference,
    A: Arithmetic,
    O: BlockObserver,
    const INSIDE: bool,
>(
    view: &View<'_>,
    block: &mut Block,
    observer: &mut O,
) {
    let earlier = block.intensity;
    if O::NAMES && observer.is_guarded() {
        for orientation in view.orientations.iter() {
            find_nearest_for::<A, O, INSIDE>(view, orientation, block);
            if gather_nearest::<INSIDE>(view, orientation, block) {
                observer.named(block);
                add_square_terms_of_c::<P, A, true, true>(view, orientation, block);
            }
        }
        return;
    }
    let mut is_near = false;
    for orientation in view.orientations.iter() {
        find_nearest_for::<A, O, INSIDE>(view, orientation, block);
        if gather_nearest::<INSIDE>(view, orientation, block) {
            observer.named(block);
            is_near |= if O::NAMES {
                add_square_terms::<P, A, true, false, true>(view, block)
            } else {
                add_square_terms::<P, A, true, false, false>(view, block)
            };
        }
    }
    // An offset of exactly 0 makes 0/0, and near a whole index C has another quotient. This is rare, so it is detected
    // once. The block is then summed again with a guard in every term.
    if is_near || any(&block.intensity, |sum| !sum.is_finite()) {
        observer.spoil();
        block.intensity = earlier;
        for orientation in view.orientations.iter() {
            find_nearest::<A, INSIDE, false>(view, orientation, block);
            gather_nearest::<INSIDE>(view, orientation, block);
            add_square_terms_of_c::<P, A, true, false>(view, orientation, block);
        }
    }
}

/// Nearer than this to a whole index other than 0, the lattice factor is that of the C program. Its sines of `pi N h` and
/// `pi h` are both rounding errors there, some 1e-16 of `h`, and their quotient is any number of the order of N.
const NEARLY_WHOLE: f64 = 1e-11;

/// The product of three sines is below this if one index is so near to a whole one: pi times [`NEARLY_WHOLE`].
const SMALL: f64 = 3.2e-11;

/// The lattice factor of the C program for lane `i` if an index is nearly whole, up to the sign.
#[inline(always)]
fn factor_of_c<A: Arithmetic>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &Block,
    i: usize,
) -> Option<f64> {
    let offset = [0, 1, 2].map(|axis: usize| block.offset[axis][i].abs());
    if offset.iter().all(|d| *d >= NEARLY_WHOLE) {
        return None;
    }
    let index = hkl(block, orientation, i);
    let nearest = index.map(|index| A::nearest_and_offset(index).0);
    // At 0 the quotient of C is good.
    let is_whole =
        (offset.iter().zip(nearest)).any(|(d, nearest)| *d < NEARLY_WHOLE && nearest != 0.0);
    is_whole.then(|| view.lattice.factor(index, nearest))
}

/// Whether an index of any lane is nearly whole, and the image is to be that of the C program. With any fix the lattice
/// factor is the limit.
#[inline(always)]
fn has_nearly_whole(view: &View<'_>, block: &Block) -> bool {
    if view.setup.fixes != Fixes::none() {
        return false;
    }
    let is_near = |d: f64| d.abs() < NEARLY_WHOLE;
    block.offset.iter().any(|column| any(column, is_near))
}

/// Replaces the lattice factors of nearly whole indices by those of the C program.
#[inline(always)]
pub(super) fn mend_whole_indices<A: Arithmetic>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    if !has_nearly_whole(view, block) {
        return;
    }
    for i in 0..BLOCK {
        if let Some(factor) = factor_of_c::<A>(view, orientation, block, i) {
            block.lattice_factor[i] = factor;
        }
    }
}

/// [`add_square_terms`], with the lattice factors of the C program where an index is nearly whole.
#[inline(always)]
pub(super) fn add_square_terms_of_c<
    P: Interference,
    A: Arithmetic,
    const ALL: bool,
    const NAMES: bool,
>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    if !has_nearly_whole(view, block) {
        add_square_terms::<P, A, ALL, true, NAMES>(view, block);
        return;
    }
    let mut terms = [0.0; BLOCK];
    for i in 0..BLOCK {
        if let Some(factor) = factor_of_c::<A>(view, orientation, block, i) {
            let amplitude = block.cell_factor[i] * factor;
            terms[i] = amplitude * amplitude;
            // The term below is 0 then.
            block.cell_factor[i] = 0.0;
        }
    }
    add_square_terms::<P, A, ALL, true, NAMES>(view, block);
    for i in 0..BLOCK {
        if ALL | (block.live[i] != 0.0) {
            block.intensity[i] += terms[i];
            if NAMES {
                block.part[i] += terms[i];
            }
        }
    }
}

/// The number of pixels whose numerators are computed before their denominators. One loop for both would
/// need more registers than there are.
const GROUP: usize = 32;

/// [`fill_lattice`] and [`add_terms`] in one stage for a parallelepiped, without a column in between.
/// `ALL`: the source is not cut in any lane. `ZEROS`: offsets of exactly 0 are guarded; without it they
/// make the sum NaN. `NAMES`: terms are added to `part` too. Returns whether an index may be nearly whole.
#[inline(always)]
pub(super) fn add_square_terms<
    P: Interference,
    A: Arithmetic,
    const ALL: bool,
    const ZEROS: bool,
    const NAMES: bool,
>(
    view: &View<'_>,
    block: &mut Block,
) -> bool {
    let mut is_near = false;
    let [dh, dk, dl] = &block.offset;
    let offset = |i: usize| {
        let offset = [dh[i], dk[i], dl[i]];
        if ZEROS {
            offset.map(P::without_zero)
        } else {
            offset
        }
    };
    for start in (0..BLOCK).step_by(GROUP) {
        let mut above = [0.0; GROUP];
        for i in 0..GROUP {
            above[i] =
                P::above::<A>(offset(start + i), view.lattice.cells) * block.cell_factor[start + i];
        }
        let mut below = [0.0; GROUP];
        for i in 0..GROUP {
            below[i] = P::below::<A>(offset(start + i));
        }
        for i in 0..GROUP {
            // F Fl = F (sin sin sin) / (sin sin sin): one division per term. A division takes as long as
            // about thirty multiplications.
            let amplitude = above[i] / below[i];
            is_near |= below[i].abs() < SMALL;
            let earlier = block.intensity[start + i];
            let sum = A::multiply_add(amplitude, amplitude, earlier);
            // `|` instead of `||`: a selection without a branch.
            let live = ALL | (block.live[start + i] != 0.0);
            block.intensity[start + i] = if live { sum } else { earlier };
            if NAMES {
                let earlier = block.part[start + i];
                let part = A::multiply_add(amplitude, amplitude, earlier);
                block.part[start + i] = if live { part } else { earlier };
            }
        }
    }
    is_near
}
