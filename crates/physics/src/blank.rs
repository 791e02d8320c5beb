//! Zeros that are asked for in a way that can fail, where an allocation would abort.

use std::collections::TryReserveError;

use nanobragg_geometry::Detector;

use crate::error::Error;

/// As many zeros.
///
/// The memory is asked for twice: first in a way that can fail, then zeroed, which the system does page
/// by page when a thread first writes there.
pub(crate) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, TryReserveError> {
    Vec::<T>::new().try_reserve_exact(count)?;
    Ok(vec![T::default(); count])
}

/// As many images of a detector, each of shape `[slow][fast]`, one after the other.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub(crate) fn blank_images<T: Clone + Default>(
    detector: &Detector,
    images: usize,
) -> Result<Vec<T>, Error> {
    let count = pixels(detector).saturating_mul(images);
    zeros(count).map_err(|_| Error::OutOfMemory {
        pixels_fast: detector.pixels_fast() as usize,
        pixels_slow: detector.pixels_slow() as usize,
        bytes: count.saturating_mul(size_of::<T>()),
    })
}

/// Pixels of one of them.
pub(crate) fn pixels(detector: &Detector) -> usize {
    (detector.pixels_fast() as usize).saturating_mul(detector.pixels_slow() as usize)
}
