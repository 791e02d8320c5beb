//! Properties of the random numbers for every seed and every mean.

use nanobragg_numeric::{MinimalStandard, PoissonNoise, log_gamma};
use proptest::prelude::*;

proptest! {
    #[test]
    fn uniform_deviates_lie_strictly_between_zero_and_one(seed: i64) {
        let mut stream = MinimalStandard::from_seed(seed);
        for _ in 0..100 {
            let deviate = stream.uniform();
            prop_assert!(deviate > 0.0 && deviate < 1.0);
        }
    }

    #[test]
    fn a_seed_and_its_negative_give_one_stream(seed: i64) {
        prop_assert_eq!(
            MinimalStandard::from_seed(seed),
            MinimalStandard::from_seed(seed.wrapping_neg())
        );
    }

    #[test]
    fn symmetric_deviates_are_the_uniform_ones_stretched(seed: i64) {
        let mut stream = MinimalStandard::from_seed(seed);
        let mut uniform = stream.clone();
        let deviate = stream.symmetric();
        prop_assert!((-1.0..1.0).contains(&deviate));
        prop_assert_eq!(deviate, 2.0 * f64::from(uniform.uniform()) - 1.0);
    }

    #[test]
    fn counts_up_to_a_million_are_whole_and_not_negative(seed: i64, mean in -10.0_f32..1e6) {
        let mut noise = PoissonNoise::from_seed(seed);
        for _ in 0..4 {
            let count = noise.count(mean);
            prop_assert!(count >= 0.0 && count.fract() == 0.0);
        }
    }

    #[test]
    fn the_average_count_is_the_mean(seed: i64, log_mean in -2.0_f32..16.0) {
        let mean = log_mean.exp();
        let mut noise = PoissonNoise::from_seed(seed);
        let tries = 2000;
        let sum: f64 = (0..tries).map(|_| f64::from(noise.count(mean))).sum();
        let mean = f64::from(mean);
        let standard_error = (mean / f64::from(tries)).sqrt();
        prop_assert!((sum / f64::from(tries) - mean).abs() < 8.0 * standard_error);
    }

    #[test]
    fn every_mean_gives_a_count_and_only_nan_gives_nan(seed: i64, bits: u32) {
        let mean = f32::from_bits(bits);
        let count = PoissonNoise::from_seed(seed).count(mean);
        prop_assert_eq!(count.is_nan(), mean.is_nan());
    }

    #[test]
    fn log_gamma_follows_its_recurrence(x in 0.1_f32..1e4) {
        let step = f64::from(log_gamma(x + 1.0)) - f64::from(log_gamma(x));
        let bound = 1e-6 * f64::from(log_gamma(x + 1.0)).abs().max(1.0);
        prop_assert!((step - f64::from(x).ln()).abs() < bound);
    }
}
