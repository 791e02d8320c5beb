//! Dumps of structure factors, and what is known of them.
//!
//! A dump has no unit cell and no name of its source. Both are in a file of JSON beside it: `Fdump.bin.json`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanobragg_crystal::{CellSpec, Lattice};
use nanobragg_io::Output;
use serde::{Deserialize, Serialize};

use super::list::{FactorWarning, cell_warning};
use crate::error::Error;

/// A dump that a run reads.
#[derive(Debug, Clone, PartialEq)]
pub struct DumpFile {
    path: PathBuf,
    /// The user named it; otherwise it was found in the folder.
    is_named: bool,
    /// How old it is; `None` if the system does not know.
    age: Option<Duration>,
    origin: Option<DumpOrigin>,
}

/// Where the values of a dump come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DumpOrigin {
    /// Edges in Angstrom and angles in degrees of the crystal whose run wrote the dump.
    pub cell: [f64; 6],
    /// The file of reflections or coordinates.
    pub made_from: String,
    /// Length and time of the dump. If they differ, another program has replaced it.
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    bytes: u64,
    modified_unix_ns: u64,
}

impl State {
    fn of(dump: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(dump)?;
        let since = metadata.modified()?.duration_since(UNIX_EPOCH);
        let since = since.map_err(io::Error::other)?;
        Ok(Self {
            bytes: metadata.len(),
            modified_unix_ns: u64::try_from(since.as_nanos()).map_err(io::Error::other)?,
        })
    }
}

impl DumpOrigin {
    /// Keeps beside the finished `dump` that its values are those of `made_from`, for a crystal of `lattice`.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(
        dump: &Path,
        made_from: &Path,
        lattice: &Lattice,
    ) -> Result<(), nanobragg_io::Error> {
        let path = beside(dump);
        let failed = |cause: io::Error| nanobragg_io::Error::Write {
            path: path.clone(),
            cause,
        };
        let mut output = Output::create(&path)?;
        let [a, b, c] = lattice.lengths_angstrom;
        let [alpha, beta, gamma] = lattice.angles_rad().map(f64::to_degrees);
        let origin = Self {
            cell: [a, b, c, alpha, beta, gamma],
            made_from: made_from.display().to_string(),
            state: State::of(dump).map_err(failed)?,
        };
        serde_json::to_writer_pretty(&mut output, &origin).map_err(|error| failed(error.into()))?;
        output.commit().map(drop)
    }

    /// Of `dump`, unless there is no such file or it belongs to an earlier dump of this name.
    fn of(dump: &Path) -> Option<Self> {
        let text = fs::read(beside(dump)).ok()?;
        let origin: Self = serde_json::from_slice(&text).ok()?;
        (State::of(dump).ok()? == origin.state).then_some(origin)
    }
}

fn beside(dump: &Path) -> PathBuf {
    let mut name = OsString::from(dump);
    name.push(".json");
    name.into()
}

impl DumpFile {
    pub(super) fn of(path: &Path, is_named: bool) -> Self {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
        Self {
            path: path.to_owned(),
            is_named,
            age: modified
                .ok()
                .and_then(|time| SystemTime::now().duration_since(time).ok()),
            origin: DumpOrigin::of(path),
        }
    }

    /// The warning about this dump for a crystal of `lattice`: that nobody named it, or that its cell is another.
    ///
    /// # Errors
    /// [`Error::DumpOfAnotherCell`] if nobody named it and its cell is another.
    pub(super) fn check(&self, lattice: &Lattice) -> Result<Option<FactorWarning>, Error> {
        let cell = self
            .origin
            .as_ref()
            .map(|origin| CellSpec::from_values(&origin.cell));
        let cell = cell.and_then(Result::ok);
        let other = cell.and_then(|cell| cell_warning(lattice, &cell));
        if self.is_named {
            return Ok(other);
        }
        if let Some(difference) = other {
            return Err(Error::DumpOfAnotherCell {
                path: self.path.clone(),
                difference: difference.to_string(),
            });
        }
        Ok(Some(FactorWarning::UnnamedDump {
            path: self.path.clone(),
            age: self.age,
            made_from: self.origin.as_ref().map(|origin| origin.made_from.clone()),
        }))
    }
}
