//! The pixel that the fast path leaves to the general one.

use nanobragg_numeric::{Dual, Scalar};

use super::forward::TOGETHER;
use super::pixel::View;
use super::scene::{Scene, Smooth, Tangent};
use super::state::RunState;
use super::tape::Unrecorded;
use crate::error::Error;
use crate::kernel::reference::Pixel;
use crate::plan::Plan;

/// The first pixel of a run that starts at phi = 0, which finds a cell of its own (the oddity
/// `phi-zero`), worked in advance.
#[derive(Debug)]
pub(super) struct Exceptions(Option<(Pixel, f64, Vec<f64>)>);

impl Exceptions {
    pub(super) fn new(
        plan: &Plan<'_>,
        state: &RunState,
        tangents: &[Tangent],
    ) -> Result<Self, Error> {
        let Some(pixel) = state.first_evaluated(plan) else {
            return Ok(Self(None));
        };
        let scene = Scene::<Smooth>::of(plan.experiment);
        let view = View::new(plan, &scene)?;
        let photons = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut Unrecorded);
        let mut slopes = Vec::with_capacity(tangents.len());
        for group in tangents.chunks(TOGETHER) {
            let scene = Scene::<Dual<TOGETHER>>::moved(plan.experiment, group);
            let view = View::new(plan, &scene)?;
            let summed = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut Unrecorded);
            slopes.extend(summed.photons.derivatives.iter().take(group.len()));
        }
        Ok(Self(Some((pixel, photons.photons.value(), slopes))))
    }

    /// Tells of the pixel if it is in this row: where along fast, its photons and derivatives.
    pub(super) fn in_row(&self, slow: u32, tell: impl FnOnce(u32, f64, &[f64])) {
        if let Some((pixel, photons, slopes)) = &self.0
            && pixel.slow == slow
        {
            tell(pixel.fast, *photons, slopes);
        }
    }
}
