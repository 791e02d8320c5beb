//! The lattice of a crystal in the words of CrystFEL.

use std::fmt::Write;

use nanobragg_crystal::{CrystalSystem, SpaceGroup};
use nanobragg_geometry::vector::{cross, dot, scale};

use crate::exchange::geometry::constants;

/// How alike edges and angles of a rhombohedral cell are, relative to them.
const ALIKE: f64 = 1e-3;

/// Type, centring and unique axis of a lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LatticeKind {
    name: &'static str,
    centring: char,
    /// a, b or c, or `*` for a lattice without one.
    unique_axis: char,
}

impl LatticeKind {
    /// The kind of the lattice of a space group in its cell; triclinic without a group.
    pub(super) fn of(group: Option<&SpaceGroup>, edges: [[f64; 3]; 3]) -> Self {
        let Some(group) = group else {
            return Self {
                name: "triclinic",
                centring: 'P',
                unique_axis: '*',
            };
        };
        let letter = group.lattice_letter();
        let (name, centring, unique_axis) = match group.crystal_system() {
            CrystalSystem::Triclinic => ("triclinic", letter, '*'),
            CrystalSystem::Monoclinic => ("monoclinic", letter, twofold_axis(group)),
            CrystalSystem::Orthorhombic => ("orthorhombic", letter, '*'),
            CrystalSystem::Tetragonal => ("tetragonal", letter, 'c'),
            CrystalSystem::Cubic => ("cubic", letter, '*'),
            CrystalSystem::Trigonal if is_rhombohedral(edges) => ("rhombohedral", 'R', '*'),
            // CrystFEL calls the triple cell H.
            CrystalSystem::Trigonal if letter == 'R' => ("hexagonal", 'H', 'c'),
            CrystalSystem::Trigonal | CrystalSystem::Hexagonal => ("hexagonal", letter, 'c'),
        };
        Self {
            name,
            centring,
            unique_axis,
        }
    }

    /// The three lines of a crystal in a stream.
    pub(super) fn lines(self) -> String {
        format!(
            "lattice_type = {}\ncentering = {}\nunique_axis = {}\n",
            self.name, self.centring, self.unique_axis
        )
    }

    /// The letters of a list of solutions: `oP`, `mCb`.
    pub(super) fn letters(self) -> String {
        let first = match self.name {
            // Both begin with a t, and so do others.
            "triclinic" => 'a',
            name => name.chars().next().unwrap_or('a'),
        };
        let mut letters = format!("{first}{}", self.centring);
        if self.unique_axis != '*' {
            letters.push(self.unique_axis);
        }
        letters
    }

    /// The text of a unit cell file with the cell of these edges in Angstrom.
    pub(super) fn cell_file(self, edges: [[f64; 3]; 3]) -> String {
        let mut text = format!(
            "CrystFEL unit cell file version 1.0\n\nlattice_type = {}\ncentering = {}\n",
            self.name, self.centring
        );
        // Writing to a String cannot fail.
        if self.unique_axis != '*' {
            let _ = writeln!(text, "unique_axis = {}", self.unique_axis);
        }
        let [a, b, c, al, be, ga] = constants(edges);
        for (key, value, unit) in [
            ("a", a, "A"),
            ("b", b, "A"),
            ("c", c, "A"),
            ("al", al, "deg"),
            ("be", be, "deg"),
            ("ga", ga, "deg"),
        ] {
            let _ = writeln!(text, "{key} = {value:.5} {unit}");
        }
        text
    }
}

/// The axis of the twofold rotation of a monoclinic group.
fn twofold_axis(group: &SpaceGroup) -> char {
    for operation in group.representatives() {
        let [[a, ..], [_, b, _], [_, _, c]] = operation.rotation();
        // Of a rotation or a mirror one diagonal number differs in sign from the two others.
        match [a, b, c].map(|n| n > 0) {
            [x, y, z] if x == y && y == z => {}
            [x, y, z] if y == z && x != y => return 'a',
            [x, y, z] if x == z && y != x => return 'b',
            _ => return 'c',
        }
    }
    'b'
}

fn is_rhombohedral(edges: [[f64; 3]; 3]) -> bool {
    let [a, b, c, al, be, ga] = constants(edges);
    let alike = |x: f64, y: f64| (x - y).abs() < ALIKE * x;
    alike(a, b) && alike(b, c) && alike(al, be) && alike(be, ga)
}

/// The reciprocal vectors of a cell.
pub(super) fn reciprocal([a, b, c]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let volume = dot(a, cross(b, c));
    [cross(b, c), cross(c, a), cross(a, b)].map(|normal| scale(1.0 / volume, normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(name: &str, cell: [f64; 6]) -> String {
        let group = SpaceGroup::from_name(name).unwrap();
        let [a, b, c, al, be, ga] = cell;
        let [al, be, ga] = [al, be, ga].map(f64::to_radians);
        let x = (al.cos() - be.cos() * ga.cos()) / ga.sin();
        let edges = [
            [a, 0.0, 0.0],
            [b * ga.cos(), b * ga.sin(), 0.0],
            [
                c * be.cos(),
                c * x,
                c * (1.0 - be.cos().powi(2) - x * x).sqrt(),
            ],
        ];
        LatticeKind::of(Some(&group), edges).letters()
    }

    #[test]
    fn lattices_have_the_letters_of_their_settings() {
        let square = [50.0, 60.0, 70.0, 90.0, 90.0, 90.0];
        for (name, cell, expected) in [
            ("P 1", square, "aP"),
            ("P 1 21 1", square, "mPb"),
            ("C 1 2 1", square, "mCb"),
            ("P 1 1 21", square, "mPc"),
            ("C 2 2 21", square, "oC"),
            ("P 43 21 2", square, "tPc"),
            ("I 2 3", square, "cI"),
            ("P 31", [50.0, 50.0, 70.0, 90.0, 90.0, 120.0], "hPc"),
            ("P 61", [50.0, 50.0, 70.0, 90.0, 90.0, 120.0], "hPc"),
            ("R 3 :H", [50.0, 50.0, 70.0, 90.0, 90.0, 120.0], "hHc"),
            ("R 3 :R", [50.0, 50.0, 50.0, 70.0, 70.0, 70.0], "rR"),
        ] {
            assert_eq!(letters(name, cell), expected, "{name}");
        }
        assert_eq!(LatticeKind::of(None, [[0.0; 3]; 3]).letters(), "aP");
    }
}
