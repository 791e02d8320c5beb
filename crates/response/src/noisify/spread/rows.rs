//! The rows of the result.

use super::super::level::{Level, Task};
use super::BLOCK;
use super::kernel::{Kernel, SHORT, length_of_cut};
use super::sources::{Source, Sources};
use crate::threads::map_chunks;

/// The rows that are worked on together.
const ROWS: usize = 4;

/// All that a row of the result needs.
pub(super) struct Job<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) sources: &'a Sources,
    pub(super) wraps: bool,
    /// Added to each pixel at the end.
    pub(super) background: Option<f64>,
}

impl Job<'_> {
    pub(super) fn rows(&self, level: Level, photons: &mut [f32], width: usize) {
        map_chunks(0, photons, ROWS * width, |place, rows| {
            level.run(Rows {
                job: self,
                width,
                slow: ROWS * place,
                rows,
            });
        });
    }
}

/// Some rows of the result.
struct Rows<'a> {
    job: &'a Job<'a>,
    width: usize,
    /// The first of the rows.
    slow: usize,
    rows: &'a mut [f32],
}

/// The parts of the kernel that take a row of sources to a row of the result.
#[derive(Clone, Copy, Default)]
struct Way<'k> {
    /// The distance between the two rows.
    rows: usize,
    weights: Option<&'k [f64]>,
    short: &'k [Vec<f64>],
    half_widths: &'k [u32],
    /// The weights for the row above, of which the pixel beyond the right edge is the first one of this row.
    above: Option<&'k [f64]>,
    rows_above: usize,
}

impl<'k> Way<'k> {
    fn new(job: &Job<'k>, from: usize, to: usize) -> Self {
        let kernel = job.kernel;
        let shift = to as isize - from as isize;
        let half_widths = kernel.half_widths.get(shift.unsigned_abs());
        Self {
            rows: shift.unsigned_abs(),
            weights: kernel.row(shift),
            short: kernel.short_rows(shift),
            half_widths: half_widths.map(Vec::as_slice).unwrap_or_default(),
            above: kernel.row(shift - 1).filter(|_| job.wraps && to > 0),
            rows_above: (shift - 1).unsigned_abs(),
        }
    }

    /// The rows that a source must reach to take part.
    fn nearest(&self) -> usize {
        match self.above {
            Some(_) => self.rows.min(self.rows_above),
            None => self.rows,
        }
    }

    /// Adds the photons of a source.
    #[inline(always)]
    fn add(&self, source: Source, sums: &mut [[f32; BLOCK]], width: usize, radius: usize) {
        let (place, reach) = (source.place as usize, source.reach as usize);
        if reach >= self.rows
            && let Some(&half) = self.half_widths.get(reach)
        {
            let half = half as usize;
            // A cut row cannot begin left of the first pixel.
            if let Some(weights) = self.short.get(half).filter(|_| place >= half) {
                add_all(sums, place, half, weights, source.photons);
            } else if let Some(weights) = self.weights {
                add(sums, place, half, weights, radius, source.photons);
            }
        }
        // C lets the pixel right of the last one through, which is the first one of the row below.
        let beyond = width - place;
        if let Some(above) = self.above
            && beyond <= reach
            && beyond * beyond + self.rows_above * self.rows_above <= reach * reach
        {
            let weight = above.get(BLOCK + radius + beyond);
            if let Some(sum) = sums.first_mut().and_then(|block| block.first_mut()) {
                *sum = plus(*sum, source.photons * weight.copied().unwrap_or_default());
            }
        }
    }
}

impl Task for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let (job, width) = (self.job, self.width);
        let radius = job.kernel.radius;
        // Blocks of full length, so that all have the same code. Pixels beyond the row are not used.
        let blocks = (width + length_of_cut(SHORT)).div_ceil(BLOCK);
        let count = self.rows.len() / width;
        let mut sums = vec![[0.0_f32; BLOCK]; blocks * count];
        // One row more than the radius, which reaches a row only around the edge.
        let first = self.slow.saturating_sub(radius + 1);
        let sources = job.sources.rows.iter().enumerate().skip(first);
        for (from, row) in sources.take(self.slow - first + radius + count + 1) {
            let mut ways = [Way::default(); ROWS];
            let rows = self.slow..self.slow + count;
            for (way, to) in ways.iter_mut().zip(rows) {
                *way = Way::new(job, from, to);
            }
            let ways = ways.get(..count).unwrap_or_default();
            let nearest = ways.iter().map(Way::nearest).min().unwrap_or_default();
            for source in row.reaching(nearest) {
                // The rows do not wait for each other.
                for (way, sums) in ways.iter().zip(sums.chunks_exact_mut(blocks)) {
                    way.add(source, sums, width, radius);
                }
            }
        }
        let sums = sums.chunks_exact(blocks).map(<[_]>::as_flattened);
        for (row, sums) in self.rows.chunks_mut(width).zip(sums) {
            for (to, sum) in row.iter_mut().zip(sums) {
                *to = (job.background).map_or(*sum, |background| plus(*sum, background));
            }
        }
    }
}

/// The sum, rounded to single precision after each addition, as in C.
#[inline(always)]
pub(super) fn plus(sum: f32, term: f64) -> f32 {
    (f64::from(sum) + term) as f32
}

/// Adds the photons of the pixel at `place`, which is at least `half`, weighted with a cut row. Its zeros are added,
/// too, which changes nothing.
#[inline(always)]
fn add_all(sums: &mut [[f32; BLOCK]], place: usize, half: usize, weights: &[f64], photons: f64) {
    let first = (place - half) / BLOCK;
    // The weight of pixel i is at BLOCK + half - place + i.
    let offset = BLOCK + half + first * BLOCK - place;
    let (Some(sums), Some(weights)) = (sums.get_mut(first..), weights.get(offset..)) else {
        return;
    };
    let (weights, _) = weights.as_chunks::<BLOCK>();
    for (sums, weights) in sums.iter_mut().zip(weights) {
        if !add_block(sums, weights, photons) {
            return;
        }
    }
}

/// Adds a block of weighted photons. Returns whether the weights are numbers, as they always are: a loop
/// that may end there is not vectorised across blocks, which would have to be transposed.
#[inline(always)]
fn add_block(sums: &mut [f32; BLOCK], weights: &[f64; BLOCK], photons: f64) -> bool {
    // All are read before the first is written, so that they can be in one register.
    let (mut together, weights) = (*sums, *weights);
    for (sum, weight) in together.iter_mut().zip(&weights) {
        *sum = plus(*sum, photons * weight);
    }
    *sums = together;
    !weights.first().is_some_and(|weight| weight.is_nan())
}

/// The same with a row that is not 0 beyond the half width.
#[inline(always)]
fn add(
    sums: &mut [[f32; BLOCK]],
    place: usize,
    half: usize,
    weights: &[f64],
    radius: usize,
    photons: f64,
) {
    let from = place.saturating_sub(half);
    let to = (place + half).min(sums.len() * BLOCK - 1);
    let (first, last) = (from / BLOCK, to / BLOCK);
    let offset = BLOCK + radius + first * BLOCK - place;
    let (Some(sums), Some(weights)) = (sums.get_mut(first..=last), weights.get(offset..)) else {
        return;
    };
    let (weights, _) = weights.as_chunks::<BLOCK>();
    let end = sums.len() - 1;
    for (block, (sums, weights)) in sums.iter_mut().zip(weights).enumerate() {
        if block > 0 && block < end {
            if add_block(sums, weights, photons) {
                continue;
            }
            return;
        }
        let low = if block == 0 { from % BLOCK } else { 0 };
        let high = if block == end { to % BLOCK } else { BLOCK - 1 };
        for (lane, (sum, weight)) in sums.iter_mut().zip(weights).enumerate() {
            let weight = if lane >= low && lane <= high {
                *weight
            } else {
                0.0
            };
            *sum = plus(*sum, photons * weight);
        }
    }
}
