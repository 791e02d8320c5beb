//! Files that grow over a long run, and with which a later run can go on.
//!
//! ```text
//! begin("a.nxs")     makes a.nxs.part
//! write, seek, read  in that file, without a buffer: what is written survives the end of the process
//! commit()           renames it to a.nxs
//! dropped instead    a.nxs.part stays; resume("a.nxs") opens it again
//! ```

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// What is added to the name of a file as long as it is not complete.
const SUFFIX: &str = ".part";

/// A file that gets its name on [`commit`](Self::commit), and stays with `.part` behind its name without it.
#[derive(Debug)]
pub struct PartialFile {
    file: File,
    part: PathBuf,
    target: PathBuf,
}

impl PartialFile {
    /// Begins an empty file. A file that an earlier run left is replaced.
    ///
    /// # Errors
    /// [`Error::Create`] if it cannot be made, or if another process writes it.
    pub fn begin(target: &Path) -> Result<Self> {
        let partial = Self::open(target)?;
        partial.file.set_len(0)?;
        Ok(partial)
    }

    /// Opens the file that an earlier run left, or begins one.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn resume(target: &Path) -> Result<Self> {
        Self::open(target)
    }

    fn open(target: &Path) -> Result<Self> {
        let failed = |cause| Error::Create {
            path: target.to_path_buf(),
            cause,
        };
        if target.is_dir() {
            let path = target.to_path_buf();
            return Err(Error::Folder { path });
        }
        // A link stays a link, to the new file.
        let target = match target.is_symlink() {
            true => target.canonicalize().map_err(failed)?,
            false => target.to_path_buf(),
        };
        let part = part_of(&target);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part)
            .map_err(failed)?;
        // A file system without locks cannot say who else writes the file.
        #[cfg(unix)]
        if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return Err(failed(io::Error::other("another run writes this file now")));
        }
        Ok(Self { file, part, target })
    }

    /// Cuts the file off behind this many bytes, or fills it up with zeroes.
    ///
    /// # Errors
    /// Errors of the system.
    pub fn set_length(&self, bytes: u64) -> Result<()> {
        Ok(self.file.set_len(bytes)?)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::Create`] if the system fails to rename it.
    pub fn commit(self) -> Result<()> {
        fs::rename(&self.part, &self.target).map_err(|cause| Error::Create {
            path: self.target,
            cause,
        })
    }

    /// Removes the file.
    ///
    /// # Errors
    /// Errors of the system.
    pub fn discard(self) -> Result<()> {
        Ok(fs::remove_file(self.part)?)
    }
}

/// The name of an incomplete file: `a.nxs.part` of `a.nxs`.
pub fn part_of(target: &Path) -> PathBuf {
    let mut name: OsString = target.file_name().unwrap_or_default().to_owned();
    name.push(SUFFIX);
    target.with_file_name(name)
}

impl Read for PartialFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for PartialFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_not_committed_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = PartialFile::begin(&path).unwrap();
        file.write_all(b"one").unwrap();
        #[cfg(unix)]
        assert!(PartialFile::resume(&path).is_err());
        drop(file);
        assert!(!path.exists());
        let mut file = PartialFile::resume(&path).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b" two").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert!(!part_of(&path).exists());
        PartialFile::begin(&path).unwrap().discard().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert!(matches!(
            PartialFile::begin(folder.path()),
            Err(Error::Folder { .. })
        ));
    }
}
