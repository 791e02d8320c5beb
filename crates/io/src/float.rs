//! Photons as raw 32-bit floats: little-endian, `[slow][fast]`, no header.
//!
//! The file does not state its shape. The caller gives it, and the length of the file must agree.

use std::io::{Read, Write};
use std::path::Path;

use crate::bytes::{Source, pixels_of, write_pixels};
use crate::{Error, Image, Result};

/// Writes the pixels of `image`, four bytes each.
///
/// # Errors
/// Errors of the writer.
///
/// ```
/// use nanobragg_io::{Image, float};
///
/// let mut file = Vec::new();
/// float::write(&mut file, &Image::new(2, 1, vec![1.0, -2.0])?)?;
/// assert_eq!(file, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write(writer: impl Write, image: &Image<f32>) -> Result<()> {
    Ok(write_pixels(writer, image.pixels(), f32::to_le_bytes)?)
}

/// Reads an image of `fast` x `slow` pixels.
///
/// # Errors
/// [`Error::Length`] with the name of the file unless it holds exactly that many pixels;
/// [`Error::Read`] if it cannot be read.
pub fn read(path: impl AsRef<Path>, fast: usize, slow: usize) -> Result<Image<f32>> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    contents(&mut source, fast, slow).map_err(|fault| fault.in_file(path))
}

/// The image of `fast` x `slow` pixels from the bytes of a file.
///
/// # Errors
/// As [`read`], without the name of a file.
///
/// ```
/// let image = nanobragg_io::float::parse(&[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], 2, 1)?;
/// assert_eq!(image.pixels(), [1.0, -2.0]);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn parse(bytes: &[u8], fast: usize, slow: usize) -> Result<Image<f32>> {
    contents(&mut Source::in_memory(bytes), fast, slow)
}

fn contents<R: Read>(source: &mut Source<R>, fast: usize, slow: usize) -> Result<Image<f32>> {
    let expected = (fast as u64)
        .checked_mul(slow as u64)
        .and_then(|count| count.checked_mul(4))
        .ok_or(Error::TooLarge { fast, slow })?;
    if let Some(found) = source.length().filter(|&found| found != expected) {
        return Err(Error::Length { expected, found });
    }
    let mut bytes = Vec::new();
    // One byte more, to notice a pipe that is too long.
    source.extend(&mut bytes, expected.saturating_add(1))?;
    if bytes.len() as u64 != expected {
        return Err(Error::Length {
            expected,
            found: bytes.len() as u64,
        });
    }
    Image::new(fast, slow, pixels_of(&bytes, f32::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn what_is_written_reads_back_to_the_bit() -> Result<()> {
        let pixels = vec![
            0.0,
            -0.0,
            f32::MIN_POSITIVE / 8.0,
            f32::INFINITY,
            1.5,
            f32::MAX,
        ];
        let mut bytes = Vec::new();
        write(&mut bytes, &Image::new(3, 2, pixels.clone())?)?;
        let back = read(stored(&bytes).path(), 3, 2)?;
        let bits = |p: &[f32]| p.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(back.pixels()), bits(&pixels));
        Ok(())
    }

    #[test]
    fn a_wrong_length_is_an_error_with_the_name_of_the_file() {
        let file = stored(&[0; 24]);
        for (fast, slow) in [(3, 1), (4, 2), (usize::MAX, 1), (1 << 40, 1 << 40), (0, 0)] {
            let error = read(file.path(), fast, slow).unwrap_err();
            assert!(
                error.to_string().contains(&*file.path().to_string_lossy()),
                "{error}"
            );
        }
        assert!(matches!(
            read("no such file", 1, 1),
            Err(Error::Read { .. })
        ));
    }
}
