//! Normal equations, and the small least-squares problem that has the same ones.

use nalgebra_of_minimiser::{DMatrix, DVector, SymmetricEigen};

/// Eigenvalues below this fraction of the largest count as 0.
const RANK: f64 = 1e-14;

/// Sums over pixels: twice the negative log-likelihood, half its gradient, and the normal matrix,
/// the expectation of half its second derivative.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Normal {
    pub(crate) misfit: f64,
    pub(crate) gradient: DVector<f64>,
    pub(crate) matrix: DMatrix<f64>,
}

impl Normal {
    pub(crate) fn zeros(n: usize) -> Self {
        Self {
            misfit: 0.0,
            gradient: DVector::zeros(n),
            matrix: DMatrix::zeros(n, n),
        }
    }

    /// Mirrors the lower triangle.
    pub(crate) fn symmetric(mut self) -> Self {
        self.matrix.fill_upper_triangle_with_lower_triangle();
        self
    }

    /// By other numbers: `rates` are the derivatives of the present ones by them.
    pub(crate) fn by(&self, rates: &[f64]) -> Self {
        let rates = DVector::from_column_slice(rates);
        Self {
            misfit: self.misfit,
            gradient: self.gradient.component_mul(&rates),
            matrix: self.matrix.component_mul(&(&rates * rates.transpose())),
        }
    }

    /// Residuals r and Jacobian J of a least-squares problem with one residual more than there are
    /// numbers, of which `r.r`, `J^T r` and `J^T J` are the sums here.
    ///
    /// With `S M S = V D V^T`, S making the diagonal 1: `J = D^1/2 V^T S^-1`, `r = D^-1/2 V^T S g`,
    /// and a last residual, which nothing changes, makes up for the rest of the misfit.
    pub(crate) fn as_least_squares(&self) -> (DVector<f64>, DMatrix<f64>) {
        let n = self.gradient.len();
        let scaled = Scaled::of(&self.matrix);
        let mut residuals = DVector::zeros(n + 1);
        let mut jacobian = DMatrix::zeros(n + 1, n);
        let along = scaled.vectors.transpose() * self.gradient.component_div(&scaled.scales);
        for i in 0..n {
            let root = scaled.values[i].max(0.0).sqrt();
            if root * root <= RANK * scaled.values.max() {
                continue;
            }
            residuals[i] = along[i] / root;
            for j in 0..n {
                jacobian[(i, j)] = root * scaled.vectors[(j, i)] * scaled.scales[j];
            }
        }
        residuals[n] = (self.misfit - residuals.norm_squared()).max(0.0).sqrt();
        (residuals, jacobian)
    }
}

/// A symmetric matrix with its diagonal brought to 1, in eigenvalues and eigenvectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaled {
    /// Roots of the diagonal.
    pub(crate) scales: DVector<f64>,
    pub(crate) values: DVector<f64>,
    pub(crate) vectors: DMatrix<f64>,
}

impl Scaled {
    pub(crate) fn of(matrix: &DMatrix<f64>) -> Self {
        let root = |x: f64| if x > 0.0 { x.sqrt() } else { 1.0 };
        let scales = matrix.diagonal().map(root);
        let scaled = matrix.component_div(&(&scales * scales.transpose()));
        let eigen = SymmetricEigen::new(scaled);
        Self {
            scales,
            values: eigen.eigenvalues,
            vectors: eigen.eigenvectors,
        }
    }
}
