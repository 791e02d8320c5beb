//! An experiment with the current values of its parameters, and whether its image has a derivative by each.

use std::borrow::Cow;

use nanobragg_crystal::{GridLimit, Hkl, Lattice, Spread, reciprocal_from_matrix};
use nanobragg_geometry::{Attenuation, vector};
use nanobragg_physics::{Oddity, RunOptions, Scene};
use nanobragg_sources::spectrum::MovesWith;
use nanobragg_sources::{
    Profile, SourceDefaults, SourceList, SpectrumSpec, Steps, energy_ev_from_wavelength_m,
};
use nanobragg_structure::{Correction, Element};

use super::parameter::{LayerNumber, Parameter};
use crate::error::Error;
use crate::factors::FactorsSpec;
use crate::resolve::Resolved;
use crate::spec::{ExperimentSpec, SourcesSpec};

const NO_STRAIN: Option<&str> = Some("the domains have no such strain");

/// A specification and the experiment that it resolves to.
#[derive(Debug)]
pub(super) struct Base<'s> {
    /// The specification with its files in memory.
    pub(super) spec: Cow<'s, ExperimentSpec>,
    pub(super) resolved: Resolved,
}

impl<'s> Base<'s> {
    pub(super) fn new(spec: &'s ExperimentSpec, options: &RunOptions<'_>) -> Result<Self, Error> {
        let spec = if spec.is_in_memory() {
            Cow::Borrowed(spec)
        } else {
            Cow::Owned(spec.load(GridLimit::default())?.spec)
        };
        Ok(Self {
            resolved: spec.resolve_with(options)?,
            spec,
        })
    }

    pub(super) fn tables(&self) -> Scene {
        Scene::new(&self.resolved.experiment)
    }

    /// The lattice of a matrix before the misset; `None` without a matrix.
    pub(super) fn matrix_lattice(&self) -> Option<Lattice> {
        let crystal = &self.spec.crystal;
        let wavelength_m = self.resolved.decisions.wavelength_m;
        let reciprocal = reciprocal_from_matrix(crystal.matrix.as_ref()?, wavelength_m);
        Some(Lattice::from_reciprocal(reciprocal, crystal.cell.as_ref()))
    }

    /// Edges in Angstrom and angles in radians: the given ones, or those of the matrix.
    pub(super) fn cell(&self) -> [f64; 6] {
        let lattice = self.matrix_lattice();
        if let (None, Some(cell)) = (&lattice, &self.spec.crystal.cell) {
            let ([a, b, c], [alpha, beta, gamma]) = (cell.lengths_angstrom, cell.angles_rad);
            return [a, b, c, alpha, beta, gamma];
        }
        let own = self.resolved.experiment.crystal.lattice();
        let direct = lattice.as_ref().unwrap_or(own).direct_angstrom;
        let [a, b, c] = direct.map(vector::norm);
        let [va, vb, vc] = direct;
        let angle = |x, y, lengths: f64| f64::acos(vector::dot(x, y) / lengths);
        [
            a,
            b,
            c,
            angle(vb, vc, b * c),
            angle(va, vc, a * c),
            angle(va, vb, a * b),
        ]
    }

    /// The misset angles in radians; for a random misset, the drawn ones.
    pub(super) fn misset_rad(&self) -> [f64; 3] {
        let crystal = &self.resolved.experiment.crystal;
        crystal.misset_rad().unwrap_or([0.0; 3])
    }

    /// The derivative of a phi step by the range; `None` if the step was given.
    pub(super) fn phi_step_by_range(&self) -> Option<f64> {
        let is_given = self.spec.phi.sweep.step.is_some_and(|step| {
            let stands = self.spec.phi.sweep.count.is_some_and(|count| count >= 0)
                && self.spec.phi.sweep.range.is_some_and(|range| range >= 0.0);
            step > 0.0 || (step == 0.0 && stands)
        });
        (!is_given).then(|| 1.0 / f64::from(self.resolved.experiment.phi.count))
    }

    /// The derivative of the first phi step by the range of the sweep: 0 if the
    /// steps begin at the edge of the range.
    pub(super) fn phi_lead_by_range(&self) -> f64 {
        let phi = &self.resolved.experiment.phi;
        if !phi.is_centred {
            return 0.0;
        }
        let gaps = f64::from(phi.count) - 1.0;
        0.5 * (1.0 - gaps * self.phi_step_by_range().unwrap_or(0.0))
    }

    /// By how much a step of a divergence grows with its range: not at all if it was given.
    pub(super) fn divergence_step_by_range(given: Option<f64>, steps: Steps) -> f64 {
        let is_given = given.is_some_and(|step| step > 0.0);
        if is_given || steps.range == 0.0 {
            0.0
        } else {
            steps.step / steps.range
        }
    }

    /// How the steps of the spectrum change with the wavelength; `None` without a spectrum.
    pub(super) fn spectrum_moves_with(&self) -> Option<MovesWith> {
        let spectrum = self.spec.beam.spectrum.as_ref();
        spectrum.map(SpectrumSpec::moves_with)
    }

    /// The FWHM of a Gaussian spectrum in percent of the nominal energy; `None` for any other beam.
    pub(super) fn spectrum_fwhm_percent(&self) -> Option<f64> {
        let fwhm = self.spec.beam.spectrum.as_ref()?.gaussian_fwhm()?;
        let energy_ev = energy_ev_from_wavelength_m(self.resolved.decisions.wavelength_m);
        Some(fwhm.ev(energy_ev) / energy_ev * 100.0)
    }

    /// Which sources have the central wavelength because they have none of their own.
    pub(super) fn sources_that_follow(&self) -> Result<Vec<bool>, Error> {
        let sources = &self.resolved.experiment.sources;
        let central_m = self.resolved.decisions.wavelength_m;
        Ok(match &self.spec.beam.sources {
            SourcesSpec::Grid => {
                let follows = self.spectrum_moves_with() != Some(MovesWith::Nothing);
                vec![follows; sources.len()]
            }
            SourcesSpec::List(_) => vec![false; sources.len()],
            SourcesSpec::File(path) => {
                // The list is read with twice the central wavelength: only sources without one of their
                // own change.
                let defaults = SourceDefaults {
                    beam_direction: self.resolved.experiment.beam.direction(),
                    wavelength_m: 2.0 * central_m,
                };
                let other = SourceList::read(path, &defaults)?;
                sources
                    .iter()
                    .zip(&other)
                    .map(|(one, other)| one.wavelength_m != other.wavelength_m)
                    .collect()
            }
        })
    }

    /// The offset of a structure factor in the grid.
    pub(super) fn factor_offset(&self, parameter: Parameter, hkl: Hkl) -> Result<usize, Error> {
        let offset = (self.resolved.experiment.factors).offset(hkl.0.map(i64::from));
        offset.ok_or(Error::NoDerivative {
            parameter,
            reason: "the grid of structure factors does not reach that far",
        })
    }

    /// What is added to f' and f'' of an element at every energy.
    pub(super) fn dispersion_shift(&self, element: Element) -> Option<Correction> {
        match &self.spec.factors {
            FactorsSpec::ByEnergy(factors) => factors.shift(element),
            _ => None,
        }
    }

    /// Checks that the image has a derivative by `parameter`.
    pub(super) fn check(&self, parameter: Parameter) -> Result<(), Error> {
        let reason = self.reason_against(parameter)?;
        reason.map_or(Ok(()), |reason| {
            Err(Error::NoDerivative { parameter, reason })
        })
    }

    fn reason_against(&self, parameter: Parameter) -> Result<Option<&'static str>, Error> {
        let experiment = &self.resolved.experiment;
        let crystal = &experiment.crystal;
        let widths = crystal.mosaic().numbers();
        let sensor = experiment.detector.first().sensor();
        let divergence = &self.resolved.decisions.divergence;
        let is_grid = self.spec.beam.sources == SourcesSpec::Grid;
        let has_corner = self.resolved.decisions.layout.input.pix0_m.is_some();
        let steps_reason = |steps: Steps| match is_grid {
            false => Some("the sources are listed"),
            true if steps.range == 0.0 => Some("without a range there is one step only"),
            true => None,
        };
        // A given step stays, so that directions move against the Gaussian, which follows the range.
        let profile_reason = |given: Option<f64>| {
            let is_weighted = divergence.profile() != Profile::Flat && given.is_some();
            is_weighted
                .then_some("the weights of the directions follow the range, but the step was given")
        };
        let along = |axis: usize| {
            let is_one = crystal.size().cells().get(axis).is_some_and(|n| *n <= 1.0);
            let reason = crystal.shape().no_derivative_by_cells();
            reason.or(is_one.then_some("fewer than one cell count as one"))
        };
        Ok(match parameter {
            Parameter::CellsA | Parameter::CellsB | Parameter::CellsC
                if crystal.domain().crystal_mm3.is_some() =>
            {
                Some("the number of domains follows from it and the volume of the crystal")
            }
            Parameter::CellsA => along(0),
            Parameter::CellsB => along(1),
            Parameter::CellsC => along(2),
            Parameter::CellsD | Parameter::CellsE | Parameter::CellsF => {
                let reason = crystal.shape().no_derivative_by_cells();
                let missing = crystal.domain().tensor.is_none();
                reason.or(missing.then_some("there is no size tensor"))
            }
            Parameter::SpotScale if crystal.domain().spot_scale == 0.0 => Some("the scale is 0"),
            Parameter::Fudge => crystal.shape().no_derivative_by_fudge(),
            Parameter::DiffuseGammaA
            | Parameter::DiffuseGammaB
            | Parameter::DiffuseGammaC
            | Parameter::DiffuseSigmaA
            | Parameter::DiffuseSigmaB
            | Parameter::DiffuseSigmaC
                if experiment.diffuse.is_none() =>
            {
                Some("there is no diffuse scattering")
            }
            Parameter::MosaicSpread if crystal.mosaic().spread_rad() <= 0.0 => {
                Some("without a spread the domains are not turned by one")
            }
            Parameter::MosaicSpreadA | Parameter::MosaicSpreadB | Parameter::MosaicSpreadC
                if matches!(widths.spread, Spread::Isotropic(_)) =>
            {
                Some("the mosaic spread is not given about each axis")
            }
            Parameter::Strain if widths.strain == 0.0 => NO_STRAIN,
            Parameter::StrainA if widths.strain_abc[0] == 0.0 => NO_STRAIN,
            Parameter::StrainB if widths.strain_abc[1] == 0.0 => NO_STRAIN,
            Parameter::StrainC if widths.strain_abc[2] == 0.0 => NO_STRAIN,
            Parameter::PhiRange if experiment.phi.is_centred => None,
            Parameter::PhiRange if experiment.phi.count == 1 => {
                Some("there is one step only, whatever the range")
            }
            Parameter::PhiRange if self.phi_step_by_range().is_none() => {
                Some("the phi step was given, so the range moves nothing")
            }
            Parameter::Wavelength
                if self.spec.crystal.matrix.is_none()
                    && !self.sources_that_follow()?.contains(&true) =>
            {
                Some("every source has a wavelength of its own")
            }
            Parameter::StructureFactor(_) if self.spec.factors.follow_energy() => {
                Some("the structure factors follow the energy of each source")
            }
            Parameter::SpectrumFwhm if self.spectrum_fwhm_percent().is_none() => {
                Some("the spectrum is no Gaussian without a window")
            }
            Parameter::Wavelength | Parameter::Dispersion | Parameter::SpectrumFwhm
                if self.has_kink_of_factors() =>
            {
                Some(
                    "a source has the energy of a list or of a row of f' and f'', where there is a kink",
                )
            }
            Parameter::DispersionReal(element) | Parameter::DispersionImaginary(element)
                if self.dispersion_shift(element).is_none() =>
            {
                Some("no atom has f' and f'' of this element from a table or a curve")
            }
            Parameter::Wavelength if self.spectrum_moves_with() == Some(MovesWith::Shape) => {
                Some("the spectrum changes its shape; give all widths in percent, and no window")
            }
            Parameter::Wavelength if self.spec.attenuation_follows_wavelength() => Some(
                "the absorption of the sensor's material follows it; give an attenuation depth",
            ),
            Parameter::Dispersion => steps_reason(self.resolved.decisions.dispersion.steps()),
            Parameter::DivergenceH => steps_reason(divergence.horizontal())
                .or_else(|| profile_reason(self.spec.beam.divergence.horizontal.step)),
            Parameter::DivergenceV => steps_reason(divergence.vertical())
                .or_else(|| profile_reason(self.spec.beam.divergence.vertical.step)),
            Parameter::PolarizationFactor
                if experiment.polarization.off
                    && (!experiment.sampling.per_subpixel_polarization
                        || self.spec.fixes.contains(Oddity::OversampleFlags)) =>
            {
                Some("the polarization is switched off")
            }
            Parameter::Distance if has_corner => Some("the corner of the detector was given"),
            Parameter::SensorThickness | Parameter::SensorAttenuation if !sensor.is_modelled() => {
                Some("the sensor has no thickness")
            }
            Parameter::SensorAttenuation
                if self.spec.detector.sensor.attenuation == Attenuation::Transparent =>
            {
                Some("the sensor does not absorb")
            }
            _ if (parameter.crystal().is_some() || parameter.twin().is_some())
                && self.spec.lattices.value(parameter).is_none() =>
            {
                Some("there is no such lattice in the beam")
            }
            Parameter::BackgroundScale if experiment.background.is_empty() => {
                Some("there are no layers in the beam")
            }
            Parameter::BackgroundScale if self.spec.background_scale() == 0.0 => {
                Some("the scale is 0")
            }
            Parameter::StructureFactor(hkl) => {
                self.factor_offset(parameter, hkl)?;
                None
            }
            _ => parameter
                .layer()
                .and_then(|(number, at)| self.reason_against_layer(number, at)),
        })
    }

    /// Why the image does not depend on a number of the layer `at`.
    fn reason_against_layer(&self, number: LayerNumber, at: usize) -> Option<&'static str> {
        let layer = self.resolved.experiment.background.get(at);
        let decision = self.resolved.decisions.layers.get(at);
        let (Some(layer), Some(decision)) = (layer, decision) else {
            return Some("there is no such layer in the beam");
        };
        let (value, is_absorbed) = match number {
            LayerNumber::Thickness => (layer.thickness_m, true),
            LayerNumber::Density => (
                decision.density_g_per_cm3,
                decision.absorption_follows_density,
            ),
        };
        if value == 0.0 {
            Some("it is 0")
        } else if decision.molecules_are_given && !(is_absorbed && layer.absorption_per_m != 0.0) {
            Some("the number of molecules was given")
        } else {
            None
        }
    }
}
