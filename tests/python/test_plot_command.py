"""Rings of `nanoBragg plot`, against a geometry that is worked out here from the flags."""

import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run
from test_dxtbx import COMMON, FAST, PIXEL_MM, SLOW, WAVELENGTH, placed

D_ANGSTROM = 3.5
RING = "#005AAA"
SVG = "{http://www.w3.org/2000/svg}"


def ring_of(figure: Path) -> Any:
    """The points of rings in pixels from the outer corner of the first pixel, shape [point][fast, slow]."""
    root = xml.parse(figure).getroot()
    image = root.find(f"{SVG}image")
    assert image is not None
    x, y, width, height = (float(image.attrib[key]) for key in ("x", "y", "width", "height"))
    lines = [line for line in root.iter(f"{SVG}polyline") if line.attrib["stroke"] == RING]
    # The cross in the beam has a width of its own.
    rings = [line.attrib["points"].split() for line in lines if "stroke-width" not in line.attrib]
    points = np.array([[float(at) for at in point.split(",")] for line in rings for point in line])
    return (points - [x, y]) / [width / FAST, height / SLOW]


@pytest.mark.parametrize("turn", ["plain", "rotated", "all"])
@pytest.mark.parametrize("convention", ["mosflm", "adxv", "xds", "custom"])
def test_rings_are_where_braggs_law_puts_them(
    convention: str, turn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    flags, (corner, fast, slow) = placed(convention, turn)
    files = ["-noisefile", "a.img", "-cbffile", "a.cbf", "-nexusfile", "a.nxs", "-exptfile", "a.expt"]
    files += ["-save-experiment", "a.toml"]
    assert run(*COMMON, *flags, *files).returncode == 0
    bare = "floatimage.bin"
    for words in (["a.img"], ["a.cbf"], ["a.nxs"], [bare, "-expt", "a.expt"], [bare, "-experiment", "a.toml"]):
        done = run("plot", *words, "-rings", str(D_ANGSTROM), "-o", "ring.svg")
        assert done.returncode == 0, done.stderr
        ring = ring_of(tmp_path / "ring.svg")
        assert len(ring) > 50
        at = corner + PIXEL_MM * (ring[:, :1] * fast + ring[:, 1:] * slow)
        # The beam goes along -z in the laboratory of dxtbx.
        two_theta = np.arccos(-at[:, 2] / np.linalg.norm(at, axis=1))
        d = WAVELENGTH / (2 * np.sin(two_theta / 2))
        # Headers have six digits, and the frame of the picture has sides of whole units of the figure.
        assert np.abs(d / D_ANGSTROM - 1).max() < 2e-3, (words, d.min(), d.max())
