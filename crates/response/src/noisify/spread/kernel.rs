//! The weights of the point spread of noisify.

use super::{BLOCK, NoisifyProfile, NoisifySpread};
use crate::psf::{fiber_quadrant, gauss_edges};

/// The weights of a disc, in rows with [`BLOCK`] zeros at both ends.
pub(super) struct Kernel {
    rows: Vec<Vec<f64>>,
    pub(super) radius: usize,
    /// For each row, the same cut at 0, 1, 2, ... pixels from the middle: [`BLOCK`] zeros, the weights, and
    /// zeros up to the length of [`length_of_cut`].
    short: Vec<Vec<Vec<f64>>>,
    /// How far a disc of each radius reaches in a row at each distance from its middle, `[distance][radius]`.
    pub(super) half_widths: Vec<Vec<u32>>,
}

/// The length of a row that is cut at this half width. The weights can begin at any pixel of a block.
pub(super) const fn length_of_cut(half: usize) -> usize {
    BLOCK + (2 * half + BLOCK).next_multiple_of(BLOCK)
}

/// The largest distance and half width of the rows that are kept cut.
pub(super) const SHORT: usize = 48;

impl Kernel {
    /// Each weight is the integral over a pixel, added up from the corners of the pixel in the order of C.
    pub(super) fn new(spread: &NoisifySpread, radius: usize) -> Self {
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
    pub(super) fn short_rows(&self, shift: isize) -> &[Vec<f64>] {
        let place = usize::try_from(shift + self.radius as isize).ok();
        let rows = place.and_then(|place| self.short.get(place));
        rows.map(Vec::as_slice).unwrap_or_default()
    }

    /// The row at a distance of `shift`, if it is in the kernel.
    pub(super) fn row(&self, shift: isize) -> Option<&[f64]> {
        let place = usize::try_from(shift + self.radius as isize).ok()?;
        self.rows.get(place).map(Vec::as_slice)
    }
}
