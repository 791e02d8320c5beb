//! The text and binary formats of orientation matrices and structure factors.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod fdump;
pub mod hkl;
pub mod matrix;
pub mod mmcif;
pub mod mtz;
pub mod structure_factors;
pub mod xds_ascii;

use nom::bytes::complete::{take_till1, take_while};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Whether C's `isspace` accepts the byte: ASCII white space, including the vertical tab.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The next blank-separated word of a line.
pub(crate) fn word(line: &[u8]) -> IResult<&[u8], &[u8]> {
    preceded(take_while(is_blank), take_till1(is_blank)).parse(line)
}

/// A word as a number; `None` if it is not a number or is not finite.
pub(crate) fn finite_number(word: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}
