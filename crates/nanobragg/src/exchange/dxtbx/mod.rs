//! ExperimentLists of dxtbx: the JSON of `.expt` files.
//!
//! ```text
//! {"__id__": "ExperimentList",
//!  "experiment": [{"beam": 0, "detector": 0, "goniometer": 0, "scan": 0, "crystal": 0}],
//!  "beam": [...], "detector": [...], "goniometer": [...], "scan": [...], "crystal": [...]}
//! ```
//!
//! An experiment names its models by their places in the lists. A file is the union of many
//! experiments; a run has one ([`Choice`]).

mod beam;
mod crystal;
mod detector;
mod goniometer;
mod key;
mod scan;
pub(crate) mod smv;

use std::path::Path;

use nanobragg_response::ResponseSpec;
use serde_json::{Value, json};

use self::key::Key;
use super::described::{Described, Ignored};
use super::file;
use super::geometry::Geometry;
use crate::error::Error;

/// Which experiment and which panel of its detector to take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// The experiment, counted from 0; `None` takes the first.
    pub experiment: Option<usize>,
    /// The panel, counted from 0; `None` takes all of them.
    pub panel: Option<usize>,
}

/// Reads the experiment that `choice` names from the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], [`Error::FileTooLarge`], or what [`parse`] finds.
pub fn read(path: impl AsRef<Path>, choice: Choice) -> Result<Described, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_expt", path = %path.display()).entered();
    parse(&file::bytes_of(path)?, &path.display().to_string(), choice)
}

/// The experiment that `choice` names in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::NotJson`], or [`Error::FileValue`] and [`Error::FileLacks`] naming the key at fault.
pub fn parse(bytes: &[u8], name: &str, choice: Choice) -> Result<Described, Error> {
    let root: Value = serde_json::from_slice(bytes).map_err(|source| Error::NotJson {
        name: name.to_owned(),
        source,
    })?;
    let root = Key::root(name, &root);
    let id = root.need("__id__")?;
    if id.text() != Some("ExperimentList") {
        return Err(id.wrong("\"ExperimentList\""));
    }
    let experiments = root.need("experiment")?;
    let experiment = experiments.item(choice.experiment.unwrap_or(0))?;
    let model = |name: &str| -> Result<Option<Key<'_>>, Error> {
        let Some(index) = experiment.get(name) else {
            return Ok(None);
        };
        root.need(name)?.item(index.count()? as usize).map(Some)
    };
    let mut described = Described::default();
    let others = left_out(name, &experiments, &experiment, choice)?;
    described.ignored.extend(others);
    if let Some(detector) = model("detector")? {
        detector::read(&detector, choice.panel, &mut described)?;
    }
    if let Some(beam) = model("beam")? {
        beam::read(&beam, &mut described)?;
    }
    let goniometer = (model("goniometer")?)
        .map(|goniometer| goniometer::read(&goniometer, &mut described))
        .transpose()?
        .unwrap_or_default();
    if let Some(scan) = model("scan")? {
        scan::read(&scan, &mut described)?;
    }
    if let Some(crystal) = model("crystal")? {
        crystal::read(&crystal, &goniometer, &mut described)?;
    }
    Ok(described)
}

/// The experiments that are not taken: other lattices on the same image, or any others if none was asked for.
fn left_out(
    name: &str,
    experiments: &Key<'_>,
    taken: &Key<'_>,
    choice: Choice,
) -> Result<Option<Ignored>, Error> {
    const IMAGE: [&str; 5] = ["imageset", "scan", "detector", "beam", "goniometer"];
    // Without an image set or a scan nothing tells the images of an experiment.
    let is_known = taken.get("imageset").or(taken.get("scan")).is_some();
    let count = experiments.items()?.len();
    let lattices = experiments
        .items()?
        .filter(|other| is_known && IMAGE.iter().all(|model| taken.shares(other, model)))
        .count();
    let reason = if lattices > 1 {
        "others are lattices on the same image, and a run has one crystal; -expt_number chooses it"
    } else if count > 1 && choice.experiment.is_none() {
        "a run has one experiment; -expt_number chooses it"
    } else {
        return Ok(None);
    };
    let taken = choice.experiment.unwrap_or(0);
    Ok(Some(Ignored {
        place: format!("{name}: all but experiment {taken} of {count}"),
        reason,
    }))
}

/// The text of a file with one experiment and one image of this response.
///
/// Numbers are written with as many digits as it takes to read them back unchanged.
pub fn write(geometry: &Geometry, response: &ResponseSpec) -> String {
    let experiment = json!({
        "__id__": "Experiment",
        "identifier": "",
        "beam": 0,
        "detector": 0,
        "goniometer": 0,
        "scan": 0,
        "crystal": 0,
    });
    let list = json!({
        "__id__": "ExperimentList",
        "experiment": [experiment],
        "imageset": [],
        "beam": [beam::write(&geometry.beam)],
        "detector": [detector::write(geometry, response)],
        "goniometer": [goniometer::write(geometry.spindle)],
        "scan": [scan::write(&geometry.oscillation)],
        "crystal": [crystal::write(&geometry.lattice_angstrom)],
        "profile": [],
        "scaling_model": [],
    });
    format!("{list:#}\n")
}
