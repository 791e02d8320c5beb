//! A material.

use crate::Profile;

/// An amorphous material.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// The structure factor of one molecule.
    pub profile: Profile,
    /// The density in g/cm^3.
    pub density_g_per_cm3: f64,
    /// The mass of a mole of molecules, in g/mol.
    pub molar_mass_g_per_mol: f64,
    /// The linear absorption coefficient in 1/m; 0 for a material that does not absorb.
    pub absorption_per_m: f64,
}
