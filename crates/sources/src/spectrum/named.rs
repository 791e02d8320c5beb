//! Spectra with a name, worked out on a fine grid of energies.

use nanobragg_numeric::CounterNoise;
use serde::{Deserialize, Serialize};

use super::{SpectralLine, Spectrum, SpectrumFault};
use crate::energy::energy_ev_from_wavelength_m;
use crate::error::{Error, Result};

/// FWHM over standard deviation of a Gaussian: sqrt(8 ln 2).
const FWHM_PER_SIGMA: f64 = 2.354_820_045_030_949_3;

/// Lines in the width of the narrowest detail.
const LINES_PER_DETAIL: f64 = 64.0;

/// Gaussians reach this many FWHM to both sides; the photons beyond are 2e-12 of all.
const REACH_FWHM: f64 = 3.0;

/// The tail of an undulator reaches this many times its length; the photons beyond are 1e-13 of all.
const REACH_TAIL: f64 = 30.0;

/// The largest number of lines of a spectrum with a name.
const MAX_LINES: f64 = 1e6;

/// The use of the random numbers of spikes. It must never change: a seed would then give other spikes.
const SPIKES: u8 = 128;

/// A width in energy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// In eV.
    Ev(f64),
    /// In percent of the nominal energy of the beam.
    Percent(f64),
}

impl Width {
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Ev(number) | Self::Percent(number) => number,
        }
    }

    /// The width in eV about this energy.
    pub fn ev(self, energy_ev: f64) -> f64 {
        match self {
            Self::Ev(ev) => ev,
            Self::Percent(percent) => percent / 100.0 * energy_ev,
        }
    }

    fn is_relative(self) -> bool {
        matches!(self, Self::Percent(_))
    }
}

/// A spectrum with a name, about the nominal energy E0 of the beam.
///
/// Its text is that of the flag: `gaussian:0.2%`, `sase:30eV,0.5eV,7`, `two-colour:70eV,0.5`,
/// `pink:undulator,2%,1%`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NamedSpectrum {
    /// `exp(-4 ln2 (E - E0)^2/fwhm^2)`.
    Gaussian {
        /// Full width at half maximum.
        fwhm: Width,
    },
    /// Self-amplified spontaneous emission of a free-electron laser: spikes under a Gaussian envelope.
    ///
    /// The field at each energy is a Gaussian random number, as of chaotic light, and the spectrum is
    ///
    /// ```text
    /// envelope(E) |sum_j z_j phi_j(E)|^2 / sum_j phi_j(E)^2      phi_j(E) = exp(-(E - j s)^2/(4 s^2))
    /// ```
    ///
    /// with independent complex Gaussian z_j of variance 1, and s = spike/sqrt(8 ln2), so that one phi_j^2
    /// has the FWHM of a spike. The mean over seeds is the envelope, and the intensity at one energy is
    /// distributed exponentially.
    ///
    /// # Source
    /// E. L. Saldin, E. A. Schneidmiller and M. V. Yurkov, Optics Communications 148 (1998) 383.
    Sase {
        /// FWHM of the envelope.
        bandwidth: Width,
        /// FWHM of a spike.
        spike: Width,
        /// Seed of the spikes.
        seed: i64,
    },
    /// Two lines at E0 - separation/2 and E0 + separation/2.
    TwoColour {
        /// The distance of the lines.
        separation: Width,
        /// Photons of the upper line over those of the lower one.
        ratio: f64,
        /// The FWHM of each line; `None` for sharp lines.
        fwhm: Option<Width>,
    },
    /// A harmonic of an undulator with its sharp edge at E0 and a tail to lower energies.
    ///
    /// A ray at the angle theta has the wavelength `lambda0 (1 + u)`, `u = gamma^2 theta^2/(1 + K^2/2)`.
    /// If angles along both axes are Gaussian, as those of the electrons are, u is distributed as
    /// `exp(-u/tail)/tail`. The number of periods and the spread of the electrons' energies smear the edge by
    /// a Gaussian.
    ///
    /// # Source
    /// K.-J. Kim, "Characteristics of synchrotron radiation", X-ray Data Booklet (LBNL), section 2.1.
    Undulator {
        /// The mean of u, over E0.
        tail: Width,
        /// FWHM of the smearing.
        edge: Width,
    },
}

impl NamedSpectrum {
    /// A pink beam of 2.3 % FWHM.
    pub(super) const UNDULATOR: Self = Self::Undulator {
        tail: Width::Percent(2.0),
        edge: Width::Percent(1.0),
    };

    /// The widths.
    fn widths(self) -> [Option<Width>; 2] {
        match self {
            Self::Gaussian { fwhm } => [Some(fwhm), None],
            Self::Sase {
                bandwidth, spike, ..
            } => [Some(bandwidth), Some(spike)],
            Self::TwoColour {
                separation, fwhm, ..
            } => [Some(separation), fwhm],
            Self::Undulator { tail, edge } => [Some(tail), Some(edge)],
        }
    }

    /// Whether all widths are relative to the nominal energy (`Some(true)`), or none is.
    pub(super) fn is_relative(self) -> Option<bool> {
        let mut widths = self.widths().into_iter().flatten().map(Width::is_relative);
        let first = widths.next()?;
        widths.all(|other| other == first).then_some(first)
    }

    /// The spectrum about the photons of a wavelength.
    ///
    /// # Errors
    /// [`Error::Spectrum`] for a spectrum that is too wide for the energy, or with too many spikes.
    pub fn spectrum(self, wavelength_m: f64) -> Result<Spectrum> {
        let fault = |fault| Error::Spectrum {
            place: self.to_string(),
            fault,
        };
        let energy_ev = energy_ev_from_wavelength_m(wavelength_m);
        let lines = self.lines(energy_ev).map_err(fault)?;
        Spectrum::new(&self.to_string(), lines)
    }

    fn lines(self, e0_ev: f64) -> std::result::Result<Vec<SpectralLine>, SpectrumFault> {
        let ev = |width: Width| width.ev(e0_ev);
        match self {
            Self::Gaussian { fwhm } => {
                let fwhm_ev = ev(fwhm);
                let reach_ev = REACH_FWHM * fwhm_ev;
                Grid::new(e0_ev, [-reach_ev, reach_ev], fwhm_ev)?
                    .lines(|offset_ev| gaussian(offset_ev, fwhm_ev))
            }
            Self::Sase {
                bandwidth,
                spike,
                seed,
            } => {
                let (fwhm_ev, spike_ev) = (ev(bandwidth), ev(spike));
                let reach_ev = REACH_FWHM * fwhm_ev;
                let spikes = Spikes::new(spike_ev, seed);
                Grid::new(e0_ev, [-reach_ev, reach_ev], fwhm_ev.min(spike_ev))?
                    .lines(|offset_ev| gaussian(offset_ev, fwhm_ev) * spikes.at(offset_ev))
            }
            Self::TwoColour {
                separation,
                ratio,
                fwhm,
            } => {
                let half_ev = ev(separation) / 2.0;
                let Some(fwhm) = fwhm else {
                    Grid::new(e0_ev, [-half_ev, half_ev], half_ev)?;
                    let line = |energy_ev, weight| SpectralLine { energy_ev, weight };
                    let both = [line(e0_ev - half_ev, 1.0), line(e0_ev + half_ev, ratio)];
                    return Ok(both.into());
                };
                let fwhm_ev = ev(fwhm);
                let reach_ev = half_ev + REACH_FWHM * fwhm_ev;
                let both = |offset_ev| {
                    let upper = gaussian(offset_ev - half_ev, fwhm_ev);
                    gaussian(offset_ev + half_ev, fwhm_ev) + ratio * upper
                };
                Grid::new(e0_ev, [-reach_ev, reach_ev], fwhm_ev)?.lines(both)
            }
            Self::Undulator { tail, edge } => {
                let [tail, fwhm] = [tail, edge].map(|width| ev(width) / e0_ev);
                let reach = REACH_FWHM * fwhm;
                let longest = REACH_TAIL * tail + reach;
                // E0/(1 + u) for the ends of u.
                let ends_ev = [-longest / (1.0 + longest), reach / (1.0 - reach)];
                if reach >= 0.9 {
                    let width_ev = fwhm * e0_ev;
                    let energy_ev = e0_ev;
                    return Err(SpectrumFault::TooWide {
                        width_ev,
                        energy_ev,
                    });
                }
                let detail_ev = fwhm.min(tail) * e0_ev;
                let edge = SmearedExponential {
                    tail,
                    sigma: fwhm / FWHM_PER_SIGMA,
                };
                Grid::new(e0_ev, ends_ev.map(|end| end * e0_ev), detail_ev)?.lines(|offset_ev| {
                    let energy_ev = e0_ev + offset_ev;
                    // dN/dE = dN/du du/dE.
                    edge.density(-offset_ev / energy_ev) * e0_ev / (energy_ev * energy_ev)
                })
            }
        }
    }
}

/// `exp(-4 ln2 x^2/fwhm^2)`.
fn gaussian(x: f64, fwhm: f64) -> f64 {
    let sigmas = x / fwhm * FWHM_PER_SIGMA;
    (-0.5 * sigmas * sigmas).exp()
}

/// Evenly spaced energies.
struct Grid {
    e0_ev: f64,
    first_ev: f64,
    step_ev: f64,
    count: u32,
}

impl Grid {
    /// Energies from one end to the other, both relative to `e0_ev`, with many in the width of a detail.
    fn new(
        e0_ev: f64,
        [low_ev, high_ev]: [f64; 2],
        detail_ev: f64,
    ) -> std::result::Result<Self, SpectrumFault> {
        let width_ev = high_ev - low_ev;
        if low_ev <= -e0_ev {
            return Err(SpectrumFault::TooWide {
                width_ev,
                energy_ev: e0_ev,
            });
        }
        let count = (width_ev / detail_ev * LINES_PER_DETAIL).round();
        if !(1.0..=MAX_LINES).contains(&count) {
            return Err(SpectrumFault::TooFine {
                detail_ev,
                width_ev,
            });
        }
        Ok(Self {
            e0_ev,
            first_ev: low_ev,
            step_ev: width_ev / count,
            count: count as u32,
        })
    }

    /// The photons at the middle of each step, from their density at an offset from e0.
    fn lines(
        &self,
        density: impl Fn(f64) -> f64,
    ) -> std::result::Result<Vec<SpectralLine>, SpectrumFault> {
        let line = |index: u32| {
            let offset_ev = self.first_ev + (f64::from(index) + 0.5) * self.step_ev;
            SpectralLine {
                energy_ev: self.e0_ev + offset_ev,
                weight: density(offset_ev) * self.step_ev,
            }
        };
        Ok((0..self.count).map(line).collect())
    }
}

/// The squared field of chaotic light, whose mean over seeds is 1.
struct Spikes {
    /// Distance of the nodes, and the width of phi.
    sigma_ev: f64,
    noise: CounterNoise,
}

impl Spikes {
    /// Nodes to both sides of an energy whose phi is not negligible there: the next is exp(-36).
    const NEAR: i64 = 12;

    fn new(spike_ev: f64, seed: i64) -> Self {
        Self {
            sigma_ev: spike_ev / FWHM_PER_SIGMA,
            noise: CounterNoise::new(seed, SPIKES, 0),
        }
    }

    fn at(&self, offset_ev: f64) -> f64 {
        let x = offset_ev / self.sigma_ev;
        let nearest = x.round() as i64;
        let (mut real, mut imaginary, mut norm) = (0.0, 0.0, 0.0);
        for node in nearest - Self::NEAR..=nearest + Self::NEAR {
            // The position of a pixel has no sign; nodes below 0 are at its far end.
            let mut z = self.noise.pixel([node as u32, 0]);
            let phi = (-0.25 * (x - node as f64).powi(2)).exp();
            real += phi * z.gaussian();
            imaginary += phi * z.gaussian();
            norm += phi * phi;
        }
        (real * real + imaginary * imaginary) / (2.0 * norm)
    }
}

/// The distribution of the sum of an exponential and a Gaussian number.
struct SmearedExponential {
    /// The mean of the exponential number.
    tail: f64,
    /// The standard deviation of the Gaussian number.
    sigma: f64,
}

impl SmearedExponential {
    /// `exp(-u^2/(2 sigma^2)) erfcx(z)/(2 tail)`, `z = (sigma/tail - u/sigma)/sqrt 2`, with the scaled
    /// complementary error function `erfcx(z) = exp(z^2) erfc(z)`.
    fn density(&self, u: f64) -> f64 {
        let Self { tail, sigma } = *self;
        let z = (sigma / tail - u / sigma) / std::f64::consts::SQRT_2;
        let gauss = -0.5 * (u / sigma).powi(2);
        // The exponents are added first, so that neither of them overflows.
        let value = match z < 20.0 {
            true => (gauss + z * z).exp() * libm::erfc(z),
            false => gauss.exp() * scaled_erfc_of_large(z),
        };
        value / (2.0 * tail)
    }
}

/// The asymptotic series of `exp(z^2) erfc(z)`. The first term that is left out is 1e-9 at z = 20.
fn scaled_erfc_of_large(z: f64) -> f64 {
    let x = 1.0 / (2.0 * z * z);
    (1.0 - x * (1.0 - 3.0 * x * (1.0 - 5.0 * x))) / (z * std::f64::consts::PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAVELENGTH_M: f64 = 1e-10;
    const E0_EV: f64 = 12398.42;

    fn spectrum(text: &str) -> Spectrum {
        text.parse::<NamedSpectrum>()
            .unwrap()
            .spectrum(WAVELENGTH_M)
            .unwrap()
    }

    fn close(found: f64, expected: f64, tolerance: f64) {
        let error = (found - expected).abs();
        assert!(error < tolerance, "{found} instead of {expected}");
    }

    #[test]
    fn a_gaussian_has_its_width() {
        let spectrum = spectrum("gaussian:0.2%");
        let fwhm_ev = 0.002 * E0_EV;
        close(spectrum.mean_energy_ev(), E0_EV, 1e-8);
        // The variance is fwhm^2/(8 ln 2).
        let sigma_ev = fwhm_ev / (8.0 * 2.0_f64.ln()).sqrt();
        close(spectrum.bandwidth_ev() / sigma_ev, 1.0, 1e-9);
        // Half of the photons are within 0.286 FWHM: erf(0.4769) = 1/2.
        let within = spectrum.lines().iter().filter(|line| {
            (line.energy_ev - E0_EV).abs() < 0.476_936_276_2 / (2.0 * 2.0_f64.ln().sqrt()) * fwhm_ev
        });
        let within: f64 = within.map(|line| line.weight).sum();
        close(within / spectrum.total(), 0.5, 0.02);
    }

    #[test]
    fn two_colours_share_the_photons_by_their_ratio() {
        let sharp = spectrum("two-colour:60eV,0.25");
        let lines: Vec<_> = sharp
            .lines()
            .iter()
            .map(|l| (l.energy_ev, l.weight))
            .collect();
        assert_eq!(lines, [(E0_EV - 30.0, 1.0), (E0_EV + 30.0, 0.25)]);
        let broad = spectrum("two-colour:60eV,0.25,4eV");
        // p = ratio/(1 + ratio): the mean is separation (p - 1/2), the variance p (1 - p) separation^2 and
        // that of a line.
        close(broad.mean_energy_ev(), E0_EV + 60.0 * (0.2 - 0.5), 1e-8);
        let variance = 0.2 * 0.8 * 3600.0 + 16.0 / (8.0 * 2.0_f64.ln());
        close(broad.bandwidth_ev(), variance.sqrt(), 1e-8);
    }

    #[test]
    fn an_undulator_has_the_moments_of_its_wavelengths() {
        for (text, tail, edge) in [
            ("pink:undulator", 0.02, 0.01),
            ("pink:undulator,1%,3%", 0.01, 0.03),
            ("pink:undulator,5%,0.2%", 0.05, 0.002),
        ] {
            let spectrum = spectrum(text);
            let total = spectrum.total();
            let moment = |power: i32, about: f64| {
                let terms = spectrum.lines().iter().map(|line| {
                    line.weight * (line.wavelength_m() / WAVELENGTH_M - 1.0 - about).powi(power)
                });
                terms.sum::<f64>() / total
            };
            // An exponential number has mean t, variance t^2 and third central moment 2 t^3; a Gaussian one
            // adds its variance.
            let sigma = edge / (8.0 * 2.0_f64.ln()).sqrt();
            let variance = tail * tail + sigma * sigma;
            close(total, 1.0, 1e-5);
            close(moment(1, 0.0) / tail, 1.0, 1e-5);
            close(moment(2, tail) / variance, 1.0, 1e-5);
            close(moment(3, tail) / (2.0 * tail.powi(3)), 1.0, 2e-4);
        }
    }

    #[test]
    fn the_edge_of_an_undulator_is_at_high_energy() {
        let spectrum = spectrum("pink:undulator");
        let lines = spectrum.lines();
        let highest = lines.iter().map(|line| line.weight).fold(0.0, f64::max);
        let mut above = lines.iter().filter(|line| line.weight > highest / 2.0);
        let low_ev = above.next().unwrap().energy_ev;
        let high_ev = above.next_back().unwrap().energy_ev;
        let peak_ev = lines.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        let peak_ev = peak_ev.unwrap().energy_ev;
        // The side of low energies is the longer one.
        assert!(high_ev - peak_ev < 0.6 * (peak_ev - low_ev));
        close((high_ev - low_ev) / E0_EV, 0.023, 0.001);
    }

    #[test]
    fn both_forms_of_the_smeared_edge_agree() {
        for z in [20.0_f64, 25.0] {
            let direct = (z * z).exp() * libm::erfc(z);
            close(scaled_erfc_of_large(z) / direct, 1.0, 1e-8);
        }
    }

    /// Seeds that a mean is taken of. The relative error of the mean of exponential numbers is
    /// 1/sqrt(seeds); five times that is not exceeded by chance.
    const SEEDS: i64 = 500;

    fn shots() -> Vec<Spectrum> {
        (0..SEEDS)
            .map(|seed| spectrum(&format!("sase:0.2%,0.05%,{seed}")))
            .collect()
    }

    #[test]
    fn the_mean_of_sase_over_seeds_is_its_envelope() {
        let shots = shots();
        let seeds = SEEDS as f64;
        let envelope = spectrum("gaussian:0.2%");
        let envelope_at = |energy_ev: f64| gaussian(energy_ev - E0_EV, 0.002 * E0_EV);
        let step_ev = shots[0].lines()[1].energy_ev - shots[0].lines()[0].energy_ev;
        let middle = shots[0].lines().len() / 2;
        for at in [middle - 200, middle - 64, middle, middle + 100] {
            let of_seeds = shots.iter().map(|shot| shot.lines()[at].weight);
            let expected = envelope_at(shots[0].lines()[at].energy_ev) * step_ev;
            let mean = of_seeds.clone().sum::<f64>() / seeds / expected;
            close(mean, 1.0, 5.0 / seeds.sqrt());
            // The mean square of an exponential number is twice the square of its mean; the variance of
            // the square is 20.
            let square = of_seeds
                .map(|weight| (weight / expected).powi(2))
                .sum::<f64>()
                / seeds;
            close(square, 2.0, 5.0 * 20.0_f64.sqrt() / seeds.sqrt());
        }
        // All photons: the variance of their number is 1/sqrt(1 + (sigma of envelope/sigma of spike)^2).
        let totals: Vec<f64> = shots.iter().map(|s| s.total() / envelope.total()).collect();
        let mean = totals.iter().sum::<f64>() / seeds;
        let variance = totals.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / seeds;
        let expected: f64 = 1.0 / (1.0_f64 + 4.0 * 4.0).sqrt();
        close(mean, 1.0, 5.0 * (expected / seeds).sqrt());
        // The relative error of a variance of n numbers is about sqrt(2/n).
        close(variance / expected, 1.0, 5.0 * (2.0 / seeds).sqrt());
    }

    #[test]
    fn spikes_depend_on_the_seed_alone() {
        assert_eq!(spectrum("sase:20eV,1eV,3"), spectrum("sase:20eV,1eV,3"));
        assert_ne!(spectrum("sase:20eV,1eV,3"), spectrum("sase:20eV,1eV,4"));
    }

    #[test]
    fn spectra_that_cannot_be_are_refused() {
        for (text, expected) in [
            ("gaussian:50%", "too wide"),
            ("two-colour:250%,1", "too wide"),
            ("pink:undulator,2%,31%", "too wide"),
            ("sase:30eV,0.0001eV,1", "too many"),
        ] {
            let named = text.parse::<NamedSpectrum>().unwrap();
            let message = named.spectrum(WAVELENGTH_M).unwrap_err().to_string();
            assert!(
                message.starts_with(text) && message.contains(expected),
                "{message}"
            );
        }
    }
}
