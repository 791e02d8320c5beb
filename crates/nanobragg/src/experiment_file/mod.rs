//! An experiment in a file, TOML or JSON: every field of [`ExperimentSpec`] under its name and unit.
//!
//! What each field means is told in `docs/EXPERIMENT.md`.

mod comments;
mod toml_text;

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::exchange::bytes_of;
use crate::spec::{ExperimentSpec, MaskSpec, SourcesSpec};

/// How alike two names must be (Jaro and Winkler's measure, at most 1) for one to be suggested.
const ALIKE: f64 = 0.8;

/// The version that this program writes and reads.
const VERSION: i64 = 1;

/// The version of the names and units of an experiment in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Version;

impl From<Version> for i64 {
    fn from(Version: Version) -> Self {
        VERSION
    }
}

impl TryFrom<i64> for Version {
    type Error = String;

    fn try_from(version: i64) -> Result<Self, String> {
        if version == VERSION {
            return Ok(Self);
        }
        Err(format!(
            "an experiment of version {version}; this program knows version {VERSION}"
        ))
    }
}

/// The language of a file with an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileLanguage {
    /// TOML, with a comment on each field.
    Toml,
    /// JSON.
    Json,
}

impl FileLanguage {
    /// JSON if the name of the file ends in `.json`, otherwise TOML.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

impl ExperimentSpec {
    /// Reads an experiment from the file at `path`. Files that it names are looked for from its folder.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::FileTooLarge`], and those of [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = bytes_of(path)?;
        let name = path.display().to_string();
        let text = str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            fault(&name, line_at(before, before.len()), "", "not UTF-8")
        })?;
        let spec = Self::parse(text, &name, FileLanguage::of(path))?;
        Ok(spec.seen_from(path.parent().unwrap_or(Path::new(""))))
    }

    /// The same experiment, with the files that it names looked for from `folder`.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        for named in self.paths_mut() {
            *named = folder.join(&*named);
        }
        self
    }

    /// The experiment in the text of a file, which messages call `name`. What is not said has its
    /// default.
    ///
    /// # Errors
    /// [`Error::ExperimentFile`] naming line and field: of a text that is neither TOML nor JSON, an
    /// unknown version, a field that is unknown or has a value that it cannot have.
    ///
    /// ```
    /// use nanobragg::{ExperimentSpec, FileLanguage};
    ///
    /// let text = "[detector]\ndistance_mm = 70\n[structure_factors]\nhkl = \"P1.hkl\"\n";
    /// let spec = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml)?;
    /// assert_eq!(spec.detector.distance.m(), 0.07);
    ///
    /// let text = "[detector]\ndistanze_mm = 70\n";
    /// let error = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml).unwrap_err();
    /// let message = "a.toml:2: detector.distanze_mm is not a field; did you mean distance_mm?";
    /// assert_eq!(error.to_string(), message);
    /// # Ok::<(), nanobragg::Error>(())
    /// ```
    pub fn parse(text: &str, name: &str, language: FileLanguage) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match language {
            FileLanguage::Toml => {
                let of_toml = |field: &str, error: &toml::de::Error| {
                    let start = error.span().map_or(0, |span| span.start);
                    let message = error.message().trim_end().replace('\n', ", ");
                    fault(name, line_at(text.as_bytes(), start), field, &message)
                };
                // Another version may have other fields, so it is told before they are looked at.
                toml::from_str::<Versioned>(text).map_err(|error| of_toml("", &error))?;
                let reader =
                    toml::Deserializer::parse(text).map_err(|error| of_toml("", &error))?;
                serde_path_to_error::deserialize(reader)
                    .map_err(|error| of_toml(&error.path().to_string(), error.inner()))
            }
            FileLanguage::Json => {
                let of_json = |field: &str, error: &serde_json::Error| {
                    let message = error.to_string();
                    let message = message.split(" at line ").next().unwrap_or_default();
                    fault(name, Some(error.line()), field, message)
                };
                serde_json::from_str::<Versioned>(text).map_err(|error| of_json("", &error))?;
                let mut reader = serde_json::Deserializer::from_str(text);
                serde_path_to_error::deserialize(&mut reader)
                    .map_err(|error| of_json(&error.path().to_string(), error.inner()))
            }
        }
    }

    /// The text of a file at `path` that [`read`](Self::read) reads back to the same experiment, to the
    /// bit: every field, those left to their defaults too.
    ///
    /// # Errors
    /// [`Error::NotInAFile`] for what is in memory alone, and for a path that is not UTF-8.
    pub fn to_text(&self, path: &Path) -> Result<String, Error> {
        let mut spec = self.clone();
        let folder = path.parent().unwrap_or(Path::new(""));
        for named in spec.paths_mut() {
            *named = seen_from(folder, named);
        }
        let tree = spec.to_tree()?;
        Ok(match FileLanguage::of(path) {
            FileLanguage::Toml => toml_text::of(&tree),
            FileLanguage::Json => format!("{tree:#}\n"),
        })
    }

    /// Every field as JSON, `null` where nothing was said; files are named as they are here.
    ///
    /// # Errors
    /// [`Error::NotInAFile`].
    pub fn to_tree(&self) -> Result<Value, Error> {
        serde_json::to_value(self).map_err(|error| Error::NotInAFile {
            reason: error.to_string(),
        })
    }

    /// The experiment of a tree as [`to_tree`](Self::to_tree) makes it, which messages call `name`. What
    /// is not said has its default.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), without a line.
    pub fn from_tree(tree: &Value, name: &str) -> Result<Self, Error> {
        Versioned::deserialize(tree).map_err(|error| fault(name, None, "", &error.to_string()))?;
        serde_path_to_error::deserialize(tree).map_err(|error| {
            let field = error.path().to_string();
            fault(name, None, &field, &error.inner().to_string())
        })
    }

    /// The files that the experiment names.
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let mask = match &mut self.mask {
            Some(MaskSpec::File(path)) => Some(path),
            Some(MaskSpec::Pixels(_) | MaskSpec::Panels(_)) | None => None,
        };
        let sources = match &mut self.beam.sources {
            SourcesSpec::File(path) => Some(path),
            SourcesSpec::Grid | SourcesSpec::List(_) => None,
        };
        let named = [self.factors.path_mut(), mask, sources];
        named.into_iter().flatten()
    }
}

/// The version of a file, whatever else is in it.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default, rename = "version")]
    _version: Version,
}

/// A path as it is found from `folder`: unchanged if it is absolute.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() || folder.as_os_str().is_empty() {
        return path.to_path_buf();
    }
    if let Ok(within) = path.strip_prefix(folder) {
        return within.to_path_buf();
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if folder.components().all(is_plain) {
        let up = folder.components().map(|_| Component::ParentDir);
        return up.collect::<PathBuf>().join(path);
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The line, from 1, on which byte `offset` of a text stands.
fn line_at(text: &[u8], offset: usize) -> Option<usize> {
    let before = text.get(..offset)?;
    Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// What is wrong with a field, in our words where serde's name what was found and what is known.
fn fault(name: &str, line: Option<usize>, field: &str, message: &str) -> Error {
    let line = line.filter(|line| *line > 0);
    let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
    let mut names = message.split('`').skip(1).step_by(2);
    let found = names.next().unwrap_or_default();
    let advice = match nearest(found, names) {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    };
    let field = if field == "." { "" } else { field };
    let problem = if message.starts_with("unknown field") {
        let owner = field.strip_suffix(found).unwrap_or(field);
        format!("{owner}{found} is not a field{advice}")
    } else {
        let gap = if field.is_empty() { "" } else { ": " };
        let message = message.replace('`', "");
        let advice = if message.starts_with("unknown variant") {
            &advice
        } else {
            ""
        };
        format!("{field}{gap}{message}{advice}")
    };
    Error::ExperimentFile { place, problem }
}

/// The known name spelled most like `name`, if any comes close.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
