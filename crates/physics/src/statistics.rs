//! Figures of a rendered image, over the pixels of its region of interest.

use nanobragg_geometry::subpixel_offset;

use crate::experiment::Experiment;

/// The figures that a run reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Photons in the brightest pixel; 0 if none is above 0.
    pub max_photons: f32,
    /// Where the last sub-pixel of that pixel lies: metres along the fast and the slow axis from the
    /// outer corner of the first pixel.
    pub max_at_m: [f64; 2],
    /// Mean over the rendered pixels.
    pub mean: f64,
    /// Root of the mean square over the rendered pixels, with n - 1.
    pub rms: f64,
    /// Root-mean-square deviation from the mean over all pixels of the region, those left out by a
    /// mask (at 0) included, with n - 1.
    pub rmsd: f64,
    /// Solid angle in steradian that the C program reports: summed over pixels, sub-pixels and
    /// layers, divided by the steps of a pixel.
    pub solid_angle_sr: f64,
    /// Number of rendered pixels.
    pub pixels: u64,
}

/// Sums over one row; rows are merged in their order, so that threads cannot change the result.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowSums {
    pixels: u64,
    sum: f64,
    sum_of_squares: f64,
    brightest: Option<(f32, u32)>,
}

impl RowSums {
    /// Sums the pixels of a row from `first_fast` on, leaving out what the mask (of the same pixels)
    /// leaves out.
    pub(crate) fn of(row: &[f32], first_fast: u32, used: Option<&[bool]>) -> Self {
        let mut sums = Self::default();
        let mut add = |fast: u32, photons: f32| {
            let value = f64::from(photons);
            sums.pixels += 1;
            sums.sum += value;
            sums.sum_of_squares += value * value;
            if photons > sums.brightest.map_or(0.0, |(brightest, _)| brightest) {
                sums.brightest = Some((photons, fast));
            }
        };
        match used {
            None => (first_fast..)
                .zip(row)
                .for_each(|(fast, &photons)| add(fast, photons)),
            Some(used) => (first_fast..)
                .zip(row.iter().zip(used))
                .filter(|(_, (_, used))| **used)
                .for_each(|(fast, (&photons, _))| add(fast, photons)),
        }
        sums
    }
}

/// Merges the sums of all rows, first to last. `first_slow` is the row of the first sums and
/// `deviations` gives the sum over the region of the squared deviations from a mean.
pub(crate) fn merge(
    experiment: &Experiment,
    rows: &[RowSums],
    solid_angle_sr: f64,
    deviations: impl FnOnce(f64) -> f64,
) -> Statistics {
    let roi = &experiment.roi;
    let mut total = RowSums::default();
    let mut brightest = (0.0_f32, None);
    for (slow, row) in (*roi.slow().start()..).zip(rows) {
        total.pixels += row.pixels;
        total.sum += row.sum;
        total.sum_of_squares += row.sum_of_squares;
        if let Some((photons, fast)) = row.brightest
            && photons > brightest.0
        {
            brightest = (photons, Some((fast, slow)));
        }
    }
    let mean = total.sum / total.pixels.max(1) as f64;
    Statistics {
        max_photons: brightest.0,
        max_at_m: brightest.1.map_or([0.0; 2], |(fast, slow)| {
            last_subpixel_m(experiment, fast, slow)
        }),
        mean,
        rms: (total.sum_of_squares / degrees_of_freedom(total.pixels)).sqrt(),
        rmsd: (deviations(mean) / degrees_of_freedom(roi.pixel_count())).sqrt(),
        solid_angle_sr,
        pixels: total.pixels,
    }
}

/// `n - 1`, at least 1.
fn degrees_of_freedom(n: u64) -> f64 {
    n.saturating_sub(1).max(1) as f64
}

/// Where the last sub-pixel of a pixel lies on the detector, in metres.
fn last_subpixel_m(experiment: &Experiment, fast: u32, slow: u32) -> [f64; 2] {
    let oversample = experiment.sampling.oversample;
    let subpixel_m = experiment.detector.pixel_size_m() / f64::from(oversample);
    [fast, slow].map(|pixel| subpixel_offset(pixel, oversample - 1, oversample, subpixel_m))
}
