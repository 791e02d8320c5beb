//! Atoms on special positions, where a symmetry operation maps an atom to itself.

use nanobragg_geometry::vector::{norm, sub};

use crate::frame::CellFrame;
use crate::model::Atom;
use nanobragg_crystal::SymmetryOperation;

/// An image is the atom itself if its distance from the atom, in A, is below this.
const SAME_POSITION_A: f64 = 0.3;

/// What the occupancies of a file are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occupancies<'a> {
    /// Those of the positions, or the same divided by the number of images: files of macromolecules have both.
    Either,
    /// Those of the positions, as in the core dictionary of CIF. For each atom the number of its images (the order of the
    /// site symmetry) if the file states it, which decides where an atom is a little beside the special position.
    OfPosition(&'a [Option<f64>]),
}

/// Divides the occupancy of atoms on special positions among their images, if the file has not done
/// so. Returns the number of atoms that were changed.
///
/// On a special position m operations map an atom to itself, so the sum over the operations counts it
/// m times. Where a file may have either, an occupancy with `m occupancy > 1` is that of the position.
pub(crate) fn share_special_positions(
    atoms: &mut [Atom],
    frame: &CellFrame,
    operations: &[SymmetryOperation],
    occupancies: Occupancies<'_>,
) -> usize {
    let mut shared = 0;
    for (number, atom) in atoms.iter_mut().enumerate() {
        let here = atom.position;
        let is_here = |operation: &&SymmetryOperation| {
            let step = sub(operation.apply(here), here);
            // The image can be in another cell: the nearest of its lattice translations counts.
            norm(frame.difference_a(step.map(|x| x - x.round()))) < SAME_POSITION_A
        };
        let found = || operations.iter().filter(is_here).count() as f64;
        // Files write 1/3 and 1/6 as 0.33 and 0.17, so that m times the occupancy is up to 1.02.
        const ROUNDING: f64 = 0.05;
        let images = match occupancies {
            Occupancies::Either => {
                let images = found();
                match images * atom.occupancy > 1.0 + ROUNDING {
                    true => images,
                    false => 1.0,
                }
            }
            Occupancies::OfPosition(stated) => {
                stated.get(number).copied().flatten().unwrap_or_else(found)
            }
        };
        if images > 1.0 {
            atom.occupancy /= images;
            shared += 1;
        }
    }
    shared
}
