//! Derivatives by every structure factor.

use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, Hkl};

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
