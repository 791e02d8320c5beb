//! ExperimentLists of dxtbx: the JSON of `.expt` files.
//!
//! ```text
//! {"__id__": "ExperimentList",
//!  "experiment": [{"beam": 0, "detector": 0, "goniometer": 0, "scan": 0, "crystal": 0}],
//!  "beam": [...], "detector": [...], "goniometer": [...], "scan": [...], "crystal": [...]}
//! ```
//!
//! An experiment names its models by their places in the lists. A file is the union of many
//! experiments. A run has those of one image ([`Choice`]), each with a lattice of its own.

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

/// Which image, which lattices on it and which panel of its detector to take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// An experiment of the image, counted from 0; `None` takes the first. Its lattice is the first.
    pub experiment: Option<usize>,
    /// The only crystal, by its place in the list of crystals; `None` takes all lattices on the image.
    pub crystal: Option<usize>,
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
    let mut described = Described::default();
    let lattices = lattices(name, &experiments, choice, &mut described)?;
    let experiment = match lattices.first() {
        Some(experiment) => experiment.clone(),
        None => experiments.item(choice.experiment.unwrap_or(0))?,
    };
    let model = |name: &str| -> Result<Option<Key<'_>>, Error> {
        let Some(index) = experiment.get(name) else {
            return Ok(None);
        };
        root.need(name)?.item(index.count()? as usize).map(Some)
    };
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
    let mut group = None;
    for lattice in &lattices {
        let Some(index) = lattice.get("crystal") else {
            continue;
        };
        let crystal = root.need("crystal")?.item(index.count()? as usize)?;
        let edges = crystal::read(&crystal, &goniometer, &mut described)?;
        let own = crystal.get("space_group_hall_symbol");
        if described.lattice_angstrom.is_none() {
            described.lattice_angstrom = Some(edges);
            group = own;
        } else {
            described.others_angstrom.push(edges);
            let differs = own.filter(|own| group.as_ref().and_then(Key::text) != own.text());
            described.ignored.extend(
                differs.map(|own| own.ignored("all lattices have the structure factors of one")),
            );
        }
    }
    Ok(described)
}

/// The experiments of the lattices that are taken, the chosen one first: those on its image, or that with the chosen
/// crystal. What is left out without being asked for is noted in `into`.
fn lattices<'v>(
    name: &str,
    experiments: &Key<'v>,
    choice: Choice,
    into: &mut Described,
) -> Result<Vec<Key<'v>>, Error> {
    const IMAGE: [&str; 5] = ["imageset", "scan", "detector", "beam", "goniometer"];
    let number = choice.experiment.unwrap_or(0);
    let taken = experiments.item(number)?;
    // Without an image set or a scan nothing tells the images of an experiment.
    let is_known = taken.get("imageset").or(taken.get("scan")).is_some();
    let count = experiments.items()?.len();
    let mut found = vec![taken.clone()];
    let mut on_image = 1;
    for (index, other) in experiments.items()?.enumerate() {
        if index == number || !is_known || !IMAGE.iter().all(|model| taken.shares(&other, model)) {
            continue;
        }
        on_image += 1;
        if other.get("crystal").is_some() && !found.iter().any(|one| one.shares(&other, "crystal"))
        {
            found.push(other);
        }
    }
    if let Some(crystal) = choice.crystal {
        let is_crystal = |one: &Key<'_>| {
            let index = one.get("crystal").and_then(|index| index.count().ok());
            index.is_some_and(|index| index as usize == crystal)
        };
        found.retain(is_crystal);
        if found.is_empty() {
            return Err(Error::FileLacks {
                place: format!("{name}: crystal {crystal} on the image of experiment {number}"),
            });
        }
    } else if count > on_image && choice.experiment.is_none() {
        let taken = match on_image {
            1 => format!("experiment {number}"),
            _ => format!("the {on_image} experiments on the image of experiment {number}"),
        };
        into.ignored.push(Ignored {
            place: format!("{name}: all but {taken} of {count}"),
            reason: "a run has one image; -expt_number chooses it",
        });
    }
    Ok(found)
}

/// The text of a file with one image of this response, and an experiment for each lattice.
///
/// Numbers are written with as many digits as it takes to read them back unchanged.
pub fn write(geometry: &Geometry, response: &ResponseSpec) -> String {
    let experiment = |crystal: usize| {
        json!({
            "__id__": "Experiment",
            "identifier": "",
            "beam": 0,
            "detector": 0,
            "goniometer": 0,
            "scan": 0,
            "crystal": crystal,
        })
    };
    let crystals: Vec<Value> = geometry
        .lattices()
        .map(|edges| crystal::write(&edges))
        .collect();
    let experiments: Vec<Value> = (0..crystals.len()).map(experiment).collect();
    let list = json!({
        "__id__": "ExperimentList",
        "experiment": experiments,
        "imageset": [],
        "beam": [beam::write(&geometry.beam)],
        "detector": [detector::write(geometry, response)],
        "goniometer": [goniometer::write(geometry.spindle)],
        "scan": [scan::write(&geometry.oscillation)],
        "crystal": crystals,
        "profile": [],
        "scaling_model": [],
    });
    format!("{list:#}\n")
}
