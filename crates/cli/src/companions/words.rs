//! Command lines as the companion programs read them: a word that begins with `-` selects every option
//! whose name is anywhere in the word, and the words after it, its values, are looked at again.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::help;
use crate::shell::{Entry, Offer};

/// An option of a companion program.
pub(super) struct Choice<T: 'static> {
    /// The first name for the help, and all names for the comparison.
    pub(super) names: &'static [&'static str],
    /// Whether the word must be one of the names, and not only contain one.
    pub(super) is_whole_word: bool,
    /// Names of the values, separated by blanks.
    pub(super) values: &'static str,
    /// The effect. The error is what must be there instead.
    pub(super) set: fn(&mut T, Values<'_>) -> Result<(), String>,
    pub(super) help: &'static str,
}

impl<T> Choice<T> {
    /// An option that any of `names` inside a word selects.
    pub(super) const fn new(
        names: &'static [&'static str],
        values: &'static str,
        set: fn(&mut T, Values<'_>) -> Result<(), String>,
        help: &'static str,
    ) -> Self {
        Self {
            names,
            is_whole_word: false,
            values,
            set,
            help,
        }
    }

    /// The same option, which only a word that is one of the names selects.
    pub(super) const fn whole_word(self) -> Self {
        Self {
            is_whole_word: true,
            ..self
        }
    }

    fn is_selected_by(&self, word: &OsStr) -> bool {
        self.names.iter().any(|name| match self.is_whole_word {
            true => word == *name,
            false => contains(word, name),
        })
    }

    fn count(&self) -> usize {
        self.values.split_whitespace().count()
    }
}

/// Whether `part` is anywhere in `word`.
pub(super) fn contains(word: &OsStr, part: &str) -> bool {
    let mut windows = word.as_encoded_bytes().windows(part.len());
    windows.any(|window| window == part.as_bytes())
}

/// The values of an option.
#[derive(Clone, Copy)]
pub(super) struct Values<'w>(&'w [OsString]);

impl Values<'_> {
    /// The word itself.
    pub(super) fn word(&self, index: usize) -> &OsStr {
        self.0.get(index).map_or(OsStr::new(""), AsRef::as_ref)
    }

    /// A finite number.
    pub(super) fn number(&self, index: usize) -> Result<f64, String> {
        let number = self.text(index).trim().parse().ok();
        let number = number.filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| "a number".to_owned())
    }

    /// A finite number of at least 0.
    pub(super) fn not_negative(&self, index: usize) -> Result<f64, String> {
        let number = self.number(index)?;
        (number >= 0.0)
            .then_some(number)
            .ok_or_else(|| "0 or above".to_owned())
    }

    /// A finite number above 0.
    pub(super) fn positive(&self, index: usize) -> Result<f64, String> {
        let number = self.number(index)?;
        (number > 0.0)
            .then_some(number)
            .ok_or_else(|| "above 0".to_owned())
    }

    /// A whole number, of which C keeps the last 32 bits.
    pub(super) fn whole(&self, index: usize) -> Result<i32, String> {
        let number: Option<i64> = self.text(index).trim().parse().ok();
        let number = number.map(|number| number as i32);
        number.ok_or_else(|| "a whole number".to_owned())
    }

    /// A count of pixels.
    pub(super) fn count(&self, index: usize) -> Result<usize, String> {
        let count = self.whole(index).ok().filter(|&count| count > 0);
        let count = count.and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| "a whole number above 0".to_owned())
    }

    /// The name of a file.
    pub(super) fn path(&self, index: usize) -> Result<PathBuf, String> {
        let word = self.word(index);
        match word.is_empty() {
            true => Err("the name of a file".to_owned()),
            false => Ok(word.into()),
        }
    }

    /// The word as text.
    pub(super) fn text(&self, index: usize) -> String {
        self.word(index).to_string_lossy().into_owned()
    }
}

/// Applies the words to `request`, from the first to the last. `take_bare` takes a word that is no option
/// wherever it is, also as a value. Returns the words without effect.
///
/// # Errors
/// A sentence about the first option with a missing or a wrong value.
pub(super) fn read<T>(
    choices: &'static [Choice<T>],
    words: &[OsString],
    request: &mut T,
    take_bare: fn(&mut T, &OsStr) -> bool,
) -> Result<Vec<String>, String> {
    let mut ignored = Vec::new();
    // The words before this one are values of an option.
    let mut values_end = 0;
    for (place, word) in words.iter().enumerate() {
        if take_bare(request, word) {
            continue;
        }
        let is_option = word.as_encoded_bytes().starts_with(b"-");
        let mut is_known = place < values_end;
        for choice in choices.iter().filter(|_| is_option) {
            if !choice.is_selected_by(word) {
                continue;
            }
            is_known = true;
            let (count, label) = (choice.count(), word.to_string_lossy());
            let values = words.get(place + 1..).unwrap_or_default();
            let Some(values) = values.get(..count) else {
                return Err(format!("{label}: a value is missing: {}", choice.values));
            };
            (choice.set)(request, Values(values)).map_err(|allowed| {
                let value = values.first().map_or(OsStr::new(""), AsRef::as_ref);
                format!("{label} {}: it must be {allowed}", value.to_string_lossy())
            })?;
            values_end = values_end.max(place + 1 + count);
        }
        if !is_known {
            ignored.push(word.to_string_lossy().into_owned());
        }
    }
    Ok(ignored)
}

/// Whether a word asks for the help.
pub(super) fn asks_for_help(words: &[OsString]) -> bool {
    (words.iter()).any(|word| ["-help", "--help", "-h"].iter().any(|help| word == *help))
}

/// The options for completions and the manual.
pub(super) fn entries<T>(choices: &'static [Choice<T>]) -> Vec<Entry> {
    let entries = choices.iter().map(|choice| Entry {
        names: choice.names.iter().map(ToString::to_string).collect(),
        values: choice.values.to_owned(),
        help: choice.help.to_owned(),
        most: choice.count(),
        offer: match choice.values.contains('|') {
            true => Offer::Words(choice.values.split('|').collect()),
            false => Offer::named(choice.values),
        },
    });
    entries.collect()
}

/// The options for the help.
pub(super) fn help<T>(choices: &'static [Choice<T>]) -> String {
    let rows = choices.iter().map(|choice| {
        let name = choice.names.first().copied().unwrap_or_default();
        (format!("{name} {}", choice.values), choice.help.to_owned())
    });
    let mut out = String::new();
    help::columns(&mut out, 2, &rows.collect::<Vec<_>>());
    out
}
