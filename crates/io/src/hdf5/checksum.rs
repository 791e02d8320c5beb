//! The checksum of HDF5 metadata.

/// The hash `lookup3` of Bob Jenkins, the last four bytes of superblocks and object headers.
///
/// # Source
/// Jenkins, "lookup3.c" (2006), `hashlittle` from an initial value of 0.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let mut state = [start; 3];
    let mut rest = bytes;
    // The last block, of 1 to 12 bytes, is left for the final round.
    while rest.len() > 12 {
        let (block, following) = rest.split_at(12);
        rest = following;
        state = mix(add(state, block));
    }
    if rest.is_empty() {
        let [_, _, c] = state;
        return c;
    }
    final_mix(add(state, rest))
}

/// The state plus up to twelve bytes as three little-endian numbers. Missing bytes count as 0.
fn add(mut state: [u32; 3], bytes: &[u8]) -> [u32; 3] {
    for (word, part) in state.iter_mut().zip(bytes.chunks(4)) {
        let value = part.iter().rev().fold(0, |v, &b| v << 8 | u32::from(b));
        *word = word.wrapping_add(value);
    }
    state
}

/// The round after each block but the last: `mix` of lookup3.
fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    for turns in [[4, 6, 8], [16, 19, 4]] {
        let [first, second, third] = turns;
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    [a, b, c]
}

/// The round after the last block: `final` of lookup3.
fn final_mix([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_hashes_are_reproduced() {
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }
}
