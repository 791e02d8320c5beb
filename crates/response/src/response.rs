//! A detector that takes one image: photons through all stages.

use std::ops::{Range, RangeInclusive};

use crate::digitise::{Count, Digitise, Rounding};
use crate::{Context, Error, Gain, ResponseSpec, ResponseStage, Strip};

/// Pixels of a strip: few enough for the caches next to a core.
const STRIP_PIXELS: usize = 2048;

/// The pixels of a panel that are counted, both ends included; all others are 0, without an offset.
/// What reaches beyond the panel is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From the first to the last pixel along the fast axis.
    pub fast: RangeInclusive<usize>,
    /// From the first to the last pixel along the slow axis.
    pub slow: RangeInclusive<usize>,
}

impl Window {
    /// All of a panel.
    pub const ALL: Self = Self {
        fast: 0..=usize::MAX,
        slow: 0..=usize::MAX,
    };
}

/// What of `0..count` is in `range`.
fn within(range: &RangeInclusive<usize>, count: usize) -> Range<usize> {
    let end = range.end().saturating_add(1).min(count);
    (*range.start()).min(end)..end
}

/// The photons expected on a panel.
#[derive(Debug, Clone)]
pub struct PanelPhotons<'a> {
    /// Photons of each pixel, `[slow][fast]`.
    pub pixels: &'a [f32],
    /// Pixels of a row.
    pub width: usize,
    /// Which of them are counted.
    pub window: Window,
}

/// What a detector hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts<P> {
    /// The counts; as [`Response::apply`] returns them `[slow][fast]` for each panel.
    pub pixels: P,
    /// Photons counted in all, before gain, offset and clipping; `None` without a stage that counts.
    pub photons: Option<f64>,
    /// Pixels above the saturation, which hold that.
    pub overloads: u64,
    /// What was added to each pixel.
    pub offset_counts: f64,
    /// The largest count.
    pub saturation_counts: u32,
}

impl<P> Counts<P> {
    /// The same with the pixels held in another way.
    ///
    /// # Errors
    /// That of `f`.
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

/// The stages of a detector, at the beginning of an image.
#[derive(Debug)]
pub struct Response {
    stages: Vec<Box<dyn ResponseStage>>,
    digitise: Digitise,
    context: Context,
    offset_counts: f64,
}

impl Response {
    /// A measured image, which goes through all stages: the noise image of the C program. A seed
    /// gives the same counts everywhere.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a number of the spec.
    pub fn measured(spec: &ResponseSpec, seed: i64) -> Result<Self, Error> {
        Self::new(spec, spec.stages(), Rounding::Truncate, seed)
    }

    /// The integer image of the C program: `scale` counts a photon and the offset, without noise.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a number of the spec.
    pub fn integers(spec: &ResponseSpec, scale: f64) -> Result<Self, Error> {
        let stages = vec![scaled(scale), Box::new(spec.offset.unwrap_or_default())];
        Self::new(spec, stages, Rounding::NearestSingle, 0)
    }

    /// The grey image of the C program: `scale` greys a photon, without offset or noise.
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

    /// Takes panels through all stages, in their order: the random stream runs on from each to the
    /// next. `go_on` is asked again and again; `false` stops.
    ///
    /// # Errors
    /// [`Error::Shape`] for a panel that is no rectangle, [`Error::Stopped`].
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

    /// The counts of one panel, and how many of them are overloads.
    ///
    /// Some rows at a time go through all stages, so that no second image of wide numbers is needed.
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

/// A scale that no detector has chosen: it need not be above 0.
fn scaled(scale: f64) -> Box<dyn ResponseStage> {
    Box::new(Gain {
        counts_per_photon: scale,
    })
}
