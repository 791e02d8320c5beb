//! Structure factors that depend on the energy of the photons: a table for the sources of each energy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::{CellSpec, FactorGrid, GridLimit, Hkl};
use nanobragg_structure::{Correction, Dispersion, DispersionCurve, Element, FactorParts, Model};
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

/// An energy this close to that of a list or a row has it, in eV: more than the rounding of wavelengths.
const AT_KINK_EV: f64 = 1e-6;

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
    /// The file: text, MTZ, mmCIF or XDS_ASCII.
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
    /// What is added to f' and f'' of an element at every energy.
    shifts: Dispersion,
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
            shifts: Dispersion::new(),
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
            shifts: Dispersion::new(),
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

    /// What is added to f' and f'' of an element at every energy, in electrons. `None` for lists, and for an element
    /// that the model does not have or whose f' and f'' are the same at every energy.
    pub fn shift(&self, element: Element) -> Option<Correction> {
        let Kind::Atoms(parts, _) = &self.kind else {
            return None;
        };
        let has_curve = parts.elements().any(|other| other == element);
        has_curve.then(|| self.shifts.get(&element).copied().unwrap_or_default())
    }

    /// Sets [`shift`](Self::shift).
    pub fn set_shift(&mut self, element: Element, shift: Correction) {
        self.shifts.insert(element, shift);
    }

    /// Whether structure factors have a kink at an energy in eV: there is a list, or a row of f' and f''.
    pub(crate) fn have_kink_at(&self, energy_ev: f64) -> bool {
        let is_there = |other_ev: f64| (other_ev - energy_ev).abs() < AT_KINK_EV;
        match &self.kind {
            Kind::Atoms(_, curves) => {
                let rows = curves.iter().flat_map(|(_, curve)| curve.energies_ev());
                rows.into_iter().any(is_there)
            }
            Kind::Lists(lists) => lists.len() > 1 && lists.iter().any(|(ev, _)| is_there(*ev)),
        }
    }

    /// The derivatives of the structure factors of a table, in the order of the values of `grid`, whose box has all of
    /// them. The table is that of an energy which rises at `rate_ev`, and f' and f'' have further `rates`.
    ///
    /// # Errors
    /// As [`tables`](Self::tables).
    pub(crate) fn slopes(
        &self,
        (energy_ev, rate_ev): (f64, f64),
        rates: &Dispersion,
        grid: &FactorGrid,
    ) -> Result<Vec<f64>, Error> {
        let mut slopes = vec![0.0; grid.values().len()];
        let mut put = |hkl: Hkl, slope: f64| {
            let offset = grid.offset(hkl.0.map(i64::from));
            if let Some(own) = offset.and_then(|offset| slopes.get_mut(offset)) {
                *own = slope;
            }
        };
        match &self.kind {
            Kind::Atoms(parts, curves) => {
                let mut all_rates = Dispersion::new();
                for (element, curve) in curves {
                    let own = curve.slope_at(energy_ev)?;
                    let further = rates.get(element).copied().unwrap_or_default();
                    let rate = Correction {
                        real: own.real * rate_ev + further.real,
                        imaginary: own.imaginary * rate_ev + further.imaginary,
                    };
                    all_rates.insert(*element, rate);
                }
                let at = self.shifted(corrections(curves, energy_ev)?);
                for reflection in parts.slopes(&at, &all_rates) {
                    put(reflection.hkl, reflection.amplitude);
                }
            }
            Kind::Lists(lists) => {
                let inside_ev = within_lists(lists, energy_ev)?;
                let after = lists.partition_point(|(list_ev, _)| *list_ev <= inside_ev);
                let pair = lists.get(after.saturating_sub(1)..=after);
                if let (Some([(one_ev, one), (two_ev, two)]), true) = (pair, inside_ev == energy_ev)
                {
                    let width_ev = two_ev - one_ev;
                    let by_share = one.slopes_between(two, (energy_ev - one_ev) / width_ev);
                    for (offset, slope) in by_share.into_iter().enumerate() {
                        if let Some(hkl) = one.hkl_at(offset) {
                            put(hkl, slope * rate_ev / width_ev);
                        }
                    }
                }
            }
        }
        if self.without_f000 {
            put(Hkl([0; 3]), 0.0);
        }
        Ok(slopes)
    }

    /// The corrections with [`shift`](Self::shift) of each element.
    fn shifted(&self, mut dispersion: Dispersion) -> Dispersion {
        for (element, shift) in &self.shifts {
            if let Some(own) = dispersion.get_mut(element) {
                own.real += shift.real;
                own.imaginary += shift.imaginary;
            }
        }
        dispersion
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
                let key = |energy_ev: f64| corrections(curves, energy_ev);
                let serves = |own: &Dispersion, others: &Dispersion| {
                    let mut pairs = own.values().zip(others.values());
                    pairs.all(|(own, other)| own.distance(other) <= SHARED_ELECTRONS)
                };
                let (keys, of_source) = grouped(energies_ev, key, serves)?;
                self.built(of_source, keys, |key, limit| {
                    let reflections = parts.at(&self.shifted(key)).reflections();
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

/// f' and f'' of the elements with curves at an energy.
fn corrections(curves: &[(Element, DispersionCurve)], energy_ev: f64) -> Result<Dispersion, Error> {
    let at = |(element, curve): &(Element, DispersionCurve)| Ok((*element, curve.at(energy_ev)?));
    curves.iter().map(at).collect()
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
