//! The gaps between the modules of a panel.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mask::Mask;

/// The gaps of a panel that is a grid of equal modules. Along each axis pixels of a module and pixels of a
/// gap follow in turn, and the panel begins with a module. Pixels of gaps measure nothing.
///
/// Pairs are `[fast, slow]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaps {
    /// The pixels of a module.
    pub module_pixels: [u32; 2],
    /// The pixels of a gap.
    pub gap_pixels: [u32; 2],
}

impl Gaps {
    /// Whether a pixel lies in a gap.
    pub fn contain(&self, fast: u32, slow: u32) -> bool {
        self.is_between(0, fast) || self.is_between(1, slow)
    }

    /// Whether the pixels of this number along an axis lie between modules.
    fn is_between(&self, axis: usize, pixel: u32) -> bool {
        let [module, gap] = [self.module_pixels, self.gap_pixels].map(|sizes| sizes[axis]);
        // Sizes can be as large as their type, but 0 modules are refused.
        let period = (u64::from(module) + u64::from(gap)).max(1);
        u64::from(pixel) % period >= u64::from(module)
    }

    /// The mask of a panel of this size whose first pixel is the pixel `first` of the grid.
    pub(crate) fn mask(&self, first: [u32; 2], size: [u32; 2]) -> Option<Mask> {
        let along = |axis: usize| {
            let (first, size) = (first[axis], size[axis]);
            (first..first.saturating_add(size)).map(move |pixel| !self.is_between(axis, pixel))
        };
        let row: Vec<bool> = along(0).collect();
        let mut used = Vec::with_capacity(row.len().saturating_mul(size[1] as usize));
        for is_module in along(1) {
            match is_module {
                true => used.extend_from_slice(&row),
                false => used.resize(used.len() + row.len(), false),
            }
        }
        Mask::new(row.len(), used)
    }

    /// Checks that modules have pixels.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.module_pixels.contains(&0) {
            true => Err(Error::OutOfRange {
                field: "the number of pixels of a module",
                value: 0.0,
                allowed: "1 or above",
            }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: Gaps = Gaps {
        module_pixels: [3, 2],
        gap_pixels: [2, 1],
    };

    #[test]
    fn modules_and_gaps_follow_in_turn() {
        let mask = GAPS.mask([0, 0], [8, 5]).unwrap();
        let text = |slow| -> String {
            let row = mask.row(slow).iter();
            row.map(|used| if *used { '#' } else { '.' }).collect()
        };
        let rows: Vec<String> = (0..5).map(text).collect();
        assert_eq!(
            rows,
            ["###..###", "###..###", "........", "###..###", "###..###"]
        );
        for (slow, row) in rows.iter().enumerate() {
            for (fast, pixel) in row.chars().enumerate() {
                assert_eq!(GAPS.contain(fast as u32, slow as u32), pixel == '.');
            }
        }
    }

    #[test]
    fn a_part_of_a_panel_has_the_gaps_of_that_part() {
        let (all, part) = (
            GAPS.mask([0, 0], [20, 20]).unwrap(),
            GAPS.mask([4, 2], [6, 3]).unwrap(),
        );
        for slow in 0..3 {
            assert_eq!(part.row(slow), &all.row(slow + 2)[4..10]);
        }
    }
}
