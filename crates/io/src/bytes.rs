//! Reading files without trusting their headers, and writing many pixels at a time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Pixels turned into bytes for one call of the writer.
const PIXELS_PER_WRITE: usize = 1 << 16;

/// A file that is read from its beginning.
///
/// A header that states a size does not cause an allocation of that size: buffers grow only with
/// the bytes that the file has.
pub(crate) struct Source<R = File> {
    path: PathBuf,
    reader: R,
    length: Option<u64>,
}

impl<'b> Source<&'b [u8]> {
    /// The contents of a file in memory, without a name.
    pub(crate) fn in_memory(bytes: &'b [u8]) -> Self {
        Self {
            path: PathBuf::new(),
            reader: bytes,
            length: Some(bytes.len() as u64),
        }
    }
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let fault = |cause| Error::Read {
            path: path.to_path_buf(),
            cause,
        };
        let file = File::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if metadata.is_dir() {
            return Err(Error::Folder {
                path: path.to_path_buf(),
            });
        }
        let length = metadata.is_file().then_some(metadata.len());
        Ok(Self {
            path: path.to_path_buf(),
            reader: file,
            length,
        })
    }
}

impl<R: Read> Source<R> {
    /// The length of the file in bytes; `None` for a pipe or a device.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Reads on until `bytes`, which must hold all that was read before, has the length `until`, or
    /// the file ends.
    pub(crate) fn extend(&mut self, bytes: &mut Vec<u8>, until: u64) -> Result<()> {
        let fault = |cause| Error::Read {
            path: self.path.clone(),
            cause,
        };
        let missing = until.saturating_sub(bytes.len() as u64);
        // Reserved in one piece where the length is known. A reservation that fails is an error;
        // without it `read_to_end` would abort the program.
        if let Some(length) = self.length {
            let held = length.saturating_sub(bytes.len() as u64).min(missing);
            let held =
                usize::try_from(held).map_err(|_| fault(io::ErrorKind::OutOfMemory.into()))?;
            bytes
                .try_reserve(held)
                .map_err(|_| fault(io::ErrorKind::OutOfMemory.into()))?;
        }
        let mut rest = (&mut self.reader).take(missing);
        rest.read_to_end(bytes).map_err(fault)?;
        Ok(())
    }
}

/// Writes each pixel as `N` bytes, which `bytes_of` returns.
pub(crate) fn write_pixels<T: Copy, const N: usize>(
    mut writer: impl Write,
    pixels: &[T],
    bytes_of: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut buffer = vec![0; PIXELS_PER_WRITE.min(pixels.len()) * N];
    for chunk in pixels.chunks(PIXELS_PER_WRITE) {
        let (cells, _) = buffer.as_chunks_mut::<N>();
        for (cell, &pixel) in cells.iter_mut().zip(chunk) {
            *cell = bytes_of(pixel);
        }
        writer.write_all(buffer.get(..chunk.len() * N).unwrap_or_default())?;
    }
    Ok(())
}

/// One pixel per `N` bytes. Fewer than `N` bytes at the end are ignored.
pub(crate) fn pixels_of<T, const N: usize>(bytes: &[u8], pixel: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (cells, _) = bytes.as_chunks::<N>();
    cells.iter().map(|&cell| pixel(cell)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pixels_than_one_write_takes_are_all_written() -> io::Result<()> {
        let pixels: Vec<u16> = (0..PIXELS_PER_WRITE + 3).map(|i| i as u16).collect();
        let mut bytes = Vec::new();
        write_pixels(&mut bytes, &pixels, u16::to_be_bytes)?;
        assert_eq!(pixels_of(&bytes, u16::from_be_bytes), pixels);
        Ok(())
    }

    #[test]
    fn a_folder_cannot_be_read() {
        assert!(matches!(
            Source::open(Path::new(".")),
            Err(Error::Folder { .. })
        ));
    }
}
