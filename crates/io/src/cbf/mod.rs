//! CBF, the Crystallographic Binary File, with one image of 32-bit counts.
//!
//! ```text
//! ###CBF: VERSION 1.5, ...
//! data_image
//! _diffrn.id ... _axis.id ...             imgCIF: the full geometry, axis by axis
//! _array_data.header_convention "GENERIC_MINI"
//! _array_data.header_contents             miniCBF: the lines that most programs read
//! ;
//! # Pixel_size 100e-6 m x 100e-6 m
//! ;
//! _array_data.data
//! ;
//! --CIF-BINARY-FORMAT-SECTION--           sizes, and the MD5 of the compressed pixels
//! 0c 1a 04 d5, the pixels by byte_offset, 4095 zeroes
//! ```
//!
//! The lines of miniCBF cannot describe a tilted detector or a spindle other than x. The imgCIF
//! tables can; a reader that knows both uses the tables.

pub mod byte_offset;
mod header;
mod read;
mod write;

pub use read::{marks, parse, read};
pub use write::write;

pub(crate) use header::lines as pilatus_lines;
pub(crate) use read::marks_in_lines;

/// The line before the binary section; followed by `--`, the line after it.
const BOUNDARY: &str = "--CIF-BINARY-FORMAT-SECTION--";

/// The bytes directly before the pixels: form feed; Ctrl-Z and Ctrl-D, which end a listing of the
/// file in MS-DOS and in Unix; and the byte that marks a binary section.
const START: [u8; 4] = [0x0c, 0x1a, 0x04, 0xd5];

/// The MD5 of `bytes` in base 64.
fn md5_base64(bytes: &[u8]) -> String {
    use md5::Digest;

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = md5::Md5::digest(bytes);
    let mut text = String::with_capacity(24);
    // Three bytes are four digits of 6 bits.
    for group in digest.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, i| {
            bits << 8 | usize::from(group.get(i).copied().unwrap_or(0))
        });
        for i in 0..=group.len() {
            let digit = bits >> (18 - 6 * i) & 63;
            text.extend(DIGITS.get(digit).map(|&digit| char::from(digit)));
        }
    }
    // The last of the 16 bytes makes two digits, which are padded to four.
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
