"""The segments of XDS: as dxtbx writes them, and worked out from the formula of XDS."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run

LINE = "-default_F 10 -cell 70 80 90 -N 1 -oversample 1 -fluence 1e20 -lambda 1 -noprogress -nopgm -nonoise".split()

# The XDS.INP that dxtbx writes of an NXmx file, whose panels stand one below the other. All panels have the axes
# of the first here, and so has the detector: dxtbx takes the half pixel of ORGX for that of SEGMENT_ORGX.
TO_XDS = """
import sys
from types import SimpleNamespace
from dxtbx.model import Detector
from dxtbx.model.experiment_list import ExperimentListFactory
from scitbx import matrix
from dxtbx.serialize import xds
# It knows the names of detectors of a few sizes.
xds.detector_helpers_types = SimpleNamespace(get=lambda *_: "pilatus-6M")
sweep = ExperimentListFactory.from_filenames([sys.argv[1]])[0].imageset
detector, first = Detector(), sweep.get_detector()[0]
axes = [matrix.col(v) for v in (first.get_fast_axis(), first.get_slow_axis(), first.get_normal())]
corner = matrix.col(first.get_origin())
root, row = detector.hierarchy(), 0
root.set_local_frame(*axes[:2], corner)
for panel in sweep.get_detector():
    there = root.add_panel(panel)
    step = matrix.col(panel.get_origin()) - corner
    there.set_local_frame((1, 0, 0), (0, 1, 0), tuple(step.dot(axis) for axis in axes))
    there.set_raw_image_offset((0, row))
    row += panel.get_image_size()[1]
sweep.set_detector(detector)
print(xds.to_xds(sweep).XDS_INP(1, (70, 0, 0), (0, 80, 0), (0, 0, 90)))
"""


# The XPARM.XDS that dxtbx writes of an ExperimentList with a crystal.
TO_XPARM = """
import sys
from types import SimpleNamespace
from dxtbx.model.experiment_list import ExperimentListFactory
from dxtbx.serialize import xds
xds.detector_helpers_types = SimpleNamespace(get=lambda *_: "pilatus-6M")
one = ExperimentListFactory.from_json_file(sys.argv[1], check_format=False)[0]
models = {f"get_{name}": lambda name=name: getattr(one, name) for name in ("beam", "detector", "goniometer", "scan")}
to = xds.to_xds(SimpleNamespace(**models))
print(to.xparm_xds(*one.crystal.get_real_space_vectors(), 19), end="")
"""


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)

    def render(*flags: object) -> None:
        done = run(*LINE, "-roi", 0, 3, 0, 3, *flags, "-intfile", "/dev/null", "-floatfile", "/dev/null")
        assert done.returncode == 0, done.stderr

    return render


def panels(path: str) -> Any:
    """Corner, fast and slow of each panel of an .expt, and its pixels and their edge."""
    (detector,) = json.loads(Path(path).read_text())["detector"]
    return [
        (*(np.array(panel[name]) for name in ("origin", "fast_axis", "slow_axis", "image_size")), panel["pixel_size"][0])
        for panel in detector["panels"]
    ]


def test_segments_are_where_the_formula_of_xds_puts_them(render: Callable[..., None]) -> None:
    turned = ["-detector_rotx", 3, "-detector_roty", -5, "-detector_rotz", 7, "-twotheta", 4]
    render("-detector", "agipd1m", "-distance", 150, *turned, "-xdsfile", "XDS.INP", "-exptfile", "a.expt")
    words: list[tuple[str, list[float]]] = []
    for line in Path("XDS.INP").read_text().splitlines():
        keyword, _, values = line.partition("= ")
        if not line.startswith(("!", "JOB", "DETECTOR=")):
            words.append((keyword, [float(value) for value in values.split()]))
    given = dict(words)
    (qx,), (nx,), (ny,) = given["QX"], given["NX"], given["NY"]
    assert [nx, ny] == [128, 128 * 64]
    x, y = (np.array(given[f"DIRECTION_OF_DETECTOR_{axis}-AXIS"]) for axis in "XY")
    frame = np.array([x, y, np.cross(x, y)]).T
    origin = frame @ [-given["ORGX"][0] * qx, -given["ORGY"][0] * qx, given["DETECTOR_DISTANCE"][0]]
    starts = [at for at, (keyword, _) in enumerate(words) if keyword == "SEGMENT"]
    places = panels("a.expt")
    assert len(starts) == len(places) == 128
    for start, (corner, fast, slow, size, edge) in zip(starts, places, strict=True):
        segment = dict(words[start : start + 6])
        x1, x2, y1, y2 = segment["SEGMENT"]
        assert [x2 - x1 + 1, y2 - y1 + 1] == list(size)
        xs, ys = (np.array(segment[f"DIRECTION_OF_SEGMENT_{axis}-AXIS"]) for axis in "XY")
        for ix, iy in ((x1, y1), (x2, y1), (x1, y2)):
            along = (ix - segment["SEGMENT_ORGX"][0]) * qx * xs + (iy - segment["SEGMENT_ORGY"][0]) * qx * ys
            along += segment["SEGMENT_DISTANCE"][0] * np.cross(xs, ys)
            # The laboratory of XDS is that of dxtbx after half a turn about x.
            found = (origin + frame @ along) * [1, -1, -1]
            truth = corner + (ix - x1 + 0.5) * edge * fast + (iy - y1 + 0.5) * edge * slow
            assert np.abs(found - truth).max() < 1e-6


def test_segments_of_dxtbx_are_read(render: Callable[..., None], dxtbx: object) -> None:
    render("-detector", "jungfrau4m", "-distance", 150, "-nexusfile", "a.nxs", "-exptfile", "a.expt")
    done = subprocess.run(["/usr/bin/python3", "-c", TO_XDS, "a.nxs"], capture_output=True, text=True, check=True)
    Path("theirs.inp").write_text(done.stdout)
    assert done.stdout.count("SEGMENT= ") == 64
    render("-xdsinp", "theirs.inp", "-exptfile", "back.expt")
    for one, two in zip(panels("a.expt"), panels("back.expt"), strict=True):
        for f, s in ((0, 0), (256, 0), (0, 256)):
            here, there = (p[0] + p[4] * (f * p[1] + s * p[2]) for p in (one, two))
            # dxtbx writes hundredths of a pixel.
            assert np.abs(here - there).max() < 0.02 * 0.075


def test_an_xparm_of_dxtbx_is_read(render: Callable[..., None], run: Run, dxtbx: object) -> None:
    turned = ["-detector_rotx", 3, "-detector_roty", -5, "-detector_rotz", 7, "-twotheta", 4]
    detector = ["-detpixels_x", 481, "-detpixels_y", 199, "-pixel", 0.15, "-distance", 130]
    render(*detector, *turned, "-misset", 10, 20, 30, "-phi", 5, "-osc", 0.5, "-lambda", 0.95, "-exptfile", "a.expt")
    done = subprocess.run(["/usr/bin/python3", "-c", TO_XPARM, "a.expt"], capture_output=True, text=True, check=True)
    Path("GXPARM.XDS").write_text(done.stdout)
    # Without a cell and a wavelength of its own.
    again = run("-xdsinp", "GXPARM.XDS", "-default_F", 10, "-N", 1, "-roi", 0, 3, 0, 3, "-nodefaultfiles", "-exptfile", "back.expt")
    assert again.returncode == 0, again.stderr
    before, after = (json.loads(Path(name).read_text()) for name in ("a.expt", "back.expt"))
    # dxtbx turns everything, so that fast is x and slow is y. What stays are lengths and angles.
    corner, whole, angle = 5e-4, 2e-6, 2e-5
    told = []
    for name in ("a.expt", "back.expt"):
        said = json.loads(Path(name).read_text())
        (own,) = panels(name)
        crystal = [said["crystal"][0][f"real_space_{axis}"] for axis in "abc"]
        frame = np.array([own[1], own[2], np.cross(own[1], own[2])])
        told.append(
            [
                frame @ own[0],
                frame @ said["beam"][0]["direction"],
                frame @ said["goniometer"][0]["rotation_axis"],
                frame @ np.transpose(crystal),
            ]
        )
        assert own[3].tolist() == [481, 199]
    for ours, back, error in zip(*told, (corner, whole, whole, angle), strict=True):
        # Six decimals of pixels and axes, and of the cell four.
        assert np.abs(ours - back).max() < error, (ours, back)
    assert after["beam"][0]["wavelength"] == pytest.approx(0.95, abs=1e-6)
    assert before["scan"][0]["oscillation"] == pytest.approx(after["scan"][0]["oscillation"])
