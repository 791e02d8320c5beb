//! What looks on while a block is summed, and what else it makes of the terms.

use super::block::{Block, Column};
use super::lane::Arithmetic;
use crate::scene::{Orientation, View};

/// Who adds the terms of an orientation to the sums.
pub(super) enum Adds {
    /// The sum, as fast as it can. Nothing is shown of a term.
    Unseen,
    /// The sum, after the factors of the terms were put into columns. The observer is shown them.
    Shown,
    /// The observer, together with what else it makes of them. The sum only looks up structure factors.
    Observer,
}

/// The sub-pixels of a block.
pub(super) struct Subpixels {
    /// Where they are along fast, in metres.
    pub(super) fast_m: Column,
    /// Where they are along slow.
    pub(super) slow_m: f64,
    /// The layer of the sensor that they are in.
    pub(super) layer: u32,
}

/// Looks on while a block is summed. Every method does nothing unless it is written, and then costs
/// nothing: the sum is compiled for each observer.
///
/// A method is called for the whole block, so that the loops over lanes stay loops. What it changes in one
/// lane must not depend on another lane: a pixel has the same bits whichever its neighbours are.
pub(super) trait BlockObserver {
    /// Who adds the terms.
    const ADDS: Adds;

    /// A block begins. `last` are the first sub-pixels of the last layer. Everything in `block` but which
    /// pixels are active may be written over.
    #[inline(always)]
    fn begin<A: Arithmetic>(&mut self, _: &View<'_>, _last: &Subpixels, _: &mut Block) {}

    /// A layer of the sensor begins, with capture fractions of its own.
    #[inline(always)]
    fn layer(&mut self) {}

    /// Sub-pixels were placed.
    #[inline(always)]
    fn placed(&mut self, _: &View<'_>, _: &Subpixels, _: &Block) {}

    /// Solid angles are about to be taken from `now`, where they are still 0 or everywhere.
    #[inline(always)]
    fn solid_angle(&mut self, _: &View<'_>, _now: &Column, _: &Block) {}

    /// The same of the capture fractions of this layer.
    #[inline(always)]
    fn capture(&mut self, _: &View<'_>, _layer: u32, _: &Block) {}

    /// The same of the polarization factors, where the source is not cut or, with water, in all lanes.
    #[inline(always)]
    fn polarization(&mut self, _: &View<'_>, _source: usize, _for_all: bool, _: &Block) {}

    /// The terms of a source follow, and `water` for it is added.
    #[inline(always)]
    fn source(&mut self, _: &View<'_>, _water: f64, _: &Block) {}

    /// An orientation, given with its number: see [`Adds`].
    #[inline(always)]
    fn term<A: Arithmetic>(&mut self, _: &View<'_>, _: (usize, &Orientation), _: &mut Block) {}

    /// The terms of a source end. The sums are still without their common weight, if they have one.
    #[inline(always)]
    fn closed(&mut self, _: &View<'_>, _source: usize, _: &Block) {}
}

/// A plain render.
pub(super) struct Unseen;

impl BlockObserver for Unseen {
    const ADDS: Adds = Adds::Unseen;
}
