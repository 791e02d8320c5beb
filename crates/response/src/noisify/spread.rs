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
        let mut sources = Sources::new(self, photons, width, longest);
        spread.lost_photons = sources.lost_photons;
        // C's kernel has no weights beyond its radius.
        for reach in sources.radii.iter_mut().flatten() {
            *reach = (*reach).min(radius);
        }
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

/// The photons that are spread, with the radius of each pixel.
struct Sources {
    /// The pixels with photons in each row: position and photons.
    pixels: Vec<Vec<(u32, f64)>>,
    /// The radius of each of them; negative for none.
    radii: Vec<Vec<i32>>,
    lost_photons: f64,
}

impl Sources {
    fn new(spread: &NoisifySpread, photons: &[f32], width: usize, longest: i32) -> Self {
        let mut sources = Self {
            pixels: Vec::new(),
            radii: Vec::new(),
            lost_photons: 0.0,
        };
        for row in photons.chunks(width) {
            let (mut pixels, mut radii) = (Vec::new(), Vec::new());
            for (place, &photons) in (0_u32..).zip(row) {
                if photons <= 0.0 {
                    continue;
                }
                let photons = f64::from(photons);
                let mut radius = match spread.radius_pixels {
                    0 => spread.radius_of(photons),
                    given => given,
                };
                if radius == 0 {
                    radius = 1;
                }
                radius = radius.min(longest);
                sources.lost_photons += spread.lost(photons, radius);
                pixels.push((place, photons));
                radii.push(radius);
            }
            sources.pixels.push(pixels);
            sources.radii.push(radii);
        }
        sources
    }
}

/// The weights of a disc, in rows with [`BLOCK`] zeros at both ends.
struct Kernel {
    rows: Vec<Vec<f64>>,
    radius: usize,
}

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
        Self {
            rows: rows.collect(),
            radius,
        }
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
        map_chunks(0, photons, width, |slow, row| {
            level.run(Row {
                job: self,
                slow,
                row,
            });
        });
    }
}

/// One row of the result.
struct Row<'a> {
    job: &'a Job<'a>,
    slow: usize,
    row: &'a mut [f32],
}

impl Task for Row<'_> {
    #[inline(always)]
    fn run(self) {
        let Job {
            kernel,
            sources,
            wraps,
            background,
        } = self.job;
        let width = self.row.len();
        let radius = kernel.radius;
        // Blocks of full length, so that all have the same code.
        let mut sums = vec![[0.0_f32; BLOCK]; width.div_ceil(BLOCK)];
        let mut half_widths = vec![0_isize; radius + 1];
        // One row more than the radius, which reaches this row only around the edge.
        let first = self.slow.saturating_sub(radius + 1);
        let rows = sources.pixels.iter().zip(&sources.radii).enumerate();
        for (slow, (pixels, radii)) in rows.skip(first).take(self.slow - first + radius + 1) {
            let shift = self.slow as isize - slow as isize;
            let squared = shift * shift;
            for (reach, half) in (0_isize..).zip(&mut half_widths) {
                let rest = reach * reach - squared;
                *half = if rest < 0 {
                    -1
                } else {
                    (rest as f64).sqrt() as isize
                };
            }
            let weights = kernel.row(shift);
            let above = kernel.row(shift - 1).filter(|_| *wraps && self.slow > 0);
            for (&(place, photons), &reach) in pixels.iter().zip(radii) {
                let (place, reach) = (place as isize, reach as isize);
                let Some(&half) = usize::try_from(reach).ok().and_then(|r| half_widths.get(r))
                else {
                    continue;
                };
                if let Some(weights) = weights.filter(|_| half >= 0) {
                    let from = (place - half).max(0) as usize;
                    let to = ((place + half) as usize).min(width - 1);
                    // The weight of the first pixel of the row.
                    let start = BLOCK as isize + radius as isize - place;
                    add(&mut sums, from, to, weights, start, photons);
                }
                // C lets the pixel right of the last one through, which is the first one of the row below.
                let beyond = width as isize - place;
                if let Some(above) = above
                    && beyond * beyond + (shift - 1) * (shift - 1) <= reach * reach
                {
                    let weight = above.get((BLOCK as isize + radius as isize + beyond) as usize);
                    if let Some(sum) = sums.first_mut().and_then(|block| block.first_mut()) {
                        *sum = plus(*sum, photons * weight.copied().unwrap_or_default());
                    }
                }
            }
        }
        for (to, sum) in self.row.iter_mut().zip(sums.as_flattened()) {
            *to = background.map_or(*sum, |background| plus(*sum, background));
        }
    }
}

/// The sum, rounded to single precision after each addition, as in C.
#[inline(always)]
fn plus(sum: f32, term: f64) -> f32 {
    (f64::from(sum) + term) as f32
}

/// Adds weighted photons to the pixels `from..=to`. The weight of pixel i is `weights[start + i]`.
#[inline(always)]
fn add(
    sums: &mut [[f32; BLOCK]],
    from: usize,
    to: usize,
    weights: &[f64],
    start: isize,
    photons: f64,
) {
    let (first, last) = (from / BLOCK, to / BLOCK);
    let Some(sums) = sums.get_mut(first..=last) else {
        return;
    };
    let offset = start + (first * BLOCK) as isize;
    let Some(weights) = usize::try_from(offset).ok().and_then(|o| weights.get(o..)) else {
        return;
    };
    let (weights, _) = weights.as_chunks::<BLOCK>();
    let end = sums.len() - 1;
    for (block, (sums, weights)) in sums.iter_mut().zip(weights).enumerate() {
        if block > 0 && block < end {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = plus(*sum, photons * weight);
            }
            continue;
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
