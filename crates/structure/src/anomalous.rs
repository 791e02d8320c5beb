//! Anomalous scattering: what an element near an absorption edge adds to its form factor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::element::Element;

/// The dispersion correction f' + i f'' of an element at the wavelength of the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The real part f', in electrons.
    pub real: f64,
    /// The imaginary part f'', in electrons; positive where X-rays are absorbed.
    pub imaginary: f64,
}

/// Dispersion corrections by element; those not in it have none.
///
/// f'' makes |F| of h k l and of -h -k -l differ.
pub type Dispersion = BTreeMap<Element, Correction>;
