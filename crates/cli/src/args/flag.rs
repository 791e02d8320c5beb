//! The definition of a flag: names, values, and the effect on a request `T`. `T` is [`Args`] for an
//! image, and the request of the subcommand otherwise.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::{Args, Range, WholeRange};

/// Flags under one heading of the help.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The flags, in the order of the help.
    pub flags: &'static [FlagSpec],
}

/// A flag of a command line without subcommand.
pub type FlagSpec = Flag<Args>;

/// The byte at which the name of a file begins in the value with this place, from 0; `None` if there is none.
pub type FileIn = fn(usize, &str) -> Option<usize>;

/// One flag. Each flag is defined in one place only.
#[derive(Debug)]
pub struct Flag<T: 'static> {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Other names of the flag.
    pub aliases: &'static [&'static str],
    /// The values of the flag and their effect.
    pub takes: Takes<T>,
    /// Names of the values, for the help; empty where `takes` is enough.
    pub values: &'static str,
    /// The default, for the help.
    pub default: Option<&'static str>,
    /// The description, for the help.
    pub help: &'static str,
    /// The fields of an experiment that depend on the flag, as in [`nanobragg::Error::fields`].
    pub fields: &'static [&'static str],
    /// Values that are taken for something else, and for what: warn.
    pub replaced: Option<Replaced>,
    /// It is accepted because documents of the C program show it, and changes nothing: warn.
    pub ignored: bool,
    /// It adds to what it said before, instead of replacing it.
    pub adds: bool,
    /// Where the name of a file begins in a value, for values that are not the name of a file alone.
    pub file_in: Option<FileIn>,
}

impl<T> Flag<T> {
    /// A flag that takes `takes`, without aliases, default or help.
    pub const fn new(name: &'static str, takes: Takes<T>) -> Self {
        Self {
            name,
            aliases: &[],
            takes,
            values: "",
            default: None,
            help: "",
            fields: &[],
            replaced: None,
            ignored: false,
            adds: false,
            file_in: None,
        }
    }

    /// A flag without values.
    pub const fn switch(name: &'static str, set: fn(&mut T)) -> Self {
        Self::new(name, Takes::Switch(set))
    }

    /// A flag with a file name.
    pub const fn path(name: &'static str, set: fn(&mut T, PathBuf)) -> Self {
        Self::new(name, Takes::Path(set))
    }

    /// A flag with a number in `unit`.
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

    /// The same flag with a description for the help.
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same flag with aliases.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same flag with names of its values, separated by blanks.
    pub const fn values(self, values: &'static str) -> Self {
        Self { values, ..self }
    }

    /// The same flag with its default.
    pub const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// The same flag with the fields that depend on it.
    pub const fn of(self, fields: &'static [&'static str]) -> Self {
        Self { fields, ..self }
    }

    /// The same flag, with a warning where a value is taken for something else.
    pub const fn replaces(self, is_replaced: fn(f64) -> bool, by: &'static str) -> Self {
        Self {
            replaced: Some(Replaced { is_replaced, by }),
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

    /// The same flag, which may be given again and adds each time.
    pub const fn adds(self) -> Self {
        Self { adds: true, ..self }
    }

    /// The same flag, of whose values some have the name of a file.
    pub const fn files(self, file_in: FileIn) -> Self {
        Self {
            file_in: Some(file_in),
            ..self
        }
    }

    /// A value with the name of a file in it as seen from `folder`, if it has one.
    pub fn seen_from(&self, folder: &Path, place: usize, value: &OsStr) -> Option<OsString> {
        if matches!(self.takes, Takes::Path(_) | Takes::TwoPaths(_)) {
            return Some(folder.join(value).into_os_string());
        }
        let text = value.to_str()?;
        let (before, file) = text.split_at_checked(self.file_in?(place, text)?)?;
        let mut seen = OsString::from(before);
        seen.push(folder.join(file));
        Some(seen)
    }

    /// The name, then the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The allowed numbers of values.
    pub fn count(&self) -> RangeInclusive<usize> {
        match self.takes {
            Takes::Switch(_) | Takes::Help | Takes::Version => 0..=0,
            Takes::Number(..)
            | Takes::Whole(..)
            | Takes::WholeOrAuto(..)
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

    /// The values in a synopsis, `<mm>`; empty if there are none.
    pub fn synopsis(&self) -> String {
        match &self.takes {
            Takes::Switch(_) | Takes::Help | Takes::Version => String::new(),
            _ if !self.values.is_empty() => format!("<{}>", self.values),
            Takes::Number(unit, ..) if !unit.is_empty() => format!("<{unit}>"),
            Takes::Number(..) | Takes::Words(_) | Takes::Float(_) | Takes::Text(_) => {
                "<value>".into()
            }
            Takes::Whole(..) | Takes::Two(..) | Takes::Four(..) => "<n>".into(),
            Takes::WholeOrAuto(..) => "<n>|auto".into(),
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

/// Values of a flag that are taken for something else.
#[derive(Debug, Clone, Copy)]
pub struct Replaced {
    /// Whether a value is one of them.
    pub is_replaced: fn(f64) -> bool,
    /// What is made of it, in words that follow the flag and the value.
    pub by: &'static str,
}

impl Replaced {
    /// Values of 0 and below.
    pub const fn not_positive(value: f64) -> bool {
        value <= 0.0
    }

    /// Values below 0.
    pub const fn negative(value: f64) -> bool {
        value < 0.0
    }
}

/// The values of a flag, what is allowed for them, and what they do.
#[derive(Debug)]
pub enum Takes<T: 'static> {
    /// No value.
    Switch(fn(&mut T)),
    /// One number: its unit in the help, its range, its effect.
    Number(&'static str, Range, fn(&mut T, f64)),
    /// One whole number.
    Whole(WholeRange, fn(&mut T, i64)),
    /// One whole number, or the word `auto` (`None`).
    WholeOrAuto(WholeRange, fn(&mut T, Option<i64>)),
    /// Two whole numbers.
    Two(WholeRange, fn(&mut T, [i64; 2])),
    /// Four whole numbers.
    Four(WholeRange, fn(&mut T, [i64; 4])),
    /// One word. The effect checks the word; its error says what is allowed, or what is wrong.
    Text(fn(&mut T, &str) -> Result<(), String>),
    /// One word per name in `values`. The effect checks each word, as for `Text`. Words may begin with a
    /// minus sign.
    Words(fn(&mut T, &str) -> Result<(), String>),
    /// A number without a range.
    Float(fn(&mut T, f64)),
    /// A file name.
    Path(fn(&mut T, PathBuf)),
    /// One of a list of words.
    Word(&'static [&'static str], fn(&mut T, &'static str)),
    /// Words of a list, separated by commas; the effect of each.
    List(&'static [&'static str], fn(&mut T, &'static str)),
    /// One of a list of words; without a word, the first of the list.
    OptionalWord(&'static [&'static str], fn(&mut T, &'static str)),
    /// Two file names.
    TwoPaths(fn(&mut T, [PathBuf; 2])),
    /// A part of a whole, as `2/5`: the largest number of parts, and the effect of part and parts.
    Part(i64, fn(&mut T, [i64; 2])),
    /// Three numbers, of any size.
    Vector(fn(&mut T, [f64; 3])),
    /// One to six numbers, none with a minus sign.
    Cell(fn(&mut T, Vec<f64>)),
    /// Three angles in degrees, or the word `random` (`None`).
    Misset(fn(&mut T, Option<[f64; 3]>)),
    /// Shows the help and ends.
    Help,
    /// Shows the version and ends.
    Version,
}

impl<T> Takes<T> {
    /// The allowed values, as the end of a sentence: `a number above 0 (mm)`.
    pub fn allowed(&self) -> String {
        match self {
            Self::Switch(_) | Self::Help | Self::Version => "no value".into(),
            Self::Number("", range, _) => range.to_string(),
            Self::Number(unit, range, _) => format!("{range} ({unit})"),
            Self::Whole(range, _) | Self::Two(range, _) | Self::Four(range, _) => range.to_string(),
            Self::WholeOrAuto(range, _) => format!("{range}, or the word auto"),
            // The effect of these flags has its own message.
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
