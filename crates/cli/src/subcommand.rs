//! What the subcommands have in common: how their words are spelled, and how clap's refusals are told.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nanobragg::io::Output;
use thiserror::Error;

/// Why `nanoBragg hkl` or `nanoBragg orient` made no file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The command line makes no sense.
    #[error("{tool}: {fault}; nanoBragg {tool} -help tells more")]
    Usage {
        /// The subcommand.
        tool: &'static str,
        /// What is wrong.
        fault: String,
    },
    /// What was read, or is to be written, cannot be.
    #[error(transparent)]
    Crystal(#[from] nanobragg::crystal::Error),
    /// What is read as coordinates cannot be, or gives no structure factors.
    #[error(transparent)]
    Structure(#[from] nanobragg::structure::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// The output is the input.
    #[error("{path}: the output would overwrite the input", path = .path.display())]
    OverInput {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the words after a subcommand; `Err` holds the text of the help, or what is wrong.
pub(crate) fn matches(
    tool: &'static str,
    command: clap::Command,
    words: &[OsString],
) -> Result<clap::ArgMatches, Result<String, ToolError>> {
    let words = with_two_dashes(words.iter().cloned());
    command.try_get_matches_from(words).map_err(|error| {
        if error.kind() == clap::error::ErrorKind::DisplayHelp {
            Ok(error.render().to_string())
        } else {
            let fault = in_one_line(&error);
            Err(ToolError::Usage { tool, fault })
        }
    })
}

/// Writes a file, complete or not at all; an input is not written over.
pub(crate) fn write_file(path: &Path, bytes: &[u8], inputs: &[&Path]) -> Result<(), ToolError> {
    let place = |path: &Path| path.canonicalize().ok();
    let here = place(path).filter(|here| here.is_file());
    if here.is_some() && inputs.iter().any(|input| place(input) == here) {
        return Err(ToolError::OverInput {
            path: path.to_owned(),
        });
    }
    let mut output = Output::create(path)?;
    std::io::Write::write_all(&mut output, bytes).map_err(nanobragg::io::Error::from)?;
    output.commit()?;
    Ok(())
}

/// The words with two dashes before each flag, up to a lone `--`.
pub(crate) fn with_two_dashes(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut ours = true;
    words
        .map(|word| {
            ours &= word != "--";
            if ours && has_one_dash(&word) {
                let mut spelled = OsString::from("-");
                spelled.push(word);
                spelled
            } else {
                word
            }
        })
        .collect()
}

/// Whether a word is one dash and a name of more than one letter.
fn has_one_dash(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let name = text.strip_prefix('-').unwrap_or_default();
    name.len() > 1 && name.starts_with(char::is_alphabetic)
}

/// clap's refusal without its usage and its layout.
pub(crate) fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut parts = text.split("\n\n");
    let words = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let fault = words(parts.next().unwrap_or_default());
    let fault = fault.strip_prefix("error: ").unwrap_or(&fault).to_owned();
    let lines = parts.flat_map(str::lines).map(str::trim);
    match lines.filter_map(|line| line.strip_prefix("tip: ")).next() {
        Some(tip) if tip.contains("similar") => format!("{fault}: {tip}"),
        _ => fault,
    }
}
