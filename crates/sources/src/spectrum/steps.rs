//! Fewer lines that stand for a spectrum.

use super::{SpectralLine, Spectrum, SpectrumFault, bandwidth_ev, mean_energy_ev, total};
use crate::error::{Error, Result};

/// The largest number of steps of a spectrum.
pub const MAX_SPECTRUM_STEPS: i64 = 1_000_000;

/// The steps of a spectrum: each is a source, or with a divergence one for each direction.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrumSteps {
    /// The steps in the order of their energies. The mean of their weights is 1.
    pub lines: Vec<SpectralLine>,
    /// How well they stand for the spectrum.
    pub resampling: Resampling,
}

/// A spectrum and the error of its steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// The lines of the spectrum.
    pub lines: usize,
    /// The mean energy of the spectrum.
    pub mean_energy_ev: f64,
    /// The standard deviation of the energies of the spectrum.
    pub bandwidth_ev: f64,
    /// The share of the photons whose energies are outside of the steps.
    pub outside: f64,
    /// The mean energy of the steps minus that of the spectrum.
    pub mean_energy_error_ev: f64,
    /// The standard deviation of the energies of the steps minus that of the spectrum.
    pub bandwidth_error_ev: f64,
    /// The mean distance in energy from a photon of the spectrum to its step.
    pub moved_ev: f64,
    /// The integral of the difference of both densities, in magnitude: 0 if they are the same, 2 if nothing
    /// of them is at the same energy. The density of a line is constant up to half of the distance to its
    /// nearer neighbour, that of a step in the whole step.
    pub l1: f64,
}

/// The energies that a line stands for, with a constant density.
#[derive(Clone, Copy)]
struct Cell {
    low_ev: f64,
    high_ev: f64,
    weight: f64,
}

impl Cell {
    fn density(&self) -> f64 {
        self.weight / (self.high_ev - self.low_ev)
    }
}

impl Spectrum {
    /// The spectrum in at most `count` steps of equal width in energy; a smaller spectrum, or one without a
    /// count, keeps its lines. Steps without photons are left out. The photons of a step have their mean
    /// energy, so that that of the whole spectrum is kept. Lines outside of `window_ev` are left out.
    ///
    /// # Errors
    /// [`Error::Spectrum`] for a count outside 1 to [`MAX_SPECTRUM_STEPS`] and a window without photons.
    pub fn in_steps(
        &self,
        name: &str,
        count: Option<i64>,
        window_ev: Option<[f64; 2]>,
    ) -> Result<SpectrumSteps> {
        let fault = |fault| Error::Spectrum {
            place: name.to_owned(),
            fault,
        };
        if let Some(steps) = count.filter(|count| !(1..=MAX_SPECTRUM_STEPS).contains(count)) {
            return Err(fault(SpectrumFault::Steps { steps }));
        }
        let [from_ev, to_ev] = window_ev.unwrap_or([0.0, f64::INFINITY]);
        let seen = |line: &&SpectralLine| (from_ev..=to_ev).contains(&line.energy_ev);
        let lines: Vec<SpectralLine> = self.lines().iter().filter(seen).copied().collect();
        // Lines of weight 0 at the ends would make the steps wider.
        let has_photons = |line: &SpectralLine| line.weight > 0.0;
        let first = lines.iter().position(has_photons);
        let last = lines.iter().rposition(has_photons);
        let (Some(first), Some(last)) = (first, last) else {
            return Err(fault(SpectrumFault::EmptyWindow { from_ev, to_ev }));
        };
        let lines = lines.get(first..=last).unwrap_or_default();
        let count = count.and_then(|count| usize::try_from(count).ok());
        let (steps, moved_ev, l1) = match count {
            Some(count) if count < lines.len() => gathered(lines, count),
            _ => {
                let kept = lines.iter().copied().filter(has_photons);
                (kept.collect(), 0.0, 0.0)
            }
        };
        let resampling = Resampling {
            lines: self.lines().len(),
            mean_energy_ev: self.mean_energy_ev(),
            bandwidth_ev: self.bandwidth_ev(),
            outside: (1.0 - total(lines) / self.total()).max(0.0),
            mean_energy_error_ev: mean_energy_ev(&steps) - self.mean_energy_ev(),
            bandwidth_error_ev: bandwidth_ev(&steps) - self.bandwidth_ev(),
            moved_ev,
            l1,
        };
        Ok(SpectrumSteps {
            lines: with_mean_of_1(steps),
            resampling,
        })
    }

    /// The lowest and the highest energy of what is left if each end loses at most this share of the photons.
    pub(super) fn without_ends(&self, share: f64) -> [f64; 2] {
        let limit = share * self.total();
        let lines = self.lines().iter();
        [within(lines.clone(), limit), within(lines.rev(), limit)]
    }
}

/// The energy of the line with which the sum of the weights exceeds `limit`.
fn within<'l>(lines: impl Iterator<Item = &'l SpectralLine>, limit: f64) -> f64 {
    let mut sum = 0.0;
    let mut sums = lines.map(|line| {
        sum += line.weight;
        (sum, line.energy_ev)
    });
    let inside = sums.find(|(sum, _)| *sum > limit);
    inside.map_or(0.0, |(_, energy_ev)| energy_ev)
}

/// The lines with weights whose mean is 1. Equal weights become exactly 1.
fn with_mean_of_1(mut lines: Vec<SpectralLine>) -> Vec<SpectralLine> {
    let first = lines.first().map_or(1.0, |line| line.weight);
    let mean = match lines.iter().all(|line| line.weight == first) {
        true => first,
        false => total(&lines) / lines.len() as f64,
    };
    lines.iter_mut().for_each(|line| line.weight /= mean);
    lines
}

/// The cell of each line.
fn cells(lines: &[SpectralLine]) -> Vec<Cell> {
    let gaps = lines.iter().zip(lines.iter().skip(1));
    let gaps: Vec<f64> = gaps
        .map(|(line, next)| next.energy_ev - line.energy_ev)
        .collect();
    let cell = |(index, line): (usize, &SpectralLine)| {
        let below = index.checked_sub(1).and_then(|index| gaps.get(index));
        let nearer_ev = [below, gaps.get(index)].into_iter().flatten().copied();
        let half_ev = nearer_ev.reduce(f64::min).unwrap_or(0.0) / 2.0;
        Cell {
            low_ev: line.energy_ev - half_ev,
            high_ev: line.energy_ev + half_ev,
            weight: line.weight,
        }
    };
    lines.iter().enumerate().map(cell).collect()
}

/// Fewer steps than lines: the steps, how far a photon is moved on average, and the L1 error.
fn gathered(lines: &[SpectralLine], count: usize) -> (Vec<SpectralLine>, f64, f64) {
    let cells = cells(lines);
    let all = total(lines);
    let low_ev = cells.first().map_or(0.0, |cell| cell.low_ev);
    let high_ev = cells.last().map_or(0.0, |cell| cell.high_ev);
    let width_ev = (high_ev - low_ev) / count as f64;
    let mut steps = Vec::with_capacity(count);
    let (mut moved, mut l1) = (0.0, 0.0);
    let mut first = 0;
    for step in 0..count {
        let from_ev = low_ev + width_ev * step as f64;
        let to_ev = match step + 1 == count {
            true => high_ev,
            false => low_ev + width_ev * (step + 1) as f64,
        };
        // Cells that end before this step concern no later one either.
        while cells.get(first).is_some_and(|cell| cell.high_ev <= from_ev) {
            first += 1;
        }
        let inside = cells.get(first..).unwrap_or_default().iter();
        let parts: Vec<Cell> = inside
            .take_while(|cell| cell.low_ev < to_ev)
            .map(|cell| part(cell, from_ev, to_ev))
            .collect();
        let weight: f64 = parts.iter().map(|part| part.weight).sum();
        let density = weight / (to_ev - from_ev);
        let covered: f64 = parts.iter().map(|part| part.high_ev - part.low_ev).sum();
        l1 += density * (to_ev - from_ev - covered).max(0.0);
        for part in &parts {
            l1 += (part.density() - density).abs() * (part.high_ev - part.low_ev);
        }
        if weight <= 0.0 {
            continue;
        }
        let middles = parts
            .iter()
            .map(|part| part.weight * ((part.low_ev - from_ev) + (part.high_ev - from_ev)) / 2.0);
        let energy_ev = from_ev + middles.sum::<f64>() / weight;
        moved += parts
            .iter()
            .map(|part| distance(part, energy_ev))
            .sum::<f64>();
        steps.push(SpectralLine { energy_ev, weight });
    }
    (steps, moved / all, l1 / all)
}

/// The part of a cell between two energies.
fn part(cell: &Cell, from_ev: f64, to_ev: f64) -> Cell {
    let low_ev = cell.low_ev.max(from_ev);
    let high_ev = cell.high_ev.min(to_ev);
    let weight = match low_ev == cell.low_ev && high_ev == cell.high_ev {
        true => cell.weight,
        false => cell.density() * (high_ev - low_ev),
    };
    Cell {
        low_ev,
        high_ev,
        weight,
    }
}

/// The distances of the photons of a cell to an energy, added.
fn distance(cell: &Cell, energy_ev: f64) -> f64 {
    let [below, above] = [energy_ev - cell.low_ev, cell.high_ev - energy_ev];
    match below > 0.0 && above > 0.0 {
        true => cell.density() * (below * below + above * above) / 2.0,
        false => cell.weight * ((below - above) / 2.0).abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::NamedSpectrum;

    fn spectrum(lines: &[(f64, f64)]) -> Spectrum {
        let line = |&(energy_ev, weight): &(f64, f64)| SpectralLine { energy_ev, weight };
        Spectrum::new("s", lines.iter().map(line).collect()).unwrap()
    }

    fn pairs(steps: &SpectrumSteps) -> Vec<(f64, f64)> {
        steps
            .lines
            .iter()
            .map(|line| (line.energy_ev, line.weight))
            .collect()
    }

    #[test]
    fn a_small_spectrum_keeps_its_lines_and_loses_nothing() {
        let spectrum = spectrum(&[(10.0, 3.0), (11.0, 0.0), (17.0, 1.0)]);
        for count in [None, Some(3), Some(100)] {
            let steps = spectrum.in_steps("s", count, None).unwrap();
            assert_eq!(pairs(&steps), [(10.0, 1.5), (17.0, 0.5)]);
            let Resampling {
                outside,
                mean_energy_error_ev,
                bandwidth_error_ev,
                moved_ev,
                l1,
                ..
            } = steps.resampling;
            let errors = [
                outside,
                mean_energy_error_ev,
                bandwidth_error_ev,
                moved_ev,
                l1,
            ];
            assert_eq!(errors, [0.0; 5]);
        }
    }

    #[test]
    fn equal_weights_are_exactly_1() {
        let spectrum = spectrum(&[(10.0, 0.1), (11.0, 0.1), (12.0, 0.1)]);
        let steps = spectrum.in_steps("s", None, None).unwrap();
        assert!(steps.lines.iter().all(|line| line.weight == 1.0));
    }

    #[test]
    fn neighbours_are_gathered_at_their_mean() {
        let spectrum = spectrum(&[(10.0, 1.0), (11.0, 3.0), (12.0, 2.0), (13.0, 2.0)]);
        let steps = spectrum.in_steps("s", Some(2), None).unwrap();
        assert_eq!(pairs(&steps), [(10.75, 1.0), (12.5, 1.0)]);
        let resampling = steps.resampling;
        // Densities 1, 3 are taken for 2: an error of 2 of 8 photons.
        assert_eq!(resampling.l1, 0.25);
        assert_eq!(resampling.mean_energy_error_ev, 0.0);
        // The photons of a line are spread evenly from half a step below to half a step above: those of the
        // first are moved by 0.75 on average, of the second by (1/32 + 9/32) as 10.75 is within them, of
        // the others by 0.5.
        let moved = (0.75 + 3.0 * (0.0625 + 0.5625) / 2.0 + 4.0 * 0.5) / 8.0;
        assert!((resampling.moved_ev - moved).abs() < 1e-15);
        assert!(resampling.bandwidth_error_ev < 0.0);
    }

    #[test]
    fn lines_on_the_edge_of_steps_are_divided() {
        let spectrum = spectrum(&[(10.0, 1.0), (11.0, 1.0), (12.0, 1.0)]);
        let steps = spectrum.in_steps("s", Some(2), None).unwrap();
        assert_eq!(pairs(&steps), [(10.25, 1.0), (11.75, 1.0)]);
        assert_eq!(steps.resampling.l1, 0.0);
    }

    #[test]
    fn no_photons_are_put_into_a_gap() {
        let spectrum = spectrum(&[(10.0, 1.0), (11.0, 1.0), (98.0, 1.0), (99.0, 1.0)]);
        let steps = spectrum.in_steps("s", Some(3), None).unwrap();
        assert_eq!(pairs(&steps), [(10.5, 1.0), (98.5, 1.0)]);
    }

    #[test]
    fn a_window_tells_what_is_outside() {
        let spectrum = spectrum(&[(10.0, 1.0), (11.0, 3.0), (12.0, 4.0)]);
        let steps = spectrum.in_steps("s", None, Some([10.5, 11.5])).unwrap();
        assert_eq!(pairs(&steps), [(11.0, 1.0)]);
        assert_eq!(steps.resampling.outside, 5.0 / 8.0);
        assert_eq!(steps.resampling.mean_energy_error_ev, 11.0 - 11.375);
        let empty = spectrum
            .in_steps("s", None, Some([10.2, 10.8]))
            .unwrap_err();
        assert_eq!(empty.to_string(), "s: no photons from 10.2 to 10.8 eV");
        let none = spectrum.in_steps("s", Some(0), None).unwrap_err();
        assert!(none.to_string().starts_with("s: 0 steps; expected 1 to"));
    }

    #[test]
    fn the_errors_of_gaussian_steps_are_those_of_a_histogram() {
        let named = "gaussian:24eV".parse::<NamedSpectrum>().unwrap();
        let spectrum = named.spectrum(1e-10).unwrap();
        let sigma_ev = spectrum.bandwidth_ev();
        for count in [40, 60, 80] {
            let steps = spectrum.in_steps("s", Some(count), None).unwrap();
            let resampling = steps.resampling;
            let width_ev = 144.0 / count as f64;
            // Within a narrow step of width w the density is almost constant: photons are moved by w/4, the
            // variance w^2/12 within the step is lost.
            assert!(
                (resampling.moved_ev / (width_ev / 4.0) - 1.0).abs() < 0.02,
                "{count}"
            );
            let lost = sigma_ev - (sigma_ev * sigma_ev - width_ev * width_ev / 12.0).sqrt();
            assert!(
                (resampling.bandwidth_error_ev / -lost - 1.0).abs() < 0.1,
                "{count}"
            );
            assert!(resampling.mean_energy_error_ev.abs() < 1e-9);
            // |p'| w/4 is the mean difference within a step, and the integral of |p'| is twice the peak of
            // the density, 2/(sqrt(2 pi) sigma).
            let l1 = width_ev / 2.0 / ((2.0 * std::f64::consts::PI).sqrt() * sigma_ev);
            assert!(
                (resampling.l1 / l1 - 1.0).abs() < 0.05,
                "{} {l1}",
                resampling.l1
            );
        }
    }
}
