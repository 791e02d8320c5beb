//! The texts of `nanoBragg -help` and `nanoBragg help`, from the tables of flags.

use std::fmt::Write as _;

use crate::args::flag::{FlagSpec, Takes};
use crate::args::{Range, find, groups};
use crate::shell::{first_sentence, pages};

mod answer;
mod topics;

pub(crate) use answer::page;
pub use answer::{advice, from_words};

/// Width of the text.
const WIDTH: usize = 88;
/// Indent of the explanation of a flag.
const INDENT: &str = "        ";

/// The purpose of the program.
pub(crate) const ABOUT: &str =
    "absolute X-ray scattering of a small perfect crystal onto an area detector";

/// Command lines that render an image.
pub(crate) const EXAMPLES: [&str; 3] = [
    "nanoBragg -mat A.mat -hkl P1.hkl -distance 2500",
    "nanoBragg -cell 74 74 36 90 90 90 -misset 10 20 30 -default_F 100 -N 10",
    "nanoBragg -experiment protein.toml -pngfile protein.png -pngscale sqrt",
];

/// How flags are typed.
pub(crate) const SPELLING: &str = "\
A flag may be typed with one dash or two, its value after a blank or (two dashes) an
equals sign. Of flags that say the same thing the last one wins.
";

/// The flags that most command lines have, by subject.
const USED_MOST: [(&str, &[&str]); 5] = [
    ("crystal", &["pdb", "hkl", "cell", "misset", "N", "mosaic"]),
    ("beam", &["lambda", "flux", "background"]),
    ("detector", &["detector", "distance"]),
    ("rotation", &["osc"]),
    ("output", &["noisefile", "pngfile", "plan"]),
];

/// The purpose of the program, and command lines.
fn head() -> String {
    let examples = EXAMPLES.join("\n       ");
    format!(
        "nanoBragg {}: {ABOUT}\n\nusage: {examples}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The subcommands with what they do.
fn subcommands(out: &mut String) {
    out.push_str("\nSubcommands (nanoBragg hkl -help tells of hkl)\n");
    for page in pages().iter().filter(|page| !page.name.is_empty()) {
        let name = format!("nanoBragg {}", page.name);
        let _ = writeln!(out, "  {name:<23}{}", first_clause(&page.about, WIDTH - 25));
    }
}

/// The short help: command lines, the flags used most, subcommands and topics.
pub fn brief() -> String {
    let mut out = head();
    out.push_str("\nFlags used most, of more than two hundred\n");
    for (subject, names) in USED_MOST {
        for (i, spec) in names.iter().filter_map(|name| find(name)).enumerate() {
            let subject = if i == 0 { subject } else { "" };
            let flag = short(spec);
            let column = 12 + flag.len().max(31) + 1;
            let meaning = first_clause(spec.help, WIDTH - column);
            let _ = writeln!(out, "  {subject:<10}{flag:<31} {meaning}");
        }
    }
    subcommands(&mut out);
    let names: Vec<&str> = topics::TOPICS.iter().map(|topic| topic.name).collect();
    out.push_str("\nMore\n");
    let rows = [
        ("nanoBragg help TOPIC", names.join(", ")),
        ("nanoBragg help -FLAG", "one flag".to_owned()),
        (
            "nanoBragg help all",
            "all flags with units, defaults and aliases".to_owned(),
        ),
    ];
    columns(
        &mut out,
        2,
        &rows.map(|(name, meaning)| (name.to_owned(), meaning)),
    );
    out
}

/// The beginning of a description, up to a colon or semicolon, and up to a comma if it has more than `room` bytes.
fn first_clause(text: &str, room: usize) -> &str {
    let text = first_sentence(text);
    let text = text.split([':', ';']).next().unwrap_or(text);
    match text.split_once(", ") {
        Some((clause, _)) if text.len() > room => clause,
        _ => text,
    }
}

/// The complete help: the purpose of the program, then all flags by group.
pub fn text() -> String {
    let mut out = head();
    subcommands(&mut out);
    let _ = write!(out, "\n{SPELLING}");
    for group in groups() {
        let _ = write!(out, "\n{}\n", group.heading);
        for spec in group.flags {
            describe(&mut out, spec);
        }
    }
    out
}

/// The name of a flag and its values.
fn short(spec: &FlagSpec) -> String {
    format!("-{} {}", spec.name, spec.synopsis())
        .trim_end()
        .to_owned()
}

/// Two or more lines for one flag: names and values, then description, default and range.
fn describe(out: &mut String, spec: &FlagSpec) {
    let names: Vec<String> = spec.names().map(|name| format!("-{name}")).collect();
    let values = spec.synopsis();
    let gap = if values.is_empty() { "" } else { " " };
    let synopsis = format!("{}{gap}{values}", names.join(", "));
    // Alternatives are wrapped at their bars, so that a long list of words does not give a long line.
    for (i, line) in wrapped(&synopsis.replace('|', " | "), WIDTH - INDENT.len())
        .iter()
        .enumerate()
    {
        let _ = writeln!(out, "{}{line}", if i == 0 { "  " } else { INDENT });
    }

    for line in wrapped(&meaning(spec), WIDTH - INDENT.len()) {
        let _ = writeln!(out, "{INDENT}{line}");
    }
}

/// Description, default and range of a flag.
pub(crate) fn meaning(spec: &FlagSpec) -> String {
    let mut notes = Vec::new();
    if let Some(default) = spec.default {
        notes.push(format!("default {default}"));
    }
    if excludes_something(&spec.takes) {
        notes.push(spec.takes.allowed());
    }
    match notes.is_empty() {
        true => spec.help.to_owned(),
        false => format!("{} [{}]", spec.help, notes.join("; ")),
    }
}

/// Whether the range excludes values of the right kind, so that the help should state it.
fn excludes_something<T>(takes: &Takes<T>) -> bool {
    match takes {
        Takes::Number(_, range, _) => *range != Range::Any,
        Takes::Whole(range, _)
        | Takes::WholeOrAuto(range, _)
        | Takes::Two(range, _)
        | Takes::Four(range, _) => range.least != i64::MIN,
        // The synopsis is enough.
        _ => false,
    }
}

/// `text` wrapped at blanks to lines of at most `width` characters; longer words are not cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Width of the help of a subcommand.
const TOOL_WIDTH: usize = 100;

/// Names and descriptions in two columns, with an indent of `indent` blanks. The descriptions are under
/// the names if the names are long.
pub(crate) fn columns(out: &mut String, indent: usize, rows: &[(String, String)]) {
    let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let column = indent + widest + 2;
    let room = TOOL_WIDTH.saturating_sub(column);
    let is_long = |(_, meaning): &(String, String)| meaning.len() > room;
    let is_under = column > MOST_NAMES && rows.iter().any(is_long);
    let column = if is_under { UNDER } else { column };
    for (name, meaning) in rows {
        let _ = write!(out, "{:indent$}", "");
        let _ = match is_under {
            true => write!(out, "{name}\n{:UNDER$}", ""),
            false => write!(out, "{name:<widest$}  "),
        };
        let lines = wrapped(meaning, TOOL_WIDTH - column);
        let gap = format!("\n{:column$}", "");
        let _ = writeln!(out, "{}", lines.join(&gap));
    }
}

/// Largest width of the column of names.
const MOST_NAMES: usize = 40;

/// Indent of a description under its name.
const UNDER: usize = 10;

/// Command lines under a heading.
pub(crate) fn examples(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("\nExamples:\n{lines}")
}

/// A line of text, wrapped if it is too long.
pub(crate) fn paragraph(out: &mut String, line: &str) {
    if line.len() <= TOOL_WIDTH {
        let _ = writeln!(out, "{line}");
        return;
    }
    for line in wrapped(line, TOOL_WIDTH) {
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_and_alias_is_listed() {
        let help = text();
        let listed: Vec<&str> = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-'))
            .flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with('-')))
            .collect();
        for group in groups() {
            for name in group.flags.iter().flat_map(FlagSpec::names) {
                assert!(listed.contains(&format!("-{name}").as_str()), "-{name}");
            }
        }
    }

    #[test]
    fn the_short_help_has_the_flags_used_most() {
        let help = brief();
        for name in USED_MOST.iter().flat_map(|(_, names)| *names) {
            let flag = find(name).map(|spec| spec.name);
            assert_eq!(flag, Some(*name));
            assert!(
                help.contains(&format!(" -{name} <")) || help.contains(&format!(" -{name} [")),
                "{name}"
            );
        }
        for line in help.lines() {
            assert!(line.chars().count() <= TOOL_WIDTH, "{line}");
        }
    }

    #[test]
    fn units_defaults_and_ranges_are_shown() {
        let help = text();
        assert!(help.contains("  -pixel <mm>\n"));
        assert!(help.contains("[default 0.1; a number above 0 (mm)]"));
        assert!(!help.contains("any finite number"));
    }

    #[test]
    fn lines_fit_the_page() {
        for line in text().lines().skip(1) {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }
}
