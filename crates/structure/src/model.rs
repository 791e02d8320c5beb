//! Atoms in the asymmetric unit of a cell.

use nalgebra::Matrix3;

use crate::anomalous::Dispersion;
use crate::element::Element;
use crate::frame::CellFrame;
use nanobragg_crystal::SpaceGroup;

/// The mean-square displacement of an atom from its mean position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Displacement {
    /// The same in every direction: B in A^2, `B = 8 pi^2 <u^2>`.
    Isotropic {
        /// B.
        b_a2: f64,
    },
    /// A tensor U in A^2 for the orthogonal axes of the model: U11, U22, U33, U12, U13, U23.
    Anisotropic {
        /// The six components.
        u_a2: [f64; 6],
    },
}

/// An atom, or one of the alternative positions of an atom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Atom {
    /// The element.
    pub element: Element,
    /// The formal charge, in units of the charge of the proton.
    pub charge: i8,
    /// The position in fractions of the cell.
    pub position: [f64; 3],
    /// The fraction of cells that have the atom at this position. The occupancies of the alternative
    /// positions of an atom add up to that of the atom.
    pub occupancy: f64,
    /// The displacement from the position.
    pub displacement: Displacement,
}

/// The symmetric matrix of U11, U22, U33, U12, U13, U23.
pub(crate) fn symmetric([xx, yy, zz, xy, xz, yz]: [f64; 6]) -> Matrix3<f64> {
    Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz)
}

/// The components U11, U22, U33, U12, U13, U23 of a symmetric matrix.
pub(crate) fn components(u: &Matrix3<f64>) -> [f64; 6] {
    [
        u[(0, 0)],
        u[(1, 1)],
        u[(2, 2)],
        u[(0, 1)],
        u[(0, 2)],
        u[(1, 2)],
    ]
}

/// The contents of a cell, from a coordinate file.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The cell and the axes of the coordinates.
    pub frame: CellFrame,
    /// The space group. Its operations generate all atoms of the cell from those of the asymmetric
    /// unit.
    pub space_group: SpaceGroup,
    /// The atoms of the asymmetric unit.
    pub atoms: Vec<Atom>,
    /// Dispersion corrections in the file.
    pub dispersion: Dispersion,
}
