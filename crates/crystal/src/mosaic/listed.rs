//! Domains that are given one by one, in a file or as rows of numbers.
//!
//! One domain a line or row: the nine numbers of its rotation by rows x, y, z, and its weight, which is 1 if it is left
//! out. Numbers are separated by blanks; blank lines and the rest of a line from `#` are skipped.

use std::path::Path;

use nanobragg_geometry::rotation::distance_from_rotation;
use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::MAX_DOMAINS;
use crate::error::Error;
use crate::read::{finite_number, word};

/// The largest error of a product of two rows or columns of a rotation.
const ROTATION: f64 = 1e-6;

/// Mosaic domains that are given one by one.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedDomains {
    name: String,
    /// By rows. They are used as given, up to 1e-6 away from rotations.
    pub(super) rotations: Vec<[[f64; 3]; 3]>,
    /// With a mean of 1; empty if all are equal.
    pub(super) weights: Vec<f64>,
}

impl ListedDomains {
    /// # Errors
    /// [`Error::Unreadable`], and those of [`parse`](Self::parse).
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&bytes_of(path)?, &path.display().to_string())
    }

    /// The domains in the text of a file; `name` is for messages.
    ///
    /// # Errors
    /// [`Error::NotANumber`] and [`Error::ListedDomain`] with the line, [`Error::ListedDomains`],
    /// [`Error::TooManyDomains`].
    pub(super) fn parse(bytes: &[u8], name: &str) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for (index, text) in without_mark(bytes).split(|byte| *byte == b'\n').enumerate() {
            let (numbers, count) = numbers_of(text, name, index + 1)?;
            if count > 0 {
                rows.push((index + 1, numbers, count));
            }
        }
        Self::of_rows(
            name,
            rows.iter()
                .map(|(line, row, n)| (*line, row.get(..*n).unwrap_or(row))),
        )
    }

    /// The domains of rows of numbers in memory, each with its place in the list.
    ///
    /// # Errors
    /// [`Error::ListedDomain`] with the place, [`Error::ListedDomains`], [`Error::TooManyDomains`].
    pub(super) fn of_rows<'a>(
        name: &str,
        rows: impl Iterator<Item = (usize, &'a [f64])>,
    ) -> Result<Self, Error> {
        let mut listed = Self {
            name: name.to_owned(),
            rotations: Vec::new(),
            weights: Vec::new(),
        };
        let mut weights = Vec::new();
        for (line, row) in rows {
            let wrong = |what: String| Error::ListedDomain {
                name: name.to_owned(),
                line,
                what,
            };
            let &[xx, xy, xz, yx, yy, yz, zx, zy, zz, ref rest @ ..] = row else {
                return Err(wrong(expected_numbers(row.len())));
            };
            let weight = match *rest {
                [] => 1.0,
                [weight] => weight,
                _ => return Err(wrong(expected_numbers(row.len()))),
            };
            if let Some(number) = row.iter().find(|number| !number.is_finite()) {
                return Err(wrong(format!("{number}, expected finite numbers")));
            }
            let rotation = [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]];
            let off = distance_from_rotation(&rotation);
            if off > ROTATION {
                return Err(wrong(format!(
                    "not a rotation: off by {off:.1e}, allowed 1e-6; a spread of cell lengths is a strain of \
                     its own"
                )));
            }
            if weight < 0.0 {
                return Err(wrong(format!("weight {weight}, expected 0 or more")));
            }
            if listed.rotations.len() as i64 == MAX_DOMAINS {
                return Err(Error::TooManyDomains {
                    count: MAX_DOMAINS + 1,
                    limit: MAX_DOMAINS,
                });
            }
            listed.rotations.push(rotation);
            weights.push(weight);
        }
        if listed.rotations.is_empty() {
            return Err(listed.refused("has no mosaic domains"));
        }
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        if !(mean > 0.0 && mean.is_finite()) {
            return Err(listed.refused("has weights whose sum is 0 or infinite"));
        }
        if weights.iter().any(|weight| *weight != mean) {
            listed.weights = weights.iter().map(|weight| weight / mean).collect();
        }
        Ok(listed)
    }

    /// Whether they are those of the file at `path`.
    pub(super) fn is_of(&self, path: &Path) -> bool {
        path.display().to_string() == self.name
    }

    /// The error that the list cannot be used.
    pub(super) fn refused(&self, why: &'static str) -> Error {
        Error::ListedDomains {
            name: self.name.clone(),
            why,
        }
    }
}

fn expected_numbers(found: usize) -> String {
    format!("{found} numbers, expected 9, or 10 with a weight")
}

/// The numbers of a line, and how many there are. The tenth is 1 unless there is another.
fn numbers_of(text: &[u8], name: &str, line: usize) -> Result<([f64; 10], usize), Error> {
    let mut numbers = [1.0; 10];
    let mut count = 0;
    let mut rest = text;
    while let Ok((after, found)) = word(rest) {
        if found.starts_with(b"#") {
            break;
        }
        let expected = match numbers.get_mut(count) {
            Some(place) => match finite_number(found) {
                Some(number) => {
                    *place = number;
                    count += 1;
                    rest = after;
                    continue;
                }
                None => "a finite number of a rotation matrix, or a weight",
            },
            None => "the end of the line after 9 numbers and a weight",
        };
        return Err(Error::NotANumber {
            name: name.to_owned(),
            line,
            found: quoted(found),
            expected,
        });
    }
    Ok((numbers, count))
}
