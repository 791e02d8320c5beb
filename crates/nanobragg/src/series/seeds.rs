//! The seeds of a frame: from a base seed and the number of the frame alone.

/// The seeds that a whole series starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseSeeds {
    /// Of the noise.
    pub noise: i64,
    /// Of the orientations of shots.
    pub misset: i64,
    /// Of the mosaic domains of shots.
    pub mosaic: i64,
    /// Of the quantities that vary.
    pub vary: i64,
}

impl BaseSeeds {
    /// One seed for everything.
    pub const fn all(seed: i64) -> Self {
        Self {
            noise: seed,
            misset: seed,
            mosaic: seed,
            vary: seed,
        }
    }
}

/// What a seed is for; each purpose has a sequence of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Noise,
    Misset,
    Mosaic,
    Vary,
}

/// The numbers that are mixed have 31 bits, as the seeds of the random stream do.
const MASK: u32 = (1 << 31) - 1;

/// Seeds of the random stream that are all different run from 1 to this.
const LARGEST_SEED: u32 = MASK - 1;

/// Rounds of the mixing.
const ROUNDS: usize = 4;

/// The step of SplitMix64, 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The seed of frame `number` (from 1) for the noise, from the base seed of the noise.
///
/// Different numbers have different seeds, up to 2147483646 of them: the number is taken through a
/// permutation of the 31-bit numbers, again and again until the result is a seed from 1 to
/// 2147483646. The permutation is, four times over, with additions and products modulo 2^31,
/// ```text
/// x = x + key    x = (x ^ x >> 15) 0x05EBCA6B    x = (x ^ x >> 12) 0x42B2AE35    x = x ^ x >> 16
/// ```
/// and key is the upper half, less its first bit, of each of four successive outputs of SplitMix64
/// from the base seed: the first four for the noise, the next four for the orientation, the next four
/// for the mosaic domains, the next four for the quantities that vary.
///
/// # Source
/// SplitMix64: G. L. Steele, D. Lea and C. H. Flood, OOPSLA (2014) 453.
pub fn frame_seed(base: i64, number: u32) -> i64 {
    seed_for(Purpose::Noise, base, number)
}

pub(super) fn seed_for(purpose: Purpose, base: i64, number: u32) -> i64 {
    let first = match purpose {
        Purpose::Noise => 0,
        Purpose::Misset => ROUNDS,
        Purpose::Mosaic => 2 * ROUNDS,
        Purpose::Vary => 3 * ROUNDS,
    } as u64;
    // The sign does not count where the seed is used, so it does not count here.
    let base = base.unsigned_abs();
    let keys: [u32; ROUNDS] =
        std::array::from_fn(|round| (split_mix(base, first + round as u64) >> 33) as u32);
    let mut x = number & MASK;
    loop {
        x = permuted(x, keys);
        if (1..=LARGEST_SEED).contains(&x) {
            return i64::from(x);
        }
    }
}

/// Output `index` (from 0) of SplitMix64 started from `seed`.
fn split_mix(seed: u64, index: u64) -> u64 {
    let z = seed.wrapping_add(GOLDEN.wrapping_mul(index + 1));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A permutation of the numbers from 0 to 2^31 - 1: every step can be undone.
fn permuted(x: u32, keys: [u32; ROUNDS]) -> u32 {
    keys.into_iter().fold(x, |x, key| {
        let x = x.wrapping_add(key) & MASK;
        let x = (x ^ (x >> 15)).wrapping_mul(0x05EB_CA6B) & MASK;
        let x = (x ^ (x >> 12)).wrapping_mul(0x42B2_AE35) & MASK;
        x ^ (x >> 16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn split_mix_gives_its_published_numbers() {
        // The first outputs from the seed 1234567, as listed with the generator.
        let outputs = [0, 1, 2].map(|index| split_mix(1_234_567, index));
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn seeds_of_frames_keep_their_values() {
        let seeds = [1, 2, 3].map(|number| frame_seed(1, number));
        assert_eq!(seeds, SEEDS_OF_BASE_1);
    }

    /// As computed by another program from the formula; a change would change every series.
    const SEEDS_OF_BASE_1: [i64; 3] = [2_037_258_714, 586_424_058, 166_972_209];

    #[test]
    fn no_two_frames_share_a_seed() {
        let seeds: HashSet<i64> = (1..=200_000).map(|number| frame_seed(7, number)).collect();
        assert_eq!(seeds.len(), 200_000);
        assert!(
            seeds
                .iter()
                .all(|seed| (1..=i64::from(LARGEST_SEED)).contains(seed))
        );
    }

    #[test]
    fn seeds_spread_over_their_whole_range() {
        // Of 64 equal parts of the range, each gets its share of 64000 seeds; the deviation of a
        // count of 1000 is 31, and 6 of those are more than any of 64 parts has by chance.
        let mut counts = [0_i64; 64];
        for number in 1..=64_000 {
            counts[(frame_seed(3, number) >> 25) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (count - 1000).abs() < 190),
            "{counts:?}"
        );
    }

    #[test]
    fn purposes_and_bases_have_sequences_of_their_own() {
        let of = |purpose, base| (1..=100).map(move |number| seed_for(purpose, base, number));
        let all: HashSet<i64> = of(Purpose::Noise, 1)
            .chain(of(Purpose::Misset, 1))
            .chain(of(Purpose::Mosaic, 1))
            .chain(of(Purpose::Vary, 1))
            .chain(of(Purpose::Noise, 2))
            .collect();
        assert_eq!(all.len(), 500);
    }
}
