//! A report for programs. What is no finite number is `null`.

use std::ffi::OsStr;

use nanobragg_io::printf::general as g;
use serde_json::{Map, Value, json};

use super::{ComparisonReport, Difference, NamedImage, ProgramPair, ProgramRun};

/// The report as indented JSON, with a line feed at its end.
pub(super) fn json(report: &ComparisonReport) -> String {
    format!("{:#}\n", value(report))
}

fn value(report: &ComparisonReport) -> Value {
    let [a, b] = &report.images;
    let [fast, slow] = report.sides;
    let comparison = &report.comparison;
    let image = |named: &NamedImage, which: usize| {
        json!({
            "path": words(named.path.as_os_str()),
            "format": named.format.name(),
            "total": comparison.totals.get(which),
            "brightest": comparison.brightest.get(which),
        })
    };
    let quantiles: Map<String, Value> = comparison
        .relative_quantiles
        .iter()
        .map(|quantile| {
            (
                format!("{}_percent", g(quantile.percent)),
                json!(quantile.value),
            )
        })
        .collect();
    let [offset_fast, offset_slow] = comparison.peaks.mean_offset_pixels;
    let mut report_json = json!({
        "nanobragg_version": env!("CARGO_PKG_VERSION"),
        "a": image(a, 0),
        "b": image(b, 1),
        "pixels_fast": fast,
        "pixels_slow": slow,
        "not_finite_pixels": comparison.not_finite,
        "total_b_over_a": comparison.total_ratio(),
        "equal_to_the_bit_pixels": comparison.equal_bits,
        "equal_to_the_bit_share": comparison.equal_share(),
        "largest_absolute_difference": place(comparison.largest_absolute),
        "largest_relative_difference": place(comparison.largest_relative),
        "relative_difference_quantiles": quantiles,
        "correlation": comparison.correlation,
        "rmsd": comparison.rmsd,
        "peaks": {
            "sought": comparison.peaks.sought,
            "found": comparison.peaks.found,
            "mean_offset_fast_pixels": offset_fast,
            "mean_offset_slow_pixels": offset_slow,
        },
        "tolerance": report.tolerance.relative(),
        "beyond_tolerance_pixels": comparison.beyond,
        "within_tolerance": comparison.is_within_tolerance(),
    });
    if let (Some(programs), Some(fields)) = (&report.programs, report_json.as_object_mut()) {
        fields.insert("runs".to_owned(), runs(programs));
        fields.insert("environment".to_owned(), environment(programs));
    }
    report_json
}

fn place(largest: Option<Difference>) -> Value {
    largest.map_or(Value::Null, |at| {
        json!({
            "value": at.value, "fast": at.fast, "slow": at.slow, "a": at.a, "b": at.b,
        })
    })
}

fn runs(programs: &ProgramPair) -> Value {
    let run = |ran: &ProgramRun| {
        json!({
            "program": words(ran.program.as_os_str()),
            "exit_status": ran.status.code(),
            "wall_time_s": ran.seconds,
            "peak_memory_bytes": ran.peak_memory_bytes,
        })
    };
    let arguments: Vec<_> = programs.words.iter().map(|word| words(word)).collect();
    json!({
        "arguments": arguments,
        "a": run(&programs.reference),
        "b": run(&programs.ours),
        "time_a_over_b": programs.speedup(),
    })
}

fn environment(programs: &ProgramPair) -> Value {
    let environment = &programs.environment;
    json!({
        "level": environment.level,
        "threads": environment.threads,
        "processors": environment.processors,
        "OMP_NUM_THREADS": environment.omp_num_threads,
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
    })
}

/// Text of what need not be UTF-8.
fn words(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
