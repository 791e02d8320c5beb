//! Memory filled with zeros. If there is not enough memory the result is an error, not an abort.

use std::collections::TryReserveError;

use crate::error::Error;

/// A vector of `count` zeros.
///
/// The first allocation only tests whether there is enough memory. The second is zeroed by the system
/// page by page, when a thread first writes there.
pub(crate) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, TryReserveError> {
    Vec::<T>::new().try_reserve_exact(count)?;
    Ok(vec![T::default(); count])
}

/// The zeros of `images` images of `pixels` pixels each, one image after the other.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub(crate) fn blank_images<T: Clone + Default>(
    pixels: usize,
    images: usize,
) -> Result<Vec<T>, Error> {
    let count = pixels.saturating_mul(images);
    zeros(count).map_err(|_| Error::OutOfMemory {
        pixels,
        bytes: count.saturating_mul(size_of::<T>()),
    })
}
