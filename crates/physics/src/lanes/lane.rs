//! One lane of a block: a number whose functions have no branches and no calls.
//!
//! The lane kernel consists of plain loops over blocks of pixels, which the compiler vectorises at any
//! width. A call of the system's sine would prevent this; the functions here do not. They agree with
//! those of the system to a few units in the last place over the range of a simulation. Their bits are
//! the same at every vector width. [`Arithmetic`] says which operations may be fused.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use nanobragg_numeric::{Real, Scalar};

/// Adding and subtracting 1.5 x 2^52 rounds to the nearest integer, halves to even, for magnitudes below 2^51.
/// In between, the unit in the last place is 1, so the low bits of the sum are those of the integer.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Indices up to this magnitude are rounded exactly.
pub(crate) const LARGEST_INDEX: f64 = 1e12;

/// The nearest integer, halves to even.
#[inline(always)]
pub(crate) fn round_to_even(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// The operations that take one instruction in some sets of vector instructions and several in others.
pub(crate) trait Arithmetic {
    /// The nearest integer, halves down (`ceil(x - 1/2)`, as in C), and the offset of `x` from it. For a
    /// half the offset may be -1/2 instead of 1/2: the squared lattice factor is the same at both.
    fn nearest_and_offset(x: f64) -> (f64, f64);

    /// The largest integer that is not above `x`.
    fn floor(x: f64) -> f64;

    /// The polynomial in `z` with these coefficients, highest power last, by Horner's scheme.
    #[inline(always)]
    fn polynomial<const N: usize>(coefficients: &[f64; N], z: f64) -> f64 {
        let mut sum = coefficients[N - 1];
        for &coefficient in coefficients[..N - 1].iter().rev() {
            sum = Self::multiply_add(sum, z, coefficient);
        }
        sum
    }

    /// `sin(pi r)` for |r| <= 1/2, in the unit of [`SINE_OVER_TURN`].
    #[inline(always)]
    fn sin_pi(r: f64) -> f64 {
        r * Self::sine_over_turn(r * r)
    }

    /// `sin(pi r)/r` as a function of `z = r^2`, in the unit of [`SINE_OVER_TURN`]: a polynomial of
    /// degree 6 whose leading coefficient is 1. The coefficients are adapted: the evaluation takes three
    /// multiplications in a shorter chain of dependent operations than the five of Horner's scheme.
    ///
    /// # Source
    /// Knuth, The Art of Computer Programming 2, 4.6.4, equation 16.
    #[inline(always)]
    fn sine_over_turn(z: f64) -> f64 {
        let [a0, a1, a2, a3, a4, a5] = SINE_OVER_TURN;
        let square = Self::multiply_add(z + a0, z, a1);
        let fourth = Self::multiply_add(z + a2, square, a3);
        Self::multiply_add(fourth + square + a4, fourth, a5)
    }

    /// `2^x` to a relative error of 1.4e-14. Below `2^-1022` the result is `2^-1022`, whose square is 0.
    /// `x` must be below 1023.
    ///
    /// # Source
    /// Minimax polynomial (Remez exchange in extended precision).
    #[inline(always)]
    fn exp2(x: f64) -> f64 {
        let x = if x > -1022.0 { x } else { -1022.0 };
        let whole = round_to_even(x);
        Self::polynomial(&EXP2, x - whole) * power_of_two(whole)
    }

    /// `sin(x)` and `cos(x)` for |x| <= pi/2, to the last digits.
    #[inline(always)]
    fn sin_cos(x: f64) -> (f64, f64) {
        let z = x * x;
        (x * Self::polynomial(&SINE, z), Self::polynomial(&COSINE, z))
    }

    /// `a b + c`, in one instruction if there is one.
    fn multiply_add(a: f64, b: f64, c: f64) -> f64;

    /// `a b + c` in single precision.
    fn multiply_add_single(a: f32, b: f32, c: f32) -> f32;

    /// The nearest integer to `n d`, and the remainder of `n d`.
    fn turns(n: f64, d: f64) -> (f64, f64);

    /// The remainder of `n d`: `n d` minus the nearest integer.
    #[inline(always)]
    fn part_of_turn(n: f64, d: f64) -> f64 {
        Self::turns(n, d).1
    }

    /// A division by `divisor`, with the rounding of a division.
    fn over(divisor: f64) -> impl Fn(f64) -> f64;
}

/// Separate multiplications and additions, and no instruction for rounding: SSE2.
#[allow(dead_code, reason = "an architecture may use only one of the two")]
pub(crate) struct Separate;

/// Fused multiplication and addition, and rounding in one instruction: AVX2 with FMA, AVX-512, NEON.
///
/// Lattice factors and sums of terms are fused. Indices are not fused: an index must agree with the C program
/// to the last bit, because this bit decides which reflection is nearest to a point halfway between two.
#[allow(dead_code, reason = "an architecture may use only one of the two")]
pub(crate) struct Fused;

impl Arithmetic for Separate {
    #[inline(always)]
    fn nearest_and_offset(x: f64) -> (f64, f64) {
        let rounded = round_to_even(x);
        let offset = x - rounded;
        let is_half = offset == -0.5;
        // `round_to_even` may have rounded a half up; then the integer below is the result.
        (if is_half { rounded - 1.0 } else { rounded }, offset)
    }

    #[inline(always)]
    fn multiply_add(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }

    #[inline(always)]
    fn multiply_add_single(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    #[inline(always)]
    fn turns(n: f64, d: f64) -> (f64, f64) {
        let turns = n * d;
        let whole = round_to_even(turns);
        (whole, turns - whole)
    }

    #[inline(always)]
    fn over(divisor: f64) -> impl Fn(f64) -> f64 {
        move |number| number / divisor
    }

    #[inline(always)]
    fn floor(x: f64) -> f64 {
        let rounded = round_to_even(x);
        if rounded > x { rounded - 1.0 } else { rounded }
    }
}

impl Arithmetic for Fused {
    #[inline(always)]
    fn nearest_and_offset(x: f64) -> (f64, f64) {
        let nearest = (x - 0.5).ceil();
        (nearest, x - nearest)
    }

    #[inline(always)]
    fn multiply_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn multiply_add_single(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn turns(n: f64, d: f64) -> (f64, f64) {
        // Fused, `n d` itself is not rounded: the remainder has only one rounding error.
        let whole = n.mul_add(d, ROUNDER) - ROUNDER;
        (whole, n.mul_add(d, -whole))
    }

    /// One division for any number of quotients. The remainder of a number, computed from its product
    /// with the reciprocal, is exact in fused arithmetic. It corrects the last bit of the product.
    ///
    /// # Source
    /// Markstein, IBM J. Res. Dev. 34 (1990) 111, theorem 8.3.
    #[inline(always)]
    fn over(divisor: f64) -> impl Fn(f64) -> f64 {
        let reciprocal = 1.0 / divisor;
        move |number| {
            let quotient = number * reciprocal;
            let remainder = (-quotient).mul_add(divisor, number);
            remainder.mul_add(reciprocal, quotient)
        }
    }

    #[inline(always)]
    fn floor(x: f64) -> f64 {
        x.floor()
    }
}

/// Coefficients for [`Arithmetic::sine_over_turn`]: a polynomial of degree 6 in `z = r^2` for
/// `sin(pi r)/r`, |r| <= 1/2. Its unit is the coefficient of the highest power, 4.472002788186134e-4; it
/// cancels in the quotients of sines. The relative error is below 1e-13, a millionth of the distance
/// between two neighbouring f32.
///
/// # Source
/// Minimax polynomial (Remez exchange in extended precision): 7025.023915210577, -11555.701158391632,
/// 5702.509940638178, -1340.0358946966846, 183.6866746341642, -16.46641418539946, 1. There are three ways
/// to adapt it; this one has the least cancellation.
const SINE_OVER_TURN: [f64; 6] = [
    -13.225_179_203_106_238,
    124.095_213_538_476_03,
    4.491_972_110_406_508,
    -1_592.995_741_709_587_7,
    1_556.678_345_240_562_7,
    675_181.009_269_087_7,
];

/// `2^f` for |f| <= 1/2.
const EXP2: [f64; 10] = [
    1.000_000_000_000_012_7,
    0.693_147_180_559_871,
    0.240_226_506_956_496_53,
    0.055_504_108_668_685_62,
    0.009_618_129_192_067_19,
    0.001_333_355_761_760_322_6,
    1.540_343_494_810_376_7e-4,
    1.525_298_483_948_188_5e-5,
    1.325_940_560_405_559e-6,
    1.015_033_654_592_361_9e-7,
];

/// `sin(x)/x` of `z = x^2`, |x| <= pi/2.
const SINE: [f64; 9] = [
    1.0,
    -0.166_666_666_666_666_66,
    0.008_333_333_333_333_163,
    -1.984_126_984_120_142_5e-4,
    2.755_731_921_008_262_6e-6,
    -2.505_210_679_185_540_5e-8,
    1.605_893_616_578_948_7e-10,
    -7.642_909_282_900_216e-13,
    2.720_388_372_992_208e-15,
];

/// `cos(x)` of `z = x^2`, |x| <= pi/2.
const COSINE: [f64; 10] = [
    1.0,
    -0.5,
    0.041_666_666_666_666_66,
    -0.001_388_888_888_888_852_7,
    2.480_158_730_149_218e-5,
    -2.755_731_920_959_539_7e-7,
    2.087_675_566_216_737e-9,
    -1.147_066_997_453_641_4e-11,
    4.776_867_823_828_51e-14,
    -1.511_940_215_591_284_2e-16,
];

/// The number to add to an integer so that the low bits of the sum count from `origin`.
#[inline(always)]
pub(crate) fn offset_base(origin: f64) -> f64 {
    ROUNDER - origin
}

/// The low bits of an integer to which [`offset_base`] was added.
#[inline(always)]
pub(crate) fn low_bits(shifted: f64) -> u32 {
    shifted.to_bits() as u32
}

/// `2^k` for an integer `k` between -1022 and 1023.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    // k + 1023 is in the low bits of the sum. The shift moves it into the exponent of an f64.
    f64::from_bits((k + (ROUNDER + 1023.0)).to_bits() << 52)
}

/// A polynomial in `z`, coefficient of the highest power last.
macro_rules! horner {
    ($z:expr, $last:expr) => { $last };
    ($z:expr, $first:expr, $($rest:expr),+) => { $first + $z * horner!($z, $($rest),+) };
}

/// [`Arithmetic::sin_pi`] in single precision: five terms, in units of 0.0775603868, relative error below
/// 6e-9 before rounding errors. Adapted coefficients would cancel more digits than an f32 has.
///
/// # Source
/// Minimax polynomial (Remez exchange in extended precision).
#[inline(always)]
pub(crate) fn sin_pi_single<A: Arithmetic>(r: f32) -> f32 {
    let z = r * r;
    let sum = A::multiply_add_single(z - 7.713_243, z, 32.878_51);
    let sum = A::multiply_add_single(sum, z, -66.628_21);
    r * A::multiply_add_single(sum, z, 40.505_12)
}

/// `f64` with branch-free functions. Angles can be as large as 1e9 radians.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Lane(pub(crate) f64);

/// `x = n pi + r` with integer `n` and |r| <= pi/2. Pi is the sum of three parts; `n` times each of the
/// first two is exact for `n` below 2^22.
#[inline(always)]
fn reduce_by_pi(x: f64) -> (f64, f64) {
    let n = round_to_even(x * std::f64::consts::FRAC_1_PI);
    let r = x - n * 3.141_592_651_605_606;
    let r = r - n * 1.984_187_158_327_044_3e-9;
    (n, r - n * 1.034_036_596_358_821e-18)
}

/// `y` with the opposite sign if the integer `n` is odd.
#[inline(always)]
fn negate_if_odd(y: f64, n: f64) -> f64 {
    let parity = (n + ROUNDER).to_bits() & 1;
    f64::from_bits(y.to_bits() ^ (parity << 63))
}

impl Scalar for Lane {
    #[inline(always)]
    fn value(self) -> f64 {
        self.0
    }

    #[inline(always)]
    fn sin(self) -> Self {
        let (n, r) = reduce_by_pi(self.0);
        Self(negate_if_odd(Separate::sin_cos(r).0, n))
    }

    #[inline(always)]
    fn cos(self) -> Self {
        let (n, r) = reduce_by_pi(self.0);
        Self(negate_if_odd(Separate::sin_cos(r).1, n))
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let x = self.0.clamp(-746.0, 710.0);
        let k = round_to_even(x * std::f64::consts::LOG2_E);
        let r = x - k * 0.693_147_180_369_123_8 - k * 1.908_214_929_270_587_7e-10;
        let power = horner!(
            r,
            1.0,
            1.0,
            0.500_000_000_000_001_8,
            0.166_666_666_666_661_63,
            0.041_666_666_666_491_38,
            0.008_333_333_333_561_064,
            0.001_388_888_895_159_682_3,
            1.984_126_943_026_170_5e-4,
            2.480_148_611_959_769_6e-5,
            2.755_762_371_254_581_6e-6,
            2.763_244_274_808_225e-7,
            2.499_419_934_045_434_8e-8
        );
        // 2^k in two steps: 2^k alone may be outside the normal range, and subnormal results must lose
        // their digits gradually.
        let half = round_to_even(k * 0.5);
        Self(power * power_of_two(half) * power_of_two(k - half))
    }

    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        Self(self.0.atan2(x.0))
    }
}

impl Real for Lane {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        Self(x)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:tt),+) => {$(
        impl $trait for Lane {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
    )+};
}

macro_rules! assigning_operators {
    ($($trait:ident $method:ident $op:tt),+) => {$(
        impl $trait for Lane {
            #[inline(always)]
            fn $method(&mut self, other: Self) {
                self.0 = self.0 $op other.0;
            }
        }
    )+};
}

operators!(Add add +, Sub sub -, Mul mul *, Div div /);
assigning_operators!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *);

impl Neg for Lane {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between `-range` and `range`, dense near 0.
    fn spread(range: f64) -> impl Iterator<Item = f64> {
        (-20_000..=20_000).map(move |i| {
            let t = f64::from(i) / 20_000.0;
            range * t * t * t
        })
    }

    #[test]
    fn sine_and_cosine_agree_with_the_system() {
        for x in spread(5e4) {
            assert!((Lane(x).sin().0 - x.sin()).abs() < 4e-16, "sin {x}");
            assert!((Lane(x).cos().0 - x.cos()).abs() < 4e-16, "cos {x}");
        }
    }

    #[test]
    fn the_exponential_agrees_with_the_system() {
        for x in spread(700.0) {
            assert!((Lane(x).exp().0 / x.exp() - 1.0).abs() < 1e-15, "exp {x}");
        }
        assert_eq!(Lane(-1e9).exp().0, 0.0);
        assert_eq!(Lane(0.0).exp().0, 1.0);
    }

    #[test]
    fn powers_of_two_are_good_to_a_millionth_of_an_f32_step() {
        for x in spread(1021.0) {
            for own in [Separate::exp2(x), Fused::exp2(x)] {
                assert!((own / x.exp2() - 1.0).abs() < 2e-14, "{x}");
            }
        }
        for x in [-1023.0, -1e300, f64::NEG_INFINITY] {
            let own = Fused::exp2(x);
            assert_eq!(own * own, 0.0);
        }
    }

    #[test]
    fn sin_pi_is_good_to_a_millionth_of_an_f32_step() {
        const UNIT: f64 = 4.472_002_788_186_134e-4;
        const SINGLE_UNIT: f64 = 0.0775603868;
        for r in spread(0.5).filter(|r| *r != 0.0) {
            let exact = (std::f64::consts::PI * r).sin();
            for own in [Separate::sin_pi(r), Fused::sin_pi(r)] {
                assert!((UNIT * own / exact - 1.0).abs() < 1.5e-13, "{r}");
            }
            let single = r as f32;
            for own in [
                sin_pi_single::<Separate>(single),
                sin_pi_single::<Fused>(single),
            ] {
                let own = SINGLE_UNIT * f64::from(own);
                assert!((own / exact - 1.0).abs() < 4e-7, "{r}");
            }
        }
        assert_eq!(Separate::sin_pi(0.0), 0.0);
        assert_eq!(Fused::sin_pi(0.0), 0.0);
    }

    fn rounds_halves_down<A: Arithmetic>() {
        for x in [
            -2.5,
            -1.5,
            -0.5,
            0.5,
            1.5,
            2.5,
            3.0,
            -3.0,
            0.499_999_999_999_999_94,
            7.3,
            -7.7,
        ] {
            let (nearest, offset) = A::nearest_and_offset(x);
            assert_eq!(nearest, (x - 0.5).ceil(), "{x}");
            assert_eq!(offset.abs(), (x - nearest).abs(), "{x}");
            assert_eq!(A::floor(x), x.floor(), "{x}");
        }
    }

    #[test]
    fn halves_round_down_and_whole_numbers_stay() {
        rounds_halves_down::<Separate>();
        rounds_halves_down::<Fused>();
    }

    #[test]
    fn dividing_by_the_reciprocal_rounds_as_a_division_does() {
        // Numbers of all signs and mantissas, whose quotients are neither tiny nor huge.
        let scrambled = |i: u64| {
            let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
            f64::from_bits((bits & 0x800f_ffff_ffff_ffff) | ((973 + bits % 100) << 52))
        };
        for i in 1..100_000 {
            let divisor = scrambled(2 * i);
            let over = Fused::over(divisor);
            for number in [scrambled(2 * i + 1), 1.0, 3.0 * divisor, 0.0] {
                assert_eq!(over(number), number / divisor, "{number} / {divisor}");
            }
        }
    }

    #[test]
    fn a_part_of_a_turn_is_at_most_half_of_one() {
        for d in spread(0.5) {
            for n in [1.0, 7.0, 48.0, 1e6] {
                let (fused, separate) = (Fused::part_of_turn(n, d), Separate::part_of_turn(n, d));
                assert!(fused.abs() <= 0.5 && separate.abs() <= 0.5, "{n} {d}");
                let apart = fused - separate;
                assert!((apart - apart.round()).abs() < 1e-9, "{n} {d}");
            }
        }
    }

    #[test]
    fn low_bits_count_from_the_origin() {
        for (whole, origin, count) in [(0.0, 0.0, 0), (-7.0, -12.0, 5), (4e9, 0.0, 4_000_000_000)] {
            assert_eq!(low_bits(whole + offset_base(origin)), count);
        }
    }
}
