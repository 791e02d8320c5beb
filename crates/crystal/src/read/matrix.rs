//! Orientation matrices: text whose first nine numbers are the matrix, row by row.
//!
//! Rows are x, y, z and columns a*, b*, c* times the wavelength, as MOSFLM writes them. Its files
//! continue with missetting angles and cell, which are ignored. Lines that begin with `#` are
//! skipped.

use std::path::Path;

use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::{finite_number, word};
use crate::error::Error;

/// Reads the orientation matrix at `path`, by rows.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<[[f64; 3]; 3], Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_matrix", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// The orientation matrix in the text of a file, by rows; `name` is for messages.
///
/// # Errors
/// [`Error::NotANumber`] with the line, [`Error::ShortMatrix`] if the text ends before the ninth
/// number.
///
/// ```
/// # use nanobragg_crystal::read::matrix;
/// let rows = matrix::parse(b"0.01 0 0\n0 0.02 0\n0 0 0.03\n 0 0 0\n", "A.mat")?;
/// assert_eq!(rows[1], [0.0, 0.02, 0.0]);
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str) -> Result<[[f64; 3]; 3], Error> {
    let mut rows = [[0.0; 3]; 3];
    let mut places = rows.as_flattened_mut().iter_mut();
    let mut lines = 0;
    for (i, line) in without_mark(bytes).split(|byte| *byte == b'\n').enumerate() {
        lines = i + 1;
        let mut rest = line;
        while let Ok((after, found)) = word(rest) {
            if found.starts_with(b"#") {
                break;
            }
            let Some(place) = places.next() else {
                return Ok(rows);
            };
            *place = finite_number(found).ok_or_else(|| Error::NotANumber {
                name: name.to_owned(),
                line: lines,
                found: quoted(found),
                expected: "a finite number of the orientation matrix",
            })?;
            rest = after;
        }
    }
    match places.len() {
        0 => Ok(rows),
        missing => Err(Error::ShortMatrix {
            name: name.to_owned(),
            line: lines,
            found: 9 - missing,
        }),
    }
}

/// What a file of MOSFLM states after its matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AfterMatrix {
    /// Missetting angles, in degrees.
    pub missets_deg: [f64; 3],
    /// a, b, c in Angstrom, and alpha, beta, gamma in degrees.
    pub cell: [f64; 6],
}

/// What the file at `path` states after its matrix; `None` unless it has the numbers of MOSFLM there: three missetting
/// angles, an orientation of nine numbers, and the cell.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn read_after(path: impl AsRef<Path>) -> Result<Option<AfterMatrix>, Error> {
    Ok(after_matrix(&bytes_of(path.as_ref())?))
}

/// The same of the text of a file.
///
/// ```
/// # use nanobragg_crystal::read::matrix::after_matrix;
/// let text = "0.01 0 0\n0 0.02 0\n0 0 0.03\n 0 0 1\n1 0 0\n0 1 0\n0 0 1\n100 50 33.3 90 90 90\n0 0 0\n";
/// let after = after_matrix(text.as_bytes()).unwrap();
/// assert_eq!((after.missets_deg[2], after.cell[1]), (1.0, 50.0));
/// assert_eq!(after_matrix(b"1 2 3\n4 5 6\n7 8 9\n"), None);
/// ```
pub fn after_matrix(bytes: &[u8]) -> Option<AfterMatrix> {
    let text = String::from_utf8_lossy(without_mark(bytes));
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut numbers = lines
        .flat_map(str::split_whitespace)
        .skip(9)
        .map_while(|word| {
            let number: f64 = word.parse().ok()?;
            number.is_finite().then_some(number)
        });
    let mut next = |count: usize| numbers.by_ref().take(count).collect::<Vec<_>>();
    let (missets, _orientation, cell) = (next(3), next(9), next(6));
    Some(AfterMatrix {
        missets_deg: missets.try_into().ok()?,
        cell: cell.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_nine_numbers_count() {
        let text = b"# A\n1 2 3 # x\r\n4 5 6\n7 8 9\nnot a number\n";
        let rows = parse(text, "A.mat").unwrap();
        assert_eq!(rows, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
    }

    #[test]
    fn errors_have_file_and_line() {
        let message = |text: &[u8]| parse(text, "A.mat").unwrap_err().to_string();
        assert_eq!(
            message(b"1 2 3\n4 x 6\n"),
            "A.mat:2: found `x`, expected a finite number of the orientation matrix"
        );
        assert_eq!(
            message(b"1 2 3\n4 5"),
            "A.mat:2: the file ends after 5 numbers, expected 9"
        );
        assert!(message(b"nan").contains("`nan`"));
    }
}
