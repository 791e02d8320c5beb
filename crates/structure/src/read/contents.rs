//! The contents of a coordinate file, and the model that is made from them.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};
use nanobragg_crystal::{CellSpec, GroupDoubt, SpaceGroup, StatedGroup, SymmetryOperation};
use nanobragg_io::input::quoted;

use super::FieldPlace;
use crate::anomalous::Dispersion;
use crate::element::Element;
use crate::error::{Error, Warning};
use crate::frame::CellFrame;
use crate::model::{Atom, Displacement, Model, components, symmetric};
use crate::special::{Occupancies, share_special_positions};

/// Cell and space group from the user. They replace those of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    /// The cell.
    pub cell: Option<CellSpec>,
    /// The name of the space group. The cell selects the setting where the name leaves it open.
    pub space_group: Option<String>,
    /// Whether atoms that are not as they should be are an error instead of a warning.
    pub is_strict: bool,
}

/// A model with the warnings about its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The model.
    pub model: Model,
    /// What the file says of the data that the model was refined against.
    pub data: DataStated,
    /// Contents that were left out, changed or assumed.
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// Adds a warning for each of the elements that no atom is of.
    pub fn warn_of_absent<'e>(&mut self, elements: impl IntoIterator<Item = &'e Element>) {
        for element in elements {
            if self.model.atoms.iter().all(|atom| atom.element != *element) {
                let element = *element;
                self.warnings.push(Warning::AbsentElement { element });
            }
        }
    }
}

/// What a coordinate file says of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DataStated {
    /// The resolution in Angstrom: `REMARK   2` of a PDB file, `_refine.ls_d_res_high` or
    /// `_reflns.d_resolution_high` of a CIF.
    pub dmin_a: Option<f64>,
    /// The wavelength in Angstrom, the first of several: `REMARK 200` of a PDB file, `_diffrn_radiation_wavelength` or
    /// `_diffrn_source` of a CIF.
    pub wavelength_a: Option<f64>,
}

/// S and shift of `u = S x + shift`.
pub(super) type Scale = ([[f64; 3]; 3], [f64; 3]);

/// The contents of a coordinate file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) cell: Option<CellSpec>,
    pub(super) data: DataStated,
    /// What the file says of the space group, and the line.
    pub(super) group: StatedGroup,
    pub(super) group_line: usize,
    /// Symmetry operations as triplets, each with its line.
    pub(super) operations: Vec<(String, usize)>,
    pub(super) scale: Option<Scale>,
    pub(super) atoms: Vec<FileAtom>,
    /// Whether occupancies are those of the positions, and not divided on special ones.
    pub(super) occupies_positions: bool,
    pub(super) copies: Vec<Copy>,
    pub(super) dispersion: Dispersion,
    pub(super) models_left_out: usize,
    /// The number of later blocks of a CIF that have atoms too.
    pub(super) structures_left_out: usize,
    pub(super) odd: OddAtoms,
}

/// B of an atom for which the file gives none, in A^2: that of gemmi.
pub(super) const MISSING_B_A2: f64 = 20.0;

/// The numbers of atoms that are not as they should be.
#[derive(Debug, Default)]
pub(super) struct OddAtoms {
    /// Their number, and the symbol and the line of the first one.
    unknown: Option<(usize, String, usize)>,
    pub(super) missing: usize,
    pub(super) charges: usize,
    pub(super) stray_tensors: usize,
}

impl OddAtoms {
    /// Counts an atom of an unknown element.
    pub(super) fn unknown(&mut self, symbol: &str, line: usize) {
        let symbol = || quoted(symbol.as_bytes());
        let (count, ..) = self.unknown.get_or_insert_with(|| (0, symbol(), line));
        *count += 1;
    }

    /// A warning for each kind of odd atoms.
    fn warnings(self, atoms: &[Atom]) -> Vec<Warning> {
        let count = |is_odd: fn(&Atom) -> bool| atoms.iter().filter(|atom| is_odd(atom)).count();
        let occupancies = count(|atom| !(0.0..=1.0).contains(&atom.occupancy));
        let negative = count(|atom| match atom.displacement {
            Displacement::Isotropic { b_a2 } => b_a2 < 0.0,
            Displacement::Anisotropic { u_a2 } => {
                // Files round U to 1e-4 A^2.
                SymmetricEigen::new(symmetric(u_a2)).eigenvalues.min() < -1e-4
            }
        });
        let mut warnings = Vec::new();
        if let Some((atoms, symbol, line)) = self.unknown {
            warnings.push(Warning::UnknownElements {
                atoms,
                symbol,
                line,
            });
        }
        let counted = [
            (occupancies, Warning::Occupancies { atoms: occupancies }),
            (negative, Warning::NegativeDisplacements { atoms: negative }),
            (
                self.missing,
                Warning::MissingNumbers {
                    atoms: self.missing,
                },
            ),
            (
                self.charges,
                Warning::Charges {
                    atoms: self.charges,
                },
            ),
            (
                self.stray_tensors,
                Warning::StrayTensors {
                    records: self.stray_tensors,
                },
            ),
        ];
        let found = counted.into_iter().filter(|(count, _)| *count > 0);
        warnings.extend(found.map(|(_, warning)| warning));
        warnings
    }
}

/// An atom in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileAtom {
    pub(super) element: Element,
    pub(super) charge: i8,
    pub(super) position: Position,
    pub(super) occupancy: f64,
    /// The order of the site symmetry, if the file has it.
    pub(super) site_order: Option<f64>,
    pub(super) displacement: FileDisplacement,
}

/// Coordinates along orthogonal axes in A, or in fractions of the cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Position {
    Orthogonal([f64; 3]),
    Fractional([f64; 3]),
}

/// A displacement in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum FileDisplacement {
    Isotropic {
        b_a2: f64,
    },
    /// U for the orthogonal axes.
    Cartesian {
        u_a2: [f64; 6],
    },
    /// U for a*, b*, c*, as in a small-molecule CIF.
    Reciprocal {
        u_a2: [f64; 6],
    },
}

/// A non-crystallographic symmetry operation `x' = R x + t`, in A. The file does not list the atoms of
/// its copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Copy {
    pub(super) rotation: Matrix3<f64>,
    pub(super) translation_a: Vector3<f64>,
}

/// The largest number of atoms after non-crystallographic symmetry.
const MOST_ATOMS: usize = 10_000_000;

impl Contents {
    /// The model of the file, with cell and space group from `given` if they are there.
    ///
    /// # Errors
    /// If there is no atom, cell or space group, or if they do not agree.
    pub(super) fn into_model(self, name: &str, given: &Given) -> Result<Reading, Error> {
        let named = || name.to_owned();
        if self.atoms.is_empty() {
            return Err(Error::NoAtoms { name: named() });
        }
        let cell = given.cell.or(self.cell);
        let mut frame = CellFrame::new(cell.ok_or_else(|| Error::NoCell { name: named() })?)?;
        // The axes of the file belong to its own cell. With another cell the standard axes are used.
        if let (Some((scale, shift)), None) = (self.scale, given.cell)
            && !is_standard(&frame, scale, shift)
        {
            let scaled = frame.with_scale(scale, shift);
            frame = scaled.ok_or_else(|| Error::Scale { name: named() })?;
        }
        let (space_group, group_warning) = self.space_group(name, given, frame.cell())?;
        let mut atoms: Vec<Atom> = Vec::new();
        // Checked before the atoms are in memory.
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
        let odd = self.odd.warnings(&atoms);
        if let (true, Some(warning)) = (given.is_strict, odd.first()) {
            let warning = warning.clone();
            return Err(Error::DoubtfulAtoms {
                name: named(),
                warning,
            });
        }
        // The orders of the file are those of its own group.
        let is_own = given.space_group.is_none();
        let orders = self.atoms.iter().map(|atom| atom.site_order);
        let orders: Vec<_> = orders.map(|order| order.filter(|_| is_own)).collect();
        let occupancies = match self.occupies_positions {
            true => Occupancies::OfPosition(&orders),
            false => Occupancies::Either,
        };
        let operations = space_group.operations();
        let shared = share_special_positions(&mut atoms, &frame, operations, occupancies);
        let mut warnings = odd;
        warnings.extend(group_warning);
        if self.structures_left_out > 0 {
            warnings.push(Warning::StructuresLeftOut {
                structures: self.structures_left_out,
            });
        }
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
            data: self.data,
            warnings,
        })
    }
}

impl Contents {
    /// The group in `given`, or else that of the operations in the file, or else that of its name.
    fn space_group(
        &self,
        name: &str,
        given: &Given,
        cell: &CellSpec,
    ) -> Result<(SpaceGroup, Option<Warning>), Error> {
        if let Some(group) = &given.space_group {
            let found = SpaceGroup::from_name_for_cell(group, cell)?;
            let doubt = GroupDoubt::of_origin(&found, group);
            return Ok((found, doubt.map(Warning::SpaceGroup)));
        }
        let mut operations = Vec::new();
        for (triplet, line) in &self.operations {
            let place = FieldPlace { name, line: *line };
            let operation = SymmetryOperation::from_triplet(triplet);
            let expected = "a symmetry operation such as -x,y+1/2,-z";
            operations.push(operation.map_err(|_| place.error(triplet, expected))?);
        }
        if !operations.is_empty() {
            return Ok((SpaceGroup::from_operations(&operations)?, None));
        }
        if self.group.is_empty() {
            return Err(Error::NoSpaceGroup {
                name: name.to_owned(),
            });
        }
        let line = self.group_line;
        match self.group.find(Some(cell)) {
            (Some(group), doubt) => {
                // A Hall symbol says which origin it is.
                let named = self
                    .group
                    .names
                    .first()
                    .filter(|_| self.group.hall.is_none());
                let of_origin = || GroupDoubt::of_origin(&group, named?);
                let doubt = doubt.or_else(of_origin);
                Ok((group, doubt.map(Warning::SpaceGroup)))
            }
            (None, doubt) => {
                let found = match doubt {
                    Some(GroupDoubt::NotUnderstood { name, .. }) => name,
                    Some(GroupDoubt::OtherNumber { .. } | GroupDoubt::TwoOrigins { .. }) | None => {
                        String::new()
                    }
                };
                let expected = "the name of a space group such as P 21 21 21";
                Err(FieldPlace { name, line }.error(&found, expected))
            }
        }
    }
}

impl Copy {
    /// Whether the operation is the identity.
    pub(super) fn is_identity(&self) -> bool {
        const ROUNDING: f64 = 1e-5;
        (self.rotation - Matrix3::identity()).norm() < ROUNDING
            && self.translation_a.norm() < ROUNDING
    }
}

impl FileAtom {
    /// The atom in fractional coordinates, moved by the operation of a copy.
    fn in_frame(&self, frame: &CellFrame, copy: Option<&Copy>) -> Atom {
        let moved = |position: [f64; 3]| match copy {
            Some(copy) => (copy.rotation * Vector3::from(position) + copy.translation_a).into(),
            None => position,
        };
        // A displacement R u has the mean square R <u u^T> R^T.
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
                // The operation of a copy is in A.
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

/// Whether the axes in a file are the standard ones within their six decimals.
///
/// If they are, the exact axes of the cell are used instead of the rounded ones.
fn is_standard(frame: &CellFrame, scale: [[f64; 3]; 3], shift: [f64; 3]) -> bool {
    const ROUNDING: f64 = 2e-6;
    let standard = frame.fractional_matrix();
    let rows = scale.iter().enumerate();
    let mut entries = rows.flat_map(|(i, row)| row.iter().enumerate().map(move |(j, x)| (i, j, x)));
    entries.all(|(i, j, x)| (x - standard[(i, j)]).abs() < ROUNDING)
        && shift.iter().all(|x| x.abs() < ROUNDING)
}
