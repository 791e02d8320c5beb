"""The Python and the commands of the documents run as they stand there."""

import doctest
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
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


# Files of a document's commands stay in one folder, from its first block to its last.
WITH_COMMANDS = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in ["COMPANIONS", "COMPARE", "DETECTORS", "EXPERIMENT", "FORMATS", "MATERIALS", "PLOT", "REFINE", "SERIES", "STRUCTURE_FACTORS"]
    ),
    "examples/lysozyme/README.md",
]

# What compiles: the gate itself does it.
COMPILING = ("./test", "cargo install", "pip install")

# `compare` and `-diff` end with 1 where there is a difference, as the documents say.
SHELL = """
set -euo pipefail
nanoBragg() { command nanoBragg "$@" || { status=$?; [[ $status == 1 && ($1 == compare || $1 == -diff) ]]; }; }
"""


# Runs a block of commands.
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def blocks(document: str, language: str = "python") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


def numbers_and_words(text: str) -> list[float | str]:
    def value(word: str) -> float | str:
        try:
            return float(word.strip("(),"))
        except ValueError:
            return word

    return [value(word) for word in text.split()]


@pytest.fixture
def shell(with_examples: Path, tmp_path: Path) -> Shell:
    """Runs a block of commands in a folder that has the examples, with the program on the path."""
    # Of a job array its first job; where there is no C program, ours takes its place.
    environment = {
        "SLURM_ARRAY_TASK_ID": "1",
        "SLURM_ARRAY_TASK_COUNT": "16",
        "SLURM_CPUS_PER_TASK": "2",
        "NANOBRAGG_C": str(tmp_path / "bin" / "nanoBragg"),
    } | os.environ
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"

    def run(block: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", SHELL + block],
            cwd=with_examples,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


@pytest.mark.parametrize("document", WITH_COMMANDS)
def test_the_commands_run(
    document: str, shell: Shell
) -> None:
    for block in blocks(document, "sh"):
        if block.startswith(COMPILING):
            continue
        block = block.replace("cargo run --release --locked -p nanobragg-cli --", "nanoBragg")
        ran = shell(block.replace("exec nanoBragg", "nanoBragg"))
        assert ran.returncode == 0, f"{block}\n{ran.stderr}"


def test_a_refinement_prints_what_its_document_shows(
    shell: Shell
) -> None:
    commands, shown = (blocks("docs/REFINE.md", language)[0] for language in ("sh", "text"))
    printed = shell(commands.replace(" -output-args", "")).stdout
    printed = printed[printed.index("stage 1") :]
    for said, run in zip(numbers_and_words(shown), numbers_and_words(printed), strict=False):
        assert said == (pytest.approx(run, rel=0.02, abs=0.02) if isinstance(run, float) else run)


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


def test_the_script_for_dask_runs(tmp_path: Path) -> None:
    (script,) = (block for block in blocks("docs/SERIES.md") if "distributed" in block)
    (tmp_path / "brightest.py").write_text(script)
    ran = subprocess.run(
        [sys.executable, "brightest.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    brightest = json.loads(ran.stdout)
    assert len(brightest) == 100 and min(brightest) > 0


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
