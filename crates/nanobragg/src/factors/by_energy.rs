//! Structure factors that depend on the energy of the photons: a table for the sources of each energy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::{CellSpec, FactorGrid, GridLimit, Hkl};
use nanobragg_structure::{Dispersion, DispersionCurve, Element, FactorParts, Model};
use serde::{Deserialize, Serialize};

use super::list::{self, FactorFile, ListSpec};
use crate::error::Error;

/// The largest difference of f' or f'' of one element, in electrons, of energies that share a table: as much as the
/// table of f' and f'' is off. F then differs by at most `sqrt(2) x 0.001` electrons for each atom of the cell that has a
/// correction at each energy.
pub const SHARED_ELECTRONS: f64 = 0.001;

/// An energy this close to the first or the last list has its structure factors, in eV: less than the width of an edge,
/// more than the rounding of wavelengths.
pub const BEYOND_LISTS_EV: f64 = 1.0;

/// Where f' and f'' at each energy come from. A correction that is given as numbers wins over both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnomalousSpec {
    /// Whether elements without a curve have the values of the table ([`nanobragg_structure::dispersion_at`]).
    pub from_table: bool,
    /// Files with energy (eV), f' and f'' of an element.
    pub curves: BTreeMap<Element, PathBuf>,
}

impl AnomalousSpec {
    /// Whether any structure factor depends on the energy.
    pub fn is_used(&self) -> bool {
        self.from_table || !self.curves.is_empty()
    }

    /// The curves of the elements of a model, except those with a correction of their own.
    ///
    /// # Errors
    /// A file that cannot be read, or an element beyond the table.
    pub(super) fn read(
        &self,
        model: &Model,
        given: &Dispersion,
    ) -> Result<Vec<(Element, DispersionCurve)>, Error> {
        let mut curves = BTreeMap::new();
        for (element, path) in &self.curves {
            curves.insert(*element, DispersionCurve::read(*element, path)?);
        }
        if self.from_table {
            for atom in &model.atoms {
                let element = atom.element;
                if !curves.contains_key(&element) && !given.contains_key(&element) {
                    curves.insert(element, DispersionCurve::of(element)?);
                }
            }
        }
        curves.retain(|element, _| !given.contains_key(element));
        Ok(curves.into_iter().collect())
    }
}

/// A list of structure factors at an energy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAt {
    /// The energy of the photons in eV.
    pub energy_ev: f64,
    /// The file: text, MTZ or mmCIF.
    pub path: PathBuf,
}

/// Lists of structure factors at several energies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListsSpec {
    /// The lists, in any order.
    pub lists: Vec<ListAt>,
    /// As in [`ListSpec`], for all lists.
    pub columns: Vec<String>,
    /// As in [`ListSpec`], for all lists.
    pub space_group: Option<String>,
    /// F of every reflection not listed, in electrons.
    pub default_f: f64,
}

/// Structure factors in memory that give a table at any energy.
#[derive(Debug, Clone)]
pub struct FactorsByEnergy {
    kind: Kind,
    default_f: f64,
    without_f000: bool,
    limit: GridLimit,
}

#[derive(Debug, Clone)]
enum Kind {
    /// The sums over atoms, and f' and f'' of some elements.
    Atoms(Box<FactorParts>, Vec<(Element, DispersionCurve)>),
    /// Lists with the same box. Their energies in eV rise.
    Lists(Vec<(f64, FactorGrid)>),
}

/// Structure factors for each source. All tables have the same box.
#[derive(Debug, Clone)]
pub struct FactorTables {
    /// The tables; at least one.
    pub grids: Vec<Arc<FactorGrid>>,
    /// The table of each source, as an index; empty if there is one table for all.
    pub of_source: Vec<u32>,
}

impl From<Arc<FactorGrid>> for FactorTables {
    fn from(grid: Arc<FactorGrid>) -> Self {
        Self {
            grids: vec![grid],
            of_source: Vec::new(),
        }
    }
}

impl FactorTables {
    /// The first table, which is the only one if structure factors do not depend on the energy.
    #[allow(
        clippy::indexing_slicing,
        reason = "there is a source, so there is a grid"
    )]
    pub fn first(&self) -> &Arc<FactorGrid> {
        &self.grids[0]
    }

    /// The table of each source; empty if there is one for all.
    pub(crate) fn by_source(&self) -> Vec<Arc<FactorGrid>> {
        let grids = self.of_source.iter();
        let grids = grids.filter_map(|index| self.grids.get(*index as usize));
        grids.cloned().collect()
    }
}

impl FactorsByEnergy {
    pub(super) fn of_atoms(
        parts: FactorParts,
        curves: Vec<(Element, DispersionCurve)>,
        default_f: f64,
        limit: GridLimit,
    ) -> Self {
        Self {
            kind: Kind::Atoms(Box::new(parts), curves),
            default_f,
            without_f000: false,
            limit,
        }
    }

    /// Reads the lists. Returns them with what is known of the first of them.
    ///
    /// # Errors
    /// A list that cannot be read, or two at the same energy.
    pub(super) fn read(
        spec: &ListsSpec,
        cell: Option<&CellSpec>,
        limit: GridLimit,
    ) -> Result<(Self, Option<FactorFile>), Error> {
        let mut named: Vec<&ListAt> = spec.lists.iter().collect();
        named.sort_by(|a, b| a.energy_ev.total_cmp(&b.energy_ev));
        for (index, list) in named.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| named.get(before));
            let is_again = before.is_some_and(|before| before.energy_ev == list.energy_ev);
            // A NaN is not in the range.
            if is_again || !(1.0..=1e6).contains(&list.energy_ev) {
                return Err(Error::ListEnergy {
                    path: list.path.clone(),
                    energy_ev: list.energy_ev,
                    is_again,
                });
            }
        }
        let mut file: Option<FactorFile> = None;
        let mut lists = Vec::with_capacity(named.len());
        for ListAt { energy_ev, path } in named {
            let one = ListSpec {
                path: path.clone(),
                columns: spec.columns.clone(),
                space_group: spec.space_group.clone(),
                default_f: spec.default_f,
            };
            let (reflections, found) = list::read(&one, cell)?;
            match (&mut file, found) {
                (Some(first), Some(other)) => first.warnings.extend(other.warnings),
                (first @ None, found) => *first = found,
                (Some(_), None) => {}
            }
            let grid = FactorGrid::from_reflections(&reflections, spec.default_f, limit)?;
            lists.push((*energy_ev, grid));
        }
        let boxes = lists.iter().filter_map(|(_, grid)| grid.bounds());
        if let Some(whole) = boxes.reduce(|whole, bounds| whole.union(&bounds)) {
            let each = shared(limit, lists.len());
            for (_, grid) in &mut lists {
                *grid = grid.enlarged(&whole, each)?;
            }
        }
        let found = Self {
            kind: Kind::Lists(lists),
            default_f: spec.default_f,
            without_f000: false,
            limit,
        };
        Ok((found, file))
    }

    /// The same without F(000).
    pub(super) fn without_f000(self) -> Self {
        Self {
            without_f000: true,
            ..self
        }
    }

    /// F of every reflection that is not listed, in electrons.
    pub fn default_f(&self) -> f64 {
        self.default_f
    }

    /// The tables for sources of these energies in eV.
    ///
    /// Energies share a table if f' and f'' of every element differ by at most [`SHARED_ELECTRONS`] from those of the
    /// lowest energy of the table. Lists are shared by sources of the same energy only.
    ///
    /// # Errors
    /// An energy outside f' and f'' of an element or outside the lists, or tables that need more memory than the limit.
    pub fn tables(&self, energies_ev: &[f64]) -> Result<FactorTables, Error> {
        match &self.kind {
            Kind::Atoms(parts, curves) => {
                let key = |energy_ev: f64| -> Result<Dispersion, Error> {
                    let at = |(element, curve): &(Element, DispersionCurve)| {
                        Ok((*element, curve.at(energy_ev)?))
                    };
                    curves.iter().map(at).collect()
                };
                let serves = |own: &Dispersion, others: &Dispersion| {
                    let mut pairs = own.values().zip(others.values());
                    pairs.all(|(own, other)| own.distance(other) <= SHARED_ELECTRONS)
                };
                let (keys, of_source) = grouped(energies_ev, key, serves)?;
                self.built(of_source, keys, |key, limit| {
                    let reflections = parts.at(&key).reflections();
                    Ok(FactorGrid::from_reflections(
                        &reflections,
                        self.default_f,
                        limit,
                    )?)
                })
            }
            Kind::Lists(lists) => {
                let key = |energy_ev| within_lists(lists, energy_ev);
                let (keys, of_source) = grouped(energies_ev, key, |own, other| own == other)?;
                self.built(of_source, keys, |energy_ev, _| {
                    Ok(interpolated(lists, energy_ev))
                })
            }
        }
    }

    fn built<K>(
        &self,
        of_source: Vec<u32>,
        keys: Vec<K>,
        table: impl Fn(K, GridLimit) -> Result<FactorGrid, Error>,
    ) -> Result<FactorTables, Error> {
        let each = shared(self.limit, keys.len());
        let finished = |key: K| {
            let mut grid = table(key, each)?;
            if self.without_f000 {
                grid.replace(Hkl([0; 3]), 0.0);
            }
            Ok(Arc::new(grid))
        };
        let grids: Vec<_> = keys
            .into_iter()
            .map(finished)
            .collect::<Result<_, Error>>()?;
        let is_one = grids.len() == 1;
        Ok(FactorTables {
            grids,
            of_source: if is_one { Vec::new() } else { of_source },
        })
    }
}

/// The keys of the tables, by rising energy, and the table of each source. A source has the table of the energy below
/// if the key of that table `serves` its own.
fn grouped<K>(
    energies_ev: &[f64],
    key: impl Fn(f64) -> Result<K, Error>,
    serves: impl Fn(&K, &K) -> bool,
) -> Result<(Vec<K>, Vec<u32>), Error> {
    let mut order: Vec<(f64, usize)> = energies_ev.iter().copied().zip(0..).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut of_source = vec![0; energies_ev.len()];
    let mut keys: Vec<K> = Vec::new();
    let mut before = None;
    for (energy_ev, source) in order {
        if before != Some(energy_ev) {
            let key = key(energy_ev)?;
            if keys.last().is_none_or(|last| !serves(last, &key)) {
                keys.push(key);
            }
            before = Some(energy_ev);
        }
        if let Some(table) = of_source.get_mut(source) {
            *table = u32::try_from(keys.len() - 1).unwrap_or(u32::MAX);
        }
    }
    Ok((keys, of_source))
}

/// The energy inside the range of the lists that stands for `energy_ev`.
fn within_lists(lists: &[(f64, FactorGrid)], energy_ev: f64) -> Result<f64, Error> {
    let ends = lists.first().zip(lists.last());
    let (from_ev, to_ev) = ends.map_or((0.0, 0.0), |(first, last)| (first.0, last.0));
    let nearest_ev = energy_ev.clamp(from_ev, to_ev);
    if (energy_ev - nearest_ev).abs() <= BEYOND_LISTS_EV {
        return Ok(nearest_ev);
    }
    Err(Error::EnergyOutsideLists {
        energy_ev,
        from_ev,
        to_ev,
    })
}

/// The structure factors at an energy within the range of the lists.
fn interpolated(lists: &[(f64, FactorGrid)], energy_ev: f64) -> FactorGrid {
    let after = lists.partition_point(|(list_ev, _)| *list_ev <= energy_ev);
    match lists.get(after.saturating_sub(1)..=after) {
        Some([(one_ev, one), (two_ev, two)]) => {
            one.between(two, (energy_ev - one_ev) / (two_ev - one_ev))
        }
        // The energy is that of the last list.
        _ => (lists.last()).map_or_else(|| FactorGrid::empty(0.0), |(_, last)| last.clone()),
    }
}

/// The limit of each of `count` grids.
fn shared(limit: GridLimit, count: usize) -> GridLimit {
    GridLimit {
        max_bytes: limit.max_bytes / (count.max(1) as u64),
    }
}
