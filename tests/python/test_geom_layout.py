"""HDF5 files in the layout that the user's own geometry of CrystFEL names: read as CrystFEL reads them (load_hdf5_hyperslab,
image_hdf5_read_mask and the headers of its image-hdf5.c), they have the pixels, masks and numbers of the same run."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Run
from test_crystfel import of_nexus

SAME_M = 1e-9
FAST, SLOW, PANELS = 12, 9, 4
COMMON = (
    "-default_F 100 -cell 70 80 90 -N 3 -oversample 1 -noprogress -nodefaultfiles -fluence 1e31 -adc 7 "
    "-lambda 1.3 -nonoise -intfile i.img"
).split()
AXES = ["+0.8x +0.6y", "-0.6x +0.8y"]
CORNERS = [(-20.5, 3.25), (-4.0, 12.5), (9.75, -6.0), (24.0, 0.5)]

# The lines of all panels, and those of panel N. R and C are the place of a panel in a picture of two by two.
LAYOUTS = {
    "agipd": (
        "data = /entry_1/instrument_1/detector_1/data\ndim0 = %\ndim2 = ss\ndim3 = fs\n"
        "mask = /entry_1/instrument_1/detector_1/mask\nmask_good = 0\nmask_bad = 0xffff\n"
        "photon_energy = /entry_1/source/energy keV\nclen = 0.2\ncoffset = 0.01\n",
        "pN/dim1 = N\npN/min_fs = 0\npN/min_ss = 0\n",
    ),
    "jungfrau": (
        "data = /data/data\ndim0 = %\ndim1 = ss\ndim2 = fs\nmask0_data = /data/mask\nmask0_goodbits = 0x3\n"
        "mask0_badbits = 0x0\nphoton_energy = 9537.2 eV\nclen = 195 mm\ncoffset = 0.015\n",
        "pN/min_fs = 0\npN/min_ss = {11 * N}\n",
    ),
    "cspad": (
        "data = /entry_1/data_1/data\ndim0 = %\ndim1 = ss\ndim2 = fs\nmask = /entry_1/data_1/mask\nmask_good = 0x0000\n"
        "mask_bad = 0x0200\nphoton_energy = /LCLS/photon_energy_eV\nclen = /LCLS/detector_1/EncoderValue\n"
        "coffset = 0.573224\ndetector_shift_x = /LCLS/x mm\n",
        "pN/min_fs = {12 * C}\npN/min_ss = {9 * R}\n",
    ),
    "eiger": (
        "data = /entry/data/data\ndim0 = %\ndim1 = ss\ndim2 = fs\nmask = /entry/instrument/detector/pixel_mask\n"
        "mask_good = 0\nmask_bad = 1\nwavelength = /entry/w m\nclen = 210\nclen = 0.21\n",
        "pN/min_fs = {14 * C}\npN/min_ss = {10 * R}\n",
    ),
    "array of each panel": (
        "dim0 = %\ndim1 = %\ndim2 = ss\ndim3 = fs\nmask1_data = /masks/all\nmask1_goodbits = 1\nphoton_energy = 9537.2\n"
        "clen = 0.21\nsaturation_map = /most\n",
        "pN/data = /run/panel_N\npN/min_fs = 1\npN/min_ss = 2\npN/mask1_data = /masks/N\npN/saturation_map = /most_N\n",
    ),
    "path of each image": (
        "data = /%/data\ndim0 = 2\ndim1 = ss\ndim2 = fs\nmask = /%/mask\nmask_bad = 4\nphoton_energy = /%/energy eV\n"
        "clen = 0.21\n",
        "pN/min_fs = 0\npN/min_ss = {9 * N}\n",
    ),
}


def geometry(name: str) -> str:
    """A geometry whose panels are tilted and apart, in a layout."""
    head, of_panel = LAYOUTS[name]
    text = f"res = 5000\nadu_per_photon = 1\n{head}"
    for n in range(PANELS):
        values = {"N": n, "R": n // 2, "C": n % 2}
        lines = of_panel
        while "{" in lines:
            before, after = lines.split("{", 1)
            term, rest = after.split("}", 1)
            factor, letter = term.split(" * ")
            lines = f"{before}{int(factor) * values[letter]}{rest}"
        lines = lines.replace("pN/", f"p{n}/").replace("_N\n", f"_{n}\n").replace("/N\n", f"/{n}\n").replace("= N\n", f"= {n}\n")
        first = {key: int(value) for key, value in (line.split(" = ") for line in lines.splitlines() if "/min_" in line)}
        lines += f"p{n}/max_fs = {first[f'p{n}/min_fs'] + FAST - 1}\np{n}/max_ss = {first[f'p{n}/min_ss'] + SLOW - 1}\n"
        lines += f"p{n}/fs = {AXES[0]}\np{n}/ss = {AXES[1]}\np{n}/corner_x = {CORNERS[n][0]}\np{n}/corner_y = {CORNERS[n][1]}\n"
        text += lines
    return text + "badspot/panel = p1\nbadspot/min_fs = {0}\nbadspot/max_fs = {0}\nbadspot/min_ss = {1}\nbadspot/max_ss = {1}\n".format(
        *(int(line.split(" = ")[1]) + 3 for key in ("fs", "ss") for line in text.splitlines() if line.startswith(f"p1/min_{key}"))
    )


class Geom:
    """What CrystFEL makes of the text of a geometry and of a file."""

    def __init__(self, text: str) -> None:
        self.head: dict[str, str] = {}
        self.panels: dict[str, dict[str, str]] = {}
        for line in text.splitlines():
            key, value = (part.strip() for part in line.split("=", 1))
            owner, _, own = key.rpartition("/")
            if not owner:
                self.head[key] = value
            elif not owner.startswith("bad"):
                self.panels.setdefault(owner, dict(self.head))[own] = value

    def dims(self, panel: dict[str, str]) -> list[str]:
        dims = {0: "ss", 1: "fs"} | {int(key[3:]): value for key, value in panel.items() if key[:3] == "dim"}
        return [dims[n] for n in range(len(dims))]

    def read(self, file: h5py.File, panel: dict[str, str], path: str, event: tuple[list[str], list[int]]) -> np.ndarray:
        names, numbers = list(event[0]), list(event[1])
        dataset = file["/".join(names.pop(0) if part == "%" else part for part in path.split("/"))]
        dims = self.dims(panel)
        if dataset.ndim == len(dims) - dims.count("%"):
            dims = [dim for dim in dims if dim != "%"]
        assert dataset.ndim == len(dims)
        places: list[Any] = []
        for dim in dims:
            if dim in ("ss", "fs"):
                places.append(slice(int(panel[f"min_{dim}"]), int(panel[f"max_{dim}"]) + 1))
            else:
                places.append(numbers.pop(0) if dim == "%" else int(dim))
        found: np.ndarray = dataset[tuple(places)]
        assert found.shape == (SLOW, FAST)
        return found

    def bad(self, file: h5py.File, panel: dict[str, str], event: tuple[list[str], list[int]]) -> np.ndarray:
        n = "1" if "mask1_data" in panel else "0"
        path = panel.get(f"mask{n}_data", panel.get("mask", ""))
        good = int(panel.get(f"mask{n}_goodbits", panel.get("mask_good", "0")), 0)
        bits = int(panel.get(f"mask{n}_badbits", panel.get("mask_bad", "0")), 0)
        mask = self.read(file, panel, path, event).astype(np.int64)
        is_bad: np.ndarray = ((mask & good) != good) | ((mask & bits) != 0)
        return is_bad

    def header(self, file: h5py.File, key: str, event: tuple[list[str], list[int]], default: str) -> float:
        """A number of the head in eV, m or A, from the file if it is there."""
        value, unit = (self.head[key].split() + [""])[:2]
        scale = {"mm": 1e-3, "keV": 1e3}
        try:
            return float(value) * scale.get(unit, 1.0)
        except ValueError:
            pass
        names, numbers = list(event[0]), list(event[1])
        dataset = file["/".join(names.pop(0) if part == "%" else part for part in value.split("/"))]
        number = dataset[tuple(numbers[: dataset.ndim])] if dataset.ndim else dataset[()]
        return float(number) * scale.get(unit or default, 1.0)

    def positions(self, panel: dict[str, str], clen: float, shift: float) -> np.ndarray:
        slow, fast = np.mgrid[:SLOW, :FAST] + 0.5
        def vector(text: str) -> np.ndarray:
            return np.array([next((float(term[:-1]) for term in text.split() if term.endswith(axis)), 0) for axis in "xyz"])

        corner = np.array([float(panel["corner_x"]), float(panel["corner_y"]), 0])
        middle = corner + fast[..., None] * vector(panel["fs"]) + slow[..., None] * vector(panel["ss"])
        found: np.ndarray = middle / float(panel["res"]) + [shift, 0, clen + float(panel.get("coffset", "0"))]
        return found


def event(name: str, image: int) -> tuple[list[str], list[int]]:
    """The event of an image, as `list_events` finds it."""
    if name == "path of each image":
        return [f"image_{image + 1:06}"], []
    return [], [image, 0] if name == "array of each panel" else [image]


def stack(file: h5py.File) -> Any:
    """The images of NXmx."""
    return file["entry/data"][file["entry/data"].attrs["signal"].decode()]


def written(run: Run, folder: Path, name: str, *words: object) -> Geom:
    text = geometry(name)
    (folder / "own.geom").write_text(text)
    done = run(*COMMON, "-geom", "own.geom", *words)
    assert done.returncode == 0, done.stderr
    return Geom(text)



def placed(name: str) -> list[str]:
    """What places a detector whose camera length stands in image files."""
    return ["-distance", "216.5"] if name == "cspad" else []


@pytest.mark.parametrize("name", LAYOUTS)
def test_crystfel_reads_an_image_by_the_geometry_of_the_user(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = placed(name)
    geom = written(run, tmp_path, name, *words, "-floatfile", "f.h5", "-nexusfile", "c.h5")
    # The same photons in a file without a layout.
    done = run(*COMMON, "-geom", "own.geom", *words, "-floatfile", "f.bin")
    assert done.returncode == 0, done.stderr
    photons = np.fromfile("f.bin", "<f4").reshape(PANELS, SLOW, FAST)
    assert photons.max() > 10
    with h5py.File("f.h5") as floats, h5py.File("c.h5") as counts:
        modules = of_nexus(counts)
        own = stack(counts)
        shift = geom.header(counts, "detector_shift_x", event(name, 0), "") if "detector_shift_x" in geom.head else 0.0
        clen = geom.header(counts, "clen", event(name, 0), "mm")
        for n, (panel, (origin, middles)) in enumerate(zip(geom.panels.values(), modules)):
            path = panel.get("data", "/data/data")
            assert (geom.read(floats, panel, path, event(name, 0)) == photons[n]).all()
            here = geom.read(counts, panel, path, event(name, 0))
            rows = slice(origin[-2], origin[-2] + SLOW)
            assert (here == own[0, rows, :FAST]).all() and here.max() > 7
            bad = geom.bad(counts, panel, event(name, 0))
            expected = np.zeros((SLOW, FAST), bool)
            expected[3, 3] = n == 1
            assert (bad == expected).all() and (here[~bad] >= 7).all()
            assert np.abs(geom.positions(panel, clen, shift) - middles).max() < SAME_M
            if "saturation_map" in panel:
                assert (geom.read(counts, panel, panel["saturation_map"], ([], [])) == 2**31 - 2).all()
        key = "wavelength" if "wavelength" in geom.head else "photon_energy"
        number = geom.header(counts, key, event(name, 0), "eV")
        energy = 12398.42 / (number * 1e10) if key == "wavelength" else number
        assert abs(energy / (12398.42 / 1.3) - 1) < 1e-5


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("files", ["one", "master", "parts"])
def test_events_of_a_series_are_those_of_its_images(
    name: str, files: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shots = [*"-shots 3 -seed 4 -vary wavelength=uniform:-1%,1% -threads 2".split(), *placed(name)]
    own = ["-nexusfile", "s.h5"]
    if files == "one":
        geom = written(run, tmp_path, name, *shots, *own)
    elif files == "master":
        geom = written(run, tmp_path, name, *shots, *own, "-nexus_images_per_file", "2")
    else:
        for part in ("1/2", "2/2"):
            geom = written(run, tmp_path, name, *shots, *own, "-shard", part)
    done = run(*COMMON, "-geom", "own.geom", *shots, "-nexusfile", "one_#.h5", "-seriesfile", "one.jsonl")
    assert done.returncode == 0, done.stderr
    energies = []
    with h5py.File("s.h5") as series:
        for image in range(3):
            with h5py.File(f"one_{image + 1}.h5") as one:
                for panel, (origin, _) in zip(geom.panels.values(), of_nexus(one)):
                    here = geom.read(series, panel, panel.get("data", "/data/data"), event(name, image))
                    expected = stack(one)[0, origin[-2] : origin[-2] + SLOW, :FAST]
                    assert (here == expected).all() and expected.max() > 7
                    assert geom.bad(series, panel, event(name, image)).sum() == (panel is geom.panels["p1"])
                if "/" in geom.head.get("photon_energy", ""):
                    energies.append(geom.header(series, "photon_energy", event(name, image), "eV"))
                    wavelength = one["entry/instrument/beam/incident_wavelength"][()]
                    assert abs(energies[-1] * wavelength / 12398.42 - 1) < 1e-5
    assert len(set(energies)) == len(energies)


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "eiger"])
def test_dials_reads_the_same_file(
    name: str, run: Run, dxtbx: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The datasets of the geometry change nothing for DIALS. (The mask of the other layout is where DIALS has its own.)"""
    monkeypatch.chdir(tmp_path)
    written(run, tmp_path, name, *placed(name), "-nexusfile", "c.h5")
    found = dxtbx("c.h5")["c.h5"]
    with h5py.File("c.h5") as file:
        here = stack(file)[0].reshape(PANELS, SLOW, FAST)
    digests = [hashlib.sha256(panel.astype("<i4").tobytes()).hexdigest() for panel in here]
    assert found["pixels"] == [[[SLOW, FAST], digest] for digest in digests]
    assert found["unmasked"] == [SLOW * FAST - (n == 1) for n in range(PANELS)]


def test_files_of_masks_are_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 4, (11 * PANELS, FAST)).astype(np.uint8)
    with h5py.File("bad.h5", "w") as file:
        file["m"] = bits
    text = geometry("jungfrau").replace("mask0_data = /data/mask", "mask0_data = /m\nmask0_file = bad.h5")
    Path("own.geom").write_text(text)
    done = run(*COMMON, "-geom", "own.geom", "-nexusfile", "c.h5")
    assert done.returncode == 0, done.stderr
    with h5py.File("c.h5") as file:
        masked = file["entry/instrument/detector/pixel_mask"][()] != 0
    expected = np.vstack([bits[11 * n : 11 * n + SLOW] != 3 for n in range(PANELS)])
    expected[SLOW + 3, 3] = True
    assert (masked == expected).all()
    # It is an input: not to be overwritten, and a series does not go on with another one.
    done = run(*COMMON, "-geom", "own.geom", "-nexusfile", "bad.h5")
    assert done.returncode != 0 and "bad.h5" in done.stderr
    series = [*COMMON, "-geom", "own.geom", "-floatfile", "f_#.bin", "-shots", "2"]
    assert run(*series).returncode == 0
    assert "2 of 2 images are complete" in run(*series, "-resume").stdout
    with h5py.File("bad.h5", "a") as file:
        file["m"][0, 0] ^= 1
    done = run(*series, "-resume")
    assert done.returncode == 1 and "with another" in done.stderr and "bad.h5" in done.stderr
    Path("bad.h5").unlink()
    done = run(*COMMON, "-geom", "own.geom", "-nexusfile", "c.h5")
    assert "mask0_file bad.h5 is ignored: there is no such file" in done.stderr


def test_what_cannot_stand_in_the_file_is_said_before_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = geometry("jungfrau")

    def tried(old: str, new: str, *words: object) -> Any:
        Path("own.geom").write_text(text.replace(old, new))
        return run(*COMMON, "-geom", "own.geom", *words)

    done = tried("data = /data/data", "data = /entry/data", "-nexusfile", "c.h5")
    assert done.returncode == 1 and "/entry/data cannot be a dataset of a NeXus file" in done.stderr
    assert not Path("c.h5").exists()
    done = tried("dim0 = %\ndim1 = ss\ndim2 = fs\n", "", "-nexusfile", "c.h5", "-shots", "2")
    assert done.returncode == 0 and "has no % for images" in done.stderr
    done = tried("dim1 = ss\ndim2 = fs", "dim1 = fs\ndim2 = ss", "-nexusfile", "c.h5")
    assert done.returncode == 0 and "the last dimensions must be ss and fs" in done.stderr
    done = tried("mask0_data = /data/mask", "mask0_data = /entry/instrument/detector/pixel_mask", "-nexusfile", "c.h5")
    assert done.returncode == 0 and "has a mask of another shape or meaning" in done.stderr
    done = tried("", "", "-nexusfile", "c.h5", "-Xbeam", "30")
    assert done.returncode == 0 and "flags move the detector from where -geom puts it" in done.stderr
