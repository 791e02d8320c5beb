//! `nanoBragg new`: an experiment file for a structure, with a reason for every line.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use nanobragg::io::input::counted;
use nanobragg::io::printf::{general as g, general_with};
use nanobragg::sources::wavelength_m_from_energy_ev;
use nanobragg::structure::Error as StructureError;
use nanobragg::{CellSpec, Error, FileLanguage, Length, Preset, Proposal, ProposalSpec};

use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of, number};

/// The detector where none is asked for.
const USUAL_DETECTOR: &str = "pilatus6m";

/// Carries out the words after `nanoBragg new`; returns the text for the user, whose last line is the command that
/// renders the experiment.
///
/// # Errors
/// [`ToolError`]; no file is then written.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let words = match command_of(&TOOL, words)? {
        Command::Run(words) => words,
        Command::Show(text) => return Ok(text),
    };
    let asked = words.asked()?;
    let output = match &words.output {
        Some(path) => path.clone(),
        None => {
            let mut name = asked.path.file_stem().unwrap_or_default().to_owned();
            name.push(".toml");
            name.into()
        }
    };
    if FileLanguage::of(&output) == FileLanguage::Json {
        let output = output.display();
        let fault = format!("{output}: JSON has no comments; give -o a name that ends in .toml");
        return Err(usage(fault));
    }
    let name = asked.path.clone();
    let proposal = Proposal::new(asked).map_err(|error| advised(error, &name))?;
    let command = format!(
        "nanoBragg -experiment {} -pngfile {} -pngscale sqrt",
        quoted(&output),
        quoted(&output.with_extension("png"))
    );
    let sample = described(&name, &proposal);
    let head =
        format!("{sample}\nTo render it: {command}\ndocs/EXPERIMENT.md tells of all fields.\n");
    let text = proposal.to_text(&output, &head).map_err(ToolError::Other)?;
    write_new(&output, text.as_bytes())?;
    Ok(format!(
        "{sample}\n{} at {} mm: {} A at its edge, wavelength {} A\n{} tells why of every line. To render it:\n{command}\n",
        proposal.detector.model,
        g(proposal.distance_mm),
        general_with(proposal.edge_a, 3),
        g(proposal.wavelength.m() * 1e10),
        output.display(),
    ))
}

/// The sample on a line.
fn described(name: &Path, proposal: &Proposal) -> String {
    let sample = &proposal.sample;
    let what = if sample.has_atoms {
        "atom"
    } else {
        "reflection"
    };
    let [a, b, c] = sample.cell.lengths_angstrom.map(g);
    let [alpha, beta, gamma] = sample.cell.angles_rad.map(|angle| g(angle.to_degrees()));
    format!(
        "{}: {}, {}, cell {a} {b} {c} A, {alpha} {beta} {gamma} deg",
        name.display(),
        counted(sample.count, what),
        sample.space_group
    )
}

/// A word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Writes a file that is not there yet: one that a user has edited is not replaced.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), ToolError> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => usage(format!(
            "{} is there already and stays as it is; -o FILE takes another name",
            path.display()
        )),
        _ => ToolError::Io(nanobragg::io::Error::Create {
            path: path.to_owned(),
            cause: error,
        }),
    })
}

fn usage(fault: String) -> ToolError {
    let tool = TOOL.name;
    ToolError::Usage { tool, fault }
}

/// An error with what to give instead.
fn advised(error: Error, path: &Path) -> ToolError {
    let name = path.display();
    match &error {
        Error::Structure(StructureError::NoCell { .. }) => usage(format!(
            "{name} has no unit cell, as models of NMR and cryo-EM; give one with \
             -cell A B C ALPHA BETA GAMMA and -spacegroup NAME"
        )),
        Error::Structure(StructureError::NoSpaceGroup { .. }) => usage(format!(
            "{name} has no space group; give one with -spacegroup NAME"
        )),
        _ if !path.exists() && is_code(path) => usage(format!(
            "there is no file {name}; https://files.rcsb.org/download/{name}.pdb has the entry of this code"
        )),
        _ => ToolError::Other(error),
    }
}

/// Whether a name is a code of the Protein Data Bank.
fn is_code(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let is_word = text.len() == 4 && text.chars().all(|c| c.is_ascii_alphanumeric());
    is_word && text.starts_with(|c: char| c.is_ascii_digit())
}

/// The values of the words.
#[derive(Debug, Default)]
pub(crate) struct NewWords {
    path: PathBuf,
    output: Option<PathBuf>,
    detector: Option<&'static Preset>,
    energy_ev: Option<f64>,
    wavelength_a: Option<f64>,
    dmin_a: Option<f64>,
    cell: Vec<f64>,
    space_group: Option<String>,
}

impl NewWords {
    fn asked(&self) -> Result<ProposalSpec, ToolError> {
        let usual = || Preset::named(USUAL_DETECTOR).map_err(ToolError::Other);
        let cell = match self.cell.is_empty() {
            true => None,
            false => Some(CellSpec::from_values(&self.cell)?),
        };
        let of_energy = self
            .energy_ev
            .map(wavelength_m_from_energy_ev)
            .map(Length::from_m);
        Ok(ProposalSpec {
            path: self.path.clone(),
            detector: self.detector.map_or_else(usual, Ok)?,
            wavelength: self.wavelength_a.map(Length::from_angstrom).or(of_energy),
            dmin_a: self.dmin_a,
            cell,
            space_group: self.space_group.clone(),
        })
    }
}

fn positive(word: &str) -> Result<f64, String> {
    let number = number(word)
        .ok()
        .filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "it must be a number above 0".to_owned())
}

type Spec = Flag<NewWords>;

pub(crate) static TOOL: Tool<NewWords> = Tool {
    name: "new",
    about: "Writes an experiment file for a structure, with sensible numbers and a reason for each.",
    usage: &["nanoBragg new FILE [-detector NAME] [-energy EV] [-o FILE.toml]"],
    places: &[Place {
        name: "FILE",
        synopsis: "<FILE>",
        is_rest: false,
        set: |words, path| words.path = path.into(),
        help: "Coordinates (PDB or mmCIF), or reflections (MTZ, mmCIF, XDS_ASCII or text)",
    }],
    flags: &[
        Spec::path("o", |words, path| words.output = Some(path))
            .or(&["output"])
            .values("FILE.toml")
            .help("The experiment file; the name of FILE with .toml if not given. A file that is there is not replaced"),
        Spec::new(
            "detector",
            Takes::Text(|words, name| {
                words.detector = Some(Preset::named(name).map_err(|error| error.to_string())?);
                Ok(())
            }),
        )
        .values("NAME")
        .default(USUAL_DETECTOR)
        .help("A detector of nanoBragg detectors"),
        Spec::new(
            "energy",
            Takes::Text(|words, word| {
                words.energy_ev = Some(positive(word)?);
                Ok(())
            }),
        )
        .values("EV")
        .help("The energy of the photons; that of the data if not given, or else 1 A"),
        Spec::new(
            "lambda",
            Takes::Text(|words, word| {
                words.wavelength_a = Some(positive(word)?);
                Ok(())
            }),
        )
        .or(&["wavelength"])
        .values("A")
        .help("The same as a wavelength"),
        Spec::new(
            "resolution",
            Takes::Text(|words, word| {
                words.dmin_a = Some(positive(word)?);
                Ok(())
            }),
        )
        .or(&["dmin"])
        .values("A")
        .help("The resolution at the edge of the detector; that of FILE if not given, or else 2 A"),
        Spec::new(
            "cell",
            Takes::Words(|words, word| {
                words.cell.push(positive(word)?);
                Ok(())
            }),
        )
        .values("A B C ALPHA BETA GAMMA")
        .help("Unit cell, in place of that of FILE (A and degrees)"),
        Spec::new(
            "spacegroup",
            Takes::Text(|words, name| {
                words.space_group = Some(name.to_owned());
                Ok(())
            }),
        )
        .values("NAME")
        .help("Space group, in place of that of FILE"),
    ],
    examples: &["nanoBragg new protein.pdb", "nanoBragg new protein.mtz -detector eiger2_4m -energy 12000 -o fine.toml"],
    notes: "\
Cell, space group, resolution and wavelength come from FILE. The distance puts the resolution at the
edge of the detector. The last line printed is the command that renders the picture. Edit the file,
or let flags override it: docs/EXPERIMENT.md.",
    many: &[],
    required: &[&["FILE"]],
    needs: &[],
    excludes: &[("energy", &["lambda"])],
};
