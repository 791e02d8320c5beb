//! `nanoBragg hkl`: converts reflections to another format, expands or merges them, or computes them from
//! atoms.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::CellSpec;
use nanobragg::convert::{Conversion, ReflectionFormat, ReflectionPart};
use nanobragg::crystal::SpaceGroup;
use nanobragg::structure::Solvent;

use crate::args::flag::{Flag, Takes};
use crate::args::{CoordinateArgs, FactorArgs, correction};
use crate::base::solvent;
use crate::subcommand::{Command, Place, Tool, ToolError, command_of, number, write_file};

/// Carries out the words after `nanoBragg hkl`; returns the text for the user.
///
/// # Errors
/// [`ToolError`]; the output is then unchanged.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let request = match HklRequest::from_words(words)? {
        Command::Run(request) => request,
        Command::Show(text) => return Ok(text),
    };
    let conversion = request.conversion();
    let done = conversion.run()?;
    write_file(&request.output, &done.bytes, &[&request.input])?;
    Ok(format!(
        "{} reflections read from {} ({}, {})\n\
         {} written to {} ({}, {}); {} absent, {} averaged\n",
        done.read,
        request.input.display(),
        done.origin,
        done.space_group,
        done.written,
        request.output.display(),
        conversion.format.name(),
        done.written_space_group,
        done.absent,
        done.averaged
    ))
}

/// The values of the words.
#[derive(Debug, Default)]
pub(crate) struct HklRequest {
    input: PathBuf,
    output: PathBuf,
    format: Option<ReflectionFormat>,
    part: ReflectionPart,
    factors: FactorArgs,
    cell: Option<CellSpec>,
    cell_values: Vec<f64>,
    default_f: f64,
    dmin_a: Option<f64>,
    coordinates: CoordinateArgs,
}

impl HklRequest {
    fn from_words(words: &[OsString]) -> Result<Command<Self>, ToolError> {
        command_of(&TOOL, words)?.try_map(|mut request: Self| {
            if !request.cell_values.is_empty() {
                request.cell = Some(CellSpec::from_values(&request.cell_values)?);
            }
            Ok(request)
        })
    }

    fn conversion(&self) -> Conversion {
        let format = self.format;
        Conversion {
            input: self.input.clone(),
            format: format.unwrap_or_else(|| ReflectionFormat::of(&self.output)),
            part: self.part,
            columns: self.factors.columns.clone(),
            space_group: self.factors.space_group.clone(),
            cell: self.cell,
            default_f: self.default_f,
            dmin_a: self.dmin_a,
            solvent: solvent(&self.coordinates, Some(Solvent::default())),
            dispersion: self.coordinates.dispersion.clone(),
            strict_atoms: self.coordinates.is_strict,
        }
    }
}

type Spec = Flag<HklRequest>;

pub(crate) static TOOL: Tool<HklRequest> = Tool {
    name: "hkl",
    about: "Converts structure factors between text, MTZ, mmCIF and dumps.",
    usage: &["nanoBragg hkl [flags] IN OUT"],
    places: &[
        Place {
            name: "IN",
            synopsis: "<IN>",
            is_rest: false,
            set: |request, path| request.input = path.into(),
            help: "What is read",
        },
        Place {
            name: "OUT",
            synopsis: "<OUT>",
            is_rest: false,
            set: |request, path| request.output = path.into(),
            help: "What is written",
        },
    ],
    flags: &[
        Spec::new(
            "format",
            Takes::Word(&["text", "mtz", "mmcif", "dump"], |request, word| {
                request.format = Some(match word {
                    "text" => ReflectionFormat::Text,
                    "mtz" => ReflectionFormat::Mtz,
                    "mmcif" => ReflectionFormat::Mmcif,
                    _ => ReflectionFormat::Dump,
                });
            }),
        )
        .values("FORMAT")
        .help("The format of OUT, whatever its name"),
        Spec::switch("expand", |request| request.part = ReflectionPart::Expanded)
            .help("Apply the symmetry: all of reciprocal space, in P 1"),
        Spec::switch("merge", |request| request.part = ReflectionPart::Merged)
            .help("Average equivalents: the asymmetric unit only"),
        Spec::new(
            "columns",
            Takes::Text(|request, names| {
                let names = names.split(',').map(|name| name.trim().to_owned());
                request.factors.columns = names.collect();
                Ok(())
            }),
        )
        .values("F[,PHI]")
        .help("Columns to take from MTZ, mmCIF or XDS_ASCII; I takes the fourth column of a text for intensities"),
        Spec::new(
            "spacegroup",
            Takes::Text(|request, name| {
                request.factors.space_group = Some(name.to_owned());
                let known = SpaceGroup::from_name(name);
                known.map(drop).map_err(|error| error.to_string())
            }),
        )
        .values("NAME")
        .help("Space group, in place of the one in IN"),
        Spec::new(
            "cell",
            Takes::Words(|request, word| {
                request.cell_values.push(number(word)?);
                Ok(())
            }),
        )
        .values("A B C ALPHA BETA GAMMA")
        .help("Unit cell, in place of the one in IN (A and degrees)"),
        Spec::new(
            "default_F",
            Takes::Float(|request, v| request.default_f = v),
        )
        .default("0")
        .values("F")
        .help("What stands for reflections that are not listed in a dump"),
        Spec::new("dmin", Takes::Float(|request, v| request.dmin_a = Some(v)))
            .values("A")
            .help("The smallest spacing of reflections worked out from atoms"),
        Spec::switch("nosolvent", |request| request.coordinates.no_solvent = true)
            .help("Leave out the bulk solvent between the atoms"),
        Spec::switch("strict_atoms", |request| {
            request.coordinates.is_strict = true
        })
        .help("Refuse atoms that are otherwise taken with a warning"),
        Spec::new(
            "ksol",
            Takes::Float(|request, v| request.coordinates.solvent_density_per_a3 = Some(v)),
        )
        .default("0.35")
        .values("E/A^3")
        .help("Electron density of the bulk solvent"),
        Spec::new(
            "bsol",
            Takes::Float(|request, v| request.coordinates.solvent_b_a2 = Some(v)),
        )
        .default("46")
        .values("A^2")
        .help("B factor of the bulk solvent"),
        Spec::new(
            "anomalous",
            Takes::Text(|request, text| {
                let expected = "expected an element and two numbers, as Se=-8.0,4.5";
                let (element, correction) = correction(text).ok_or(expected)?;
                request.coordinates.dispersion.insert(element, correction);
                Ok(())
            }),
        )
        .values("El=f',f''")
        .help("Dispersion correction of an element, in electrons; may be repeated"),
    ],
    examples: &[
        "nanoBragg hkl protein.pdb protein.mtz -dmin 2",
        "nanoBragg hkl protein.mtz P1.hkl",
    ],
    notes: "\
IN may be text (h k l F), MTZ, mmCIF, XDS_ASCII or a dump (Fdump.bin); its contents decide. Atoms, in the PDB
format or CIF, give structure factors as far as -dmin, with bulk solvent. The format of OUT
follows from its name: .mtz, .cif or .mmcif, .bin, and text for any other. Text and dumps list every
spot, so that symmetry is applied to what is written there; MTZ and mmCIF are written as they were
read. Phases go into MTZ and mmCIF.",
    many: &["anomalous"],
    required: &[&["IN"], &["OUT"]],
    needs: &[],
    excludes: &[("expand", &["merge"])],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_name_of_the_output_tells_its_format() {
        for (line, target) in [
            ("a.hkl b.mtz", ReflectionFormat::Mtz),
            ("a.hkl B.CIF", ReflectionFormat::Mmcif),
            ("a.mtz Fdump.bin", ReflectionFormat::Dump),
            ("a.mtz P1.hkl", ReflectionFormat::Text),
            ("a.mtz b -format mmcif", ReflectionFormat::Mmcif),
        ] {
            let Ok(Command::Run(request)) = HklRequest::from_words(&words(line)) else {
                panic!("{line}")
            };
            assert_eq!(request.conversion().format, target);
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
            let Err(error) = HklRequest::from_words(&words(line)) else {
                panic!("{line}")
            };
            assert!(error.to_string().contains(why), "{line}: {error}");
        }
    }
}
