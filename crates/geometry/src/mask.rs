//! The pixels of a panel that are not rendered.

use crate::roi::Roi;

/// One flag per pixel of a panel, `true` for a pixel that is rendered.
///
/// # Shape
/// `[slow][fast]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    pixels_fast: usize,
    used: Vec<bool>,
}

impl Mask {
    /// A mask of rows of `pixels_fast` flags. `None` if the last row is incomplete or
    /// `pixels_fast` is 0.
    pub fn new(pixels_fast: usize, used: Vec<bool>) -> Option<Self> {
        (pixels_fast > 0 && used.len().is_multiple_of(pixels_fast))
            .then_some(Self { pixels_fast, used })
    }

    /// A mask of all pixels, in rows of `pixels_fast`, which must not be 0.
    pub(crate) fn all(pixels_fast: usize, pixels: usize) -> Self {
        Self {
            pixels_fast,
            used: vec![true; pixels],
        }
    }

    /// Does not render these pixels, numbered row by row.
    pub(crate) fn leave_out(&mut self, pixels: &[u32]) {
        for &pixel in pixels {
            if let Some(used) = self.used.get_mut(pixel as usize) {
                *used = false;
            }
        }
    }

    /// Pixels along the fast axis.
    pub fn pixels_fast(&self) -> usize {
        self.pixels_fast
    }

    /// Pixels along the slow axis.
    pub fn pixels_slow(&self) -> usize {
        self.used.len() / self.pixels_fast
    }

    /// The flags of row `slow`. Empty outside the mask.
    pub fn row(&self, slow: usize) -> &[bool] {
        let start = slow.saturating_mul(self.pixels_fast);
        self.used
            .get(start..start.saturating_add(self.pixels_fast))
            .unwrap_or(&[])
    }

    /// The mask of the pixels that both masks of the same size render.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let both = self.used.iter_mut().zip(&other.used);
        both.for_each(|(used, other)| *used &= other);
        self
    }

    /// The mask of the pixels inside `part`.
    pub fn crop(&self, part: &Roi) -> Self {
        let (first, last) = (*part.fast().start() as usize, *part.fast().end() as usize);
        let rows = part.slow().map(|slow| {
            let row = self.row(slow as usize);
            row.get(first..=last).unwrap_or_default()
        });
        Self {
            pixels_fast: last - first + 1,
            used: rows.flatten().copied().collect(),
        }
    }
}
