//! The sources of an experiment: directions, wavelengths and weights.

use std::ops::RangeInclusive;

use nanobragg_geometry::{BeamFrame, DetectorSpec, Laboratory};
use nanobragg_sources::spectrum::MovesWith;
use nanobragg_sources::{
    BeamAxes, Dispersion, Divergence, Source, SourceDefaults, SourceList, SpectrumSteps, StepSpec,
};

use crate::error::Error;
use crate::spec::{ExperimentSpec, SourceWeights, SourcesSpec};
use crate::warning::{Warning, of_steps};

const MOST_TILT_RAD: f64 = 0.1;

/// The relative difference of a given wavelength from the mean of a spectrum that has a warning. A spectrometer is
/// calibrated better than this.
const OTHER_WAVELENGTH: f64 = 2e-3;

/// The longest wavelength in metres of a listed source without a warning. Lengths in Angstrom are far above it.
const LONG_WAVELENGTH_M: f64 = 1e-7;

/// The central wavelengths in metres without a warning. Energies in keV that are taken for eV are far above them, and
/// energies in eV that are taken for keV far below.
const PLAUSIBLE_WAVELENGTHS_M: RangeInclusive<f64> = 5e-12..=5e-9;

/// What a grid of sources is over.
pub(crate) struct Bands<'s> {
    pub(crate) divergence: Divergence,
    pub(crate) dispersion: Dispersion,
    pub(crate) spectrum: Option<&'s SpectrumSteps>,
}

impl ExperimentSpec {
    /// The laboratory with the beam tilted.
    pub(crate) fn tilted(
        &self,
        laboratory: Laboratory,
        spec: &DetectorSpec,
    ) -> Result<Laboratory, Error> {
        for tilt_rad in self.beam.tilt_rad {
            if tilt_rad.is_nan() || tilt_rad.abs() > MOST_TILT_RAD {
                return Err(Error::OutOfRange {
                    quantity: "the tilt of the beam (rad)",
                    value: tilt_rad,
                    allowed: "from -0.1 to 0.1",
                });
            }
        }
        Ok(laboratory.with_beam_turned(self.beam.tilt_rad, spec)?)
    }

    /// The nominal wavelength in metres: that given, or the mean of a spectrum with energies of its own.
    pub(crate) fn nominal_wavelength_m(&self) -> Result<f64, Error> {
        let own_m = match (&self.beam.spectrum, self.beam.wavelength) {
            (Some(spectrum), None) => spectrum.own_wavelength_m()?,
            _ => None,
        };
        Ok(own_m.unwrap_or(self.beam.nominal_wavelength().m()))
    }

    /// The steps of the spectrum, which excludes all other sources of wavelengths.
    pub(crate) fn spectrum(
        &self,
        wavelength_m: f64,
        dispersion: &Dispersion,
    ) -> Result<Option<SpectrumSteps>, Error> {
        let Some(spectrum) = &self.beam.spectrum else {
            return Ok(None);
        };
        let other = match self.beam.sources {
            SourcesSpec::Grid if dispersion.steps().count == 1 => None,
            SourcesSpec::Grid => Some("a dispersion"),
            SourcesSpec::File(_) | SourcesSpec::List(_) => Some("a list of sources"),
        };
        if let Some(other) = other {
            return Err(Error::TwoSpectra { other });
        }
        Ok(Some(spectrum.steps_about(wavelength_m)?))
    }

    /// The sources of a beam that has the frame `beam` before it is tilted.
    pub(crate) fn sources(
        &self,
        beam: &BeamFrame,
        wavelength_m: f64,
        bands: Bands<'_>,
    ) -> Result<SourceList, Error> {
        let tilt_rad = self.beam.tilt_rad;
        let sources = self.straight_sources(beam, wavelength_m, bands)?;
        if tilt_rad == [0.0; 2] {
            return Ok(sources);
        }
        let turned = sources.iter().map(|source| Source {
            direction: beam.turn(source.direction, tilt_rad),
            position_m: beam.turn(source.position_m, tilt_rad),
            ..*source
        });
        Ok(SourceList::from_sources(turned.collect())?)
    }

    fn straight_sources(
        &self,
        beam: &BeamFrame,
        wavelength_m: f64,
        bands: Bands<'_>,
    ) -> Result<SourceList, Error> {
        let list = match &self.beam.sources {
            SourcesSpec::Grid => {
                let axes = BeamAxes {
                    beam: beam.direction(),
                    polarization: beam.polarization(),
                    vertical: beam.vertical(),
                };
                let Bands {
                    divergence,
                    dispersion,
                    spectrum,
                } = bands;
                return Ok(match spectrum {
                    Some(spectrum) => SourceList::spectral(&axes, &divergence, spectrum)?,
                    None => SourceList::grid(&axes, wavelength_m, &divergence, &dispersion)?,
                });
            }
            SourcesSpec::File(path) => {
                let defaults = SourceDefaults {
                    beam_direction: beam.direction(),
                    wavelength_m,
                };
                let list = SourceList::read(path, &defaults)?;
                if self.beam.weights == SourceWeights::Ignore && list.records_differ() {
                    tracing::warn!(
                        "{}: the weights differ, but every source counts the same; -weights use lets them count",
                        path.display()
                    );
                }
                list
            }
            SourcesSpec::List(sources) => sources.clone(),
        };
        Ok(match self.beam.weights {
            SourceWeights::Ignore => list,
            SourceWeights::Use => list.weighted()?,
        })
    }

    /// What surprises about the sources, if files state `central_wavelength_m`.
    pub(crate) fn of_sources(&self, central_wavelength_m: f64) -> Option<Warning> {
        if self.beam.sources == SourcesSpec::Grid && self.beam.weights == SourceWeights::Use {
            return Some(Warning::NoWeights);
        }
        let given = self.beam.wavelength?.m();
        let spectrum = self.beam.spectrum.as_ref()?;
        let is_own = spectrum.moves_with() == MovesWith::Nothing;
        let is_other = (given / central_wavelength_m - 1.0).abs() > OTHER_WAVELENGTH;
        (is_own && is_other).then_some(Warning::OtherWavelength {
            given_angstrom: given * 1e10,
            mean_angstrom: central_wavelength_m * 1e10,
        })
    }

    /// The first listed source whose wavelength can hardly be one in metres.
    pub(crate) fn of_long_wavelengths(&self, sources: &SourceList) -> Option<Warning> {
        if self.beam.sources == SourcesSpec::Grid {
            return None;
        }
        let mut wavelengths_m = sources.iter().map(|source| source.wavelength_m);
        let wavelength_m = wavelengths_m.find(|&wavelength_m| wavelength_m > LONG_WAVELENGTH_M)?;
        Some(Warning::LongWavelength { wavelength_m })
    }

    /// A central wavelength that is hardly one of X-rays.
    pub(crate) fn of_odd_wavelength(&self, central_wavelength_m: f64) -> Option<Warning> {
        let spectrum = self.beam.spectrum.as_ref();
        let is_odd = !PLAUSIBLE_WAVELENGTHS_M.contains(&central_wavelength_m);
        is_odd.then(|| Warning::OddWavelength {
            wavelength_m: central_wavelength_m,
            is_of_spectrum: spectrum
                .is_some_and(|spectrum| spectrum.moves_with() == MovesWith::Nothing),
        })
    }

    /// What surprises about the steps of a grid of sources.
    pub(crate) fn of_source_steps(
        &self,
        divergence: &Divergence,
        dispersion: &Dispersion,
    ) -> Vec<Warning> {
        if self.beam.sources != SourcesSpec::Grid {
            return Vec::new();
        }
        let (given, used) = (&self.beam.divergence, divergence);
        // A dispersion without a range has none, so that none is assumed.
        let of_dispersion = StepSpec {
            range: Some(self.beam.dispersion.range.unwrap_or(0.0)),
            step: None,
            count: self.beam.dispersion.count,
        };
        let mrad = |angle_rad: f64| angle_rad * 1e3;
        let percent = |fraction: f64| fraction * 100.0;
        let horizontal = (&given.horizontal, used.horizontal());
        let vertical = (&given.vertical, used.vertical());
        [
            of_steps(
                "horizontal divergence",
                "mrad",
                mrad,
                horizontal.0,
                horizontal.1,
            ),
            of_steps("vertical divergence", "mrad", mrad, vertical.0, vertical.1),
            of_steps(
                "dispersion",
                "%",
                percent,
                &of_dispersion,
                dispersion.steps(),
            ),
        ]
        .concat()
    }
}
