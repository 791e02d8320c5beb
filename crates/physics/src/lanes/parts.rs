//! The sum of every pixel by reflection.
//!
//! The terms of a pixel are added to `Block::part` as long as their reflection stays the same. Only a change of it
//! takes a scalar step.

use super::block::{BLOCK, Block, Column, dot};
use super::correct::corrections;
use super::interference::Double;
use super::level::Baseline;
use super::observer::{Adds, BlockObserver};
use super::shares::{RowShares, RowSums, RowWishes};
use super::sum::sum_block;
use crate::backend::RowPart;
use crate::sampling::Scales;
use crate::scene::View;

/// Divides the `photons` of a part of a row that was rendered in another way: one number for each pixel of
/// the part. Always in double precision, with the instructions of the baseline.
pub(crate) fn share_part(
    view: &View<'_>,
    part: &RowPart<'_>,
    photons: &[f32],
    row: &mut RowShares,
) {
    let mut block = Block::new();
    let mut parts = Parts::new(view, Some(row));
    for first in part.fast.clone().step_by(BLOCK) {
        if part.is_cancelled() {
            return;
        }
        let pixels = BLOCK.min((part.fast.end - first) as usize);
        if !block.mark_active(part, first, pixels) {
            continue;
        }
        loop {
            sum_block::<Double, Baseline, _>(view, part, first, &mut block, &mut parts);
            if !parts.repeats() {
                break;
            }
        }
        let start = (first - part.fast.start) as usize;
        let own = photons.get(start..start + pixels).unwrap_or_default();
        parts.divide(view, first, &block, own);
    }
}

/// The sums of a block by reflection.
pub(super) struct Parts<'r> {
    /// The row among whose reflections the photons of a finished block are divided.
    row: Option<&'r mut RowShares>,
    /// The reflection of the latest terms of each lane.
    name: Column,
    /// Whether no term has come yet.
    is_fresh: bool,
    /// The sum of earlier terms of this reflection, weighted.
    settled: Column,
    /// The weight of the terms of the current source.
    weight: Column,
    has_weights: bool,
    /// Whether there is water or diffuse scattering.
    has_background: bool,
    background: Column,
    /// The names of the first reflections that were the latest of a lane before, NaN for none, and their sums.
    names: [[f64; WAYS]; BLOCK],
    sums: [[f64; WAYS]; BLOCK],
    /// How many of them a lane has.
    count: [usize; BLOCK],
    /// Whether any lane has some.
    is_mixed: bool,
    /// The names and sums of the other reflections of each lane that has more.
    others: Vec<Vec<(f64, f64)>>,
    /// Offsets of exactly 0 are guarded.
    is_guarded: bool,
    /// The parts are not numbers.
    is_spoilt: bool,
}

/// The number of reflections of a lane that are compared at once.
const WAYS: usize = 8;

impl<'r> Parts<'r> {
    pub(super) fn new(view: &View<'_>, row: Option<&'r mut RowShares>) -> Self {
        let scalars = &view.scalars;
        Self {
            row,
            name: [0.0; BLOCK],
            is_fresh: true,
            settled: [0.0; BLOCK],
            weight: [1.0; BLOCK],
            has_weights: view.rules.any(Scales::Terms),
            has_background: scalars.background != 0.0
                || scalars.water_per_source != 0.0
                || view.diffuse.is_some(),
            background: [0.0; BLOCK],
            names: [[f64::NAN; WAYS]; BLOCK],
            sums: [[0.0; WAYS]; BLOCK],
            count: [0; BLOCK],
            is_mixed: false,
            others: vec![Vec::new(); BLOCK],
            is_guarded: false,
            is_spoilt: false,
        }
    }

    /// Gives a lane another reflection.
    #[inline(always)]
    fn rename(&mut self, block: &mut Block, i: usize) {
        let sum = self.settled[i] + self.weight[i] * block.part[i];
        self.keep(i, sum);
        self.name[i] = block.name[i];
        self.settled[i] = 0.0;
        block.part[i] = 0.0;
    }

    /// Adds the sum of the latest reflection of a lane to those of its earlier ones.
    #[inline(always)]
    fn keep(&mut self, i: usize, sum: f64) {
        if sum == 0.0 {
            return;
        }
        let name = self.name[i];
        // Without a branch for each: which of them it is cannot be predicted.
        let mut way = WAYS;
        for j in 0..WAYS {
            way = if self.names[i][j] == name { j } else { way };
        }
        if way < WAYS {
            self.sums[i][way] += sum;
            return;
        }
        self.is_mixed = true;
        let next = self.count[i];
        if next < WAYS {
            self.names[i][next] = name;
            self.sums[i][next] = sum;
            self.count[i] = next + 1;
        } else {
            self.keep_other(i, name, sum);
        }
    }

    #[inline(never)]
    fn keep_other(&mut self, lane: usize, name: f64, sum: f64) {
        let Some(others) = self.others.get_mut(lane) else {
            return;
        };
        match others.iter_mut().find(|(other, _)| *other == name) {
            Some((_, earlier)) => *earlier += sum,
            None => others.push((name, sum)),
        }
    }

    /// Divides the photons of a summed block.
    #[inline(always)]
    fn divide(&mut self, view: &View<'_>, first: u32, block: &Block, photons: &[f32]) {
        let Some(row) = self.row.take() else {
            return;
        };
        let photons = row.shaded(view, first, photons);
        row.photons += dot(&photons, &[1.0; BLOCK]);
        let mut latest = [0.0; BLOCK];
        for i in 0..BLOCK {
            latest[i] = self.settled[i] + self.weight[i] * block.part[i];
        }
        let mut total = latest;
        if self.has_background {
            for i in 0..BLOCK {
                total[i] += self.background[i];
            }
        }
        if self.is_mixed {
            for i in 0..BLOCK {
                for &sum in self.sums[i].iter().take(self.count[i]) {
                    total[i] += sum;
                }
                for (_, sum) in &self.others[i] {
                    total[i] += sum;
                }
            }
        }
        for i in 0..BLOCK {
            // A pixel without any part has no photons either.
            total[i] = if total[i] == 0.0 { 1.0 } else { total[i] };
        }
        if self.has_background {
            let mut parts = [0.0; BLOCK];
            for i in 0..BLOCK {
                parts[i] = self.background[i] / total[i];
            }
            row.background_photons += dot(&photons, &parts);
        }
        if !self.is_mixed {
            for i in 0..BLOCK {
                latest[i] = photons[i] * (latest[i] / total[i]);
            }
            self.divide_runs(row, first, &latest);
        } else {
            for i in 0..BLOCK {
                self.keep(i, latest[i]);
            }
            self.divide_lanes(row, first, &photons, &total);
        }
        self.row = Some(row);
    }

    /// Every pixel has one reflection: neighbours that have the same are added together.
    #[inline(always)]
    fn divide_runs(&self, row: &mut RowShares, first: u32, parts: &Column) {
        let RowWishes {
            pixel_floor_photons: floor,
            labels,
        } = row.wishes;
        let (mut by_fast, mut by_square) = ([0.0; BLOCK], [0.0; BLOCK]);
        for i in 0..BLOCK {
            let position = f64::from(first) + (i as f64 + 0.5);
            by_fast[i] = parts[i] * position;
            by_square[i] = by_fast[i] * position;
        }
        let mut begin = 0;
        while begin < BLOCK {
            let name = self.name[begin];
            let mut run = RowSums::default();
            let mut i = begin;
            while i < BLOCK && self.name[i] == name {
                run.photons += parts[i];
                run.fast += by_fast[i];
                run.fast_squared += by_square[i];
                run.mark(first + i as u32, parts[i], floor);
                i += 1;
            }
            if run.photons != 0.0 {
                let (place, sums) = row.entry(name as i64);
                sums.add(&run);
                if labels && run.range[1] > 0 {
                    for lane in begin..i {
                        if parts[lane] > 0.0 && parts[lane] >= floor {
                            row.labels[first as usize + lane] = place + 1;
                        }
                    }
                }
            }
            begin = i;
        }
    }

    /// Pixels have several reflections.
    #[inline(always)]
    fn divide_lanes(&self, row: &mut RowShares, first: u32, photons: &Column, total: &Column) {
        for i in 0..BLOCK {
            let mut most = 0.0;
            for (name, sum) in self.kept(i) {
                let part = photons[i] * (sum / total[i]);
                row.give(first + i as u32, name, part, &mut most);
            }
        }
    }

    /// The earlier reflections of a lane, each with its name and sum.
    #[inline(always)]
    fn kept(&self, i: usize) -> impl Iterator<Item = (f64, f64)> {
        let first = self.names[i]
            .iter()
            .copied()
            .zip(self.sums[i].iter().copied());
        let others = self.others[i].iter().copied();
        first.take(self.count[i]).chain(others)
    }

    /// The reflections of a lane when its block is summed, each with its name and sum.
    pub(super) fn of_lane(&self, block: &Block, i: usize) -> impl Iterator<Item = (f64, f64)> {
        let latest = self.settled[i] + self.weight[i] * block.part[i];
        std::iter::once((self.name[i], latest)).chain(self.kept(i))
    }
}

impl BlockObserver for Parts<'_> {
    const ADDS: Adds = Adds::Named;

    fn opened(&mut self, view: &View<'_>, block: &mut Block) {
        self.is_fresh = true;
        self.is_spoilt = false;
        self.settled = [0.0; BLOCK];
        self.weight = [1.0; BLOCK];
        self.background = [view.scalars.background; BLOCK];
        if self.is_mixed {
            self.names = [[f64::NAN; WAYS]; BLOCK];
            self.count = [0; BLOCK];
            self.others.iter_mut().for_each(Vec::clear);
            self.is_mixed = false;
        }
        block.part = [0.0; BLOCK];
    }

    #[inline(always)]
    fn source(&mut self, view: &View<'_>, water: f64, block: &Block) {
        if self.has_weights {
            for i in 0..BLOCK {
                self.weight[i] = corrections(&view.rules, Scales::Terms, block, i);
            }
        }
        for i in 0..BLOCK {
            self.background[i] += self.weight[i] * water;
        }
    }

    #[inline(always)]
    fn named(&mut self, block: &mut Block) {
        if self.is_fresh {
            self.is_fresh = false;
            self.name = block.name;
        }
        // Eight lanes at once: in many blocks all of them keep their reflection.
        for start in (0..BLOCK).step_by(8) {
            let mut changes = 0_u8;
            for lane in 0..8 {
                let i = start + lane;
                let differs = (self.name[i] != block.name[i]) & (block.cell_factor[i] != 0.0);
                changes |= u8::from(differs) << lane;
            }
            while changes != 0 {
                self.rename(block, start + changes.trailing_zeros() as usize);
                changes &= changes - 1;
            }
        }
    }

    fn diffuse(&mut self, added: &Column) {
        for i in 0..BLOCK {
            self.background[i] += self.weight[i] * added[i];
        }
    }

    fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    fn repeats(&mut self) -> bool {
        self.is_guarded = self.is_spoilt;
        self.is_spoilt = false;
        self.is_guarded
    }

    fn rescaled(&mut self, view: &View<'_>, block: &mut Block) {
        let adds_all = view.setup.has_water;
        for i in 0..BLOCK {
            if (block.live[i] != 0.0) & (adds_all | (block.vanishes[i] == 0.0)) {
                let factor = corrections(&view.rules, Scales::RunningSum, block, i);
                self.background[i] *= factor;
                self.settled[i] *= factor;
                block.part[i] *= factor;
                self.sums[i].iter_mut().for_each(|sum| *sum *= factor);
                self.others[i]
                    .iter_mut()
                    .for_each(|(_, sum)| *sum *= factor);
            }
        }
    }

    #[inline(always)]
    fn closed(&mut self, _: &View<'_>, _: usize, block: &mut Block) {
        if self.has_weights {
            for i in 0..BLOCK {
                self.settled[i] += self.weight[i] * block.part[i];
            }
            block.part = [0.0; BLOCK];
        }
    }

    #[inline(always)]
    fn finished(&mut self, view: &View<'_>, first: u32, block: &Block, photons: &[f32]) {
        self.divide(view, first, block, photons);
    }
}
