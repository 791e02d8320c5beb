//! A report for programs. What is no finite number is `null`.

use std::ffi::OsStr;

use serde_json::{Value, json};

use super::{ComparisonReport, NamedImage, ProgramPair, ProgramRun};

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
    let mut report_json = json!({
        "nanobragg_version": env!("CARGO_PKG_VERSION"),
        "a": image(a, 0),
        "b": image(b, 1),
        "pixels_fast": fast,
        "pixels_slow": slow,
    });
    let Some(fields) = report_json.as_object_mut() else {
        return report_json;
    };
    if report.panels > 1 {
        fields.insert("panels".to_owned(), report.panels.into());
    }
    if let Value::Object(figures) = comparison.to_tree(report.tolerance) {
        fields.extend(figures);
    }
    if let Some(programs) = &report.programs {
        fields.insert("runs".to_owned(), runs(programs));
        fields.insert("environment".to_owned(), environment(programs));
    }
    report_json
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
