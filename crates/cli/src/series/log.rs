//! The log of a series: a line of JSON for what it is, and one for each image that is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nanobragg::io::Output;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::SeriesError;
use crate::args::Args;
use crate::argv::{self, Spelled};
use crate::digest::FileEntry;
use crate::output_names;
use crate::record::inputs;
use crate::run::RunError;

/// What tells a log from any other JSON.
const FORMAT: &str = "nanoBragg series";

/// Raised when a field changes its meaning.
const VERSION: u64 = 1;

/// Flags that change no image, or only which of them are rendered now.
const NOT_OF_THE_IMAGES: &[&str] = &[
    "only",
    "shard",
    "resume",
    "seriesfile",
    "threads",
    "max_memory",
    "progress",
    "noprogress",
    "quiet",
    "verbose",
];

/// Flags whose count may grow or shrink without a change of any image.
const COUNTS: &[&str] = &["frames", "shots"];

/// What decides the images of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Identity {
    program_version: String,
    /// Each flag with its words, in the order typed.
    flags: Vec<Vec<String>>,
    inputs: Vec<FileEntry>,
}

impl Identity {
    fn of(args: &Args, words: &[OsString]) -> Result<Self, RunError> {
        let given = match argv::parse(words.iter()) {
            Ok(Spelled::Flags(given)) => given,
            // It was understood once already, as a series.
            Ok(Spelled::Show(_)) | Err(_) => Vec::new(),
        };
        let flags = given
            .iter()
            .filter(|given| !NOT_OF_THE_IMAGES.contains(&given.spec.name))
            .map(|given| {
                let values = given
                    .words
                    .iter()
                    .map(|word| word.to_string_lossy().into_owned());
                let is_count = COUNTS.contains(&given.spec.name);
                std::iter::once(given.spec.name.to_owned())
                    .chain(values.filter(|_| !is_count))
                    .collect()
            })
            .collect();
        let mut entries = Vec::new();
        for (flag, path) in inputs::named(args) {
            // What is no file, such as a pipe, can be read only once.
            if path.is_file() {
                let entry = FileEntry::of_file(flag, &path).map_err(unkept(&path))?;
                entries.push(entry);
            }
        }
        Ok(Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            flags,
            inputs: entries,
        })
    }

    /// What is not the same, in words; `None` if nothing is.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.program_version != other.program_version {
            return Some(format!("version {} of this program", self.program_version));
        }
        if self.flags != other.flags {
            let only_in = |a: &Self, b: &Self| {
                let flag = a.flags.iter().find(|flag| !b.flags.contains(flag));
                flag.map(|flag| format!("-{}", flag.join(" ")))
            };
            return Some(match (only_in(self, other), only_in(other, self)) {
                (Some(there), _) => there,
                (None, Some(here)) => format!("no {here}"),
                (None, None) => "other flags".to_owned(),
            });
        }
        let changed = |entry: &&FileEntry| !other.inputs.contains(entry);
        match self.inputs.iter().find(changed) {
            Some(entry) => Some(format!("another {}", entry.path)),
            None if self.inputs != other.inputs => Some("other input files".to_owned()),
            None => None,
        }
    }
}

/// What a log says of one image.
#[derive(Debug, Clone, Deserialize)]
struct Entry {
    number: u32,
    outputs: Vec<FileEntry>,
}

/// What a log says of the one file of all images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct WholeEntry {
    first: u32,
    last: u32,
    images: usize,
    output: FileEntry,
}

impl WholeEntry {
    fn of(numbers: &[u32], output: FileEntry) -> Self {
        Self {
            first: numbers.first().copied().unwrap_or(0),
            last: numbers.last().copied().unwrap_or(0),
            images: numbers.len(),
            output,
        }
    }

    /// Whether the file is there, as it was written, with the images `numbers`.
    fn stands(&self, numbers: &[u32], path: &Path) -> bool {
        let found = FileEntry::of_file(&self.output.flag, path);
        found.is_ok_and(|found| Self::of(numbers, found) == *self)
    }
}

/// What a log tells.
#[derive(Debug, Default)]
struct Told {
    /// Of each image, with its line; of several lines for one image the last counts.
    images: BTreeMap<u32, (Entry, String)>,
    /// Of the one file of all images.
    whole: Option<WholeEntry>,
}

/// The log of a series, open to be added to.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    complete: BTreeSet<u32>,
    has_whole: bool,
}

impl Log {
    /// Opens the log at `path` for the images `wanted`, in their order. With `-resume`, those of them that it tells of
    /// and whose files are still what it says are complete; without, none are. None are either where one
    /// file of all images is to be made and does not stand, for it needs each of them. What it tells of other
    /// images of the same series is kept.
    ///
    /// # Errors
    /// With `-resume`, the log of another series, or none at all in its place; a file that cannot be read
    /// or written.
    pub(super) fn open(
        path: PathBuf,
        args: &Args,
        words: &[OsString],
        about: &Value,
        wanted: &[u32],
    ) -> Result<Self, RunError> {
        let identity = Identity::of(args, words)?;
        let mut complete = BTreeSet::new();
        let mut lines = Vec::new();
        let whole = super::names::whole(args);
        let mut has_whole = false;
        match read(&path, &identity) {
            Ok(earlier) => {
                if let (Some(path), Some(entry)) = (&whole, earlier.whole)
                    && args.series.resume
                    && entry.stands(wanted, path)
                {
                    has_whole = true;
                    lines.push(json!({ "whole": entry }).to_string());
                }
                let goes_on = args.series.resume && (whole.is_none() || has_whole);
                for (entry, line) in earlier.images.into_values() {
                    let is_wanted = wanted.binary_search(&entry.number).is_ok();
                    if is_wanted && !(goes_on && entry.stands(args)) {
                        continue;
                    }
                    if is_wanted {
                        complete.insert(entry.number);
                    }
                    lines.push(line);
                }
            }
            Err(error) if args.series.resume => return Err(error.into()),
            // Begun anew.
            Err(_) => {}
        }
        let mut output = Output::create(&path)?;
        let head = json!({
            "format": FORMAT,
            "format_version": VERSION,
            "series": about,
            "identity": identity,
        });
        writeln!(output, "{head}").map_err(unkept(&path))?;
        for line in lines {
            writeln!(output, "{line}").map_err(unkept(&path))?;
        }
        output.commit()?;
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(unkept(&path))?;
        Ok(Self {
            path,
            file,
            complete,
            has_whole,
        })
    }

    /// Whether the image of this number needs not be rendered.
    pub(super) fn has(&self, number: u32) -> bool {
        self.complete.contains(&number)
    }

    /// How many images are complete.
    pub(super) fn len(&self) -> usize {
        self.complete.len()
    }

    /// Adds the line of an image whose files are in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, number: u32, entry: &Value) -> Result<(), RunError> {
        self.line(entry)?;
        self.complete.insert(number);
        Ok(())
    }

    /// Whether the one file of all images needs not be made.
    pub(super) fn has_whole(&self) -> bool {
        self.has_whole
    }

    /// Adds the line of the one file of the images `numbers`, which is in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add_whole(&mut self, numbers: &[u32], file: FileEntry) -> Result<(), RunError> {
        self.has_whole = true;
        self.line(&json!({ "whole": WholeEntry::of(numbers, file) }))
    }

    fn line(&mut self, entry: &Value) -> Result<(), RunError> {
        // One call, so that an interrupted line is the last one.
        let line = format!("{entry}\n");
        self.file
            .write_all(line.as_bytes())
            .map_err(unkept(&self.path))?;
        Ok(())
    }
}

impl Entry {
    /// Whether the files of the image are those that `args` names, and as they were written.
    fn stands(&self, args: &Args) -> bool {
        let args = super::names::args_of(args, self.number);
        let names = output_names::named(&args);
        names.len() == self.outputs.len()
            && names.iter().all(|(flag, path)| {
                let named = path.display().to_string();
                let mut told = self.outputs.iter();
                let told = told.find(|entry| entry.flag == *flag && entry.path == named);
                told.is_some_and(|entry| {
                    output_names::is_device(path)
                        || FileEntry::of_file(flag, path).is_ok_and(|found| found == *entry)
                })
            })
    }
}

/// What the log at `path` tells. A log that is not there tells nothing.
fn read(path: &Path, identity: &Identity) -> Result<Told, SeriesError> {
    let not_a_log = |line: usize, reason: String| SeriesError::NotALog {
        path: path.to_owned(),
        line,
        reason,
    };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| not_a_log(1, "no text".to_owned()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Told::default()),
        Err(error) => return Err(unkept(path)(error)),
    };
    // A last line without an end was being written when the program was killed.
    let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
    let mut lines = whole.lines().enumerate();
    let head: Value = match lines.next() {
        Some((_, line)) => {
            serde_json::from_str(line).map_err(|error| not_a_log(1, error.to_string()))?
        }
        None => return Err(not_a_log(1, "it is empty".to_owned())),
    };
    if head.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(not_a_log(1, "its format is not told".to_owned()));
    }
    if head.get("format_version").and_then(Value::as_u64) != Some(VERSION) {
        return Err(not_a_log(1, format!("it is not of version {VERSION}")));
    }
    let there: Identity = head
        .get("identity")
        .cloned()
        .ok_or_else(|| not_a_log(1, "it does not tell of which series".to_owned()))
        .and_then(|value| {
            serde_json::from_value(value).map_err(|error| not_a_log(1, error.to_string()))
        })?;
    if let Some(difference) = there.difference(identity) {
        return Err(SeriesError::Another {
            path: path.to_owned(),
            difference,
        });
    }
    let mut told = Told::default();
    for (index, line) in lines {
        let wrong = |error: serde_json::Error| not_a_log(index + 1, error.to_string());
        let value: Value = serde_json::from_str(line).map_err(wrong)?;
        if let Some(whole) = value.get("whole") {
            told.whole = Some(WholeEntry::deserialize(whole).map_err(wrong)?);
            continue;
        }
        let entry = Entry::deserialize(&value).map_err(wrong)?;
        told.images.insert(entry.number, (entry, line.to_owned()));
    }
    Ok(told)
}

fn unkept(path: &Path) -> impl Fn(io::Error) -> SeriesError + use<> {
    let path = path.to_owned();
    move |source| SeriesError::Unkept {
        path: path.clone(),
        source,
    }
}
