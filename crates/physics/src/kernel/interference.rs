//! The structure factor of the lattice, lane by lane, but for its sign.

use nanobragg_crystal::{Shape, lattice_factor};
use nanobragg_numeric::Scalar;

use super::block::{BLOCK, Block, any};
use super::lane::{Arithmetic, Lane, sin_pi_single};
use crate::plan::Plan;

/// In which precision the interference function of a parallelepiped is computed. Everything else,
/// the Miller indices above all, is in double precision always.
pub(super) trait Precision {
    /// The product over three axes of `sin(pi n d) / sin(pi d)`, but for its sign. Where an offset may
    /// be exactly 0 its 0/0 has to be made into n; unless `ZEROS` are expected it is not a number.
    fn grating<A: Arithmetic, const ZEROS: bool>(offset: [f64; 3], cells: [f64; 3]) -> f64;
}

/// Double precision.
pub(super) struct Double;

/// Single precision after the range reduction.
pub(super) struct Single;

/// Added to an offset, it changes none but 0, whose 0/0 it makes into n.
const TINY: f64 = 1e-40;
const TINY_SINGLE: f32 = 1e-30;

impl Precision for Double {
    #[inline(always)]
    fn grating<A: Arithmetic, const ZEROS: bool>(offset: [f64; 3], cells: [f64; 3]) -> f64 {
        let axis = |d: f64, n: f64| {
            let d = if ZEROS { d + TINY } else { d };
            (A::sin_pi(A::part_of_turn(n, d)), A::sin_pi(d))
        };
        let (above_h, below_h) = axis(offset[0], cells[0]);
        let (above_k, below_k) = axis(offset[1], cells[1]);
        let (above_l, below_l) = axis(offset[2], cells[2]);
        above_h * above_k * above_l / (below_h * below_k * below_l)
    }
}

impl Precision for Single {
    #[inline(always)]
    fn grating<A: Arithmetic, const ZEROS: bool>(offset: [f64; 3], cells: [f64; 3]) -> f64 {
        let axis = |d: f64, n: f64| {
            let (above, below) = (A::part_of_turn(n, d) as f32, d as f32);
            let tiny = if ZEROS { TINY_SINGLE } else { 0.0 };
            sin_pi_single(above + tiny * n as f32) / sin_pi_single(below + tiny)
        };
        let h = axis(offset[0], cells[0]);
        let k = axis(offset[1], cells[1]);
        let l = axis(offset[2], cells[2]);
        f64::from(h * k * l)
    }
}

/// Fills `lattice_factor`, and `vanishes` for the shapes that can be exactly 0.
#[inline(always)]
pub(super) fn fill_lattice<P: Precision, A: Arithmetic>(plan: &Plan<'_>, block: &mut Block) {
    match plan.experiment.crystal.shape() {
        Shape::Square => fill_square::<P, A>(plan, block),
        Shape::Round => {
            fill_peaked::<{ Shape::Round as u8 }>(plan, block);
            mend_round_centres(plan, block);
        }
        Shape::Gauss => fill_peaked::<{ Shape::Gauss as u8 }>(plan, block),
        Shape::Tophat => fill_peaked::<{ Shape::Tophat as u8 }>(plan, block),
    }
}

/// Only the square of the grating function is needed, so its sign may be lost and it may be taken of
/// the offset from the nearest whole index: for whole N, `sin(pi N h) = +-sin(pi N dh)`, whose range
/// reduction is exact.
#[inline(always)]
fn fill_square<P: Precision, A: Arithmetic>(plan: &Plan<'_>, block: &mut Block) {
    let [dh, dk, dl] = &block.offset;
    for i in 0..BLOCK {
        block.lattice_factor[i] = P::grating::<A, true>([dh[i], dk[i], dl[i]], plan.cells);
    }
}

/// The shapes that are a function of the offset alone, by the formula that the reference uses.
#[inline(always)]
fn fill_peaked<const SHAPE: u8>(plan: &Plan<'_>, block: &mut Block) {
    let shape = if SHAPE == Shape::Round as u8 {
        Shape::Round
    } else if SHAPE == Shape::Gauss as u8 {
        Shape::Gauss
    } else {
        Shape::Tophat
    };
    let (cells, reciprocal) = (plan.cells, &plan.reciprocal_per_angstrom);
    let fudge = plan.experiment.crystal.fudge();
    let [dh, dk, dl] = &block.offset;
    for i in 0..BLOCK {
        let offset = [Lane(dh[i]), Lane(dk[i]), Lane(dl[i])];
        let factor = lattice_factor(shape, offset, [0.0; 3], cells, reciprocal, fudge).value();
        block.lattice_factor[i] = factor;
        block.vanishes[i] = if factor == 0.0 { 1.0 } else { 0.0 };
    }
}

/// `pi sqrt(fudge r^2)` below which the transform of a sphere is taken from the reference.
const ROUND_CENTRE: f64 = 0.05;

/// Near the centre of a spot `sin(x)/x - cos(x)` loses its leading digits. There the last bit of the
/// system's sine decides what the C program gets, so those few lanes are computed with it.
#[inline(always)]
fn mend_round_centres(plan: &Plan<'_>, block: &mut Block) {
    let fudge = plan.experiment.crystal.fudge();
    let limit = (ROUND_CENTRE / std::f64::consts::PI).powi(2);
    let [na, nb, nc] = plan.cells;
    let [dh, dk, dl] = &block.offset;
    let mut radius_squared = [0.0; BLOCK];
    for i in 0..BLOCK {
        let (h, k, l) = (dh[i] * na, dk[i] * nb, dl[i] * nc);
        radius_squared[i] = fudge * (h * h + k * k + l * l);
    }
    if !any(&radius_squared, |r2| r2 < limit) {
        return;
    }
    for i in 0..BLOCK {
        if radius_squared[i] < limit {
            let offset = [dh[i], dk[i], dl[i]];
            let reciprocal = &plan.reciprocal_per_angstrom;
            let factor = lattice_factor(
                Shape::Round,
                offset,
                [0.0; 3],
                plan.cells,
                reciprocal,
                fudge,
            );
            block.lattice_factor[i] = factor;
            block.vanishes[i] = if factor == 0.0 { 1.0 } else { 0.0 };
        }
    }
}
