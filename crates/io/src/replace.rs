//! Outputs that appear complete or not at all.
//!
//! ```text
//! create("a.img")   .nanobragg-x7Qf2k.part made beside a.img, with a.img's permissions
//! write, write ...  into that file
//! commit()          renamed to a.img
//! dropped instead   removed; an a.img of an earlier run is as it was
//! ```

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// Links followed one after the other before they count as a circle.
const LINKS: usize = 40;

/// A file on its way: it takes the place of what is there only by [`commit`](Self::commit).
///
/// Create it before the long part of a run, so that a missing folder is known early. A link is
/// followed; a file that is replaced hands on its permissions. Devices and pipes, such as
/// `/dev/null` and `/dev/stdout`, cannot be replaced and are written directly.
///
/// Complete means complete as this program sees it: the file is not forced onto the disk against a
/// loss of power.
///
/// ```
/// use std::io::Write;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.txt");
/// let mut output = nanobragg_io::Output::create(&path)?;
/// output.write_all(b"one")?;
/// assert!(!path.exists());
/// output.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    writer: BufWriter<Sink>,
}

#[derive(Debug)]
enum Sink {
    Replacement {
        file: NamedTempFile,
        target: PathBuf,
    },
    Direct(File),
}

impl Output {
    /// Begins a file that is to stand at `path`.
    ///
    /// # Errors
    /// [`Error::Folder`] where `path` is a folder; [`Error::Create`] where its folder does not
    /// exist or nothing can be written there, or the file at `path` may not be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let sink = match fs::metadata(&path) {
            Ok(there) if there.is_dir() => return Err(Error::Folder { path }),
            Ok(there) if there.is_file() && !is_descriptor(&path) => {
                replacement(&path, Some(there.permissions()))
            }
            Ok(_) => OpenOptions::new().write(true).open(&path).map(Sink::Direct),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => replacement(&path, None),
            Err(cause) => Err(cause),
        };
        match sink {
            Ok(sink) => Ok(Self {
                path,
                writer: BufWriter::new(sink),
            }),
            Err(cause) => Err(Error::Create { path, cause }),
        }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is still in memory and puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Write`]; the file that was there before is then as it was.
    pub fn commit(self) -> Result<()> {
        let Self { path, writer } = self;
        let finished = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let placed = finished.and_then(|sink| match sink {
            Sink::Replacement { file, target } => file
                .persist(target)
                .map(drop)
                .map_err(|refused| refused.error),
            Sink::Direct(_) => Ok(()),
        });
        placed.map_err(|cause| Error::Write { path, cause })
    }

    /// An `io::Error` of the same kind, in which an [`Error::Write`] names the file.
    fn named(&self, cause: io::Error) -> io::Error {
        io::Error::new(
            cause.kind(),
            Error::Write {
                path: self.path.clone(),
                cause,
            },
        )
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes).map_err(|cause| self.named(cause))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(|cause| self.named(cause))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Replacement { file, .. } => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Replacement { file, .. } => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

/// Is this a name of an open file, as `/dev/stdout` is? Replacing what it stands for would leave
/// the shell's redirection with the old file.
fn is_descriptor(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// A temporary file in the folder of `path`, or of what `path` links to.
fn replacement(path: &Path, permissions: Option<Permissions>) -> io::Result<Sink> {
    let target = without_links(path)?;
    if target.file_name().is_none() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    if permissions.is_some() {
        // Renaming asks leave of the folder only; a file protected against writing is respected.
        OpenOptions::new().write(true).open(&target)?;
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nanobragg-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // `tempfile` adds the name of its file to a message that is to be about the target.
    let file = builder.tempfile_in(folder).map_err(|error| plain(&error))?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(Sink::Replacement { file, target })
}

/// The path at the end of a chain of links; it need not exist.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            // `join` lets an absolute link replace the folder.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// The system's own error of the same kind, without added words.
fn plain(error: &io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|inner| inner.source());
    match cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error)
    {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn without_commit_the_old_file_stays_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut output = Output::create(&path).unwrap();
        output.write_all(&[b'x'; 100_000]).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(output);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn commit_replaces_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "a longer old file").unwrap();
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn folders_and_missing_folders_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Output::create(folder.path()).unwrap_err();
        assert!(matches!(&error, Error::Folder { path } if path == folder.path()));
        let path = folder.path().join("missing").join("a");
        let error = Output::create(&path).unwrap_err();
        assert!(matches!(&error, Error::Create { path: named, .. } if *named == path));
        assert!(!error.to_string().contains(".part"), "{error}");
        assert!(Output::create("").is_err());
    }

    #[cfg(unix)]
    mod unix {
        use super::*;
        use std::os::unix::fs::{PermissionsExt, symlink};

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        #[test]
        fn a_new_file_has_the_permissions_of_any_new_file() {
            let folder = tempfile::tempdir().unwrap();
            let (ours, plain) = (folder.path().join("a"), folder.path().join("b"));
            Output::create(&ours).unwrap().commit().unwrap();
            File::create(&plain).unwrap();
            assert_eq!(mode(&ours), mode(&plain));
        }

        #[test]
        fn a_replaced_file_keeps_its_permissions() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            Output::create(&path).unwrap().commit().unwrap();
            assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o640, vec![]));
        }

        #[test]
        fn links_are_followed_even_to_files_not_there_yet() {
            let folder = tempfile::tempdir().unwrap();
            let inner = folder.path().join("inner");
            fs::create_dir(&inner).unwrap();
            let (first, second) = (folder.path().join("first"), folder.path().join("second"));
            symlink("second", &first).unwrap();
            symlink("inner/a", &second).unwrap();
            for contents in ["one", "two"] {
                let mut output = Output::create(&first).unwrap();
                output.write_all(contents.as_bytes()).unwrap();
                output.commit().unwrap();
                assert_eq!(fs::read(inner.join("a")).unwrap(), contents.as_bytes());
                assert!(fs::symlink_metadata(&first).unwrap().is_symlink());
            }
            let circle = folder.path().join("circle");
            symlink("circle", &circle).unwrap();
            assert!(matches!(Output::create(&circle), Err(Error::Create { .. })));
        }

        #[test]
        fn devices_are_written_and_not_replaced() {
            let mut output = Output::create("/dev/null").unwrap();
            output.write_all(b"gone").unwrap();
            output.commit().unwrap();
            assert!(!fs::metadata("/dev/null").unwrap().is_file());
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_full_disk_is_an_error_naming_the_file() {
            let mut small = Output::create("/dev/full").unwrap();
            small.write_all(b"held back until the end").unwrap();
            assert!(
                small
                    .commit()
                    .unwrap_err()
                    .to_string()
                    .contains("/dev/full")
            );

            let mut large = Output::create("/dev/full").unwrap();
            let error = Error::from(large.write_all(&[0; 100_000]).unwrap_err());
            assert!(matches!(&error, Error::Write { path, .. } if path == Path::new("/dev/full")));
        }
    }
}
