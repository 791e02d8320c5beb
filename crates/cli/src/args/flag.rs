//! What a flag is: its names, the values it takes, and what they do to the request `T` that it is part
//! of: [`Args`] for an image, the request of a subcommand otherwise.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{Args, Range, WholeRange};

/// Flags that belong together, under a heading of the help.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The flags, in the order of the help.
    pub flags: &'static [FlagSpec],
}

/// A flag of a command line that asks for images.
pub type FlagSpec = Flag<Args>;

/// One flag: the only place where it is defined.
#[derive(Debug)]
pub struct Flag<T: 'static> {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its values and what they do.
    pub takes: Takes<T>,
    /// Names of its values, for the help; empty where `takes` says enough.
    pub values: &'static str,
    /// What holds without it, for the help.
    pub default: Option<&'static str>,
    /// What it means, for the help.
    pub help: &'static str,
    /// The fields of an experiment that it is about, as [`nanobragg::Error::fields`] names them.
    pub fields: &'static [&'static str],
    /// It is accepted because documents of the C program show it, and changes nothing: warn.
    pub ignored: bool,
}

impl<T> Flag<T> {
    /// A flag that takes this, without aliases, a default to show or help.
    pub const fn new(name: &'static str, takes: Takes<T>) -> Self {
        Self {
            name,
            aliases: &[],
            takes,
            values: "",
            default: None,
            help: "",
            fields: &[],
            ignored: false,
        }
    }

    /// A flag without values.
    pub const fn switch(name: &'static str, set: fn(&mut T)) -> Self {
        Self::new(name, Takes::Switch(set))
    }

    /// A flag with the name of a file.
    pub const fn path(name: &'static str, set: fn(&mut T, PathBuf)) -> Self {
        Self::new(name, Takes::Path(set))
    }

    /// A flag with a number in this unit.
    pub const fn number(
        name: &'static str,
        unit: &'static str,
        range: Range,
        set: fn(&mut T, f64),
    ) -> Self {
        Self::new(name, Takes::Number(unit, range, set))
    }

    /// A flag with a whole number.
    pub const fn whole(name: &'static str, range: WholeRange, set: fn(&mut T, i64)) -> Self {
        Self::new(name, Takes::Whole(range, set))
    }

    /// The same flag with what it means, for the help.
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same flag with other names for it.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same flag with names for its values, blanks between them.
    pub const fn values(self, values: &'static str) -> Self {
        Self { values, ..self }
    }

    /// The same flag with what holds without it.
    pub const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// The same flag with the fields that errors about it name.
    pub const fn of(self, fields: &'static [&'static str]) -> Self {
        Self { fields, ..self }
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

    /// How many values it may have.
    pub fn count(&self) -> RangeInclusive<usize> {
        match self.takes {
            Takes::Switch(_) | Takes::Help | Takes::Version => 0..=0,
            Takes::Number(..)
            | Takes::Whole(..)
            | Takes::Text(_)
            | Takes::Path(_)
            | Takes::Part(..)
            | Takes::Word(..)
            | Takes::Float(_)
            | Takes::List(..) => 1..=1,
            Takes::OptionalWord(..) => 0..=1,
            Takes::Two(..) | Takes::TwoPaths(_) => 2..=2,
            Takes::Four(..) => 4..=4,
            Takes::Vector(_) => 3..=3,
            Takes::Words(_) => {
                let count = self.values.split(' ').count();
                count..=count
            }
            Takes::Cell(_) => 1..=6,
            Takes::Misset(_) => 1..=3,
        }
    }

    /// The values as a synopsis shows them, `<mm>`; empty if there are none.
    pub fn synopsis(&self) -> String {
        match &self.takes {
            Takes::Switch(_) | Takes::Help | Takes::Version => String::new(),
            _ if !self.values.is_empty() => format!("<{}>", self.values),
            Takes::Number(unit, ..) if !unit.is_empty() => format!("<{unit}>"),
            Takes::Number(..) | Takes::Words(_) | Takes::Float(_) | Takes::Text(_) => {
                "<value>".into()
            }
            Takes::Whole(..) | Takes::Two(..) | Takes::Four(..) => "<n>".into(),
            Takes::Path(_) => "<file>".into(),
            Takes::Part(..) => "<i/n>".into(),
            Takes::TwoPaths(_) => "<file> <file>".into(),
            Takes::Word(words, _) => words.join("|"),
            Takes::OptionalWord(words, _) => format!("[{}]", words.join("|")),
            Takes::List(..) => "<name[,name...]>".into(),
            Takes::Vector(_) => "<x y z>".into(),
            Takes::Cell(_) => "<a b c alpha beta gamma>".into(),
            Takes::Misset(_) => "<x y z>|random".into(),
        }
    }
}

/// The values of a flag, what is allowed for them, and what they do.
#[derive(Debug)]
pub enum Takes<T: 'static> {
    /// No value.
    Switch(fn(&mut T)),
    /// One number: its unit, as the help shows it, what is allowed, its effect.
    Number(&'static str, Range, fn(&mut T, f64)),
    /// One whole number.
    Whole(WholeRange, fn(&mut T, i64)),
    /// Two whole numbers.
    Two(WholeRange, fn(&mut T, [i64; 2])),
    /// Four whole numbers.
    Four(WholeRange, fn(&mut T, [i64; 4])),
    /// One word, checked by its effect, which says what is allowed, or what is wrong, if it is not that.
    Text(fn(&mut T, &str) -> Result<(), String>),
    /// As many words as the flag has names of values, each checked as one of `Text`. They may begin with
    /// a minus sign.
    Words(fn(&mut T, &str) -> Result<(), String>),
    /// A number without a range.
    Float(fn(&mut T, f64)),
    /// The name of a file.
    Path(fn(&mut T, PathBuf)),
    /// One word of a few.
    Word(&'static [&'static str], fn(&mut T, &'static str)),
    /// Some words of a few, with commas between them; the effect of each.
    List(&'static [&'static str], fn(&mut T, &'static str)),
    /// One word of a few, or none, which means the first of them.
    OptionalWord(&'static [&'static str], fn(&mut T, &'static str)),
    /// The names of two files.
    TwoPaths(fn(&mut T, [PathBuf; 2])),
    /// A part of a whole, as `2/5`: the most parts there may be, and the effect of part and parts.
    Part(i64, fn(&mut T, [i64; 2])),
    /// Three numbers, of any size.
    Vector(fn(&mut T, [f64; 3])),
    /// One to six numbers, none with a minus sign.
    Cell(fn(&mut T, Vec<f64>)),
    /// Three angles in degrees, or the word `random`, which is `None`.
    Misset(fn(&mut T, Option<[f64; 3]>)),
    /// Shows the help instead of running.
    Help,
    /// Shows the version instead of running.
    Version,
}

impl<T> Takes<T> {
    /// What is allowed, in words that end a sentence: `a number above 0 (mm)`.
    pub fn allowed(&self) -> String {
        match self {
            Self::Switch(_) | Self::Help | Self::Version => "no value".into(),
            Self::Number("", range, _) => range.to_string(),
            Self::Number(unit, range, _) => format!("{range} ({unit})"),
            Self::Whole(range, _) | Self::Two(range, _) | Self::Four(range, _) => range.to_string(),
            // Their effect tells.
            Self::Text(_) | Self::Words(_) | Self::Float(_) => String::new(),
            Self::Path(_) => "the name of a file".into(),
            Self::Part(most, _) => {
                format!("i/n with whole numbers, i from 1 to n, n up to {most}")
            }
            Self::TwoPaths(_) => "the names of two files".into(),
            Self::Word(words, _) | Self::OptionalWord(words, _) => words.join(" or "),
            Self::List(words, _) => format!("some of {}", words.join(", ")),
            Self::Vector(_) => "three numbers".into(),
            Self::Cell(_) => "one to six numbers, none negative (A and degrees)".into(),
            Self::Misset(_) => "three angles in degrees, or the word random".into(),
        }
    }
}
