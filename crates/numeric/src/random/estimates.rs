//! Fast estimates of functions, with bounds of their errors. A caller that needs the exact number, or a
//! comparison with it, computes it with the functions of the system where the bound leaves a doubt.

use std::f64::consts::{FRAC_PI_2, LN_2, LOG2_E};

/// The relative error of [`exp`], rounded up. The neglected term of the series is 0.347^8 / 8!.
pub(super) const EXP_ERROR: f64 = 1e-7;

/// The relative error of [`tan`], rounded up. The neglected terms of the series are below 4e-13.
const TAN_ERROR: f64 = 1e-12;

/// The absolute error of [`log_gamma_of_next`], rounded up, and the relative one. Lanczos' series in
/// [`log_gamma`](super::log_gamma) has an error of 2e-10, the one here of 2e-13.
const LOG_GAMMA_ERROR: (f64, f64) = (1e-9, 1e-14);

/// ln sqrt(2 pi).
const LOG_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// exp(x) for |x| <= 700, with a relative error below [`EXP_ERROR`].
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    // x = n ln 2 + r with |r| <= 0.347. The sum rounds to the next integer, which is in its last bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let rounded = x * LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = x - n * LN_2;
    let (r2, r4) = (r * r, r * r * (r * r));
    let series = (1.0 + r)
        + r2 * (0.5 + r * (1.0 / 6.0))
        + r4 * ((1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let exponent = rounded.to_bits().wrapping_add(1023) << 52;
    series * f64::from_bits(exponent)
}

/// tan(x) in single precision for 0 < x < pi; `None` if the error of the estimate leaves a doubt.
#[inline]
pub(super) fn tan(x: f64) -> Option<f32> {
    /// The part of pi / 2 beyond `FRAC_PI_2`.
    const REST: f64 = 6.123_233_995_736_766e-17;
    // The distance to the nearest of 0, pi / 2 and pi, below pi / 4. At pi / 2 the tangent is -cos / sin of
    // it, otherwise sin / cos.
    let quarter = f64::from(u8::from(x > FRAC_PI_2 / 2.0) + u8::from(x > 1.5 * FRAC_PI_2));
    let w = (x - quarter * FRAC_PI_2) - quarter * REST;
    // Taylor's series, in pairs of terms, which do not wait for each other.
    let s = w * w;
    let (s2, s4) = (s * s, s * s * (s * s));
    let sine = (1.0 - s * (1.0 / 6.0))
        + s2 * (1.0 / 120.0 - s * (1.0 / 5040.0))
        + s4 * ((1.0 / 362_880.0 - s * (1.0 / 39_916_800.0)) + s2 * (1.0 / 6_227_020_800.0));
    let sine = w * sine;
    let cosine = (1.0 - s * 0.5)
        + s2 * (1.0 / 24.0 - s * (1.0 / 720.0))
        + s4 * ((1.0 / 40_320.0 - s * (1.0 / 3_628_800.0)) + s2 * (1.0 / 479_001_600.0));
    let tangent = if quarter == 1.0 {
        -cosine / sine
    } else {
        sine / cosine
    };
    certain(tangent, TAN_ERROR * tangent.abs())
}

/// [`log_gamma`](super::log_gamma) of `next`, which is m + 1 rounded to single precision, for m from 12 and
/// its logarithm; `None` if the error of the estimate leaves a doubt.
#[inline]
pub(super) fn log_gamma_of_next(m: f64, log: f64, next: f32) -> Option<f32> {
    // Stirling's series of ln gamma(m) + ln m, and two terms of Taylor's series from m + 1 to `next`.
    let inverse = 1.0 / m;
    let square = inverse * inverse;
    let stirling = (m + 0.5) * log - m
        + LOG_SQRT_TWO_PI
        + inverse
            * (1.0 / 12.0
                - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))));
    let step = f64::from(next) - (m + 1.0);
    let slope = log + inverse * 0.5 - square * (1.0 / 12.0) + step * inverse * 0.5;
    let value = stirling + step * slope;
    let (absolute, relative) = LOG_GAMMA_ERROR;
    certain(value, absolute + relative * value.abs())
}

/// The number in single precision if all numbers within the error round to it.
#[inline]
fn certain(value: f64, error: f64) -> Option<f32> {
    let (low, high) = ((value - error) as f32, (value + error) as f32);
    (low == high).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::super::log_gamma;
    use super::*;

    /// Numbers in (0, 1), evenly spread and not in order.
    fn units() -> impl Iterator<Item = f64> {
        (1..400_000_u64)
            .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / 9_007_199_254_740_992.0)
    }

    #[test]
    fn estimates_of_the_tangent_are_exact_or_none() {
        let small = (1..1000).map(|i| 1e-9 * f64::from(i));
        let mut doubts = 0;
        for unit in units()
            .chain(small.clone())
            .chain(small.map(|unit| 1.0 - unit))
        {
            let x = std::f64::consts::PI * f64::from(unit as f32);
            match tan(x) {
                Some(tangent) => assert_eq!(tangent, x.tan() as f32, "{x}"),
                None => doubts += 1,
            }
        }
        assert!(doubts < 200, "{doubts}");
    }

    #[test]
    fn estimates_of_the_gamma_function_are_exact_or_none() {
        let mut doubts = 0;
        for unit in units() {
            let mean = (12.0 * (1e6_f64 / 12.0).powf(unit)) as f32;
            let m = f64::from(mean);
            let next = (m + 1.0) as f32;
            match log_gamma_of_next(m, m.ln(), next) {
                Some(value) => assert_eq!(value, log_gamma(next), "{mean}"),
                None => doubts += 1,
            }
        }
        assert!(doubts < 2000, "{doubts}");
    }

    #[test]
    fn estimates_of_the_exponential_are_within_their_error() {
        for unit in units() {
            let x = 1400.0 * unit - 700.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < EXP_ERROR, "{x}");
        }
    }
}
