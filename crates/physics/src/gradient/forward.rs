//! Images of derivatives.

use std::ops::Range;

use nanobragg_crystal::LatticeNumber;
use nanobragg_numeric::{Dual, Scalar};

use super::exceptions::Exceptions;
use super::layers;
use super::numbers::{Numbers, Smooth, Tangent};
use super::sweep::{Images, for_each_row};
use super::tables::{Tables, fast_level};
use crate::backend::RowPart;
use crate::compat::History;
use crate::driver::on_threads;
use crate::error::Error;
use crate::lanes::{self, DerivativeOutput, Level};
use crate::render::RunOptions;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::{Scene, View};
use crate::shade::shade_images;

/// The number of tangents that go through the general path together.
pub(super) const TOGETHER: usize = 8;

/// The image of `numbers` in double precision, shape `[panel][slow][fast]`, along the general path.
///
/// `numbers` may be any numbers near those of the scene. Integers, lists and switches are those of the
/// scene, and so are the states (`phi-zero`, `interpolation`) in which the run reaches each pixel.
///
/// # Errors
/// If the run is cancelled, or if there is not enough memory, or if the threads cannot be started.
pub fn photons(
    scene: &Scene,
    numbers: &Numbers<f64>,
    options: &RunOptions<'_>,
) -> Result<Vec<f64>, Error> {
    let mut photons = Vec::new();
    let mut images = Images::in_memory(scene, [(&mut photons, 1)])?;
    on_threads(options, || {
        let history = History::of(scene, options)?;
        let smooth = scene.with_numbers(&numbers.map(Smooth::constant))?;
        for (view, pixels) in panels_with_pixels(scene) {
            let view = smooth.view(view.panel_index);
            let images = images.of_panel(pixels);
            sweep_generally(&view, options, &history, images, |photons, out| {
                if let [image] = out {
                    **image = photons.value();
                }
            })?;
        }
        layers::add_photons(scene, &smooth, options, &mut images)
    })?;
    shade_images(scene, &mut photons);
    Ok(photons)
}

/// The image of an experiment and its derivatives along `tangents`. `photons` has the shape
/// `[panel][slow][fast]`. `slopes` has photons per unit of each tangent, shape
/// `[tangent][panel][slow][fast]`. Both are 0 outside the region of interest and under the mask. Old
/// contents are overwritten and their memory is used again if it is large enough. After an error the
/// contents are meaningless.
///
/// # Errors
/// If the run is cancelled, or if there is not enough memory, or if the threads cannot be started.
pub fn derivatives_into(
    scene: &Scene,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    photons: &mut Vec<f64>,
    slopes: &mut Vec<f64>,
) -> Result<(), Error> {
    let images = Images::in_memory(scene, [(photons, 1), (slopes, tangents.len())])?;
    on_threads(options, || derive(scene, tangents, options, images))?;
    shade_images(scene, photons);
    shade_images(scene, slopes);
    Ok(())
}

/// Fills `images`: first the photons, then one image for every tangent.
fn derive(
    scene: &Scene,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    mut images: Images<'_>,
) -> Result<(), Error> {
    let history = History::of(scene, options)?;
    for (view, pixels) in panels_with_pixels(scene) {
        derive_panel(&view, tangents, options, &history, images.of_panel(pixels))?;
    }
    layers::add_derivatives(scene, tangents, options, &mut images)
}

/// The views of all panels, each with the range of its pixels in an image of the whole detector.
pub(super) fn panels_with_pixels(scene: &Scene) -> impl Iterator<Item = (View<'_>, Range<usize>)> {
    let mut end = 0;
    scene.views().map(move |view| {
        let start = end;
        end += view.panel.pixel_count();
        (view, start..end)
    })
}

/// [`derive()`] for the panel of `view`.
fn derive_panel(
    view: &View<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    history: &History,
    mut images: Images<'_>,
) -> Result<(), Error> {
    if let Some(level) = fast_level(view, tangents, options) {
        return derive_fast(view, tangents, options, history, level, images);
    }
    let groups = tangents.len().div_ceil(TOGETHER).max(1);
    for group in 0..groups {
        let start = group * TOGETHER;
        let end = tangents.len().min(start + TOGETHER);
        let tangents = tangents.get(start..end).unwrap_or_default();
        let numbers = Numbers::<Dual<TOGETHER>>::moved(&view.setup, tangents);
        let moved = view.with_numbers(&numbers)?;
        let moved = moved.view(view.panel_index);
        let of_group = images.first_with(start..end);
        sweep_generally(&moved, options, history, of_group, |pixel, out| {
            let numbers = std::iter::once(pixel.real).chain(pixel.derivatives);
            for (out, number) in out.iter_mut().zip(numbers) {
                **out = number;
            }
        })?;
    }
    Ok(())
}

/// [`derive()`] along the fast path. The pixel of the first evaluation takes the general path if its cell
/// differs.
fn derive_fast(
    view: &View<'_>,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    history: &History,
    level: Level,
    images: Images<'_>,
) -> Result<(), Error> {
    let tables = Tables::new(view, tangents);
    let exceptions = Exceptions::new(view, history, tangents)?;
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        let part = part_of_row(view, options, slow);
        let mut output = DerivativeOutput::Images(&mut *rows);
        lanes::derive(level, view, &tables, &part, &mut output);
        exceptions.in_row(slow, |fast, photons, slopes| {
            let numbers = std::iter::once(photons).chain(slopes.iter().copied());
            for (row, number) in rows.iter_mut().zip(numbers) {
                if let Some(out) = row.get_mut(fast as usize) {
                    *out = number;
                }
            }
        });
    };
    for_each_row(view, options, images, work, |()| {})
}

/// The part of a row in the region of interest, masked pixels included.
pub(super) fn part_of_row<'r>(view: &View<'r>, options: &RunOptions<'r>, slow: u32) -> RowPart<'r> {
    let fast = view.panel.roi().fast();
    RowPart {
        cancel: options.cancel,
        ..RowPart::of_row(view, slow, *fast.start()..*fast.end() + 1)
    }
}

/// Sums every rendered pixel. `write` stores the result at its position in every image.
fn sweep_generally<T: LatticeNumber + Send + Sync>(
    view: &View<'_, T>,
    options: &RunOptions<'_>,
    history: &History,
    images: Images<'_>,
    write: impl Fn(T, &mut [&mut f64]) + Sync,
) -> Result<(), Error> {
    let fast = view.panel.roi().fast();
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        for fast in fast.clone() {
            if !view.panel.uses(fast, slow) {
                continue;
            }
            let pixel = Pixel { fast, slow };
            let habits = &mut history.before(view.place(pixel));
            let summed = sum_pixel(view, pixel, habits, &mut Unobserved);
            let mut out: Vec<&mut f64> = (rows.iter_mut())
                .filter_map(|row| row.get_mut(fast as usize))
                .collect();
            write(summed.photons, &mut out);
        }
    };
    for_each_row(view, options, images, work, |()| {})
}
