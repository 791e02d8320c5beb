//! The sum over lanes: blocks of pixels of one row, with the vector instructions of the machine.
//!
//! | file | what it is |
//! |---|---|
//! | `fast` | the sum of `scalar` over blocks of pixels, stage by stage |
//! | `block` | the columns of a block |
//! | `extent` | how far it reaches in reciprocal space |
//! | `correct` | its solid angles, capture fractions, polarization factors |
//! | `lookup`, `interference` | its two expensive stages: structure factors, lattice factors |
//! | `slopes` | derivatives by blocks of pixels |
//! | `lane` | branch-free functions |
//! | `tally` | who looks on while it sums: nobody, or one who parts the sum among reflections |
//! | `level` | the fast kernel compiled for each set of vector instructions |

#![allow(
    clippy::needless_range_loop,
    reason = "a lane has the same index in every column, and that index is what a loop runs over"
)]

mod block;
mod correct;
mod extent;
mod fast;
mod interference;
mod lane;
mod level;
mod lookup;
mod slopes;
mod tally;

use std::ops::Range;

use crate::compat::Habits;
use crate::progress::Cancel;
use crate::sampling::Lookup;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::View;

pub use level::{Level, Precision};

pub(crate) use lane::LARGEST_INDEX;
pub(crate) use level::{render_slopes, render_span};
pub(crate) use lookup::LaneGrid;
pub(crate) use slopes::SlopeOutput;
pub(crate) use tally::LaneShares;

/// A part of one row of the detector.
#[derive(Debug, Clone)]
pub(crate) struct RowSpan<'r> {
    /// The row.
    pub(crate) slow: u32,
    /// Its pixels, the end not included.
    pub(crate) fast: Range<u32>,
    /// One flag a pixel of the whole row, false for those that are left out.
    pub(crate) used: Option<&'r [bool]>,
    /// How structure factors are looked up at its first pixel.
    pub(crate) lookup: Lookup,
    /// Ends the rendering early when raised; what is then returned is of no use.
    pub(crate) cancel: Option<&'r Cancel>,
}

impl RowSpan<'_> {
    /// Whether the mask leaves this pixel in.
    #[inline(always)]
    fn uses(&self, fast: u32) -> bool {
        self.used
            .is_none_or(|used| used.get(fast as usize) == Some(&true))
    }

    #[inline(always)]
    fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_raised)
    }
}

/// What the rendering of a span leaves besides its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpanOutcome {
    /// Solid angle summed over pixels, layers and sub-pixels, in steradian.
    pub(crate) solid_angle_sum_sr: f64,
    /// The pixel in which an index left the grid and ended interpolation. It is complete; the pixels
    /// after it are not rendered.
    pub(crate) left_grid_at: Option<u32>,
}

/// Parts the sum of each pixel of `span` among reflections, with the fast kernel at the baseline's
/// instructions, and tells `take` of each.
pub(crate) fn share_span(
    view: &View<'_>,
    span: &RowSpan<'_>,
    take: &mut dyn FnMut(u32, &mut LaneShares),
) {
    fast::share_span::<interference::Double, level::Baseline>(view, span, take);
}

/// Renders the pixels of `span` one by one with the scalar sum.
fn render_span_by_reference(view: &View<'_>, span: &RowSpan<'_>, row: &mut [f32]) -> SpanOutcome {
    let mut solid_angle_sum_sr = 0.0;
    for (fast, out) in span.fast.clone().zip(row) {
        if span.is_cancelled() {
            break;
        }
        if !span.uses(fast) {
            continue;
        }
        let mut habits = Habits::steady(span.lookup);
        let pixel = Pixel {
            fast,
            slow: span.slow,
        };
        let sum = sum_pixel(view, pixel, &mut habits, &mut Unobserved);
        *out = sum.photons as f32;
        solid_angle_sum_sr += sum.solid_angle_sum_sr;
        if habits.lookup != span.lookup {
            return SpanOutcome {
                solid_angle_sum_sr,
                left_grid_at: Some(fast),
            };
        }
    }
    SpanOutcome {
        solid_angle_sum_sr,
        left_grid_at: None,
    }
}
