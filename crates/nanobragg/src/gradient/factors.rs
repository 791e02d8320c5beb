//! Derivatives by every structure factor, and by parameters that move many of them.
//!
//! Every pixel is a quadratic form of the structure factors. Its derivative along a change G of all of them is therefore
//! exactly `(I(F + c G) - I(F - c G))/(2 c)`, whatever c: two plain renders, without any table of derivatives.

use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, GridLimit, Hkl};
use nanobragg_geometry::vector;
use nanobragg_numeric::{Dual, Scalar};
use nanobragg_physics::gradient::derivatives_into;
use nanobragg_physics::{Experiment, RunOptions, Scene};
use nanobragg_sources::energy_ev_from_wavelength_m;
use nanobragg_structure::{Correction, Dispersion};

use super::base::Base;
use super::parameter::Parameter;
use super::scene::{ANGLES, EDGES, Shifts};
use crate::error::Error;
use crate::factors::fall_off::seen;
use crate::factors::{FactorsByEnergy, FactorsSpec};

/// The derivatives of a number by every structure factor of a grid, per electron.
#[derive(Debug, Clone)]
pub struct FactorGradient {
    grid: Arc<FactorGrid>,
    derivatives: Vec<f64>,
}

impl FactorGradient {
    pub(super) fn new(grid: Arc<FactorGrid>, derivatives: Vec<f64>) -> Self {
        Self { grid, derivatives }
    }

    /// The derivative by the structure factor of `hkl`; `None` outside the grid.
    pub fn get(&self, hkl: Hkl) -> Option<f64> {
        let offset = self.grid.offset(hkl.0.map(i64::from))?;
        self.derivatives.get(offset).copied()
    }

    /// Every point of the grid with its derivative, in the order of the grid (l fastest).
    pub fn iter(&self) -> impl Iterator<Item = (Hkl, f64)> + '_ {
        (self.derivatives.iter().enumerate())
            .filter_map(|(offset, &derivative)| Some((self.grid.hkl_at(offset)?, derivative)))
    }

    /// The derivatives alone, in the order of [`FactorGrid::values`].
    pub fn derivatives(&self) -> &[f64] {
        &self.derivatives
    }

    /// The grid of the structure factors.
    pub fn grid(&self) -> &FactorGrid {
        &self.grid
    }
}

/// The tables of structure factors of an experiment.
#[derive(Debug)]
pub(super) struct Tables<'b> {
    base: &'b Base<'b>,
    grids: Vec<Arc<FactorGrid>>,
    /// The table of each source.
    of_source: Vec<usize>,
}

/// The derivative of every value of every table.
type Slopes = Vec<Vec<f64>>;

impl<'b> Tables<'b> {
    /// The tables, as large as derivatives by `parameters` need them.
    pub(super) fn new(base: &'b Base<'b>, parameters: &[Parameter]) -> Result<Self, Error> {
        let experiment = &base.resolved.experiment;
        let mut grids: Vec<Arc<FactorGrid>> = vec![Arc::clone(&experiment.factors)];
        let mut of_source = Vec::with_capacity(experiment.sources.len());
        for grid in &experiment.factors_by_source {
            let known = grids.iter().rposition(|known| Arc::ptr_eq(known, grid));
            of_source.push(known.unwrap_or(grids.len()));
            if known.is_none() {
                grids.push(Arc::clone(grid));
            }
        }
        of_source.resize(experiment.sources.len(), 0);
        if parameters.contains(&Parameter::BFactor) {
            let laboratory = (&experiment.detector, &experiment.beam);
            let seen = seen(&experiment.crystal, laboratory, &experiment.sources);
            for grid in grids.iter_mut().filter(|grid| grid.default_f() != 0.0) {
                *grid = Arc::new(grid.enlarged(&seen, GridLimit::default())?);
            }
        }
        Ok(Self {
            base,
            grids,
            of_source,
        })
    }

    /// The derivatives of all structure factors by a parameter; `None` if it moves none of them.
    fn slopes(&self, parameter: Parameter) -> Result<Option<Slopes>, Error> {
        if !self.base.moves_factors(parameter) {
            return Ok(None);
        }
        let variable = [(parameter, Dual::<1>::variable(0.0, 0))];
        let shifts = Shifts(&variable);
        let mut slopes = self.slopes_by_energy(parameter, &shifts)?;
        let b_a2 = Dual::constant(self.base.spec.b_factor_a2) + shifts.of(Parameter::BFactor, 1.0);
        let [a, b, c] = self.base.lattice(&shifts).reciprocal_per_angstrom;
        for (grid, slopes) in self.grids.iter().zip(&mut slopes) {
            for (offset, (slope, f)) in slopes.iter_mut().zip(grid.values()).enumerate() {
                let Some(Hkl(hkl)) = grid.hkl_at(offset) else {
                    continue;
                };
                let [h, k, l] = hkl.map(|index| Dual::constant(f64::from(index)));
                let in_plane = vector::add(vector::scale(h, a), vector::scale(k, b));
                let s = vector::add(in_plane, vector::scale(l, c));
                let s_squared = vector::dot(s, s);
                let exponent = Dual::constant(-0.25) * b_a2 * s_squared;
                *slope = *slope * exponent.real.exp() + f * exponent.derivatives[0];
            }
        }
        Ok(Some(slopes))
    }

    /// The same before the fall-off of the B factor: f' and f'' follow the energy of each source.
    fn slopes_by_energy(
        &self,
        parameter: Parameter,
        shifts: &Shifts<'_, Dual<1>>,
    ) -> Result<Slopes, Error> {
        let FactorsSpec::ByEnergy(factors) = &self.base.spec.factors else {
            return Ok((self.grids.iter().map(|grid| vec![0.0; grid.values().len()])).collect());
        };
        let mut rates = Dispersion::new();
        if let Some((element, is_real)) = parameter.element() {
            let [real, imaginary] = if is_real { [1.0, 0.0] } else { [0.0, 1.0] };
            rates.insert(element, Correction { real, imaginary });
        }
        let wavelengths_m = self.wavelengths_m(shifts)?;
        let of_table = |(grid, wavelength_m): (&Arc<FactorGrid>, Dual<1>)| {
            let energy_ev = energy_ev_from_wavelength_m(wavelength_m.real);
            let relative = wavelength_m.derivatives[0] / wavelength_m.real;
            factors.slopes((energy_ev, -energy_ev * relative), &rates, grid)
        };
        self.grids.iter().zip(wavelengths_m).map(of_table).collect()
    }

    /// The wavelength of each table. It is that of its first source by energy, the one with the longest wavelength.
    fn wavelengths_m<T: Scalar>(&self, shifts: &Shifts<'_, T>) -> Result<Vec<T>, Error> {
        let sources = self.base.sources(shifts)?;
        let own = self.base.resolved.experiment.sources.iter();
        let of_table = |table: usize| {
            let of_sources = own.clone().zip(&sources).zip(&self.of_source);
            let pairs = of_sources.filter(|(_, of_source)| **of_source == table);
            let longest =
                pairs.max_by(|((a, _), _), ((b, _), _)| a.wavelength_m.total_cmp(&b.wavelength_m));
            longest.map(|((_, moved), _)| moved.wavelength_m)
        };
        Ok((0..self.grids.len()).filter_map(of_table).collect())
    }

    /// The experiment whose structure factors follow shifts of parameters. Sources share tables as without them.
    pub(super) fn moved(&self, by: &[(Parameter, f64)]) -> Result<Scene, Error> {
        let spec = &self.base.spec;
        let shifts = Shifts(by);
        let grids: Vec<FactorGrid> = match &spec.factors {
            FactorsSpec::ByEnergy(factors) => {
                let mut factors = FactorsByEnergy::clone(factors);
                for &(parameter, by) in by {
                    if let Some((element, is_real)) = parameter.element() {
                        let mut shift = factors.shift(element).unwrap_or_default();
                        *(if is_real {
                            &mut shift.real
                        } else {
                            &mut shift.imaginary
                        }) += by;
                        factors.set_shift(element, shift);
                    }
                }
                let at = |wavelength_m| {
                    let tables = factors.tables(&[energy_ev_from_wavelength_m(wavelength_m)])?;
                    Ok(FactorGrid::clone(tables.first()))
                };
                let wavelengths_m = self.wavelengths_m(&shifts)?.into_iter();
                wavelengths_m.map(at).collect::<Result<_, Error>>()?
            }
            FactorsSpec::Grid(grid) => vec![FactorGrid::clone(grid)],
            other => vec![FactorGrid::empty(other.default_f())],
        };
        let b_a2 = spec.b_factor_a2 + shifts.of(Parameter::BFactor, 1.0);
        let reciprocal = self.base.lattice(&shifts).reciprocal_per_angstrom;
        let fallen_off = |(grid, own): (FactorGrid, &Arc<FactorGrid>)| {
            let mut grid = match own.bounds() {
                Some(bounds) => grid.enlarged(&bounds, GridLimit::default())?,
                None => grid,
            };
            if b_a2 != 0.0 {
                grid.fall_off(b_a2, reciprocal);
            }
            Ok(Arc::new(grid))
        };
        let grids = grids.into_iter().zip(&self.grids).map(fallen_off);
        Ok(self.scene(&grids.collect::<Result<Vec<_>, Error>>()?))
    }

    /// The derivative of the image along a direction: parameters, each with its component. `None` if they move no
    /// structure factors.
    pub(super) fn derivative(
        &self,
        direction: &[(Parameter, f64)],
        options: &RunOptions<'_>,
    ) -> Result<Option<Vec<f64>>, Error> {
        let mut sum: Option<Slopes> = None;
        for &(parameter, component) in direction {
            let Some(slopes) = self.slopes(parameter)? else {
                continue;
            };
            let sum = sum.get_or_insert_with(|| {
                (slopes.iter().map(|slopes| vec![0.0; slopes.len()])).collect()
            });
            for (sum, slope) in sum.iter_mut().flatten().zip(slopes.iter().flatten()) {
                *sum += component * slope;
            }
        }
        let Some(slopes) = sum else {
            return Ok(None);
        };
        // Both changes are about as large as the structure factors, so that few digits are lost.
        let square = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
        let of_factors: f64 = self.grids.iter().map(|grid| square(grid.values())).sum();
        let of_slopes: f64 = slopes.iter().map(|slopes| square(slopes)).sum();
        let step = match of_slopes > 0.0 {
            true => (of_factors / of_slopes).sqrt(),
            false => 1.0,
        };
        let mut derivative = self.photons(step, &slopes, options)?;
        let below = self.photons(-step, &slopes, options)?;
        for (above, below) in derivative.iter_mut().zip(below) {
            *above = (*above - below) / (2.0 * step);
        }
        Ok(Some(derivative))
    }

    /// The image with `factor` times `slopes` added to the structure factors.
    fn photons(
        &self,
        factor: f64,
        slopes: &Slopes,
        options: &RunOptions<'_>,
    ) -> Result<Vec<f64>, Error> {
        let pairs = self.grids.iter().zip(slopes);
        let moved = pairs.map(|(grid, slopes)| Arc::new(grid.moved(factor, slopes)));
        let scene = self.scene(&moved.collect::<Vec<_>>());
        let (mut photons, mut none) = (Vec::new(), Vec::new());
        derivatives_into(&scene, &[], options, &mut photons, &mut none)?;
        Ok(photons)
    }

    /// The experiment with other tables.
    fn scene(&self, grids: &[Arc<FactorGrid>]) -> Scene {
        let experiment = &self.base.resolved.experiment;
        let of_sources = match experiment.factors_by_source.is_empty() {
            true => Vec::new(),
            false => (self.of_source.iter())
                .filter_map(|table| grids.get(*table).cloned())
                .collect(),
        };
        let first = grids.first().unwrap_or(&experiment.factors);
        Scene::new(&Experiment {
            factors: Arc::clone(first),
            factors_by_source: of_sources,
            ..experiment.clone()
        })
    }
}

impl Base<'_> {
    /// Whether structure factors depend on a parameter, in any other way than one of them on itself.
    pub(super) fn moves_factors(&self, parameter: Parameter) -> bool {
        let falls_off = self.spec.b_factor_a2 != 0.0;
        let follow_energy = self.spec.factors.follow_energy();
        match parameter {
            Parameter::BFactor
            | Parameter::DispersionReal(_)
            | Parameter::DispersionImaginary(_) => true,
            Parameter::Wavelength => {
                follow_energy || falls_off && self.spec.crystal.matrix.is_some()
            }
            Parameter::Dispersion | Parameter::SpectrumFwhm => follow_energy,
            _ => falls_off && (EDGES.contains(&parameter) || ANGLES.contains(&parameter)),
        }
    }

    /// Whether a table of structure factors has a kink at the energy of its sources.
    pub(super) fn has_kink_of_factors(&self) -> bool {
        let FactorsSpec::ByEnergy(factors) = &self.spec.factors else {
            return false;
        };
        let sources = self.resolved.experiment.sources.iter();
        let mut energies = sources.map(|source| energy_ev_from_wavelength_m(source.wavelength_m));
        energies.any(|energy_ev| factors.have_kink_at(energy_ev))
    }
}
