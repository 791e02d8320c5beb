//! What the rendered pixels see: F, and the profile of a measured image.

use nanobragg::io::Image;
use nanobragg::{CountsToF, LastSample, PixelPlace, RadialPoint, RadialProfile};

use super::{CompanionError, Run};

impl Run<'_> {
    /// The rendered pixels in raster order, each with its place in the image.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, PixelPlace)> + use<> {
        let panel = self.resolved.experiment.detector.first();
        let width = panel.pixels_fast() as usize;
        let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
        slow.flat_map(move |slow| {
            fast.clone().map(move |fast| {
                let place = PixelPlace {
                    panel: 0,
                    slow,
                    fast,
                };
                (slow as usize * width + fast as usize, place)
            })
        })
    }

    /// The last sub-pixel and source of each rendered pixel.
    fn samples(&self) -> impl Iterator<Item = (usize, LastSample)> {
        let places = self.places();
        places.filter_map(|(at, place)| Some((at, self.scene.last_sample(place)?)))
    }

    /// Replaces the photons by F at the last sub-pixel and source.
    pub(super) fn plot_f(&mut self) -> Result<(), CompanionError> {
        let (fast, slow) = (self.image.photons.fast(), self.image.photons.slow());
        let mut pixels = vec![0.0; fast * slow];
        if let Some(layer) = self.resolved.experiment.background.first() {
            for (at, sample) in self.samples() {
                if let Some(pixel) = pixels.get_mut(at) {
                    *pixel = layer.profile.electrons_at(sample.stol_per_m) as f32;
                }
            }
        }
        self.image.photons = Image::new(fast, slow, pixels)?;
        Ok(())
    }

    /// The profile of a measured image.
    pub(super) fn profile(
        &self,
        measured: &Image<f32>,
    ) -> Result<Vec<RadialPoint>, CompanionError> {
        let request = self.request;
        let experiment = &self.resolved.experiment;
        let found = [measured.fast(), measured.slow()];
        let is_own = request.pixels == found.map(Some);
        let Some(layer) = experiment.background.first().filter(|_| is_own) else {
            return Err(CompanionError::Input(format!(
                "-img has {}x{} pixels, which -detpixels must not change",
                found[0], found[1]
            )));
        };
        let oversample = f64::from(experiment.sampling.oversample);
        let to_f = CountsToF {
            offset_counts: request.offset_counts,
            gain: request.gain,
            fluence_per_m2: experiment.fluence_per_m2,
            molecules: layer.molecules,
            steps: experiment.sources.len() as f64 * oversample * oversample,
        };
        let mut profile = RadialProfile::new(&layer.profile);
        for (at, sample) in self.samples() {
            // With one pixel more in a row than the file has (the oddity `pixel-count`), rows are out of step, and
            // 0 follows the last.
            let counts = measured.pixels().get(at).copied().unwrap_or(0.0);
            let mut ignored = request.ignored_counts.iter();
            if !ignored.any(|value| f32::from(*value) == counts) {
                profile.add(&sample, to_f.electrons(counts, &sample));
            }
        }
        Ok(profile.points(request.fixed.rejection))
    }
}
