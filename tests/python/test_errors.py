"""What the program refuses, the package refuses with the same words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CASES, Run

import nanobragg

REFUSED: dict[str, tuple[str, type[nanobragg.Error]]] = {
    "unknown flag": ("-detpixel_x 5", nanobragg.UsageError),
    "stray word": ("-N 5 6", nanobragg.UsageError),
    "missing value": ("-roi 1 2", nanobragg.UsageError),
    "no number": ("-distance far", nanobragg.UsageError),
    "out of range": ("-lambda -1", nanobragg.UsageError),
    "absurd": ("-pixel 1e300", nanobragg.UsageError),
    "value of a switch": ("--xds=5", nanobragg.UsageError),
    "no such file": ("-cell 50 -hkl missing.hkl", nanobragg.FileError),
    "wrong column": ("-cell 50 -hkl A.mat", nanobragg.FileError),
    "no image": ("-cell 50 -default_F 1 -img P1.hkl", nanobragg.FileError),
    "no sources": ("-cell 50 -default_F 1 -sourcefile P1.hkl -img own.img", nanobragg.FileError),
    "nothing to scatter": ("-cell 50", nanobragg.RunError),
    "no cell": ("-default_F 5", nanobragg.RunError),
    "flat cell": ("-cell 50 50 50 120 120 120 -default_F 5", nanobragg.RunError),
    "region outside": ("-cell 50 -default_F 5 -detpixels 9 -roi 0 9 0 9", nanobragg.RunError),
    "too large": ("-cell 50 -default_F 5 -detpixels 30000 -max_memory 1", nanobragg.RunError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_text_is_that_of_the_program(name: str, inputs: Path, run: Run) -> None:
    line, kind = REFUSED[name]
    said = run(*line.split())
    with pytest.raises(kind) as caught:
        nanobragg.Experiment(line)
    assert type(caught.value) is kind
    assert said.stderr.splitlines()[-1] == f"nanoBragg: error: {caught.value}"
    assert said.returncode == (2 if kind is nanobragg.UsageError else 1)


def test_keywords_are_refused_with_the_text_of_their_flags() -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"distnce": 5}, "-distnce is not a flag; did you mean -distance?"),
        ({"xds": 5}, "-xds takes no value"),
        ({"N": 2.5}, "-N: 2.5 is not allowed; give a whole number, at most 1000000000"),
        ({"roi": (1, 2)}, "-roi needs <xmin xmax ymin ymax>; values given: 2"),
        ({"hkl": "-N"}, "cannot read -N: No such file or directory (os error 2)"),
        ({"pixel": True}, "-pixel: True is not allowed; give a number above 0 (mm)"),
        ({"distance": object}, "-distance: \"<class 'object'>\" is not allowed; give any finite number (mm)"),
    ]
    for flags, text in refused:
        with pytest.raises(nanobragg.Error) as caught:
            nanobragg.Experiment("-cell 50 -default_F 1", **flags)
        assert str(caught.value) == text


def test_what_asks_for_something_else_is_no_experiment() -> None:
    for line in ("-help", "-version", "-plan", "-diff a b", "-rerun a.json"):
        with pytest.raises(nanobragg.UsageError, match="describe no experiment"):
            nanobragg.Experiment(line)


@pytest.mark.parametrize(
    ("reflections", "text"),
    [
        (([[1, 2, 3.5]], [1.0]), "3.5 in reflection 0 is no whole number"),
        (([[1, 2, 2**31]], [1.0]), "2147483648 in reflection 0 is no whole number"),
        (([[1, 2, np.nan]], [1.0]), "NaN in reflection 0 is no whole number"),
        (([[1, 2, 3], [4, 5, 6]], [1.0, np.inf]), "inf in reflection 1 is no finite amplitude"),
        (([[1, 2, 3]], [1.0, 2.0]), r"shape \(1, 3\) and 2 amplitudes"),
        (([[1, 2]], [1.0]), r"shape \(1, 2\) and 1 amplitudes"),
        ((np.zeros((0, 3)), []), "the list of reflections is empty"),
        (([1, 2, 3], [1.0]), "give the name of a file, or a pair of arrays"),
        (5, "give the name of a file, or a pair of arrays"),
    ],
)
def test_arrays_that_are_no_reflections_are_refused(reflections: Any, text: str) -> None:
    with pytest.raises(nanobragg.UsageError, match=f"^-hkl: .*{text}"):
        nanobragg.Experiment("-cell 50", hkl=reflections)


def test_far_off_indices_meet_the_limit_of_memory() -> None:
    far = ([[0, 0, 0], [1 << 30, 1 << 30, 1 << 30]], [1.0, 1.0])
    with pytest.raises(nanobragg.RunError, match=r"-max_memory raises the limit"):
        nanobragg.Experiment("-cell 50", hkl=far)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(nanobragg.RunError, match="the mask has 4 x 3 pixels, the detector 5 x 5"):
        nanobragg.Experiment("-cell 50 -default_F 1 -detpixels 5", mask=np.ones((3, 4)))
    with pytest.raises(nanobragg.Error):
        nanobragg.Experiment("-cell 50 -default_F 1 -detpixels 5", mask=np.ones((0, 4)))


@pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")
def test_an_image_of_another_size_is_refused() -> None:
    experiment = nanobragg.Experiment(CASES["cubic"])
    for count in (nanobragg.add_noise, nanobragg.counts):
        with pytest.raises(nanobragg.RunError, match="4 x 3 pixels .*, the other 61 x 47"):
            count(np.zeros((3, 4)), experiment)
    with pytest.raises(nanobragg.UsageError, match="^-level: sse is not allowed"):
        nanobragg.render(experiment, level="sse")  # type: ignore[arg-type]


def test_every_error_is_one_of_the_package_and_one_of_python() -> None:
    for kind, builtin in [
        (nanobragg.UsageError, ValueError),
        (nanobragg.FileError, OSError),
        (nanobragg.RunError, RuntimeError),
    ]:
        assert issubclass(kind, nanobragg.Error) and issubclass(kind, builtin)
