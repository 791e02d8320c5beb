//! The photons of every pixel, divided among reflections while the pixel is summed.
//!
//! The terms of a pixel are added to `Block::part` as long as their reflection stays the same. Only a change of it
//! takes a scalar step.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::block::{BLOCK, Block, Column, dot};
use super::correct::corrections;
use super::interference::Double;
use super::lane::Arithmetic;
use super::level::Baseline;
use super::observer::{Adds, BlockObserver, Subpixels};
use super::sum::sum_block;
use crate::backend::RowPart;
use crate::sampling::Scales;
use crate::scene::View;

/// What is to be found out of the shares of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowWishes {
    /// The photons that a reflection must have in a pixel of its box.
    pub(crate) pixel_floor_photons: f64,
    /// Whether each pixel is labelled.
    pub(crate) labels: bool,
}

/// One reflection in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowSums {
    pub(crate) photons: f64,
    /// Photons times position; the middle of the first pixel is at 0.5.
    pub(crate) fast: f64,
    /// Photons times position squared.
    pub(crate) fast_squared: f64,
    /// The most photons in a pixel, and its column.
    pub(crate) peak: (f64, u32),
    /// The first column with enough photons, and that behind the last; empty at first.
    pub(crate) range: [u32; 2],
}

/// Memory is allocated for this number of reflections in a row.
const USUAL: usize = 224;

/// The photons of a row, by reflection.
#[derive(Debug)]
pub(crate) struct RowShares {
    wishes: RowWishes,
    /// The number of the first pixel of the row on its panel.
    start: u32,
    /// Photons of the crystal and of water, with the shadow.
    pub(crate) photons: f64,
    /// Those of water and diffuse scattering.
    pub(crate) background_photons: f64,
    /// A column whose photons are not divided here.
    pub(crate) left_out: Option<u32>,
    /// The name of every reflection, and its sums.
    pub(crate) reflections: Vec<(i64, RowSums)>,
    places: FxHashMap<i64, u32>,
    /// The place in `reflections` of that with the most photons in each pixel, plus 1; 0 where none has
    /// enough. Empty unless it is asked for.
    pub(crate) labels: Vec<u32>,
}

impl RowShares {
    pub(crate) fn new(view: &View<'_>, slow: u32, wishes: RowWishes) -> Self {
        let width = view.panel.pixels_fast();
        Self {
            wishes,
            start: slow * width,
            photons: 0.0,
            background_photons: 0.0,
            left_out: None,
            reflections: Vec::with_capacity(USUAL),
            places: FxHashMap::with_capacity_and_hasher(USUAL, FxBuildHasher),
            labels: vec![0; if wishes.labels { width as usize } else { 0 }],
        }
    }

    /// The sums of a reflection, with their place.
    fn entry(&mut self, name: i64) -> (u32, &mut RowSums) {
        let next = self.reflections.len() as u32;
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.reflections.push((name, RowSums::default()));
        }
        let (_, sums) = &mut self.reflections[place as usize];
        (place, sums)
    }

    /// Gives a reflection its photons in one pixel. `most` are those of the label of the pixel.
    #[inline(always)]
    fn give(&mut self, fast: u32, name: f64, photons: f64, most: &mut f64) {
        let RowWishes {
            pixel_floor_photons: floor,
            labels,
        } = self.wishes;
        let position = f64::from(fast) + 0.5;
        let (place, sums) = self.entry(name as i64);
        sums.photons += photons;
        sums.fast += photons * position;
        sums.fast_squared += photons * position * position;
        sums.mark(fast, photons, floor);
        if labels && photons >= floor && photons > *most {
            *most = photons;
            self.labels[fast as usize] = place + 1;
        }
    }

    /// The photons of the active pixels of a block: in double precision, and with the shadow.
    #[inline(always)]
    fn shaded(&self, view: &View<'_>, first: u32, block: &Block, photons: &[f32]) -> Column {
        let mut shaded = [0.0_f32; BLOCK];
        for (out, photons) in shaded.iter_mut().zip(photons) {
            *out = *photons;
        }
        let shade = view.panel.shade();
        if !shade.is_empty() {
            let start = self.start + first;
            let begin = shade.partition_point(|(number, _)| *number < start);
            let own = shade.iter().skip(begin);
            let own = own.take_while(|(number, _)| *number < start + photons.len() as u32);
            for (number, part) in own {
                shaded[(number - start) as usize] *= part;
            }
        }
        let mut column = [0.0; BLOCK];
        for i in 0..BLOCK {
            let counts = (block.active[i] != 0.0) & shaded[i].is_finite();
            column[i] = if counts { f64::from(shaded[i]) } else { 0.0 };
        }
        if let Some(lane) = self.left_out.and_then(|fast| fast.checked_sub(first))
            && let Some(photons) = column.get_mut(lane as usize)
        {
            *photons = 0.0;
        }
        column
    }
}

/// The range that holds both. An empty one has its end at 0.
pub(crate) fn united(one: [u32; 2], other: [u32; 2]) -> [u32; 2] {
    match (one[1], other[1]) {
        (_, 0) => one,
        (0, _) => other,
        _ => [one[0].min(other[0]), one[1].max(other[1])],
    }
}

/// Divides the `photons` of a part of a row that was rendered in another way: one number for each pixel of
/// the part. Always in double precision, with the instructions of the baseline.
pub(crate) fn share_part(
    view: &View<'_>,
    part: &RowPart<'_>,
    photons: &[f32],
    row: &mut RowShares,
) {
    let mut block = Block::new();
    let mut shares = Shares::new(view, row);
    for first in part.fast.clone().step_by(BLOCK) {
        if part.is_cancelled() {
            return;
        }
        let pixels = BLOCK.min((part.fast.end - first) as usize);
        if !block.mark_active(part, first, pixels) {
            continue;
        }
        loop {
            sum_block::<Double, Baseline, _>(view, part, first, &mut block, &mut shares);
            if !shares.repeats() {
                break;
            }
        }
        let start = (first - part.fast.start) as usize;
        let own = photons.get(start..start + pixels).unwrap_or_default();
        shares.divide(view, first, &block, own);
    }
}

/// The sums of a block by reflection.
pub(super) struct Shares<'r> {
    row: &'r mut RowShares,
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

impl<'r> Shares<'r> {
    pub(super) fn new(view: &View<'_>, row: &'r mut RowShares) -> Self {
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
        let photons = self.row.shaded(view, first, block, photons);
        self.row.photons += dot(&photons, &[1.0; BLOCK]);
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
            self.row.background_photons += dot(&photons, &parts);
        }
        if !self.is_mixed {
            for i in 0..BLOCK {
                latest[i] = photons[i] * (latest[i] / total[i]);
            }
            self.divide_runs(first, &latest);
        } else {
            for i in 0..BLOCK {
                self.keep(i, latest[i]);
            }
            self.divide_lanes(first, &photons, &total);
        }
    }

    /// Every pixel has one reflection: neighbours that have the same are added together.
    #[inline(always)]
    fn divide_runs(&mut self, first: u32, parts: &Column) {
        let RowWishes {
            pixel_floor_photons: floor,
            labels,
        } = self.row.wishes;
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
                let (place, sums) = self.row.entry(name as i64);
                sums.add(&run);
                if labels && run.range[1] > 0 {
                    for lane in begin..i {
                        if parts[lane] > 0.0 && parts[lane] >= floor {
                            self.row.labels[first as usize + lane] = place + 1;
                        }
                    }
                }
            }
            begin = i;
        }
    }

    /// Pixels have several reflections.
    #[inline(always)]
    fn divide_lanes(&mut self, first: u32, photons: &Column, total: &Column) {
        let mut most = [0.0; BLOCK];
        let mut give = |row: &mut RowShares, i: usize, name: f64, sum: f64| {
            let part = photons[i] * (sum / total[i]);
            if part != 0.0 {
                row.give(first + i as u32, name, part, &mut most[i]);
            }
        };
        for i in 0..BLOCK {
            for j in 0..self.count[i] {
                give(self.row, i, self.names[i][j], self.sums[i][j]);
            }
            for &(name, sum) in &self.others[i] {
                give(self.row, i, name, sum);
            }
        }
    }
}

impl RowSums {
    /// Adds sums of other pixels.
    #[inline(always)]
    fn add(&mut self, more: &Self) {
        self.photons += more.photons;
        self.fast += more.fast;
        self.fast_squared += more.fast_squared;
        if more.peak.0 > self.peak.0 {
            self.peak = more.peak;
        }
        self.range = united(self.range, more.range);
    }

    /// Notes the photons in one pixel.
    #[inline(always)]
    fn mark(&mut self, fast: u32, photons: f64, floor: f64) {
        if photons > self.peak.0 {
            self.peak = (photons, fast);
        }
        if photons >= floor && photons > 0.0 {
            self.range = united(self.range, [fast, fast + 1]);
        }
    }
}

impl BlockObserver for Shares<'_> {
    const ADDS: Adds = Adds::Named;

    fn begin<A: Arithmetic>(&mut self, view: &View<'_>, _: &Subpixels, block: &mut Block) {
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
