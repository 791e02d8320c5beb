//! Renders a few pixels in a fraction of a second, to estimate properties of the complete image.

use std::ops::Range;
use std::time::Instant;

use nanobragg::{
    Cancel, Detector, DirectBeam, Experiment, Frame, Mask, Panel, PixelPlace, Scene, SourceList,
};

use crate::args::Args;
use crate::outcome::RunError;
use crate::simulate::render_quietly;

/// The intended time of the trial, in seconds.
const TRIAL_S: f64 = 0.2;

/// Pixels of a row that the fast kernel renders together.
const RUN: u32 = 64;

/// The largest number of terms per pixel in the trial; longer sums are shortened.
const MOST_TERMS: f64 = 1e5;

/// The results of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// Rendered pixels.
    pub(crate) pixels: u64,
    /// Pixels of the complete image.
    pub(crate) pixels_in_all: u64,
    /// Terms per pixel of the image divided by terms per pixel of the trial.
    pub(crate) terms_ratio: f64,
    /// Photons in the brightest pixel of the trial.
    pub(crate) brightest_photons: f64,
    /// The position of this pixel.
    pub(crate) brightest_at: PixelPlace,
    /// The estimated number of pixels of the complete image that overflow 16 bits.
    pub(crate) overloads: f64,
    /// The estimated time to render the image, in seconds.
    pub(crate) render_s: f64,
}

/// Renders runs of pixels spread over the region of interest. Pixels of `beam` do not count as the
/// brightest or as overloads.
///
/// # Errors
/// The errors of a run: stopped, no memory, no threads.
pub(crate) fn run(
    experiment: &Experiment,
    args: &Args,
    offset_counts: f64,
    beam: Option<&DirectBeam<'_>>,
    stop: &Cancel,
) -> Result<Trial, RunError> {
    let (mut tried, terms_ratio) = with_fewer_terms(experiment);
    let runs = Runs::of(experiment);
    let mut timed = |wanted: u64| -> Result<(f64, Frame), RunError> {
        tried.detector = runs.detector(experiment, wanted)?;
        let scene = Scene::new(&tried);
        let begun = Instant::now();
        let rendered = render_quietly(&scene, args, stop)?;
        Ok((begun.elapsed().as_secs_f64(), rendered))
    };
    // The time without any pixel is not proportional to the number of pixels.
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
    let mut brightest_photons = 0.0_f32;
    let mut brightest_at = PixelPlace {
        panel: 0,
        slow: 0,
        fast: 0,
    };
    let mut over = 0_u64;
    for (panel, image) in rendered.panels.iter().enumerate() {
        let rows = image.pixels.chunks(image.pixels_fast.max(1) as usize);
        for (slow, row) in (0..).zip(rows) {
            for (fast, &photons) in (0..).zip(row) {
                let place = PixelPlace { panel, slow, fast };
                if beam.is_some_and(|beam| beam.holds(place)) {
                    continue;
                }
                if photons > brightest_photons {
                    (brightest_photons, brightest_at) = (photons, place);
                }
                over += u64::from(f64::from(photons) + offset_counts > f64::from(u16::MAX));
            }
        }
    }
    let share = pixels_in_all as f64 / pixels.max(1) as f64;
    Ok(Trial {
        pixels,
        pixels_in_all,
        terms_ratio,
        brightest_photons: brightest_photons.into(),
        brightest_at,
        overloads: (over as f64 * share).round(),
        render_s: idle_s + net_s * share * terms_ratio,
    })
}

/// The number of pixels in the regions of interest that no mask excludes.
pub(crate) fn pixels_of(experiment: &Experiment) -> u64 {
    let of_panel = |panel: &Panel| {
        let roi = panel.roi();
        let Some(mask) = panel.mask() else {
            return roi.pixel_count();
        };
        let columns = *roi.fast().start() as usize..=*roi.fast().end() as usize;
        let used = |slow: u32| {
            let row = mask.row(slow as usize).get(columns.clone());
            row.map_or(0, |row| row.iter().filter(|used| **used).count() as u64)
        };
        roi.slow().map(used).sum()
    };
    experiment.detector.panels().iter().map(of_panel).sum()
}

/// The experiment with shortened sums, and the ratio of the numbers of terms.
fn with_fewer_terms(experiment: &Experiment) -> (Experiment, f64) {
    let mut tried = experiment.clone();
    let excess = |tried: &Experiment| tried.terms_a_pixel() / MOST_TERMS;
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
    let ratio = experiment.terms_a_pixel() / tried.terms_a_pixel();
    (tried, ratio)
}

/// The regions of interest of all panels, divided into numbered runs of pixels.
struct Runs {
    panels: Vec<PanelRuns>,
    count: u64,
}

/// The runs of one panel.
struct PanelRuns {
    fast: [u32; 2],
    slow: [u32; 2],
    per_row: u64,
    /// The number of its first run, and of the first run of the next panel.
    numbers: Range<u64>,
}

impl Runs {
    fn of(experiment: &Experiment) -> Self {
        let mut count = 0;
        let panels = experiment.detector.panels().iter().map(|panel| {
            let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
            let per_row = u64::from((fast.end() - fast.start()) / RUN + 1);
            let start = count;
            count += per_row * u64::from(slow.end() - slow.start() + 1);
            PanelRuns {
                fast: [*fast.start(), *fast.end()],
                slow: [*slow.start(), *slow.end()],
                per_row,
                numbers: start..count,
            }
        });
        Self {
            panels: panels.collect(),
            count,
        }
    }

    /// The detector with masks that leave `wanted` runs, spread evenly; all runs if there are no more.
    fn detector(&self, experiment: &Experiment, wanted: u64) -> Result<Detector, RunError> {
        if wanted >= self.count {
            return Ok(experiment.detector.clone());
        }
        let chosen: Vec<u64> = (0..wanted).map(|index| spread(index, self.count)).collect();
        let panels = self.panels.iter().zip(experiment.detector.panels());
        let masked = panels.map(|(runs, panel)| {
            let mask = runs.mask(panel, &chosen);
            Ok(panel.clone().with_mask(mask)?)
        });
        let masked = masked.collect::<Result<_, nanobragg::Error>>()?;
        Ok(Detector::new(masked).map_err(nanobragg::Error::from)?)
    }
}

impl PanelRuns {
    /// A mask that leaves the `chosen` runs of this panel.
    fn mask(&self, panel: &Panel, chosen: &[u64]) -> Option<Mask> {
        let width = panel.pixels_fast() as usize;
        let mut used = vec![false; panel.pixel_count()];
        for run in chosen.iter().filter(|run| self.numbers.contains(run)) {
            let run = run - self.numbers.start;
            let slow = (self.slow[0] + (run / self.per_row) as u32).min(self.slow[1]) as usize;
            let first = self.fast[0] + (run % self.per_row) as u32 * RUN;
            let last = first.saturating_add(RUN - 1).min(self.fast[1]);
            let (first, last) = (first as usize, last as usize);
            let row = slow * width;
            let chosen = used.get_mut(row + first..=row + last).unwrap_or_default();
            match panel.mask() {
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

/// Element `index` of a sequence that fills 0..count evenly at any length: multiples of the golden
/// ratio, modulo 1.
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
