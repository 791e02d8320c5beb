//! The header of an SMV image.

use nom::bytes::complete::{take_till1, take_while};
use nom::character::complete::char;
use nom::combinator::{opt, verify};
use nom::multi::many0;
use nom::number::complete::recognize_float;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::{Error, Marks, Result};

/// The header of an SMV image: its keys and values in order, and its text.
///
/// ```
/// use nanobragg_io::smv::Header;
///
/// let header = Header::parse(b"{\nHEADER_BYTES=512;\nXDS_ORGX=24.5;\nBEAMLINE=8.3.1;\n}\x0c")?;
/// assert_eq!(header.exact("BEAMLINE"), Some("8.3.1"));
/// assert_eq!(header.number("XDS_ORGX")?, Some(24.5));
/// assert_eq!(header.number("ORGX")?, None);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    entries: Vec<(String, String)>,
    text: String,
    length: usize,
}

impl Header {
    /// Reads the header at the beginning of `bytes`, and ignores the bytes after it.
    ///
    /// An entry ends at a `;` or at the end of its line. Lines without `=` are ignored.
    ///
    /// # Errors
    /// [`Error::NotSmv`] or [`Error::Unclosed`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.first() != Some(&b'{') {
            return Err(Error::NotSmv);
        }
        let (rest, lines) = header(bytes).map_err(|_| Error::Unclosed {
            header_bytes: bytes.len(),
        })?;
        let length = bytes.len() - rest.len();
        let entries = lines.into_iter().filter_map(entry).collect();
        let text = text(bytes.get(..length).unwrap_or_default());
        Ok(Self {
            entries,
            text,
            length,
        })
    }

    /// The number of bytes from `{` to `}`, and of the form feed after it if there is one.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Keys and values, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of the last entry whose key is exactly `key`.
    pub fn exact(&self, key: &str) -> Option<&str> {
        self.entries()
            .filter(|(found, _)| *found == key)
            .map(|(_, value)| value)
            .last()
    }

    /// The number in the last entry whose key is exactly `key`; `None` if there is no such entry. Text
    /// after the number is ignored.
    ///
    /// # Errors
    /// [`Error::NotANumber`] if there is no finite number.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        number_in(self.exact(key), key)
    }

    /// The number that the C program takes for `key`: after the last place in which the letters of `key`
    /// occur, and the next `=`. So it finds `DISTANCE` in `CLOSE_DISTANCE`, and `WAVELENGTH` in
    /// `SOURCE_WAVELENGTH`. `None` if it finds no number.
    pub fn number_of_c(&self, key: &str) -> Option<f64> {
        let (_, after) = self.text.rsplit_once(key)?;
        let (_, value) = after.split_once('=')?;
        leading_number(value.trim_start())
    }

    /// What the header says of pixels that are no measurements: ADSC's `CCD_IMAGE_SATURATION` or
    /// d*TREK's `SATURATED_VALUE`.
    ///
    /// # Errors
    /// [`Error::NotANumber`].
    pub fn marks(&self) -> Result<Marks> {
        let overload = match self.number("CCD_IMAGE_SATURATION")? {
            None => self.number("SATURATED_VALUE")?,
            some => some,
        };
        Ok(Marks {
            overload: overload.filter(|&counts| counts > 0.0),
            ..Marks::default()
        })
    }

    /// The value of `key`, which must exist and be a whole number from 1 to `max`.
    pub(super) fn size(&self, key: &'static str, max: u32) -> Result<usize> {
        whole(key, self.number(key)?, max)
    }
}

/// The length that the header states. `block` is the beginning of the file and may end inside the
/// header.
pub(super) fn stated_bytes(block: &[u8], max: u32) -> Result<usize> {
    let key = "HEADER_BYTES";
    let inside = block.strip_prefix(b"{").unwrap_or(block);
    let lines = inside.split(|byte| matches!(byte, b';' | b'\n'));
    let stated = lines.filter_map(entry).find(|(found, _)| found == key);
    let value = stated.as_ref().map(|(_, value)| value.as_str());
    whole(key, number_in(value, key)?, max)
}

fn whole(key: &'static str, value: Option<f64>, max: u32) -> Result<usize> {
    let value = value.ok_or(Error::MissingKey { key })?;
    if value.fract() != 0.0 || !(1.0..=f64::from(max)).contains(&value) {
        return Err(Error::Range { key, value, max });
    }
    Ok(value as usize)
}

fn number_in(value: Option<&str>, key: &str) -> Result<Option<f64>> {
    let Some(value) = value else {
        return Ok(None);
    };
    let number = leading_number(value).ok_or_else(|| Error::NotANumber {
        key: key.into(),
        text: value.into(),
    })?;
    Ok(Some(number))
}

/// The finite number at the beginning of `text`.
fn leading_number(text: &str) -> Option<f64> {
    let (_, digits) = recognize_float::<_, nom::error::Error<&str>>(text).ok()?;
    digits.parse().ok().filter(|value: &f64| value.is_finite())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines between `{` and `}`. Only a `}` at the start of a line closes the header, so a value
/// may contain one.
fn header(input: &[u8]) -> IResult<&[u8], Vec<&[u8]>> {
    let line = verify(
        take_till1(|byte| matches!(byte, b';' | b'\n')),
        |line: &[u8]| !line.starts_with(b"}"),
    );
    let (input, _) = char('{')(input)?;
    let (input, lines) = many0(preceded(between, line)).parse(input)?;
    let (input, _) = preceded(between, char('}')).parse(input)?;
    let (input, _) = opt(char('\x0c')).parse(input)?;
    Ok((input, lines))
}

/// The blanks, line ends and semicolons between two entries.
fn between(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(|byte: u8| byte.is_ascii_whitespace() || byte == b';')(input)
}

fn entry(line: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(line);
    let (key, value) = line.split_once('=')?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order_and_may_lack_a_semicolon() -> Result<()> {
        let header = Header::parse(b"{\nA=1;\nDIALS_ORIGIN=1,2,3\nB = two words ;C={};\n}  ")?;
        let entries: Vec<_> = header.entries().collect();
        assert_eq!(
            entries,
            [
                ("A", "1"),
                ("DIALS_ORIGIN", "1,2,3"),
                ("B", "two words"),
                ("C", "{}")
            ]
        );
        assert_eq!(header.length(), 48);
        Ok(())
    }

    #[test]
    fn a_key_is_a_whole_word_and_its_last_entry_counts() -> Result<()> {
        let header = Header::parse(
            b"{\nDISTANCE=100;\nCLOSE_DISTANCE=90;\nPHI=1;\nPHI=2;\nWAVELENGTH=0.97950;\n\
              SOURCE_WAVELENGTH=1 0.9795;\n}\x0c",
        )?;
        for (key, value, of_c) in [
            ("DISTANCE", Some(100.0), Some(90.0)),
            ("PHI", Some(2.0), Some(2.0)),
            ("WAVELENGTH", Some(0.9795), Some(1.0)),
            ("SOURCE_WAVELENGTH", Some(1.0), Some(1.0)),
            ("TANCE", None, Some(90.0)),
            ("TWOTHETA", None, None),
        ] {
            assert_eq!(header.number(key)?, value, "{key}");
            assert_eq!(header.number_of_c(key), of_c, "{key}");
        }
        Ok(())
    }

    #[test]
    fn a_number_may_be_followed_by_words() -> Result<()> {
        let header = Header::parse(b"{\nA= -.5e1 mm;\nB=+7,8;\nC=5.;\n}")?;
        assert_eq!(header.number("A")?, Some(-5.0));
        assert_eq!(header.number("B")?, Some(7.0));
        assert_eq!(header.number("C")?, Some(5.0));
        Ok(())
    }

    #[test]
    fn a_value_without_a_finite_number_is_an_error() -> Result<()> {
        let header = Header::parse(b"{\nA=;\nB=fake;\nC=nan;\nD=1e999;\nE=1e;\n}")?;
        for key in ["A", "B", "C", "D", "E"] {
            assert!(
                matches!(header.number(key), Err(Error::NotANumber { .. })),
                "{key}"
            );
        }
        let message = header.number("B").unwrap_err().to_string();
        assert_eq!(message, "B=\"fake\" in the header is not a number");
        Ok(())
    }

    #[test]
    fn a_header_needs_both_braces() {
        assert!(matches!(Header::parse(b""), Err(Error::NotSmv)));
        assert!(matches!(Header::parse(b"A=1;}"), Err(Error::NotSmv)));
        assert!(matches!(
            Header::parse(b"{"),
            Err(Error::Unclosed { header_bytes: 1 })
        ));
        assert!(matches!(
            Header::parse(b"{\nA=1;\n"),
            Err(Error::Unclosed { .. })
        ));
        assert!(Header::parse(b"{}").is_ok());
    }

    #[test]
    fn sizes_are_whole_and_within_range() -> Result<()> {
        let header = Header::parse(b"{\nA=0;\nB=1.5;\nC=-3;\nD=12;\n}")?;
        for key in ["A", "B", "C"] {
            assert!(matches!(header.size(key, 10), Err(Error::Range { .. })));
        }
        assert!(header.size("D", 11).is_err());
        assert_eq!(header.size("D", 12)?, 12);
        assert!(matches!(
            header.size("SIZE1", 12),
            Err(Error::MissingKey { .. })
        ));
        Ok(())
    }
}
