//! Images of derivatives.

use std::ops::Range;

use nanobragg_crystal::LatticeNumber;
use nanobragg_numeric::{Dual, Scalar};

use super::exceptions::Exceptions;
use super::pixel::View;
use super::scene::{Scene, Smooth, Tangent};
use super::state::RunState;
use super::sweep::{Images, for_each_row, on_threads};
use super::tables::{Tables, fast_level};
use super::tape::Unrecorded;
use crate::error::Error;
use crate::kernel::reference::Pixel;
use crate::kernel::{Level, RowSpan, SlopeOutput, render_slopes};
use crate::plan::Plan;
use crate::render::RunOptions;

/// Tangents that go through the general path together.
pub(super) const TOGETHER: usize = 8;

/// The image of `scene` in double precision, pixel by pixel along the general path.
///
/// `scene` may be any near the experiment of `plan`: what is whole, listed or switched, and in which
/// state a pixel finds the run, is the experiment's.
///
/// # Errors
/// When the run is cancelled, or there is no memory or no thread for it.
pub fn photons(
    plan: &Plan<'_>,
    scene: &Scene<f64>,
    options: &RunOptions<'_>,
) -> Result<Vec<f64>, Error> {
    let mut photons = Vec::new();
    let mut images = Images::in_memory(plan, [(&mut photons, 1)])?;
    on_threads(options, || {
        let state = RunState::of(plan, options)?;
        let scene = scene.map(Smooth::constant);
        for (plan, pixels) in panels_with_pixels(plan) {
            let view = View::new(&plan, &scene)?;
            let images = images.of_panel(pixels);
            sweep_generally(&plan, options, &state, &view, images, |photons, out| {
                if let [image] = out {
                    **image = photons.value();
                }
            })?;
        }
        Ok(())
    })?;
    Ok(photons)
}

/// The image of an experiment and its derivatives along `tangents`: `photons`, shape `[panel][slow][fast]`, and
/// `slopes`, photons per unit of each tangent, shape `[tangent][panel][slow][fast]`; 0 outside the region of
/// interest and under the mask. Whatever both hold is written over, and their memory used as far as it
/// goes. What an error leaves there is of no use.
///
/// # Errors
/// When the run is cancelled, or there is no memory or no thread for it.
pub fn derivatives_into(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    photons: &mut Vec<f64>,
    slopes: &mut Vec<f64>,
) -> Result<(), Error> {
    let images = Images::in_memory(plan, [(photons, 1), (slopes, tangents.len())])?;
    on_threads(options, || derive(plan, tangents, options, images))
}

/// Fills `images`: the photons first, then one for every tangent.
fn derive(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    mut images: Images<'_>,
) -> Result<(), Error> {
    let state = RunState::of(plan, options)?;
    for (plan, pixels) in panels_with_pixels(plan) {
        derive_panel(&plan, tangents, options, &state, images.of_panel(pixels))?;
    }
    Ok(())
}

/// The plan looking at every panel, each with the places that its pixels have in an image of all.
pub(super) fn panels_with_pixels<'e>(
    plan: &Plan<'e>,
) -> impl Iterator<Item = (Plan<'e>, Range<usize>)> + use<'e> {
    let mut end = 0;
    plan.panels().map(move |plan| {
        let start = end;
        end += plan.panel.pixel_count();
        (plan, start..end)
    })
}

/// [`derive`] of the panel that `plan` looks at.
fn derive_panel(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    state: &RunState,
    mut images: Images<'_>,
) -> Result<(), Error> {
    if let Some(level) = fast_level(plan, options) {
        return derive_fast(plan, tangents, options, state, level, images);
    }
    let groups = tangents.len().div_ceil(TOGETHER).max(1);
    for group in 0..groups {
        let start = group * TOGETHER;
        let end = tangents.len().min(start + TOGETHER);
        let scene = Scene::<Dual<TOGETHER>>::moved(
            plan.experiment,
            tangents.get(start..end).unwrap_or_default(),
        );
        let view = View::new(plan, &scene)?;
        let of_group = images.first_with(start..end);
        sweep_generally(plan, options, state, &view, of_group, |pixel, out| {
            let numbers = std::iter::once(pixel.real).chain(pixel.derivatives);
            for (out, number) in out.iter_mut().zip(numbers) {
                **out = number;
            }
        })?;
    }
    Ok(())
}

/// [`derive`] along the fast path; the pixel that finds a cell of its own is the general path's.
fn derive_fast(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    state: &RunState,
    level: Level,
    images: Images<'_>,
) -> Result<(), Error> {
    let tables = Tables::new(plan, tangents);
    let exceptions = Exceptions::new(plan, state, tangents)?;
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        let span = span_of_row(plan, options, slow);
        let mut output = SlopeOutput::Images(&mut *rows);
        render_slopes(level, plan, &tables, &span, &mut output, &mut Vec::new());
        exceptions.in_row(slow, |fast, photons, slopes| {
            let numbers = std::iter::once(photons).chain(slopes.iter().copied());
            for (row, number) in rows.iter_mut().zip(numbers) {
                if let Some(out) = row.get_mut(fast as usize) {
                    *out = number;
                }
            }
        });
    };
    for_each_row(plan, options, images, work, |()| {})
}

/// The part of a row that is rendered, whichever pixels the mask leaves of it.
pub(super) fn span_of_row<'r>(
    plan: &'r Plan<'_>,
    options: &RunOptions<'r>,
    slow: u32,
) -> RowSpan<'r> {
    let fast = plan.panel.roi().fast();
    RowSpan {
        slow,
        fast: *fast.start()..*fast.end() + 1,
        used: plan.panel.mask().map(|mask| mask.row(slow as usize)),
        lookup: plan.experiment.lookup,
        cancel: options.cancel,
    }
}

/// Sums every pixel that is rendered and lets `write` put it into its place of every image.
fn sweep_generally<T: LatticeNumber + Send + Sync>(
    plan: &Plan<'_>,
    options: &RunOptions<'_>,
    state: &RunState,
    view: &View<'_, '_, T>,
    images: Images<'_>,
    write: impl Fn(T, &mut [&mut f64]) + Sync,
) -> Result<(), Error> {
    let fast = plan.panel.roi().fast();
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        for fast in fast.clone() {
            if !plan.panel.uses(fast, slow) {
                continue;
            }
            let pixel = Pixel { fast, slow };
            let summed = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut Unrecorded);
            let mut out: Vec<&mut f64> = (rows.iter_mut())
                .filter_map(|row| row.get_mut(fast as usize))
                .collect();
            write(summed.photons, &mut out);
        }
    };
    for_each_row(plan, options, images, work, |()| {})
}
