//! The constraints of a crystal system on a cell.

use crate::Error;
use nanobragg::ExperimentSpec;
use nanobragg::gradient;
use nanobragg::gradient::Parameter;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    /// The system with the most constraints that the cell obeys.
    ///
    /// # Errors
    /// If the experiment has no cell.
    pub fn of(spec: &ExperimentSpec) -> Result<Self, Error> {
        for system in Self::ALL.into_iter().rev() {
            if system.fault(spec)?.is_none() {
                return Ok(system);
            }
        }
        Ok(Triclinic)
    }

    /// Checks that the cell obeys this system.
    ///
    /// # Errors
    /// [`Error::NotOfSystem`] with the number that does not fit.
    pub fn check(self, spec: &ExperimentSpec) -> Result<(), Error> {
        match self.fault(spec)? {
            None => Ok(()),
            Some(fault) => Err(Error::NotOfSystem {
                system: self.name(),
                fault,
            }),
        }
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

    /// The first constraint that the cell does not obey, in words.
    fn fault(self, spec: &ExperimentSpec) -> Result<Option<String>, Error> {
        // Values are in the units of the command line: degrees and Angstrom.
        for &(angle, wanted) in self.fixed() {
            let value = gradient::value(spec, angle)?;
            if (value - wanted).abs() > NOTICEABLE {
                return Ok(Some(format!("{} is {value}, not {wanted}", angle.name())));
            }
        }
        for tied in self.free() {
            let Some((&first, others)) = tied.split_first() else {
                continue;
            };
            let leads = gradient::value(spec, first)?;
            for &other in others {
                let value = gradient::value(spec, other)?;
                if (value - leads).abs() > NOTICEABLE * leads.abs() {
                    let (other, first) = (other.name(), first.name());
                    return Ok(Some(format!("{other} is {value}, {first} is {leads}")));
                }
            }
        }
        Ok(None)
    }
}
