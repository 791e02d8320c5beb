//! The random numbers of an image.

use std::collections::BTreeMap;

use nanobragg_numeric::{CounterNoise, PoissonNoise};
use serde::{Deserialize, Serialize};

use crate::Strip;

/// The generator of the random numbers of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoiseStream {
    /// The sequence of the C program, pixel after pixel: the counts of a pixel depend on all pixels before
    /// it.
    #[default]
    C,
    /// Numbers that depend only on seed, panel, pixel and stage
    /// ([`CounterNoise`](nanobragg_numeric::CounterNoise)).
    Counter,
}

/// The use of a random number. It is part of the key of a counter-based number, so that different stages
/// have different numbers. The values must never change: a seed would then give other counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Draw {
    /// The number of photons.
    Counting = 1,
    /// The noise of the read-out.
    ReadOut = 2,
    /// The sensitivity of a pixel.
    Calibration = 3,
    /// A factor of the whole image or of a pixel that changes from image to image.
    Flicker = 4,
    /// Which pixels are dead.
    DeadPixels = 5,
    /// Which pixels are hot.
    HotPixels = 6,
    /// Which pixels are noisy.
    NoisyPixels = 7,
    /// The noise of noisy pixels.
    NoisyReadOut = 8,
    /// Photons that arrive too soon after another.
    DeadTime = 9,
    /// Photons at the edges of pixels.
    ChargeSharing = 10,
}

/// The state that the stages of an image share: random numbers and the sum of photons.
#[derive(Debug)]
pub struct Context {
    /// The sum of the photons counted so far; `None` before the first strip is counted.
    pub photons: Option<f64>,
    /// Whether the pixels are numbers of photons, and not the expected numbers.
    pub is_counted: bool,
    seed: i64,
    /// The streams of the C program; `None` with the counter stream.
    streams: Option<Streams>,
}

/// The streams of the C program.
#[derive(Debug)]
struct Streams {
    /// The noise that differs from image to image.
    image: PoissonNoise,
    /// Numbers that are the same in every image.
    detector: BTreeMap<Draw, PoissonNoise>,
}

impl Context {
    pub(crate) fn new(stream: NoiseStream, seed: i64) -> Self {
        Self {
            photons: None,
            is_counted: false,
            seed,
            streams: match stream {
                NoiseStream::C => Some(Streams {
                    image: PoissonNoise::from_seed(seed),
                    detector: BTreeMap::new(),
                }),
                NoiseStream::Counter => None,
            },
        }
    }

    /// Replaces the expected photons of a strip by counts with Poisson statistics.
    pub fn count(&mut self, strip: &mut Strip<'_>) {
        self.is_counted = true;
        match &mut self.streams {
            Some(streams) => {
                for pixel in strip.pixels.iter_mut() {
                    *pixel = streams.image.count(*pixel as f32).into();
                }
            }
            None => strip.rows(Draw::Counting, self.seed, |noise, first, row| {
                noise.poisson(first, row);
            }),
        }
    }

    /// Adds pixels to the sum of photons.
    pub fn add_photons(&mut self, pixels: &[f64]) {
        let before = self.photons.unwrap_or_default();
        self.photons = Some(match self.streams {
            // Bright counts of the C program are no whole numbers, so their order matters.
            Some(_) => pixels.iter().fold(before, |sum, pixel| sum + pixel),
            // Several sums at a time do not wait for each other.
            None => {
                let (chunks, rest) = pixels.as_chunks::<8>();
                let sums = chunks.iter().fold([0.0; 8], |mut sums, chunk| {
                    for (sum, pixel) in sums.iter_mut().zip(chunk) {
                        *sum += pixel;
                    }
                    sums
                });
                before + sums.iter().chain(rest).sum::<f64>()
            }
        });
    }

    /// Calls `f` with each pixel and a Gaussian deviate of mean 0 and variance 1, which differs from image
    /// to image.
    pub fn gaussian(&mut self, draw: Draw, strip: &mut Strip<'_>, f: impl FnMut(&mut f64, f64)) {
        let stream = self.streams.as_mut().map(|streams| &mut streams.image);
        gaussian(stream, draw, self.seed, strip, f);
    }

    /// A Gaussian deviate that all pixels of an image share. It is the same however often it is asked for.
    pub fn deviate_of_image(&mut self, draw: Draw) -> f64 {
        // From the counter-based generator with either stream, so that it takes no number from the sequence of
        // the pixels, and each strip can ask for it.
        let mut deviate = 0.0;
        CounterNoise::new(self.seed, draw as u8, 0)
            .gaussian([0; 2], &mut [0.0], |_, g| deviate = g);
        deviate
    }

    /// As [`gaussian`](Self::gaussian) with deviates that depend on the given `seed` and not on that of the image, so that they are the same in
    /// every image of a detector.
    pub fn gaussian_of_detector(
        &mut self,
        draw: Draw,
        seed: i64,
        strip: &mut Strip<'_>,
        f: impl FnMut(&mut f64, f64),
    ) {
        let stream = self.streams.as_mut().map(|streams| {
            let from_seed = || PoissonNoise::from_seed(seed);
            streams.detector.entry(draw).or_insert_with(from_seed)
        });
        gaussian(stream, draw, seed, strip, f);
    }

    /// Random numbers of the pixels of a panel, which differ from image to image. They come from the
    /// counter-based generator with either stream: they are for stages that the C program does not have.
    pub fn of_image(&self, draw: Draw, panel: usize) -> CounterNoise {
        counter(self.seed, draw, panel)
    }
}

fn counter(seed: i64, draw: Draw, panel: usize) -> CounterNoise {
    CounterNoise::new(seed, draw as u8, panel as u32)
}

fn gaussian(
    stream: Option<&mut PoissonNoise>,
    draw: Draw,
    seed: i64,
    strip: &mut Strip<'_>,
    mut f: impl FnMut(&mut f64, f64),
) {
    match stream {
        Some(stream) => {
            for pixel in strip.pixels.iter_mut() {
                f(pixel, stream.gaussian().into());
            }
        }
        None => strip.rows(draw, seed, |noise, first, row| {
            noise.gaussian(first, row, &mut f);
        }),
    }
}

impl Strip<'_> {
    /// Calls `f` with each row: the deviates of its panel for this use, the position of its first pixel, and
    /// its pixels.
    pub fn rows(
        &mut self,
        draw: Draw,
        seed: i64,
        mut f: impl FnMut(&CounterNoise, [u32; 2], &mut [f64]),
    ) {
        let noise = counter(seed, draw, self.panel);
        self.each_row(|first, row| f(&noise, first, row));
    }

    /// Calls `f` with each row: the position of its first pixel, and its pixels.
    pub fn each_row(&mut self, mut f: impl FnMut([u32; 2], &mut [f64])) {
        let rows = self.pixels.chunks_mut(self.width.max(1));
        for (row, slow) in rows.zip(self.first_slow as u32..) {
            f([self.first_fast as u32, slow], row);
        }
    }
}
