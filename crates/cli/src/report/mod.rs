//! The report of a run on standard output: the decisions, then the statistics of the image.
//!
//! Scripts read the standard output of the C program. The report keeps its lines, with labels, order, number
//! formats and spelling errors. Additional lines are between them.

mod crystal;
mod detector;
mod run;

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::printf::{general as g, general_with};
use nanobragg::{EveryTerm, Omission, Panel, Pivot, PixelPlace, Spots, Statistics};

pub(crate) use crystal::matrix;

use crate::args::Args;
use crate::resolve::Job;

/// Writes a line to a string, which cannot fail.
macro_rules! line {
    ($page:expr, $($text:tt)*) => {{
        use std::fmt::Write as _;
        let _ = writeln!($page, $($text)*);
    }};
}
pub(crate) use line;

/// The largest number of sources, phi steps and the like in a list.
const MOST_LISTED: usize = 1000;

/// All decisions before rendering.
pub fn before(job: &Job, args: &Args) -> String {
    let mut page = format!("nanoBragg {}\n", env!("CARGO_PKG_VERSION"));
    for source in &job.geometry_from {
        line!(
            page,
            "from the file of -{}: {}",
            source.flag,
            source.parts()
        );
    }
    placement(&mut page, job);
    crystal::report(&mut page, job);
    run::steps(&mut page, job);
    run::summary(&mut page, job, args);
    let fixes: Vec<_> = job.resolved.experiment.fixes.names().collect();
    if !fixes.is_empty() {
        line!(page, "oddities put right: {}", fixes.join(", "));
    }
    page
}

/// The convention, and how it places the detector.
fn placement(page: &mut String, job: &Job) {
    let layout = &job.resolved.decisions.layout;
    let experiment = &job.resolved.experiment;
    let panel = experiment.detector.first();
    line!(page, "{} convention selected.", layout.convention);
    let pivot = match layout.pivot {
        Pivot::Sample => "sample",
        Pivot::Beam => "direct beam spot",
    };
    line!(page, "pivoting detector around {pivot}");
    let beam = panel.in_own_frame(experiment.beam.direction());
    line!(page, "XDS incident beam: {}", triple(beam));
    // These lines are from an instrumented copy of the C program, and tests of ports read them.
    for (label, vector) in [
        ("FAST_AXIS", panel.fast()),
        ("SLOW_AXIS", panel.slow()),
        ("NORMAL_AXIS", panel.normal()),
        ("PIX0_VECTOR", panel.pix0_m()),
    ] {
        let vector = vector.map(|x| general_with(x, 15));
        line!(page, "DETECTOR_{label} {}", vector.join(" "));
    }
}

/// Three numbers.
pub(crate) fn triple(numbers: [f64; 3]) -> String {
    numbers.map(g).join(" ")
}

fn degrees(angle_rad: f64) -> String {
    g(angle_rad * DEGREES_PER_RADIAN)
}

fn chosen(automatically: bool) -> &'static str {
    if automatically {
        "chosen automatically"
    } else {
        "as given"
    }
}

/// The warning about an image in which fewer than one photon is expected.
pub(crate) fn no_photons(photons: f64) -> String {
    let photons = g(photons);
    format!("the image has {photons} photons in all: no spot can be seen")
}

/// The warning that every term was summed although an accuracy was asked for.
pub fn every_term(reason: EveryTerm) -> String {
    format!("-accuracy has no effect: {reason}")
}

/// What was left out of the image for the accuracy `asked`.
pub(crate) fn omission(omission: &Omission, asked: f64, max_photons: f32) -> String {
    let brightest = f64::from(max_photons);
    // An image without photons has no error.
    let part = |of: f64, whole: f64| if of > 0.0 { of / whole } else { 0.0 };
    format!(
        "every pixel within {} of the brightest (asked {}); {} % of the terms summed\n",
        rounded_up(part(omission.error_photons, brightest)),
        g(asked),
        percent(100.0 * part(omission.terms, omission.all_terms))
    )
}

/// Two digits, or `100`, which has three.
fn percent(percent: f64) -> String {
    let digits = if percent < 99.5 { 2 } else { 3 };
    general_with(percent, digits)
}

/// A bound with two digits, which holds too.
fn rounded_up(bound: f64) -> String {
    if bound <= 0.0 {
        return g(0.0);
    }
    let unit = 10_f64.powf(bound.log10().floor() - 1.0);
    // Rounding of the quotient must not add a unit.
    general_with((bound / unit - 1e-9).ceil() * unit, 2)
}

/// The name, pixels and position of a panel.
pub(crate) fn one_line(panel: &Panel) -> String {
    format!(
        "{}: {} x {} pixels of {} mm, corner at {} mm, fast {}, slow {}",
        panel.name(),
        panel.pixels_fast(),
        panel.pixels_slow(),
        g(panel.pixel_size_m() * 1000.0),
        triple(panel.pix0_m().map(|m| m * 1000.0)),
        triple(panel.fast()),
        triple(panel.slow())
    )
}

/// The spots of an image whose direct beam would hide them.
pub fn spots(spots: &Spots) -> String {
    let PixelPlace { fast, slow, .. } = spots.max_at;
    format!(
        "brightest pixel outside the direct beam = {}  at fast {fast} slow {slow}; scales follow it\n",
        g(f64::from(spots.max_photons))
    )
}

/// The statistics of the image.
pub fn statistics(statistics: &Statistics) -> String {
    let mut page = String::new();
    let [fast_m, slow_m] = statistics.max_at_m;
    let solid_angle_sr = statistics.solid_angle_sr;
    line!(
        page,
        "solid angle subtended by detector = {} steradian ( {}% sphere)",
        g(solid_angle_sr),
        g(100.0 * solid_angle_sr / 4.0 / std::f64::consts::PI)
    );
    line!(
        page,
        "max_I = {}  at {} {}",
        g(f64::from(statistics.max_photons)),
        g(fast_m),
        g(slow_m)
    );
    line!(
        page,
        "mean= {} rms= {} rmsd= {}",
        g(statistics.mean),
        g(statistics.rms),
        g(statistics.rmsd)
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said_of_the_brightest_pixel() {
        let left_out = Omission {
            allowed_photons: 0.02,
            error_photons: 0.006_01,
            terms: 12.0,
            all_terms: 1000.0,
        };
        assert_eq!(
            omission(&left_out, 1e-4, 200.0),
            "every pixel within 3.1e-05 of the brightest (asked 0.0001); 1.2 % of the terms summed\n"
        );
        let all = Omission {
            terms: 1000.0,
            ..left_out
        };
        assert!(omission(&all, 1e-4, 200.0).contains("; 100 % of the terms"));
        let nothing = Omission {
            allowed_photons: 0.0,
            error_photons: 0.0,
            terms: 0.0,
            all_terms: 1000.0,
        };
        assert_eq!(
            omission(&nothing, 1e-4, 0.0),
            "every pixel within 0 of the brightest (asked 0.0001); 0 % of the terms summed\n"
        );
    }
}
