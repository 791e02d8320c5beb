//! Coordinates, and the structure factors worked out from them.

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::{CellSpec, FactorGrid, GridLimit};
use nanobragg_geometry::{Length, in_unit};
use nanobragg_structure::{
    Dispersion, FactorParts, FactorSpec, Model, Solvent, StructureFactors, Warning,
    read as read_file,
};

use super::by_energy::{AnomalousSpec, FactorsByEnergy};
use super::fall_off::MARGIN;
use super::{Asked, FactorsSpec, Loaded};
use crate::error::Error;
use crate::resolution::finest_a;
use crate::resolve::Resolved;
use crate::spec::ExperimentSpec;

/// Atoms to work structure factors out from. They reach to [`ExperimentSpec::dmin`], or without it to
/// the finest corner of the detector.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinatesSpec {
    /// A PDB file or a CIF; the contents decide.
    pub path: PathBuf,
    /// The name of the space group, which wins over that of the file.
    pub space_group: Option<String>,
    /// The bulk solvent; `None` is a vacuum.
    pub solvent: Option<Solvent>,
    /// Dispersion corrections by element, which hold at every energy.
    pub anomalous: Dispersion,
    /// Dispersion corrections at the energy of each source.
    pub at_energies: AnomalousSpec,
    /// Whether atoms that are not as they should be are an error instead of a warning.
    pub is_strict: bool,
    /// F of every reflection beyond those, in electrons.
    pub default_f: f64,
}

/// What structure factors were worked out from.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinates {
    /// The atoms.
    pub model: Model,
    /// The smallest spacing of the reflections, in A.
    pub dmin_a: f64,
    /// The share of the cell that is solvent; `None` without.
    pub solvent_fraction: Option<f64>,
    /// What may surprise about the file.
    pub warnings: Vec<Warning>,
}

/// Reads the atoms. The cell of the crystal, where it was given, wins over that of the file.
pub(super) fn read(
    spec: &CoordinatesSpec,
    cell: Option<&CellSpec>,
) -> Result<read_file::Reading, Error> {
    let given = read_file::Given {
        cell: cell.copied(),
        space_group: spec.space_group.clone(),
        is_strict: spec.is_strict,
    };
    let mut reading = read_file::read(&spec.path, &given)?;
    reading.warn_of_absent(spec.anomalous.keys().chain(spec.at_energies.curves.keys()));
    Ok(reading)
}

/// Works out the structure factors as far as the `dmin` of `experiment`, or as its detector sees.
pub(super) fn factors(
    reading: read_file::Reading,
    spec: &CoordinatesSpec,
    experiment: &ExperimentSpec,
    limit: GridLimit,
) -> Result<(FactorsSpec, Coordinates), Error> {
    let dmin_a = wanted_dmin_a(experiment)?;
    let request = FactorSpec {
        dmin_a,
        solvent: spec.solvent,
        dispersion: spec.anomalous.clone(),
        limit,
        ..FactorSpec::default()
    };
    let model = &reading.model;
    let (factors, solvent_fraction) = if spec.at_energies.is_used() {
        let curves = spec.at_energies.read(model, &spec.anomalous)?;
        let elements: Vec<_> = curves.iter().map(|(element, _)| *element).collect();
        let parts = FactorParts::new(model, &request, &elements)?;
        let fraction = parts.without().solvent_fraction;
        let factors = FactorsByEnergy::of_atoms(parts, curves, spec.default_f, limit);
        (FactorsSpec::ByEnergy(Arc::new(factors)), fraction)
    } else {
        let factors = StructureFactors::new(model, &request)?;
        let grid = FactorGrid::from_reflections(&factors.reflections(), spec.default_f, limit)?;
        (grid.into(), factors.solvent_fraction)
    };
    let coordinates = Coordinates {
        model: reading.model,
        dmin_a,
        solvent_fraction,
        warnings: reading.warnings,
    };
    Ok((factors, coordinates))
}

impl ExperimentSpec {
    /// [`load`](Self::load) with structure factors of atoms as far as `seen` needs them, an experiment that came from this
    /// one; `None` if those of `earlier` reach that far, or are not of atoms.
    ///
    /// # Errors
    /// As [`load`](Self::load), and those of [`resolve`](Self::resolve) of `seen`.
    pub fn load_finer(
        &self,
        seen: &Self,
        earlier: &Loaded,
        limit: GridLimit,
    ) -> Result<Option<Loaded>, Error> {
        let Some(atoms) = &earlier.coordinates else {
            return Ok(None);
        };
        let dmin_a = wanted_dmin_a(seen)?;
        if dmin_a >= atoms.dmin_a {
            return Ok(None);
        }
        let finer = Self {
            dmin: Length::from_angstrom(dmin_a),
            ..self.clone()
        };
        let mut loaded = finer.load(limit)?;
        loaded.spec.dmin = self.dmin;
        loaded.asked = Asked::of(self);
        Ok(Some(loaded))
    }
}

/// The smallest spacing of the reflections of `experiment`: its `dmin`, or what its detector sees.
pub(super) fn wanted_dmin_a(experiment: &ExperimentSpec) -> Result<f64, Error> {
    // What was given in A is taken to the last bit.
    let given_a = in_unit::ANGSTROM.exactly(experiment.dmin.m());
    Ok(match given_a {
        Some(dmin_a) if dmin_a > 0.0 => dmin_a,
        None if experiment.dmin.m() > 0.0 => experiment.dmin.m() * 1e10,
        _ => seen_a(experiment)? * MARGIN,
    })
}

/// The finest resolution on the border of the detector at the shortest wavelength, in A.
fn seen_a(experiment: &ExperimentSpec) -> Result<f64, Error> {
    // Where the detector stands does not depend on the structure factors, which are still to come.
    let spec = ExperimentSpec {
        factors: FactorsSpec::Constant(1.0),
        b_factor_a2: 0.0,
        ..experiment.clone()
    };
    let Resolved { experiment, .. } = spec.resolve()?;
    let (detector, beam) = (&experiment.detector, &experiment.beam);
    Ok(finest_a(detector, beam, experiment.sources.shortest_m()))
}
