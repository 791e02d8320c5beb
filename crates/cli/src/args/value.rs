//! From the words of a flag to numbers, checked against what the flag allows.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::flag::Takes;
use super::{Args, Misset, Range, WholeRange};
use crate::Error;
use crate::argv::Given;

/// Whole numbers up to here are exact in an f64, so that `1e3` or `5.0` can be taken as one.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// Checks the words of one flag and lets them take effect.
///
/// # Errors
/// [`Error::NotAllowed`] for a word that the flag cannot take, [`Error::MissingValue`] for too few.
pub(super) fn apply(given: &Given, args: &mut Args) -> Result<(), Error> {
    let words = Words(given);
    match &given.spec.takes {
        Takes::Switch(set) => set(args),
        Takes::Number { range, set, .. } => set(args, words.number(0, *range)?),
        Takes::Whole { range, set } => set(args, words.whole(0, *range)?),
        Takes::Two { range, set, .. } => set(args, words.wholes(*range)?),
        Takes::Four { range, set, .. } => set(args, words.wholes(*range)?),
        Takes::Text { set, .. } => {
            let word = words.get(0)?;
            let text = word.to_str().filter(|text| !text.is_empty());
            if !text.is_some_and(|text| set(args, text)) {
                return Err(words.not_allowed(word));
            }
        }
        Takes::Path(set) => {
            let path = words.path(0)?;
            set(args, path);
        }
        Takes::Part { most, set } => {
            let word = words.get(0)?;
            let part = word.to_str().and_then(|text| part(text, *most));
            set(args, part.ok_or_else(|| words.not_allowed(word))?);
        }
        Takes::TwoPaths(set) => {
            let paths = [words.path(0)?, words.path(1)?];
            set(args, paths);
        }
        Takes::Word { words: known, set } | Takes::OptionalWord { words: known, set } => {
            let word = words.get(0)?;
            let known = known.iter().find(|known| word == **known);
            set(args, known.ok_or_else(|| words.not_allowed(word))?);
        }
        Takes::Words { words: known, set } => {
            let list = words.get(0)?;
            // Not being UTF-8, it cannot be on the list either.
            for word in list.to_str().unwrap_or_default().split(',') {
                let known = known.iter().find(|known| word == **known);
                set(args, known.ok_or_else(|| words.not_allowed(list))?);
            }
        }
        Takes::Vector(set) => set(args, words.vector()?),
        Takes::Cell(set) => {
            let numbers = 0..given.words.len();
            let numbers = numbers.map(|i| words.number(i, Range::ZeroOrMore));
            set(args, numbers.collect::<Result<_, _>>()?);
        }
        Takes::Misset(set) => {
            let random = words
                .get(0)?
                .to_str()
                .is_some_and(|word| word.contains("rand"));
            let misset = if random {
                Misset::Random
            } else {
                Misset::Degrees(words.vector()?)
            };
            set(args, misset);
        }
        // clap has shown them before it comes to this.
        Takes::Help | Takes::Version => {}
    }
    Ok(())
}

/// The words of one flag, with the errors that name it.
struct Words<'a>(&'a Given);

impl<'a> Words<'a> {
    fn get(&self, i: usize) -> Result<&'a OsStr, Error> {
        let Given { spec, words } = self.0;
        words
            .get(i)
            .map(AsRef::as_ref)
            .ok_or_else(|| Error::MissingValue {
                flag: spec.name,
                found: words.len(),
                wanted: spec.takes.values(),
            })
    }

    fn path(&self, i: usize) -> Result<PathBuf, Error> {
        let word = self.get(i)?;
        if word.is_empty() {
            return Err(self.not_allowed(word));
        }
        Ok(PathBuf::from(word))
    }

    fn number(&self, i: usize, range: Range) -> Result<f64, Error> {
        let word = self.get(i)?;
        let value = word
            .to_str()
            .and_then(|text| text.parse().ok())
            .filter(|value| range.contains(*value))
            .ok_or_else(|| self.not_allowed(word))?;
        self.not_absurd(value, range)
    }

    fn not_absurd(&self, value: f64, range: Range) -> Result<f64, Error> {
        let spec = self.0.spec;
        let most = match spec.takes {
            Takes::Number { unit, .. } if unit.contains("photons") => Range::MOST_PHOTONS,
            Takes::Number { unit: "", .. } => Range::MOST_PHOTONS,
            _ => Range::MOST,
        };
        let too_small = range == Range::AboveZero && value < Range::LEAST;
        if too_small || (value.is_finite() && value.abs() > most) {
            return Err(Error::Absurd {
                flag: spec.name,
                value,
                allowed: spec.takes.allowed(),
                least: Range::LEAST,
                most,
            });
        }
        Ok(value)
    }

    fn whole(&self, i: usize, range: WholeRange) -> Result<i64, Error> {
        let word = self.get(i)?;
        word.to_str()
            .and_then(whole)
            .filter(|value| range.contains(*value))
            .ok_or_else(|| self.not_allowed(word))
    }

    fn vector(&self) -> Result<[f64; 3], Error> {
        let component = |i| self.number(i, Range::Any);
        Ok([component(0)?, component(1)?, component(2)?])
    }

    fn wholes<const N: usize>(&self, range: WholeRange) -> Result<[i64; N], Error> {
        let mut wholes = [0; N];
        for (i, slot) in wholes.iter_mut().enumerate() {
            *slot = self.whole(i, range)?;
        }
        Ok(wholes)
    }

    fn not_allowed(&self, value: &OsStr) -> Error {
        let spec = self.0.spec;
        Error::NotAllowed {
            flag: spec.name,
            value: value.to_owned(),
            allowed: spec.takes.allowed(),
        }
    }
}

/// A whole number, also as `5.0` or `1e3`; `None` for `5.7`.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        // The cast is exact: whole and within 2^53.
        (value.fract() == 0.0 && value.abs() <= EXACT_IN_F64).then_some(value as i64)
    })
}

/// `i/n` with i from 1 to n and n at most `most`.
fn part(text: &str, most: i64) -> Option<[i64; 2]> {
    let (part, parts) = text.split_once('/')?;
    let (part, parts) = (whole(part)?, whole(parts)?);
    (1 <= part && part <= parts && parts <= most).then_some([part, parts])
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        assert_eq!(whole("5.0"), Some(5));
        assert_eq!(whole("-1e3"), Some(-1000));
        assert_eq!(whole("9223372036854775807"), Some(i64::MAX));
    }

    #[test]
    fn fractions_and_monsters_are_not_whole() {
        for text in [
            "5.7",
            "nan",
            "inf",
            "1e30",
            "9223372036854775808",
            "0x10",
            "",
            "5 ",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
