//! Zeros that are asked for in a way that can fail, where an allocation would abort.

use std::collections::TryReserveError;

use crate::error::Error;

/// As many zeros.
///
/// The memory is asked for twice: first in a way that can fail, then zeroed, which the system does page
/// by page when a thread first writes there.
pub(crate) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, TryReserveError> {
    Vec::<T>::new().try_reserve_exact(count)?;
    Ok(vec![T::default(); count])
}

/// As many images of so many pixels, one after the other.
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
