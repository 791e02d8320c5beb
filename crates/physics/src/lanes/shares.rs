//! The sum of every pixel, divided among reflections.

use std::collections::BTreeMap;

use nanobragg_crystal::nearest_index;

use super::block::{BLOCK, Block, Column};
use super::correct::corrections;
use super::interference::Double;
use super::lane::Arithmetic;
use super::level::Baseline;
use super::observer::{Adds, BlockObserver, Subpixels};
use super::sum::sum_block;
use crate::backend::RowPart;
use crate::sampling::Scales;
use crate::scene::{Orientation, View};

/// Divides the sum of each pixel of `part` among reflections. `take` receives the column of every
/// rendered pixel and the parts of its sum. Always in double precision, with the baseline instructions.
pub(crate) fn share_part(
    view: &View<'_>,
    part: &RowPart<'_>,
    take: &mut dyn FnMut(u32, &mut LaneShares),
) {
    let mut block = Block::new();
    let mut shares = Shares {
        lanes: vec![LaneShares::default(); BLOCK],
        weight: [1.0; BLOCK],
    };
    for first in part.fast.clone().step_by(BLOCK) {
        if part.is_cancelled() {
            return;
        }
        let pixels = BLOCK.min((part.fast.end - first) as usize);
        if !block.mark_active(part, first, pixels) {
            continue;
        }
        sum_block::<Double, Baseline, _>(view, part, first, &mut block, &mut shares);
        for (i, lane) in shares.lanes.iter_mut().enumerate().take(pixels) {
            if block.active[i] != 0.0 {
                take(first + i as u32, lane);
            }
        }
    }
}

/// The sum of one pixel by reflection.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneShares {
    /// The part of the water.
    pub(crate) background: f64,
    /// The reflection of the latest terms and their sum. Most terms of a pixel belong to one reflection,
    /// so this saves most lookups in the map.
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

    /// The reflections of the pixel, each with the sum of the terms nearest to it.
    pub(crate) fn reflections(&mut self) -> &BTreeMap<[i32; 3], f64> {
        self.settle();
        &self.settled
    }
}

/// The sums of a block by reflection.
struct Shares {
    lanes: Vec<LaneShares>,
    weight: Column,
}

impl BlockObserver for Shares {
    const ADDS: Adds = Adds::Shown;

    fn begin<A: Arithmetic>(&mut self, view: &View<'_>, _: &Subpixels, _: &mut Block) {
        let background = view.scalars.background;
        self.lanes
            .iter_mut()
            .for_each(|lane| lane.begin(background));
    }

    fn source(&mut self, view: &View<'_>, water: f64, block: &Block) {
        for i in 0..BLOCK {
            self.weight[i] = corrections(&view.rules, Scales::Terms, block, i);
            self.lanes[i].background += self.weight[i] * water;
        }
    }

    fn term<A: Arithmetic>(
        &mut self,
        view: &View<'_>,
        (_, orientation): (usize, &Orientation),
        block: &mut Block,
    ) {
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
