//! Parallelepipeds: lattice factor and addition in one stage.

use super::block::{BLOCK, Block, any};
use super::interference::Interference;
use super::lane::Arithmetic;
use super::lookup::{find_nearest, gather_nearest};
use super::observer::BlockObserver;
use super::sum::find_nearest_for;
use crate::scene::View;

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
                add_square_terms::<P, A, true, true, true>(view, block);
            }
        }
        return;
    }
    for orientation in view.orientations.iter() {
        find_nearest_for::<A, O, INSIDE>(view, orientation, block);
        if gather_nearest::<INSIDE>(view, orientation, block) {
            observer.named(block);
            if O::NAMES {
                add_square_terms::<P, A, true, false, true>(view, block);
            } else {
                add_square_terms::<P, A, true, false, false>(view, block);
            }
        }
    }
    // An offset of exactly 0 makes 0/0. This is rare, so it is detected once, as NaN in the sums. The
    // block is then summed again with a guard in every term.
    if any(&block.intensity, |sum| !sum.is_finite()) {
        observer.spoil();
        block.intensity = earlier;
        for orientation in view.orientations.iter() {
            find_nearest::<A, INSIDE, false>(view, orientation, block);
            gather_nearest::<INSIDE>(view, orientation, block);
            add_square_terms::<P, A, true, true, false>(view, block);
        }
    }
}

/// The number of pixels whose numerators are computed before their denominators. One loop for both would
/// need more registers than there are.
const GROUP: usize = 32;

/// [`fill_lattice`] and [`add_terms`] in one stage for a parallelepiped, without a column in between.
/// `ALL`: the source is not cut in any lane. `ZEROS`: offsets of exactly 0 are guarded; without it they
/// make the sum NaN. `NAMES`: terms are added to `part` too.
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
) {
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
}
