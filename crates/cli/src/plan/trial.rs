//! A few pixels rendered in a fraction of a second, to tell what the whole image will be like.

use std::time::Instant;

use nanobragg::{Cancel, Experiment, Mask, Plan, Rendered, SourceList};

use crate::args::Args;
use crate::run::{RunError, render_quietly};

/// How long the trial should take, in seconds.
const TRIAL_S: f64 = 0.2;

/// Pixels that the fast kernel renders together, along a row.
const RUN: u32 = 64;

/// The most terms of the sum of a pixel that are tried; of longer sums only a part is.
const MOST_TERMS: f64 = 1e5;

/// What a trial tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// Pixels that were rendered.
    pub(crate) pixels: u64,
    /// Pixels of the whole image.
    pub(crate) pixels_in_all: u64,
    /// How many times more terms a pixel of the image has than one of the trial.
    pub(crate) terms_ratio: f64,
    /// Photons in the brightest pixel of the trial.
    pub(crate) brightest_photons: f64,
    /// That pixel: fast, slow.
    pub(crate) brightest_at: [u32; 2],
    /// How many pixels of the whole image would overflow 16 bits, as far as the trial tells.
    pub(crate) overloads: f64,
    /// How long the image would take to render, in seconds.
    pub(crate) render_s: f64,
}

/// Renders runs of pixels all over the region of interest.
///
/// # Errors
/// As for a run: stopped, no memory, no threads.
pub(crate) fn run(
    experiment: &Experiment,
    args: &Args,
    offset_counts: f64,
    stop: &Cancel,
) -> Result<Trial, RunError> {
    let (mut tried, terms_ratio) = with_fewer_terms(experiment);
    let runs = Runs::of(experiment);
    let mut timed = |wanted: u64| -> Result<(f64, Rendered), RunError> {
        tried.mask = runs.mask(experiment, wanted);
        let plan = Plan::new(&tried);
        let begun = Instant::now();
        let rendered = render_quietly(&plan, args, stop)?;
        Ok((begun.elapsed().as_secs_f64(), rendered))
    };
    // What is spent without any pixel is no measure of pixels.
    let (idle_s, _) = timed(0)?;
    let mut wanted = runs.count.min(4);
    let (mut spent_s, mut rendered) = timed(wanted)?;
    let mut net_s = (spent_s - idle_s).max(1e-6);
    while wanted < runs.count && spent_s < TRIAL_S / 2.0 {
        let affordable = wanted as f64 * (TRIAL_S / net_s).min(32.0);
        let next = (affordable as u64).clamp(wanted + 1, runs.count);
        wanted = next;
        (spent_s, rendered) = timed(wanted)?;
        net_s = (spent_s - idle_s).max(1e-6);
    }

    let pixels = rendered.statistics.pixels;
    let pixels_in_all = pixels_of(experiment);
    let width = rendered.pixels_fast.max(1) as usize;
    let mut brightest = (0.0_f32, 0_usize);
    let mut over = 0_u64;
    for (index, &photons) in rendered.pixels.iter().enumerate() {
        if photons > brightest.0 {
            brightest = (photons, index);
        }
        over += u64::from(f64::from(photons) + offset_counts > f64::from(u16::MAX));
    }
    let share = pixels_in_all as f64 / pixels.max(1) as f64;
    Ok(Trial {
        pixels,
        pixels_in_all,
        terms_ratio,
        brightest_photons: brightest.0.into(),
        brightest_at: [(brightest.1 % width) as u32, (brightest.1 / width) as u32],
        overloads: (over as f64 * share).round(),
        render_s: idle_s + net_s * share * terms_ratio,
    })
}

/// The pixels that the mask leaves in the region of interest.
pub(crate) fn pixels_of(experiment: &Experiment) -> u64 {
    let Some(mask) = &experiment.mask else {
        return experiment.roi.pixel_count();
    };
    let fast = experiment.roi.fast();
    let columns = *fast.start() as usize..=*fast.end() as usize;
    let used = |slow: u32| {
        let row = mask.row(slow as usize).get(columns.clone());
        row.map_or(0, |row| row.iter().filter(|used| **used).count() as u64)
    };
    experiment.roi.slow().map(used).sum()
}

/// The experiment with sums short enough to be tried, and by how much they were shortened.
fn with_fewer_terms(experiment: &Experiment) -> (Experiment, f64) {
    let mut tried = experiment.clone();
    let terms = |experiment: &Experiment| {
        f64::from(experiment.detector.sensor().layers)
            * f64::from(experiment.sampling.oversample).powi(2)
            * experiment.sources.len() as f64
            * f64::from(experiment.phi.count)
            * experiment.crystal.mosaic().domains().len() as f64
    };
    let all = terms(experiment);
    let excess = |tried: &Experiment| terms(tried) / MOST_TERMS;
    if excess(&tried) > 1.0 {
        let fewer = f64::from(tried.sampling.oversample) / excess(&tried).sqrt();
        tried.sampling.oversample = (fewer as u32).max(1);
    }
    if excess(&tried) > 1.0 {
        let fewer = ((f64::from(tried.phi.count) / excess(&tried)) as u32).max(1);
        tried.phi.step_rad *= f64::from(tried.phi.count) / f64::from(fewer);
        tried.phi.count = fewer;
    }
    if excess(&tried) > 1.0 {
        let every = excess(&tried).ceil() as usize;
        let some = tried.sources.iter().copied().step_by(every).collect();
        if let Ok(some) = SourceList::from_sources(some) {
            tried.sources = some;
        }
    }
    let ratio = all / terms(&tried);
    (tried, ratio)
}

/// The region of interest cut into runs of pixels.
struct Runs {
    fast: [u32; 2],
    slow: [u32; 2],
    per_row: u64,
    count: u64,
}

impl Runs {
    fn of(experiment: &Experiment) -> Self {
        let (fast, slow) = (experiment.roi.fast(), experiment.roi.slow());
        let per_row = u64::from((fast.end() - fast.start()) / RUN + 1);
        Self {
            fast: [*fast.start(), *fast.end()],
            slow: [*slow.start(), *slow.end()],
            per_row,
            count: per_row * u64::from(slow.end() - slow.start() + 1),
        }
    }

    /// A mask that leaves `wanted` runs, spread evenly; all of them if that many there are.
    fn mask(&self, experiment: &Experiment, wanted: u64) -> Option<Mask> {
        if wanted >= self.count {
            return experiment.mask.clone();
        }
        let detector = &experiment.detector;
        let width = detector.pixels_fast() as usize;
        let mut used = vec![false; width * detector.pixels_slow() as usize];
        for index in 0..wanted {
            let run = spread(index, self.count);
            let slow = (self.slow[0] + (run / self.per_row) as u32).min(self.slow[1]) as usize;
            let first = self.fast[0] + (run % self.per_row) as u32 * RUN;
            let last = first.saturating_add(RUN - 1).min(self.fast[1]);
            let (first, last) = (first as usize, last as usize);
            let row = slow * width;
            let chosen = used.get_mut(row + first..=row + last).unwrap_or_default();
            match &experiment.mask {
                None => chosen.fill(true),
                Some(mask) => {
                    let left = mask.row(slow).get(first..=last).unwrap_or_default();
                    chosen
                        .iter_mut()
                        .zip(left)
                        .for_each(|(used, left)| *used = *left);
                }
            }
        }
        Mask::new(width, used)
    }
}

/// The `index`th of a sequence that fills 0..count evenly however far it is followed: multiples of
/// the golden ratio, modulo 1.
fn spread(index: u64, count: u64) -> u64 {
    let golden = 0.618_033_988_749_894_9;
    let place = (index as f64 * golden + 0.5).fract();
    ((place * count as f64) as u64).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_places_are_spread_over_all() {
        let mut places: Vec<u64> = (0..100).map(|index| spread(index, 1000)).collect();
        places.sort_unstable();
        assert!(places.first().is_some_and(|first| *first < 20));
        assert!(places.last().is_some_and(|last| *last >= 980));
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] < 30));
    }
}
