"""What is in an image, against the image and the program's table."""

import csv
from pathlib import Path

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
