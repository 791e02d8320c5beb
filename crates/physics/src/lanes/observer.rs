//! Observers of the sum of a block.

use super::block::{Block, Column};
use super::lane::Arithmetic;
use crate::scene::{Orientation, View};

/// Who adds the terms of an orientation to the sums.
pub(super) enum Adds {
    /// The sum, on its fastest path. The observer does not see the terms.
    Unseen,
    /// The sum. The factors of the terms are stored in columns first, and the observer reads them.
    Shown,
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

    /// A block begins. `last` are the first sub-pixels of the last layer. The observer may overwrite
    /// every column of `block` except `active`.
    #[inline(always)]
    fn begin<A: Arithmetic>(&mut self, _: &View<'_>, _last: &Subpixels, _: &mut Block) {}

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

    /// The terms of a source end. If the terms share a weight, the sums are not yet multiplied by it.
    #[inline(always)]
    fn closed(&mut self, _: &View<'_>, _source: usize, _: &Block) {}
}

/// The observer of a plain render.
pub(super) struct Unseen;

impl BlockObserver for Unseen {
    const ADDS: Adds = Adds::Unseen;
}
