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


def tree_of(geom: str) -> dict[str, list[str]]:
    """The panels of each group, as CrystFEL 0.11 builds its tree (add_group_members of datatemplate.c): a group has a name
    of its own and members that are known before it."""
    lines = [[part.strip() for part in line.split(";")[0].split("=", 1)] for line in geom.splitlines() if "=" in line]
    names = dict.fromkeys(key.split("/")[0] for key, _ in lines if "/" in key and not key.startswith("bad"))
    groups = {name: [name] for name in names}
    for key, value in lines:
        if key.startswith("group_"):
            name, members = key.removeprefix("group_"), [member.strip() for member in value.split(",")]
            assert name not in groups and 0 < len(members) <= 64 and len(set(members)) == len(members)
            groups[name] = [panel for member in members for panel in groups[member]]
    assert "all" not in groups or sorted(groups["all"]) == sorted(names)
    return {name: panels for name, panels in groups.items() if name not in names}


@pytest.mark.parametrize(
    "name, groups, sizes",
    [("agipd1m", 21, {8, 32, 128}), ("cspad", 5, {16, 64}), ("jungfrau4m", 9, {8, 64}), ("epix10k2m", 21, {4, 16, 64})],
)
def test_groups_are_modules_and_quadrants(
    name: str, groups: int, sizes: set[int], run: Run, tmp_path: Path
) -> None:
    geom = tmp_path / "a.geom"
    words = ["-nodefaultfiles", "-detector", name, "-distance", "150", "-roi", "0", "3", "0", "3"]
    done = run(*COMMON, *words, "-geomfile", geom)
    assert done.returncode == 0, done.stderr
    tree = tree_of(geom.read_text())
    assert len(tree) == groups and {len(panels) for panels in tree.values()} == sizes
    read = load_crystfel_geometry(geom).detector
    old = read["rigid_groups"]
    assert {group: sorted(panels) for group, panels in old.items()} == {
        group: sorted(panels) for group, panels in tree.items() if group != "all"
    }
    for collection in read["rigid_group_collections"].values():
        assert sorted(panel for group in collection for panel in old[group]) == sorted(read["panels"])
    if "q3" in tree and name == "agipd1m":
        # Each quadrant is on its own side of the beam.
        middles = {panel: positions(values).mean(axis=(0, 1))[:2] for panel, values in read["panels"].items()}
        sides = [tuple(np.sign(np.mean([middles[panel] for panel in tree[f"q{n}"]], axis=0))) for n in range(4)]
        assert len(set(sides)) == 4


HEAD = "photon_energy = 9500\nclen = 0.1\nres = 10000\nadu_per_photon = 1\nfs = x\nss = y\nmin_fs = 0\nmax_fs = 7\n"


def test_groups_of_a_geometry_are_kept(run: Run, tmp_path: Path) -> None:
    panels = "".join(
        f"p{n}/min_ss = {8 * n}\np{n}/max_ss = {8 * n + 7}\np{n}/corner_x = {10 * n - 20}\np{n}/corner_y = 0\n" for n in range(4)
    )
    old = (
        "rigid_group_a = p0,p1\nrigid_group_b = p2,p3\nrigid_group_left = p0, p1, p2\nrigid_group_right = p3\n"
        "rigid_group_x = p0\nrigid_group_y = p1,p2,p3\nrigid_group_collection_pairs = a,b\n"
        "rigid_group_collection_halves = x,y\nrigid_group_one = p0,p1,p2,p3\nrigid_group_collection_whole = one\n"
    )
    new = "group_a = p0,p1\ngroup_b = p2,p3\ngroup_all = a,b\n"

    def written(lines: str) -> tuple[dict[str, list[str]], str]:
        (tmp_path / "own.geom").write_text(HEAD + panels + lines)
        words = ["-nodefaultfiles", "-geom", tmp_path / "own.geom", "-geomfile", tmp_path / "ours.geom"]
        done = run(*COMMON, *words)
        assert done.returncode == 0, done.stderr
        return tree_of((tmp_path / "ours.geom").read_text()), done.stderr

    pairs = {"a": ["p0", "p1"], "b": ["p2", "p3"]}
    everything = ["p0", "p1", "p2", "p3"]
    assert written(new)[0] == {**pairs, "all": everything}
    # Halves do not lie in pairs, nor pairs in halves.
    assert written(old)[0] == {**pairs, "one": everything, "all": everything}
    assert written("")[0] == {}
    tree, said = written(new + "group_c = p9\n")
    assert tree == {**pairs, "all": everything} and "group_c is ignored" in said


def test_partialities_stand_where_readers_skip_them(run: Run, tmp_path: Path) -> None:
    stream, truth = tmp_path / "a.stream", tmp_path / "a.csv"
    words = "-nodefaultfiles -detpixels 200 -pixel 0.5 -distance 100 -round_xtal -fluence 1e29 -truth_floor 20".split()
    done = run(*COMMON, *words, "-streamfile", stream, "-truthfile", truth)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in truth.read_text().splitlines() if not line.startswith("#")]
    columns = [rows[0].index(name) for name in ("h", "k", "l", "partiality")]
    expected = {tuple(int(row[i]) for i in columns[:3]): float(row[columns[3]]) for row in rows[1:]}
    expected.pop((0, 0, 0), None)
    text = stream.read_text()
    mark = "nanoBragg/partiality "
    found = {}
    for line in text.splitlines():
        if line.startswith(mark):
            hkl, value = line.removeprefix(mark).split(" = ")
            found[tuple(map(int, hkl.split()))] = float(value)
    assert len(found) > 5 and found.keys() == expected.keys()
    assert all(abs(found[hkl] - expected[hkl]) < 1e-6 for hkl in found)
    # The table of reflections is as without them, and they stand before the end of the crystal.
    table = text.split("Reflections measured after indexing\n")[1].split("End of reflections\n")
    assert all(len(line.split()) == 10 for line in table[0].splitlines()[1:])
    assert table[1].splitlines()[len(found)] == "--- End crystal"
