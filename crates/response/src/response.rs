//! A detector for one image: the stages, applied to the photons of all panels.

use std::ops::{Range, RangeInclusive};

use crate::digitise::{Count, Digitise, Rounding};
use crate::{Context, Error, Gain, ResponseSpec, ResponseStage, Strip};

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
    context: Context,
    offset_counts: f64,
}

impl Response {
    /// The response of a measured image: all stages, as for the noise image of the C program. The same
    /// seed gives the same counts on every machine.
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
            context: Context::new(0),
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
            context: Context::new(seed),
            offset_counts: spec.offset.unwrap_or_default().counts,
        })
    }

    /// Applies all stages to the panels, in their order. The random stream continues from panel to
    /// panel. `go_on` is called for every strip; if it returns `false`, the computation stops.
    ///
    /// # Errors
    /// [`Error::Shape`] for a panel whose pixels do not form a rectangle, [`Error::Stopped`].
    pub fn apply<C: Count>(
        mut self,
        panels: &[PanelPhotons<'_>],
        go_on: &dyn Fn() -> bool,
    ) -> Result<Counts<Vec<Vec<C>>>, Error> {
        let mut overloads = 0;
        let mut pixels = Vec::with_capacity(panels.len());
        for (number, panel) in panels.iter().enumerate() {
            if panel.width == 0 || !panel.pixels.len().is_multiple_of(panel.width) {
                return Err(Error::Shape {
                    panel: number,
                    pixels: panel.pixels.len(),
                    width: panel.width,
                });
            }
            let (counts, over) = self.panel(number, panel, go_on)?;
            pixels.push(counts);
            overloads += over;
        }
        Ok(Counts {
            pixels,
            photons: self.context.photons,
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
        &mut self,
        number: usize,
        panel: &PanelPhotons<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(Vec<C>, u64), Error> {
        let mut counts = vec![C::default(); panel.pixels.len()];
        let mut overloads = 0;
        let columns = within(&panel.window.fast, panel.width);
        let rows = within(&panel.window.slow, panel.pixels.len() / panel.width);
        let width = columns.len();
        if width == 0 {
            return Ok((counts, 0));
        }
        // Counting and read-out draw from the same stream in turns, strip by strip. With read-out noise
        // the size of a strip is therefore part of what a seed gives, and must not change.
        let rows_at_a_time = match self.stages.iter().any(|stage| stage.needs_panel()) {
            true => rows.len(),
            false => STRIP_PIXELS / width,
        }
        .max(1);
        let mut strip = Vec::with_capacity(rows_at_a_time.min(rows.len()) * width);
        for first_slow in rows.clone().step_by(rows_at_a_time) {
            if !go_on() {
                return Err(Error::Stopped);
            }
            // The strip has only the pixels of the window: the others draw no random numbers.
            let count = rows_at_a_time.min(rows.end - first_slow);
            strip.clear();
            for row in (panel.pixels.chunks_exact(panel.width).skip(first_slow)).take(count) {
                let inside = row.get(columns.clone()).unwrap_or_default();
                strip.extend(inside.iter().map(|&photons| f64::from(photons)));
            }
            for stage in &self.stages {
                let mut strip = Strip {
                    pixels: &mut strip,
                    width,
                    panel: number,
                    first_fast: columns.start,
                    first_slow,
                };
                stage.apply(&mut strip, &mut self.context);
            }
            let to = counts.chunks_exact_mut(panel.width).skip(first_slow);
            for (to, from) in to.zip(strip.chunks_exact(width)) {
                let to = to.get_mut(columns.clone()).unwrap_or_default();
                overloads += self.digitise.write(from, to);
            }
        }
        Ok((counts, overloads))
    }
}

/// The stage of a scale. Unlike the gain of a detector it can be 0 or negative, so it is not checked.
fn scaled(scale: f64) -> Box<dyn ResponseStage> {
    Box::new(Gain {
        counts_per_photon: scale,
    })
}
