use super::Range;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::structure::{Correction, Dispersion, Element};
use std::path::PathBuf;

/// The atoms from which structure factors are computed, and the solvent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CoordinateArgs {
    /// A PDB file or a CIF.
    pub path: Option<PathBuf>,
    /// Vacuum instead of solvent.
    pub no_solvent: bool,
    /// Electron density of the solvent, in e/A^3.
    pub solvent_density_per_a3: Option<f64>,
    /// B of the solvent, in A^2.
    pub solvent_b_a2: Option<f64>,
    /// Questionable atoms are an error instead of a warning.
    pub is_strict: bool,
    /// Dispersion corrections.
    pub dispersion: Dispersion,
}

/// `Se=-8,4.5`: an element, f' and f''.
pub(crate) fn correction(text: &str) -> Option<(Element, Correction)> {
    let (symbol, numbers) = text.split_once('=')?;
    let (real, imaginary) = numbers.split_once(',')?;
    let number = |word: &str| {
        let number: f64 = word.trim().parse().ok()?;
        (-100.0..=100.0).contains(&number).then_some(number)
    };
    let correction = Correction {
        real: number(real)?,
        imaginary: number(imaginary)?,
    };
    Some((Element::from_symbol(symbol.trim())?, correction))
}

pub(super) static GROUP: Group = Group {
    heading: "Structure factors from coordinates",
    flags: &[
        FlagSpec::path("pdb", |args, path| args.coordinates.path = Some(path))
            .or(&["cif"])
            .help(
                "Atoms to work structure factors out from, in the PDB format or CIF; the contents \
             decide. They reach to -dmin, or else to the finest corner of the detector. The cell \
             is used if neither -cell nor -mat is given.",
            )
            .of(&["factors.coordinates"]),
        FlagSpec::number("ksol", "e/A^3", Range::ZeroOrMore, |args, v| {
            args.coordinates.solvent_density_per_a3 = Some(v)
        })
        .default("0.35")
        .help("Electron density of the flat bulk solvent of -pdb.")
        .of(&["factors.solvent.density"]),
        FlagSpec::number("bsol", "A^2", Range::ZeroOrMore, |args, v| {
            args.coordinates.solvent_b_a2 = Some(v)
        })
        .default("46")
        .help("B factor of the flat bulk solvent of -pdb.")
        .of(&["factors.solvent.b"]),
        FlagSpec::switch("nosolvent", |args| args.coordinates.no_solvent = true)
            .help("Leave out the bulk solvent of -pdb."),
        FlagSpec::switch("strict_atoms", |args| args.coordinates.is_strict = true).help(
            "Refuse atoms of -pdb that are otherwise taken with a warning: unknown elements, \
             occupancies outside 0 to 1, negative or missing B factors, unknown charges.",
        ),
        FlagSpec::new(
            "anomalous",
            Takes::Text(|args, text| {
                let allowed = "an element and two numbers from -100 to 100, as Se=-8.0,4.5";
                let (element, correction) = correction(text).ok_or(allowed)?;
                args.coordinates.dispersion.insert(element, correction);
                Ok(())
            }),
        )
        .values("El=f',f''")
        .help(
            "Dispersion correction of an element of -pdb, in electrons. May be given for several \
             elements.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_an_element_and_two_numbers() {
        let (element, correction) = correction("se=-8.0,4.5").unwrap();
        assert_eq!(element.symbol(), "Se");
        assert_eq!((correction.real, correction.imaginary), (-8.0, 4.5));
        for text in [
            "Se", "Se=1", "Se=1,x", "Xx=1,2", "Se=1,2,3", "Se=nan,1", "Se=1,1e9",
        ] {
            assert_eq!(super::correction(text), None, "{text}");
        }
    }
}
