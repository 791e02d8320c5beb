use std::fmt;

use super::SymmetryOperation;

/// The seven crystal systems, defined by the rotation axes of a group.
///
/// A rhombohedral lattice belongs to the trigonal system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrystalSystem {
    /// No rotation except the identity.
    Triclinic,
    /// One twofold axis.
    Monoclinic,
    /// Three twofold axes.
    Orthorhombic,
    /// One fourfold axis.
    Tetragonal,
    /// One threefold axis.
    Trigonal,
    /// One sixfold axis.
    Hexagonal,
    /// Four threefold axes.
    Cubic,
}

impl CrystalSystem {
    /// The system of a set of operations without repeated rotations.
    pub(super) fn of<'a>(operations: impl Iterator<Item = &'a SymmetryOperation>) -> Self {
        // The trace of a rotation by an angle w is 1 + 2 cos w in every basis: -1, 0, 1, 2 for
        // rotations of order 2, 3, 4, 6, and 3 for the identity. An improper rotation is the
        // inversion times a proper one, so its sign is changed first.
        let mut count_by_trace = [0_usize; 4];
        let mut proper: Vec<_> = operations
            .map(|operation| {
                let sign = operation.determinant();
                (
                    operation.rotation().map(|row| row.map(|n| n * sign)),
                    sign * operation.trace(),
                )
            })
            .collect();
        proper.sort_unstable();
        proper.dedup();
        for (_, trace) in proper {
            let place = usize::try_from(trace + 1).ok();
            if let Some(count) = place.and_then(|place| count_by_trace.get_mut(place)) {
                *count += 1;
            }
        }
        // Rotations are counted, not axes: a threefold axis has two rotations by a third. The order
        // of the arms matters, because a sixfold axis contains a threefold and a twofold one.
        match count_by_trace {
            [_, three, ..] if three > 2 => Self::Cubic,
            [_, _, _, six] if six > 0 => Self::Hexagonal,
            [_, three, ..] if three > 0 => Self::Trigonal,
            [_, _, four, _] if four > 0 => Self::Tetragonal,
            [two, ..] if two > 1 => Self::Orthorhombic,
            [1, ..] => Self::Monoclinic,
            _ => Self::Triclinic,
        }
    }
}

impl fmt::Display for CrystalSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Triclinic => "triclinic",
            Self::Monoclinic => "monoclinic",
            Self::Orthorhombic => "orthorhombic",
            Self::Tetragonal => "tetragonal",
            Self::Trigonal => "trigonal",
            Self::Hexagonal => "hexagonal",
            Self::Cubic => "cubic",
        })
    }
}
