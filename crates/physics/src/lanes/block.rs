//! A block of neighbouring pixels of one row, stored in columns.
//!
//! One lane is one pixel. Neither vectors nor threads split the sum of a pixel, so its order of addition
//! is that of the C program at every vector width.

use crate::backend::RowPart;

/// Pixels in a block: enough for eight registers of the widest vectors, and few enough that all columns
/// of a block (15 kB) stay in the first-level cache.
pub(super) const BLOCK: usize = 64;

/// One number per lane.
pub(super) type Column = [f64; BLOCK];

/// The data of a block while its pixels are summed.
///
/// The alignment keeps every vector of a column within one cache line, wherever the stack is.
#[repr(align(64))]
pub(super) struct Block {
    /// 1 for a pixel that is rendered; 0 under the mask and beyond the end of the row.
    pub(super) active: Column,
    /// Unit vectors towards the sub-pixels.
    pub(super) diffracted: [Column; 3],
    /// Distances of the sub-pixels in metres.
    pub(super) path_m: Column,
    /// One over the distances; 0 for a sub-pixel on the crystal. Only filled for an observer that adds
    /// the terms.
    pub(super) per_path_m: Column,
    /// Current capture fractions.
    pub(super) capture: Column,
    /// Current polarization factors.
    pub(super) polarization: Column,
    /// Current solid angles in steradian.
    pub(super) solid_angle_sr: Column,
    /// Scattering vectors of the current source in 1/m.
    pub(super) scattering_per_m: [Column; 3],
    /// 1 where the source is not cut by dmin.
    pub(super) live: Column,
    /// Offsets from the nearest integer indices: dh, dk, dl.
    pub(super) offset: [Column; 3],
    /// Offset of the structure factor in the grid.
    pub(super) place: [u32; BLOCK],
    /// Lagrange weights of the four neighbours along h, k, l, for interpolation.
    pub(super) weights: [[Column; 4]; 3],
    /// Names of the reflections nearest to the terms. Only filled for an observer of names.
    pub(super) name: Column,
    /// The sum of terms, from where the observer of names has set it to 0.
    pub(super) part: Column,
    /// Structure factors of the unit cell.
    pub(super) cell_factor: Column,
    /// Structure factors of the lattice, up to the sign.
    pub(super) lattice_factor: Column,
    /// 1 where the structure factor of the lattice is exactly 0.
    pub(super) vanishes: Column,
    pub(super) intensity: Column,
    /// 1 for a pixel in which an index has left the grid.
    pub(super) left_grid: Column,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            active: [0.0; BLOCK],
            diffracted: [[0.0; BLOCK]; 3],
            path_m: [0.0; BLOCK],
            per_path_m: [0.0; BLOCK],
            capture: [0.0; BLOCK],
            polarization: [0.0; BLOCK],
            solid_angle_sr: [0.0; BLOCK],
            scattering_per_m: [[0.0; BLOCK]; 3],
            live: [0.0; BLOCK],
            offset: [[0.0; BLOCK]; 3],
            place: [0; BLOCK],
            name: [0.0; BLOCK],
            part: [0.0; BLOCK],
            weights: [[[0.0; BLOCK]; 4]; 3],
            cell_factor: [0.0; BLOCK],
            lattice_factor: [0.0; BLOCK],
            vanishes: [0.0; BLOCK],
            intensity: [0.0; BLOCK],
            left_grid: [0.0; BLOCK],
        }
    }

    /// Marks which of the `pixels` from `first` on are rendered. Returns false if there are none.
    #[inline(always)]
    pub(super) fn mark_active(&mut self, part: &RowPart<'_>, first: u32, pixels: usize) -> bool {
        for (i, active) in self.active.iter_mut().enumerate() {
            *active = if i < pixels { 1.0 } else { 0.0 };
        }
        let Some(used) = part.used else {
            return pixels > 0;
        };
        let used = used.get(first as usize..).unwrap_or_default();
        for (i, active) in self.active.iter_mut().enumerate() {
            if used.get(i) != Some(&true) {
                *active = 0.0;
            }
        }
        any(&self.active, |active| active != 0.0)
    }
}

/// Whether `test` holds in any lane. There is no early exit, so that the loop is vectorised.
#[inline(always)]
pub(super) fn any(column: &Column, test: impl Fn(f64) -> bool) -> bool {
    let mut found = false;
    for &value in column {
        found |= test(value);
    }
    found
}

/// The sum of `a b` over the lanes, in eight partial sums, so that its bits are the same at every vector width.
#[inline(always)]
pub(super) fn dot(a: &Column, b: &Column) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}
