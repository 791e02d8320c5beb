//! Refinement of the numbers of experiments against images.

use std::path::PathBuf;

use nanobragg::gradient::{self, Parameter};
use nanobragg::io::any::AnyImage;
use nanobragg::response::{Count, Gain};
use nanobragg::{ExperimentSpec, Mask, Offset, Precision, ResponseSpec, RunOptions};
use nanobragg_cli::options;
use nanobragg_refine::{
    Error, Estimate, Iteration, RefineSpec, Refinement, Schedule, Selection, Target,
};
use numpy::IntoPyArray;
use numpy::ndarray::Array2;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{self, Sides};
use crate::counts::response_of;
use crate::errors::{Exception, of_io, of_run};
use crate::experiment::Experiment;
use crate::interrupt::watched;

/// Refine cell, orientation, geometry and other parameters of an experiment against an image.
///
/// The method is that of `nanoBragg refine`. Other Python threads run during the computation. Ctrl-C
/// stops it.
///
/// Parameters
/// ----------
/// experiment : Experiment or sequence of Experiment
///     The start, which has to be nearly right. Several are those of as many images, which are fitted together.
/// target : array_like or str or os.PathLike, or a sequence of these
///     An image as `render` returns it, or the file of one. Numbers of an integer type are counts, as
///     `add_noise` returns; floats are photons. Negative counts are not used, nor what a file masks.
/// parameters : sequence of str
///     "cell", "misset", "beam", or names as in `nanobragg.parameters()`. Several images share them; they start as
///     in the first experiment.
/// per_image : sequence of str
///     Parameters of which each image has its own.
/// adc : float, optional
///     Offset of the counts; by default that of the experiment (40 without `-adc`).
/// gain : float
///     Counts a photon.
/// mask : array_like or str or os.PathLike, optional
///     0 where the target is not to be used; or the file of such an image.
/// units : {"photons", "counts"}, optional
///     What the numbers of an array are. Needed for floats that are all whole numbers, which may be either.
/// schedule : {"wide-to-narrow", "final"}
///     Through all stages, or the last stage only.
/// attempts : int
///     The largest number of starts. Another start is made while noise does not explain the residuals.
/// threads : int, optional
///     Number of threads; 0 means one per core.
/// progress : bool or callable, optional
///     As in `render`, for stages. Another start adds its stages to their number.
///
/// Returns
/// -------
/// dict
///     `experiment`, which is refined, and `values` that it has by parameter; of several images the first,
///     and all of them in `experiments`. For each number that
///     moved, tied parameters being one: `names`, `estimates`, `uncertainties` (nan where there is
///     none) and the matrix `correlations`. `goodness` of the fit, near 1 where noise explains what
///     is left, and of each image in `image_goodness`; `explained_by_noise` says whether it is; `converged`, which is false where it is not;
///     `pixels` used.
///
/// Raises
/// ------
/// UsageError
///     For parameters that cannot be refined.
/// RunError
///     For a target or a start that cannot be refined.
#[pyfunction]
#[pyo3(signature = (
    experiment, target, parameters=vec!["cell".to_owned(), "misset".to_owned()], *, per_image=vec![],
    adc=None, gain=1.0, mask=None, units=None, schedule="wide-to-narrow", attempts=6, threads=None, progress=None
))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn refine<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, PyAny>,
    target: &Bound<'py, PyAny>,
    parameters: Vec<String>,
    per_image: Vec<String>,
    adc: Option<f64>,
    gain: f64,
    mask: Option<&Bound<'py, PyAny>>,
    units: Option<&str>,
    schedule: &str,
    attempts: usize,
    threads: Option<Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let starts = pairs(py, experiment, target)?;
    let Some((first, _)) = starts.first() else {
        return Err(Exception::Usage.says(py, "there is no experiment to refine"));
    };
    let args = first.get().args_with(py, &[("threads", threads)])?;
    let gain = Gain {
        counts_per_photon: gain,
    };
    let mut targets = Vec::new();
    for (start, target) in &starts {
        let target = target_of(py, start.get(), target, units, adc, gain)?;
        targets.push(match mask {
            Some(mask) => target.without(&mask_of(py, start.get(), mask)?),
            None => target,
        });
    }
    let selection = |names: &[String]| -> PyResult<Vec<Selection>> {
        let names = names.iter().map(|name| Selection::from_name(name));
        names
            .collect::<Result<_, _>>()
            .map_err(|error| of_refinement(py, error))
    };
    let [selection, own] = [selection(&parameters)?, selection(&per_image)?];
    let schedule = match schedule {
        "wide-to-narrow" => Schedule::WideToNarrow,
        "final" => Schedule::Final,
        other => {
            let text = format!("{other:?} is no schedule; give \"wide-to-narrow\" or \"final\"");
            return Err(Exception::Usage.says(py, text));
        }
    };
    let wanted = RefineSpec {
        selection: selection.clone(),
        per_image: own.clone(),
        schedule,
        attempts: attempts.max(1),
        ..RefineSpec::default()
    };
    let specs = starts.iter().map(|(start, _)| start.get().spec());
    let images: Vec<_> = specs.zip(&targets).collect();
    let fitted = watched(py, progress, "stage", |cancel, done| {
        let options = RunOptions {
            precision: Precision::Double,
            accuracy: 0.0,
            ..options(&args, None, cancel).map_err(Failed::Run)?
        };
        let mut all = 0;
        let mut step = |step: &Iteration<'_>| {
            all = step.attempt * step.stages;
            done.tell((step.attempt - 1) * step.stages + step.stage - 1, all);
        };
        let fitted = nanobragg_refine::refine_images(&images, &wanted, &options, &mut step)
            .map_err(Failed::Refinement)?;
        done.tell(all, all);
        Ok(fitted)
    })?;
    let fitted = fitted.map_err(|failed| match failed {
        Failed::Run(error) => of_run(py, &error),
        Failed::Refinement(error) => of_refinement(py, error),
    })?;
    let selection = [selection, own].concat();
    let starts: Vec<_> = starts.into_iter().map(|(start, _)| start).collect();
    result(py, &starts, &fitted, &selection)
}

/// An experiment and the target of its image.
type Pair<'py> = (Bound<'py, Experiment>, Bound<'py, PyAny>);

/// The experiments and their targets: one of each, or two sequences.
fn pairs<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, PyAny>,
    target: &Bound<'py, PyAny>,
) -> PyResult<Vec<Pair<'py>>> {
    if let Ok(one) = experiment.cast::<Experiment>() {
        return Ok(vec![(one.clone(), target.clone())]);
    }
    let experiments = experiment.try_iter()?;
    let experiments: Vec<Bound<'py, Experiment>> = experiments
        .map(|one| Ok(one?.cast_into::<Experiment>()?))
        .collect::<PyResult<_>>()?;
    let targets: Vec<_> = target.try_iter()?.collect::<PyResult<_>>()?;
    if experiments.len() != targets.len() {
        let (images, targets) = (experiments.len(), targets.len());
        let text =
            format!("there are {images} experiments and {targets} targets; give one for each");
        return Err(Exception::Usage.says(py, text));
    }
    Ok(experiments.into_iter().zip(targets).collect())
}

/// The target in an array or a file.
fn target_of(
    py: Python<'_>,
    start: &Experiment,
    target: &Bound<'_, PyAny>,
    units: Option<&str>,
    adc: Option<f64>,
    gain: Gain,
) -> PyResult<Target> {
    let refused = |error| of_refinement(py, error);
    let sides = Sides::of(start);
    if let Ok(path) = target.extract::<PathBuf>() {
        let given = ResponseSpec {
            offset: adc.map(|counts| Offset { counts }),
            gain: Some(gain),
            ..ResponseSpec::default()
        };
        let response = given.or(start.job().spec.response.clone());
        let [fast, slow] = sides.stacked();
        return py
            .detach(|| Target::read(&path, None, [fast, slow], &response))
            .map_err(refused);
    }
    let image = sides.to_stack(target)?.map(|&pixel| pixel as f32);
    let is_whole = image.pixels().iter().all(|pixel| pixel.fract() == 0.0);
    let is_dark = image.pixels().iter().all(|&pixel| pixel == 0.0);
    let holds_counts = match units {
        Some("counts") => true,
        Some("photons") => false,
        Some(other) => {
            let text = format!("{other:?} are no units; give \"photons\" or \"counts\"");
            return Err(Exception::Usage.says(py, text));
        }
        None if arrays::has_integers(target)? => true,
        None if is_whole && !is_dark => {
            let text = "the target is of floats that are all whole numbers: give units=\"counts\" if \
                        they have the offset of -adc, otherwise units=\"photons\"";
            return Err(Exception::Usage.says(py, text));
        }
        None => false,
    };
    if !holds_counts {
        return Ok(Target::of_photons(&image));
    }
    let mut detector = ResponseSpec {
        gain: Some(gain),
        ..response_of(start, adc)
    };
    // Counts of 16 bits are clipped at 65535, and counts above that are not of 16 bits.
    let most = image.pixels().iter().copied().fold(0.0, f32::max);
    if most > f32::from(u16::MAX) && start.job().spec.response.saturation_counts.is_none() {
        detector.saturation_counts = Some(i32::FULL);
    }
    Target::of_counts(&image, &detector).map_err(refused)
}

/// The mask in an array or a file.
fn mask_of(py: Python<'_>, start: &Experiment, mask: &Bound<'_, PyAny>) -> PyResult<Mask> {
    let sides = Sides::of(start);
    let mask = match mask.extract::<PathBuf>() {
        Ok(path) => {
            let [fast, slow] = sides.stacked();
            let image = py.detach(|| AnyImage::read(&path)?.into_stored([fast, slow]));
            let image = image.map_err(|error| of_io(py, error))?;
            let b = image.pixels.sides();
            if b != [fast, slow] {
                let a = [fast, slow];
                return Err(of_run(py, &nanobragg::Error::ImageSides { a, b }.into()));
            }
            nanobragg::mask_of(&image)
        }
        Err(_) => {
            let mask = sides.to_stack(mask)?;
            let kept = mask.pixels().iter().map(|&pixel| pixel != 0.0).collect();
            Mask::new(mask.fast(), kept)
        }
    };
    mask.ok_or_else(|| Exception::Usage.says(py, "the mask has no pixels"))
}

/// Why nothing was fitted.
enum Failed {
    Run(nanobragg_cli::RunError),
    Refinement(Error),
}

fn of_refinement(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Experiment(error) => of_run(py, &error.into()),
        error @ (Error::UnknownParameter { .. }
        | Error::NoParameters
        | Error::OutOfRange { .. }) => Exception::Usage.says(py, error),
        error => Exception::Run.says(py, error),
    }
}

/// The single parameters of a selection.
fn single(selection: &[Selection]) -> Vec<Parameter> {
    let one = |selection: &Selection| match *selection {
        Selection::Cell => vec![
            Parameter::CellA,
            Parameter::CellB,
            Parameter::CellC,
            Parameter::CellAlpha,
            Parameter::CellBeta,
            Parameter::CellGamma,
        ],
        Selection::Misset => vec![Parameter::MissetX, Parameter::MissetY, Parameter::MissetZ],
        Selection::BeamCentre => vec![Parameter::BeamFast, Parameter::BeamSlow],
        Selection::One(parameter) => vec![parameter],
    };
    selection.iter().flat_map(one).collect()
}

/// The refined experiment of an image, and the values that it has by parameter.
fn refined<'py>(
    py: Python<'py>,
    start: &Bound<'py, Experiment>,
    spec: &ExperimentSpec,
    selection: &[Selection],
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let values = PyDict::new(py);
    for parameter in single(selection) {
        let value = gradient::value(spec, parameter).map_err(|error| of_run(py, &error.into()))?;
        values.set_item(parameter.name(), value)?;
    }
    let refined = start.call_method1("with_values", (&values,))?;
    // Angles are refined in degrees and stored in radians. The reported values are those of the refined
    // experiment, to the bit.
    for parameter in single(selection) {
        let name = parameter.name();
        values.set_item(&name, refined.call_method1("value", (&name,))?)?;
    }
    Ok((refined, values))
}

fn result<'py>(
    py: Python<'py>,
    starts: &[Bound<'py, Experiment>],
    fitted: &Refinement,
    selection: &[Selection],
) -> PyResult<Bound<'py, PyDict>> {
    let images = starts.iter().zip(&fitted.specs);
    let (experiments, mut all_values): (Vec<_>, Vec<_>) = images
        .map(|(start, spec)| refined(py, start, spec, selection))
        .collect::<PyResult<Vec<_>>>()?
        .into_iter()
        .unzip();
    let values = all_values.swap_remove(0);
    let estimates = &fitted.estimates;
    let names: Vec<&str> = estimates.iter().map(|one| one.name.as_str()).collect();
    let number = |one: &Estimate| match values.get_item(&one.name)? {
        Some(value) => value.extract(),
        None => Ok(one.value),
    };
    let numbers = estimates
        .iter()
        .map(number)
        .collect::<PyResult<Vec<f64>>>()?;
    let sigmas = estimates.iter().map(|one| one.sigma.unwrap_or(f64::NAN));
    let sigmas: Vec<f64> = sigmas.collect();
    let flat: Vec<f64> = fitted.correlations.iter().flatten().copied().collect();
    let correlations = Array2::from_shape_vec((names.len(), names.len()), flat)
        .map_err(|error| Exception::Run.says(py, error))?;
    let dict = PyDict::new(py);
    dict.set_item("experiment", experiments.first())?;
    dict.set_item("experiments", &experiments)?;
    dict.set_item("values", values)?;
    dict.set_item("names", names)?;
    dict.set_item("estimates", numbers.into_pyarray(py))?;
    dict.set_item("uncertainties", sigmas.into_pyarray(py))?;
    dict.set_item("correlations", correlations.into_pyarray(py))?;
    dict.set_item("goodness", fitted.goodness)?;
    let of_images = fitted.images.iter().map(|image| image.goodness);
    dict.set_item(
        "image_goodness",
        of_images.collect::<Vec<_>>().into_pyarray(py),
    )?;
    dict.set_item("converged", fitted.has_converged())?;
    dict.set_item("explained_by_noise", fitted.is_explained())?;
    dict.set_item("pixels", fitted.pixels)?;
    Ok(dict)
}
