//! The file that `-pdb` names, and the structure factors worked out from it.

use std::path::Path;
use std::sync::Arc;

use nanobragg::crystal::{Lattice, SpaceGroup};
use nanobragg::structure::{FactorSpec, Model, Solvent, StructureFactors, Warning, read};
use nanobragg::{CellSpec, Error, ExperimentSpec, FactorGrid, GridLimit};

use crate::args::{Args, CoordinateArgs};
use crate::factor_file::FactorWarning;
use crate::plan::resolution::Resolution;
use crate::run::RunError;

/// Reflections reach this much beyond the finest corner, for spots that are wider than a point.
const MARGIN: f64 = 0.98;

/// What the structure factors were worked out from.
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

impl Coordinates {
    /// A warning if a lattice, such as that of `-mat`, is not that of the atoms.
    pub(crate) fn cell_warning(&self, lattice: &Lattice) -> Option<FactorWarning> {
        /// How much an edge, or an angle in radians, may differ.
        const SAME_CELL: f64 = 0.01;
        let atoms = self.model.frame.cell();
        let (edges, angles) = (lattice.lengths_angstrom, lattice.angles_rad());
        let mut by_edge = edges.iter().zip(atoms.lengths_angstrom);
        let mut by_angle = angles.iter().zip(atoms.angles_rad);
        let is_other = by_edge.any(|(a, b)| (a / b - 1.0).abs() > SAME_CELL)
            || by_angle.any(|(a, b)| (a - b).abs() > SAME_CELL);
        let six = |[a, b, c]: [f64; 3], angles: [f64; 3]| {
            let [alpha, beta, gamma] = angles.map(f64::to_degrees);
            [a, b, c, alpha, beta, gamma]
        };
        is_other.then(|| FactorWarning::OtherCell {
            used: six(edges, angles),
            found: six(atoms.lengths_angstrom, atoms.angles_rad),
        })
    }
}

/// Reads the atoms. `-cell` and `-spacegroup` win over the file.
pub(crate) fn read(path: &Path, args: &Args) -> Result<read::Reading, RunError> {
    let cell = args.crystal.cell.as_deref();
    let cell = cell.map(CellSpec::from_values).transpose()?;
    let name = args.factors.space_group.as_deref();
    let group = name.map(|name| match &cell {
        Some(cell) => SpaceGroup::from_name_for_cell(name, cell),
        None => SpaceGroup::from_name(name),
    });
    let given = read::Given {
        cell,
        space_group: group.transpose()?,
    };
    Ok(read::read(path, &given).map_err(Error::from)?)
}

/// Works out the structure factors as far as `-dmin`, or as the detector of `spec` sees.
pub(crate) fn factors(
    reading: read::Reading,
    args: &Args,
    spec: &ExperimentSpec,
    limit: GridLimit,
) -> Result<(FactorGrid, Coordinates), RunError> {
    let dmin_a = match args.sampling.dmin_a {
        Some(dmin_a) if dmin_a > 0.0 => dmin_a,
        _ => finest_a(spec)? * MARGIN,
    };
    let factor_spec = factor_spec(&args.coordinates, dmin_a, limit);
    let factors = StructureFactors::new(&reading.model, &factor_spec).map_err(Error::from)?;
    let default_f = args.factors.default_f.unwrap_or(0.0);
    let grid = FactorGrid::from_reflections(&factors.reflections(), default_f, limit)?;
    let coordinates = Coordinates {
        model: reading.model,
        dmin_a,
        solvent_fraction: factors.solvent_fraction,
        warnings: reading.warnings,
    };
    Ok((grid, coordinates))
}

/// What the flags ask of the atoms.
pub(crate) fn factor_spec(given: &CoordinateArgs, dmin_a: f64, limit: GridLimit) -> FactorSpec {
    let default = Solvent::default();
    let solvent = Solvent {
        density_per_a3: given
            .solvent_density_per_a3
            .unwrap_or(default.density_per_a3),
        b_a2: given.solvent_b_a2.unwrap_or(default.b_a2),
        ..default
    };
    FactorSpec {
        dmin_a,
        solvent: (!given.no_solvent).then_some(solvent),
        dispersion: given.dispersion.clone(),
        limit,
        ..FactorSpec::default()
    }
}

/// The finest resolution on the border of the detector, in A.
fn finest_a(spec: &ExperimentSpec) -> Result<f64, RunError> {
    // Where the detector stands does not depend on the structure factors, which are still to come.
    let spec = ExperimentSpec {
        factors: Arc::new(FactorGrid::empty(1.0)),
        ..spec.clone()
    };
    let resolved = spec.resolve().map_err(RunError::from)?;
    let wavelength_m = resolved.decisions.wavelength_m;
    let beam = resolved.experiment.beam.direction();
    let panels = resolved.experiment.detector.panels().iter();
    let finest = panels.map(|panel| {
        let whole = [panel.pixels_fast(), panel.pixels_slow()];
        Resolution::of((panel, beam), wavelength_m, [0, 0], whole).finest_angstrom()
    });
    Ok(finest.fold(f64::INFINITY, f64::min))
}
