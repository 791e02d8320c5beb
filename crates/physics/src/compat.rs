//! The C program's two habits that depend on the order of pixels. Only this file knows them.
//!
//! | habit | what C does |
//! |---|---|
//! | `phi-zero` | until the first evaluation of a run has rotated the cell, a step at phi = 0 finds it untouched |
//! | `interpolation` | the first index that leaves the grid of structure factors ends interpolation for good |
//!
//! Everything else in a run is a function of one pixel alone. So the pixels in which a run changes its
//! habits are found first ([`History`]), and then every pixel starts from what a run on one thread would
//! have left behind there ([`Habits`]), whichever thread works on it.

use nanobragg_numeric::Scalar;

use crate::error::Error;
use crate::fixes::Oddity;
use crate::render::{Frame, PixelPlace, RunOptions, render};
use crate::sampling::Lookup;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
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
    first_evaluated: Option<PixelPlace>,
    /// The pixel in which interpolation ended.
    left_grid_at: Option<PixelPlace>,
}

impl History {
    /// Finds them, whatever the derivatives. Interpolation that may end takes a plain render.
    pub(crate) fn of(scene: &Scene, options: &RunOptions<'_>) -> Result<Self, Error> {
        let may_leave = scene.setup.lookup == Lookup::Tricubic
            && !scene.setup.fixes.contains(Oddity::Interpolation);
        let left_grid_at = if may_leave {
            let options = RunOptions {
                progress: None,
                ..*options
            };
            render(scene, &options)?.left_grid_at
        } else {
            None
        };
        Ok(Self {
            lookup: scene.setup.lookup,
            first_evaluated: first_evaluated(scene),
            left_grid_at,
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

/// The first pixel in which anything is evaluated, where the cell it finds is not that of the rest.
fn first_evaluated(scene: &Scene) -> Option<PixelPlace> {
    let mut habits = Habits::at_start(scene);
    if !habits.cell_is_untouched {
        return None;
    }
    for view in scene.views() {
        let roi = view.panel.roi();
        for (slow, fast) in roi
            .slow()
            .flat_map(|slow| roi.fast().map(move |fast| (slow, fast)))
        {
            if !view.panel.uses(fast, slow) {
                continue;
            }
            let pixel = Pixel { fast, slow };
            sum_pixel(&view, pixel, &mut habits, &mut Unobserved);
            if !habits.cell_is_untouched {
                return Some(view.place(pixel));
            }
        }
    }
    None
}
