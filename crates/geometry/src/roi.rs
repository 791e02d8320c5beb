//! The region of interest: the part of the detector that is rendered.

use std::ops::RangeInclusive;

use crate::error::{Error, PixelAxis};

/// A rectangle of pixels. Both ranges include their ends.
///
/// ```
/// use nanobragg_geometry::Roi;
///
/// let roi = Roi::new([2, 4], [-1, -1], 10, 20)?;
/// assert_eq!(roi.pixel_count(), 3 * 20);
/// # Ok::<(), nanobragg_geometry::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Roi {
    fast: [u32; 2],
    slow: [u32; 2],
}

impl Roi {
    /// The rectangle from `fast[0]` to `fast[1]` and `slow[0]` to `slow[1]` on a detector of
    /// `pixels_fast` by `pixels_slow`. A negative end is the edge of the detector on that side.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] if an end lies beyond the last pixel, [`Error::RoiReversed`] if the
    /// first pixel of a range comes after the last.
    pub fn new(
        fast: [i64; 2],
        slow: [i64; 2],
        pixels_fast: u32,
        pixels_slow: u32,
    ) -> Result<Self, Error> {
        Ok(Self {
            fast: span(PixelAxis::Fast, fast, pixels_fast)?,
            slow: span(PixelAxis::Slow, slow, pixels_slow)?,
        })
    }

    /// All pixels of a detector of `pixels_fast` by `pixels_slow`.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] if one of the two numbers is 0.
    pub fn full(pixels_fast: u32, pixels_slow: u32) -> Result<Self, Error> {
        Self::new([-1, -1], [-1, -1], pixels_fast, pixels_slow)
    }

    /// The same rectangle, if it lies on a panel of `pixels_fast` by `pixels_slow`.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] if it does not.
    pub fn on(self, pixels_fast: u32, pixels_slow: u32) -> Result<Self, Error> {
        let ends = |[first, last]: [u32; 2]| [first, last].map(i64::from);
        Self::new(ends(self.fast), ends(self.slow), pixels_fast, pixels_slow)
    }

    /// The fast pixels, including the last one.
    pub const fn fast(&self) -> RangeInclusive<u32> {
        self.fast[0]..=self.fast[1]
    }

    /// The slow pixels, including the last one.
    pub const fn slow(&self) -> RangeInclusive<u32> {
        self.slow[0]..=self.slow[1]
    }

    /// Whether the pixel lies inside.
    pub fn contains(&self, fast: u32, slow: u32) -> bool {
        self.fast().contains(&fast) && self.slow().contains(&slow)
    }

    /// The number of pixels inside.
    pub const fn pixel_count(&self) -> u64 {
        let [first_fast, last_fast] = self.fast;
        let [first_slow, last_slow] = self.slow;
        (last_fast - first_fast + 1) as u64 * (last_slow - first_slow + 1) as u64
    }

    /// The pixels as `(fast, slow)` in raster order, fast running first.
    pub fn pixels(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let fast = self.fast();
        self.slow()
            .flat_map(move |slow| fast.clone().map(move |fast| (fast, slow)))
    }
}

/// The two ends of one axis. Negative ends are replaced by the edges; both ends are checked.
fn span(axis: PixelAxis, [min, max]: [i64; 2], pixels: u32) -> Result<[u32; 2], Error> {
    let outside = |end: i64| Error::RoiOutside { axis, end, pixels };
    let last = pixels.checked_sub(1).ok_or_else(|| outside(0))?;
    // The conversion also fails for an end above `u32::MAX`, which is outside every detector.
    let on_detector = |end: i64, edge: u32| match u32::try_from(end) {
        Ok(end) if end <= last => Ok(end),
        _ if end < 0 => Ok(edge),
        _ => Err(outside(end)),
    };
    let first = on_detector(min, 0)?;
    let last = on_detector(max, last)?;
    if first > last {
        return Err(Error::RoiReversed { axis, first, last });
    }
    Ok([first, last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_ends_stand_for_the_edges() {
        let roi = Roi::new([-1, -1], [-7, 3], 8, 9).unwrap();
        assert_eq!((roi.fast(), roi.slow()), (0..=7, 0..=3));
        assert_eq!(Roi::full(8, 9).unwrap().pixel_count(), 72);
    }

    #[test]
    fn both_ends_are_inside() {
        let roi = Roi::new([2, 3], [5, 5], 8, 9).unwrap();
        assert!(roi.contains(2, 5) && roi.contains(3, 5));
        assert!(!roi.contains(4, 5) && !roi.contains(2, 4));
        assert_eq!(roi.pixels().collect::<Vec<_>>(), [(2, 5), (3, 5)]);
    }

    #[test]
    fn pixels_come_in_raster_order() {
        let roi = Roi::new([0, 1], [3, 4], 8, 9).unwrap();
        assert_eq!(
            roi.pixels().collect::<Vec<_>>(),
            [(0, 3), (1, 3), (0, 4), (1, 4)]
        );
    }

    #[test]
    fn an_end_beyond_the_last_pixel_is_an_error() {
        let error = Roi::new([0, 8], [0, 0], 8, 9).unwrap_err();
        assert_eq!(
            error,
            Error::RoiOutside {
                axis: PixelAxis::Fast,
                end: 8,
                pixels: 8
            }
        );
    }

    #[test]
    fn a_reversed_range_is_an_error() {
        let error = Roi::new([0, 7], [5, 4], 8, 9).unwrap_err();
        assert_eq!(
            error,
            Error::RoiReversed {
                axis: PixelAxis::Slow,
                first: 5,
                last: 4
            }
        );
    }
}
