//! TIFF with one number per pixel, as detectors write it.
//!
//! The writer makes a baseline TIFF without compression: one strip, little-endian, with the miniCBF
//! header (see [`cbf`](crate::cbf)) as its description. The reader also takes big-endian files,
//! tiles, and compression by LZW or deflate.
//!
//! # Source
//! Adobe, TIFF Revision 6.0 (1992), sections 2, 8 and 19.

use std::io::{Cursor, Write};

use ::tiff::ColorType;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;

use crate::bytes::write_pixels;
use crate::cbf::{marks_in_lines, pilatus_lines};
use crate::exposure::marked;
use crate::{Error, Exposure, Image, Marks, Result, StoredPixels};

/// The number of directory entries.
const ENTRIES: u16 = 12;

/// The most memory that reading a file may take, in bytes.
const MOST_BYTES: usize = 1 << 30;

/// The type of a directory entry's value, by its number in TIFF.
#[derive(Clone, Copy)]
enum Kind {
    Ascii = 2,
    Short = 3,
    Long = 4,
}

/// The type of a pixel, by its `SampleFormat`.
#[derive(Clone, Copy)]
enum Sample {
    Unsigned = 1,
    Signed = 2,
    Float = 3,
}

/// Writes counts, a page for each panel, in 16 bits if all of them fit, otherwise in 32. Negative
/// counts become 0. If pixels are masked, the numbers have a sign and 32 bits, and masked pixels are
/// negative, as in files of DECTRIS.
///
/// # Errors
/// Errors of the writer, or [`Error::TooLarge`] for a file of more than 4 GB.
///
/// ```
/// use nanobragg_io::{Exposure, Image, tiff};
///
/// let counts = Image::new(2, 1, vec![7, 70000])?;
/// let mut file = Vec::new();
/// tiff::write_counts(&mut file, &[Exposure::default()], &[counts])?;
/// let (pixels, _) = tiff::parse(&file)?;
/// assert_eq!(pixels, Image::new(2, 1, vec![7_u32, 70000])?.into());
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write_counts(
    mut writer: impl Write,
    exposures: &[Exposure],
    panels: &[Image<i32>],
) -> Result<()> {
    let fits = |panel: &Image<i32>| panel.pixels().iter().all(|&c| c <= u16::MAX.into());
    let bits = if panels.iter().all(fits) { 16 } else { 32 };
    let mut page = Page::first(panels.len());
    if exposures.iter().any(Exposure::is_masked) {
        for (exposure, counts) in exposures.iter().zip(panels) {
            page.write_header(&mut writer, exposure, counts, 32, Sample::Signed)?;
            let counts = marked(counts.pixels(), &exposure.masked);
            write_pixels(&mut writer, &counts, i32::to_le_bytes)?;
        }
        return Ok(());
    }
    for (exposure, counts) in exposures.iter().zip(panels) {
        page.write_header(&mut writer, exposure, counts, bits, Sample::Unsigned)?;
        if bits == 16 {
            write_pixels(&mut writer, counts.pixels(), |count| {
                (count.max(0) as u16).to_le_bytes()
            })?;
        } else {
            write_pixels(&mut writer, counts.pixels(), |count| {
                count.max(0).to_le_bytes()
            })?;
        }
    }
    Ok(())
}

/// Writes photons as 32-bit floats, a page for each panel.
///
/// # Errors
/// As [`write_counts`].
pub fn write_photons(
    mut writer: impl Write,
    exposures: &[Exposure],
    panels: &[Image<f32>],
) -> Result<()> {
    let mut page = Page::first(panels.len());
    for (exposure, photons) in exposures.iter().zip(panels) {
        page.write_header(&mut writer, exposure, photons, 32, Sample::Float)?;
        write_pixels(&mut writer, photons.pixels(), f32::to_le_bytes)?;
    }
    Ok(())
}

/// The image that is written next.
struct Page {
    /// Where its directory begins.
    at: usize,
    /// How many images are still to be written.
    left: usize,
}

impl Page {
    /// The first of so many, whose directory follows the header of the file.
    const fn first(pages: usize) -> Self {
        Self { at: 8, left: pages }
    }

    /// Writes everything before the pixels, and goes on to the next page.
    fn write_header<T>(
        &mut self,
        mut writer: impl Write,
        exposure: &Exposure,
        image: &Image<T>,
        bits: u32,
        sample: Sample,
    ) -> Result<()> {
        let (fast, slow) = (image.fast(), image.slow());
        // After the directory: a count of 2 bytes, its entries of 12 bytes, and the offset of the next.
        let description_at = self.at + 2 + 12 * usize::from(ENTRIES) + 4;
        let mut description = pilatus_lines(exposure).replace('\r', "").into_bytes();
        description.push(0);
        let text_bytes = description.len();
        // The pixels start at a multiple of their size.
        description.resize(text_bytes.next_multiple_of(4), 0);
        let begin = description_at + description.len();
        let pixel_bytes = image.pixels().len() as u64 * u64::from(bits / 8);
        let too_large = || Error::TooLarge { fast, slow };
        let word = |value: usize| u32::try_from(value).map_err(|_| too_large());
        let length = u32::try_from(pixel_bytes).map_err(|_| too_large())?;
        length.checked_add(word(begin)?).ok_or_else(too_large)?;

        let is_first = self.at == 8;
        self.left = self.left.saturating_sub(1);
        let end = (length as usize).saturating_add(begin);
        // A directory begins at an even offset, which all pixels here end at.
        let next = if self.left == 0 { 0 } else { word(end)? };
        self.at = end;

        let mut directory = Vec::with_capacity(begin);
        if is_first {
            directory.extend(b"II\x2a\0");
            directory.extend(8_u32.to_le_bytes());
        }
        directory.extend(ENTRIES.to_le_bytes());
        let mut entry = |tag: u16, kind: Kind, count: u32, value: u32| {
            directory.extend(tag.to_le_bytes());
            directory.extend((kind as u16).to_le_bytes());
            directory.extend(count.to_le_bytes());
            // A SHORT is left-justified in the four bytes. In little-endian order these are the bytes
            // of the same number as a LONG.
            directory.extend(value.to_le_bytes());
        };
        entry(254, Kind::Long, 1, 0); // NewSubfileType: a full image.
        entry(256, Kind::Long, 1, word(fast)?); // ImageWidth
        entry(257, Kind::Long, 1, word(slow)?); // ImageLength
        entry(258, Kind::Short, 1, bits); // BitsPerSample
        entry(259, Kind::Short, 1, 1); // Compression: none.
        entry(262, Kind::Short, 1, 1); // PhotometricInterpretation: 0 is black.
        entry(270, Kind::Ascii, word(text_bytes)?, word(description_at)?); // ImageDescription
        entry(273, Kind::Long, 1, word(begin)?); // StripOffsets
        entry(277, Kind::Short, 1, 1); // SamplesPerPixel
        entry(278, Kind::Long, 1, word(slow)?); // RowsPerStrip
        entry(279, Kind::Long, 1, length); // StripByteCounts
        entry(339, Kind::Short, 1, sample as u32); // SampleFormat
        directory.extend(next.to_le_bytes());
        directory.extend(description);
        Ok(writer.write_all(&directory)?)
    }
}

/// The first image from the bytes of a file, and what its description says of pixels that are no
/// measurements (`Count_cutoff` of miniCBF).
///
/// # Errors
/// [`Error::Tiff`] if the file is no TIFF or damaged, [`Error::TiffPixels`] for colours or other
/// pixel types.
pub fn parse(bytes: &[u8]) -> Result<(StoredPixels, Marks)> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_BYTES;
    limits.intermediate_buffer_size = MOST_BYTES;
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(limits);
    let (fast, slow) = decoder.dimensions()?;
    let color = decoder.colortype()?;
    let ColorType::Gray(_) = color else {
        return Err(Error::TiffPixels {
            found: format!("{color:?}"),
        });
    };
    // A stated size that no compression can reach is refused before memory is reserved for it. LZW
    // and deflate need at least one byte for some thousand pixels.
    let most = (bytes.len() as u64).saturating_mul(1 << 13);
    if u64::from(fast) * u64::from(slow) > most {
        return Err(Error::Length {
            expected: u64::from(fast) * u64::from(slow),
            found: bytes.len() as u64,
        });
    }
    let description = decoder.get_tag_ascii_string(Tag::ImageDescription);
    let marks = description.map_or_else(|_| Marks::default(), |text| marks_in_lines(&text));
    let (fast, slow) = (fast as usize, slow as usize);
    let pixels = match decoder.read_image()? {
        DecodingResult::U8(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::U16(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::U32(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::I8(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::I16(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::I32(pixels) => Image::new(fast, slow, pixels)?.into(),
        DecodingResult::F32(pixels) => Image::new(fast, slow, pixels)?.into(),
        _ => {
            return Err(Error::TiffPixels {
                found: format!("{color:?}"),
            });
        }
    };
    Ok((pixels, marks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(counts: &[i32]) -> Vec<u8> {
        let counts = Image::new(counts.len(), 1, counts.to_vec()).unwrap();
        let mut file = Vec::new();
        write_counts(
            &mut file,
            &[Exposure::default()],
            std::slice::from_ref(&counts),
        )
        .unwrap();
        file
    }

    #[test]
    fn counts_take_32_bits_only_if_16_would_clip() {
        let (narrow, wide) = (written(&[0, 65535, -3]), written(&[0, 65536, -3]));
        assert_eq!(wide.len() - narrow.len(), 3 * 2);
        let narrow_counts = Image::new(3, 1, vec![0_u16, 65535, 0]).unwrap();
        let wide_counts = Image::new(3, 1, vec![0_u32, 65536, 0]).unwrap();
        assert_eq!(parse(&narrow).unwrap().0, narrow_counts.into());
        assert_eq!(parse(&wide).unwrap().0, wide_counts.into());
    }

    #[test]
    fn photons_read_back_to_the_bit() {
        let photons = Image::new(1, 3, vec![1e-30, -2.5, f32::MAX]).unwrap();
        let mut file = Vec::new();
        write_photons(
            &mut file,
            &[Exposure::default()],
            std::slice::from_ref(&photons),
        )
        .unwrap();
        assert_eq!(parse(&file).unwrap().0, photons.into());
    }

    #[test]
    fn the_description_is_that_of_minicbf() {
        let file = written(&[1]);
        let mut decoder = Decoder::new(Cursor::new(&file)).unwrap();
        let text = decoder.get_tag_ascii_string(Tag::ImageDescription).unwrap();
        assert!(text.contains("\n# Wavelength 1 A\n"), "{text}");
        let cutoff = f64::from(Exposure::default().cutoff);
        assert_eq!(parse(&file).unwrap().1.overload, Some(cutoff));
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let file = written(&[1, 2, 3]);
        for length in 0..file.len() {
            assert!(parse(&file[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_width_of_billions_in_a_short_file_is_an_error() {
        let mut file = written(&[1, 2, 3]);
        // The values of ImageWidth and ImageLength.
        file[30..34].copy_from_slice(&u32::MAX.to_le_bytes());
        file[42..46].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(parse(&file).is_err());
    }
}
