"""The Python of the documents runs as it stands there."""

import doctest
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import nanobragg

ROOT = Path(__file__).resolve().parents[2]

# The README's first command, without its outputs.
FIRST_COMMAND = re.compile(r"cargo run --release --locked -p nanobragg-cli -- (.*?)```", re.DOTALL)

pytestmark = [
    pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning"),
    # A figure is drawn and not shown.
    pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive"),
]


def blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "docs/PYTHON.md"])
def test_the_examples_run(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib.use("agg")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for code in blocks(document):
        exec(code, names)


def test_the_five_lines_show_the_image_of_the_first_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    matplotlib.use("agg")
    names: dict[str, object] = {}
    exec(blocks("docs/PYTHON.md")[0].partition("plt.imshow")[0], names)
    said = FIRST_COMMAND.search((ROOT / "README.md").read_text())
    assert said is not None
    command = nanobragg.Experiment(said[1].replace("\\\n", " "))
    shown = names["lysozyme"]
    assert isinstance(shown, nanobragg.Experiment)
    np.testing.assert_array_equal(nanobragg.render(shown), nanobragg.render(command))


@pytest.mark.parametrize("documented", [nanobragg, nanobragg.Experiment])
def test_the_examples_of_docstrings_hold(documented: object) -> None:
    text = documented.__doc__ or ""
    examples = doctest.DocTestParser().get_doctest(text, {}, "docstring", None, None)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted > 0 and results.failed == 0
