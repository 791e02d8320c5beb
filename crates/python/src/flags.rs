//! Converts keyword arguments to words of a command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanobragg::ExperimentSpec;
use nanobragg::gradient::Parameter;
use nanobragg::series::SeriesKind;
use nanobragg_cli::args::flag::{FlagSpec, Takes};
use nanobragg_cli::args::{Task, find};
use nanobragg_cli::argv::{self, Given, Spelled};
use nanobragg_cli::{Args, Inputs, Invocation};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::{Exception, of_usage};
use crate::{arrays, sources};

/// The specification of an experiment in Python, in order of precedence.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    flags: Vec<Flag>,
    /// The experiment that the flags change, unless a flag names an experiment file.
    pub(crate) base: Option<Arc<ExperimentSpec>>,
    /// The input in arrays.
    pub(crate) inputs: Inputs,
    /// Values of parameters in the order in which they are set. They override flags.
    pub(crate) values: Vec<(Parameter, f64)>,
    /// The frame of a series, if the experiment is one.
    pub(crate) frame: Option<(SeriesKind, u32)>,
}

/// A flag with its values.
#[derive(Debug, Clone)]
struct Flag {
    spec: &'static FlagSpec,
    values: Vec<OsString>,
}

impl Said {
    /// The flags of a command line: a string that is split as in a shell, or a list of words.
    pub(crate) fn by(line: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = line.py();
        let words: Vec<OsString> = if line.is_instance_of::<PyString>() {
            py.import("shlex")?
                .call_method1("split", (line,))?
                .extract()?
        } else {
            let word = |item: PyResult<Bound<'_, PyAny>>| word(&item?);
            line.try_iter()?.map(word).collect::<PyResult<_>>()?
        };
        Ok(Self {
            flags: flags_of(py, words)?,
            ..Self::default()
        })
    }

    /// Applies keyword arguments. Each replaces earlier values of its flag and comes last.
    pub(crate) fn set_all(&mut self, keywords: &Bound<'_, PyDict>) -> PyResult<()> {
        for (name, value) in keywords {
            self.set(name.extract()?, &value)?;
        }
        Ok(())
    }

    /// Applies one keyword argument. `None` removes the flag, and so does `False` for a flag without
    /// values.
    pub(crate) fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let none = value.is_none();
        match name {
            "panels" if none => self.inputs.panels.clear(),
            "panels" => self.inputs.panels = arrays::panels(value)?,
            "sources" if none => self.inputs.sources = None,
            "sources" => self.inputs.sources = Some(sources::sources(value)?),
            "mosaic_matrices" => {
                self.set_flag("mosaic_file", &value.py().None().into_bound(value.py()))?;
                if !none {
                    self.inputs.mosaic_matrices = Some(sources::matrices(value)?);
                }
            }
            "structure_factors" => self.set_flag("hkl", value)?,
            name => self.set_flag(name, value)?,
        }
        Ok(())
    }

    fn set_flag(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        // A reserved word of Python gets an underscore at its end: lambda_.
        let name = match find(name) {
            None => name.strip_suffix('_').unwrap_or(name),
            Some(_) => name,
        };
        let Some(spec) = find(name) else {
            // The parser makes the error message.
            flags_of(py, vec![format!("--{name}").into()])?;
            return Ok(());
        };
        self.flags.retain(|flag| flag.spec.name != spec.name);
        let is_array = !value.is_none() && path(value).is_none();
        match spec.name {
            "hkl" => self.inputs.reflections = None,
            "mask" => self.inputs.mask = None,
            "sourcefile" => self.inputs.sources = None,
            "spectrum" => self.inputs.spectrum = None,
            "mosaic_file" => self.inputs.mosaic_matrices = None,
            "experiment" => self.base = None,
            _ => {}
        }
        match spec.name {
            "hkl" if is_array => self.inputs.reflections = Some(arrays::reflections(value)?),
            "mask" if is_array => self.inputs.mask = Some(arrays::mask(value)?),
            "spectrum" if is_array => self.inputs.spectrum = Some(sources::spectrum(value)?),
            _ => {
                if let Some(words) = words_of(spec, value)? {
                    self.flags.extend(flags_of(py, words)?);
                }
            }
        }
        Ok(())
    }

    /// Sets the values of parameters, which override flags.
    pub(crate) fn set_values(&mut self, values: Vec<(Parameter, f64)>) {
        for (parameter, value) in values {
            self.values.retain(|(known, _)| *known != parameter);
            self.values.push((parameter, value));
        }
    }

    /// The words of the command line.
    pub(crate) fn words(&self) -> Vec<OsString> {
        self.words_with(|_, _, value| value.to_owned())
    }

    /// The words of the command line, with file names relative to `folder` made independent of the
    /// working folder.
    pub(crate) fn words_from(&self, folder: &Path) -> Vec<OsString> {
        self.words_with(|spec, place, value| {
            let seen = spec.seen_from(folder, place, value);
            seen.unwrap_or_else(|| value.to_owned())
        })
    }

    fn words_with(&self, shown: impl Fn(&FlagSpec, usize, &OsStr) -> OsString) -> Vec<OsString> {
        let mut words = Vec::new();
        for Flag { spec, values } in &self.flags {
            let values = values.iter().enumerate();
            let values = values.map(|(place, value)| shown(spec, place, value));
            words.extend(joined(spec.name, values.collect()));
        }
        words
    }

    /// The arguments that the parser makes of the words.
    ///
    /// # Errors
    /// Those of the command line. Also an error if the words request something else than an image.
    pub(crate) fn args(&self, py: Python<'_>) -> PyResult<Args> {
        let mut words = self.words();
        // The parser has to know what is given, whichever way.
        let arrays = [
            ("-spectrum", self.inputs.spectrum.is_some()),
            ("-mosaic_file", self.inputs.mosaic_matrices.is_some()),
        ];
        for (flag, _) in arrays.iter().filter(|(_, is_given)| *is_given) {
            words.extend([flag, "arrays"].map(OsString::from));
        }
        let understood = Invocation::from_words(words);
        match understood.map_err(|error| of_usage(py, &error))? {
            Invocation::Run(mut args) if args.task() == Task::Simulate => {
                if let Some(base) = &self.base {
                    args.set_base(ExperimentSpec::clone(base));
                }
                Ok(*args)
            }
            Invocation::Run(args) if args.task() == Task::Series => {
                Err(Exception::Usage.says(py, MANY_EXPERIMENTS))
            }
            _ => Err(Exception::Usage.says(py, NO_EXPERIMENT)),
        }
    }

    /// Sets the seed of the noise, so that copies have the same seed.
    pub(crate) fn fix_seed(&mut self, seed: i64) {
        if let Some(spec) = find("seed") {
            let values = vec![seed.to_string().into()];
            self.flags.push(Flag { spec, values });
        }
    }
}

const NO_EXPERIMENT: &str = "-plan, -rerun, -diff, -help and -version describe no experiment; the \
                             program nanoBragg does what they ask for";

const MANY_EXPERIMENTS: &str = "-frames and -shots describe many experiments; leave them out and \
                                take each by frame(number) or shot(number)";

/// The flags of a command line.
fn flags_of(py: Python<'_>, words: Vec<OsString>) -> PyResult<Vec<Flag>> {
    match argv::parse(words).map_err(|error| of_usage(py, &error))? {
        Spelled::Flags(given) => Ok(given.into_iter().map(Flag::from).collect()),
        Spelled::Show(_) => Err(Exception::Usage.says(py, NO_EXPERIMENT)),
    }
}

impl From<Given> for Flag {
    fn from(given: Given) -> Self {
        Self {
            spec: given.spec,
            values: given.words,
        }
    }
}

/// A flag and its values as words. A single value that begins with a dash is attached with `=`, so that
/// it is not taken for a flag.
fn joined(name: &str, values: Vec<OsString>) -> Vec<OsString> {
    match values.as_slice() {
        [value] if value.as_encoded_bytes().starts_with(b"-") => {
            let mut word = OsString::from(format!("--{name}="));
            word.push(value);
            vec![word]
        }
        _ => std::iter::once(format!("-{name}").into())
            .chain(values)
            .collect(),
    }
}

/// The words of a keyword argument; `None` if the flag is not set.
fn words_of(spec: &FlagSpec, value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<OsString>>> {
    let is_switch = matches!(spec.takes, Takes::Switch(_) | Takes::OptionalWord(..));
    if value.is_none() {
        return Ok(None);
    }
    if is_switch && let Ok(is_on) = value.extract::<bool>() {
        return Ok(is_on.then(|| joined(spec.name, Vec::new())));
    }
    let mut values = Vec::new();
    if let Ok(named) = value.cast::<PyDict>() {
        for (name, value) in named {
            let mut pair = word(&name)?;
            pair.push("=");
            pair.push(word(&value)?);
            values.push(pair);
        }
    } else {
        collect(value, &mut values)?;
    }
    if spec.name == "vary" {
        // One word may hold several quantities.
        values = vec![values.join(OsStr::new(" "))];
    }
    if matches!(spec.takes, Takes::List(..)) && values.len() > 1 {
        values = vec![values.join(OsStr::new(","))];
    }
    if matches!(spec.takes, Takes::Switch(_)) {
        // The parser refuses this word in the same way as `-xds=5`.
        let value = values.join(OsStr::new(" "));
        let mut word = OsString::from(format!("--{}=", spec.name));
        word.push(value);
        return Ok(Some(vec![word]));
    }
    // A sequence of values of a flag that adds is the flag again and again.
    let count = *spec.count().end();
    if spec.adds && values.len() > count {
        let each = values.chunks(count).map(<[_]>::to_vec);
        return Ok(Some(
            each.flat_map(|values| joined(spec.name, values)).collect(),
        ));
    }
    Ok(Some(joined(spec.name, values)))
}

/// The words of a value: one word, or the words of each item of a sequence or an array.
fn collect(value: &Bound<'_, PyAny>, words: &mut Vec<OsString>) -> PyResult<()> {
    let is_sequence = path(value).is_none() && value.len().is_ok();
    if is_sequence {
        for item in value.try_iter()? {
            collect(&item?, words)?;
        }
    } else {
        words.push(word(value)?);
    }
    Ok(())
}

/// A number, a string or a path as a word.
///
/// The text of a number reads back to the same bits.
fn word(value: &Bound<'_, PyAny>) -> PyResult<OsString> {
    if let Some(path) = path(value) {
        return Ok(path.into_os_string());
    }
    if value.extract::<bool>().is_err() {
        if let Ok(whole) = value.extract::<i64>() {
            return Ok(whole.to_string().into());
        }
        if let Ok(number) = value.extract::<f64>() {
            return Ok(format!("{number:?}").into());
        }
    }
    value.str()?.extract()
}

/// The path or string in a value.
fn path(value: &Bound<'_, PyAny>) -> Option<PathBuf> {
    value.extract().ok()
}

/// Every flag of an experiment, and its meaning.
///
/// Returns
/// -------
/// dict of str to str
///     For each name without dashes: the values that the flag takes, its effect, its default.
#[pyfunction]
pub(crate) fn flags(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let flags = PyDict::new(py);
    for spec in nanobragg_cli::args::flags() {
        let values = spec.synopsis();
        let gap = if values.is_empty() { "" } else { ": " };
        let default = spec
            .default
            .map_or(String::new(), |d| format!(" [default {d}]"));
        flags.set_item(spec.name, format!("{values}{gap}{}{default}", spec.help))?;
    }
    Ok(flags)
}
