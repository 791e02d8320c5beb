//! Reflection lists that are the same everywhere.

use std::fmt::Write;

use nanobragg::Hkl;
use nanobragg::crystal::Reflection;

/// Cell edges of the headline scene, by which its list is cut off.
pub const HEADLINE_EDGES_ANGSTROM: [f64; 3] = [62.16, 71.04, 79.92];

/// Every reflection of a rectangular cell up to a resolution: `(h/a)^2 + (k/b)^2 + (l/c)^2 <=
/// 1/d_min^2`, l fastest.
pub fn reflections_within(edges_angstrom: [f64; 3], d_min_angstrom: f64) -> Vec<Reflection> {
    let last = edges_angstrom.map(|edge| (edge / d_min_angstrom) as i32);
    let limit = d_min_angstrom.powi(-2);
    let mut list = reflections_box(last);
    list.retain(|Reflection { hkl: Hkl(hkl), .. }| {
        let squares = hkl
            .iter()
            .zip(edges_angstrom)
            .map(|(&index, edge)| (f64::from(index) / edge).powi(2));
        squares.sum::<f64>() <= limit
    });
    list
}

/// Every reflection from -h -k -l to `[h, k, l]`, both included, l fastest.
pub fn reflections_box([h_last, k_last, l_last]: [i32; 3]) -> Vec<Reflection> {
    let mut list = Vec::new();
    for h in -h_last..=h_last {
        for k in -k_last..=k_last {
            list.extend((-l_last..=l_last).map(|l| Reflection {
                hkl: Hkl([h, k, l]),
                amplitude: amplitude([h, k, l]),
            }));
        }
    }
    list
}

/// A list as text, one `h k l F` a line.
pub fn hkl_text(list: &[Reflection]) -> String {
    const TYPICAL_LINE: usize = 20;
    let mut text = String::with_capacity(list.len() * TYPICAL_LINE);
    for Reflection {
        hkl: Hkl([h, k, l]),
        amplitude,
    } in list
    {
        // A String takes everything that is written to it.
        let _ = writeln!(text, "{h} {k} {l} {amplitude:.2}");
    }
    text
}

/// An amplitude between 10 and 1010 that follows no pattern a kernel could profit from.
fn amplitude(hkl: [i32; 3]) -> f64 {
    // Steele, Lea and Flood's SplitMix64, one step for each index.
    let mixed = hkl.iter().fold(0_u64, |state, &index| {
        let mut z = state
            .wrapping_add(i64::from(index) as u64)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    });
    (1000 + mixed % 100_000) as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg::crystal::read::hkl;

    #[test]
    fn a_list_reads_back_from_its_text() {
        let list = reflections_within([10.0, 20.0, 30.0], 4.0);
        assert_eq!(
            hkl::parse(hkl_text(&list).as_bytes(), "list").unwrap(),
            list
        );
    }

    #[test]
    fn amplitudes_never_change() {
        assert_eq!(amplitude([0, 0, 0]), 534.33);
        assert_eq!(amplitude([1, 2, 3]), 38.39);
        assert_eq!(amplitude([3, 2, 1]), 157.24);
    }
}
