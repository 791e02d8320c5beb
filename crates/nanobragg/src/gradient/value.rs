//! Reading and setting a parameter of a specification.

use std::sync::Arc;

use nanobragg_crystal::{CellSpec, Misset, Spread, constants::METRES_PER_ANGSTROM};
use nanobragg_geometry::units::DEGREES_PER_RADIAN;
use nanobragg_geometry::{Angle, Attenuation, Length, vector};
use nanobragg_physics::RunOptions;
use nanobragg_sources::spectrum::{NamedSpectrum, Width};
use nanobragg_sources::{SpectrumFrom, StepSpec, energy_ev_from_wavelength_m};

use super::base::Base;
use super::parameter::{LayerNumber, Parameter};
use super::scene::strain;
use crate::error::Error;
use crate::factors::FactorsSpec;
use crate::lattices::LatticesSpec;
use crate::spec::ExperimentSpec;

/// The value of `parameter` in a specification, in the unit of the parameter. Defaults and random numbers
/// are resolved first.
///
/// # Errors
/// The errors of [`ExperimentSpec::resolve`], and [`Error::NoDerivative`] for a structure factor outside
/// the grid.
pub fn value(spec: &ExperimentSpec, parameter: Parameter) -> Result<f64, Error> {
    Base::new(spec, &RunOptions::default())?.value(parameter)
}

/// The specification with `parameter` at `value`, in a form that a user could have written.
///
/// Everything in the image that depends on the parameter follows, and nothing else: a fluence replaces a
/// flux, a range of divergence keeps its number of steps, a cell with a matrix changes the matrix. A
/// parameter by which there is no derivative cannot be set.
///
/// # Errors
/// [`Error::NoDerivative`], [`Error::OutOfRange`], and the errors of [`ExperimentSpec::resolve`].
pub fn with_value(
    spec: &ExperimentSpec,
    parameter: Parameter,
    value: f64,
) -> Result<ExperimentSpec, Error> {
    if matches!(parameter, Parameter::Distance | Parameter::Wavelength) && value <= 0.0 {
        return Err(Error::OutOfRange {
            quantity: match parameter {
                Parameter::Distance => "the distance (mm)",
                _ => "the wavelength (A)",
            },
            value,
            allowed: "above 0",
        });
    }
    let base = Base::new(spec, &RunOptions::default())?;
    base.check(parameter)?;
    let mut spec = base.spec.clone().into_owned();
    let by = value - base.value(parameter)?;
    let decisions = &base.resolved.decisions;
    match parameter {
        Parameter::CellA
        | Parameter::CellB
        | Parameter::CellC
        | Parameter::CellAlpha
        | Parameter::CellBeta
        | Parameter::CellGamma => base.set_cell(&mut spec, parameter, value),
        Parameter::MissetX | Parameter::MissetY | Parameter::MissetZ => {
            let [x, y, z] = base.misset_rad();
            let angle = Angle::from_degrees(value).radians();
            spec.crystal.misset = Some(Misset::Angles(match parameter {
                Parameter::MissetX => [angle, y, z],
                Parameter::MissetY => [x, angle, z],
                _ => [x, y, angle],
            }));
        }
        Parameter::CellsA => spec.set_cells(&base, 0, value)?,
        Parameter::CellsB => spec.set_cells(&base, 1, value)?,
        Parameter::CellsC => spec.set_cells(&base, 2, value)?,
        Parameter::CellsD => spec.set_tensor(0, value),
        Parameter::CellsE => spec.set_tensor(1, value),
        Parameter::CellsF => spec.set_tensor(2, value),
        Parameter::SpotScale => spec.crystal.domain.spot_scale = value,
        Parameter::Fudge => spec.crystal.fudge = value,
        Parameter::DiffuseGammaA
        | Parameter::DiffuseGammaB
        | Parameter::DiffuseGammaC
        | Parameter::DiffuseSigmaA
        | Parameter::DiffuseSigmaB
        | Parameter::DiffuseSigmaC => {
            if let Some(diffuse) = &mut spec.diffuse {
                diffuse.set(|numbers| {
                    if let Some(length) = parameter.diffuse_length(numbers) {
                        *length = value;
                    }
                });
            }
        }
        Parameter::MosaicSpread => {
            let domains = base.resolved.experiment.crystal.mosaic().domains().len();
            spec.crystal.mosaic.spread_rad = Some(Angle::from_degrees(value).radians());
            spec.crystal.mosaic.domains = i64::try_from(domains).ok();
        }
        Parameter::MosaicSpreadA => spec.set_mosaic_spread(0, value),
        Parameter::MosaicSpreadB => spec.set_mosaic_spread(1, value),
        Parameter::MosaicSpreadC => spec.set_mosaic_spread(2, value),
        Parameter::Strain => spec.crystal.mosaic.strain_percent = value,
        Parameter::StrainA => spec.crystal.mosaic.strain_abc_percent[0] = value,
        Parameter::StrainB => spec.crystal.mosaic.strain_abc_percent[1] = value,
        Parameter::StrainC => spec.crystal.mosaic.strain_abc_percent[2] = value,
        Parameter::PhiStart => spec.phi.start = Angle::from_degrees(value),
        Parameter::PhiRange => {
            let phi = base.resolved.experiment.phi;
            let range_rad = Angle::from_degrees(value).radians();
            spec.phi.sweep = StepSpec {
                range: Some(range_rad),
                step: Some(
                    base.phi_step_by_range()
                        .map_or(phi.step_rad, |share| range_rad * share),
                ),
                count: Some(phi.count.into()),
            };
        }
        Parameter::Wavelength => spec.beam.wavelength = Some(Length::from_angstrom(value)),
        Parameter::Dispersion => {
            spec.beam.dispersion.range = Some(value / 100.0);
            spec.beam.dispersion.count = Some(decisions.dispersion.steps().count.into());
        }
        Parameter::DivergenceH => {
            let steps = decisions.divergence.horizontal();
            set_range(&mut spec.beam.divergence.horizontal, steps, value / 1000.0);
        }
        Parameter::DivergenceV => {
            let steps = decisions.divergence.vertical();
            set_range(&mut spec.beam.divergence.vertical, steps, value / 1000.0);
        }
        Parameter::Fluence => {
            // The beam size is still used.
            spec.beam.fluence.flux_per_s = None;
            spec.beam.fluence.fluence_per_m2 = Some(value);
        }
        Parameter::PolarizationFactor => spec.beam.polarization.kahn_factor = value,
        Parameter::Distance => match &mut spec.detector.close_distance {
            Some(close_distance) => *close_distance = Length::from_mm(value),
            None => spec.detector.distance = Length::from_mm(value),
        },
        Parameter::BeamFast | Parameter::BeamSlow => {
            let by = Length::from_mm(by);
            let [fast, slow] = if parameter == Parameter::BeamFast {
                [by, Length::default()]
            } else {
                [Length::default(), by]
            };
            spec.detector = spec.detector_spec().with_beam_moved(fast, slow)?;
        }
        Parameter::DetectorRotX => spec.detector.rotations[0] = Angle::from_degrees(value),
        Parameter::DetectorRotY => spec.detector.rotations[1] = Angle::from_degrees(value),
        Parameter::DetectorRotZ => spec.detector.rotations[2] = Angle::from_degrees(value),
        Parameter::TwoTheta => spec.detector.twotheta = Angle::from_degrees(value),
        Parameter::SensorThickness => spec.detector.sensor.thickness = Length::from_um(value),
        Parameter::SensorAttenuation => {
            spec.detector.sensor.attenuation = Attenuation::Depth(Length::from_um(value));
        }
        Parameter::LatticeWeight0
        | Parameter::LatticeWeight1
        | Parameter::LatticeWeight2
        | Parameter::LatticeWeight3
        | Parameter::TwinFraction1
        | Parameter::TwinFraction2
        | Parameter::TwinFraction3 => spec.lattices.set(parameter, value),
        Parameter::Water => spec.water = Length::from_um(value),
        Parameter::BackgroundScale => spec.background_scale = Some(value),
        Parameter::BackgroundThickness1
        | Parameter::BackgroundThickness2
        | Parameter::BackgroundThickness3
        | Parameter::BackgroundDensity1
        | Parameter::BackgroundDensity2
        | Parameter::BackgroundDensity3 => spec.set_layer(parameter, value),
        Parameter::StructureFactor(hkl) => {
            let mut factors = base.resolved.experiment.factors.clone();
            Arc::make_mut(&mut factors).replace(hkl, value);
            if spec.b_factor_a2 != 0.0 {
                // They have fallen off already, and do so again.
                let reciprocal = base.resolved.experiment.crystal.reciprocal().vectors();
                Arc::make_mut(&mut factors).fall_off(-spec.b_factor_a2, reciprocal);
            }
            spec.factors = FactorsSpec::Grid(factors);
        }
        Parameter::BFactor => spec.b_factor_a2 = value,
        Parameter::SpectrumFwhm => {
            if let Some(spectrum) = &mut spec.beam.spectrum {
                let energy_ev = energy_ev_from_wavelength_m(decisions.wavelength_m);
                let fwhm = match spectrum.gaussian_fwhm() {
                    Some(Width::Ev(_)) => Width::Ev(value / 100.0 * energy_ev),
                    _ => Width::Percent(value),
                };
                spectrum.from = SpectrumFrom::Named(NamedSpectrum::Gaussian { fwhm });
            }
        }
        Parameter::DispersionReal(element) | Parameter::DispersionImaginary(element) => {
            let shift = base.dispersion_shift(element);
            if let (FactorsSpec::ByEnergy(factors), Some(mut shift)) = (&mut spec.factors, shift) {
                match parameter {
                    Parameter::DispersionReal(_) => shift.real = value,
                    _ => shift.imaginary = value,
                }
                Arc::make_mut(factors).set_shift(element, shift);
            }
        }
    }
    Ok(spec)
}

/// Gives a range in steps a new range with the same number of steps. A given step is not changed.
fn set_range(spec: &mut StepSpec, steps: nanobragg_sources::Steps, range: f64) {
    let step_by_range = Base::divergence_step_by_range(spec.step, steps);
    *spec = StepSpec {
        range: Some(range),
        step: Some(steps.step + step_by_range * (range - steps.range)),
        count: Some(steps.count.into()),
    };
}

impl ExperimentSpec {
    fn set_layer(&mut self, parameter: Parameter, value: f64) {
        let Some((number, at)) = parameter.layer() else {
            return;
        };
        if let Some(layer) = self.background.get_mut(at) {
            match number {
                LayerNumber::Thickness => layer.thickness = Some(Length::from_mm(value)),
                LayerNumber::Density => layer.density_g_per_cm3 = Some(value),
            }
        }
    }

    fn set_tensor(&mut self, at: usize, value: f64) {
        if let Some(own) = (self.crystal.domain.tensor.as_mut()).and_then(|t| t.get_mut(at)) {
            *own = value;
        }
    }

    fn set_mosaic_spread(&mut self, axis: usize, degrees: f64) {
        let widths = self.crystal.mosaic.spread_abc_rad.as_mut();
        if let Some(width) = widths.and_then(|widths| widths.get_mut(axis)) {
            *width = Angle::from_degrees(degrees).radians();
        }
    }

    fn set_cells(&mut self, base: &Base<'_>, axis: usize, value: f64) -> Result<(), Error> {
        if !(1.0..=1e15).contains(&value) {
            return Err(Error::OutOfRange {
                quantity: "the number of cells",
                value,
                allowed: "a number from 1",
            });
        }
        if value.fract() != 0.0 || self.crystal.domain.cells.is_some() {
            let mut cells = base.resolved.experiment.crystal.size().cells();
            if let Some(own) = cells.get_mut(axis) {
                *own = value;
            }
            self.crystal.domain.cells = Some(cells);
            return Ok(());
        }
        if let Some(cells) = self.crystal.cells.get_mut(axis) {
            *cells = value as i64;
        }
        if let Some(size_m) = self.crystal.size_m.get_mut(axis) {
            *size_m = 0.0;
        }
        Ok(())
    }
}

impl LatticesSpec {
    /// A weight or a fraction; `None` if there is no such lattice or twin.
    pub(super) fn value(&self, parameter: Parameter) -> Option<f64> {
        match (parameter.crystal(), parameter.twin()) {
            (Some(number), _) => self.weight(number),
            (None, Some(twin)) => self.twins.get(twin).map(|twin| twin.fraction),
            (None, None) => None,
        }
    }

    fn set(&mut self, parameter: Parameter, value: f64) {
        match parameter.crystal() {
            Some(0) => self.first_weight = Some(value),
            Some(number) => {
                if let Some(other) = self.others.get_mut(number - 1) {
                    other.weight = value;
                }
            }
            None => {
                let twin = parameter.twin().and_then(|twin| self.twins.get_mut(twin));
                if let Some(twin) = twin {
                    twin.fraction = value;
                }
            }
        }
    }
}

impl Base<'_> {
    /// The thickness in mm or the density in g/cm^3 of a layer; 0 if there is no such layer.
    fn layer_value(&self, parameter: Parameter) -> f64 {
        let value = parameter.layer().and_then(|(number, at)| match number {
            LayerNumber::Thickness => {
                let layer = self.resolved.experiment.background.get(at)?;
                Some(layer.thickness_m * 1e3)
            }
            LayerNumber::Density => {
                let decision = self.resolved.decisions.layers.get(at)?;
                Some(decision.density_g_per_cm3)
            }
        });
        value.unwrap_or(0.0)
    }

    /// The current value of `parameter`, in the unit of the parameter.
    pub(super) fn value(&self, parameter: Parameter) -> Result<f64, Error> {
        let experiment = &self.resolved.experiment;
        let decisions = &self.resolved.decisions;
        let panel = experiment.detector.first();
        let input = &decisions.layout.input;
        let degrees = |radians: f64| radians * DEGREES_PER_RADIAN;
        let beam_m = match input.pivot {
            nanobragg_geometry::Pivot::Beam => [input.f_beam_m, input.s_beam_m],
            nanobragg_geometry::Pivot::Sample => [input.f_close_m, input.s_close_m],
        };
        let [na, nb, nc] = experiment.crystal.size().cells();
        let tensor = experiment.crystal.domain().tensor.unwrap_or_default();
        let widths = experiment.crystal.mosaic().numbers();
        let width_about = |axis: usize| match widths.spread {
            Spread::Isotropic(_) => 0.0,
            Spread::Anisotropic(widths_rad) => widths_rad.get(axis).copied().map_or(0.0, degrees),
        };
        Ok(match parameter {
            Parameter::CellA => self.cell()[0],
            Parameter::CellB => self.cell()[1],
            Parameter::CellC => self.cell()[2],
            Parameter::CellAlpha => degrees(self.cell()[3]),
            Parameter::CellBeta => degrees(self.cell()[4]),
            Parameter::CellGamma => degrees(self.cell()[5]),
            Parameter::MissetX => degrees(self.misset_rad()[0]),
            Parameter::MissetY => degrees(self.misset_rad()[1]),
            Parameter::MissetZ => degrees(self.misset_rad()[2]),
            Parameter::CellsA => na,
            Parameter::CellsB => nb,
            Parameter::CellsC => nc,
            Parameter::CellsD => tensor[0],
            Parameter::CellsE => tensor[1],
            Parameter::CellsF => tensor[2],
            Parameter::SpotScale => experiment.crystal.domain().spot_scale,
            Parameter::Fudge => experiment.crystal.fudge(),
            Parameter::DiffuseGammaA
            | Parameter::DiffuseGammaB
            | Parameter::DiffuseGammaC
            | Parameter::DiffuseSigmaA
            | Parameter::DiffuseSigmaB
            | Parameter::DiffuseSigmaC => {
                let mut numbers = experiment.diffuse.as_ref().map(|diffuse| diffuse.numbers);
                let length = numbers.as_mut().and_then(|n| parameter.diffuse_length(n));
                length.map_or(0.0, |length| *length)
            }
            Parameter::MosaicSpread => degrees(experiment.crystal.mosaic().spread_rad()),
            Parameter::MosaicSpreadA => width_about(0),
            Parameter::MosaicSpreadB => width_about(1),
            Parameter::MosaicSpreadC => width_about(2),
            Parameter::Strain => widths.strain * 100.0,
            Parameter::StrainA => widths.strain_abc[0] * 100.0,
            Parameter::StrainB => widths.strain_abc[1] * 100.0,
            Parameter::StrainC => widths.strain_abc[2] * 100.0,
            Parameter::PhiStart => degrees(experiment.phi.start_rad),
            Parameter::PhiRange => degrees(experiment.phi.range_rad),
            Parameter::Wavelength => decisions.wavelength_m * 1e10,
            Parameter::Dispersion => decisions.dispersion.steps().range * 100.0,
            Parameter::DivergenceH => decisions.divergence.horizontal().range * 1000.0,
            Parameter::DivergenceV => decisions.divergence.vertical().range * 1000.0,
            Parameter::Fluence => experiment.fluence_per_m2,
            Parameter::PolarizationFactor => experiment.polarization.kahn_factor,
            Parameter::Distance => input.close_distance_m.unwrap_or(input.distance_m) * 1000.0,
            Parameter::BeamFast => beam_m[0] * 1000.0,
            Parameter::BeamSlow => beam_m[1] * 1000.0,
            Parameter::DetectorRotX => degrees(input.rotations_rad[0]),
            Parameter::DetectorRotY => degrees(input.rotations_rad[1]),
            Parameter::DetectorRotZ => degrees(input.rotations_rad[2]),
            Parameter::TwoTheta => degrees(input.twotheta_rad),
            Parameter::SensorThickness => panel.sensor().thickness_m * 1e6,
            Parameter::SensorAttenuation => 1e6 / panel.sensor().mu_per_m,
            Parameter::LatticeWeight0
            | Parameter::LatticeWeight1
            | Parameter::LatticeWeight2
            | Parameter::LatticeWeight3
            | Parameter::TwinFraction1
            | Parameter::TwinFraction2
            | Parameter::TwinFraction3 => self.spec.lattices.value(parameter).unwrap_or(0.0),
            Parameter::Water => experiment.water_m * 1e6,
            Parameter::BackgroundScale => self.spec.background_scale(),
            Parameter::BackgroundThickness1
            | Parameter::BackgroundThickness2
            | Parameter::BackgroundThickness3
            | Parameter::BackgroundDensity1
            | Parameter::BackgroundDensity2
            | Parameter::BackgroundDensity3 => self.layer_value(parameter),
            Parameter::StructureFactor(hkl) => {
                let offset = self.factor_offset(parameter, hkl)?;
                let listed = experiment.factors.values().get(offset).copied();
                listed.unwrap_or(experiment.factors.default_f())
            }
            Parameter::BFactor => self.spec.b_factor_a2,
            Parameter::SpectrumFwhm => self.spectrum_fwhm_percent().unwrap_or(0.0),
            Parameter::DispersionReal(element) => {
                (self.dispersion_shift(element)).map_or(0.0, |shift| shift.real)
            }
            Parameter::DispersionImaginary(element) => {
                (self.dispersion_shift(element)).map_or(0.0, |shift| shift.imaginary)
            }
        })
    }

    /// Changes an edge or angle of the cell. If there is a matrix, the matrix is changed, and it takes
    /// over a cell that was given beside it.
    fn set_cell(&self, spec: &mut ExperimentSpec, parameter: Parameter, value: f64) {
        let [mut a, mut b, mut c, mut alpha, mut beta, mut gamma] = self.cell();
        let angle_rad = Angle::from_degrees(value).radians();
        match parameter {
            Parameter::CellA => a = value,
            Parameter::CellB => b = value,
            Parameter::CellC => c = value,
            Parameter::CellAlpha => alpha = angle_rad,
            Parameter::CellBeta => beta = angle_rad,
            _ => gamma = angle_rad,
        }
        let cell = CellSpec {
            lengths_angstrom: [a, b, c],
            angles_rad: [alpha, beta, gamma],
        };
        if spec.crystal.matrix.is_none() {
            spec.crystal.cell = Some(cell);
            return;
        }
        let Some(mut lattice) = self.matrix_lattice() else {
            return;
        };
        strain(&mut lattice, &self.cell(), &cell);
        // Without a cell, the matrix is the wavelength times the reciprocal vectors.
        let [a, b, c] = lattice.direct_angstrom;
        let volume_a3 = vector::dot(a, vector::cross(b, c));
        let wavelength_angstrom = self.resolved.decisions.wavelength_m / METRES_PER_ANGSTROM;
        let columns = [(b, c), (c, a), (a, b)]
            .map(|(x, y)| vector::scale(wavelength_angstrom / volume_a3, vector::cross(x, y)));
        spec.crystal.cell = None;
        spec.crystal.matrix = Some([
            columns.map(|[x, _, _]| x),
            columns.map(|[_, y, _]| y),
            columns.map(|[_, _, z]| z),
        ]);
    }
}
