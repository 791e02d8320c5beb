//! The diffuse scattering of a block of pixels.

use std::f64::consts::LOG2_E;

use super::block::{BLOCK, Block, Column, any};
use super::lane::Arithmetic;
use super::lookup::{find_factors, hkl};
use super::observer::BlockObserver;
use crate::diffuse::{DiffuseModel, Form, Halo, MOST_OPERATIONS};
use crate::scene::{Orientation, View};

/// Adds the diffuse scattering of one orientation to every pixel where the source is not cut.
#[inline(always)]
pub(super) fn add_diffuse<A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    halo: &Halo<f64>,
    orientation: &Orientation,
    block: &mut Block,
    observer: &mut O,
) {
    let mut added = diffuse::<A>(view, halo, orientation, block);
    for i in 0..BLOCK {
        added[i] = if block.live[i] != 0.0 { added[i] } else { 0.0 };
        block.intensity[i] += added[i];
    }
    observer.diffuse(&added);
}

/// [`Halo::visit`] for every pixel, with the structure factors.
#[inline(always)]
fn diffuse<A: Arithmetic>(
    view: &View<'_>,
    halo: &Halo<f64>,
    orientation: &Orientation,
    block: &Block,
) -> Column {
    let mut index = [[0.0; BLOCK]; 3];
    let mut nearest = [[0.0; BLOCK]; 3];
    for i in 0..BLOCK {
        let hkl = hkl(block, orientation, i);
        for axis in 0..3 {
            index[axis][i] = hkl[axis];
            nearest[axis][i] = A::nearest_and_offset(hkl[axis]).0;
        }
    }
    let amplitude = view.source_amplitude * orientation.amplitude;
    let common = halo.scale * view.lattice.all_cells() * amplitude * amplitude;
    let mut strengths = [[0.0; BLOCK]; MOST_OPERATIONS];
    for (strength, operation) in strengths.iter_mut().zip(&halo.distinct) {
        let scale = common * operation.weight;
        for i in 0..BLOCK {
            let x = form::<A>(
                &operation.displacement,
                [0, 1, 2].map(|axis| index[axis][i]),
            );
            let damping = if halo.is_damped {
                A::exp2(-x * LOG2_E)
            } else {
                1.0
            };
            strength[i] = scale * x * damping;
        }
    }
    // `1/(1 + y^2)` times `constant + linear/(1 + y^2)`, up to the end: no branch for the model.
    let (constant, linear) = match halo.model {
        DiffuseModel::LiquidLike => (0.0, 1.0),
        DiffuseModel::Acoustic => (1.0, 0.0),
    };
    let mut sum = [0.0; BLOCK];
    let mut reflection = [[0.0; BLOCK]; 3];
    let mut factor = [0.0; BLOCK];
    for by in halo.neighbourhood() {
        for axis in 0..3 {
            for i in 0..BLOCK {
                reflection[axis][i] = nearest[axis][i] + by[axis];
            }
        }
        find_factors::<A>(view, &reflection, &mut factor);
        if !any(&factor, |factor| factor != 0.0) {
            continue;
        }
        let mut profile = [0.0; BLOCK];
        for (strength, operation) in strengths.iter().zip(&halo.distinct) {
            for i in 0..BLOCK {
                let offset = [0, 1, 2].map(|axis| index[axis][i] - reflection[axis][i]);
                let squared = form::<A>(&operation.distance, offset);
                let falling = 1.0 / (1.0 + squared);
                let shape = A::multiply_add(linear, falling, constant);
                let own = if squared <= halo.end {
                    falling * shape
                } else {
                    0.0
                };
                profile[i] = A::multiply_add(strength[i], own, profile[i]);
            }
        }
        for i in 0..BLOCK {
            sum[i] = A::multiply_add(factor[i] * factor[i], profile[i], sum[i]);
        }
    }
    sum
}

/// The value of a form.
#[inline(always)]
fn form<A: Arithmetic>([hh, kk, ll, hk, hl, kl]: &Form<f64>, [h, k, l]: [f64; 3]) -> f64 {
    let by_h = A::multiply_add(*hl, l, A::multiply_add(*hk, k, hh * h));
    let by_k = A::multiply_add(*kl, l, kk * k);
    A::multiply_add(by_h, h, A::multiply_add(by_k, k, ll * l * l))
}
