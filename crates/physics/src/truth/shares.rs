//! The photons of an image, parted among reflections.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::kernel::{LaneShares, RowSpan, share_span};
use crate::plan::Plan;
use crate::render::{Rendered, RunOptions, in_order};
use crate::sampling::Lookup;

/// The photons of one reflection, alone and times their position in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) photons: f64,
    pub(super) fast: f64,
    pub(super) slow: f64,
}

/// The photons of an image, or of a row, by reflections.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) reflections: BTreeMap<[i32; 3], Sums>,
    pub(super) background_photons: f64,
}

/// Parts every pixel of `rendered`. Rows are merged in their order, so threads change no bit.
pub(super) fn of_image(
    plan: &Plan<'_>,
    rendered: &Rendered,
    options: &RunOptions<'_>,
) -> Result<Parts, Error> {
    let rows: Vec<u32> = plan.experiment.roi.slow().collect();
    let mut all = Parts::default();
    in_order(
        options,
        &rows,
        |slow| of_row(plan, rendered, *slow, options),
        |row| {
            all.background_photons += row.background_photons;
            for (hkl, sums) in row.reflections {
                let total = all.reflections.entry(hkl).or_default();
                total.photons += sums.photons;
                total.fast += sums.fast;
                total.slow += sums.slow;
            }
        },
    )?;
    Ok(all)
}

fn of_row(plan: &Plan<'_>, rendered: &Rendered, slow: u32, options: &RunOptions<'_>) -> Parts {
    let experiment = plan.experiment;
    let start = slow as usize * rendered.pixels_fast as usize;
    let photons = |fast: u32| rendered.pixels.get(start + fast as usize).copied();
    let mut parts = Parts::default();
    let mut take = |fast: u32, lane: &mut LaneShares| {
        if let Some(photons) = photons(fast).filter(|photons| photons.is_finite()) {
            parts.add(f64::from(photons), [fast, slow], lane);
        }
    };
    let (first, end) = (
        *experiment.roi.fast().start(),
        *experiment.roi.fast().end() + 1,
    );
    // Where interpolation ends; from there on the nearest structure factor counts.
    let turn = match rendered.left_grid_at {
        Some([_, at]) if slow > at => first,
        Some([fast, at]) if slow == at => fast,
        _ => end,
    };
    for (fast, lookup) in [
        (first..turn, experiment.lookup),
        (turn..end, Lookup::Nearest),
    ] {
        let span = RowSpan {
            slow,
            fast,
            used: experiment.mask.as_ref().map(|mask| mask.row(slow as usize)),
            lookup,
            cancel: options.cancel,
        };
        share_span(plan, &span, &mut take);
    }
    parts
}

impl Parts {
    /// Parts the photons of one pixel as its sum is parted.
    fn add(&mut self, photons: f64, [fast, slow]: [u32; 2], lane: &mut LaneShares) {
        let background = lane.background;
        let reflections = lane.reflections();
        let sum = reflections.values().sum::<f64>() + background;
        if sum == 0.0 {
            return;
        }
        self.background_photons += photons * (background / sum);
        for (hkl, term) in reflections {
            let part = photons * (term / sum);
            let sums = self.reflections.entry(*hkl).or_default();
            sums.photons += part;
            sums.fast += part * (f64::from(fast) + 0.5);
            sums.slow += part * (f64::from(slow) + 0.5);
        }
    }
}
