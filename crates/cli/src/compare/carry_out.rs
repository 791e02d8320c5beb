//! Carries out a comparison: reads or renders, compares, reports.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nanobragg::Cancel;
use nanobragg::compare::{Comparison, ComparisonReport, LeftOut, read_pair, three_panels};
use nanobragg::io::{Image, Output, png};

use super::{CompareError, CompareRequest, Subject, reference};

/// The file name that means standard output.
const STANDARD_OUTPUT: &str = "-";

/// Compares two images and reports on standard output and in files. It ends soon after `stop` is raised. `program` is
/// this program, if the path is absolute; otherwise the system tells.
///
/// Returns whether image B is within the tolerance.
///
/// # Errors
/// See [`CompareError`]. No output is then changed.
pub fn compare(
    request: &CompareRequest,
    program: &Path,
    stop: &Cancel,
) -> Result<bool, CompareError> {
    let json_file = (request.json.as_ref()).filter(|path| path.as_os_str() != STANDARD_OUTPUT);
    let outputs = [("json", json_file), ("png", request.png.as_ref())];
    let inputs: &[&Path] = match &request.subject {
        Subject::Files { a, b, .. } => &[a, b],
        Subject::Programs { reference, .. } => &[reference],
    };
    refuse_collisions(inputs, outputs)?;
    // Created before the long part, so that a missing folder is reported early.
    let json_output = json_file.map(Output::create).transpose()?;
    let picture_output = request.png.as_ref().map(Output::create).transpose()?;

    let (([a, b], images), left_out, programs) = match &request.subject {
        Subject::Files { a, b, sides } => {
            let (pair, left_out) = read_pair(a, b, sides)?;
            (pair, left_out, None)
        }
        Subject::Programs { reference, words } => {
            let (pair, programs) = reference::run(reference, program, words, stop)?;
            (pair, LeftOut::default(), Some(programs))
        }
    };
    let unlike = |fault| CompareError::Unlike {
        a: images[0].path.clone(),
        b: images[1].path.clone(),
        fault: Box::new(fault),
    };
    let of_panels = |image: &Image<f32>| panels_of(image, request.panels);
    let comparison = Comparison::of_panels(&of_panels(&a)?, &of_panels(&b)?, request.tolerance);
    let comparison = comparison.map_err(unlike)?.without(left_out);
    if comparison.pixels == 0 {
        let [a, b] = images.map(|image| image.path);
        return Err(CompareError::NothingMeasured { a, b });
    }
    let panels = match picture_output {
        Some(output) => Some((output, three_panels(&a, &b).map_err(unlike)?)),
        None => None,
    };
    let report = ComparisonReport {
        images,
        sides: [a.fast(), a.slow()],
        panels: request.panels,
        tolerance: request.tolerance,
        comparison,
        programs,
    };
    write(&report, json_output, panels)?;
    let told = if request.json.is_some() && json_file.is_none() {
        report.json()
    } else {
        report.text()
    };
    // A closed standard output does not change the result.
    let _ = io::stdout().write_all(told.as_bytes());
    Ok(report.comparison.is_within_tolerance())
}

/// The images of panels that are one below the other.
fn panels_of(image: &Image<f32>, panels: usize) -> Result<Vec<Image<f32>>, CompareError> {
    let (fast, slow) = (image.fast(), image.slow());
    if !slow.is_multiple_of(panels) {
        let fault = format!("{slow} slow pixels do not make -panels {panels} of one size");
        return Err(CompareError::Usage(fault));
    }
    let rows = slow / panels;
    let each = image.pixels().chunks(fast * rows);
    let each = each.map(|pixels| Image::new(fast, rows, pixels.to_vec()));
    Ok(each.collect::<Result<_, _>>()?)
}

/// Completes both files before either is renamed.
fn write(
    report: &ComparisonReport,
    mut json_output: Option<Output>,
    mut panels: Option<(Output, Image<f32>)>,
) -> Result<(), nanobragg::io::Error> {
    if let Some(output) = &mut json_output {
        output.write_all(report.json().as_bytes())?;
        output.flush()?;
    }
    if let Some((output, panels)) = &mut panels {
        png::write(&mut *output, panels, png::Grey::Logarithmic)?;
        output.flush()?;
    }
    let outputs = [json_output, panels.map(|(output, _)| output)];
    (outputs.into_iter().flatten()).try_for_each(|output| output.commit().map(drop))
}

/// Refuses outputs that are compared images, and two outputs in one file.
fn refuse_collisions(
    inputs: &[&Path],
    outputs: [(&'static str, Option<&PathBuf>); 2],
) -> Result<(), CompareError> {
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        // Several outputs may go to the same device or pipe.
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        _ => one == other,
    };
    for (flag, path) in outputs {
        let Some(path) = path else { continue };
        if inputs.iter().any(|input| same(input, path)) {
            return Err(CompareError::OverInput {
                path: path.clone(),
                flag,
            });
        }
    }
    match outputs {
        [(_, Some(one)), (_, Some(other))] if same(one, other) => {
            Err(CompareError::SameOutput { path: one.clone() })
        }
        _ => Ok(()),
    }
}
