"""What is in an image, against the image and the program's table."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run

import nanobragg

WORDS = (
    "-detpixels 40 -pixel 1 -distance 60 -cell 50 60 70 -default_F 10 -N 5 -oversample 1 -fluence 1e24"
    " -osc 1 -phisteps 5 -mosaic 0.5 -mosaic_domains 3 -water 0 -seed 2"
)
# Photons are summed in another order than the pixels, which are of 32 bits.
ROUNDING = 1e-5
# The digits of the table.
DIGITS = {"fast_px": 5.1e-5, "slow_px": 5.1e-5, "partiality": 1e-6}

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def test_the_photons_of_the_reflections_are_those_of_the_image() -> None:
    experiment = nanobragg.Experiment(WORDS)
    found = nanobragg.truth(experiment)
    total = found["photons"].sum() + found["background_photons"] + found["left_out_photons"]
    image = nanobragg.render(experiment).astype(np.float64)
    assert total == pytest.approx(image.sum(), rel=ROUNDING)
    slow, fast = np.indices(image.shape) + 0.5
    for px, places in [(found["fast_px"], fast), (found["slow_px"], slow)]:
        assert (px * found["photons"]).sum() == pytest.approx((image * places).sum(), rel=ROUNDING)
    assert found["hkl"].dtype == np.int32 and found["hkl"].shape == (len(found["photons"]), 3)


def test_a_floor_leaves_out_the_faint() -> None:
    experiment = nanobragg.Experiment(WORDS)
    everything = nanobragg.truth(experiment, threads=1)
    floor = float(np.median(everything["photons"]))
    found = nanobragg.truth(experiment, floor=floor)
    kept = everything["photons"] >= floor
    np.testing.assert_array_equal(found["hkl"], everything["hkl"][kept])
    left_out = everything["photons"][~kept].sum()
    assert found["left_out_photons"] == pytest.approx(left_out, rel=ROUNDING)


def test_the_table_is_that_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*WORDS.split(), "-truthfile", "t.csv", "-noprogress").returncode == 0
    lines = [line for line in Path("t.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    found = nanobragg.truth(nanobragg.Experiment(WORDS))
    assert len(rows) > 100
    assert [[int(row[index]) for index in "hkl"] for row in rows] == found["hkl"].tolist()
    assert [float(row["photons"]) for row in rows] == found["photons"].tolist()
    for name, error in DIGITS.items():
        column = np.array([float(row[name]) for row in rows])
        assert np.abs(found[name] - column).max() <= error  # type: ignore[literal-required]


def test_labels_boxes_and_moments_are_those_of_images_of_single_reflections() -> None:
    # Spots of several pixels.
    words = WORDS.replace("-pixel 1", "-pixel 0.25")
    listed = nanobragg.truth(nanobragg.Experiment(words))
    strongest = np.argsort(listed["photons"])[-6:]
    hkl = listed["hkl"][strongest]
    amplitudes = np.array([3.0, 10.0] * 3)

    def only(kept: np.ndarray) -> nanobragg.Experiment:
        words_only = words.replace("-default_F 10", "-default_F 0")
        return nanobragg.Experiment(words_only, hkl=(hkl, np.where(kept, amplitudes, 0.0)))

    alone = [nanobragg.render(only(np.arange(6) == n)).astype(np.float64) for n in range(6)]
    # Half of the pixels with photons have more.
    total = np.sum(alone, axis=0)
    floor = 1.001 * float(np.quantile(total[total > 0], 0.5))
    found = nanobragg.truth(only(np.full(6, True)), pixel_floor=floor, labels=True)
    order = [hkl.tolist().index(row) for row in found["hkl"].tolist()]
    images = np.array([alone[n] for n in order])
    np.testing.assert_allclose(found["photons"], images.sum(axis=(1, 2)), rtol=ROUNDING)
    np.testing.assert_allclose(found["peak_photons"], images.max(axis=(1, 2)), rtol=ROUNDING)
    expected = np.where(images.max(axis=0) >= floor, images.argmax(axis=0) + 1, 0)
    labels = found["labels"]
    assert isinstance(labels, np.ndarray)
    assert labels.dtype == np.uint32 and (labels > 0).sum() > 20
    np.testing.assert_array_equal(labels, expected)
    slow, fast = np.indices(images[0].shape) + 0.5
    for n, image in enumerate(images):
        variance = np.average((fast - found["fast_px"][n]) ** 2, weights=image)
        assert found["variance_fast_px2"][n] == pytest.approx(variance, abs=1e-3)
        rows, columns = np.nonzero((image >= floor) | (image == image.max()))
        assert found["fast_range_px"][n].tolist() == [columns.min(), columns.max() + 1]
        assert found["slow_range_px"][n].tolist() == [rows.min(), rows.max() + 1]


def test_the_quaternion_turns_the_axes_of_the_crystal_into_the_laboratory() -> None:
    experiment = nanobragg.Experiment(WORDS, misset=[10, 20, 30], phi=25)
    found = nanobragg.truth(experiment, floor=1e30)
    for when in ("phi_0", "phi_start"):
        w, *v = found[f"quaternion_at_{when}"]  # type: ignore[literal-required]
        a, b, _ = found[f"reciprocal_at_{when}_per_angstrom"]  # type: ignore[literal-required]
        assert w >= 0 and w * w + np.dot(v, v) == pytest.approx(1)
        x, z = a / np.linalg.norm(a), np.cross(a, b) / np.linalg.norm(np.cross(a, b))
        for axis, turned in [([1, 0, 0], x), ([0, 0, 1], z)]:
            # Rodrigues' formula.
            own = np.array(axis) + 2 * w * np.cross(v, axis) + 2 * np.cross(v, np.cross(v, axis))
            np.testing.assert_allclose(own, turned, atol=1e-12)


def test_lattices_are_told_apart() -> None:
    cell = f"{WORDS} -cell 50 50 70"
    single = nanobragg.truth(nanobragg.Experiment(cell))
    assert not single["lattice"].any()
    laws = [("k,h,-l", 0.25), ("-h,-k,l", 0.25)]
    found = nanobragg.truth(nanobragg.Experiment(cell, twin=laws))
    assert np.unique(found["lattice"]).tolist() == [0, 1, 2]
    assert (np.diff(found["lattice"]) >= 0).all()
    def total(table: Any) -> float:
        names = ("photons", "background_photons", "left_out_photons")
        return sum(float(np.sum(table[name])) for name in names)

    assert total(found) == pytest.approx(total(single), rel=ROUNDING)
    halves = [found["photons"][found["lattice"] == lattice].sum() for lattice in range(3)]
    assert halves[0] == pytest.approx(2 * halves[1], rel=1e-3)
    experiment = nanobragg.Experiment(cell, twin=("k,h,-l", 0.25))
    _, by_fraction = nanobragg.jacobian(experiment, ["twin_fraction_1"])
    assert np.isfinite(by_fraction).all()
