//! The one stream of CrystFEL for all images of a series, and the list of their solutions.
//!
//! The stream has its name from the beginning, and gets the chunk of an image as soon as the files of the image
//! are in place, in any order. A series that resumes keeps the chunks of complete images.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use nanobragg_io::Output;
use serde_json::Value;

use crate::error::Error;
use crate::exchange::crystfel::each_chunk;

/// The field of the log with the line of an image in the list of solutions.
pub(super) const SOLUTION: &str = "crystfel_solution";

/// A stream, open to be added to.
#[derive(Debug)]
pub(super) struct SeriesStream {
    path: PathBuf,
    file: File,
}

impl SeriesStream {
    /// The numbers of the images whose chunks are complete in the file at `path`; none if there is no file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn numbers(path: &Path) -> Result<BTreeSet<u32>, Error> {
        let mut numbers = BTreeSet::new();
        if let Some(file) = existing(path)? {
            let found = each_chunk(BufReader::new(file), |number, _| {
                numbers.insert(number);
                Ok(())
            });
            found.map_err(unwritten(path))?;
        }
        Ok(numbers)
    }

    /// Begins the stream again with `head` and the chunks of the images that are `kept`.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub(super) fn open(path: &Path, head: &str, kept: impl Fn(u32) -> bool) -> Result<Self, Error> {
        let earlier = existing(path)?;
        let mut output = Output::create(path)?;
        output.write_all(head.as_bytes()).map_err(unwritten(path))?;
        if let Some(file) = earlier {
            let copied = each_chunk(BufReader::new(file), |number, chunk| match kept(number) {
                true => output.write_all(chunk.as_bytes()),
                false => Ok(()),
            });
            copied.map_err(unwritten(path))?;
        }
        output.commit()?;
        let file = OpenOptions::new().append(true).open(path);
        Ok(Self {
            path: path.to_path_buf(),
            file: file.map_err(unwritten(path))?,
        })
    }

    /// Adds the chunk of an image.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, chunk: &str) -> Result<(), Error> {
        let written = self.file.write_all(chunk.as_bytes());
        written.map_err(unwritten(&self.path))
    }
}

/// Writes the solutions in the log at `log_path` to `path`.
///
/// # Errors
/// A file that cannot be read or written.
pub(super) fn write_solutions(log_path: &Path, path: &Path) -> Result<(), Error> {
    let log = File::open(log_path).map_err(unwritten(log_path))?;
    let mut output = Output::create(path)?;
    for line in BufReader::new(log).lines() {
        let line = line.map_err(unwritten(log_path))?;
        let entry: Option<Value> = serde_json::from_str(&line).ok();
        let solution = entry
            .as_ref()
            .and_then(|entry| entry.get(SOLUTION)?.as_str());
        if let Some(solution) = solution {
            output
                .write_all(solution.as_bytes())
                .map_err(unwritten(path))?;
        }
    }
    output.commit()?;
    Ok(())
}

fn existing(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritten(path)(error)),
    }
}

fn unwritten(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Unreadable {
        path: path.clone(),
        source,
    }
}
