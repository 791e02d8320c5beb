//! Reading the pixels of a CBF. Every statement of the header is checked against the file.

use std::path::Path;

use super::{BOUNDARY, START, byte_offset, md5_base64};
use crate::bytes::Source;
use crate::cif::Tables;
use crate::{Error, Image, Marks, Result};

/// The most bytes that are read from a pipe or a device, whose length is not known beforehand.
const MOST_OF_A_PIPE: u64 = 1 << 30;

/// The bytes in which the boundary before the pixels must be found.
const LONGEST_HEADER: usize = 1 << 20;

/// Reads the first image of a file.
///
/// Its pixels must be signed 32-bit integers, compressed by [`byte_offset`](super::byte_offset) or
/// not compressed.
///
/// # Errors
/// Wrong contents, inside [`Error::InFile`]: [`Error::NotCbf`], [`Error::MissingKey`],
/// [`Error::NotANumber`], [`Error::Range`], [`Error::Unsupported`], [`Error::Shape`],
/// [`Error::Pixels`], [`Error::Length`] for a file that is too short, or [`Error::Digest`] if the
/// pixels were changed. [`Error::Read`] or [`Error::Folder`] if the file cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<Image<i32>> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    let mut bytes = Vec::new();
    let until = source.length().unwrap_or(MOST_OF_A_PIPE);
    source.extend(&mut bytes, until)?;
    parse(&bytes).map_err(|fault| fault.in_file(path))
}

/// The first image from the bytes of a file.
///
/// # Errors
/// As [`read`], without the name of a file.
pub fn parse(bytes: &[u8]) -> Result<Image<i32>> {
    let head = bytes.get(..LONGEST_HEADER).unwrap_or(bytes);
    if !head.starts_with(b"###CBF") {
        return Err(Error::NotCbf);
    }
    let boundary = position(head, BOUNDARY.as_bytes()).ok_or(Error::NotCbf)?;
    let section = head.get(boundary + BOUNDARY.len()..).unwrap_or_default();
    let length = position(section, &START).ok_or(Error::NotCbf)?;
    let mime = Mime(String::from_utf8_lossy(
        section.get(..length).unwrap_or_default(),
    ));
    let begin = boundary + BOUNDARY.len() + length + START.len();

    let size = mime.count("X-Binary-Size")?;
    let fast = mime.count("X-Binary-Size-Fastest-Dimension")?;
    let slow = mime.count("X-Binary-Size-Second-Dimension")?;
    let end = begin.saturating_add(size);
    let packed = bytes.get(begin..end).ok_or(Error::Length {
        expected: end as u64,
        found: bytes.len() as u64,
    })?;
    if let Some(stated) = mime.value("Content-MD5") {
        let found = md5_base64(packed);
        if found != stated {
            return Err(Error::Digest {
                stated: stated.to_owned(),
                found,
            });
        }
    }
    mime.one_of(
        "X-Binary-Element-Type",
        &["signed 32-bit integer"],
        "signed 32-bit integer",
    )?;
    mime.one_of(
        "X-Binary-Element-Byte-Order",
        &["LITTLE_ENDIAN"],
        "LITTLE_ENDIAN",
    )?;
    let count = fast
        .checked_mul(slow)
        .ok_or(Error::TooLarge { fast, slow })?;
    let pixels = match mime.conversion() {
        Some("x-CBF_BYTE_OFFSET") => byte_offset::expand(packed, count)?,
        None | Some("x-CBF_NONE") => {
            let pixels = crate::bytes::pixels_of(packed, i32::from_le_bytes);
            if pixels.len() != count {
                return Err(Error::Pixels {
                    expected: count,
                    found: pixels.len(),
                });
            }
            pixels
        }
        Some(other) => {
            return Err(Error::Unsupported {
                key: "conversions",
                value: other.to_owned(),
                known: "x-CBF_BYTE_OFFSET",
            });
        }
    };
    Image::new(fast, slow, pixels)
}

/// What the headers of a CBF say of pixels that are no measurements: `undefined_value` and `overload` of
/// imgCIF, `Count_cutoff` of miniCBF. The smaller of two overloads counts.
///
/// ```
/// use nanobragg_io::{Exposure, Image, cbf};
///
/// let exposure = Exposure { cutoff: 1000, ..Exposure::default() };
/// let mut file = Vec::new();
/// cbf::write(&mut file, &exposure, &Image::new(1, 1, vec![0])?)?;
/// let marks = cbf::marks(&file);
/// assert_eq!((marks.undefined, marks.overload), (Some(-1.0), Some(1000.0)));
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn marks(bytes: &[u8]) -> Marks {
    let head = bytes.get(..LONGEST_HEADER).unwrap_or(bytes);
    let end = position(head, BOUNDARY.as_bytes()).unwrap_or(head.len());
    let text = String::from_utf8_lossy(head.get(..end).unwrap_or(head));
    // The text field of the pixels has no end here.
    let tables = text
        .rsplit_once("_array_data.data")
        .map_or(&*text, |(tables, _)| tables);
    let mut marks = marks_in_lines(&text);
    // A header of miniCBF alone need not be a CIF that we understand.
    if let Ok(tables) = Tables::parse(tables, "") {
        let number = |tag| {
            let number = tables.value(&[tag])?.certain().parse::<f64>();
            number.ok().filter(|number| number.is_finite())
        };
        marks.undefined = number("_array_intensities_undefined_value");
        let overload = number("_array_intensities_overload").filter(|&counts| counts > 0.0);
        marks.overload = match (marks.overload, overload) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    marks
}

/// The same from lines of miniCBF: `# Count_cutoff 1048500 counts`.
pub(crate) fn marks_in_lines(text: &str) -> Marks {
    // Writers differ in what is before the name: a line of its own, or a quoted text.
    let cutoff = text.split_once("Count_cutoff").and_then(|(_, after)| {
        let word = after.trim_start_matches([' ', '\t', ':', '=']);
        let word = word.split_whitespace().next()?;
        word.parse().ok().filter(|&counts: &f64| counts > 0.0)
    });
    Marks {
        overload: cutoff,
        ..Marks::default()
    }
}

/// The lines between boundary and pixels, in the form of a MIME header.
struct Mime<'b>(std::borrow::Cow<'b, str>);

impl Mime<'_> {
    /// The text after `key:`, without quotes.
    fn value(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let same = name.trim().eq_ignore_ascii_case(key);
            same.then(|| value.trim().trim_matches('"'))
        })
    }

    fn count(&self, key: &'static str) -> Result<usize> {
        let text = self.value(key).ok_or(Error::MissingKey { key })?;
        let value: f64 = text.parse().map_err(|_| Error::NotANumber {
            key: key.to_owned(),
            text: text.to_owned(),
        })?;
        let max = i32::MAX as u32;
        if !(1.0..=f64::from(max)).contains(&value) || value.fract() != 0.0 {
            return Err(Error::Range { key, value, max });
        }
        Ok(value as usize)
    }

    fn one_of(&self, key: &'static str, values: &[&str], known: &'static str) -> Result<()> {
        match self.value(key) {
            Some(other) if !values.contains(&other) => Err(Error::Unsupported {
                key,
                value: other.to_owned(),
                known,
            }),
            _ => Ok(()),
        }
    }

    /// The method of compression.
    fn conversion(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("conversions=")?;
        let rest = rest.trim_start_matches('"');
        rest.split(['"', ';', '\r', '\n', ' ']).next()
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exposure, cbf};

    fn file() -> Vec<u8> {
        let counts = Image::new(3, 2, vec![1, 2, 3, 100_000, -2, i32::MIN]).unwrap();
        let mut file = Vec::new();
        cbf::write(&mut file, &Exposure::default(), &counts).unwrap();
        file
    }

    fn with(from: &str, to: &str) -> Vec<u8> {
        let file = file();
        let at = position(&file, from.as_bytes()).expect(from);
        [&file[..at], to.as_bytes(), &file[at + from.len()..]].concat()
    }

    #[test]
    fn the_digest_detects_a_changed_pixel() {
        let mut file = file();
        let start = position(&file, &START).unwrap();
        file[start + START.len()] ^= 1;
        assert!(matches!(parse(&file), Err(Error::Digest { .. })));
    }

    #[test]
    fn wrong_headers_are_errors() {
        let dimension = "X-Binary-Size-Fastest-Dimension: 3";
        let error = |from, to| parse(&with(from, to)).unwrap_err();
        assert!(matches!(error("###CBF", "CBF###"), Error::NotCbf));
        assert!(matches!(
            error(dimension, "X-Binary-Size-Fastest-Dimension: 2000000000"),
            Error::Pixels { .. }
        ));
        assert!(matches!(
            error(dimension, "X-Binary-Size-Fastest-Dimension: -3"),
            Error::Range { .. }
        ));
        assert!(matches!(
            error(dimension, "No: 3"),
            Error::MissingKey { .. }
        ));
        assert!(matches!(
            error("X-Binary-Size: ", "X-Binary-Size: 99999"),
            Error::Length { .. }
        ));
        assert!(matches!(
            error("BYTE_OFFSET\"", "PACKED\""),
            Error::Unsupported { .. }
        ));
    }
}
