//! The trait of a stage, and the pixels that it works on.

use std::fmt;

use crate::{Context, Error};

/// One stage of a detector.
pub trait ResponseStage: fmt::Debug + Send + Sync {
    /// The stage that is used if the spec does not give one; `None` for no stage.
    fn by_default() -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Checks the numbers of the stage.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the field.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Changes the pixels of a strip. With the stream of the C program strips are in raster order, panel
    /// after panel; with the counter stream they are in any order, each with a context of its own.
    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context);

    /// Changes mean and variance of pixels in the way in which [`apply`](Self::apply) changes the
    /// pixels.
    fn predict(&self, moments: &mut Moments);

    /// Whether a pixel depends on its neighbours. A strip is then a whole panel.
    fn needs_panel(&self) -> bool {
        false
    }
}

/// Some rows of a panel, without the pixels outside its window.
#[derive(Debug)]
pub struct Strip<'a> {
    /// The pixels, `[slow][fast]`: photons before the gain, counts after it.
    pub pixels: &'a mut [f64],
    /// The number of pixels in a row.
    pub width: usize,
    /// The panel, counted from 0.
    pub panel: usize,
    /// The position of the first pixel on the panel, along the fast axis.
    pub first_fast: usize,
    /// The position of the first pixel on the panel, along the slow axis.
    pub first_slow: usize,
}

/// Mean and variance of each pixel of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The mean, `[slow][fast]`: photons before the gain, counts after it.
    pub mean: Vec<f64>,
    /// The variance of the noise that is independent from pixel to pixel, in the square of this unit. In the
    /// result of [`predict`](crate::ResponseSpec::predict) it is the whole variance.
    pub variance: Vec<f64>,
    /// The standard deviation of a noise that moves all pixels of an image together, as flicker does, in this
    /// unit; empty for none. A stage that adds light of several pixels adds these and not their squares.
    pub common: Vec<f64>,
    /// The number of pixels in a row.
    pub width: usize,
}
