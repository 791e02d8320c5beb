//! Observers of the sum of a block.

use super::block::{Block, Column};
use super::lane::Arithmetic;
use crate::scene::{Orientation, View};

/// Who adds the terms of an orientation to the sums.
pub(super) enum Adds {
    /// The sum, on its fastest path. The observer does not see the terms.
    Unseen,
    /// The sum, on its fastest path, to the same bits. It also adds each term to `Block::part`, and the observer is
    /// shown the name of its reflection before.
    Named,
    /// The observer, together with its own sums. The sum only looks up the structure factors.
    Observer,
}

/// The sub-pixels of a block.
pub(super) struct Subpixels {
    /// Position along fast, in metres.
    pub(super) fast_m: Column,
    /// Position along slow, in metres.
    pub(super) slow_m: f64,
    pub(super) layer: u32,
}

/// Observes the sum of a block. The default of every method does nothing and costs nothing, because the
/// sum is compiled for each observer.
///
/// A method is called for the whole block, so that the loops over lanes stay loops. A result in one lane
/// must not depend on another lane: the bits of a pixel must not depend on its neighbours.
pub(super) trait BlockObserver {
    const ADDS: Adds;

    /// Whether reflections are named.
    const NAMES: bool = matches!(Self::ADDS, Adds::Named);

    /// A block begins. `last` are the first sub-pixels of the last layer. The observer may overwrite
    /// every column of `block` except `active`.
    #[inline(always)]
    fn begin<A: Arithmetic>(&mut self, _: &View<'_>, _last: &Subpixels, _: &mut Block) {}

    /// The sums begin.
    #[inline(always)]
    fn opened(&mut self, _: &View<'_>, _: &mut Block) {}

    /// A layer of the sensor begins, with capture fractions of its own.
    #[inline(always)]
    fn layer(&mut self) {}

    /// The positions of sub-pixels were computed.
    #[inline(always)]
    fn placed(&mut self, _: &View<'_>, _: &Subpixels, _: &Block) {}

    /// The block is about to take solid angles from `now`: in the lanes where the solid angle is still 0,
    /// or in all lanes if the rule says so.
    #[inline(always)]
    fn solid_angle(&mut self, _: &View<'_>, _now: &Column, _: &Block) {}

    /// The block is about to take the capture fractions of this layer, in the same lanes.
    #[inline(always)]
    fn capture(&mut self, _: &View<'_>, _layer: u32, _: &Block) {}

    /// The block is about to take the polarization factors: also only in lanes where the source is not
    /// cut, unless there is water (`_for_all`).
    #[inline(always)]
    fn polarization(&mut self, _: &View<'_>, _source: usize, _for_all: bool, _: &Block) {}

    /// The terms of a source follow. `water` is added for the source.
    #[inline(always)]
    fn source(&mut self, _: &View<'_>, _water: f64, _: &Block) {}

    /// An orientation with its number. [`Adds`] says who adds its terms.
    #[inline(always)]
    fn term<A: Arithmetic>(&mut self, _: &View<'_>, _: (usize, &Orientation), _: &mut Block) {}

    /// The terms of an orientation are named, and about to be added. Where the structure factor is 0 the name has
    /// no meaning.
    #[inline(always)]
    fn named(&mut self, _: &mut Block) {}

    /// Diffuse scattering was added to the sums.
    #[inline(always)]
    fn diffuse(&mut self, _added: &Column) {}

    /// The running sum was multiplied by the corrections of a term.
    #[inline(always)]
    fn rescaled(&mut self, _: &View<'_>, _: &mut Block) {}

    /// Whether offsets of exactly 0 must be guarded in `Block::part` from the start.
    #[inline(always)]
    fn is_guarded(&self) -> bool {
        false
    }

    /// `Block::part` is not a number for want of that guard.
    #[inline(always)]
    fn spoil(&mut self) {}

    /// Whether the observer needs the sum of the block once more. The sum itself is already right.
    #[inline(always)]
    fn repeats(&mut self) -> bool {
        false
    }

    /// The terms of a source end. If the terms share a weight, the sums are not yet multiplied by it.
    #[inline(always)]
    fn closed(&mut self, _: &View<'_>, _source: usize, _: &mut Block) {}

    /// The block that begins at column `first` is complete, and has these photons.
    #[inline(always)]
    fn finished(&mut self, _: &View<'_>, _first: u32, _: &Block, _photons: &[f32]) {}
}

/// The observer of a plain render.
pub(super) struct Unseen;

impl BlockObserver for Unseen {
    const ADDS: Adds = Adds::Unseen;
}
