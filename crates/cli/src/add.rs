//! `nanoBragg add`: the sum of two float images.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::io::float;

use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of, write_file};

/// Carries out the words after `nanoBragg add`; returns the text for the user.
///
/// # Errors
/// [`ToolError`]; the output is then unchanged.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let mut words = words.to_vec();
    // A negative scale looks like a flag.
    if let [_, _, scale, _] = words.as_slice()
        && scale
            .to_str()
            .is_some_and(|text| text.parse::<f64>().is_ok())
    {
        words.insert(2, "-scale".into());
    }
    let request: AddRequest = match command_of(&TOOL, &words)? {
        Command::Run(request) => request,
        Command::Show(text) => return Ok(text),
    };
    let scale = request.scale.unwrap_or(1.0);
    let usage = |fault: &str| ToolError::Usage {
        tool: TOOL.name,
        fault: fault.to_owned(),
    };
    if !scale.is_finite() {
        return Err(usage("the scale must be a finite number"));
    }
    let [first, second, output] = request.files.as_slice() else {
        return Err(usage("give two images and an output"));
    };
    let sum = nanobragg::add(first, second, scale)?;
    let mut bytes = Vec::new();
    float::write(&mut bytes, &sum)?;
    write_file(output, &bytes, &[first, second])?;
    Ok(format!(
        "{} + {scale} x {} written to {}: {} pixels\n",
        first.display(),
        second.display(),
        output.display(),
        sum.pixels().len()
    ))
}

/// The values of the words.
#[derive(Debug, Default)]
pub(crate) struct AddRequest {
    /// The two images and the output.
    files: Vec<PathBuf>,
    scale: Option<f64>,
}

const fn place(
    name: &'static str,
    synopsis: &'static str,
    help: &'static str,
) -> Place<AddRequest> {
    Place {
        name,
        synopsis,
        is_rest: false,
        set: |request, path| request.files.push(path.into()),
        help,
    }
}

pub(crate) static TOOL: Tool<AddRequest> = Tool {
    name: "add",
    about: "Adds two float images, pixel by pixel: A + SCALE x B.",
    usage: &["nanoBragg add A B [SCALE] OUT"],
    places: &[
        place("A", "<A>", "A float image"),
        place("B", "<B>", "Another of the same size"),
        place("OUT", "<OUT>", "The sum, as raw 32-bit floats"),
    ],
    flags: &[Flag::new(
        "scale",
        Takes::Float(|request: &mut AddRequest, v| request.scale = Some(v)),
    )
    .default("1")
    .values("SCALE")
    .help("The factor of B; a fourth word before OUT is the same")],
    examples: &["nanoBragg add lattice.bin background.bin 0.5 sum.bin"],
    notes: "\
A and B are raw 32-bit floats, or floats in TIFF, NPY or SMV files. Images of counts are refused.",
    many: &[],
    required: &[&["A"], &["B"], &["OUT"]],
    needs: &[],
    excludes: &[],
};
