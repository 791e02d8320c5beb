//! The structure factor of a molecule against sin(theta)/lambda.

use crate::Error;

/// Points of a structure factor, in ascending order of sin(theta)/lambda.
///
/// F is the ratio of the amplitude that one molecule scatters to that of one electron. F < 0 stands for a
/// negative intensity -F^2, as tables of differences have.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    stol_per_angstrom: Vec<f64>,
    electrons: Vec<f64>,
}

impl Profile {
    /// A profile of pairs of sin(theta)/lambda in 1/A and F in electrons.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`], [`Error::NotAscending`].
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, Error> {
        let (stol_per_angstrom, electrons): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        if stol_per_angstrom.len() < 2 {
            return Err(Error::TooFewPoints {
                points: stol_per_angstrom.len(),
            });
        }
        let mut before = f64::NEG_INFINITY;
        for (at, (&stol, f)) in stol_per_angstrom.iter().zip(&electrons).enumerate() {
            // A NaN is not greater than anything.
            if !(stol > before && stol.is_finite() && f.is_finite()) {
                return Err(Error::NotAscending {
                    point: at + 1,
                    stol_per_angstrom: stol,
                });
            }
            before = stol;
        }
        Ok(Self {
            stol_per_angstrom,
            electrons,
        })
    }

    /// The points: sin(theta)/lambda in 1/A, and F in electrons.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let f = self.electrons.iter().copied();
        self.stol_per_angstrom.iter().copied().zip(f)
    }
}
