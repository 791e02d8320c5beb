//! Runs the C program and this program with the same arguments.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use nanobragg::compare::{
    NamedImage, NamedPair, ProgramPair, ProgramRun, RunEnvironment, sides_of_header,
};
use nanobragg::io::any::Format;
use nanobragg::io::float;
use nanobragg::{Cancel, Level, Misset};
use tempfile::TempDir;
use tracing::warn;

use super::CompareError;
use crate::Invocation;
use crate::args::{Args, Task};

const FLOAT: &str = "float.bin";
const INT: &str = "int.img";

/// The file for the standard error of a program, in its folder.
const STDERR: &str = "stderr.txt";

/// Both float images, the C program's first, and information about the runs.
pub(super) fn run(
    reference: &Path,
    program: &Path,
    words: &[OsString],
    stop: &Cancel,
) -> Result<(NamedPair, ProgramPair), CompareError> {
    let args = understood(words)?;
    let ours = match program.is_absolute() {
        true => program.to_path_buf(),
        false => env::current_exe().map_err(|cause| CompareError::NotRun {
            program: PathBuf::from("nanoBragg"),
            cause,
        })?,
    };
    let their_folder = folder()?;
    let our_folder = folder()?;
    // This program runs first, because it reports wrong arguments sooner and better.
    let we_ran = run_one(&ours, words, &args, our_folder.path(), stop)?;
    if !we_ran.status.success() {
        return Err(no_image(&we_ran, our_folder.path(), None));
    }
    let they_ran = run_one(reference, words, &args, their_folder.path(), stop)?;

    let sides = sides_of_header(&our_folder.path().join(INT))?;
    let image = |ran: &ProgramRun, folder: &TempDir| {
        let [fast, slow] = sides;
        float::read(folder.path().join(FLOAT), fast, slow)
            .map_err(|fault| no_image(ran, folder.path(), Some(fault)))
    };
    let images = [
        image(&they_ran, &their_folder)?,
        image(&we_ran, &our_folder)?,
    ];
    if !they_ran.status.success() {
        warn!(
            "{} left a float image, but did not end well ({})",
            reference.display(),
            ending(they_ran.status)
        );
    }
    let named = |program: &Path| NamedImage {
        path: program.to_path_buf(),
        format: Format::Float,
    };
    let names = [named(reference), named(&ours)];
    let programs = ProgramPair {
        words: words.to_vec(),
        reference: they_ran,
        ours: we_ran,
        environment: environment(&args),
    };
    Ok(((images, names), programs))
}

/// The arguments, parsed by this program.
fn understood(words: &[OsString]) -> Result<Args, CompareError> {
    let args = match Invocation::from_words(words.iter().cloned()) {
        Ok(Invocation::Run(args)) => *args,
        Ok(_) => return Err(CompareError::NoImageWanted),
        Err(error) => return Err(CompareError::Arguments(error)),
    };
    if args.task() != Task::Simulate {
        return Err(CompareError::NoImageWanted);
    }
    if matches!(args.crystal.misset, Some(Misset::Random { .. }))
        && args.noise.misset_seed.is_none()
    {
        return Err(CompareError::NoMissetSeed);
    }
    Ok(args)
}

/// A temporary folder. Its name contains nothing that the C program could take for a flag.
fn folder() -> Result<TempDir, CompareError> {
    let mut builder = tempfile::Builder::new();
    let made = builder.prefix("nanobragg_compare_").tempdir();
    made.map_err(CompareError::NoFolder)
}

/// Runs one program in the current folder, where its inputs are. Its outputs go to `folder`.
fn run_one(
    program: &Path,
    words: &[OsString],
    args: &Args,
    folder: &Path,
    stop: &Cancel,
) -> Result<ProgramRun, CompareError> {
    // The last of several equal flags wins in both programs.
    let mut command = Command::new(program);
    command.args(words).arg("-noprogress");
    let mut output = |flag: &str, name: &str| {
        command.arg(flag).arg(folder.join(name));
    };
    output("-floatfile", FLOAT);
    output("-intfile", INT);
    if args.output.pgm {
        output("-pgmfile", "image.pgm");
    }
    if args.noise.wanted {
        output("-noisefile", "noise.img");
    }
    // Without a list of reflections the dump is an input.
    if args.makes_factors() {
        output("-dump", "dump.bin");
    }
    let file = |name: &str| File::create(folder.join(name)).map_err(CompareError::NoFolder);
    command.stdin(Stdio::null());
    command.stdout(file("stdout.txt")?).stderr(file(STDERR)?);
    match ProgramRun::of(program, &mut command, stop) {
        Ok(Some(run)) => Ok(run),
        Ok(None) => Err(CompareError::Stopped),
        Err(cause) => Err(CompareError::NotRun {
            program: program.to_path_buf(),
            cause,
        }),
    }
}

fn no_image(ran: &ProgramRun, folder: &Path, fault: Option<nanobragg::io::Error>) -> CompareError {
    let words = last_words(folder).or(fault.map(|fault| fault.to_string()));
    CompareError::NoImage {
        program: ran.program.clone(),
        ending: ending(ran.status),
        last_words: words.unwrap_or_else(|| "it did not say why".to_owned()),
    }
}

/// The last line of a program's standard error, from its folder.
fn last_words(folder: &Path) -> Option<String> {
    let bytes = fs::read(folder.join(STDERR)).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

/// The exit status in words.
fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => "ended by a signal".to_owned(),
    }
}

fn environment(args: &Args) -> RunEnvironment {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    RunEnvironment {
        level: args.running.level.unwrap_or_else(|| Level::detect().name()),
        threads: args.running.threads.map_or(processors, |n| n as usize),
        processors,
        omp_num_threads: env::var("OMP_NUM_THREADS").ok(),
    }
}
