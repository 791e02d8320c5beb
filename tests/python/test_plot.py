"""Pictures with matplotlib: what is drawn is where physics and other programs put it."""

import subprocess
import sys
from typing import Any

import matplotlib
import numpy as np
import pytest
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

import nanobragg
from nanobragg import plot

matplotlib.use("agg")

WAVELENGTH, DISTANCE, PIXEL = 1.1, 80.0, 0.4
LINE = (
    f"-detpixels_x 120 -detpixels_y 100 -pixel {PIXEL} -distance {DISTANCE} -lambda {WAVELENGTH} -cell 40 50 60"
    " -default_F 100 -N 8 -fluence 1e28 -oversample 1 -seed 1 -misset 10 20 30"
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning"),
    pytest.mark.filterwarnings("ignore:More than 20 figures"),
]


@pytest.fixture(scope="module")
def experiment() -> nanobragg.Experiment:
    return nanobragg.Experiment(LINE)


@pytest.fixture(scope="module")
def photons(experiment: nanobragg.Experiment) -> Any:
    return nanobragg.render(experiment)


def with_gid(axes: Any, gid: str) -> list[Any]:
    return [artist for artist in [*axes.lines, *axes.texts] if artist.get_gid() == gid]


def test_rings_have_the_radius_of_braggs_law(experiment: nanobragg.Experiment) -> None:
    beam = plot.image(nanobragg.render(experiment), experiment).lines[0]
    fast, slow = np.asarray(beam.get_xydata())[0]
    beam_fast, beam_slow = experiment.geometry["beam_centre_mm"]
    assert (fast * PIXEL, slow * PIXEL) == pytest.approx((beam_fast, beam_slow))
    spacings = [2.0, 3.5, 10.0]
    for d, points in zip(spacings, plot.rings(experiment, spacings), strict=True):
        radii = np.linalg.norm(points - [fast, slow], axis=1) * PIXEL
        # lambda = 2 d sin(theta), and a flat detector across the beam.
        assert radii == pytest.approx(DISTANCE * np.tan(2 * np.arcsin(WAVELENGTH / (2 * d))), rel=1e-12)
    with pytest.raises(ValueError, match=r"0\.5 A cannot be reached"):
        plot.rings(experiment, [0.5])


def test_rings_of_a_tilted_detector_are_those_of_pyfai(experiment: nanobragg.Experiment) -> None:
    tilted = experiment.with_values({"detector_rotx": 7, "detector_roty": -11, "detector_rotz": 3})
    panel, beam = tilted.panels[0], tilted.geometry["beam"]
    fast, slow, origin = (np.array(panel[name], float) for name in ("fast", "slow", "origin_mm"))
    normal = np.cross(fast, slow) * np.sign(origin @ np.cross(fast, slow))
    foot = normal * (origin @ normal) - origin
    # In the frame slow, fast, normal, pyFAI has the beam along sin(rot2), -cos(rot2) sin(rot1), cos(rot2) cos(rot1).
    rot1, rot2 = np.arctan2(-(beam @ fast), beam @ normal), np.arcsin(beam @ slow)
    assert abs(rot1) > 0.05 and abs(rot2) > 0.05
    integrator = AzimuthalIntegrator(
        dist=(origin @ normal) / 1e3, poni1=(foot @ slow) / 1e3, poni2=(foot @ fast) / 1e3, rot1=rot1, rot2=rot2,
        pixel1=PIXEL / 1e3, pixel2=PIXEL / 1e3, wavelength=WAVELENGTH * 1e-10,
    )
    for d, points in zip([8.0, 4.0], plot.rings(tilted, [8.0, 4.0]), strict=True):
        inside = points[(points >= 1).all(axis=1) & (points <= [119, 99]).all(axis=1)]
        assert len(inside) > 50
        # Places of pyFAI are slow, fast, from the corner of the first pixel.
        theirs = integrator.tth(inside[:, 1] - 0.5, inside[:, 0] - 0.5)
        assert theirs == pytest.approx(2 * np.arcsin(WAVELENGTH / (2 * d)), rel=1e-9)


def test_an_image_is_drawn_with_rings_and_spots(experiment: nanobragg.Experiment, photons: Any) -> None:
    table = nanobragg.truth(experiment, floor=1)
    axes = plot.image(photons, experiment, rings=[3.0, 200.0], spots=table, labels=3)
    (ring,) = with_gid(axes, "ring 3")
    assert [text.get_text() for text in with_gid(axes, "d 3")] == ["3 \N{ANGSTROM SIGN}"]
    (spots,) = with_gid(axes, "spots")
    np.testing.assert_allclose(spots.get_xydata(), np.stack([table["fast_px"], table["slow_px"]], axis=1))
    brightest = table["hkl"][table["photons"].argmax()]
    assert " ".join(map(str, brightest)) in [text.get_text() for text in axes.texts]
    # The brightest pixel is in the circle of a reflection.
    slow, fast = np.unravel_index(photons.argmax(), photons.shape)
    assert np.hypot(table["fast_px"] - fast - 0.5, table["slow_px"] - slow - 0.5).min() < 2
    assert plot.image(photons, ax=axes) is axes


def test_panels_stand_where_the_beam_sees_them() -> None:
    """Panels that stand around the beam in a plane across it make the picture of one panel."""
    whole = nanobragg.Experiment(LINE)
    one = whole.panels[0]
    origin, fast, slow = (np.array(one[name], float) for name in ("origin_mm", "fast", "slow"))
    # The right half is turned by 180 degrees within the plane.
    halves = [
        {**one, "name": "left", "pixels_fast": 60},
        {**one, "name": "right", "pixels_fast": 60, "origin_mm": origin + 120 * PIXEL * fast + 100 * PIXEL * slow,
         "fast": -fast, "slow": -slow},
    ]
    for half in halves:
        half["trusted_range_counts"] = None
    pair = nanobragg.Experiment(LINE, detpixels_x=None, detpixels_y=None, pixel=None, distance=None, panels=halves,
                                beam_vector=whole.geometry["beam"])
    images = nanobragg.render(pair)
    np.testing.assert_allclose(images[1][::-1, ::-1], nanobragg.render(whole)[:, 60:], rtol=1e-4, atol=1e-3)
    table = nanobragg.truth(pair, floor=10)
    axes = plot.image(images, pair, rings=True, spots=table)
    # A pixel of each panel in the coordinates of the picture.
    for number, (x, y), expected in [(0, (10, 20), (10, 20)), (1, (10, 20), (110, 80))]:
        drawn = axes.images[number].get_transform() - axes.transData
        assert drawn.transform((x, y)) == pytest.approx(expected)
    (spots,) = with_gid(axes, "spots")
    right = table["panel"] == 1
    assert right.any() and not right.all()
    assert (spots.get_xydata()[right, 0] >= 60).all() and (spots.get_xydata()[~right, 0] <= 60).all()
    assert axes.get_xlim() == pytest.approx((0, 120)) and axes.get_ylim() == pytest.approx((100, 0))
    with pytest.raises(ValueError, match="several panels need the experiment"):
        plot.image(images)
    with pytest.raises(ValueError, match="not of the detector"):
        plot.image(images[0], pair)


@pytest.mark.parametrize("scale", ["log", "sqrt", "linear"])
def test_a_scale_has_its_function(photons: Any, scale: Any) -> None:
    norm: Any = plot.image(photons, scale=scale, vmin=1, vmax=100).images[0].norm
    parts = {"log": 0.5, "sqrt": (9 / 99) ** 0.5, "linear": 9 / 99}
    assert norm(10.0) == pytest.approx(parts[scale])
    with pytest.raises(ValueError, match="'cube' is no scale"):
        plot.image(photons, scale="cube")  # type: ignore[arg-type]


def test_an_image_without_photons_is_drawn() -> None:
    plot.image(np.zeros((4, 5), np.float32)).figure.canvas.draw()


def test_a_radial_profile_has_the_mean_of_a_ring_where_it_is(experiment: nanobragg.Experiment) -> None:
    theirs = AzimuthalIntegrator(
        dist=DISTANCE / 1e3, poni1=experiment.geometry["beam_centre_mm"][1] / 1e3,
        poni2=experiment.geometry["beam_centre_mm"][0] / 1e3, pixel1=PIXEL / 1e3, pixel2=PIXEL / 1e3,
        wavelength=WAVELENGTH * 1e-10,
    )
    inverse = theirs.center_array((100, 120), unit="q_A^-1") / (2 * np.pi)
    ring = ((inverse > 0.2) & (inverse < 0.21)).astype(np.float32) * 7
    line = plot.radial_profile(ring, experiment, bins=400).lines[0]
    at, means = np.asarray(line.get_xydata()).T
    step = at[1] - at[0]
    assert (means[(at > 0.2 + step) & (at < 0.21 - step)] == 7).all()
    assert (means[(at < 0.2 - step) | (at > 0.21 + step)] == 0).all()
    assert at.max() == pytest.approx(inverse.max(), abs=step)


def test_a_rocking_curve_has_the_width_of_the_interference_function() -> None:
    # a is nearly along the scattered beam, so that the sum over the spot follows sin(pi N x)^2 / sin(pi x)^2, where x is
    # a times the distance from the sphere, |q| cos(theta) times the angle from Bragg's. Half its height is 0.886 / N wide.
    cells, edge, order, wavelength = 20, 50.0, 8, 0.5
    theta = np.arcsin(order * wavelength / (2 * edge))
    still = nanobragg.Experiment(
        f"-detpixels 600 -pixel 0.1 -distance 300 -lambda {wavelength} -cell {edge} {edge} {edge} -default_F 100"
        f" -N {cells} -fluence 1e28 -oversample 2 -phi {np.degrees(theta)} -seed 1"
    )
    table = nanobragg.truth(still, floor=1)
    # Of the two sides, one is in Bragg's condition.
    hkl = max(
        ([0, sign * order, 0] for sign in (1, -1)),
        key=lambda hkl: table["photons"][(table["hkl"] == hkl).all(axis=1)].sum(),
    )
    curve = plot.rocking_curve(still, hkl, width_deg=1.2, steps=61).lines[0]
    angles, photons = np.asarray(curve.get_xydata()).T
    assert angles[photons.argmax()] == pytest.approx(np.degrees(theta), abs=0.021)
    above = np.flatnonzero(photons > photons.max() / 2)
    first, last = above[0], above[-1]
    rising = np.interp(photons.max() / 2, photons[first - 1 : first + 1], angles[first - 1 : first + 1])
    falling = np.interp(photons.max() / 2, photons[last : last + 2][::-1], angles[last : last + 2][::-1])
    width = 0.886 / (cells * edge * (order / edge) * np.cos(theta))
    assert np.radians(falling - rising) == pytest.approx(width, rel=0.03)
    with pytest.raises(ValueError, match="is not on the first panel"):
        plot.rocking_curve(still, (90, 0, 0))


def test_a_histogram_counts_every_pixel(photons: Any) -> None:
    axes = plot.histogram(photons, bins=10, log=False)
    (outline,) = axes.patches
    heights = np.asarray(outline.get_path().vertices)[:, 1]
    assert heights.max() == np.histogram(photons, 10)[0].max()


def test_matplotlib_is_asked_for_when_a_picture_is_drawn() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import nanobragg\n"
        "try: nanobragg.plot.histogram([[1.0]])\n"
        "except ImportError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("install it with: pip install matplotlib\n")
