//! Diffuse scattering, as specified by a user.

use nanobragg_crystal::{CellSpec, Lattice, SpaceGroup};
use nanobragg_physics::{Diffuse, DiffuseAxes, DiffuseModel, DiffuseNumbers, MOST_NEIGHBOURS};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::resolve::{above_zero, at_least_zero};

/// The diffuse scattering of a crystal as specified by a user. `docs/PHYSICS.md` has the formulas.
///
/// ```
/// use nanobragg::{CellSpec, CrystalSpec, DiffuseSpec, ExperimentSpec, FactorsSpec, RunOptions, simulate};
///
/// let mut spec = ExperimentSpec {
///     crystal: CrystalSpec {
///         cell: Some(CellSpec::from_values(&[50.0])?),
///         cells: [10; 3],
///         ..CrystalSpec::default()
///     },
///     factors: FactorsSpec::Constant(100.0),
///     diffuse: Some(DiffuseSpec {
///         gamma_angstrom: [30.0, 60.0, 90.0],
///         symmetry: Some("P 4 3 2".to_owned()),
///         ..DiffuseSpec::default()
///     }),
///     ..ExperimentSpec::default()
/// };
/// spec.detector.pixels_fast = Some(32);
/// spec.detector.pixels_slow = Some(32);
/// let with = simulate(&spec.resolve()?.experiment, &RunOptions::default())?;
/// spec.diffuse = None;
/// let without = simulate(&spec.resolve()?.experiment, &RunOptions::default())?;
/// assert!(with.statistics.mean > without.statistics.mean);
/// # Ok::<(), nanobragg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiffuseSpec {
    /// The shape of the halo of a reflection.
    pub model: DiffuseModel,
    /// The directions of the three lengths.
    pub axes: DiffuseAxes,
    /// Lengths over which displacements are correlated.
    pub gamma_angstrom: [f64; 3],
    /// Root mean square displacements.
    pub sigma_angstrom: [f64; 3],
    /// Reflections to each side of the nearest one, along each index, whose halos are summed.
    pub stencil: u32,
    /// The name of a space group whose rotations the halos have; `None` takes that of the structure factors, or
    /// P 1 if they have none.
    pub symmetry: Option<String>,
    /// The rotations of the space group of the structure factors, once they are read.
    #[serde(skip)]
    pub rotations: Vec<[[i32; 3]; 3]>,
    /// Whether the factor `exp(-x)` is there. Without it the structure factors already have it.
    pub damped: bool,
}

impl Default for DiffuseSpec {
    /// The lengths with which diffBragg begins.
    fn default() -> Self {
        Self {
            model: DiffuseModel::default(),
            axes: DiffuseAxes::default(),
            gamma_angstrom: [50.0; 3],
            sigma_angstrom: [0.4; 3],
            stencil: 1,
            symmetry: None,
            rotations: Vec::new(),
            damped: true,
        }
    }
}

impl DiffuseSpec {
    /// Takes the symmetry of the structure factors, unless another one is given.
    pub(crate) fn follow(&mut self, group: &SpaceGroup) {
        self.rotations = rotations(group);
    }

    /// Changes the lengths.
    pub(crate) fn set(&mut self, change: impl FnOnce(&mut DiffuseNumbers<f64>)) {
        let mut numbers = self.numbers();
        change(&mut numbers);
        self.gamma_angstrom = numbers.gamma_angstrom;
        self.sigma_angstrom = numbers.sigma_angstrom;
    }

    fn numbers(&self) -> DiffuseNumbers<f64> {
        DiffuseNumbers {
            gamma_angstrom: self.gamma_angstrom,
            sigma_angstrom: self.sigma_angstrom,
        }
    }

    /// The model that physics sums, of a crystal with this lattice.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::DiffuseSymmetry`], and a name of no space group.
    pub(crate) fn resolve(&self, lattice: &Lattice) -> Result<Diffuse, Error> {
        for length in self.gamma_angstrom {
            above_zero("a correlation length of the diffuse scattering (A)", length)?;
        }
        for length in self.sigma_angstrom {
            at_least_zero("a displacement of the diffuse scattering (A)", length)?;
        }
        if self.stencil > MOST_NEIGHBOURS {
            return Err(Error::OutOfRange {
                quantity: "the stencil of the diffuse scattering",
                value: f64::from(self.stencil),
                allowed: "at most 5",
            });
        }
        let operations = match &self.symmetry {
            Some(name) => {
                let cell = CellSpec {
                    lengths_angstrom: lattice.lengths_angstrom,
                    angles_rad: lattice.angles_rad(),
                };
                let group = SpaceGroup::from_name_for_cell(name, &cell)?;
                if !group.fits(&cell) {
                    return Err(Error::DiffuseSymmetry {
                        group: group.name().to_owned(),
                    });
                }
                rotations(&group)
            }
            None => self.rotations.clone(),
        };
        Ok(Diffuse {
            model: self.model,
            axes: self.axes,
            numbers: self.numbers(),
            neighbours: self.stencil,
            operations,
            is_damped: self.damped,
        })
    }
}

fn rotations(group: &SpaceGroup) -> Vec<[[i32; 3]; 3]> {
    let operations = group.representatives().iter();
    operations.map(|operation| operation.rotation()).collect()
}
