use super::Range;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::factors::AnomalousSpec;
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
    /// Dispersion corrections that hold at every energy.
    pub dispersion: Dispersion,
    /// Where others come from at the energy of each source.
    pub at_energies: AnomalousSpec,
}

/// Takes a word of `-anomalous`: `table`, `Fe=Fe.dat`, or `Se=-8,4.5`.
fn take(args: &mut CoordinateArgs, word: &str) -> Option<()> {
    if word == "table" {
        args.at_energies.from_table = true;
        return Some(());
    }
    match curve(word) {
        Some((_, value)) => {
            let element = Element::from_symbol(word.split_once('=')?.0.trim())?;
            args.at_energies
                .curves
                .insert(element, PathBuf::from(value));
        }
        None => {
            let (element, correction) = correction(word)?;
            args.dispersion.insert(element, correction);
        }
    }
    Some(())
}

/// The file of `Fe=FILE`, and the byte at which its name begins.
fn curve(word: &str) -> Option<(usize, &str)> {
    let (symbol, value) = word.split_once('=')?;
    let is_number = |part: &str| part.trim().parse::<f64>().is_ok();
    let is_file = !value.is_empty() && !value.split(',').any(is_number);
    is_file.then_some((symbol.len() + 1, value))
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
                let allowed = "the word table, an element and a file, as Fe=Fe.dat, or an element and two \
                               numbers from -100 to 100, as Se=-8.0,4.5";
                take(&mut args.coordinates, text).ok_or_else(|| allowed.to_owned())
            }),
        )
        .values("table|El=file|El=f',f''")
        .adds()
        .files(|_, word| Some(curve(word)?.0))
        .help(
            "Dispersion corrections f' and f'' of elements of -pdb, in electrons. May be given again: \
             `table` takes those of all elements from a table (Chantler's, 2 to 70 keV) at the energy of \
             each source, `Fe=FILE` those of an element from a file of energy (eV), f' and f'', and \
             `Se=-8,4.5` is the same at every energy. Numbers win over a file, and a file over the table.",
        )
        .of(&["factors.anomalous"]),
    ],
};

#[cfg(test)]
mod tests {
    use std::path::Path;

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

    #[test]
    fn corrections_are_a_table_files_and_numbers() {
        let mut args = CoordinateArgs::default();
        for word in ["Se=-8,4.5", "table", "Fe=a,b.dat", "Zn=Zn.dat"] {
            take(&mut args, word).unwrap();
        }
        let flag = GROUP
            .flags
            .iter()
            .find(|flag| flag.name == "anomalous")
            .unwrap();
        let seen = |word: &str| flag.seen_from(Path::new("/far"), 0, word.as_ref());
        assert_eq!(seen("Fe=a,b.dat").unwrap(), "Fe=/far/a,b.dat");
        assert_eq!(seen("Fe=/near/b.dat").unwrap(), "Fe=/near/b.dat");
        assert_eq!((seen("table"), seen("Se=-8,4.5")), (None, None));
        let curves: Vec<_> = args.at_energies.curves.values().collect();
        assert!(args.at_energies.from_table && args.dispersion.len() == 1);
        assert_eq!(
            curves,
            ["a,b.dat", "Zn.dat"]
                .map(PathBuf::from)
                .iter()
                .collect::<Vec<_>>()
        );
        for word in [
            "tables",
            "Fe",
            "Fe=",
            "Xx=Fe.dat",
            "Fe=1",
            "Fe=1,x",
            "Fe=1,2,3",
        ] {
            assert_eq!(take(&mut args, word), None, "{word}");
        }
    }
}
