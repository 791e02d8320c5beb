//! `nanoBragg verify`: whether the files of a series are still what its log says.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::series::{Verification, verify};

use crate::subcommand::{Command, Place, Tool, ToolError, command_of};

/// The most files and numbers that are named.
const MOST_NAMED: usize = 10;

/// Carries out the words after `nanoBragg verify`; returns the text for the user.
///
/// # Errors
/// [`ToolError`]; [`ToolError::NotAsLogged`] for a series that is not complete or was changed.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let request: VerifyRequest = match command_of(&TOOL, words)? {
        Command::Run(request) => request,
        Command::Show(text) => return Ok(text),
    };
    let found = verify(&request.logs)?;
    if found.faults.is_empty() && found.missing.is_empty() {
        let counted = |count: u64, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        return Ok(format!(
            "{} in {}, all as written\n",
            counted(found.images.into(), "image"),
            counted(found.files as u64, "file")
        ));
    }
    Err(ToolError::NotAsLogged(told(&found)))
}

/// What is wrong, in a sentence.
fn told(found: &Verification) -> String {
    let mut parts = Vec::new();
    let missing = found.missing.len();
    if missing > 0 {
        let numbers = found.missing.iter().take(MOST_NAMED).map(u32::to_string);
        let more = if missing > MOST_NAMED { ", ..." } else { "" };
        parts.push(format!(
            "{missing} of {} images are in no log: {}{more}; -resume renders them",
            found.images,
            numbers.collect::<Vec<_>>().join(", ")
        ));
    }
    let faults = found.faults.iter().take(MOST_NAMED);
    parts.extend(faults.map(ToString::to_string));
    if let Some(more @ 1..) = found.faults.len().checked_sub(MOST_NAMED) {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// The values of the words.
#[derive(Debug, Default)]
pub(crate) struct VerifyRequest {
    logs: Vec<PathBuf>,
}

pub(crate) static TOOL: Tool<VerifyRequest> = Tool {
    name: "verify",
    about: "Compares the files of a series with the checksums in its log.",
    usage: &["nanoBragg verify LOG..."],
    places: &[Place {
        name: "LOG",
        synopsis: "<LOG>...",
        is_rest: false,
        set: |request, path| request.logs.push(path.into()),
        help: "The log of a series (-seriesfile), or those of its parts",
    }],
    flags: &[],
    examples: &[
        "nanoBragg verify series.jsonl",
        "nanoBragg verify series_1of2.jsonl series_2of2.jsonl",
    ],
    notes: "\
The status is 1 if an image is in no log, or a file is missing or has other contents. Files are looked for from this folder, \
then beside the log. The files that are one for all images (-geomfile, -streamfile, -solfile, -xdsfile, a master file) have no checksum.",
    many: &["LOG"],
    required: &[&["LOG"]],
    needs: &[],
    excludes: &[],
};
