//! The sum over lanes: blocks of pixels of one row, with the vector instructions of the machine.
//!
//! | file | content |
//! |---|---|
//! | `sum` | the sum of `scalar` over blocks of pixels, stage by stage |
//! | `observer` | observers of the sum, which may add the terms themselves |
//! | `block` | the columns of a block |
//! | `extent` | the lengths of the scattering vectors of a block |
//! | `correct` | solid angles, capture fractions, polarization factors |
//! | `lookup`, `interference` | the two expensive stages: structure factors, lattice factors |
//! | `square` | parallelepipeds: lattice factors and the addition in one stage |
//! | `peaked` | Gaussian and ball-shaped spots: lattice factors and the addition in one stage |
//! | `leaf` | the sum over small areas, of the terms that are asked for |
//! | `bounds` | bounds on the terms of small areas |
//! | `diffuse` | the diffuse scattering of a block |
//! | `derivatives` | an observer: derivatives of the sum |
//! | `lane` | branch-free functions |
//! | `names` | the names of reflections |
//! | `parts` | an observer: the sums by reflection |
//! | `shares` | the photons of a row, divided among reflections |
//! | `level` | compiles the sum for each set of vector instructions |

#![allow(
    clippy::needless_range_loop,
    reason = "a lane has the same index in every column, and that index is what a loop runs over"
)]

mod block;
mod bounds;
mod correct;
mod derivatives;
mod diffuse;
mod extent;
mod interference;
mod lane;
mod leaf;
mod level;
mod lookup;
mod names;
mod observer;
mod parts;
mod peaked;
mod shares;
mod square;
mod sum;

use crate::backend::{PartOutcome, RowPart};
use crate::gradient::tables::Tables;
use crate::scene::View;
use derivatives::derive_part;
use interference::Interference;
use lane::Arithmetic;
use level::{Kernel, Task, run_at, run_kernel};
use observer::{BlockObserver, Unseen};
use parts::Parts;
use sum::render_part;

pub use level::{Level, Precision};

pub(crate) use bounds::{Adding, Limit, Node, Row, Rows, add_rows, bound_terms, limit_of};
pub(crate) use derivatives::DerivativeOutput;
pub(crate) use lane::LARGEST_INDEX;
pub(crate) use leaf::{LANES, LEAF, Leaf, LeafMemory, finish_row, sum_leaf};
pub(crate) use lookup::LaneGrid;
pub(crate) use names::LatticeNames;
pub(crate) use parts::share_part;
pub(crate) use shares::{RowShares, RowWishes, united};

/// Renders a part of a row. `row` has one element for each pixel of the part.
pub(crate) fn render(
    kernel: (Level, Precision),
    view: &View<'_>,
    part: &RowPart<'_>,
    row: &mut [f32],
) -> PartOutcome {
    run_kernel(kernel, Render(view, part, row, &mut Unseen))
}

/// [`render`], which also divides the photons among reflections. The photons are the same to the bit.
pub(crate) fn render_and_share(
    kernel: (Level, Precision),
    view: &View<'_>,
    part: &RowPart<'_>,
    row: &mut [f32],
    shares: &mut RowShares,
) -> PartOutcome {
    let mut parts = Parts::new(view, Some(shares));
    run_kernel(kernel, Render(view, part, row, &mut parts))
}

struct Render<'r, O>(&'r View<'r>, &'r RowPart<'r>, &'r mut [f32], &'r mut O);

impl<O: BlockObserver> Kernel for Render<'_, O> {
    type Output = PartOutcome;

    #[inline(always)]
    fn run<P: Interference, A: Arithmetic>(self) -> PartOutcome {
        render_part::<P, A, O>(self.0, self.1, self.2, self.3)
    }
}

/// Renders a part of a row with its derivatives. The scene must be one for which [`Tables`] has a fast
/// path. Returns the columns of the pixels whose derivatives by structure factors need the general path.
pub(crate) fn derive(
    level: Level,
    view: &View<'_>,
    tables: &Tables,
    part: &RowPart<'_>,
    output: &mut DerivativeOutput<'_, '_>,
) -> Vec<u32> {
    run_at(level, Derive(view, tables, part, output))
}

struct Derive<'r, 'o, 'i>(
    &'r View<'r>,
    &'r Tables,
    &'r RowPart<'r>,
    &'r mut DerivativeOutput<'o, 'i>,
);

impl Task for Derive<'_, '_, '_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Vec<u32> {
        derive_part::<A>(self.0, self.1, self.2, self.3)
    }
}
