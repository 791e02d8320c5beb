//! An experiment file in TOML or JSON. Every field of [`ExperimentSpec`] has its name and unit there.
//!
//! `docs/EXPERIMENT.md` explains the fields.

mod comments;
mod replaced;
mod toml_text;

use std::path::{Component, Path, PathBuf};

use nanobragg_sources::SpectrumFrom;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::background::MaterialSpec;
use crate::detectors::with_preset;
use crate::error::Error;
use crate::exchange::bytes_of;
use crate::spec::{ExperimentSpec, MaskSpec, SourcesSpec};
pub(crate) use toml_text::of_lines;

/// The smallest similarity of two names (Jaro-Winkler, at most 1) for a suggestion.
const ALIKE: f64 = 0.8;

/// The version that this program writes and reads.
const VERSION: i64 = 1;

/// The version of the field names and units in an experiment file.
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

/// The language of an experiment file.
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
    /// Reads an experiment from the file at `path`. Paths in the file are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::FileTooLarge`], and the errors of [`parse`](Self::parse).
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

    /// The same experiment, with its relative paths taken from `folder`.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        for named in self.paths_mut() {
            *named = folder.join(&*named);
        }
        self
    }

    /// The experiment in the text of a file, whose name in messages is `name`. Missing fields have their
    /// defaults.
    ///
    /// # Errors
    /// [`Error::ExperimentFile`] with line and field: text that is neither TOML nor JSON, an unknown
    /// version, an unknown field, a value that is not allowed.
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
        // A preset fills fields that the file does not have, for which the whole tree is needed.
        let tree = match language {
            FileLanguage::Toml => toml::from_str::<Value>(text).ok(),
            FileLanguage::Json => serde_json::from_str(text).ok(),
        };
        let names_preset = |tree: &Value| {
            (tree.pointer("/detector/preset")).is_some_and(|preset| !preset.is_null())
        };
        if let Some(tree) = tree.filter(names_preset) {
            return Self::from_tree(&tree, name);
        }
        match language {
            FileLanguage::Toml => {
                let of_toml = |field: &str, error: &toml::de::Error| {
                    let start = error.span().map_or(0, |span| span.start);
                    let message = error.message().trim_end().replace('\n', ", ");
                    fault(name, line_at(text.as_bytes(), start), field, &message)
                };
                // Another version may have other fields, so the version is checked first.
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

    /// The text of a file at `path`, with every field, defaults included. [`read`](Self::read) gives the
    /// same experiment to the bit.
    ///
    /// # Errors
    /// [`Error::NotInAFile`] for data that are only in memory, and for a path that is not UTF-8.
    pub fn to_text(&self, path: &Path) -> Result<String, Error> {
        let tree = self.to_tree_at(path)?;
        Ok(match FileLanguage::of(path) {
            FileLanguage::Toml => toml_text::of(&tree),
            FileLanguage::Json => format!("{tree:#}\n"),
        })
    }

    /// Every field, with paths as a file at `path` has them.
    pub(crate) fn to_tree_at(&self, path: &Path) -> Result<Value, Error> {
        let mut spec = self.clone();
        let folder = path.parent().unwrap_or(Path::new(""));
        for named in spec.paths_mut() {
            *named = seen_from(folder, named);
        }
        spec.to_tree()
    }

    /// Every field as JSON, `null` if it is not specified. Paths of files are not changed.
    ///
    /// # Errors
    /// [`Error::NotInAFile`].
    pub fn to_tree(&self) -> Result<Value, Error> {
        serde_json::to_value(self).map_err(|error| Error::NotInAFile {
            reason: error.to_string(),
        })
    }

    /// The experiment of a tree in the form of [`to_tree`](Self::to_tree), whose name in messages is
    /// `name`. Missing fields have their defaults.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), without a line.
    pub fn from_tree(tree: &Value, name: &str) -> Result<Self, Error> {
        Versioned::deserialize(tree).map_err(|error| fault(name, None, "", &error.to_string()))?;
        let filled = with_preset(tree, |tree| Self::from_tree(tree, name))?;
        let tree = filled.as_ref().unwrap_or(tree);
        serde_path_to_error::deserialize(tree).map_err(|error| {
            let field = error.path().to_string();
            fault(name, None, &field, &error.inner().to_string())
        })
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let mask = match &mut self.mask {
            Some(MaskSpec::File(path)) => Some(path),
            Some(MaskSpec::Pixels(_) | MaskSpec::Panels(_) | MaskSpec::Regions(_)) | None => None,
        };
        let sources = match &mut self.beam.sources {
            SourcesSpec::File(path) => Some(path),
            SourcesSpec::Grid | SourcesSpec::List(_) => None,
        };
        let spectrum = match &mut self.beam.spectrum {
            Some(spectrum) => match &mut spectrum.from {
                SpectrumFrom::File { path, .. } => Some(path),
                SpectrumFrom::Named(_) | SpectrumFrom::Lines(_) => None,
            },
            None => None,
        };
        let tables = (self.background.iter_mut()).filter_map(|layer| match &mut layer.material {
            MaterialSpec::Table { path, .. } => Some(path),
            MaterialSpec::Name(_) | MaterialSpec::Points { .. } => None,
        });
        let domains = self.crystal.mosaic.file.as_mut();
        let factors = self.factors.paths_mut().into_iter();
        factors
            .chain([mask, sources, domains, spectrum].into_iter().flatten())
            .chain(tables)
    }
}

/// The version of a file; all other fields are ignored.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default, rename = "version")]
    _version: Version,
}

/// A relative path, joined to `folder`. An absolute path is not changed.
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

/// The line, counted from 1, of byte `offset` of a text.
fn line_at(text: &[u8], offset: usize) -> Option<usize> {
    let before = text.get(..offset)?;
    Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// The error of a field. A message of serde about an unknown name gets our words and a suggestion.
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

/// The known name that is most similar to `name`, if any is similar enough.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
