//! The class `Experiment`.

use std::path::PathBuf;

use nanobragg::ExperimentSpec;
use nanobragg::gradient;
use nanobragg::series::{SeriesKind, SeriesSpec};
use nanobragg_cli::{Args, DEFAULT_DUMP, Inputs, Job, Prepared, RunError, base_seeds, report};
use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{self, HklArrays};
use crate::describe;
use crate::errors::{of_run, warn};
use crate::flags::Said;
use crate::gradient::{named, with_numbers};
use crate::tree::to_python;

/// One experiment: what is in the beam, what the beam is, and what records it.
///
/// Said as on the command line of nanoBragg, in one string or a list of words, or by keyword
/// arguments, or both. A keyword is the name of a flag without its dash; `nanobragg.flags()` lists
/// them. Its value is a number, a string, a path, or a tuple, list or array of them where the flag
/// takes several. True stands for a flag without values, and False takes it back as None does any
/// flag. Of flags that say the same thing the last one wins; keywords come after the command line.
///
/// Parameters
/// ----------
/// command_line : str or sequence of str, optional
///     Flags with their values. A string is split as a shell splits it.
/// **flags
///     Flags by name. `hkl` may be a pair of arrays, indices of shape (n, 3) and amplitudes of shape
///     (n,), instead of the name of a file; `mask` an array of shape (slow, fast), not 0 where a
///     pixel is rendered.
///
/// Raises
/// ------
/// UsageError
///     For a flag or a value that makes no sense.
/// FileError
///     For a file that cannot be read or understood.
/// RunError
///     For an experiment that cannot be.
///
/// Notes
/// -----
/// An experiment does not change; `replace` makes another one. It can be pickled, which takes along
/// arrays, but of files only their names. Without `-seed` the clock gives the seed, which then is
/// the experiment's and that of its copies. Flags that name outputs have no effect here.
///
/// Examples
/// --------
/// >>> import nanobragg
/// >>> exp = nanobragg.Experiment("-cell 100 -default_F 100 -N 5", distance=80, detpixels_x=64, detpixels_y=48)
/// >>> exp.shape
/// (48, 64)
#[pyclass(module = "nanobragg", frozen)]
pub(crate) struct Experiment {
    said: Said,
    /// Where the names of files begin.
    folder: PathBuf,
    args: Args,
    spec: ExperimentSpec,
    job: Job,
    warnings: Vec<String>,
}

impl Experiment {
    /// Reads the files and resolves what was said. Warns of what is not among the `known` warnings.
    fn of(py: Python<'_>, said: Said, known: &[String]) -> PyResult<Self> {
        let experiment = Self::quietly(py, said)?;
        for text in &experiment.warnings {
            if !known.contains(text) {
                warn(py, text)?;
            }
        }
        Ok(experiment)
    }

    /// The same without a warning.
    fn quietly(py: Python<'_>, mut said: Said) -> PyResult<Self> {
        let mut args = said.args(py)?;
        let inputs = said.inputs.clone();
        let described = py
            .detach(|| Described::by(&args, inputs, &said))
            .map_err(|error| of_run(py, &error))?;
        if args.noise.seed.is_none() {
            said.fix_seed(described.base_seed);
            args.noise.seed = Some(described.base_seed);
        }
        let Described { spec, job, .. } = described;
        let warnings = warnings(&args, &job);
        Ok(Self {
            said,
            folder: working_folder(),
            args,
            spec,
            job,
            warnings,
        })
    }

    /// The experiment as it was described.
    pub(crate) fn spec(&self) -> &ExperimentSpec {
        &self.spec
    }

    /// The experiment, resolved.
    pub(crate) fn job(&self) -> &Job {
        &self.job
    }

    /// Pixels along slow and fast.
    pub(crate) fn sides(&self) -> (usize, usize) {
        let panel = self.job.resolved.experiment.detector.first();
        (panel.pixels_slow() as usize, panel.pixels_fast() as usize)
    }

    /// A frame of the series that this experiment is the beginning of.
    fn one_of(&self, py: Python<'_>, kind: SeriesKind, number: u32) -> PyResult<Self> {
        let mut said = self.said.clone();
        said.frame = Some((kind, number));
        Self::of(py, said, &self.warnings)
    }

    /// The flags with others after them, for this once.
    pub(crate) fn args_with(
        &self,
        py: Python<'_>,
        flags: &[(&str, Option<Bound<'_, PyAny>>)],
    ) -> PyResult<Args> {
        let mut said = self.said.clone();
        for (name, value) in flags {
            if let Some(value) = value {
                said.set(name, value)?;
            }
        }
        said.args(py)
    }
}

/// What was said, with its files read and everything resolved.
struct Described {
    spec: ExperimentSpec,
    job: Job,
    /// Seed of the noise, or that from which the seeds of frames follow.
    base_seed: i64,
}

impl Described {
    fn by(args: &Args, inputs: Inputs, said: &Said) -> Result<Self, RunError> {
        let prepared = Prepared::with_inputs(args, inputs)?;
        let base_seed = prepared.noise_seed;
        let (mut spec, mut noise_seed) = (prepared.loaded.spec.clone(), base_seed);
        for &(parameter, value) in &said.values {
            spec = gradient::with_value(&spec, parameter, value)?;
        }
        if let Some((kind, number)) = said.frame {
            let series = SeriesSpec {
                kind,
                count: u32::MAX,
                seeds: base_seeds(args, base_seed),
            };
            let frame = series.frame(&spec, number)?;
            (spec, noise_seed) = (frame.spec, frame.noise_seed);
        }
        let job = prepared.resolve(&spec, noise_seed, args)?;
        Ok(Self {
            spec,
            job,
            base_seed,
        })
    }
}

/// What the command line would warn of.
fn warnings(args: &Args, job: &Job) -> Vec<String> {
    let of_flags = args.warnings.iter().map(ToString::to_string);
    of_flags.chain(nanobragg_cli::warnings(job)).collect()
}

/// The folder in which relative names are looked for; empty if it has no name.
fn working_folder() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

#[pymethods]
impl Experiment {
    #[new]
    #[pyo3(signature = (command_line=None, /, **flags))]
    fn new(
        py: Python<'_>,
        command_line: Option<&Bound<'_, PyAny>>,
        flags: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut said = command_line.map(Said::by).transpose()?.unwrap_or_default();
        if let Some(flags) = flags {
            said.set_all(flags)?;
        }
        Self::of(py, said, &[])
    }

    /// The same experiment but for these flags, each as if it were typed last and never before.
    ///
    /// Parameters
    /// ----------
    /// **flags
    ///     As in the constructor; None takes a flag back.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Files are read anew. What `with_values`, `frame` and `shot` have set stays.
    #[pyo3(signature = (**flags))]
    fn replace(&self, py: Python<'_>, flags: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut said = self.said.clone();
        if let Some(flags) = flags {
            said.set_all(flags)?;
        }
        Self::of(py, said, &self.warnings)
    }

    /// The value of a parameter, in its unit.
    ///
    /// Parameters
    /// ----------
    /// parameter : str
    ///     A name as in `nanobragg.parameters()`, or `F(h,k,l)`.
    ///
    /// Returns
    /// -------
    /// float
    fn value(&self, py: Python<'_>, parameter: &str) -> PyResult<f64> {
        let parameter = named(py, parameter)?;
        gradient::value(&self.spec, parameter).map_err(|error| of_run(py, &error.into()))
    }

    /// The same experiment with other values of parameters.
    ///
    /// Parameters
    /// ----------
    /// values : dict of str to float
    ///     By names as in `nanobragg.parameters()`, or `F(h,k,l)`.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     In which these values win over flags, also over those of a later `replace`.
    fn with_values(&self, py: Python<'_>, values: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut said = self.said.clone();
        said.set_values(with_numbers(values)?);
        Self::of(py, said, &self.warnings)
    }

    /// One frame of a rotation: the spindle goes on by `-osc` from frame to frame.
    ///
    /// Parameters
    /// ----------
    /// number : int
    ///     From 1.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Frame `number` of what `-frames` renders, with a seed of its own for the noise.
    fn frame(&self, py: Python<'_>, number: u32) -> PyResult<Self> {
        self.one_of(py, SeriesKind::Rotation, number)
    }

    /// One shot at one of many crystals, in a random orientation, with mosaic domains of its own.
    ///
    /// Parameters
    /// ----------
    /// number : int
    ///     From 1.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Shot `number` of what `-shots` renders, with a seed of its own for the noise.
    fn shot(&self, py: Python<'_>, number: u32) -> PyResult<Self> {
        self.one_of(py, SeriesKind::Shots, number)
    }

    /// What nanoBragg says on standard output before it renders: every decision.
    fn report(&self) -> String {
        report::before(&self.job, &self.args)
    }

    /// The experiment as words of a command line, arrays and `values` aside.
    #[getter]
    fn words<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.said.words())
    }

    /// The values of parameters that were set by `with_values`.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        for (parameter, value) in &self.said.values {
            values.set_item(parameter.name(), value)?;
        }
        Ok(values)
    }

    /// What nanoBragg warns of before it renders.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Seed of the noise, and of a random misset unless that has its own.
    #[getter]
    fn seed(&self) -> i64 {
        self.job.noise_seed
    }

    /// Pixels along slow and fast: the shape of an image.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        self.sides()
    }

    /// Where the detector is: a dict of vectors in the laboratory and lengths in mm.
    #[getter]
    fn geometry<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::view(py, &self.job, describe::GEOMETRY)
    }

    /// The crystal at phi 0: cell, vectors, size, mosaic domains.
    #[getter]
    fn crystal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::view(py, &self.job, describe::CRYSTAL)
    }

    /// The beam: wavelength, fluence, sources.
    #[getter]
    fn beam<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::beam(py, &self.job)
    }

    /// What the sum runs over: spindle, sub-pixels, layers of the sensor.
    #[getter]
    fn sampling<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::sampling(py, &self.job)
    }

    /// The resolved experiment as the tree that records keep: dicts, lists and numbers in SI units,
    /// except where a name says otherwise. docs/RECORDS.md of the source tells of every field.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.job.tree())
    }

    /// The structure factors: indices of shape (n, 3) and F in electrons of shape (n,), one for every
    /// point of the box around the reflections.
    #[getter]
    fn structure_factors<'py>(&self, py: Python<'py>) -> PyResult<HklArrays<'py>> {
        describe::structure_factors(py, &self.job)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let line = py
            .import("shlex")?
            .call_method1("join", (self.words(py)?,))?;
        let arrays = match (&self.said.inputs.reflections, &self.said.inputs.mask) {
            (None, None) => "",
            (Some(_), None) => ", hkl=(...)",
            (None, Some(_)) => ", mask=...",
            (Some(_), Some(_)) => ", hkl=(...), mask=...",
        };
        let values = if self.said.values.is_empty() {
            String::new()
        } else {
            format!(".with_values({})", self.values(py)?.repr()?)
        };
        let frame = match self.said.frame {
            None => String::new(),
            Some((SeriesKind::Rotation, number)) => format!(".frame({number})"),
            Some((SeriesKind::Shots, number)) => format!(".shot({number})"),
        };
        Ok(format!(
            "Experiment({}{arrays}){values}{frame}",
            line.repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let inputs = &self.said.inputs;
        let hkl = inputs.reflections.as_deref();
        let hkl = hkl
            .map(|list| arrays::of_reflections(py, list))
            .transpose()?;
        let rows = self.job.resolved.experiment.detector.first().pixels_slow() as usize;
        let mask = inputs.mask.as_ref();
        let mask = mask
            .map(|mask| arrays::of_mask(py, mask, rows))
            .transpose()?;
        let mut words = self.said.words_from(&self.folder);
        if !self.job.named.factors.are_new() && !self.args.gives("dump") {
            // What the default names is named from here, whether it is there or not.
            words.extend(["-dump".into(), self.folder.join(DEFAULT_DUMP).into()]);
        }
        let restored = py.import("nanobragg._nanobragg")?.getattr("_restored")?;
        let values = self.values(py)?;
        let frame = self
            .said
            .frame
            .map(|(kind, number)| (kind == SeriesKind::Shots, number));
        Ok((
            restored,
            (words, hkl, mask, values, frame).into_pyobject(py)?,
        ))
    }
}

/// An experiment out of its pickle, without a word about what was warned of before.
#[pyfunction(name = "_restored")]
pub(crate) fn restored(
    py: Python<'_>,
    words: &Bound<'_, PyAny>,
    hkl: Option<&Bound<'_, PyAny>>,
    mask: Option<Bound<'_, PyArray2<bool>>>,
    values: &Bound<'_, PyDict>,
    frame: Option<(bool, u32)>,
) -> PyResult<Experiment> {
    let mut said = Said::by(words)?;
    said.inputs.reflections = hkl.map(arrays::reflections).transpose()?;
    said.inputs.mask = mask.map(|mask| arrays::mask(mask.as_any())).transpose()?;
    said.set_values(with_numbers(values)?);
    said.frame = frame.map(|(is_shot, number)| match is_shot {
        true => (SeriesKind::Shots, number),
        false => (SeriesKind::Rotation, number),
    });
    Experiment::quietly(py, said)
}
