//! A preview as PNG: dark spots on a white background, as on film.
//!
//! Diffraction spans many decades, so the grey is a logarithm or a square root of the photons.
//! Black is not the brightest pixel: next to a direct beam all else would be white. It is the level
//! that only one in a thousand of the lit pixels reaches.

use std::io::Write;

use crate::{Error, Image, Result};

/// How photons become greys; t is photons / level, clipped to 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grey {
    /// ln(1 + 10000 t) / ln(10001): shows four decades.
    #[default]
    Logarithmic,
    /// sqrt(t): counting noise has the same contrast at every grey.
    SquareRoot,
}

impl Grey {
    /// The darkness, 0 white and 1 black.
    fn darkness(self, t: f64) -> f64 {
        match self {
            Self::Logarithmic => (1e4 * t).ln_1p() / 1e4_f64.ln_1p(),
            Self::SquareRoot => t.sqrt(),
        }
    }
}

/// One of this many lit pixels is drawn black.
const LIT_PER_BLACK: u64 = 1000;

/// The bin of a pixel: the upper half of its bits, which are sign, exponent and seven bits of
/// mantissa. For positive numbers the order of the bits is that of the values. A bin is below one
/// percent wide, finer than the greys, so that a table of bins can both count pixels and hold
/// greys.
fn bin(photons: f32) -> usize {
    (photons.to_bits() >> 16) as usize
}

/// The number of bins.
const BINS: usize = 1 << 16;
/// The bin of +0, below all lit pixels.
const DARK: usize = 0;
/// The bin of +infinity, above all finite ones.
const INFINITE: usize = 0x7f80;

/// The greys of the preview, 0 black and 255 white. Pixels that are 0, negative or NaN are white.
pub fn preview(photons: &Image<f32>, grey: Grey) -> Image<u8> {
    let table = table(photons, grey);
    photons.map(|&pixel| table.get(bin(pixel)).copied().unwrap_or(u8::MAX))
}

/// The grey of each bin.
fn table(photons: &Image<f32>, grey: Grey) -> Vec<u8> {
    let value = |bin: usize| f64::from(f32::from_bits((bin as u32) << 16));
    let level = value(black_bin(photons));
    (0..BINS)
        .map(|bin| match bin {
            DARK => u8::MAX,
            1..INFINITE => {
                let darkness = grey.darkness((value(bin) / level).min(1.0));
                u8::MAX - (255.0 * darkness).round() as u8
            }
            INFINITE => 0,
            _ => u8::MAX,
        })
        .collect()
}

/// The smallest bin that is drawn black; 1 if no pixel is lit.
fn black_bin(photons: &Image<f32>) -> usize {
    let mut histogram = vec![0_u64; BINS];
    for &pixel in photons.pixels() {
        if let Some(count) = histogram.get_mut(bin(pixel)) {
            *count += 1;
        }
    }
    let lit = || {
        histogram
            .iter()
            .enumerate()
            .take(INFINITE)
            .skip(DARK + 1)
            .rev()
    };
    let black = lit()
        .map(|(_, count)| count)
        .sum::<u64>()
        .div_ceil(LIT_PER_BLACK);
    let mut seen = 0;
    lit()
        .find(|&(_, count)| {
            seen += count;
            black > 0 && seen >= black
        })
        .map_or(DARK + 1, |(bin, _)| bin)
}

/// Writes a preview of `photons` as an 8-bit greyscale PNG of the same sides.
///
/// # Errors
/// Errors of the writer, or [`Error::TooLarge`] if a side does not fit the format.
///
/// ```
/// use nanobragg_io::{Image, png};
///
/// let photons = Image::new(2, 2, vec![0.0, 0.1, 10.0, 1000.0])?;
/// assert_eq!(png::preview(&photons, png::Grey::Logarithmic).pixels(), [255, 236, 127, 0]);
/// png::write(std::io::sink(), &photons, png::Grey::Logarithmic)?;
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write(writer: impl Write, photons: &Image<f32>, grey: Grey) -> Result<()> {
    let (fast, slow) = (photons.fast(), photons.slow());
    // A side in PNG is below 2^31.
    let side = |count: usize| {
        i32::try_from(count)
            .map(i32::unsigned_abs)
            .map_err(|_| Error::TooLarge { fast, slow })
    };
    let mut encoder = ::png::Encoder::new(writer, side(fast)?, side(slow)?);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::Fast);
    let mut file = encoder.write_header()?;
    file.write_image_data(preview(photons, grey).pixels())?;
    Ok(file.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixels: &[f32]) -> Image<f32> {
        Image::new(pixels.len(), 1, pixels.to_vec()).unwrap()
    }

    #[test]
    fn an_unlit_image_is_white() {
        for unlit in [0.0, -0.0, -5.0, f32::NAN, -f32::NAN, f32::NEG_INFINITY] {
            assert_eq!(
                preview(&row(&[unlit; 4]), Grey::SquareRoot).pixels(),
                [255; 4]
            );
        }
    }

    #[test]
    fn infinity_is_black_and_does_not_change_the_level() {
        let image = row(&[f32::INFINITY, 100.0, 25.0, 0.0]);
        assert_eq!(preview(&image, Grey::SquareRoot).pixels(), [0, 0, 127, 255]);
    }

    #[test]
    fn one_bright_pixel_in_two_thousand_does_not_change_the_level() {
        let mut pixels = vec![4.0; 2000];
        pixels[7] = 1e30;
        let greys = preview(&row(&pixels), Grey::Logarithmic);
        assert_eq!((greys.pixels()[7], greys.pixels()[8]), (0, 0));
    }

    #[test]
    fn the_extremes_of_f32_are_drawn() {
        for lit in [f32::from_bits(1 << 16), f32::MIN_POSITIVE, f32::MAX] {
            assert_eq!(preview(&row(&[lit]), Grey::Logarithmic).pixels(), [0]);
        }
    }

    #[test]
    fn more_photons_are_never_lighter() {
        let image = row(&(0..4000).map(|i| i as f32 * 0.37).collect::<Vec<_>>());
        for grey in [Grey::Logarithmic, Grey::SquareRoot] {
            assert!(preview(&image, grey).pixels().is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn the_file_decodes_to_the_preview() -> Result<()> {
        let image = Image::new(31, 17, (0..31 * 17).map(|i| i as f32).collect())?;
        let mut bytes = Vec::new();
        write(&mut bytes, &image, Grey::default())?;
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut greys = vec![0; 31 * 17];
        let info = reader.next_frame(&mut greys).unwrap();
        assert_eq!((info.width, info.height), (31, 17));
        assert_eq!(greys, preview(&image, Grey::default()).pixels());
        Ok(())
    }
}
