//! The text and binary formats that define a crystal.

pub mod fdump;
pub mod hkl;
pub mod matrix;

use std::path::Path;

use nom::bytes::complete::{take_till1, take_while};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::error::Error;

/// The longest piece of a file that a message repeats, in bytes.
const QUOTED: usize = 40;

/// The bytes of a file.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })
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
    let end = bytes.len().min(QUOTED);
    let dots = if end < bytes.len() { "..." } else { "" };
    format!(
        "{}{dots}",
        String::from_utf8_lossy(&bytes[..end]).escape_debug()
    )
}

/// A word as a number; `None` if it is not one or not finite.
fn finite_number(word: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}
