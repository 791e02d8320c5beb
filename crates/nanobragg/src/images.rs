//! The images of a run: photons, and the counts of a detector.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use nanobragg_geometry::{Detector, Roi};
use nanobragg_io::Image;
use nanobragg_physics::{
    EveryTerm, Experiment, Frame, Omission, PixelPlace, RunOptions, Scene, Statistics, Unsupported,
};
use nanobragg_response::{Count, Counts, PanelPhotons, Response, ResponseSpec, Window};

use crate::error::Error;
use crate::resolve::Resolved;
use crate::spots::{DirectBeam, Spots};

/// A simulated image.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Photons per pixel, the panels one below the other: shape `[panel][slow][fast]`. Rows of a narrow
    /// panel are filled with zeros up to the width of the widest.
    pub photons: Image<f32>,
    /// The statistics of the image.
    pub statistics: Statistics,
    /// The pixel in which an index left the grid of structure factors and ended
    /// interpolation for all pixels after it (the oddity `interpolation`).
    pub left_grid_at: Option<PixelPlace>,
    /// What was left out; `None` if the run asked for no accuracy.
    pub omission: Option<Result<Omission, EveryTerm>>,
    /// The name of the backend that rendered it.
    pub backend: &'static str,
    /// Why another backend rendered it than the requested one.
    pub unsupported: Option<Unsupported>,
    /// The spots without the direct beam, if the automatic scales follow them; see [`Simulated::with_spots`].
    pub spots: Option<Spots>,
    panels: Vec<StackedPanel>,
}

/// The position of a panel in an image in which the panels are one below the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackedPanel {
    /// The rows of the panel.
    pub rows: Range<usize>,
    /// The number of pixels along the fast axis. Further pixels of a row belong to no panel.
    pub fast: usize,
    /// The rendered pixels of the panel.
    pub roi: Roi,
}

impl StackedPanel {
    /// The panels of a detector.
    pub fn all(detector: &Detector) -> Vec<Self> {
        let mut end = 0;
        let panels = detector.panels().iter().map(|panel| {
            let start = end;
            end += panel.pixels_slow() as usize;
            Self {
                rows: start..end,
                fast: panel.pixels_fast() as usize,
                roi: panel.roi(),
            }
        });
        panels.collect()
    }

    /// The image of this panel.
    ///
    /// # Errors
    /// [`Error::Io`] if the shape of `stacked` does not fit.
    pub fn of<T: Copy>(&self, stacked: &Image<T>) -> Result<Image<T>, Error> {
        let rows = stacked.rows().skip(self.rows.start).take(self.rows.len());
        let pixels = rows.flat_map(|row| row.iter().take(self.fast));
        Ok(Image::new(
            self.fast,
            self.rows.len(),
            pixels.copied().collect(),
        )?)
    }
}

/// Pixels of an image that are infinite or NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFinite {
    /// The number of such pixels.
    pub count: u64,
    /// The panel of the first one, counted from 0.
    pub panel: usize,
    /// The position of the first one along the fast axis.
    pub fast: u32,
    /// The position of the first one along the slow axis.
    pub slow: u32,
    /// The value of the first one.
    pub value: f32,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            panel,
            fast,
            slow,
            value,
        } = self;
        write!(f, "{count} pixels are no finite numbers; the first, at ")?;
        if *panel > 0 {
            write!(f, "panel {panel} ")?;
        }
        write!(f, "fast {fast} slow {slow}, is {value}")
    }
}

/// Renders an experiment.
///
/// # Errors
/// [`Error::Physics`] if the run is cancelled, or if there is not enough memory, or if the threads cannot
/// be started.
pub fn simulate(experiment: &Experiment, options: &RunOptions<'_>) -> Result<Simulated, Error> {
    let rendered = nanobragg_physics::render(&Scene::new(experiment), options)?;
    Simulated::new(experiment, rendered)
}

impl Simulated {
    /// Takes the pixels of a rendered frame.
    ///
    /// # Errors
    /// [`Error::Io`] if the number of pixels does not fit the edges of the image.
    pub fn new(experiment: &Experiment, rendered: Frame) -> Result<Self, Error> {
        let images = rendered.panels.into_iter().map(|image| {
            let (fast, slow) = (image.pixels_fast as usize, image.pixels_slow as usize);
            Image::new(fast, slow, image.pixels)
        });
        let mut images = images.collect::<Result<Vec<_>, _>>()?;
        // The image of one panel is moved, not copied.
        let photons = match images.len() {
            1 => images.remove(0),
            _ => Image::stacked(&images)?,
        };
        Ok(Self {
            photons,
            statistics: rendered.statistics,
            left_grid_at: rendered.left_grid_at,
            omission: rendered.omission,
            backend: rendered.backend,
            unsupported: rendered.unsupported,
            spots: None,
            panels: StackedPanel::all(&experiment.detector),
        })
    }

    /// Finds the spots if the automatic scales leave out the direct beam
    /// ([`Decisions::scales_leave_out_beam`](crate::Decisions::scales_leave_out_beam)).
    pub fn with_spots(mut self, resolved: &Resolved) -> Self {
        let beam = DirectBeam::of(resolved);
        self.spots = beam.map(|beam| Spots::of(&beam, &self.photons, &self.panels));
        self
    }

    /// Photons expected in the whole image, if they are fewer than one: then no spot can be seen. The background is
    /// not counted apart, so an image with water or layers has none.
    pub fn less_than_a_photon(&self) -> Option<f64> {
        let photons = self.statistics.mean * self.statistics.pixels as f64;
        (photons < 1.0).then_some(photons)
    }

    /// The position of each panel in [`photons`](Self::photons).
    pub fn panels(&self) -> &[StackedPanel] {
        &self.panels
    }

    /// The pixels that are infinite or NaN, for example because numbers of the experiment are too large
    /// together; `None` if there are none.
    ///
    /// # Errors
    /// [`Error::NothingFinite`] if no rendered pixel is finite.
    pub fn not_finite(&self) -> Result<Option<NotFinite>, Error> {
        // A sum of finite f32 does not overflow an f64, so the mean is finite if all pixels are.
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
        let holds = |panel: &StackedPanel| panel.rows.contains(&(slow as usize));
        let panel = self.panels.iter().position(holds).unwrap_or(0);
        let first_row = self.panels.get(panel).map_or(0, |panel| panel.rows.start);
        Ok(Some(NotFinite {
            count,
            panel,
            fast,
            slow: slow - first_row as u32,
            value,
        }))
    }

    /// The scale of the integer image, in counts per photon.
    pub fn integer_scale(&self, response: &ResponseSpec) -> f64 {
        let max = self
            .spots
            .map_or(self.statistics.max_photons, |spots| spots.max_photons);
        response.integer_scale(max.into())
    }

    /// The scale of the grey image, in greys per photon.
    pub fn grey_scale(&self, response: &ResponseSpec) -> f64 {
        let rmsd = self.spots.map_or(self.statistics.rmsd, |spots| spots.rmsd);
        response.grey_scale(rmsd, self.integer_scale(response))
    }

    /// The counts that `response` computes from the photons.
    ///
    /// # Errors
    /// As [`count_photons`].
    pub fn counts<C: Count>(&self, response: Response) -> Result<Counts<Image<C>>, Error> {
        count_photons(response, &self.photons, &self.panels, &|| true)
    }
}

/// The counts that `response` computes from photons in the regions of interest of `panels`, which are one
/// below the other in the image; 0 outside the regions. The function calls `go_on` repeatedly and stops
/// when it returns `false`.
///
/// # Errors
/// [`Error::Response`] if it was stopped.
pub fn count_photons<C: Count>(
    response: Response,
    photons: &Image<f32>,
    panels: &[StackedPanel],
    go_on: &(dyn Fn() -> bool + Sync),
) -> Result<Counts<Image<C>>, Error> {
    let ends = |range: RangeInclusive<u32>| *range.start() as usize..=*range.end() as usize;
    let width = photons.fast();
    let each = panels.iter().enumerate().map(|(number, panel)| {
        let (start, end) = (panel.rows.start * width, panel.rows.end * width);
        PanelPhotons {
            panel: number,
            pixels: photons.pixels().get(start..end).unwrap_or_default(),
            width,
            window: Window {
                fast: ends(panel.roi.fast()),
                slow: ends(panel.roi.slow()),
            },
        }
    });
    let each: Vec<_> = each.collect();
    let counts = response.apply(&each, go_on)?;
    counts.try_map(|mut panels| {
        let pixels = match panels.len() {
            1 => panels.remove(0),
            _ => panels.concat(),
        };
        Ok(Image::new(width, photons.slow(), pixels)?)
    })
}
