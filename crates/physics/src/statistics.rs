//! Statistics of a rendered image over its region of interest.

use nanobragg_geometry::{Panel, subpixel_offset};

use crate::render::{PanelImage, PixelPlace, columns_of};
use crate::scene::Scene;

/// The statistics that a run reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Photons in the brightest pixel; 0 if none is above 0.
    pub max_photons: f32,
    /// The number of the panel that holds that pixel, counted from 0.
    pub max_panel: usize,
    /// The position of the last sub-pixel of that pixel: metres along the fast and the slow axis from the
    /// outer corner of the first pixel of its panel.
    pub max_at_m: [f64; 2],
    /// Mean over the rendered pixels.
    pub mean: f64,
    /// Root of the mean square over the rendered pixels, with n - 1 as divisor.
    pub rms: f64,
    /// Root-mean-square deviation from the mean over all pixels of the region, with n - 1 as divisor.
    /// Masked pixels count with the value 0.
    pub rmsd: f64,
    /// The solid angle in steradian that the C program reports: the sum over pixels, sub-pixels and
    /// layers, divided by the steps of a pixel.
    pub solid_angle_sr: f64,
    /// Number of rendered pixels.
    pub pixels: u64,
}

/// Sums over one row. Rows are added in their order, so that threads do not change the result.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowSums {
    pixels: u64,
    sum: f64,
    sum_of_squares: f64,
    brightest: f32,
}

impl RowSums {
    /// Sums the pixels of a row. Masked pixels are 0 and are not counted; `used` has a flag for each pixel.
    pub(crate) fn of(row: &[f32], used: Option<&[bool]>) -> Self {
        let left_out = used.map_or(0, |used| used.iter().filter(|used| !**used).count());
        Self {
            pixels: (row.len() - left_out) as u64,
            sum: sum_over(row, |photons| photons),
            sum_of_squares: sum_over(row, |photons| photons * photons),
            brightest: brightest_of(row),
        }
    }
}

/// The largest number of a row; 0 if none is above 0. NaN is ignored.
fn brightest_of(row: &[f32]) -> f32 {
    let mut parts = [0.0_f32; PARTS];
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (whole, rest) = row.as_chunks::<PARTS>();
    for pixels in whole {
        for (part, &photons) in parts.iter_mut().zip(pixels) {
            *part = larger(*part, photons);
        }
    }
    rest.iter().chain(&parts).copied().fold(0.0, larger)
}

/// The number of partial results of a row: enough for vectors of any width.
const PARTS: usize = 16;

/// The sum of `f` over a row, in 16 partial sums, so that its bits do not depend on the vector width.
pub(crate) fn sum_over(row: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let mut parts = [0.0; PARTS];
    let (whole, rest) = row.as_chunks::<PARTS>();
    for pixels in whole {
        for (part, &photons) in parts.iter_mut().zip(pixels) {
            *part += f(f64::from(photons));
        }
    }
    for (part, &photons) in parts.iter_mut().zip(rest) {
        *part += f(f64::from(photons));
    }
    parts.iter().sum()
}

/// Merges the sums of all rows in order, each with its panel and row number. `deviations` returns the sum
/// of the squared deviations from a mean over all regions.
pub(crate) fn merge(
    scene: &Scene,
    rows: &[(usize, u32, RowSums)],
    images: &[PanelImage],
    solid_angle_sr: f64,
    deviations: impl FnOnce(f64) -> f64,
) -> Statistics {
    let panels = scene.panels();
    let mut total = RowSums::default();
    let mut brightest_row = None;
    for (panel, slow, row) in rows {
        total.pixels += row.pixels;
        total.sum += row.sum;
        total.sum_of_squares += row.sum_of_squares;
        if row.brightest > total.brightest {
            total.brightest = row.brightest;
            brightest_row = Some((*panel, *slow));
        }
    }
    let brightest_at = brightest_row.and_then(|(index, slow)| {
        let (panel, image) = (panels.get(index)?, images.get(index)?);
        let mut rows = image.pixels.chunks(image.pixels_fast as usize);
        let row = rows.nth(slow as usize)?.get(columns_of(panel))?;
        let mut along = row.iter().zip(panel.roi().fast());
        let fast = along.find(|(pixel, _)| **pixel == total.brightest)?.1;
        Some(PixelPlace {
            panel: index,
            slow,
            fast,
        })
    });
    let mean = total.sum / total.pixels.max(1) as f64;
    let region: u64 = panels.iter().map(|panel| panel.roi().pixel_count()).sum();
    Statistics {
        max_photons: total.brightest,
        max_panel: brightest_at.map_or(0, |place| place.panel),
        max_at_m: brightest_at.map_or([0.0; 2], |place| last_subpixel_m(scene, place)),
        mean,
        rms: (total.sum_of_squares / degrees_of_freedom(total.pixels)).sqrt(),
        rmsd: (deviations(mean) / degrees_of_freedom(region)).sqrt(),
        solid_angle_sr,
        pixels: total.pixels,
    }
}

/// `n - 1`, at least 1.
fn degrees_of_freedom(n: u64) -> f64 {
    n.saturating_sub(1).max(1) as f64
}

/// The position of the last sub-pixel of a pixel on its panel, in metres.
fn last_subpixel_m(scene: &Scene, place: PixelPlace) -> [f64; 2] {
    let panel = scene.panels().get(place.panel);
    let oversample = scene.setup.oversample;
    let subpixel_m = panel.map_or(0.0, Panel::pixel_size_m) / f64::from(oversample);
    [place.fast, place.slow]
        .map(|pixel| subpixel_offset(pixel, oversample - 1, oversample, subpixel_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_any_length_is_summed_whole() {
        for length in 0..50 {
            let row: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let sums = RowSums::of(&row, None);
            let n = f64::from(length);
            assert_eq!(sums.pixels, length as u64);
            assert_eq!(sums.sum, n * (n - 1.0) / 2.0);
            assert_eq!(sums.sum_of_squares, n * (n - 1.0) * (2.0 * n - 1.0) / 6.0);
            assert_eq!(sums.brightest, (n - 1.0).max(0.0) as f32);
        }
    }

    #[test]
    fn what_is_no_number_and_what_is_below_0_is_not_the_brightest() {
        for at in 0..40 {
            let mut row = [-1.0; 40];
            row[at] = f32::NAN;
            assert_eq!(brightest_of(&row), 0.0);
            row[39 - at] = 2.0;
            row[(at + 7) % 40] = f32::NAN;
            assert_eq!(
                brightest_of(&row),
                if (at + 7) % 40 == 39 - at { 0.0 } else { 2.0 }
            );
        }
    }

    #[test]
    fn masked_pixels_are_not_counted() {
        let sums = RowSums::of(&[1.0, 0.0, 3.0], Some(&[true, false, true]));
        assert_eq!((sums.pixels, sums.sum), (2, 4.0));
    }
}
