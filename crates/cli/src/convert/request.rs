use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, Command, value_parser};
use nanobragg::CellSpec;
use nanobragg::crystal::SpaceGroup;

use crate::args::{CoordinateArgs, FactorArgs, correction};
use crate::subcommand::{ToolError, matches};

pub(super) const TOOL: &str = "hkl";

/// What the help says after the flags.
const AFTER_HELP: &str = "\
IN may be text (h k l F), MTZ, mmCIF or a dump (Fdump.bin); its contents decide. Atoms, in the PDB
format or CIF, give structure factors as far as -dmin, with bulk solvent. The format of OUT
follows from its name: .mtz, .cif or .mmcif, .bin, and text for any other. Text and dumps list every
spot, so that symmetry is applied to what is written there; MTZ and mmCIF are written as they were
read. Phases go into MTZ and mmCIF.";

/// The format of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Text,
    Mtz,
    Mmcif,
    Dump,
}

/// What becomes of the reflections on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What is usual for the two formats.
    Usual,
    /// All of reciprocal space, in P 1.
    Expanded,
    /// One of any equivalent reflections.
    Merged,
}

/// A conversion to be made.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
    pub(super) target: Target,
    pub(super) part: Part,
    pub(super) factors: FactorArgs,
    pub(super) cell: Option<CellSpec>,
    pub(super) default_f: f64,
    /// The smallest spacing of reflections worked out from atoms, in A.
    pub(super) dmin_a: Option<f64>,
    pub(super) coordinates: CoordinateArgs,
}

impl Request {
    /// Reads the words after `nanoBragg hkl`.
    pub(super) fn from_words(words: &[OsString]) -> Result<Self, Result<String, ToolError>> {
        let mut matches = matches(TOOL, command(), words)?;
        let mut path = |name| matches.remove_one::<PathBuf>(name).unwrap_or_default();
        let (input, output) = (path("IN"), path("OUT"));
        let columns: Option<String> = matches.remove_one("columns");
        let cell: Option<Vec<f64>> = matches.remove_many("cell").map(Iterator::collect);
        let format: Option<String> = matches.remove_one("format");
        let target = match format.as_deref() {
            Some("text") => Target::Text,
            Some("mtz") => Target::Mtz,
            Some("mmcif") => Target::Mmcif,
            Some(_) => Target::Dump,
            None => by_name(&output),
        };
        let part = if matches.get_flag("expand") {
            Part::Expanded
        } else if matches.get_flag("merge") {
            Part::Merged
        } else {
            Part::Usual
        };
        let cell = cell.map(|numbers| CellSpec::from_values(&numbers));
        Ok(Self {
            input,
            output,
            target,
            part,
            factors: FactorArgs {
                columns: columns
                    .iter()
                    .flat_map(|names| names.split(','))
                    .map(|name| name.trim().to_owned())
                    .collect(),
                space_group: matches.remove_one("spacegroup"),
                ..FactorArgs::default()
            },
            cell: cell.transpose().map_err(|error| Err(error.into()))?,
            dmin_a: matches.remove_one("dmin"),
            coordinates: CoordinateArgs {
                path: None,
                no_solvent: matches.get_flag("nosolvent"),
                solvent_density_per_a3: matches.remove_one("ksol"),
                solvent_b_a2: matches.remove_one("bsol"),
                dispersion: matches
                    .remove_many("anomalous")
                    .map(Iterator::collect)
                    .unwrap_or_default(),
            },
            default_f: matches.remove_one("default_F").unwrap_or(0.0),
        })
    }
}

/// The format that a name asks for.
fn by_name(path: &Path) -> Target {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("mtz") => Target::Mtz,
        Some("cif" | "mmcif" | "ent") => Target::Mmcif,
        Some("bin" | "dump") => Target::Dump,
        _ => Target::Text,
    }
}

/// clap's view of the flags.
fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name);
    let number = |name: &'static str, unit: &'static str| {
        flag(name)
            .value_name(unit)
            .value_parser(value_parser!(f64))
            .allow_negative_numbers(true)
    };
    let file = |name: &'static str| {
        Arg::new(name)
            .value_parser(ValueParser::path_buf())
            .required(true)
    };
    Command::new(TOOL)
        .about("Converts structure factors between text, MTZ, mmCIF and dumps.")
        .override_usage("nanoBragg hkl [flags] IN OUT")
        .after_help(AFTER_HELP)
        .no_binary_name(true)
        .args([
            file("IN").help("What is read"),
            file("OUT").help("What is written"),
            flag("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "mtz", "mmcif", "dump"]))
                .help("The format of OUT, whatever its name"),
            flag("expand")
                .action(ArgAction::SetTrue)
                .conflicts_with("merge")
                .help("Apply the symmetry: all of reciprocal space, in P 1"),
            flag("merge")
                .action(ArgAction::SetTrue)
                .help("Average equivalents: the asymmetric unit only"),
            flag("columns")
                .value_name("F[,PHI]")
                .help("Columns to take from MTZ or mmCIF"),
            flag("spacegroup")
                .value_name("NAME")
                .value_parser(space_group)
                .help("Space group, in place of the one in IN"),
            flag("cell")
                .value_names(["A", "B", "C", "ALPHA", "BETA", "GAMMA"])
                .num_args(6)
                .value_parser(value_parser!(f64))
                .allow_negative_numbers(true)
                .help("Unit cell, in place of the one in IN (A and degrees)"),
            flag("default_F")
                .value_name("F")
                .value_parser(value_parser!(f64))
                .allow_negative_numbers(true)
                .help("What stands for reflections that are not listed in a dump [default: 0]"),
            number("dmin", "A").help("The smallest spacing of reflections worked out from atoms"),
            flag("nosolvent")
                .action(ArgAction::SetTrue)
                .help("Leave out the bulk solvent between the atoms"),
            number("ksol", "E/A^3").help("Electron density of the bulk solvent [default: 0.35]"),
            number("bsol", "A^2").help("B factor of the bulk solvent [default: 46]"),
            flag("anomalous")
                .value_name("El=f',f''")
                .action(ArgAction::Append)
                .value_parser(|text: &str| {
                    correction(text).ok_or("expected an element and two numbers, as Se=-8.0,4.5")
                })
                .help("Dispersion correction of an element, in electrons; may be repeated"),
        ])
}

fn space_group(name: &str) -> Result<String, String> {
    match SpaceGroup::from_name(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn clap_finds_the_flags_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_name_of_the_output_tells_its_format() {
        for (line, target) in [
            ("a.hkl b.mtz", Target::Mtz),
            ("a.hkl B.CIF", Target::Mmcif),
            ("a.mtz Fdump.bin", Target::Dump),
            ("a.mtz P1.hkl", Target::Text),
            ("a.mtz b -format mmcif", Target::Mmcif),
        ] {
            assert_eq!(Request::from_words(&words(line)).unwrap().target, target);
        }
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for (line, why) in [
            ("", "<IN>"),
            ("a", "<OUT>"),
            ("a b -expand -merge", "cannot be used"),
            ("a b -format x", "'x'"),
            ("a b -cell 1 2 3", "6 values"),
            ("a b -spacegroup Q7", "Q7"),
            ("a b -dmin two", "two"),
            ("a b -anomalous Se=1", "Se=-8.0,4.5"),
        ] {
            let Err(Err(error)) = Request::from_words(&words(line)) else {
                panic!("{line}")
            };
            assert!(error.to_string().contains(why), "{line}: {error}");
        }
    }
}
