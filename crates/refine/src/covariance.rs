//! Uncertainties and correlations from the normal matrix.

use nalgebra::DMatrix;

use crate::Error;
use crate::normal::Scaled;

/// Parameters are inseparable if the normal matrix, with its diagonal scaled to 1, has an eigenvalue
/// below this. Their correlation is then 1 within the precision of the sums.
const SINGULAR: f64 = 1e-11;

/// A parameter belongs to the inseparable ones if its component in the eigenvector exceeds this.
const NOTICEABLE: f64 = 0.2;

/// Standard uncertainties `sqrt(C_ii)` and correlations `C_ij / sqrt(C_ii C_jj)`, where C is the
/// inverse of the normal matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Covariance {
    pub(crate) sigmas: Vec<f64>,
    pub(crate) correlations: Vec<Vec<f64>>,
}

impl Covariance {
    /// The covariance of the numbers with these names.
    ///
    /// # Errors
    /// [`Error::NoEffect`] and [`Error::Inseparable`] if the matrix has no inverse.
    pub(crate) fn of(matrix: &DMatrix<f64>, names: &[String]) -> Result<Self, Error> {
        for (&diagonal, name) in matrix.diagonal().iter().zip(names) {
            // A diagonal of NaN does not describe an effect either.
            if diagonal.is_nan() || diagonal <= 0.0 {
                return Err(Error::NoEffect { name: name.clone() });
            }
        }
        let Scaled {
            scales,
            values,
            vectors,
        } = Scaled::of(matrix);
        let singular = values.iter().zip(vectors.column_iter());
        for (&value, vector) in singular {
            if value.is_nan() || value < SINGULAR {
                let parts = vector.iter().zip(names);
                let named = parts.filter(|(part, _)| part.abs() > NOTICEABLE);
                return Err(Error::Inseparable {
                    names: named.map(|(_, name)| name.clone()).collect(),
                });
            }
        }
        // The inverse is V D^-1 V^T. As the product of V D^-1/2 with its transpose it is symmetric, and
        // its diagonal is positive.
        let halves = &vectors * DMatrix::from_diagonal(&values.map(|value| value.recip().sqrt()));
        let scaled = &halves * halves.transpose();
        let deviations = scaled.diagonal().map(f64::sqrt);
        let correlations = scaled.component_div(&(&deviations * deviations.transpose()));
        let rows = correlations.row_iter();
        Ok(Self {
            sigmas: deviations.component_div(&scales).iter().copied().collect(),
            correlations: rows.map(|row| row.iter().copied().collect()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["x", "y", "z"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_inverse_of_a_known_matrix_comes_back() {
        // Two numbers of standard uncertainties 3 and 0.5 with a correlation of 0.6.
        let covariance = DMatrix::from_row_slice(2, 2, &[9.0, 0.9, 0.9, 0.25]);
        let matrix = covariance.try_inverse().unwrap();
        let found = Covariance::of(&matrix, &names()[..2]).unwrap();
        assert!((found.sigmas[0] - 3.0).abs() < 1e-12);
        assert!((found.sigmas[1] - 0.5).abs() < 1e-12);
        assert!((found.correlations[0][1] - 0.6).abs() < 1e-12);
        assert_eq!(found.correlations[0][1], found.correlations[1][0]);
    }

    #[test]
    fn numbers_with_the_same_effect_are_named() {
        let mut matrix = DMatrix::from_diagonal_element(3, 3, 2.0);
        (matrix[(0, 2)], matrix[(2, 0)]) = (2.0, 2.0);
        match Covariance::of(&matrix, &names()) {
            Err(Error::Inseparable { names }) => assert_eq!(names, ["x", "z"]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_without_effect_is_named() {
        let mut matrix = DMatrix::from_diagonal_element(3, 3, 2.0);
        matrix[(1, 1)] = 0.0;
        let error = Covariance::of(&matrix, &names()).unwrap_err().to_string();
        assert!(error.starts_with("y cannot be refined"), "{error}");
    }
}
