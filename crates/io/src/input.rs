//! Input files read into memory, and quoted in messages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The most bytes that are read from a pipe or a device, whose length is not known beforehand.
pub const LONGEST_STREAM: u64 = 256 << 20;

/// The longest piece of a file that a message repeats, in characters.
const QUOTED: usize = 40;

/// The files of [`keep`].
static KEPT: RwLock<BTreeMap<PathBuf, Arc<[u8]>>> = RwLock::new(BTreeMap::new());

/// From now on [`bytes_of`] and [`bytes_up_to`] find `bytes` under `path`, in the whole process, in place of a file on the disk. A
/// browser has no disk, and what is dropped on a page has no path.
///
/// ```
/// use nanobragg_io::input::{bytes_of, keep};
///
/// keep("dropped.hkl", b"1 2 3 40".to_vec());
/// assert_eq!(bytes_of("dropped.hkl".as_ref()).unwrap(), b"1 2 3 40");
/// ```
pub fn keep(path: impl Into<PathBuf>, bytes: Vec<u8>) {
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    kept.insert(path.into(), bytes.into());
}

/// Why an input cannot be read. Each crate turns it into its own error.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file or pipe holds more bytes than allowed.
    #[error("cannot read {}: more than {limit_bytes} bytes", path.display())]
    TooLong {
        /// The file or pipe.
        path: PathBuf,
        /// The largest number of bytes allowed.
        limit_bytes: u64,
    },
}

/// The bytes of a file of any length, or of a pipe of at most [`LONGEST_STREAM`] bytes.
///
/// # Errors
/// [`ReadError`].
///
/// ```
/// use nanobragg_io::input::{ReadError, bytes_of};
///
/// let error = bytes_of("no such file".as_ref()).unwrap_err();
/// assert!(matches!(error, ReadError::System { .. }));
/// ```
pub fn bytes_of(path: &Path) -> Result<Vec<u8>, ReadError> {
    if let Some(bytes) = kept(path) {
        return Ok(bytes.to_vec());
    }
    let file = open(path).and_then(|file| Ok((file.metadata()?.is_file(), file)));
    match file.map_err(|source| unreadable(path, source))? {
        (true, _) => std::fs::read(path).map_err(|source| unreadable(path, source)),
        (false, stream) => limited(stream, path, LONGEST_STREAM),
    }
}

/// The bytes of a file or a pipe of at most `limit_bytes` bytes.
///
/// # Errors
/// [`ReadError`].
pub fn bytes_up_to(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, ReadError> {
    if let Some(bytes) = kept(path) {
        return limited(&*bytes, path, limit_bytes);
    }
    let file = open(path).map_err(|source| unreadable(path, source))?;
    limited(file, path, limit_bytes)
}

fn kept(path: &Path) -> Option<Arc<[u8]>> {
    let kept = KEPT.read().unwrap_or_else(PoisonError::into_inner);
    kept.get(path).cloned()
}

fn open(path: &Path) -> io::Result<File> {
    if cfg!(target_family = "wasm") {
        let text = "the page does not have this file; drop it on the page too";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    File::open(path)
}

fn limited(reader: impl Read, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too long from one of just the limit.
    reader
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(ReadError::TooLong {
            path: path.to_owned(),
            limit_bytes,
        });
    }
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> ReadError {
    ReadError::System {
        path: path.to_owned(),
        source,
    }
}

/// The first bytes of files that no reader here takes, and what they are.
const FOREIGN: [(&[u8], &str); 14] = [
    (
        b"\x1f\x8b\x08",
        "a file compressed by gzip; unpack it with gunzip",
    ),
    (
        b"BZh91AY",
        "a file compressed by bzip2; unpack it with bunzip2",
    ),
    (
        b"\xfd7zXZ\0",
        "a file compressed by xz; unpack it with unxz",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "a file compressed by zstd; unpack it with unzstd",
    ),
    (
        b"PK\x03\x04",
        "a zip archive, as .npz of NumPy is; unpack it, or write one array with numpy.save",
    ),
    (
        b"\x89PNG\r\n",
        "a PNG picture, which has greys in place of counts",
    ),
    (
        b"\x80\x03c",
        "a pickle of Python, as pixels.mask of DIALS is; load it there and write the array with numpy.save",
    ),
    (
        b"\x80\x04\x95",
        "a pickle of Python, as pixels.mask of DIALS is; load it there and write the array with numpy.save",
    ),
    (
        b"M\0\0\0A\0\0\0S\0\0\0K",
        "a mask of Fit2D; fabio-convert makes a TIFF of it",
    ),
    (b"%PDF-", "a PDF document"),
    (
        b"<!DOCTYPE",
        "a web page in place of the file; load the file itself",
    ),
    (
        b"<html",
        "a web page in place of the file; load the file itself",
    ),
    (b"\xff\xfe", "text in UTF-16; write it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16; write it as UTF-8"),
];

/// What a file is that no reader takes, and what to do; `None` if its first bytes do not tell.
///
/// ```
/// use nanobragg_io::input::foreign;
///
/// assert!(foreign(b"\x1f\x8b\x08\0").unwrap().contains("gunzip"));
/// assert_eq!(foreign(b"1 2 3 4.5"), None);
/// ```
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let found = FOREIGN.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, what)| *what)
}

/// The text of a file without the byte-order mark of UTF-8.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A number of things in a message: `1 atom`, `2 atoms`.
///
/// ```
/// use nanobragg_io::input::counted;
/// assert_eq!([counted(1, "atom"), counted(0, "atom")], ["1 atom", "0 atoms"]);
/// ```
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A piece of a file as a message quotes it: on one line, at most 40 characters.
///
/// ```
/// use nanobragg_io::input::quoted;
///
/// assert_eq!(quoted(b"1.5x\t"), "1.5x\\t");
/// assert_eq!(quoted(&[b'a'; 41]), format!("{}...", "a".repeat(40)));
/// ```
pub fn quoted(piece: &[u8]) -> String {
    /// A character of UTF-8 has at most four bytes; the one byte more shows that there is more.
    const MOST_BYTES: usize = 4 * QUOTED + 1;
    let beginning = piece.get(..MOST_BYTES).unwrap_or(piece);
    let text = String::from_utf8_lossy(beginning);
    let shown: String = text.chars().take(QUOTED).collect();
    let dots = if shown.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_just_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("four");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(bytes_up_to(&path, 4).unwrap(), b"1234");
        assert_eq!(bytes_of(&path).unwrap(), b"1234");
        let error = bytes_up_to(&path, 3).unwrap_err();
        assert!(matches!(error, ReadError::TooLong { limit_bytes: 3, .. }));
    }

    #[test]
    fn a_quotation_counts_characters_not_bytes() {
        let forty = "\u{1f41d}".repeat(40);
        assert_eq!(quoted(forty.as_bytes()), forty);
        assert_eq!(
            quoted(format!("{forty}b").as_bytes()),
            format!("{forty}...")
        );
        assert_eq!(quoted(b"\xff"), "\u{fffd}");
    }
}
