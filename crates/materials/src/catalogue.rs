//! The materials that have names.

use crate::atom::wavelengths_angstrom;
use crate::gas::{self, Mixture};
use crate::ice::{self, Phase};
use crate::liquid::{HYDROCARBON_OIL, LIQUID_WATER, Liquid, WATER_MOLECULE};
use crate::molecule::Molecule;
use crate::{Error, Material, Profile};

/// The largest sin(theta)/lambda of a profile in 1/A: that of the fits of form factors, and of straight back at 0.5 A.
const MOST_STOL: f64 = 2.0;

/// The step of sin(theta)/lambda in 1/A where a profile has no lines.
const STEP_STOL: f64 = 0.005;

/// The smallest similarity of two names (Jaro-Winkler, at most 1) for a suggestion.
const ALIKE: f64 = 0.75;

/// A material that has a name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// The density in g/cm^3 that it has if none is given.
    pub density_g_per_cm3: f64,
}

/// What a material consists of.
#[derive(Clone, Copy)]
enum Matter {
    Gas(&'static Mixture),
    Ice(&'static Phase),
    Liquid(&'static Liquid),
}

/// A row of the catalogue: name, matter, and a line about it.
type Row = (&'static str, Matter, &'static str);

#[rustfmt::skip]
static CATALOGUE: [Row; 10] = [
    ("air", Matter::Gas(gas::AIR_GAS), "dry air at 20 C and 1 atm"),
    ("argon", Matter::Gas(gas::ARGON_GAS), "the gas at 20 C and 1 atm"),
    ("carbon-dioxide", Matter::Gas(gas::CARBON_DIOXIDE_GAS), "the gas at 20 C and 1 atm"),
    ("helium", Matter::Gas(gas::HELIUM_GAS), "the gas at 20 C and 1 atm"),
    ("ice-Ic", Matter::Ice(&ice::CUBIC), "powder of cubic ice at 100 K; ice-Ic@50nm has grains of 50 nm"),
    ("ice-Ih", Matter::Ice(&ice::HEXAGONAL), "powder of hexagonal ice at 100 K; ice-Ih@50nm has grains of 50 nm"),
    ("nitrogen", Matter::Gas(gas::NITROGEN_GAS), "the gas at 20 C and 1 atm"),
    ("oxygen", Matter::Gas(gas::OXYGEN_GAS), "the gas at 20 C and 1 atm"),
    ("paratone", Matter::Liquid(&HYDROCARBON_OIL), "hydrocarbon oil at 20 C, a model; the molecule is a CH2 group"),
    ("water", Matter::Liquid(&LIQUID_WATER), "liquid water at 25 C and 1 atm"),
];

impl Matter {
    fn density_g_per_cm3(self) -> f64 {
        match self {
            Self::Gas(mixture) => gas::density_g_per_cm3(mixture),
            Self::Ice(phase) => phase.density_g_per_cm3(),
            Self::Liquid(liquid) => liquid.density_g_per_cm3,
        }
    }

    /// The mean over the molecules of a property.
    fn mean(self, property: impl Fn(&Molecule) -> f64) -> f64 {
        match self {
            Self::Gas(mixture) => gas::mean(mixture, property),
            Self::Ice(_) => property(&WATER_MOLECULE),
            Self::Liquid(liquid) => property(&liquid.molecule),
        }
    }

    /// The coherent intensity: sin(theta)/lambda in 1/A, ascending from 0, and electron units per molecule.
    fn coherent(self, grain_angstrom: f64) -> Result<Vec<(f64, f64)>, Error> {
        Ok(match self {
            Self::Gas(_) => steps()
                .map(|stol| (stol, self.mean(|molecule| molecule.coherent(stol))))
                .collect(),
            Self::Ice(phase) => phase.coherent(steps(), grain_angstrom)?,
            Self::Liquid(liquid) => liquid.coherent(steps()).collect(),
        })
    }
}

/// sin(theta)/lambda in 1/A, where a profile has no lines.
fn steps() -> impl Iterator<Item = f64> {
    let count = (MOST_STOL / STEP_STOL).round() as u32;
    (0..=count).map(|n| f64::from(n) * STEP_STOL)
}

/// The materials that have names, in alphabetical order.
pub fn names() -> impl Iterator<Item = Named> {
    CATALOGUE.iter().map(|&(name, matter, about)| Named {
        name,
        about,
        density_g_per_cm3: matter.density_g_per_cm3(),
    })
}

/// The material of a name, at a wavelength in A.
///
/// F^2 of its profile is the coherent and the incoherent intensity of a molecule in electron units, as numbers of
/// photons. The wavelength enters by the recoil of electrons and by the absorption.
///
/// The name of ice can have a size of grains, which is the width of its rings: `ice-Ih@50nm`.
///
/// ```
/// let water = nanobragg_materials::named("water", 1.0)?;
/// let (_, forward) = water.profile.points().next().unwrap();
/// // The compressibility of water: F = sqrt(6.2 electron units).
/// assert!((forward - 2.49).abs() < 0.01);
/// # Ok::<(), nanobragg_materials::Error>(())
/// ```
/// # Errors
/// [`Error::UnknownMaterial`], [`Error::Wavelength`] outside 0.06 to 12.4 A, [`Error::GrainSize`], [`Error::NoGrains`].
pub fn named(name: &str, wavelength_angstrom: f64) -> Result<Material, Error> {
    let (bare, grain) = match name.split_once('@') {
        Some((bare, grain)) => (bare, Some(grain)),
        None => (name, None),
    };
    let row = CATALOGUE
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(bare));
    let &(known, matter, _) = row.ok_or_else(|| unknown(bare))?;
    let grain_angstrom = match (matter, grain) {
        (_, None) => ice::DEFAULT_GRAIN_ANGSTROM,
        (Matter::Ice(_), Some(text)) => grain_angstrom(text)?,
        (Matter::Gas(_) | Matter::Liquid(_), Some(_)) => {
            return Err(Error::NoGrains { name: known });
        }
    };
    let [least, most] = wavelengths_angstrom();
    if !(least..=most).contains(&wavelength_angstrom) {
        let found = wavelength_angstrom;
        return Err(Error::Wavelength { found, least, most });
    }
    let amplitude = |(stol, coherent): (f64, f64)| {
        let incoherent = |molecule: &Molecule| molecule.incoherent(stol, wavelength_angstrom);
        (stol, (coherent + matter.mean(incoherent)).sqrt())
    };
    let coherent = matter.coherent(grain_angstrom)?;
    let density_g_per_cm3 = matter.density_g_per_cm3();
    let molar_mass_g_per_mol = matter.mean(Molecule::molar_mass_g_per_mol);
    let cm2_per_mol = matter.mean(|molecule| molecule.attenuation_cm2_per_mol(wavelength_angstrom));
    const PER_M_PER_CM: f64 = 100.0;
    Ok(Material {
        profile: Profile::new(coherent.into_iter().map(amplitude))?,
        density_g_per_cm3,
        molar_mass_g_per_mol,
        absorption_per_m: PER_M_PER_CM * density_g_per_cm3 * cm2_per_mol / molar_mass_g_per_mol,
    })
}

/// The grain size in A of a text such as `50nm`, `0.2um` or `500A`.
fn grain_angstrom(text: &str) -> Result<f64, Error> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let angstrom_per_unit = match unit {
        "A" => 1.0,
        "nm" => 10.0,
        "um" => 1e4,
        _ => f64::NAN,
    };
    let number = text[..text.len() - unit.len()]
        .parse::<f64>()
        .unwrap_or(f64::NAN);
    let size = number * angstrom_per_unit;
    let [least, most] = ice::GRAINS_ANGSTROM;
    if (least..=most).contains(&size) {
        Ok(size)
    } else {
        Err(Error::GrainSize {
            found: text.to_owned(),
        })
    }
}

fn unknown(name: &str) -> Error {
    let known = || CATALOGUE.iter().map(|(known, ..)| *known);
    let alike =
        |known: &str| strsim::jaro_winkler(&name.to_ascii_lowercase(), &known.to_ascii_lowercase());
    let nearest = known().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    Error::UnknownMaterial {
        name: name.to_owned(),
        nearest: nearest.filter(|nearest| alike(nearest) > ALIKE),
        names: known().collect(),
    }
}

pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean {name}? "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grains_have_units() {
        assert_eq!(grain_angstrom("50nm"), Ok(500.0));
        assert_eq!(grain_angstrom("500A"), Ok(500.0));
        assert_eq!(grain_angstrom("0.05um"), Ok(500.0));
        for wrong in [
            "", "50", "nm", "-50nm", "1mm", "1nm", "nannm", "5e1nm", "50 nm", "50µm", "3um",
        ] {
            let error = grain_angstrom(wrong).unwrap_err();
            assert_eq!(
                error,
                Error::GrainSize {
                    found: wrong.to_owned()
                }
            );
        }
    }
}
