"""Geometries of CrystFEL, read by cfelpyutils: where pixels are, in which rows of the HDF5 file, and what NXmx says."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from cfelpyutils.geometry import load_crystfel_geometry
from conftest import Run

SAME_M = 1e-9
COMMON = "-default_F 100 -cell 70 80 90 -misset 10 20 30 -N 5 -oversample 1 -noprogress -nopgm -lambda 1.3".split()
TILT = "-detector_rotx 2 -detector_roty 1 -detector_rotz 3 -Xbeam 30 -Ybeam 40".split()
DETECTORS = {
    "jungfrau4m": "-detector jungfrau4m -distance 150 -roi 0 3 0 3".split(),
    "agipd1m": "-detector agipd1m -distance 150 -roi 0 3 0 3".split(),
    "agipd1m tilted": ["-detector", "agipd1m", "-distance", "150", "-roi", "0", "3", "0", "3", *TILT],
    "one panel": ["-xds", "-detpixels_x", "61", "-detpixels_y", "47", "-distance", "90", *TILT],
}


def positions(panel: dict[str, Any]) -> np.ndarray:
    """The middles of the pixels of a panel of cfelpyutils in metres, shape [slow][fast][3]."""
    slow, fast = np.mgrid[: panel["h"], : panel["w"]] + 0.5
    axes = [np.array([panel[f"{axis}{x}"] for x in "xyz"]) for axis in ("fs", "ss")]
    middle = fast[..., None] * axes[0] + slow[..., None] * axes[1] + [panel["cnx"], panel["cny"], 0]
    found: np.ndarray = middle / panel["res"] + [0, 0, panel["clen"] + panel["coffset"]]
    return found


def of_nexus(file: h5py.File) -> list[tuple[list[int], np.ndarray]]:
    """Of each module its first row and column in the data, and the middles of its pixels in metres, by the chains of
    transformations. The frame of NeXus is that of CrystFEL: y up, z along the beam."""
    detector = file["entry/instrument/detector"]
    units = {"mm": 1e-3, "m": 1.0, "deg": np.pi / 180}

    def word(dataset: h5py.Dataset, name: str) -> str:
        value: bytes = dataset.attrs[name]
        return value.decode()

    def value(dataset: h5py.Dataset) -> float:
        return float(np.ravel(dataset[()])[0]) * units[word(dataset, "units")]

    def in_laboratory(points: np.ndarray, path: str) -> np.ndarray:
        while path != ".":
            axis = file[path]
            vector = np.array(axis.attrs["vector"])
            if word(axis, "transformation_type") == "translation":
                points = points + value(axis) * vector
            else:
                along = (points @ vector)[..., None] * vector
                turn, across = value(axis), points - along
                points = along + np.cos(turn) * across + np.sin(turn) * np.cross(vector, across)
            if "offset" in axis.attrs:
                points = points + np.array(axis.attrs["offset"]) * units[word(axis, "offset_units")]
            path = word(axis, "depends_on")
        return points

    modules = []
    for name in sorted(detector):
        module = detector[name]
        if module.attrs.get("NX_class") != b"NXdetector_module":
            continue
        fast, slow = module["fast_pixel_direction"], module["slow_pixel_direction"]
        rows, columns = module["data_size"][()][-2:]
        s, f = np.mgrid[:rows, :columns] + 0.5
        local = sum(
            count[..., None] * value(axis) * np.array(axis.attrs["vector"])
            for count, axis in ((f, fast), (s, slow))
        )
        middles = in_laboratory(np.asarray(local), word(fast, "depends_on"))
        modules.append((list(module["data_origin"][()]), middles))
    return modules


@pytest.mark.parametrize("name", DETECTORS)
def test_pixels_are_where_cfelpyutils_and_nexus_have_them(name: str, run: Run, tmp_path: Path) -> None:
    nexus, geom = tmp_path / "a.nxs", tmp_path / "a.geom"
    options = ["-floatfile", tmp_path / "a.bin", "-intfile", tmp_path / "a.img", "-noisefile", tmp_path / "n.img"]
    done = run(*COMMON, *DETECTORS[name], *options, "-nexusfile", nexus, "-geomfile", geom)
    assert done.returncode == 0, done.stderr
    read = load_crystfel_geometry(geom)
    assert abs(read.beam["photon_energy"] * 1.3 / 12398.42 - 1) < 1e-12
    panels = list(read.detector["panels"].values())
    with h5py.File(nexus) as file:
        modules = of_nexus(file)
        shape = file["entry/data/data"].shape
    assert len(panels) == len(modules)
    for panel, (origin, middles) in zip(panels, modules):
        assert panel["data"] == "/entry/data/data" and panel["dim_structure"] == ["%", "ss", "fs"]
        assert origin[-2:] == [panel["orig_min_ss"], panel["orig_min_fs"]]
        assert panel["orig_max_ss"] < shape[-2] and panel["orig_max_fs"] < shape[-1]
        assert np.abs(positions(panel) - middles).max() < SAME_M


def test_masked_pixels_are_bad_regions_and_in_the_mask(run: Run, tmp_path: Path) -> None:
    nexus, geom = tmp_path / "a.nxs", tmp_path / "a.geom"
    options = ["-floatfile", tmp_path / "a.bin", "-intfile", tmp_path / "a.img", "-noisefile", tmp_path / "n.img"]
    done = run(*COMMON, *"-detector eiger1m -roi 0 3 0 3".split(), *options, "-nexusfile", nexus, "-geomfile", geom)
    assert done.returncode == 0, done.stderr
    detector = load_crystfel_geometry(geom).detector
    (panel,) = detector["panels"].values()
    with h5py.File(nexus) as file:
        mask = file[panel["mask"]][()] & detector["mask_bad"] != 0
    bad = np.zeros_like(mask)
    for region in detector["bad"].values():
        rows = slice(region["min_ss"], region["max_ss"] + 1)
        bad[rows, region["min_fs"] : region["max_fs"] + 1] = True
    assert mask.any() and (mask == bad).all()
