//! What a stage is, and what it works on.

use std::collections::BTreeMap;
use std::fmt;

use nanobragg_numeric::PoissonNoise;

use crate::Error;

/// One stage of a detector.
pub trait ResponseStage: fmt::Debug + Send + Sync {
    /// The stage where a spec leaves it open; `None` if there is then no such stage.
    fn by_default() -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Checks its numbers.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Changes the pixels of a strip. Strips come in raster order, panel after panel.
    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context);

    /// Changes mean and variance as [`apply`](Self::apply) changes pixels that scatter by them.
    fn predict(&self, moments: &mut Moments);

    /// Whether a pixel depends on its neighbours. A strip is then a whole panel.
    fn needs_panel(&self) -> bool {
        false
    }
}

/// Some rows of a panel, as far as they are inside its window.
#[derive(Debug)]
pub struct Strip<'a> {
    /// The pixels, `[slow][fast]`: photons, and counts after the gain.
    pub pixels: &'a mut [f64],
    /// Pixels of a row.
    pub width: usize,
    /// The panel, counted from 0.
    pub panel: usize,
    /// Where the first pixel is on the panel, along the fast axis.
    pub first_fast: usize,
    /// The same along the slow axis.
    pub first_slow: usize,
}

/// What the stages of an image share: running random streams, and what was met on the way.
#[derive(Debug)]
pub struct Context {
    /// Photons counted so far; `None` before any were.
    pub photons: Option<f64>,
    noise: PoissonNoise,
    streams: BTreeMap<&'static str, PoissonNoise>,
}

impl Context {
    pub(crate) fn new(seed: i64) -> Self {
        Self {
            photons: None,
            noise: PoissonNoise::from_seed(seed),
            streams: BTreeMap::new(),
        }
    }

    /// The stream of the image, which all noise that differs from image to image is drawn from.
    pub fn noise(&mut self) -> &mut PoissonNoise {
        &mut self.noise
    }

    /// The stream `name`, which begins with `seed`: for what is the same in each image.
    pub fn stream(&mut self, name: &'static str, seed: i64) -> &mut PoissonNoise {
        let from_seed = || PoissonNoise::from_seed(seed);
        self.streams.entry(name).or_insert_with(from_seed)
    }
}

/// Mean and variance of each pixel of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Mean, `[slow][fast]`: photons, and counts after the gain.
    pub mean: Vec<f64>,
    /// Variance, in the same unit squared.
    pub variance: Vec<f64>,
    /// Pixels of a row.
    pub width: usize,
}
