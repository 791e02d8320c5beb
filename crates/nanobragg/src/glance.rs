//! A small picture of an experiment that takes a fraction of a second.

use std::time::{Duration, Instant};

use nanobragg_geometry::Detector;
use nanobragg_io::Image;
use nanobragg_physics::{Cancel, Experiment, Progress, RunOptions};

use crate::adaptive::expected;
use crate::assembled::Assembly;
use crate::error::Error;
use crate::images::simulate;

/// Images with more terms are not rendered.
const MOST_TERMS: f64 = 1e7;

/// A rendering that takes longer is given up: the background of a pixel takes time as well.
const PATIENCE: Duration = Duration::from_millis(300);

/// The number of pixels, times orientations and sources, in which reflections are looked for.
const LOOKS: f64 = 2e5;

/// The intensity of a reflection that counts, as a part of that of the brightest.
const FAINTEST: f64 = 1e-3;

/// The brightness beside the place of a reflection, so that it can be seen.
const HALO: f32 = 0.03;

/// What an experiment looks like, in little.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// All panels at their positions. A pixel is the brightest of the square of pixels that it stands for: photons,
    /// or about the intensity of the reflections there if the image was not rendered.
    pub picture: Image<f32>,
    /// Whether the picture is of the image. If not, it shows where the brightest reflections are.
    pub is_rendered: bool,
    /// The number of reflections on the image with more than a thousandth of the intensity of the brightest, about:
    /// where there are many orientations, some are not found.
    pub reflections: usize,
}

/// Gives up a rendering at some time, or when another asks for it.
struct Deadline<'c> {
    at: Instant,
    asked: Option<&'c Cancel>,
    cancel: &'c Cancel,
}

impl Progress for Deadline<'_> {
    fn rows_done(&self, _: usize, _: usize) {
        if Instant::now() > self.at || self.asked.is_some_and(Cancel::is_raised) {
            self.cancel.raise();
        }
    }
}

/// Looks at an experiment: a picture with at most `side_px` pixels along each edge. A small image is rendered; of one
/// that would take longer, the picture has the probable reflections.
///
/// # Errors
/// Those of [`simulate`](crate::simulate), except for a cancellation that `options` did not ask for.
pub fn glance(
    experiment: &Experiment,
    side_px: usize,
    options: &RunOptions<'_>,
) -> Result<Glance, Error> {
    let reflections = expected(experiment, LOOKS);
    let brightest = reflections.first().map_or(0.0, |first| first.score);
    let bright = reflections
        .iter()
        .take_while(|one| one.score > FAINTEST * brightest);
    let rendered = rendered(experiment, options)?;
    let is_rendered = rendered.is_some();
    let mut picture = Picture::of(&experiment.detector, side_px)?;
    match &rendered {
        Some(panels) => {
            for (number, image) in panels.iter().enumerate() {
                for (slow, row) in (0..).zip(image.rows()) {
                    for (fast, &photons) in (0..).zip(row) {
                        picture.put(number, [fast, slow], photons, 0.0);
                    }
                }
            }
        }
        None => {
            for one in bright.clone() {
                let pixel = one.place.map(|at| u32::try_from(at).unwrap_or(0));
                let part = (one.score / brightest) as f32;
                picture.put(one.panel, pixel, part, HALO * part);
            }
        }
    }
    Ok(Glance {
        picture: picture.image,
        is_rendered,
        reflections: bright.count(),
    })
}

/// The photons of the panels; `None` if they take too long.
fn rendered(
    experiment: &Experiment,
    options: &RunOptions<'_>,
) -> Result<Option<Vec<Image<f32>>>, Error> {
    let pixels = experiment.detector.panels().iter();
    let pixels: u64 = pixels.map(|panel| panel.roi().pixel_count()).sum();
    if pixels as f64 * experiment.terms_a_pixel() > MOST_TERMS {
        return Ok(None);
    }
    let cancel = Cancel::new();
    let deadline = Deadline {
        at: Instant::now() + PATIENCE,
        asked: options.cancel,
        cancel: &cancel,
    };
    let watched = RunOptions {
        // To begin with a GPU takes longer than such an image.
        device: None,
        progress: Some(&deadline),
        cancel: Some(&cancel),
        ..*options
    };
    match simulate(experiment, &watched) {
        Err(_) if cancel.is_raised() && !options.cancel.is_some_and(Cancel::is_raised) => Ok(None),
        rendered => {
            let rendered = rendered?;
            let panels = rendered.panels().iter();
            let panels = panels.map(|panel| panel.of(&rendered.photons));
            Ok(Some(panels.collect::<Result<_, _>>()?))
        }
    }
}

/// A picture of all panels where they stand, each of its pixels a square of theirs.
struct Picture {
    image: Image<f32>,
    assembly: Assembly,
    /// The edge of a square, in pixels of the assembly.
    edge_px: f64,
}

impl Picture {
    /// A dark picture of a detector.
    fn of(detector: &Detector, side_px: usize) -> Result<Self, Error> {
        let assembly = Assembly::of(detector);
        let [fast, slow] = assembly.sides;
        let edge = fast.max(slow).div_ceil(side_px.max(1)).max(1);
        Ok(Self {
            image: Image::filled(fast.div_ceil(edge), slow.div_ceil(edge), 0.0)?,
            assembly,
            edge_px: edge as f64,
        })
    }

    /// Makes the square at the middle of a pixel at least so bright, and the four beside it at least `halo`.
    fn put(&mut self, panel: usize, pixel: [u32; 2], brightness: f32, halo: f32) {
        let middle = pixel.map(|at| f64::from(at) + 0.5);
        let Some(place) = self.assembly.place(panel, middle) else {
            return;
        };
        let [fast, slow] = place.map(|at| (at / self.edge_px).floor());
        let squares = [
            (fast, slow, brightness),
            (fast - 1.0, slow, halo),
            (fast + 1.0, slow, halo),
            (fast, slow - 1.0, halo),
            (fast, slow + 1.0, halo),
        ];
        for (fast, slow, brightness) in squares {
            // Beside the picture on the left and above; on the right and below there is no such row or pixel.
            if brightness <= 0.0 || fast < 0.0 || slow < 0.0 {
                continue;
            }
            let row = self.image.rows_mut().nth(slow as usize);
            if let Some(square) = row.and_then(|row| row.get_mut(fast as usize)) {
                *square = square.max(brightness);
            }
        }
    }
}
