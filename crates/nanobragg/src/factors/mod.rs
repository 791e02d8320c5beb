//! Where structure factors come from.

mod by_energy;
mod coordinates;
mod dump;
mod entry;
pub(crate) mod fall_off;
mod list;

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::read::fdump;
use nanobragg_crystal::{CellSpec, FactorGrid, GridLimit, Hkl, Lattice};
use nanobragg_io::any::AnyImage;
use nanobragg_sources::{SourceList, SpectrumFrom, energy_ev_from_wavelength_m};
use serde::Deserialize;

use crate::error::Error;
use crate::mask::mask_from;
use crate::spec::{ExperimentSpec, MaskSpec};
use crate::warning::Warning;
pub use by_energy::{
    AnomalousSpec, BEYOND_LISTS_EV, FactorTables, FactorsByEnergy, ListAt, ListsSpec,
    SHARED_ELECTRONS,
};
pub use coordinates::{Coordinates, CoordinatesSpec};
pub use dump::{DumpFile, DumpOrigin};
pub(crate) use list::warning_of_text;
pub use list::{FactorFile, FactorFormat, FactorWarning, ListSpec, list_of, read as read_list};

/// Where structure factors come from, and the value of those that it does not have.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "entry::Entry")]
pub enum FactorsSpec {
    /// Every reflection has this F, in electrons.
    Constant(f64),
    /// The list of a file.
    List(ListSpec),
    /// Lists at several energies.
    Lists(ListsSpec),
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
    /// These, at the energy of each source.
    ByEnergy(Arc<FactorsByEnergy>),
}

/// Structure factors that need no file.
#[derive(Debug)]
pub(crate) enum Held {
    /// The same at every energy.
    Grid(Arc<FactorGrid>),
    /// At the energy of each source.
    ByEnergy(Arc<FactorsByEnergy>),
}

impl Held {
    /// Whether all of them are 0.
    pub(crate) fn are_zero(&self) -> bool {
        match self {
            Self::Grid(grid) => grid.is_empty() && grid.default_f() == 0.0,
            Self::ByEnergy(_) => false,
        }
    }

    /// The tables for `sources`.
    ///
    /// # Errors
    /// The errors of [`FactorsByEnergy::tables`].
    pub(crate) fn tables(&self, sources: &SourceList) -> Result<FactorTables, Error> {
        match self {
            Self::Grid(grid) => Ok(Arc::clone(grid).into()),
            Self::ByEnergy(factors) => {
                let wavelengths_m = sources.iter().map(|source| source.wavelength_m);
                let energies_ev: Vec<_> = wavelengths_m.map(energy_ev_from_wavelength_m).collect();
                factors.tables(&energies_ev)
            }
        }
    }
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
            Self::Lists(lists) => lists.default_f,
            Self::Coordinates(atoms) => atoms.default_f,
            Self::Dump { default_f, .. } => *default_f,
            Self::Grid(grid) => grid.default_f(),
            Self::ByEnergy(factors) => factors.default_f(),
        }
    }

    /// Whether they are listed or worked out, and not a constant or an earlier run's.
    pub fn are_new(&self) -> bool {
        match self {
            Self::List(_)
            | Self::Lists(_)
            | Self::Coordinates(_)
            | Self::Grid(_)
            | Self::ByEnergy(_) => true,
            Self::Constant(_) | Self::Dump { .. } => false,
        }
    }

    /// Whether they depend on the energy of the photons, so that no dump can hold them.
    pub fn follow_energy(&self) -> bool {
        match self {
            Self::Lists(_) | Self::ByEnergy(_) => true,
            Self::Coordinates(atoms) => atoms.at_energies.is_used(),
            Self::Constant(_) | Self::List(_) | Self::Dump { .. } | Self::Grid(_) => false,
        }
    }

    /// The file that they come from, with the name of its field; the first of several.
    pub fn path(&self) -> Option<(&'static str, &PathBuf)> {
        self.paths().into_iter().next()
    }

    /// All files that they come from, each with the name of its field.
    pub fn paths(&self) -> Vec<(&'static str, &PathBuf)> {
        match self {
            Self::List(list) => vec![("hkl", &list.path)],
            Self::Lists(lists) => {
                let lists = lists.lists.iter();
                lists.map(|list| ("hkl_at", &list.path)).collect()
            }
            Self::Coordinates(atoms) => {
                let curves = atoms.at_energies.curves.values();
                let curves = curves.map(|path| ("anomalous", path));
                std::iter::once(("coordinates", &atoms.path))
                    .chain(curves)
                    .collect()
            }
            Self::Dump { path, .. } => vec![("dump", path)],
            Self::Constant(_) | Self::Grid(_) | Self::ByEnergy(_) => Vec::new(),
        }
    }

    /// The same paths, to be changed.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::List(list) => vec![&mut list.path],
            Self::Lists(lists) => lists.lists.iter_mut().map(|list| &mut list.path).collect(),
            Self::Coordinates(atoms) => {
                let curves = atoms.at_energies.curves.values_mut();
                std::iter::once(&mut atoms.path).chain(curves).collect()
            }
            Self::Dump { path, .. } => vec![path],
            Self::Constant(_) | Self::Grid(_) | Self::ByEnergy(_) => Vec::new(),
        }
    }

    /// The same without F(000). Files are not changed.
    fn without_f000(self) -> Self {
        match self {
            Self::Grid(mut grid) => {
                Arc::make_mut(&mut grid).replace(Hkl([0; 3]), 0.0);
                Self::Grid(grid)
            }
            Self::ByEnergy(factors) => {
                Self::ByEnergy(Arc::new(Arc::unwrap_or_clone(factors).without_f000()))
            }
            Self::Constant(_)
            | Self::List(_)
            | Self::Lists(_)
            | Self::Coordinates(_)
            | Self::Dump { .. } => self,
        }
    }

    /// The structure factors that need no file.
    pub(crate) fn in_memory(&self) -> Option<Held> {
        match self {
            Self::Constant(f) => Some(Held::Grid(Arc::new(FactorGrid::empty(*f)))),
            Self::Grid(grid) => Some(Held::Grid(grid.clone())),
            Self::ByEnergy(factors) => Some(Held::ByEnergy(factors.clone())),
            Self::List(_) | Self::Lists(_) | Self::Coordinates(_) | Self::Dump { .. } => None,
        }
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
    asked: Option<Asked>,
}

/// What structure factors from files depend on, except the resolution of those from atoms.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    factors: serde_json::Value,
    cell: Option<CellSpec>,
    has_matrix: bool,
    without_f000: bool,
    /// Where it was given, for atoms.
    dmin_m: Option<f64>,
}

impl Asked {
    /// `None` for structure factors in memory.
    fn of(spec: &ExperimentSpec) -> Option<Self> {
        let of_atoms = matches!(spec.factors, FactorsSpec::Coordinates(_));
        Some(Self {
            factors: serde_json::to_value(&spec.factors).ok()?,
            cell: spec.crystal.cell,
            has_matrix: spec.crystal.matrix.is_some(),
            without_f000: spec.without_f000,
            dmin_m: of_atoms.then_some(spec.dmin.m()),
        })
    }
}

impl Loaded {
    /// The structure factors of this one with `spec`, if reading them again would give the same. Atoms give those of a
    /// finer resolution as well.
    fn again(&self, spec: &ExperimentSpec) -> Result<Option<Self>, Error> {
        let asked = Asked::of(spec);
        if asked.is_none() || asked != self.asked {
            return Ok(None);
        }
        let mut spec = spec.clone();
        if spec.crystal.cell.is_none() && spec.crystal.matrix.is_none() {
            spec.crystal.cell = self.spec.crystal.cell;
        }
        if let Some(atoms) = &self.coordinates
            && coordinates::wanted_dmin_a(&spec)? < atoms.dmin_a
        {
            return Ok(None);
        }
        spec.factors = self.spec.factors.clone();
        Ok(Some(Self {
            spec,
            ..self.clone()
        }))
    }

    /// Gives the diffuse scattering the symmetry of the structure factors.
    fn following(mut self) -> Self {
        let of_list = self.factor_file.as_ref().map(|file| &file.space_group);
        let of_atoms = (self.coordinates.as_ref()).map(|atoms| &atoms.model.space_group);
        if let (Some(diffuse), Some(group)) = (&mut self.spec.diffuse, of_list.or(of_atoms)) {
            diffuse.follow(group);
        }
        self
    }

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
    /// Whether structure factors, mask, spectrum and mosaic domains are in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        let spectrum = self.beam.spectrum.as_ref();
        self.factors.in_memory().is_some()
            && self.crystal.mosaic.is_in_memory()
            && !matches!(self.mask, Some(MaskSpec::File(_)))
            && !spectrum.is_some_and(|spectrum| matches!(spectrum.from, SpectrumFrom::File { .. }))
    }

    /// Reads the files of structure factors, mask, spectrum and mosaic domains, so that the experiment can be
    /// resolved many times. The cell that comes with structure factors is taken if none is given. The grid may take as much
    /// memory as `limit` allows.
    ///
    /// # Errors
    /// The first file that cannot be read or understood, or does not fit into memory.
    pub fn load(&self, limit: GridLimit) -> Result<Loaded, Error> {
        self.load_after(limit, None)
    }

    /// The same; structure factors that `earlier` has read are taken from it. Files that have changed since then are not
    /// noticed.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_after(&self, limit: GridLimit, earlier: Option<&Loaded>) -> Result<Loaded, Error> {
        let again = earlier.map(|earlier| earlier.again(self)).transpose()?;
        let again = again.flatten();
        let mut spec = match &again {
            Some(again) => again.spec.clone(),
            None => self.clone(),
        };
        if let Some(MaskSpec::File(path)) = &self.mask {
            let file = AnyImage::read(path)?;
            spec.mask = mask_from(file, &self.detector)?.map(MaskSpec::Pixels);
        }
        if let Some(spectrum) = &mut spec.beam.spectrum {
            spectrum.load()?;
        }
        spec.crystal.mosaic.load()?;
        if let Some(again) = again {
            return Ok(Loaded { spec, ..again }.following());
        }
        let has_cell = self.crystal.cell.is_some() || self.crystal.matrix.is_some();
        let (mut factor_file, mut coordinates, mut dump) = (None, None, None);
        let mut repeated_in_text = 0;
        let found = match &self.factors {
            FactorsSpec::Constant(_) => None,
            FactorsSpec::Grid(_) | FactorsSpec::ByEnergy(_) => {
                self.without_f000.then(|| self.factors.clone())
            }
            FactorsSpec::List(list) => {
                let (reflections, file) = read_list(list, self.crystal.cell.as_ref())?;
                factor_file = file;
                let (grid, repeats) =
                    FactorGrid::counting_repeats(&reflections, list.default_f, limit)?;
                repeated_in_text = repeats;
                Some(grid.into())
            }
            FactorsSpec::Lists(lists) => {
                let (factors, file) =
                    FactorsByEnergy::read(lists, self.crystal.cell.as_ref(), limit)?;
                factor_file = file;
                Some(FactorsSpec::ByEnergy(Arc::new(factors)))
            }
            FactorsSpec::Coordinates(atoms) => {
                let reading = coordinates::read(atoms, self.crystal.cell.as_ref())?;
                if !has_cell {
                    spec.crystal.cell = Some(*reading.model.frame.cell());
                }
                let (found, atoms) = coordinates::factors(reading, atoms, &spec, limit)?;
                coordinates = Some(atoms);
                Some(found)
            }
            FactorsSpec::Dump {
                path,
                default_f,
                is_named,
            } => {
                dump = Some(DumpFile::of(path, *is_named));
                Some(fdump::read(path, *default_f, limit)?.into())
            }
        };
        if let (Some(file), false) = (&factor_file, has_cell) {
            spec.crystal.cell = file.cell;
        }
        if let Some(found) = found {
            spec.factors = match self.without_f000 {
                true => found.without_f000(),
                false => found,
            };
        }
        let loaded = Loaded {
            spec,
            factor_file,
            repeated_in_text,
            coordinates,
            dump,
            asked: Asked::of(self),
        };
        Ok(loaded.following())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg_geometry::Length;

    fn example(name: &str) -> PathBuf {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/lysozyme/"
        ))
        .join(name)
    }

    /// Whether the structure factors of `first` are taken for the same experiment after `change`.
    fn are_taken(first: &ExperimentSpec, change: impl FnOnce(&mut ExperimentSpec)) -> bool {
        let earlier = first.load(GridLimit::default()).unwrap();
        let mut next = first.clone();
        change(&mut next);
        let again = next
            .load_after(GridLimit::default(), Some(&earlier))
            .unwrap();
        let fresh = next.load(GridLimit::default()).unwrap();
        let [again, fresh, earlier] = [again, fresh, earlier].map(|loaded| {
            let FactorsSpec::Grid(grid) = loaded.spec.factors else {
                panic!("no grid")
            };
            (grid, loaded.spec.crystal.cell)
        });
        assert_eq!(again.1, fresh.1);
        let is_same = Arc::ptr_eq(&again.0, &earlier.0);
        // Those of atoms may reach further than they must.
        assert!(is_same || again.0.values() == fresh.0.values());
        is_same
    }

    #[test]
    fn a_list_is_read_again_only_if_something_about_it_changed() {
        let spec = ExperimentSpec {
            factors: FactorsSpec::List(ListSpec {
                path: example("lysozyme.mtz"),
                ..ListSpec::default()
            }),
            ..ExperimentSpec::default()
        };
        assert!(are_taken(&spec, |spec| spec.detector.distance = Length::from_mm(70.0)));
        assert!(!are_taken(&spec, |spec| spec.without_f000 = true));
        let cell = CellSpec::from_values(&[60.0, 68.0, 31.0]).unwrap();
        assert!(!are_taken(&spec, |spec| spec.crystal.cell = Some(cell)));
        assert!(!are_taken(&spec, |spec| {
            let FactorsSpec::List(list) = &mut spec.factors else {
                panic!("no list")
            };
            list.space_group = Some("P 1".to_owned());
        }));
    }

    #[test]
    fn atoms_are_summed_again_for_a_finer_resolution() {
        let mut spec = ExperimentSpec {
            factors: FactorsSpec::Coordinates(CoordinatesSpec {
                path: example("1aki.pdb"),
                space_group: None,
                solvent: None,
                anomalous: nanobragg_structure::Dispersion::default(),
                at_energies: AnomalousSpec::default(),
                is_strict: false,
                default_f: 0.0,
            }),
            ..ExperimentSpec::default()
        };
        spec.detector.distance = Length::from_mm(400.0);
        assert!(are_taken(&spec, |spec| spec.detector.distance =
            Length::from_mm(500.0)));
        assert!(!are_taken(&spec, |spec| spec.detector.distance =
            Length::from_mm(300.0)));
        assert!(!are_taken(&spec, |spec| spec.dmin = Length::from_angstrom(8.0)));

        let earlier = spec.load(GridLimit::default()).unwrap();
        let finer = |distance_mm: f64| {
            let mut seen = earlier.spec.clone();
            seen.detector.distance = Length::from_mm(distance_mm);
            spec.load_finer(&seen, &earlier, GridLimit::default())
                .unwrap()
        };
        assert!(finer(500.0).is_none());
        let finer = finer(300.0).unwrap();
        assert_eq!(finer.spec.dmin, spec.dmin);
        spec.detector.distance = Length::from_mm(300.0);
        let fresh = spec.load(GridLimit::default()).unwrap();
        let [finer, fresh] = [finer, fresh].map(|loaded| match loaded.spec.factors {
            FactorsSpec::Grid(grid) => grid.values().to_vec(),
            other => panic!("{other:?} is no grid"),
        });
        assert_eq!(finer, fresh);
    }
}
