//! One atom as a sum of Gaussians, with its displacement.

use std::f64::consts::PI;

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use crate::anomalous::Dispersion;
use crate::form_factor::FormFactor;
use crate::model::{Atom, Displacement, symmetric};

/// B over U: `8 pi^2`.
const B_OVER_U: f64 = 8.0 * PI * PI;

/// The scattering of an atom: form factor, dispersion correction and displacement.
///
/// ```text
/// f(s) = (sum_i a_i exp(-b_i s^2/4) + c + f' + i f'') exp(-s.B s/4)
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scatterer {
    pub(crate) position: [f64; 3],
    form_factor: FormFactor,
    imaginary: f64,
    occupancy: f64,
    displacement: Tensor,
}

/// The B factor or the tensor `8 pi^2 U` of an atom, in A^2.
#[derive(Debug, Clone, Copy)]
enum Tensor {
    Isotropic(f64),
    Anisotropic(Matrix3<f64>),
}

impl Scatterer {
    /// The scattering of an atom with the correction of its element.
    pub(crate) fn new(atom: &Atom, dispersion: &Dispersion) -> Self {
        let correction = dispersion.get(&atom.element).copied().unwrap_or_default();
        let mut form_factor = FormFactor::of(atom.element, atom.charge);
        // f' does not depend on s, so it is added to the constant.
        form_factor.c += correction.real;
        Self {
            position: atom.position,
            form_factor,
            imaginary: correction.imaginary,
            occupancy: atom.occupancy,
            displacement: match atom.displacement {
                Displacement::Isotropic { b_a2 } => Tensor::Isotropic(b_a2),
                Displacement::Anisotropic { u_a2 } => {
                    Tensor::Anisotropic(symmetric(u_a2) * B_OVER_U)
                }
            },
        }
    }

    /// An atom that scatters one electron at every angle, apart from occupancy and displacement.
    pub(crate) fn of_one_electron(atom: &Atom) -> Self {
        Self {
            form_factor: FormFactor {
                a: [0.0; 4],
                b: [0.0; 4],
                c: 1.0,
            },
            ..Self::new(atom, &Dispersion::new())
        }
    }

    /// B along the direction of the smallest displacement, in A^2.
    pub(crate) fn least_b_a2(&self) -> f64 {
        match &self.displacement {
            Tensor::Isotropic(b) => *b,
            Tensor::Anisotropic(b) => SymmetricEigen::new(*b).eigenvalues.min(),
        }
    }

    /// Real and imaginary part of the scattering factor for a scattering vector in 1/A, times the
    /// occupancy.
    pub(crate) fn scattering(&self, vector: &Vector3<f64>) -> [f64; 2] {
        let s_squared = vector.norm_squared();
        let exponent = match &self.displacement {
            Tensor::Isotropic(b) => b * s_squared,
            Tensor::Anisotropic(b) => vector.dot(&(b * vector)),
        };
        let factor = self.occupancy * (-0.25 * exponent).exp();
        [
            self.form_factor.at(s_squared) * factor,
            self.imaginary * factor,
        ]
    }

    /// The density of the atom with `blur_a2` added to its B. The sum must be positive.
    ///
    /// ```text
    /// rho(r) = sum_i a_i (4 pi)^(3/2) |B_i|^(-1/2) exp(-4 pi^2 r.B_i^-1 r)    B_i = b_i + B + blur
    /// ```
    /// This is the Fourier transform of the scattering factor, term by term. The constant, with f' and
    /// f'', is a Gaussian with b = 0.
    pub(crate) fn density(&self, blur_a2: f64) -> Density {
        let FormFactor { a, b, c } = self.form_factor;
        let [a1, a2, a3, a4] = a.map(|weight| [weight, 0.0]);
        let [b1, b2, b3, b4] = b;
        let weights = [a1, a2, a3, a4, [c, self.imaginary]];
        let widths = [b1, b2, b3, b4, 0.0].map(|width| width + blur_a2);
        let terms = std::array::from_fn(|i| self.term(weights[i], widths[i]));
        Density {
            terms,
            is_round: matches!(self.displacement, Tensor::Isotropic(_)),
        }
    }

    /// The Gaussian of one term of the form factor with weight a and width b.
    fn term(&self, weight: [f64; 2], b_a2: f64) -> GaussianTerm {
        let (inverse, determinant, widest_a2) = match &self.displacement {
            Tensor::Isotropic(b) => {
                let b = b + b_a2;
                (Matrix3::from_diagonal_element(1.0 / b), b.powi(3), b)
            }
            Tensor::Anisotropic(b) => {
                let b = b + Matrix3::from_diagonal_element(b_a2);
                let inverse = b.try_inverse().unwrap_or_else(Matrix3::zeros);
                let widest = SymmetricEigen::new(b).eigenvalues.max();
                (inverse, b.determinant(), widest)
            }
        };
        let scale = self.occupancy * ((4.0 * PI).powi(3) / determinant).sqrt();
        GaussianTerm {
            peak: weight.map(|weight| weight * scale),
            exponent: inverse * (-4.0 * PI * PI),
            slowest_exponent: -4.0 * PI * PI / widest_a2,
        }
    }
}

/// The density of an atom around its position, in e/A^3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Density {
    terms: [GaussianTerm; 5],
    is_round: bool,
}

/// `peak exp(r.exponent r)`.
#[derive(Debug, Clone, Copy)]
struct GaussianTerm {
    /// Real and imaginary part, in e/A^3.
    peak: [f64; 2],
    /// A negative definite matrix in 1/A^2.
    exponent: Matrix3<f64>,
    /// The exponent in 1/A^2 along the direction in which the term falls slowest.
    slowest_exponent: f64,
}

impl Density {
    /// The distance in A at which the density falls below `cutoff` (e/A^3).
    pub(crate) fn radius_a(&self, cutoff: f64) -> f64 {
        // An upper bound of the density at a radius: magnitudes, along the slowest directions.
        let bound = |radius: f64| -> f64 {
            let terms = self.terms.iter();
            let size = |term: &GaussianTerm| {
                let [real, imaginary] = term.peak;
                real.hypot(imaginary) * (term.slowest_exponent * radius * radius).exp()
            };
            terms.map(size).sum()
        };
        const STEP_A: f64 = 0.1;
        let mut steps = 1;
        while steps < MOST_STEPS && bound(f64::from(steps) * STEP_A) > cutoff {
            steps += 1;
        }
        f64::from(steps) * STEP_A
    }

    /// Real and imaginary part at a point, given as a vector from the atom in A.
    #[inline]
    pub(crate) fn at(&self, r: &Vector3<f64>) -> [f64; 2] {
        let mut sum = [0.0; 2];
        let r_squared = r.norm_squared();
        for term in &self.terms {
            // All directions of an isotropic term are equal, which saves the matrix product.
            let exponent = if self.is_round {
                term.slowest_exponent * r_squared
            } else {
                r.dot(&(term.exponent * r))
            };
            let gaussian = exponent.exp();
            sum[0] += term.peak[0] * gaussian;
            sum[1] += term.peak[1] * gaussian;
        }
        sum
    }
}

/// The largest radius of an atom, in steps: 100 A, which is enough for the largest B.
const MOST_STEPS: u32 = 1000;
