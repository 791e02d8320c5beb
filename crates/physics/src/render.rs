//! From a plan to an image: rows in parallel. The only file that knows of threads.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rayon::prelude::*;
use tracing::info_span;

use crate::blank::blank_images;
use crate::error::Error;
use crate::kernel::reference::{Carried, Nobody, Pixel, render_pixel};
use crate::kernel::{Level, Precision, RowSpan, SpanOutcome, render_span};
use crate::plan::Plan;
use crate::progress::{Cancel, Progress};
use crate::sampling::Lookup;
use crate::statistics::{self, RowSums, Statistics, sum_over};

/// Results that [`in_order`] lets wait: enough to keep many threads busy.
const AT_A_TIME: usize = 256;

/// Rows that a thread takes at a time: few, so that all threads end at about the same time.
const ROWS_AT_A_TIME: usize = 4;

/// How an experiment is run. Nothing here changes a pixel beyond the bound that `docs/PARITY.md`
/// states, and the number of threads not one bit.
#[derive(Default, Clone, Copy)]
pub struct RunOptions<'a> {
    /// Threads to render on; 0 for one a core.
    pub threads: usize,
    /// Vector instructions to render with; `None` for the fastest of this processor. One that this
    /// processor does not have is replaced by the baseline.
    pub level: Option<Level>,
    /// Precision of the interference function.
    pub precision: Precision,
    /// Told of the rows that are done.
    pub progress: Option<&'a dyn Progress>,
    /// Stops the run between two rows when raised.
    pub cancel: Option<&'a Cancel>,
}

/// A rendered image with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Photons per pixel, shape `[slow][fast]`; 0 outside the region of interest and under the mask.
    pub pixels: Vec<f32>,
    /// Pixels along the fast axis.
    pub pixels_fast: u32,
    /// Pixels along the slow axis.
    pub pixels_slow: u32,
    /// Its figures.
    pub statistics: Statistics,
    /// The pixel (fast, slow) in which an index left the grid of structure factors and ended
    /// interpolation for all pixels after it.
    pub left_grid_at: Option<[u32; 2]>,
    /// The pixel (fast, slow) of the first evaluation, if that found the cell in another state than
    /// every later one (the oddity `phi-zero`).
    pub first_evaluated: Option<[u32; 2]>,
}

/// Renders the image of `plan`.
///
/// # Errors
/// When the run is cancelled, or there is no memory or no thread for it.
pub fn render(plan: &Plan<'_>, options: &RunOptions<'_>) -> Result<Rendered, Error> {
    let _span = info_span!("render").entered();
    let detector = &plan.experiment.detector;
    let (pixels_fast, pixels_slow) = (detector.pixels_fast(), detector.pixels_slow());
    let mut pixels = blank_images(detector, 1)?;
    thread_pool(options.threads)?.install(|| {
        let mut sweep = Sweep::new(plan, options, &mut pixels);
        let first_evaluated = sweep.render_untouched_cell()?;
        let left_grid_at = sweep.render_rest()?;
        let solid_angle_sr = sweep.solid_angle_sums_sr.iter().sum::<f64>() / plan.steps;
        let statistics = image_statistics(plan, &pixels, solid_angle_sr);
        Ok(Rendered {
            pixels,
            pixels_fast,
            pixels_slow,
            statistics,
            left_grid_at,
            first_evaluated,
        })
    })
}

/// Does `work` for each of `items` on the threads that `options` asks for, and hands the results to
/// `take` in the order of the items. Only few results wait at a time.
///
/// # Errors
/// When the run is cancelled, or there are no threads for it.
pub(crate) fn in_order<I: Sync, T: Send>(
    options: &RunOptions<'_>,
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(T) + Send,
) -> Result<(), Error> {
    thread_pool(options.threads)?.install(|| {
        for some in items.chunks(AT_A_TIME) {
            let done: Vec<T> = some.par_iter().map(&work).collect();
            if options.cancel.is_some_and(Cancel::is_raised) {
                return Err(Error::Cancelled);
            }
            done.into_iter().for_each(&mut take);
        }
        Ok(())
    })
}

/// So many threads, or one a core for 0.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| Error::Threads { threads, source })
}

/// A rendering in progress: everything before `next` is done.
struct Sweep<'r, 'e> {
    plan: &'r Plan<'e>,
    options: &'r RunOptions<'r>,
    pixels: &'r mut [f32],
    /// One sum a row of the region of interest.
    solid_angle_sums_sr: Vec<f64>,
    next: Pixel,
    lookup: Lookup,
}

impl<'r, 'e> Sweep<'r, 'e> {
    fn new(plan: &'r Plan<'e>, options: &'r RunOptions<'r>, pixels: &'r mut [f32]) -> Self {
        let roi = &plan.experiment.roi;
        let rows = *roi.slow().end() - *roi.slow().start() + 1;
        Self {
            plan,
            options,
            pixels,
            solid_angle_sums_sr: vec![0.0; rows as usize],
            next: Pixel {
                fast: *roi.fast().start(),
                slow: *roi.slow().start(),
            },
            lookup: plan.experiment.lookup,
        }
    }

    /// Renders, one by one, the pixels up to the first evaluation of the run, where that finds the
    /// cell in a state of its own (the oddity `phi-zero`). Returns that pixel.
    fn render_untouched_cell(&mut self) -> Result<Option<[u32; 2]>, Error> {
        if self.plan.untouched_orientations.is_none() {
            return Ok(None);
        }
        let roi = self.plan.experiment.roi;
        let mut carried = Carried {
            cell_is_untouched: true,
            lookup: self.lookup,
        };
        for slow in roi.slow() {
            self.check_cancel()?;
            for fast in roi.fast() {
                let mask = self.plan.experiment.mask.as_ref();
                if mask.is_some_and(|m| m.row(slow as usize).get(fast as usize) != Some(&true)) {
                    continue;
                }
                let pixel = Pixel { fast, slow };
                let sum = render_pixel(self.plan, pixel, &mut carried, &mut Nobody);
                let width = self.plan.experiment.detector.pixels_fast() as usize;
                if let Some(out) = self.pixels.get_mut(slow as usize * width + fast as usize) {
                    *out = sum.photons;
                }
                self.add_solid_angle(slow, sum.solid_angle_sum_sr);
                if !carried.cell_is_untouched {
                    self.lookup = carried.lookup;
                    self.next = Pixel {
                        fast: fast + 1,
                        slow,
                    };
                    return Ok(Some([fast, slow]));
                }
            }
        }
        self.next = Pixel {
            fast: *roi.fast().start(),
            slow: *roi.slow().end() + 1,
        };
        Ok(None)
    }

    /// Renders everything from `next` on, and returns the pixel that ended interpolation, if any.
    fn render_rest(&mut self) -> Result<Option<[u32; 2]>, Error> {
        // Interpolation can have ended in the one pixel that is rendered already.
        let mut left_grid_at = (self.lookup != self.plan.experiment.lookup)
            .then(|| [self.next.fast.saturating_sub(1), self.next.slow]);
        while let Some(pixel) = self.render_until_grid_is_left()? {
            left_grid_at = Some([pixel.fast, pixel.slow]);
            self.lookup = Lookup::Nearest;
            self.next = Pixel {
                fast: pixel.fast + 1,
                slow: pixel.slow,
            };
        }
        Ok(left_grid_at)
    }

    /// Renders rows in parallel from `next` on. Returns the first pixel, in raster order, in which an
    /// index left the grid; the pixels after it are then still to be rendered.
    fn render_until_grid_is_left(&mut self) -> Result<Option<Pixel>, Error> {
        let plan = self.plan;
        let options = self.options;
        let (next, lookup) = (self.next, self.lookup);
        // A run that lanes cannot number falls back on the reference.
        let level = match options.level {
            _ if !plan.suits_lanes => Level::Reference,
            given => given.unwrap_or_else(Level::detect),
        };
        let roi = plan.experiment.roi;
        let mask = plan.experiment.mask.as_ref();
        let width = plan.experiment.detector.pixels_fast() as usize;
        let first_left_row = AtomicU32::new(u32::MAX);
        let rows_done = AtomicUsize::new((next.slow - *roi.slow().start()) as usize);
        let rows_total = (*roi.slow().end() - *roi.slow().start() + 1) as usize;

        let render_row = |slow: u32, row: &mut [f32]| -> Option<SpanOutcome> {
            let cancelled = options.cancel.is_some_and(Cancel::is_raised);
            if cancelled || slow > first_left_row.load(Ordering::Relaxed) {
                return None;
            }
            let start = if slow == next.slow {
                next.fast
            } else {
                *roi.fast().start()
            };
            let fast = start..*roi.fast().end() + 1;
            let pixels = row
                .get_mut(fast.start as usize..fast.end as usize)
                .unwrap_or_default();
            let used = mask.map(|mask| mask.row(slow as usize));
            let span = RowSpan {
                slow,
                fast,
                used,
                lookup,
                cancel: options.cancel,
            };
            let outcome = render_span(level, options.precision, plan, &span, pixels);
            if outcome.left_grid_at.is_some() {
                first_left_row.fetch_min(slow, Ordering::Relaxed);
            }
            if let Some(progress) = options.progress {
                let done = rows_done.fetch_add(1, Ordering::Relaxed) + 1;
                progress.rows_done(done.min(rows_total), rows_total);
            }
            Some(outcome)
        };
        let outcomes: Vec<Option<SpanOutcome>> = self
            .pixels
            .par_chunks_mut(width)
            .enumerate()
            .skip(next.slow as usize)
            .take((*roi.slow().end() + 1).saturating_sub(next.slow) as usize)
            .with_max_len(ROWS_AT_A_TIME)
            .map(|(slow, row)| render_row(slow as u32, row))
            .collect();
        self.check_cancel()?;

        for (slow, outcome) in (next.slow..).zip(outcomes.into_iter().flatten()) {
            self.add_solid_angle(slow, outcome.solid_angle_sum_sr);
            if let Some(fast) = outcome.left_grid_at {
                return Ok(Some(Pixel { fast, slow }));
            }
        }
        Ok(None)
    }

    fn add_solid_angle(&mut self, slow: u32, sum_sr: f64) {
        let row = (slow - self.plan.experiment.roi.slow().start()) as usize;
        if let Some(total) = self.solid_angle_sums_sr.get_mut(row) {
            *total += sum_sr;
        }
    }

    fn check_cancel(&self) -> Result<(), Error> {
        match self.options.cancel {
            Some(cancel) if cancel.is_raised() => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}

/// The figures of a finished image.
fn image_statistics(plan: &Plan<'_>, pixels: &[f32], solid_angle_sr: f64) -> Statistics {
    let experiment = plan.experiment;
    let roi = &experiment.roi;
    let width = experiment.detector.pixels_fast() as usize;
    let columns = *roi.fast().start() as usize..*roi.fast().end() as usize + 1;
    let rows = pixels
        .par_chunks(width)
        .enumerate()
        .skip(*roi.slow().start() as usize)
        .take((*roi.slow().end() - *roi.slow().start() + 1) as usize)
        .map(|(slow, row)| (slow, row.get(columns.clone()).unwrap_or_default()));
    let sums: Vec<RowSums> = rows
        .clone()
        .map(|(slow, row)| {
            let mask = experiment.mask.as_ref();
            let used = mask.map(|mask| mask.row(slow).get(columns.clone()).unwrap_or_default());
            RowSums::of(row, used)
        })
        .collect();
    let first_of = |slow: u32, photons: f32| {
        let row = pixels
            .chunks(width)
            .nth(slow as usize)?
            .get(columns.clone())?;
        let mut along = row.iter().zip(*roi.fast().start()..);
        Some(along.find(|(pixel, _)| **pixel == photons)?.1)
    };
    statistics::merge(experiment, &sums, solid_angle_sr, first_of, |mean| {
        let deviations: Vec<f64> = rows
            .map(|(_, row)| sum_over(row, |photons| (photons - mean).powi(2)))
            .collect();
        deviations.iter().sum()
    })
}
