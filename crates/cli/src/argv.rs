//! From the words of a command line to flags in the order typed.
//!
//! `-flag` and `--flag` are the same; negative numbers are values, never flags. A word counts as a
//! value as long as the flag before it wants one, except that the name of a flag there means that
//! a value was forgotten.
//!
//! clap counts the values and refuses what it does not know, once the words are written its way.

use std::ffi::{OsStr, OsString};

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::args::flag::{FlagSpec, Takes};
use crate::args::{find, flags};
use crate::{Error, help};

/// How alike two names must be (Jaro and Winkler's measure, at most 1) for one to be suggested.
const ALIKE: f64 = 0.8;

/// A flag as it stood on the command line.
#[derive(Debug)]
pub struct Given {
    /// Which flag.
    pub spec: &'static FlagSpec,
    /// The words after it that belong to it.
    pub words: Vec<OsString>,
}

/// A command line, read as far as its spelling goes.
#[derive(Debug)]
pub enum Spelled {
    /// Flags in the order typed.
    Flags(Vec<Given>),
    /// The text to show instead of a run: help or version.
    Show(String),
}

/// Reads the words after the program's name.
///
/// # Errors
/// An unknown flag, a stray word, or a flag with too few or too many values.
pub fn parse<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Spelled, Error> {
    let words = spelled_for_clap(words.into_iter().map(Into::into).collect())?;
    let matches = match command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return explain(error),
    };
    let mut given = Vec::new();
    for spec in flags() {
        let (Some(places), Some(occurrences)) = (
            matches.indices_of(spec.name),
            matches.get_raw_occurrences(spec.name),
        ) else {
            continue;
        };
        let mut places = places;
        for occurrence in occurrences {
            let words: Vec<OsString> = occurrence.map(OsStr::to_owned).collect();
            let place = places.next();
            places
                .by_ref()
                .take(words.len().saturating_sub(1))
                .for_each(drop);
            given.push((place, Given { spec, words }));
        }
    }
    given.sort_by_key(|(place, _)| *place);
    Ok(Spelled::Flags(
        given.into_iter().map(|(_, given)| given).collect(),
    ))
}

/// clap's view of the tables of flags.
pub fn command() -> Command {
    let command = Command::new("nanoBragg")
        .version(env!("CARGO_PKG_VERSION"))
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .override_help(help::text());
    command.args(flags().map(|spec| {
        let arg = Arg::new(spec.name)
            .long(spec.name)
            .aliases(spec.aliases.iter().copied());
        match &spec.takes {
            Takes::Help => arg.action(ArgAction::Help),
            Takes::Version => arg.action(ArgAction::Version),
            // Every occurrence is kept, switches too: what comes between two of them counts.
            Takes::Switch(_) => arg
                .action(ArgAction::Append)
                .num_args(0)
                .default_missing_value(""),
            Takes::OptionalWord { words, .. } => arg
                .action(ArgAction::Append)
                .num_args(0..=1)
                .value_parser(ValueParser::os_string())
                .default_missing_value(words.first().copied().unwrap_or_default()),
            takes => arg
                .action(ArgAction::Append)
                .num_args(takes.count())
                .value_parser(ValueParser::os_string())
                .allow_hyphen_values(!matches!(takes, Takes::Cell(_))),
        }
    }))
}

/// The words with two dashes before each flag and none of the values touched.
///
/// # Errors
/// [`Error::MissingValue`] where a flag stands in place of another one's value.
fn spelled_for_clap(words: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let mut spelled = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let Some(name) = word.to_str().and_then(without_dashes) else {
            spelled.push(word);
            continue;
        };
        spelled.push(format!("--{name}").into());
        // An unknown name takes no values here; clap refuses it. Neither does `--name=value`.
        let Some(spec) = find(name) else { continue };
        for found in 0..spec.takes.count().max_values() {
            let stop = match words.peek().map(|next| value_at(spec, found, next)) {
                Some(Place::Value) => false,
                Some(Place::Flag) if found < spec.takes.count().min_values() => {
                    return Err(missing(spec, found));
                }
                Some(Place::LoneValue) => {
                    // Attached, it is the only one; clap would go on to the words after it.
                    spelled.pop();
                    let mut attached = OsString::from(format!("--{name}="));
                    attached.push(words.next().unwrap_or_default());
                    spelled.push(attached);
                    true
                }
                Some(Place::Flag) | None => true,
            };
            if stop {
                break;
            }
            spelled.extend(words.next());
        }
    }
    Ok(spelled)
}

/// What a word is, standing where a flag could have a value.
enum Place {
    Value,
    LoneValue,
    Flag,
}

fn value_at(spec: &FlagSpec, found: usize, word: &OsStr) -> Place {
    let text = word.to_string_lossy();
    match spec.takes {
        // As in the C program, -cell ends where a dash begins.
        Takes::Cell(_) if text.starts_with('-') => Place::Flag,
        Takes::Misset(_) if found == 0 && text.contains("rand") => Place::LoneValue,
        // Attached, so that clap asks no word after it whether it is one.
        Takes::OptionalWord { words, .. } if words.contains(&text.as_ref()) => Place::LoneValue,
        _ if without_dashes(&text).is_some_and(|name| find(name).is_some()) => Place::Flag,
        _ => Place::Value,
    }
}

/// The word without its one or two leading dashes; `None` if it has none or nothing else.
fn without_dashes(word: &str) -> Option<&str> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    (!name.is_empty()).then_some(name)
}

fn missing(spec: &'static FlagSpec, found: usize) -> Error {
    Error::MissingValue {
        flag: spec.name,
        found,
        wanted: spec.takes.values(),
    }
}

/// clap's refusal in our words; help and version come this way too.
fn explain(error: clap::Error) -> Result<Spelled, Error> {
    let culprit = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    // clap writes the flag as in a synopsis: `--roi <roi> <roi>`.
    let first = culprit.split([' ', '=', '[']).next().unwrap_or_default();
    let flag = without_dashes(first).and_then(find);
    let found = match error.get(ContextKind::ActualNumValues) {
        Some(ContextValue::Number(found)) => usize::try_from(*found).unwrap_or_default(),
        _ => 0,
    };
    match (error.kind(), flag) {
        (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, _) => {
            Ok(Spelled::Show(error.render().to_string()))
        }
        (ErrorKind::UnknownArgument, _) => Err(unknown(culprit)),
        (ErrorKind::TooManyValues, Some(spec)) => Err(Error::UnexpectedValue { flag: spec.name }),
        (
            ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues,
            Some(spec),
        ) => Err(missing(spec, found)),
        _ => Err(error.into()),
    }
}

/// An unknown flag with the nearest name, or a stray word such as a number too many.
fn unknown(word: String) -> Error {
    let Some(name) = word
        .strip_prefix("--")
        .filter(|name| looks_like_a_name(name))
    else {
        // The second dash is not the user's: see `spelled_for_clap`.
        let word = word
            .strip_prefix('-')
            .filter(|w| w.starts_with('-'))
            .unwrap_or(&word)
            .into();
        return Error::StrayWord { word };
    };
    Error::UnknownFlag {
        name: name.to_owned(),
        nearest: nearest(name),
    }
}

fn looks_like_a_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic())
}

/// The flag spelled most like `name`, if any comes close.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    flags()
        .flat_map(FlagSpec::names)
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Vec<(&'static str, Vec<OsString>)> {
        match parse(line.split_whitespace()).unwrap() {
            Spelled::Flags(given) => given.into_iter().map(|g| (g.spec.name, g.words)).collect(),
            Spelled::Show(text) => panic!("{text}"),
        }
    }

    fn names(line: &str) -> Vec<&'static str> {
        given(line).into_iter().map(|(name, _)| name).collect()
    }

    fn refusal(line: &str) -> String {
        parse(line.split_whitespace()).unwrap_err().to_string()
    }

    #[test]
    fn clap_finds_the_tables_consistent() {
        command().debug_assert();
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        assert_eq!(given("-N 5 -4stol f -xds"), given("--N 5 --4stol=f --xds"));
    }

    #[test]
    fn order_is_kept_across_flags_and_repeats() {
        let line = "-N 5 -nopgm -Na 3 -misset 1 2 3 -N 4 -pgmfile p -nopgm -cell 7 8 9";
        assert_eq!(
            names(line),
            [
                "N", "nopgm", "Na", "misset", "N", "pgmfile", "nopgm", "cell"
            ]
        );
    }

    #[test]
    fn aliases_lead_to_the_flag_itself() {
        assert_eq!(
            names("-wave 1 -mosaici 1 --matrix=m"),
            ["lambda", "mosaic", "mat"]
        );
    }

    #[test]
    fn negative_numbers_are_values() {
        for number in ["-5", "-.5", "-1e3", "-0", "-1E-3"] {
            assert_eq!(given(&format!("-distance {number}"))[0].1, [number]);
        }
        assert_eq!(given("-misset -1 -.2 -3e0")[0].1, ["-1", "-.2", "-3e0"]);
    }

    #[test]
    fn cell_ends_where_a_dash_begins() {
        assert_eq!(
            given("-cell 70 -misset 1 2 3"),
            [
                ("cell", vec!["70".into()]),
                ("misset", vec!["1".into(), "2".into(), "3".into()])
            ]
        );
        assert_eq!(refusal("-cell 70 -80 90"), "\"-80\" belongs to no flag");
        assert_eq!(refusal("-cell 1 2 3 4 5 6 7"), "\"7\" belongs to no flag");
    }

    #[test]
    fn random_misset_takes_one_word() {
        assert_eq!(
            names("-misset random -mat A.mat -N 3"),
            ["misset", "mat", "N"]
        );
    }

    #[test]
    fn a_file_may_begin_with_a_dash() {
        assert_eq!(given("-hkl -odd.hkl -N 3")[0].1, ["-odd.hkl"]);
    }

    #[test]
    fn a_flag_in_place_of_a_value_means_it_was_forgotten() {
        assert_eq!(
            refusal("-hkl -mat A.mat"),
            "-hkl needs <file>; values given: 0"
        );
        assert_eq!(
            refusal("-roi 1 2 -N 5"),
            "-roi needs <xmin xmax ymin ymax>; values given: 2"
        );
        assert_eq!(refusal("-N"), "-N needs <n>; values given: 0");
        assert_eq!(
            refusal("-roi 1 2"),
            "-roi needs <xmin xmax ymin ymax>; values given: 2"
        );
        assert_eq!(
            refusal("--roi=1"),
            "-roi needs <xmin xmax ymin ymax>; values given: 1"
        );
        assert!(refusal("-cell -N 3").starts_with("-cell needs <a"));
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(
            refusal("-detpixel_x 5"),
            "-detpixel_x is not a flag; did you mean -detpixels_x?"
        );
        assert_eq!(refusal("-NA 5"), "-NA is not a flag; did you mean -Na?");
        assert_eq!(refusal("--zzz"), "-zzz is not a flag; -help lists them");
    }

    #[test]
    fn stray_words_and_values_are_refused() {
        assert_eq!(refusal("A.mat"), "\"A.mat\" belongs to no flag");
        assert_eq!(refusal("-N 5 6"), "\"6\" belongs to no flag");
        assert_eq!(refusal("-N 5 -6"), "\"-6\" belongs to no flag");
        assert_eq!(refusal("--xds=5"), "-xds takes no value");
    }

    #[test]
    fn help_and_version_are_shown() {
        for word in ["-h", "-help", "--help"] {
            assert!(matches!(parse([word]), Ok(Spelled::Show(text)) if text.contains("-hkl")));
        }
        for word in ["-version", "--version"] {
            assert!(
                matches!(parse([word]), Ok(Spelled::Show(text)) if text.starts_with("nanoBragg "))
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn paths_need_not_be_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let path = OsString::from_vec(vec![b'a', 0xff]);
        let Ok(Spelled::Flags(given)) = parse([OsString::from("-hkl"), path.clone()]) else {
            panic!("refused")
        };
        assert_eq!(given[0].words, [path]);
    }
}
