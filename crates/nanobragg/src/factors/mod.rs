//! Where structure factors come from.

mod coordinates;
mod dump;
mod list;

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::read::fdump;
use nanobragg_crystal::{FactorGrid, GridLimit, Hkl, Lattice};
use nanobragg_io::any::AnyImage;
use nanobragg_structure::{Dispersion, Solvent};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::Error;
use crate::mask::mask_from;
use crate::spec::{ExperimentSpec, MaskSpec};
use crate::warning::Warning;
pub use coordinates::{Coordinates, CoordinatesSpec};
pub use dump::{DumpFile, DumpOrigin};
pub use list::{FactorFile, FactorFormat, FactorWarning, ListSpec, list_of, read as read_list};

/// Where structure factors come from, and the value of those that it does not have.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Entry")]
pub enum FactorsSpec {
    /// Every reflection has this F, in electrons.
    Constant(f64),
    /// The list of a file.
    List(ListSpec),
    /// The atoms of a file.
    Coordinates(CoordinatesSpec),
    /// The dump of an earlier run.
    Dump {
        /// The file.
        path: PathBuf,
        /// F of every reflection outside it, in electrons.
        default_f: f64,
        /// Whether the user named it. A dump that is only found must not be of another cell.
        is_named: bool,
    },
    /// These.
    Grid(Arc<FactorGrid>),
}

impl Default for FactorsSpec {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

impl From<FactorGrid> for FactorsSpec {
    fn from(grid: FactorGrid) -> Self {
        Self::Grid(Arc::new(grid))
    }
}

impl FactorsSpec {
    /// F of every reflection that is not listed, in electrons.
    pub fn default_f(&self) -> f64 {
        match self {
            Self::Constant(f) => *f,
            Self::List(list) => list.default_f,
            Self::Coordinates(atoms) => atoms.default_f,
            Self::Dump { default_f, .. } => *default_f,
            Self::Grid(grid) => grid.default_f(),
        }
    }

    /// Whether they are listed or worked out, and not a constant or an earlier run's.
    pub fn are_new(&self) -> bool {
        match self {
            Self::List(_) | Self::Coordinates(_) | Self::Grid(_) => true,
            Self::Constant(_) | Self::Dump { .. } => false,
        }
    }

    /// The file that they come from, with the name of its field.
    pub fn path(&self) -> Option<(&'static str, &PathBuf)> {
        match self {
            Self::List(list) => Some(("hkl", &list.path)),
            Self::Coordinates(atoms) => Some(("coordinates", &atoms.path)),
            Self::Dump { path, .. } => Some(("dump", path)),
            Self::Constant(_) | Self::Grid(_) => None,
        }
    }

    pub(crate) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::List(list) => Some(&mut list.path),
            Self::Coordinates(atoms) => Some(&mut atoms.path),
            Self::Dump { path, .. } => Some(path),
            Self::Constant(_) | Self::Grid(_) => None,
        }
    }

    /// The structure factors that need no file.
    pub(crate) fn in_memory(&self) -> Option<Arc<FactorGrid>> {
        match self {
            Self::Constant(f) => Some(Arc::new(FactorGrid::empty(*f))),
            Self::Grid(grid) => Some(grid.clone()),
            Self::List(_) | Self::Coordinates(_) | Self::Dump { .. } => None,
        }
    }
}

/// Structure factors in a file. One of `hkl`, `coordinates` and `dump` may be there.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    default_f: f64,
    hkl: Option<PathBuf>,
    columns: Option<Vec<String>>,
    space_group: Option<String>,
    coordinates: Option<PathBuf>,
    solvent: Option<bool>,
    solvent_density_per_a3: Option<f64>,
    solvent_b_a2: Option<f64>,
    anomalous: Option<Dispersion>,
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
            || entry.strict_atoms.is_some();
        let refuse = |is_there: bool, field: &str, needed: &str| {
            let text = || Err(format!("{field} means something only beside {needed}"));
            if is_there { text() } else { Ok(()) }
        };
        let default_f = entry.default_f;
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
                refuse(has_columns, "columns", "hkl")?;
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
                    is_strict: entry.strict_atoms.unwrap_or(false),
                    default_f,
                }))
            }
            (None, None, dump) => {
                refuse(has_columns, "columns", "hkl")?;
                refuse(has_group, "space_group", "hkl or coordinates")?;
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
            _ => Err("only one of hkl, coordinates and dump can be given".to_owned()),
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
            Self::Coordinates(atoms) => {
                let solvent = atoms.solvent.unwrap_or_default();
                entry.coordinates = Some(atoms.path.clone());
                entry.space_group = atoms.space_group.clone();
                entry.solvent = Some(atoms.solvent.is_some());
                entry.solvent_density_per_a3 = Some(solvent.density_per_a3);
                entry.solvent_b_a2 = Some(solvent.b_a2);
                entry.anomalous = Some(atoms.anomalous.clone());
                entry.strict_atoms = Some(atoms.is_strict);
            }
            Self::Dump { path, .. } => entry.dump = Some(path.clone()),
            Self::Grid(_) => {
                return Err(S::Error::custom("structure factors in memory have no file"));
            }
        }
        entry.serialize(serializer)
    }
}

/// A specification whose files are read, and what is known of them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The same experiment, with structure factors and mask in memory.
    pub spec: ExperimentSpec,
    /// What is known of a list of structure factors, unless it was taken as it is.
    pub factor_file: Option<FactorFile>,
    /// How many amplitudes of a text list gave way to a later one that differs.
    pub repeated_in_text: usize,
    /// The atoms that structure factors were worked out from.
    pub coordinates: Option<Coordinates>,
    /// The dump that structure factors were read from.
    pub dump: Option<DumpFile>,
}

impl Loaded {
    /// What may surprise about the files, with `lattice` in the beam.
    ///
    /// # Errors
    /// [`Error::DumpOfAnotherCell`].
    pub(crate) fn warnings(&self, lattice: &Lattice) -> Result<Vec<Warning>, Error> {
        let mut warnings = Vec::new();
        if let Some(dump) = &self.dump {
            warnings.extend(dump.check(lattice)?.map(Warning::Factors));
        }
        if self.repeated_in_text > 0 {
            let count = self.repeated_in_text;
            warnings.push(Warning::Factors(FactorWarning::Overwritten { count }));
        }
        if let Some(file) = &self.factor_file {
            let other = (file.cell.as_ref()).and_then(|cell| list::cell_warning(lattice, cell));
            warnings.extend(
                file.warnings
                    .iter()
                    .cloned()
                    .chain(other)
                    .map(Warning::Factors),
            );
        }
        if let Some(atoms) = &self.coordinates {
            let found = atoms.warnings.iter().cloned();
            warnings.extend(found.map(Warning::Structure));
            let other = list::cell_warning(lattice, atoms.model.frame.cell());
            warnings.extend(other.map(Warning::Factors));
        }
        Ok(warnings)
    }
}

impl ExperimentSpec {
    /// Whether structure factors and mask are in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.factors.in_memory().is_some() && !matches!(self.mask, Some(MaskSpec::File(_)))
    }

    /// Reads the files of structure factors and mask, so that the experiment can be resolved many times.
    /// The cell that comes with structure factors is taken if none is given. The grid may take as much
    /// memory as `limit` allows.
    ///
    /// # Errors
    /// The first file that cannot be read or understood, or does not fit into memory.
    pub fn load(&self, limit: GridLimit) -> Result<Loaded, Error> {
        let mut spec = self.clone();
        if let Some(MaskSpec::File(path)) = &self.mask {
            let file = AnyImage::read(path)?;
            spec.mask = mask_from(file, &self.detector)?.map(MaskSpec::Pixels);
        }
        let has_cell = self.crystal.cell.is_some() || self.crystal.matrix.is_some();
        let (mut factor_file, mut coordinates, mut dump) = (None, None, None);
        let mut repeated_in_text = 0;
        let grid = match &self.factors {
            FactorsSpec::Grid(grid) if self.without_f000 => Some((**grid).clone()),
            FactorsSpec::Constant(_) | FactorsSpec::Grid(_) => None,
            FactorsSpec::List(list) => {
                let (reflections, file) = read_list(list, self.crystal.cell.as_ref())?;
                let cell = file.as_ref().and_then(|file| file.cell);
                if !has_cell {
                    spec.crystal.cell = cell;
                }
                factor_file = file;
                let (grid, repeats) =
                    FactorGrid::counting_repeats(&reflections, list.default_f, limit)?;
                repeated_in_text = repeats;
                Some(grid)
            }
            FactorsSpec::Coordinates(atoms) => {
                let reading = coordinates::read(atoms, self.crystal.cell.as_ref())?;
                if !has_cell {
                    spec.crystal.cell = Some(*reading.model.frame.cell());
                }
                let (grid, atoms) = coordinates::factors(reading, atoms, &spec, limit)?;
                coordinates = Some(atoms);
                Some(grid)
            }
            FactorsSpec::Dump {
                path,
                default_f,
                is_named,
            } => {
                dump = Some(DumpFile::of(path, *is_named));
                Some(fdump::read(path, *default_f, limit)?)
            }
        };
        if let Some(mut grid) = grid {
            if self.without_f000 {
                grid.replace(Hkl([0; 3]), 0.0);
            }
            spec.factors = grid.into();
        }
        Ok(Loaded {
            spec,
            factor_file,
            repeated_in_text,
            coordinates,
            dump,
        })
    }
}
