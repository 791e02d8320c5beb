//! The parts shared by all subcommands: a table of flags and words, the parser, and the help.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use nanobragg::io::Output;

use crate::args::apply;
use crate::args::flag::{Flag, Takes};
use crate::argv::{most_alike, name_and_value};
pub use crate::error::ToolError;
use crate::help;
use crate::shell::{Entry, Offer, Page};

/// The smallest similarity of two names (Jaro, at most 1) for a suggestion.
const ALIKE: f64 = 0.7;

/// A subcommand, whose words make a request `T`. Each of its flags may be given once, unlike the flags
/// of an image.
pub(crate) struct Tool<T: 'static> {
    pub(crate) name: &'static str,
    /// The description, for the help.
    pub(crate) about: &'static str,
    /// The usages, one per line.
    pub(crate) usage: &'static [&'static str],
    /// Words without a flag, in order.
    pub(crate) places: &'static [Place<T>],
    /// The flags, in the order of the help.
    pub(crate) flags: &'static [Flag<T>],
    /// Command lines that make sense as they are.
    pub(crate) examples: &'static [&'static str],
    /// The text of the help after the flags.
    pub(crate) notes: &'static str,
    /// Flags and places that may be given several times.
    pub(crate) many: &'static [&'static str],
    /// One of each list is required; flags come before places.
    pub(crate) required: &'static [&'static [&'static str]],
    /// A flag or place that needs another one.
    pub(crate) needs: &'static [(&'static str, &'static str)],
    /// A flag or place, and those that it excludes.
    pub(crate) excludes: &'static [(&'static str, &'static [&'static str])],
}

/// A word without a flag.
pub(crate) struct Place<T> {
    pub(crate) name: &'static str,
    /// The name in a synopsis.
    pub(crate) synopsis: &'static str,
    /// Whether the place takes all words after `--`.
    pub(crate) is_rest: bool,
    /// The effect of the word.
    pub(crate) set: fn(&mut T, OsString),
    /// The description, for the help.
    pub(crate) help: &'static str,
}

/// A flag, and the value after an equals sign.
type FlagWord<T> = (&'static Flag<T>, Option<OsString>);

/// The command in the words after a subcommand.
#[derive(Debug, Clone, PartialEq)]
pub enum Command<T> {
    /// Show the help.
    Show(String),
    /// Carry out this request.
    Run(T),
}

impl<T> Command<T> {
    /// The same command with a request made by `make`.
    ///
    /// # Errors
    /// The errors of `make`.
    pub(crate) fn try_map<U, E>(
        self,
        make: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Command<U>, E> {
        match self {
            Self::Show(text) => Ok(Command::Show(text)),
            Self::Run(request) => make(request).map(Command::Run),
        }
    }
}

impl<T: Default> Tool<T> {
    /// Parses the words after the subcommand.
    ///
    /// # Errors
    /// The first wrong word, or else the missing arguments.
    pub(crate) fn read(
        &'static self,
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Command<T>, String> {
        let refused = |fault: String| one_line(&fault);
        let mut request = T::default();
        let mut given: Vec<&'static str> = Vec::new();
        let mut words = words.into_iter().peekable();
        let mut flags_end = false;
        while let Some(word) = words.next() {
            if !flags_end && word == "--" {
                flags_end = true;
                continue;
            }
            if flags_end || !begins_a_flag(&word) {
                let has_rest = self.places.iter().any(|place| place.is_rest);
                let mut places = self.places.iter();
                let place = places.find(|place| match flags_end && has_rest {
                    true => place.is_rest,
                    false => {
                        !place.is_rest
                            && (!given.contains(&place.name) || self.many.contains(&place.name))
                    }
                });
                let place = place.ok_or_else(|| refused(unexpected(&word.to_string_lossy())))?;
                (place.set)(&mut request, word);
                if !given.contains(&place.name) {
                    given.push(place.name);
                }
                continue;
            }
            let (spec, attached) = match self.flag(&word) {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(Command::Show(self.help())),
                Err(fault) => return Err(refused(fault)),
            };
            let wanted = *spec.count().end();
            let mut values: Vec<OsString> = attached.into_iter().collect();
            if let (Some(value), 0) = (values.first(), wanted) {
                return Err(refused(no_value(&value.to_string_lossy(), spec.name)));
            }
            if values.is_empty() {
                while values.len() < wanted
                    && let Some(word) = words.next_if(|word| is_value(spec, word))
                {
                    values.push(word);
                }
                // After a flag without its value, an unknown flag is the more helpful error.
                if let Some(next) = words
                    .peek()
                    .filter(|next| begins_a_flag(next) && *next != "--")
                    && let Err(fault) = self.flag(next)
                {
                    return Err(refused(fault));
                }
            }
            self.take(spec, &values, &mut request).map_err(refused)?;
            if given.contains(&spec.name) && !self.many.contains(&spec.name) {
                let label = label(spec);
                let fault = format!("the argument '{label}' cannot be used multiple times");
                return Err(refused(fault));
            }
            if !given.contains(&spec.name) {
                given.push(spec.name);
            }
        }
        self.check(&given).map_err(refused)?;
        Ok(Command::Run(request))
    }

    /// The flag in a word, with its attached value; `None` for the help.
    fn flag(&self, word: &OsStr) -> Result<Option<FlagWord<T>>, String> {
        let text = word.to_string_lossy();
        let Some((name, attached)) = name_and_value(word) else {
            return Err(unexpected(&text));
        };
        if name == "help" || text == "-h" {
            return match attached {
                Some(value) => Err(no_value(&value.to_string_lossy(), "help")),
                None => Ok(None),
            };
        }
        let names = || self.flags.iter().flat_map(Flag::names);
        let mut flags = self.flags.iter();
        let found = flags.find(|spec| spec.names().any(|known| known == name));
        let is_long =
            text.starts_with("--") || name.len() > 1 && name.starts_with(char::is_alphabetic);
        if found.is_none() && !is_long {
            return Err(unexpected(&text.chars().take(2).collect::<String>()));
        }
        match found {
            Some(spec) => Ok(Some((spec, attached))),
            None => Err(match nearest(&name, names().chain(["help"])) {
                Some(near) => format!(
                    "unexpected argument '--{name}' found: a similar argument exists: '--{near}'"
                ),
                None => unexpected(&format!("--{name}")),
            }),
        }
    }

    /// Applies the values of a flag to the request.
    ///
    /// # Errors
    /// A sentence about the values.
    pub(crate) fn take(
        &self,
        spec: &'static Flag<T>,
        values: &[OsString],
        request: &mut T,
    ) -> Result<(), String> {
        let (label, possible) = (label(spec), possible(spec));
        let wanted = *spec.count().end();
        let takes_text = matches!(
            spec.takes,
            Takes::Text(_) | Takes::Words(_) | Takes::Float(_)
        );
        let is_empty = values.iter().any(|value| value.is_empty()) && !takes_text;
        if wanted > 0 && (values.is_empty() || is_empty) {
            return Err(format!(
                "a value is required for '{label}' but none was supplied{possible}"
            ));
        }
        if values.len() < wanted {
            let were = if values.len() == 1 { "was" } else { "were" };
            let found = values.len();
            return Err(format!(
                "{wanted} values required for '{label}' but {found} {were} provided"
            ));
        }
        apply(spec, values, request).map_err(|error| match (error, &spec.takes) {
            (crate::Error::NotAllowed { value, .. }, Takes::Word(words, _)) => {
                let value = value.to_string_lossy();
                let near = match nearest(&value, words.iter().copied()) {
                    Some(near) => format!(": a similar value exists: '{near}'"),
                    None => String::new(),
                };
                format!("invalid value '{value}' for '{label}'{possible}{near}")
            }
            (crate::Error::NotAllowed { value, allowed, .. }, _) => {
                let value = value.to_string_lossy();
                format!("invalid value '{value}' for '{label}': {allowed}")
            }
            (error, _) => error.to_string(),
        })
    }

    /// Refuses arguments that exclude each other, and missing arguments.
    fn check(&self, given: &[&'static str]) -> Result<(), String> {
        let clash = |one: &str, other: &str| {
            let mut excludes = self.excludes.iter();
            excludes.any(|(flag, others)| {
                (*flag == one && others.contains(&other))
                    || (*flag == other && others.contains(&one))
            })
        };
        for one in given {
            let others = given.iter().filter(|other| clash(one, other));
            let others: Vec<String> = others.map(|other| self.label(other)).collect();
            let label = self.label(one);
            match others.as_slice() {
                [] => {}
                [other] => {
                    return Err(format!(
                        "the argument '{label}' cannot be used with '{other}'"
                    ));
                }
                others => {
                    let others = others.join(" ");
                    return Err(format!(
                        "the argument '{label}' cannot be used with: {others}"
                    ));
                }
            }
        }
        let is_ruled_out = |name: &&str| given.iter().any(|other| clash(name, other));
        let needs = self
            .needs
            .iter()
            .filter(|(flag, needed)| given.contains(flag) && !given.contains(needed));
        let needed: Vec<&str> = needs.map(|(_, needed)| *needed).collect();
        let lists = self.required.iter().filter(|names| {
            !names
                .iter()
                .any(|name| given.contains(name) || is_ruled_out(name))
        });
        let lists: Vec<_> = lists.collect();
        if lists.is_empty() && needed.iter().all(is_ruled_out) {
            return Ok(());
        }
        let is_place = |name: &str| self.places.iter().any(|place| place.name == name);
        let mut missing = Vec::new();
        let (places, flags): (Vec<&str>, Vec<&str>) =
            needed.into_iter().partition(|name| is_place(name));
        missing.extend(flags.into_iter().map(|name| self.label(name)));
        for names in lists {
            let labels = names.iter().map(|name| match is_place(name) {
                true => self.label(name).replace('[', "<").replace(']', ">"),
                false => self.label(name),
            });
            let labels: Vec<String> = labels.collect();
            missing.push(match labels.as_slice() {
                [label] => label.clone(),
                several => format!("<{}>", several.join("|")),
            });
        }
        let places = places.into_iter().map(|name| self.label(name));
        missing.extend(places.map(|label| label.replace('[', "<").replace(']', ">")));
        let missing = missing.join(" ");
        Err(format!(
            "the following required arguments were not provided: {missing}"
        ))
    }

    /// A flag or place in messages.
    fn label(&self, name: &str) -> String {
        let spec = self.flags.iter().find(|spec| spec.name == name);
        let place = self.places.iter().find(|place| place.name == name);
        match (spec, place) {
            (Some(spec), _) => label(spec),
            (None, Some(place)) => place.synopsis.to_owned(),
            (None, None) => name.to_owned(),
        }
    }

    /// The page of the tool. Words without a flag are completed to `places`.
    pub(crate) fn page(&self, places: Offer) -> Page {
        let place = |place: &Place<T>| Entry {
            names: vec![place.synopsis.to_owned()],
            values: String::new(),
            help: place.help.to_owned(),
            most: 0,
            offer: places.clone(),
        };
        let flags = self.flags.iter();
        Page {
            name: self.name,
            about: self.about.to_owned(),
            usage: self.usage.iter().map(ToString::to_string).collect(),
            places: self.places.iter().map(place).collect(),
            groups: vec![(
                "",
                flags
                    .map(|flag| Entry::of_flag(flag, meaning(flag)))
                    .collect(),
            )],
            examples: self.examples.to_vec(),
            notes: self.notes.to_owned(),
            has_two_dashes: true,
        }
    }

    pub(crate) fn help(&self) -> String {
        let usage = self.usage.join("\n       ");
        let mut out = format!("{}\n\nUsage: {usage}\n", self.about);
        let places = self.places.iter();
        let places: Vec<_> = places
            .map(|place| (place.synopsis.to_owned(), place.help.to_owned()))
            .collect();
        if !places.is_empty() {
            out.push_str("\nArguments:\n");
            help::columns(&mut out, 2, &places);
        }
        let flags = self
            .flags
            .iter()
            .map(|spec| (format!("    {}", label(spec)), meaning(spec)));
        let flags: Vec<_> = flags
            .chain([("-h, --help".to_owned(), "Print help".to_owned())])
            .collect();
        out.push_str("\nOptions:\n");
        help::columns(&mut out, 2, &flags);
        out.push_str(&help::examples(self.examples));
        out.push('\n');
        for line in self.notes.lines() {
            help::paragraph(&mut out, line);
        }
        out
    }
}

/// Description, default and words of a flag.
fn meaning<T>(spec: &Flag<T>) -> String {
    let default = spec.default.map(|default| format!(" [default: {default}]"));
    format!(
        "{}{}{}",
        spec.help,
        default.unwrap_or_default(),
        possible(spec)
    )
}

/// A flag with its values in messages: `--size <FAST> <SLOW>`.
fn label<T>(spec: &Flag<T>) -> String {
    let values = spec.values.split(' ').filter(|value| !value.is_empty());
    let values: String = values.map(|value| format!(" <{value}>")).collect();
    let dashes = if spec.name.len() == 1 { "-" } else { "--" };
    format!("{dashes}{}{values}", spec.name)
}

/// The allowed words of a flag, in brackets.
fn possible<T>(spec: &Flag<T>) -> String {
    match spec.takes {
        Takes::Word(words, _) => format!(" [possible values: {}]", words.join(", ")),
        _ => String::new(),
    }
}

fn unexpected(word: &str) -> String {
    format!("unexpected argument '{word}' found")
}

fn no_value(value: &str, name: &str) -> String {
    format!("unexpected value '{value}' for '--{name}' found; no more were expected")
}

/// The name most similar to `word`, if the similarity is above [`ALIKE`].
fn nearest(word: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    most_alike(names, |known| strsim::jaro(word, known), ALIKE)
}

/// Whether a word has the form of a flag, known or not; `-` alone is a file.
fn begins_a_flag(word: &OsStr) -> bool {
    word.len() > 1 && word.as_encoded_bytes().starts_with(b"-")
}

/// Whether a word is a value of the flag before it.
fn is_value<T>(spec: &Flag<T>, word: &OsStr) -> bool {
    let is_number = || {
        let digits = word.to_str().and_then(|text| text.strip_prefix('-'));
        digits.is_some_and(|digits| {
            // Numbers can be separated by commas.
            digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && digits
                    .split(',')
                    .all(|number| number.parse::<f64>().is_ok())
        })
    };
    !begins_a_flag(word) || (matches!(spec.takes, Takes::Words(_) | Takes::Float(_)) && is_number())
}

/// A message on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number of a flag of a subcommand.
pub(crate) fn number(word: &str) -> Result<f64, String> {
    word.parse().map_err(|_| "a number".to_owned())
}

/// A whole number from 1 to `most`.
pub(crate) fn count(word: &str, most: u32) -> Result<u32, String> {
    let count = word.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("a whole number from 1 to {most}"))
}

/// The command in the words of a subcommand that is a tool.
pub(crate) fn command_of<T: Default>(
    tool: &'static Tool<T>,
    words: &[OsString],
) -> Result<Command<T>, ToolError> {
    let usage = |fault| ToolError::Usage {
        tool: tool.name,
        fault,
    };
    tool.read(words.iter().cloned()).map_err(usage)
}

/// Writes a complete file or none; an input is not overwritten.
pub(crate) fn write_file(path: &Path, bytes: &[u8], inputs: &[&Path]) -> Result<(), ToolError> {
    let place = |path: &Path| path.canonicalize().ok();
    let here = place(path).filter(|here| here.is_file());
    if here.is_some() && inputs.iter().any(|input| place(input) == here) {
        return Err(ToolError::OverInput {
            path: path.to_owned(),
        });
    }
    let mut output = Output::create(path)?;
    std::io::Write::write_all(&mut output, bytes).map_err(nanobragg::io::Error::from)?;
    output.commit()?;
    Ok(())
}
