//! Looking on while the fast kernel sums: nobody, or one who parts the sum among reflections.

use std::collections::BTreeMap;

use nanobragg_crystal::nearest_index;

use super::block::{BLOCK, Block, Column};
use super::correct::corrections;
use crate::sampling::Scales;
use crate::scene::{Orientation, View};

/// Told of the terms of a block as they are added.
pub(super) trait Tally {
    /// Whether the terms have to be there as columns.
    const NEEDS_COLUMNS: bool;

    /// The terms of a source at a sub-pixel follow, and water for it is added.
    fn source(&mut self, view: &View<'_>, water: f64, block: &Block);

    /// The terms of an orientation were added.
    fn orientation(&mut self, view: &View<'_>, orientation: &Orientation, block: &Block);
}

/// The tally of a plain render.
pub(super) struct NoTally;

impl Tally for NoTally {
    const NEEDS_COLUMNS: bool = false;

    #[inline(always)]
    fn source(&mut self, _: &View<'_>, _: f64, _: &Block) {}

    #[inline(always)]
    fn orientation(&mut self, _: &View<'_>, _: &Orientation, _: &Block) {}
}

/// The sum of one pixel, by reflections.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneShares {
    /// What water adds.
    pub(crate) background: f64,
    /// The reflection of the latest terms and what they add: most terms of a pixel are of one.
    latest: ([i32; 3], f64),
    settled: BTreeMap<[i32; 3], f64>,
}

impl LaneShares {
    fn begin(&mut self, background: f64) {
        self.background = background;
        self.latest = ([0; 3], 0.0);
        self.settled.clear();
    }

    #[inline(always)]
    fn add(&mut self, hkl: [i32; 3], term: f64) {
        if self.latest.0 != hkl {
            self.settle();
            self.latest.0 = hkl;
        }
        self.latest.1 += term;
    }

    fn settle(&mut self) {
        let (hkl, sum) = self.latest;
        if sum != 0.0 {
            *self.settled.entry(hkl).or_default() += sum;
        }
        self.latest.1 = 0.0;
    }

    fn scale(&mut self, factor: f64) {
        self.background *= factor;
        self.latest.1 *= factor;
        self.settled.values_mut().for_each(|sum| *sum *= factor);
    }

    /// The reflections of the pixel, and what the terms nearest to each add up to.
    pub(crate) fn reflections(&mut self) -> &BTreeMap<[i32; 3], f64> {
        self.settle();
        &self.settled
    }
}

/// The sums of a block, by reflections.
pub(super) struct Shares {
    pub(super) lanes: Vec<LaneShares>,
    weight: Column,
}

impl Shares {
    pub(super) fn new() -> Self {
        Self {
            lanes: vec![LaneShares::default(); BLOCK],
            weight: [1.0; BLOCK],
        }
    }

    pub(super) fn begin(&mut self, background: f64) {
        self.lanes
            .iter_mut()
            .for_each(|lane| lane.begin(background));
    }
}

impl Tally for Shares {
    const NEEDS_COLUMNS: bool = true;

    fn source(&mut self, view: &View<'_>, water: f64, block: &Block) {
        for i in 0..BLOCK {
            self.weight[i] = corrections(&view.rules, Scales::Terms, block, i);
            self.lanes[i].background += self.weight[i] * water;
        }
    }

    fn orientation(&mut self, view: &View<'_>, orientation: &Orientation, block: &Block) {
        let rescales = view.rules.any(Scales::RunningSum);
        let adds_all = view.setup.has_water;
        let [x, y, z] = &block.scattering_per_m;
        for i in 0..BLOCK {
            if block.live[i] == 0.0 {
                continue;
            }
            let lane = &mut self.lanes[i];
            let amplitude = block.cell_factor[i] * block.lattice_factor[i];
            if amplitude != 0.0 {
                let nearest = orientation.map(|edge| {
                    nearest_index(edge[0] * x[i] + edge[1] * y[i] + edge[2] * z[i]) as i32
                });
                lane.add(nearest, self.weight[i] * (amplitude * amplitude));
            }
            if rescales && (adds_all || block.vanishes[i] == 0.0) {
                lane.scale(corrections(&view.rules, Scales::RunningSum, block, i));
            }
        }
    }
}
