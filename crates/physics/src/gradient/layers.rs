//! The derivatives of the layers of amorphous material. They are added to those of the crystal, whose paths
//! do not know them.

use nanobragg_numeric::{Dual, Scalar};

use super::forward::{TOGETHER, panels_with_pixels};
use super::numbers::{Numbers, Tangent};
use super::sweep::{Images, for_each_row};
use crate::error::Error;
use crate::layers::{Memory, photons_of_layers};
use crate::render::RunOptions;
use crate::scalar::Pixel;
use crate::scene::{Scene, View};

/// Adds the photons of the layers to the first image, and their derivatives by each tangent to the others.
pub(super) fn add_derivatives(
    scene: &Scene,
    tangents: &[Tangent],
    options: &RunOptions<'_>,
    images: &mut Images<'_>,
) -> Result<(), Error> {
    if scene.layers.is_empty() {
        return Ok(());
    }
    let groups = tangents.len().div_ceil(TOGETHER).max(1);
    for group in 0..groups {
        let start = group * TOGETHER;
        let end = tangents.len().min(start + TOGETHER);
        let of_group = tangents.get(start..end).unwrap_or_default();
        let numbers = Numbers::<Dual<TOGETHER>>::moved(&scene.setup, of_group);
        let moved = scene.with_numbers(&numbers)?;
        for (view, pixels) in panels_with_pixels(scene) {
            let view = moved.view(view.panel_index);
            let mut of_panel = images.of_panel(pixels);
            let images = of_panel.first_with(start..end).kept();
            let work = |slow: u32, rows: &mut [&mut [f64]]| {
                for_each_pixel(&view, slow, |fast, photons| {
                    // The photons are the same for every group and are added once.
                    let real = if group == 0 { photons.real } else { 0.0 };
                    let numbers = std::iter::once(real).chain(photons.derivatives);
                    for (row, number) in rows.iter_mut().zip(numbers) {
                        if let Some(out) = row.get_mut(fast as usize) {
                            *out += number;
                        }
                    }
                });
            };
            for_each_row(&view, options, images, work, |()| {})?;
        }
    }
    Ok(())
}

/// The sum over all pixels of the photons of the layers times `weights`, shape `[panel][slow][fast]`.
pub(super) fn weighted_sum<T: Scalar + Send + Sync>(
    scene: &Scene,
    moved: &Scene<T>,
    weights: &[f64],
    options: &RunOptions<'_>,
) -> Result<T, Error> {
    let mut total = T::from_f64(0.0);
    if scene.layers.is_empty() {
        return Ok(total);
    }
    for (view, pixels) in panels_with_pixels(scene) {
        let weights = weights.get(pixels).unwrap_or_default();
        let view = moved.view(view.panel_index);
        let width = view.panel.pixels_fast() as usize;
        let work = |slow: u32, _: &mut [&mut [f64]]| {
            let row = weights.get(slow as usize * width..).unwrap_or_default();
            let mut sum = T::from_f64(0.0);
            for_each_pixel(&view, slow, |fast, photons| {
                let weight = row.get(fast as usize).copied().unwrap_or(0.0);
                sum += photons * T::from_f64(weight);
            });
            sum
        };
        for_each_row(&view, options, Images::none(), work, |sum| total += sum)?;
    }
    Ok(total)
}

/// Adds the photons of the layers to an image of the whole detector.
pub(super) fn add_photons<T: Scalar + Send + Sync>(
    scene: &Scene,
    moved: &Scene<T>,
    options: &RunOptions<'_>,
    images: &mut Images<'_>,
) -> Result<(), Error> {
    if scene.layers.is_empty() {
        return Ok(());
    }
    for (view, pixels) in panels_with_pixels(scene) {
        let view = moved.view(view.panel_index);
        let work = |slow: u32, rows: &mut [&mut [f64]]| {
            for_each_pixel(&view, slow, |fast, photons| {
                let row = rows.first_mut();
                if let Some(out) = row.and_then(|row| row.get_mut(fast as usize)) {
                    *out += photons.value();
                }
            });
        };
        let images = images.of_panel(pixels).kept();
        for_each_row(&view, options, images, work, |()| {})?;
    }
    Ok(())
}

/// Calls `take` with column and photons of every rendered pixel of a row.
fn for_each_pixel<T: Scalar>(view: &View<'_, T>, slow: u32, mut take: impl FnMut(u32, T)) {
    let mut memory = Memory::new(view);
    for fast in view.panel.roi().fast() {
        if view.panel.uses(fast, slow) {
            take(
                fast,
                photons_of_layers(view, Pixel { fast, slow }, &mut memory),
            );
        }
    }
}
