//! How the pixels of an SMV image are stored.
//!
//! # Source
//! `TYPE`: ADSC and the programs that write as they do. `Data_type`: d*TREK image format 1.1 (Rigaku).

use super::Header;
use crate::{Error, NumberType, Result};

/// What is read, for messages.
const KNOWN: &str = "an integer of 8, 16 or 32 bits, signed or unsigned, or a float of 32";

/// The type of the pixels, and whether they are big-endian.
///
/// `Data_type` goes before `TYPE`, which in files with both may be the kind of experiment (`mad`). A file
/// with neither has unsigned pixels of 16 bits. Without `BYTE_ORDER` it is little-endian.
pub(super) fn number_type(header: &Header) -> Result<(NumberType, bool)> {
    let is_flat = |dim: &str| dim == "2";
    refuse_unless("DIM", header.exact("DIM"), is_flat, "2")?;
    let is_none = |name: &str| name.is_empty() || name.eq_ignore_ascii_case("none");
    let compression = header.exact("COMPRESSION");
    refuse_unless("COMPRESSION", compression, is_none, "None")?;

    let stated = (header.exact("Data_type").map(|name| ("Data_type", name)))
        .or_else(|| header.exact("TYPE").map(|name| ("TYPE", name)));
    let number = match stated {
        None => NumberType::U16,
        Some((key, name)) => named(name).ok_or_else(|| unsupported(key, name, KNOWN))?,
    };
    let big_endian = match header.exact("BYTE_ORDER") {
        None => false,
        Some(order) => match order.to_ascii_lowercase().as_str() {
            "little_endian" => false,
            "big_endian" => true,
            _ => {
                let known = "little_endian or big_endian";
                return Err(unsupported("BYTE_ORDER", order, known));
            }
        },
    };
    Ok((number, big_endian))
}

/// The type of this name: `unsigned_short`, `long int`, `float IEEE` and so on.
///
/// Case does not count, nor whether words are joined by blanks, `_` or `-`. As in d*TREK, a number without
/// sign is signed, and `long` has 32 bits.
fn named(name: &str) -> Option<NumberType> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split([' ', '_', '-']).collect();
    let (is_signed, rest) = match words.as_slice() {
        ["unsigned", rest @ ..] => (false, rest),
        ["signed", rest @ ..] => (true, rest),
        // Early ADSC detectors write this for unsigned_short.
        ["mad"] => return Some(NumberType::U16),
        ["float"] | ["float", "ieee" | "32"] => return Some(NumberType::F32),
        rest => (true, rest),
    };
    let (unsigned, signed) = match rest {
        ["char" | "byte"] => (NumberType::U8, NumberType::I8),
        ["short"] | ["short", "int" | "integer"] => (NumberType::U16, NumberType::I16),
        ["long" | "int" | "integer"] | ["long", "int" | "integer"] => {
            (NumberType::U32, NumberType::I32)
        }
        _ => return None,
    };
    Some(if is_signed { signed } else { unsigned })
}

fn refuse_unless(
    key: &'static str,
    value: Option<&str>,
    is_known: impl Fn(&str) -> bool,
    known: &'static str,
) -> Result<()> {
    match value {
        Some(value) if !is_known(value) => Err(unsupported(key, value, known)),
        _ => Ok(()),
    }
}

fn unsupported(key: &'static str, value: &str, known: &'static str) -> Error {
    Error::Unsupported {
        key,
        value: value.to_owned(),
        known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &str) -> Result<(NumberType, bool)> {
        number_type(&Header::parse(format!("{{\n{entries}\n}}").as_bytes())?)
    }

    #[test]
    fn types_have_the_names_of_adsc_and_dtrek() {
        // The names of d*TREK as fabio 2026.6 reads them, then those of other writers.
        for (name, number) in [
            ("signed char", NumberType::I8),
            ("unsigned char", NumberType::U8),
            ("short int", NumberType::I16),
            ("unsigned short int", NumberType::U16),
            ("long int", NumberType::I32),
            ("unsigned long int", NumberType::U32),
            ("float IEEE", NumberType::F32),
            ("unsigned_short", NumberType::U16),
            ("signed_short", NumberType::I16),
            ("unsigned_int", NumberType::U32),
            ("signed_int", NumberType::I32),
            ("unsigned_long", NumberType::U32),
            ("long_integer", NumberType::I32),
            ("Float", NumberType::F32),
            ("mad", NumberType::U16),
        ] {
            for key in ["TYPE", "Data_type"] {
                let found = of(&format!("{key}={name};")).unwrap();
                assert_eq!(found, (number, false), "{key}={name}");
            }
        }
        assert_eq!(of("").unwrap(), (NumberType::U16, false));
    }

    #[test]
    fn data_type_goes_before_type() {
        let found = of("TYPE=mad;\nData_type=long int;\nBYTE_ORDER=big_endian;").unwrap();
        assert_eq!(found, (NumberType::I32, true));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (key, value) in [
            ("Data_type", "Compressed"),
            ("Data_type", "Other_type"),
            ("TYPE", "double"),
            ("TYPE", ""),
            ("TYPE", "unsigned"),
            ("TYPE", "unsigned float"),
            ("BYTE_ORDER", "middle_endian"),
            ("COMPRESSION", "PK1"),
            ("DIM", "3"),
        ] {
            let error = of(&format!("{key}={value};")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{key}={value:?}")), "{error}");
        }
    }
}
