//! `-rerun`: repeats a recorded run and compares the images.

use std::path::{Path, PathBuf};

use nanobragg::Cancel;
use tracing::warn;

use crate::Invocation;
use crate::args::Args;
use crate::console::Console;
use crate::outcome::{Outcome, RunError};
use crate::record::{RecordError, Recorded, inputs};
use crate::simulate::{Keep, simulate};
use nanobragg::outputs::FileEntry;

/// Repeats the run of a record. `asked` has the names of the outputs and how the run is carried out.
///
/// # Errors
/// [`RunError::Record`] if the record or an input has changed, or any error of a run.
pub(crate) fn again(record: &Path, asked: &Args, stop: &Cancel) -> Result<Outcome, RunError> {
    let recorded = Recorded::read(record)?;
    let args = repeated(&recorded, record, asked)?;
    inputs::unchanged(&args, &recorded.inputs, record)?;
    let version = env!("CARGO_PKG_VERSION");
    if recorded.program.version != version {
        warn!(
            "the run was recorded by version {}, this is {version}",
            recorded.program.version
        );
    }
    let written = simulate(&args, Keep::Hashes, stop)?;
    let verdicts = verdicts(&recorded.outputs, &written);
    Console::of(asked).anyway(|out| {
        for (path, verdict) in &verdicts {
            writeln!(out, "{path}: {}", verdict.words())?;
        }
        Ok(())
    });
    let all_equal = verdicts
        .iter()
        .all(|(_, verdict)| *verdict == Verdict::Equal);
    Ok(if all_equal {
        Outcome::Done
    } else {
        Outcome::Differs
    })
}

/// The recorded command line, with inputs in their recorded places and outputs in the current folder.
fn repeated(recorded: &Recorded, record: &Path, asked: &Args) -> Result<Args, RunError> {
    let arguments_of = |source| RecordError::Arguments {
        path: record.to_owned(),
        source,
    };
    let mut args = match Invocation::from_words(recorded.command.arguments.iter()) {
        Ok(Invocation::Run(args)) => *args,
        Ok(Invocation::Show(_)) => {
            return Err(RunError::Record(RecordError::NotARecord {
                path: record.to_owned(),
                reason: "its command line asks for help".to_owned(),
            }));
        }
        Err(source) => return Err(arguments_of(source).into()),
    };
    args.noise.seed = Some(recorded.seeds.noise);
    args.running.plan = None;
    args.running.diff_paths = None;
    args.running.record_path = None;
    args.running.report_path = None;
    args.running.save_experiment_path = None;
    args.running.rerun_path = Some(record.to_owned());
    take_inputs_from(&mut args, &recorded.command.working_folder)?;
    put_outputs(&mut args, asked);
    run_as_asked(&mut args, asked);
    Ok(args)
}

/// Makes inputs relative to the folder of the recorded run.
fn take_inputs_from(args: &mut Args, folder: &Path) -> Result<(), RunError> {
    for path in [
        &mut args.running.experiment_path,
        &mut args.factors.hkl_path,
        &mut args.coordinates.path,
        &mut args.crystal.matrix_path,
        &mut args.crystal.cell_path,
        &mut args.crystal.mosaic_path,
        &mut args.crystal.lattice_path,
        &mut args.beam.source_path,
        &mut args.detector.image_path,
        &mut args.detector.mask_path,
        &mut args.detector.expt_path,
        &mut args.detector.xds_path,
        &mut args.detector.geom_path,
    ]
    .into_iter()
    .flatten()
    {
        *path = folder.join(&*path);
    }
    let lists = args.factors.lists.iter_mut().map(|list| &mut list.path);
    for path in lists.chain(args.coordinates.at_energies.curves.values_mut()) {
        *path = folder.join(&*path);
    }
    *args = args.with_base()?.into_owned();
    if !args.makes_factors() {
        args.factors.dump_path = Some(folder.join(crate::resolve::dump_path(args)));
    }
    Ok(())
}

/// Outputs go to the current folder under their recorded names, or to the paths in `asked`. Of a
/// recorded absolute path only the file name is used, so that the recorded output is not overwritten.
fn put_outputs(args: &mut Args, asked: &Args) {
    let writes_dump = args.makes_factors();
    let dump = if writes_dump {
        &asked.factors.dump_path
    } else {
        &None
    };
    let files = &mut args.output.files;
    *files = files.map(|path| here(path.to_path_buf()));
    files.extend(&asked.output.files);
    if writes_dump {
        let recorded = args.factors.dump_path.take();
        args.factors.dump_path = dump.clone().or_else(|| recorded.map(here));
    }
}

/// A recorded output in the current folder; the path of a device is unchanged.
fn here(path: PathBuf) -> PathBuf {
    let is_device = std::fs::metadata(&path).is_ok_and(|there| !there.is_file());
    match path.file_name() {
        Some(name) if path.is_absolute() && !is_device => PathBuf::from(name),
        _ => path,
    }
}

fn run_as_asked(args: &mut Args, asked: &Args) {
    let (running, asked_running) = (&mut args.running, &asked.running);
    if asked.gives("threads") {
        running.threads = asked_running.threads;
    }
    if asked.gives("level") {
        running.level = asked_running.level;
    }
    if asked.gives("device") {
        running.device = asked_running.device;
    }
    if asked.gives("max_memory") {
        running.max_memory_gib = asked_running.max_memory_gib;
    }
    running.progress = asked_running.progress.or(running.progress);
    running.verbosity = asked_running.verbosity;
}

/// The result for one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Equal,
    Differs,
    NotWritten,
    NotRecorded,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Equal => "equal to the record, to the bit",
            Self::Differs => "differs from the record",
            Self::NotWritten => "in the record, but not written now",
            Self::NotRecorded => "not in the record",
        }
    }
}

/// All outputs of the record and of this run, with the path in this run if there is one.
fn verdicts(recorded: &[FileEntry], written: &[FileEntry]) -> Vec<(String, Verdict)> {
    let now = |entry: &FileEntry| written.iter().find(|now| now.flag == entry.flag);
    let of_recorded = recorded.iter().map(|then| match now(then) {
        Some(now) if now.sha256 == then.sha256 && now.bytes == then.bytes => {
            (now.path.clone(), Verdict::Equal)
        }
        Some(now) => (now.path.clone(), Verdict::Differs),
        None => (then.path.clone(), Verdict::NotWritten),
    });
    let new = written
        .iter()
        .filter(|now| recorded.iter().all(|then| then.flag != now.flag))
        .map(|now| (now.path.clone(), Verdict::NotRecorded));
    of_recorded.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(flag: &str, sha256: &str) -> FileEntry {
        FileEntry {
            flag: flag.to_owned(),
            path: format!("{flag}.out"),
            bytes: 1,
            sha256: sha256.to_owned(),
        }
    }

    #[test]
    fn every_output_of_either_run_has_a_verdict() {
        let recorded = [entry("a", "1"), entry("b", "2"), entry("c", "3")];
        let written = [entry("a", "1"), entry("b", "9"), entry("d", "4")];
        let verdicts: Vec<Verdict> = verdicts(&recorded, &written)
            .into_iter()
            .map(|(_, verdict)| verdict)
            .collect();
        assert_eq!(
            verdicts,
            [
                Verdict::Equal,
                Verdict::Differs,
                Verdict::NotWritten,
                Verdict::NotRecorded
            ]
        );
    }

    #[test]
    fn absolute_outputs_come_into_the_current_folder_and_devices_stay() {
        assert_eq!(here("/no/such/folder/a.bin".into()), Path::new("a.bin"));
        assert_eq!(here("out/a.bin".into()), Path::new("out/a.bin"));
        #[cfg(unix)]
        assert_eq!(here("/dev/null".into()), Path::new("/dev/null"));
    }
}
