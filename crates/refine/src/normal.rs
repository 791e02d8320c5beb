//! Normal equations, and a small least-squares problem with the same normal equations.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Eigenvalues below this fraction of the largest count as 0.
const RANK: f64 = 1e-14;

/// Sums over pixels: the misfit, which is twice the negative log-likelihood; half its gradient; and
/// the normal matrix, which is the expectation of half its second derivative.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Normal {
    pub(crate) misfit: f64,
    pub(crate) gradient: DVector<f64>,
    pub(crate) matrix: DMatrix<f64>,
}

impl Normal {
    /// The sums over no pixel, for `n` numbers.
    pub(crate) fn zeros(n: usize) -> Self {
        Self {
            misfit: 0.0,
            gradient: DVector::zeros(n),
            matrix: DMatrix::zeros(n, n),
        }
    }

    /// Adds the sums for the numbers at these places, in ascending order.
    pub(crate) fn add_at(&mut self, places: &[usize], other: &Self) {
        self.misfit += other.misfit;
        for (i, &to) in places.iter().enumerate() {
            self.gradient[to] += other.gradient[i];
            for (j, &by) in places.iter().enumerate() {
                self.matrix[(to, by)] += other.matrix[(i, j)];
            }
        }
    }

    /// Adds the sums for the same numbers.
    pub(crate) fn add(&mut self, other: &Self) {
        self.misfit += other.misfit;
        self.gradient += &other.gradient;
        self.matrix += &other.matrix;
    }

    /// The same sums with the lower triangle of the matrix copied to the upper one.
    pub(crate) fn symmetric(mut self) -> Self {
        self.matrix.fill_upper_triangle_with_lower_triangle();
        self
    }

    /// The sums for other numbers. `rates` are the derivatives of the present numbers by the new ones.
    pub(crate) fn by(&self, rates: &[f64]) -> Self {
        let rates = DVector::from_column_slice(rates);
        Self {
            misfit: self.misfit,
            gradient: self.gradient.component_mul(&rates),
            matrix: self.matrix.component_mul(&(&rates * rates.transpose())),
        }
    }

    /// Residuals r and Jacobian J of a least-squares problem for which `r . r`, `J^T r` and `J^T J` are
    /// the misfit, the gradient g and the matrix M. It has one residual more than there are numbers.
    ///
    /// The minimiser needs only these three. It takes the same steps as with one residual per pixel,
    /// whose Jacobian would be much larger.
    ///
    /// A diagonal matrix S scales the diagonal of M to 1. With the eigenvalues D and eigenvectors V,
    /// `S M S = V D V^T`, so `J = D^1/2 V^T S^-1` and `r = D^-1/2 V^T S g`. The last residual is the
    /// root of the rest of the misfit; its derivatives are 0.
    pub(crate) fn as_least_squares(&self) -> (DVector<f64>, DMatrix<f64>) {
        let n = self.gradient.len();
        let scaled = Scaled::of(&self.matrix);
        let mut residuals = DVector::zeros(n + 1);
        let mut jacobian = DMatrix::zeros(n + 1, n);
        let along = scaled.vectors.transpose() * self.gradient.component_div(&scaled.scales);
        for i in 0..n {
            // A direction without an effect on the image gets no residual, instead of a division by
            // a rounding error.
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

/// Eigenvalues and eigenvectors of a symmetric matrix whose diagonal is scaled to 1.
///
/// The scaling removes the units. Without it, an angle of 1 degree and a fluence of 1e24 would differ
/// by more than the precision of the eigenvalues.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaled {
    /// The roots of the diagonal.
    pub(crate) scales: DVector<f64>,
    pub(crate) values: DVector<f64>,
    pub(crate) vectors: DMatrix<f64>,
}

impl Scaled {
    /// The eigenvalues and eigenvectors of `matrix` after scaling.
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
