//! What one pixel of a run leaves behind for the next, known in advance.

use crate::error::Error;
use crate::fixes::Oddity;
use crate::kernel::reference::{Carried, Nobody, Pixel, render_pixel};
use crate::plan::Plan;
use crate::render::{PixelPlace, RunOptions, render};
use crate::sampling::Lookup;

/// In which state every pixel finds the run (the oddities `phi-zero` and `interpolation`): that of
/// a plain render, whatever the derivatives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunState {
    lookup: Lookup,
    /// The pixel of the first evaluation, if that finds a cell of its own.
    first_evaluated: Option<PixelPlace>,
    /// The pixel in which interpolation ended.
    left_grid_at: Option<PixelPlace>,
}

impl RunState {
    /// Finds the pixels in which the state of a run changes. Interpolation that may end takes a
    /// plain render.
    pub(crate) fn of(plan: &Plan<'_>, options: &RunOptions<'_>) -> Result<Self, Error> {
        let experiment = plan.experiment;
        let may_leave = experiment.lookup == Lookup::Tricubic
            && !experiment.fixes.contains(Oddity::Interpolation);
        let left_grid_at = if may_leave {
            let options = RunOptions {
                progress: None,
                ..*options
            };
            render(plan, &options)?.left_grid_at
        } else {
            None
        };
        Ok(Self {
            lookup: experiment.lookup,
            first_evaluated: first_evaluated(plan),
            left_grid_at,
        })
    }

    /// The state that `pixel` of the panel that `plan` looks at finds.
    pub(crate) fn before(&self, plan: &Plan<'_>, pixel: Pixel) -> Carried {
        let place = plan.place(pixel);
        let has_left = self.left_grid_at.is_some_and(|left| place > left);
        Carried {
            cell_is_untouched: self.first_evaluated == Some(place),
            lookup: if has_left {
                Lookup::Nearest
            } else {
                self.lookup
            },
        }
    }

    /// The pixel of the panel that `plan` looks at which finds a cell of its own, if there is one.
    pub(crate) fn first_evaluated(&self, plan: &Plan<'_>) -> Option<Pixel> {
        let place = self.first_evaluated?;
        (place.panel == plan.panel_index).then_some(Pixel {
            fast: place.fast,
            slow: place.slow,
        })
    }
}

/// The first pixel in which anything is evaluated, where the cell it finds is not that of the rest.
fn first_evaluated(plan: &Plan<'_>) -> Option<PixelPlace> {
    plan.untouched_orientations.as_ref()?;
    let mut carried = Carried {
        cell_is_untouched: true,
        lookup: plan.experiment.lookup,
    };
    for plan in plan.panels() {
        for slow in plan.panel.roi().slow() {
            for fast in plan.panel.roi().fast() {
                if !plan.panel.uses(fast, slow) {
                    continue;
                }
                let pixel = Pixel { fast, slow };
                render_pixel(&plan, pixel, &mut carried, &mut Nobody);
                if !carried.cell_is_untouched {
                    return Some(plan.place(pixel));
                }
            }
        }
    }
    None
}
