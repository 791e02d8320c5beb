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
use crate::outputs;
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
                let entry = FileEntry::of_file(flag, path).map_err(unkept(path))?;
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

/// The log of a series, open to be added to.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    complete: BTreeSet<u32>,
}

impl Log {
    /// Opens the log at `path` for the images `wanted`. With `-resume`, those of them that it tells of
    /// and whose files are still what it says are complete; without, none are. What it tells of other
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
        wanted: &dyn Fn(u32) -> bool,
    ) -> Result<Self, RunError> {
        let identity = Identity::of(args, words)?;
        let mut complete = BTreeSet::new();
        let mut lines = Vec::new();
        match read(&path, &identity) {
            Ok(earlier) => {
                for (entry, line) in earlier.into_values() {
                    let is_wanted = wanted(entry.number);
                    if is_wanted && !(args.series.resume && entry.stands(args)) {
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
        // One call, so that an interrupted line is the last one.
        let line = format!("{entry}\n");
        self.file
            .write_all(line.as_bytes())
            .map_err(unkept(&self.path))?;
        self.complete.insert(number);
        Ok(())
    }
}

impl Entry {
    /// Whether the files of the image are those that `args` names, and as they were written.
    fn stands(&self, args: &Args) -> bool {
        let args = super::names::args_of(args, self.number);
        let names = outputs::named(&args);
        names.len() == self.outputs.len()
            && names.iter().all(|(flag, path)| {
                let named = path.display().to_string();
                let mut told = self.outputs.iter();
                let told = told.find(|entry| entry.flag == *flag && entry.path == named);
                told.is_some_and(|entry| {
                    outputs::is_device(path)
                        || FileEntry::of_file(flag, path).is_ok_and(|found| found == *entry)
                })
            })
    }
}

/// The images that a log tells of, each with its line; of several lines for one image the last counts.
/// A log that is not there tells of none.
fn read(path: &Path, identity: &Identity) -> Result<BTreeMap<u32, (Entry, String)>, SeriesError> {
    let not_a_log = |line: usize, reason: String| SeriesError::NotALog {
        path: path.to_owned(),
        line,
        reason,
    };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| not_a_log(1, "no text".to_owned()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
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
    let mut entries = BTreeMap::new();
    for (index, line) in lines {
        let entry: Entry =
            serde_json::from_str(line).map_err(|error| not_a_log(index + 1, error.to_string()))?;
        entries.insert(entry.number, (entry, line.to_owned()));
    }
    Ok(entries)
}

fn unkept(path: &Path) -> impl Fn(io::Error) -> SeriesError + use<> {
    let path = path.to_owned();
    move |source| SeriesError::Unkept {
        path: path.clone(),
        source,
    }
}
