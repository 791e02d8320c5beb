//! The text list of sources.
//!
//! One source per line: X Y Z (m), weight, wavelength (m), separated by blanks, tabs or any of
//! `,;:!`. Missing columns at the end get their defaults. Lines that begin with `#` are comments;
//! blank lines are skipped.

use std::fmt::Write as _;
use std::path::Path;

use nanobragg_io::input::bytes_of;
use nom::bytes::complete::{take_while, take_while1};
use nom::combinator::map_res;
use nom::multi::many_m_n;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::error::{Error, Result};
use crate::source::{SOURCE_DISTANCE_M, Source, SourceList};

/// The names of the columns, in their order.
const COLUMNS: [&str; 5] = ["X", "Y", "Z", "weight", "wavelength"];

/// The largest number of characters of a wrong word in a message.
const LONGEST_QUOTE: usize = 40;

/// The allowed wavelengths of a source. They exceed every practical range, but a division by them or
/// their square does not overflow.
const WAVELENGTHS_M: std::ops::RangeInclusive<f64> = 1e-20..=1e20;

/// The defaults of missing columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceDefaults {
    /// Unit vector along the beam. Missing coordinates are those of the point 10 m upstream on the
    /// beam.
    pub beam_direction: [f64; 3],
    /// The default of the wavelength.
    pub wavelength_m: f64,
}

impl SourceList {
    /// The sources in the file at `path`; see [`SourceList::parse`].
    ///
    /// Comments can contain bytes that are not UTF-8.
    ///
    /// # Errors
    /// [`Error::Unreadable`], and those of [`SourceList::parse`].
    pub fn read(path: &Path, defaults: &SourceDefaults) -> Result<Self> {
        let bytes = bytes_of(path)?;
        let name = path.display().to_string();
        Self::parse(&String::from_utf8_lossy(&bytes), &name, defaults)
    }

    /// The sources in `text`. `name` is the name of the list in messages.
    ///
    /// One source per line: X Y Z (m, from the sample), weight, wavelength (m), separated by blanks,
    /// tabs or any of `,;:!`. Missing columns at the end get the defaults; a missing weight is 1.
    /// Blank lines and lines that begin with `#` are skipped.
    ///
    /// ```
    /// use nanobragg_sources::{SourceDefaults, SourceList};
    ///
    /// let defaults = SourceDefaults { beam_direction: [1.0, 0.0, 0.0], wavelength_m: 1e-10 };
    /// let text = "# two sources\n-10 0 0\n-10, 0.02, 0, 0.2, 1.1e-10\n";
    /// let list = SourceList::parse(text, "example", &defaults)?;
    /// assert_eq!(list[0].wavelength_m, 1e-10);
    /// assert_eq!(list[1].recorded_weight, 0.2);
    /// # Ok::<(), nanobragg_sources::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotANumber`], [`Error::ExtraColumn`], [`Error::NoDirection`],
    /// [`Error::SourceWavelength`], and [`Error::NoSources`] if no line has a source.
    pub fn parse(text: &str, name: &str, defaults: &SourceDefaults) -> Result<Self> {
        // Some editors write a byte-order mark, which would be part of the first number.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut sources = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let place = NamedLine {
                name,
                line: index + 1,
            };
            let numbers = place.numbers(line)?;
            if !numbers.is_empty() {
                sources.push(place.source(&numbers, defaults)?);
            }
        }
        Self::named(name, sources)
    }

    /// The list as text. [`SourceList::parse`] reads the same sources from it, to the bit.
    pub fn to_text(&self) -> String {
        let mut text = String::from("# X Y Z (m) weight wavelength (m)\n");
        for source in self {
            let [x, y, z] = source.position_m;
            let Source {
                recorded_weight,
                wavelength_m,
                ..
            } = source;
            writeln!(
                text,
                "{x:e} {y:e} {z:e} {recorded_weight:e} {wavelength_m:e}"
            )
            .expect("writing to a String cannot fail");
        }
        text
    }
}

/// The name of a list and the number of a line, for messages.
#[derive(Clone, Copy)]
pub(crate) struct NamedLine<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
}

impl NamedLine<'_> {
    /// The numbers on the line, at most five. Empty for a blank line and a comment.
    fn numbers(self, line: &str) -> Result<Vec<f64>> {
        let line = line.trim_start_matches(is_separator);
        if line.starts_with('#') {
            return Ok(Vec::new());
        }
        // The parser stops at the first word that is not a number, or after five numbers. Nothing must
        // remain.
        let (rest, numbers) = record(line).unwrap_or((line, Vec::new()));
        if rest.is_empty() {
            return Ok(numbers);
        }
        let Self { name, line } = self;
        let (name, found) = (name.to_owned(), quote(rest));
        Err(match COLUMNS.get(numbers.len()) {
            Some(column) => Error::NotANumber {
                name,
                line,
                column,
                found,
            },
            None => Error::ExtraColumn { name, line, found },
        })
    }

    /// The source of these columns.
    fn source(self, numbers: &[f64], defaults: &SourceDefaults) -> Result<Source> {
        let [x, y, z] = defaults
            .beam_direction
            .map(|component| -SOURCE_DISTANCE_M * component);
        let mut columns = [x, y, z, 1.0, defaults.wavelength_m];
        for (column, number) in columns.iter_mut().zip(numbers) {
            *column = *number;
        }
        let [x, y, z, recorded_weight, wavelength_m] = columns;
        self.source_at([x, y, z], wavelength_m, recorded_weight)
    }

    /// The source at a position.
    ///
    /// # Errors
    /// [`Error::SourceWavelength`] and [`Error::NoDirection`].
    pub(crate) fn source_at(
        self,
        position_m: [f64; 3],
        wavelength_m: f64,
        recorded_weight: f64,
    ) -> Result<Source> {
        let Self { name, line } = self;
        if !WAVELENGTHS_M.contains(&wavelength_m) {
            return Err(Error::SourceWavelength {
                name: name.to_owned(),
                line,
                wavelength_m,
            });
        }
        Source::at(position_m, wavelength_m, recorded_weight).ok_or_else(|| Error::NoDirection {
            name: name.to_owned(),
            line,
            position_m,
        })
    }
}

/// The first word of `rest`, shortened if it is long.
fn quote(rest: &str) -> String {
    let word = rest.split(is_separator).next().unwrap_or(rest);
    let mut quoted: String = word.chars().take(LONGEST_QUOTE).collect();
    if quoted.len() < word.len() {
        quoted.push_str("...");
    }
    quoted
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\t' | ',' | ';' | ':' | '!')
}

/// At most five numbers, up to the end of the line or the first word that is not a number.
fn record(line: &str) -> IResult<&str, Vec<f64>> {
    preceded(
        separators,
        many_m_n(0, COLUMNS.len(), terminated(number, separators)),
    )
    .parse(line)
}

fn separators(input: &str) -> IResult<&str, &str> {
    take_while(is_separator).parse(input)
}

fn number(input: &str) -> IResult<&str, f64> {
    map_res(take_while1(|c| !is_separator(c)), finite).parse(input)
}

/// The finite number in `word`.
///
/// # Errors
/// The word, if it is not a finite number.
fn finite(word: &str) -> std::result::Result<f64, &str> {
    word.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: SourceDefaults = SourceDefaults {
        beam_direction: [1.0, 0.0, 0.0],
        wavelength_m: 1.5e-10,
    };

    fn parse(text: &str) -> Result<SourceList> {
        SourceList::parse(text, "list", &DEFAULTS)
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn missing_columns_take_their_defaults() {
        let list = parse("-5\n-5 1\n-5 1 2\n-5 1 2 0.5\n-5 1 2 0.5 1e-10\n").unwrap();
        let positions: Vec<_> = list.iter().map(|source| source.position_m).collect();
        assert_eq!(positions[0], [-5.0, 0.0, 0.0]);
        assert_eq!(positions[1], [-5.0, 1.0, 0.0]);
        assert_eq!(positions[2], [-5.0, 1.0, 2.0]);
        assert_eq!(
            (list[2].recorded_weight, list[2].wavelength_m),
            (1.0, 1.5e-10)
        );
        assert_eq!(
            (list[3].recorded_weight, list[3].wavelength_m),
            (0.5, 1.5e-10)
        );
        assert_eq!(
            (list[4].recorded_weight, list[4].wavelength_m),
            (0.5, 1e-10)
        );
    }

    #[test]
    fn separators_and_line_ends_may_vary() {
        let plain = parse("-10 0.1 0.2 1 1e-10\n-10 0 0 2 1e-10\n").unwrap();
        for text in [
            "\u{feff}-10 0.1 0.2 1 1e-10\r\n\r\n-10 0 0 2 1e-10",
            "# comment\n\t-10,0.1;0.2:1!1e-10 ,\n  # another\n , \n-10\t0\t0\t2\t1e-10  \n",
            "-1e1 +.1 2E-1 1. 1.0e-10\n-10 0 0 2 1e-10",
        ] {
            assert_eq!(parse(text).unwrap(), plain, "{text:?}");
        }
    }

    #[test]
    fn any_finite_weight_is_kept() {
        let list = parse("-10 0 0 0\n-10 0 0 -3\n-10 0 0 1e300\n").unwrap();
        let weights: Vec<_> = list.iter().map(|source| source.recorded_weight).collect();
        assert_eq!(weights, [0.0, -3.0, 1e300]);
    }

    #[test]
    fn errors_have_the_line_and_the_text() {
        assert_eq!(
            message("-10 0 0\n-10 0 x1 1\n"),
            "list:2: the Z of the source is \"x1\"; expected a finite number"
        );
        assert_eq!(
            message("\n-10 0 0 nan\n"),
            "list:2: the weight of the source is \"nan\"; expected a finite number"
        );
        assert!(message("-10 0 0 1 1e999").contains("the wavelength of the source is \"1e999\""));
        assert!(message("-10 0 0 1 1e-10 7").contains("\"7\" after the fifth column"));
        assert!(message("-10 0 0 1 1e-10 # lab").contains("\"#\" after the fifth column"));
        assert!(
            message("0 0 0").contains("list:1: a source at [0.0, 0.0, 0.0] m has no direction")
        );
        assert!(message("-10 0 0 1 -1e-10").contains("the wavelength of the source is -"));
        assert!(message("# nothing\n\n").contains("list: no source found"));
        assert!(message(&"y".repeat(1000)).len() < 200);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = SourceList::read(Path::new("no such list"), &DEFAULTS).unwrap_err();
        assert!(error.to_string().starts_with("no such list: "));
    }
}
