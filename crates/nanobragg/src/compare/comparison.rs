use std::slice::from_ref;

use nanobragg_io::Image;
use nanobragg_io::printf::general;
use serde_json::{Map, Value, json};

use super::{LeftOut, MatchedPeaks, PERCENTS, Quantile, Tolerance, peaks, quantiles};
use crate::Error;
use crate::tree::put;

/// What a comparison of image B with image A has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Pixels of either image, without those left out.
    pub pixels: usize,
    /// Pixels that no figure counts.
    pub left_out: LeftOut,
    /// Pixels that are no finite number in A, in B or in both; no figure below counts them, except
    /// `equal_bits` and `beyond`.
    pub not_finite: usize,
    /// Sum of the pixels of A and of B.
    pub totals: [f64; 2],
    /// Largest magnitude of a pixel in A and in B.
    pub brightest: [f64; 2],
    /// Pixels that are equal to the bit.
    pub equal_bits: usize,
    /// Pixels that differ by more than the tolerance, or of which one alone is not finite.
    pub beyond: usize,
    /// The same of each panel.
    pub beyond_of_panels: Vec<usize>,
    /// The first pixel with the largest |a - b|; `None` where all pixels have equal values.
    pub largest_absolute: Option<Difference>,
    /// The first pixel with the largest relative difference, likewise.
    pub largest_relative: Option<Difference>,
    /// Quantiles of the relative difference.
    pub relative_quantiles: [Quantile; PERCENTS.len()],
    /// Pearson's coefficient; `None` where all pixels of an image have the same value.
    pub correlation: Option<f64>,
    /// Root of the mean square difference.
    pub rmsd: f64,
    /// The median of b - a; 0 without finite pixels. Between photons and counts it is the offset of the counts.
    pub median_difference: f64,
    /// A's spots looked for in B.
    pub peaks: MatchedPeaks,
}

/// A pixel in which two images differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// By how much, absolute or relative.
    pub value: f64,
    /// The panel, from 0.
    pub panel: usize,
    /// The pixel along the fast axis, from 0.
    pub fast: usize,
    /// The same along the slow axis.
    pub slow: usize,
    /// The pixel of A.
    pub a: f32,
    /// The pixel of B.
    pub b: f32,
}

impl Comparison {
    /// Compares `b` with `a`, which is what there should be.
    ///
    /// # Errors
    /// [`Error::ImageSides`] if they are not of the same sides.
    pub fn of(a: &Image<f32>, b: &Image<f32>, tolerance: Tolerance) -> Result<Self, Error> {
        Self::of_panels(from_ref(a), from_ref(b), tolerance)
    }

    /// Compares the images `b` of the panels of a detector with `a`, which are what there should be.
    /// Figures are of all panels together; spots are looked for in each panel.
    ///
    /// # Errors
    /// [`Error::PanelImages`] if they are not as many, [`Error::ImageSides`] if those of a panel are not
    /// of the same sides.
    pub fn of_panels(
        a: &[Image<f32>],
        b: &[Image<f32>],
        tolerance: Tolerance,
    ) -> Result<Self, Error> {
        if a.len() != b.len() {
            let [a, b] = [a.len(), b.len()];
            return Err(Error::PanelImages { a, b });
        }
        let panels = || a.iter().zip(b);
        panels().try_for_each(|(a, b)| same_sides(a, b).map(drop))?;
        let placed = || {
            panels().enumerate().flat_map(|(panel, (a, b))| {
                let pairs = a.pixels().iter().copied().zip(b.pixels().iter().copied());
                pairs
                    .enumerate()
                    .map(move |(index, pair)| (pair, [panel, index % a.fast(), index / a.fast()]))
            })
        };
        let pairs = || placed().map(|(pair, _)| pair);
        let pixels = a.iter().map(|image| image.pixels().len()).sum();
        let finite = || {
            pairs()
                .filter(|(a, b)| a.is_finite() && b.is_finite())
                .map(|(a, b)| (f64::from(a), f64::from(b)))
        };
        let count = finite().count();
        let mut totals = [0.0; 2];
        let mut brightest = [0.0; 2];
        for (a, b) in finite() {
            totals = [totals[0] + a, totals[1] + b];
            brightest = [a.abs().max(brightest[0]), b.abs().max(brightest[1])];
        }

        let mut equal_bits = 0;
        let mut squares = 0.0;
        let mut largest_absolute = None;
        let mut largest_relative = None;
        let mut relatives = Vec::with_capacity(count);
        let mut differences = Vec::with_capacity(count);
        let mut beyond_of_panels = vec![0; a.len()];
        for ((a, b), [panel, fast, slow]) in placed() {
            if a.to_bits() == b.to_bits() {
                equal_bits += 1;
            }
            let mut is_beyond = |is: bool| {
                if let Some(beyond) = beyond_of_panels.get_mut(panel) {
                    *beyond += usize::from(is);
                }
            };
            if !(a.is_finite() && b.is_finite()) {
                is_beyond(!(a == b || (a.is_nan() && b.is_nan())));
                continue;
            }
            let (wide_a, wide_b) = (f64::from(a), f64::from(b));
            let absolute = (wide_a - wide_b).abs();
            let relative = relative_difference(wide_a, wide_b);
            is_beyond(absolute > tolerance.allowed(wide_a, brightest[0]));
            squares += absolute * absolute;
            relatives.push(relative);
            differences.push(wide_b - wide_a);
            let at = |value| Difference {
                value,
                panel,
                fast,
                slow,
                a,
                b,
            };
            keep_larger(&mut largest_absolute, at(absolute));
            keep_larger(&mut largest_relative, at(relative));
        }
        Ok(Self {
            pixels,
            left_out: LeftOut::default(),
            not_finite: pixels - count,
            totals,
            brightest,
            equal_bits,
            beyond: beyond_of_panels.iter().sum(),
            beyond_of_panels,
            largest_absolute,
            largest_relative,
            relative_quantiles: quantiles::of(relatives),
            correlation: correlation(finite, totals.map(|total| total / count as f64)),
            rmsd: (squares / count.max(1) as f64).sqrt(),
            median_difference: quantiles::median(differences),
            peaks: peaks::matched_in_panels(panels()),
        })
    }

    /// The comparison of two images out of which `left_out` was [taken](LeftOut::from_both).
    #[must_use]
    pub fn without(self, left_out: LeftOut) -> Self {
        // They are NaN, and the same NaN in both.
        let pixels = left_out.pixels();
        Self {
            pixels: self.pixels - pixels,
            left_out,
            not_finite: self.not_finite - pixels,
            equal_bits: self.equal_bits - pixels,
            ..self
        }
    }

    /// The figures as JSON, `tolerance` being that of the comparison; what is no finite number is `null`.
    /// `docs/COMPARE.md` tells of every field.
    pub fn to_tree(&self, tolerance: Tolerance) -> Value {
        let place = |largest: Option<Difference>| {
            let at = largest?;
            let mut tree = json!({
                "value": at.value, "fast": at.fast, "slow": at.slow, "a": at.a, "b": at.b,
            });
            if self.beyond_of_panels.len() > 1 {
                put(&mut tree, "panel", at.panel);
            }
            Some(tree)
        };
        let quantiles = self.relative_quantiles.iter();
        let quantiles: Map<String, Value> = quantiles
            .map(|one| {
                (
                    format!("{}_percent", general(one.percent)),
                    json!(one.value),
                )
            })
            .collect();
        let [offset_fast, offset_slow] = self.peaks.mean_offset_pixels;
        let mut tree = json!({
            "masked_pixels": self.left_out.masked,
            "overloaded_pixels": self.left_out.overloaded,
            "not_finite_pixels": self.not_finite,
            "total_b_over_a": self.total_ratio(),
            "equal_to_the_bit_pixels": self.equal_bits,
            "equal_to_the_bit_share": self.equal_share(),
            "largest_absolute_difference": place(self.largest_absolute),
            "largest_relative_difference": place(self.largest_relative),
            "relative_difference_quantiles": quantiles,
            "correlation": self.correlation,
            "rmsd": self.rmsd,
            "median_difference": self.median_difference,
            "peaks": {
                "sought": self.peaks.sought,
                "found": self.peaks.found,
                "mean_offset_fast_pixels": offset_fast,
                "mean_offset_slow_pixels": offset_slow,
            },
            "tolerance": tolerance.relative(),
            "beyond_tolerance_pixels": self.beyond,
            "within_tolerance": self.is_within_tolerance(),
        });
        if self.beyond_of_panels.len() > 1 {
            let name = "beyond_tolerance_pixels_of_panels";
            put(&mut tree, name, self.beyond_of_panels.clone());
        }
        tree
    }

    /// Total of B over total of A; `None` where A's is 0.
    pub fn total_ratio(&self) -> Option<f64> {
        let [a, b] = self.totals;
        (a != 0.0).then_some(b / a)
    }

    /// Share of the pixels that are equal to the bit, up to 1.
    pub fn equal_share(&self) -> f64 {
        self.equal_bits as f64 / self.pixels.max(1) as f64
    }

    /// Whether no pixel is beyond the tolerance.
    pub fn is_within_tolerance(&self) -> bool {
        self.beyond == 0
    }
}

/// The sides that both images have.
pub(super) fn same_sides(a: &Image<f32>, b: &Image<f32>) -> Result<[usize; 2], Error> {
    let sides = [a, b].map(|image| [image.fast(), image.slow()]);
    if sides[0] == sides[1] {
        Ok(sides[0])
    } else {
        Err(Error::ImageSides {
            a: sides[0],
            b: sides[1],
        })
    }
}

/// |a - b| / max(|a|, |b|); 0 where both are 0.
fn relative_difference(a: f64, b: f64) -> f64 {
    let larger = a.abs().max(b.abs());
    if larger > 0.0 {
        (a - b).abs() / larger
    } else {
        0.0
    }
}

fn keep_larger(largest: &mut Option<Difference>, new: Difference) {
    if new.value > largest.map_or(0.0, |largest| largest.value) {
        *largest = Some(new);
    }
}

/// Pearson's coefficient of pairs with these means.
fn correlation<I: Iterator<Item = (f64, f64)>>(
    pairs: impl Fn() -> I,
    [mean_a, mean_b]: [f64; 2],
) -> Option<f64> {
    let [mut aa, mut ab, mut bb] = [0.0; 3];
    for (a, b) in pairs() {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        ab += a * b;
        bb += b * b;
    }
    // Rounding must not take it past 1.
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(fast: usize, pixels: &[f32]) -> Image<f32> {
        Image::new(fast, pixels.len() / fast, pixels.to_vec()).unwrap()
    }

    fn compared(a: &[f32], b: &[f32], tolerance: f64) -> Comparison {
        let tolerance = Tolerance::new(tolerance).unwrap();
        Comparison::of(&image(2, a), &image(2, b), tolerance).unwrap()
    }

    #[test]
    fn a_comparison_by_hand() {
        let found = compared(
            &[1.0, 2.0, 3.0, 4.0, 0.0, 10.0],
            &[1.0, 2.0, 3.0, 5.0, 0.5, 8.0],
            0.1,
        );
        assert_eq!(
            (found.pixels, found.equal_bits, found.not_finite),
            (6, 3, 0)
        );
        assert_eq!(found.totals, [20.0, 19.5]);
        assert_eq!(found.brightest, [10.0, 8.0]);
        assert_eq!(found.total_ratio(), Some(0.975));
        assert_eq!(found.equal_share(), 0.5);
        // Allowed are 0.401, 0.001 and 1.001.
        assert_eq!(found.beyond, 3);
        assert_eq!(
            found.largest_absolute,
            Some(Difference {
                value: 2.0,
                panel: 0,
                fast: 1,
                slow: 2,
                a: 10.0,
                b: 8.0
            })
        );
        assert_eq!(
            found.largest_relative,
            Some(Difference {
                value: 1.0,
                panel: 0,
                fast: 0,
                slow: 2,
                a: 0.0,
                b: 0.5
            })
        );
        // In order: 0, 0, 0, 0.2, 0.2, 1.
        assert_eq!(
            found.relative_quantiles.map(|q| q.value),
            [0.0, 1.0, 1.0, 1.0, 1.0]
        );
        // Squares: 1 + 0.25 + 4.
        assert_eq!(found.rmsd, (5.25_f64 / 6.0).sqrt());
        assert_eq!(found.median_difference, 0.0);
    }

    #[test]
    fn the_worst_pixel_of_several_panels_is_told_with_its_panel() {
        let a = [
            image(2, &[1.0, 2.0]),
            image(3, &[3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        ];
        let mut b = a.clone();
        b[1] = image(3, &[3.0, 4.0, 5.0, 6.0, 9.0, 8.0]);
        let found = Comparison::of_panels(&a, &b, Tolerance::default()).unwrap();
        assert_eq!((found.pixels, found.equal_bits), (8, 7));
        assert_eq!(found.beyond_of_panels, [0, 1]);
        let worst = found.largest_absolute.unwrap();
        assert_eq!((worst.panel, worst.fast, worst.slow), (1, 1, 1));
        let error = Comparison::of_panels(&a, &b[..1], Tolerance::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "one has images of 2 panels, the other of 1"
        );
    }

    #[test]
    fn correlation_by_hand() {
        // Deviations -1, 0, 0, 1 and -2, 1, 1, 0: sums 2, 6 and 2.
        let found = compared(&[1.0, 2.0, 2.0, 3.0], &[1.0, 4.0, 4.0, 3.0], 1.0);
        let by_hand = 2.0 / 12.0_f64.sqrt();
        assert!((found.correlation.unwrap() - by_hand).abs() < 1e-15);
    }

    #[test]
    fn a_level_image_correlates_with_nothing() {
        assert_eq!(
            compared(&[1.0; 4], &[1.0, 2.0, 3.0, 4.0], 1.0).correlation,
            None
        );
    }

    #[test]
    fn a_total_of_0_has_no_ratio() {
        let found = compared(&[0.0; 4], &[0.0, 0.0, 0.0, 1.0], 1.0);
        assert_eq!(found.total_ratio(), None);
        assert_eq!(found.beyond, 1);
    }

    #[test]
    fn pixels_that_are_no_numbers_are_counted_and_left_out() {
        const NAN: f32 = f32::NAN;
        const INF: f32 = f32::INFINITY;
        let found = compared(&[1.0, NAN, INF, 2.0], &[1.0, NAN, INF, 2.0], 0.0);
        assert_eq!((found.not_finite, found.beyond), (2, 0));
        assert_eq!(found.totals, [3.0, 3.0]);
        let found = compared(&[1.0, NAN, INF, 2.0], &[INF, 1.0, -INF, 2.0], 1.0);
        assert_eq!((found.not_finite, found.beyond), (3, 3));
        assert_eq!(found.rmsd, 0.0);
        let found = compared(&[NAN; 4], &[NAN; 4], 0.0);
        assert_eq!((found.not_finite, found.rmsd), (4, 0.0));
        assert_eq!(found.correlation, None);
    }

    #[test]
    fn what_one_image_did_not_measure_counts_in_no_figure() {
        use nanobragg_io::PixelState::{Masked, Measured, Overloaded};

        let [a, b] = [[1.0, -1.0, 900.0, 2.0], [1.0, 5.0, 9.0, -2.0]];
        let [mut a, mut b] = [image(2, &a), image(2, &b)];
        let states = [
            vec![Measured, Masked, Overloaded, Measured],
            vec![Measured, Measured, Measured, Masked],
        ];
        let left_out = LeftOut::from_both([&mut a, &mut b], states);
        assert_eq!((left_out.masked, left_out.overloaded), (2, 1));
        let found = Comparison::of(&a, &b, Tolerance::default()).unwrap();
        let found = found.without(left_out);
        assert_eq!((found.pixels, found.equal_bits), (1, 1));
        assert_eq!((found.not_finite, found.beyond), (0, 0));
        assert_eq!(found.totals, [1.0, 1.0]);
        assert_eq!(found.to_tree(Tolerance::default())["masked_pixels"], 2);
    }

    #[test]
    fn zeros_of_both_signs_are_within_but_not_equal_to_the_bit() {
        let found = compared(&[0.0, 1.0], &[-0.0, 1.0], 0.0);
        assert_eq!((found.beyond, found.equal_bits), (0, 1));
        assert_eq!(found.largest_absolute, None);
    }

    #[test]
    fn images_of_other_sides_are_not_compared() {
        let pixels = [0.0; 6];
        let error = Comparison::of(&image(2, &pixels), &image(3, &pixels), Tolerance::default());
        assert_eq!(
            error.unwrap_err().to_string(),
            "one image has 2 x 3 pixels (fast x slow), the other 3 x 2"
        );
    }
}
