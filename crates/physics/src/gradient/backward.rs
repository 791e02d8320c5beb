//! Derivatives of a number that depends on the image.

use std::borrow::Cow;

use nanobragg_crystal::LatticeNumber;
use nanobragg_numeric::{Dual, Scalar};

use super::exceptions::Exceptions;
use super::forward::{TOGETHER, panels_with_pixels, part_of_row};
use super::layers;
use super::numbers::{Numbers, Smooth, Tangent};
use super::sums::FactorSums;
use super::sweep::{Images, for_each_row};
use super::tables::{Tables, fast_level};
use super::tape::Tape;
use crate::blank::zeros;
use crate::compat::History;
use crate::driver::on_threads;
use crate::error::Error;
use crate::lanes::{self, DerivativeOutput, Level};
use crate::render::RunOptions;
use crate::scalar::{Pixel, PixelSum, Unobserved, sum_pixel};
use crate::scene::{Scene, View};
use crate::shade::shade_images;

/// The derivatives of a number L that depends on the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Pullback {
    /// Photons per pixel, shape `[panel][slow][fast]`.
    pub photons: Vec<f64>,
    /// dL by each tangent.
    pub parameters: Vec<f64>,
    /// dL by every structure factor of the grid, in the order of the grid.
    pub factors: Vec<f64>,
}

/// The derivatives of L by the tangents and by every structure factor. `weights` are the derivatives of L
/// by every pixel, shape `[panel][slow][fast]`. This needs no image of derivatives.
///
/// # Errors
/// [`Error::WeightCount`] unless there is a weight for every pixel. Also if the run is cancelled, or if
/// there is not enough memory, or if the threads cannot be started.
pub fn pullback(
    scene: &Scene,
    tangents: &[Tangent],
    weights: &[f64],
    options: &RunOptions<'_>,
) -> Result<Pullback, Error> {
    let weights = &*shaded(scene, weights)?;
    let mut photons = Vec::new();
    let mut images = Images::in_memory(scene, [(&mut photons, 1)])?;
    let mut factors = blank_factors(scene)?;
    let parameters = on_threads(options, || {
        let history = History::of(scene, options)?;
        let mut totals = vec![0.0; tangents.len()];
        for (view, pixels) in panels_with_pixels(scene) {
            let weights = weights.get(pixels.clone()).unwrap_or_default();
            let image = images.of_panel(pixels);
            let run = (&view, options, &history);
            let sums = pull_back_panel(run, tangents, weights, image, &mut factors)?;
            totals
                .iter_mut()
                .zip(sums)
                .for_each(|(total, sum)| *total += sum);
        }
        add_layers(scene, tangents, weights, options, &mut images, &mut totals)?;
        Ok(totals)
    })?;
    shade_images(scene, &mut photons);
    Ok(Pullback {
        photons,
        parameters,
        factors,
    })
}

/// Adds the layers of amorphous material to the photons and to dL by each tangent.
fn add_layers(
    scene: &Scene,
    tangents: &[Tangent],
    weights: &[f64],
    options: &RunOptions<'_>,
    photons: &mut Images<'_>,
    totals: &mut [f64],
) -> Result<(), Error> {
    layers::add_photons(scene, scene, options, photons)?;
    for (group, totals) in tangents.chunks(TOGETHER).zip(totals.chunks_mut(TOGETHER)) {
        let numbers = Numbers::<Dual<TOGETHER>>::moved(&scene.setup, group);
        let moved = scene.with_numbers(&numbers)?;
        let sum = layers::weighted_sum(scene, &moved, weights, options)?;
        for (total, derivative) in totals.iter_mut().zip(sum.derivatives) {
            *total += derivative;
        }
    }
    Ok(())
}

/// [`pullback`] for the panel of the view. Returns dL by each tangent; adds dL by structure factors to
/// `factors`.
fn pull_back_panel(
    (view, options, history): (&View<'_>, &RunOptions<'_>, &History),
    tangents: &[Tangent],
    weights: &[f64],
    image: Images<'_>,
    factors: &mut [f64],
) -> Result<Vec<f64>, Error> {
    if let Some(level) = fast_level(view, tangents, options) {
        let run = (view, options, history);
        return pull_back_fast(run, level, tangents, weights, image, factors);
    }
    pull_back_factors(view, weights, options, history, image, factors)?;
    let mut parameters = Vec::with_capacity(tangents.len());
    for group in tangents.chunks(TOGETHER) {
        let numbers = Numbers::<Dual<TOGETHER>>::moved(&view.setup, group);
        let moved = view.with_numbers(&numbers)?;
        let sum = sum_weighted(&moved.view(view.panel_index), weights, options, history)?;
        parameters.extend(sum.derivatives.iter().take(group.len()));
    }
    Ok(parameters)
}

/// The sum over the pixels of the image of `numbers` of photons times `weights` (shape
/// `[panel][slow][fast]`), in the number type of `numbers`. Numbers with derivatives give the derivatives
/// of the sum; numbers with second derivatives give the second derivatives.
///
/// # Errors
/// As [`pullback`].
pub fn weighted_sum<T: LatticeNumber + Send + Sync>(
    scene: &Scene,
    numbers: &Numbers<T>,
    weights: &[f64],
    options: &RunOptions<'_>,
) -> Result<T, Error> {
    let weights = &*shaded(scene, weights)?;
    let all_weights = weights;
    on_threads(options, || {
        let history = History::of(scene, options)?;
        let moved = scene.with_numbers(numbers)?;
        let mut total = T::from_f64(0.0);
        for (view, pixels) in panels_with_pixels(scene) {
            let weights = weights.get(pixels).unwrap_or_default();
            let view = moved.view(view.panel_index);
            total += sum_weighted(&view, weights, options, &history)?;
        }
        total += layers::weighted_sum(scene, &moved, all_weights, options)?;
        Ok(total)
    })
}

/// The weights of the photons before a shadow: a photon counts with the part that passes.
fn shaded<'w>(scene: &Scene, weights: &'w [f64]) -> Result<Cow<'w, [f64]>, Error> {
    let pixels = scene.pixel_count();
    if weights.len() != pixels {
        return Err(Error::WeightCount {
            weights: weights.len(),
            pixels,
        });
    }
    if scene.panels().iter().all(|panel| panel.shade().is_empty()) {
        return Ok(weights.into());
    }
    let mut shaded = weights.to_vec();
    shade_images(scene, &mut shaded);
    Ok(shaded.into())
}

fn blank_factors(scene: &Scene) -> Result<Vec<f64>, Error> {
    let count = scene.setup.factors.values().len();
    zeros(count).map_err(|_| Error::NoMemoryForFactors {
        factors: count,
        bytes: count.saturating_mul(size_of::<f64>()),
    })
}

fn sum_weighted<T: LatticeNumber + Send + Sync>(
    view: &View<'_, T>,
    weights: &[f64],
    options: &RunOptions<'_>,
    history: &History,
) -> Result<T, Error> {
    let mut total = T::from_f64(0.0);
    let work = |slow: u32, _: &mut [&mut [f64]]| {
        let mut sum = T::from_f64(0.0);
        for (pixel, weight) in weighted_pixels(view, weights, slow) {
            let habits = &mut history.before(view.place(pixel));
            let summed = sum_pixel(view, pixel, habits, &mut Unobserved);
            sum += summed.photons * T::from_f64(weight);
        }
        sum
    };
    for_each_row(view, options, Images::none(), work, |sum| total += sum)?;
    Ok(total)
}

/// Renders the photons, and adds the contribution of every pixel to `factors`.
fn pull_back_factors(
    view: &View<'_>,
    weights: &[f64],
    options: &RunOptions<'_>,
    history: &History,
    photons: Images<'_>,
    factors: &mut [f64],
) -> Result<(), Error> {
    let smooth = view.with_numbers(&view.setup.numbers.map(Smooth::constant))?;
    let smooth = smooth.view(view.panel_index);
    let grid = &view.setup.factors;
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        let mut tape = Tape::default();
        let mut sums = FactorSums::default();
        for (pixel, weight) in weighted_pixels(view, weights, slow) {
            tape.clear();
            let habits = &mut history.before(view.place(pixel));
            let summed = sum_pixel(&smooth, pixel, habits, &mut tape);
            let place = rows
                .first_mut()
                .and_then(|row| row.get_mut(pixel.fast as usize));
            if let Some(out) = place {
                *out = summed.photons.value();
            }
            tape.pull_back(
                grid,
                weight * photons_by_sum(&smooth, &summed),
                |offset, rate| {
                    sums.add(offset, rate);
                },
            );
        }
        sums
    };
    for_each_row(view, options, photons, work, |sums| sums.add_to(factors))
}

/// The derivative of the photons of a pixel by its sum.
fn photons_by_sum(view: &View<'_, Smooth>, summed: &PixelSum<Smooth>) -> f64 {
    let one = Smooth::constant(1.0);
    view.photons(one, &summed.corrections).value()
}

/// The fast path for all pixels except single ones, which take the general path.
fn pull_back_fast(
    (view, options, history): (&View<'_>, &RunOptions<'_>, &History),
    level: Level,
    tangents: &[Tangent],
    weights: &[f64],
    photons: Images<'_>,
    factors: &mut [f64],
) -> Result<Vec<f64>, Error> {
    let tables = Tables::new(view, tangents);
    let exceptions = Exceptions::new(view, history, tangents)?;
    let smooth = view.with_numbers(&view.setup.numbers.map(Smooth::constant))?;
    let smooth = smooth.view(view.panel_index);
    let grid = &view.setup.factors;
    let width = view.panel.pixels_fast() as usize;
    let mut totals = vec![0.0; tangents.len()];
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        let start = slow as usize * width;
        let mut own = weights
            .get(start..start + width)
            .unwrap_or_default()
            .to_vec();
        let mut sums = vec![0.0; tables.count];
        let mut by_factors = FactorSums::default();
        let mut leftover = Vec::new();
        // For the fast path the weight of this pixel is 0: its derivatives come from `exceptions`.
        exceptions.in_row(slow, |fast, _, slopes| {
            let weight = own.get_mut(fast as usize).map_or(0.0, std::mem::take);
            for (sum, slope) in sums.iter_mut().zip(slopes) {
                *sum += weight * slope;
            }
            leftover.push(fast);
        });
        if let Some(photons) = rows.first_mut() {
            let mut output = DerivativeOutput::Sums {
                photons,
                weights: &own,
                sums: &mut sums,
                factors: &mut by_factors,
            };
            let part = part_of_row(view, options, slow);
            leftover.extend(lanes::derive(level, view, &tables, &part, &mut output));
            exceptions.in_row(slow, |fast, value, _| {
                if let Some(out) = photons.get_mut(fast as usize) {
                    *out = value;
                }
            });
        }
        let mut tape = Tape::default();
        for fast in leftover {
            let weight = weights.get(start + fast as usize).copied().unwrap_or(0.0);
            let pixel = Pixel { fast, slow };
            tape.clear();
            let habits = &mut history.before(view.place(pixel));
            let summed = sum_pixel(&smooth, pixel, habits, &mut tape);
            let by_sum = weight * photons_by_sum(&smooth, &summed);
            tape.pull_back(grid, by_sum, |offset, rate| by_factors.add(offset, rate));
        }
        (sums, by_factors)
    };
    for_each_row(view, options, photons, work, |(sums, by_factors)| {
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += sum;
        }
        by_factors.add_to(factors);
    })?;
    Ok(totals)
}

/// The rendered pixels of a row, each with its weight.
fn weighted_pixels<T>(
    view: &View<'_, T>,
    weights: &[f64],
    slow: u32,
) -> impl Iterator<Item = (Pixel, f64)> {
    let width = view.panel.pixels_fast() as usize;
    let start = slow as usize * width;
    let row = weights.get(start..start + width).unwrap_or_default();
    let fast = view.panel.roi().fast();
    fast.filter(move |&fast| view.panel.uses(fast, slow))
        .map(move |fast| {
            let weight = row.get(fast as usize).copied().unwrap_or(0.0);
            (Pixel { fast, slow }, weight)
        })
}
