//! The log of a series: a line of JSON for what it is, and one for each image that is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nanobragg_io::Output;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::file::Stored;
use super::store::SeriesStore;
use super::stream::SeriesStream;
use super::{SeriesFiles, SeriesRequest};
use crate::error::Error;
use crate::outputs::{FileEntry, OutputKind, is_device, of_panel};

/// What tells a log from any other JSON.
const FORMAT: &str = "nanoBragg series";

/// Raised when a field changes its meaning. In version 1 the noise was of the stream of the C program unless
/// flags said otherwise.
const VERSION: u64 = 2;

/// What decides the images of a series, as its log keeps it. A series is gone on with only where all of it
/// is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesIdentity {
    /// The version of the program.
    pub program_version: String,
    /// What was asked for, piece by piece, each in words.
    pub flags: Vec<Vec<String>>,
    /// The files that it was read from.
    pub inputs: Vec<FileEntry>,
}

impl SeriesIdentity {
    /// What `self` has and `other` has not, in words.
    pub(super) fn difference(&self, other: &Self) -> String {
        if self.flags != other.flags {
            let only_in = |a: &Self, b: &Self| {
                let flag = a.flags.iter().find(|flag| !b.flags.contains(flag));
                flag.map(|flag| format!("-{}", flag.join(" ")))
            };
            return match (only_in(self, other), only_in(other, self)) {
                (Some(there), _) => there,
                (None, Some(here)) => format!("no {here}"),
                (None, None) => "other flags".to_owned(),
            };
        }
        if self.program_version != other.program_version {
            return format!("version {} of this program", self.program_version);
        }
        let changed = |entry: &&FileEntry| !other.inputs.contains(entry);
        match self.inputs.iter().find(changed) {
            Some(entry) => format!("another {}", entry.path),
            None => "other input files".to_owned(),
        }
    }
}

/// What a log says of one image.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    number: u32,
    pub(super) outputs: Vec<FileEntry>,
    pub(super) stored: Option<Stored>,
}

/// What a log says of a file with several images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileOfAll {
    pub(super) first: u32,
    pub(super) last: u32,
    images: usize,
    pub(super) output: FileEntry,
}

impl FileOfAll {
    fn of(numbers: &[u32], output: FileEntry) -> Self {
        Self {
            first: numbers.first().copied().unwrap_or(0),
            last: numbers.last().copied().unwrap_or(0),
            images: numbers.len(),
            output,
        }
    }

    /// The complete files of the log at `path`; `None` if there is no log of this series.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(super) fn in_log(
        path: &Path,
        identity: &SeriesIdentity,
    ) -> Result<Option<Vec<Self>>, Error> {
        let log = read(path)?.filter(|(there, _)| there == identity);
        Ok(log.map(|(_, contents)| contents.wholes))
    }

    /// Whether it is about the file `path` with the images `numbers`.
    pub(super) fn is_of(&self, numbers: &[u32], path: &Path) -> bool {
        let there = self.output.path == path.display().to_string();
        there && Self::of(numbers, self.output.clone()) == *self
    }

    /// Whether the file is there, as it was written, with the images `numbers`.
    fn is_complete(&self, numbers: &[u32], path: &Path) -> bool {
        let found = FileEntry::of_file(&self.output.flag, path);
        found.is_ok_and(|found| Self::of(numbers, found) == *self)
    }
}

/// What a log tells.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The number of images of the series.
    pub(super) count: u32,
    /// Of each image, with its line; of several lines for one image the last counts.
    pub(super) images: BTreeMap<u32, (Entry, String)>,
    /// Of the files with several images.
    pub(super) wholes: Vec<FileOfAll>,
}

impl Contents {
    /// Finds which files of `store` are complete, whose lines are added to `lines`, and which images the others
    /// have. Returns the numbers of the images in all of them.
    fn restore(&self, store: &SeriesStore, lines: &mut Vec<String>) -> BTreeSet<u32> {
        let mut stored = BTreeSet::new();
        for file in &store.files {
            let mut wholes = self.wholes.iter().rev();
            let whole = wholes.find(|whole| whole.is_complete(&file.numbers, file.path()));
            if let Some(whole) = whole {
                file.set_complete();
                lines.push(json!({ "whole": whole }).to_string());
                stored.extend(&file.numbers);
                continue;
            }
            let found = file.numbers.iter().filter_map(|number| {
                let (entry, _) = self.images.get(number)?;
                Some((*number, entry.stored.clone()?))
            });
            stored.extend(file.restore(found.collect()));
            if file.is_complete()
                && let Ok(entry) = FileEntry::of_file(OutputKind::Nexus.name(), file.path())
            {
                let whole = FileOfAll::of(&file.numbers, entry);
                lines.push(json!({ "whole": whole }).to_string());
            }
        }
        stored
    }
}

/// The log of a series, open to be added to.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    complete: BTreeSet<u32>,
    /// Images that the log told of before, and that are not rendered again.
    kept: BTreeSet<u32>,
}

impl Log {
    /// Opens the log for the images that are asked for. If the series resumes, those of them
    /// that it tells of and whose files are still what it says are complete; otherwise none are. An image in a file of
    /// `store` must be there too. What it tells of other images of the same series is kept.
    ///
    /// # Errors
    /// The log of another series; a file that is no log, or cannot be read or written.
    pub(super) fn open(
        request: &SeriesRequest<'_>,
        about: &Value,
        store: Option<&SeriesStore>,
    ) -> Result<Self, Error> {
        let SeriesRequest {
            files,
            identity,
            resumes,
            ..
        } = request;
        let (path, wanted, resumes) = (request.log_path.clone(), &*request.numbers, *resumes);
        let mut complete = BTreeSet::new();
        let mut kept = BTreeSet::new();
        // An image whose chunk is not in the stream is rendered again.
        let in_stream = files.stream().map(SeriesStream::numbers).transpose()?;
        let is_in_stream = |number: u32| in_stream.as_ref().is_none_or(|all| all.contains(&number));
        let mut lines = Vec::new();
        match read(&path)? {
            Some((there, earlier)) if there == *identity => {
                let stored = match (store, resumes) {
                    (Some(store), true) => earlier.restore(store, &mut lines),
                    _ => BTreeSet::new(),
                };
                for (entry, line) in earlier.images.into_values() {
                    let is_wanted = wanted.binary_search(&entry.number).is_ok();
                    let is_stored = store.is_none() || stored.contains(&entry.number);
                    let is_there = is_stored && is_in_stream(entry.number);
                    if is_wanted && !(resumes && is_there && entry.is_complete(files)) {
                        let file = store.and_then(|store| store.file_of(entry.number));
                        file.inspect(|file| file.forget(entry.number));
                        continue;
                    }
                    if is_wanted {
                        complete.insert(entry.number);
                    }
                    kept.insert(entry.number);
                    lines.push(line);
                }
            }
            // The same flags with another input or another version of the program make the same files: they
            // are rendered anew. Other flags make another series, whose log would be lost.
            Some((there, _)) if resumes || there.flags != identity.flags => {
                let difference = there.difference(identity);
                return Err(Error::AnotherSeries { path, difference });
            }
            Some(_) | None => {}
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
            kept,
        })
    }

    /// Whether the image of this number needs not be rendered.
    pub(super) fn has(&self, number: u32) -> bool {
        self.complete.contains(&number)
    }

    /// Whether what was written of this image before stays.
    pub(super) fn keeps(&self, number: u32) -> bool {
        self.kept.contains(&number)
    }

    /// How many images are complete.
    pub(super) fn len(&self) -> usize {
        self.complete.len()
    }

    /// Adds the line of an image whose files are in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, number: u32, entry: &Value) -> Result<(), Error> {
        self.line(entry)?;
        self.complete.insert(number);
        Ok(())
    }

    /// Adds the line of the file of the images `numbers`, which is in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add_file_of_all(
        &mut self,
        numbers: &[u32],
        file: FileEntry,
    ) -> Result<(), Error> {
        self.line(&json!({ "whole": FileOfAll::of(numbers, file) }))
    }

    fn line(&mut self, entry: &Value) -> Result<(), Error> {
        // One call, so that an interrupted line is the last one.
        let line = format!("{entry}\n");
        self.file
            .write_all(line.as_bytes())
            .map_err(unkept(&self.path))?;
        Ok(())
    }
}

impl Entry {
    /// Whether the files of the image are those of `files`, and as they were written.
    fn is_complete(&self, files: &SeriesFiles) -> bool {
        let files = files.of_frame(self.number);
        let mut known = 0;
        let are_there = files.iter().all(|(kind, path)| {
            let logged = self
                .outputs
                .iter()
                .filter(|entry| entry.flag == kind.name());
            let logged: Vec<_> = logged.collect();
            known += logged.len();
            let is_as_written = |(index, entry): (usize, &&FileEntry)| {
                // A format of one image has a file for each panel.
                let path = match logged.len() {
                    1 => path.to_owned(),
                    _ => of_panel(path, index),
                };
                entry.path == path.display().to_string()
                    && (is_device(&path)
                        || FileEntry::of_file(kind.name(), &path)
                            .is_ok_and(|found| found == **entry))
            };
            !logged.is_empty() && logged.iter().enumerate().all(is_as_written)
        });
        are_there && known == self.outputs.len()
    }
}

/// The series of the log at `path`, and what the log tells; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<(SeriesIdentity, Contents)>, Error> {
    let not_a_log = |line: usize, reason: String| Error::NotASeriesLog {
        path: path.to_owned(),
        line,
        reason,
    };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| not_a_log(1, "no text".to_owned()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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
        let reason = format!(
            "it is not of version {VERSION}, so its images may have noise of other random numbers"
        );
        return Err(not_a_log(1, reason));
    }
    let there: SeriesIdentity = head
        .get("identity")
        .cloned()
        .ok_or_else(|| not_a_log(1, "it does not tell of which series".to_owned()))
        .and_then(|value| {
            serde_json::from_value(value).map_err(|error| not_a_log(1, error.to_string()))
        })?;
    let count = head.pointer("/series/count").and_then(Value::as_u64);
    let mut contents = Contents {
        count: count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
        ..Contents::default()
    };
    for (index, line) in lines {
        let wrong = |error: serde_json::Error| not_a_log(index + 1, error.to_string());
        let value: Value = serde_json::from_str(line).map_err(wrong)?;
        if let Some(whole) = value.get("whole") {
            contents
                .wholes
                .push(FileOfAll::deserialize(whole).map_err(wrong)?);
            continue;
        }
        let entry = Entry::deserialize(&value).map_err(wrong)?;
        contents
            .images
            .insert(entry.number, (entry, line.to_owned()));
    }
    Ok(Some((there, contents)))
}

pub(super) fn unkept(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::SeriesLog {
        path: path.clone(),
        source,
    }
}
