//! Fast estimates of functions, with bounds of their errors. A caller that needs the exact number, or a
//! comparison with it, computes it with the functions of the system where the bound leaves a doubt.

use std::f64::consts::{LN_2, LOG2_E, PI};
use std::sync::OnceLock;

/// The number of steps of [`TangentTable`] between 0 and 1.
const STEPS: usize = 1024;

/// ln sqrt(2 pi).
pub(super) const LOG_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// x as `n ln 2 + r` with |r| <= 0.347: r, and 2^n. |x| is 700 at most.
#[inline]
fn reduced(x: f64) -> (f64, f64) {
    // The sum rounds to the next integer, which is in its last bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let rounded = x * LOG2_E + ROUNDER;
    let r = x - (rounded - ROUNDER) * LN_2;
    let exponent = rounded.to_bits().wrapping_add(1023) << 52;
    (r, f64::from_bits(exponent))
}

/// exp(x) for |x| <= 700, with a relative error below 4e-6: the neglected term of the series is 0.347^6 / 6!.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    let (r, power) = reduced(x);
    let r2 = r * r;
    let series =
        (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0)) + r2 * r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    series * power
}

/// The part z of the logarithm of a positive normal number x = 2^n (1 + z) / (1 - z), |z| < 0.172, and n ln 2:
/// ln x = n ln 2 + 2 artanh z.
#[inline]
fn split(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    let n = (x.to_bits().wrapping_sub(SQRT_HALF) as i64) >> 52;
    let m = f64::from_bits(x.to_bits().wrapping_sub((n as u64) << 52));
    ((m - 1.0) / (m + 1.0), f64::from(n as i32) * LN_2)
}

/// The natural logarithm of a positive normal number with an error below 3e-8.
#[inline]
pub(super) fn near_ln(x: f64) -> f64 {
    let (z, of_power) = split(x);
    let s = z * z;
    of_power + 2.0 * z * ((1.0 + s * (1.0 / 3.0)) + s * s * (1.0 / 5.0 + s * (1.0 / 7.0)))
}

/// The natural logarithm of a positive normal number, and a bound of its error.
#[inline]
pub(super) fn ln(x: f64) -> (f64, f64) {
    let (z, of_power) = split(x);
    let s = z * z;
    let (s2, s4) = (s * s, s * s * (s * s));
    let series = (1.0 / 3.0 + s * (1.0 / 5.0))
        + s2 * (1.0 / 7.0 + s * (1.0 / 9.0))
        + s4 * ((1.0 / 11.0 + s * (1.0 / 13.0)) + s2 * (1.0 / 15.0));
    let of_rest = 2.0 * z + 2.0 * z * (s * series);
    let log = of_power + of_rest;
    // The neglected term is z^17 / 17 of z. Beside n ln 2 its last digit counts too.
    (log, 4e-14 * of_rest.abs() + 4e-16 * log.abs())
}

/// Tangents of steps from 0 to pi.
#[derive(Debug)]
pub(super) struct TangentTable([f64; STEPS + 1]);

impl TangentTable {
    /// The table, which is computed once.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<TangentTable> = OnceLock::new();
        TABLE.get_or_init(|| {
            // Of the angle to the nearest of 0, pi / 2 and pi, which has more digits.
            let sine = |step: usize| (PI * step as f64 / STEPS as f64).sin();
            Self(std::array::from_fn(|step| {
                let sine_of = if step > STEPS / 2 { STEPS - step } else { step };
                let cosine_of = step.abs_diff(STEPS / 2);
                // Not infinite in the middle, where the angle in C is not exactly pi / 2 either.
                let size = sine(sine_of) / sine(cosine_of).max(6e-17);
                if step > STEPS / 2 { -size } else { size }
            }))
        })
    }

    /// tan(pi u) for 0 < u < 1 and the rest of u beyond a step, with an error below 1e-8 (1 + y^2).
    #[inline]
    pub(super) fn near(&self, u: f32) -> f64 {
        let (base, rest) = self.step(u);
        let part = PI * rest;
        (base + part) / (1.0 - base * part)
    }

    /// The tangent at the nearest step, and what is left of u beyond it.
    #[inline]
    fn step(&self, u: f32) -> (f64, f64) {
        // The sum rounds to the nearest integer, which is in its last bits.
        const ROUNDER: f32 = 12_582_912.0;
        let place = u * STEPS as f32;
        let rounded = place + ROUNDER;
        let base = self.0.get((rounded.to_bits() & 0x7ff) as usize);
        // Exact, as the two numbers are near each other.
        let rest = f64::from(place - (rounded - ROUNDER)) * (1.0 / STEPS as f64);
        (base.copied().unwrap_or(f64::NAN), rest)
    }
}

/// The number in single precision if all numbers within the error round to it.
#[inline]
pub(super) fn certain(value: f64, error: f64) -> Option<f32> {
    let (low, high) = ((value - error) as f32, (value + error) as f32);
    (low == high).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in (0, 1), evenly spread and not in order.
    fn units() -> impl Iterator<Item = f64> {
        (1..400_000_u64)
            .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / 9_007_199_254_740_992.0)
    }

    #[test]
    fn estimates_of_the_tangent_are_within_their_error() {
        let table = TangentTable::get();
        let small = (1..1000).map(|i| 1e-9 * f64::from(i));
        for unit in units()
            .chain(small.clone())
            .chain(small.map(|unit| 1.0 - unit))
        {
            let u = (unit as f32).min(1.0 - 1.2e-7);
            let tangent = (PI * f64::from(u)).tan();
            let error = (table.near(u) - tangent).abs();
            assert!(error <= 1e-8 * (1.0 + tangent * tangent), "{u}: {error:e}");
        }
    }

    #[test]
    fn estimates_of_the_exponential_are_within_their_error() {
        for unit in units() {
            let x = 1400.0 * unit - 700.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 4e-6, "{x}");
        }
    }

    #[test]
    fn estimates_of_the_logarithm_are_within_their_error() {
        let near_one =
            (1..2000).flat_map(|i| [1.0 - 6e-8 * f64::from(i), 1.0 + 1e-7 * f64::from(i)]);
        let wide = units().map(|unit| (40.0 * unit - 20.0).exp());
        for x in near_one.chain(units()).chain(wide) {
            let (log, error) = ln(x);
            assert!((log - x.ln()).abs() <= error, "{x}: {log} {error:e}");
            assert!((near_ln(x) - x.ln()).abs() <= 3e-8, "{x}");
        }
    }
}
