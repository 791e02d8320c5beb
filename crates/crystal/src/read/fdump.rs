//! Structure-factor dumps: the grid that the C program stores between runs.
//!
//! ```text
//! hmin hmax kmin kmax lmin lmax\n\f        text
//! f64 f64 f64 ...                          native byte order, [h][k][l], l fastest
//! ```
//! Each axis is one value longer than the box. The additional values are padding. The C program passes over
//! any blanks behind the header. Here too any of them may part header and values; how many there are follows
//! from the length of the file, so that a first value that looks like blanks is no blank.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use nom::Parser;
use nom::bytes::complete::take_while;
use nom::character::complete::i32 as integer;
use nom::error::Error as NomError;
use nom::multi::fill;
use nom::sequence::preceded;

use nanobragg_io::input::{bytes_of, quoted};

use super::is_blank;
use crate::error::Error;
use crate::factors::{Bounds, FactorGrid, GridLimit, reserve};

/// The bytes between header and values, as the C program writes them: line feed and form feed.
const MARK: &[u8] = b"\n\x0c";

/// The largest length of a header. Six numbers of eleven characters need less than half of it.
const LONGEST_HEADER: usize = 256;

const VALUE: usize = size_of::<f64>();

/// Reads the dump at `path`. `default_f` is F outside its box.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>, default_f: f64, limit: GridLimit) -> Result<FactorGrid, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_dump", path = %path.display()).entered();
    let name = path.display().to_string();
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return parse(&bytes_of(path)?, &name, default_f, limit);
    }
    // A file is read plane by plane, so that it is not in memory together with the grid.
    decode(file, metadata.len(), &name, default_f, limit).map_err(|fault| match fault {
        DumpFault::Dump(error) => error,
        DumpFault::Reading(source) => unreadable(source),
    })
}

/// Whether the file at `path` begins with the header of a dump.
pub fn is_dump(path: impl AsRef<Path>) -> bool {
    let path = path.as_ref();
    let mut head = Vec::new();
    // The bytes of a pipe can be read only once, so a pipe is not examined.
    let read = path.is_file().then(|| File::open(path).ok()).flatten();
    let read = read.map(|file| file.take(LONGEST_HEADER as u64).read_to_end(&mut head));
    // Six numbers may begin a list of reflections too. Only a dump has a form feed behind them.
    let blanks = bounds(&head).map(|(_, rest)| rest.iter().take_while(|byte| is_blank(**byte)));
    matches!(read, Some(Ok(_))) && blanks.is_some_and(|mut blanks| blanks.any(|byte| *byte == 0x0c))
}

/// The grid in the bytes of a dump; `name` is for messages. Every point counts as read.
///
/// # Errors
/// [`Error::DumpHeader`], [`Error::DumpLength`], [`Error::DumpValue`] for a value that is not finite
/// or is subnormal, [`Error::GridTooLarge`] above `limit`.
pub fn parse(
    bytes: &[u8],
    name: &str,
    default_f: f64,
    limit: GridLimit,
) -> Result<FactorGrid, Error> {
    decode(bytes, bytes.len() as u64, name, default_f, limit).map_err(|fault| match fault {
        DumpFault::Dump(error) => error,
        // Reading from a slice of this length does not fail.
        DumpFault::Reading(source) => Error::Unreadable {
            path: PathBuf::from(name),
            source,
        },
    })
}

/// Why a dump cannot be read.
enum DumpFault {
    /// The contents are wrong.
    Dump(Error),
    /// The bytes cannot be read.
    Reading(io::Error),
}

impl From<Error> for DumpFault {
    fn from(error: Error) -> Self {
        Self::Dump(error)
    }
}

impl From<io::Error> for DumpFault {
    fn from(error: io::Error) -> Self {
        Self::Reading(error)
    }
}

/// The grid in the `length` bytes of `source`.
fn decode(
    mut source: impl Read,
    length: u64,
    name: &str,
    default_f: f64,
    limit: GridLimit,
) -> Result<FactorGrid, DumpFault> {
    let mut head = Vec::with_capacity(LONGEST_HEADER);
    (source.by_ref().take(LONGEST_HEADER as u64)).read_to_end(&mut head)?;
    let bad_header = || Error::DumpHeader {
        name: name.to_owned(),
        found: quoted(&head),
    };
    let (bounds, rest) = bounds(&head).ok_or_else(bad_header)?;
    let end = (head.len() - rest.len()) as u64;

    // Checked before memory is reserved, so that a false header cannot use up the memory.
    let expected = padded_points(&bounds).saturating_mul(VALUE as u128);
    let behind = length.saturating_sub(end);
    let gap = u128::from(behind).checked_sub(expected);
    let parts = gap.and_then(|gap| rest.split_at_checked(usize::try_from(gap).ok()?));
    let blanks_alone = |(blanks, _): &(&[u8], &[u8])| {
        !blanks.is_empty() && blanks.iter().all(|byte| is_blank(*byte))
    };
    let Some((_, first_values)) = parts.filter(blanks_alone) else {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte));
        return Err(DumpFault::Dump(Error::DumpLength {
            name: name.to_owned(),
            found: behind.saturating_sub(blanks.take(MARK.len()).count() as u64),
            expected,
        }));
    };
    let mut grid = reserve(&bounds, limit)?;
    // The length of the file agrees with its header and the grid fits in memory, so each extent
    // fits in a usize.
    let [h_extent, k_extent, l_extent] = bounds.extent().map(|n| n as usize);
    let row_bytes = (l_extent + 1) * VALUE;
    let plane_bytes = (k_extent + 1) * row_bytes;
    let mut plane = Vec::new();
    let needed_bytes = plane_bytes as u128;
    (plane.try_reserve_exact(plane_bytes)).map_err(|_| Error::OutOfMemory { needed_bytes })?;
    plane.resize(plane_bytes, 0);
    let mut values = first_values.chain(source);
    for _ in 0..h_extent {
        values.read_exact(&mut plane)?;
        // The last row and the last value of each row are padding.
        for row in plane.chunks_exact(row_bytes).take(k_extent) {
            let (row, _) = row.as_chunks::<VALUE>();
            grid.extend(
                row.iter()
                    .take(l_extent)
                    .map(|value| f64::from_ne_bytes(*value)),
            );
        }
    }
    let mut values = grid.iter().copied().enumerate();
    if let Some((position, value)) = values.find(|(_, value)| !is_amplitude(*value)) {
        return Err(DumpFault::Dump(Error::DumpValue {
            name: name.to_owned(),
            position,
            value,
        }));
    }
    Ok(FactorGrid::from_values(bounds, grid, default_f))
}

/// Writes a grid as a dump. For a grid without reflections it writes nothing.
///
/// # Errors
/// Errors of the writer.
pub fn write(grid: &FactorGrid, mut writer: impl Write) -> io::Result<()> {
    writer.write_all(&to_bytes(grid))
}

/// The bytes of a dump of a grid. Empty for a grid without reflections.
pub fn to_bytes(grid: &FactorGrid) -> Vec<u8> {
    let Some(bounds) = grid.bounds() else {
        return Vec::new();
    };
    let ([h_min, k_min, l_min], [h_max, k_max, l_max]) = (bounds.min, bounds.max);
    let header = format!("{h_min} {h_max} {k_min} {k_max} {l_min} {l_max}");
    // The grid is in memory, so each extent fits in a usize.
    let [_, k_extent, l_extent] = bounds.extent().map(|n| n as usize);
    let points = usize::try_from(padded_points(&bounds)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(header.len() + MARK.len() + points * VALUE);
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(MARK);

    let row_padding = [0; VALUE];
    let plane_padding = vec![0; (l_extent + 1) * VALUE];
    for plane in grid.values().chunks_exact(k_extent * l_extent) {
        for row in plane.chunks_exact(l_extent) {
            bytes.extend(row.iter().flat_map(|value| value.to_ne_bytes()));
            bytes.extend_from_slice(&row_padding);
        }
        bytes.extend_from_slice(&plane_padding);
    }
    bytes.resize(bytes.len() + (k_extent + 1) * plane_padding.len(), 0);
    bytes
}

/// The number of values in a dump, including the padding.
fn padded_points(bounds: &Bounds) -> u128 {
    bounds
        .extent()
        .into_iter()
        .map(|n| u128::from(n) + 1)
        .product()
}

/// Whether a value can be a structure factor: it is finite and not subnormal. In the other byte order
/// an amplitude of few digits, such as 350.5, is a subnormal number.
fn is_amplitude(value: f64) -> bool {
    value.is_finite() && !value.is_subnormal()
}

/// The box of a header, and the bytes behind its numbers; `None` if the bytes do not begin with a header.
fn bounds(head: &[u8]) -> Option<(Bounds, &[u8])> {
    let mut limits = [0; 6];
    let index = preceded(take_while(is_blank), integer::<&[u8], NomError<&[u8]>>);
    let (rest, ()) = fill(index, &mut limits).parse(head).ok()?;
    let [h_min, h_max, k_min, k_max, l_min, l_max] = limits;
    let bounds = Bounds {
        min: [h_min, k_min, l_min],
        max: [h_max, k_max, l_max],
    };
    let in_order = bounds
        .min
        .iter()
        .zip(&bounds.max)
        .all(|(min, max)| min <= max);
    in_order.then_some((bounds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::hkl;

    fn grid() -> FactorGrid {
        let list = hkl::parse(b"-1 0 2 5.5\n1 1 2 -3\n0 0 4 1e-3\n", "x.hkl").unwrap();
        FactorGrid::from_reflections(&list, 10.0, GridLimit::default()).unwrap()
    }

    fn fault(bytes: &[u8]) -> Error {
        parse(bytes, "x.bin", 0.0, GridLimit::default()).unwrap_err()
    }

    #[test]
    fn a_dump_reads_back_what_was_written() {
        let grid = grid();
        let mut bytes = Vec::new();
        write(&grid, &mut bytes).unwrap();
        let back = parse(&bytes, "x.bin", 10.0, GridLimit::default()).unwrap();
        assert_eq!(back.values(), grid.values());
        assert_eq!(back.bounds(), grid.bounds());
        assert_eq!(back.count_read(), 18);
        assert_eq!(to_bytes(&back), bytes);
    }

    #[test]
    fn each_axis_is_padded_by_one() {
        let bytes = to_bytes(&grid());
        let header = b"-1 1 0 1 2 4\n\x0c";
        assert!(bytes.starts_with(header));
        assert_eq!(bytes.len(), header.len() + 4 * 3 * 4 * 8);
    }

    #[test]
    fn a_dump_of_another_length_is_refused() {
        let mut bytes = to_bytes(&grid());
        bytes.push(0);
        assert!(matches!(
            fault(&bytes),
            Error::DumpLength {
                found: 385,
                expected: 384,
                ..
            }
        ));
        bytes.truncate(100);
        assert!(matches!(fault(&bytes), Error::DumpLength { .. }));
    }

    #[test]
    fn a_wrong_header_is_an_error() {
        for header in [
            &b""[..],
            b"1 2 3\n\x0c",
            b"1 0 0 0 0 0\n\x0c",
            b"a b c d e f\n\x0c",
        ] {
            assert!(matches!(fault(header), Error::DumpHeader { .. }));
        }
        assert!(matches!(
            fault(b"-2147483648 2147483647 -2147483648 2147483647 -2147483648 2147483647\n\x0c"),
            Error::DumpLength { .. }
        ));
        assert!(matches!(
            fault(b"0 99999999999 0 0 0 0\n\x0c"),
            Error::DumpHeader { .. }
        ));
    }

    #[test]
    fn any_blanks_may_part_header_and_values() {
        let bytes = to_bytes(&grid());
        let (header, values) = (&bytes[..12], &bytes[14..]);
        for blanks in [&b"\x0c"[..], b"\n", b" ", b"\r\n\x0c", b"\n\n \x0c\n"] {
            let dump = [header, blanks, values].concat();
            let back = parse(&dump, "x.bin", 10.0, GridLimit::default()).unwrap();
            assert_eq!(back.values(), grid().values(), "{blanks:?}");
        }
        assert!(
            parse(
                &[header, values].concat(),
                "x.bin",
                10.0,
                GridLimit::default()
            )
            .is_err()
        );
    }

    #[test]
    fn a_first_value_that_looks_like_blanks_is_a_value() {
        // The bytes of this amplitude are line feeds, form feeds and spaces only.
        let value = f64::from_ne_bytes(*b"\n\x0c\x0c  \n \n");
        let mut bytes = to_bytes(&grid());
        bytes[14..22].copy_from_slice(&value.to_ne_bytes());
        let back = parse(&bytes, "x.bin", 10.0, GridLimit::default()).unwrap();
        assert_eq!(back.values()[0], value);
    }

    #[test]
    fn a_value_that_is_not_finite_is_an_error() {
        let mut bytes = to_bytes(&grid());
        bytes[14..22].copy_from_slice(&f64::NAN.to_ne_bytes());
        assert!(matches!(
            fault(&bytes),
            Error::DumpValue { position: 0, .. }
        ));
    }

    #[test]
    fn a_dump_of_the_other_byte_order_is_refused() {
        let mut bytes = to_bytes(&grid());
        let (values, _) = bytes[14..].as_chunks_mut::<8>();
        values.iter_mut().for_each(|value| value.reverse());
        assert!(fault(&bytes).to_string().contains("byte order"));
    }

    #[test]
    fn a_grid_without_reflections_has_no_dump() {
        assert!(to_bytes(&FactorGrid::empty(1.0)).is_empty());
    }
}
