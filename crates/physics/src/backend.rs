//! The backends, which render a scene.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

use crate::compat::Habits;
use crate::device::DeviceFault;
use crate::lanes::{self, LARGEST_INDEX, LaneGrid, Level, Precision};
use crate::progress::Cancel;
use crate::sampling::Lookup;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::{Scene, View};

/// The photons of a pixel as an image has them. The C program adds them to 0, which makes 0 of the -0 of a pixel that sees
/// the crystal from behind.
#[inline(always)]
pub(crate) fn stored(photons: f64) -> f32 {
    (photons + 0.0) as f32
}

/// Renders parts of rows. The result of a part does not depend on any other part, so the driver may
/// distribute parts to threads in any order.
///
/// A backend has no threads, and none of the habits of the C program that depend on the order of pixels.
pub trait Backend: Sync {
    /// The name in reports.
    fn name(&self) -> &'static str;

    /// Whether the backend can render `scene`.
    ///
    /// # Errors
    /// The reason if it cannot.
    fn supports(&self, scene: &Scene) -> Result<(), Unsupported>;

    /// Renders a part of a row of a supported `scene`. `pixels` has one element for each pixel of the
    /// part. Masked pixels are not changed.
    fn render(&self, scene: &Scene, part: &RowPart<'_>, pixels: &mut [f32]) -> PartOutcome;

    /// The backend as lanes, which can leave terms out; `None` for any other.
    fn as_lanes(&self) -> Option<Lanes> {
        None
    }
}

/// Why a backend cannot render a scene.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Miller indices too large for lanes to round exactly.
    #[error("Miller indices reach {largest:e}, and lanes round them up to {LARGEST_INDEX:e}")]
    LargeIndices {
        /// A bound on every index.
        largest: f64,
    },
    /// Structure factors of different ranges of indices for different sources.
    #[error("the structure factors of the sources have different ranges of indices")]
    DifferentGrids,
    /// A grid with more structure factors than a lane can number.
    #[error("the grid holds {points} structure factors, and lanes number fewer than 2^32")]
    LargeGrid {
        /// Points of the grid.
        points: usize,
    },
    /// A device was to sum the terms.
    #[error("{0}")]
    Device(DeviceFault),
}

/// A part of one row of a panel.
#[derive(Debug, Clone)]
pub struct RowPart<'r> {
    /// The number of the panel, counted from 0.
    pub panel: usize,
    /// The row number on the panel.
    pub slow: u32,
    /// The columns, end excluded.
    pub fast: Range<u32>,
    /// One flag per pixel of the whole row; false if the pixel is masked.
    pub used: Option<&'r [bool]>,
    /// How structure factors are looked up.
    pub lookup: Lookup,
    /// Ends the rendering early when raised. The returned values are then meaningless.
    pub cancel: Option<&'r Cancel>,
}

impl<'r> RowPart<'r> {
    /// A part of a row of the panel of `view`; the part must be in the region of interest.
    pub(crate) fn of_row(view: &View<'r>, slow: u32, fast: Range<u32>) -> Self {
        Self {
            panel: view.panel_index,
            slow,
            fast,
            used: view.panel.mask().map(|mask| mask.row(slow as usize)),
            lookup: view.setup.lookup,
            cancel: None,
        }
    }

    /// Whether this pixel is not masked.
    #[inline(always)]
    pub(crate) fn uses(&self, fast: u32) -> bool {
        self.used
            .is_none_or(|used| used.get(fast as usize) == Some(&true))
    }

    #[inline(always)]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_raised)
    }
}

/// The results of a part besides its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartOutcome {
    /// Solid angle summed over the rendered pixels, layers and sub-pixels, in steradian.
    pub solid_angle_sum_sr: f64,
    /// The first pixel in which an index is too close to the edge of the grid to interpolate. This pixel
    /// and those after it are not rendered. Always `None` with the fix `interpolation`.
    pub left_grid_at: Option<u32>,
}

/// The scalar sum, pixel by pixel. It renders every scene and is the standard for the other backends.
#[derive(Debug, Clone, Copy)]
pub struct Scalar;

impl Backend for Scalar {
    fn name(&self) -> &'static str {
        Level::Reference.name()
    }

    fn supports(&self, _: &Scene) -> Result<(), Unsupported> {
        Ok(())
    }

    fn render(&self, scene: &Scene, part: &RowPart<'_>, pixels: &mut [f32]) -> PartOutcome {
        let view = scene.view(part.panel);
        let mut solid_angle_sum_sr = 0.0;
        for (fast, out) in part.fast.clone().zip(pixels) {
            if part.is_cancelled() {
                break;
            }
            if !part.uses(fast) {
                continue;
            }
            let slow = part.slow;
            let mut habits = Habits::steady(part.lookup);
            let sum = sum_pixel(&view, Pixel { fast, slow }, &mut habits, &mut Unobserved);
            if habits.lookup != part.lookup {
                return PartOutcome {
                    solid_angle_sum_sr,
                    left_grid_at: Some(fast),
                };
            }
            *out = stored(sum.photons);
            solid_angle_sum_sr += sum.solid_angle_sum_sr;
        }
        PartOutcome {
            solid_angle_sum_sr,
            left_grid_at: None,
        }
    }
}

/// Blocks of neighbouring pixels, with vector instructions.
#[derive(Debug, Clone, Copy)]
pub struct Lanes {
    /// The instructions. The baseline replaces instructions that this processor does not have.
    pub level: Level,
    /// Precision of the interference function of a parallelepiped.
    pub precision: Precision,
}

impl Backend for Lanes {
    fn name(&self) -> &'static str {
        self.level.name()
    }

    fn supports(&self, scene: &Scene) -> Result<(), Unsupported> {
        let largest = scene.bounds.largest_index;
        if largest.is_nan() || largest >= LARGEST_INDEX {
            return Err(Unsupported::LargeIndices { largest });
        }
        let factors = &scene.setup.factors;
        let points = factors.values().len();
        let grid = LaneGrid::new(factors).ok_or(Unsupported::LargeGrid { points })?;
        let others = &scene.setup.factors_by_source;
        if others
            .iter()
            .any(|other| LaneGrid::new(other) != Some(grid))
        {
            return Err(Unsupported::DifferentGrids);
        }
        Ok(())
    }

    fn render(&self, scene: &Scene, part: &RowPart<'_>, pixels: &mut [f32]) -> PartOutcome {
        let view = scene.view(part.panel);
        lanes::render((self.level, self.precision), &view, part, pixels)
    }

    fn as_lanes(&self) -> Option<Lanes> {
        Some(*self)
    }
}

impl fmt::Debug for dyn Backend + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
