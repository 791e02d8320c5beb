//! Fingerprints of files: length and SHA-256.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A file of a run with its fingerprint, for records and logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The role of the file in the run, such as `floatfile` or `hkl`.
    pub flag: String,
    /// The path as given.
    pub path: String,
    /// The length of the file.
    pub bytes: u64,
    /// The SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl FileEntry {
    /// The entry of an existing file.
    ///
    /// # Errors
    /// The error of the system if the file cannot be read completely.
    pub fn of_file(flag: &str, path: &Path) -> io::Result<Self> {
        let mut hashing = Hashing::new(io::sink(), true);
        io::copy(&mut BufReader::new(File::open(path)?), &mut hashing)?;
        Ok(hashing.entry(flag, path))
    }
}

/// A writer that computes the fingerprint of the written bytes if this is requested.
#[derive(Debug)]
pub(super) struct Hashing<W> {
    writer: W,
    bytes: u64,
    hash: Option<Sha256>,
}

impl<W: Write> Hashing<W> {
    /// Wraps `writer`. Without `wanted` there is no cost and the hash is empty.
    pub(super) fn new(writer: W, wanted: bool) -> Self {
        Self {
            writer,
            bytes: 0,
            hash: wanted.then(Sha256::new),
        }
    }

    pub(super) fn entry(self, flag: &str, path: &Path) -> FileEntry {
        FileEntry {
            flag: flag.to_owned(),
            path: path.display().to_string(),
            bytes: self.bytes,
            sha256: self
                .hash
                .map(|hash| hex(&hash.finalize()))
                .unwrap_or_default(),
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.bytes += written as u64;
        if let (Some(hash), Some(written)) = (&mut self.hash, bytes.get(..written)) {
            hash.update(written);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The SHA-256 of `bytes`, in hexadecimal digits.
pub fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard FIPS 180.
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn what_is_written_is_hashed_and_passed_on() {
        let mut hashing = Hashing::new(Vec::new(), true);
        hashing.write_all(b"a").unwrap();
        hashing.write_all(b"bc").unwrap();
        assert_eq!(hashing.writer, b"abc");
        let entry = hashing.entry("hkl", Path::new("P1.hkl"));
        assert_eq!((entry.bytes, entry.sha256.as_str()), (3, OF_ABC));
        assert_eq!(sha256_of(b"abc"), OF_ABC);
    }

    #[test]
    fn a_file_has_the_hash_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(FileEntry::of_file("hkl", &path).unwrap().sha256, OF_ABC);
        assert!(FileEntry::of_file("hkl", &folder.path().join("b")).is_err());
    }
}
