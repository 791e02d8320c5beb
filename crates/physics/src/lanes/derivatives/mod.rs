//! Derivatives of a row by blocks of pixels: an observer of the sum.
//!
//! Every stage is a plain loop over the lanes of a block, compiled for each set of vector instructions.
//! The derivatives of a term by the following quantities are computed once for all tangents:
//!
//! ```text
//! g_a   = dI/dh_a              of a term I = F^2 Gh^2 Gk^2 Gl^2, a = h, k, l
//! T_aj += g_a p_j              p the scattering vector in the frame of the cell: dI by a, b, c at phi 0
//! w_j  += g_a a_aj             dI by the scattering vector
//! w x q                        the torque: dI by a rotation of the orientation
//! ```
//!
//! A tangent then takes a few products per pixel, or per source if it moves the ray.

mod block;
mod correct;
mod finish;
mod terms;

use std::ops::Range;

use block::Derivatives;

use super::block::{BLOCK, Block, Column, any};
use super::interference::Double;
use super::lane::Arithmetic;
use super::sum::sum_block;
use crate::backend::RowPart;
use crate::gradient::sums::FactorSums;
use crate::gradient::tables::Tables;
use crate::scene::View;

/// Where the derivatives of a row are stored. Rows are those of the whole detector.
pub(crate) enum DerivativeOutput<'o, 'i> {
    /// In images: first the photons, then one image for every tangent.
    Images(&'o mut [&'i mut [f64]]),
    /// In weighted sums over the row.
    Sums {
        photons: &'o mut [f64],
        /// A weight for every pixel.
        weights: &'o [f64],
        sums: &'o mut [f64],
        /// Sums by structure factor.
        factors: &'o mut FactorSums,
    },
}

/// Renders the pixels of `part` with their derivatives. Returns the columns of the pixels whose
/// derivatives by structure factors need the general path.
#[inline(always)]
pub(super) fn derive_part<A: Arithmetic>(
    view: &View<'_>,
    tables: &Tables,
    part: &RowPart<'_>,
    output: &mut DerivativeOutput<'_, '_>,
) -> Vec<u32> {
    let mut leftover = Vec::new();
    let mut block = Block::new();
    let mut derivatives = Derivatives::new(tables);
    let mut first = part.fast.start;
    while first < part.fast.end && !part.is_cancelled() {
        let pixels = BLOCK.min((part.fast.end - first) as usize);
        if block.mark_active(part, first, pixels) {
            let weights = match output {
                DerivativeOutput::Images(_) => None,
                DerivativeOutput::Sums { weights, .. } => Some(&**weights),
            };
            derivatives.take_weights(&block, weights, first as usize);
            sum_block::<Double, A, _>(view, part, first, &mut block, &mut derivatives);
            derivatives.flush();
            let fast = first..first + pixels as u32;
            write(view, &mut derivatives, &block, fast, output, &mut leftover);
        }
        first += BLOCK as u32;
    }
    leftover
}

/// Writes the results of the finished block to `output`.
#[inline(always)]
fn write(
    view: &View<'_>,
    derivatives: &mut Derivatives<'_>,
    block: &Block,
    fast: Range<u32>,
    output: &mut DerivativeOutput<'_, '_>,
    leftover: &mut Vec<u32>,
) {
    let place = fast.start as usize..fast.end as usize;
    let copy = |from: &Column, active: &Column, to: &mut [f64]| {
        let to = to.get_mut(place.clone()).unwrap_or_default();
        for (i, to) in to.iter_mut().enumerate() {
            if active[i] != 0.0 {
                *to = from[i];
            }
        }
    };
    let corrections = Derivatives::corrections(&view.rules, block);
    // Without scattering the results are 0, and the output contains zeros already.
    if derivatives.is_dark && !any(&corrections, |product| !product.is_finite()) {
        return;
    }
    let photons = Derivatives::photons(view, &corrections, block);
    match output {
        DerivativeOutput::Images(images) => {
            derivatives.fill_slopes(view, &corrections, block);
            let columns = std::iter::once(&photons).chain(&derivatives.slopes);
            for (image, column) in images.iter_mut().zip(columns) {
                copy(column, &block.active, image);
            }
        }
        DerivativeOutput::Sums {
            photons: row,
            sums,
            factors,
            ..
        } => {
            copy(&photons, &block.active, row);
            derivatives.add_slopes(view, &corrections, block, sums);
            if derivatives.knew_scale(view, block) {
                for &(place, rate) in &derivatives.factor_rates {
                    factors.add(place as usize, rate);
                }
            } else {
                let used = fast.zip(&derivatives.weights);
                leftover.extend(used.filter(|(_, weight)| **weight != 0.0).map(|(i, _)| i));
            }
        }
    }
}
