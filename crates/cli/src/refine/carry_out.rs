//! Carries out a refinement: reads, fits, reports.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nanobragg::io::Output;
use nanobragg::io::any::file_of;
use nanobragg::response::Gain;
use nanobragg::{Cancel, Precision, ResponseSpec, RunOptions};
use nanobragg_refine::{Iteration, Pictures, Target, refine_images};

use super::images::{self, Start};
use super::{RefineError, RefineRequest, arguments};
use crate::Invocation;
use crate::args::{Args, Task, Verbosity};
use crate::log;
use crate::simulate::{level, warn_of_decisions};

/// The file name that means standard output.
const STANDARD_OUTPUT: &str = "-";

/// Fits an experiment and reports on standard output and in files. Each step is a line on standard error.
/// The fit ends soon after `stop` is raised.
///
/// # Errors
/// See [`RefineError`]. No output is then changed, except by [`RefineError::NotConverged`] and
/// [`RefineError::NotExplained`], which come after all has been told.
pub fn refine(request: &RefineRequest, stop: &Cancel) -> Result<(), RefineError> {
    let args = experiment(&request.words)?;
    log::init(args.running.verbosity);
    for warning in &args.warnings {
        tracing::warn!("{warning}");
    }
    refuse_collisions(request)?;
    // Created before the long part, so that a missing folder is reported early.
    let json_file = (request.json.as_ref()).filter(|path| path.as_os_str() != STANDARD_OUTPUT);
    let mut json_output = json_file.map(Output::create).transpose()?;
    let starts = images::starts(request, &args, stop)?;
    let prefixes = (request.png.as_deref()).map(|prefix| prefixes(prefix, starts.len()));
    let pictures = prefixes.iter().flatten();
    let mut pictures: Vec<Pictures> = pictures
        .map(|prefix| Pictures::create(prefix))
        .collect::<Result<_, _>>()?;
    if let Some(first) = starts.first() {
        warn_of_decisions(&first.job);
    }
    let targets: Vec<Target> = (starts.iter())
        .map(|start| target(start, request))
        .collect::<Result<_, _>>()?;
    let options = RunOptions {
        threads: args.running.threads.map_or(0, |n| n as usize),
        level: level(&args)?,
        precision: Precision::Double,
        accuracy: 0.0,
        device: None,
        progress: None,
        cancel: Some(stop),
    };
    let is_quiet = args.running.verbosity <= Verbosity::Quiet;
    let mut observe = |iteration: &Iteration<'_>| {
        if !is_quiet {
            // A closed standard error does not stop the fit.
            let _ = io::stderr().write_all(iteration.text().as_bytes());
        }
    };
    let specs = starts.iter().map(|start| &start.job.spec);
    let measured: Vec<_> = specs.zip(&targets).collect();
    let result = refine_images(&measured, &request.wanted, &options, &mut observe)?;
    for ((pictures, (before, target)), after) in
        pictures.iter_mut().zip(&measured).zip(&result.specs)
    {
        pictures.draw(target, [before, after], &options)?;
    }
    if stop.is_raised() {
        return Err(RefineError::Stopped);
    }
    let words: Vec<Option<Vec<String>>> = (0..starts.len())
        .map(|index| arguments::words(&result, index))
        .collect();
    let json = result.json(&words);
    if let Some(output) = &mut json_output {
        let written = output
            .write_all(json.as_bytes())
            .and_then(|()| output.flush());
        written.map_err(nanobragg::io::Error::from)?;
    }
    json_output.map(Output::commit).transpose()?;
    pictures.into_iter().try_for_each(Pictures::commit)?;
    let told = if request.json.is_some() && json_file.is_none() {
        json
    } else {
        let mut told = result.text();
        if request.output_args {
            for (start, words) in starts.iter().zip(&words) {
                let words_before = [&request.words[..], &start.words].concat();
                told.push_str(&command_line(&words_before, words.as_deref()));
            }
        }
        told
    };
    // A closed standard output does not change the result.
    let _ = io::stdout().write_all(told.as_bytes());
    if result.has_converged() {
        Ok(())
    } else if result.is_at_minimum() {
        let goodness = result.goodness;
        Err(RefineError::NotExplained { goodness })
    } else {
        Err(RefineError::NotConverged)
    }
}

/// The parsed command line of the start.
fn experiment(words: &[OsString]) -> Result<Box<Args>, RefineError> {
    match Invocation::from_words(words.iter()) {
        Ok(Invocation::Run(args)) if matches!(args.task(), Task::Simulate | Task::Series) => {
            Ok(args)
        }
        Ok(_) => Err(RefineError::NoImageWanted),
        Err(error) => Err(RefineError::Arguments(error)),
    }
}

/// The target of an image.
fn target(start: &Start, request: &RefineRequest) -> Result<Target, RefineError> {
    let detector = &start.job.resolved.experiment.detector;
    let size = detector
        .common_size()
        .ok_or(nanobragg_refine::Error::PanelSizes)?;
    let [fast, slow] = size.map(|pixels| pixels as usize);
    let sides = [fast, slow * detector.panels().len()];
    let response = ResponseSpec {
        gain: Some(Gain {
            counts_per_photon: request.gain,
        }),
        ..start.job.spec.response.clone()
    };
    let mask = request.mask.as_deref();
    Ok(Target::read(&start.target, mask, sides, &response)?)
}

/// The beginnings of the names of the pictures of each image. Those of several images have its place.
fn prefixes(prefix: &Path, images: usize) -> Vec<PathBuf> {
    let of_image = |number: usize| {
        let mut name = OsString::from(prefix);
        name.push(format!("_{number}"));
        name.into()
    };
    match images {
        1 => vec![prefix.to_path_buf()],
        _ => (1..=images).map(of_image).collect(),
    }
}

/// The words of the start and of the refined experiment, as one line.
fn command_line(start: &[OsString], refined: Option<&[String]>) -> String {
    let Some(refined) = refined else {
        return "\nno command line: what was refined stands in a file\n".to_owned();
    };
    let start = start.iter().map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = start.chain(refined.iter().cloned()).map(quoted).collect();
    format!("\nnanoBragg {}\n", words.join(" "))
}

/// A word quoted for a shell.
fn quoted(word: String) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/=+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Refuses outputs that are inputs of the fit, and two outputs in one file.
fn refuse_collisions(request: &RefineRequest) -> Result<(), RefineError> {
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        // Several outputs may go to the same device or pipe.
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        _ => one == other,
    };
    let targets = request.targets.iter();
    let mut known: Vec<(&'static str, PathBuf)> =
        targets.map(|path| ("target", file_of(path).0)).collect();
    known.extend(request.mask.iter().map(|path| ("mask", file_of(path).0)));
    let json = request.json.iter().map(|path| ("json", path.clone()));
    let prefix = request.png.as_deref().map(Pictures::paths);
    let pictures = prefix.into_iter().flatten().map(|path| ("png", path));
    for (flag, path) in json.chain(pictures) {
        if let Some((other, _)) = known.iter().find(|(_, known)| same(known, &path)) {
            return Err(RefineError::SameFile { path, flag, other });
        }
        known.push((flag, path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let start = ["-hkl", "my list's.hkl"].map(OsString::from);
        let line = command_line(&start, Some(&["-cell".to_owned(), "59.062".to_owned()]));
        assert_eq!(line, "\nnanoBragg -hkl 'my list'\\''s.hkl' -cell 59.062\n");
    }
}
