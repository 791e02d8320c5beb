//! Compression of integers by their differences, `x-CBF_BYTE_OFFSET`.
//!
//! ```text
//! difference to the previous pixel stored as, little-endian
//! -127 ..= 127                     i8
//! -32767 ..= 32767                 0x80, i16
//! |d| < 2^31                       0x80, 0x8000, i32
//! any                              0x80, 0x8000, 0x80000000, i64
//! ```
//!
//! The pixel before the first counts as 0. Most pixels of a diffraction image take one byte.
//!
//! # Source
//! International Tables for Crystallography G (2005), 2.3, "byte offset".

use crate::{Error, Result};

/// The most negative `i8`: the difference follows as an `i16`.
const ESCAPE_8: u8 = 0x80;
/// The most negative `i16`: the difference follows as an `i32`.
const ESCAPE_16: [u8; 2] = i16::MIN.to_le_bytes();
/// The most negative `i32`: the difference follows as an `i64`.
const ESCAPE_32: [u8; 4] = i32::MIN.to_le_bytes();

/// The pixels, compressed.
///
/// ```
/// use nanobragg_io::cbf::byte_offset::compress;
///
/// assert_eq!(compress(&[3, 1, 300]), [3, 0xfe, 0x80, 43, 1]);
/// ```
pub fn compress(pixels: &[i32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pixels.len() + pixels.len() / 8 + 16);
    let mut before = 0_i64;
    for &pixel in pixels {
        let pixel = i64::from(pixel);
        let difference = pixel - before;
        before = pixel;
        match difference {
            -127..=127 => bytes.push(difference as i8 as u8),
            -32767..=32767 => {
                bytes.push(ESCAPE_8);
                bytes.extend((difference as i16).to_le_bytes());
            }
            -2_147_483_647..=2_147_483_647 => {
                bytes.push(ESCAPE_8);
                bytes.extend(ESCAPE_16);
                bytes.extend((difference as i32).to_le_bytes());
            }
            _ => {
                bytes.push(ESCAPE_8);
                bytes.extend(ESCAPE_16);
                bytes.extend(ESCAPE_32);
                bytes.extend(difference.to_le_bytes());
            }
        }
    }
    bytes
}

/// The first `count` pixels in `bytes`. Bytes after the last one are ignored.
///
/// Sums beyond an `i32` wrap around, as in other readers.
///
/// # Errors
/// [`Error::Pixels`] if there are fewer.
pub fn expand(mut bytes: &[u8], count: usize) -> Result<Vec<i32>> {
    let short = |found: usize| Error::Pixels {
        expected: count,
        found,
    };
    // A pixel takes at least one byte. This check keeps a false `count` from allocating much
    // memory.
    if bytes.len() < count {
        return Err(short(bytes.len()));
    }
    let mut pixels = Vec::with_capacity(count);
    let mut pixel = 0_i32;
    for found in 0..count {
        let difference = difference(&mut bytes).ok_or_else(|| short(found))?;
        pixel = pixel.wrapping_add(difference as i32);
        pixels.push(pixel);
    }
    Ok(pixels)
}

/// The difference at the beginning of `bytes`, and moves `bytes` past it.
fn difference(bytes: &mut &[u8]) -> Option<i64> {
    let [first] = take(bytes)?;
    if first != ESCAPE_8 {
        return Some((first as i8).into());
    }
    let second = take(bytes)?;
    if second != ESCAPE_16 {
        return Some(i16::from_le_bytes(second).into());
    }
    let third = take(bytes)?;
    if third != ESCAPE_32 {
        return Some(i32::from_le_bytes(third).into());
    }
    take(bytes).map(i64::from_le_bytes)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_at_every_edge_read_back() {
        let edges = [
            127,
            128,
            129,
            32766,
            32767,
            32768,
            32769,
            8_388_608,
            i32::MAX,
        ];
        let mut pixels = vec![0, -1, i32::MIN, i32::MAX, i32::MIN, 0];
        for edge in edges {
            pixels.extend([0, edge, 0, -edge, edge]);
        }
        let bytes = compress(&pixels);
        assert_eq!(expand(&bytes, pixels.len()).unwrap(), pixels);
        for length in 0..bytes.len() {
            assert!(expand(&bytes[..length], pixels.len()).is_err());
        }
    }

    #[test]
    fn each_width_is_stored_with_its_escapes() {
        assert_eq!(compress(&[-127]), [0x81]);
        assert_eq!(compress(&[-128]), [0x80, 0x80, 0xff]);
        assert_eq!(compress(&[-32768]), [0x80, 0, 0x80, 0, 0x80, 0xff, 0xff]);
        let mut widest = vec![0x80, 0, 0x80, 0, 0, 0, 0x80];
        widest.extend((i64::from(i32::MIN)).to_le_bytes());
        assert_eq!(compress(&[i32::MIN]), widest);
    }

    #[test]
    fn a_count_beyond_the_bytes_is_an_error() {
        assert!(matches!(
            expand(&[0; 9], usize::MAX),
            Err(Error::Pixels { found: 9, .. })
        ));
    }
}
