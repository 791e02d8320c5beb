//! The sum over the atoms of a cell, by a map of their density or atom by atom.

use nanobragg_crystal::SymmetryOperation;

use crate::density::DensityFactors;
use crate::direct;
use crate::error::Error;
use crate::frame::CellFrame;
use crate::model::Model;
use crate::scatterer::Scatterer;
use crate::structure_factors::{FactorSpec, Summation, within};

/// The smallest B of an atom that is added to a map, in A^2.
const LEAST_B_OF_MAP_A2: f64 = -8.0;

/// Some atoms of a model, ready to be summed at any index.
#[derive(Debug)]
pub(crate) struct AtomSum<'m> {
    frame: &'m CellFrame,
    operations: &'m [SymmetryOperation],
    /// `None` if all atoms are summed directly.
    map: Option<DensityFactors>,
    /// The atoms that are not in the map.
    direct: Vec<Scatterer>,
}

impl<'m> AtomSum<'m> {
    /// Builds the map of `scatterers`, which are in the asymmetric unit of `model`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a B factor outside its range, [`Error::TooLarge`] if the map needs more memory
    /// than the limit.
    pub(crate) fn new(
        model: &'m Model,
        scatterers: Vec<Scatterer>,
        spec: &FactorSpec,
    ) -> Result<Self, Error> {
        for scatterer in &scatterers {
            let quantity = "the B factor of an atom where it moves least (A^2)";
            within(
                quantity,
                scatterer.least_b_a2(),
                -100.0..=1e4,
                "-100 to 1e4",
            )?;
        }
        let frame = &model.frame;
        let (map, direct) = match spec.method {
            Summation::Density => {
                // The blur of the map makes up for the smallest B, and errors of the map grow with the blur. Atoms
                // far below 0, of which a file has few, are summed directly.
                let (sharp, wide): (Vec<_>, Vec<_>) = scatterers
                    .into_iter()
                    .partition(|scatterer| scatterer.least_b_a2() < LEAST_B_OF_MAP_A2);
                let map = DensityFactors::new(frame, &wide, spec.dmin_a, spec.limit)?;
                (Some(map), sharp)
            }
            Summation::Direct => (None, scatterers),
        };
        Ok(Self {
            frame,
            operations: model.space_group.operations(),
            map,
            direct,
        })
    }

    /// Real and imaginary part of the sum over all atoms of the cell, in electrons:
    /// `exp(2 pi i h.t) F_asu(h R)` summed over the symmetry operations.
    ///
    /// An operation moves the atoms from x to `R x + t`. Their phase `h.(R x + t)` is `(h R).x + h.t`, so the
    /// factors of the asymmetric unit are needed only once, at all indices.
    pub(crate) fn at(&self, hkl: [i32; 3], s_squared: f64) -> [f64; 2] {
        let mut sum = [0.0; 2];
        for operation in self.operations {
            let [real, imaginary] = self.asymmetric(operation.apply_to_hkl(hkl), s_squared);
            // The phase shift of the operation is -2 pi h.t.
            let (sin, cos) = (-operation.phase_shift_rad(hkl)).sin_cos();
            sum[0] += real * cos - imaginary * sin;
            sum[1] += real * sin + imaginary * cos;
        }
        sum
    }

    fn asymmetric(&self, hkl: [i32; 3], s_squared: f64) -> [f64; 2] {
        let mapped = self.map.as_ref().map(|map| map.at(hkl, s_squared));
        let [real, imaginary] = mapped.unwrap_or_default();
        let [more_real, more_imaginary] = direct::at(self.frame, &self.direct, hkl);
        [real + more_real, imaginary + more_imaginary]
    }
}
