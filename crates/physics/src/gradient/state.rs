//! What one pixel of a run leaves behind for the next, known in advance.

use crate::error::Error;
use crate::fixes::Oddity;
use crate::kernel::reference::{Carried, Nobody, Pixel, render_pixel};
use crate::plan::Plan;
use crate::render::{RunOptions, render};
use crate::sampling::Lookup;

/// In which state every pixel finds the run (the oddities `phi-zero` and `interpolation`): that of
/// a plain render, whatever the derivatives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunState {
    lookup: Lookup,
    /// The pixel (slow, fast) of the first evaluation, if that finds a cell of its own.
    first_evaluated: Option<(u32, u32)>,
    /// The pixel (slow, fast) in which interpolation ended.
    left_grid_at: Option<(u32, u32)>,
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
            left_grid_at: left_grid_at.map(|[fast, slow]| (slow, fast)),
        })
    }

    /// The state that `pixel` finds.
    pub(crate) fn before(&self, pixel: Pixel) -> Carried {
        let place = (pixel.slow, pixel.fast);
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

    /// The pixel that finds a cell of its own, if there is one.
    pub(crate) fn first_evaluated(&self) -> Option<Pixel> {
        let (slow, fast) = self.first_evaluated?;
        Some(Pixel { fast, slow })
    }
}

/// The first pixel in which anything is evaluated, where the cell it finds is not that of the rest.
fn first_evaluated(plan: &Plan<'_>) -> Option<(u32, u32)> {
    plan.untouched_orientations.as_ref()?;
    let experiment = plan.experiment;
    let mut carried = Carried {
        cell_is_untouched: true,
        lookup: experiment.lookup,
    };
    for slow in experiment.roi.slow() {
        for fast in experiment.roi.fast() {
            if !uses(plan, fast, slow) {
                continue;
            }
            render_pixel(plan, Pixel { fast, slow }, &mut carried, &mut Nobody);
            if !carried.cell_is_untouched {
                return Some((slow, fast));
            }
        }
    }
    None
}

/// Whether the mask leaves a pixel in.
pub(crate) fn uses(plan: &Plan<'_>, fast: u32, slow: u32) -> bool {
    let mask = plan.experiment.mask.as_ref();
    mask.is_none_or(|mask| mask.row(slow as usize).get(fast as usize) == Some(&true))
}
