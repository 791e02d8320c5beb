//! The range of the scattering vectors of a block.

use super::block::{BLOCK, Block};
use crate::scene::View;

/// The squared lengths of the shortest and the longest scattering vector of a block.
pub(super) struct Extent {
    shortest_squared_per_m2: f64,
    longest_squared_per_m2: f64,
}

impl Extent {
    #[inline(always)]
    pub(super) fn of(block: &Block) -> Self {
        let [x, y, z] = &block.scattering_per_m;
        let mut shortest = [f64::INFINITY; EXTENT_LANES];
        let mut longest = [0.0; EXTENT_LANES];
        for start in (0..BLOCK).step_by(EXTENT_LANES) {
            for lane in 0..EXTENT_LANES {
                let i = start + lane;
                let squared = x[i] * x[i] + y[i] * y[i] + z[i] * z[i];
                // Comparisons instead of `f64::min` and `max`: each is one instruction, without a test for NaN.
                shortest[lane] = if squared < shortest[lane] {
                    squared
                } else {
                    shortest[lane]
                };
                longest[lane] = if squared > longest[lane] {
                    squared
                } else {
                    longest[lane]
                };
            }
        }
        Self {
            shortest_squared_per_m2: shortest.into_iter().fold(f64::INFINITY, f64::min),
            longest_squared_per_m2: longest.into_iter().fold(0.0, f64::max),
        }
    }

    /// Whether every scattering vector is beyond the last reflection that is not 0.
    #[inline(always)]
    pub(super) fn is_beyond_list(&self, view: &View<'_>) -> bool {
        view.bounds
            .reach_squared_per_m2
            .is_some_and(|reach| self.shortest_squared_per_m2 > reach)
    }

    /// Whether the nearest indices of every pixel are in the grid of structure factors in any orientation.
    #[inline(always)]
    pub(super) fn is_inside_grid(&self, view: &View<'_>) -> bool {
        let longest_per_m = self.longest_squared_per_m2.sqrt();
        view.lane_grid.holds(
            view.bounds
                .longest_edges_m
                .map(|edge_m| edge_m * longest_per_m),
        )
    }
}

/// The number of partial minima and maxima: enough for the widest vector.
const EXTENT_LANES: usize = 8;
