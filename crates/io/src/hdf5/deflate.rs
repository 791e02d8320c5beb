//! Shuffle and deflate, on several threads.
//!
//! Blocks of the shuffled bytes are compressed apart and joined to one zlib stream: each block but the last
//! ends in a sync flush, after which the next begins at a whole byte. The size of a block is fixed, so that
//! the stream does not depend on the number of threads.
//!
//! # Source
//! RFC 1950 (header, Adler-32) and RFC 1951; the joining is that of M. Adler's pigz.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::images::LEVEL;
use crate::{Error, Result};

/// The bytes of a block. A block knows nothing of those before it, which costs little at this size.
const BLOCK: usize = 1 << 20;

/// The two bytes of a zlib header: deflate with a window of 32 KB, fastest level.
const HEADER: [u8; 2] = [0x78, 0x01];

/// The modulus of Adler-32.
const ADLER: u32 = 65521;

/// A compressed block.
struct Block {
    deflated: Vec<u8>,
    /// Adler-32 of its bytes, as the sums a and b.
    adler: [u32; 2],
    bytes: usize,
}

/// An image as it is stored, shuffled and deflated. Shuffled means the lowest bytes of all pixels
/// first, then the second bytes, and so on. `bits` returns the bits of a pixel.
///
/// # Errors
/// [`Error::Stream`] if the encoder fails, which is not expected.
pub fn pack<T: Copy + Sync>(pixels: &[T], bits: impl Fn(T) -> u32 + Sync) -> Result<Vec<u8>> {
    pack_by(pixels.len(), 4, &|plane, pixels_here, bytes| {
        let pixels = pixels.get(pixels_here).unwrap_or_default();
        bytes.extend(
            pixels
                .iter()
                .map(|&pixel| (bits(pixel) >> (8 * plane)) as u8),
        );
    })
}

/// The same of elements of any size, little-endian.
///
/// # Errors
/// As [`pack`].
pub(super) fn pack_bytes(bytes: &[u8], element_bytes: usize) -> Result<Vec<u8>> {
    let element_bytes = element_bytes.max(1);
    let count = bytes.len() / element_bytes;
    pack_by(count, element_bytes, &|plane, here, to| {
        let elements = bytes.get(here.start * element_bytes..here.end * element_bytes);
        let elements = elements.unwrap_or_default().iter();
        to.extend(elements.skip(plane).step_by(element_bytes));
    })
}

/// Appends byte `plane` of the elements in the range.
type Plane<'f> = &'f (dyn Fn(usize, Range<usize>, &mut Vec<u8>) + Sync);

fn pack_by(count: usize, element_bytes: usize, append: Plane<'_>) -> Result<Vec<u8>> {
    let total = count * element_bytes;
    let blocks = total.div_ceil(BLOCK).max(1);
    let shuffled = |block: usize| -> Vec<u8> {
        let (first, end) = (block * BLOCK, total.min((block + 1) * BLOCK));
        let mut bytes = Vec::with_capacity(end - first);
        let mut at = first;
        // A block may hold the end of one plane and the beginning of the next.
        while at < end {
            let (plane, element) = (at / count, at % count);
            let here = (end - at).min(count - element);
            append(plane, element..element + here, &mut bytes);
            at += here;
        }
        bytes
    };
    let work = |block: usize| deflate(&shuffled(block), block + 1 == blocks);
    let mut stream = HEADER.to_vec();
    let mut sums = [1, 0];
    for block in on_threads(blocks, work) {
        let block = block?;
        stream.extend(&block.deflated);
        sums = joined(sums, block.adler, block.bytes);
    }
    let [a, b] = sums;
    stream.extend(((b << 16) | a).to_be_bytes());
    Ok(stream)
}

/// Calls `work` for the numbers below `count` on as many threads as there are cores, and returns the
/// results in order.
fn on_threads<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(count);
    if threads < 2 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = work(number);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Compresses a block without a zlib header.
fn deflate(bytes: &[u8], is_last: bool) -> Result<Block> {
    let mut encoder = Compress::new(Compression::new(LEVEL), false);
    let flush = match is_last {
        true => FlushCompress::Finish,
        false => FlushCompress::Sync,
    };
    let failed = |error: std::io::Error| Error::from(error);
    // More than deflate needs for bytes that it cannot compress, so that one call is enough as a rule.
    let mut deflated = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let read = encoder.total_in() as usize;
        let rest = bytes.get(read..).unwrap_or_default();
        let before = deflated.len();
        let status = encoder
            .compress_vec(rest, &mut deflated, flush)
            .map_err(|error| failed(error.into()))?;
        let has_room = deflated.len() < deflated.capacity();
        let has_read = encoder.total_in() as usize == bytes.len();
        match status {
            Status::StreamEnd => break,
            // A flush is complete when the encoder leaves room.
            Status::Ok | Status::BufError if !is_last && has_read && has_room => break,
            Status::BufError if has_room && deflated.len() == before => {
                return Err(failed(std::io::ErrorKind::WriteZero.into()));
            }
            Status::Ok | Status::BufError => deflated.reserve(bytes.len() / 2 + 1024),
        }
    }
    Ok(Block {
        deflated,
        adler: adler(bytes),
        bytes: bytes.len(),
    })
}

/// The sums of Adler-32: a is 1 and all bytes, b all values of a.
fn adler(bytes: &[u8]) -> [u32; 2] {
    // The most bytes for which b, starting below the modulus, stays below 2^32.
    const CHUNK: usize = 5552;
    let (mut a, mut b) = (1_u32, 0_u32);
    for chunk in bytes.chunks(CHUNK) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= ADLER;
        b %= ADLER;
    }
    [a, b]
}

/// The sums of two pieces of text together, the second of this many bytes. Every a of the second piece is
/// larger by the a of the first, less the 1 that both begin with.
fn joined([a1, b1]: [u32; 2], [a2, b2]: [u32; 2], bytes: usize) -> [u32; 2] {
    let modulus = u64::from(ADLER);
    let more = (u64::from(a1) + modulus - 1) % modulus;
    let a = (u64::from(a2) + more) % modulus;
    let b = (u64::from(b1) + u64::from(b2) + bytes as u64 % modulus * more) % modulus;
    [a as u32, b as u32]
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        // The reader compares the check sum.
        ZlibDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn shuffling_puts_bytes_of_equal_significance_together() {
        let packed = pack(&[0x0102_0304, 0x1112_1314], |pixel| pixel).unwrap();
        assert_eq!(unpacked(&packed), [4, 0x14, 3, 0x13, 2, 0x12, 1, 0x11]);
    }

    #[test]
    fn images_of_any_size_are_read_back_from_one_stream() {
        for count in [
            0,
            1,
            1000,
            BLOCK / 4,
            BLOCK / 4 + 1,
            BLOCK - 1,
            BLOCK + 3,
            3 * BLOCK,
        ] {
            // Small numbers, and some that fill all bytes and cannot be compressed.
            let mut state = 1_u32;
            let pixels: Vec<u32> = (0..count)
                .map(|i| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if i % 5 == 0 { state } else { state >> 28 }
                })
                .collect();
            let packed = pack(&pixels, |pixel| pixel).unwrap();
            let elements: Vec<u8> = pixels.iter().flat_map(|x| x.to_le_bytes()).collect();
            assert!(pack_bytes(&elements, 4).unwrap() == packed);
            let bytes = unpacked(&packed);
            assert_eq!(bytes.len(), 4 * count);
            for (i, pixel) in pixels.iter().enumerate() {
                let [b0, b1, b2, b3] = [0, 1, 2, 3].map(|plane| bytes[plane * count + i]);
                assert_eq!(u32::from_le_bytes([b0, b1, b2, b3]), *pixel, "{count} {i}");
            }
        }
    }

    #[test]
    fn check_sums_of_pieces_join() {
        let bytes: Vec<u8> = (0..100_000_u32)
            .map(|i| (i.wrapping_mul(i) >> 3) as u8)
            .collect();
        let (one, two) = bytes.split_at(31_234);
        assert_eq!(joined(adler(one), adler(two), two.len()), adler(&bytes));
        assert_eq!(joined([1, 0], adler(&bytes), bytes.len()), adler(&bytes));
        // RFC 1950's "Wikipedia" example: 0x11E60398.
        assert_eq!(adler(b"Wikipedia"), [0x0398, 0x11E6]);
    }
}
