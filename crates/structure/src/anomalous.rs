//! Anomalous scattering: the correction to the form factor of an element near an absorption edge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::element::Element;

/// The dispersion correction f' + i f'' of an element at the wavelength of the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The real part f', in electrons.
    pub real: f64,
    /// The imaginary part f'', in electrons. It is positive, because an atom absorbs X-rays.
    pub imaginary: f64,
}

impl Correction {
    /// The larger of the differences of f' and of f'', in electrons.
    pub fn distance(&self, other: &Self) -> f64 {
        let real = (self.real - other.real).abs();
        real.max((self.imaginary - other.imaginary).abs())
    }
}

/// Dispersion corrections by element. An element that is not in the map has no correction.
///
/// Because of f'' the amplitudes |F| of h k l and of -h -k -l are different.
pub type Dispersion = BTreeMap<Element, Correction>;
