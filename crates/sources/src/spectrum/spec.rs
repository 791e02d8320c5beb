//! The spectrum as a user specifies it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{NamedSpectrum, Spectrum, SpectrumSteps, SpectrumTable, SpectrumUnit, Width};
use crate::error::Result;

/// The steps of a smooth spectrum if no number is given.
const DEFAULT_STEPS: i64 = 100;

/// The largest share of the photons that each end of a spectrum with a name may lose, so that its long thin
/// ends do not take steps.
const THIN_END: f64 = 2.5e-4;

/// The spectrum of the beam as specified by a user.
///
/// ```
/// use nanobragg_sources::spectrum::{SpectrumFrom, SpectrumSpec};
///
/// let spec = SpectrumSpec {
///     from: SpectrumFrom::Named("gaussian:0.2%".parse()?),
///     steps: Some(20),
///     window_ev: None,
///     column: None,
/// };
/// let steps = spec.steps_about(1e-10)?;
/// assert_eq!(steps.lines.len(), 20);
/// assert!(steps.resampling.outside < 5e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpectrumSpec {
    /// Where it comes from.
    pub from: SpectrumFrom,
    /// The largest number of wavelengths; `None` takes every line of a file and 100 steps of a smooth
    /// spectrum.
    #[serde(default)]
    pub steps: Option<i64>,
    /// The lowest and the highest energy that are used; `None` for all.
    #[serde(default)]
    pub window_ev: Option<[f64; 2]>,
    /// The column of weights, counted from 1, of a table with several spectra; `None` for the only one.
    #[serde(default)]
    pub column: Option<u32>,
}

/// Where a spectrum comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectrumFrom {
    /// A text file; see [`Spectrum::parse`].
    File {
        /// The file.
        path: PathBuf,
        /// Its first column; `None` for what it says itself.
        #[serde(default)]
        unit: Option<SpectrumUnit>,
    },
    /// A spectrum with a name.
    Named(NamedSpectrum),
    /// Rows of an energy in eV and a weight, or a weight of each of several spectra.
    Lines(Vec<Vec<f64>>),
}

/// How the steps of a spectrum change with the nominal energy of the beam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovesWith {
    /// The distances of the energies stay.
    Distances,
    /// The ratios of the energies stay.
    Ratios,
    /// Not at all: the energies are given.
    Nothing,
    /// In another way: some widths are in eV, others in percent.
    Shape,
}

impl SpectrumSpec {
    /// The name in messages.
    pub fn name(&self) -> String {
        match &self.from {
            SpectrumFrom::File { path, .. } => path.display().to_string(),
            SpectrumFrom::Named(named) => named.to_string(),
            SpectrumFrom::Lines(_) => "spectrum".to_owned(),
        }
    }

    /// How the steps change with the nominal energy.
    pub fn moves_with(&self) -> MovesWith {
        match &self.from {
            SpectrumFrom::File { .. } | SpectrumFrom::Lines(_) => MovesWith::Nothing,
            SpectrumFrom::Named(_) if self.window_ev.is_some() => MovesWith::Shape,
            SpectrumFrom::Named(named) => match (named, named.is_relative()) {
                (_, Some(true)) => MovesWith::Ratios,
                (NamedSpectrum::Undulator { .. }, _) | (_, None) => MovesWith::Shape,
                (_, Some(false)) => MovesWith::Distances,
            },
        }
    }

    /// The FWHM of a Gaussian whose steps all move in proportion to it; `None` for any other spectrum, and within a
    /// window.
    pub fn gaussian_fwhm(&self) -> Option<Width> {
        match self.from {
            SpectrumFrom::Named(NamedSpectrum::Gaussian { fwhm }) => {
                self.window_ev.is_none().then_some(fwhm)
            }
            _ => None,
        }
    }

    /// Reads the file, if the spectrum is in one.
    ///
    /// # Errors
    /// Those of [`SpectrumTable::read`] and [`Spectrum::in_steps`], with the name of the file.
    pub fn load(&mut self) -> Result<()> {
        if let SpectrumFrom::File { path, unit } = &self.from {
            let table = SpectrumTable::read(path, *unit)?;
            let spectrum = table.spectrum(self.column)?;
            spectrum.in_steps(&self.name(), self.steps, self.window_ev)?;
            let row = |(energy_ev, weights): (f64, &[f64])| [&[energy_ev], weights].concat();
            self.from = SpectrumFrom::Lines(table.rows().map(row).collect());
        }
        Ok(())
    }

    /// The mean wavelength in metres of a spectrum with given energies; `None` for one that has a name.
    ///
    /// # Errors
    /// As [`spectrum_about`](Self::spectrum_about).
    pub fn own_wavelength_m(&self) -> Result<Option<f64>> {
        match &self.from {
            SpectrumFrom::Named(_) => Ok(None),
            SpectrumFrom::File { .. } | SpectrumFrom::Lines(_) => {
                // Without a name a spectrum is the same about any wavelength.
                let wavelengths = self.steps_about(1e-10)?.lines;
                Ok(Some(
                    Spectrum::new("spectrum", wavelengths)?.mean_wavelength_m(),
                ))
            }
        }
    }

    /// The spectrum; one with a name is about photons of `wavelength_m`.
    ///
    /// # Errors
    /// A file that cannot be read, and [`Error::Spectrum`](crate::Error::Spectrum).
    pub fn spectrum_about(&self, wavelength_m: f64) -> Result<Spectrum> {
        match &self.from {
            SpectrumFrom::File { path, unit } => {
                SpectrumTable::read(path, *unit)?.spectrum(self.column)
            }
            SpectrumFrom::Named(named) => named.spectrum(wavelength_m),
            SpectrumFrom::Lines(rows) => {
                SpectrumTable::of_rows("spectrum line", rows)?.spectrum(self.column)
            }
        }
    }

    /// The steps of [`spectrum_about`](Self::spectrum_about).
    ///
    /// # Errors
    /// As there, and those of [`Spectrum::in_steps`].
    pub fn steps_about(&self, wavelength_m: f64) -> Result<SpectrumSteps> {
        let spectrum = self.spectrum_about(wavelength_m)?;
        let is_smooth = match &self.from {
            SpectrumFrom::File { .. } | SpectrumFrom::Lines(_) => false,
            SpectrumFrom::Named(NamedSpectrum::TwoColour { fwhm, .. }) => fwhm.is_some(),
            SpectrumFrom::Named(_) => true,
        };
        let ends_ev = is_smooth.then(|| spectrum.without_ends(THIN_END));
        let steps = self.steps.or(is_smooth.then_some(DEFAULT_STEPS));
        spectrum.in_steps(&self.name(), steps, self.window_ev.or(ends_ev))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> SpectrumSpec {
        SpectrumSpec {
            from: SpectrumFrom::Named(text.parse().unwrap()),
            steps: None,
            window_ev: None,
            column: None,
        }
    }

    #[test]
    fn steps_move_with_the_energy_as_is_said() {
        for (text, expected) in [
            ("gaussian:0.3%", MovesWith::Ratios),
            ("gaussian:30eV", MovesWith::Distances),
            ("sase:0.3%,0.02%,5", MovesWith::Ratios),
            ("sase:30eV,3eV,5", MovesWith::Distances),
            ("sase:30eV,0.02%,5", MovesWith::Shape),
            ("two-colour:50eV,2", MovesWith::Distances),
            ("pink:undulator", MovesWith::Ratios),
            ("pink:undulator,200eV,100eV", MovesWith::Shape),
        ] {
            let spec = named(text);
            assert_eq!(spec.moves_with(), expected, "{text}");
            let before = spec.steps_about(1e-10).unwrap().lines;
            let after = spec.steps_about(1.001e-10).unwrap().lines;
            let ev = 12398.42;
            for (before, after) in before.iter().zip(&after) {
                let moved_ev = match expected {
                    MovesWith::Ratios => before.energy_ev / 1.001,
                    MovesWith::Distances => before.energy_ev + ev / 1.001 - ev,
                    MovesWith::Nothing | MovesWith::Shape => continue,
                };
                assert!((after.energy_ev - moved_ev).abs() < 1e-7, "{text}");
                assert!((after.weight - before.weight).abs() < 1e-7, "{text}");
            }
            assert_eq!(before.len(), after.len());
        }
    }

    #[test]
    fn steps_of_a_gaussian_move_with_its_width() {
        let e0_ev = 12398.42;
        for (text, wider) in [
            ("gaussian:0.3%", "gaussian:0.33%"),
            ("gaussian:30eV", "gaussian:33eV"),
        ] {
            let [before, after] = [text, wider].map(|text| named(text).steps_about(1e-10).unwrap());
            assert_eq!(before.lines.len(), after.lines.len());
            for (before, after) in before.lines.iter().zip(&after.lines) {
                let moved_ev = e0_ev + 1.1 * (before.energy_ev - e0_ev);
                assert!((after.energy_ev - moved_ev).abs() < 1e-7, "{text}");
                assert!((after.weight - before.weight).abs() < 1e-7, "{text}");
            }
            assert!(named(text).gaussian_fwhm().is_some());
        }
        let window = SpectrumSpec {
            window_ev: Some([12_390.0, 12_400.0]),
            ..named("gaussian:30eV")
        };
        assert_eq!(window.gaussian_fwhm(), None);
        assert_eq!(named("sase:30eV,1eV").gaussian_fwhm(), None);
    }

    #[test]
    fn smooth_spectra_have_100_steps_and_lose_little() {
        for text in [
            "gaussian:0.3%",
            "sase:30eV,1eV,9",
            "pink:undulator",
            "two-colour:50eV,2,5eV",
        ] {
            let steps = named(text).steps_about(1e-10).unwrap();
            assert!((90..=100).contains(&steps.lines.len()), "{text}");
            assert!((1e-5..5.1e-4).contains(&steps.resampling.outside), "{text}");
            let mean =
                steps.lines.iter().map(|line| line.weight).sum::<f64>() / steps.lines.len() as f64;
            assert!((mean - 1.0).abs() < 1e-13);
        }
        assert_eq!(
            named("two-colour:50eV,2")
                .steps_about(1e-10)
                .unwrap()
                .lines
                .len(),
            2
        );
    }

    #[test]
    fn given_lines_stand_for_themselves() {
        let spec = SpectrumSpec {
            from: SpectrumFrom::Lines(vec![vec![9000.0, 1.0], vec![9010.0, 3.0]]),
            steps: None,
            window_ev: None,
            column: None,
        };
        let steps = spec.steps_about(1e-10).unwrap();
        let weights: Vec<f64> = steps.lines.iter().map(|line| line.weight).collect();
        assert_eq!(weights, [0.5, 1.5]);
        assert_eq!(spec.moves_with(), MovesWith::Nothing);
    }
}
