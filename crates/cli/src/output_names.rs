//! The output files of a command line, and the messages about them.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use nanobragg::FactorsSpec;
use nanobragg::io::printf::general as g;
use nanobragg::outputs::{self, FileEntry, OutputEvent, OutputFiles, OutputKind};
use tracing::warn;

use crate::args::Args;
use crate::outcome::RunError;
use crate::record::inputs;
use crate::resolve::{Job, dump_path};

/// The images and tables of a command line, with the default names.
pub(crate) fn named(args: &Args) -> OutputFiles {
    let mut files = args.output.files.clone();
    if !args.output.pgm {
        files.remove(OutputKind::Pgm);
    }
    if !args.noise.wanted {
        files.remove(OutputKind::Noise);
    }
    if !args.output.default_files {
        let copies = [OutputKind::Cbf, OutputKind::Tiff, OutputKind::Nexus];
        let counts = match args.noise.wanted {
            true => OutputKind::Noise,
            false => OutputKind::Int,
        };
        let has_copy = copies.into_iter().any(|kind| files.get(kind).is_some());
        files.counts_without_file = has_copy.then_some(counts);
        return files;
    }
    files.set_default(OutputKind::Float, "floatimage.bin");
    files.set_default(OutputKind::Int, "intimage.img");
    if args.output.pgm {
        files.set_default(OutputKind::Pgm, "image.pgm");
    }
    if args.noise.wanted {
        files.set_default(OutputKind::Noise, "noiseimage.img");
    }
    files
}

/// Refuses a command line whose outputs overwrite each other or an input. No file is opened.
///
/// # Errors
/// [`RunError::SameFile`] with both flags.
pub(crate) fn refuse_collisions(args: &Args) -> Result<(), RunError> {
    Ok(check(args, &named(args))?)
}

/// The same check for the images and tables `files`.
pub(crate) fn check(args: &Args, files: &OutputFiles) -> Result<(), nanobragg::Error> {
    let running = &args.running;
    let rerun = running.rerun_path.clone().map(|path| ("rerun", path));
    let read = inputs::named(args).into_iter().chain(rerun);
    // Without a list of reflections the dump is an input, and two inputs may be the same file.
    let dump = writes_dump(&args.factors(), args).then(|| ("dump", dump_path(args)));
    // The file of all images of a series holds their tables too.
    let holds_truth = |kind| {
        let kinds = [OutputKind::Truth, OutputKind::Labels];
        let is_truth = kinds.contains(&kind) && args.series.count().is_some();
        is_truth && files.get(OutputKind::Nexus) == files.get(kind)
    };
    let named = files.iter().filter(|(kind, _)| !holds_truth(*kind));
    let named = named.map(|(kind, path)| (kind.name(), path));
    let others = [
        ("record", &running.record_path),
        ("report", &running.report_path),
        ("save-experiment", &running.save_experiment_path),
    ];
    let others = others.into_iter();
    let others = others.filter_map(|(name, path)| Some((name, path.as_deref()?)));
    outputs::refuse_collisions(read, dump.into_iter().chain(named).chain(others))
}

/// The message about an output that is written.
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

/// The message that a file is written.
pub(crate) fn writing(path: &Path) -> String {
    format!("writing {}\n", path.display())
}

/// Whether the run has a dump, named or by default.
pub(crate) fn reads_or_writes_dump(args: &Args) -> bool {
    args.factors.dump_path.is_some() || args.output.default_files
}

/// Whether the run keeps its structure factors for the next one. A dump has no place for several energies.
fn writes_dump(factors: &FactorsSpec, args: &Args) -> bool {
    factors.are_new() && !factors.follow_energy() && reads_or_writes_dump(args)
}

/// Writes new structure factors to the dump for the next run. A failure is a warning only.
pub(crate) fn write_dump(args: &Args, job: &Job, hashes: bool) -> Option<FileEntry> {
    if !writes_dump(&job.named.factors, args) {
        return None;
    }
    let made_from = job.named.factors.path().map(|(_, path)| path.as_path());
    let mut experiment = Cow::Borrowed(&job.resolved.experiment);
    // A dump has them without the fall-off of -b_factor, which the next run applies.
    if let (FactorsSpec::Grid(read), true) = (&job.spec.factors, job.spec.b_factor_a2 != 0.0) {
        experiment.to_mut().factors = Arc::clone(read);
    }
    outputs::write_dump(&experiment, made_from, dump_path(args), hashes)
        .inspect_err(|error| {
            warn!("the structure factors are not kept for the next run: {error}");
        })
        .ok()
}
