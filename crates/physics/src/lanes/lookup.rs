//! Structure factors of a block of pixels.

use super::block::{BLOCK, Block, Column};
use super::lane::{Arithmetic, Separate, low_bits, offset_base};
use super::names::name;
use crate::scene::{Orientation, View};

/// The grid of structure factors, in `f64` as lanes need it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct LaneGrid {
    min: [f64; 3],
    max: [f64; 3],
    stride: [f64; 3],
    /// `h stride + k stride + l + base` has the offset in the grid in its low bits.
    base: f64,
}

/// The value of `place` outside the grid.
pub(super) const OUTSIDE: u32 = u32::MAX;

impl LaneGrid {
    /// `None` for a grid with more points than a `u32` can number.
    pub(crate) fn new(factors: &nanobragg_crystal::FactorGrid) -> Option<Self> {
        u32::try_from(factors.values().len())
            .ok()
            .filter(|points| *points < OUTSIDE)?;
        let Some(bounds) = factors.bounds() else {
            // An empty range: no index is between 0 and -1.
            return Some(Self {
                max: [-1.0; 3],
                ..Self::default()
            });
        };
        let min = bounds.min.map(f64::from);
        let stride = factors.strides().map(|stride| stride as f64);
        Some(Self {
            min,
            max: bounds.max.map(f64::from),
            stride,
            base: offset_base(min[0] * stride[0] + min[1] * stride[1] + min[2]),
        })
    }

    /// Whether whole indices are in the grid, and their offset there.
    #[inline(always)]
    fn place<A: Arithmetic>(&self, [h, k, l]: [f64; 3]) -> (bool, u32) {
        let Self {
            min,
            max,
            stride,
            base,
        } = self;
        // `&` instead of `&&`: no branches.
        let is_inside = (h >= min[0])
            & (h <= max[0])
            & (k >= min[1])
            & (k <= max[1])
            & (l >= min[2])
            & (l <= max[2]);
        // In the grid all terms are integers below 2^53, so the sum is exact, fused or not.
        let in_plane = A::multiply_add(k, stride[1], l + base);
        (is_inside, low_bits(A::multiply_add(h, stride[0], in_plane)))
    }

    /// The offset in the grid of whole indices; [`OUTSIDE`] outside it.
    #[inline(always)]
    pub(super) fn place_or_outside(&self, hkl: [f64; 3]) -> u32 {
        let (is_inside, place) = self.place::<Separate>(hkl);
        if is_inside { place } else { OUTSIDE }
    }

    /// Whether the grid contains the nearest integer indices of all fractional indices up to `largest` in
    /// magnitude.
    pub(super) fn holds(&self, largest: [f64; 3]) -> bool {
        (0..3).all(|axis| {
            let bound = (-self.min[axis]).min(self.max[axis]);
            largest[axis] < bound + 0.5
        })
    }
}

/// The fractional indices of lane `i`: `a.q, b.q, c.q`. Multiplications and additions are not fused and
/// are in the order of C, because an index must agree with C to the last bit.
#[inline(always)]
pub(super) fn hkl(block: &Block, orientation: &Orientation, i: usize) -> [f64; 3] {
    let [x, y, z] = &block.scattering_per_m;
    let edges_m = &orientation.edges_m;
    edges_m.map(|edge| edge[0] * x[i] + edge[1] * y[i] + edge[2] * z[i])
}

/// Fills `offset` and `place` for a lookup at the nearest integer indices. `INSIDE`: all of them are
/// known to be in the grid, so there are no comparisons. `NAMES`: fills `name` too.
#[inline(always)]
pub(super) fn find_nearest<A: Arithmetic, const INSIDE: bool, const NAMES: bool>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    let grid = view.lane_grid;
    for i in 0..BLOCK {
        let [h, k, l] = hkl(block, orientation, i);
        let (h0, dh) = A::nearest_and_offset(h);
        let (k0, dk) = A::nearest_and_offset(k);
        let (l0, dl) = A::nearest_and_offset(l);
        block.offset[0][i] = dh;
        block.offset[1][i] = dk;
        block.offset[2][i] = dl;
        let (is_inside, place) = grid.place::<A>([h0, k0, l0]);
        block.place[i] = if INSIDE | is_inside { place } else { OUTSIDE };
        if NAMES {
            block.name[i] = name::<A>(orientation.first_name, [h0, k0, l0]);
        }
    }
}

/// Fills `cell_factor` from `place`: structure factors times the root of the weight of the terms. Returns
/// whether any of them is not 0.
#[inline(always)]
pub(super) fn gather_nearest<const INSIDE: bool>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) -> bool {
    let factors = view.factors;
    // It is 1 unless weights are asked for, and a factor of 1 changes no bit.
    let amplitude = view.source_amplitude * orientation.amplitude;
    let (values, default_f) = (factors.values(), factors.default_f() * amplitude);
    let Some(last) = values.len().checked_sub(1) else {
        block.cell_factor = [default_f; BLOCK];
        return default_f != 0.0;
    };
    // `place` is a `u32`, and `LaneGrid::new` has checked that the last offset fits.
    let last = last as u32;
    // The slice shows the compiler that `last` is a valid index, so the loop has no bounds check.
    let values = &values[..=last as usize];
    for i in 0..BLOCK {
        // Every lane reads an element, also a lane outside the grid: this avoids a branch.
        let listed = values[block.place[i].min(last) as usize] * amplitude;
        block.cell_factor[i] = if !INSIDE & (block.place[i] == OUTSIDE) {
            default_f
        } else {
            listed
        };
    }
    super::block::any(&block.cell_factor, |factor| factor != 0.0)
}

/// Fills `out` with the structure factors of whole indices.
#[inline(always)]
pub(super) fn find_factors<A: Arithmetic>(
    view: &View<'_>,
    [h, k, l]: &[Column; 3],
    out: &mut Column,
) {
    let grid = view.lane_grid;
    let (values, default_f) = (view.factors.values(), view.factors.default_f());
    let Some(last) = values.len().checked_sub(1) else {
        *out = [default_f; BLOCK];
        return;
    };
    let last = last as u32;
    let values = &values[..=last as usize];
    for i in 0..BLOCK {
        let (is_inside, place) = grid.place::<A>([h[i], k[i], l[i]]);
        let listed = values[place.min(last) as usize];
        out[i] = if is_inside { listed } else { default_f };
    }
}

/// Fills `offset`, `place` and `weights` for Lagrange's cubic polynomial. `place` is [`OUTSIDE`] for an
/// index too close to the edge of the grid. `NAMES`: fills `name` too, with the nearest integer indices.
///
/// The weights are those of `nanobragg_crystal::lagrange_cubic`, without the values.
#[inline(always)]
pub(super) fn find_neighbours<A: Arithmetic, const NAMES: bool>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    let LaneGrid {
        min,
        max,
        stride,
        base,
    } = view.lane_grid;
    let span = [0, 1, 2].map(|axis| max[axis] - min[axis] + 1.0);
    for i in 0..BLOCK {
        let index = hkl(block, orientation, i);
        let mut inside = true;
        let mut place = base;
        let mut nearest = [0.0; 3];
        for axis in 0..3 {
            let x = index[axis];
            (nearest[axis], block.offset[axis][i]) = A::nearest_and_offset(x);
            // The test of C; it is stricter than necessary by one index at each end.
            inside &= (x - min[axis] + 3.0 <= span[axis]) & (x - 2.0 >= min[axis]);
            let first = A::floor(x) - 1.0;
            place += first * stride[axis];
            let d0 = x - first;
            let d1 = x - (first + 1.0);
            let d2 = x - (first + 2.0);
            let d3 = x - (first + 3.0);
            let weights = &mut block.weights[axis];
            // The denominators are -6, 2, -2 and 6.
            weights[0][i] = d1 * d2 * d3 * (-1.0 / 6.0);
            weights[1][i] = d0 * d2 * d3 * 0.5;
            weights[2][i] = d0 * d1 * d3 * -0.5;
            weights[3][i] = d0 * d1 * d2 * (1.0 / 6.0);
        }
        block.place[i] = if inside { low_bits(place) } else { OUTSIDE };
        if NAMES {
            block.name[i] = name::<A>(orientation.first_name, nearest);
        }
    }
}

/// The number of pixels that are interpolated together. Most of them have the same 64 neighbours, because
/// pixels are small compared with the distance between two spots.
const GROUP: usize = 8;

/// Fills `cell_factor` with Lagrange's cubic polynomial through the 4 x 4 x 4 neighbours, times the root of the
/// weight of the terms; 0 where `place` is [`OUTSIDE`].
///
/// The order of summation is that of the scalar sum: l, then k, then h. The results differ by rounding
/// errors. The result of a pixel does not depend on the other pixels of its group.
#[inline(always)]
pub(super) fn gather_tricubic<A: Arithmetic>(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    let grid = view.factors;
    let amplitude = view.source_amplitude * orientation.amplitude;
    let (values, strides) = (grid.values(), grid.strides());
    for start in (0..BLOCK).step_by(GROUP) {
        let places: [u32; GROUP] = std::array::from_fn(|i| block.place[start + i]);
        for (i, &place) in places.iter().enumerate() {
            // Each distinct place of the group is interpolated once, for all lanes.
            if place == OUTSIDE {
                block.cell_factor[start + i] = 0.0;
            } else if !places[..i].contains(&place) {
                let factors = interpolate::<A>(values, strides, block, start, place);
                for j in 0..GROUP {
                    if places[j] == place {
                        block.cell_factor[start + j] = factors[j] * amplitude;
                    }
                }
            }
        }
    }
}

/// Fills `cell_factor` with the nearest structure factor where interpolation is not possible, one lane at
/// a time: few lanes are so close to the edge of the grid.
#[inline(always)]
pub(super) fn gather_nearest_outside(
    view: &View<'_>,
    orientation: &Orientation,
    block: &mut Block,
) {
    for i in 0..BLOCK {
        if block.place[i] == OUTSIDE {
            let factor = view.factors.nearest_to(hkl(block, orientation, i));
            block.cell_factor[i] = factor * view.source_amplitude * orientation.amplitude;
        }
    }
}

/// One number for each pixel of a group.
type Lanes = [f64; GROUP];

/// Interpolates between the 64 neighbours that begin at the offset `corner`, with the weights of the
/// group of pixels that begins at lane `start`.
#[inline(always)]
fn interpolate<A: Arithmetic>(
    values: &[f64],
    [by_h, by_k, _]: [usize; 3],
    block: &Block,
    start: usize,
    corner: u32,
) -> Lanes {
    let weights = |axis: usize, n: usize| -> &Lanes {
        let (groups, _) = block.weights[axis][n].as_chunks::<GROUP>();
        &groups[start / GROUP]
    };
    // Short loops: the compiler does not vectorise a chain of a dozen dependent additions.
    let mut factors = [0.0; GROUP];
    for h in 0..4 {
        let mut in_plane = [0.0; GROUP];
        for k in 0..4 {
            let row = row_from(values, corner as usize + h * by_h + k * by_k);
            for i in 0..GROUP {
                let sum = weights(2, 0)[i] * row[0];
                let sum = A::multiply_add(weights(2, 1)[i], row[1], sum);
                let sum = A::multiply_add(weights(2, 2)[i], row[2], sum);
                let sum = A::multiply_add(weights(2, 3)[i], row[3], sum);
                in_plane[i] = A::multiply_add(weights(1, k)[i], sum, in_plane[i]);
            }
        }
        for i in 0..GROUP {
            factors[i] = A::multiply_add(weights(0, h)[i], in_plane[i], factors[i]);
        }
    }
    factors
}

#[inline(always)]
fn row_from(values: &[f64], start: usize) -> &[f64; 4] {
    let row = values.get(start..).and_then(<[f64]>::first_chunk);
    row.unwrap_or(&[0.0; 4])
}
