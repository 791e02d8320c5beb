//! A small picture of an experiment that takes a fraction of a second.

use std::time::{Duration, Instant};

use nanobragg_geometry::vector::{add, dot, scale, sub};
use nanobragg_geometry::{Detector, Panel};
use nanobragg_io::Image;
use nanobragg_physics::{Cancel, Experiment, Progress, RunOptions};

use crate::adaptive::expected;
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
    for (number, panel) in experiment.detector.panels().iter().enumerate() {
        match rendered.as_ref().and_then(|panels| panels.get(number)) {
            Some(image) => {
                for (slow, row) in (0..).zip(image.rows()) {
                    for (fast, &photons) in (0..).zip(row) {
                        picture.put(panel.middle_m(fast, slow), photons);
                    }
                }
            }
            None => {
                for one in bright.clone().filter(|one| one.panel == number) {
                    let [fast, slow] = one.place.map(|at| u32::try_from(at).unwrap_or(0));
                    let part = (one.score / brightest) as f32;
                    picture.put(panel.middle_m(fast, slow), part);
                    picture.put_around(panel.middle_m(fast, slow), HALO * part);
                }
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

/// A picture on the plane of the first panel, along whose normal it is seen.
struct Picture {
    image: Image<f32>,
    plane: Panel,
    /// The corner of the picture from that of the panel along fast and slow, and the edge of its pixels.
    corner_m: [f64; 2],
    pixel_m: f64,
}

impl Picture {
    /// A dark picture of a detector.
    fn of(detector: &Detector, side_px: usize) -> Result<Self, Error> {
        let plane = detector.first().clone();
        let (mut first, mut last) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for panel in detector.panels() {
            let half_m = 0.5 * panel.pixel_size_m();
            let [fast, slow] = [panel.pixels_fast() - 1, panel.pixels_slow() - 1];
            for [fast, slow] in [[0, 0], [fast, 0], [0, slow], [fast, slow]] {
                let at = on(&plane, panel.middle_m(fast, slow));
                for ((first, last), at) in first.iter_mut().zip(&mut last).zip(at) {
                    *first = first.min(at - half_m);
                    *last = last.max(at + half_m);
                }
            }
        }
        let [left, top] = first;
        let [right, bottom] = last;
        let [fast_m, slow_m] = [right - left, bottom - top];
        // Without the slack an edge would be a pixel longer by rounding.
        let whole = |count: f64| (count - 1e-6).ceil().max(1.0);
        let own_m = plane.pixel_size_m();
        let pixel_m = own_m * whole(fast_m.max(slow_m) / own_m / side_px.max(1) as f64);
        let sides = [fast_m, slow_m].map(|side_m| whole(side_m / pixel_m) as usize);
        Ok(Self {
            image: Image::filled(sides[0], sides[1], 0.0)?,
            plane,
            corner_m: first,
            pixel_m,
        })
    }

    /// Makes the four pixels beside a place at least so bright.
    fn put_around(&mut self, place_m: [f64; 3], brightness: f32) {
        for axis in [self.plane.fast(), self.plane.slow()] {
            for step_m in [-self.pixel_m, self.pixel_m] {
                self.put(add(place_m, scale(step_m, axis)), brightness);
            }
        }
    }

    /// Makes the pixel at a place at least so bright.
    fn put(&mut self, place_m: [f64; 3], brightness: f32) {
        let [fast_m, slow_m] = on(&self.plane, place_m);
        // A cast saturates, so that places on the left and above are in the first pixels.
        let [left, top] = self.corner_m;
        let [fast, slow] =
            [fast_m - left, slow_m - top].map(|from_m| (from_m / self.pixel_m) as usize);
        let row = self.image.rows_mut().nth(slow);
        if let Some(pixel) = row.and_then(|row| row.get_mut(fast)) {
            *pixel = pixel.max(brightness);
        }
    }
}

/// A place along fast and slow of a plane, from the corner of its first pixel.
fn on(plane: &Panel, place_m: [f64; 3]) -> [f64; 2] {
    let from = sub(place_m, plane.pix0_m());
    [plane.fast(), plane.slow()].map(|axis| dot(from, axis))
}
