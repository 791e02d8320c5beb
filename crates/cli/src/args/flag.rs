//! What a flag is: its names, the values it takes, and what they do to [`Args`].

use std::path::PathBuf;

use clap::builder::ValueRange;

use super::{Args, Misset, Range, WholeRange};

/// Flags that belong together, under a heading of the help.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The flags, in the order of the help.
    pub flags: &'static [FlagSpec],
}

/// One flag: the only place where it is defined.
#[derive(Debug)]
pub struct FlagSpec {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its values and what they do.
    pub takes: Takes,
    /// What holds without it, for the help.
    pub default: Option<&'static str>,
    /// What it means, for the help.
    pub help: &'static str,
    /// It is accepted because documents of the C program show it, and changes nothing: warn.
    pub ignored: bool,
}

impl FlagSpec {
    /// A flag without aliases or a default to show.
    pub const fn new(name: &'static str, takes: Takes, help: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            takes,
            default: None,
            help,
            ignored: false,
        }
    }

    /// The same flag with other names for it.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same flag with what holds without it.
    pub const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// The same flag, with a warning that it does nothing.
    pub const fn ignored(self) -> Self {
        Self {
            ignored: true,
            ..self
        }
    }

    /// Its name, then its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// The values of a flag, what is allowed for them, and what they do.
#[derive(Debug)]
pub enum Takes {
    /// No value.
    Switch(fn(&mut Args)),
    /// One number.
    Number {
        /// Its unit, as the help shows it.
        unit: &'static str,
        /// What is allowed.
        range: Range,
        /// Its effect.
        set: fn(&mut Args, f64),
    },
    /// One whole number.
    Whole {
        /// What is allowed.
        range: WholeRange,
        /// Its effect.
        set: fn(&mut Args, i64),
    },
    /// Two whole numbers.
    Two {
        /// Names of the numbers, as the help shows them.
        values: &'static str,
        /// What is allowed for each.
        range: WholeRange,
        /// Their effect.
        set: fn(&mut Args, [i64; 2]),
    },
    /// Four whole numbers.
    Four {
        /// Names of the numbers, as the help shows them.
        values: &'static str,
        /// What is allowed for each.
        range: WholeRange,
        /// Their effect.
        set: fn(&mut Args, [i64; 4]),
    },
    /// One word, checked by its effect.
    Text {
        /// The word, as the help shows it.
        value: &'static str,
        /// What is allowed, in words.
        allowed: &'static str,
        /// Its effect; `false` if the word is not allowed.
        set: fn(&mut Args, &str) -> bool,
    },
    /// The name of a file.
    Path(fn(&mut Args, PathBuf)),
    /// One word of a few.
    Word {
        /// The words allowed.
        words: &'static [&'static str],
        /// The effect of one.
        set: fn(&mut Args, &'static str),
    },
    /// Some words of a few, with commas between them.
    Words {
        /// The words allowed.
        words: &'static [&'static str],
        /// The effect of each.
        set: fn(&mut Args, &'static str),
    },
    /// One word of a few, or none, which means the first of them.
    OptionalWord {
        /// The words allowed.
        words: &'static [&'static str],
        /// The effect of one.
        set: fn(&mut Args, &'static str),
    },
    /// The names of two files.
    TwoPaths(fn(&mut Args, [PathBuf; 2])),
    /// A part of a whole, as `2/5`.
    Part {
        /// The most parts there may be.
        most: i64,
        /// The effect of the part and the number of parts.
        set: fn(&mut Args, [i64; 2]),
    },
    /// Three numbers, of any size.
    Vector(fn(&mut Args, [f64; 3])),
    /// One to six numbers, none with a minus sign.
    Cell(fn(&mut Args, Vec<f64>)),
    /// Three angles, or the word `random`.
    Misset(fn(&mut Args, Misset)),
    /// Shows the help instead of running.
    Help,
    /// Shows the version instead of running.
    Version,
}

impl Takes {
    /// How many values there may be.
    pub fn count(&self) -> ValueRange {
        match self {
            Self::Switch(_) | Self::Help | Self::Version => 0.into(),
            Self::Number { .. }
            | Self::Whole { .. }
            | Self::Text { .. }
            | Self::Path(_)
            | Self::Part { .. }
            | Self::Word { .. }
            | Self::Words { .. } => 1.into(),
            Self::OptionalWord { .. } => (0..=1).into(),
            Self::Two { .. } | Self::TwoPaths(_) => 2.into(),
            Self::Four { .. } => 4.into(),
            Self::Vector(_) => 3.into(),
            Self::Cell(_) => (1..=6).into(),
            Self::Misset(_) => (1..=3).into(),
        }
    }

    /// The values as a synopsis shows them, `<mm>`; empty if there are none.
    pub fn values(&self) -> String {
        match self {
            Self::Switch(_) | Self::Help | Self::Version => String::new(),
            Self::Number { unit: "", .. } => "<value>".into(),
            Self::Number { unit, .. } => format!("<{unit}>"),
            Self::Whole { .. } => "<n>".into(),
            Self::Two { values, .. } | Self::Four { values, .. } => format!("<{values}>"),
            Self::Text { value, .. } => format!("<{value}>"),
            Self::Path(_) => "<file>".into(),
            Self::Part { .. } => "<i/n>".into(),
            Self::TwoPaths(_) => "<file> <file>".into(),
            Self::Word { words, .. } => words.join("|"),
            Self::OptionalWord { words, .. } => format!("[{}]", words.join("|")),
            Self::Words { .. } => "<name[,name...]>".into(),
            Self::Vector(_) => "<x y z>".into(),
            Self::Cell(_) => "<a b c alpha beta gamma>".into(),
            Self::Misset(_) => "<x y z>|random".into(),
        }
    }

    /// What is allowed, in words that end a sentence: `a number above 0 (mm)`.
    pub fn allowed(&self) -> String {
        match self {
            Self::Switch(_) | Self::Help | Self::Version => "no value".into(),
            Self::Number {
                unit: "", range, ..
            } => range.to_string(),
            Self::Number { unit, range, .. } => format!("{range} ({unit})"),
            Self::Whole { range, .. } | Self::Two { range, .. } | Self::Four { range, .. } => {
                range.to_string()
            }
            Self::Text { allowed, .. } => (*allowed).into(),
            Self::Path(_) => "the name of a file".into(),
            Self::Part { most, .. } => {
                format!("i/n with whole numbers, i from 1 to n, n up to {most}")
            }
            Self::TwoPaths(_) => "the names of two files".into(),
            Self::Word { words, .. } | Self::OptionalWord { words, .. } => words.join(" or "),
            Self::Words { words, .. } => format!("some of {}", words.join(", ")),
            Self::Vector(_) => "three numbers".into(),
            Self::Cell(_) => "one to six numbers, none negative (A and degrees)".into(),
            Self::Misset(_) => "three angles in degrees, or the word random".into(),
        }
    }
}
