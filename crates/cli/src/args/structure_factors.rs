use super::Range;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::crystal::SpaceGroup;
use std::path::PathBuf;

/// Where structure factors come from and how they are looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactorArgs {
    /// Text list of h k l F, MTZ or mmCIF.
    pub hkl_path: Option<PathBuf>,
    /// The columns to take; empty leaves it to what the file has.
    pub columns: Vec<String>,
    /// The name of the space group, which wins over that of the file.
    pub space_group: Option<String>,
    /// F of every reflection not listed, in electrons.
    pub default_f: Option<f64>,
    /// Name of the dump, read or written.
    pub dump_path: Option<PathBuf>,
    /// How F is found between whole indices; `None` leaves it to the crystal's size.
    pub lookup: Option<Lookup>,
}

/// How F is found between whole indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The value at the nearest whole index.
    Nearest,
    /// A cubic through four values along each axis.
    Tricubic,
}

const fn unused_file(name: &'static str, help: &'static str) -> FlagSpec {
    FlagSpec::new(name, Takes::Path(|_, _| {}), help).ignored()
}

pub(super) static GROUP: Group = Group {
    heading: "Structure factors",
    flags: &[
        FlagSpec::new(
            "hkl",
            Takes::Path(|args, path| args.factors.hkl_path = Some(path)),
            "Structure factors: text, one h k l F per line, MTZ, or mmCIF; the contents decide. Text \
             lists every spot: no symmetry is applied, not even Friedel's, unless -spacegroup is \
             given. MTZ and mmCIF are expanded with the symmetry in the file, whose cell is \
             used if neither -cell nor -mat is given. Without it the dump of an earlier run is read.",
        )
        .or(&["mtz"]),
        FlagSpec::new(
            "columns",
            Takes::Text {
                value: "F[,PHI]",
                allowed: "one to three names with commas between them",
                set: |args, text| {
                    let names: Vec<String> = text.split(',').map(|n| n.trim().to_owned()).collect();
                    let is_allowed = names.len() <= 3 && names.iter().all(|name| !name.is_empty());
                    args.factors.columns = names;
                    is_allowed
                },
            },
            "Columns of an MTZ or mmCIF file: F or I, or two for Friedel mates, as F(+),F(-); a \
             phase may follow. Without it amplitudes of a model are taken, else F(+) and F(-), F, \
             I(+) and I(-), I, whichever is there.",
        )
        .or(&["column"]),
        FlagSpec::new(
            "spacegroup",
            Takes::Text {
                value: "name",
                allowed: "a number from 1 to 230, or a name such as \"P 21 21 21\" or \"R 3 :H\"",
                set: |args, text| {
                    args.factors.space_group = Some(text.to_owned());
                    SpaceGroup::from_name(text).is_ok()
                },
            },
            "Space group to expand the structure factors of -hkl with, in place of the one in the \
             file.",
        )
        .or(&["space_group", "symmetry"]),
        FlagSpec::new(
            "default_F",
            Takes::Number {
                unit: "electrons",
                range: Range::Any,
                set: |args, v| args.factors.default_f = Some(v),
            },
            "F of every reflection not listed.",
        )
        .default("0"),
        FlagSpec::new(
            "dump",
            Takes::Path(|args, path| args.factors.dump_path = Some(path)),
            "Where the structure factors of -hkl are kept for runs without it.",
        )
        .or(&["dumpfile"])
        .default("Fdump.bin"),
        FlagSpec::new(
            "interpolate",
            Takes::Switch(|args| args.factors.lookup = Some(Lookup::Tricubic)),
            "Interpolate F between whole indices. The default if the crystal is at most two \
             cells wide somewhere.",
        ),
        FlagSpec::new(
            "nointerpolate",
            Takes::Switch(|args| args.factors.lookup = Some(Lookup::Nearest)),
            "Take F from the nearest whole index.",
        ),
        unused_file(
            "stol",
            "Amorphous scattering against sin(theta)/lambda: not used.",
        ),
        unused_file("4stol", "The same against 4 sin(theta)/lambda: not used."),
        unused_file("Q", "The same against 4 pi sin(theta)/lambda: not used."),
        unused_file("stolout", "Where to write it: not used."),
        FlagSpec::new(
            "coherent",
            Takes::Switch(|_| {}),
            "Add amplitudes: not used.",
        )
        .ignored(),
    ],
};
