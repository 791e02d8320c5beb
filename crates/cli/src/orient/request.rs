use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use nanobragg::crystal::{SpaceGroup, read};
use nanobragg::{Angle, CellSpec, CrystalSpec, Length, Misset};

use crate::subcommand::{ToolError, matches};

const TOOL: &str = "orient";

/// What the help says after the flags.
const AFTER_HELP: &str = "\
nanoBragg -mat OUT renders the image that -cell and -misset do, at the same -lambda. Numbers are
written in full; -fixed keeps to the eight decimals and columns that MOSFLM reads.";

/// A matrix to be made.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) crystal: CrystalSpec,
    pub(super) input: Option<PathBuf>,
    pub(super) output: PathBuf,
    pub(super) wavelength_a: f64,
    pub(super) is_fixed: bool,
}

impl Request {
    /// Reads the words after `nanoBragg orient`, and the matrix that they name.
    pub(super) fn from_words(words: &[OsString]) -> Result<Self, Result<String, ToolError>> {
        let mut matches = matches(TOOL, command(), words)?;
        let numbers = |matches: &mut clap::ArgMatches, name| -> Option<Vec<f64>> {
            matches.remove_many(name).map(Iterator::collect)
        };
        let usage = |fault: &str| {
            Err(ToolError::Usage {
                tool: TOOL,
                fault: fault.to_owned(),
            })
        };
        let cell = numbers(&mut matches, "cell");
        let angles = numbers(&mut matches, "misset");
        let input: Option<PathBuf> = matches.remove_one("mat");
        let seed: Option<i64> = matches.remove_one("seed");
        let wavelength_a: f64 = matches.remove_one("lambda").unwrap_or(1.0);
        if !(wavelength_a.is_finite() && wavelength_a > 0.0) {
            return Err(usage("-lambda must be above 0"));
        }
        let misset = match angles.as_deref() {
            Some(&[x, y, z]) => Some(Misset::Angles(
                [x, y, z].map(|angle| Angle::from_degrees(angle).radians()),
            )),
            _ if matches.get_flag("random") => Some(Misset::RandomUniform {
                seed: seed.unwrap_or_else(crate::resolve::seed_from_clock),
            }),
            _ => None,
        };
        let failed = |error: nanobragg::crystal::Error| Err(error.into());
        let cell = cell.map(|numbers| CellSpec::from_values(&numbers));
        let cell = cell.transpose().map_err(failed)?;
        let matrix = input
            .as_ref()
            .map(read::matrix::read)
            .transpose()
            .map_err(failed)?;
        Ok(Self {
            crystal: CrystalSpec {
                cell,
                matrix,
                wavelength_m: Length::from_angstrom(wavelength_a).m(),
                misset,
                ..CrystalSpec::default()
            },
            input,
            output: matches.remove_one("OUT").unwrap_or_default(),
            wavelength_a,
            is_fixed: matches.get_flag("fixed"),
        })
    }
}

/// clap's view of the flags.
fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name);
    let number = || value_parser!(f64);
    Command::new(TOOL)
        .about("Writes the orientation matrix of a cell for -mat and MOSFLM.")
        .override_usage(
            "nanoBragg orient -cell A B C ALPHA BETA GAMMA [-misset X Y Z | -random] OUT\n       \
             nanoBragg orient -mat IN [-misset X Y Z | -random] OUT",
        )
        .after_help(AFTER_HELP)
        .no_binary_name(true)
        .group(
            ArgGroup::new("lattice")
                .args(["cell", "mat"])
                .multiple(true)
                .required(true),
        )
        .args([
            Arg::new("OUT")
                .value_parser(ValueParser::path_buf())
                .required(true)
                .help("The matrix that is written"),
            flag("cell")
                .value_names(["A", "B", "C", "ALPHA", "BETA", "GAMMA"])
                .num_args(6)
                .value_parser(number())
                .allow_negative_numbers(true)
                .help("Unit cell (A and degrees)"),
            flag("mat")
                .value_name("IN")
                .value_parser(ValueParser::path_buf())
                .help("A matrix to begin with; with -cell, the cell gives the lengths"),
            flag("misset")
                .value_names(["X", "Y", "Z"])
                .num_args(3)
                .value_parser(number())
                .allow_negative_numbers(true)
                .conflicts_with("random")
                .help("Turn about the laboratory's X, then Y, then Z (degrees)"),
            flag("random")
                .action(ArgAction::SetTrue)
                .help("A random orientation, uniform over all rotations"),
            flag("seed")
                .value_name("N")
                .value_parser(value_parser!(i64))
                .allow_negative_numbers(true)
                .requires("random")
                .help("Seed of -random [default: from the clock]"),
            flag("lambda")
                .alias("wavelength")
                .value_name("ANGSTROM")
                .value_parser(number())
                .allow_negative_numbers(true)
                .help("Wavelength that the matrix carries [default: 1]"),
            flag("fixed")
                .action(ArgAction::SetTrue)
                .help("Eight decimals in columns of twelve, as MOSFLM reads them"),
            flag("spacegroup")
                .value_name("NAME")
                .value_parser(|name: &str| SpaceGroup::from_name(name).map(|_| ()))
                .help("Accepted, and not needed: a matrix knows no symmetry"),
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_the_flags_consistent() {
        command().debug_assert();
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for (line, why) in [
            ("", "<OUT>"),
            ("a", "--cell"),
            ("-cell 1 2 3 a", "6 values"),
            (
                "-cell 1 2 3 90 90 90 -misset 1 2 3 -random a",
                "cannot be used",
            ),
            ("-cell 1 2 3 90 90 90 -seed 3 a", "--random"),
            ("-cell 1 2 3 90 90 90 -lambda -1 a", "above 0"),
            ("-cell 1 2 3 90 90 190 a", "180"),
            ("-mat /nowhere/a.mat b", "/nowhere/a.mat"),
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let Err(Err(error)) = Request::from_words(&words) else {
                panic!("{line}")
            };
            assert!(error.to_string().contains(why), "{line}: {error}");
        }
    }
}
