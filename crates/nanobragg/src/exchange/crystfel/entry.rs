//! Lines of a geometry: `key = value`, `panel/key = value`; `;` begins a comment.

use nanobragg_geometry::vector::norm;

use crate::error::Error;
use crate::exchange::file::{MOST, quoted};

/// The largest whole number.
const LARGEST: f64 = 1e9;

/// One line with a value.
#[derive(Debug, Clone)]
pub(super) struct Entry<'t> {
    file: &'t str,
    line: usize,
    /// The panel or bad region; empty for a line that is about none.
    pub(super) owner: &'t str,
    /// The key.
    pub(super) key: &'t str,
    /// The value, without blanks around it.
    pub(super) value: &'t str,
}

/// A length in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FileLength {
    /// Its value.
    Metres(f64),
    /// A place in the image files.
    Elsewhere,
}

/// Every line with a value, in order.
///
/// # Errors
/// [`Error::FileValue`] for a line without `=`.
pub(super) fn entries<'t>(text: &'t str, file: &'t str) -> Result<Vec<Entry<'t>>, Error> {
    let mut entries = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line_number = i + 1;
        let content = line.split(';').next().unwrap_or("").trim();
        if content.is_empty() {
            continue;
        }
        let Some((name, value)) = content.split_once('=') else {
            return Err(Error::FileValue {
                place: format!("{file}:{line_number}"),
                found: quoted(content),
                expected: "`key = value`, or a comment that begins with `;`",
            });
        };
        let name = name.trim();
        let (owner, key) = name.split_once('/').unwrap_or(("", name));
        entries.push(Entry {
            file,
            line: line_number,
            owner,
            key,
            value: value.trim(),
        });
    }
    Ok(entries)
}

impl Entry<'_> {
    /// File, line and key, for messages.
    pub(super) fn place(&self) -> String {
        let slash = if self.owner.is_empty() { "" } else { "/" };
        format!(
            "{}:{}: {}{slash}{}",
            self.file, self.line, self.owner, self.key
        )
    }

    /// Its line, counted from 1.
    pub(super) fn number_of_line(&self) -> usize {
        self.line
    }

    /// File and line, for messages about another key.
    pub(super) fn line(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// That the value is not `expected`.
    pub(super) fn wrong(&self, expected: &'static str) -> Error {
        Error::FileValue {
            place: self.place(),
            found: quoted(self.value),
            expected,
        }
    }

    /// A number that an experiment can have.
    pub(super) fn number(&self) -> Result<f64, Error> {
        number(self.value).ok_or_else(|| self.wrong("a number of a magnitude up to 1e15"))
    }

    /// A number above 0.
    pub(super) fn positive(&self) -> Result<f64, Error> {
        match self.number()? {
            x if x < 1.0 / MOST => Err(self.wrong("a number from 1e-15 to 1e15")),
            x => Ok(x),
        }
    }

    /// A whole number of 0 or above.
    pub(super) fn count(&self) -> Result<u32, Error> {
        match number(self.value) {
            // The range and the fraction are checked, so the cast loses nothing.
            Some(x) if (0.0..=LARGEST).contains(&x) && x.fract() == 0.0 => Ok(x as u32),
            _ => Err(self.wrong("a whole number of 0 or above")),
        }
    }

    /// Whether it is `true` or a number other than 0.
    pub(super) fn is_true(&self) -> Result<bool, Error> {
        match self.value {
            "true" => Ok(true),
            "false" => Ok(false),
            value => match number(value) {
                Some(x) => Ok(x != 0.0),
                None => Err(self.wrong("true, false or a number")),
            },
        }
    }

    /// Number and unit. `None` for what is no number, which is a place in the image files.
    fn with_unit(&self) -> Option<(f64, &str)> {
        let (value, unit) =
            (self.value.split_once(char::is_whitespace)).unwrap_or((self.value, ""));
        Some((number(value)?, unit.trim()))
    }

    /// The place in image files at which the value stands, and its unit, which may be missing; `None` for a number.
    pub(super) fn elsewhere(&self) -> Option<(&str, &str)> {
        let (path, unit) = (self.value.split_once(char::is_whitespace)).unwrap_or((self.value, ""));
        number(path).is_none().then_some((path, unit.trim()))
    }

    /// A length; without a unit it is in metres.
    pub(super) fn length(&self) -> Result<FileLength, Error> {
        match self.with_unit() {
            None => Ok(FileLength::Elsewhere),
            Some((metres, "" | "m")) => Ok(FileLength::Metres(metres)),
            Some((millimetres, "mm")) => Ok(FileLength::Metres(millimetres / 1000.0)),
            Some(_) => Err(self.wrong("a number with the unit m or mm")),
        }
    }

    /// A positive number in the first of these units, each with its size; `None` for a place in the
    /// image files. Without a unit it is in the `default` one, if there is one.
    pub(super) fn quantity(
        &self,
        units: [(&str, f64); 2],
        default: Option<f64>,
        expected: &'static str,
    ) -> Result<Option<f64>, Error> {
        let Some((value, unit)) = self.with_unit() else {
            return Ok(None);
        };
        let size = match units.into_iter().find(|(name, _)| *name == unit) {
            Some((_, size)) => Some(size),
            None if unit.is_empty() => default,
            None => None,
        };
        match size {
            Some(size) if value * size >= 1.0 / MOST => Ok(Some(value * size)),
            _ => Err(self.wrong(expected)),
        }
    }

    /// A vector such as `+0.999x -0.01y +z`. Blanks in it do not count, and an axis may stand more than once.
    pub(super) fn vector(&self) -> Result<[f64; 3], Error> {
        let plain: String = self.value.split_whitespace().collect();
        let mut vector = [0.0; 3];
        let mut rest = plain.as_str();
        while !rest.is_empty() {
            let end = rest.find(['x', 'y', 'z']);
            let term = end.and_then(|end| {
                Some((rest.get(..end)?, rest.get(end..=end)?, rest.get(end + 1..)?))
            });
            let term = term.and_then(|(factor, axis, after)| {
                let factor = match factor {
                    "" | "+" => 1.0,
                    "-" => -1.0,
                    factor => number(factor)?,
                };
                Some((factor, axis, after))
            });
            let Some((factor, axis, after)) = term else {
                return Err(self.wrong("a vector such as `+0.999x -0.01y`"));
            };
            let [x, y, z] = &mut vector;
            *match axis {
                "x" => x,
                "y" => y,
                _ => z,
            } += factor;
            rest = after;
        }
        if norm(vector) < 1.0 / MOST {
            return Err(self.wrong("a vector that has a direction"));
        }
        Ok(vector)
    }
}

/// A word as a number that an experiment can have.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|x: &f64| x.abs() <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(value: &str) -> Option<[f64; 3]> {
        let text = format!("p0/fs = {value}");
        let entries = entries(&text, "a.geom").unwrap();
        entries[0].vector().ok()
    }

    #[test]
    fn vectors_have_a_term_for_each_axis() {
        for (text, expected) in [
            ("x", [1.0, 0.0, 0.0]),
            ("-y", [0.0, -1.0, 0.0]),
            ("+0.5x - 0.25 y+1.0z", [0.5, -0.25, 1.0]),
            ("1e-3x +.5y", [0.001, 0.5, 0.0]),
            ("x +x", [2.0, 0.0, 0.0]),
        ] {
            assert_eq!(vector(text), Some(expected), "{text}");
        }
        for text in ["", "1.0", "1.0w", "x+", "--x", "0x", "nanx", "x - x"] {
            assert_eq!(vector(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_have_units() {
        let length = |value: &str| {
            let text = format!("clen = {value} ; comment");
            entries(&text, "a.geom").unwrap()[0].length().ok()
        };
        assert_eq!(length("0.08"), Some(FileLength::Metres(0.08)));
        assert_eq!(length("80 mm"), Some(FileLength::Metres(0.08)));
        assert_eq!(length("0.08 m"), Some(FileLength::Metres(0.08)));
        assert_eq!(length("/entry/clen m"), Some(FileLength::Elsewhere));
        assert_eq!(length("8 cm"), None);
    }

    #[test]
    fn a_line_without_a_value_is_named() {
        let error = entries("\n; all\np0/fs x\n", "a.geom").unwrap_err();
        let message =
            "a.geom:3: found `p0/fs x`, expected `key = value`, or a comment that begins with `;`";
        assert_eq!(error.to_string(), message);
    }
}
