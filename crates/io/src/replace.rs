//! Outputs that appear complete or not at all.
//!
//! ```text
//! create("a.img")    makes .nanobragg-x7Qf2k.part beside a.img, with the permissions of a.img
//! write, write ...   go into that file
//! commit()           renames it to a.img, or exchanges the two and removes the old one
//! dropped instead    removes it; an a.img of an earlier run is unchanged
//! ```
//!
//! A program that must end at once, as on a second Ctrl-C, calls [`abandon_all`] first.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// The names of temporary files: between these two are random letters.
const PREFIX: &str = ".nanobragg-";
const SUFFIX: &str = ".part";

/// A temporary file younger than this may belong to a process that has not locked it yet.
#[cfg(unix)]
const YOUNG: std::time::Duration = std::time::Duration::from_secs(60);

/// The most symbolic links that are followed; more are taken for a circle.
const LINKS: usize = 40;

/// The temporary files of this process; `None` after [`abandon_all`].
static UNFINISHED: Mutex<Option<Vec<PathBuf>>> = Mutex::new(Some(Vec::new()));

/// The locked list of temporary files. The lock is held while a file is made, renamed or removed,
/// so that list and folder always agree when [`abandon_all`] runs.
fn unfinished() -> MutexGuard<'static, Option<Vec<PathBuf>>> {
    // A list of paths is valid even if a thread panicked while it held the lock.
    UNFINISHED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Removes the temporary files of all outputs before the process ends.
///
/// Committed files stay. No output can be created or committed afterwards, so the process may end
/// at any moment without leaving a temporary file.
pub fn abandon_all() {
    for part in unfinished().take().into_iter().flatten() {
        // The process is ending and could not act on an error.
        let _ = fs::remove_file(part);
    }
}

/// Removes the temporary files of processes that were killed from `folder`, and returns how many there were.
///
/// A process locks its temporary files, and the system unlocks them when the process ends, however it ends. Files
/// of processes that still run therefore stay, also those on other machines if the file system shares locks.
///
/// # Errors
/// The system's, if the folder cannot be listed.
#[cfg(unix)]
pub fn remove_abandoned(folder: &Path) -> io::Result<usize> {
    let is_abandoned = |path: &Path| -> io::Result<bool> {
        let file = File::open(path)?;
        let age = file.metadata()?.modified()?.elapsed();
        Ok(age.is_ok_and(|age| age > YOUNG) && file.try_lock().is_ok())
    };
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_part = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if is_part && is_abandoned(&path).unwrap_or(false) && fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes nothing: a lock would keep this process from writing here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn remove_abandoned(_: &Path) -> io::Result<usize> {
    Ok(0)
}

/// An output file that replaces the file at its path only on [`commit`](Self::commit).
///
/// Create it before the long part of a run, so that a missing folder is noticed early. Symbolic
/// links are followed. The new file takes the permissions of the one it replaces. Devices and
/// pipes, such as `/dev/null` and `/dev/stdout`, cannot be replaced and are written directly.
///
/// The file is not synchronised to the disk, so a loss of power may still damage it.
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
        part: Part,
        target: PathBuf,
        replaced: Replaced,
    },
    Direct(File),
}

/// The open file that an output has replaced, if there was one.
///
/// The system frees its space when this is dropped. For a large image that takes as long as writing
/// one, so a caller that replaces several files may drop them on several threads.
#[derive(Debug)]
pub struct Replaced(
    #[allow(
        dead_code,
        reason = "it is there to be dropped, and not on every system"
    )]
    Option<File>,
);

/// A temporary file, which is listed in [`UNFINISHED`].
#[derive(Debug)]
struct Part(Option<NamedTempFile>);

impl Part {
    fn create(folder: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        // As for any new file: the umask takes bits away. `tempfile` alone would give 0600.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut unfinished = unfinished();
        let parts = unfinished.as_mut().ok_or_else(abandoned)?;
        // `tempfile` puts the temporary name into its message, which should name the target.
        let file = builder
            .tempfile_in(folder)
            .map_err(|error| plain(&error, folder))?;
        // For `remove_abandoned`. A file system without locks only keeps that from removing anything.
        #[cfg(unix)]
        let _ = file.as_file().try_lock();
        parts.push(file.path().to_path_buf());
        Ok(Self(Some(file)))
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.0
            .as_mut()
            .map(NamedTempFile::as_file_mut)
            .ok_or_else(abandoned)
    }

    fn persist(mut self, target: &Path) -> io::Result<()> {
        let file = self.0.take().ok_or_else(abandoned)?;
        let mut unfinished = unfinished();
        let parts = unfinished.as_mut().ok_or_else(abandoned)?;
        parts.retain(|part| part != file.path());
        if exchanged(file.path(), target) {
            // The temporary name now belongs to the old file: dropping it removes that one.
            drop(file);
            return Ok(());
        }
        file.persist(target)
            .map(drop)
            .map_err(|refused| refused.error)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            let mut unfinished = unfinished();
            if let Some(parts) = unfinished.as_mut() {
                parts.retain(|part| part != file.path());
            }
            // Removed while the lock is held.
            drop(file);
        }
    }
}

/// Exchanges two files if the system can. Some file systems (ext4) write a file to the disk before
/// they rename it over another; an exchange avoids that wait.
#[cfg(target_os = "linux")]
fn exchanged(part: &Path, target: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    // A file can even be exchanged with a folder, which must not be replaced.
    fs::symlink_metadata(target).is_ok_and(|there| there.is_file())
        && renameat_with(CWD, part, CWD, target, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn exchanged(_: &Path, _: &Path) -> bool {
    false
}

fn abandoned() -> io::Error {
    io::Error::other("the program is ending")
}

impl Output {
    /// Begins an output for `path`.
    ///
    /// # Errors
    /// [`Error::Folder`] if `path` is a folder; [`Error::Create`] if its folder does not exist or
    /// cannot be written, or if the file at `path` is write-protected.
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

    /// Writes what is still buffered and moves the file to its path.
    ///
    /// # Errors
    /// [`Error::Write`]; the file that was there before is then unchanged.
    pub fn commit(self) -> Result<Replaced> {
        let Self { path, writer } = self;
        let finished = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let placed = finished.and_then(|sink| match sink {
            Sink::Replacement {
                part,
                target,
                replaced,
            } => part.persist(&target).map(|()| replaced),
            Sink::Direct(_) => Ok(Replaced(None)),
        });
        placed.map_err(|cause| Error::Write { path, cause })
    }

    /// An `io::Error` of the same kind that contains an [`Error::Write`] with the path.
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

/// Seeking is an error for pipes and for devices that cannot do it.
impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to).map_err(|cause| self.named(cause))
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Replacement { part, .. } => part.file()?.seek(to),
            Self::Direct(file) => file.seek(to),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Replacement { part, .. } => part.file()?.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Replacement { part, .. } => part.file()?.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

/// Whether the path names an open file, as `/dev/stdout` does. Such a file must be written
/// directly: after a replacement the shell's redirection would still hold the old one. Other files
/// below `/dev`, as in `/dev/shm`, are ordinary files.
fn is_descriptor(path: &Path) -> bool {
    let mut folders = path.components().rev().skip(1);
    let in_fd = folders.next() == Some(Component::Normal("fd".as_ref()));
    let standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
    (in_fd && (path.starts_with("/dev") || path.starts_with("/proc")))
        || standard.iter().any(|name| path == Path::new(name))
}

/// The folder of a path: the current one if the path has none.
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A temporary file in the folder of `path`, or of the file that `path` links to.
fn replacement(path: &Path, permissions: Option<Permissions>) -> io::Result<Sink> {
    let target = without_links(path)?;
    if target.file_name().is_none() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    let replaced = match permissions {
        // A rename needs permission for the folder only. Opening the file for writing makes sure
        // that a write-protected file is not replaced.
        Some(_) => Some(OpenOptions::new().write(true).open(&target)?),
        None => None,
    };
    let mut part = Part::create(folder_of(&target))?;
    if let Some(permissions) = permissions {
        part.file()?.set_permissions(permissions)?;
    }
    Ok(Sink::Replacement {
        part,
        target,
        // Only Unix can replace a file that is open.
        replaced: Replaced(replaced.filter(|_| cfg!(unix))),
    })
}

/// The path at the end of a chain of symbolic links. It need not exist.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            // A relative link starts at the folder of the link; `join` returns an absolute one as
            // it is.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// The system's error for `folder`, or `error` without the temporary name.
fn plain(error: &io::Error, folder: &Path) -> io::Error {
    fs::metadata(folder)
        .err()
        .unwrap_or_else(|| error.kind().into())
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
    fn without_commit_only_the_old_file_stays() {
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
    fn a_folder_and_a_missing_folder_are_errors_with_the_path() {
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
        fn only_names_of_open_files_are_descriptors() {
            for name in ["/dev/stdout", "/dev/fd/3", "/proc/self/fd/1"] {
                assert!(is_descriptor(Path::new(name)), "{name}");
            }
            for name in ["/dev/shm/a.img", "/dev/shm/fd", "fd/1", "/data/fd/1", "a"] {
                assert!(!is_descriptor(Path::new(name)), "{name}");
            }
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
