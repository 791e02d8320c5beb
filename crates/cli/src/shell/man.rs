//! The manual page, in the macros of `man(7)`.

use std::fmt::Write as _;

use super::page::{Entry, Page};

/// The exit statuses, as `main.rs` gives them.
const STATUS: [(&str, &str); 5] = [
    ("0", "All went well."),
    (
        "1",
        "The run failed, what was compared differs, or a refinement has not converged.",
    ),
    (
        "2",
        "The command line makes no sense, or records cannot be compared.",
    ),
    ("3", "Noise does not explain the residuals of a refinement."),
    ("130", "A signal stopped the run. No output is incomplete."),
];

/// The page in section 1.
pub(super) fn page(pages: &[Page]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = format!(
        ".TH NANOBRAGG 1 \"\" \"nanoBragg {version}\" \"User Commands\"\n\
         .nh\n.SH NAME\nnanoBragg \\- "
    );
    for page in pages.iter().filter(|page| page.name.is_empty()) {
        let _ = writeln!(out, "{}", escaped(&page.about));
        out.push_str(".SH SYNOPSIS\n");
        let usages = pages.iter().flat_map(|page| &page.usage);
        let usages: Vec<String> = usages.map(|line| escaped(line)).collect();
        let _ = writeln!(out, "{}", usages.join("\n.br\n"));
        out.push_str(".SH DESCRIPTION\n");
        text(&mut out, &page.notes);
        out.push_str(".SH FLAGS OF AN IMAGE\n");
        for (heading, flags) in &page.groups {
            let _ = writeln!(out, ".SS {}", escaped(heading));
            entries(&mut out, flags);
        }
    }
    out.push_str(".SH SUBCOMMANDS\n");
    for page in pages.iter().filter(|page| !page.name.is_empty()) {
        let _ = writeln!(out, ".SS {}", page.name);
        text(&mut out, &page.about);
        entries(&mut out, &page.places);
        page.groups
            .iter()
            .for_each(|(_, flags)| entries(&mut out, flags));
        for example in &page.examples {
            let _ = writeln!(out, ".PP\n{}", escaped(example));
        }
        if !page.notes.is_empty() {
            out.push_str(".PP\n");
            text(&mut out, &page.notes);
        }
    }
    out.push_str(".SH EXIT STATUS\n");
    for (status, meaning) in STATUS {
        let _ = writeln!(out, ".TP\n.B {status}\n{meaning}");
    }
    out
}

fn entries(out: &mut String, entries: &[Entry]) {
    for entry in entries {
        let names: Vec<String> = entry.names.iter().map(|name| escaped(name)).collect();
        let _ = write!(out, ".TP\n\\fB{}\\fR", names.join("\\fR, \\fB"));
        if !entry.values.is_empty() {
            // A long list of words is broken at its bars.
            let _ = write!(out, " {}", escaped(&entry.values).replace('|', " | "));
        }
        out.push('\n');
        text(out, &entry.help);
    }
}

/// Lines of text.
fn text(out: &mut String, text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(out, "{}", escaped(line.trim()));
    }
}

/// Text without meaning for roff.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
