//! The point spread of noisify, with its sums in the order of the C program.
//!
//! C adds the kernel of each pixel to the image, pixel by pixel, in single precision. A pixel of the
//! result therefore receives the pixels around it in raster order. Here each row of the result does the
//! same on its own, so that rows are independent.

mod kernel;
#[cfg(test)]
mod tests;

use super::level::{Level, Task};
use crate::psf::FIBER_SCALE;
use crate::threads::map_chunks;
use kernel::{Kernel, SHORT, length_of_cut};

/// The part of the noise of a pixel that may be lost beyond the radius of its kernel.
const LOSS_FACTOR: f64 = 10.0;

/// The pixels of a row that are worked on together.
const BLOCK: usize = 8;

/// The rows that are worked on together.
const ROWS: usize = 4;

/// The profile of a point spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoisifyProfile {
    /// A Gaussian.
    Gauss,
    /// A fibre-optic taper: `g / (2 pi) (g^2 + r^2)^(-3/2)`.
    Fiber,
}

/// The point spread of noisify.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisifySpread {
    /// The profile.
    pub profile: NoisifyProfile,
    /// The full width at half maximum, in pixels; above 0.
    pub fwhm_pixels: f64,
    /// The radius of the kernel in pixels. 0 for a radius that grows with the photons of a pixel. With a
    /// negative radius all photons are lost.
    pub radius_pixels: i32,
}

/// An image after the point spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The photons of each pixel.
    pub photons: Vec<f32>,
    /// The photons of the brightest pixel, if the radius of the kernel follows them.
    pub brightest: Option<f64>,
    /// The radius that was chosen for the brightest pixel; `None` if the radius was given or there are no
    /// photons.
    pub automatic_radius: Option<i32>,
    /// The photons beyond the radius of their kernel. With the oddity `psf-wrap` they are spread over the
    /// image.
    pub lost_photons: f64,
}

impl NoisifySpread {
    /// The image after the point spread, in rows of `width`. With `fixed`, photons that leave the image or
    /// their kernel are gone.
    pub(super) fn apply(&self, photons: &[f32], width: usize, fixed: bool) -> Spread {
        self.apply_at(Level::detect(), photons, width, fixed)
    }

    fn apply_at(&self, level: Level, photons: &[f32], width: usize, fixed: bool) -> Spread {
        let width = width.max(1);
        let height = photons.len() / width;
        let longest = i32::try_from(width.max(height)).unwrap_or(i32::MAX);
        let mut spread = Spread {
            photons: vec![0.0; photons.len()],
            brightest: None,
            automatic_radius: None,
            lost_photons: 0.0,
        };
        let mut radius = self.radius_pixels;
        if radius <= 0 {
            let brightest = photons.iter().fold(
                0.0,
                |most, &photons| {
                    if most < photons { photons } else { most }
                },
            );
            let brightest = f64::from(brightest);
            spread.brightest = Some(brightest);
            if brightest <= 0.0 {
                return spread;
            }
            radius = self.radius_of_brightest(brightest);
            spread.automatic_radius = Some(radius);
            radius = if radius == 0 { 1 } else { radius };
        }
        let radius = radius.min(longest);
        let sources = Sources::new(self, photons, width, [longest, radius]);
        spread.lost_photons = sources.lost_photons;
        if let Ok(radius) = usize::try_from(radius) {
            let job = Job {
                kernel: &Kernel::new(self, radius),
                sources: &sources,
                wraps: !fixed,
                background: (!fixed).then_some(sources.lost_photons / photons.len() as f64),
            };
            job.rows(level, &mut spread.photons, width);
        } else if !fixed {
            let background = sources.lost_photons / photons.len() as f64;
            spread.photons.fill((0.0 + background) as f32);
        }
        spread
    }

    /// The radius beyond which a tenth of the noise of the brightest pixel falls. Unlike
    /// [`radius_of`](Self::radius_of) it divides twice, and may round differently.
    fn radius_of_brightest(&self, photons: f64) -> i32 {
        match self.profile {
            NoisifyProfile::Gauss => {
                let lost = photons.sqrt() / LOSS_FACTOR;
                let width = (-(lost / photons).ln() / 4.0_f64.ln() / 2.0).sqrt() * self.fwhm_pixels;
                c_int(1.0 + width.ceil())
            }
            NoisifyProfile::Fiber => self.radius_of(photons),
        }
    }

    /// The radius beyond which a tenth of the noise of a pixel falls.
    fn radius_of(&self, photons: f64) -> i32 {
        let lost = photons.sqrt() / LOSS_FACTOR;
        let width = match self.profile {
            NoisifyProfile::Gauss => {
                (-(lost / photons).ln() / 16.0_f64.ln()).sqrt() * self.fwhm_pixels
            }
            NoisifyProfile::Fiber => self.g() * (photons / lost),
        };
        c_int(1.0 + width.ceil())
    }

    /// The photons beyond a radius.
    fn lost(&self, photons: f64, radius: i32) -> f64 {
        match self.profile {
            NoisifyProfile::Gauss => {
                let ratio = f64::from(radius) / self.fwhm_pixels;
                photons * (-16.0_f64.ln() * (ratio * ratio)).exp()
            }
            NoisifyProfile::Fiber => {
                let square = f64::from(radius.wrapping_mul(radius));
                photons * self.g() / (self.g() * self.g() + square).sqrt()
            }
        }
    }

    /// The width of the fibre profile.
    fn g(&self) -> f64 {
        self.fwhm_pixels * FIBER_SCALE
    }
}

/// The conversion of C on x86-64: numbers out of range, and NaN, become the smallest integer.
fn c_int(number: f64) -> i32 {
    let is_in_range = number > -2_147_483_649.0 && number < 2_147_483_648.0;
    if is_in_range { number as i32 } else { i32::MIN }
}

/// A pixel with photons.
#[derive(Clone, Copy)]
struct Source {
    photons: f64,
    /// The position along the fast axis.
    place: u32,
    /// The radius of its kernel; negative for none.
    reach: i32,
}

/// The pixels with photons of a row.
struct SourceRow {
    all: Vec<Source>,
    /// For the list at place n, from 0: those that reach [`reach_of_list`] rows or more. A row of the
    /// result looks only at the pixels that may reach it.
    far: Vec<Vec<u32>>,
}

/// The radius from which a pixel is in the list at this place.
fn reach_of_list(place: usize) -> usize {
    match place {
        0 => 0,
        place => 2 << place,
    }
}

/// The pixels that are spread.
struct Sources {
    rows: Vec<SourceRow>,
    lost_photons: f64,
}

impl Sources {
    fn new(
        spread: &NoisifySpread,
        photons: &[f32],
        width: usize,
        [longest, radius]: [i32; 2],
    ) -> Self {
        let mut lost_photons = 0.0;
        let rows = photons.chunks(width).map(|row| {
            let mut sources = SourceRow {
                all: Vec::new(),
                far: Vec::new(),
            };
            for (place, &photons) in (0_u32..).zip(row) {
                if photons <= 0.0 {
                    continue;
                }
                let photons = f64::from(photons);
                let reach = match spread.radius_pixels {
                    0 => spread.radius_of(photons),
                    given => given,
                };
                let reach = if reach == 0 { 1 } else { reach }.min(longest);
                lost_photons += spread.lost(photons, reach);
                sources.push(Source {
                    photons,
                    place,
                    // C's kernel has no weights beyond its radius.
                    reach: reach.min(radius),
                });
            }
            sources
        });
        Self {
            rows: rows.collect(),
            lost_photons,
        }
    }
}

impl SourceRow {
    fn push(&mut self, source: Source) {
        let Ok(reach) = usize::try_from(source.reach) else {
            return;
        };
        let number = self.all.len() as u32;
        self.all.push(source);
        for place in 0.. {
            if reach_of_list(place) > reach {
                break;
            }
            if self.far.len() == place {
                self.far.push(Vec::new());
            }
            if let Some(list) = self.far.get_mut(place) {
                list.push(number);
            }
        }
    }

    /// The pixels, in their order, among which are all that reach this number of rows.
    fn reaching(&self, rows: usize) -> impl Iterator<Item = Source> {
        let lists = self.far.iter().enumerate();
        let shortest = lists.take_while(|(place, _)| reach_of_list(*place) <= rows);
        let shortest = shortest.last().map_or(&[][..], |(_, list)| list.as_slice());
        // Nothing reaches further than the last list says.
        let is_beyond = rows >= reach_of_list(self.far.len());
        let list = if is_beyond { &[][..] } else { shortest };
        let found = list.iter().map(|&number| self.all.get(number as usize));
        found.flatten().copied()
    }
}

/// All that a row of the result needs.
struct Job<'a> {
    kernel: &'a Kernel,
    sources: &'a Sources,
    wraps: bool,
    /// Added to each pixel at the end.
    background: Option<f64>,
}

impl Job<'_> {
    fn rows(&self, level: Level, photons: &mut [f32], width: usize) {
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
fn plus(sum: f32, term: f64) -> f32 {
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
