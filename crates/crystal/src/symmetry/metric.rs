//! Cells and the symmetry of a group.

use super::SpaceGroup;
use crate::cell::CellSpec;

impl SpaceGroup {
    /// The deviation of a cell from the symmetry of the group: the largest change of an inner product
    /// of two cell edges by a rotation, divided by their lengths. 0 for a cell that fits exactly.
    ///
    /// A rotation of the group must keep all lengths and angles, so `R^T G R = G` with the metric
    /// tensor `G_ij = a_i . a_j`.
    pub fn cell_misfit(&self, cell: &CellSpec) -> f64 {
        let metric = metric(cell);
        let [a, b, c] = cell.lengths_angstrom;
        let edges = [a, b, c];
        let mut largest = 0.0_f64;
        for operation in self.representatives() {
            let turned = turned_metric(&metric, operation.rotation());
            for i in 0..3 {
                for j in 0..3 {
                    let change = (turned[i][j] - metric[i][j]).abs() / (edges[i] * edges[j]);
                    largest = largest.max(change);
                }
            }
        }
        largest
    }

    /// Whether a cell has the symmetry of the group to within what is measured: 2 percent.
    pub fn fits(&self, cell: &CellSpec) -> bool {
        const MEASURED: f64 = 0.02;
        self.cell_misfit(cell) <= MEASURED
    }

    /// The cell nearest to a given one that has the symmetry of the group.
    ///
    /// Its metric tensor is the mean of `R^T G R` over the rotations R, where `G_ij = a_i . a_j`.
    /// One more rotation only permutes the terms of the mean, so the mean has the symmetry.
    pub fn symmetric_cell(&self, cell: &CellSpec) -> CellSpec {
        let metric = metric(cell);
        let mut mean = [[0.0; 3]; 3];
        for operation in self.representatives() {
            let turned = turned_metric(&metric, operation.rotation());
            for (sum, term) in mean
                .as_flattened_mut()
                .iter_mut()
                .zip(turned.as_flattened())
            {
                *sum += term / self.representatives().len() as f64;
            }
        }
        // The diagonal of a metric tensor has the squares of the edges.
        let lengths_angstrom: [f64; 3] = std::array::from_fn(|i| mean[i][i].sqrt());
        let angles_rad = crate::cell::ENCLOSING.map(|[i, j]| {
            let cosine = mean[i][j] / (lengths_angstrom[i] * lengths_angstrom[j]);
            cosine.clamp(-1.0, 1.0).acos()
        });
        CellSpec {
            lengths_angstrom,
            angles_rad,
        }
    }
}

/// `G_ij = a_i . a_j` in A^2.
fn metric(cell: &CellSpec) -> [[f64; 3]; 3] {
    let [a, b, c] = cell.lengths_angstrom;
    let [cos_alpha, cos_beta, cos_gamma] = cell.angles_rad.map(f64::cos);
    [
        [a * a, a * b * cos_gamma, a * c * cos_beta],
        [a * b * cos_gamma, b * b, b * c * cos_alpha],
        [a * c * cos_beta, b * c * cos_alpha, c * c],
    ]
}

/// `R^T G R`.
fn turned_metric(metric: &[[f64; 3]; 3], rotation: [[i32; 3]; 3]) -> [[f64; 3]; 3] {
    let r = rotation.map(|row| row.map(f64::from));
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            (0..3)
                .flat_map(|m| (0..3).map(move |n| (m, n)))
                .map(|(m, n)| r[m][i] * metric[m][n] * r[n][j])
                .sum()
        })
    })
}
