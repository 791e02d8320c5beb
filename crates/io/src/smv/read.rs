//! Reading an SMV image. Every statement of the header is checked against the file.

use std::io::Read;
use std::path::Path;

use super::header::stated_bytes;
use super::number_type::number_type;
use super::{BLOCK, Header};
use crate::bytes::Source;
use crate::{Error, NumberType, Result, StoredPixels};

/// The longest header that is read, in bytes.
const LONGEST_HEADER: u32 = 1 << 20;
/// The longest side that is read, in pixels.
const LONGEST_SIDE: u32 = i32::MAX as u32;
/// How many bytes after its stated end a header may end.
const OVERRUN: usize = 4096;

/// Reads header and pixels.
///
/// The pixels are of the type that `Data_type` or `TYPE` names, in the order of `BYTE_ORDER`; unsigned
/// pixels of 16 bits, little-endian, where nothing is said. Bytes after the last pixel are ignored.
///
/// The C program writes headers that are longer than their `HEADER_BYTES`. Such a file is accepted
/// only if its length is that of the real header plus the pixels.
///
/// # Errors
/// Wrong contents, inside [`Error::InFile`]: [`Error::NotSmv`], [`Error::Unclosed`],
/// [`Error::MissingKey`], [`Error::NotANumber`], [`Error::Range`], [`Error::Unsupported`], or
/// [`Error::Length`] for a file that is too short. [`Error::Read`] or [`Error::Folder`] if the file
/// cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<(Header, StoredPixels)> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    contents(&mut source).map_err(|fault| fault.in_file(path))
}

/// Header and pixels from the bytes of a file.
///
/// # Errors
/// As [`read`], without the name of a file.
///
/// ```
/// use nanobragg_io::{Image, smv};
///
/// let mut file = Vec::new();
/// smv::write(&mut file, &smv::Fields::new(), &Image::new(2, 1, vec![7_u16, 8])?)?;
/// assert_eq!(smv::parse(&file)?.1, Image::new(2, 1, vec![7_u16, 8])?.into());
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<(Header, StoredPixels)> {
    contents(&mut Source::in_memory(bytes))
}

/// Reads the header only, and checks the length of the file against it.
///
/// # Errors
/// As [`read`]. The length of a pipe is not checked.
pub fn read_header(path: impl AsRef<Path>) -> Result<Header> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    let layout = Layout::find(&mut source).map_err(|fault| fault.in_file(path))?;
    Ok(layout.header)
}

fn contents<R: Read>(source: &mut Source<R>) -> Result<(Header, StoredPixels)> {
    let Layout {
        header,
        mut bytes,
        start,
        end,
        fast,
        slow,
        number,
        big_endian,
    } = Layout::find(source)?;
    source.extend(&mut bytes, end)?;
    let stored = usize::try_from(end)
        .ok()
        .and_then(|end| bytes.get(start..end));
    let stored = stored.ok_or(Error::Length {
        expected: end,
        found: bytes.len() as u64,
    })?;
    let pixels = number.read(stored, big_endian, fast, slow)?;
    Ok((header, pixels))
}

/// The header, and where the pixels are.
struct Layout {
    header: Header,
    /// The bytes read so far: the header and perhaps some pixels.
    bytes: Vec<u8>,
    /// Offset of the first pixel.
    start: usize,
    /// Offset after the last pixel. It has been checked against the length of the file.
    end: u64,
    fast: usize,
    slow: usize,
    number: NumberType,
    big_endian: bool,
}

impl Layout {
    fn find<R: Read>(source: &mut Source<R>) -> Result<Self> {
        let mut bytes = Vec::new();
        source.extend(&mut bytes, BLOCK as u64)?;
        if bytes.first() != Some(&b'{') {
            return Err(Error::NotSmv);
        }
        let stated = stated_bytes(&bytes, LONGEST_HEADER)?;
        source.extend(&mut bytes, (stated + OVERRUN) as u64)?;
        if bytes.len() < stated {
            return Err(Error::Length {
                expected: stated as u64,
                found: bytes.len() as u64,
            });
        }
        let unclosed = Error::Unclosed {
            header_bytes: stated,
        };
        let Ok(header) = Header::parse(&bytes) else {
            return Err(unclosed);
        };

        let fast = header.size("SIZE1", LONGEST_SIDE)?;
        let slow = header.size("SIZE2", LONGEST_SIDE)?;
        let (number, big_endian) = number_type(&header)?;
        // Both sides are below 2^31, so the number of pixels is below 2^62.
        let pixel_bytes = (fast as u64 * slow as u64).saturating_mul(number.bytes() as u64);
        let closed = header.length();
        let start = if closed <= stated {
            stated
        } else if source.length() == Some(pixel_bytes.saturating_add(closed as u64)) {
            closed
        } else if closed == stated + 1 {
            // The brace is the last byte of the header, so the byte after it, which happens to be a
            // form feed, belongs to the first pixel.
            stated
        } else {
            return Err(unclosed);
        };
        let end = pixel_bytes.saturating_add(start as u64);
        // Nothing says how pixels are stored, and the length says that they have 32 bits.
        let is_silent = ["Data_type", "TYPE"]
            .iter()
            .all(|key| header.exact(key).is_none());
        if is_silent && source.length() == Some(end.saturating_add(pixel_bytes)) {
            return Err(Error::MissingKey { key: "TYPE" });
        }
        if let Some(found) = source.length().filter(|&found| found < end) {
            return Err(Error::Length {
                expected: end,
                found,
            });
        }
        Ok(Self {
            header,
            bytes,
            start,
            end,
            fast,
            slow,
            number,
            big_endian,
        })
    }
}
