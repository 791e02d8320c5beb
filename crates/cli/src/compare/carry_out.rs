//! A request carried out: read or render, compare, tell.

use std::io::{self, Write};
use std::path::Path;

use nanobragg::Cancel;
use nanobragg::compare::{Comparison, three_panels};
use nanobragg::io::{Image, Output, png};

use super::report::Report;
use super::{CompareError, Request, Subject, files, json, reference, text};

/// The name that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Compares what is asked for, and tells it on standard output and in files. Once `stop` is raised
/// it ends as soon as it can.
///
/// Returns whether image B is within the tolerance.
///
/// # Errors
/// See [`CompareError`]. No output is then changed.
pub fn compare(request: &Request, stop: &Cancel) -> Result<bool, CompareError> {
    let json_file = (request.json.as_ref()).filter(|path| path.as_os_str() != STANDARD_OUTPUT);
    let outputs = [("json", json_file), ("png", request.png.as_ref())];
    let inputs: &[&Path] = match &request.subject {
        Subject::Files { a, b, .. } => &[a, b],
        Subject::Programs { reference, .. } => &[reference],
    };
    files::refuse_collisions(inputs, outputs)?;
    // Before the long part, so that a missing folder is known early.
    let json_output = json_file.map(Output::create).transpose()?;
    let picture_output = request.png.as_ref().map(Output::create).transpose()?;

    let (([a, b], images), programs) = match &request.subject {
        Subject::Files { a, b, sides } => (files::read(a, b, sides)?, None),
        Subject::Programs { reference, words } => {
            let (pair, programs) = reference::run(reference, words, stop)?;
            (pair, Some(programs))
        }
    };
    let unlike = |fault| CompareError::Unlike {
        a: images[0].path.clone(),
        b: images[1].path.clone(),
        fault: Box::new(fault),
    };
    let comparison = Comparison::of(&a, &b, request.tolerance).map_err(unlike)?;
    let panels = match picture_output {
        Some(output) => Some((output, three_panels(&a, &b).map_err(unlike)?)),
        None => None,
    };
    let report = Report {
        images,
        sides: [a.fast(), a.slow()],
        tolerance: request.tolerance,
        comparison,
        programs,
    };
    write(&report, json_output, panels)?;
    let told = if request.json.is_some() && json_file.is_none() {
        json::json(&report)
    } else {
        text::text(&report)
    };
    // A reader that has closed it does not change what was found.
    let _ = io::stdout().write_all(told.as_bytes());
    Ok(report.comparison.is_within_tolerance())
}

/// Completes both files before it puts either in place.
fn write(
    report: &Report,
    mut json_output: Option<Output>,
    mut panels: Option<(Output, Image<f32>)>,
) -> Result<(), nanobragg::io::Error> {
    if let Some(output) = &mut json_output {
        output.write_all(json::json(report).as_bytes())?;
        output.flush()?;
    }
    if let Some((output, panels)) = &mut panels {
        png::write(&mut *output, panels, png::Grey::Logarithmic)?;
        output.flush()?;
    }
    let outputs = [json_output, panels.map(|(output, _)| output)];
    (outputs.into_iter().flatten()).try_for_each(|output| output.commit().map(drop))
}
