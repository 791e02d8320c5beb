//! The text and binary formats that define a crystal.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod fdump;
pub mod hkl;
pub mod matrix;
pub mod mmcif;
pub mod mtz;
pub mod structure_factors;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use nom::bytes::complete::{take_till1, take_while};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::error::Error;

/// The longest piece of a file that a message repeats, in bytes.
const QUOTED: usize = 40;

/// The most that is read of something that is no file and has no length, such as a pipe.
const LONGEST_STREAM: u64 = 256 << 20;

/// The bytes of a file, or of a pipe that ends.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_file() {
        return std::fs::read(path).map_err(unreadable);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_STREAM + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_STREAM {
        return Err(Error::EndlessStream {
            path: path.to_owned(),
            limit_bytes: LONGEST_STREAM,
        });
    }
    Ok(bytes)
}

/// A file's text without a byte-order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The next blank-separated word of a line.
fn word(line: &[u8]) -> IResult<&[u8], &[u8]> {
    preceded(take_while(is_blank), take_till1(is_blank)).parse(line)
}

/// A piece of a file as a message shows it.
fn quoted(bytes: &[u8]) -> String {
    let (shown, dots) = match bytes.get(..QUOTED) {
        Some(beginning) if bytes.len() > QUOTED => (beginning, "..."),
        _ => (bytes, ""),
    };
    format!("{}{dots}", String::from_utf8_lossy(shown).escape_debug())
}

/// A word as a number; `None` if it is not one or not finite.
fn finite_number(word: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}
