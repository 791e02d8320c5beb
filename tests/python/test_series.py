"""Single frames and shots, against the program's series."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

import nanobragg

WORDS = (
    "-detpixels 20 -pixel 1 -distance 50 -cell 50 60 70 -default_F 10 -N 3 -oversample 1 -osc 0.5"
    " -phi 10 -mosaic 1 -mosaic_domains 3 -seed 5"
)

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


@pytest.mark.parametrize("kind", ["frames", "shots"])
def test_an_image_of_a_series_is_that_of_the_program(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*WORDS.split(), f"-{kind}", "3", "-nopgm", "-noprogress"]
    said = run(*words, "-floatfile", "p_####.bin", "-noisefile", "n_####.img")
    assert said.returncode == 0, said.stderr
    base = nanobragg.Experiment(WORDS)
    for number in (1, 3):
        one = base.frame(number) if kind == "frames" else base.shot(number)
        image = nanobragg.render(one)
        assert image.tobytes() == Path(f"p_000{number}.bin").read_bytes()
        np.testing.assert_array_equal(
            nanobragg.add_noise(image, one), nanobragg.read_image(f"n_000{number}.img")
        )


def test_what_varies_is_that_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    vary = {"cell_b": "normal:1%", "N": "choice:2,4", "fluence": "lognormal:0.5"}
    words = [f"{name}={distribution}" for name, distribution in vary.items()]
    said = run(
        *WORDS.split(), "-shots", "3", "-vary", " ".join(words), "-nonoise", "-nopgm",
        "-noprogress", "-floatfile", "p_####.bin",
    )
    assert said.returncode == 0, said.stderr
    ways: list[dict[str, str] | list[str]] = [vary, words]
    for given in ways:
        base = nanobragg.Experiment(WORDS, vary=given)
        for number in (1, 3):
            image = nanobragg.render(base.shot(number))
            assert image.tobytes() == Path(f"p_000{number}.bin").read_bytes()
    assert (nanobragg.render(base) == nanobragg.render(nanobragg.Experiment(WORDS))).all()
    assert nanobragg.Experiment(WORDS, vary={"N": "2"}).crystal["cells"] == [2, 2, 2]


def test_frames_go_on_and_shots_differ() -> None:
    base = nanobragg.Experiment(WORDS)
    assert base.frame(4).sampling["phi_start_deg"] == pytest.approx(11.5)
    assert base.shot(1).crystal["misset_deg"] != base.shot(2).crystal["misset_deg"]
    assert base.shot(1).shot(2).crystal["misset_deg"] == base.shot(2).crystal["misset_deg"]


def test_a_shot_can_be_pickled_and_shown() -> None:
    shot = nanobragg.Experiment(WORDS).shot(7)
    again = pickle.loads(pickle.dumps(shot))
    assert nanobragg.render(again).tobytes() == nanobragg.render(shot).tobytes()
    assert again.seed == shot.seed
    assert all(repr(one).endswith(".shot(7)") for one in (shot, again))
    frame = pickle.loads(pickle.dumps(nanobragg.Experiment(WORDS).frame(2)))
    assert repr(frame).endswith(".frame(2)")


def test_what_is_no_frame_is_refused() -> None:
    base = nanobragg.Experiment(WORDS)
    with pytest.raises(nanobragg.RunError, match="has no number 0"):
        base.shot(0)
    with pytest.raises(nanobragg.RunError, match="needs an oscillation range above 0"):
        base.replace(osc=None).frame(2)
    with pytest.raises(nanobragg.UsageError, match="take each by frame"):
        nanobragg.Experiment(WORDS + " -frames 3")
