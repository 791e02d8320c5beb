//! From shifted parameters to the numbers that physics renders: the formulas of `resolve`, in numbers
//! that may carry derivatives.

use nanobragg_crystal::{
    CellSpec, Lattice, MosaicNumbers, Spread, constants::METRES_PER_ANGSTROM, misset,
    reciprocal_from_matrix,
};
use nanobragg_geometry::{Attenuation, Placement, PlacementInput, Sensor, place, vector};
use nanobragg_numeric::Scalar;
use nanobragg_physics::LayerNumbers;
use nanobragg_physics::gradient::{Numbers, PanelNumbers, SourceNumbers};
use nanobragg_sources::spectrum::{MovesWith, SpectralLine};
use nanobragg_sources::{BeamAxes, Steps};

use super::base::Base;
use super::parameter::{LayerNumber, Parameter};
use crate::error::Error;
use crate::spec::SourcesSpec;

const RADIANS_PER_DEGREE: f64 = 1.0 / nanobragg_geometry::units::DEGREES_PER_RADIAN;

/// The shift of each parameter from its value in the specification, in the unit of the parameter. A shift
/// may be 0 and carry derivatives.
pub(super) struct Shifts<'p, T>(pub(super) &'p [(Parameter, T)]);

impl<T: Scalar> Shifts<'_, T> {
    /// The shift of a parameter in SI units.
    pub(super) fn of(&self, parameter: Parameter, si_per_unit: f64) -> T {
        let mut sum = T::from_f64(0.0);
        for (shifted, by) in self.0 {
            if *shifted == parameter {
                sum += *by * T::from_f64(si_per_unit);
            }
        }
        sum
    }

    fn any(&self, parameters: &[Parameter]) -> bool {
        self.0
            .iter()
            .any(|(shifted, _)| parameters.contains(shifted))
    }

    fn three(&self, parameters: [Parameter; 3], si_per_unit: f64) -> [T; 3] {
        parameters.map(|parameter| self.of(parameter, si_per_unit))
    }
}

pub(super) const EDGES: [Parameter; 3] = [Parameter::CellA, Parameter::CellB, Parameter::CellC];
pub(super) const ANGLES: [Parameter; 3] = [
    Parameter::CellAlpha,
    Parameter::CellBeta,
    Parameter::CellGamma,
];
const MISSETS: [Parameter; 3] = [Parameter::MissetX, Parameter::MissetY, Parameter::MissetZ];
const SIZES: [Parameter; 3] = [Parameter::CellsA, Parameter::CellsB, Parameter::CellsC];
const TENSOR: [Parameter; 3] = [Parameter::CellsD, Parameter::CellsE, Parameter::CellsF];
const SPREADS: [Parameter; 3] = [
    Parameter::MosaicSpreadA,
    Parameter::MosaicSpreadB,
    Parameter::MosaicSpreadC,
];
const STRAINS: [Parameter; 3] = [Parameter::StrainA, Parameter::StrainB, Parameter::StrainC];
const ROTATIONS: [Parameter; 3] = [
    Parameter::DetectorRotX,
    Parameter::DetectorRotY,
    Parameter::DetectorRotZ,
];

impl Base<'_> {
    /// The numbers of the experiment with shifted parameters.
    pub(super) fn numbers<T: Scalar>(&self, shifts: &Shifts<'_, T>) -> Result<Numbers<T>, Error> {
        let experiment = &self.resolved.experiment;
        let mut numbers = Numbers::of(experiment);
        let by_matrix = shifts.any(&[Parameter::Wavelength]) && self.spec.crystal.matrix.is_some();
        let lattice_moves = by_matrix
            || [EDGES, ANGLES, MISSETS]
                .iter()
                .any(|parameters| shifts.any(parameters));
        if lattice_moves {
            let lattice = self.lattice(shifts);
            numbers.direct_m = lattice.direct_m();
            numbers.lattice.reciprocal_per_angstrom = lattice.reciprocal_per_angstrom;
        }
        add(&mut numbers.lattice.cells, shifts.three(SIZES, 1.0));
        if let Some(tensor) = &mut numbers.lattice.tensor {
            add(tensor, shifts.three(TENSOR, 1.0));
        }
        numbers.lattice.fudge += shifts.of(Parameter::Fudge, 1.0);
        let mosaic = experiment.crystal.mosaic();
        let mosaic_moves = shifts.any(&[Parameter::MosaicSpread, Parameter::Strain])
            || shifts.any(&SPREADS)
            || shifts.any(&STRAINS);
        if mosaic_moves || lattice_moves && mosaic.follows_cell() {
            let widths = Self::mosaic_numbers(shifts, mosaic.numbers());
            numbers.domains = Some(mosaic.domains_near(&widths, numbers.direct_m));
        }
        self.weigh_lattices(shifts, &mut numbers.lattice_weights);
        if shifts.any(&[Parameter::SpotScale]) {
            let by = shifts.of(Parameter::SpotScale, 1.0);
            let own = T::from_f64(experiment.crystal.domain().spot_scale);
            let ratio = T::from_f64(1.0) + by / own;
            let weights = numbers.lattice_weights.iter_mut();
            weights.for_each(|weight| *weight *= ratio);
        }
        if let Some(diffuse) = &mut numbers.diffuse {
            for &(parameter, by) in shifts.0 {
                if let Some(length) = parameter.diffuse_length(diffuse) {
                    *length += by;
                }
            }
        }
        self.turn_spindle(shifts, &mut numbers.phi_rad);
        let of_sources = [
            Parameter::Wavelength,
            Parameter::Dispersion,
            Parameter::SpectrumFwhm,
            Parameter::DivergenceH,
            Parameter::DivergenceV,
        ];
        if shifts.any(&of_sources) {
            numbers.sources = Some(self.sources(shifts)?);
        }
        numbers.kahn_factor += shifts.of(Parameter::PolarizationFactor, 1.0);
        numbers.fluence_per_m2 += shifts.of(Parameter::Fluence, 1.0);
        numbers.water_m += shifts.of(Parameter::Water, 1e-6);
        self.layers(shifts, &mut numbers.layers);
        let first = self.placement(shifts);
        let beam = experiment.beam.direction().map(T::from_f64);
        let others = self.spec.detector.others.iter();
        let others = others.map(|other| other.placed(&first, beam));
        let placements = std::iter::once(first).chain(others);
        for (panel, placement) in numbers.panels.iter_mut().zip(placements) {
            panel.placement = placement;
        }
        for (numbers, panel) in numbers.panels.iter_mut().zip(experiment.detector.panels()) {
            self.sensor(shifts, panel.sensor(), numbers);
        }
        for &(parameter, by) in shifts.0 {
            if let Parameter::StructureFactor(hkl) = parameter {
                let offset = self.factor_offset(parameter, hkl)?;
                let listed = T::from_f64(self.value(parameter)?);
                match numbers.factors.iter_mut().find(|(at, _)| *at == offset) {
                    Some((_, factor)) => *factor += by,
                    None => numbers.factors.push((offset, listed + by)),
                }
            }
        }
        Ok(numbers)
    }

    /// Shifts scale, thickness and density of the layers of the background.
    fn layers<T: Scalar>(&self, shifts: &Shifts<'_, T>, layers: &mut [LayerNumbers<T>]) {
        let one = T::from_f64(1.0);
        for &(parameter, by) in shifts.0 {
            if parameter == Parameter::BackgroundScale {
                let ratio = one + by / T::from_f64(self.spec.background_scale());
                layers.iter_mut().for_each(|layer| layer.molecules *= ratio);
            }
            let Some((number, at)) = parameter.layer() else {
                continue;
            };
            let decision = self.resolved.decisions.layers.get(at);
            let (Some(layer), Some(decision)) = (layers.get_mut(at), decision) else {
                continue;
            };
            let ratio = match number {
                LayerNumber::Thickness => {
                    let by_m = by * T::from_f64(1e-3);
                    let ratio = one + by_m / T::from_f64(layer.thickness_m.value());
                    layer.thickness_m += by_m;
                    ratio
                }
                LayerNumber::Density => {
                    let ratio = one + by / T::from_f64(decision.density_g_per_cm3);
                    if decision.absorption_follows_density {
                        layer.absorption_per_m *= ratio;
                    }
                    ratio
                }
            };
            if !decision.molecules_are_given {
                layer.molecules *= ratio;
            }
        }
    }

    /// Adds the shifts to the weights of the lattices.
    fn weigh_lattices<T: Scalar>(&self, shifts: &Shifts<'_, T>, weights: &mut [T]) {
        let moves = |(parameter, _): &(Parameter, T)| {
            parameter.crystal().is_some() || parameter.twin().is_some()
        };
        if !shifts.0.iter().any(moves) {
            return;
        }
        let spec = &self.spec.lattices;
        let mut crystals: Vec<T> = spec.weights().map(T::from_f64).collect();
        let mut parts: Vec<T> = spec.parts().map(T::from_f64).collect();
        for (parameter, by) in shifts.0 {
            if let Some(weight) = parameter.crystal().and_then(|n| crystals.get_mut(n)) {
                *weight += *by;
            }
            if let Some(twin) = parameter.twin()
                && let [untwinned, twins @ ..] = &mut *parts
                && let Some(part) = twins.get_mut(twin)
            {
                *part += *by;
                *untwinned -= *by;
            }
        }
        let products = crystals
            .iter()
            .flat_map(|crystal| parts.iter().map(|part| *crystal * *part));
        let shared = spec.shared_factor(&self.resolved.experiment.lattices);
        for (weight, product) in weights.iter_mut().zip(products) {
            *weight = T::from_f64(shared) * product;
        }
    }

    fn wavelength_m<T: Scalar>(&self, shifts: &Shifts<'_, T>) -> T {
        let central_m = self.resolved.decisions.wavelength_m;
        T::from_f64(central_m) + shifts.of(Parameter::Wavelength, METRES_PER_ANGSTROM)
    }

    pub(super) fn lattice<T: Scalar>(&self, shifts: &Shifts<'_, T>) -> Lattice<T> {
        let base = self.cell().map(T::from_f64);
        let [a, b, c, alpha, beta, gamma] = base;
        let mut cell = CellSpec {
            lengths_angstrom: [a, b, c],
            angles_rad: [alpha, beta, gamma],
        };
        add(&mut cell.lengths_angstrom, shifts.three(EDGES, 1.0));
        add(
            &mut cell.angles_rad,
            shifts.three(ANGLES, RADIANS_PER_DEGREE),
        );
        let mut turns = self.misset_rad().map(T::from_f64);
        add(&mut turns, shifts.three(MISSETS, RADIANS_PER_DEGREE));

        let Some(matrix) = &self.spec.crystal.matrix else {
            let upright = self.spec.fixes.contains(nanobragg_physics::Oddity::CStar);
            let reciprocal = if upright {
                cell.upright_reciprocal()
            } else {
                cell.default_reciprocal()
            };
            return Lattice::from_reciprocal(misset(reciprocal, turns), Some(&cell));
        };
        let reciprocal = reciprocal_from_matrix(matrix, self.wavelength_m(shifts));
        let lending = self.spec.crystal.cell.as_ref().map(|cell| CellSpec {
            lengths_angstrom: cell.lengths_angstrom.map(T::from_f64),
            angles_rad: cell.angles_rad.map(T::from_f64),
        });
        let mut lattice = Lattice::from_reciprocal(misset(reciprocal, turns), lending.as_ref());
        if shifts.any(&EDGES) || shifts.any(&ANGLES) {
            strain(&mut lattice, &base, &cell);
        }
        lattice
    }

    /// Adds the shifts to the widths of rotations and strains.
    fn mosaic_numbers<T: Scalar>(
        shifts: &Shifts<'_, T>,
        drawn: MosaicNumbers<f64>,
    ) -> MosaicNumbers<T> {
        let mut numbers = drawn.lift();
        match &mut numbers.spread {
            Spread::Isotropic(spread_rad) => {
                *spread_rad += shifts.of(Parameter::MosaicSpread, RADIANS_PER_DEGREE);
            }
            Spread::Anisotropic(widths_rad) => {
                add(widths_rad, shifts.three(SPREADS, RADIANS_PER_DEGREE));
            }
        }
        numbers.strain += shifts.of(Parameter::Strain, 0.01);
        add(&mut numbers.strain_abc, shifts.three(STRAINS, 0.01));
        numbers
    }

    /// Adds the shifts to the angles of the phi steps.
    fn turn_spindle<T: Scalar>(&self, shifts: &Shifts<'_, T>, phi_rad: &mut [T]) {
        if !shifts.any(&[Parameter::PhiStart, Parameter::PhiRange]) {
            return;
        }
        let start = shifts.of(Parameter::PhiStart, RADIANS_PER_DEGREE);
        let step_by_range = self.phi_step_by_range().unwrap_or(0.0);
        let step = shifts.of(Parameter::PhiRange, RADIANS_PER_DEGREE * step_by_range);
        let lead_by_range = self.phi_lead_by_range();
        let lead = shifts.of(Parameter::PhiRange, RADIANS_PER_DEGREE * lead_by_range);
        for (index, phi) in phi_rad.iter_mut().enumerate() {
            *phi += start + lead + step * T::from_f64(index as f64);
        }
    }

    pub(super) fn sources<T: Scalar>(
        &self,
        shifts: &Shifts<'_, T>,
    ) -> Result<Vec<SourceNumbers<T>>, Error> {
        let wavelength_m = self.wavelength_m(shifts);
        if self.spec.beam.sources != SourcesSpec::Grid {
            let follows = self.sources_that_follow()?;
            let sources = self.resolved.experiment.sources.iter().zip(follows);
            return Ok(sources
                .map(|(source, follows)| SourceNumbers {
                    incident: source.incident().map(T::from_f64),
                    wavelength_m: if follows {
                        wavelength_m
                    } else {
                        T::from_f64(source.wavelength_m)
                    },
                })
                .collect());
        }
        let beam = &self.resolved.experiment.beam;
        let axes = BeamAxes {
            beam: beam.direction().map(T::from_f64),
            polarization: beam.polarization().map(T::from_f64),
            vertical: beam.vertical().map(T::from_f64),
        };
        let divergence = &self.resolved.decisions.divergence;
        let spec = &self.spec.beam.divergence;
        let horizontal =
            Self::divergence_step_by_range(spec.horizontal.step, divergence.horizontal());
        let vertical = Self::divergence_step_by_range(spec.vertical.step, divergence.vertical());
        let by_h = shifts.of(Parameter::DivergenceH, 1e-3);
        let by_v = shifts.of(Parameter::DivergenceV, 1e-3);
        let dispersion = self.resolved.decisions.dispersion.steps();
        let by_range = if dispersion.range == 0.0 {
            0.0
        } else {
            dispersion.step / dispersion.range
        };
        let by_band = shifts.of(Parameter::Dispersion, 1e-2);
        let fwhm_percent = self.spectrum_fwhm_percent().unwrap_or(1.0);
        let by_width = shifts.of(Parameter::SpectrumFwhm, 1.0 / fwhm_percent);

        let mut sources = Vec::with_capacity(self.resolved.experiment.sources.len());
        for (i, j) in divergence.kept() {
            let hdiv_rad = deviation(divergence.horizontal(), i, by_h, horizontal);
            let vdiv_rad = deviation(divergence.vertical(), j, by_v, vertical);
            let direction = vector::unit(axes.source_position_m(hdiv_rad, vdiv_rad));
            if let Some(spectrum) = &self.resolved.decisions.spectrum {
                sources.extend(spectrum.lines.iter().map(|line| SourceNumbers {
                    incident: direction.map(|component| -component),
                    wavelength_m: self.wavelength_of(line, wavelength_m, by_width),
                }));
                continue;
            }
            for k in 0..dispersion.count {
                let one = T::from_f64(1.0);
                let (index, half) = (T::from_f64(f64::from(k)), T::from_f64(2.0));
                let step = T::from_f64(dispersion.step) + by_band * T::from_f64(by_range);
                let range = T::from_f64(dispersion.range) + by_band;
                sources.push(SourceNumbers {
                    incident: direction.map(|component| -component),
                    wavelength_m: wavelength_m * (one + step * index - range / half),
                });
            }
        }
        Ok(sources)
    }

    /// The wavelength of a step of the spectrum about a shifted nominal wavelength, if the width grows by the fraction
    /// `by_width`. Without a shift it is exactly that of the step.
    fn wavelength_of<T: Scalar>(&self, line: &SpectralLine, nominal_m: T, by_width: T) -> T {
        let before_m = T::from_f64(self.resolved.decisions.wavelength_m);
        let one = T::from_f64(1.0);
        let own_m = T::from_f64(line.wavelength_m());
        // The energy hc/own grows by the fraction of its distance from hc/before.
        let own_m = own_m / (one + by_width * (one - own_m / before_m));
        match self.spectrum_moves_with() {
            Some(MovesWith::Ratios) => own_m * (nominal_m / before_m),
            // The energy hc/own grows by hc/nominal - hc/before.
            Some(MovesWith::Distances) => {
                own_m / (one + (one / nominal_m - one / before_m) * own_m)
            }
            Some(MovesWith::Nothing | MovesWith::Shape) | None => own_m,
        }
    }

    fn placement<T: Scalar>(&self, shifts: &Shifts<'_, T>) -> Placement<T> {
        let base = &self.resolved.decisions.layout.input;
        let mut input: PlacementInput<T> = base.map(T::from_f64);
        let by_distance = shifts.of(Parameter::Distance, 1e-3);
        match &mut input.close_distance_m {
            Some(close_distance_m) => *close_distance_m += by_distance,
            None => input.distance_m += by_distance,
        }
        add(
            &mut input.rotations_rad,
            shifts.three(ROTATIONS, RADIANS_PER_DEGREE),
        );
        input.twotheta_rad += shifts.of(Parameter::TwoTheta, RADIANS_PER_DEGREE);
        let by_fast = shifts.of(Parameter::BeamFast, 1e-3);
        let by_slow = shifts.of(Parameter::BeamSlow, 1e-3);
        if let Some(pix0_m) = &mut input.pix0_m {
            let Placement { fast, slow, .. } = (self.resolved.experiment.detector.first())
                .plane()
                .map(T::from_f64);
            let by = vector::add(vector::scale(by_fast, fast), vector::scale(by_slow, slow));
            *pix0_m = vector::sub(*pix0_m, by);
        }
        input.f_beam_m += by_fast;
        input.f_close_m += by_fast;
        input.s_beam_m += by_slow;
        input.s_close_m += by_slow;
        place(&input)
    }

    /// Adds the shifts to thickness and attenuation of the sensor.
    fn sensor<T: Scalar>(
        &self,
        shifts: &Shifts<'_, T>,
        sensor: &Sensor,
        numbers: &mut PanelNumbers<T>,
    ) {
        if !sensor.is_modelled()
            || !shifts.any(&[Parameter::SensorThickness, Parameter::SensorAttenuation])
        {
            return;
        }
        let by_thickness = shifts.of(Parameter::SensorThickness, 1e-6);
        numbers.layer_step_m +=
            by_thickness * T::from_f64(sensor.layer_step_m / sensor.thickness_m);
        // Without a given attenuation depth, the depth is the thickness and has the same shift.
        let is_guessed = self.spec.detector.sensor.attenuation == Attenuation::NotGiven;
        let mut by_depth = shifts.of(Parameter::SensorAttenuation, 1e-6);
        if is_guessed {
            by_depth += by_thickness;
        }
        if sensor.mu_per_m != 0.0 {
            let depth_m = T::from_f64(1.0 / sensor.mu_per_m);
            // Without a shift the second factor is exactly 1.
            numbers.mu_per_m *= depth_m / (depth_m + by_depth);
        }
    }
}

/// `step index - range/2` if the range grows by `by` and the step grows with it.
fn deviation<T: Scalar>(steps: Steps, index: u32, by: T, step_by_range: f64) -> T {
    let step = T::from_f64(steps.step) + by * T::from_f64(step_by_range);
    let range = T::from_f64(steps.range) + by;
    step * T::from_f64(f64::from(index)) - range / T::from_f64(2.0)
}

/// Changes the cell of a lattice from `base` to `cell` and keeps its orientation. With d, b the direct
/// and reciprocal vectors of either cell in the default orientation:
/// ```text
/// a_i becomes sum over j of (d'_i.b_j) a_j     a*_j becomes sum over i of (d_i.b'_j) a*_i
/// ```
pub(super) fn strain<T: Scalar>(lattice: &mut Lattice<T>, base: &[T; 6], cell: &CellSpec<T>) {
    let [a, b, c, alpha, beta, gamma] = *base;
    let before = CellSpec {
        lengths_angstrom: [a, b, c],
        angles_rad: [alpha, beta, gamma],
    };
    let of = |cell: &CellSpec<T>| {
        let reciprocal = cell.upright_reciprocal();
        let direct = Lattice::from_reciprocal(reciprocal, None).direct_angstrom;
        (direct, reciprocal)
    };
    let ((direct, reciprocal), (new_direct, new_reciprocal)) = (of(&before), of(cell));
    // The products are 1 plus the effect of the difference, so that without a shift they are exact.
    let shares = differences(new_direct, direct).map(|by| reciprocal.map(|b| vector::dot(by, b)));
    lattice.direct_angstrom = grown(lattice.direct_angstrom, shares);
    let shares =
        differences(new_reciprocal, reciprocal).map(|by| direct.map(|d| vector::dot(d, by)));
    lattice.reciprocal_per_angstrom = grown(lattice.reciprocal_per_angstrom, shares);
}

fn differences<T: Scalar>([a, b, c]: [[T; 3]; 3], [x, y, z]: [[T; 3]; 3]) -> [[T; 3]; 3] {
    [vector::sub(a, x), vector::sub(b, y), vector::sub(c, z)]
}

/// Three vectors, each plus its shares of all three.
fn grown<T: Scalar>(vectors: [[T; 3]; 3], shares: [[T; 3]; 3]) -> [[T; 3]; 3] {
    let [a, b, c] = vectors;
    let added = shares.map(|[x, y, z]| {
        let sum = vector::add(vector::scale(x, a), vector::scale(y, b));
        vector::add(sum, vector::scale(z, c))
    });
    let [by_a, by_b, by_c] = added;
    [
        vector::add(a, by_a),
        vector::add(b, by_b),
        vector::add(c, by_c),
    ]
}

fn add<T: Scalar>(sum: &mut [T; 3], by: [T; 3]) {
    for (sum, by) in sum.iter_mut().zip(by) {
        *sum += by;
    }
}
