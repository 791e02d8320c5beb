//! The images that a run leaves: photons, scaled integers, greys and counts with noise.

use std::fmt;

use nanobragg_io::Image;
use nanobragg_io::scale::{self, Count, Noise, Window};
use nanobragg_numeric::PoissonNoise;
use nanobragg_physics::{Experiment, Frame, PixelPlace, Plan, RunOptions, Statistics};

use crate::error::Error;

/// A simulated image.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Photons per pixel, shape `[slow][fast]`.
    pub photons: Image<f32>,
    /// Its figures.
    pub statistics: Statistics,
    /// The pixel in which an index left the grid of structure factors and ended
    /// interpolation for all pixels after it (the oddity `interpolation`).
    pub left_grid_at: Option<PixelPlace>,
    window: Window,
}

/// Pixels of an image that are no finite numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFinite {
    /// How many there are.
    pub count: u64,
    /// The first one, along the fast axis.
    pub fast: u32,
    /// The same along the slow axis.
    pub slow: u32,
    /// What it is.
    pub value: f32,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            fast,
            slow,
            value,
        } = self;
        write!(
            f,
            "{count} pixels are no finite numbers; the first, at fast {fast} slow {slow}, is {value}"
        )
    }
}

/// Renders an experiment.
///
/// # Errors
/// [`Error::Physics`] when the run is cancelled or there is no memory or no thread for it.
pub fn simulate(experiment: &Experiment, options: &RunOptions<'_>) -> Result<Simulated, Error> {
    let rendered = nanobragg_physics::render(&Plan::new(experiment), options)?;
    Simulated::new(experiment, rendered)
}

impl Simulated {
    /// Takes over the pixels of a rendered image.
    ///
    /// # Errors
    /// [`Error::Io`] if they are not as many as the image's edges say.
    pub fn new(experiment: &Experiment, rendered: Frame) -> Result<Self, Error> {
        let panel = experiment.detector.first();
        let ends =
            |range: std::ops::RangeInclusive<u32>| *range.start() as usize..=*range.end() as usize;
        let roi = panel.roi();
        let statistics = rendered.statistics;
        let left_grid_at = rendered.left_grid_at;
        let first = rendered.panels.into_iter().next();
        let pixels = first.map(|image| image.pixels).unwrap_or_default();
        Ok(Self {
            photons: Image::new(
                panel.pixels_fast() as usize,
                panel.pixels_slow() as usize,
                pixels,
            )?,
            statistics,
            left_grid_at,
            window: Window {
                fast: ends(roi.fast()),
                slow: ends(roi.slow()),
            },
        })
    }

    /// The pixels that came out as no finite number, as where numbers of an experiment are too
    /// large for each other; `None` where there are none.
    ///
    /// # Errors
    /// [`Error::NothingFinite`] if that is all that was rendered.
    pub fn not_finite(&self) -> Result<Option<NotFinite>, Error> {
        // No sum of finite f32 overflows an f64, so the mean tells whether there are others.
        if self.statistics.mean.is_finite() {
            return Ok(None);
        }
        let mut pixels = (self.photons.rows().zip(0_u32..))
            .flat_map(|(row, slow)| {
                row.iter()
                    .zip(0_u32..)
                    .map(move |(&p, fast)| (p, fast, slow))
            })
            .filter(|(pixel, ..)| !pixel.is_finite());
        let Some((value, fast, slow)) = pixels.next() else {
            return Ok(None);
        };
        let count = 1 + pixels.count() as u64;
        if count >= self.statistics.pixels {
            return Err(Error::NothingFinite { fast, slow, value });
        }
        Ok(Some(NotFinite {
            count,
            fast,
            slow,
            value,
        }))
    }

    /// The scale of the integer image: `given` if above 0, or one that takes the brightest pixel to
    /// 55000.
    pub fn integer_scale(&self, given: Option<f64>) -> f64 {
        positive(given)
            .unwrap_or_else(|| scale::automatic_integer(f64::from(self.statistics.max_photons)))
    }

    /// The scale of the grey image: `given` if above 0, or one that takes five times the deviation
    /// from the mean to 250.
    pub fn grey_scale(&self, given: Option<f64>, integer_scale: f64) -> f64 {
        positive(given)
            .unwrap_or_else(|| scale::automatic_grey(self.statistics.rmsd, integer_scale))
    }

    /// Counts without noise: photons times `scale` plus `adc`, of 16 bits or of 32.
    pub fn integers<C: Count>(&self, scale: f64, adc: f64) -> Image<C> {
        scale::integer(&self.photons, &self.window, scale, adc)
    }

    /// Greys: photons times `scale`, up to 255.
    pub fn greys(&self, scale: f64) -> Image<u8> {
        scale::greys(&self.photons, &self.window, scale)
    }

    /// Counts with counting noise plus `adc`. A seed gives the same counts everywhere; the pixels
    /// are drawn one after the other, in raster order. Counts of 32 bits are those of 16 where these
    /// are not clipped.
    pub fn noisy_counts<C: Count>(&self, seed: i64, adc: f64) -> Noise<C> {
        let mut noise = PoissonNoise::from_seed(seed);
        scale::noise(&self.photons, &self.window, adc, |mean| noise.count(mean))
    }
}

/// A scale given and above 0; anything else means automatic.
fn positive(given: Option<f64>) -> Option<f64> {
    given.filter(|scale| *scale > 0.0)
}
