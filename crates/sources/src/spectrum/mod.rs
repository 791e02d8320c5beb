//! The spectrum of a beam: lines of photon energies, each with its share of the photons.
//!
//! A spectrum is read from a file ([`SpectrumTable::read`]) or has a name ([`NamedSpectrum`]). Each of its lines
//! is a source, or it is gathered into fewer steps ([`Spectrum::in_steps`]), whose error is stated
//! ([`Resampling`]).

mod fault;
mod file;
mod named;
mod spec;
mod steps;
mod text;

pub use fault::SpectrumFault;
pub use file::{SpectrumTable, SpectrumUnit};
pub use named::{NamedSpectrum, Width};
pub use spec::{MovesWith, SpectrumFrom, SpectrumSpec};
pub use steps::{MAX_SPECTRUM_STEPS, Resampling, SpectrumSteps};

use crate::energy::wavelength_m_from_energy_ev;
use crate::error::{Error, Result};

/// The allowed energies of photons. They exceed every practical range of X-rays.
pub const ENERGIES_EV: std::ops::RangeInclusive<f64> = 1e-3..=1e12;

/// Photons of one energy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectralLine {
    /// The energy of a photon.
    pub energy_ev: f64,
    /// The number of photons, in any unit.
    pub weight: f64,
}

impl SpectralLine {
    /// The wavelength of the photons.
    pub fn wavelength_m(&self) -> f64 {
        wavelength_m_from_energy_ev(self.energy_ev)
    }
}

/// Lines of increasing energy. No weight is negative, and not all are 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum(Vec<SpectralLine>);

impl Spectrum {
    /// The spectrum of these lines, which have increasing or decreasing energies. `name` is its name in
    /// messages.
    ///
    /// ```
    /// use nanobragg_sources::spectrum::{SpectralLine, Spectrum};
    ///
    /// let line = |energy_ev, weight| SpectralLine { energy_ev, weight };
    /// let spectrum = Spectrum::new("two lines", vec![line(12_000.0, 3.0), line(12_040.0, 1.0)])?;
    /// assert_eq!(spectrum.mean_energy_ev(), 12_010.0);
    /// # Ok::<(), nanobragg_sources::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Spectrum`] for no lines, an energy outside [`ENERGIES_EV`] or out of order, the same energy
    /// twice, a weight that is negative or not finite, and weights that are all 0.
    pub fn new(name: &str, lines: Vec<SpectralLine>) -> Result<Self> {
        let numbered = lines.into_iter().enumerate();
        Self::of_lines(name, numbered.map(|(index, line)| (index + 1, line)))
    }

    /// The same for lines that have the numbers of the lines of a file.
    fn of_lines(name: &str, numbered: impl Iterator<Item = (usize, SpectralLine)>) -> Result<Self> {
        let fault = |number: usize, fault| Error::Spectrum {
            place: format!("{name}:{number}"),
            fault,
        };
        let mut lines: Vec<SpectralLine> = Vec::new();
        let mut rises = None;
        for (number, line) in numbered {
            let SpectralLine { energy_ev, weight } = line;
            if !ENERGIES_EV.contains(&energy_ev) {
                return Err(fault(number, SpectrumFault::Energy { energy_ev }));
            }
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(fault(number, SpectrumFault::Weight { weight }));
            }
            if let Some(before) = lines.last() {
                if before.energy_ev == energy_ev {
                    return Err(fault(number, SpectrumFault::SameEnergy { energy_ev }));
                }
                let is_above = energy_ev > before.energy_ev;
                if *rises.get_or_insert(is_above) != is_above {
                    return Err(fault(number, SpectrumFault::NotInOrder { energy_ev }));
                }
            }
            lines.push(line);
        }
        let whole = |fault| Error::Spectrum {
            place: name.to_owned(),
            fault,
        };
        if lines.is_empty() {
            return Err(whole(SpectrumFault::NoLines));
        }
        let total: f64 = lines.iter().map(|line| line.weight).sum();
        if !(total.is_normal() && total > 0.0) {
            return Err(whole(SpectrumFault::NoPhotons { total }));
        }
        if rises == Some(false) {
            lines.reverse();
        }
        Ok(Self(lines))
    }

    /// The lines, in the order of their energies.
    pub fn lines(&self) -> &[SpectralLine] {
        &self.0
    }

    /// The sum of the weights.
    pub fn total(&self) -> f64 {
        total(&self.0)
    }

    /// The mean energy of the photons.
    pub fn mean_energy_ev(&self) -> f64 {
        mean_energy_ev(&self.0)
    }

    /// The standard deviation of the energies of the photons.
    pub fn bandwidth_ev(&self) -> f64 {
        bandwidth_ev(&self.0)
    }

    /// The mean wavelength of the photons.
    pub fn mean_wavelength_m(&self) -> f64 {
        mean(&self.0, SpectralLine::wavelength_m)
    }
}

fn total(lines: &[SpectralLine]) -> f64 {
    lines.iter().map(|line| line.weight).sum()
}

/// The mean of `value` over the photons. Exact if all lines have the same value, where a sum would round.
fn mean(lines: &[SpectralLine], value: fn(&SpectralLine) -> f64) -> f64 {
    let Some(first) = lines.first().map(value) else {
        return 0.0;
    };
    let above: f64 = lines
        .iter()
        .map(|line| line.weight * (value(line) - first))
        .sum();
    first + above / total(lines)
}

fn mean_energy_ev(lines: &[SpectralLine]) -> f64 {
    mean(lines, |line| line.energy_ev)
}

fn bandwidth_ev(lines: &[SpectralLine]) -> f64 {
    let mean_ev = mean_energy_ev(lines);
    let squares = lines
        .iter()
        .map(|line| line.weight * (line.energy_ev - mean_ev).powi(2));
    (squares.sum::<f64>() / total(lines)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(energy_ev: f64, weight: f64) -> SpectralLine {
        SpectralLine { energy_ev, weight }
    }

    fn message(lines: &[(f64, f64)]) -> String {
        let lines = lines
            .iter()
            .map(|&(energy_ev, weight)| line(energy_ev, weight));
        Spectrum::new("s", lines.collect()).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_kept_in_the_order_of_energy() {
        let falling = vec![line(3.0, 1.0), line(2.0, 0.0), line(1.0, 5.0)];
        let rising = falling.iter().copied().rev().collect();
        assert_eq!(
            Spectrum::new("s", falling).unwrap(),
            Spectrum::new("s", rising).unwrap()
        );
    }

    #[test]
    fn moments_are_those_of_the_photons() {
        let spectrum = Spectrum::new("s", vec![line(10.0, 3.0), line(14.0, 1.0)]).unwrap();
        assert_eq!(spectrum.total(), 4.0);
        assert_eq!(spectrum.mean_energy_ev(), 11.0);
        assert_eq!(spectrum.bandwidth_ev(), 3.0_f64.sqrt());
        let mean_m = (3.0 * 12398.42e-10 / 10.0 + 12398.42e-10 / 14.0) / 4.0;
        assert!((spectrum.mean_wavelength_m() / mean_m - 1.0).abs() < 1e-15);
    }

    #[test]
    fn bad_lines_are_named_with_their_number() {
        for (lines, expected) in [
            (&[][..], "s: no line of the spectrum found"),
            (&[(1.0, 0.0), (2.0, 0.0)], "s: the weights add up to 0"),
            (&[(1.0, 1.0), (0.0, 1.0)], "s:2: an energy of 0 eV"),
            (&[(-4.0, 1.0)], "s:1: an energy of -4 eV"),
            (&[(f64::NAN, 1.0)], "s:1: an energy of NaN eV"),
            (&[(1.0, -1.0)], "s:1: a weight of -1"),
            (&[(1.0, f64::NAN)], "s:1: a weight of NaN"),
            (
                &[(1.0, f64::MAX), (2.0, f64::MAX)],
                "s: the weights add up to inf",
            ),
            (
                &[(1.0, 1.0), (1.0, 1.0)],
                "s:2: the energy 1 eV a second time",
            ),
            (
                &[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0)],
                "s:3: the energy 2 eV is not in order",
            ),
            (
                &[(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)],
                "s:3: the energy 2 eV is not in order",
            ),
        ] {
            let message = message(lines);
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
