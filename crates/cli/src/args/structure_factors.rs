use super::Range;
use super::flag::{FlagSpec, Group, Takes};
use std::path::PathBuf;

/// Where structure factors come from and how they are looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactorArgs {
    /// Text list of h k l F.
    pub hkl_path: Option<PathBuf>,
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
            "Structure factors as text, one h k l F per line, for every spot: no symmetry is \
             applied, not even Friedel's. Without it the dump of an earlier run is read.",
        ),
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
