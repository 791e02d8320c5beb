//! Images of derivatives.

use nanobragg_numeric::{Dual, Scalar};

use super::exceptions::Exceptions;
use super::pixel::View;
use super::scene::{Scene, Tangent};
use super::state::{RunState, uses};
use super::sweep::{blank_image, for_each_row, on_threads};
use super::tables::{Tables, fast_level};
use super::tape::Unrecorded;
use crate::error::Error;
use crate::kernel::reference::Pixel;
use crate::kernel::{Level, RowSpan, SlopeOutput, render_slopes};
use crate::plan::Plan;
use crate::render::RunOptions;

/// Tangents that go through the general path together.
pub(super) const TOGETHER: usize = 8;

/// An image with its derivatives, each of shape `[slow][fast]` and 0 outside the region of interest
/// and under the mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Derivatives {
    /// Photons per pixel.
    pub photons: Vec<f64>,
    /// Photons per pixel and unit of the parameter, one image a tangent.
    pub images: Vec<Vec<f64>>,
}

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
    let mut images = [blank_image(plan)?];
    on_threads(options, || {
        let state = RunState::of(plan, options)?;
        let view = View::new(plan, scene)?;
        sweep_generally(plan, options, &state, &view, &mut images, |photons, out| {
            if let [image] = out {
                **image = photons;
            }
        })
    })?;
    let [image] = images;
    Ok(image)
}

/// The image of an experiment and its derivatives along `tangents`.
///
/// # Errors
/// When the run is cancelled, or there is no memory or no thread for it.
pub fn derivatives(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
) -> Result<Derivatives, Error> {
    let mut images = (0..=tangents.len())
        .map(|_| blank_image(plan))
        .collect::<Result<Vec<_>, _>>()?;
    on_threads(options, || derive(plan, tangents, options, &mut images))?;
    let mut images = images.into_iter();
    Ok(Derivatives {
        photons: images.next().unwrap_or_default(),
        images: images.collect(),
    })
}

/// Fills `images`: the photons first, then one for every tangent.
fn derive(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    images: &mut [Vec<f64>],
) -> Result<(), Error> {
    let state = RunState::of(plan, options)?;
    if let Some(level) = fast_level(plan, options) {
        return derive_fast(plan, tangents, options, &state, level, images);
    }
    let Some((photons, images)) = images.split_first_mut() else {
        return Ok(());
    };
    let groups = tangents.len().div_ceil(TOGETHER).max(1);
    for group in 0..groups {
        let start = group * TOGETHER;
        let end = tangents.len().min(start + TOGETHER);
        let scene = Scene::<Dual<TOGETHER>>::moved(
            plan.experiment,
            tangents.get(start..end).unwrap_or_default(),
        );
        let view = View::new(plan, &scene)?;
        let of_group = images.get_mut(start..end).unwrap_or_default();
        let mut out: Vec<Vec<f64>> = vec![std::mem::take(photons)];
        out.extend(of_group.iter_mut().map(std::mem::take));
        let result = sweep_generally(plan, options, &state, &view, &mut out, |pixel, out| {
            let numbers = std::iter::once(pixel.real).chain(pixel.derivatives);
            for (out, number) in out.iter_mut().zip(numbers) {
                **out = number;
            }
        });
        let mut out = out.into_iter();
        *photons = out.next().unwrap_or_default();
        for (image, own) in of_group.iter_mut().zip(out) {
            *image = own;
        }
        result?;
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
    images: &mut [Vec<f64>],
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
    let fast = plan.experiment.roi.fast();
    RowSpan {
        slow,
        fast: *fast.start()..*fast.end() + 1,
        used: (plan.experiment.mask.as_ref()).map(|mask| mask.row(slow as usize)),
        lookup: plan.experiment.lookup,
        cancel: options.cancel,
    }
}

/// Sums every pixel that is rendered and lets `write` put it into its place of every image.
fn sweep_generally<T: Scalar + Send + Sync>(
    plan: &Plan<'_>,
    options: &RunOptions<'_>,
    state: &RunState,
    view: &View<'_, '_, T>,
    images: &mut [Vec<f64>],
    write: impl Fn(T, &mut [&mut f64]) + Sync,
) -> Result<(), Error> {
    let fast = plan.experiment.roi.fast();
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        for fast in fast.clone() {
            if !uses(plan, fast, slow) {
                continue;
            }
            let pixel = Pixel { fast, slow };
            let summed = view.sum_pixel(pixel, &mut state.before(pixel), &mut Unrecorded);
            let mut out: Vec<&mut f64> = (rows.iter_mut())
                .filter_map(|row| row.get_mut(fast as usize))
                .collect();
            write(summed.photons, &mut out);
        }
    };
    for_each_row(plan, options, images, work, |()| {})
}
