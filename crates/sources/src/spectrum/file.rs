//! The text file of a spectrum.

use std::path::Path;
use std::str::FromStr;

use nanobragg_io::input::bytes_of;
use serde::{Deserialize, Serialize};

use super::{SpectralLine, Spectrum, SpectrumFault};
use crate::energy::HC_EV_ANGSTROM;
use crate::error::{Error, Result};

/// The largest number of characters of a wrong word in a message.
const LONGEST_QUOTE: usize = 40;

/// Names of columns of weights, in lower case.
const WEIGHTS: [&str; 9] = [
    "weight",
    "weights",
    "count",
    "counts",
    "photons",
    "intensity",
    "intensities",
    "flux",
    "signal",
];

/// Names of columns of energies or wavelengths, in lower case.
const ENERGIES: [&str; 7] = [
    "energy",
    "energies",
    "e",
    "wavelength",
    "wavelengths",
    "wave",
    "lambda",
];

/// The largest number of words in the name of a column; a comment with more is a sentence.
const LONGEST_NAME: usize = 3;

/// The first column of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpectrumUnit {
    /// The energy in eV.
    #[serde(rename = "eV")]
    Ev,
    /// The energy in keV.
    #[serde(rename = "keV")]
    Kev,
    /// The wavelength in Angstrom.
    #[serde(rename = "A")]
    Angstrom,
}

impl SpectrumUnit {
    /// The names of the units.
    pub const NAMES: &'static [&'static str] = &["eV", "keV", "A"];

    /// The unit of a word in a header. `A` alone can be an article, so it counts behind a word for wavelength.
    fn of_word(word: &str, before: &str) -> Option<Self> {
        match word {
            "ev" => Some(Self::Ev),
            "kev" => Some(Self::Kev),
            "angstrom" | "angstroms" | "\u{e5}" => Some(Self::Angstrom),
            "a" if ["wavelength", "wavelengths", "wave", "lambda"].contains(&before) => {
                Some(Self::Angstrom)
            }
            _ => None,
        }
    }

    /// The energy of a number in this unit.
    fn energy_ev(self, number: f64) -> std::result::Result<f64, SpectrumFault> {
        match self {
            Self::Ev => Ok(number),
            Self::Kev => Ok(number * 1e3),
            Self::Angstrom if number > 0.0 => Ok(HC_EV_ANGSTROM / number),
            Self::Angstrom => Err(SpectrumFault::Wavelength {
                wavelength_angstrom: number,
            }),
        }
    }
}

impl FromStr for SpectrumUnit {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "eV" => Ok(Self::Ev),
            "keV" => Ok(Self::Kev),
            "A" => Ok(Self::Angstrom),
            _ => Err(Self::NAMES.join(" or ")),
        }
    }
}

/// The table in a file of spectra: energies, each with the weights of one spectrum or of several.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrumTable {
    name: String,
    /// The number of the line in the file, the energy in eV, and the weights.
    rows: Vec<(usize, f64, Vec<f64>)>,
}

impl SpectrumTable {
    /// The table in the file at `path`; see [`Spectrum::parse`].
    ///
    /// # Errors
    /// [`Error::SpectrumUnreadable`], and those of [`SpectrumTable::parse`].
    pub fn read(path: &Path, unit: Option<SpectrumUnit>) -> Result<Self> {
        let bytes = bytes_of(path).map_err(Error::unreadable_spectrum)?;
        let name = path.display().to_string();
        Self::parse(&String::from_utf8_lossy(&bytes), &name, unit)
    }

    /// The table in `text`, in the format of [`Spectrum::parse`] with any number of columns of weights.
    ///
    /// # Errors
    /// [`Error::Spectrum`] with the line.
    pub fn parse(text: &str, name: &str, unit: Option<SpectrumUnit>) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let fault = |number: usize, fault| Error::Spectrum {
            place: format!("{name}:{number}"),
            fault,
        };
        let mut heading: Option<(usize, &str, bool)> = None;
        let mut records: Vec<(usize, &str)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let Some(first) = words(line).next() else {
                continue;
            };
            if !is_heading(first, records.is_empty()) {
                records.push((number, line));
            } else if records.is_empty() {
                // The names of columns are next to the numbers. Lines before them may have a unit too.
                let has_unit = !matches!(unit_in(line), Ok(None));
                if has_unit || heading.is_none_or(|(_, _, has_unit)| !has_unit) {
                    heading = Some((number, line, has_unit));
                }
            }
        }
        let mut unit = unit;
        if let Some((number, line, _)) = heading {
            if begins_with_weight(line) {
                let header = shortened(line, 2 * LONGEST_QUOTE);
                return Err(fault(number, SpectrumFault::WeightFirst { header }));
            }
            if unit.is_none() {
                unit = unit_in(line).map_err(|problem| fault(number, problem))?;
            }
        }
        if let Some((number, word)) = decimal_comma(&records) {
            let found = shortened(word, LONGEST_QUOTE);
            return Err(fault(number, SpectrumFault::DecimalComma { found }));
        }
        let mut rows: Vec<(usize, f64, Vec<f64>)> = Vec::new();
        for (number, line) in records {
            let words: Vec<&str> = words(line).collect();
            let (energy, weights) = numbers(&words).map_err(|problem| fault(number, problem))?;
            if let Some((_, _, before)) = rows.first()
                && before.len() != weights.len()
            {
                let found = words.len();
                return Err(fault(number, SpectrumFault::Columns { found }));
            }
            let unit = unit.ok_or_else(|| fault(number, SpectrumFault::NoUnit))?;
            let energy_ev = unit
                .energy_ev(energy)
                .map_err(|problem| fault(number, problem))?;
            rows.push((number, energy_ev, weights));
        }
        Ok(Self {
            name: name.to_owned(),
            rows,
        })
    }

    /// The table of these rows of an energy in eV and weights.
    pub(super) fn of_rows(name: &str, rows: &[Vec<f64>]) -> Result<Self> {
        let count = rows.first().map_or(2, Vec::len);
        let row = |(number, row): (usize, &Vec<f64>)| match row.split_first() {
            Some((&energy_ev, weights)) if !weights.is_empty() && row.len() == count => {
                Ok((number, energy_ev, weights.to_vec()))
            }
            _ => Err(Error::Spectrum {
                place: format!("{name}:{number}"),
                fault: SpectrumFault::Columns { found: row.len() },
            }),
        };
        Ok(Self {
            name: name.to_owned(),
            rows: (1..).zip(rows).map(row).collect::<Result<_>>()?,
        })
    }

    /// The energies in eV with their weights.
    pub fn rows(&self) -> impl Iterator<Item = (f64, &[f64])> {
        self.rows
            .iter()
            .map(|(_, energy_ev, weights)| (*energy_ev, &weights[..]))
    }

    /// The spectrum with the weights of this column, counted from 1. `None` is the only one.
    ///
    /// # Errors
    /// [`Error::Spectrum`] for a column that is not there, for none of several, and those of [`Spectrum::new`].
    pub fn spectrum(&self, column: Option<u32>) -> Result<Spectrum> {
        let found = self.rows.first().map_or(0, |(_, _, weights)| weights.len());
        let whole = |fault| Error::Spectrum {
            place: self.name.clone(),
            fault,
        };
        let index = match column {
            None if found > 1 => return Err(whole(SpectrumFault::SeveralColumns { found })),
            None => 0,
            // A number of 32 bits fits.
            Some(column) => (column as usize).wrapping_sub(1),
        };
        if found > 0 && index >= found {
            let column = column.unwrap_or(1);
            return Err(whole(SpectrumFault::NoSuchColumn { column, found }));
        }
        let line = |(number, energy_ev, weights): &(usize, f64, Vec<f64>)| {
            let weight = weights.get(index).copied()?;
            let energy_ev = *energy_ev;
            Some((*number, SpectralLine { energy_ev, weight }))
        };
        Spectrum::of_lines(&self.name, self.rows.iter().filter_map(line))
    }
}

impl Spectrum {
    /// The only spectrum in `text`. `name` is its name in messages.
    ///
    /// One line of the spectrum per line: an energy or a wavelength, and its weight, separated by blanks,
    /// tabs, commas or semicolons. Weights are numbers of photons in any unit. Energies all rise or all
    /// fall. Blank lines and lines that begin with `#`, `%` or `!` are skipped. The unit of the first column
    /// is `unit`, or what the last line with a unit before the first number says: `# energy_eV weight`,
    /// `# wavelength_A weight`, `energy (keV), photons`, `"Photon energy (eV)","Intensity"`.
    ///
    /// ```
    /// use nanobragg_sources::spectrum::Spectrum;
    ///
    /// let text = "# wavelength_A weight\n1.0 2\n1.1 3\n";
    /// let spectrum = Spectrum::parse(text, "example", None)?;
    /// assert_eq!(spectrum.lines()[1].energy_ev, 12398.42);
    /// assert_eq!(spectrum.lines()[1].weight, 2.0);
    /// # Ok::<(), nanobragg_sources::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Spectrum`] with the line: no unit or two, names of columns of which the weight is first,
    /// decimal commas, words that are not numbers, fewer columns than two, and those of
    /// [`SpectrumTable::spectrum`].
    pub fn parse(text: &str, name: &str, unit: Option<SpectrumUnit>) -> Result<Self> {
        SpectrumTable::parse(text, name, unit)?.spectrum(None)
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    words.filter(|word| !word.is_empty())
}

/// Whether a line that begins with the word `first` is a comment or, before the numbers, has names of columns.
fn is_heading(first: &str, is_before_numbers: bool) -> bool {
    // A table of another program may have names without a mark, or in quotes. `nan` and `inf` are no names.
    let name = first.trim_matches(['"', '\'']);
    let is_name = name.starts_with(char::is_alphabetic) && name.parse::<f64>().is_err();
    first.starts_with(['#', '%', '!']) || (is_before_numbers && is_name)
}

/// The words of a line in which commas are inside of numbers.
fn words_with_commas(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| c.is_whitespace() || c == ';');
    words.filter(|word| !word.is_empty())
}

/// Whether a word has a comma between digits.
fn has_comma(word: &str) -> bool {
    let mut threes = word.as_bytes().windows(3);
    threes.any(|three| {
        matches!(three, [before, b',', after] if before.is_ascii_digit() && after.is_ascii_digit())
    })
}

/// The first number with a decimal comma, and its line. A comma is one if the columns of its line are separated
/// by semicolons or tabs, or if every number of the file has one and blanks separate them.
fn decimal_comma<'t>(records: &[(usize, &'t str)]) -> Option<(usize, &'t str)> {
    let is_everywhere = records.iter().all(|(_, line)| {
        words_with_commas(line).count() > 1 && words_with_commas(line).all(has_comma)
    });
    let has_other_separator =
        |line: &str| line.trim().contains([';', '\t']) && words_with_commas(line).count() > 1;
    records.iter().find_map(|&(number, line)| {
        if !is_everywhere && !has_other_separator(line) {
            return None;
        }
        let word = words_with_commas(line).find(|word| has_comma(word))?;
        Some((number, word))
    })
}

fn finite(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

/// At most `longest` characters of a text.
fn shortened(text: &str, longest: usize) -> String {
    let mut short: String = text.chars().take(longest).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// The first number of a line and the weights.
fn numbers(words: &[&str]) -> std::result::Result<(f64, Vec<f64>), SpectrumFault> {
    let number = |column, word: &str| {
        finite(word).ok_or_else(|| {
            let found = shortened(word, LONGEST_QUOTE);
            SpectrumFault::NotANumber { column, found }
        })
    };
    let first = "energy or wavelength";
    let found = words.len();
    let Some((energy, weights)) = words.split_first() else {
        return Err(SpectrumFault::Columns { found });
    };
    let energy = number(first, energy)?;
    if weights.is_empty() {
        return Err(SpectrumFault::Columns { found });
    }
    let weights = weights.iter().map(|word| number("weight", word));
    Ok((energy, weights.collect::<std::result::Result<_, _>>()?))
}

/// The words of a header without signs.
fn names_in(header: &str) -> impl Iterator<Item = &str> {
    let names = header.split(|c: char| !c.is_alphanumeric());
    names.filter(|name| !name.is_empty())
}

/// The text without what is in brackets.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Whether a header names a weight as the first column and the energy or wavelength as the second.
fn begins_with_weight(header: &str) -> bool {
    let lower = without_brackets(&header.to_lowercase());
    let separators = [',', ';', '\t'];
    let columns: Vec<&str> = if lower.contains('"') {
        lower.split('"').skip(1).step_by(2).collect()
    } else if lower.contains(separators) {
        lower.split(separators).collect()
    } else {
        lower.split_whitespace().collect()
    };
    let columns = columns
        .into_iter()
        .map(|column| names_in(column).collect::<Vec<_>>());
    // A mark of a comment has no names.
    let mut columns = columns.filter(|names| !names.is_empty());
    let (Some(first), Some(second)) = (columns.next(), columns.next()) else {
        return false;
    };
    let is_name = |names: &[&str]| names.len() <= LONGEST_NAME;
    let has = |names: &[&str], known: &[&str]| names.iter().any(|name| known.contains(name));
    let has_unit = |names: &[&str]| {
        let mut names = names.iter();
        names.any(|name| SpectrumUnit::of_word(name, "").is_some())
    };
    is_name(&first)
        && is_name(&second)
        && has(&first, &WEIGHTS)
        && !has(&first, &ENERGIES)
        && (has(&second, &ENERGIES) || has_unit(&second))
}

/// The unit that a header names; `None` if it names none.
fn unit_in(header: &str) -> std::result::Result<Option<SpectrumUnit>, SpectrumFault> {
    let lower = header.to_lowercase();
    let mut found: Option<SpectrumUnit> = None;
    let mut before = "";
    for word in names_in(&lower) {
        if let Some(unit) = SpectrumUnit::of_word(word, before) {
            if found.is_some_and(|other| other != unit) {
                let header = shortened(header, 2 * LONGEST_QUOTE);
                return Err(SpectrumFault::TwoUnits { header });
            }
            found = Some(unit);
        }
        before = word;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Spectrum> {
        Spectrum::parse(text, "f", None)
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_header_tells_the_unit() {
        let expected = parse("# energy_eV weight\n6199.21 1\n12398.42 2\n").unwrap();
        for text in [
            "# wavelength_A weight\n2 1\n1 2\n",
            "# wavelength (A)\n1 2\n2 1\n",
            "# made today by a beamline\n# Wavelength [\u{c5}], photons\n1 2\n2 1\n",
            "lambda_A,counts\r\n1,2\r\n2,1\r\n",
            "# energy_keV weight\n6.19921 1\n12.39842 2\n",
            "\u{feff}energy (eV);photons\n6199.21;1\n\n# in between\n12398.42;2",
            "# beam 9.5 keV run 12\n# energy_eV weight\n# as measured\n6199.21 1\n12398.42 2\n",
            "\"Photon energy (eV)\",\"Intensity\"\n6199.21,1\n12398.42,2\n",
            "% Energy/eV\tI\n6199.21\t1\n% in between\n12398.42\t2\n",
            "! made today\n! wavelength_A counts\n2 1;\n1 2;\n",
            "# photons against energy (eV)\n6199.21 1\n12398.42 2\n",
            "# number of photons, sorted by the energy in eV\n6199.21,1;\n12398.42,2;\n",
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_column_of_several_is_a_spectrum() {
        let text = "# energy_eV shot1 shot2\n9000 1 0\n9010 3 5\n";
        let table = SpectrumTable::parse(text, "f", None).unwrap();
        let second = parse("# eV\n9000 0\n9010 5\n").unwrap();
        assert_eq!(table.spectrum(Some(2)).unwrap(), second);
        for column in [0, 3] {
            let error = table.spectrum(Some(column)).unwrap_err().to_string();
            assert_eq!(error, format!("f: no column {column} of weights; it has 2"));
        }
    }

    #[test]
    fn a_given_unit_wins_over_the_header() {
        for header in ["# energy_eV weight", "# eV or keV"] {
            let text = format!("{header}\n1 2\n2 1\n");
            let read = Spectrum::parse(&text, "f", Some(SpectrumUnit::Angstrom)).unwrap();
            assert_eq!(read.lines()[0].energy_ev, 6199.21);
        }
    }

    #[test]
    fn the_energy_is_the_first_column() {
        for header in [
            "# counts energy_eV",
            "# intensity wavelength_A",
            "\"Intensity\",\"Photon energy (eV)\"",
            "Number of photons (1/s);Energy [eV]",
            "%\tweight\teV",
        ] {
            let message = message(&format!("# run 12\n{header}\n1 2\n2 1\n"));
            assert!(
                message.starts_with("f:2: the header ")
                    && message.ends_with("the first column must be the energy or the wavelength"),
                "{header}: {message}"
            );
        }
        // A given unit does not exchange the columns.
        let text = "# counts energy\n1 2\n2 1\n";
        let error = Spectrum::parse(text, "f", Some(SpectrumUnit::Ev)).unwrap_err();
        assert!(error.to_string().starts_with("f:1: the header "));
    }

    #[test]
    fn decimal_commas_are_refused() {
        for (text, line, word) in [
            ("# keV\n9,5;1\n9,6;2\n", 2, "9,5"),
            ("# eV\n9500;1\n9501;1,5\n", 3, "1,5"),
            ("# keV\n9,5\t1\n", 2, "9,5"),
            ("# keV\n\n9,5 1,0\n9,6  2,5e3\n", 3, "9,5"),
            ("9,5 ; 1,0\n", 1, "9,5"),
        ] {
            let expected = format!("f:{line}: \"{word}\" has a decimal comma; ");
            let message = message(text);
            assert!(message.starts_with(&expected), "{text:?}: {message}");
        }
        // Commas that separate columns.
        for text in [
            "# eV\n9,1\n8,2\n",
            "# eV\n9,1;\n8,2;\n",
            "# eV\n9, 1\n8, 2\n",
        ] {
            let expected = parse("# eV\n9 1\n8 2\n").unwrap();
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn faults_are_named_with_file_and_line() {
        for (text, expected) in [
            ("1 2\n", "f:1: the unit of the first column is not stated"),
            (
                "# a spectrum\n1 2\n",
                "f:2: the unit of the first column is not stated",
            ),
            (
                "# eV or keV\n1 2\n",
                "f:1: the header \"# eV or keV\" names two units",
            ),
            ("# eV\n", "f: no line of the spectrum found"),
            ("", "f: no line of the spectrum found"),
            ("# eV\n9 1\nx 2\n", "f:3: the energy or wavelength is \"x\""),
            ("# eV\n9 1\n8 nan\n", "f:3: the weight is \"nan\""),
            ("# eV\nnan 1\n", "f:2: the energy or wavelength is \"nan\""),
            ("# eV\ninf 1\n", "f:2: the energy or wavelength is \"inf\""),
            ("# eV\n9\n", "f:2: 1 columns; expected"),
            ("# eV\n9 1 1\n", "f: 2 columns of weights; choose one"),
            ("# eV\n9 1 1\n8 1\n", "f:3: 2 columns; expected"),
            ("# eV\n9 1\n\n0 1\n", "f:4: an energy of 0 eV"),
            ("# wavelength_A\n0 1\n", "f:2: a wavelength of 0 A"),
            ("# wavelength_A\n-1 1\n", "f:2: a wavelength of -1 A"),
            ("# eV\n9 -1\n", "f:2: a weight of -1"),
            ("# eV\n9 0\n8 0\n", "f: the weights add up to 0"),
            ("# eV\n9 1\n#\n9 1\n", "f:4: the energy 9 eV a second time"),
            (
                "# eV\n9 1\n8 1\n8.5 1\n",
                "f:4: the energy 8.5 eV is not in order",
            ),
        ] {
            let message = message(text);
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        assert!(message(&format!("# eV\n1 {}\n", "y".repeat(1000))).len() < 200);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = SpectrumTable::read(Path::new("no such file"), None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no such file: the spectrum cannot be read")
        );
    }
}
