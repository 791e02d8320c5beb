//! A plan as text.

use nanobragg::io::printf::{general as g, general_with};
use nanobragg::{PixelPlace, Resolution};

use super::{Completeness, Outlook};
use crate::record;
use crate::report::line;

/// From this run time on, in seconds, a plan lists what makes the run shorter.
const LONG_S: f64 = 3600.0;

/// Width of the column of setting names.
const NAMES: usize = 28;

/// The complete plan.
pub(super) fn of(outlook: &Outlook<'_>) -> String {
    let mut page = format!(
        "nanoBragg {}: a plan; nothing is rendered or written\n",
        env!("CARGO_PKG_VERSION")
    );
    line!(page, "\ndecisions");
    for decision in &outlook.decisions {
        let (setting, value) = (decision.setting, &decision.value);
        line!(page, "  {setting:<NAMES$} {value}  [{}]", decision.because);
    }
    list(
        &mut page,
        "warnings",
        &record::warnings(outlook.job, outlook.args),
    );
    list(
        &mut page,
        "oddities of the C program in force",
        &oddities(outlook),
    );
    list(&mut page, "oddities put right", &record::fixes(outlook.job));
    line!(page, "\nresolution (A)");
    resolution(&mut page, "detector", &outlook.detector);
    if outlook.region != outlook.detector {
        resolution(&mut page, "region", &outlook.region);
    }
    let panels = outlook.job.resolved.experiment.detector.panels();
    for (panel, of_panel) in panels.iter().skip(1).zip(&outlook.others) {
        resolution(&mut page, &format!("panel {}", panel.name()), of_panel);
    }
    line!(page, "\nreflections");
    reflections(&mut page, outlook);
    let of_which = if outlook.images > 1 {
        ", of the first image"
    } else {
        ""
    };
    line!(page, "\nestimates{of_which}");
    estimates(&mut page, outlook);
    page
}

fn list(page: &mut String, heading: &str, lines: &[impl AsRef<str>]) {
    if lines.is_empty() {
        return;
    }
    line!(page, "\n{heading}");
    for text in lines {
        line!(page, "  {}", text.as_ref());
    }
}

/// Name and effect of each oddity.
fn oddities(outlook: &Outlook<'_>) -> Vec<String> {
    let job = outlook.job;
    let mut lines = Vec::new();
    for oddity in job.oddities.iter().chain(&job.resolved.decisions.oddities) {
        let line = format!("{}: {}", oddity.name(), oddity.effect());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn resolution(page: &mut String, name: &str, resolution: &Resolution) {
    let numbers = |d: [f64; 4]| d.map(|d| general_with(d, 4)).join(" ");
    line!(
        page,
        "  {name}: middles of the sides {}, corners {}",
        numbers(resolution.sides_angstrom),
        numbers(resolution.corners_angstrom)
    );
}

fn reflections(page: &mut String, outlook: &Outlook<'_>) {
    let default = g(outlook.job.resolved.experiment.factors.default_f());
    let Some(found) = outlook.completeness else {
        line!(page, "  none listed: every reflection has F = {default}");
        return;
    };
    let Completeness {
        expected,
        is_counted,
        listed,
        example,
        without_mate,
    } = found;
    let d = general_with(outlook.limit_angstrom, 4);
    let about = if is_counted { "" } else { "about " };
    line!(
        page,
        "  up to {d} A there are {about}{expected}, of which {listed} are listed"
    );
    if found.missing() == 0 {
        return;
    }
    let example = example.map_or_else(String::new, |([h, k, l], d)| {
        format!(", for example {h} {k} {l} ({} A)", general_with(d, 4))
    });
    line!(
        page,
        "  {about}{} are missing and have F = {default}{example}",
        found.missing()
    );
    if without_mate > 0 {
        line!(
            page,
            "  {without_mate} are listed without their Friedel mate; no symmetry is applied"
        );
    }
}

fn estimates(page: &mut String, outlook: &Outlook<'_>) {
    let trial = &outlook.trial;
    let PixelPlace { fast, slow, .. } = trial.brightest_at;
    let shortened = if trial.terms_ratio > 1.0 {
        format!(", in sums {} times shorter", g(trial.terms_ratio))
    } else {
        String::new()
    };
    let is_whole = trial.pixels == trial.pixels_in_all;
    let decisions = &outlook.job.resolved.decisions;
    let beam = if decisions.scales_leave_out_beam {
        " outside the direct beam"
    } else {
        ""
    };
    // The brightest pixels may be between the tried pixels.
    let at_least = if is_whole { "" } else { "at least " };
    if !is_whole {
        line!(
            page,
            "  from {} of {} pixels{shortened}",
            trial.pixels,
            trial.pixels_in_all
        );
    } else {
        line!(page, "  from all {} pixels{shortened}", trial.pixels);
    }
    line!(
        page,
        "  brightest pixel{beam}: {at_least}{} photons, at fast {fast} slow {slow}",
        g(trial.brightest_photons)
    );
    line!(
        page,
        "  overloads of the noise image: {}",
        general_with(trial.overloads, 3)
    );
    line!(
        page,
        "  evaluations: {} ({} a pixel)",
        g(outlook.evaluations()),
        g(outlook.terms_a_pixel)
    );
    let mib = |bytes: u64| g(bytes as f64 / f64::from(1 << 20));
    line!(
        page,
        "  memory: {} MiB for images and tables, {} MiB for structure factors",
        mib(outlook.image_bytes),
        mib(outlook.factor_bytes)
    );
    line!(page, "  time to render: {}", duration(trial.render_s));
    if outlook.images > 1 {
        line!(
            page,
            "\nall {} images\n  time to render: {}\n  disk: at most {} MiB, without tables and geometry",
            outlook.images,
            duration(outlook.render_s()),
            mib(outlook.disk_bytes)
        );
    }
    if outlook.render_s() > LONG_S {
        list(page, "what makes it shorter", &shorter(outlook));
    }
}

/// The flags that make a run shorter, with their costs.
fn shorter(outlook: &Outlook<'_>) -> Vec<String> {
    let experiment = &outlook.job.resolved.experiment;
    let factors = [
        (
            experiment.sampling.oversample.pow(2) as usize,
            "sub-pixels: -oversample 1 samples each pixel once, and spots narrower than a pixel are missed \
             or too bright; a smaller crystal (-N) has wider spots, which need fewer",
        ),
        (
            experiment.crystal.mosaic().domains().len(),
            "mosaic domains: -mosaic_domains",
        ),
        (experiment.phi.count as usize, "phi steps: -phisteps"),
        (
            experiment.sources.len(),
            "sources: -hdivsteps, -vdivsteps, -dispsteps or a shorter -sourcefile",
        ),
        (
            experiment.detector.first().sensor().layers as usize,
            "layers of the sensor: -thicksteps",
        ),
    ];
    let many = factors.into_iter().filter(|(count, _)| *count > 1);
    let mut lines: Vec<String> = many
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    lines.push("fewer pixels: -roi, -detpixels or a larger -pixel".to_owned());
    lines
}

/// A time in a convenient unit.
fn duration(seconds: f64) -> String {
    let shown = |number: f64, unit: &str| format!("{} {unit}", general_with(number, 2));
    match seconds {
        ..100.0 => shown(seconds, "s"),
        ..6e3 => shown(seconds / 60.0, "minutes"),
        ..2e5 => shown(seconds / 3600.0, "hours"),
        _ => shown(seconds / 86400.0, "days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_a_fitting_unit() {
        assert_eq!(duration(0.25), "0.25 s");
        assert_eq!(duration(600.0), "10 minutes");
        assert_eq!(duration(36000.0), "10 hours");
        assert_eq!(duration(864_000.0), "10 days");
    }
}
