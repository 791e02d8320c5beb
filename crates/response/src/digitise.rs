//! The last stage: conversion of numbers to integer counts, with clipping.

/// The integer type of a file. Its smallest count is 0.
pub trait Count: Copy + Default + Send {
    /// The largest count, below 2^32.
    const FULL: u32;

    /// The type with the last bits of `count`.
    fn of_bits(count: u32) -> Self;

    /// A number without its fraction, for a number up to [`FULL`](Self::FULL). 0 for negative numbers and
    /// NaN.
    #[inline]
    fn truncated(number: f64) -> Self {
        Self::of_bits(whole_part(number))
    }

    /// The same for a number in single precision up to [`FULL`](Self::FULL) + 0.5, which is clipped.
    fn truncated_single(number: f32) -> Self {
        let number = f64::from(number);
        let full = f64::from(Self::FULL);
        Self::truncated(if number > full { full } else { number })
    }
}

/// The whole part of a number below 2^32; 0 for a negative number and NaN.
///
/// A saturating conversion to an integer has no vector instruction, so this uses the bits of the number.
/// An `f64` of at least 2^52 has no fraction bits. The sum `number + 2^52` is therefore rounded to an
/// integer, which is in its last bits. If it was rounded up, 1 is subtracted.
#[inline(always)]
fn whole_part(number: f64) -> u32 {
    const ROUNDER: f64 = 4_503_599_627_370_496.0;
    let number = if number > 0.0 { number } else { 0.0 };
    let shifted = number + ROUNDER;
    let nearest = shifted.to_bits() as u32;
    nearest.wrapping_sub(u32::from(shifted - ROUNDER > number))
}

/// A grey value.
impl Count for u8 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn of_bits(count: u32) -> Self {
        count as Self
    }
}

impl Count for u16 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn of_bits(count: u32) -> Self {
        count as Self
    }

    // As `whole_part`, with 2^23 for an `f32`.
    #[inline]
    fn truncated_single(number: f32) -> Self {
        const ROUNDER: f32 = 8_388_608.0;
        let number = if number > 0.0 { number } else { 0.0 };
        let shifted = number + ROUNDER;
        let nearest = shifted.to_bits().wrapping_sub(ROUNDER.to_bits());
        nearest.wrapping_sub(u32::from(shifted - ROUNDER > number)) as Self
    }
}

/// The smallest count is 0, as in files of 16 bits.
impl Count for i32 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn of_bits(count: u32) -> Self {
        count as Self
    }
}

/// The conversion of a number to an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Truncation of the fraction.
    Truncate,
    /// Rounding as in the C program: 0.5 is added, the sum is converted to `f32` and then truncated. A
    /// number slightly below a half is rounded up, because the sum is rounded to the next integer.
    NearestSingle,
}

/// The conversion of all pixels of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digitise {
    pub(crate) rounding: Rounding,
    /// The largest count, if it is below that of the file.
    pub(crate) saturation_counts: u32,
}

impl Digitise {
    /// The largest count of an image of type `C`.
    pub(crate) fn full<C: Count>(&self) -> u32 {
        self.saturation_counts.min(C::FULL)
    }

    /// Converts `from` into `to`. Returns the number of pixels above the largest count; they are clipped
    /// to it.
    pub(crate) fn write<C: Count>(&self, from: &[f64], to: &mut [C]) -> u64 {
        let full = f64::from(self.full::<C>());
        match self.rounding {
            Rounding::Truncate => {
                for (to, &number) in to.iter_mut().zip(from) {
                    // `min` would convert NaN to the largest count. The comparison leaves it, and the
                    // conversion makes it 0.
                    *to = C::truncated(if number > full { full } else { number });
                }
            }
            Rounding::NearestSingle => {
                let most = most_single::<C>(full);
                for (to, &number) in to.iter_mut().zip(from) {
                    let single = (number.clamp(0.0, full) + 0.5) as f32;
                    *to = C::truncated_single(if single > most { most } else { single });
                }
            }
        }
        from.iter().map(|&number| u64::from(number > full)).sum()
    }
}

/// The limit of a number after its conversion to `f32`, which can round it up beyond `full`. If `full`
/// is the largest count of the type there is no limit: the integer conversion clips, as in the C
/// program.
fn most_single<C: Count>(full: f64) -> f32 {
    let most = full as f32;
    if full == f64::from(C::FULL) {
        f32::INFINITY
    } else if f64::from(most) > full {
        most.next_down()
    } else {
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded<C: Count>(numbers: &[f64], saturation_counts: u32) -> Vec<C> {
        let mut counts = vec![C::default(); numbers.len()];
        let digitise = Digitise {
            rounding: Rounding::NearestSingle,
            saturation_counts,
        };
        digitise.write(numbers, &mut counts);
        counts
    }

    #[test]
    fn a_whole_part_is_that_of_a_conversion() {
        for i in 0..200_000_u32 {
            let bits = u64::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let below = (bits >> 11) as f64 / 9_007_199_254_740_992.0;
            for number in [below * 300.0, below * 2_147_483_647.0, below - 0.5] {
                assert_eq!(whole_part(number), number as u32, "{number}");
            }
        }
        for number in [
            0.0,
            -0.0,
            1.0_f64.next_down(),
            254.999,
            2_147_483_647.0,
            -1e9,
            f64::NAN,
        ] {
            assert_eq!(whole_part(number), number as u32, "{number}");
        }
    }

    #[test]
    fn counts_are_rounded_and_clipped() {
        let numbers = [0.49, 0.5, 1e9, -1e9, f64::NAN, f64::INFINITY];
        assert_eq!(
            rounded::<u16>(&numbers, u32::MAX),
            [0, 1, 65535, 0, 0, 65535]
        );
    }

    #[test]
    fn counts_are_converted_to_f32_before_they_are_truncated() {
        assert_eq!(rounded::<u16>(&[40000.5 - 1e-9], u32::MAX), [40001]);
    }

    #[test]
    fn counts_of_32_bits_are_those_of_16_where_these_do_not_clip() {
        let numbers = [0.49, 0.5, 65535.49, 65536.0, 1e9, 1e12, -1e12, f64::NAN];
        let wide = rounded::<i32>(&numbers, u32::MAX);
        assert_eq!(wide, [0, 1, 65535, 65536, 1_000_000_000, i32::MAX, 0, 0]);
        let clipped: Vec<u16> = wide.iter().map(|&count| count.min(65535) as u16).collect();
        assert_eq!(rounded::<u16>(&numbers, u32::MAX), clipped);
    }

    #[test]
    fn no_count_is_above_the_saturation() {
        let (numbers, odd) = ([99.0, 1e9, f64::INFINITY], (1 << 25) + 1);
        assert_eq!(rounded::<i32>(&numbers, 100), [99, 100, 100]);
        assert!(
            rounded::<i32>(&numbers, odd)
                .iter()
                .all(|&count| count <= odd as i32)
        );
    }

    #[test]
    fn a_truncated_number_above_the_largest_count_is_an_overload() {
        let mut counts = [0_u16; 6];
        let digitise = Digitise {
            rounding: Rounding::Truncate,
            saturation_counts: 255,
        };
        let numbers = [0.999, 254.999, 255.0, 255.5, -3.0, f64::NAN];
        assert_eq!(digitise.write(&numbers, &mut counts), 1);
        assert_eq!(counts, [0, 254, 255, 255, 0, 0]);
    }
}
