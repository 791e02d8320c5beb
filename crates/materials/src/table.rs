//! A profile as a text table of two columns.
//!
//! One point per line: sin(theta)/lambda (or a multiple of it, see [`StolUnit`]) and F, separated by blanks,
//! tabs or any of `,;:!`. Further columns are ignored. Blank lines and lines that begin with `#` are skipped.

use std::fmt;
use std::path::Path;

use nanobragg_io::input::{bytes_of, quoted, without_mark};

use crate::{Error, Profile, StolUnit};

/// The largest sin(theta)/lambda of a likely table in 1/Angstrom: back-scattering at a wavelength of 0.4 A.
const FARTHEST: f64 = 2.5;

/// A table that ends before this sin(theta)/lambda (a spacing of 5 A) is likely in another unit.
const NEAREST_END: f64 = 0.1;

/// A profile that was read, with what is strange about its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The profile.
    pub profile: Profile,
    /// What the reader should know.
    pub warnings: Vec<TableWarning>,
}

/// Something strange about a table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TableWarning {
    /// The table reaches further than X-rays do.
    TooFar {
        /// The name of the table.
        name: String,
        /// Its largest sin(theta)/lambda in 1/Angstrom.
        ends_at: f64,
        /// The unit that was used.
        unit: StolUnit,
    },
    /// The table ends at small angles.
    TooNear {
        /// The name of the table.
        name: String,
        /// Its largest sin(theta)/lambda in 1/Angstrom.
        ends_at: f64,
        /// The unit that was used.
        unit: StolUnit,
    },
    /// Some lines have no F. It is 0 there, as in the C program.
    MissingF {
        /// The name of the table.
        name: String,
        /// The number of lines.
        lines: usize,
        /// The first of them, counted from 1.
        first: usize,
    },
}

impl fmt::Display for TableWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = |unit: &StolUnit| match unit {
            StolUnit::Stol => "sin(theta)/lambda",
            StolUnit::FourStol => "4 sin(theta)/lambda",
            StolUnit::Q => "Q = 4 pi sin(theta)/lambda",
        };
        match self {
            Self::TooFar {
                name,
                ends_at,
                unit,
            } => write!(
                f,
                "{name} read as {} in 1/A ends at sin(theta)/lambda = {ends_at:.4} 1/A, beyond what \
                 X-rays reach; a table of Q (-Q), of 4 sin(theta)/lambda (-4stol) or in 1/nm looks like \
                 this",
                column(unit)
            ),
            Self::TooNear {
                name,
                ends_at,
                unit,
            } => write!(
                f,
                "{name} read as {} in 1/A ends already at sin(theta)/lambda = {ends_at:.4} 1/A, a \
                 spacing of {:.3} A; is it in another unit?",
                column(unit),
                0.5 / ends_at
            ),
            Self::MissingF { name, lines, first } => write!(
                f,
                "{name}:{first}: no F; it is 0 on this line and on {} others",
                lines - 1
            ),
        }
    }
}

/// Reads the table at `path`, whose first column is in `unit`.
///
/// # Errors
/// [`Error::Unreadable`] and the errors of [`parse`].
pub fn read(path: &Path, unit: StolUnit) -> Result<Table, Error> {
    parse(&bytes_of(path)?, &path.display().to_string(), unit)
}

/// The table in `text`, which is called `name` in messages.
///
/// A line with one number only has no F. As in the C program its F is 0, and the F of the ends are the first
/// and the last that are there.
///
/// # Errors
/// [`Error::NotANumber`], [`Error::Descends`], [`Error::ShortTable`], [`Error::NoF`].
///
/// ```
/// use nanobragg_materials::{StolUnit, table};
///
/// let table = table::parse(b"# water\n0 2.57\n0.5, 1.3\n", "water.stol", StolUnit::Stol)?;
/// assert_eq!(table.profile.points().count(), 2);
/// # Ok::<(), nanobragg_materials::Error>(())
/// ```
pub fn parse(text: &[u8], name: &str, unit: StolUnit) -> Result<Table, Error> {
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    let mut warnings = Vec::new();
    let mut missing: Option<(usize, usize)> = None;
    for (index, line) in without_mark(text).split(|byte| *byte == b'\n').enumerate() {
        let mut words = line
            .split(|byte| is_separator(*byte))
            .filter(|w| !w.is_empty());
        let Some(first) = words.next().filter(|word| !word.starts_with(b"#")) else {
            continue;
        };
        let number = |word: &[u8]| {
            finite(word).ok_or_else(|| Error::NotANumber {
                name: name.to_owned(),
                line: index + 1,
                found: quoted(word),
            })
        };
        let stol = number(first)?;
        let f = words.next().filter(|word| !word.starts_with(b"#"));
        let f = f.map(number).transpose()?;
        if f.is_none() {
            let (lines, first) = missing.unwrap_or((0, index + 1));
            missing = Some((lines + 1, first));
        }
        if let Some(&(before, _)) = points.last()
            && stol <= before
        {
            return Err(Error::Descends {
                name: name.to_owned(),
                line: index + 1,
                value: stol,
                before,
            });
        }
        points.push((stol, f));
    }
    if points.len() < 2 {
        return Err(Error::ShortTable {
            name: name.to_owned(),
            points: points.len(),
        });
    }
    let ends = {
        let mut present = points.iter().filter_map(|(_, f)| *f);
        let first = present.next();
        first.map(|first| [first, present.next_back().unwrap_or(first)])
    };
    let Some(ends) = ends else {
        return Err(Error::NoF {
            name: name.to_owned(),
        });
    };
    if let Some((lines, first)) = missing {
        warnings.push(TableWarning::MissingF {
            name: name.to_owned(),
            lines,
            first,
        });
    }
    let points = points.into_iter().map(|(stol, f)| (stol, f.unwrap_or(0.0)));
    let profile = Profile::in_unit(points, unit)?.with_ends(ends);
    let [_, ends_at] = profile.range_per_m().map(|stol| stol * 1e-10);
    if ends_at > FARTHEST {
        warnings.push(TableWarning::TooFar {
            name: name.to_owned(),
            ends_at,
            unit,
        });
    } else if ends_at < NEAREST_END {
        warnings.push(TableWarning::TooNear {
            name: name.to_owned(),
            ends_at,
            unit,
        });
    }
    Ok(Table { profile, warnings })
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b',' | b';' | b':' | b'!')
}

fn finite(word: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &str) -> String {
        parse(text.as_bytes(), "t.stol", StolUnit::Stol)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_bad_table_is_refused_with_its_line() {
        assert_eq!(
            message(""),
            "t.stol: 0 points of sin(theta)/lambda and F, and a table needs at least two"
        );
        assert!(message("0 1\n").contains("1 points"));
        assert!(message("0 1\n0.1 2\n0.1 3\n").starts_with("t.stol:3: 0.1 does not follow 0.1"));
        assert!(message("0 1\n0.1 2\n\n0.05 3\n").starts_with("t.stol:4: 0.05 does not follow"));
        for word in ["NaN", "inf", "-inf", "F", "1e999", "1.5x", "\u{1f41d}"] {
            assert!(
                message(&format!("0 1\n0.1 {word}\n")).starts_with("t.stol:2: "),
                "{word}"
            );
            assert!(
                message(&format!("{word} 1\n0.1 1\n")).starts_with("t.stol:1: "),
                "{word}"
            );
        }
        assert!(message("0\n0.1\n").contains("no line has an F"));
    }

    #[test]
    fn separators_comments_and_line_ends_do_not_matter() {
        let plain = parse(b"0 3\n0.5 2\n1 1\n", "", StolUnit::Stol).unwrap();
        let other = b"\xef\xbb\xbf# a table\r\n\t0,3\r\n\r\n 0.5;2 0.1 # sigma\r\n1:1";
        assert_eq!(parse(other, "", StolUnit::Stol).unwrap(), plain);
    }

    #[test]
    fn a_missing_f_is_zero_and_does_not_reach_the_ends() {
        let table = parse(b"0\n0.5 2\n1 1\n", "t", StolUnit::Stol).unwrap();
        let points: Vec<f64> = table.profile.points().map(|(_, f)| f).collect();
        assert_eq!(points, [0.0, 2.0, 1.0]);
        assert!(matches!(
            table.warnings[..],
            [TableWarning::MissingF {
                lines: 1,
                first: 1,
                ..
            }]
        ));
    }

    #[test]
    fn a_table_in_another_unit_is_warned_of() {
        let warned = |text: &str, unit| {
            !parse(text.as_bytes(), "t", unit)
                .unwrap()
                .warnings
                .is_empty()
        };
        assert!(!warned("0 1\n1.2 1\n", StolUnit::Stol));
        assert!(warned("0 1\n12 1\n", StolUnit::Stol));
        assert!(!warned("0 1\n12 1\n", StolUnit::Q));
        assert!(warned("0 1\n120 1\n", StolUnit::Q));
        assert!(warned("0 1\n1.2 1\n", StolUnit::Q));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, "t", StolUnit::Q);
        }

        #[test]
        fn a_written_table_is_read_to_the_bit(
            steps in prop::collection::vec((0.001..1.0_f64, -5.0..50.0_f64), 2..30),
        ) {
            let mut stol = 0.0;
            let points: Vec<(f64, f64)> = steps.iter().map(|&(step, f)| { stol += step; (stol, f) }).collect();
            let text: String = points.iter().map(|(s, f)| format!("{s} {f}\n")).collect();
            let read = parse(text.as_bytes(), "t", StolUnit::Stol).unwrap().profile;
            prop_assert_eq!(read, Profile::new(points).unwrap());
        }
    }
}
