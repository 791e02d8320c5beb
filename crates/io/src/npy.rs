//! Arrays of NumPy: an image `(slow, fast)`, or panels `(panel, slow, fast)` one below the other.
//!
//! # Source
//! NumPy, `numpy.lib.format`, versions 1.0 to 3.0.

use std::io::Write;

use crate::bytes::pixels_of;
use crate::{Error, Image, NumberType, Result, StoredPixels};

/// The bytes before the version of a file.
const SIGNATURE: &[u8] = b"\x93NUMPY";

/// What is read, for messages.
const KNOWN: &str = "an array of two or three axes in the order of C, of numbers or bool";

/// The image from the bytes of a file. Numbers of 64 bits become numbers of 32: floats are rounded. Floats of 16 bits
/// are exact.
///
/// # Errors
/// [`Error::Unsupported`] for arrays of other shapes and types, and for integers that have no 32 bits;
/// [`Error::Length`] for a file that is too short.
///
/// ```
/// use nanobragg_io::{Image, npy};
///
/// let header = "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2), }\n";
/// let mut file = b"\x93NUMPY\x01\x00".to_vec();
/// file.extend((header.len() as u16).to_le_bytes());
/// file.extend(header.bytes().chain([7, 0, 8, 0]));
/// assert_eq!(npy::parse(&file)?, Image::new(2, 1, vec![7_u16, 8])?.into());
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<StoredPixels> {
    let too_short = |expected: usize| Error::Length {
        expected: expected as u64,
        found: bytes.len() as u64,
    };
    let after = bytes.strip_prefix(SIGNATURE).unwrap_or_default();
    // Version 1 states the length of its header in two bytes, the later ones in four.
    let (length, begin) = match after {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        [_, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return Err(too_short(12)),
    };
    let end = begin + length;
    let header = bytes.get(begin..end).ok_or_else(|| too_short(end))?;
    let header = String::from_utf8_lossy(header);
    let unsupported = |key, value: &str| Error::Unsupported {
        key,
        value: value.to_owned(),
        known: KNOWN,
    };
    let text = |key: &'static str| value(&header, key).ok_or(Error::MissingKey { key });
    let order = text("fortran_order")?;
    if order != "False" {
        return Err(unsupported("fortran_order", order));
    }
    let shape = text("shape")?;
    let [fast, slow] = sides(shape).ok_or_else(|| unsupported("shape", shape))?;

    let name = text("descr")?;
    let descr = name.trim_matches(['\'', '"']);
    let big_endian = descr.starts_with('>');
    let letters = descr.trim_start_matches(['<', '>', '|', '=']);
    let pixels = bytes.get(end..).unwrap_or_default();
    let stored = |number_bytes: usize| {
        let expected = fast.saturating_mul(slow).saturating_mul(number_bytes);
        (pixels.get(..expected)).ok_or_else(|| too_short(end.saturating_add(expected)))
    };
    let number = match letters {
        "u1" | "b1" => NumberType::U8,
        "i1" => NumberType::I8,
        "u2" => NumberType::U16,
        "i2" => NumberType::I16,
        "u4" => NumberType::U32,
        "i4" => NumberType::I32,
        "f4" => NumberType::F32,
        "f2" => {
            let read = if big_endian {
                u16::from_be_bytes
            } else {
                u16::from_le_bytes
            };
            let floats = pixels_of(stored(2)?, |bytes| of_half(read(bytes)));
            return Ok(Image::new(fast, slow, floats)?.into());
        }
        "f8" => {
            let read = if big_endian {
                f64::from_be_bytes
            } else {
                f64::from_le_bytes
            };
            let floats = pixels_of(stored(8)?, |bytes| read(bytes) as f32);
            return Ok(Image::new(fast, slow, floats)?.into());
        }
        "i8" | "u8" => {
            let read = if big_endian {
                i64::from_be_bytes
            } else {
                i64::from_le_bytes
            };
            let counts = pixels_of(stored(8)?, |bytes| i32::try_from(read(bytes)));
            let counts: std::result::Result<Vec<_>, _> = counts.into_iter().collect();
            let counts = counts.map_err(|_| unsupported("descr", name))?;
            return Ok(Image::new(fast, slow, counts)?.into());
        }
        _ => return Err(unsupported("descr", name)),
    };
    number.read(stored(number.bytes())?, big_endian, fast, slow)
}

/// The number whose 16 bits are these: a sign, 5 bits of exponent and 10 of fraction.
///
/// # Source
/// IEEE 754, binary16.
fn of_half(bits: u16) -> f32 {
    let fraction = f32::from(bits & 0x3FF);
    let magnitude = match bits >> 10 & 0x1F {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (1024.0 + fraction) * 2.0_f32.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Writes what is before the numbers of an array in the order of C: `descr` is their type, such as `<u4`.
///
/// # Errors
/// If `out` cannot be written.
///
/// ```
/// use nanobragg_io::{Image, npy};
///
/// let mut file = Vec::new();
/// npy::write_header(&mut file, "<u2", &[1, 2])?;
/// assert_eq!(file.len() % 64, 0);
/// file.extend([7, 0, 8, 0]);
/// assert_eq!(npy::parse(&file)?, Image::new(2, 1, vec![7_u16, 8])?.into());
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write_header(mut out: impl Write, descr: &str, shape: &[usize]) -> Result<()> {
    let sides: Vec<String> = shape.iter().map(|side| format!("{side},")).collect();
    let sides = sides.join(" ");
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sides}), }}");
    // Version 1.0 and a length of two bytes; the numbers begin at a multiple of 64 bytes.
    let before = SIGNATURE.len() + 4;
    let length = (before + text.len() + 1).next_multiple_of(64) - before;
    out.write_all(SIGNATURE)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(length as u16).to_le_bytes())?;
    Ok(writeln!(out, "{text:<width$}", width = length - 1)?)
}

/// The value of a key of the dictionary that is the header: a word, or what is between parentheses.
fn value<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let (_, after) = header.split_once(&format!("'{key}':"))?;
    let after = after.trim_start();
    match after.strip_prefix('(') {
        Some(tuple) => tuple.split(')').next(),
        None => after.split([',', '}']).next().map(str::trim),
    }
}

/// Pixels along fast and slow, of `slow, fast` or `panels, slow, fast`.
fn sides(shape: &str) -> Option<[usize; 2]> {
    let numbers = shape
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let numbers: Vec<usize> = numbers
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    match numbers[..] {
        [slow, fast] => Some([fast, slow]),
        [panels, slow, fast] => Some([fast, panels.checked_mul(slow)?]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, shape: &str, pixels: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend(pixels);
        file
    }

    #[test]
    fn numbers_of_every_type_are_read() -> Result<()> {
        let image = |numbers: Vec<f32>| Image::new(2, 1, numbers);
        for (descr, pixels) in [
            ("|b1", vec![0, 1]),
            ("|u1", vec![0, 1]),
            ("|i1", vec![0, 1]),
            ("<u2", vec![0, 0, 1, 0]),
            (">i2", vec![0, 0, 0, 1]),
            ("<f4", [0.0_f32, 1.0].map(f32::to_le_bytes).concat()),
            (">f8", [0.0_f64, 1.0].map(f64::to_be_bytes).concat()),
            ("<i8", [0_i64, 1].map(i64::to_le_bytes).concat()),
            ("<u8", [0_i64, 1].map(i64::to_le_bytes).concat()),
        ] {
            let read = parse(&file(descr, "(1, 2)", &pixels))?;
            assert_eq!(read.to_floats(), image(vec![0.0, 1.0])?, "{descr}");
        }
        let panels = parse(&file("|u1", "(2, 1, 2)", &[1, 2, 3, 4]))?;
        assert_eq!(panels.sides(), [2, 2]);
        Ok(())
    }

    /// Against `struct.unpack("<e", ...)` of Python.
    #[test]
    fn floats_of_16_bits_are_exact() -> Result<()> {
        let halves = [
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x3555, 1365.0 / 4096.0),
            (0x7BFF, 65504.0),
            (0x0400, 1.0 / 16384.0),
            (0x03FF, 1023.0 / 16_777_216.0),
            (0x0001, 1.0 / 16_777_216.0),
            (0x8000, 0.0),
            (0xFC00, f32::NEG_INFINITY),
        ];
        let shape = format!("(1, {})", halves.len());
        let little: Vec<u8> = halves
            .iter()
            .flat_map(|(h, _)| u16::to_le_bytes(*h))
            .collect();
        let big: Vec<u8> = halves
            .iter()
            .flat_map(|(h, _)| u16::to_be_bytes(*h))
            .collect();
        for (descr, bytes) in [("<f2", little), (">f2", big)] {
            let read = parse(&file(descr, &shape, &bytes))?.to_floats();
            assert_eq!(read.pixels(), halves.map(|(_, value)| value), "{descr}");
        }
        let nan = parse(&file("<f2", "(1, 1)", &[0, 0x7E]))?.to_floats();
        assert!(nan.pixels()[0].is_nan());
        Ok(())
    }

    #[test]
    fn other_arrays_are_refused() {
        let fault = |descr, shape| {
            parse(&file(descr, shape, &[255; 16]))
                .unwrap_err()
                .to_string()
        };
        assert!(fault("|u1", "(4,)").contains("shape=\"4,\""));
        assert!(fault("<c8", "(1, 2)").contains("descr"));
        assert!(fault("<u8", "(1, 0)").contains("0 pixels"));
        assert!(fault("<u8", "(9, 9)").contains("bytes"));
        let large = parse(&file("<i8", "(1, 2)", &i64::MAX.to_le_bytes().repeat(2)));
        assert!(large.is_err());
        let whole = file("<u2", "(1, 2)", &[0; 4]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length}");
        }
        let fortran = String::from_utf8_lossy(&whole[10..]).replace("False", "True ");
        let fortran = [&whole[..10], fortran.as_bytes()].concat();
        assert!(
            parse(&fortran)
                .unwrap_err()
                .to_string()
                .contains("fortran_order")
        );
    }
}
