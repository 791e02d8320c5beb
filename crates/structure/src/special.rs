//! Atoms on special positions, where a symmetry operation maps an atom to itself.

use nanobragg_geometry::vector::{norm, sub};

use crate::frame::CellFrame;
use crate::model::Atom;
use nanobragg_crystal::SymmetryOperation;

/// An image is the atom itself if its distance from the atom, in A, is below this.
const SAME_POSITION_A: f64 = 0.3;

/// Divides the occupancy of atoms on special positions among their images, if the file has not done
/// so. Returns the number of atoms that were changed.
///
/// On a special position m operations map an atom to itself, so the sum over the operations counts it
/// m times. Some files give the occupancy of the position divided by m. Others give the occupancy of
/// the position; then `m occupancy > 1`, and it is divided by m here.
pub(crate) fn share_special_positions(
    atoms: &mut [Atom],
    frame: &CellFrame,
    operations: &[SymmetryOperation],
) -> usize {
    let mut shared = 0;
    for atom in atoms {
        let here = atom.position;
        let is_here = |operation: &&SymmetryOperation| {
            let step = sub(operation.apply(here), here);
            // The image can be in another cell: the nearest of its lattice translations counts.
            norm(frame.difference_a(step.map(|x| x - x.round()))) < SAME_POSITION_A
        };
        let images = operations.iter().filter(is_here).count() as f64;
        // Files write 1/3 and 1/6 as 0.33 and 0.17, so that m times the occupancy is up to 1.02.
        const ROUNDING: f64 = 0.05;
        if images > 1.0 && images * atom.occupancy > 1.0 + ROUNDING {
            atom.occupancy /= images;
            shared += 1;
        }
    }
    shared
}
