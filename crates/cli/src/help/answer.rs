//! `nanoBragg help`: topics, subcommands and flags.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use super::topics::{TOPICS, Topic};
use super::{columns, describe, examples, paragraph, short, text};
use crate::args::flag::{FlagSpec, Group};
use crate::args::{find, flags, groups};
use crate::argv::most_alike;
use crate::shell::{Offer, Page, first_sentence, names_of_commands};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of};

/// The word for the complete help.
const ALL: &str = "all";

/// The smallest similarity of two names (Jaro-Winkler, at most 1) for a suggestion.
const ALIKE: f64 = 0.75;

/// Carries out the words after `nanoBragg help`; returns the text.
///
/// # Errors
/// [`ToolError`] for wrong words, with the most similar one.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    // A word with a dash is a flag to be explained, and no flag of this command.
    let asks_for_itself = |word: &OsString| ["-h", "-help", "--help"].iter().any(|own| word == own);
    if let [word] = words
        && !asks_for_itself(word)
    {
        return about(&word.to_string_lossy()).map_err(|fault| ToolError::Usage {
            tool: TOOL.name,
            fault,
        });
    }
    match command_of(&TOOL, words)? {
        Command::Run(()) => Ok(list()),
        Command::Show(text) => Ok(text),
    }
}

/// The text about a topic or a flag. A flag may have dashes, and then it is no topic.
///
/// # Errors
/// A sentence with the most similar name.
fn about(word: &str) -> Result<String, String> {
    let name = word.trim_start_matches('-');
    if name == word {
        if name == ALL {
            return Ok(text());
        }
        let mut topics = TOPICS.iter();
        if let Some(topic) = topics.find(|topic| topic.name.eq_ignore_ascii_case(name)) {
            return Ok(of_topic(topic));
        }
    }
    find(name).map(of_flag).ok_or_else(|| unknown(word, name))
}

fn unknown(word: &str, name: &str) -> String {
    let lower = name.to_lowercase();
    let topics = TOPICS.iter().map(|topic| topic.name);
    let names = topics
        .chain(names_of_commands())
        .chain(flags().flat_map(FlagSpec::names));
    let alike = |known: &str| strsim::jaro_winkler(&lower, &known.to_lowercase());
    match most_alike(names, alike, ALIKE) {
        Some(near) => format!("there is no help on {word}, but on {near}"),
        None => format!("there is no help on {word}; nanoBragg help lists the topics"),
    }
}

/// What may have been meant by a first word that is neither a flag nor a subcommand; empty if nothing is like it.
pub fn advice(word: &str) -> String {
    if Path::new(word).is_file() {
        return format!("; nanoBragg new {word} makes an experiment of a structure");
    }
    let alike = |known: &str| strsim::jaro_winkler(&word.to_lowercase(), known);
    let nearest = most_alike(names_of_commands(), alike, ALIKE);
    nearest.map_or_else(String::new, |near| {
        format!("; did you mean nanoBragg {near}?")
    })
}

/// The topics, and what else can be asked for.
fn list() -> String {
    let mut out = String::from("nanoBragg help TOPIC\n\n");
    let rows = TOPICS
        .iter()
        .map(|topic| (topic.name.to_owned(), topic.about.to_owned()));
    columns(&mut out, 2, &rows.collect::<Vec<_>>());
    out.push_str("\nnanoBragg help -distance explains a flag, nanoBragg help hkl a subcommand. All flags: nanoBragg help all\n");
    out
}

fn of_topic(topic: &Topic) -> String {
    let mut out = format!("{}: {}\n\n{}\n\n", topic.name, topic.about, topic.text);
    let specs = topic.flags.iter().filter_map(|name| find(name));
    let rows = specs.map(|spec| (short(spec), first_sentence(spec.help).to_owned()));
    columns(&mut out, 2, &rows.collect::<Vec<_>>());
    out.push_str(&examples(topic.examples));
    let _ = writeln!(out, "\nMore: {}", topic.page);
    out
}

fn of_flag(flag: &'static FlagSpec) -> String {
    let mut out = String::new();
    describe(&mut out, flag);
    let mut groups = groups().into_iter();
    let has_it = |group: &&Group| group.flags.iter().any(|spec| std::ptr::eq(spec, flag));
    if let Some(group) = groups.find(has_it) {
        paragraph(&mut out, &format!("\nGroup: {}", group.heading));
    }
    let names = TOPICS
        .iter()
        .filter(|topic| topic.flags.contains(&flag.name))
        .map(|topic| topic.name);
    let names: Vec<&str> = names.collect();
    if !names.is_empty() {
        paragraph(
            &mut out,
            &format!("More: nanoBragg help {}", names.join(", ")),
        );
    }
    out
}

/// The page of the command.
pub(crate) fn page() -> Page {
    let topics = TOPICS.iter().map(|topic| topic.name);
    TOOL.page(Offer::Words(topics.chain([ALL]).collect()))
}

static TOOL: Tool<()> = Tool {
    name: "help",
    about: "Explains a topic or a flag, and lists the topics.",
    usage: &["nanoBragg help [TOPIC | -FLAG | SUBCOMMAND | all]"],
    places: &[Place {
        name: "TOPIC",
        synopsis: "[TOPIC]",
        is_rest: false,
        set: |(), _| {},
        help: "The name of a topic, a flag or a subcommand; all for all flags",
    }],
    flags: &[],
    examples: &[
        "nanoBragg help",
        "nanoBragg help noise",
        "nanoBragg help -distance",
    ],
    notes: "",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_short_and_their_flags_exist() {
        for topic in TOPICS {
            for name in topic.flags {
                let flag = find(name).map(|spec| spec.name);
                assert_eq!(flag, Some(*name), "{}", topic.name);
            }
            assert!(
                (3..=10).contains(&topic.text.lines().count()),
                "{}",
                topic.name
            );
            for line in of_topic(topic)
                .lines()
                .filter(|line| !line.starts_with("  nanoBragg "))
            {
                assert!(line.chars().count() <= 110, "{line}");
            }
        }
    }
}
