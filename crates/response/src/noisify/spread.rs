//! The point spread of noisify, with its sums in the order of the C program.
//!
//! C adds the kernel of each pixel to the image, pixel by pixel, in single precision. A pixel of the
//! result therefore receives the pixels around it in raster order. Here each row of the result does the
//! same on its own, so that rows are independent.

use super::level::{Level, Task};
use crate::psf::{FIBER_SCALE, fiber_quadrant, gauss_edges};
use crate::threads::map_chunks;

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

/// The weights of a disc, in rows with [`BLOCK`] zeros at both ends.
struct Kernel {
    rows: Vec<Vec<f64>>,
    radius: usize,
    /// For each row, the same cut at 0, 1, 2, ... pixels from the middle: [`BLOCK`] zeros, the weights, and
    /// zeros up to the length of [`length_of_cut`].
    short: Vec<Vec<Vec<f64>>>,
    /// How far a disc of each radius reaches in a row at each distance from its middle, `[distance][radius]`.
    half_widths: Vec<Vec<u32>>,
}

/// The length of a row that is cut at this half width. The weights can begin at any pixel of a block.
const fn length_of_cut(half: usize) -> usize {
    BLOCK + (2 * half + BLOCK).next_multiple_of(BLOCK)
}

/// The largest distance and half width of the rows that are kept cut.
const SHORT: usize = 48;

impl Kernel {
    /// Each weight is the integral over a pixel, added up from the corners of the pixel in the order of C.
    fn new(spread: &NoisifySpread, radius: usize) -> Self {
        let reach = radius as isize;
        let squared = reach * reach;
        let weight: Box<dyn Fn(isize, isize) -> f64> = match spread.profile {
            NoisifyProfile::Gauss => {
                let edges = (-reach..=reach)
                    .map(|place| gauss_edges(place as f64, spread.fwhm_pixels))
                    .collect::<Vec<_>>();
                let at = move |place: isize| {
                    let found = edges.get((place + reach) as usize);
                    found.copied().unwrap_or_default()
                };
                // sqrt(ln 16 / ln 2), which is 2.
                let factor = (16.0_f64.ln() / 2.0_f64.ln()).sqrt();
                Box::new(move |x, y| {
                    let ([[x_up, _], [x_low, _]], [[_, y_up], [_, y_low]]) = (at(x), at(y));
                    let corner = |x: f64, y: f64| 0.125 * (x * y * factor);
                    corner(x_up, y_up) - corner(x_up, y_low) - corner(x_low, y_up)
                        + corner(x_low, y_low)
                })
            }
            NoisifyProfile::Fiber => {
                let g = spread.g();
                // The corners of one quadrant, at half-integers.
                let corners = (0..=radius)
                    .map(|y| {
                        let corner = |x| fiber_quadrant(x as f64 + 0.5, y as f64 + 0.5, g);
                        (0..=radius).map(corner).collect::<Vec<_>>()
                    })
                    .collect::<Vec<_>>();
                // The corner at (x + 1/2, y + 1/2).
                let corner = move |x: isize, y: isize| {
                    let fold = |place: isize| if place < 0 { -place - 1 } else { place } as usize;
                    let sign = if (x < 0) == (y < 0) { 1.0 } else { -1.0 };
                    let row = corners.get(fold(y)).map(Vec::as_slice).unwrap_or_default();
                    sign * row.get(fold(x)).copied().unwrap_or_default()
                };
                Box::new(move |x, y| {
                    corner(x, y) - corner(x, y - 1) - corner(x - 1, y) + corner(x - 1, y - 1)
                })
            }
        };
        let rows = (-reach..=reach).map(|y| {
            let inside = |x: isize| x * x + y * y <= squared;
            let weights = (-reach..=reach).map(|x| if inside(x) { weight(x, y) } else { 0.0 });
            let zeros = [0.0; BLOCK];
            zeros.into_iter().chain(weights).chain(zeros).collect()
        });
        let rows: Vec<Vec<f64>> = rows.collect();
        let short = rows.iter().enumerate().map(|(place, row)| {
            let is_near = place.abs_diff(radius) <= SHORT;
            let most = if is_near { SHORT.min(radius) + 1 } else { 0 };
            let cut = |half: usize| {
                let middle = row.iter().skip(BLOCK + radius - half).take(2 * half + 1);
                let mut cut = vec![0.0; BLOCK];
                cut.extend(middle);
                cut.resize(length_of_cut(half), 0.0);
                cut
            };
            (0..most).map(cut).collect()
        });
        let half_widths = (0..=radius).map(|rows| {
            let half = |reach: usize| (reach * reach).saturating_sub(rows * rows).isqrt() as u32;
            (0..=radius).map(half).collect()
        });
        Self {
            short: short.collect(),
            half_widths: half_widths.collect(),
            rows,
            radius,
        }
    }

    /// The cut rows at a distance of `shift`, by half width.
    fn short_rows(&self, shift: isize) -> &[Vec<f64>] {
        let place = usize::try_from(shift + self.radius as isize).ok();
        let rows = place.and_then(|place| self.short.get(place));
        rows.map(Vec::as_slice).unwrap_or_default()
    }

    /// The row at a distance of `shift`, if it is in the kernel.
    fn row(&self, shift: isize) -> Option<&[f64]> {
        let place = usize::try_from(shift + self.radius as isize).ok()?;
        self.rows.get(place).map(Vec::as_slice)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The loops of the C program, one pixel after the other.
    fn plain(spread: &NoisifySpread, photons: &[f32], width: usize, fixed: bool) -> Vec<f32> {
        let height = photons.len() / width;
        let longest = width.max(height) as i32;
        let brightest = f64::from(photons.iter().copied().fold(0.0, f32::max));
        let largest = match spread.radius_pixels {
            radius if radius > 0 => radius,
            _ => spread.radius_of_brightest(brightest),
        };
        let kernel = Kernel::new(spread, largest.min(longest) as usize);
        let mut out = vec![0.0_f32; photons.len()];
        let mut lost = 0.0;
        for (i, &value) in photons.iter().enumerate() {
            if value <= 0.0 {
                continue;
            }
            let (place, row) = ((i % width) as isize, (i / width) as isize);
            let value = f64::from(value);
            let radius = match spread.radius_pixels {
                0 => spread.radius_of(value).max(1),
                radius => radius,
            };
            let radius = radius.min(longest);
            lost += spread.lost(value, radius);
            let radius = radius.min(largest) as isize;
            for dx in -radius..=radius {
                for dy in -radius..=radius {
                    let (x, y) = (place + dx, row + dy);
                    let edge = if fixed {
                        width as isize - 1
                    } else {
                        width as isize
                    };
                    if dx * dx + dy * dy > radius * radius || x < 0 || x > edge || y < 0 {
                        continue;
                    }
                    let weight =
                        kernel.row(dy).unwrap()[(BLOCK + kernel.radius).wrapping_add_signed(dx)];
                    if let Some(sum) = out.get_mut((y * width as isize + x) as usize) {
                        *sum = plus(*sum, value * weight);
                    }
                }
            }
        }
        let background = if fixed {
            0.0
        } else {
            lost / photons.len() as f64
        };
        out.iter().map(|sum| plus(*sum, background)).collect()
    }

    #[test]
    fn rows_on_their_own_are_the_loops_of_c() {
        let mut state = 9_u64;
        for (width, height, brightest) in [(61, 47, 3.0), (23, 80, 5.0), (130, 7, 6.0), (8, 8, 2.0)]
        {
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 40) as f64 / f64::from(1 << 24)
            };
            let mut pixel = || match next() {
                dark if dark < 0.2 => 0.0,
                bright if bright > 0.99 => 10_f64.powf(brightest) as f32,
                other => (40.0 * other).floor() as f32,
            };
            let photons: Vec<f32> = (0..width * height).map(|_| pixel()).collect();
            for profile in [NoisifyProfile::Gauss, NoisifyProfile::Fiber] {
                for (fwhm_pixels, radius_pixels) in [(0.46, 0), (2.5, 0), (1.0, 1), (0.8, 60)] {
                    let spread = NoisifySpread {
                        profile,
                        fwhm_pixels,
                        radius_pixels,
                    };
                    for fixed in [false, true] {
                        let expected = plain(&spread, &photons, width, fixed);
                        for level in [Level::Baseline, Level::detect()] {
                            let ours = spread.apply_at(level, &photons, width, fixed).photons;
                            assert!(ours == expected, "{spread:?} {width} {fixed} {level:?}");
                        }
                    }
                }
            }
        }
    }
}
