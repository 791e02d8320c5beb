//! Files that others wrote, whole: read to the end, and quoted in messages.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most that is read of something that is no file and has no length, such as a pipe, in bytes.
pub const LONGEST_STREAM: u64 = 256 << 20;

/// The longest piece of a file that a message repeats, in characters.
const QUOTED: usize = 40;

/// Why there are no bytes. Each crate has a message of its own for either.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is more than is read of such a file, or of a pipe that goes on and on.
    #[error("cannot read {}: more than {limit_bytes} bytes", path.display())]
    TooLong {
        /// Where it comes from.
        path: PathBuf,
        /// How much was read.
        limit_bytes: u64,
    },
}

/// The bytes of a file, or of a pipe that ends within [`LONGEST_STREAM`].
///
/// # Errors
/// [`Unread`].
///
/// ```
/// use nanobragg_io::input::{Unread, bytes_of};
///
/// let error = bytes_of("no such file".as_ref()).unwrap_err();
/// assert!(matches!(error, Unread::System { .. }));
/// ```
pub fn bytes_of(path: &Path) -> Result<Vec<u8>, Unread> {
    let file = File::open(path).and_then(|file| Ok((file.metadata()?.is_file(), file)));
    match file.map_err(|source| unreadable(path, source))? {
        (true, _) => std::fs::read(path).map_err(|source| unreadable(path, source)),
        (false, stream) => limited(stream, path, LONGEST_STREAM),
    }
}

/// The bytes of a file or a pipe if there are no more than `limit_bytes`.
///
/// # Errors
/// [`Unread`].
pub fn bytes_up_to(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    limited(file, path, limit_bytes)
}

fn limited(reader: impl Read, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    reader
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Unread::TooLong {
            path: path.to_owned(),
            limit_bytes,
        });
    }
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> Unread {
    Unread::System {
        path: path.to_owned(),
        source,
    }
}

/// A file's text without a byte-order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A piece of a file as a message shows it: on one line, and cut short if it is long.
///
/// ```
/// use nanobragg_io::input::quoted;
///
/// assert_eq!(quoted(b"1.5x\t"), "1.5x\\t");
/// assert_eq!(quoted(&[b'a'; 41]), format!("{}...", "a".repeat(40)));
/// ```
pub fn quoted(piece: &[u8]) -> String {
    /// No character of UTF-8 is longer.
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
    fn a_limit_counts_the_last_byte_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("four");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(bytes_up_to(&path, 4).unwrap(), b"1234");
        assert_eq!(bytes_of(&path).unwrap(), b"1234");
        let error = bytes_up_to(&path, 3).unwrap_err();
        assert!(matches!(error, Unread::TooLong { limit_bytes: 3, .. }));
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let forty = "\u{1f41d}".repeat(40);
        assert_eq!(quoted(forty.as_bytes()), forty);
        assert_eq!(
            quoted(format!("{forty}b").as_bytes()),
            format!("{forty}...")
        );
        assert_eq!(quoted(b"\xff"), "\u{fffd}");
    }
}
