//! `-record`: a description of a run in JSON, with which the run can be repeated to the bit.
//!
//! | file | |
//! |---|---|
//! | `settings` | seeds and scales |
//! | `inputs` | the input files of a run, and their fingerprints |
//! | `read` | reading of records |
//!
//! `docs/RECORDS.md` explains the fields.

mod error;
pub(crate) mod inputs;
mod read;
pub(crate) mod settings;

use std::ffi::OsString;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use nanobragg::{EveryTerm, Level, Omission, Simulated};
use serde_json::{Value, json};

use crate::args::Args;
use crate::resolve::Job;
use crate::simulate::warnings_but_oddities;
use nanobragg::outputs::FileEntry;

pub use error::RecordError;
pub(crate) use read::{Recorded, document};

/// Distinguishes a record from other JSON.
const FORMAT: &str = "nanoBragg record";

/// Increased when a field changes its meaning.
const VERSION: u64 = 1;

impl Job {
    /// The resolved experiment: see [`Resolved::to_tree`](nanobragg::Resolved::to_tree).
    pub fn tree(&self) -> Value {
        self.resolved.to_tree(&self.named)
    }
}

/// The part of a record that is known before the run.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The words of the command line.
    pub(crate) arguments: Vec<String>,
    working_folder: String,
    started_unix_s: u64,
    inputs: Vec<FileEntry>,
}

impl Beginning {
    /// Keeps the command line and the fingerprints of the inputs.
    ///
    /// # Errors
    /// [`RecordError`]: a word that is not UTF-8, or an input that cannot be read.
    pub(crate) fn of(args: &Args, words: &[OsString]) -> Result<Self, RecordError> {
        let text = |word: &OsString| {
            word.to_str()
                .map(str::to_owned)
                .ok_or_else(|| RecordError::NotUtf8 {
                    word: word.to_string_lossy().into_owned(),
                })
        };
        let folder = std::env::current_dir().map_err(|source| RecordError::NoFolder { source })?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            arguments: words.iter().map(text).collect::<Result<_, _>>()?,
            working_folder: text(&folder.into_os_string())?,
            started_unix_s: since_epoch.map_or(0, |elapsed| elapsed.as_secs()),
            inputs: inputs::entries(args)?,
        })
    }
}

/// The time of each stage of a run, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    pub(crate) read_s: f64,
    pub(crate) resolve_s: f64,
    pub(crate) render_s: f64,
    pub(crate) write_s: f64,
}

/// A finished run, whose record is not written yet.
#[derive(Debug)]
pub(crate) struct Ended<'r> {
    pub(crate) args: &'r Args,
    pub(crate) job: &'r Job,
    pub(crate) image: &'r Simulated,
    pub(crate) level: Option<Level>,
    pub(crate) timing: Timing,
    pub(crate) outputs: &'r [FileEntry],
}

/// Writes the record of a run.
///
/// # Errors
/// The error of `out`.
pub(crate) fn write(
    out: impl Write,
    beginning: &Beginning,
    ended: &Ended<'_>,
) -> std::io::Result<()> {
    let mut out = out;
    serde_json::to_writer_pretty(&mut out, &of_run(beginning, ended))?;
    writeln!(out)
}

fn of_run(beginning: &Beginning, ended: &Ended<'_>) -> Value {
    let Ended {
        args,
        job,
        image,
        timing,
        ..
    } = ended;
    let statistics = &image.statistics;
    json!({
        "format": FORMAT,
        "format_version": VERSION,
        "program": { "name": "nanoBragg", "version": env!("CARGO_PKG_VERSION") },
        "command": {
            "arguments": beginning.arguments,
            "working_folder": beginning.working_folder,
        },
        "started_unix_s": beginning.started_unix_s,
        "seeds": settings::seeds(job, args),
        "fixes": fixes(job),
        "oddities": oddities(job, image.left_grid_at.is_some()),
        "warnings": warnings(job, args),
        "experiment": job.tree(),
        "images": settings::images(job, args),
        "accuracy": args.running.accuracy,
        "inputs": beginning.inputs,
        "outputs": ended.outputs,
        "statistics": {
            "max_photons": statistics.max_photons,
            "max_at_m": statistics.max_at_m,
            "mean_photons": statistics.mean,
            "rms_photons": statistics.rms,
            "rmsd_photons": statistics.rmsd,
            "solid_angle_sr": statistics.solid_angle_sr,
            "pixels_rendered": statistics.pixels,
            "left_grid_at": image.left_grid_at.map(|place| [place.fast, place.slow]),
            "omission": image.omission.map(omission),
        },
        "timing": {
            "read_s": timing.read_s,
            "resolve_s": timing.resolve_s,
            "render_s": timing.render_s,
            "write_s": timing.write_s,
        },
        "machine": machine(args, ended.level),
    })
}

/// What was left out of the image, or why nothing was.
fn omission(omission: Result<Omission, EveryTerm>) -> Value {
    match omission {
        Ok(omission) => json!({
            "allowed_photons": omission.allowed_photons,
            "error_photons": omission.error_photons,
            "terms": omission.terms,
            "all_terms": omission.all_terms,
        }),
        Err(reason) => json!({ "every_term": reason.to_string() }),
    }
}

/// The names of the corrected oddities.
pub(crate) fn fixes(job: &Job) -> Vec<&'static str> {
    job.resolved.experiment.fixes.names().collect()
}

/// The names of the oddities that change the image, without duplicates.
pub(crate) fn oddities(job: &Job, left_grid: bool) -> Vec<&'static str> {
    let ended_lookup = left_grid.then_some(nanobragg::Oddity::Interpolation);
    let mut names = Vec::new();
    let known = job.oddities.iter().chain(&job.resolved.decisions.oddities);
    for oddity in known.copied().chain(ended_lookup) {
        if !names.contains(&oddity.name()) {
            names.push(oddity.name());
        }
    }
    names
}

/// The warnings before the run, except those about oddities.
pub(crate) fn warnings(job: &Job, args: &Args) -> Vec<String> {
    let of_flags = args.warnings.iter().map(ToString::to_string);
    of_flags.chain(warnings_but_oddities(job)).collect()
}

/// The computer, and how the image was rendered. None of these values changes the image.
pub(crate) fn machine(args: &Args, level: Option<Level>) -> Value {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    json!({
        "cores": cores,
        "threads": args.running.threads.map_or(cores, |threads| threads as usize),
        "level": level.unwrap_or_else(Level::detect).name(),
        "device": args.running.device.to_string(),
        "precision": if args.running.single_precision { "single" } else { "double" },
        "architecture": std::env::consts::ARCH,
        "system": std::env::consts::OS,
    })
}
