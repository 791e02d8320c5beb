//! CBF, the crystallographic binary file, of one image of 32-bit counts.
//!
//! ```text
//! ###CBF: VERSION 1.5, ...
//! data_image
//! _diffrn.id ... _axis.id ...             imgCIF: the whole geometry, axis by axis
//! _array_data.header_convention "PILATUS_1.2"
//! _array_data.header_contents             miniCBF: what most programs read
//! ;
//! # Pixel_size 100e-6 m x 100e-6 m
//! ;
//! _array_data.data
//! ;
//! --CIF-BINARY-FORMAT-SECTION--           sizes, and the MD5 of what follows
//! 0c 1a 04 d5, the pixels by byte_offset, 4095 zeroes
//! ```
//!
//! The lines of miniCBF cannot say that a detector is tilted or that the spindle is not x. The
//! imgCIF tables before them can; a reader that knows both takes those.

pub mod byte_offset;
mod header;
mod read;
mod write;

pub use read::{parse, read};
pub use write::write;

pub(crate) use header::lines as pilatus_lines;

/// What stands before and behind the pixels.
const BOUNDARY: &str = "--CIF-BINARY-FORMAT-SECTION--";

/// The bytes directly before the pixels.
const START: [u8; 4] = [0x0c, 0x1a, 0x04, 0xd5];

/// The 128 bits of an MD5 as MIME writes them.
fn md5_base64(bytes: &[u8]) -> String {
    use md5::Digest;

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = md5::Md5::digest(bytes);
    let mut text = String::with_capacity(24);
    for group in digest.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, i| {
            bits << 8 | usize::from(group.get(i).copied().unwrap_or(0))
        });
        for i in 0..=group.len() {
            let digit = bits >> (18 - 6 * i) & 63;
            text.extend(DIGITS.get(digit).map(|&digit| char::from(digit)));
        }
    }
    // 16 bytes leave one over.
    text.push_str("==");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_md5_of_nothing_is_the_known_one() {
        assert_eq!(super::md5_base64(b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
    }
}
