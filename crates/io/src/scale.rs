//! Photons to counts and greys.
//!
//! | Image | Pixel inside the window | Scale if automatic |
//! |---|---|---|
//! | [`integer`] | floor(f32(clip(photons * scale + adc, 0, full) + 0.5)) | 55000 / max, or 1 |
//! | [`noise`] | clip(poisson(photons) + adc, 0, full), truncated | none: real photons |
//! | [`greys`] | min(photons * scale, 255), truncated | 250 / (5 rmsd), or that of [`integer`] |
//!
//! `full` is the largest [`Count`]: 65535 in files of 16 bits, 2^31 - 1 in those of 32, whose counts
//! are the same up to 65535. Outside the window every pixel is 0, without the offset `adc`. The sums are taken in f64.

use std::ops::RangeInclusive;

use crate::Image;

/// What an integer image is made of.
pub trait Count: Copy + Default {
    /// The largest count.
    const FULL: f64;

    /// A number without its fraction; clipped at both ends, 0 for what is not a number.
    fn truncated(number: f64) -> Self;

    /// The same of a number between 0 and [`FULL`](Self::FULL) and a half; 0 for what is not a number.
    fn truncated_single(number: f32) -> Self;
}

impl Count for u16 {
    const FULL: f64 = u16::MAX as f64;

    #[inline]
    fn truncated(number: f64) -> Self {
        number as Self
    }

    /// A conversion that saturates is none of vectors, so the number is rounded by adding 2^23, whose
    /// last bit counts ones.
    #[inline]
    fn truncated_single(number: f32) -> Self {
        const ROUNDER: f32 = 8_388_608.0;
        let number = if number > 0.0 { number } else { 0.0 };
        let shifted = number + ROUNDER;
        let nearest = shifted.to_bits().wrapping_sub(ROUNDER.to_bits());
        nearest.wrapping_sub(u32::from(shifted - ROUNDER > number)) as Self
    }
}

/// Never negative: 0 is the least, as in files of 16 bits.
impl Count for i32 {
    const FULL: f64 = Self::MAX as f64;

    #[inline]
    fn truncated(number: f64) -> Self {
        number.max(0.0) as Self
    }

    #[inline]
    fn truncated_single(number: f32) -> Self {
        number as Self
    }
}

/// The pixels that were rendered, both ends included; what reaches beyond an image is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From the first to the last pixel along the fast axis.
    pub fast: RangeInclusive<usize>,
    /// From the first to the last pixel along the slow axis.
    pub slow: RangeInclusive<usize>,
}

impl Window {
    /// All of `image`.
    pub fn whole<T>(image: &Image<T>) -> Self {
        Self {
            fast: 0..=image.fast() - 1,
            slow: 0..=image.slow() - 1,
        }
    }

    /// How many pixels of a line of `count` come before the window and within it.
    fn columns(&self, count: usize) -> (usize, usize) {
        let start = (*self.fast.start()).min(count);
        let end = self.fast.end().saturating_add(1).min(count);
        (start, end.saturating_sub(start))
    }
}

/// The automatic scale of the integer image: its brightest pixel, of `max` photons, gets 55000.
///
/// ```
/// assert_eq!(nanobragg_io::scale::automatic_integer(110.0), 500.0);
/// assert_eq!(nanobragg_io::scale::automatic_integer(0.0), 1.0);
/// ```
pub fn automatic_integer(max: f64) -> f64 {
    if max > 0.0 { 55000.0 / max } else { 1.0 }
}

/// The automatic scale of the greymap: five rms deviations from the mean get a grey of 250.
///
/// `integer_scale`, that of the integer image, is returned where nothing deviates.
pub fn automatic_grey(rmsd: f64, integer_scale: f64) -> f64 {
    if rmsd > 0.0 {
        250.0 / (5.0 * rmsd)
    } else {
        integer_scale
    }
}

/// Scaled photons as counts, rounded; `adc` is the offset in counts.
///
/// A pixel that is not a number becomes 0.
///
/// ```
/// use nanobragg_io::{Image, scale};
///
/// let photons = Image::new(2, 1, vec![3.0, 70000.0])?;
/// let window = scale::Window::whole(&photons);
/// assert_eq!(scale::integer::<u16>(&photons, &window, 1.0, 40.0).pixels(), [43, 65535]);
/// assert_eq!(scale::integer::<i32>(&photons, &window, 1.0, 40.0).pixels(), [43, 70040]);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn integer<C: Count>(photons: &Image<f32>, window: &Window, scale: f64, adc: f64) -> Image<C> {
    inside(photons, window, |pixel| {
        let count = (f64::from(pixel) * scale + adc).clamp(0.0, C::FULL);
        // Narrowed before it is truncated: a count just below a half rounds up with it.
        C::truncated_single((count + 0.5) as f32)
    })
}

/// Scaled photons as the bytes of a greymap, truncated; negative ones are 0.
pub fn greys(photons: &Image<f32>, window: &Window, scale: f64) -> Image<u8> {
    inside(photons, window, |pixel| (f64::from(pixel) * scale) as u8)
}

/// Counts with photon noise, and what was met on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise<C = u16> {
    /// The counts, offset included.
    pub counts: Image<C>,
    /// Photons drawn in all, offset and clipping aside.
    pub photons: f64,
    /// Pixels of more counts than the largest [`Count`], which hold that.
    pub overloads: u64,
}

/// Counts of photons with noise: `poisson` is called with each pixel of the window once, in raster
/// order, and returns the number of photons that arrive.
///
/// `adc`, the offset in counts, is added to it; counts below 0 become 0.
///
/// ```
/// use nanobragg_io::{Image, scale};
///
/// let photons = Image::new(2, 1, vec![3.0, 70000.0])?;
/// let whole = scale::Window::whole(&photons);
/// let noise: scale::Noise = scale::noise(&photons, &whole, 40.0, |mean| mean);
/// assert_eq!(noise.counts.pixels(), [43, 65535]);
/// assert_eq!(noise.overloads, 1);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn noise<C: Count>(
    photons: &Image<f32>,
    window: &Window,
    adc: f64,
    mut poisson: impl FnMut(f32) -> f32,
) -> Noise<C> {
    let mut drawn = 0.0;
    let mut overloads = 0;
    let counts = inside(photons, window, |mean| {
        let arrived = f64::from(poisson(mean));
        drawn += arrived;
        let count = arrived + adc;
        overloads += u64::from(count > C::FULL);
        C::truncated(count)
    });
    Noise {
        counts,
        photons: drawn,
        overloads,
    }
}

/// `f` of the pixels in the window, in raster order, and 0 outside.
fn inside<T: Copy + Default>(
    photons: &Image<f32>,
    window: &Window,
    mut f: impl FnMut(f32) -> T,
) -> Image<T> {
    let (before, within) = window.columns(photons.fast());
    if within == photons.fast() && (0..photons.slow()).all(|slow| window.slow.contains(&slow)) {
        return photons.map(|&pixel| f(pixel));
    }
    let mut result = photons.map(|_| T::default());
    for (slow, (to, from)) in result.rows_mut().zip(photons.rows()).enumerate() {
        if window.slow.contains(&slow) {
            let from = from.iter().skip(before).take(within);
            for (to, &from) in to.iter_mut().skip(before).take(within).zip(from) {
                *to = f(from);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixels: &[f32]) -> Image<f32> {
        Image::new(pixels.len(), 1, pixels.to_vec()).unwrap()
    }

    #[test]
    fn counts_are_rounded_and_clipped() {
        let image = row(&[0.49, 0.5, 1e9, -1e9, f32::NAN, f32::INFINITY]);
        let counts = integer::<u16>(&image, &Window::whole(&image), 1.0, 0.0);
        assert_eq!(counts.pixels(), [0, 1, 65535, 0, 0, 65535]);
    }

    #[test]
    fn counts_are_narrowed_before_they_are_truncated() {
        let image = row(&[1.0]);
        let just_below = integer::<u16>(&image, &Window::whole(&image), 40000.5 - 1e-9, 0.0);
        assert_eq!(just_below.pixels(), [40001]);
    }

    #[test]
    fn greys_are_truncated() {
        let image = row(&[0.999, 254.999, 1e9, -3.0]);
        assert_eq!(
            greys(&image, &Window::whole(&image), 1.0).pixels(),
            [0, 254, 255, 0]
        );
    }

    #[test]
    fn the_grey_scale_falls_back_on_the_integer_scale() {
        assert_eq!(automatic_grey(2.0, 7.0), 25.0);
        assert_eq!(automatic_grey(0.0, 7.0), 7.0);
        assert_eq!(automatic_grey(f64::NAN, 7.0), 7.0);
    }

    #[test]
    fn outside_the_window_there_is_no_offset_and_no_draw() {
        let image = Image::new(3, 3, vec![1.0; 9]).unwrap();
        let window = Window {
            fast: 1..=2,
            slow: 1..=1,
        };
        let mut draws = 0;
        let noise: Noise = noise(&image, &window, 40.0, |mean| {
            draws += 1;
            mean
        });
        assert_eq!(noise.counts.pixels(), [0, 0, 0, 0, 41, 41, 0, 0, 0]);
        assert_eq!((draws, noise.photons), (2, 2.0));
    }

    #[test]
    fn a_window_beyond_the_image_ends_with_it() {
        let image = row(&[1.0, 2.0]);
        let window = Window {
            fast: 1..=usize::MAX,
            slow: 0..=usize::MAX,
        };
        assert_eq!(integer::<u16>(&image, &window, 1.0, 0.0).pixels(), [0, 2]);
        let beyond = Window {
            fast: 5..=9,
            slow: 0..=0,
        };
        assert_eq!(integer::<u16>(&image, &beyond, 1.0, 40.0).pixels(), [0, 0]);
    }

    #[test]
    fn wide_counts_are_the_narrow_ones_where_those_do_not_clip() {
        let pixels = [0.49, 0.5, 65535.49, 65536.0, 1e9, 1e12, -1e12, f32::NAN];
        let image = row(&pixels);
        let whole = Window::whole(&image);
        let wide = integer::<i32>(&image, &whole, 1.0, 0.0);
        let full = i32::MAX;
        assert_eq!(
            wide.pixels(),
            [0, 1, 65535, 65536, 1_000_000_000, full, 0, 0]
        );
        let narrow = integer::<u16>(&image, &whole, 1.0, 0.0);
        let clipped = wide.map(|&count| count.min(65535) as u16);
        assert_eq!(narrow, clipped);
        let noise: Noise<i32> = noise(&image, &whole, -1.0, |mean| mean.round());
        assert_eq!(
            noise.counts.pixels()[2..6],
            [65534, 65535, 999_999_999, full]
        );
        assert_eq!((noise.counts.pixels()[0], noise.overloads), (0, 1));
    }

    #[test]
    fn a_negative_offset_does_not_wrap_around() {
        let image = row(&[3.0]);
        let noise: Noise = noise(&image, &Window::whole(&image), -10.0, |mean| mean);
        assert_eq!((noise.counts.pixels(), noise.overloads), (&[0][..], 0));
    }
}
