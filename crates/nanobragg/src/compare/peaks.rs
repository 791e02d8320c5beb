use nanobragg_io::Image;

/// Peaks of image A that are looked for in image B, at most.
pub const BRIGHTEST_PEAKS: usize = 100;

/// The quantile of an image, in percent, that its peaks reach. A level among the ranks serves images
/// of any dynamic range, and of noise alone few pixels are peaks.
pub const PEAK_PERCENT: usize = 99;

/// Steps (fast, slow) to a pixel's neighbours that come before it in raster order.
const BEFORE: [[isize; 2]; 4] = [[-1, -1], [0, -1], [1, -1], [-1, 0]];

/// Steps to those that come after it.
const AFTER: [[isize; 2]; 4] = [[1, 0], [-1, 1], [0, 1], [1, 1]];

/// Steps to where a peak of A is looked for in B, the nearest first.
const WITHIN_ONE_PIXEL: [[isize; 2]; 9] = [
    [0, 0],
    [0, -1],
    [-1, 0],
    [1, 0],
    [0, 1],
    [-1, -1],
    [1, -1],
    [-1, 1],
    [1, 1],
];

/// How many spots of image A are in image B.
///
/// A peak is a pixel that none of its eight neighbours exceeds (of equal ones the first in raster
/// order), that exceeds one of them, and that is not below [`PEAK_PERCENT`] of the finite pixels of its
/// image.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MatchedPeaks {
    /// Peaks of A that were looked for: its brightest, up to [`BRIGHTEST_PEAKS`].
    pub sought: usize,
    /// Those that have a peak of B within one pixel along both axes.
    pub found: usize,
    /// Mean step from A's peak to B's, in pixels along (fast, slow), over those found; zeros where
    /// there is none.
    pub mean_offset_pixels: [f64; 2],
}

/// Looks for A's brightest peaks in B, in each panel by itself.
pub(super) fn matched_in_panels<'i>(
    panels: impl Iterator<Item = (&'i Image<f32>, &'i Image<f32>)>,
) -> MatchedPeaks {
    let each = panels.map(|(a, b)| matched(a, b));
    let both = |one: MatchedPeaks, other: MatchedPeaks| {
        let found = one.found + other.found;
        let [weight, other_weight] =
            [one.found, other.found].map(|n| n as f64 / found.max(1) as f64);
        let [fast, slow] = one.mean_offset_pixels;
        let [other_fast, other_slow] = other.mean_offset_pixels;
        MatchedPeaks {
            sought: one.sought + other.sought,
            found,
            mean_offset_pixels: [
                weight * fast + other_weight * other_fast,
                weight * slow + other_weight * other_slow,
            ],
        }
    };
    each.reduce(both).unwrap_or_default()
}

/// Looks for A's brightest peaks in B, an image of the same sides.
fn matched(a: &Image<f32>, b: &Image<f32>) -> MatchedPeaks {
    let [least_a, least_b] = [threshold(a), threshold(b)];
    let mut peaks = Vec::new();
    for (slow, row) in a.rows().enumerate() {
        for (fast, &pixel) in row.iter().enumerate() {
            if is_peak(a, [fast, slow], least_a) {
                peaks.push((pixel, [fast, slow]));
            }
        }
    }
    peaks.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    peaks.truncate(BRIGHTEST_PEAKS);

    let mut found = 0_usize;
    let mut sum = [0.0; 2];
    for (_, at) in &peaks {
        let to = WITHIN_ONE_PIXEL
            .into_iter()
            .find(|&by| step(*at, by).is_some_and(|at| is_peak(b, at, least_b)));
        if let Some([fast, slow]) = to {
            found += 1;
            sum = [sum[0] + fast as f64, sum[1] + slow as f64];
        }
    }
    let count = found.max(1) as f64;
    MatchedPeaks {
        sought: peaks.len(),
        found,
        mean_offset_pixels: sum.map(|sum| sum / count),
    }
}

/// The least that a peak of this image can be.
fn threshold(image: &Image<f32>) -> f32 {
    let finite = image.pixels().iter().copied().filter(|p| p.is_finite());
    let mut finite: Vec<f32> = finite.collect();
    let rank = (PEAK_PERCENT * finite.len()).div_ceil(100);
    match rank.checked_sub(1) {
        Some(index) => *finite.select_nth_unstable_by(index, f32::total_cmp).1,
        None => f32::INFINITY,
    }
}

fn is_peak(image: &Image<f32>, at: [usize; 2], least: f32) -> bool {
    let pixel = |[fast, slow]: [usize; 2]| image.get(fast, slow).copied();
    let Some(top) = pixel(at).filter(|&top| top.is_finite() && top >= least) else {
        return false;
    };
    // Neighbours that are not numbers stand in nobody's way.
    let neighbour = |by: [isize; 2]| step(at, by).and_then(pixel).filter(|n| !n.is_nan());
    let lower = |by| neighbour(by).is_some_and(|n| n < top);
    let lower_or_none = |by| neighbour(by).is_none_or(|n| n < top);
    let not_higher = |by| neighbour(by).is_none_or(|n| n <= top);
    BEFORE.into_iter().all(lower_or_none)
        && AFTER.into_iter().all(not_higher)
        && BEFORE.into_iter().chain(AFTER).any(lower)
}

/// The pixel so many steps on; `None` before the first of either axis.
fn step([fast, slow]: [usize; 2], [by_fast, by_slow]: [isize; 2]) -> Option<[usize; 2]> {
    Some([
        fast.checked_add_signed(by_fast)?,
        slow.checked_add_signed(by_slow)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image of 20 x 10 dark pixels but for these (fast, slow, value).
    fn spots(spots: &[(usize, usize, f32)]) -> Image<f32> {
        let mut pixels = vec![0.0; 200];
        for &(fast, slow, value) in spots {
            pixels[slow * 20 + fast] = value;
        }
        Image::new(20, 10, pixels).unwrap()
    }

    #[test]
    fn spots_moved_by_one_pixel_are_found_and_by_two_are_not() {
        let a = spots(&[(3, 3, 100.0), (10, 5, 90.0), (16, 8, 80.0)]);
        let b = spots(&[(4, 3, 100.0), (10, 4, 90.0), (18, 8, 80.0)]);
        assert_eq!(
            matched(&a, &b),
            MatchedPeaks {
                sought: 3,
                found: 2,
                mean_offset_pixels: [0.5, -0.5],
            }
        );
    }

    #[test]
    fn the_edge_of_an_image_can_be_a_peak() {
        let corners = spots(&[(0, 0, 9.0), (19, 9, 9.0)]);
        let matched = matched(&corners, &corners);
        assert_eq!((matched.sought, matched.found), (2, 2));
    }

    #[test]
    fn an_overloaded_spot_is_one_peak() {
        let flat = spots(&[(5, 5, 9.0), (6, 5, 9.0), (5, 6, 9.0), (6, 6, 9.0)]);
        assert_eq!(matched(&flat, &flat).sought, 1);
    }

    #[test]
    fn one_overwhelming_spot_does_not_hide_the_others() {
        let a = spots(&[(3, 3, 1e9), (16, 8, 2.0)]);
        assert_eq!(matched(&a, &a).sought, 2);
    }

    #[test]
    fn a_level_image_has_no_peaks() {
        let level = spots(&[]);
        assert_eq!(matched(&level, &level), MatchedPeaks::default());
    }

    #[test]
    fn what_is_no_number_is_no_peak_and_hides_none() {
        let a = spots(&[(5, 5, 9.0), (6, 5, f32::NAN), (12, 5, f32::INFINITY)]);
        assert_eq!(matched(&a, &a).sought, 1);
    }

    #[test]
    fn no_more_than_the_brightest_are_looked_for() {
        let mut pixels = vec![0.0; 400 * 60];
        (0..200).for_each(|i| pixels[2 * i + 400 * 5] = 1.0 + i as f32);
        let many = Image::new(400, 60, pixels).unwrap();
        assert_eq!(matched(&many, &many).sought, BRIGHTEST_PEAKS);
    }
}
