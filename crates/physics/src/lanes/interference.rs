//! The lattice factor of a block, up to the sign.

use nanobragg_crystal::{LatticeNumber, Shape};
use nanobragg_numeric::Scalar;

use super::block::{BLOCK, Block, any};
use super::lane::{Arithmetic, Lane, sin_pi_single};
use super::peaked::BALL_CENTRE;
use super::square::mend_whole_indices;
use crate::scene::{Orientation, View};

/// The precision of the interference function of a parallelepiped. All other numbers, in particular the
/// Miller indices, are in double precision.
///
/// The function is the quotient of two products over three axes, both up to the sign. An offset of
/// exactly 0 would give 0/0, so [`without_zero`](Self::without_zero) shifts it first.
pub(super) trait Interference {
    /// The offset, or a tiny number instead of 0. The quotient for the tiny number is n, the limit at 0.
    fn without_zero(offset: f64) -> f64;

    /// The product of `sin(pi n d)`.
    fn above<A: Arithmetic>(offset: [f64; 3], cells: [f64; 3]) -> f64;

    /// The product of `sin(pi d)`.
    fn below<A: Arithmetic>(offset: [f64; 3]) -> f64;
}

/// Double precision in all operations.
pub(super) struct Double;

/// Single precision after the range reduction.
pub(super) struct Single;

impl Interference for Double {
    #[inline(always)]
    // Any offset that is small enough to be changed by this has the quotient n.
    fn without_zero(offset: f64) -> f64 {
        offset + 1e-40
    }

    #[inline(always)]
    fn above<A: Arithmetic>([h, k, l]: [f64; 3], [na, nb, nc]: [f64; 3]) -> f64 {
        let sine = |n, d| A::sin_pi(A::part_of_turn(n, d));
        sine(na, h) * sine(nb, k) * sine(nc, l)
    }

    #[inline(always)]
    fn below<A: Arithmetic>([h, k, l]: [f64; 3]) -> f64 {
        A::sin_pi(h) * A::sin_pi(k) * A::sin_pi(l)
    }
}

impl Interference for Single {
    #[inline(always)]
    // 1e-40 would be subnormal in f32.
    fn without_zero(offset: f64) -> f64 {
        offset + 1e-30
    }

    #[inline(always)]
    fn above<A: Arithmetic>([h, k, l]: [f64; 3], [na, nb, nc]: [f64; 3]) -> f64 {
        let sine = |n, d| f64::from(sin_pi_single::<A>(A::part_of_turn(n, d) as f32));
        sine(na, h) * sine(nb, k) * sine(nc, l)
    }

    #[inline(always)]
    fn below<A: Arithmetic>([h, k, l]: [f64; 3]) -> f64 {
        let sine = |d| f64::from(sin_pi_single::<A>(d as f32));
        sine(h) * sine(k) * sine(l)
    }
}

/// Fills `lattice_factor`. Also fills `vanishes` for the shapes whose lattice factor can be exactly 0.
#[inline(always)]
pub(super) fn fill_lattice<P: Interference, A: Arithmetic>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    match view.lattice.shape {
        Shape::Square => {
            fill_square::<P, A>(view, block);
            mend_whole_indices::<A>(view, orientation, block);
        }
        Shape::Round => {
            fill_peaked(view, Shape::Round, block);
            mend_round_centres(view, block);
        }
        Shape::Gauss => fill_peaked(view, Shape::Gauss, block),
        Shape::Tophat => fill_peaked(view, Shape::Tophat, block),
    }
}

/// A pixel depends only on the square of the grating function, so the sign has no effect, and the
/// function is computed from the offset dh to the nearest integer. For integer N,
/// `sin(pi N h) = +-sin(pi N dh)`, and the range reduction of `N dh` is exact.
#[inline(always)]
fn fill_square<P: Interference, A: Arithmetic>(view: &View<'_>, block: &mut Block) {
    let [dh, dk, dl] = &block.offset;
    for i in 0..BLOCK {
        let offset = [dh[i], dk[i], dl[i]].map(P::without_zero);
        block.lattice_factor[i] = P::above::<A>(offset, view.lattice.cells) / P::below::<A>(offset);
    }
}

/// The shapes whose lattice factor depends only on the offset, by the formula of the scalar sum.
///
/// `shape` is the shape of the crystal. Callers pass it as a constant, so that each call is compiled for
/// its own shape. A `match` inside the loop would prevent vectorisation.
#[inline(always)]
fn fill_peaked(view: &View<'_>, shape: Shape, block: &mut Block) {
    let mut lattice = view.lattice.map(Lane);
    lattice.shape = shape;
    let [dh, dk, dl] = &block.offset;
    for i in 0..BLOCK {
        let offset = [Lane(dh[i]), Lane(dk[i]), Lane(dl[i])];
        let factor = lattice.factor(offset, [0.0; 3]).value();
        block.lattice_factor[i] = factor;
        block.vanishes[i] = if factor == 0.0 { 1.0 } else { 0.0 };
    }
}

/// A lane evaluates both formulas with a removable singularity in closed form, with branch-free sines.
impl LatticeNumber for Lane {}

/// Near the centre of a spot `sin(x)/x - cos(x)` loses its leading digits, and the last bit of the
/// system's sine determines the result of the C program. The few lanes there are computed with that sine.
#[inline(always)]
fn mend_round_centres(view: &View<'_>, block: &mut Block) {
    let lattice = &view.lattice;
    let limit = BALL_CENTRE * BALL_CENTRE;
    let [dh, dk, dl] = &block.offset;
    let mut radius_squared = [0.0; BLOCK];
    for i in 0..BLOCK {
        radius_squared[i] = lattice.fudge * lattice.index_radius_squared([dh[i], dk[i], dl[i]]);
    }
    if !any(&radius_squared, |r2| r2 < limit) {
        return;
    }
    for i in 0..BLOCK {
        if radius_squared[i] < limit {
            let factor = lattice.factor([dh[i], dk[i], dl[i]], [0.0; 3]);
            block.lattice_factor[i] = factor;
            block.vanishes[i] = if factor == 0.0 { 1.0 } else { 0.0 };
        }
    }
}
