//! f' and f'' of an element against the energy of the photons: the table of this crate, or a curve of a file.
//!
//! # Source
//! The table is Chantler's: J. Phys. Chem. Ref. Data 24 (1995) 71 and 29 (2000) 597 (FFAST of NIST), in the finer steps
//! that he gave to XrayDB (version 4.5.8; the data of XrayDB are in the public domain). It is the one public-domain
//! table that has all elements from H to U, f' and f'' from one calculation, rows within an electronvolt of the edges,
//! and no end at 30 keV, where Henke's ends. The correction for relativity is Chantler's, that of Kissel and Pratt. The
//! nuclear term (`-Z^2 m/M`, at most 0.02 electrons) is taken out, as in International Tables.
//!
//! `dispersion.py` beside this crate has thinned it. The rest differs from every row of the source by at most
//! `0.001 + 0.005 |f' + i f''|` electrons. Theory itself is known to a few percent, and within 10 eV of an edge an
//! atom in a molecule differs from a free one by electrons: measure a curve there.

use std::path::Path;

use nanobragg_io::input::{bytes_of, quoted, without_mark};

use crate::anomalous::Correction;
use crate::element::Element;
use crate::error::Error;

/// One line for each element, in the order of the atomic numbers: its symbol, then energy in eV, f' and f'' of each row.
static TABLE: &str = include_str!("dispersion.txt");

/// f' and f'' of an element against the energy of the photons.
#[derive(Debug, Clone, PartialEq)]
pub struct DispersionCurve {
    element: Element,
    /// The name in messages.
    name: String,
    /// At least two. The energies in eV rise.
    rows: Vec<(f64, Correction)>,
}

impl DispersionCurve {
    /// The curve of an element in the table, from 2 to 70 keV.
    ///
    /// # Errors
    /// [`Error::NoDispersion`] for an element beyond uranium.
    pub fn of(element: Element) -> Result<Self, Error> {
        let missing = || Error::NoDispersion { element };
        let line = TABLE.lines().nth(usize::from(element.atomic_number()) - 1);
        let words = line.ok_or_else(missing)?.split(' ').skip(1);
        let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
        let rows = numbers.chunks_exact(3).map(|row| {
            let [energy_ev, real, imaginary] = [row[0], row[1], row[2]];
            (energy_ev, Correction { real, imaginary })
        });
        Ok(Self {
            element,
            name: "the table of f' and f''".to_owned(),
            rows: rows.collect(),
        })
    }

    /// Reads the curve of `element` from the file at `path`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] and the errors of [`parse`](Self::parse).
    pub fn read(element: Element, path: &Path) -> Result<Self, Error> {
        Self::parse(element, &bytes_of(path)?, &path.display().to_string())
    }

    /// The curve of `element` in `text`, which is called `name` in messages.
    ///
    /// A row has the energy in eV, f' and f'' in electrons, separated by blanks, tabs or commas. The energies rise.
    /// Further columns, blank lines and what follows a `#` are ignored.
    ///
    /// # Errors
    /// [`Error::Field`], [`Error::EnergyDescends`], [`Error::ShortCurve`].
    ///
    /// ```
    /// use nanobragg_structure::{DispersionCurve, Element};
    ///
    /// let iron = Element::from_symbol("Fe").unwrap();
    /// let curve = DispersionCurve::parse(iron, b"# eV f' f''\n7100 -6 0.5\n7120 -6 3.9\n", "Fe.dat")?;
    /// assert_eq!(curve.at(7120.0)?.imaginary, 3.9);
    /// assert!(curve.at(7121.0).is_err());
    /// # Ok::<(), nanobragg_structure::Error>(())
    /// ```
    pub fn parse(element: Element, text: &[u8], name: &str) -> Result<Self, Error> {
        let mut rows: Vec<(f64, Correction)> = Vec::new();
        for (index, line) in without_mark(text).split(|byte| *byte == b'\n').enumerate() {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
            let mut words = line
                .split(is_between)
                .filter(|word| !word.is_empty())
                .peekable();
            if words.peek().is_none() {
                continue;
            }
            let field = |found: &[u8], expected| Error::Field {
                name: name.to_owned(),
                line: index + 1,
                found: quoted(found),
                expected,
            };
            let mut number = |least: f64, most: f64, expected| {
                let word = words.next().unwrap_or_default();
                let number = std::str::from_utf8(word)
                    .ok()
                    .and_then(|word| word.parse().ok());
                let number = number.filter(|number| (least..=most).contains(number));
                number.ok_or_else(|| field(word, expected))
            };
            let energy_ev = number(1.0, 1e6, "an energy from 1 to 1e6 eV")?;
            let correction = Correction {
                real: number(-100.0, 100.0, "f' from -100 to 100 electrons")?,
                imaginary: number(-100.0, 100.0, "f'' from -100 to 100 electrons")?,
            };
            if rows.last().is_some_and(|(before, _)| *before >= energy_ev) {
                return Err(Error::EnergyDescends {
                    name: name.to_owned(),
                    line: index + 1,
                    energy_ev,
                });
            }
            rows.push((energy_ev, correction));
        }
        if rows.len() < 2 {
            return Err(Error::ShortCurve {
                name: name.to_owned(),
                rows: rows.len(),
            });
        }
        Ok(Self {
            element,
            name: name.to_owned(),
            rows,
        })
    }

    /// f' and f'' at an energy. Between rows f' is linear in the logarithm of the energy. So is f'', or its logarithm
    /// where it is positive, because absorption between edges is a power of the energy.
    ///
    /// # Errors
    /// [`Error::EnergyOutside`] outside the curve, also for a NaN.
    pub fn at(&self, energy_ev: f64) -> Result<Correction, Error> {
        let [(from_ev, from), (to_ev, to)] = self.around(energy_ev)?;
        if energy_ev == to_ev {
            return Ok(to);
        }
        let t = (energy_ev / from_ev).ln() / (to_ev / from_ev).ln();
        let linear = |from: f64, to: f64| from + t * (to - from);
        let power = |from: f64, to: f64| from * (to / from).powf(t);
        let is_positive = from.imaginary > 0.0 && to.imaginary > 0.0;
        Ok(Correction {
            real: linear(from.real, to.real),
            imaginary: if is_positive {
                power(from.imaginary, to.imaginary)
            } else {
                linear(from.imaginary, to.imaginary)
            },
        })
    }

    /// The derivatives of [`at`](Self::at) by the energy, in electrons per eV. In a row, where there is a kink, they
    /// are those below it; in the first one, those above it.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn slope_at(&self, energy_ev: f64) -> Result<Correction, Error> {
        let [(from_ev, from), (to_ev, to)] = self.around(energy_ev)?;
        let t_by_ev = 1.0 / (energy_ev * (to_ev / from_ev).ln());
        let is_positive = from.imaginary > 0.0 && to.imaginary > 0.0;
        Ok(Correction {
            real: (to.real - from.real) * t_by_ev,
            imaginary: if is_positive {
                self.at(energy_ev)?.imaginary * (to.imaginary / from.imaginary).ln() * t_by_ev
            } else {
                (to.imaginary - from.imaginary) * t_by_ev
            },
        })
    }

    /// The energies of the rows in eV, in rising order.
    pub fn energies_ev(&self) -> impl Iterator<Item = f64> + '_ {
        self.rows.iter().map(|(energy_ev, _)| *energy_ev)
    }

    /// The rows on both sides of an energy.
    fn around(&self, energy_ev: f64) -> Result<[(f64, Correction); 2], Error> {
        let after = self.rows.partition_point(|(row_ev, _)| *row_ev < energy_ev);
        let after = after.max(1);
        match self.rows.get(after - 1..=after) {
            Some([from, to]) if (from.0..=to.0).contains(&energy_ev) => Ok([*from, *to]),
            _ => Err(self.outside(energy_ev)),
        }
    }

    fn outside(&self, energy_ev: f64) -> Error {
        let [from_ev, to_ev] = [self.rows.first(), self.rows.last()]
            .map(|row| row.map_or(f64::NAN, |(energy_ev, _)| *energy_ev));
        Error::EnergyOutside {
            element: self.element,
            energy_ev,
            name: self.name.clone(),
            from_ev,
            to_ev,
        }
    }
}

/// f' and f'' of an element in the table at an energy.
///
/// # Errors
/// [`Error::NoDispersion`] for an element beyond uranium, [`Error::EnergyOutside`] below 2 and above 70 keV.
///
/// ```
/// use nanobragg_structure::{Element, dispersion_at};
///
/// let iron = Element::from_symbol("Fe").unwrap();
/// let [below, above] = [7100.0, 7130.0].map(|ev| dispersion_at(iron, ev).unwrap().imaginary);
/// assert!(below < 0.6 && above > 3.8);
/// ```
pub fn dispersion_at(element: Element, energy_ev: f64) -> Result<Correction, Error> {
    DispersionCurve::of(element)?.at(energy_ev)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_that_of_its_element() {
        for (line, number) in TABLE.lines().zip(1_u8..) {
            let (symbol, rows) = line.split_once(' ').unwrap();
            let element = Element::from_symbol(symbol).unwrap();
            assert_eq!(element.atomic_number(), number);
            let curve = DispersionCurve::of(element).unwrap();
            assert_eq!(curve.rows.len() * 3, rows.split(' ').count(), "{symbol}");
            let energies = curve.rows.windows(2).map(|pair| (pair[0].0, pair[1].0));
            assert!(energies.clone().all(|(a, b)| a < b), "{symbol}");
            assert!(curve.rows[0].0 <= 2000.0 && curve.rows[curve.rows.len() - 1].0 >= 7e4);
            assert!(
                curve.rows.iter().all(|(_, f)| f.imaginary > 0.0),
                "{symbol}"
            );
        }
        assert_eq!(TABLE.lines().count(), 92);
    }

    #[test]
    fn rows_of_a_curve_are_met_exactly() {
        let curve = DispersionCurve::of(Element::from_symbol("Fe").unwrap()).unwrap();
        for (energy_ev, correction) in &curve.rows {
            assert_eq!(curve.at(*energy_ev).unwrap(), *correction);
        }
    }
}
