//! A rectangle of pixels.

use crate::{Error, Result};

/// A rectangle of pixels, stored `[slow][fast]`, with at least one pixel on each side.
///
/// ```
/// use nanobragg_io::Image;
///
/// let image = Image::new(3, 2, vec![0, 1, 2, 3, 4, 5])?;
/// assert_eq!(image.get(2, 1), Some(&5));
/// assert_eq!(image.get(0, 2), None);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Image<T> {
    fast: usize,
    slow: usize,
    pixels: Vec<T>,
}

impl<T> Image<T> {
    /// An image of `fast` x `slow` pixels, given `[slow][fast]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if a side is 0 or the product of both is not the number of pixels.
    pub fn new(fast: usize, slow: usize, pixels: Vec<T>) -> Result<Self> {
        if fast == 0 || slow == 0 || fast.checked_mul(slow) != Some(pixels.len()) {
            return Err(Error::Shape {
                fast,
                slow,
                pixels: pixels.len(),
            });
        }
        Ok(Self { fast, slow, pixels })
    }

    /// The images one below the other, each from the first fast pixel on; what is left beside the
    /// narrower ones is filled with the default.
    ///
    /// # Errors
    /// [`Error::Shape`] for no image at all.
    pub fn stacked(images: &[Self]) -> Result<Self>
    where
        T: Copy + Default,
    {
        let widest = images.iter().map(Self::fast).max().unwrap_or(0);
        let rows: usize = images.iter().map(Self::slow).sum();
        let mut pixels = Vec::with_capacity(widest * rows);
        for image in images {
            for row in image.rows() {
                pixels.extend_from_slice(row);
                pixels.resize(pixels.len() + widest - row.len(), T::default());
            }
        }
        Self::new(widest, rows, pixels)
    }

    /// Pixels along the fast axis.
    pub fn fast(&self) -> usize {
        self.fast
    }

    /// Pixels along the slow axis.
    pub fn slow(&self) -> usize {
        self.slow
    }

    /// The pixel at (`fast`, `slow`), both counted from 0; `None` outside the image.
    pub fn get(&self, fast: usize, slow: usize) -> Option<&T> {
        if fast >= self.fast || slow >= self.slow {
            return None;
        }
        self.pixels.get(slow * self.fast + fast)
    }

    /// The rows along the fast axis, in slow order.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.pixels.chunks_exact(self.fast)
    }

    /// The mutable rows along the fast axis, in slow order.
    pub fn rows_mut(&mut self) -> std::slice::ChunksExactMut<'_, T> {
        self.pixels.chunks_exact_mut(self.fast)
    }

    /// All pixels, `[slow][fast]`.
    pub fn pixels(&self) -> &[T] {
        &self.pixels
    }

    /// The pixels, `[slow][fast]`, out of the image.
    pub fn into_pixels(self) -> Vec<T> {
        self.pixels
    }

    /// An image of the same sides whose pixels are `f` of these.
    #[must_use]
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Image<U> {
        Image {
            fast: self.fast,
            slow: self.slow,
            pixels: self.pixels.iter().map(f).collect(),
        }
    }
}

impl<T: Clone> Image<T> {
    /// An image of `fast` x `slow` pixels, each of them `value`.
    ///
    /// # Errors
    /// [`Error::Shape`] if a side is 0, [`Error::TooLarge`] if there is not enough memory.
    pub fn filled(fast: usize, slow: usize, value: T) -> Result<Self> {
        let count = fast
            .checked_mul(slow)
            .ok_or(Error::TooLarge { fast, slow })?;
        let mut pixels = Vec::new();
        // `vec![value; count]` would abort the program if memory runs out.
        pixels
            .try_reserve_exact(count)
            .map_err(|_| Error::TooLarge { fast, slow })?;
        pixels.resize(count, value);
        Self::new(fast, slow, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_must_multiply_to_the_number_of_pixels() {
        assert!(matches!(
            Image::new(2, 2, vec![0; 3]),
            Err(Error::Shape { pixels: 3, .. })
        ));
        assert!(Image::<u8>::new(0, 0, vec![]).is_err());
        assert!(Image::new(usize::MAX, 2, vec![0; 3]).is_err());
        assert!(matches!(
            Image::filled(usize::MAX, 2, 0),
            Err(Error::TooLarge { .. })
        ));
        assert!(matches!(
            Image::filled(1 << 40, 1 << 20, 0_u8),
            Err(Error::TooLarge { .. })
        ));
    }

    #[test]
    fn rows_run_along_fast() -> Result<()> {
        let image = Image::new(3, 2, vec![0, 1, 2, 3, 4, 5])?;
        assert_eq!(image.rows().collect::<Vec<_>>(), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(image.get(3, 0), None);
        assert_eq!(image.map(|p| p * 2).into_pixels(), [0, 2, 4, 6, 8, 10]);
        Ok(())
    }
}
