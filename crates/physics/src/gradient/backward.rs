//! Derivatives of a number that depends on the image.

use nanobragg_crystal::LatticeNumber;
use nanobragg_numeric::{Dual, Scalar};

use super::exceptions::Exceptions;
use super::forward::{TOGETHER, panels_with_pixels, span_of_row};
use super::pixel::View;
use super::scene::{Scene, Smooth, Tangent};
use super::state::RunState;
use super::sums::FactorSums;
use super::sweep::{Images, for_each_row, on_threads};
use super::tables::{Tables, fast_level};
use super::tape::{Tape, Unrecorded};
use crate::blank::zeros;
use crate::error::Error;
use crate::kernel::reference::Pixel;
use crate::kernel::{Level, SlopeOutput, render_slopes};
use crate::plan::Plan;
use crate::render::RunOptions;

/// The derivatives of a number L that depends on the image, given those by every pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Pullback {
    /// Photons per pixel, shape `[panel][slow][fast]`.
    pub photons: Vec<f64>,
    /// dL by each tangent.
    pub parameters: Vec<f64>,
    /// dL by every structure factor of the grid, in its order.
    pub factors: Vec<f64>,
}

/// Takes `weights`, the derivatives of L by every pixel (shape `[panel][slow][fast]`), back to those by the
/// tangents and by every structure factor. No image of derivatives is made.
///
/// # Errors
/// [`Error::WeightCount`] unless there is a weight for every pixel, and when the run is cancelled or
/// there is no memory or no thread for it.
pub fn pullback(
    plan: &Plan<'_>,
    tangents: &[Tangent],
    weights: &[f64],
    options: &RunOptions<'_>,
) -> Result<Pullback, Error> {
    check_weights(plan, weights)?;
    let mut photons = Vec::new();
    let mut images = Images::in_memory(plan, [(&mut photons, 1)])?;
    let mut factors = blank_factors(plan)?;
    let parameters = on_threads(options, || {
        let state = RunState::of(plan, options)?;
        let mut totals = vec![0.0; tangents.len()];
        for (plan, pixels) in panels_with_pixels(plan) {
            let weights = weights.get(pixels.clone()).unwrap_or_default();
            let image = images.of_panel(pixels);
            let run = (&plan, options, &state);
            let sums = pull_back_panel(run, tangents, weights, image, &mut factors)?;
            totals
                .iter_mut()
                .zip(sums)
                .for_each(|(total, sum)| *total += sum);
        }
        Ok(totals)
    })?;
    Ok(Pullback {
        photons,
        parameters,
        factors,
    })
}

/// [`pullback`] of the panel that the plan looks at: dL by each tangent, and by structure factors
/// added to `factors`.
fn pull_back_panel(
    (plan, options, state): (&Plan<'_>, &RunOptions<'_>, &RunState),
    tangents: &[Tangent],
    weights: &[f64],
    image: Images<'_>,
    factors: &mut [f64],
) -> Result<Vec<f64>, Error> {
    if let Some(level) = fast_level(plan, options) {
        let run = (plan, options, state);
        return pull_back_fast(run, level, tangents, weights, image, factors);
    }
    pull_back_factors(plan, weights, options, state, image, factors)?;
    let mut parameters = Vec::with_capacity(tangents.len());
    for group in tangents.chunks(TOGETHER) {
        let scene = Scene::<Dual<TOGETHER>>::moved(plan.experiment, group);
        let sum = sum_weighted(plan, &scene, weights, options, state)?;
        parameters.extend(sum.derivatives.iter().take(group.len()));
    }
    Ok(parameters)
}

/// The sum over the pixels of `scene` of their photons times `weights`, in the scene's own number
/// type: with derivatives, those of the sum; with derivatives of derivatives, the second ones.
///
/// # Errors
/// As [`pullback`].
pub fn weighted_sum<T: LatticeNumber + Send + Sync>(
    plan: &Plan<'_>,
    scene: &Scene<T>,
    weights: &[f64],
    options: &RunOptions<'_>,
) -> Result<T, Error> {
    check_weights(plan, weights)?;
    on_threads(options, || {
        let state = RunState::of(plan, options)?;
        let mut total = T::from_f64(0.0);
        for (plan, pixels) in panels_with_pixels(plan) {
            let weights = weights.get(pixels).unwrap_or_default();
            total += sum_weighted(&plan, scene, weights, options, &state)?;
        }
        Ok(total)
    })
}

fn check_weights(plan: &Plan<'_>, weights: &[f64]) -> Result<(), Error> {
    let pixels = plan.experiment.detector.pixel_count();
    if weights.len() == pixels {
        return Ok(());
    }
    Err(Error::WeightCount {
        weights: weights.len(),
        pixels,
    })
}

/// A zero for every structure factor of the grid.
fn blank_factors(plan: &Plan<'_>) -> Result<Vec<f64>, Error> {
    let count = plan.experiment.factors.values().len();
    zeros(count).map_err(|_| Error::NoMemoryForFactors {
        factors: count,
        bytes: count.saturating_mul(size_of::<f64>()),
    })
}

fn sum_weighted<T: LatticeNumber + Send + Sync>(
    plan: &Plan<'_>,
    scene: &Scene<T>,
    weights: &[f64],
    options: &RunOptions<'_>,
    state: &RunState,
) -> Result<T, Error> {
    let view = View::new(plan, scene)?;
    let mut total = T::from_f64(0.0);
    let work = |slow: u32, _: &mut [&mut [f64]]| {
        let mut sum = T::from_f64(0.0);
        for (pixel, weight) in weighted_pixels(plan, weights, slow) {
            let summed = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut Unrecorded);
            sum += summed.photons * T::from_f64(weight);
        }
        sum
    };
    for_each_row(plan, options, Images::none(), work, |sum| total += sum)?;
    Ok(total)
}

/// Renders the photons, and adds to `factors` what every pixel says of them.
fn pull_back_factors(
    plan: &Plan<'_>,
    weights: &[f64],
    options: &RunOptions<'_>,
    state: &RunState,
    photons: Images<'_>,
    factors: &mut [f64],
) -> Result<(), Error> {
    let scene = Scene::<Smooth>::of(plan.experiment);
    let view = View::new(plan, &scene)?;
    let grid = &plan.experiment.factors;
    let work = |slow: u32, rows: &mut [&mut [f64]]| {
        let mut tape = Tape::default();
        let mut sums = FactorSums::default();
        for (pixel, weight) in weighted_pixels(plan, weights, slow) {
            tape.clear();
            let summed = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut tape);
            let place = rows
                .first_mut()
                .and_then(|row| row.get_mut(pixel.fast as usize));
            if let Some(out) = place {
                *out = summed.photons.value();
            }
            tape.pull_back(
                grid,
                weight * summed.photons_per_term.value(),
                |offset, rate| {
                    sums.add(offset, rate);
                },
            );
        }
        sums
    };
    for_each_row(plan, options, photons, work, |sums| sums.add_to(factors))
}

/// Everything along the fast path, but for single pixels.
fn pull_back_fast(
    (plan, options, state): (&Plan<'_>, &RunOptions<'_>, &RunState),
    level: Level,
    tangents: &[Tangent],
    weights: &[f64],
    photons: Images<'_>,
    factors: &mut [f64],
) -> Result<Vec<f64>, Error> {
    let tables = Tables::new(plan, tangents);
    let exceptions = Exceptions::new(plan, state, tangents)?;
    let scene = Scene::<Smooth>::of(plan.experiment);
    let view = View::new(plan, &scene)?;
    let grid = &plan.experiment.factors;
    let width = plan.panel.pixels_fast() as usize;
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
        // The weight of an exception is taken away from the fast path.
        exceptions.in_row(slow, |fast, _, slopes| {
            let weight = own.get_mut(fast as usize).map_or(0.0, std::mem::take);
            for (sum, slope) in sums.iter_mut().zip(slopes) {
                *sum += weight * slope;
            }
            leftover.push(fast);
        });
        if let Some(photons) = rows.first_mut() {
            let mut output = SlopeOutput::Sums {
                photons,
                weights: &own,
                sums: &mut sums,
                factors: &mut by_factors,
            };
            let span = span_of_row(plan, options, slow);
            render_slopes(level, plan, &tables, &span, &mut output, &mut leftover);
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
            let summed = view.sum_pixel(pixel, &mut state.before(plan, pixel), &mut tape);
            let by_sum = weight * summed.photons_per_term.value();
            tape.pull_back(grid, by_sum, |offset, rate| by_factors.add(offset, rate));
        }
        (sums, by_factors)
    };
    for_each_row(plan, options, photons, work, |(sums, by_factors)| {
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += sum;
        }
        by_factors.add_to(factors);
    })?;
    Ok(totals)
}

/// The pixels of a row that are rendered, each with its weight.
fn weighted_pixels(
    plan: &Plan<'_>,
    weights: &[f64],
    slow: u32,
) -> impl Iterator<Item = (Pixel, f64)> {
    let width = plan.panel.pixels_fast() as usize;
    let start = slow as usize * width;
    let row = weights.get(start..start + width).unwrap_or_default();
    let fast = plan.panel.roi().fast();
    fast.filter(move |&fast| plan.panel.uses(fast, slow))
        .map(move |fast| {
            let weight = row.get(fast as usize).copied().unwrap_or(0.0);
            (Pixel { fast, slow }, weight)
        })
}
