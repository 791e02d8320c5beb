//! Splits a command line into flags, in the order typed.
//!
//! `-flag` and `--flag` are the same; negative numbers are values, never flags. The words after a flag
//! are its values, as many as it takes. The name of a flag among them means that a value was forgotten.

use std::ffi::{OsStr, OsString};

use crate::args::flag::{Flag, FlagSpec, Takes};
use crate::args::{Args, find, flags};
use crate::{Error, help};

/// The smallest similarity of two names (Jaro-Winkler, at most 1) for a suggestion.
const ALIKE: f64 = 0.8;

/// A flag on the command line.
#[derive(Debug)]
pub struct Given<T: 'static = Args> {
    /// The flag.
    pub spec: &'static Flag<T>,
    /// The words of the flag.
    pub words: Vec<OsString>,
}

/// A command line, split into flags.
#[derive(Debug)]
pub enum Spelled {
    /// Flags in the order typed.
    Flags(Vec<Given>),
    /// Help or version, to be shown instead of a run.
    Show(String),
}

/// Splits the words after the program name.
///
/// # Errors
/// An unknown flag, a stray word, or a flag with too few or too many values.
pub fn parse<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Spelled, Error> {
    let mut words = words.into_iter().map(Into::into).peekable();
    let mut given = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            // `--` ends the flags, and a command line has only flags.
            match words.next() {
                Some(word) => return Err(stray(&word)),
                None => break,
            }
        }
        let (name, attached) = name_and_value(&word).ok_or_else(|| stray(&word))?;
        let spec = find(&name).ok_or_else(|| unknown(&name))?;
        let mut values: Vec<OsString> = attached.into_iter().collect();
        let count = spec.count();
        if values.len() > *count.end() {
            return Err(Error::UnexpectedValue { flag: spec.name });
        }
        match spec.takes {
            Takes::Help => return Ok(Spelled::Show(help::brief())),
            Takes::Version => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Spelled::Show(format!("nanoBragg {version}\n")));
            }
            _ => {}
        }
        // A value after `=` is the only value.
        let mut goes_on = values.is_empty();
        while goes_on && values.len() < *count.end() {
            let Some(word) = words.next_if(|word| is_value(spec, word)) else {
                break;
            };
            let is_random = word.to_string_lossy().contains("rand");
            goes_on = !(matches!(spec.takes, Takes::Misset(_)) && values.is_empty() && is_random);
            values.push(word);
        }
        if let (Takes::OptionalWord(words, _), []) = (&spec.takes, &*values) {
            values.extend(words.first().map(OsString::from));
        }
        if values.len() < *count.start() {
            return Err(Error::MissingValue {
                flag: spec.name,
                found: values.len(),
                wanted: spec.synopsis(),
            });
        }
        given.push(Given {
            spec,
            words: values,
        });
    }
    Ok(Spelled::Flags(given))
}

/// Whether a word is a value of the flag before it. The name of a flag is not a value.
fn is_value(spec: &FlagSpec, word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    match spec.takes {
        // As in the C program, -cell ends at a word that begins with a dash.
        Takes::Cell(_) => !text.starts_with('-'),
        _ => without_dashes(&text).is_none_or(|name| find(name).is_none()),
    }
}

/// The word without one or two leading dashes; `None` without a dash or without a name.
fn without_dashes(word: &str) -> Option<&str> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    (!name.is_empty()).then_some(name)
}

/// The name in a word that begins with a dash, and the text after an equals sign.
pub(crate) fn name_and_value(word: &OsStr) -> Option<(String, Option<OsString>)> {
    let Some(text) = word.to_str() else {
        return name_and_bytes(word);
    };
    let text = without_dashes(text)?;
    Some(match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.into())),
        None => (text.to_owned(), None),
    })
}

/// The same for a word that is not UTF-8 because its value is not.
#[cfg(unix)]
fn name_and_bytes(word: &OsStr) -> Option<(String, Option<OsString>)> {
    use std::os::unix::ffi::OsStrExt;

    let mut parts = word.as_bytes().splitn(2, |byte| *byte == b'=');
    let name = std::str::from_utf8(parts.next()?).ok()?;
    let value = OsStr::from_bytes(parts.next()?).to_owned();
    Some((without_dashes(name)?.to_owned(), Some(value)))
}

#[cfg(not(unix))]
fn name_and_bytes(_: &OsStr) -> Option<(String, Option<OsString>)> {
    None
}

/// The error for a word that belongs to no flag, such as one number too many.
fn stray(word: &OsStr) -> Error {
    Error::StrayWord {
        word: word.to_string_lossy().into_owned(),
    }
}

/// The error for an unknown flag, with the most similar name. A negative number is a stray word.
fn unknown(name: &str) -> Error {
    if !name.starts_with(char::is_alphabetic) {
        return stray(OsStr::new(&format!("-{name}")));
    }
    Error::UnknownFlag {
        name: name.to_owned(),
        nearest: nearest(name),
    }
}

/// The flag whose name is most similar to `name`, if the similarity is above [`ALIKE`].
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let alike = |known: &str| strsim::jaro_winkler(&name, &known.to_lowercase());
    most_alike(flags().flat_map(FlagSpec::names), alike, ALIKE)
}

/// The name with the largest value of `alike`, if that is above `least`.
pub(crate) fn most_alike(
    names: impl Iterator<Item = &'static str>,
    alike: impl Fn(&str) -> f64,
    least: f64,
) -> Option<&'static str> {
    names
        .map(|known| (alike(known), known))
        .filter(|(alike, _)| *alike > least)
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
        assert_eq!(refusal("--zzz"), "-zzz is not a flag; -help all lists them");
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
