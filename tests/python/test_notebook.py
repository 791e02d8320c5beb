"""What notebooks and terminals show: an experiment, the progress of a run, an explorer."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import matplotlib.image
import numpy as np
import pytest

import nanobragg

SMALL = "-detpixels 40 -pixel 1 -distance 60 -cell 50 60 70 -default_F 10 -N 4 -oversample 1 -seed 1 -fluence 1e26"
LARGE = (
    "-cell 50 60 70 -default_F 10 -N 40 -oversample 3 -seed 1 -fluence 1e28 -mosaic 0.2 -mosaic_domains 60 -misset 10 20 30"
    " -lambda 1"
)

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def pixels(png: bytes | None) -> Any:
    assert png is not None
    return matplotlib.image.imread(io.BytesIO(png), format="png")


def test_a_small_image_is_rendered_for_its_picture() -> None:
    experiment = nanobragg.Experiment(SMALL)
    picture = pixels(experiment._repr_png_())
    image = nanobragg.render(experiment)
    assert picture.shape == image.shape
    # More photons are darker, and what is dark is what is bright.
    order = np.argsort(image, axis=None)
    assert (np.diff(picture.ravel()[order]) <= 0).all() and picture.min() < 0.1
    html = experiment._repr_html_()
    for said in ("50 60 70 90 90 90", "4 &times; 4 &times; 4", "1 &Aring; (12.398 keV)", "60 mm", "40 &times; 40 pixels of 1 mm"):
        assert said in html
    assert "photons" in html and "data:image/png;base64," in html


def test_the_picture_of_a_long_run_has_the_reflections_of_the_truth_table() -> None:
    experiment = nanobragg.Experiment(LARGE, detpixels=200, pixel=0.4, distance=80)
    assert "not rendered" in experiment._repr_html_()
    dark = pixels(experiment._repr_png_()) < 1
    table = nanobragg.truth(experiment)
    bright = table["photons"] > 0.05 * table["photons"].max()
    places = np.stack([table["slow_px"], table["fast_px"]], axis=1).astype(int)
    # Spots of a large crystal with little mosaicity are where they are drawn, within two pixels.
    near = [dark[max(0, slow - 2) : slow + 3, max(0, fast - 2) : fast + 3].any() for slow, fast in places[bright]]
    assert bright.sum() > 10 and np.mean(near) > 0.9
    lit = [np.abs(places - at).max(axis=1).min() <= 3 for at in np.argwhere(dark)]
    assert np.mean(lit) > 0.9


@pytest.mark.parametrize("detector", ["eiger16m", "jungfrau4m"])
def test_pictures_of_large_detectors_are_small(detector: str) -> None:
    experiment = nanobragg.Experiment(LARGE, detector=detector, distance=150)
    shape = pixels(experiment._repr_png_()).shape
    assert 200 < max(shape) <= 320
    assert "pixels of 0.075 mm" in experiment._repr_html_()


def test_an_experiment_without_a_crystal_is_shown() -> None:
    html = nanobragg.Experiment(background="water:1mm", detpixels=64)._repr_html_()
    assert "photons, on a logarithmic scale" in html and ">none</td>" in html and "thousandth" not in html


def test_a_function_hears_of_progress_to_the_end() -> None:
    experiment = nanobragg.Experiment(SMALL, detpixels=300, oversample=4)
    told: list[tuple[int, int]] = []
    image = nanobragg.render(experiment, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (300, 300)
    assert told == sorted(set(told)) and {total for _, total in told} == {300}
    np.testing.assert_array_equal(image, nanobragg.render(experiment, progress=False))
    with pytest.raises(TypeError, match="progress is True, False or a function"):
        nanobragg.render(experiment, progress=3)  # type: ignore[arg-type]


def test_what_a_function_raises_ends_the_run() -> None:
    def stop(done: int, total: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        raise LookupError(f"{done} of {total}")

    # Hours of work.
    endless = nanobragg.Experiment("-detpixels 4000 -cell 100 -default_F 100 -N 50 -oversample 20")
    with pytest.raises(LookupError, match="of 4000"):
        nanobragg.render(endless, progress=stop)


def child(code: str, before: str = "") -> "subprocess.Popen[str]":
    script = f"{before}\nimport nanobragg\nexperiment = nanobragg.Experiment({SMALL!r})\n{code}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_a_bar_is_shown_with_tqdm_and_a_line_without(has_tqdm: bool) -> None:
    before = "" if has_tqdm else "import sys; sys.modules['tqdm'] = sys.modules['tqdm.auto'] = None"
    shown = child("nanobragg.render(experiment, progress=True)", before).communicate(timeout=120)[1]
    if has_tqdm:
        assert "40/40 [" in shown and "row/s" in shown
    else:
        assert shown == "100 %: 40 of 40 rows\n"
    code = "list(nanobragg.images([experiment.shot(n) for n in (1, 2, 3)], progress=True, threads=1))"
    shown = child(code, before).communicate(timeout=120)[1]
    assert ("3/3 [" if has_tqdm else "100 %: 3 of 3 images\n") in shown


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_ctrl_c_ends_a_run_that_tells_its_progress() -> None:
    run = child(
        "def tell(done, total): print(done, flush=True)\n"
        "try: nanobragg.render(experiment.replace(detpixels=4000, oversample=40, N=50), progress=tell)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    assert run.stdout is not None
    assert int(run.stdout.readline()) > 0
    run.send_signal(signal.SIGINT)
    out, error = run.communicate(timeout=120)
    assert out.endswith("interrupted\n") and not error


def test_images_of_a_series_come_one_by_one() -> None:
    base = nanobragg.Experiment(SMALL)
    told: list[tuple[int, int]] = []
    shots = (base.shot(number) for number in range(1, 4))
    found = list(nanobragg.images(shots, progress=lambda *counts: told.append(counts), threads=1))
    assert told == [(1, 0), (2, 0), (3, 0)]
    for number, image in enumerate(found, start=1):
        np.testing.assert_array_equal(image, nanobragg.render(base.shot(number)))


def test_a_refinement_tells_its_stages() -> None:
    experiment = nanobragg.Experiment(SMALL)
    target = nanobragg.render(experiment)
    told: list[tuple[int, int]] = []
    start = experiment.with_values({"distance": 60.05})
    nanobragg.refine(start, target, ["distance"], progress=lambda *counts: told.append(counts))
    dones = [done for done, _ in told]
    assert dones == sorted(dones) and told[-1][0] == told[-1][1] > 0


@pytest.fixture
def explorer() -> Any:
    pytest.importorskip("ipywidgets")
    return nanobragg.explore(nanobragg.Experiment(SMALL, mosaic=0.5, mosaic_domains=4), side=64)


def test_an_explorer_follows_its_sliders(explorer: Any) -> None:
    first = explorer.picture.value
    assert (pixels(first) == pixels(nanobragg.Experiment(SMALL, mosaic=0.5, mosaic_domains=4)._repr_png_())).all()
    values: dict[str, tuple[float, Callable[[nanobragg.Experiment], float]]] = {
        "misset_x": (5.0, lambda one: one.value("misset_x")),
        "distance": (90.0, lambda one: one.geometry["distance_mm"]),
        "wavelength": (1.2, lambda one: one.beam["wavelength_angstrom"]),
        "mosaic_spread": (1.5, lambda one: one.value("mosaic_spread")),
        "size": (7, lambda one: one.crystal["cells"][0]),
    }
    for name, (value, found) in values.items():
        before = explorer.picture.value
        explorer.sliders[name].value = value
        assert explorer.picture.value != before, name
        assert found(explorer.experiment) == pytest.approx(value)
    for name, slider in explorer.sliders.items():
        slider.value = explorer._initial[name]
    assert explorer.picture.value == first
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()


def test_an_explorer_tells_what_cannot_be(explorer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = explorer.picture.value
    explorer.sliders["wavelength"].min = -10
    explorer.sliders["wavelength"].value = -5
    assert explorer.message.value and "reflections" not in explorer.message.value
    assert explorer.picture.value == before
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match="pip install ipywidgets"):
        nanobragg.explore(explorer.experiment)
