//! A MOSFLM matrix file.
//!
//! ```text
//! A: three rows x, y, z of a*, b*, c* times the wavelength
//! missetting angles, zero because A contains them
//! U: the rotation from MOSFLM's standard orientation, a* along x and b* in the xy plane
//! a b c alpha beta gamma
//! missetting angles once more
//! ```

use std::fmt::Write;

use nanobragg_crystal::{CellSpec, Lattice};
use nanobragg_geometry::vector::{cross, dot};

use crate::error::Error;

/// The characters of a number in a column of twelve, which leave a blank before it.
const WIDTH: usize = 11;

/// The smallest number of eight decimals.
const LEAST: f64 = 1e-8;

/// The matrix file of a lattice at a wavelength in Angstrom: in full, or, if `is_fixed`, with the eight
/// decimals and in the columns that MOSFLM reads.
///
/// # Errors
/// [`Error::OutOfRange`] for a number that has no place in these columns.
pub fn write(lattice: &Lattice, wavelength_a: f64, is_fixed: bool) -> Result<String, Error> {
    let columns = lattice.reciprocal_per_angstrom;
    let scaled = columns.map(|column| column.map(|x| x * wavelength_a));
    let cell = CellSpec {
        lengths_angstrom: lattice.lengths_angstrom,
        angles_rad: lattice.angles_rad(),
    };
    if is_fixed {
        check_columns(&cell, scaled)?;
    }
    let mut text = String::new();
    rows(&mut text, scaled, is_fixed);
    let no_angles = format!("{:12.3}{:12.3}{:12.3}\n", 0.0, 0.0, 0.0);
    text.push_str(&no_angles);
    rows(&mut text, rotation(&cell, columns), true);
    let angles_deg = cell.angles_rad.map(f64::to_degrees);
    for number in cell.lengths_angstrom.into_iter().chain(angles_deg) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{number:12.4}");
    }
    text.push('\n');
    text.push_str(&no_angles);
    Ok(text)
}

/// Refuses numbers that are wider than the columns of `-fixed`, and vectors that are zero in them.
fn check_columns(cell: &CellSpec, columns: [[f64; 3]; 3]) -> Result<(), Error> {
    let refuse = |quantity, value, allowed| {
        Err(Error::OutOfRange {
            quantity,
            value,
            allowed,
        })
    };
    for column in columns {
        if let Some(&wide) = column.iter().find(|x| format!("{x:.8}").len() > WIDTH) {
            let quantity = "a number of the matrix";
            return refuse(
                quantity,
                wide,
                "above -10 and below 100 in the columns of MOSFLM",
            );
        }
        let largest = column
            .into_iter()
            .fold(0.0, |most: f64, x| most.max(x.abs()));
        if largest < LEAST {
            let quantity = "the largest number of a vector of the matrix";
            return refuse(
                quantity,
                largest,
                "1e-8 or above in the eight decimals of MOSFLM",
            );
        }
    }
    match cell
        .lengths_angstrom
        .iter()
        .find(|x| format!("{x:.4}").len() > WIDTH)
    {
        Some(&long) => refuse(
            "an edge of the cell (A)",
            long,
            "below 1e6 in the columns of MOSFLM",
        ),
        None => Ok(()),
    }
}

/// Three column vectors by rows x, y, z.
fn rows(text: &mut String, [a, b, c]: [[f64; 3]; 3], is_fixed: bool) {
    for ((a, b), c) in a.into_iter().zip(b).zip(c) {
        let _ = if is_fixed {
            writeln!(text, "{a:12.8}{b:12.8}{c:12.8}")
        } else {
            writeln!(text, "{a:24.16e} {b:24.16e} {c:24.16e}")
        };
    }
}

/// The columns of U, with `A / wavelength = U B` and B the standard orientation.
///
/// `U x = sum over i of a*_i (a_i . x)` with the direct vectors a_i of the standard orientation.
fn rotation(cell: &CellSpec, reciprocal: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let [a_star, b_star, c_star] = cell.upright_reciprocal();
    let volume = dot(a_star, cross(b_star, c_star));
    let direct = [
        cross(b_star, c_star),
        cross(c_star, a_star),
        cross(a_star, b_star),
    ]
    .map(|vector| vector.map(|x| x / volume));
    let [a, b, c] = reciprocal;
    let [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = direct;
    [[ax, bx, cx], [ay, by, cy], [az, bz, cz]].map(|[of_a, of_b, of_c]| {
        let mut column = [0.0; 3];
        for (((u, a), b), c) in column.iter_mut().zip(a).zip(b).zip(c) {
            *u = of_a * a + of_b * b + of_c * c;
        }
        column
    })
}

#[cfg(test)]
mod tests {
    use nanobragg_crystal::read::matrix;
    use nanobragg_crystal::{Crystal, CrystalSpec, Misset};

    use super::*;

    fn lattice() -> Lattice {
        let crystal = Crystal::new(&CrystalSpec {
            cell: CellSpec::from_values(&[40.0, 50.0, 60.0, 90.0, 110.0, 90.0]).ok(),
            misset: Some(Misset::Angles([0.1, 0.2, 0.3])),
            ..CrystalSpec::default()
        });
        *crystal.unwrap().lattice()
    }

    #[test]
    fn the_numbers_are_a_star_b_star_c_star_times_the_wavelength() {
        let rows =
            matrix::parse(write(&lattice(), 1.5, false).unwrap().as_bytes(), "A.mat").unwrap();
        let columns = lattice().reciprocal_per_angstrom;
        for (x, row) in rows.iter().enumerate() {
            for (i, number) in row.iter().enumerate() {
                assert_eq!(*number, columns[i][x] * 1.5);
            }
        }
    }

    #[test]
    fn mosflm_reads_columns_of_twelve() {
        let text = write(&lattice(), 1.0, true).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let lengths: Vec<usize> = lines.iter().map(|line| line.len()).collect();
        assert_eq!(lengths, [36, 36, 36, 36, 36, 36, 36, 72, 36]);
        assert_eq!(
            lines[7],
            "     40.0000     50.0000     60.0000     90.0000    110.0000     90.0000"
        );
    }

    #[test]
    fn what_has_no_place_in_the_columns_is_refused() {
        // b*, 1/50 along y, is turned by 0.1, 0.2 and 0.3 about x, y and z: its x, -0.00550192/A, passes -10 at 1817.5 A.
        for (wavelength_a, is_written) in [(1_817.0, true), (1_818.0, false), (1e-7, false)] {
            let found = write(&lattice(), wavelength_a, true);
            assert_eq!(found.is_ok(), is_written, "{found:?}");
            assert!(write(&lattice(), wavelength_a, false).is_ok());
        }
    }

    #[test]
    fn u_is_a_rotation() {
        let cell = CellSpec {
            lengths_angstrom: lattice().lengths_angstrom,
            angles_rad: lattice().angles_rad(),
        };
        let columns = rotation(&cell, lattice().reciprocal_per_angstrom);
        for i in 0..3 {
            for j in 0..3 {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot(columns[i], columns[j]) - expected).abs() < 1e-12);
            }
        }
    }
}
