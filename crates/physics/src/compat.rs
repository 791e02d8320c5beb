//! The two habits of the C program that depend on the order of pixels. No other file has them.
//!
//! | habit | what C does |
//! |---|---|
//! | `phi-zero` | a step at phi = 0 keeps the cell of the step before it; in the first evaluation of a run the cell is unrotated |
//! | `interpolation` | the first index that leaves the grid of structure factors ends interpolation for the rest |
//!
//! An evaluation is the sum over phi steps and domains for one sub-pixel and source. All other results
//! are functions of one pixel alone, and backends compute only those. [`paint`] repairs what the habits
//! change. It sums single pixels again, with the state ([`Habits`]) in which a run on one thread
//! reaches them. Where interpolation has ended, it renders the rest without interpolation. [`History`]
//! lists the pixels in which the state changed; gradients, traces and the table of reflections need it.

use nanobragg_numeric::Scalar;

use crate::backend::stored;
use crate::driver::stop_if_cancelled;
use crate::error::Error;
use crate::fixes::Oddity;
use crate::render::{Canvas, Frame, PixelPlace, RunOptions, render};
use crate::sampling::Lookup;
use crate::scalar::{Pixel, PixelSum, Unobserved, sum_pixel};
use crate::scene::{Orientation, Scene, View};

/// The state that an evaluation receives from the evaluations before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// No evaluation of this run has rotated the cell yet.
    pub(crate) cell_is_untouched: bool,
    /// How structure factors are looked up from here on.
    pub(crate) lookup: Lookup,
}

impl Habits {
    /// The state after the first evaluation of a run.
    pub(crate) fn steady(lookup: Lookup) -> Self {
        Self {
            cell_is_untouched: false,
            lookup,
        }
    }

    /// The state at the start of a run.
    pub(crate) fn at_start<T>(scene: &Scene<T>) -> Self {
        Self {
            cell_is_untouched: scene.untouched_orientations.is_some(),
            lookup: scene.setup.lookup,
        }
    }

    /// The orientations that the next evaluation sums over, each with its number.
    #[inline(always)]
    pub(crate) fn orientations<'s, T>(
        &mut self,
        scene: &'s Scene<T>,
    ) -> impl Iterator<Item = (usize, &'s Orientation<T>)> + use<'s, T> {
        let untouched = match &scene.untouched_orientations {
            Some(first_step) if self.cell_is_untouched => &first_step[..],
            _ => &[],
        };
        self.cell_is_untouched = false;
        // The unrotated orientations replace those of the first phi step.
        let swept = scene.orientations.iter().skip(untouched.len());
        untouched.iter().chain(swept).enumerate()
    }

    /// The structure factor in electrons at the fractional indices `hkl`, and the kind of lookup used.
    ///
    /// An index too close to the edge of the grid ends interpolation for the rest of the run, this
    /// evaluation included. With the fix only this lookup is without interpolation.
    #[inline(always)]
    pub(crate) fn look_up<T: Scalar>(&mut self, view: &View<'_, T>, hkl: [T; 3]) -> (Lookup, T) {
        let factors = view.factors;
        let value_at = |offset| view.factor_at(offset);
        if self.lookup == Lookup::Tricubic {
            match factors.tricubic_of(hkl, value_at) {
                Some(factor) => return (Lookup::Tricubic, factor),
                None if view.setup.fixes.contains(Oddity::Interpolation) => {}
                None => self.lookup = Lookup::Nearest,
            }
        }
        (Lookup::Nearest, view.nearest_factor(hkl.map(T::value)))
    }
}

/// The pixels in which the state of a run changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    lookup: Lookup,
    /// The pixel of the first evaluation, if the cell there differs from that of every later evaluation.
    pub(crate) first_evaluated: Option<PixelPlace>,
    /// The pixel in which interpolation ended.
    pub(crate) left_grid_at: Option<PixelPlace>,
}

/// Renders the whole image, with every pixel as in a run on one thread.
///
/// The pixel of the first evaluation is summed first. Only it has the unrotated cell, and with that cell it may
/// end interpolation where no other cell would. No pixel before it evaluates anything, so one lookup holds for
/// all pixels until an index leaves the grid. In that pixel the lookup changes during the sum, so the scalar
/// sum renders it. The pixels after it are rendered with the changed lookup.
pub(crate) fn paint(canvas: &mut Canvas<'_>) -> Result<History, Error> {
    let scene = canvas.scene;
    let mut history = History {
        lookup: scene.setup.lookup,
        first_evaluated: None,
        left_grid_at: None,
    };
    let mut lookup = scene.setup.lookup;
    let first = first_evaluation(scene, canvas.options)?;
    if let Some((place, _, left)) = first {
        history.first_evaluated = Some(place);
        history.left_grid_at = (left.lookup != lookup).then_some(place);
        lookup = left.lookup;
        canvas.expect_other_photons(place);
    }
    let mut from = PixelPlace {
        panel: 0,
        slow: 0,
        fast: 0,
    };
    while let Some(place) = canvas.render_from(from, lookup)? {
        let mut habits = Habits::steady(lookup);
        let sum = sum_at(scene, place, &mut habits);
        canvas.put(place, stored(sum.photons));
        canvas.add_solid_angle(place, sum.solid_angle_sum_sr);
        // In the pixel of the first evaluation the state was already determined above, with its own cell.
        if history.first_evaluated != Some(place) && habits.lookup != lookup {
            history.left_grid_at = Some(place);
            lookup = habits.lookup;
        }
        if history.first_evaluated != Some(place) {
            canvas.share(place, stored(sum.photons), habits.lookup);
        }
        from = PixelPlace {
            fast: place.fast + 1,
            ..place
        };
    }
    if let Some((place, sum, left)) = first {
        canvas.put(place, stored(sum.photons));
        canvas.share(place, stored(sum.photons), left.lookup);
    }
    Ok(history)
}

fn sum_at(scene: &Scene, place: PixelPlace, habits: &mut Habits) -> PixelSum<f64> {
    let PixelPlace { panel, slow, fast } = place;
    sum_pixel(
        &scene.view(panel),
        Pixel { fast, slow },
        habits,
        &mut Unobserved,
    )
}

/// The first pixel in which anything is evaluated, its sum, and the state after it; `None` if the first
/// evaluation has the same cell as all others.
fn first_evaluation(
    scene: &Scene,
    options: &RunOptions<'_>,
) -> Result<Option<(PixelPlace, PixelSum<f64>, Habits)>, Error> {
    let mut habits = Habits::at_start(scene);
    if !habits.cell_is_untouched {
        return Ok(None);
    }
    for (panel, region) in scene.panels().iter().enumerate() {
        for slow in region.roi().slow() {
            stop_if_cancelled(options)?;
            for fast in region.roi().fast().filter(|&fast| region.uses(fast, slow)) {
                let place = PixelPlace { panel, slow, fast };
                let sum = sum_at(scene, place, &mut habits);
                if !habits.cell_is_untouched {
                    return Ok(Some((place, sum, habits)));
                }
            }
        }
    }
    Ok(None)
}

impl History {
    /// Determines the history. Derivatives do not change it. If interpolation may end, this takes a
    /// plain render.
    pub(crate) fn of(scene: &Scene, options: &RunOptions<'_>) -> Result<Self, Error> {
        let may_leave = scene.setup.lookup == Lookup::Tricubic
            && !scene.setup.fixes.contains(Oddity::Interpolation);
        if may_leave {
            let options = RunOptions {
                progress: None,
                ..*options
            };
            return Ok(Self::of_frame(scene, &render(scene, &options)?));
        }
        Ok(Self {
            lookup: scene.setup.lookup,
            first_evaluated: first_evaluation(scene, options)?.map(|(place, ..)| place),
            left_grid_at: None,
        })
    }

    /// The history of the run that rendered `frame`.
    pub(crate) fn of_frame(scene: &Scene, frame: &Frame) -> Self {
        Self {
            lookup: scene.setup.lookup,
            first_evaluated: frame.first_evaluated,
            left_grid_at: frame.left_grid_at,
        }
    }

    /// The state in which the run reaches a pixel.
    pub(crate) fn before(&self, place: PixelPlace) -> Habits {
        let has_left = self.left_grid_at.is_some_and(|left| place > left);
        Habits {
            cell_is_untouched: self.first_evaluated == Some(place),
            lookup: if has_left {
                Lookup::Nearest
            } else {
                self.lookup
            },
        }
    }

    /// The pixel of the first evaluation if it is on this panel and has a cell of its own.
    pub(crate) fn first_evaluated(&self, view: &View<'_>) -> Option<Pixel> {
        let place = self.first_evaluated?;
        (place.panel == view.panel_index).then_some(Pixel {
            fast: place.fast,
            slow: place.slow,
        })
    }
}
