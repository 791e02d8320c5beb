//! Conversion of photons to the counts of a detector.

use nanobragg::io::Image;
use nanobragg::response::Count;
use nanobragg::{Counts, Error, Offset, Response, ResponseSpec, StackedPanel, count_photons};
use nanobragg_cli::RunError;
use pyo3::prelude::*;

use crate::arrays::Sides;
use crate::errors::of_run;
use crate::experiment::Experiment;
use crate::interrupt::interruptible;

/// Count photons, with Poisson noise.
///
/// This is the noise image of nanoBragg: the same seed gives the same counts.
///
/// Parameters
/// ----------
/// image : array_like
///     Expected photons per pixel, in the form that `render` returns.
/// experiment : Experiment
///     The experiment with the detector. Outside its region of interest all counts are 0.
/// seed : int, optional
///     Seed of the noise; by default that of the experiment.
/// adc : float, optional
///     Offset added to every count; by default that of the experiment (40 without `-adc`).
///
/// Returns
/// -------
/// numpy.ndarray
///     Counts from 0 to 65535, int32, in the shape of the image.
#[pyfunction]
#[pyo3(signature = (image, experiment, *, seed=None, adc=None))]
pub(crate) fn add_noise<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
    experiment: &Bound<'py, Experiment>,
    seed: Option<i64>,
    adc: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let experiment = experiment.get();
    let seed = seed.unwrap_or(experiment.job().noise_seed);
    let measured = Response::measured(&response_of(experiment, adc), seed);
    counted(py, image, experiment, |_| Ok(measured?))
}

/// Scale photons to counts, without noise.
///
/// This is the integer image of nanoBragg.
///
/// Parameters
/// ----------
/// image : array_like
///     Expected photons per pixel, in the form that `render` returns.
/// experiment : Experiment
///     The experiment with the detector. Outside its region of interest all counts are 0.
/// scale : float, optional
///     Counts per photon; by default that of the experiment. If it is 0 or less, or if the experiment has
///     none, the brightest pixel has 55000 counts.
/// adc : float, optional
///     Offset added to every count; by default that of the experiment (40 without `-adc`).
///
/// Returns
/// -------
/// numpy.ndarray
///     Counts from 0 to 65535, int32, in the shape of the image.
#[pyfunction]
#[pyo3(signature = (image, experiment, *, scale=None, adc=None))]
pub(crate) fn counts<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
    experiment: &Bound<'py, Experiment>,
    scale: Option<f64>,
    adc: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let experiment = experiment.get();
    let mut response = response_of(experiment, adc);
    response.integer_scale_counts_per_photon = scale.or(response.integer_scale_counts_per_photon);
    counted(py, image, experiment, |photons| {
        let scale = response.integer_scale(brightest(photons).into());
        Ok(Response::integers(&response, scale)?)
    })
}

/// The 16-bit detector of an experiment, with another offset if `adc` is given.
pub(crate) fn response_of(experiment: &Experiment, adc: Option<f64>) -> ResponseSpec {
    let given = ResponseSpec {
        offset: adc.map(|counts| Offset { counts }),
        ..ResponseSpec::default()
    };
    let filling = ResponseSpec {
        saturation_counts: Some(u16::FULL),
        ..ResponseSpec::default()
    };
    let job = experiment.job();
    let exposure_s = job.resolved.decisions.fluence.exposure_s;
    let spec = given.or(job.spec.response.clone()).or(filling);
    spec.in_exposure(exposure_s)
}

/// The counts that a response computes from an image of this detector, in the rendered region.
fn counted<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
    experiment: &Experiment,
    response: impl FnOnce(&Image<f32>) -> Result<Response, Error> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let sides = Sides::of(experiment);
    let photons = sides.to_stack(image)?.map(|&pixel| pixel as f32);
    let panels = StackedPanel::all(&experiment.job().resolved.experiment.detector);
    let counts = interruptible(py, |cancel| {
        let go_on = || !cancel.is_raised();
        count_photons(response(&photons)?, &photons, &panels, &go_on)
    })?;
    let counts: Counts<Image<i32>> = counts.map_err(|error| of_run(py, &RunError::from(error)))?;
    sides.of_stack(py, counts.pixels)
}

/// The photons of the brightest pixel; 0 if none is above 0.
fn brightest(photons: &Image<f32>) -> f32 {
    let pixels = photons.pixels().iter().copied();
    pixels.fold(
        0.0,
        |brightest, pixel| if pixel > brightest { pixel } else { brightest },
    )
}
