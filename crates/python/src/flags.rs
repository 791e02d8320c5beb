//! Keyword arguments become words of a command line.

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

use crate::arrays;
use crate::errors::{Exception, of_usage};

/// What was said about an experiment, in the order in which it counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    flags: Vec<Flag>,
    /// The experiment that the flags are laid over, unless a flag names its file.
    pub(crate) base: Option<Arc<ExperimentSpec>>,
    /// What is given as arrays.
    pub(crate) inputs: Inputs,
    /// Values of parameters that win over the flags, in the order in which they are set.
    pub(crate) values: Vec<(Parameter, f64)>,
    /// Which frame of a series it is.
    pub(crate) frame: Option<(SeriesKind, u32)>,
}

/// A flag with its values.
#[derive(Debug, Clone)]
struct Flag {
    spec: &'static FlagSpec,
    values: Vec<OsString>,
}

impl Said {
    /// What a command line says: a string as a shell would split it, or a list of words.
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

    /// Lets keyword arguments have their say, each as if its flag were typed last and never before.
    pub(crate) fn set_all(&mut self, keywords: &Bound<'_, PyDict>) -> PyResult<()> {
        for (name, value) in keywords {
            self.set(name.extract()?, &value)?;
        }
        Ok(())
    }

    /// The same for one: `None` takes the flag back, and so does `False` for one without values.
    pub(crate) fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let none = value.is_none();
        match name {
            "panels" if none => self.inputs.panels.clear(),
            "panels" => self.inputs.panels = arrays::panels(value)?,
            "sources" if none => self.inputs.sources = None,
            "sources" => self.inputs.sources = Some(arrays::sources(value)?),
            "structure_factors" => self.set_flag("hkl", value)?,
            name => self.set_flag(name, value)?,
        }
        Ok(())
    }

    fn set_flag(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        // A name that Python keeps for itself is written with an underscore behind it: lambda_.
        let name = match find(name) {
            None => name.strip_suffix('_').unwrap_or(name),
            Some(_) => name,
        };
        let Some(spec) = find(name) else {
            // The parser knows what to say.
            flags_of(py, vec![format!("--{name}").into()])?;
            return Ok(());
        };
        self.flags.retain(|flag| flag.spec.name != spec.name);
        let is_array = !value.is_none() && path(value).is_none();
        match spec.name {
            "hkl" => self.inputs.reflections = None,
            "mask" => self.inputs.mask = None,
            "sourcefile" => self.inputs.sources = None,
            "experiment" => self.base = None,
            _ => {}
        }
        match spec.name {
            "hkl" if is_array => self.inputs.reflections = Some(arrays::reflections(value)?),
            "mask" if is_array => self.inputs.mask = Some(arrays::mask(value)?),
            _ => {
                if let Some(words) = words_of(spec, value)? {
                    self.flags.extend(flags_of(py, words)?);
                }
            }
        }
        Ok(())
    }

    /// Lets parameters have these values, whatever the flags say.
    pub(crate) fn set_values(&mut self, values: Vec<(Parameter, f64)>) {
        for (parameter, value) in values {
            self.values.retain(|(known, _)| *known != parameter);
            self.values.push((parameter, value));
        }
    }

    /// The words of it.
    pub(crate) fn words(&self) -> Vec<OsString> {
        self.words_with(|_, value| value.to_owned())
    }

    /// The same with the names of files as they are found from `folder`, wherever they are read.
    pub(crate) fn words_from(&self, folder: &Path) -> Vec<OsString> {
        self.words_with(|spec, value| match spec.takes {
            Takes::Path(_) | Takes::TwoPaths(_) => folder.join(value).into_os_string(),
            _ => value.to_owned(),
        })
    }

    fn words_with(&self, shown: impl Fn(&FlagSpec, &OsStr) -> OsString) -> Vec<OsString> {
        let mut words = Vec::new();
        for Flag { spec, values } in &self.flags {
            let values: Vec<OsString> = values.iter().map(|value| shown(spec, value)).collect();
            words.extend(joined(spec.name, values));
        }
        words
    }

    /// What the parser makes of it.
    ///
    /// # Errors
    /// As the command line's; also for what asks for something else than an image.
    pub(crate) fn args(&self, py: Python<'_>) -> PyResult<Args> {
        let understood = Invocation::from_words(self.words());
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

    /// Says the seed of the noise, so that it is the same wherever this is said again.
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

/// A flag and its values as they are typed. A lone value with a dash is attached, so that it cannot
/// be taken for a flag.
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

/// The words of a keyword argument; `None` if the flag is not there.
fn words_of(spec: &FlagSpec, value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<OsString>>> {
    let is_switch = matches!(spec.takes, Takes::Switch(_) | Takes::OptionalWord(..));
    if value.is_none() {
        return Ok(None);
    }
    if is_switch && let Ok(is_on) = value.extract::<bool>() {
        return Ok(is_on.then(|| joined(spec.name, Vec::new())));
    }
    let mut values = Vec::new();
    collect(value, &mut values)?;
    if matches!(spec.takes, Takes::List(..)) && values.len() > 1 {
        values = vec![values.join(OsStr::new(","))];
    }
    if matches!(spec.takes, Takes::Switch(_)) {
        // Refused by the parser as `-xds=5` is.
        let value = values.join(OsStr::new(" "));
        let mut word = OsString::from(format!("--{}=", spec.name));
        word.push(value);
        return Ok(Some(vec![word]));
    }
    Ok(Some(joined(spec.name, values)))
}

/// The words of a value: one, or those of each item of a sequence or an array.
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
/// Numbers are written so that they read back the same to the bit.
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

/// The string or the path that a value is.
fn path(value: &Bound<'_, PyAny>) -> Option<PathBuf> {
    value.extract().ok()
}

/// Every flag that an experiment can be described with, and what it means.
///
/// Returns
/// -------
/// dict of str to str
///     By name, without dashes: the values that the flag takes, what it does, its default.
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
