//! Reading of records.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{FORMAT, RecordError, VERSION};
use nanobragg::outputs::FileEntry;

/// The largest size of a record, in bytes.
const LONGEST: u64 = 64 << 20;

/// The fields of a record that are needed to repeat its run.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) program: Program,
    pub(crate) command: Command,
    pub(crate) seeds: Seeds,
    pub(crate) inputs: Vec<FileEntry>,
    pub(crate) outputs: Vec<FileEntry>,
}

/// The program that ran.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Program {
    pub(crate) version: String,
}

/// The command line and its working folder.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Command {
    pub(crate) arguments: Vec<String>,
    pub(crate) working_folder: PathBuf,
}

/// The seed that may be from the clock. The other seeds follow from it and the command line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Seeds {
    pub(crate) noise: i64,
}

/// The JSON document of a record.
///
/// # Errors
/// [`RecordError::Unreadable`], [`RecordError::NotARecord`] and [`RecordError::Version`].
pub(crate) fn document(path: &Path) -> Result<Value, RecordError> {
    let unreadable = |source| RecordError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let not_a_record = |reason: String| RecordError::NotARecord {
        path: path.to_owned(),
        reason,
    };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > LONGEST {
        return Err(not_a_record(format!("it is {length} bytes long")));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let document: Value =
        serde_json::from_slice(&bytes).map_err(|error| not_a_record(error.to_string()))?;
    if document.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(not_a_record(format!("its \"format\" is not \"{FORMAT}\"")));
    }
    match document.get("format_version").and_then(Value::as_u64) {
        Some(VERSION) => Ok(document),
        Some(found) => Err(RecordError::Version {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
        None => Err(not_a_record("it has no \"format_version\"".to_owned())),
    }
}

impl Recorded {
    /// Reads a record.
    ///
    /// # Errors
    /// The errors of [`document`].
    pub(crate) fn read(path: &Path) -> Result<Self, RecordError> {
        serde_json::from_value(document(path)?).map_err(|error| RecordError::NotARecord {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(contents: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        std::fs::write(&path, contents).unwrap();
        Recorded::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_record_is_refused_with_a_reason() {
        assert!(refusal("P5 16 16").contains("is no record of a run: expected value"));
        assert!(refusal("{}").contains("its \"format\" is not"));
        assert!(refusal(r#"{"format": "nanoBragg record"}"#).contains("no \"format_version\""));
        assert!(
            refusal(r#"{"format": "nanoBragg record", "format_version": 99}"#)
                .contains("a record of version 99")
        );
        assert!(
            refusal(r#"{"format": "nanoBragg record", "format_version": 1}"#)
                .contains("missing field `program`")
        );
    }
}
