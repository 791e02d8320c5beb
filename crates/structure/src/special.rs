//! Atoms on special positions, where symmetry brings an atom back onto itself.

use nanobragg_geometry::vector::{norm, sub};

use crate::frame::Frame;
use crate::model::Atom;
use nanobragg_crystal::SymmetryOperation;

/// An image nearer than this, in A, is the atom itself.
const SAME_PLACE_A: f64 = 0.3;

/// Lets images that coincide share the occupancy of their atom; returns how many atoms do.
///
/// The symmetry makes m images of an atom on a special position, which together may not fill it
/// more than once. Some files give an occupancy of 1/m there, others that of the place; the latter
/// shows in `m x occupancy > 1` and is divided by m.
pub(crate) fn share_special_positions(
    atoms: &mut [Atom],
    frame: &Frame,
    operations: &[SymmetryOperation],
) -> usize {
    let mut shared = 0;
    for atom in atoms {
        let here = atom.position;
        let is_here = |operation: &&SymmetryOperation| {
            let step = sub(operation.apply(here), here);
            norm(frame.difference_a(step.map(|x| x - x.round()))) < SAME_PLACE_A
        };
        let images = operations.iter().filter(is_here).count() as f64;
        // Thirds and sixths are written as 0.33 and 0.17.
        const ROUNDING: f64 = 0.05;
        if images > 1.0 && images * atom.occupancy > 1.0 + ROUNDING {
            atom.occupancy /= images;
            shared += 1;
        }
    }
    shared
}
