//! A block of neighbouring pixels of one row, as columns.
//!
//! One lane is one pixel, so neither vectors nor threads ever split the sum inside a pixel, and its
//! order of addition is the C program's at every vector width.

use crate::backend::RowPart;

/// Pixels in a block: enough for eight registers of the widest vectors, few enough that all columns
/// of a block stay in the first-level cache.
pub(super) const BLOCK: usize = 64;

/// One number a lane.
pub(super) type Column = [f64; BLOCK];

/// What a block keeps while its pixels are summed.
///
/// Aligned, so that no vector of a column crosses a line of the cache, wherever the stack happens to be.
#[repr(align(64))]
pub(super) struct Block {
    /// 1 for a pixel that is rendered; 0 under the mask and beyond the end of the row.
    pub(super) active: Column,
    /// Unit vectors towards the sub-pixels.
    pub(super) diffracted: [Column; 3],
    /// Distances of the sub-pixels in metres.
    pub(super) path_m: Column,
    /// One over them; 0 for one on the crystal. Only filled for an observer that adds the terms.
    pub(super) per_path_m: Column,
    /// Capture fractions in force.
    pub(super) capture: Column,
    /// Polarization factors in force.
    pub(super) polarization: Column,
    /// Solid angles in force, in steradian.
    pub(super) solid_angle_sr: Column,
    /// Scattering vectors of one source in 1/m.
    pub(super) scattering_per_m: [Column; 3],
    /// 1 where the source is not cut by dmin.
    pub(super) live: Column,
    /// Offsets from the nearest whole indices: dh, dk, dl.
    pub(super) offset: [Column; 3],
    /// Where the structure factor stands in the grid.
    pub(super) place: [u32; BLOCK],
    /// Lagrange weights of the four neighbours along h, k, l, for interpolation.
    pub(super) weights: [[Column; 4]; 3],
    /// Structure factors of the unit cell.
    pub(super) cell_factor: Column,
    /// Structure factors of the lattice, but for their sign.
    pub(super) lattice_factor: Column,
    /// 1 where the structure factor of the lattice is exactly 0.
    pub(super) vanishes: Column,
    /// The sums.
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
            weights: [[[0.0; BLOCK]; 4]; 3],
            cell_factor: [0.0; BLOCK],
            lattice_factor: [0.0; BLOCK],
            vanishes: [0.0; BLOCK],
            intensity: [0.0; BLOCK],
            left_grid: [0.0; BLOCK],
        }
    }

    /// Marks which of the `pixels` from `first` on are rendered; false if there are none.
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

/// Whether `test` holds in any lane. Every lane is looked at, which is what vectors are good at.
#[inline(always)]
pub(super) fn any(column: &Column, test: impl Fn(f64) -> bool) -> bool {
    let mut found = false;
    for &value in column {
        found |= test(value);
    }
    found
}

/// The sum over the lanes of `a b`, in eight partial sums, the same at every vector width.
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
