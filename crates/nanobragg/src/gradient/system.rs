//! The constraints of a crystal system on a cell.

use serde::{Deserialize, Serialize};

use super::{Parameter, value};
use crate::error::Error;
use crate::spec::ExperimentSpec;

/// The tolerance of a constraint: relative for an edge, in degrees for a fixed angle.
const NOTICEABLE: f64 = 1e-6;

/// The crystal system, which ties edges and fixes angles of the cell.
///
/// | system | free | tied or fixed |
/// |---|---|---|
/// | triclinic | a, b, c, alpha, beta, gamma | |
/// | monoclinic | a, b, c, beta | alpha = gamma = 90 |
/// | orthorhombic | a, b, c | all angles 90 |
/// | tetragonal | a, c | a = b, all angles 90 |
/// | rhombohedral | a, alpha | a = b = c, alpha = beta = gamma |
/// | hexagonal | a, c | a = b, gamma = 120 |
/// | cubic | a | a = b = c, all angles 90 |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrystalSystem {
    /// No symmetry.
    Triclinic,
    /// One axis of order two, along b.
    Monoclinic,
    /// Three axes of order two.
    Orthorhombic,
    /// One axis of order four, along c.
    Tetragonal,
    /// One axis of order three, along the body diagonal.
    Rhombohedral,
    /// One axis of order three or six, along c.
    Hexagonal,
    /// Four axes of order three.
    Cubic,
}

use CrystalSystem::{
    Cubic, Hexagonal, Monoclinic, Orthorhombic, Rhombohedral, Tetragonal, Triclinic,
};
use Parameter::{CellA, CellAlpha, CellB, CellBeta, CellC, CellGamma};

impl CrystalSystem {
    /// All systems, from the fewest constraints to the most.
    pub const ALL: [Self; 7] = [
        Triclinic,
        Monoclinic,
        Orthorhombic,
        Tetragonal,
        Rhombohedral,
        Hexagonal,
        Cubic,
    ];

    /// The names of [`ALL`](Self::ALL).
    pub const NAMES: [&str; 7] = [
        Triclinic.name(),
        Monoclinic.name(),
        Orthorhombic.name(),
        Tetragonal.name(),
        Rhombohedral.name(),
        Hexagonal.name(),
        Cubic.name(),
    ];

    /// The name of the system.
    pub const fn name(self) -> &'static str {
        match self {
            Triclinic => "triclinic",
            Monoclinic => "monoclinic",
            Orthorhombic => "orthorhombic",
            Tetragonal => "tetragonal",
            Rhombohedral => "rhombohedral",
            Hexagonal => "hexagonal",
            Cubic => "cubic",
        }
    }

    /// The system of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// The system with the most constraints that the cell of an experiment obeys.
    ///
    /// # Errors
    /// If the experiment has no cell.
    pub fn of(spec: &ExperimentSpec) -> Result<Self, Error> {
        Ok(Self::of_cell(&cell_of(spec)?))
    }

    /// The system with the most constraints that a cell obeys. The cell is in Angstrom and degrees.
    pub fn of_cell(cell: &[f64; 6]) -> Self {
        let mut systems = Self::ALL.into_iter().rev();
        let obeyed = systems.find(|system| system.fault(cell).is_none());
        obeyed.unwrap_or(Triclinic)
    }

    /// The first constraint of this system that the cell of an experiment does not obey, in words.
    ///
    /// # Errors
    /// If the experiment has no cell.
    pub fn fault_of(self, spec: &ExperimentSpec) -> Result<Option<String>, Error> {
        Ok(self.fault(&cell_of(spec)?))
    }

    /// The free parameters of the cell, each with those tied to it.
    pub const fn free(self) -> &'static [&'static [Parameter]] {
        match self {
            Triclinic => &[
                &[CellA],
                &[CellB],
                &[CellC],
                &[CellAlpha],
                &[CellBeta],
                &[CellGamma],
            ],
            Monoclinic => &[&[CellA], &[CellB], &[CellC], &[CellBeta]],
            Orthorhombic => &[&[CellA], &[CellB], &[CellC]],
            Tetragonal | Hexagonal => &[&[CellA, CellB], &[CellC]],
            Rhombohedral => &[&[CellA, CellB, CellC], &[CellAlpha, CellBeta, CellGamma]],
            Cubic => &[&[CellA, CellB, CellC]],
        }
    }

    /// The fixed angles, with their values in degrees.
    const fn fixed(self) -> &'static [(Parameter, f64)] {
        match self {
            Triclinic | Rhombohedral => &[],
            Monoclinic => &[(CellAlpha, 90.0), (CellGamma, 90.0)],
            Orthorhombic | Tetragonal | Cubic => {
                &[(CellAlpha, 90.0), (CellBeta, 90.0), (CellGamma, 90.0)]
            }
            Hexagonal => &[(CellAlpha, 90.0), (CellBeta, 90.0), (CellGamma, 120.0)],
        }
    }

    /// The first constraint that a cell in Angstrom and degrees does not obey, in words.
    pub fn fault(self, cell: &[f64; 6]) -> Option<String> {
        let value = |parameter: Parameter| {
            let at = CELL.iter().position(|known| *known == parameter);
            at.and_then(|at| cell.get(at).copied()).unwrap_or(f64::NAN)
        };
        for &(angle, wanted) in self.fixed() {
            let value = value(angle);
            if (value - wanted).abs() > NOTICEABLE {
                return Some(format!("{} is {value}, not {wanted}", angle.name()));
            }
        }
        for tied in self.free() {
            let Some((&first, others)) = tied.split_first() else {
                continue;
            };
            let leads = value(first);
            for &other in others {
                let value = value(other);
                if (value - leads).abs() > NOTICEABLE * leads.abs() {
                    let (other, first) = (other.name(), first.name());
                    return Some(format!("{other} is {value}, {first} is {leads}"));
                }
            }
        }
        None
    }
}

/// The six numbers of a cell, in their order.
const CELL: [Parameter; 6] = [CellA, CellB, CellC, CellAlpha, CellBeta, CellGamma];

fn cell_of(spec: &ExperimentSpec) -> Result<[f64; 6], Error> {
    let mut cell = [0.0; 6];
    for (number, parameter) in cell.iter_mut().zip(CELL) {
        *number = value(spec, parameter)?;
    }
    Ok(cell)
}
