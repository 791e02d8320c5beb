//! The C program's two habits that depend on the order of pixels. Only this file knows them.
//!
//! | habit | what C does |
//! |---|---|
//! | `phi-zero` | until the first evaluation of a run has rotated the cell, a step at phi = 0 finds it untouched |
//! | `interpolation` | the first index that leaves the grid of structure factors ends interpolation for good |
//!
//! Everything else in a run is a function of one pixel alone, and backends render nothing else. What
//! the habits change is repaired here ([`paint`]): single pixels are summed anew, from what a run on one
//! thread would have left behind there ([`Habits`]), and where interpolation has ended, the rest is
//! rendered without it. The pixels in which a run changed its habits ([`History`]) are what gradients,
//! traces and the table of reflections have to know of it.

use nanobragg_numeric::Scalar;

use crate::driver::stop_if_cancelled;
use crate::error::Error;
use crate::fixes::Oddity;
use crate::render::{Canvas, Frame, PixelPlace, RunOptions, render};
use crate::sampling::Lookup;
use crate::scalar::{Pixel, PixelSum, Unobserved, sum_pixel};
use crate::scene::{Orientation, Scene, View};

/// What a run has left behind, as one evaluation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// No evaluation of this run has rotated the cell yet.
    pub(crate) cell_is_untouched: bool,
    /// How structure factors are looked up from here on.
    pub(crate) lookup: Lookup,
}

impl Habits {
    /// Those of a run that has evaluated something before.
    pub(crate) fn steady(lookup: Lookup) -> Self {
        Self {
            cell_is_untouched: false,
            lookup,
        }
    }

    /// Those of a run that begins.
    pub(crate) fn at_start<T>(scene: &Scene<T>) -> Self {
        Self {
            cell_is_untouched: scene.untouched_orientations.is_some(),
            lookup: scene.setup.lookup,
        }
    }

    /// The orientations that the next evaluation sums over.
    #[inline(always)]
    pub(crate) fn orientations<'s, T>(
        &mut self,
        scene: &'s Scene<T>,
    ) -> impl Iterator<Item = &'s Orientation<T>> + use<'s, T> {
        let untouched = match &scene.untouched_orientations {
            Some(first_step) if self.cell_is_untouched => &first_step[..],
            _ => &[],
        };
        self.cell_is_untouched = false;
        // They stand in the place of the first phi step.
        let swept = scene.orientations.iter().skip(untouched.len());
        untouched.iter().chain(swept)
    }

    /// The structure factor at fractional `hkl`, and how it was looked up.
    ///
    /// An index too close to the edge of the grid ends interpolation for the rest of the run, this
    /// evaluation included. With the fix this evaluation alone goes without.
    #[inline(always)]
    pub(crate) fn look_up<T: Scalar>(&mut self, scene: &Scene<T>, hkl: [T; 3]) -> (Lookup, T) {
        let factors = &scene.setup.factors;
        let value_at = |offset: usize| {
            let moved = scene.moved_factors.iter().find(|(at, _)| *at == offset);
            match moved {
                Some((_, factor)) => *factor,
                None => {
                    let listed = factors.values().get(offset).copied();
                    T::from_f64(listed.unwrap_or(factors.default_f()))
                }
            }
        };
        if self.lookup == Lookup::Tricubic {
            match factors.tricubic_of(hkl, value_at) {
                Some(factor) => return (Lookup::Tricubic, factor),
                None if scene.setup.fixes.contains(Oddity::Interpolation) => {}
                None => self.lookup = Lookup::Nearest,
            }
        }
        let nearest = factors.offset_of_nearest(hkl.map(T::value));
        let factor = nearest.map_or(T::from_f64(factors.default_f()), value_at);
        (Lookup::Nearest, factor)
    }
}

/// The pixels in which a run changes its habits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    lookup: Lookup,
    /// The pixel of the first evaluation, if that finds a cell of its own.
    pub(crate) first_evaluated: Option<PixelPlace>,
    /// The pixel in which interpolation ended.
    pub(crate) left_grid_at: Option<PixelPlace>,
}

/// Renders the whole image, with every pixel as a run on one thread leaves it.
///
/// The first evaluation is worked first: it alone finds the untouched cell, and may end interpolation
/// that any other cell would not end. No pixel before it evaluates anything, so from then on one lookup
/// serves all pixels, until an index leaves the grid. That pixel changes its lookup midway, which the
/// scalar sum knows how to do. The pixels after it are rendered with what it leaves behind.
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
    }
    let mut from = PixelPlace {
        panel: 0,
        slow: 0,
        fast: 0,
    };
    while let Some(place) = canvas.render_from(from, lookup)? {
        let mut habits = Habits::steady(lookup);
        let sum = sum_at(scene, place, &mut habits);
        canvas.put(place, sum.photons as f32);
        canvas.add_solid_angle(place, sum.solid_angle_sum_sr);
        // With the cell of the first evaluation it is known already what this pixel leaves behind.
        if history.first_evaluated != Some(place) && habits.lookup != lookup {
            history.left_grid_at = Some(place);
            lookup = habits.lookup;
        }
        from = PixelPlace {
            fast: place.fast + 1,
            ..place
        };
    }
    if let Some((place, sum, _)) = first {
        canvas.put(place, sum.photons as f32);
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

/// The first pixel in which anything is evaluated, its sum, and what it leaves behind; `None` where the
/// cell that it finds is that of all others.
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
    /// Finds them, whatever the derivatives. Interpolation that may end takes a plain render.
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

    /// That of a run which left this frame.
    pub(crate) fn of_frame(scene: &Scene, frame: &Frame) -> Self {
        Self {
            lookup: scene.setup.lookup,
            first_evaluated: frame.first_evaluated,
            left_grid_at: frame.left_grid_at,
        }
    }

    /// What the run has left behind before a pixel.
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

    /// The pixel of this panel that finds a cell of its own, if there is one.
    pub(crate) fn first_evaluated(&self, view: &View<'_>) -> Option<Pixel> {
        let place = self.first_evaluated?;
        (place.panel == view.panel_index).then_some(Pixel {
            fast: place.fast,
            slow: place.slow,
        })
    }
}
