//! The files that a command line writes, and what it says of them.

use std::path::Path;

use nanobragg::FactorGrid;
use nanobragg::io::printf::general as g;
use nanobragg::outputs::{self, FileEntry, OutputEvent, OutputFiles, OutputKind};
use tracing::warn;

use crate::args::Args;
use crate::outcome::RunError;
use crate::record::inputs;
use crate::resolve::dump_path;

/// The images and tables that a command line names or has by default.
pub(crate) fn named(args: &Args) -> OutputFiles {
    let mut files = args.output.files.clone();
    files.set_default(OutputKind::Float, "floatimage.bin");
    files.set_default(OutputKind::Int, "intimage.img");
    if args.output.pgm {
        files.set_default(OutputKind::Pgm, "image.pgm");
    } else {
        files.remove(OutputKind::Pgm);
    }
    if args.noise.wanted {
        files.set_default(OutputKind::Noise, "noiseimage.img");
    } else {
        files.remove(OutputKind::Noise);
    }
    files
}

/// Refuses a command line whose outputs would destroy each other or an input, without opening any.
///
/// # Errors
/// [`RunError::SameFile`] naming both.
pub(crate) fn refuse_collisions(args: &Args) -> Result<(), RunError> {
    Ok(check(args, &named(args))?)
}

/// The same for the images and tables `files`.
pub(crate) fn check(args: &Args, files: &OutputFiles) -> Result<(), nanobragg::Error> {
    let running = &args.running;
    let rerun = running.rerun_path.clone().map(|path| ("rerun", path));
    let read = inputs::named(args).into_iter().chain(rerun);
    // Without a list the dump is read, and it may be named twice like any input.
    let dump = args.makes_factors().then(|| ("dump", dump_path(args)));
    let named = files.iter().map(|(kind, path)| (kind.name(), path));
    let others = [
        ("record", &running.record_path),
        ("save-experiment", &running.save_experiment_path),
    ];
    let others = others.into_iter();
    let others = others.filter_map(|(name, path)| Some((name, path.as_deref()?)));
    outputs::refuse_collisions(read, dump.into_iter().chain(named).chain(others))
}

/// What is said of the outputs as they are written.
pub(crate) fn said(event: OutputEvent<'_>) -> String {
    match event {
        OutputEvent::IntScale(scale) => format!("intfile_scale = {}\n", g(scale)),
        OutputEvent::GreyScale(scale) => format!("pgm_scale = {}\n", g(scale)),
        OutputEvent::Noise { photons, overloads } => {
            format!("{photons:.0} photons on noise image ({overloads} overloads)\n")
        }
        OutputEvent::Writing(path) => writing(path),
    }
}

/// That a file is in its place.
pub(crate) fn writing(path: &Path) -> String {
    format!("writing {}\n", path.display())
}

/// Keeps the structure factors for the next run. Not being able to is no reason to stop.
pub(crate) fn write_dump(args: &Args, factors: &FactorGrid, hashes: bool) -> Option<FileEntry> {
    outputs::write_dump(factors, dump_path(args), hashes)
        .inspect_err(|error| {
            warn!("the structure factors are not kept for the next run: {error}");
        })
        .ok()
}
