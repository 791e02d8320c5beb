//! Rows in parallel, and what they give merged in their order.

use rayon::prelude::*;

use crate::error::Error;
use crate::plan::Plan;
use crate::progress::Cancel;
use crate::render::RunOptions;

/// Rows that are worked on before their results are merged. It is a number of its own, not one of
/// threads, and bounds what waits to be merged.
const BAND: usize = 128;

/// An image of zeros, or an error where an allocation would abort.
pub(super) fn blank_image(plan: &Plan<'_>) -> Result<Vec<f64>, Error> {
    let detector = &plan.experiment.detector;
    let (pixels_fast, pixels_slow) = (
        detector.pixels_fast() as usize,
        detector.pixels_slow() as usize,
    );
    let count = pixels_fast.saturating_mul(pixels_slow);
    let is_there = Vec::<f64>::new().try_reserve_exact(count);
    is_there.map_err(|_| Error::OutOfMemory {
        pixels_fast,
        pixels_slow,
        bytes: count.saturating_mul(size_of::<f64>()),
    })?;
    Ok(vec![0.0; count])
}

/// Runs `work` on the threads that `options` asks for.
pub(super) fn on_threads<R: Send>(
    options: &RunOptions<'_>,
    work: impl FnOnce() -> Result<R, Error> + Send,
) -> Result<R, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(|source| Error::Threads {
            threads: options.threads,
            source,
        })?;
    pool.install(work)
}

/// Works on every row of the region of interest, each with its row of every image in `images`, and
/// hands the results to `merge` in the order of the rows.
///
/// A row is worked on by one thread and merged by one, so the number of threads changes nothing.
pub(super) fn for_each_row<R: Send>(
    plan: &Plan<'_>,
    options: &RunOptions<'_>,
    images: &mut [Vec<f64>],
    work: impl Fn(u32, &mut [&mut [f64]]) -> R + Sync,
    mut merge: impl FnMut(R),
) -> Result<(), Error> {
    let experiment = plan.experiment;
    let width = experiment.detector.pixels_fast() as usize;
    let slow = experiment.roi.slow();
    let (first, last) = (*slow.start() as usize, *slow.end() as usize);
    let mut rows: Vec<(u32, Vec<&mut [f64]>)> = slow
        .map(|row| (row, Vec::with_capacity(images.len())))
        .collect();
    for image in images {
        let of_image = image.chunks_mut(width).skip(first).take(last + 1 - first);
        for ((_, row), own) in rows.iter_mut().zip(of_image) {
            row.push(own);
        }
    }
    let total = rows.len();
    for (index, band) in rows.chunks_mut(BAND).enumerate() {
        if options.cancel.is_some_and(Cancel::is_raised) {
            return Err(Error::Cancelled);
        }
        let results: Vec<R> = band
            .par_iter_mut()
            .with_max_len(1)
            .map(|(slow, row)| work(*slow, row))
            .collect();
        let done = index * BAND + results.len();
        results.into_iter().for_each(&mut merge);
        if let Some(progress) = options.progress {
            progress.rows_done(done, total);
        }
    }
    if options.cancel.is_some_and(Cancel::is_raised) {
        return Err(Error::Cancelled);
    }
    Ok(())
}
