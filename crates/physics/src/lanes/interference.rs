//! The structure factor of the lattice, lane by lane, but for its sign.

use nanobragg_crystal::{LatticeNumber, Shape};
use nanobragg_numeric::Scalar;

use super::block::{BLOCK, Block, any};
use super::lane::{Arithmetic, Lane, sin_pi_single};
use crate::scene::View;

/// In which precision the interference function of a parallelepiped is computed. Everything else,
/// the Miller indices above all, is in double precision always.
///
/// The function is the quotient of two products over three axes, each but for its sign. Offsets that
/// may be exactly 0, which would make 0/0, are shifted first ([`without_zero`](Self::without_zero)).
pub(super) trait Interference {
    /// An offset that is not 0, for which the quotient is n as at 0.
    fn without_zero(offset: f64) -> f64;

    /// The product of `sin(pi n d)`.
    fn above<A: Arithmetic>(offset: [f64; 3], cells: [f64; 3]) -> f64;

    /// The product of `sin(pi d)`.
    fn below<A: Arithmetic>(offset: [f64; 3]) -> f64;
}

/// Double precision.
pub(super) struct Double;

/// Single precision after the range reduction.
pub(super) struct Single;

impl Interference for Double {
    #[inline(always)]
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

/// Fills `lattice_factor`, and `vanishes` for the shapes that can be exactly 0.
#[inline(always)]
pub(super) fn fill_lattice<P: Interference, A: Arithmetic>(view: &View<'_>, block: &mut Block) {
    match view.lattice.shape {
        Shape::Square => fill_square::<P, A>(view, block),
        Shape::Round => {
            fill_peaked(view, Shape::Round, block);
            mend_round_centres(view, block);
        }
        Shape::Gauss => fill_peaked(view, Shape::Gauss, block),
        Shape::Tophat => fill_peaked(view, Shape::Tophat, block),
    }
}

/// Only the square of the grating function is needed, so its sign may be lost and it may be taken of
/// the offset from the nearest whole index: for whole N, `sin(pi N h) = +-sin(pi N dh)`, whose range
/// reduction is exact.
#[inline(always)]
fn fill_square<P: Interference, A: Arithmetic>(view: &View<'_>, block: &mut Block) {
    let [dh, dk, dl] = &block.offset;
    for i in 0..BLOCK {
        let offset = [dh[i], dk[i], dl[i]].map(P::without_zero);
        block.lattice_factor[i] = P::above::<A>(offset, view.lattice.cells) / P::below::<A>(offset);
    }
}

/// The shapes that are a function of the offset alone, by the formula that the reference uses.
///
/// `shape` is that of the crystal. It is told by name at every call, so that each call is compiled for
/// its own shape: a match inside the loop would keep the compiler from making vectors of it.
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

/// In a lane both removable singularities are worked by their closed formulas, with branch-free sines.
impl LatticeNumber for Lane {}

/// `pi sqrt(fudge r^2)` below which the transform of a sphere is taken from the reference.
const ROUND_CENTRE: f64 = 0.05;

/// Near the centre of a spot `sin(x)/x - cos(x)` loses its leading digits. There the last bit of the
/// system's sine decides what the C program gets, so those few lanes are computed with it.
#[inline(always)]
fn mend_round_centres(view: &View<'_>, block: &mut Block) {
    let lattice = &view.lattice;
    let limit = (ROUND_CENTRE / std::f64::consts::PI).powi(2);
    let [na, nb, nc] = lattice.cells;
    let [dh, dk, dl] = &block.offset;
    let mut radius_squared = [0.0; BLOCK];
    for i in 0..BLOCK {
        let (h, k, l) = (dh[i] * na, dk[i] * nb, dl[i] * nc);
        radius_squared[i] = lattice.fudge * (h * h + k * k + l * l);
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
