"""Tables and images for other packages, in their own forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanobragg._nanobragg import Experiment
from nanobragg._optional import needed

if TYPE_CHECKING:
    import pandas
    import xarray

Table = Mapping[str, Any] | tuple[ArrayLike, ArrayLike]


def _columns(table: Table) -> dict[str, NDArray[Any]]:
    """The columns of a table with one item for each reflection: arrays with two columns become two."""
    if not isinstance(table, Mapping):
        indices, amplitudes = (np.asarray(array) for array in table)
        table = {"hkl": indices, "f_electrons": amplitudes}
    if "hkl" not in table:
        raise ValueError("the table has no hkl: give what truth() or read_hkl() returns, or indices and amplitudes")
    count = len(table["hkl"])
    columns: dict[str, NDArray[Any]] = {}
    for name, values in table.items():
        if name == "labels" or "_at_phi_" in name or np.ndim(values) == 0:
            continue
        values = np.asarray(values)
        if len(values) != count:
            raise ValueError(f"{name} has {len(values)} items for {count} reflections")
        if name == "hkl":
            columns |= {letter: values[:, axis] for axis, letter in enumerate("hkl")}
        elif values.ndim == 2:
            start, end = f"{name}".replace("_range", "_first"), f"{name}".replace("_range", "_end")
            columns |= {start: values[:, 0], end: values[:, 1]}
        else:
            columns[name] = values
    return columns


def to_pandas(table: Table) -> pandas.DataFrame:
    """The reflections of a table as a DataFrame, whose columns share the memory of the arrays.

    Parameters
    ----------
    table : dict or pair of arrays
        What `truth` returns, or indices and amplitudes as `read_hkl` and `Experiment.structure_factors` have them.

    Returns
    -------
    pandas.DataFrame
        Columns h, k, l and those of the table with their names; a range in pixels is two columns, `fast_first_px` and
        `fast_end_px` (behind the last). Numbers of the whole image (background, orientation) are in `attrs`.
    """
    frame: pandas.DataFrame = needed("pandas", "pandas").DataFrame(_columns(table), copy=False)
    if isinstance(table, Mapping):
        whole = ((name, value) for name, value in table.items() if np.ndim(value) == 0 or "_at_phi_" in name)
        frame.attrs.update((name, np.asarray(value).tolist()) for name, value in whole)
    return frame


def to_xarray(
    image: ArrayLike, experiment: Experiment, *, units: Literal["mm", "pixel"] = "mm", panel: int | None = None
) -> xarray.DataArray:
    """An image as a DataArray with coordinates, which shares its memory.

    Parameters
    ----------
    image : numpy.ndarray
        Shape (slow, fast), or (panel, slow, fast) for several panels.
    experiment : Experiment
        The experiment of the image.
    units : {"mm", "pixel"}
        Of the coordinates, which are those of the middles of pixels from the outer corner of the first one.
    panel : int, optional
        The number of the panel that the image is of, if it is one of several.

    Returns
    -------
    xarray.DataArray
        Dimensions `panel` (only with several; its coordinate is the name, or the number, of each), `slow` and `fast`.
        The attribute `units` says what the numbers are: photons if they are floats, counts if they are integers.
        Wavelength, distance and beam centre are further attributes.
    """
    module = needed("xarray", "xarray")
    panels = experiment.panels if panel is None else [experiment.panels[panel]]
    first = panels[0]
    shape = (first["pixels_slow"], first["pixels_fast"])
    expected = shape if len(panels) == 1 else (len(panels), *shape)
    if any((one["pixels_slow"], one["pixels_fast"]) != shape for one in panels):
        raise ValueError("the panels differ in shape: convert each with panel=")
    values = np.asarray(image)
    if values.shape != expected:
        raise ValueError(f"the image has the shape {values.shape}, and the detector {expected}")
    if units not in ("mm", "pixel"):
        raise ValueError(f"{units!r} are no units of coordinates; give 'mm' or 'pixel'")
    step = first["pixel_size_mm"] if units == "mm" else 1.0
    coordinates: dict[str, Any] = {
        name: (name, (np.arange(count) + 0.5) * step, {"units": units})
        for name, count in zip(("slow", "fast"), shape, strict=True)
    }
    if len(panels) > 1:
        coordinates["panel"] = [one["name"] or str(number) for number, one in enumerate(panels)]
    beam_fast, beam_slow = experiment.geometry["beam_centre_mm"]
    attributes = {
        "units": "photons" if values.dtype.kind == "f" else "counts",
        "wavelength_angstrom": experiment.beam["wavelength_angstrom"],
        "distance_mm": experiment.geometry["distance_mm"],
        "beam_centre_mm": (beam_fast, beam_slow),
    }
    dimensions = ("panel", "slow", "fast")[-values.ndim :]
    made: xarray.DataArray = module.DataArray(values, coords=coordinates, dims=dimensions, attrs=attributes)
    return made


# The types of columns in MTZ files: index, F, intensity, real, integer, batch.
_MTZ_TYPES = {"f_electrons": "F", "photons": "J", "panel": "I", "lattice": "I"}
_MTZ_NAMES = {"h": "H", "k": "K", "l": "L", "f_electrons": "F", "photons": "I"}


def to_reciprocalspaceship(
    table: Table,
    experiment: Experiment | None = None,
    *,
    cell: Sequence[float] | None = None,
    spacegroup: str | int = "P 1",
) -> Any:
    """The reflections of a table as a DataSet of reciprocalspaceship, which has the types of MTZ files.

    Parameters
    ----------
    table : dict or pair of arrays
        As in `to_pandas`.
    experiment : Experiment, optional
        Its cell is that of the reflections.
    cell : sequence of float, optional
        a, b, c (Angstrom), alpha, beta, gamma (degree), in place of an experiment.
    spacegroup : str or int
        P 1 for tables of `truth`, where reflections are listed one by one.

    Returns
    -------
    reciprocalspaceship.DataSet
        Index H, K, L; F (type F) and, of a truth table, I with the photons (type J), panel and lattice (type I), and
        the other columns as reals (type R). Its types have 32 bits, so that numbers are copied.
    """
    gemmi, module = needed("gemmi", "gemmi"), needed("reciprocalspaceship", "reciprocalspaceship")
    if (experiment is None) == (cell is None):
        raise ValueError("give the experiment or the cell of the reflections, and not both")
    if experiment is not None:
        cell = experiment.crystal["cell"]
    columns = _columns(table)
    types = {name: "H" if name in "hkl" else _MTZ_TYPES.get(name, "R") for name in columns}
    data = module.DataSet(
        {_MTZ_NAMES.get(name, name): values for name, values in columns.items()},
        cell=gemmi.UnitCell(*(float(value) for value in cell or ())),
        spacegroup=gemmi.SpaceGroup(spacegroup),
        merged=not isinstance(table, Mapping),
    )
    data = data.astype({_MTZ_NAMES.get(name, name): kind for name, kind in types.items()})
    return data.set_index(["H", "K", "L"])
