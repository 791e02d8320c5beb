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

/// Read structure factors for all of reciprocal space, as `-hkl` does.
///
/// Warnings about the contents are of the class `ExperimentWarning`.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     Text with a line `h k l F` per reflection; MTZ; mmCIF; or XDS_ASCII. The contents determine
///     which.
/// columns : str, optional
///     Columns, separated by commas: F or I, or two for Friedel mates, as "F(+),F(-)"; a
///     phase may follow. Of a text "I" says that the fourth column has intensities (SHELX, HKLF 4). By default amplitudes of a model are read, or else measured amplitudes, or else
///     intensities.
/// spacegroup : str or int, optional
///     Replaces the space group of the file. Without it, text is not expanded.
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
        .detach(|| read_list(&spec, None))
        .map_err(|error| of_run(py, &error.into()))?;
    for warning in found.iter().flat_map(|found| &found.warnings) {
        warn(py, &warning.to_string())?;
    }
    arrays::of_reflections(py, &list)
}

/// The formats of written structure factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Mtz,
    Mmcif,
}

impl Format {
    /// The format for a name or the extension of a file.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "text" => Self::Text,
            "mtz" => Self::Mtz,
            "cif" | "mmcif" | "ent" => Self::Mmcif,
            _ => return None,
        })
    }
}

/// Write structure factors. The file is written completely or not at all.
///
/// Text and mmCIF hold all bits of F, and `read_hkl` and `-hkl` read them. MTZ rounds F to 32 bits.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
/// indices : array_like
///     Integers, shape (n, 3).
/// amplitudes : array_like
///     F in electrons, shape (n,).
/// cell : sequence of float, optional
///     Edges in Angstrom and angles in degrees, with the defaults of `-cell`. Used for mmCIF, required
///     for MTZ.
/// spacegroup : str or int, optional
///     For MTZ and mmCIF: the mean of equivalent reflections, Friedel mates included, is written once. By
///     default all reflections are written in P 1, and a missing Friedel mate equals the other.
/// format : {"text", "mtz", "mmcif"}, optional
///     By default from the extension: .mtz, .cif, .mmcif or .ent; text for any other.
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

/// Every reflection in P 1, with its Friedel mate if it is listed too. Of several reflections with the
/// same indices the last one is used, as in a list from a file.
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
            // The mate represents both.
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

/// The space group with this name. If a name has several settings, the one that fits the cell.
fn space_group(
    name: &str,
    cell: Option<&CellSpec>,
) -> Result<SpaceGroup, nanobragg::crystal::Error> {
    SpaceGroup::from_name_for_cell(name, cell)
}
