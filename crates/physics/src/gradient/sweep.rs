//! Rows in parallel. The results are merged in the order of the rows.

use std::ops::Range;

use crate::blank::blank_images;
use crate::driver::{map, stop_if_cancelled};
use crate::error::Error;
use crate::render::RunOptions;
use crate::scene::{Scene, View};

/// The number of rows that are computed before their results are merged. It limits the memory of waiting
/// results. It does not depend on the number of threads.
const BAND: usize = 128;

/// The images to which a run writes, each of shape `[panel][slow][fast]`.
pub(super) struct Images<'i> {
    each: Vec<&'i mut [f64]>,
    /// Whether no row has to be zeroed first: all images contain only zeros, or work adds to them. If not, a
    /// row is zeroed by the thread that computes it, because the row is then in the cache of that thread.
    are_blank: bool,
}

impl<'i> Images<'i> {
    pub(super) fn none() -> Self {
        Self {
            each: Vec::new(),
            are_blank: true,
        }
    }

    /// Makes the requested number of images in each of `memories`. Memory that is too small is replaced.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(super) fn in_memory<const N: usize>(
        scene: &Scene,
        memories: [(&'i mut Vec<f64>, usize); N],
    ) -> Result<Self, Error> {
        let pixels = scene.pixel_count();
        let mut images = Self::none();
        for (memory, count) in memories {
            let numbers = pixels.saturating_mul(count);
            if memory.capacity() < numbers {
                // The old memory is freed first, so that old and new need not fit together.
                *memory = Vec::new();
                *memory = blank_images(pixels, count)?;
            } else {
                memory.resize(numbers, 0.0);
                images.are_blank &= count == 0;
            }
            images.each.extend(memory.chunks_mut(pixels.max(1)));
        }
        Ok(images)
    }

    /// The part of every image that belongs to the panel with these pixels.
    pub(super) fn of_panel(&mut self, pixels: Range<usize>) -> Images<'_> {
        let each = self.each.iter_mut();
        Images {
            each: each
                .map(|image| image.get_mut(pixels.clone()).unwrap_or_default())
                .collect(),
            are_blank: self.are_blank,
        }
    }

    /// The same images, for work that adds to what they hold.
    pub(super) fn kept(mut self) -> Self {
        self.are_blank = true;
        self
    }

    /// The first image, and those of the others (counted from the second) that are in `others`.
    pub(super) fn first_with(&mut self, others: Range<usize>) -> Images<'_> {
        let wanted = |index: usize| index == 0 || others.contains(&(index - 1));
        Images {
            each: (self.each.iter_mut().enumerate())
                .filter(|(index, _)| wanted(*index))
                .map(|(_, image)| &mut **image)
                .collect(),
            are_blank: self.are_blank,
        }
    }
}

/// Calls `work` for every row of the region of interest of a panel, with the same row of every image in
/// `images`. Passes the results to `merge` in the order of the rows.
///
/// One thread computes a row, and `merge` adds results in a fixed order. The number of threads therefore
/// does not change the sums, although additions of floating-point numbers are not associative.
pub(super) fn for_each_row<T, R: Send>(
    view: &View<'_, T>,
    options: &RunOptions<'_>,
    images: Images<'_>,
    work: impl Fn(u32, &mut [&mut [f64]]) -> R + Sync,
    mut merge: impl FnMut(R),
) -> Result<(), Error> {
    let width = view.panel.pixels_fast() as usize;
    let slow = view.panel.roi().slow();
    let (first, last) = (*slow.start() as usize, *slow.end() as usize);
    let mut rows: Vec<(u32, Vec<&mut [f64]>)> = slow
        .map(|row| (row, Vec::with_capacity(images.each.len())))
        .collect();
    for image in images.each {
        let (before, rest) = image.split_at_mut(first * width);
        let (within, after) = rest.split_at_mut((last + 1 - first) * width);
        if !images.are_blank {
            before.fill(0.0);
            after.fill(0.0);
        }
        for ((_, row), own) in rows.iter_mut().zip(within.chunks_mut(width)) {
            row.push(own);
        }
    }
    let total = rows.len();
    for (index, band) in rows.chunks_mut(BAND).enumerate() {
        stop_if_cancelled(options)?;
        let results = map(band, 1, |(slow, row)| {
            if !images.are_blank {
                row.iter_mut().for_each(|row| row.fill(0.0));
            }
            work(*slow, row)
        });
        let done = index * BAND + results.len();
        results.into_iter().for_each(&mut merge);
        if let Some(progress) = options.progress {
            progress.rows_done(done, total);
        }
    }
    stop_if_cancelled(options)
}
