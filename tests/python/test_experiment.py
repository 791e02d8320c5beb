"""What an experiment is, how it is said, copied and pickled."""

import pickle
import shlex
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CASES, Run, golden_photons

import nanobragg

ROOT = Path(__file__).resolve().parents[2]
LYSOZYME = ROOT / "examples" / "lysozyme" / "lysozyme_P1.hkl"
# Vectors are turned by products of rotations in double precision.
ROUNDING = 1e-12

SMALL = "-detpixels 20 -pixel 1 -distance 50 -cell 50 60 70 80 90 100 -default_F 10 -N 3 -oversample 1"

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def test_a_string_is_split_as_by_a_shell(tmp_path: Path) -> None:
    path = tmp_path / "two words.hkl"
    path.write_text("1 2 3 4.5\n")
    experiment = nanobragg.Experiment(f"-cell 50 -hkl '{path}'")
    assert experiment.words[:4] == ["-cell", "50", "-hkl", str(path)]


def test_words_may_be_numbers_and_paths(inputs: Path) -> None:
    words: list[Any] = ["-cell", 50, np.float32(60), 70.5, "-hkl", Path("P1.hkl"), "-seed", 3]
    assert nanobragg.Experiment(words).words == [
        "-cell", "50", "60.0", "70.5", "-hkl", "P1.hkl", "-seed", "3",
    ]  # fmt: skip


def test_keywords_come_after_the_command_line() -> None:
    experiment = nanobragg.Experiment(SMALL, distance=60, seed=1)
    assert experiment.geometry["distance_mm"] == 60
    assert experiment.words == [
        *shlex.split(SMALL.replace("-distance 50 ", "")), "-distance", "60", "-seed", "1",
    ]  # fmt: skip


def test_numbers_arrive_to_the_bit() -> None:
    for number in (0.1 + 0.2, 1 / 3, 1.2345678901234567e-3, np.float64(2) / 3):
        experiment = nanobragg.Experiment(SMALL, fluence=number)
        assert experiment.beam["fluence_per_m2"] == number


def test_values_may_be_tuples_lists_and_arrays() -> None:
    angles = (1.5, -2.0, 3.25)
    for value in (angles, list(angles), np.array(angles)):
        misset = nanobragg.Experiment(SMALL, misset=value).crystal["misset_deg"]
        assert misset is not None
        np.testing.assert_allclose(misset, angles, rtol=ROUNDING)
    fixes = nanobragg.Experiment(SMALL, fix=["water", "pivot"])
    assert "oddities put right: pivot, water" in fixes.report()


def test_true_sets_a_switch_and_false_and_none_take_it_back() -> None:
    assert "-interpolate" in nanobragg.Experiment(SMALL, interpolate=True).words
    assert "-interpolate" in nanobragg.Experiment(SMALL, interpolate=np.bool_(True)).words
    for value in (False, None, np.bool_(False)):
        assert "-interpolate" not in nanobragg.Experiment(SMALL, interpolate=value).words
    experiment = nanobragg.Experiment(SMALL + " -interpolate", interpolate=False)
    assert "-interpolate" not in experiment.words


def test_lambda_has_other_spellings() -> None:
    for flags in ({"lambda": 1.25}, {"lambda_": 1.25}, {"wavelength": 1.25}, {"wave": 1.25}):
        beam = nanobragg.Experiment(SMALL, **flags).beam
        assert beam["wavelength_angstrom"] == pytest.approx(1.25, rel=ROUNDING)


def test_the_numbers_that_were_chosen_are_described() -> None:
    assert nanobragg.Experiment(SMALL).sampling["chosen"] is None
    experiment = nanobragg.Experiment(SMALL, oversample="auto", auto_error=0.1)
    all_chosen = experiment.sampling["chosen"]
    assert all_chosen is not None and all_chosen == experiment.describe()["sampling"]["chosen"]
    (chosen,) = all_chosen
    assert (chosen["sampled"], chosen["number"]) == ("sub_pixels", experiment.sampling["oversample"])
    assert 0 <= chosen["error"] <= chosen["allowed"] == 0.1


def test_a_value_with_a_dash_is_no_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-N").write_text("1 2 3 4.5\n")
    experiment = nanobragg.Experiment(["-hkl=-N", "-cell", "50", "-phi", "-5"])
    assert experiment.sampling["phi_start_deg"] == pytest.approx(-5)
    again = pickle.loads(pickle.dumps(experiment))
    assert again.crystal["cell"] == experiment.crystal["cell"]
    assert nanobragg.Experiment(experiment.words).words == experiment.words


@pytest.mark.parametrize(
    "flags",
    [
        {"hkl_at": (12398.42, "a.hkl")},
        {"pdb": "a.pdb", "anomalous": "Fe=Fe.dat"},
        {"default_F": 100, "spectrum": "lines.txt"},
    ],
)
def test_files_within_values_are_found_from_another_folder(
    flags: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    Path("a.hkl").write_text("1 0 0 50\n0 1 0 60\n")
    Path("Fe.dat").write_text("12000 -1 0.5\n13000 -2 3\n")
    Path("lines.txt").write_text("# energy_eV weight\n12390 1\n12400 2\n")
    Path("a.pdb").write_text(
        "CRYST1   30.000   30.000   30.000  90.00  90.00  90.00 P 1           1\n"
        "HETATM    1 FE   TOY A   1       7.300   9.100   6.200  1.00 12.00          FE\n"
    )
    experiment = nanobragg.Experiment(SMALL, cell=30, **flags)
    image = nanobragg.render(experiment)
    kept = pickle.dumps(experiment)
    monkeypatch.chdir(tmp_path)
    assert nanobragg.render(pickle.loads(kept)).tobytes() == image.tobytes()


def test_replace_counts_as_typed_last_and_never_before() -> None:
    experiment = nanobragg.Experiment(SMALL, Na=7, seed=1)
    assert experiment.replace(N=4).crystal["cells"] == [4, 4, 4]
    assert experiment.replace(Na=None).crystal["cells"] == [3, 3, 3]
    assert experiment.replace(wavelength=1.5).replace(energy=12398.42).beam[
        "wavelength_angstrom"
    ] == pytest.approx(1.0, rel=ROUNDING)
    assert experiment.crystal["cells"] == [7, 3, 3]


def test_reflections_may_be_arrays(inputs: Path) -> None:
    indices, amplitudes = nanobragg.read_hkl("P1.hkl")
    words = CASES["cell_hkl"]
    from_arrays = nanobragg.Experiment(words, hkl=(indices, amplitudes))
    assert nanobragg.render(from_arrays).tobytes() == golden_photons("cell_hkl").tobytes()
    assert "P1.hkl" not in from_arrays.words
    halved = from_arrays.replace(hkl=(indices.tolist(), amplitudes / 2))
    # A quarter of the photons, but for the last bit of a float.
    np.testing.assert_allclose(
        nanobragg.render(halved), golden_photons("cell_hkl") / 4, rtol=1e-6
    )
    back = halved.replace(hkl="P1.hkl")
    assert nanobragg.render(back).tobytes() == golden_photons("cell_hkl").tobytes()


def test_a_mask_may_be_an_array() -> None:
    whole = nanobragg.Experiment(SMALL, detpixels_y=10)
    used = np.arange(200).reshape(10, 20) % 3 != 0
    image = nanobragg.render(whole.replace(mask=used))
    np.testing.assert_array_equal(image, np.where(used, nanobragg.render(whole), 0))


def test_structure_factors_are_those_of_the_list(inputs: Path) -> None:
    experiment = nanobragg.Experiment("-cell 50 -hkl sparse.hkl -default_F 7")
    listed = {(int(h), int(k), int(l)): f for h, k, l, f in np.loadtxt("sparse.hkl", usecols=range(4))}
    indices, amplitudes = experiment.structure_factors
    found = {(int(h), int(k), int(l)): f for (h, k, l), f in zip(indices, amplitudes)}
    assert len(found) == len(amplitudes) == np.prod(np.ptp(list(listed), axis=0) + 1)
    assert all(f == listed.get(hkl, 7) for hkl, f in found.items())


def test_the_beam_meets_the_detector_at_its_centre() -> None:
    experiment = nanobragg.Experiment(SMALL, detector_roty=20, detector_rotx=5, Xbeam=7, Ybeam=4)
    where = experiment.geometry
    fast_mm, slow_mm = where["beam_centre_mm"]
    spot = where["pix0_mm"] + fast_mm * where["fast"] + slow_mm * where["slow"]
    np.testing.assert_allclose(spot, where["distance_mm"] * where["beam"], atol=1e-9)
    np.testing.assert_allclose(np.cross(where["fast"], where["slow"]), where["normal"], atol=ROUNDING)


def test_direct_and_reciprocal_vectors_belong_together() -> None:
    crystal = nanobragg.Experiment(SMALL, misset=(10, 20, 30), fix="c-star").crystal
    products = crystal["direct_angstrom"] @ crystal["reciprocal_per_angstrom"].T
    np.testing.assert_allclose(products, np.eye(3), atol=ROUNDING)
    np.testing.assert_allclose(crystal["cell"], (50, 60, 70, 80, 90, 100), rtol=ROUNDING)
    assert np.linalg.det(crystal["direct_angstrom"]) == pytest.approx(crystal["volume_angstrom3"])


def test_the_report_is_what_the_program_says_first(inputs: Path, run: Run) -> None:
    for name in ("comprehensive", "matrix_hkl", "mosaic"):
        words = CASES[name]
        # The next case has another cell.
        Path("Fdump.bin").unlink(missing_ok=True)
        said = run(*words)
        assert said.returncode == 0, said.stderr
        assert said.stdout.startswith(nanobragg.Experiment(words).report())


def test_a_pickle_is_the_same_experiment_in_another_folder(
    inputs: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = nanobragg.Experiment(CASES["matrix_hkl"])
    pickled = pickle.dumps(experiment)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    again = pickle.loads(pickled)
    assert nanobragg.render(again).tobytes() == golden_photons("matrix_hkl").tobytes()


def test_a_pickle_knows_the_dump_it_read(
    inputs: Path, run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*CASES["cell_hkl"]).returncode == 0
    words = " ".join(CASES["cell_hkl"]).replace("-hkl P1.hkl", "")
    pickled = pickle.dumps(nanobragg.Experiment(words))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    image = nanobragg.render(pickle.loads(pickled))
    assert image.tobytes() == golden_photons("cell_hkl").tobytes()


def test_a_pickle_takes_arrays_along() -> None:
    rng = np.random.default_rng(1)
    reflections = (rng.integers(-9, 9, (500, 3)), rng.uniform(1, 100, 500))
    used = rng.random((20, 20)) < 0.5
    experiment = nanobragg.Experiment(SMALL, hkl=reflections, mask=used)
    again = pickle.loads(pickle.dumps(experiment))
    assert nanobragg.render(again).tobytes() == nanobragg.render(experiment).tobytes()
    assert repr(experiment).endswith(", hkl=(...), mask=...)")


def test_a_seed_from_the_clock_stays() -> None:
    experiment = nanobragg.Experiment(SMALL, misset="random")
    again = pickle.loads(pickle.dumps(experiment))
    assert again.seed == experiment.seed
    assert again.crystal["misset_deg"] == experiment.crystal["misset_deg"]
    assert experiment.replace(distance=60).seed == experiment.seed


def test_what_is_shown_can_be_typed_again() -> None:
    experiment = nanobragg.Experiment(SMALL, misset=(-1, 2, 3), interpolate=True, seed=5)
    again = eval(repr(experiment), {"Experiment": nanobragg.Experiment})
    assert again.words == experiment.words


def test_every_flag_is_told_with_its_meaning() -> None:
    flags = nanobragg.flags()
    assert flags["lambda"] == "<A>: Wavelength. [default 1]"
    assert {"hkl", "cell", "distance", "nopgm", "fix"} <= set(flags)


@pytest.mark.filterwarnings("default")
def test_warnings_are_those_of_the_program_and_come_once(inputs: Path, run: Run) -> None:
    words = [*CASES["cubic"], "-oversample", "1", "-phi", "0", "-osc", "1", "-phisteps", "2"]
    with pytest.warns(nanobragg.ExperimentWarning) as caught:
        experiment = nanobragg.Experiment(words)
    texts = [str(warning.message) for warning in caught]
    assert texts == experiment.warnings
    assert len(texts) >= 1
    assert any("phi-zero" in text for text in texts)
    stderr = run(*words).stderr
    assert [text for text in texts if text not in stderr] == []


@pytest.mark.filterwarnings("error::nanobragg.ExperimentWarning")
def test_copies_do_not_repeat_warnings(recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        experiment = nanobragg.Experiment(SMALL, phi=0, osc=1, phisteps=2)
    assert experiment.warnings
    experiment.replace(distance=55)
    pickle.loads(pickle.dumps(experiment))


def test_values_that_see_more_of_the_atoms_read_them_again(inputs: Path) -> None:
    words = ["-pdb", str(Path(__file__).parents[2] / "examples/lysozyme/1aki.pdb"), *"-N 3 -detpixels 20 -pixel 5 -lambda 2 -oversample 1 -seed 1".split()]
    experiment = nanobragg.Experiment(words, distance=400)

    def count(experiment: nanobragg.Experiment) -> int:
        return len(experiment.structure_factors[1])

    near = experiment.with_values({"distance": 200})
    assert count(near) == count(nanobragg.Experiment(words, distance=200)) > count(experiment)
    same = nanobragg.Experiment(words, distance=200)
    # Where the lattice factor is 0, the rest of it is rounding.
    np.testing.assert_allclose(nanobragg.render(near), nanobragg.render(same), rtol=1e-6, atol=1e-20)
    assert count(near.with_values({"distance": 400})) == count(near)
    changed = experiment.with_values({"F(1,1,0)": 7, "wavelength": 1.5})
    assert count(changed) > count(experiment)
    assert changed.value("F(1,1,0)") == 7


@pytest.mark.parametrize("name", ["distance", "wavelength"])
def test_lengths_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(nanobragg.Error, match=f"the {name} .* is -5, which must be above 0"):
        nanobragg.Experiment(SMALL).with_values({name: -5})


def test_copies_with_other_values_keep_what_was_read(inputs: Path) -> None:
    experiment = nanobragg.Experiment("-hkl P1.hkl -cell 50 60 70 -N 3 -detpixels 20 -pixel 1 -oversample 1 -osc 1 -seed 1")
    moved = experiment.with_values({"cell_a": 51})
    same = pickle.loads(pickle.dumps(moved))
    Path("P1.hkl").unlink()
    for copy in (moved, experiment.with_values({"cell_a": 51}), experiment.shot(2), experiment.shot(2).frame(1)):
        np.testing.assert_array_equal(copy.structure_factors[1], experiment.structure_factors[1])
    np.testing.assert_array_equal(nanobragg.render(experiment.with_values({"cell_a": 51})), nanobragg.render(same))
    with pytest.raises(nanobragg.FileError, match="P1.hkl"):
        experiment.replace(distance=90)
