//! The kernels: one row of the image from a plan.

pub(crate) mod lane;
pub(crate) mod reference;

use std::ops::Range;

use crate::plan::Plan;
use crate::sampling::Lookup;
use reference::{Carried, Nobody, Pixel};

/// A part of one row of the detector.
#[derive(Debug, Clone)]
pub(crate) struct RowSpan {
    /// The row.
    pub(crate) slow: u32,
    /// Its pixels, the end not included.
    pub(crate) fast: Range<u32>,
    /// How structure factors are looked up at its first pixel.
    pub(crate) lookup: Lookup,
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

/// Renders the pixels of `span` into `row`, whose first element is the span's first pixel.
pub(crate) fn render_span(plan: &Plan<'_>, span: &RowSpan, row: &mut [f32]) -> SpanOutcome {
    let mask = plan
        .experiment
        .mask
        .as_ref()
        .map(|mask| mask.row(span.slow as usize));
    let mut solid_angle_sum_sr = 0.0;
    for (fast, out) in span.fast.clone().zip(row) {
        if mask.is_some_and(|used| used.get(fast as usize) != Some(&true)) {
            continue;
        }
        let mut carried = Carried {
            cell_is_untouched: false,
            lookup: span.lookup,
        };
        let pixel = Pixel {
            fast,
            slow: span.slow,
        };
        let sum = reference::render_pixel(plan, pixel, &mut carried, &mut Nobody);
        *out = sum.photons;
        solid_angle_sum_sr += sum.solid_angle_sum_sr;
        if carried.lookup != span.lookup {
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
