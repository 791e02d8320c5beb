//! The pixels of a file in the type in which they are stored.

use crate::bytes::pixels_of;
use crate::{Image, Result};

/// The type of the numbers of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// A float of 32 bits.
    F32,
}

impl NumberType {
    /// The bytes of a pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
        }
    }

    /// An image of `fast` x `slow` pixels from their bytes.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) unless there are exactly that many.
    pub fn read(
        self,
        bytes: &[u8],
        big_endian: bool,
        fast: usize,
        slow: usize,
    ) -> Result<StoredPixels> {
        macro_rules! image {
            ($number:ty) => {{
                let number = if big_endian {
                    <$number>::from_be_bytes
                } else {
                    <$number>::from_le_bytes
                };
                Image::new(fast, slow, pixels_of(bytes, number)).map(StoredPixels::from)
            }};
        }
        match self {
            Self::U8 => image!(u8),
            Self::I8 => image!(i8),
            Self::U16 => image!(u16),
            Self::I16 => image!(i16),
            Self::U32 => image!(u32),
            Self::I32 => image!(i32),
            Self::F32 => image!(f32),
        }
    }
}

/// An image in the type of its file, `[slow][fast]`.
///
/// ```
/// use nanobragg_io::{Image, StoredPixels};
///
/// let pixels = StoredPixels::from(Image::new(2, 1, vec![-1_i32, 70000])?);
/// assert!(pixels.are_counts());
/// assert_eq!(pixels.to_floats().pixels(), [-1.0, 70000.0]);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum StoredPixels {
    /// Unsigned, 8 bits.
    U8(Image<u8>),
    /// Signed, 8 bits.
    I8(Image<i8>),
    /// Unsigned, 16 bits.
    U16(Image<u16>),
    /// Signed, 16 bits.
    I16(Image<i16>),
    /// Unsigned, 32 bits.
    U32(Image<u32>),
    /// Signed, 32 bits.
    I32(Image<i32>),
    /// Floats.
    F32(Image<f32>),
}

/// The same expression for the image of every type.
macro_rules! for_each_type {
    ($pixels:expr, $image:ident => $result:expr) => {
        match $pixels {
            StoredPixels::U8($image) => $result,
            StoredPixels::I8($image) => $result,
            StoredPixels::U16($image) => $result,
            StoredPixels::I16($image) => $result,
            StoredPixels::U32($image) => $result,
            StoredPixels::I32($image) => $result,
            StoredPixels::F32($image) => $result,
        }
    };
}

impl StoredPixels {
    /// The pixels along the fast and the slow axis.
    pub fn sides(&self) -> [usize; 2] {
        for_each_type!(self, image => [image.fast(), image.slow()])
    }

    /// Whether the type is one of integers.
    pub fn are_counts(&self) -> bool {
        !matches!(self, Self::F32(_))
    }

    /// The largest number of the type. An unsigned count there is an overload or a mark.
    pub fn most(&self) -> f64 {
        match self {
            Self::U8(_) => u8::MAX.into(),
            Self::I8(_) => i8::MAX.into(),
            Self::U16(_) => u16::MAX.into(),
            Self::I16(_) => i16::MAX.into(),
            Self::U32(_) => u32::MAX.into(),
            Self::I32(_) => i32::MAX.into(),
            Self::F32(_) => f64::INFINITY,
        }
    }

    /// The same image as floats. Counts above 2^24 are rounded.
    pub fn to_floats(&self) -> Image<f32> {
        // Through f64, which holds each of the types exactly, so that it is rounded once.
        for_each_type!(self, image => image.map(|&pixel| f64::from(pixel) as f32))
    }

    /// What each pixel is, `[slow][fast]`.
    ///
    /// A pixel is masked if the file says so, if it is a negative count (detectors write -1 and -2 for
    /// gaps and defective pixels; a count is never negative), or if it is 2^32 - 1, the mark of detectors
    /// with unsigned counts. Of floats only those are masked that the file says, by a mask or a limit.
    pub fn states(&self, marks: &Marks) -> Vec<PixelState> {
        let are_counts = self.are_counts();
        let state = |value: f64| {
            let is_mark = are_counts && (value < 0.0 || value == f64::from(u32::MAX));
            let is_below = marks.underload.is_some_and(|least| value < least);
            if is_mark || is_below || marks.undefined == Some(value) {
                PixelState::Masked
            } else if marks.overload.is_some_and(|overload| value >= overload) {
                PixelState::Overloaded
            } else {
                PixelState::Measured
            }
        };
        let mut states: Vec<_> = for_each_type!(self, image => {
            image.pixels().iter().map(|&pixel| state(pixel.into())).collect()
        });
        for (state, &is_masked) in states.iter_mut().zip(&marks.masked) {
            if is_masked {
                *state = PixelState::Masked;
            }
        }
        states
    }
}

/// What a pixel of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelState {
    /// A measurement.
    Measured,
    /// No measurement: a gap, a defective or a shaded pixel.
    Masked,
    /// At or above the largest number that the detector can measure.
    Overloaded,
}

/// What a file says of pixels that are no measurements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// The value of pixels that have none.
    pub undefined: Option<f64>,
    /// Pixels below this value are masked.
    pub underload: Option<f64>,
    /// Pixels at or above this value are overloads.
    pub overload: Option<f64>,
    /// Whether a pixel is masked, `[slow][fast]`; empty if the file has no mask.
    pub masked: Vec<bool>,
}

macro_rules! from_images {
    ($($variant:ident $number:ty),+) => {$(
        impl From<Image<$number>> for StoredPixels {
            fn from(image: Image<$number>) -> Self {
                Self::$variant(image)
            }
        }
    )+};
}

from_images!(U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, F32 f32);

#[cfg(test)]
mod tests {
    use super::PixelState::{Masked, Measured, Overloaded};
    use super::*;

    #[test]
    fn negative_counts_are_masked_and_negative_floats_are_not() -> Result<()> {
        let none = Marks::default();
        let counts = StoredPixels::from(Image::new(3, 1, vec![-2, 0, i32::MAX])?);
        assert_eq!(counts.states(&none), [Masked, Measured, Measured]);
        let unsigned = StoredPixels::from(Image::new(2, 1, vec![u32::MAX, 65535])?);
        assert_eq!(unsigned.states(&none), [Masked, Measured]);
        let floats = StoredPixels::from(Image::new(2, 1, vec![-2.0_f32, 0.0])?);
        assert_eq!(floats.states(&none), [Measured, Measured]);
        Ok(())
    }

    #[test]
    fn what_the_file_says_of_its_pixels_is_heeded() -> Result<()> {
        let marks = Marks {
            undefined: Some(9.0),
            underload: Some(1.0),
            overload: Some(100.0),
            masked: vec![false, false, false, true, false],
        };
        let pixels = StoredPixels::from(Image::new(5, 1, vec![9_u16, 99, 100, 200, 0])?);
        assert_eq!(
            pixels.states(&marks),
            [Masked, Measured, Overloaded, Masked, Masked]
        );
        Ok(())
    }

    #[test]
    fn counts_of_32_bits_are_rounded_once() -> Result<()> {
        let pixels = StoredPixels::from(Image::new(1, 1, vec![(1 << 24) + 1])?);
        assert_eq!(pixels.to_floats().pixels(), [16_777_216.0]);
        Ok(())
    }
}
