//! The pixel that needs the general path in a scene with the fast path.

use nanobragg_numeric::{Dual, Scalar};

use super::forward::TOGETHER;
use super::numbers::{Numbers, Smooth, Tangent};
use crate::compat::History;
use crate::error::Error;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::View;

/// The pixel of the first evaluation of a run that starts at phi = 0, which has a cell of its own (the
/// oddity `phi-zero`), with its photons and derivatives.
#[derive(Debug)]
pub(super) struct Exceptions(Option<(Pixel, f64, Vec<f64>)>);

impl Exceptions {
    pub(super) fn new(
        view: &View<'_>,
        history: &History,
        tangents: &[Tangent],
    ) -> Result<Self, Error> {
        let Some(pixel) = history.first_evaluated(view) else {
            return Ok(Self(None));
        };
        let habits = history.before(view.place(pixel));
        let smooth = view.with_numbers(&view.setup.numbers.map(Smooth::constant))?;
        let smooth = smooth.view(view.panel_index);
        let photons = sum_pixel(&smooth, pixel, &mut { habits }, &mut Unobserved).photons;
        let mut slopes = Vec::with_capacity(tangents.len());
        for group in tangents.chunks(TOGETHER) {
            let numbers = Numbers::<Dual<TOGETHER>>::moved(&view.setup, group);
            let moved = view.with_numbers(&numbers)?;
            let moved = moved.view(view.panel_index);
            let summed = sum_pixel(&moved, pixel, &mut { habits }, &mut Unobserved);
            slopes.extend(summed.photons.derivatives.iter().take(group.len()));
        }
        Ok(Self(Some((pixel, photons.value(), slopes))))
    }

    /// Calls `tell` if the pixel is in this row, with its column, its photons and its derivatives.
    pub(super) fn in_row(&self, slow: u32, tell: impl FnOnce(u32, f64, &[f64])) {
        if let Some((pixel, photons, slopes)) = &self.0
            && pixel.slow == slow
        {
            tell(pixel.fast, *photons, slopes);
        }
    }
}
