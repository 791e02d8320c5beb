//! The pixel that the fast path leaves to the general one.

use nanobragg_numeric::{Dual, Scalar};

use super::forward::TOGETHER;
use super::numbers::{Numbers, Smooth, Tangent};
use crate::compat::History;
use crate::error::Error;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::View;

/// The first pixel of a run that starts at phi = 0, which finds a cell of its own (the oddity
/// `phi-zero`), worked in advance.
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

    /// Tells of the pixel if it is in this row: where along fast, its photons and derivatives.
    pub(super) fn in_row(&self, slow: u32, tell: impl FnOnce(u32, f64, &[f64])) {
        if let Some((pixel, photons, slopes)) = &self.0
            && pixel.slow == slow
        {
            tell(pixel.fast, *photons, slopes);
        }
    }
}
