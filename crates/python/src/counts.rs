//! From photons to what a detector counts.

use nanobragg::io::Image;
use nanobragg::io::scale::{self, Noise, Window};
use nanobragg::numeric::PoissonNoise;
use numpy::{AllowTypeChange, PyArray2, PyArrayLike2};
use pyo3::prelude::*;

use crate::arrays;
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// Added to every count if nothing says otherwise, as by the command line.
pub(crate) const DEFAULT_ADC: f64 = 40.0;

/// An image of photons.
type Photons<'py> = PyArrayLike2<'py, f32, AllowTypeChange>;

/// Count photons, with Poisson noise.
///
/// The noise image of nanoBragg: for the same seed the same counts.
///
/// Parameters
/// ----------
/// image : array_like
///     Photons expected in each pixel, shape (slow, fast).
/// experiment : Experiment
///     Whose detector it is. Outside its region of interest all counts are 0.
/// seed : int, optional
///     Instead of that of the experiment.
/// adc : float, optional
///     Offset added to every count, instead of that of the experiment (40 without `-adc`).
///
/// Returns
/// -------
/// numpy.ndarray
///     Counts from 0 to 65535, int32, shape (slow, fast).
#[pyfunction]
#[pyo3(signature = (image, experiment, *, seed=None, adc=None))]
pub(crate) fn add_noise<'py>(
    py: Python<'py>,
    image: Photons<'py>,
    experiment: &Bound<'py, Experiment>,
    seed: Option<i64>,
    adc: Option<f64>,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let experiment = experiment.get();
    let (photons, window) = on_detector(py, &image, experiment)?;
    let adc = adc.or(experiment.args().output.adc).unwrap_or(DEFAULT_ADC);
    let mut noise = PoissonNoise::from_seed(seed.unwrap_or(experiment.job().noise_seed));
    let counts = interruptible(py, |cancel| {
        let count = |mean| match cancel.is_raised() {
            // Nobody will see the rest.
            true => 0.0,
            false => noise.count(mean),
        };
        let noisy: Noise = scale::noise(&photons, &window, adc, count);
        noisy.counts.map(|&count| i32::from(count))
    })?;
    arrays::of_image(py, counts)
}

/// Scale photons to counts, without noise.
///
/// The integer image of nanoBragg.
///
/// Parameters
/// ----------
/// image : array_like
///     Photons expected in each pixel, shape (slow, fast).
/// experiment : Experiment
///     Whose detector it is. Outside its region of interest all counts are 0.
/// scale : float, optional
///     Counts per photon, instead of that of the experiment; 0 or less, or none there either, takes
///     the brightest pixel to 55000.
/// adc : float, optional
///     Offset added to every count, instead of that of the experiment (40 without `-adc`).
///
/// Returns
/// -------
/// numpy.ndarray
///     Counts from 0 to 65535, int32, shape (slow, fast).
#[pyfunction]
#[pyo3(signature = (image, experiment, *, scale=None, adc=None))]
pub(crate) fn counts<'py>(
    py: Python<'py>,
    image: Photons<'py>,
    experiment: &Bound<'py, Experiment>,
    scale: Option<f64>,
    adc: Option<f64>,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let experiment = experiment.get();
    let (photons, window) = on_detector(py, &image, experiment)?;
    let given = &experiment.args().output;
    let adc = adc.or(given.adc).unwrap_or(DEFAULT_ADC);
    let counts = py.detach(|| {
        let scale = scale.or(given.int_scale).filter(|scale| *scale > 0.0);
        let scale = scale.unwrap_or_else(|| scale::automatic_integer(brightest(&photons).into()));
        let counts: Image<u16> = scale::integer(&photons, &window, scale, adc);
        counts.map(|&count| i32::from(count))
    });
    arrays::of_image(py, counts)
}

/// The image, if it is of this detector, and the part of it that is rendered.
fn on_detector(
    py: Python<'_>,
    image: &Photons<'_>,
    experiment: &Experiment,
) -> PyResult<(Image<f32>, Window)> {
    let photons = arrays::image(image)?;
    arrays::same_sides(py, &photons, experiment)?;
    let roi = &experiment.job().resolved.experiment.detector.first().roi();
    let ends =
        |range: std::ops::RangeInclusive<u32>| *range.start() as usize..=*range.end() as usize;
    let window = Window {
        fast: ends(roi.fast()),
        slow: ends(roi.slow()),
    };
    Ok((photons, window))
}

/// The photons of the brightest pixel; 0 if none is above 0.
fn brightest(photons: &Image<f32>) -> f32 {
    let pixels = photons.pixels().iter().copied();
    pixels.fold(
        0.0,
        |brightest, pixel| if pixel > brightest { pixel } else { brightest },
    )
}
