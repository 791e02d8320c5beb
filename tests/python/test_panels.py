"""A detector of eight panels, in the readers of other programs."""

import json
import math
import subprocess
from pathlib import Path

import h5py
import numpy as np
import nxmx
import pytest
from conftest import Run

FAST, SLOW, PIXEL_MM = 34, 18, 1.5
SAME_MM = 1e-6
LINE = (
    "-expt in.expt -cell 70 80 90 85 95 100 -misset 10 20 30 -default_F 100 -N 5 -oversample 1 -fluence 1e26"
    " -osc 0.5 -noprogress -nonoise -floatfile photons.bin -exptfile out.expt -nexusfile out.nxs"
).split()

# What dxtbx, which only the system's Python may have, says of both files: the middle of every pixel.
DXTBX = """
import sys, json, numpy as np
from dxtbx.model.experiment_list import ExperimentListFactory
from dxtbx.format.Registry import get_format_class_for_file
def places(detector):
    px = lambda panel: panel.get_pixel_size()
    return [[panel.get_lab_coord(((f + .5) * px(panel)[0], (s + .5) * px(panel)[1]))
             for s in range(panel.get_image_size()[1]) for f in range(panel.get_image_size()[0])]
            for panel in detector]
expt = ExperimentListFactory.from_json_file("out.expt", check_format=False)[0].detector
image = get_format_class_for_file("out.nxs").get_instance("out.nxs")
data = [np.array(panel).reshape(panel.all()).tolist() for panel in image.get_raw_data(0)]
json.dump({"expt": places(expt), "nxmx": places(image.get_detector(0)), "data": data}, sys.stdout)
"""


def panels() -> list[dict[str, object]]:
    found = []
    for index in range(8):
        row, column = divmod(index, 2)
        tilt = math.radians(3 * (row - 1.5))
        found.append(
            {
                "name": f"q{index}",
                "fast_axis": [math.cos(tilt), 0, -math.sin(tilt)],
                "slow_axis": [0, -1, 0],
                "origin": [-52 + 53 * column, 50 - 28 * row, -100 - row],
                "image_size": [FAST, SLOW],
                "pixel_size": [PIXEL_MM, PIXEL_MM],
                "trusted_range": [-1, 65000],
                "thickness": 0.32,
                "mu": 3.2,
            }
        )
    return found


def expected() -> np.ndarray:
    """The middle of every pixel in mm, [panel][slow][fast][3]."""
    fast = (np.arange(FAST) + 0.5) * PIXEL_MM
    slow = (np.arange(SLOW) + 0.5) * PIXEL_MM
    places = [
        np.array(panel["origin"])
        + fast[None, :, None] * np.array(panel["fast_axis"])
        + slow[:, None, None] * np.array(panel["slow_axis"])
        for panel in panels()
    ]
    return np.stack(places)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> np.ndarray:
    """The photons of a run that wrote its files, [panel][slow][fast]."""
    monkeypatch.chdir(tmp_path)
    experiment = {
        "__id__": "ExperimentList",
        "experiment": [{"beam": 0, "detector": 0}],
        "beam": [{"direction": [0, 0, 1], "wavelength": 1.1}],
        "detector": [{"panels": panels()}],
    }
    Path("in.expt").write_text(json.dumps(experiment))
    run(*LINE)
    return np.fromfile("photons.bin", "<f4").reshape(8, SLOW, FAST)


def test_nxmx_has_a_module_for_every_panel(written: np.ndarray) -> None:
    with h5py.File("out.nxs") as file:
        counts = file["entry/data/data"][0]
        assert counts.shape == (8 * SLOW, FAST)
        (detector,) = nxmx.NXmx(file).entries[0].instruments[0].detectors
        assert len(detector.modules) == 8
        for index, module in enumerate(detector.modules):
            assert list(module.data_origin) == [index * SLOW, 0]
            assert list(module.data_size) == [SLOW, FAST]
        scale = 55000 / written.max()
        difference = np.abs(counts.reshape(written.shape) - (written * scale + 40))
        assert difference.max() <= 0.51


def test_every_pixel_is_where_it_was_for_dxtbx(written: np.ndarray, dxtbx: object) -> None:
    read = subprocess.run(
        ["/usr/bin/python3", "-c", DXTBX], capture_output=True, text=True, check=True
    )
    found = json.loads(read.stdout)
    for name in ("expt", "nxmx"):
        places = np.array(found[name]).reshape(8, SLOW, FAST, 3)
        assert np.abs(places - expected()).max() < SAME_MM, name
    data = np.array(found["data"])
    assert data.shape == written.shape
    brightest = np.unravel_index(written.argmax(), written.shape)
    assert data[brightest] == data.max()
