"""The C program's images, made from Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CASES, golden_counts, golden_photons

import nanobragg

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def keywords(words: list[str]) -> dict[str, Any]:
    """A command line as keyword arguments: of a flag, its last values."""
    flags: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("-") and word[1].isalpha():
            flags.pop(word[1:], None)
            values = flags.setdefault(word[1:], [])
        else:
            values.append(word)

    def value(values: list[str]) -> object:
        try:
            found: list[object] = [float(value) for value in values]
        except ValueError:
            found = list(values)
        return True if not found else found[0] if len(found) == 1 else tuple(found)

    return {name: value(values) for name, values in flags.items()}


@pytest.mark.parametrize("name", CASES)
def test_images_equal_those_of_the_c_program_to_the_bit(name: str, inputs: Path) -> None:
    experiment = nanobragg.Experiment(CASES[name])
    image = nanobragg.render(experiment)
    assert image.tobytes() == golden_photons(name).tobytes()
    np.testing.assert_array_equal(nanobragg.counts(image, experiment), golden_counts(name, "int"))
    np.testing.assert_array_equal(
        nanobragg.add_noise(image, experiment), golden_counts(name, "noise")
    )


# The command line renders all of them above.
@pytest.mark.parametrize("name", list(CASES)[::3])
def test_keywords_mean_what_the_command_line_means(name: str, inputs: Path) -> None:
    experiment = nanobragg.Experiment(**keywords(CASES[name]))
    assert nanobragg.render(experiment).tobytes() == golden_photons(name).tobytes()
    string = nanobragg.Experiment(" ".join(CASES[name]))
    assert experiment.report() == string.report()
