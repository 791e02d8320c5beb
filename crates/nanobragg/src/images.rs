//! The images that a run leaves: photons, and the counts that a detector makes of them.

use std::fmt;
use std::ops::RangeInclusive;

use nanobragg_geometry::Roi;
use nanobragg_io::Image;
use nanobragg_physics::{Experiment, Frame, PixelPlace, Plan, RunOptions, Statistics};
use nanobragg_response::{Count, Counts, PanelPhotons, Response, ResponseSpec, Window};

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
    roi: Roi,
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
        let first = rendered.panels.into_iter().next();
        let pixels = first.map(|image| image.pixels).unwrap_or_default();
        Ok(Self {
            photons: Image::new(
                panel.pixels_fast() as usize,
                panel.pixels_slow() as usize,
                pixels,
            )?,
            statistics: rendered.statistics,
            left_grid_at: rendered.left_grid_at,
            roi: panel.roi(),
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

    /// The scale of the integer image, in counts per photon.
    pub fn integer_scale(&self, response: &ResponseSpec) -> f64 {
        response.integer_scale(self.statistics.max_photons.into())
    }

    /// The scale of the grey image, in greys per photon.
    pub fn grey_scale(&self, response: &ResponseSpec) -> f64 {
        response.grey_scale(self.statistics.rmsd, self.integer_scale(response))
    }

    /// The counts that `response` makes of the photons.
    ///
    /// # Errors
    /// As for [`count_photons`].
    pub fn counts<C: Count>(&self, response: Response) -> Result<Counts<Image<C>>, Error> {
        count_photons(response, &self.photons, &self.roi, &|| true)
    }
}

/// The counts that `response` makes of photons in the region of interest; 0 outside it. `go_on` is
/// asked again and again; `false` stops.
///
/// # Errors
/// [`Error::Response`] if it was stopped.
pub fn count_photons<C: Count>(
    response: Response,
    photons: &Image<f32>,
    roi: &Roi,
    go_on: &dyn Fn() -> bool,
) -> Result<Counts<Image<C>>, Error> {
    let ends = |range: RangeInclusive<u32>| *range.start() as usize..=*range.end() as usize;
    let panel = PanelPhotons {
        pixels: photons.pixels(),
        width: photons.fast(),
        window: Window {
            fast: ends(roi.fast()),
            slow: ends(roi.slow()),
        },
    };
    let counts = response.apply(&[panel], go_on)?;
    counts.try_map(|panels| {
        let pixels = panels.into_iter().next().unwrap_or_default();
        Ok(Image::new(photons.fast(), photons.slow(), pixels)?)
    })
}
