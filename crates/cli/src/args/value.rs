//! Conversion of the words of a flag to numbers, with a check of the allowed range.

use std::ffi::{OsStr, OsString};
use std::num::ParseFloatError;
use std::path::PathBuf;

use super::flag::{Flag, Takes};
use super::{Range, WholeRange};
use crate::Error;

/// Whole numbers up to this one are exact in an f64, so that `1e3` or `5.0` is accepted as a whole number.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// Checks the words of one flag and applies the flag to the request.
///
/// # Errors
/// [`Error::NotAllowed`] for a word that the flag does not allow, [`Error::MissingValue`] for too few words.
pub(crate) fn apply<T>(
    spec: &'static Flag<T>,
    values: &[OsString],
    request: &mut T,
) -> Result<(), Error> {
    let words = Values { spec, values };
    match &spec.takes {
        Takes::Switch(set) => set(request),
        Takes::Number(_, range, set) => set(request, words.number(0, *range)?),
        Takes::Whole(range, set) => set(request, words.whole(0, *range)?),
        Takes::WholeOrAuto(range, set) => {
            let is_auto = words.get(0)? == "auto";
            set(
                request,
                (!is_auto).then(|| words.whole(0, *range)).transpose()?,
            );
        }
        Takes::Two(range, set) => set(request, words.wholes(*range)?),
        Takes::Four(range, set) => set(request, words.wholes(*range)?),
        Takes::Text(set) | Takes::Words(set) => {
            for word in values {
                let text = word.to_string_lossy();
                set(request, &text).map_err(|allowed| words.refused(word, allowed))?;
            }
        }
        Takes::Float(set) => {
            let word = words.get(0)?;
            let number = word.to_string_lossy().parse();
            let refused = |_: ParseFloatError| words.refused(word, "a number".to_owned());
            set(request, number.map_err(refused)?);
        }
        Takes::Path(set) => set(request, words.path(0)?),
        Takes::Part(most, set) => {
            let word = words.get(0)?;
            let part = word.to_str().and_then(|text| part(text, *most));
            set(request, part.ok_or_else(|| words.not_allowed(word))?);
        }
        Takes::TwoPaths(set) => set(request, [words.path(0)?, words.path(1)?]),
        Takes::Word(known, set) | Takes::OptionalWord(known, set) => {
            let word = words.get(0)?;
            let known = known.iter().find(|known| word == **known);
            set(request, known.ok_or_else(|| words.not_allowed(word))?);
        }
        Takes::List(known, set) => {
            let list = words.get(0)?;
            // A word that is not UTF-8 becomes empty, which is not on the list.
            for word in list.to_str().unwrap_or_default().split(',') {
                let known = known.iter().find(|known| word == **known);
                set(request, known.ok_or_else(|| words.not_allowed(list))?);
            }
        }
        Takes::Vector(set) => set(request, words.vector()?),
        Takes::Cell(set) => {
            let numbers = (0..values.len()).map(|i| words.number(i, Range::ZeroOrMore));
            set(request, numbers.collect::<Result<_, _>>()?);
        }
        Takes::Misset(set) => {
            let is_random = words.get(0)?.to_string_lossy().contains("rand");
            let degrees = (!is_random).then(|| words.vector()).transpose()?;
            set(request, degrees);
        }
        // The parser has already shown the text of these flags.
        Takes::Help | Takes::Version => {}
    }
    Ok(())
}

/// The words of one flag. Errors name the flag.
struct Values<'a, T: 'static> {
    spec: &'static Flag<T>,
    values: &'a [OsString],
}

impl<'a, T> Values<'a, T> {
    fn get(&self, i: usize) -> Result<&'a OsStr, Error> {
        let Self { spec, values } = self;
        values
            .get(i)
            .map(AsRef::as_ref)
            .ok_or_else(|| Error::MissingValue {
                flag: spec.name,
                found: values.len(),
                wanted: spec.synopsis(),
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
        let most = match self.spec.takes {
            Takes::Number(unit, ..) if unit.contains("photons") => Range::MOST_PHOTONS,
            Takes::Number("", ..) => Range::MOST_PHOTONS,
            _ => Range::MOST,
        };
        let too_small = range == Range::AboveZero && value < Range::LEAST;
        if too_small || (value.is_finite() && value.abs() > most) {
            return Err(Error::Absurd {
                flag: self.spec.name,
                value,
                allowed: self.spec.takes.allowed(),
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
        self.refused(value, self.spec.takes.allowed())
    }

    fn refused(&self, value: &OsStr, allowed: String) -> Error {
        Error::NotAllowed {
            flag: self.spec.name,
            value: value.to_owned(),
            allowed,
        }
    }
}

/// A whole number, also written as `5.0` or `1e3`; `None` for `5.7`.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        // The cast is exact: `value` is whole and within 2^53.
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
