//! The class `Experiment`.

use std::path::PathBuf;
use std::sync::Mutex;

use nanobragg::gradient;
use nanobragg::series::{SeriesKind, SeriesSpec};
use nanobragg::{Cancel, ExperimentSpec, Loaded};
use nanobragg_cli::{Args, Inputs, Job, Prepared, RunError, base_seeds, report};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{HklArrays, Sides};
use crate::describe;
use crate::errors::{of_run, warn};
use crate::flags::Said;
use crate::glance::Drawn;
use crate::gradient::{named, with_numbers};
use crate::interrupt::interruptible;
use crate::pickle;
use crate::tree::to_python;

/// One experiment: the sample, the beam and the detector.
///
/// It is specified by a command line of nanoBragg (a string or a list of words), by keyword arguments, or
/// by both. A keyword is the name of a flag without its dash; `nanobragg.flags()` lists them. The value
/// of a keyword is a number, a string or a path. If the flag takes several values, it is a tuple, list or
/// array of them. True sets a flag without values, and False removes it. None removes any flag. Of
/// several flags for the same field the last one wins; keywords come after the command line.
///
/// Parameters
/// ----------
/// command_line : str or sequence of str, optional
///     Flags with their values. A string is split as in a shell.
/// **flags
///     Flags by name. Some accept arrays instead of files. `hkl` or `structure_factors`: a pair of
///     indices of shape (n, 3) and amplitudes of shape (n,), or of the first h, k, l of a box and
///     amplitudes of shape (h, k, l). `mask`: shape (slow, fast), not 0 where a pixel is rendered, or one
///     mask for each panel. `sources`: shape (n, 5), X Y Z (m), weight and wavelength (m), or a list of
///     dicts as in an experiment file. `spectrum`: a pair of energies (eV) and weights, shape (n,) each.
///     `mosaic_matrices`: the rotations of the mosaic domains, shape (n, 3, 3), or a pair of these and weights
///     of shape (n,). `panels`: a list of dicts or objects with `origin_mm`, `fast`,
///     `slow`, `pixels_fast`, `pixels_slow`, `pixel_size_mm` and optional `name`, `sensor` and
///     `trusted_range_counts`, in the laboratory with the beam along +x. Flags of the detector change the
///     first panel, and the other panels move with it.
///
/// Raises
/// ------
/// UsageError
///     For an unknown flag or a value that is not allowed.
/// FileError
///     For a file that cannot be read or parsed.
/// RunError
///     For an experiment that is not possible.
///
/// Notes
/// -----
/// An experiment is immutable; `replace` returns a new one. A pickled experiment contains its arrays, but
/// only the names of its files. Without `-seed` the seed is taken from the clock once, and copies keep
/// it. Flags that name outputs have no effect.
///
/// Examples
/// --------
/// >>> import nanobragg
/// >>> exp = nanobragg.Experiment("-cell 100 -default_F 100 -N 5", distance=80, detpixels_x=64, detpixels_y=48)
/// >>> exp.shape
/// (48, 64)
#[pyclass(module = "nanobragg", frozen)]
pub(crate) struct Experiment {
    pub(crate) said: Said,
    /// The folder for relative file names.
    pub(crate) folder: PathBuf,
    pub(crate) args: Args,
    spec: ExperimentSpec,
    job: Job,
    /// What was read, from which copies with other values take their structure factors.
    loaded: Loaded,
    warnings: Vec<String>,
    /// The last small picture.
    pub(crate) drawn: Mutex<Option<Drawn>>,
}

impl Experiment {
    /// Reads the files and resolves the experiment, with the structure factors of `earlier` if they are the same. Issues
    /// the warnings that are not in `known`.
    fn of(
        py: Python<'_>,
        mut said: Said,
        known: &[String],
        earlier: Option<&Loaded>,
    ) -> PyResult<Self> {
        said.inputs.earlier = earlier.cloned();
        let experiment = Self::quietly(py, said)?;
        for text in &experiment.warnings {
            if !known.contains(text) {
                warn(py, text)?;
            }
        }
        Ok(experiment)
    }

    /// Reads the files and resolves the experiment without issuing warnings.
    pub(crate) fn quietly(py: Python<'_>, mut said: Said) -> PyResult<Self> {
        let args = said.args(py)?;
        let mut args = (args.with_base())
            .map_err(|error| of_run(py, &error))?
            .into_owned();
        let earlier = said.inputs.earlier.take();
        let inputs = Inputs {
            earlier,
            ..said.inputs.clone()
        };
        let described = interruptible(py, |stop| Described::by(&args, inputs, &said, stop))?
            .map_err(|error| of_run(py, &error))?;
        if args.noise.seed.is_none() {
            said.fix_seed(described.base_seed);
            args.noise.seed = Some(described.base_seed);
        }
        let Described {
            spec, job, loaded, ..
        } = described;
        let warnings = warnings(&args, &job);
        Ok(Self {
            said,
            folder: working_folder(),
            args,
            spec,
            job,
            loaded,
            warnings,
            drawn: Mutex::default(),
        })
    }

    /// The specification of the experiment.
    pub(crate) fn spec(&self) -> &ExperimentSpec {
        &self.spec
    }

    /// The experiment, resolved.
    pub(crate) fn job(&self) -> &Job {
        &self.job
    }

    /// The experiment with further flags after its own.
    fn laid_over(
        py: Python<'_>,
        mut said: Said,
        flags: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if let Some(flags) = flags {
            said.set_all(flags)?;
        }
        Self::of(py, said, &[], None)
    }

    /// A frame of the series that starts with this experiment.
    fn one_of(&self, py: Python<'_>, kind: SeriesKind, number: u32) -> PyResult<Self> {
        let mut said = self.said.clone();
        said.frame = Some((kind, number));
        Self::of(py, said, &self.warnings, Some(&self.loaded))
    }

    /// The flags of the experiment followed by others. The experiment is not changed.
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

/// A specification with its files read, and the experiment that it resolves to.
struct Described {
    spec: ExperimentSpec,
    job: Job,
    loaded: Loaded,
    /// The seed of the noise; for a series, the seed from which those of the frames are derived.
    base_seed: i64,
}

impl Described {
    fn by(args: &Args, inputs: Inputs, said: &Said, stop: &Cancel) -> Result<Self, RunError> {
        let mut prepared = Prepared::with_inputs(args, inputs)?;
        let base_seed = prepared.noise_seed;
        let with_values = |loaded: &Loaded| {
            (said.values.iter()).try_fold(loaded.spec.clone(), |spec, &(parameter, value)| {
                gradient::with_value(&spec, parameter, value)
            })
        };
        let (mut spec, mut noise_seed) = (with_values(&prepared.loaded)?, base_seed);
        if !said.values.is_empty() && prepared.reach(&spec, args)? {
            spec = with_values(&prepared.loaded)?;
        }
        if let Some((kind, number)) = said.frame {
            let series = SeriesSpec {
                kind,
                count: u32::MAX,
                seeds: base_seeds(args, base_seed),
            };
            let frame = series.frame(&spec, number)?;
            (spec, noise_seed) = (frame.spec, frame.noise_seed);
        } else {
            // `shot` and `frame` draw what varies; until then a quantity has the value of the experiment.
            spec = spec.without_distributions().of_single_image()?;
        }
        let job = prepared.resolve(&spec, noise_seed, args, stop)?;
        Ok(Self {
            spec,
            job,
            loaded: prepared.loaded,
            base_seed,
        })
    }
}

/// The warnings of the command line.
fn warnings(args: &Args, job: &Job) -> Vec<String> {
    let of_flags = args.warnings.iter().map(ToString::to_string);
    of_flags.chain(nanobragg_cli::warnings(job)).collect()
}

/// The folder for relative file names; empty if it is unknown.
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
        let said = command_line.map(Said::by).transpose()?.unwrap_or_default();
        Self::laid_over(py, said, flags)
    }

    /// The experiment in a file, TOML or JSON, such as `-save-experiment` writes.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    /// **flags
    ///     As in the constructor; they change the experiment of the file.
    ///
    /// Returns
    /// -------
    /// Experiment
    #[staticmethod]
    #[pyo3(signature = (path, /, **flags))]
    fn from_file(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        flags: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut said = Said::default();
        said.set("experiment", path)?;
        Self::laid_over(py, said, flags)
    }

    /// The experiment of a dict with the fields of an experiment file.
    ///
    /// Parameters
    /// ----------
    /// tree : dict
    ///     In the form that `to_dict` returns; missing fields have their defaults. Instead of file names,
    ///     `structure_factors["hkl"]` and `mask` may be arrays as in the constructor.
    /// **flags
    ///     As in the constructor; they change the experiment of the dict.
    ///
    /// Returns
    /// -------
    /// Experiment
    #[staticmethod]
    #[pyo3(signature = (tree, /, **flags))]
    fn from_dict(
        py: Python<'_>,
        tree: &Bound<'_, PyDict>,
        flags: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let said = pickle::said_by(py, tree)?;
        Self::laid_over(py, said, flags)
    }

    /// The experiment as a dict with every field of an experiment file; None if a field is not specified.
    /// `from_dict` makes the same experiment from it, to the bit.
    ///
    /// Returns
    /// -------
    /// dict
    ///     File names are unchanged. Structure factors and masks that were given as arrays are arrays.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        pickle::tree(self, py)
    }

    /// The same experiment with other flags. Each replaces its earlier values and comes last.
    ///
    /// Parameters
    /// ----------
    /// **flags
    ///     As in the constructor; None removes a flag.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Files are read again. Settings of `with_values`, `frame` and `shot` are kept.
    #[pyo3(signature = (**flags))]
    fn replace(&self, py: Python<'_>, flags: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut said = self.said.clone();
        if let Some(flags) = flags {
            said.set_all(flags)?;
        }
        Self::of(py, said, &self.warnings, None)
    }

    /// The value of a parameter, in the unit of the parameter.
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
    ///     Values by name; names as in `nanobragg.parameters()`, or `F(h,k,l)`.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     These values override flags, also those of a later `replace`.
    fn with_values(&self, py: Python<'_>, values: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut said = self.said.clone();
        said.set_values(with_numbers(values)?);
        Self::of(py, said, &self.warnings, Some(&self.loaded))
    }

    /// One frame of a rotation series: the spindle advances by `-osc` per frame.
    ///
    /// Parameters
    /// ----------
    /// number : int
    ///     Number of the frame, counted from 1.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Frame `number` of the series that `-frames` renders, with its own seed of the noise.
    fn frame(&self, py: Python<'_>, number: u32) -> PyResult<Self> {
        self.one_of(py, SeriesKind::Rotation, number)
    }

    /// One shot of a series of random crystals: a random orientation and its own mosaic domains.
    ///
    /// Parameters
    /// ----------
    /// number : int
    ///     Number of the shot, counted from 1.
    ///
    /// Returns
    /// -------
    /// Experiment
    ///     Shot `number` of the series that `-shots` renders, with its own seed of the noise.
    fn shot(&self, py: Python<'_>, number: u32) -> PyResult<Self> {
        self.one_of(py, SeriesKind::Shots, number)
    }

    /// The report of nanoBragg before rendering, with every decision.
    fn report(&self) -> String {
        report::before(&self.job, &self.args)
    }

    /// The experiment as words of a command line, without arrays and `values`.
    #[getter]
    pub(crate) fn words<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.said.words())
    }

    /// The values of the parameters that `with_values` has set.
    #[getter]
    pub(crate) fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        for (parameter, value) in &self.said.values {
            values.set_item(parameter.name(), value)?;
        }
        Ok(values)
    }

    /// The warnings of nanoBragg before rendering.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Seed of the noise, and of a random misset that has no seed of its own.
    #[getter]
    fn seed(&self) -> i64 {
        self.job.noise_seed
    }

    /// The shape of an image: (slow, fast), or (panel, slow, fast) if there are several panels. If the
    /// panels differ in shape, the shape of the image in a file: the panels one below the other, as wide
    /// as the widest.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, Sides::of(self).shape_or_stack())
    }

    /// The panels of the detector in the laboratory, in the form that the constructor accepts.
    #[getter]
    fn panels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        describe::panels(py, &self.job)
    }

    /// The geometry of the detector: vectors in the laboratory frame and lengths in mm.
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

    /// The steps of the sum: spindle, sub-pixels, layers of the sensor. `chosen` has the numbers that `auto` chose, with
    /// their errors; None if there are none.
    #[getter]
    fn sampling<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::sampling(py, &self.job)
    }

    /// The resolved experiment as a tree, as in records: dicts, lists and numbers, in SI units unless a
    /// name says otherwise. docs/RECORDS.md of the source explains every field.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.job.tree())
    }

    /// The structure factors: indices of shape (n, 3) and F in electrons of shape (n,), one for every
    /// point of the box that contains the reflections.
    #[getter]
    fn structure_factors<'py>(&self, py: Python<'py>) -> PyResult<HklArrays<'py>> {
        describe::structure_factors(py, &self.job)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        pickle::shown(self, py)
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        pickle::reduced(self, py)
    }

    /// A table of the main numbers and a small picture, for notebooks.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let module = slf.py().import("nanobragg._show")?;
        module.call_method1("html", (slf,))
    }

    /// The small picture as PNG.
    fn _repr_png_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let module = slf.py().import("nanobragg._show")?;
        module.call_method1("png", (slf,))
    }
}
