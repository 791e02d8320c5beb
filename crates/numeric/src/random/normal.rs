//! The quantiles of the normal distribution.

/// The number below which a Gaussian deviate of mean 0 and variance 1 lies with probability `p`, for p above
/// 0 and below 1. The relative error is about 1e-16.
///
/// Rational functions: of q = p - 1/2 in the middle, where |q| < 0.425, and of sqrt(-ln p) or
/// sqrt(-ln (1 - p)) in the tails.
///
/// # Source
/// M. J. Wichura, Applied Statistics 37 (1988) 477, algorithm AS 241, PPND16.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(&MIDDLE, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-tail.ln()).sqrt();
    let size = match r <= 5.0 {
        true => ratio(&NEAR_TAIL, r - 1.6),
        false => ratio(&FAR_TAIL, r - 5.0),
    };
    size.copysign(q)
}

/// The ratio of two polynomials of degree 7 with these coefficients, from the constant term up.
fn ratio([numerator, denominator]: &[[f64; 8]; 2], x: f64) -> f64 {
    let sum = |of: &[f64; 8]| of.iter().rev().fold(0.0, |sum, c| sum * x + c);
    sum(numerator) / sum(denominator)
}

#[rustfmt::skip]
const MIDDLE: [[f64; 8]; 2] = [
    [3.387_132_872_796_366_5, 133.141_667_891_784_38, 1_971.590_950_306_551_3, 13_731.693_765_509_46,
     45_921.953_931_549_87, 67_265.770_927_008_7, 33_430.575_583_588_13, 2_509.080_928_730_122_7],
    [1.0, 42.313_330_701_600_91, 687.187_007_492_057_9, 5_394.196_021_424_751,
     21_213.794_301_586_597, 39_307.895_800_092_71, 28_729.085_735_721_943, 5_226.495_278_852_854],
];

#[rustfmt::skip]
const NEAR_TAIL: [[f64; 8]; 2] = [
    [1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
     1.270_458_252_452_368_4, 0.241_780_725_177_450_6, 0.022_723_844_989_269_184, 7.745_450_142_783_414e-4],
    [1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 0.689_767_334_985_1,
     0.148_103_976_427_480_08, 0.015_198_666_563_616_457, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9],
];

#[rustfmt::skip]
const FAR_TAIL: [[f64; 8]; 2] = [
    [6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 0.296_560_571_828_504_87,
     0.026_532_189_526_576_124, 0.001_242_660_947_388_078_4, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288_1e-7],
    [1.0, 0.599_832_206_555_888, 0.136_929_880_922_735_8, 0.014_875_361_290_850_615,
     7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_8e-15],
];

#[cfg(test)]
mod tests {
    use super::normal_quantile;

    /// p, and the x at which the series x + x^3 / 3 + x^5 / (3 5) + ... of the distribution has this value,
    /// found by bisection with 60 digits.
    #[rustfmt::skip]
    const KNOWN: [(f64, f64); 12] = [
        (1e-16, -8.222_082_216_130_435),
        (1e-12, -7.034_483_825_301_132),
        (1e-9, -5.997_807_015_007_686_5),
        (1e-6, -4.753_424_308_822_899),
        (0.001, -3.090_232_306_167_813_6),
        (0.07, -1.475_791_028_179_170_6),
        (0.075, -1.439_531_470_938_456),
        (0.2, -0.841_621_233_572_914_2),
        (0.45, -0.125_661_346_855_074_02),
        (0.6, 0.253_347_103_135_799_7),
        (0.95, 1.644_853_626_951_472_2),
        (0.999, 3.090_232_306_167_813),
    ];

    #[test]
    fn quantiles_are_those_of_the_series_of_the_distribution() {
        for (p, x) in KNOWN {
            let error = (normal_quantile(p) / x - 1.0).abs();
            assert!(error < 4e-15, "{p}: {error:e}");
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn quantiles_are_odd_about_the_middle() {
        for p in [1e-3, 0.01, 0.0625, 0.25, 0.4375] {
            assert!(
                (normal_quantile(p) + normal_quantile(1.0 - p)).abs() < 1e-13,
                "{p}"
            );
        }
    }
}
