//! Random numbers of a pixel that depend only on the position of the pixel.

use rand_philox::{Philox, philox4x32_10};

use super::normal::normal_quantile;

/// The number of pixels whose deviates are computed together.
pub(super) const CHUNK: usize = 32;

/// Deviates of the pixels of one panel for one purpose, by a counter-based generator.
///
/// A deviate is a function of the seed, the purpose, the panel, the position of the pixel and the number of
/// the draw in this pixel. It does not depend on other pixels, nor on the order in which pixels are drawn.
///
/// The generator is Philox4x32-10. It turns a key (the seed) and a counter of four words into four words:
///
/// ```text
/// first draw of pixels x, x + 1 (x even)    counter = [x / 2, y, 0, purpose << 24 | panel], two words each
/// draws 2 n, 2 n + 1 of pixel x, n > 0      counter = [x, y, n, purpose << 24 | panel]
/// ```
///
/// ```
/// use nanobragg_numeric::CounterNoise;
///
/// let noise = CounterNoise::new(7, 1, 0);
/// let (mut row, mut part) = ([2.5; 100], [2.5; 10]);
/// noise.poisson([0, 3], &mut row);
/// noise.poisson([90, 3], &mut part);
/// assert_eq!(row[90..], part);
/// ```
///
/// # Source
/// J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
/// Proceedings of SC11 (2011).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterNoise {
    key: [u32; 2],
    domain: u32,
}

impl CounterNoise {
    /// The deviates of a seed for the pixels of a panel. `purpose` is a number that differs between uses of
    /// one seed. Panels are counted from 0, up to 2^24 - 1.
    pub const fn new(seed: i64, purpose: u8, panel: u32) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            domain: ((purpose as u32) << 24) | (panel & 0x00ff_ffff),
        }
    }

    /// Calls `f` with each of `pixels` and a uniform deviate, above 0 and below 1. The pixels are neighbours
    /// along the fast axis; `first` is the position of the first one, fast and slow.
    pub fn uniform(&self, first: [u32; 2], pixels: &mut [f64], mut f: impl FnMut(&mut f64, f64)) {
        self.in_chunks(first, pixels, |_, uniforms, pixels| {
            for (pixel, &uniform) in pixels.iter_mut().zip(uniforms) {
                f(pixel, uniform);
            }
        });
    }

    /// The same with Gaussian deviates of mean 0 and variance 1.
    pub fn gaussian(&self, first: [u32; 2], pixels: &mut [f64], mut f: impl FnMut(&mut f64, f64)) {
        self.uniform(first, pixels, |pixel, uniform| {
            f(pixel, normal_quantile(uniform));
        });
    }

    /// Further deviates of one pixel, after its first draw.
    pub const fn pixel(&self, [fast, slow]: [u32; 2]) -> PixelNoise {
        PixelNoise {
            key: self.key,
            counter: [fast, slow, 0, self.domain],
            spare: None,
        }
    }

    /// Calls `f` with the position of the first pixel of a chunk, the uniform deviates of its pixels, and
    /// its pixels. Deviates beyond the pixels are without meaning.
    pub(super) fn in_chunks(
        &self,
        [mut fast, slow]: [u32; 2],
        mut pixels: &mut [f64],
        mut f: impl FnMut([u32; 2], &[f64; CHUNK], &mut [f64]),
    ) {
        let high = u128::from(slow) << 32 | u128::from(self.domain) << 96;
        while !pixels.is_empty() {
            // A block of the generator has the deviates of two pixels, so a chunk begins at an even one.
            let skipped = (fast % 2) as usize;
            let count = (CHUNK - skipped).min(pixels.len());
            let mut words = [0; 2 * CHUNK];
            Philox::new(self.key, u128::from(fast / 2) | high).fill_u32(&mut words);
            let mut uniforms = [0.0; CHUNK];
            for (uniform, pair) in uniforms.iter_mut().zip(words.chunks_exact(2)) {
                *uniform = uniform_of(pair[0], pair[1]);
            }
            let (some, rest) = std::mem::take(&mut pixels).split_at_mut(count);
            uniforms.rotate_left(skipped);
            f([fast, slow], &uniforms, some);
            fast = fast.wrapping_add(count as u32);
            pixels = rest;
        }
    }
}

/// Deviates of one pixel, one after the other.
#[derive(Debug, Clone)]
pub struct PixelNoise {
    key: [u32; 2],
    counter: [u32; 4],
    spare: Option<f64>,
}

impl PixelNoise {
    /// The next uniform deviate, above 0 and below 1.
    pub fn uniform(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // The count begins with 1: the first draw has 0.
        self.counter[2] = self.counter[2].wrapping_add(1);
        let words = philox4x32_10(self.counter, self.key);
        self.spare = Some(uniform_of(words[2], words[3]));
        uniform_of(words[0], words[1])
    }

    /// A Gaussian deviate of mean 0 and variance 1; uses one uniform deviate.
    pub fn gaussian(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }
}

/// (k + 1/2) / 2^52, where k is the upper 52 bits of the two words.
fn uniform_of(low: u32, high: u32) -> f64 {
    const ONE: u64 = 1.0_f64.to_bits();
    // These bits are 1 + k / 2^52. All steps are exact. A conversion of integers of 64 bits has no vector
    // instruction on all processors.
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 12;
    f64::from_bits(ONE | bits) - (1.0 - f64::EPSILON / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors for 10 rounds of philox4x32 in the file `kat_vectors` of Random123.
    #[test]
    fn the_generator_gives_its_published_words() {
        let vectors = [
            (
                [0; 4],
                [0; 2],
                [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
            ),
            (
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0],
                [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
            ),
        ];
        for (counter, key, words) in vectors {
            assert_eq!(philox4x32_10(counter, key), words);
        }
    }

    #[test]
    fn deviates_are_those_of_their_counters() {
        let key = [7, 0];
        let noise = CounterNoise::new(7, 3, 5);
        let domain = 3 << 24 | 5;
        let mut row = [0.0; 101];
        noise.uniform([13, 40], &mut row, |pixel, uniform| *pixel = uniform);
        for (fast, uniform) in (13..).zip(row) {
            let words = philox4x32_10([fast / 2, 40, 0, domain], key);
            let of_pixel = &words[2 * (fast % 2) as usize..][..2];
            assert_eq!(uniform, uniform_of(of_pixel[0], of_pixel[1]), "{fast}");
        }
        let mut pixel = noise.pixel([13, 40]);
        let draws: [f64; 4] = std::array::from_fn(|_| pixel.uniform());
        for (n, pair) in (1..).zip(draws.chunks_exact(2)) {
            let words = philox4x32_10([13, 40, n, domain], key);
            let expected = [
                uniform_of(words[0], words[1]),
                uniform_of(words[2], words[3]),
            ];
            assert_eq!(pair, expected);
        }
    }

    #[test]
    fn every_part_of_the_key_changes_the_deviates() {
        let first = |seed, purpose, panel, position| {
            let mut one = [0.0];
            let noise = CounterNoise::new(seed, purpose, panel);
            noise.uniform(position, &mut one, |pixel, uniform| *pixel = uniform);
            one[0].to_bits()
        };
        let all = [
            first(1, 1, 1, [1, 1]),
            first(2, 1, 1, [1, 1]),
            first(1 << 32 | 1, 1, 1, [1, 1]),
            first(-1, 1, 1, [1, 1]),
            first(1, 2, 1, [1, 1]),
            first(1, 1, 2, [1, 1]),
            first(1, 1, 1, [2, 1]),
            first(1, 1, 1, [1, 2]),
        ];
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn uniform_deviates_are_between_0_and_1() {
        assert_eq!(uniform_of(0, 0), f64::EPSILON / 2.0);
        assert_eq!(uniform_of(u32::MAX, u32::MAX), 1.0 - f64::EPSILON / 2.0);
    }
}
