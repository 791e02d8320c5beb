//! What completions and the manual say of a command: its flags and words, whatever request they make.

use nanobragg::{PRESETS, materials};

use crate::args::flag::{Flag, FlagSpec, Takes};
use crate::{args, help};

/// A command: an image, or a subcommand.
pub(crate) struct Page {
    /// The word after `nanoBragg`; empty for an image.
    pub(crate) name: &'static str,
    pub(crate) about: String,
    /// The usages, one per line.
    pub(crate) usage: Vec<String>,
    /// Words without a flag.
    pub(crate) places: Vec<Entry>,
    /// The flags under their headings.
    pub(crate) groups: Vec<(&'static str, Vec<Entry>)>,
    /// Command lines.
    pub(crate) examples: Vec<&'static str>,
    /// The text after the flags.
    pub(crate) notes: String,
    /// Whether flags may have two dashes.
    pub(crate) has_two_dashes: bool,
}

impl Page {
    /// The flags of all groups.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &Entry> {
        self.groups.iter().flat_map(|(_, flags)| flags)
    }
}

/// A flag, or a word without a flag.
pub(crate) struct Entry {
    /// The names of a flag, with one dash; the synopsis of a word.
    pub(crate) names: Vec<String>,
    /// The values in a synopsis; empty if there are none.
    pub(crate) values: String,
    pub(crate) help: String,
    /// The largest number of values.
    pub(crate) most: usize,
    pub(crate) offer: Offer,
}

/// What a value can be completed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Offer {
    /// Numbers and free text.
    Nothing,
    Files,
    Words(Vec<&'static str>),
    /// Words separated by commas.
    List(Vec<&'static str>),
}

impl Offer {
    /// Values that are named as `values` names them in a synopsis.
    pub(crate) fn named(values: &str) -> Self {
        let is_file = |name: &str| {
            let name = name.trim_matches(|c: char| !c.is_alphanumeric());
            ["FILE", "IMAGE", "PREFIX", "PROGRAM"].contains(&name)
        };
        match values.split(' ').count() {
            1 if is_file(values) => Self::Files,
            _ => Self::Nothing,
        }
    }

    /// The detectors that are known by name.
    pub(crate) fn detectors() -> Self {
        Self::Words(PRESETS.iter().map(|preset| preset.name).collect())
    }

    /// The materials that are known by name.
    pub(crate) fn materials() -> Self {
        Self::Words(materials::names().map(|entry| entry.name).collect())
    }

    fn of<T>(flag: &Flag<T>) -> Self {
        match flag.takes {
            Takes::Path(_) | Takes::TwoPaths(_) => Self::Files,
            Takes::Word(words, _) | Takes::OptionalWord(words, _) => Self::Words(words.to_vec()),
            Takes::List(words, _) => Self::List(words.to_vec()),
            Takes::WholeOrAuto(..) => Self::Words(vec!["auto"]),
            Takes::Misset(_) => Self::Words(vec!["random"]),
            Takes::Text(_) if flag.name == "detector" => Self::detectors(),
            _ if flag.file_in.is_some() => Self::Files,
            Takes::Text(_) => Self::named(flag.values),
            _ => Self::Nothing,
        }
    }
}

impl Entry {
    /// A flag of any command, with the text of its help.
    pub(crate) fn of_flag<T>(flag: &Flag<T>, help: String) -> Self {
        Self {
            names: flag.names().map(|name| format!("-{name}")).collect(),
            values: flag.synopsis(),
            help,
            most: *flag.count().end(),
            offer: Offer::of(flag),
        }
    }
}

/// The page of an image.
pub(crate) fn image() -> Page {
    let entry = |flag: &FlagSpec| Entry::of_flag(flag, help::meaning(flag));
    let groups = args::groups().into_iter();
    Page {
        name: "",
        about: help::ABOUT.to_owned(),
        usage: help::EXAMPLES.map(str::to_owned).to_vec(),
        places: Vec::new(),
        groups: groups
            .map(|group| (group.heading, group.flags.iter().map(entry).collect()))
            .collect(),
        examples: Vec::new(),
        notes: help::SPELLING.to_owned(),
        has_two_dashes: true,
    }
}
