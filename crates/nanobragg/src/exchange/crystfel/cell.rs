//! Unit cell files of CrystFEL, and the cells of PDB files, which it reads too.

use std::path::Path;

use nanobragg_crystal::CellSpec;

use crate::error::Error;
use crate::exchange::file::{self, MOST, quoted};

const FIRST_LINE: &str = "CrystFEL unit cell file version 1.0";

/// Keys without influence on the cell.
const OF_LATTICE: [&str; 3] = ["lattice_type", "centering", "unique_axis"];

const EDGES: [&str; 3] = ["a", "b", "c"];
const ANGLES: [&str; 3] = ["al", "be", "ga"];

/// Reads the cell in the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], [`Error::FileTooLarge`], or what [`parse_cell`] finds.
pub fn read_cell(path: impl AsRef<Path>) -> Result<CellSpec, Error> {
    let path = path.as_ref();
    parse_cell(&file::bytes_of(path)?, &path.display().to_string())
}

/// The cell in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::FileValue`] naming line and key, [`Error::FileLacks`] naming the key, [`Error::Crystal`] for a cell that
/// cannot be.
pub fn parse_cell(bytes: &[u8], name: &str) -> Result<CellSpec, Error> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let values = match text.lines().next().map(str::trim_end) {
        Some(FIRST_LINE) => of_cell_file(text, name)?,
        _ => of_pdb(text, name)?,
    };
    Ok(CellSpec::from_values(&values)?)
}

/// Edges in Angstrom and angles in degrees of a unit cell file.
fn of_cell_file(text: &str, name: &str) -> Result<[f64; 6], Error> {
    let mut values = [None; 6];
    for (i, line) in text.lines().enumerate().skip(1) {
        let mut words = line.split(';').next().unwrap_or("").split_whitespace();
        let Some(key) = words.next() else {
            continue;
        };
        let wrong = |expected| Error::FileValue {
            place: format!("{name}:{}: {key}", i + 1),
            found: quoted(line.trim()),
            expected,
        };
        let place = EDGES.iter().chain(&ANGLES).position(|known| *known == key);
        let Some(value) = place.and_then(|place| values.get_mut(place)) else {
            match OF_LATTICE.contains(&key) {
                true => continue,
                false => {
                    let expected = "lattice_type, centering, unique_axis, a, b, c, al, be or ga";
                    return Err(wrong(expected));
                }
            }
        };
        let number = (words.next() == Some("="))
            .then(|| words.next()?.parse().ok())
            .flatten()
            .filter(|x: &f64| x.abs() <= MOST);
        let unit = words.next();
        *value = match (EDGES.contains(&key), number, unit) {
            (true, Some(x), Some("A")) | (false, Some(x), Some("deg")) => Some(x),
            (true, Some(nanometres), Some("nm")) => Some(10.0 * nanometres),
            (false, Some(radians), Some("rad")) => Some(radians.to_degrees()),
            (true, ..) => return Err(wrong("`= number A` or `= number nm`")),
            (false, ..) => return Err(wrong("`= number deg` or `= number rad`")),
        };
    }
    let mut found = [0.0; 6];
    let keys = EDGES.iter().chain(&ANGLES);
    for ((place, value), key) in found.iter_mut().zip(values).zip(keys) {
        *place = value.ok_or_else(|| Error::FileLacks {
            place: format!("{name}: {key}"),
        })?;
    }
    Ok(found)
}

/// The same of the CRYST1 record of a PDB file: three columns of nine letters and three of seven, from the seventh.
fn of_pdb(text: &str, name: &str) -> Result<[f64; 6], Error> {
    let mut records = text.lines().enumerate();
    let Some((i, record)) = records.find(|(_, line)| line.starts_with("CRYST1")) else {
        return Err(Error::FileLacks {
            place: format!("{name}: its first line, `{FIRST_LINE}`, or a CRYST1 record,"),
        });
    };
    let mut found = [0.0; 6];
    let mut start = 6;
    for (place, width) in found.iter_mut().zip([9, 9, 9, 7, 7, 7]) {
        let number = record
            .get(start..start + width)
            .and_then(|text| text.trim().parse().ok());
        *place = number.ok_or_else(|| Error::FileValue {
            place: format!("{name}:{}: CRYST1", i + 1),
            found: quoted(record),
            expected: "a, b, c in columns of nine letters and three angles in columns of seven",
        })?;
        start += width;
    }
    if found.iter().take(3).all(|edge| *edge <= 1.0) {
        return Err(Error::FileValue {
            place: format!("{name}:{}: CRYST1", i + 1),
            found: quoted(record),
            expected: "the cell of a crystal, which a structure by other methods does not have",
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "CrystFEL unit cell file version 1.0\n\nlattice_type = monoclinic\ncentering = P\n\
                        unique_axis = b\n; of a test\na = 40.5 A\nb = 5.0 nm\nc = 60 A\nal = 90 deg\n\
                        be = 1.9 rad ; obtuse\nga = 90 deg\n";

    fn message(text: &str) -> String {
        parse_cell(text.as_bytes(), "a.cell")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn units_are_those_of_the_file() {
        let cell = parse_cell(CELL.as_bytes(), "a.cell").unwrap();
        assert_eq!(cell.lengths_angstrom, [40.5, 50.0, 60.0]);
        assert!((cell.angles_rad[1] - 1.9).abs() < 1e-15);
        let pdb =
            "HEADER\nCRYST1   59.062   68.451   30.517  90.00  95.00  90.00 P 21 21 21    4\n";
        let cell = parse_cell(pdb.as_bytes(), "a.pdb").unwrap();
        assert_eq!(cell.lengths_angstrom, [59.062, 68.451, 30.517]);
        assert!((cell.angles_rad[1].to_degrees() - 95.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (from, to, expected) in [
            (
                "c = 60 A",
                "c = 60",
                "a.cell:9: c: found `c = 60`, expected `= number A` or `= number nm`",
            ),
            ("ga = 90 deg", "", "a.cell: ga is missing"),
            (
                "ga = 90 deg",
                "gamma = 90 deg",
                "a.cell:12: gamma: found `gamma = 90 deg`, expected lattice_type, centering, unique_axis, a, b, c, al, be or ga",
            ),
            (
                FIRST_LINE,
                "cell",
                "a.cell: its first line, `CrystFEL unit cell file version 1.0`, or a CRYST1 record, is missing",
            ),
        ] {
            assert_eq!(message(&CELL.replace(from, to)), expected);
        }
        let pdb = message("CRYST1   59.062   68.451\n");
        assert!(
            pdb.starts_with("a.cell:1: CRYST1: found `CRYST1   59.062   68.451`, expected a, b, c"),
            "{pdb}"
        );
    }
}
