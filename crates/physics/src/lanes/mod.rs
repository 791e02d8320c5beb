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

use crate::backend::RowPart;
use crate::scene::View;

pub use level::{Level, Precision};

pub(crate) use lane::LARGEST_INDEX;
pub(crate) use level::{lane_span, render_slopes};
pub(crate) use lookup::LaneGrid;
pub(crate) use slopes::SlopeOutput;
pub(crate) use tally::LaneShares;

/// Parts the sum of each pixel of `part` among reflections, with the fast kernel at the baseline's
/// instructions, and tells `take` of each.
pub(crate) fn share_part(
    view: &View<'_>,
    part: &RowPart<'_>,
    take: &mut dyn FnMut(u32, &mut LaneShares),
) {
    fast::share_part::<interference::Double, level::Baseline>(view, part, take);
}
