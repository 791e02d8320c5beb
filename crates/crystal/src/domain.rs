//! The domains of a crystal beyond a whole number of cells along each edge: real numbers, a size tensor, a
//! distribution of sizes, and how much of them is in the beam.

use nanobragg_numeric::random::{MinimalStandard, normal_quantile};
use serde::{Deserialize, Serialize};

use crate::error::{Error, finite};
use crate::shape::Shape;

/// The largest relative spread of the sizes of domains. Beyond it a few huge domains would dominate.
const MAX_SIZE_SPREAD: f64 = 1.0;

/// The user's description of a domain beyond its number of cells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DomainSpec {
    /// Cells along a, b, c, which need not be whole; at least 1. They replace numbers and sizes of crystals.
    pub cells: Option<[f64; 3]>,
    /// Nd, Ne and Nf of the size tensor (see [`LatticeShape::tensor`](crate::LatticeShape::tensor)).
    pub tensor: Option<[f64; 3]>,
    /// The standard deviation of the logarithm of the size: domains differ in size. 0 for equal domains.
    pub size_spread: f64,
    /// Factor on the intensity of the crystal.
    pub spot_scale: f64,
    /// The volume of crystal in the beam in cubic millimetres. Its domains scatter independently of each
    /// other; `None` for one domain.
    pub crystal_mm3: Option<f64>,
}

impl Default for DomainSpec {
    fn default() -> Self {
        Self {
            cells: None,
            tensor: None,
            size_spread: 0.0,
            spot_scale: 1.0,
            crystal_mm3: None,
        }
    }
}

impl DomainSpec {
    /// Checks every number. `cells` are those of the crystal.
    pub(crate) fn check(&self, shape: Shape, cells: [f64; 3]) -> Result<(), Error> {
        let refused = |quantity, value, allowed| {
            Err(Error::OutOfRange {
                quantity,
                value,
                allowed,
            })
        };
        for n in self.cells.into_iter().flatten() {
            if finite("number of cells", n)? < 1.0 {
                return refused("number of cells", n, "a number from 1");
            }
        }
        if let Some([d, e, f]) = self.tensor {
            for n in [d, e, f] {
                finite("size tensor", n)?;
            }
            if shape == Shape::Square {
                return Err(Error::TensorOfSquare);
            }
            // All leading minors of a positive definite matrix are positive.
            let [a, b, c] = cells;
            let minor = a * b - d * d;
            let determinant = a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f);
            if minor <= 0.0 || determinant <= 0.0 {
                return Err(Error::SingularTensor {
                    cells,
                    tensor: [d, e, f],
                });
            }
        }
        let spread = finite("spread of domain sizes", self.size_spread)?;
        if !(0.0..=MAX_SIZE_SPREAD).contains(&spread) {
            return refused("spread of domain sizes", spread, "a number from 0 to 1");
        }
        if finite("spot scale", self.spot_scale)? < 0.0 {
            return refused("spot scale", self.spot_scale, "a number from 0");
        }
        match self.crystal_mm3 {
            Some(volume) if finite("volume of the crystal (mm^3)", volume)? <= 0.0 => {
                refused("volume of the crystal (mm^3)", volume, "a number above 0")
            }
            _ => Ok(()),
        }
    }
}

/// The edges of `count` domains, divided by those of the crystal: the quantiles of a lognormal distribution
/// whose logarithm has the standard deviation `spread` and a mean of 0, in an order drawn with `seed`.
///
/// Quantiles have the moments of the distribution with far fewer domains than random numbers. The order keeps
/// the size of a domain independent of its orientation.
pub(crate) fn size_ratios(spread: f64, count: usize, seed: i64) -> Vec<f64> {
    if spread == 0.0 {
        return Vec::new();
    }
    let quantile = |i: usize| (spread * normal_quantile((i as f64 + 0.5) / count as f64)).exp();
    let mut ratios: Vec<f64> = (0..count).map(quantile).collect();
    let mut stream = MinimalStandard::from_seed(seed);
    for last in (1..count).rev() {
        // A deviate in [-1, 1) picks one of the places up to `last`.
        let share = 0.5 * (stream.symmetric() + 1.0);
        ratios.swap(last, ((share * (last + 1) as f64) as usize).min(last));
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_sizes_has_the_spread_asked_for() {
        let ratios = size_ratios(0.3, 1000, 1);
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let mean = logs.iter().sum::<f64>() / 1000.0;
        let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0;
        assert!(mean.abs() < 1e-9);
        assert!((variance.sqrt() - 0.3).abs() < 1e-3);
        // The volume has the third moment exp(9 s^2 / 2) of the lognormal distribution.
        let volume = ratios.iter().map(|ratio| ratio.powi(3)).sum::<f64>() / 1000.0;
        assert!((volume / (4.5_f64 * 0.09).exp() - 1.0).abs() < 0.01);
    }

    #[test]
    fn sizes_are_shuffled_by_the_seed() {
        let (one, other) = (size_ratios(0.3, 20, 1), size_ratios(0.3, 20, 2));
        assert_ne!(one, other);
        let sorted = |mut ratios: Vec<f64>| {
            ratios.sort_by(f64::total_cmp);
            ratios
        };
        assert_eq!(sorted(one.clone()), sorted(other));
        assert!(one.windows(2).any(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn tensors_that_are_not_positive_are_refused() {
        let spec = |tensor| DomainSpec {
            tensor: Some(tensor),
            ..DomainSpec::default()
        };
        let cells = [10.0, 12.0, 9.0];
        assert!(spec([2.0, 1.0, -3.0]).check(Shape::Gauss, cells).is_ok());
        for tensor in [[11.0, 0.0, 0.0], [0.0, 11.0, 0.0], [9.0, 9.0, -9.0]] {
            let checked = spec(tensor).check(Shape::Gauss, cells);
            assert!(
                matches!(checked, Err(Error::SingularTensor { .. })),
                "{tensor:?}"
            );
        }
        let square = spec([1.0, 0.0, 0.0]).check(Shape::Square, cells);
        assert!(matches!(square, Err(Error::TensorOfSquare)));
    }

    #[test]
    fn absurd_numbers_are_refused() {
        let default = DomainSpec::default();
        for spec in [
            DomainSpec {
                cells: Some([5.0, 0.5, 5.0]),
                ..default
            },
            DomainSpec {
                cells: Some([5.0, f64::NAN, 5.0]),
                ..default
            },
            DomainSpec {
                size_spread: -0.1,
                ..default
            },
            DomainSpec {
                size_spread: 1.1,
                ..default
            },
            DomainSpec {
                spot_scale: -1.0,
                ..default
            },
            DomainSpec {
                crystal_mm3: Some(0.0),
                ..default
            },
        ] {
            assert!(spec.check(Shape::Square, [5.0; 3]).is_err(), "{spec:?}");
        }
    }
}
