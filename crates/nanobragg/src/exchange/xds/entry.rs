//! Keywords of an `XDS.INP` with their values: `KEY= 1 2 KEY=3 ! comment`.

use nanobragg_geometry::vector::{norm, unit};

use super::keywords::takes_the_line;
use crate::error::Error;
use crate::exchange::file::{MOST, quoted};

/// One keyword with its values.
#[derive(Debug, Clone)]
pub(super) struct Entry<'t> {
    file: &'t str,
    line: usize,
    /// The keyword.
    pub(super) keyword: &'t str,
    values: &'t str,
}

/// Every keyword in the text, in order.
pub(super) fn entries<'t>(text: &'t str, file: &'t str) -> Vec<Entry<'t>> {
    let mut entries = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line_number = i + 1;
        let mut rest = line.split('!').next().unwrap_or("");
        while let Some((before, after)) = rest.split_once('=') {
            let keyword = before.trim_end().rsplit(char::is_whitespace).next();
            let keyword = keyword.unwrap_or("");
            let end = if takes_the_line(keyword) {
                after.len()
            } else {
                start_of_next_keyword(after)
            };
            let (values, next) = after.split_at_checked(end).unwrap_or((after, ""));
            entries.push(Entry {
                file,
                line: line_number,
                keyword,
                values: values.trim(),
            });
            rest = next;
        }
    }
    entries
}

/// Where the keyword before the next `=` begins; the end of the text if there is none.
fn start_of_next_keyword(text: &str) -> usize {
    let Some((before, _)) = text.split_once('=') else {
        return text.len();
    };
    let word = before.trim_end();
    let last = word.rsplit(char::is_whitespace).next().unwrap_or("");
    word.len() - last.len()
}

impl Entry<'_> {
    /// File, line and keyword, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.keyword)
    }

    /// That the values are not `expected`.
    pub(super) fn wrong(&self, expected: &'static str) -> Error {
        Error::FileValue {
            place: self.place(),
            found: quoted(self.values),
            expected,
        }
    }

    /// Numbers that an experiment can have, of which there are `N`.
    pub(super) fn numbers<const N: usize>(&self) -> Result<[f64; N], Error> {
        let expected = match N {
            1 => "a number of a magnitude up to 1e15",
            2 => "two numbers",
            3 => "three numbers",
            4 => "four numbers",
            _ => "the six numbers of a cell",
        };
        let mut words = self.values.split_whitespace();
        let mut numbers = [0.0; N];
        for place in &mut numbers {
            let number = words.next().and_then(number);
            *place = number.ok_or_else(|| self.wrong(expected))?;
        }
        if words.next().is_some() {
            return Err(self.wrong(expected));
        }
        Ok(numbers)
    }

    /// A number.
    pub(super) fn number(&self) -> Result<f64, Error> {
        let [number] = self.numbers()?;
        Ok(number)
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
        let count = self.values.parse().ok();
        count.ok_or_else(|| self.wrong("a whole number of 0 or above"))
    }

    /// A direction, made unit.
    pub(super) fn direction(&self) -> Result<[f64; 3], Error> {
        let vector = self.numbers()?;
        if norm(vector) < 1.0 / MOST {
            return Err(self.wrong("a vector that has a direction"));
        }
        Ok(unit(vector))
    }
}

/// A word as a number, with `D` as Fortran's exponent.
fn number(word: &str) -> Option<f64> {
    let word = word.replace(['d', 'D'], "e");
    word.parse().ok().filter(|x: &f64| x.abs() <= MOST)
}
