//! From a plan to an image: rows in parallel. The only file that knows of threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use nanobragg_geometry::Panel;
use rayon::prelude::*;
use tracing::info_span;

use crate::blank::blank_images;
use crate::compat::Habits;
use crate::error::Error;
use crate::lanes::{Level, Precision, RowSpan, SpanOutcome, render_span};
use crate::progress::{Cancel, Progress};
use crate::sampling::Lookup;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::{Scene, View};
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

/// A rendered image of a detector with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The image of every panel, in the order of the detector.
    pub panels: Vec<PanelImage>,
    /// The figures of all panels together.
    pub statistics: Statistics,
    /// The pixel in which an index left the grid of structure factors and ended interpolation for
    /// all pixels after it.
    pub left_grid_at: Option<PixelPlace>,
    /// The pixel of the first evaluation, if that found the cell in another state than every later
    /// one (the oddity `phi-zero`).
    pub first_evaluated: Option<PixelPlace>,
}

/// The image of one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelImage {
    /// Photons per pixel, shape `[slow][fast]`; 0 outside the region of interest and under the mask.
    pub pixels: Vec<f32>,
    /// Pixels along the fast axis.
    pub pixels_fast: u32,
    /// Pixels along the slow axis.
    pub pixels_slow: u32,
}

/// Where a pixel of a detector is. Places are ordered as pixels are rendered: by panel, then by
/// slow, then by fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PixelPlace {
    /// The number of its panel, counted from 0.
    pub panel: usize,
    /// Its row.
    pub slow: u32,
    /// Its column.
    pub fast: u32,
}

/// Renders the image of a scene.
///
/// # Errors
/// When the run is cancelled, or there is no memory or no thread for it.
pub fn render(scene: &Scene, options: &RunOptions<'_>) -> Result<Frame, Error> {
    let _span = info_span!("render").entered();
    let mut panels = scene
        .panels()
        .iter()
        .map(|panel| {
            Ok(PanelImage {
                pixels: blank_images(panel.pixel_count(), 1)?,
                pixels_fast: panel.pixels_fast(),
                pixels_slow: panel.pixels_slow(),
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let rows_total = rows_of(scene.panels());
    thread_pool(options.threads)?.install(|| {
        let mut state = Habits::at_start(scene);
        let (mut first_evaluated, mut left_grid_at) = (None, None);
        let mut solid_angle_sums_sr = Vec::new();
        for (view, image) in scene.views().zip(&mut panels) {
            let rows = Rows {
                done: solid_angle_sums_sr.len(),
                total: rows_total,
            };
            let mut sweep = Sweep::new(&view, options, &mut image.pixels, state, rows);
            first_evaluated = sweep.render_untouched_cell()?.or(first_evaluated);
            left_grid_at = sweep.render_rest()?.or(left_grid_at);
            state = sweep.state;
            solid_angle_sums_sr.extend(sweep.solid_angle_sums_sr);
        }
        let solid_angle_sr = solid_angle_sums_sr.iter().sum::<f64>() / scene.steps;
        let statistics = image_statistics(scene, &panels, solid_angle_sr);
        Ok(Frame {
            panels,
            statistics,
            left_grid_at,
            first_evaluated,
        })
    })
}

/// Rows that are rendered of these panels.
fn rows_of(panels: &[Panel]) -> usize {
    let rows = |panel: &Panel| panel.roi().slow().count();
    panels.iter().map(rows).sum()
}

/// Rows of the whole run, for whoever watches it.
#[derive(Debug, Clone, Copy)]
struct Rows {
    /// Those of the panels before.
    done: usize,
    total: usize,
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

/// The rendering of one panel in progress: everything before `next` is done.
struct Sweep<'r> {
    view: &'r View<'r>,
    options: &'r RunOptions<'r>,
    pixels: &'r mut [f32],
    /// One sum a row of the region of interest.
    solid_angle_sums_sr: Vec<f64>,
    next: Pixel,
    state: Habits,
    rows: Rows,
}

impl<'r> Sweep<'r> {
    fn new(
        view: &'r View<'r>,
        options: &'r RunOptions<'r>,
        pixels: &'r mut [f32],
        state: Habits,
        rows: Rows,
    ) -> Self {
        let roi = view.panel.roi();
        Self {
            view,
            options,
            pixels,
            solid_angle_sums_sr: vec![0.0; rows_of(std::slice::from_ref(view.panel))],
            next: Pixel {
                fast: *roi.fast().start(),
                slow: *roi.slow().start(),
            },
            state,
            rows,
        }
    }

    /// Renders, one by one, the pixels up to the first evaluation of the run, where that finds the
    /// cell in a state of its own (the oddity `phi-zero`). Returns that pixel.
    fn render_untouched_cell(&mut self) -> Result<Option<PixelPlace>, Error> {
        if !self.state.cell_is_untouched {
            return Ok(None);
        }
        let panel = self.view.panel;
        let roi = panel.roi();
        for slow in roi.slow() {
            self.check_cancel()?;
            for fast in roi.fast() {
                if !panel.uses(fast, slow) {
                    continue;
                }
                let pixel = Pixel { fast, slow };
                let sum = sum_pixel(self.view, pixel, &mut self.state, &mut Unobserved);
                let width = panel.pixels_fast() as usize;
                if let Some(out) = self.pixels.get_mut(slow as usize * width + fast as usize) {
                    *out = sum.photons as f32;
                }
                self.add_solid_angle(slow, sum.solid_angle_sum_sr);
                if !self.state.cell_is_untouched {
                    self.next = Pixel {
                        fast: fast + 1,
                        slow,
                    };
                    return Ok(Some(self.view.place(pixel)));
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
    fn render_rest(&mut self) -> Result<Option<PixelPlace>, Error> {
        // Interpolation can have ended in the one pixel of this panel that is rendered already.
        let begin = self.next;
        let roi = self.view.panel.roi();
        let is_begun = begin.fast > *roi.fast().start() && begin.slow <= *roi.slow().end();
        let has_ended = self.state.lookup != self.view.setup.lookup;
        let mut left_grid_at = (is_begun && has_ended).then(|| {
            self.view.place(Pixel {
                fast: begin.fast - 1,
                slow: begin.slow,
            })
        });
        while let Some(pixel) = self.render_until_grid_is_left()? {
            left_grid_at = Some(self.view.place(pixel));
            self.state.lookup = Lookup::Nearest;
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
        let view = self.view;
        let options = self.options;
        let (next, lookup) = (self.next, self.state.lookup);
        // A run that lanes cannot number falls back on the reference.
        let level = match options.level {
            _ if !view.suits_lanes() => Level::Reference,
            given => given.unwrap_or_else(Level::detect),
        };
        let roi = view.panel.roi();
        let mask = view.panel.mask();
        let width = view.panel.pixels_fast() as usize;
        let first_left_row = AtomicU32::new(u32::MAX);
        let rows_here = (next.slow - *roi.slow().start()) as usize;
        let rows_done = AtomicUsize::new(self.rows.done + rows_here);
        let rows_total = self.rows.total;

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
            let outcome = render_span(level, options.precision, view, &span, pixels);
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
        let row = (slow - self.view.panel.roi().slow().start()) as usize;
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
fn image_statistics(scene: &Scene, images: &[PanelImage], solid_angle_sr: f64) -> Statistics {
    let panels = || scene.panels().iter().zip(images);
    let mut sums = Vec::new();
    for (index, (panel, image)) in panels().enumerate() {
        let columns = columns_of(panel);
        let rows: Vec<RowSums> = rows_with(panel, image)
            .map(|(slow, row)| {
                let used = panel.mask().map(|mask| mask.row(slow as usize));
                let used = used.map(|used| used.get(columns.clone()).unwrap_or_default());
                RowSums::of(row, used)
            })
            .collect();
        let slow = panel.roi().slow();
        sums.extend(slow.zip(rows).map(|(slow, sums)| (index, slow, sums)));
    }
    statistics::merge(scene, &sums, images, solid_angle_sr, |mean| {
        let of_panel = |(panel, image)| -> Vec<f64> {
            rows_with(panel, image)
                .map(|(_, row)| sum_over(row, |photons| (photons - mean).powi(2)))
                .collect()
        };
        panels().flat_map(of_panel).sum()
    })
}

/// The columns of a panel that are rendered.
pub(crate) fn columns_of(panel: &Panel) -> Range<usize> {
    let fast = panel.roi().fast();
    *fast.start() as usize..*fast.end() as usize + 1
}

/// The rows of a panel that are rendered, each with the part of it that is.
fn rows_with<'i>(
    panel: &Panel,
    image: &'i PanelImage,
) -> impl IndexedParallelIterator<Item = (u32, &'i [f32])> + use<'i> {
    let columns = columns_of(panel);
    let slow = panel.roi().slow();
    image
        .pixels
        .par_chunks(image.pixels_fast as usize)
        .enumerate()
        .skip(*slow.start() as usize)
        .take((*slow.end() - *slow.start() + 1) as usize)
        .map(move |(slow, row)| (slow as u32, row.get(columns.clone()).unwrap_or_default()))
}
