//! Structure factors as fields of an experiment file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nanobragg_structure::{Dispersion, Element, Solvent};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{AnomalousSpec, CoordinatesSpec, FactorsSpec, ListAt, ListSpec, ListsSpec};

const ONE_ONLY: &str = "only one of hkl, hkl_at, coordinates and dump can be given";

/// Structure factors in a file. One of `hkl`, `hkl_at`, `coordinates` and `dump` may be there.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entry {
    default_f: f64,
    hkl: Option<PathBuf>,
    hkl_at: Option<Vec<ListAt>>,
    columns: Option<Vec<String>>,
    space_group: Option<String>,
    coordinates: Option<PathBuf>,
    solvent: Option<bool>,
    solvent_density_per_a3: Option<f64>,
    solvent_b_a2: Option<f64>,
    anomalous: Option<Dispersion>,
    anomalous_table: Option<bool>,
    anomalous_curves: Option<BTreeMap<Element, PathBuf>>,
    strict_atoms: Option<bool>,
    dump: Option<PathBuf>,
}

impl TryFrom<Entry> for FactorsSpec {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let has_columns = entry.columns.is_some();
        let has_group = entry.space_group.is_some();
        let has_solvent = entry.solvent.is_some()
            || entry.solvent_density_per_a3.is_some()
            || entry.solvent_b_a2.is_some()
            || entry.anomalous.is_some()
            || entry.anomalous_table.is_some()
            || entry.anomalous_curves.is_some()
            || entry.strict_atoms.is_some();
        let refuse = |is_there: bool, field: &str, needed: &str| {
            let text = || Err(format!("{field} means something only beside {needed}"));
            if is_there { text() } else { Ok(()) }
        };
        let default_f = entry.default_f;
        if let Some(lists) = entry.hkl_at {
            let others = [&entry.hkl, &entry.coordinates, &entry.dump];
            if others.into_iter().any(Option::is_some) {
                return Err(ONE_ONLY.to_owned());
            }
            if lists.is_empty() {
                return Err("hkl_at has no list".to_owned());
            }
            refuse(
                has_solvent,
                "a solvent or anomalous scattering",
                "coordinates",
            )?;
            return Ok(Self::Lists(ListsSpec {
                lists,
                columns: entry.columns.unwrap_or_default(),
                space_group: entry.space_group,
                default_f,
            }));
        }
        match (entry.hkl, entry.coordinates, entry.dump) {
            (Some(path), None, None) => {
                refuse(
                    has_solvent,
                    "a solvent or anomalous scattering",
                    "coordinates",
                )?;
                Ok(Self::List(ListSpec {
                    path,
                    columns: entry.columns.unwrap_or_default(),
                    space_group: entry.space_group,
                    default_f,
                }))
            }
            (None, Some(path), None) => {
                refuse(has_columns, "columns", "hkl or hkl_at")?;
                let default = Solvent::default();
                let solvent = Solvent {
                    density_per_a3: entry
                        .solvent_density_per_a3
                        .unwrap_or(default.density_per_a3),
                    b_a2: entry.solvent_b_a2.unwrap_or(default.b_a2),
                    ..default
                };
                Ok(Self::Coordinates(CoordinatesSpec {
                    path,
                    space_group: entry.space_group,
                    solvent: entry.solvent.unwrap_or(true).then_some(solvent),
                    anomalous: entry.anomalous.unwrap_or_default(),
                    at_energies: AnomalousSpec {
                        from_table: entry.anomalous_table.unwrap_or(false),
                        curves: entry.anomalous_curves.unwrap_or_default(),
                    },
                    is_strict: entry.strict_atoms.unwrap_or(false),
                    default_f,
                }))
            }
            (None, None, dump) => {
                refuse(has_columns, "columns", "hkl or hkl_at")?;
                refuse(has_group, "space_group", "hkl, hkl_at or coordinates")?;
                refuse(
                    has_solvent,
                    "a solvent or anomalous scattering",
                    "coordinates",
                )?;
                Ok(match dump {
                    Some(path) => Self::Dump {
                        path,
                        default_f,
                        is_named: true,
                    },
                    None => Self::Constant(default_f),
                })
            }
            _ => Err(ONE_ONLY.to_owned()),
        }
    }
}

impl Serialize for FactorsSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = Entry {
            default_f: self.default_f(),
            ..Entry::default()
        };
        match self {
            Self::Constant(_) => {}
            Self::List(list) => {
                entry.hkl = Some(list.path.clone());
                entry.columns = (!list.columns.is_empty()).then(|| list.columns.clone());
                entry.space_group = list.space_group.clone();
            }
            Self::Lists(lists) => {
                entry.hkl_at = Some(lists.lists.clone());
                entry.columns = (!lists.columns.is_empty()).then(|| lists.columns.clone());
                entry.space_group = lists.space_group.clone();
            }
            Self::Coordinates(atoms) => {
                let solvent = atoms.solvent.unwrap_or_default();
                entry.coordinates = Some(atoms.path.clone());
                entry.space_group = atoms.space_group.clone();
                entry.solvent = Some(atoms.solvent.is_some());
                entry.solvent_density_per_a3 = Some(solvent.density_per_a3);
                entry.solvent_b_a2 = Some(solvent.b_a2);
                entry.anomalous = Some(atoms.anomalous.clone());
                let AnomalousSpec { from_table, curves } = &atoms.at_energies;
                entry.anomalous_table = from_table.then_some(true);
                entry.anomalous_curves = (!curves.is_empty()).then(|| curves.clone());
                entry.strict_atoms = Some(atoms.is_strict);
            }
            Self::Dump { path, .. } => entry.dump = Some(path.clone()),
            Self::Grid(_) | Self::ByEnergy(_) => {
                return Err(S::Error::custom("structure factors in memory have no file"));
            }
        }
        entry.serialize(serializer)
    }
}
