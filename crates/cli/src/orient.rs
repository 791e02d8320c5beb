//! `nanoBragg orient`: a MOSFLM matrix of a cell in a given or a random orientation.
//!
//! ```text
//! words -> OrientRequest -> Crystal -> A = wavelength x (a*, b*, c*), and MOSFLM's U, cell, angles
//! ```

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::crystal::{SpaceGroup, read};
use nanobragg::exchange::mosflm;
use nanobragg::{Angle, CellSpec, Crystal, CrystalSpec, Length, Misset};

use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of, number, write_file};

/// Carries out the words after `nanoBragg orient`; returns the text for the user.
///
/// # Errors
/// [`ToolError`]; the output is then unchanged.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let request = match OrientRequest::from_words(words)? {
        Command::Run(request) => request,
        Command::Show(text) => return Ok(text),
    };
    let crystal = Crystal::new(&request.crystal)?;
    for warning in crystal.warnings() {
        tracing::warn!("{warning}");
    }
    let wavelength_a = request.wavelength_a;
    let text = mosflm::write(crystal.lattice(), wavelength_a, request.is_fixed)?;
    let inputs: Vec<_> = request.input.as_deref().into_iter().collect();
    write_file(&request.output, text.as_bytes(), &inputs)?;
    let turned = crystal.misset_rad().map_or_else(
        || "as it was".to_owned(),
        |angles| {
            let [x, y, z] = angles.map(f64::to_degrees);
            format!("misset {x:.9} {y:.9} {z:.9} deg")
        },
    );
    Ok(format!(
        "orientation {turned}, wavelength {wavelength_a} A, written to {}\n",
        request.output.display()
    ))
}

/// The request for a matrix.
#[derive(Debug)]
struct OrientRequest {
    crystal: CrystalSpec,
    input: Option<PathBuf>,
    output: PathBuf,
    wavelength_a: f64,
    is_fixed: bool,
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct OrientWords {
    cell: Vec<f64>,
    input: Option<PathBuf>,
    misset_deg: Vec<f64>,
    is_random: bool,
    seed: Option<i64>,
    wavelength_a: Option<f64>,
    is_fixed: bool,
    output: PathBuf,
}

impl OrientRequest {
    /// Parses the words after `nanoBragg orient`.
    fn from_words(words: &[OsString]) -> Result<Command<Self>, ToolError> {
        command_of(&TOOL, words)?.try_map(Self::of)
    }

    fn of(words: OrientWords) -> Result<Self, ToolError> {
        let wavelength_a = words.wavelength_a.unwrap_or(1.0);
        if !(wavelength_a.is_finite() && wavelength_a > 0.0) {
            return Err(ToolError::Usage {
                tool: TOOL.name,
                fault: "-lambda must be above 0".to_owned(),
            });
        }
        let misset = match words.misset_deg[..] {
            [x, y, z] => Some(Misset::Angles(
                [x, y, z].map(|angle| Angle::from_degrees(angle).radians()),
            )),
            _ if words.is_random => Some(Misset::RandomUniform {
                seed: words.seed.unwrap_or_else(crate::resolve::seed_from_clock),
            }),
            _ => None,
        };
        let cell = (!words.cell.is_empty()).then(|| CellSpec::from_values(&words.cell));
        let input = words.input;
        let matrix = input.as_ref().map(read::matrix::read);
        Ok(Self {
            crystal: CrystalSpec {
                cell: cell.transpose()?,
                matrix: matrix.transpose()?,
                wavelength_m: Length::from_angstrom(wavelength_a).m(),
                misset,
                ..CrystalSpec::default()
            },
            input,
            output: words.output,
            wavelength_a,
            is_fixed: words.is_fixed,
        })
    }
}

type Spec = Flag<OrientWords>;

pub(crate) static TOOL: Tool<OrientWords> = Tool {
    name: "orient",
    about: "Writes the orientation matrix of a cell for -mat and MOSFLM.",
    usage: &[
        "nanoBragg orient -cell A B C ALPHA BETA GAMMA [-misset X Y Z | -random] OUT",
        "nanoBragg orient -mat IN [-misset X Y Z | -random] OUT",
    ],
    places: &[Place {
        name: "OUT",
        synopsis: "<OUT>",
        is_rest: false,
        set: |words, path| words.output = path.into(),
        help: "The matrix that is written",
    }],
    flags: &[
        Spec::new(
            "cell",
            Takes::Words(|words, word| {
                words.cell.push(number(word)?);
                Ok(())
            }),
        )
        .values("A B C ALPHA BETA GAMMA")
        .help("Unit cell (A and degrees)"),
        Spec::path("mat", |words, path| words.input = Some(path))
            .values("IN")
            .help("A matrix to begin with; with -cell, the cell gives the lengths"),
        Spec::new(
            "misset",
            Takes::Words(|words, word| {
                words.misset_deg.push(number(word)?);
                Ok(())
            }),
        )
        .values("X Y Z")
        .help("Turn about the laboratory's X, then Y, then Z (degrees)"),
        Spec::switch("random", |words| words.is_random = true)
            .help("A random orientation, uniform over all rotations"),
        Spec::new(
            "seed",
            Takes::Words(|words, word| {
                let seed = word.parse().map_err(|_| "a whole number")?;
                words.seed = Some(seed);
                Ok(())
            }),
        )
        .default("from the clock")
        .values("N")
        .help("Seed of -random"),
        Spec::new(
            "lambda",
            Takes::Float(|words, v| words.wavelength_a = Some(v)),
        )
        .or(&["wavelength"])
        .default("1")
        .values("ANGSTROM")
        .help("Wavelength that the matrix carries"),
        Spec::switch("fixed", |words| words.is_fixed = true)
            .help("Eight decimals in columns of twelve, as MOSFLM reads them"),
        Spec::new(
            "spacegroup",
            Takes::Text(|_, name| match SpaceGroup::from_name(name) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            }),
        )
        .values("NAME")
        .help("Accepted, and not needed: a matrix knows no symmetry"),
    ],
    examples: &["nanoBragg orient -cell 78 78 37 90 90 90 -random -seed 7 A.mat"],
    notes: "\
nanoBragg -mat OUT renders the image that -cell and -misset do, at the same -lambda. Numbers are
written in full; -fixed keeps to the eight decimals and columns that MOSFLM reads.",
    many: &[],
    required: &[&["cell", "mat"], &["OUT"]],
    needs: &[("seed", "random")],
    excludes: &[("misset", &["random"])],
};

#[cfg(test)]
mod tests {
    use super::*;

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
            let Err(error) = OrientRequest::from_words(&words) else {
                panic!("{line}")
            };
            assert!(error.to_string().contains(why), "{line}: {error}");
        }
    }
}
