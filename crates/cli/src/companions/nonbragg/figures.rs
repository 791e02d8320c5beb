//! The figures of an image.

use nanobragg::Resolved;

/// The figures of an image that C prints and scales by.
pub(super) struct Figures {
    pub(super) max: f64,
    pub(super) max_at_m: [f64; 2],
    pub(super) mean: f64,
    pub(super) rms: f64,
    pub(super) rmsd: f64,
}

impl Figures {
    /// Sums in raster order. `counted` is a number of pixels that C divides by in place of that of the image.
    ///
    /// For the deviation C looks at the pixel after each rendered one, and at a 0 after the last.
    pub(super) fn of(pixels: &[f32], resolved: &Resolved, counted: Option<usize>) -> Self {
        let experiment = &resolved.experiment;
        let panel = experiment.detector.first();
        let (width, roi) = (panel.pixels_fast() as usize, panel.roi());
        let places = || {
            let fast = roi.fast();
            roi.slow()
                .flat_map(move |slow| fast.clone().map(move |fast| (fast, slow)))
        };
        let at = |(fast, slow): (u32, u32)| slow as usize * width + fast as usize;
        let (mut max, mut max_at) = (0.0_f32, None);
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0_usize);
        for place in places() {
            let photons = pixels.get(at(place)).copied().unwrap_or(0.0);
            if photons > max {
                (max, max_at) = (photons, Some(place));
            }
            sum += f64::from(photons);
            squares += f64::from(photons * photons);
            count += 1;
        }
        let n = counted.unwrap_or(count).max(1);
        let mean = sum / n as f64;
        let rms = (squares / (n.max(2) - 1) as f64).sqrt();
        let mut deviations = 0.0;
        for place in places() {
            let after = pixels.get(at(place) + 1).copied().unwrap_or(0.0);
            deviations += (f64::from(after) - mean).powi(2);
        }
        let oversample = experiment.sampling.oversample;
        let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
        let last_m = |pixel: u32| {
            nanobragg::geometry::subpixel_offset(pixel, oversample - 1, oversample, subpixel_m)
        };
        Self {
            max: max.into(),
            max_at_m: max_at.map_or([0.0; 2], |(fast, slow)| [last_m(fast), last_m(slow)]),
            mean,
            rms,
            rmsd: (deviations / (count.max(2) - 1) as f64).sqrt(),
        }
    }
}
