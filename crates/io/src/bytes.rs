//! Reading no more than is there, writing many pixels at a time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Pixels turned into bytes between two calls of the writer.
const PIXELS_PER_WRITE: usize = 1 << 16;

/// A file being read, from its beginning.
///
/// Nothing is allocated on the word of a header: buffers grow with what the file really yields.
pub(crate) struct Source<R = File> {
    path: PathBuf,
    reader: R,
    length: Option<u64>,
}

impl<'b> Source<&'b [u8]> {
    /// A file already in memory; it has no name.
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

    /// Reads on until `bytes`, which holds all that was read so far, is `until` long; fewer at the
    /// end of the file.
    pub(crate) fn extend(&mut self, bytes: &mut Vec<u8>, until: u64) -> Result<()> {
        let fault = |cause| Error::Read {
            path: self.path.clone(),
            cause,
        };
        let missing = until.saturating_sub(bytes.len() as u64);
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

/// Writes each pixel as the `N` bytes that `bytes_of` makes of it.
pub(crate) fn write_pixels<T: Copy, const N: usize>(
    mut writer: impl Write,
    pixels: &[T],
    bytes_of: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut buffer = vec![0; PIXELS_PER_WRITE.min(pixels.len()) * N];
    for some in pixels.chunks(PIXELS_PER_WRITE) {
        let (cells, _) = buffer.as_chunks_mut::<N>();
        for (cell, &pixel) in cells.iter_mut().zip(some) {
            *cell = bytes_of(pixel);
        }
        writer.write_all(buffer.get(..some.len() * N).unwrap_or_default())?;
    }
    Ok(())
}

/// One pixel for every `N` bytes; fewer bytes at the end are left out.
pub(crate) fn pixels_of<T, const N: usize>(bytes: &[u8], pixel: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (cells, _) = bytes.as_chunks::<N>();
    cells.iter().map(|&cell| pixel(cell)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_beyond_one_write_are_all_written() -> io::Result<()> {
        let pixels: Vec<u16> = (0..PIXELS_PER_WRITE + 3).map(|i| i as u16).collect();
        let mut bytes = Vec::new();
        write_pixels(&mut bytes, &pixels, u16::to_be_bytes)?;
        assert_eq!(pixels_of(&bytes, u16::from_be_bytes), pixels);
        Ok(())
    }

    #[test]
    fn a_folder_is_no_source() {
        assert!(matches!(
            Source::open(Path::new(".")),
            Err(Error::Folder { .. })
        ));
    }
}
