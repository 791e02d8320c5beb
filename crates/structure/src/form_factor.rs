//! The form factor of an atom at rest.

use crate::element::Element;
use crate::it92::{IONS, NEUTRAL};

/// The smallest spacing d in A for which the tabulated fits are valid: `sin(theta)/lambda` up to 2/A.
pub const LEAST_SPACING_A: f64 = 0.25;

/// The form factor of an atom or ion as four Gaussians and a constant.
///
/// ```text
/// f(s) = sum_i a_i exp(-b_i s^2/4) + c        s = 1/d = 2 sin(theta)/lambda
/// ```
/// # Units
/// f, a and c in electrons, b in A^2, s in 1/A.
///
/// # Source
/// International Tables for Crystallography, Volume C (1992), Table 6.1.1.4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormFactor {
    /// The four weights.
    pub a: [f64; 4],
    /// The four exponents in A^2. A few of them, in ions, are slightly negative.
    pub b: [f64; 4],
    /// The constant.
    pub c: f64,
}

impl FormFactor {
    /// The form factor of an element with a formal charge. For an ion that is not tabulated it is that
    /// of the neutral atom.
    ///
    /// ```
    /// use nanobragg_structure::{Element, FormFactor};
    ///
    /// let carbon = Element::from_symbol("C").unwrap();
    /// let forward = FormFactor::of(carbon, 0).at(0.0);
    /// assert!((forward - 6.0).abs() < 0.001);
    /// ```
    pub fn of(element: Element, charge: i8) -> Self {
        let number = element.atomic_number();
        let ion = IONS
            .iter()
            .find(|(ion, its_charge, _)| (*ion, *its_charge) == (number, charge))
            .map(|(_, _, row)| row);
        let neutral = NEUTRAL.get(usize::from(number).saturating_sub(1));
        let [a1, a2, a3, a4, b1, b2, b3, b4, c] = ion.or(neutral).copied().unwrap_or([0.0; 9]);
        Self {
            a: [a1, a2, a3, a4],
            b: [b1, b2, b3, b4],
            c,
        }
    }

    /// f at `s_squared = 1/d^2` in 1/A^2.
    pub fn at(&self, s_squared: f64) -> f64 {
        let gaussians = self.a.iter().zip(self.b);
        gaussians.fold(self.c, |sum, (a, b)| {
            sum + a * (-0.25 * b * s_squared).exp()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of the fits at s = 0, in electrons; it is that of thallium.
    const FIT_ELECTRONS: f64 = 0.06;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn forward_scattering_counts_the_electrons() {
        for (row, electrons) in NEUTRAL.iter().zip(1..) {
            let forward: f64 = row[..4].iter().sum::<f64>() + row[8];
            assert!(
                (forward - f64::from(electrons)).abs() < FIT_ELECTRONS,
                "Z = {electrons}"
            );
        }
        for (number, charge, row) in &IONS {
            let forward: f64 = row[..4].iter().sum::<f64>() + row[8];
            let electrons = f64::from(i16::from(*number) - i16::from(*charge));
            assert!(
                (forward - electrons).abs() < FIT_ELECTRONS,
                "{number} {charge}"
            );
        }
    }

    #[test]
    fn form_factors_fall_off() {
        // Volume C, Table 6.1.1.1: 1.69 for carbon at sin(theta)/lambda = 0.5/A.
        let close = |f: f64, table: f64| (f - table).abs() < 0.005 * table;
        assert!(close(FormFactor::of(element("C"), 0).at(1.0), 1.69));
        let iron = FormFactor::of(element("Fe"), 0);
        assert!(iron.at(0.0) > iron.at(0.1) && iron.at(0.1) > iron.at(4.0));
    }

    #[test]
    fn ions_differ_from_atoms_and_unknown_ions_do_not() {
        let electrons = |charge| FormFactor::of(element("Ca"), charge).at(0.0).round();
        assert_eq!(electrons(0), 20.0);
        assert_eq!(electrons(2), 18.0);
        assert_eq!(electrons(1), 20.0);
    }
}
