//! The last stage: numbers become counts, which are whole and clipped.

/// A number of a file, from 0 on.
pub trait Count: Copy + Default {
    /// The largest one.
    const FULL: u32;

    /// A number without its fraction; clipped at both ends, 0 for what is not a number.
    fn truncated(number: f64) -> Self;

    /// The same of a number between 0 and [`FULL`](Self::FULL) and a half; 0 for what is not a number.
    fn truncated_single(number: f32) -> Self {
        Self::truncated(number.into())
    }
}

/// A grey.
impl Count for u8 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn truncated(number: f64) -> Self {
        number as Self
    }
}

impl Count for u16 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn truncated(number: f64) -> Self {
        number as Self
    }

    /// There is no vector instruction for a conversion that saturates. So 2^23 is added, which rounds
    /// the number to a whole one in the last bits of the sum, and 1 taken off where that was rounded up.
    #[inline]
    fn truncated_single(number: f32) -> Self {
        const ROUNDER: f32 = 8_388_608.0;
        let number = if number > 0.0 { number } else { 0.0 };
        let shifted = number + ROUNDER;
        let nearest = shifted.to_bits().wrapping_sub(ROUNDER.to_bits());
        nearest.wrapping_sub(u32::from(shifted - ROUNDER > number)) as Self
    }
}

/// Never negative: 0 is the least, as in files of 16 bits.
impl Count for i32 {
    const FULL: u32 = Self::MAX as u32;

    #[inline]
    fn truncated(number: f64) -> Self {
        number.max(0.0) as Self
    }

    #[inline]
    fn truncated_single(number: f32) -> Self {
        number as Self
    }
}

/// How a number becomes whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Without its fraction.
    Truncate,
    /// To the nearest, as the C program does it: a half is added and the sum narrowed to `f32` before
    /// it is truncated, so that a count just below a half is rounded up.
    NearestSingle,
}

/// The conversion of all pixels of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digitise {
    pub(crate) rounding: Rounding,
    /// The largest count, if it is below the largest that a file holds.
    pub(crate) saturation_counts: u32,
}

impl Digitise {
    /// The largest count of an image of `C`.
    pub(crate) fn full<C: Count>(&self) -> u32 {
        self.saturation_counts.min(C::FULL)
    }

    /// Converts `from` into `to`; returns how many were above the largest count, which those hold then.
    pub(crate) fn write<C: Count>(&self, from: &[f64], to: &mut [C]) -> u64 {
        let full = f64::from(self.full::<C>());
        match self.rounding {
            Rounding::Truncate => {
                for (to, &number) in to.iter_mut().zip(from) {
                    // Not `min`, which takes NaN for the largest count.
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

/// What a number is clipped to once it is narrowed: that may have rounded it up beyond `full`. The
/// largest count of all is left to the conversion, as the C program does it.
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
    fn counts_are_rounded_and_clipped() {
        let numbers = [0.49, 0.5, 1e9, -1e9, f64::NAN, f64::INFINITY];
        assert_eq!(
            rounded::<u16>(&numbers, u32::MAX),
            [0, 1, 65535, 0, 0, 65535]
        );
    }

    #[test]
    fn counts_are_narrowed_before_they_are_truncated() {
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
