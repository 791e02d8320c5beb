//! Readers and writers of structure factors.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use nanobragg::CellSpec;
use nanobragg::crystal::read::{mmcif, mtz};
use nanobragg::crystal::{
    Amplitude, AsymmetricUnit, Hkl, ListedReflection, Reflection, ReflectionList, SpaceGroup,
};
use nanobragg::factors::{ListSpec, read_list};
use pyo3::prelude::*;

use crate::arrays::{self, HklArrays};
use crate::errors::{Exception, of_run, warn};
use crate::files::save;
use crate::flags::Said;

/// Read structure factors for all of reciprocal space, as `-hkl` reads them.
///
/// What may surprise about them is an `ExperimentWarning`.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     Text, a line `h k l F` for each spot; MTZ; or mmCIF. The contents decide.
/// columns : str, optional
///     Columns of MTZ or mmCIF, with commas between them: F or I, or two for Friedel mates, as
///     "F(+),F(-)"; a phase may follow. Otherwise amplitudes of a model are taken, else those
///     measured, else intensities.
/// spacegroup : str or int, optional
///     In place of the one in the file. Text is taken as it is without.
///
/// Returns
/// -------
/// indices : numpy.ndarray
///     int32, shape (n, 3).
/// amplitudes : numpy.ndarray
///     F in electrons, float64, shape (n,).
#[pyfunction]
#[pyo3(signature = (path, *, columns=None, spacegroup=None))]
pub(crate) fn read_hkl<'py>(
    py: Python<'py>,
    path: Bound<'py, PyAny>,
    columns: Option<Bound<'py, PyAny>>,
    spacegroup: Option<Bound<'py, PyAny>>,
) -> PyResult<HklArrays<'py>> {
    let file: PathBuf = path.extract()?;
    let mut said = Said::default();
    for (flag, value) in [("columns", columns), ("spacegroup", spacegroup)] {
        if let Some(value) = value {
            said.set(flag, &value)?;
        }
    }
    let given = said.args(py)?.factors;
    let spec = ListSpec {
        path: file,
        columns: given.columns,
        space_group: given.space_group,
        default_f: 0.0,
    };
    let (list, found) = py
        .detach(|| read_list(&spec))
        .map_err(|error| of_run(py, &error.into()))?;
    for warning in found.iter().flat_map(|found| &found.warnings) {
        warn(py, &warning.to_string())?;
    }
    arrays::of_reflections(py, &list)
}

/// The formats in which structure factors can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Mtz,
    Mmcif,
}

impl Format {
    /// By its name, or by the end of a file's.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "text" => Self::Text,
            "mtz" => Self::Mtz,
            "cif" | "mmcif" | "ent" => Self::Mmcif,
            _ => return None,
        })
    }
}

/// Write structure factors. The file appears complete or not at all.
///
/// Text holds F to the bit, as `read_hkl` and `-hkl` read it; so does mmCIF. MTZ rounds F to 32 bits.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
/// indices : array_like
///     Whole numbers, shape (n, 3).
/// amplitudes : array_like
///     F in electrons, shape (n,).
/// cell : sequence of float, optional
///     Edges in Angstrom and angles in degrees, which default as those of `-cell`. For mmCIF, and
///     needed for MTZ.
/// spacegroup : str or int, optional
///     For MTZ and mmCIF: of equivalent reflections the mean is written once, Friedel mates among
///     them. Otherwise all are, in P 1, and of Friedel mates a missing one equals the other.
/// format : {"text", "mtz", "mmcif"}, optional
///     Otherwise by the end of the name: .mtz, .cif, .mmcif or .ent; text for any other.
#[pyfunction]
#[pyo3(signature = (path, indices, amplitudes, *, cell=None, spacegroup=None, format=None))]
pub(crate) fn write_hkl<'py>(
    py: Python<'py>,
    path: PathBuf,
    indices: Bound<'py, PyAny>,
    amplitudes: Bound<'py, PyAny>,
    cell: Option<Vec<f64>>,
    spacegroup: Option<Bound<'py, PyAny>>,
    format: Option<&str>,
) -> PyResult<()> {
    let refuse = |text: String| Exception::Usage.says(py, text);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let format = match format {
        Some(name) => Format::named(name).ok_or_else(|| {
            refuse(format!(
                "{}: \"{name}\" is no format; give \"text\", \"mtz\" or \"mmcif\"",
                path.display()
            ))
        })?,
        None => ending.and_then(Format::named).unwrap_or(Format::Text),
    };
    let list = arrays::reflections((indices, amplitudes).into_pyobject(py)?.as_any())?;
    if format == Format::Text {
        if cell.is_some() || spacegroup.is_some() {
            return Err(refuse(format!(
                "{}: text has no place for a cell or a space group",
                path.display()
            )));
        }
        return save(py, &path, |out| {
            for Reflection { hkl, amplitude } in &*list {
                let [h, k, l] = hkl.0;
                writeln!(out, "{h} {k} {l} {amplitude}")?;
            }
            Ok(())
        });
    }
    let cell = cell
        .map(|values| CellSpec::from_values(&values))
        .transpose();
    let cell = cell.map_err(|error| refuse(error.to_string()))?;
    let group = match spacegroup {
        Some(name) => Some(space_group(&name.str()?.to_string(), cell.as_ref()))
            .transpose()
            .map_err(|error| refuse(error.to_string()))?,
        None => None,
    };
    let bytes = py.detach(|| {
        let mut listed = match &group {
            Some(group) => ReflectionList::from_text(&list, Some(group)).merge().0,
            None => in_p1(&list),
        };
        listed.cell = cell;
        match format {
            Format::Mtz => mtz::to_bytes(&listed),
            Format::Mmcif | Format::Text => Ok(mmcif::to_bytes(&listed)),
        }
    });
    let bytes = bytes.map_err(|error| of_run(py, &error.into()))?;
    save(py, &path, |out| Ok(out.write_all(&bytes)?))
}

/// Every reflection in P 1, with its Friedel mate where that is listed too. The last of several with
/// the same indices counts, as in a list that is read.
fn in_p1(list: &[Reflection]) -> ReflectionList {
    let mut in_p1 = ReflectionList::from_text(&[], None);
    let unit = AsymmetricUnit::of(&in_p1.space_group);
    let by_hkl: BTreeMap<[i32; 3], f64> = list
        .iter()
        .map(
            |Reflection {
                 hkl: Hkl(hkl),
                 amplitude,
             }| (*hkl, *amplitude),
        )
        .collect();
    for (&hkl, &own) in &by_hkl {
        let mate = hkl.map(i32::saturating_neg);
        let is_in_unit = unit.contains(&in_p1.space_group, hkl);
        let amplitude = match by_hkl.get(&mate) {
            // Its mate stands for both.
            Some(_) if !is_in_unit => continue,
            Some(&other) if other.to_bits() != own.to_bits() => Amplitude::Pair(own, other),
            _ => Amplitude::Same(own),
        };
        in_p1.reflections.push(ListedReflection {
            hkl: if is_in_unit { hkl } else { mate },
            amplitude,
            phase_rad: None,
        });
    }
    in_p1
}

/// The space group of a name; of several settings, that which fits the cell.
fn space_group(
    name: &str,
    cell: Option<&CellSpec>,
) -> Result<SpaceGroup, nanobragg::crystal::Error> {
    match cell {
        Some(cell) => SpaceGroup::from_name_for_cell(name, cell),
        None => SpaceGroup::from_name(name),
    }
}
