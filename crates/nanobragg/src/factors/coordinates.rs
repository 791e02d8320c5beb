//! Coordinates, and the structure factors worked out from them.

use std::path::PathBuf;

use nanobragg_crystal::{CellSpec, FactorGrid, GridLimit};
use nanobragg_geometry::in_unit;
use nanobragg_structure::{
    Dispersion, FactorSpec, Model, Solvent, StructureFactors, Warning, read as read_file,
};

use super::FactorsSpec;
use crate::error::Error;
use crate::resolution::Resolution;
use crate::spec::ExperimentSpec;

/// Reflections reach this much beyond the finest corner, for spots that are wider than a point.
const MARGIN: f64 = 0.98;

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
    /// Dispersion corrections by element.
    pub anomalous: Dispersion,
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
    Ok(read_file::read(&spec.path, &given)?)
}

/// Works out the structure factors as far as the `dmin` of `experiment`, or as its detector sees.
pub(super) fn factors(
    reading: read_file::Reading,
    spec: &CoordinatesSpec,
    experiment: &ExperimentSpec,
    limit: GridLimit,
) -> Result<(FactorGrid, Coordinates), Error> {
    // What was given in A is taken to the last bit.
    let given_a = in_unit::ANGSTROM.exactly(experiment.dmin.m());
    let dmin_a = match given_a {
        Some(dmin_a) if dmin_a > 0.0 => dmin_a,
        None if experiment.dmin.m() > 0.0 => experiment.dmin.m() * 1e10,
        _ => finest_a(experiment)? * MARGIN,
    };
    let factors = StructureFactors::new(
        &reading.model,
        &FactorSpec {
            dmin_a,
            solvent: spec.solvent,
            dispersion: spec.anomalous.clone(),
            limit,
            ..FactorSpec::default()
        },
    )?;
    let grid = FactorGrid::from_reflections(&factors.reflections(), spec.default_f, limit)?;
    let coordinates = Coordinates {
        model: reading.model,
        dmin_a,
        solvent_fraction: factors.solvent_fraction,
        warnings: reading.warnings,
    };
    Ok((grid, coordinates))
}

/// The finest resolution on the border of the detector, in A.
fn finest_a(experiment: &ExperimentSpec) -> Result<f64, Error> {
    // Where the detector stands does not depend on the structure factors, which are still to come.
    let spec = ExperimentSpec {
        factors: FactorsSpec::Constant(1.0),
        ..experiment.clone()
    };
    let resolved = spec.resolve()?;
    let wavelength_m = resolved.decisions.central_wavelength_m;
    let beam = resolved.experiment.beam.direction();
    let panels = resolved.experiment.detector.panels().iter();
    let finest = panels.map(|panel| {
        let whole = [panel.pixels_fast(), panel.pixels_slow()];
        Resolution::of((panel, beam), wavelength_m, [0, 0], whole).finest_angstrom()
    });
    Ok(finest.fold(f64::INFINITY, f64::min))
}
