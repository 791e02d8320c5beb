//! A report for people.

use std::fmt::Write as _;

use nanobragg_io::printf::general as g;

use super::{Comparison, ComparisonReport, Difference, ProgramPair, ProgramRun};

/// Ratios nearer to 1 than this are told as their distance from it.
const NEARLY_ONE: f64 = 1e-3;

/// A median difference of two formats from here on is told: it is an offset, not noise.
const HALF_A_COUNT: f64 = 0.5;

/// The report, one figure a line.
pub(super) fn text(report: &ComparisonReport) -> String {
    let ComparisonReport {
        images: [a, b],
        sides: [fast, slow],
        panels,
        tolerance,
        comparison,
        programs,
    } = report;
    let mut out = String::new();
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<24}{text}");
    };
    line("A", format!("{} ({})", a.path.display(), a.format.name()));
    line("B", format!("{} ({})", b.path.display(), b.format.name()));
    let of = match panels {
        1 => String::new(),
        panels => format!(" of {panels} panels"),
    };
    line("pixels", format!("{fast} x {slow} (fast x slow){of}"));
    let left_out = comparison.left_out;
    for (name, count) in [
        ("masked", left_out.masked),
        ("overloaded", left_out.overloaded),
    ] {
        if count > 0 {
            line(name, format!("{count} pixels of A or B, left out below"));
        }
    }
    if comparison.not_finite > 0 {
        let count = comparison.not_finite;
        line("not finite", format!("{count} pixels, left out below"));
    }
    figures(comparison, &mut line);
    let offset = comparison.median_difference;
    if a.format != b.format && offset.abs() >= HALF_A_COUNT {
        let words = "counts have the offset of -adc, photons have none";
        line("median b - a", format!("{}: {words}", g(offset)));
    }
    line(
        "tolerance",
        format!(
            "{}: {}",
            g(tolerance.relative()),
            match comparison.beyond {
                0 => "B is within it".to_owned(),
                count => format!("{count} pixels are beyond it"),
            }
        ),
    );
    if let Some(programs) = programs {
        runs(programs, &mut line);
    }
    out
}

fn figures(comparison: &Comparison, line: &mut impl FnMut(&str, String)) {
    let pair = |[a, b]: [f64; 2]| format!("A {}, B {}", g(a), g(b));
    let ratio = match comparison.total_ratio() {
        Some(ratio) => format!(", B / A = {}", about(ratio)),
        None => String::new(),
    };
    line("total", pair(comparison.totals) + &ratio);
    line("brightest", pair(comparison.brightest));
    line(
        "equal to the bit",
        format!(
            "{} of {} pixels ({} %)",
            comparison.equal_bits,
            comparison.pixels,
            g(100.0 * comparison.equal_share())
        ),
    );
    let several = comparison.beyond_of_panels.len() > 1;
    line(
        "largest |a - b|",
        place(comparison.largest_absolute, several),
    );
    line(
        "largest relative",
        place(comparison.largest_relative, several),
    );
    let quantiles = comparison.relative_quantiles;
    let quantiles = quantiles.map(|q| format!("{} % {}", g(q.percent), g(q.value)));
    line("relative, quantiles", quantiles.join(", "));
    line(
        "correlation",
        comparison.correlation.map_or(
            "none: all pixels of an image are the same".to_owned(),
            about,
        ),
    );
    line("rmsd", g(comparison.rmsd));
    let peaks = comparison.peaks;
    let [fast, slow] = peaks.mean_offset_pixels.map(g);
    line(
        "peaks",
        match peaks.sought {
            0 => "none in A".to_owned(),
            sought => format!(
                "{} of the {sought} brightest of A are in B, on average {fast} fast {slow} slow \
                 pixels away",
                peaks.found
            ),
        },
    );
}

fn place(largest: Option<Difference>, several: bool) -> String {
    match largest {
        None => "0".to_owned(),
        Some(at) => format!(
            "{} at {}fast {} slow {}: A {:?}, B {:?}",
            g(at.value),
            if several {
                format!("panel {} ", at.panel)
            } else {
                String::new()
            },
            at.fast,
            at.slow,
            at.a,
            at.b
        ),
    }
}

fn runs(programs: &ProgramPair, line: &mut impl FnMut(&str, String)) {
    let run = |ran: &ProgramRun| {
        let memory = match ran.peak_memory_bytes {
            Some(bytes) => format!(", {:.1} MiB", bytes as f64 / f64::from(1 << 20)),
            None => String::new(),
        };
        format!("{:.3} s{memory}", ran.seconds)
    };
    line("A ran", run(&programs.reference));
    line("B ran", run(&programs.ours));
    line("time of A / B", format!("{:.1}", programs.speedup()));
    let environment = &programs.environment;
    line(
        "environment",
        format!(
            "nanoBragg {}, level {}, {} threads on {} processors, OMP_NUM_THREADS {}",
            env!("CARGO_PKG_VERSION"),
            environment.level,
            environment.threads,
            environment.processors,
            environment.omp_num_threads.as_deref().unwrap_or("not set")
        ),
    );
}

/// A number that may be too near to 1 for six digits.
fn about(ratio: f64) -> String {
    let off = ratio - 1.0;
    if off == 0.0 || off.abs() > NEARLY_ONE {
        g(ratio)
    } else {
        let sign = if off < 0.0 { '-' } else { '+' };
        format!("1 {sign} {}", g(off.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_near_1_are_told_by_their_distance_from_it() {
        assert_eq!(about(1.0), "1");
        assert_eq!(about(0.5), "0.5");
        assert_eq!(about(1.0 - f64::EPSILON), "1 - 2.22045e-16");
        assert_eq!(about(1.0 + f64::EPSILON), "1 + 2.22045e-16");
    }
}
