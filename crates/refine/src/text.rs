//! The result for people.

use std::fmt::Write as _;

use crate::{Ending, Iteration, Refinement};

/// Correlations that are worth a line of their own.
const STRONG: f64 = 0.9;

/// One step, in a line.
pub(super) fn step(iteration: &Iteration<'_>) -> String {
    let mut line = format!(
        "attempt {} stage {}/{} step {:>3}  misfit {:.6e}  a pixel {:.4}",
        iteration.attempt,
        iteration.stage,
        iteration.stages,
        iteration.step,
        iteration.misfit,
        iteration.misfit / iteration.pixels as f64,
    );
    // Those of single images would make a line of any length.
    let shared = iteration
        .values
        .iter()
        .filter(|(name, _)| !name.contains('#'));
    for (name, value) in shared {
        let first = name.split(' ').next().unwrap_or_default();
        let _ = write!(line, "  {first} {}", number(*value));
    }
    line.push('\n');
    line
}

/// The report.
pub(super) fn text(result: &Refinement) -> String {
    let mut out = String::new();
    stages(result, &mut out);
    let _ = writeln!(
        out,
        "{} in {} pixels; squared residuals over those that noise explains: {:.4}",
        if result.has_converged() {
            "converged"
        } else if result.is_at_minimum() {
            "at a minimum that noise does not explain"
        } else {
            "not converged"
        },
        result.pixels,
        result.goodness
    );
    if !result.is_explained() {
        let _ = writeln!(
            out,
            "noise does not explain the residuals ({} starts tried): this may be a wrong minimum, \
             or the model leaves something out; the uncertainties are too small",
            result.attempts
        );
    }
    if let Some(system) = result.system {
        let _ = writeln!(out, "cell: {}", system.name());
    }
    estimates(result, &mut out);
    images(result, &mut out);
    correlations(result, &mut out);
    out
}

fn stages(result: &Refinement, out: &mut String) {
    for (index, record) in result.stages.iter().enumerate() {
        let stage = &record.stage;
        let dmin_a = stage.dmin.m() * 1e10;
        let reach = if dmin_a > 0.0 {
            format!("to {dmin_a:.2} A")
        } else {
            "all".to_owned()
        };
        let cells = stage
            .most_cells
            .map_or("true crystal".to_owned(), |n| format!("at most {n} cells"));
        let [before, after] = record.misfit;
        let _ = writeln!(
            out,
            "stage {}: {reach}, {cells}, smeared by {:.2} pixels: {} steps, misfit {before:.6e} to \
             {after:.6e}{}",
            index + 1,
            stage.blur_pixels,
            record.iterations.saturating_sub(1),
            match record.ending {
                Ending::Converged => "",
                Ending::OutOfSteps => ", out of steps",
            }
        );
    }
}

fn estimates(result: &Refinement, out: &mut String) {
    let longest = result.estimates.iter().map(|one| one.name.len()).max();
    let width = longest.unwrap_or(0).max("parameter".len());
    let _ = writeln!(
        out,
        "\n{:<width$} {:>14} {:>14} {:>12}  unit",
        "parameter", "start", "refined", "uncertainty"
    );
    for one in &result.estimates {
        let sigma = match one.sigma {
            Some(sigma) => format!("{sigma:.2e}"),
            None => "at bound".to_owned(),
        };
        let restrained = if one.restraint.is_some() {
            ", restrained"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "{:<width$} {:>14} {:>14} {sigma:>12}  {}{restrained}",
            one.name,
            number(one.start),
            number(one.value),
            one.unit
        );
    }
}

/// The fit of each of several images.
fn images(result: &Refinement, out: &mut String) {
    if result.images.len() < 2 {
        return;
    }
    let _ = writeln!(out, "\nimage       pixels   residuals over noise");
    for (index, image) in result.images.iter().enumerate() {
        let number = index + 1;
        let _ = writeln!(
            out,
            "{number:<8} {:>9}   {:.4}",
            image.pixels, image.goodness
        );
    }
}

/// The correlations of the numbers that all images share; those of single images are in the JSON.
fn correlations(result: &Refinement, out: &mut String) {
    let shared = result.estimates.iter().filter(|one| one.image.is_none());
    if shared.clone().count() < 2 {
        return;
    }
    let names: Vec<&str> = shared
        .map(|one| one.name.split(' ').next().unwrap_or_default())
        .collect();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let _ = writeln!(out, "\ncorrelations");
    let mut strong = Vec::new();
    for (i, (name, row)) in names.iter().zip(&result.correlations).enumerate() {
        let _ = write!(out, "{name:<width$}");
        for (other, value) in names.iter().zip(row).take(i + 1) {
            let _ = write!(out, " {value:>6.3}");
            if *other != *name && value.abs() >= STRONG {
                strong.push(format!("{name} and {other} ({value:.3})"));
            }
        }
        out.push('\n');
    }
    if !strong.is_empty() {
        let _ = writeln!(out, "hard to tell apart: {}", strong.join(", "));
    }
}

/// A number with six decimals, or seven digits where it is large.
fn number(value: f64) -> String {
    if value.abs() >= 1e6 {
        format!("{value:.6e}")
    } else {
        format!("{value:.6}")
    }
}
