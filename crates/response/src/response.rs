//! A detector for one image: the stages, applied to the photons of all panels.

use std::ops::{Range, RangeInclusive};

use crate::digitise::{Count, Digitise, Rounding};
use crate::threads::{map_chunks, on_threads};
use crate::{Context, Error, Gain, NoiseStream, ResponseSpec, ResponseStage, Strip};

/// The number of pixels in a strip. Its numbers fit in the cache of a core.
const STRIP_PIXELS: usize = 2048;

/// The pixels of a panel that the stages are applied to. Both ranges include their ends. All other
/// pixels are 0, without an offset. The part of a window outside the panel is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The first and the last pixel along the fast axis.
    pub fast: RangeInclusive<usize>,
    /// The first and the last pixel along the slow axis.
    pub slow: RangeInclusive<usize>,
}

impl Window {
    /// All pixels of a panel.
    pub const ALL: Self = Self {
        fast: 0..=usize::MAX,
        slow: 0..=usize::MAX,
    };
}

/// The part of `range` that is in `0..count`.
fn within(range: &RangeInclusive<usize>, count: usize) -> Range<usize> {
    let end = range.end().saturating_add(1).min(count);
    (*range.start()).min(end)..end
}

/// The expected photons of a panel.
#[derive(Debug, Clone)]
pub struct PanelPhotons<'a> {
    /// The panel, counted from 0. With the counter stream the noise of a panel depends on its number.
    pub panel: usize,
    /// The photons of each pixel, `[slow][fast]`.
    pub pixels: &'a [f32],
    /// The number of pixels in a row.
    pub width: usize,
    /// The pixels that the stages are applied to.
    pub window: Window,
}

/// The counts of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts<P> {
    /// The counts. From [`Response::apply`] they are `[slow][fast]` for each panel.
    pub pixels: P,
    /// The sum of the counted photons, before gain, offset and clipping. `None` without the stage
    /// [`Counting`](crate::Counting).
    pub photons: Option<f64>,
    /// The number of pixels above the saturation. They are clipped to it.
    pub overloads: u64,
    /// The offset that was added to each pixel.
    pub offset_counts: f64,
    /// The largest count.
    pub saturation_counts: u32,
}

impl<P> Counts<P> {
    /// The same counts with the pixels converted by `f`.
    ///
    /// # Errors
    /// The error of `f`.
    pub fn try_map<Q, E>(self, f: impl FnOnce(P) -> Result<Q, E>) -> Result<Counts<Q>, E> {
        Ok(Counts {
            pixels: f(self.pixels)?,
            photons: self.photons,
            overloads: self.overloads,
            offset_counts: self.offset_counts,
            saturation_counts: self.saturation_counts,
        })
    }
}

/// The stages of a detector at the start of an image.
#[derive(Debug)]
pub struct Response {
    stages: Vec<Box<dyn ResponseStage>>,
    digitise: Digitise,
    noise_stream: NoiseStream,
    seed: i64,
    threads: usize,
    offset_counts: f64,
}

/// The function that is asked repeatedly whether to go on.
type GoOn<'f> = &'f (dyn Fn() -> bool + Sync);

impl Response {
    /// The response of a measured image: all stages, as for the noise image of the C program. The same
    /// seed gives the same counts on every machine and, with [`NoiseStream::Counter`], on any number of
    /// threads and for any window.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a wrong number in the spec.
    pub fn measured(spec: &ResponseSpec, seed: i64) -> Result<Self, Error> {
        Self::new(spec, spec.stages(), Rounding::Truncate, seed)
    }

    /// The response of the integer image of the C program: `scale` counts per photon plus the offset,
    /// without noise.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a wrong number in the spec.
    pub fn integers(spec: &ResponseSpec, scale: f64) -> Result<Self, Error> {
        let stages = vec![scaled(scale), Box::new(spec.offset.unwrap_or_default())];
        Self::new(spec, stages, Rounding::NearestSingle, 0)
    }

    /// The response of the grey image of the C program: `scale` grey levels per photon, without offset
    /// and noise.
    pub fn greys(scale: f64) -> Self {
        Self {
            stages: vec![scaled(scale)],
            digitise: Digitise {
                rounding: Rounding::Truncate,
                saturation_counts: u32::MAX,
            },
            noise_stream: NoiseStream::C,
            seed: 0,
            threads: 1,
            offset_counts: 0.0,
        }
    }

    fn new(
        spec: &ResponseSpec,
        stages: Vec<Box<dyn ResponseStage>>,
        rounding: Rounding,
        seed: i64,
    ) -> Result<Self, Error> {
        spec.check()?;
        Ok(Self {
            stages,
            digitise: Digitise {
                rounding,
                saturation_counts: spec.saturation_counts.unwrap_or(u32::MAX),
            },
            noise_stream: spec.noise_stream.unwrap_or_default(),
            seed,
            threads: 0,
            offset_counts: spec.offset.unwrap_or_default().counts,
        })
    }

    /// The number of threads, if the noise is of the counter stream; 0, the default, is one for each core.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Applies all stages to the panels, in their order. The random stream of the C program continues from
    /// panel to panel. `go_on` is called for every strip; if it returns `false`, the computation stops.
    ///
    /// # Errors
    /// [`Error::Shape`] for a panel whose pixels do not form a rectangle, [`Error::Stopped`].
    pub fn apply<C: Count>(
        self,
        panels: &[PanelPhotons<'_>],
        go_on: GoOn<'_>,
    ) -> Result<Counts<Vec<Vec<C>>>, Error> {
        match self.noise_stream {
            NoiseStream::C => self.all_panels(panels, go_on),
            NoiseStream::Counter => on_threads(self.threads, || self.all_panels(panels, go_on)),
        }
    }

    fn all_panels<C: Count>(
        &self,
        panels: &[PanelPhotons<'_>],
        go_on: GoOn<'_>,
    ) -> Result<Counts<Vec<Vec<C>>>, Error> {
        let mut context = Context::new(self.noise_stream, self.seed);
        let mut overloads = 0;
        let mut pixels = Vec::with_capacity(panels.len());
        for panel in panels {
            if panel.width == 0 || !panel.pixels.len().is_multiple_of(panel.width) {
                return Err(Error::Shape {
                    panel: panel.panel,
                    pixels: panel.pixels.len(),
                    width: panel.width,
                });
            }
            let (counts, over) = self.panel(panel, &mut context, go_on)?;
            pixels.push(counts);
            overloads += over;
        }
        Ok(Counts {
            pixels,
            photons: context.photons,
            overloads,
            offset_counts: self.offset_counts,
            saturation_counts: self.digitise.full::<C>(),
        })
    }

    /// The counts of one panel and the number of overloads.
    ///
    /// All stages are applied to a few rows at a time. The `f64` numbers of the full panel are
    /// therefore never in memory, unless a stage needs them.
    fn panel<C: Count>(
        &self,
        panel: &PanelPhotons<'_>,
        context: &mut Context,
        go_on: GoOn<'_>,
    ) -> Result<(Vec<C>, u64), Error> {
        let mut counts = vec![C::default(); panel.pixels.len()];
        let columns = within(&panel.window.fast, panel.width);
        let rows = within(&panel.window.slow, panel.pixels.len() / panel.width);
        let width = columns.len();
        if width == 0 || rows.is_empty() {
            return Ok((counts, 0));
        }
        // With C's stream, counting and read-out draw in turns, strip by strip. With read-out noise the
        // size of a strip is therefore part of what a seed gives, and must not change.
        let rows_at_a_time = (STRIP_PIXELS / width).max(1);
        // The strip has only the pixels of the window: the others draw no random numbers.
        let load = |rows: Range<usize>, strip: &mut Vec<f64>| {
            let all = panel.pixels.chunks_exact(panel.width);
            for row in all.skip(rows.start).take(rows.len()) {
                let inside = row.get(columns.clone()).unwrap_or_default();
                strip.extend(inside.iter().map(|&photons| f64::from(photons)));
            }
        };
        let apply = |stage: &dyn ResponseStage, first_row, pixels: &mut [f64], context: &mut _| {
            let mut strip = Strip {
                pixels,
                width,
                panel: panel.panel,
                first_fast: columns.start,
                first_slow: rows.start + first_row,
            };
            stage.apply(&mut strip, context);
        };
        let write = |from: &[f64], to: &mut [C]| -> u64 {
            let rows = to
                .chunks_exact_mut(panel.width)
                .zip(from.chunks_exact(width));
            let each = rows.map(|(to, from)| {
                let to = to.get_mut(columns.clone()).unwrap_or_default();
                self.digitise.write(from, to)
            });
            each.sum()
        };
        let inside = rows.start * panel.width..rows.end * panel.width;
        let inside = counts.get_mut(inside).unwrap_or_default();
        let overloads = if self.stages.iter().any(|stage| stage.needs_panel()) {
            let mut all = Vec::with_capacity(rows.len() * width);
            load(rows.clone(), &mut all);
            for stage in &self.stages {
                // C's stream draws for the full panel; a strip of the counter stream can be any part of it.
                let at_a_time = match (stage.needs_panel(), self.noise_stream) {
                    (true, _) | (_, NoiseStream::C) => rows.len(),
                    (false, NoiseStream::Counter) => rows_at_a_time,
                };
                let strips = Strips { at_a_time, width };
                self.over_strips(
                    strips,
                    &mut all,
                    context,
                    go_on,
                    |first_row, strip, context| {
                        apply(stage.as_ref(), first_row, strip, context);
                        0
                    },
                )?;
            }
            write(&all, inside)
        } else {
            let strips = Strips {
                at_a_time: rows_at_a_time,
                width: panel.width,
            };
            self.over_strips(
                strips,
                inside,
                context,
                go_on,
                |first_row, counts, context| {
                    let count = counts.len() / panel.width;
                    let first = rows.start + first_row;
                    let mut strip = Vec::with_capacity(count * width);
                    load(first..first + count, &mut strip);
                    for stage in &self.stages {
                        apply(stage.as_ref(), first_row, &mut strip, context);
                    }
                    write(&strip, counts)
                },
            )?
        };
        Ok((counts, overloads))
    }

    /// Calls `work` for each strip of `all`, with the number of its first row, and returns the sum of its
    /// results. With the counter stream strips have contexts of their own and are worked on by all threads.
    fn over_strips<T: Send>(
        &self,
        Strips { at_a_time, width }: Strips,
        all: &mut [T],
        context: &mut Context,
        go_on: GoOn<'_>,
        work: impl Fn(usize, &mut [T], &mut Context) -> u64 + Sync + Send,
    ) -> Result<u64, Error> {
        let strip = |place: usize, strip: &mut [T], context: &mut Context| {
            if !go_on() {
                return Err(Error::Stopped);
            }
            Ok(work(place * at_a_time, strip, context))
        };
        match self.noise_stream {
            NoiseStream::C => {
                let strips = all.chunks_mut(at_a_time * width).enumerate();
                let each = strips.map(|(place, pixels)| strip(place, pixels, context));
                each.sum()
            }
            NoiseStream::Counter => {
                let is_counted = context.is_counted;
                let each = map_chunks(self.threads, all, at_a_time * width, |place, pixels| {
                    let mut own = Context::new(self.noise_stream, self.seed);
                    own.is_counted = is_counted;
                    Ok((strip(place, pixels, &mut own)?, own))
                });
                // The photons are added up in the order of the strips, so that threads change no bit.
                let mut sum = 0;
                for result in each {
                    let (counted, own) = result?;
                    sum += counted;
                    context.is_counted |= own.is_counted;
                    if let Some(photons) = own.photons {
                        context.photons = Some(context.photons.unwrap_or_default() + photons);
                    }
                }
                Ok(sum)
            }
        }
    }
}

/// Strips of some rows.
#[derive(Debug, Clone, Copy)]
struct Strips {
    at_a_time: usize,
    width: usize,
}

/// The stage of a scale. Unlike the gain of a detector it can be 0 or negative, so it is not checked.
fn scaled(scale: f64) -> Box<dyn ResponseStage> {
    Box::new(Gain {
        counts_per_photon: scale,
    })
}
