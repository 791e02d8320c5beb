//! Portable greymaps, binary (`P5`), one byte a pixel.
//!
//! ```text
//! P5
//! 61 47
//! # pixels scaled by 0.251714
//! 255
//! ...
//! ```

use std::io::{Read, Write};
use std::path::Path;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, multispace1, one_of, u32};
use nom::combinator::{value, verify};
use nom::multi::many1_count;
use nom::{IResult, Parser};

use crate::bytes::Source;
use crate::printf::general;
use crate::{Error, Image, Result};

/// The longest header, with comments, in bytes.
const HEADER_LIMIT: u64 = 1 << 16;

/// Writes `greys`, with a comment that states `scale`, the greys per photon.
///
/// # Errors
/// Errors of the writer.
///
/// ```
/// use nanobragg_io::{Image, pgm};
///
/// let mut file = Vec::new();
/// pgm::write(&mut file, &Image::new(2, 1, b"ab".to_vec())?, 0.25)?;
/// assert_eq!(file, b"P5\n2 1\n# pixels scaled by 0.25\n255\nab");
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write(mut writer: impl Write, greys: &Image<u8>, scale: f64) -> Result<()> {
    let (fast, slow, scale) = (greys.fast(), greys.slow(), general(scale));
    write!(
        writer,
        "P5\n{fast} {slow}\n# pixels scaled by {scale}\n255\n"
    )?;
    Ok(writer.write_all(greys.pixels())?)
}

/// Reads a greymap. Comments are allowed wherever the header has blanks. Bytes after the last pixel
/// are ignored.
///
/// # Errors
/// With the name of the file: [`Error::NotPgm`], [`Error::Shape`], or [`Error::Length`] if the file
/// is too short. [`Error::Read`] if it cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<Image<u8>> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    contents(&mut source).map_err(|fault| fault.in_file(path))
}

/// The greymap from the bytes of a file.
///
/// # Errors
/// As [`read`], without the name of a file.
///
/// ```
/// let image = nanobragg_io::pgm::parse(b"P5 2 1 255\nab")?;
/// assert_eq!(image.pixels(), b"ab");
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<Image<u8>> {
    contents(&mut Source::in_memory(bytes))
}

fn contents<R: Read>(source: &mut Source<R>) -> Result<Image<u8>> {
    let mut bytes = Vec::new();
    source.extend(&mut bytes, HEADER_LIMIT)?;
    let (rest, (fast, slow)) = header(&bytes).map_err(|_| Error::NotPgm)?;
    let start = bytes.len() - rest.len();
    let end = start as u64 + u64::from(fast) * u64::from(slow);
    if let Some(found) = source.length().filter(|&found| found < end) {
        return Err(Error::Length {
            expected: end,
            found,
        });
    }
    source.extend(&mut bytes, end)?;
    if (bytes.len() as u64) < end {
        return Err(Error::Length {
            expected: end,
            found: bytes.len() as u64,
        });
    }
    // `end` is at most the length of a buffer, so it is a usize.
    bytes.truncate(end as usize);
    Image::new(fast as usize, slow as usize, bytes.split_off(start))
}

/// The numbers of fast and slow pixels. The rest of the input are the pixels.
fn header(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let comment = value(
        (),
        (char('#'), take_till(|byte| byte == b'\n' || byte == b'\r')),
    );
    let mut blank = many1_count(alt((value((), multispace1), comment)));
    let (input, _) = tag("P5")(input)?;
    let (input, _) = blank.parse(input)?;
    let (input, fast) = u32(input)?;
    let (input, _) = blank.parse(input)?;
    let (input, slow) = u32(input)?;
    let (input, _) = blank.parse(input)?;
    let (input, _) = verify(u32, |max| (1..=255).contains(max)).parse(input)?;
    // Exactly one blank: a second one would be the first pixel.
    let (input, _) = one_of(" \t\r\n")(input)?;
    Ok((input, (fast, slow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Image<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path())
    }

    #[test]
    fn what_is_written_reads_back() -> Result<()> {
        let image = Image::new(3, 2, vec![b'\n', b' ', b'#', 0, 255, 7])?;
        let mut bytes = Vec::new();
        write(&mut bytes, &image, 1234567.0)?;
        assert_eq!(read_bytes(&bytes)?, image);
        assert!(bytes.starts_with(b"P5\n3 2\n# pixels scaled by 1.23457e+06\n255\n"));
        Ok(())
    }

    #[test]
    fn comments_may_be_between_any_two_words() -> Result<()> {
        let image = read_bytes(b"P5#a\n#b\n2#c\n #d\n1\n#e\n255\n#!")?;
        assert_eq!(image.pixels(), b"#!");
        Ok(())
    }

    #[test]
    fn wrong_files_are_errors() {
        let fault = |bytes: &[u8]| match read_bytes(bytes) {
            Err(Error::InFile { fault, .. }) => *fault,
            other => panic!("{other:?}"),
        };
        assert!(matches!(fault(b""), Error::NotPgm));
        assert!(matches!(fault(b"P2\n1 1\n255\n0"), Error::NotPgm));
        assert!(matches!(fault(b"P5\n1 1\n65535\n00"), Error::NotPgm));
        assert!(matches!(fault(b"P5\n0 1\n255\n"), Error::Shape { .. }));
        assert!(matches!(
            fault(b"P5\n2 2\n255\n123"),
            Error::Length {
                expected: 15,
                found: 14
            }
        ));
        // The stated size is not allocated.
        let bomb = fault(b"P5\n4294967295 4294967295\n255\n123");
        assert!(matches!(bomb, Error::Length { found: 32, .. }));
    }
}
