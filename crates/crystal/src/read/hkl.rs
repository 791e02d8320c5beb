//! Reflection lists: text with one line `h k l F` for each reflection.
//!
//! Blank lines and lines that begin with `#` are skipped. Columns after the fourth are ignored.

use std::path::Path;

use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::{finite_number, is_blank, word};
use crate::error::Error;
use crate::factors::{Hkl, Reflection};
use crate::reflections::{ColumnKind, ReflectionTable, TableColumn};

/// The length of a short line. It gives a first estimate of the memory for a list.
const TYPICAL_LINE: usize = 16;

const INDICES: [&str; 3] = ["the index h", "the index k", "the index l"];

/// Reads the reflection list at `path`.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Reflection>, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_hkl", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// The reflections in the text of a list, in its order; `name` is for messages.
///
/// # Errors
/// [`Error::TooFewColumns`], [`Error::NotANumber`] and [`Error::NotAnIndex`] with the line;
/// [`Error::NoReflections`] if there is none, [`Error::TooManyReflections`] if there is no memory
/// for them.
///
/// ```
/// # use nanobragg_crystal::read::hkl;
/// let list = hkl::parse(b"# h k l F\n1 0 -2 350.5 sigma\n", "P1.hkl")?;
/// assert_eq!(list[0].hkl.0, [1, 0, -2]);
/// assert_eq!(list[0].amplitude, 350.5);
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str) -> Result<Vec<Reflection>, Error> {
    let bytes = without_mark(bytes);
    let mut reflections = Vec::new();
    let out_of_memory = |line| Error::TooManyReflections {
        name: name.to_owned(),
        line,
    };
    // A failed reservation is an error with the line. Without it `push` would end the program.
    reflections
        .try_reserve(bytes.len() / TYPICAL_LINE)
        .map_err(|_| out_of_memory(1))?;
    for (i, line) in lines_of(bytes).enumerate() {
        if let Some(reflection) = reflection(line).map_err(|fault| fault.at(name, i + 1))? {
            reflections
                .try_reserve(1)
                .map_err(|_| out_of_memory(i + 1))?;
            reflections.push(reflection);
        }
    }
    if reflections.is_empty() {
        return Err(Error::NoReflections {
            name: name.to_owned(),
        });
    }
    Ok(reflections)
}

/// The column of intensities in a list that has no names.
pub const INTENSITY: &str = "I";

/// The ends of h, k, l and the intensity in a line of SHELX.
const ENDS: [usize; 4] = [4, 8, 12, 20];

/// The intensities in a list of SHELX (HKLF 4), or in another text whose fourth column they are; `name` is for
/// messages.
///
/// The columns of SHELX are as wide as their numbers may be, so numbers can touch. Its list ends with a line of zeros.
///
/// # Errors
/// [`Error::TooFewColumns`], [`Error::NotANumber`] and [`Error::NotAnIndex`] with the line;
/// [`Error::NoReflections`] if there is none.
///
/// ```
/// # use nanobragg_crystal::read::hkl;
/// let list = hkl::parse_intensities(b"   0   2 -1112345.67  145.23   1\n   0   0   0    0.00    0.00\n", "a.hkl")?;
/// assert_eq!((list.indices[0], list.values[0]), ([0, 2, -11], 12345.67));
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse_intensities(bytes: &[u8], name: &str) -> Result<ReflectionTable, Error> {
    let intensity = TableColumn {
        label: INTENSITY.to_owned(),
        kind: ColumnKind::Intensity,
        data_set: 0,
    };
    let mut table = ReflectionTable {
        is_unmerged: true,
        ..ReflectionTable::new(name, vec![intensity])
    };
    for (i, line) in lines_of(without_mark(bytes)).enumerate() {
        let found = match of_shelx(line) {
            Some(reflection) => Some(reflection),
            None => reflection(line).map_err(|fault| fault.at(name, i + 1))?,
        };
        match found {
            Some(Reflection {
                hkl: Hkl([0, 0, 0]),
                amplitude: 0.0,
            }) => break,
            Some(reflection) => {
                table.indices.push(reflection.hkl.0);
                table.values.push(reflection.amplitude);
            }
            None => {}
        }
    }
    if table.indices.is_empty() {
        return Err(Error::NoReflections {
            name: name.to_owned(),
        });
    }
    Ok(table)
}

/// The lines of a text. Very old programs end them by a carriage return alone.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = match bytes.contains(&b'\n') {
        true => b'\n',
        false => b'\r',
    };
    bytes.split(move |byte| *byte == end)
}

/// The indices and the fourth number of a line whose columns are those of SHELX; `None` for any other line.
fn of_shelx(line: &[u8]) -> Option<Reflection> {
    let mut begin = 0;
    let mut numbers = [0.0; ENDS.len()];
    for (number, end) in numbers.iter_mut().zip(ENDS) {
        // Numbers stand at the right of their columns.
        let column = line.get(begin..end)?;
        column.last().filter(|byte| !is_blank(**byte))?;
        *number = finite_number(column.trim_ascii())?;
        begin = end;
    }
    let [h, k, l, amplitude] = numbers;
    let hkl = [h, k, l];
    hkl.iter()
        .all(|index| index.fract() == 0.0)
        .then(|| Reflection {
            hkl: Hkl(hkl.map(|index| index as i32)),
            amplitude,
        })
}

/// The error of a line, without the name of the file and the number of the line.
enum LineFault<'a> {
    Columns(usize),
    Index {
        word: &'a [u8],
        expected: &'static str,
    },
    Number {
        word: &'a [u8],
        expected: &'static str,
    },
}

impl LineFault<'_> {
    #[cold]
    fn at(self, name: &str, line: usize) -> Error {
        let name = name.to_owned();
        match self {
            Self::Columns(found) => Error::TooFewColumns { name, line, found },
            Self::Index { word, expected } => Error::NotAnIndex {
                name,
                line,
                found: quoted(word),
                expected,
            },
            Self::Number { word, expected } => Error::NotANumber {
                name,
                line,
                found: quoted(word),
                expected,
            },
        }
    }
}

/// The reflection of a line; `None` for a comment or a blank line.
fn reflection(line: &[u8]) -> Result<Option<Reflection>, LineFault<'_>> {
    let mut rest = line;
    let mut hkl = [0; 3];
    for (column, (index, expected)) in hkl.iter_mut().zip(INDICES).enumerate() {
        let Ok((after, found)) = word(rest) else {
            return if column == 0 {
                Ok(None)
            } else {
                Err(LineFault::Columns(column))
            };
        };
        if column == 0 && found.starts_with(b"#") {
            return Ok(None);
        }
        *index = whole_number(found, expected).map_err(|fault| match in_other_lists(found) {
            Some(expected) => LineFault::Number {
                word: found,
                expected,
            },
            None => fault,
        })?;
        rest = after;
    }
    let Ok((_, found)) = word(rest) else {
        return Err(LineFault::Columns(hkl.len()));
    };
    let expected = "the structure factor F, a finite number";
    let amplitude = finite_number(found).ok_or(LineFault::Number {
        word: found,
        expected,
    })?;
    Ok(Some(Reflection {
        hkl: Hkl(hkl),
        amplitude,
    }))
}

/// What is needed where an index shows that the list is of another program.
fn in_other_lists(word: &[u8]) -> Option<&'static str> {
    /// First words of files, and what to do with those.
    const FIRST: [(&[u8], &str); 8] = [
        (
            b"CRYST1",
            "h k l F; the atoms of a PDB file are read by -pdb",
        ),
        (
            b"HEADER",
            "h k l F; the atoms of a PDB file are read by -pdb",
        ),
        (
            b"REMARK",
            "h k l F; the atoms of a PDB file are read by -pdb",
        ),
        (b"ATOM", "h k l F; the atoms of a PDB file are read by -pdb"),
        (
            b"TITL",
            "h k l F; of SHELX, the CIF of a refinement is read by -pdb, its .fcf by -hkl",
        ),
        (
            b"CrystFEL",
            "h k l F; get_hkl of CrystFEL makes an MTZ of its list (--output-format=mtz)",
        ),
        (
            b"NREF",
            "h k l F; cns2mtz or phenix.reflection_file_converter makes an MTZ of a list of CNS",
        ),
        (b"{", "h k l F; this begins as an image or as JSON does"),
    ];
    if let Some((_, expected)) = FIRST.iter().find(|(first, _)| word.starts_with(first)) {
        return Some(expected);
    }
    if word.starts_with(b"!") {
        return Some("h k l F; of the lists of XDS, XDS_ASCII.HKL is read");
    }
    // Columns of SHELX are as wide as their numbers may be.
    let touches = word.len() > 7 && word.contains(&b'.');
    touches.then_some("h k l F with blanks between them; -columns I reads a list of SHELX (HKLF 4)")
}

/// A Miller index. A number with a fraction of zero, such as `5.0`, is accepted.
fn whole_number<'a>(word: &'a [u8], expected: &'static str) -> Result<i32, LineFault<'a>> {
    if let Some(index) = short_integer(word) {
        return Ok(index);
    }
    let number = finite_number(word).ok_or(LineFault::Number { word, expected })?;
    let whole =
        number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    if whole {
        Ok(number as i32)
    } else {
        Err(LineFault::Index { word, expected })
    }
}

/// A fast path for nearly every index: an optional minus and up to nine digits, which fit in an
/// `i32`. `None` for any other text.
fn short_integer(word: &[u8]) -> Option<i32> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut magnitude = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude * 10 + i32::from(digit - b'0');
    }
    Some(if digits.len() < word.len() {
        -magnitude
    } else {
        magnitude
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &[u8]) -> String {
        parse(text, "x.hkl").unwrap_err().to_string()
    }

    #[test]
    fn comments_blank_lines_and_further_columns_are_skipped() {
        let text = b"\xef\xbb\xbf# list\r\n\r\n  1 -2\t3 4.5 0.1 note\r\n   # more\r\n+5 6.0 7e0 8";
        let list = parse(text, "x.hkl").unwrap();
        assert_eq!(
            list[0],
            Reflection {
                hkl: Hkl([1, -2, 3]),
                amplitude: 4.5
            }
        );
        assert_eq!(
            list[1],
            Reflection {
                hkl: Hkl([5, 6, 7]),
                amplitude: 8.0
            }
        );
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn errors_have_file_line_and_the_text() {
        assert_eq!(
            message(b"1 2 3 4\n1 2 3\n"),
            "x.hkl:2: found 3 columns, expected at least 4: h k l F"
        );
        assert_eq!(
            message(b"#\n1 2.5 3 4\n"),
            "x.hkl:2: found `2.5`, expected the index k, a whole number between \
             -2147483648 and 2147483647"
        );
        assert_eq!(
            message(b"a 2 3 4"),
            "x.hkl:1: found `a`, expected the index h"
        );
        assert_eq!(
            message(b"!OUTPUT_FILE=INTEGRATE.HKL    DATE= 8-Feb-2013\n"),
            "x.hkl:1: found `!OUTPUT_FILE=INTEGRATE.HKL`, expected h k l F; of the lists of XDS, XDS_ASCII.HKL is read"
        );
        assert_eq!(
            message(b"   1   2   312345.67 1234.56\n"),
            "x.hkl:1: found `312345.67`, expected h k l F with blanks between them; -columns I reads a list of SHELX (HKLF 4)"
        );
        for word in ["nan", "inf", "-inf", "four", "1e999", "\u{fffd}"] {
            let found = message(format!("1 2 3 {word}").as_bytes());
            assert_eq!(
                found,
                format!(
                    "x.hkl:1: found `{word}`, expected the structure factor F, a finite number"
                )
            );
        }
        assert!(message(b"1 2 99999999999 4").contains("`99999999999`"));
        assert!(message(b"1 2 3 \xff\xfe").contains("x.hkl:1"));
        assert!(message(b"# nothing\n\n").contains("no reflection"));
        assert!(message(b"").contains("no reflection"));
    }

    #[test]
    fn long_garbage_is_cut_short_in_messages() {
        assert!(message(&[b'x'; 100_000]).len() < 200);
    }

    #[test]
    fn indices_reach_the_ends_of_their_type() {
        let list = parse(b"-2147483648 2147483647 -999999999 0 ", "x.hkl").unwrap();
        assert_eq!(list[0].hkl.0, [i32::MIN, i32::MAX, -999_999_999]);
    }
}
