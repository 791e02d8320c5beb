"""Experiments out of files, dicts and arrays, and detectors of several panels."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CASES, golden_photons

import nanobragg

SMALL = (
    "-detpixels_x 20 -detpixels_y 12 -pixel 1 -distance 50 -cell 50 60 70 80 90 100 -default_F 10 -N 3"
    " -oversample 1 -seed 7"
)
# A panel that is put where flags put it is there to the last bits of its corner.
ROUNDING = 1e-6

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


@dataclass
class Panel:
    """A panel of somebody else's."""

    origin_mm: Any
    fast: Any
    slow: Any
    pixels_fast: int
    pixels_slow: int
    pixel_size_mm: float


def row(*widths: int) -> list[dict[str, Any]]:
    """Panels side by side, 50 mm from the sample, of the same height and these widths in pixels."""
    starts = np.cumsum([0, *widths]) - sum(widths) / 2
    return [
        {
            "name": f"p{index}",
            "origin_mm": [50, 6, starts[index]],
            "fast": [0, 0, 1],
            "slow": [0, -1, 0],
            "pixels_fast": width,
            "pixels_slow": 12,
            "pixel_size_mm": 1.0,
        }
        for index, width in enumerate(widths)
    ]


def on(panels: list[Any], **flags: Any) -> nanobragg.Experiment:
    return nanobragg.Experiment(
        "-cell 50 60 70 80 90 100 -default_F 10 -N 3 -oversample 1 -seed 7 -fluence 1e26",
        panels=panels,
        **flags,
    )


def same(a: nanobragg.Experiment, b: nanobragg.Experiment) -> None:
    assert nanobragg.render(a).tobytes() == nanobragg.render(b).tobytes()
    assert a.seed == b.seed


def test_a_dict_of_every_golden_case_gives_its_image(inputs: Path) -> None:
    for name in ("comprehensive", "matrix_hkl", "mosaic", "cell_hkl"):
        tree = nanobragg.Experiment(CASES[name]).to_dict()
        again = nanobragg.Experiment.from_dict(tree)
        assert nanobragg.render(again).tobytes() == golden_photons(name).tobytes(), name
        assert again.to_dict() == tree
        assert pickle.loads(pickle.dumps(again)).to_dict()["detector"] == tree["detector"]


def test_a_dict_may_be_short_and_flags_are_laid_over_it() -> None:
    tree = {
        "detector": {"pixels_fast": 20, "pixels_slow": np.int64(12), "pixel_size_mm": 1, "distance_mm": 50},
        "crystal": {"cell": {"lengths_angstrom": np.array([50, 60, 70]), "angles_deg": (80, 90, 100)}, "cells": [3] * 3},
        "structure_factors": {"default_f": 10},
        "sampling": {"oversample": 1},
        "noise_seed": 7,
    }
    experiment = nanobragg.Experiment.from_dict(tree)
    same(experiment, nanobragg.Experiment(SMALL))
    same(experiment.replace(distance=60), nanobragg.Experiment(SMALL, distance=60))
    same(nanobragg.Experiment.from_dict(tree, distance=60), nanobragg.Experiment(SMALL, distance=60))
    assert repr(experiment).startswith("Experiment.from_dict({...}, ")


def test_what_is_no_experiment_is_refused_by_its_field(tmp_path: Path) -> None:
    with pytest.raises(nanobragg.UsageError, match="detector.distanze_mm is not a field; did you mean distance_mm"):
        nanobragg.Experiment.from_dict({"detector": {"distanze_mm": 70}})
    path = tmp_path / "a.toml"
    path.write_text("[detector]\ndistance_mm = 'far'\n")
    with pytest.raises(nanobragg.FileError, match=r"a\.toml:2: detector\.distance_mm"):
        nanobragg.Experiment.from_file(path)
    with pytest.raises(nanobragg.UsageError, match="NaN is no finite number"):
        nanobragg.Experiment.from_dict({"water_um": float("nan")})


def test_a_file_is_read_from_its_folder(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("deeper").mkdir()
    text = "noise_seed = 3\nstructure_factors = { hkl = '../P1.hkl' }\ncrystal = { cell = { lengths_angstrom = [50, 60, 70], angles_deg = [90, 90, 90] } }\n"
    Path("deeper/a.toml").write_text(text + "detector = { pixels_fast = 8, pixels_slow = 8 }\n")
    monkeypatch.chdir("deeper")
    experiment = nanobragg.Experiment.from_file("a.toml", distance=60)
    assert (experiment.seed, experiment.geometry["distance_mm"]) == (3, 60)
    assert experiment.words[:2] == ["-experiment", "a.toml"]
    monkeypatch.chdir("..")
    same(pickle.loads(pickle.dumps(experiment)), experiment)


def test_arrays_are_in_the_dict_and_come_back() -> None:
    rng = np.random.default_rng(1)
    reflections = (rng.integers(-9, 9, (500, 3)), rng.uniform(1, 100, 500))
    used = rng.random((12, 20)) < 0.5
    sources = np.array([[-10, 0, 0, 1, 1.0e-10], [-10, 0.02, 0.01, 0.2, 1.1e-10]])
    experiment = nanobragg.Experiment(SMALL, structure_factors=reflections, mask=used, sources=sources)
    tree = experiment.to_dict()
    np.testing.assert_array_equal(tree["mask"], used)
    assert len(tree["beam"]["sources"]["list"]) == 2
    same(nanobragg.Experiment.from_dict(tree), experiment)
    same(pickle.loads(pickle.dumps(experiment)), experiment)
    same(pickle.loads(pickle.dumps(nanobragg.Experiment.from_dict(tree))), experiment)
    same(nanobragg.Experiment(SMALL, structure_factors=experiment.structure_factors, mask=used, sources=sources), experiment)


def test_sources_may_be_an_array_or_dicts(tmp_path: Path) -> None:
    rows = [[-10, 0, 0, 1, 1.0e-10], [-10, 0.02, 0.01, 0.2, 1.1e-10], [-1, 0, 0, 3, 0.9e-10]]
    path = tmp_path / "sources.txt"
    np.savetxt(path, rows)
    of_file = nanobragg.Experiment(SMALL, sourcefile=path)
    same(nanobragg.Experiment(SMALL, sources=np.array(rows)), of_file)
    dicts = [{"position_m": row[:3], "weight": row[3], "wavelength_angstrom": f"{row[4]!r} m"} for row in rows]
    same(nanobragg.Experiment(SMALL, sources=dicts), of_file)
    same(of_file.replace(sources=rows[:1]).replace(sourcefile=str(path), sources=None), of_file)
    with pytest.raises(nanobragg.UsageError, match="sources: rows of 3 numbers"):
        nanobragg.Experiment(SMALL, sources=np.ones((2, 3)))


def test_structure_factors_may_be_a_box() -> None:
    box = np.random.default_rng(2).uniform(1, 50, (4, 5, 6))
    indices = np.argwhere(np.ones_like(box)) + (-1, 0, 2)
    listed = nanobragg.Experiment(SMALL, hkl=(indices, box.ravel()))
    same(nanobragg.Experiment(SMALL, structure_factors=((-1, 0, 2), box)), listed)


def test_one_panel_is_where_flags_put_it() -> None:
    of_flags = nanobragg.Experiment(SMALL, detector_roty=10)
    of_panel = nanobragg.Experiment(
        "-cell 50 60 70 80 90 100 -default_F 10 -N 3 -oversample 1 -seed 7", panels=of_flags.panels
    )
    assert of_panel.shape == of_flags.shape == (12, 20)
    np.testing.assert_allclose(of_panel.geometry["pix0_mm"], of_flags.geometry["pix0_mm"], atol=1e-9)
    image = nanobragg.render(of_flags)
    np.testing.assert_allclose(nanobragg.render(of_panel), image, rtol=ROUNDING * 100)


def test_panels_of_one_size_are_one_array() -> None:
    panels = row(10, 10, 10)
    experiment = on(panels)
    assert experiment.shape == (3, 12, 10)
    image, figures = nanobragg.simulate(experiment)
    assert image.shape == (3, 12, 10) and image.max() == figures["max_photons"]
    whole = nanobragg.render(on(row(30)))
    np.testing.assert_allclose(np.concatenate(list(image), axis=1), whole, rtol=ROUNDING)
    for index in range(3):
        alone = nanobragg.render(on([panels[index]]))
        np.testing.assert_allclose(image[index], alone, rtol=ROUNDING)
    assert nanobragg.counts(image, experiment).shape == image.shape
    counts = nanobragg.add_noise(image, experiment)
    assert counts.dtype == np.int32 and counts.shape == image.shape
    photons, derivatives = nanobragg.jacobian(experiment, ["misset_x", "distance"])
    assert derivatives.shape == (2, 3, 12, 10)
    np.testing.assert_allclose(photons, image, rtol=1e-4)
    weights = np.random.default_rng(3).normal(size=experiment.shape)
    _, along, _ = nanobragg.vjp(experiment, weights, ["misset_x", "distance"])
    np.testing.assert_allclose(along, (derivatives * weights).sum(axis=(1, 2, 3)), rtol=1e-6)
    _, along_one = nanobragg.jvp(experiment, {"misset_x": 1.0})
    np.testing.assert_allclose(along_one, derivatives[0], rtol=1e-9, atol=1e-12)
    found = nanobragg.truth(experiment)
    for index in range(3):
        photons = found["photons"][found["panel"] == index].sum()
        assert photons == pytest.approx(image[index].sum(dtype=float), rel=1e-4)
    same(pickle.loads(pickle.dumps(experiment)), experiment)
    same(nanobragg.Experiment.from_dict(experiment.to_dict()), experiment)
    np.testing.assert_allclose(nanobragg.render(on(experiment.panels)), image, rtol=ROUNDING)


def test_panels_of_other_sizes_are_a_list() -> None:
    experiment = on(row(10, 14))
    image = nanobragg.render(experiment)
    assert isinstance(image, list)
    assert [one.shape for one in image] == [(12, 10), (12, 14)]
    np.testing.assert_allclose(
        np.concatenate(image, axis=1), nanobragg.render(on(row(24))), rtol=ROUNDING
    )
    counts = nanobragg.counts(image, experiment)
    assert [one.shape for one in counts] == [(12, 10), (12, 14)]
    _, derivatives = nanobragg.jacobian(experiment, ["misset_x", "distance"])
    assert [one.shape for one in derivatives] == [(2, 12, 10), (2, 12, 14)]
    weights = [np.ones(one.shape) for one in image]
    _, along, _ = nanobragg.vjp(experiment, weights, ["misset_x"])
    np.testing.assert_allclose(along[0], sum(one[0].sum() for one in derivatives), rtol=1e-6)
    with pytest.raises(nanobragg.RunError, match="are not of the detector"):
        nanobragg.counts(image[::-1], experiment)
    assert experiment.shape == (24, 14)


def test_panels_may_be_objects_and_move_together() -> None:
    fields = [{key: value for key, value in panel.items() if key != "name"} for panel in row(10, 10)]
    experiment = on([Panel(**panel) for panel in fields])
    same(experiment, on(fields))
    farther = experiment.replace(distance=80)
    corners = [panel["origin_mm"] for panel in farther.panels]
    np.testing.assert_allclose(corners, [[80, 6, -10], [80, 6, 0]], atol=1e-9)
    with pytest.raises(nanobragg.UsageError, match="panels: number 0: missing field `origin_mm`"):
        on([{"fast": [0, 0, 1]}])


def test_masks_are_for_all_panels_or_for_each() -> None:
    experiment = on(row(10, 10, 10))
    image = nanobragg.render(experiment)
    used = np.random.default_rng(4).random((3, 12, 10)) < 0.5
    masked = experiment.replace(mask=used)
    np.testing.assert_array_equal(nanobragg.render(masked), np.where(used, image, 0))
    np.testing.assert_array_equal(
        nanobragg.render(experiment.replace(mask=used[0])), np.where(used[0], image, 0)
    )
    same(pickle.loads(pickle.dumps(masked)), masked)
    same(nanobragg.Experiment.from_dict(masked.to_dict()), masked)
    panels = masked.describe()["panels"]
    assert [panel["region"]["mask"]["pixels_used"] for panel in panels] == used.sum(axis=(1, 2)).tolist()
    unequal = on(row(10, 14), mask=[used[0], np.ones((12, 14), bool)])
    assert (nanobragg.render(unequal)[0][~used[0]] == 0).all()
    with pytest.raises(nanobragg.RunError, match="2 masks do not fit a detector of 3 panels"):
        experiment.replace(mask=used[:2])


def test_files_hold_all_panels(tmp_path: Path) -> None:
    experiment = on(row(10, 10, 10))
    image = nanobragg.render(experiment)
    nanobragg.write_image(tmp_path / "a.bin", image)
    read = nanobragg.read_image(tmp_path / "a.bin", shape=experiment.shape)
    np.testing.assert_array_equal(read, image)
    nanobragg.write_image(tmp_path / "a.nxs", nanobragg.counts(image, experiment), experiment)
    nanobragg.write_image(tmp_path / "a.tif", image, experiment)
    for ending in ("img", "cbf"):
        with pytest.raises(nanobragg.RunError, match="describes one panel, but the detector has 3"):
            nanobragg.write_image(tmp_path / f"a.{ending}", np.zeros((3, 12, 10), int), experiment)


def test_the_tree_is_that_of_a_record() -> None:
    tree = nanobragg.Experiment(SMALL).describe()
    assert tree["detector"]["distance_m"] == 0.05
    assert tree["crystal"]["cells"] == [3, 3, 3]
    assert "panels" not in tree


def test_stacks_are_compared_panel_by_panel() -> None:
    experiment = on(row(10, 10, 10))
    image = nanobragg.render(experiment)
    found = nanobragg.compare(image, image)
    assert found["within_tolerance"] and found["largest_absolute_difference"] is None
    other = image.copy()
    other[1, 2, 3] = 2 * image.max()
    found = nanobragg.compare(image, other, tolerance=0.01)
    worst = found["largest_absolute_difference"]
    assert (worst["panel"], worst["slow"], worst["fast"]) == (1, 2, 3)
    assert found["beyond_tolerance_pixels_of_panels"] == [0, 1, 0]
    assert "panel" not in nanobragg.compare(image[1], other[1])["largest_absolute_difference"]
    with pytest.raises(nanobragg.RunError, match="one has images of 3 panels, the other of 2"):
        nanobragg.compare(image, other[:2])
    with pytest.raises(nanobragg.UsageError):
        nanobragg.compare(image, other, tolerance=-1)


def test_panels_of_one_size_are_refined_together() -> None:
    true = on(row(12, 12), misset=(0.2, -0.3, 0.4))
    start = true.with_values({"misset_x": 0.25, "misset_y": -0.25})
    fitted = nanobragg.refine(start, nanobragg.render(true), ["misset"], schedule="final")
    for name in ("misset_x", "misset_y", "misset_z"):
        assert fitted["values"][name] == pytest.approx(true.value(name), abs=1e-3)
    used = np.ones((2, 12, 12), bool)
    used[0] = False
    half = nanobragg.refine(start, nanobragg.render(true), ["misset"], schedule="final", mask=used)
    assert half["pixels"] == 144
    unequal = on(row(10, 14))
    with pytest.raises(nanobragg.RunError, match="different numbers of pixels"):
        nanobragg.refine(unequal, nanobragg.render(unequal), ["misset"])


BEAM = "-detpixels 24 -pixel 1 -distance 50 -cell 50 60 70 -default_F 10 -N 5 -oversample 1 -seed 7 -fluence 1e26"


def test_a_spectrum_in_arrays_is_that_of_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    energies, weights = 12000 + np.cumsum(rng.uniform(1, 9, 20)), rng.uniform(0, 5, (20, 2))
    path = tmp_path / "beam.txt"
    rows = [" ".join(map(repr, [energy, *row])) for energy, row in zip(energies.tolist(), weights.tolist(), strict=True)]
    path.write_text("# energy_eV first second\n" + "\n".join(rows) + "\n")
    for flags in ({"spectrum_column": 2}, {"spectrum_column": 1, "spectrum_steps": 6, "spectrum_window": "12010,12080"}):
        of_file = nanobragg.Experiment(BEAM, spectrum=path, **flags)
        experiment = nanobragg.Experiment(BEAM, spectrum=(energies, weights), **flags)
        same(experiment, of_file)
        assert experiment.beam["wavelength_angstrom"] == of_file.beam["wavelength_angstrom"] != 1
        same(pickle.loads(pickle.dumps(experiment)), experiment)
        same(nanobragg.Experiment.from_dict(experiment.to_dict()), experiment)
    one = nanobragg.Experiment(BEAM, spectrum=(energies.tolist(), weights[:, 1]))
    same(one, nanobragg.Experiment(BEAM, spectrum=path, spectrum_column=2))
    assert "spectrum=(...)" in repr(one) and "-spectrum" not in one.words
    same(one.replace(spectrum=None, wavelength=1), nanobragg.Experiment(BEAM))
    same(one.replace(spectrum=path, spectrum_column=1), nanobragg.Experiment(BEAM, spectrum=path, spectrum_column=1))


def test_mosaic_domains_in_arrays_are_those_of_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    angles, weights = rng.normal(0, 0.01, 7), rng.uniform(0, 3, 7)
    matrices = np.array([[[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]] for t in angles])
    path = tmp_path / "domains.txt"
    rows = np.concatenate([matrices.reshape(7, 9), weights[:, None]], axis=1).tolist()
    path.write_text("\n".join(" ".join(map(repr, row)) for row in rows) + "\n")
    experiment = nanobragg.Experiment(BEAM, mosaic_matrices=(matrices, weights))
    same(experiment, nanobragg.Experiment(BEAM, mosaic_file=path))
    assert experiment.crystal["mosaic_domains"] == 7
    same(pickle.loads(pickle.dumps(experiment)), experiment)
    same(nanobragg.Experiment.from_dict(experiment.to_dict()), experiment)
    # Without weights; and one domain that is not turned is the crystal without mosaicity.
    equal = nanobragg.Experiment(BEAM, mosaic_matrices=matrices)
    same(pickle.loads(pickle.dumps(equal)), equal)
    assert nanobragg.render(equal).tobytes() != nanobragg.render(experiment).tobytes()
    np.testing.assert_allclose(
        nanobragg.render(equal.replace(mosaic_matrices=np.eye(3)[None])), nanobragg.render(nanobragg.Experiment(BEAM)), rtol=1e-5, atol=1e-9
    )
    same(equal.replace(mosaic_matrices=None), nanobragg.Experiment(BEAM))
    same(equal.replace(mosaic_file=path), experiment)
    # They take the place of the spread in a dict, and contradict that of a flag.
    tree = nanobragg.Experiment(BEAM, mosaic=1, mosaic_domains=3).to_dict()
    same(nanobragg.Experiment.from_dict(tree, mosaic_matrices=(matrices, weights)), experiment)
    with pytest.raises(nanobragg.RunError, match="give no mosaic spread beside it"):
        nanobragg.Experiment(BEAM, mosaic=1, mosaic_matrices=matrices)


TURN = np.eye(3)[None]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"spectrum": (np.ones(3), np.ones(2))}, "spectrum: 3 energies and 2 weights"),
        ({"spectrum": np.ones((2, 3, 4))}, "spectrum: give a name, a file, or a pair of arrays"),
        ({"spectrum": ([9000.0, np.nan], [1, 1])}, "spectrum: NaN in number 1 is no finite number"),
        ({"spectrum": ([], [])}, "spectrum: the arrays are empty"),
        ({"spectrum": ([9000.0, 9010.0], [1, -1])}, "spectrum line:2: a weight of -1"),
        ({"spectrum": ([9010.0, 9000.0, 9005.0], [1, 1, 1])}, "spectrum line:3: the energy 9005 eV is not in order"),
        ({"spectrum": ([9000.0, 9010.0], np.ones((2, 2)))}, "spectrum line: 2 columns of weights; choose one"),
        ({"spectrum": ([9000.0], [1]), "dispersion": 1}, "-spectrum"),
        ({"spectrum": ([9000.0], [1]), "sources": [[-10, 0, 0, 1, 1e-10]]}, "spectrum"),
        ({"mosaic_matrices": np.ones((2, 3))}, r"mosaic_matrices: give an array of shape \(n, 3, 3\)"),
        ({"mosaic_matrices": np.ones((2, 3, 4))}, r"mosaic_matrices: shape \[2, 3, 4\], expected"),
        ({"mosaic_matrices": np.ones((0, 3, 3))}, "mosaic_matrices: the arrays are empty"),
        ({"mosaic_matrices": (TURN, [1, 2])}, "mosaic_matrices: 1 matrices and 2 weights"),
        ({"mosaic_matrices": (TURN, [np.inf])}, "mosaic_matrices: inf in number 0 is no finite number"),
        ({"mosaic_matrices": (TURN, [-1])}, "mosaic_matrices:1: weight -1, expected 0 or more"),
        ({"mosaic_matrices": 2 * TURN}, "mosaic_matrices:1: not a rotation"),
        ({"mosaic_matrices": (TURN, [0])}, "mosaic_matrices: has weights whose sum is 0"),
    ],
)
def test_arrays_that_cannot_be_are_refused_by_name(flags: dict[str, Any], told: str) -> None:
    with pytest.raises(nanobragg.Error, match=told):
        nanobragg.Experiment(BEAM, **flags)
