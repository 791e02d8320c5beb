//! Gaussian and ball-shaped spots: lattice factor and addition in one stage.

use std::f64::consts::PI;

use nanobragg_crystal::{LatticeShape, Shape};

use super::block::{BLOCK, Block, any};
use super::lane::{Arithmetic, round_to_even};
use super::observer::BlockObserver;

/// A shape whose lattice factor is a function of one number, the radius, that is worked out from the
/// offsets of the indices.
pub(super) trait Peaked: Copy {
    /// The shape for this lattice; `None` for numbers that it is not made for.
    fn of(lattice: &LatticeShape) -> Option<Self>;

    /// The number.
    fn radius<A: Arithmetic>(&self, offset: [f64; 3]) -> f64;

    /// Whether a term with this number is 0, whatever its structure factor.
    fn vanishes(radius: f64) -> bool;

    /// Whether [`factor`](Self::factor) is good enough.
    fn is_regular(radius: f64) -> bool;

    /// The lattice factor over that at the centre of the spot, but for its sign.
    fn factor<A: Arithmetic>(radius: f64) -> f64;
}

/// A Gaussian. Its number is the logarithm to base 2 of the factor.
#[derive(Clone, Copy)]
pub(super) struct Gaussian([f64; 6]);

impl Peaked for Gaussian {
    #[inline(always)]
    fn of(lattice: &LatticeShape) -> Option<Self> {
        let form = lattice.gaussian_form();
        // A negative fudge makes it grow outwards, beyond every number.
        let falls = lattice.fudge >= 0.0 && form.iter().all(|product| product.is_finite());
        (lattice.shape == Shape::Gauss && falls).then_some(Self(form))
    }

    #[inline(always)]
    fn radius<A: Arithmetic>(&self, [h, k, l]: [f64; 3]) -> f64 {
        let [hh, kk, ll, hk, hl, kl] = self.0;
        let by_h = A::multiply_add(hl, l, A::multiply_add(hk, k, hh * h));
        let by_k = A::multiply_add(kl, l, kk * k);
        A::multiply_add(by_h, h, A::multiply_add(by_k, k, ll * l * l))
    }

    /// Below half the smallest number, `2^-1074`, the exponential of the C program is 0 too.
    #[inline(always)]
    fn vanishes(radius: f64) -> bool {
        radius < -1075.0
    }

    #[inline(always)]
    fn is_regular(_: f64) -> bool {
        true
    }

    #[inline(always)]
    fn factor<A: Arithmetic>(radius: f64) -> f64 {
        A::exp2(radius)
    }
}

/// A ball. Its number is the square of the radius over pi.
#[derive(Clone, Copy)]
pub(super) struct Ball([f64; 3]);

/// The radius over pi below which a ball is worked by the formula of the reference: `sin(x)/x - cos(x)` loses
/// its leading digits there, and the last bit of the system's sine decides what the C program gets.
pub(super) const BALL_CENTRE: f64 = 0.05 / PI;

impl Peaked for Ball {
    #[inline(always)]
    fn of(lattice: &LatticeShape) -> Option<Self> {
        let form = lattice.ball_form()?;
        let grows = form.iter().all(|factor| (0.0..1e12).contains(factor));
        (lattice.shape == Shape::Round && grows).then_some(Self(form))
    }

    #[inline(always)]
    fn radius<A: Arithmetic>(&self, [h, k, l]: [f64; 3]) -> f64 {
        let [hh, kk, ll] = self.0;
        let first = A::multiply_add(hh * h, h, kk * k * k);
        A::multiply_add(ll * l, l, first)
    }

    #[inline(always)]
    fn vanishes(_: f64) -> bool {
        false
    }

    #[inline(always)]
    fn is_regular(radius: f64) -> bool {
        radius >= BALL_CENTRE * BALL_CENTRE
    }

    /// `3 (sin x - x cos x)/x^3` at `x = pi r`. The sines are taken of what `r` is above a whole number:
    /// both have then the other sign, or both have not.
    #[inline(always)]
    fn factor<A: Arithmetic>(radius: f64) -> f64 {
        let r = radius.sqrt();
        let (sine, cosine) = A::sin_cos(PI * (r - round_to_even(r)));
        let x = PI * r;
        3.0 * A::multiply_add(-x, cosine, sine) / (x * x * x)
    }
}

/// The numbers of all pixels of a block, and whether [`Peaked::factor`] serves all of them. `None` if
/// all terms are 0.
#[inline(always)]
pub(super) fn radii<A: Arithmetic, S: Peaked>(
    shape: &S,
    block: &Block,
) -> Option<([f64; BLOCK], bool)> {
    let [dh, dk, dl] = &block.offset;
    let mut radii = [0.0; BLOCK];
    for i in 0..BLOCK {
        radii[i] = shape.radius::<A>([dh[i], dk[i], dl[i]]);
    }
    if !any(&radii, |radius| !S::vanishes(radius)) {
        return None;
    }
    Some((radii, !any(&radii, |radius| !S::is_regular(radius))))
}

/// Adds one term to every pixel, of which the source is cut for none.
#[inline(always)]
pub(super) fn add_peaked_terms<A: Arithmetic, S: Peaked, O: BlockObserver>(
    peak: f64,
    radii: &[f64; BLOCK],
    block: &mut Block,
) {
    for i in 0..BLOCK {
        let amplitude = S::factor::<A>(radii[i]) * (peak * block.cell_factor[i]);
        block.intensity[i] = A::multiply_add(amplitude, amplitude, block.intensity[i]);
        if O::NAMES {
            block.part[i] = A::multiply_add(amplitude, amplitude, block.part[i]);
        }
    }
}
