//! Bitshuffle, the filter 32008 of HDF5, with which detectors of Dectris pack their images.
//!
//! The elements are packed in blocks. A block holds the lowest bit of each of its elements, then the next bit
//! of each, and so on. Each block may be compressed by LZ4. Elements after the last multiple of eight are stored
//! as they are.
//!
//! # Source
//! K. Masui et al., Astronomy and Computing 12 (2015) 181-190; the format of `bshuf_h5filter.c` in bitshuffle 0.5.

/// The number of the filter.
pub(super) const FILTER: u16 = 32008;

/// The bytes of a block whose size is not stated, and the least number of its elements.
const DEFAULT_BLOCK: (usize, usize) = (8192, 128);
/// What follows a block that is not compressed, LZ4 or zstd in the settings of the filter.
const NOT_COMPRESSED: u32 = 0;
const LZ4: u32 = 2;
/// LZ4 makes at most 255 bytes of one.
const MOST_BYTES_OF_ONE: usize = 255;

/// The version of the filter whose format is written.
const VERSION: [u32; 2] = [0, 4];

/// The settings of the filter for LZ4 and blocks of the default size: the version of the filter, the bytes of an
/// element, the elements of a block (0 for the default) and the compression.
pub(super) fn settings(element_bytes: u32) -> Vec<u32> {
    let [major, minor] = VERSION;
    vec![major, minor, element_bytes, 0, LZ4]
}

/// The elements of a block whose size is not stated.
fn default_block(element_bytes: usize) -> usize {
    let (bytes, least) = DEFAULT_BLOCK;
    (bytes / element_bytes.max(1) / 8 * 8).max(least)
}

/// A chunk of elements of `element_bytes` each, packed by LZ4 in blocks of the default size: the length of the
/// elements in bytes (8 bytes, big-endian), that of a block (4), each block after its packed length (4), and the elements
/// after the last multiple of eight.
pub(super) fn encode(elements: &[u8], element_bytes: usize) -> Vec<u8> {
    let element_bytes = element_bytes.max(1);
    let block_bytes = default_block(element_bytes) * element_bytes;
    let (in_blocks, plain) =
        elements.split_at(elements.len() / (8 * element_bytes) * 8 * element_bytes);
    let mut chunk = Vec::with_capacity(elements.len() / 2 + 64);
    chunk.extend((elements.len() as u64).to_be_bytes());
    chunk.extend((block_bytes as u32).to_be_bytes());
    let mut rows = vec![0; block_bytes];
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(block_bytes)];
    let mut plane = Vec::new();
    for block in in_blocks.chunks(block_bytes) {
        let Some(rows) = rows.get_mut(..block.len()) else {
            continue;
        };
        shuffle(block, element_bytes, rows, &mut plane);
        // The buffer has the largest size that a block can become, so that packing cannot fail.
        let length = lz4_flex::block::compress_into(rows, &mut packed).unwrap_or(0);
        chunk.extend((length as u32).to_be_bytes());
        chunk.extend(packed.get(..length).unwrap_or_default());
    }
    chunk.extend(plain);
    chunk
}

/// Fills `rows` with the bits of the elements of a block, whose number is a multiple of eight: row i has bit i of each
/// element. `plane` is memory for the work.
fn shuffle(block: &[u8], element_bytes: usize, rows: &mut [u8], plane: &mut Vec<u64>) {
    let octets = block.len() / (8 * element_bytes);
    if octets == 0 {
        return;
    }
    for (byte, rows) in rows.chunks_exact_mut(8 * octets).enumerate() {
        // First byte `byte` of eight elements at a time, with bits and elements exchanged, then byte i of all
        // of these to row i: simple loops, which compilers turn into vector instructions.
        plane.clear();
        plane.extend(block.chunks_exact(8 * element_bytes).map(|octet| {
            let of_element = |i: usize| octet.get(i * element_bytes + byte).copied().unwrap_or(0);
            transposed(u64::from_le_bytes(std::array::from_fn(of_element)))
        }));
        for (bit, row) in rows.chunks_exact_mut(octets).enumerate() {
            for (cell, bits) in row.iter_mut().zip(&*plane) {
                *cell = (bits >> (8 * bit)) as u8;
            }
        }
    }
}

/// The elements of a chunk, from the settings of the filter and the bytes of the file.
///
/// # Errors
/// What is wrong, if the chunk is damaged or compressed by anything but LZ4.
pub(super) fn decode(
    settings: &[u32],
    chunk: &[u8],
    element_bytes: usize,
) -> Result<Vec<u8>, &'static str> {
    const SHORT: &str = "a bitshuffled chunk is too short";
    const SIZE: &str = "the sizes in a bitshuffled chunk are wrong";
    if element_bytes == 0 {
        return Err(SIZE);
    }
    let setting = |at: usize| settings.get(at).copied().unwrap_or(0);
    let (total, block_elements, is_packed, mut rest) = match setting(4) {
        NOT_COMPRESSED => {
            let elements = match setting(3) as usize {
                0 => default_block(element_bytes),
                stated => stated,
            };
            (chunk.len(), elements, false, chunk)
        }
        LZ4 => {
            let (total, after) = chunk.split_first_chunk::<8>().ok_or(SHORT)?;
            let (block, after) = after.split_first_chunk::<4>().ok_or(SHORT)?;
            let total = usize::try_from(u64::from_be_bytes(*total)).map_err(|_| SIZE)?;
            let block = u32::from_be_bytes(*block) as usize;
            (total, block / element_bytes, true, after)
        }
        _ => return Err("bitshuffle is read with LZ4 or alone, not with zstd"),
    };
    // Nothing is allocated on the word of a damaged file.
    if total % element_bytes != 0
        || total > chunk.len().saturating_mul(MOST_BYTES_OF_ONE)
        || block_elements == 0
        || block_elements % 8 != 0
    {
        return Err(SIZE);
    }
    let mut elements = Vec::new();
    elements.try_reserve_exact(total).map_err(|_| SIZE)?;
    let mut block = Vec::new();
    let mut left = total / element_bytes;
    while left >= 8 {
        let count = block_elements.min(left / 8 * 8);
        let bytes = count * element_bytes;
        if is_packed {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (packed, after) = after.split_at_checked(length).ok_or(SHORT)?;
            block.resize(bytes, 0);
            let found = lz4_flex::block::decompress_into(packed, &mut block);
            if !found.is_ok_and(|found| found == bytes) {
                return Err("a block of LZ4 in a bitshuffled chunk is damaged");
            }
            rest = after;
            unshuffle(&block, element_bytes, &mut elements);
        } else {
            let (block, after) = rest.split_at_checked(bytes).ok_or(SHORT)?;
            rest = after;
            unshuffle(block, element_bytes, &mut elements);
        }
        left -= count;
    }
    let plain = rest.get(..left * element_bytes).ok_or(SHORT)?;
    elements.extend_from_slice(plain);
    Ok(elements)
}

/// Appends the elements of a block, whose number is a multiple of eight.
fn unshuffle(block: &[u8], element_bytes: usize, elements: &mut Vec<u8>) {
    // A row of the block is one bit of all elements; an octet is eight elements, one byte of each row.
    let octets = block.len() / (8 * element_bytes);
    let begin = elements.len();
    elements.resize(begin + block.len(), 0);
    let Some(target) = elements.get_mut(begin..) else {
        return;
    };
    for (byte, rows) in block.chunks_exact(8 * octets).enumerate() {
        let octets_of_elements = target.chunks_exact_mut(8 * element_bytes);
        for (octet, target) in octets_of_elements.enumerate() {
            let row = |bit: usize| rows.get(bit * octets + octet).copied().unwrap_or(0);
            let bits = u64::from_le_bytes(std::array::from_fn(row));
            let bytes = transposed(bits).to_le_bytes();
            let cells = target.iter_mut().skip(byte).step_by(element_bytes);
            for (cell, value) in cells.zip(bytes) {
                *cell = value;
            }
        }
    }
}

/// The matrix of 8 x 8 bits whose row i is byte i, with rows and columns exchanged: swaps squares of one, two
/// and four bits a side across the diagonal.
const fn transposed(mut bits: u64) -> u64 {
    let swap = (bits ^ (bits >> 7)) & 0x00aa_00aa_00aa_00aa;
    bits ^= swap ^ (swap << 7);
    let swap = (bits ^ (bits >> 14)) & 0x0000_cccc_0000_cccc;
    bits ^= swap ^ (swap << 14);
    let swap = (bits ^ (bits >> 28)) & 0x0000_0000_f0f0_f0f0;
    bits ^ swap ^ (swap << 28)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit b of element i goes to bit i of row b.
    fn shuffled(elements: &[u32]) -> Vec<u8> {
        let mut rows = vec![0; elements.len() * 4];
        for bit in 0..32 {
            for (i, element) in elements.iter().enumerate() {
                let set = (element >> bit & 1) as u8;
                rows[bit * elements.len() / 8 + i / 8] |= set << (i % 8);
            }
        }
        rows
    }

    fn numbers() -> Vec<u32> {
        (0..27_u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect()
    }

    fn bytes(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    #[test]
    fn blocks_and_the_elements_after_them_are_put_together() {
        let numbers = numbers();
        let mut chunk = shuffled(&numbers[..16]);
        chunk.extend(shuffled(&numbers[16..24]));
        chunk.extend(bytes(&numbers[24..]));
        assert_eq!(decode(&[0, 4, 4, 16, 0], &chunk, 4), Ok(bytes(&numbers)));

        let mut packed = 108_u64.to_be_bytes().to_vec();
        packed.extend(64_u32.to_be_bytes());
        for block in [&numbers[..16], &numbers[16..24]] {
            let block = lz4_flex::block::compress(&shuffled(block));
            packed.extend((block.len() as u32).to_be_bytes());
            packed.extend(block);
        }
        packed.extend(bytes(&numbers[24..]));
        assert_eq!(decode(&[0, 4, 4, 0, 2], &packed, 4), Ok(bytes(&numbers)));
        for length in 0..packed.len() {
            assert!(decode(&[0, 4, 4, 0, 2], &packed[..length], 4).is_err());
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for element_bytes in [1, 2, 4, 8] {
            let block = default_block(element_bytes);
            for count in [0, 1, 7, 8, 13, block - 1, block, block + 8, 3 * block + 21] {
                let elements: Vec<u8> = (0..count * element_bytes)
                    .map(|i| {
                        (i.wrapping_mul(0x9e37_79b9) >> 13) as u8 & if i % 3 == 0 { 255 } else { 3 }
                    })
                    .collect();
                let chunk = encode(&elements, element_bytes);
                let found = decode(&settings(element_bytes as u32), &chunk, element_bytes);
                assert_eq!(found, Ok(elements), "{element_bytes} {count}");
            }
        }
        let numbers = numbers();
        let mut expected = 108_u64.to_be_bytes().to_vec();
        expected.extend(8192_u32.to_be_bytes());
        let block = lz4_flex::block::compress(&shuffled(&numbers[..24]));
        expected.extend((block.len() as u32).to_be_bytes());
        expected.extend(block);
        expected.extend(bytes(&numbers[24..]));
        assert_eq!(encode(&bytes(&numbers), 4), expected);
    }

    #[test]
    fn a_size_that_lz4_cannot_reach_is_refused() {
        let mut chunk = (1_u64 << 40).to_be_bytes().to_vec();
        chunk.extend(8192_u32.to_be_bytes());
        assert!(decode(&[0, 4, 4, 0, 2], &chunk, 4).is_err());
        assert!(decode(&[0, 4, 4, 0, 3], &chunk, 4).is_err());
        assert!(decode(&[0, 4, 4, 7, 0], &chunk, 4).is_err());
    }
}
