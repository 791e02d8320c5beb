//! What a coordinate file says, before cell, axes and symmetry are put together.

use nalgebra::{Matrix3, Vector3};
use nanobragg_crystal::{CellSpec, SpaceGroup, SymmetryOperation};

use super::Place;
use crate::anomalous::Dispersion;
use crate::element::Element;
use crate::error::{Error, Warning};
use crate::frame::Frame;
use crate::model::{Atom, Displacement, Model, components, symmetric};
use crate::special::share_special_positions;

/// What is known besides the file; it wins over what the file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    /// The cell.
    pub cell: Option<CellSpec>,
    /// The space group.
    pub space_group: Option<SpaceGroup>,
}

/// A model, and what is worth saying about the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The model.
    pub model: Model,
    /// What was left out, changed or assumed.
    pub warnings: Vec<Warning>,
}

/// A coordinate file as it stands.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) cell: Option<CellSpec>,
    /// The name or number of the space group, with its line.
    pub(super) space_group: Option<(String, usize)>,
    /// Symmetry operations as triplets, each with its line.
    pub(super) operations: Vec<(String, usize)>,
    /// S and shift of `u = S x + shift`.
    pub(super) scale: Option<([[f64; 3]; 3], [f64; 3])>,
    pub(super) atoms: Vec<FileAtom>,
    pub(super) copies: Vec<Copy>,
    pub(super) dispersion: Dispersion,
    pub(super) models_left_out: usize,
}

/// An atom as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileAtom {
    pub(super) element: Element,
    pub(super) charge: i8,
    pub(super) position: Position,
    pub(super) occupancy: f64,
    pub(super) displacement: FileDisplacement,
}

/// Coordinates along orthogonal axes in A, or in fractions of the cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Position {
    Orthogonal([f64; 3]),
    Fractional([f64; 3]),
}

/// A displacement in the terms of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum FileDisplacement {
    Isotropic {
        b_a2: f64,
    },
    /// Along the orthogonal axes.
    Cartesian {
        u_a2: [f64; 6],
    },
    /// Along a*, b*, c*, as small-molecule CIF has it.
    Reciprocal {
        u_a2: [f64; 6],
    },
}

/// A non-crystallographic symmetry operation whose copies the file leaves out: `x' = R x + t` in A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Copy {
    pub(super) rotation: Matrix3<f64>,
    pub(super) translation_a: Vector3<f64>,
}

/// The most atoms that non-crystallographic symmetry may make of those listed.
const MOST_ATOMS: usize = 10_000_000;

impl Contents {
    /// Puts the file and what is known besides together.
    pub(super) fn into_model(self, name: &str, given: &Given) -> Result<Reading, Error> {
        let named = || name.to_owned();
        if self.atoms.is_empty() {
            return Err(Error::NoAtoms { name: named() });
        }
        let cell = given.cell.or(self.cell);
        let mut frame = Frame::new(cell.ok_or_else(|| Error::NoCell { name: named() })?)?;
        if let (Some((scale, shift)), None) = (self.scale, given.cell)
            && !is_standard(&frame, scale, shift)
        {
            let scaled = frame.with_scale(scale, shift);
            frame = scaled.ok_or_else(|| Error::Scale { name: named() })?;
        }
        let space_group = self.space_group(name, given, frame.cell())?;
        let mut atoms: Vec<Atom> = Vec::new();
        if self.atoms.len().saturating_mul(self.copies.len() + 1) > MOST_ATOMS {
            return Err(Error::TooManyCopies {
                name: named(),
                limit: MOST_ATOMS,
            });
        }
        atoms.extend(self.atoms.iter().map(|atom| atom.in_frame(&frame, None)));
        for copy in &self.copies {
            atoms.extend(
                self.atoms
                    .iter()
                    .map(|atom| atom.in_frame(&frame, Some(copy))),
            );
        }
        let shared = share_special_positions(&mut atoms, &frame, space_group.operations());
        let mut warnings = Vec::new();
        if self.models_left_out > 0 {
            warnings.push(Warning::ModelsLeftOut {
                models: self.models_left_out,
            });
        }
        if !space_group.fits(frame.cell()) {
            warnings.push(Warning::CellMisfit);
        }
        if shared > 0 {
            warnings.push(Warning::SharedOccupancy { atoms: shared });
        }
        Ok(Reading {
            model: Model {
                frame,
                space_group,
                atoms,
                dispersion: self.dispersion,
            },
            warnings,
        })
    }
}

impl Contents {
    /// The group given, else that of the operations in the file, else that of the name in it.
    fn space_group(&self, name: &str, given: &Given, cell: &CellSpec) -> Result<SpaceGroup, Error> {
        if let Some(group) = &given.space_group {
            return Ok(group.clone());
        }
        let mut operations = Vec::new();
        for (triplet, line) in &self.operations {
            let place = Place { name, line: *line };
            let operation = SymmetryOperation::from_triplet(triplet);
            let expected = "a symmetry operation such as -x,y+1/2,-z";
            operations.push(operation.map_err(|_| place.error(triplet, expected))?);
        }
        if !operations.is_empty() {
            return Ok(SpaceGroup::from_operations(&operations)?);
        }
        let Some((symbol, line)) = &self.space_group else {
            return Err(Error::NoSpaceGroup {
                name: name.to_owned(),
            });
        };
        let place = Place { name, line: *line };
        let expected = "the name of a space group such as P 21 21 21";
        SpaceGroup::from_name_for_cell(symbol, cell).map_err(|_| place.error(symbol, expected))
    }
}

impl Copy {
    /// Whether it copies every atom onto itself.
    pub(super) fn is_identity(&self) -> bool {
        const ROUNDING: f64 = 1e-5;
        (self.rotation - Matrix3::identity()).norm() < ROUNDING
            && self.translation_a.norm() < ROUNDING
    }
}

impl FileAtom {
    fn in_frame(&self, frame: &Frame, copy: Option<&Copy>) -> Atom {
        let moved = |position: [f64; 3]| match copy {
            Some(copy) => (copy.rotation * Vector3::from(position) + copy.translation_a).into(),
            None => position,
        };
        let turned = |u: Matrix3<f64>| match copy {
            Some(copy) => copy.rotation * u * copy.rotation.transpose(),
            None => u,
        };
        let cartesian = |u: Matrix3<f64>| Displacement::Anisotropic {
            u_a2: components(&turned(u)),
        };
        Atom {
            element: self.element,
            charge: self.charge,
            position: match (self.position, copy) {
                (Position::Fractional(position), None) => position,
                (Position::Fractional(position), Some(_)) => {
                    frame.fractional(moved(frame.position_a(position)))
                }
                (Position::Orthogonal(position), _) => frame.fractional(moved(position)),
            },
            occupancy: self.occupancy,
            displacement: match self.displacement {
                FileDisplacement::Isotropic { b_a2 } => Displacement::Isotropic { b_a2 },
                FileDisplacement::Cartesian { u_a2 } => cartesian(symmetric(u_a2)),
                FileDisplacement::Reciprocal { u_a2 } => {
                    cartesian(frame.cartesian_u(&symmetric(u_a2)))
                }
            },
        }
    }
}

/// Whether a file's own axes are the standard ones, up to the six decimals they are written with.
fn is_standard(frame: &Frame, scale: [[f64; 3]; 3], shift: [f64; 3]) -> bool {
    const ROUNDING: f64 = 2e-6;
    let standard = frame.fractional_matrix();
    let rows = scale.iter().enumerate();
    let mut entries = rows.flat_map(|(i, row)| row.iter().enumerate().map(move |(j, x)| (i, j, x)));
    entries.all(|(i, j, x)| (x - standard[(i, j)]).abs() < ROUNDING)
        && shift.iter().all(|x| x.abs() < ROUNDING)
}
