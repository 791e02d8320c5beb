"""Experiments fitted to images."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nanobragg

rng = np.random.default_rng(4)
INDICES = rng.integers(-12, 13, (3000, 3))
TRUE = nanobragg.Experiment(
    "-cell 50 60 70 -misset 10 20 30 -N 5 -detpixels 48 -pixel 1 -distance 60 -oversample 1 -fluence 1e27 -seed 3",
    hkl=(INDICES, rng.uniform(20, 200, len(INDICES))),
)
NAMES = ["cell_a", "misset_x", "misset_z"]
OFF = {"cell_a": 50.05, "misset_x": 10.05, "misset_z": 29.95}
# Of the value, where nothing but the 32 bits of a pixel scatter.
EXACT = 1e-5
# So many standard uncertainties are exceeded once in ten thousand.
FAR = 4.0

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def test_photons_without_noise_lead_back_to_the_truth() -> None:
    found = nanobragg.refine(TRUE.with_values(OFF), nanobragg.render(TRUE), NAMES, schedule="final")
    assert found["converged"] and found["names"] == NAMES
    for name, estimate in zip(NAMES, found["estimates"]):
        assert estimate == pytest.approx(TRUE.value(name), rel=EXACT)
        assert found["values"][name] == estimate == found["experiment"].value(name)
    correlations = found["correlations"]
    np.testing.assert_array_equal(correlations, correlations.T)
    np.testing.assert_array_equal(np.diag(correlations), 1)


def test_counts_lead_back_within_their_uncertainties() -> None:
    counts = nanobragg.add_noise(nanobragg.render(TRUE), TRUE)
    found = nanobragg.refine(TRUE.with_values(OFF), counts, NAMES, schedule="final")
    true = np.array([TRUE.value(name) for name in NAMES])
    assert found["converged"] and np.all(found["uncertainties"] > 0)
    assert np.all(np.abs(found["estimates"] - true) < FAR * found["uncertainties"])
    assert found["goodness"] < 1.5
    half = np.arange(counts.size).reshape(counts.shape) % 2
    masked = nanobragg.refine(TRUE.with_values(OFF), counts, NAMES, schedule="final", mask=half)
    assert masked["pixels"] * 2 == pytest.approx(found["pixels"], rel=0.05)


def test_counts_are_not_mistaken_for_photons(tmp_path: Path) -> None:
    counts = nanobragg.add_noise(nanobragg.render(TRUE), TRUE)
    path = tmp_path / "a.img"
    nanobragg.write_image(path, counts, TRUE)
    start = TRUE.replace(fluence=0.8e27)
    read = nanobragg.read_image(path)
    found = nanobragg.refine(start, counts, ["fluence"])
    assert abs(found["estimates"][0] - 1e27) < FAR * found["uncertainties"][0]
    for target in (path, str(path), read):
        assert nanobragg.refine(start, target, ["fluence"])["values"] == found["values"]
    floats = read.astype(np.float32)
    with pytest.raises(nanobragg.UsageError, match="units="):
        nanobragg.refine(start, floats, ["fluence"])
    assert nanobragg.refine(start, floats, ["fluence"], units="counts")["values"] == found["values"]
    mistaken = nanobragg.refine(start, floats, ["fluence"], units="photons")
    assert not mistaken["explained_by_noise"] and not mistaken["converged"]
    with pytest.raises(nanobragg.UsageError, match="no units"):
        nanobragg.refine(start, floats, ["fluence"], units="electrons")  # type: ignore[arg-type]


def test_gaps_of_a_target_do_not_count(tmp_path: Path) -> None:
    counts = np.array(nanobragg.add_noise(nanobragg.render(TRUE), TRUE))
    gaps = np.zeros(counts.shape, bool)
    gaps[::7] = True
    counts[gaps] = -1
    start = TRUE.replace(fluence=0.8e27)
    found = nanobragg.refine(start, counts, ["fluence"])
    assert found["pixels"] <= (~gaps).sum() and found["converged"]
    assert abs(found["estimates"][0] - 1e27) < FAR * found["uncertainties"][0]
    np.save(tmp_path / "mask.npy", ~gaps)
    again = nanobragg.refine(start, np.abs(counts), ["fluence"], mask=tmp_path / "mask.npy")
    assert again["values"] == found["values"]


def test_what_cannot_be_refined_is_refused() -> None:
    image = nanobragg.render(TRUE)
    with pytest.raises(nanobragg.UsageError, match="cel is nothing that can be refined"):
        nanobragg.refine(TRUE, image, ["cel"])
    with pytest.raises(nanobragg.UsageError, match="nothing to refine"):
        nanobragg.refine(TRUE, image, [])
    with pytest.raises(nanobragg.UsageError, match='"often" is no schedule'):
        nanobragg.refine(TRUE, image, NAMES, schedule="often")  # type: ignore[arg-type]
    with pytest.raises(nanobragg.RunError, match="4 x 3 pixels .*, the other 48 x 48"):
        nanobragg.refine(TRUE, np.zeros((3, 4)), NAMES)
    with pytest.raises(nanobragg.RunError, match="hold no photons"):
        nanobragg.refine(TRUE, np.zeros(TRUE.shape), NAMES)


def test_the_example_of_random_starts_leads_back(request: pytest.FixtureRequest) -> None:
    program = request.config.getoption("--program")
    if program is None:
        pytest.skip("no program named")
    script = Path(__file__).resolve().parents[2] / "examples" / "lysozyme" / "ten_starts.py"
    done = subprocess.run([sys.executable, script, program, "--starts", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("start  1:")


def test_stills_share_a_cell_and_have_their_own_orientations() -> None:
    true = [TRUE, TRUE.replace(misset=(12, -15, 40))]
    counts = [nanobragg.add_noise(nanobragg.render(one), one) for one in true]
    starts = [one.with_values({"cell_a": 50.05, "misset_x": one.value("misset_x") + 0.05}) for one in true]
    found = nanobragg.refine(starts, counts, ["cell_a"], per_image=["misset_x", "fluence"], schedule="final")
    assert found["names"] == ["cell_a", "misset_x#1", "fluence#1", "misset_x#2", "fluence#2"]
    assert found["converged"] and len(found["experiments"]) == len(found["image_goodness"]) == 2
    values = np.array([50, 10, 1e27, 12, 1e27])
    assert np.all(np.abs(found["estimates"] - values) < FAR * found["uncertainties"])
    for refined, estimate in zip(found["experiments"], found["estimates"][[1, 3]]):
        assert refined.value("cell_a") == pytest.approx(found["estimates"][0], rel=1e-12)
        assert refined.value("misset_x") == pytest.approx(estimate, rel=1e-12)
    alone = nanobragg.refine(starts[:1], counts[:1], ["cell_a"], per_image=["misset_x", "fluence"], schedule="final")
    assert alone["uncertainties"][0] > found["uncertainties"][0]
    with pytest.raises(nanobragg.UsageError, match="2 experiments and 1 targets"):
        nanobragg.refine(starts, counts[:1])
