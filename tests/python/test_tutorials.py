"""The tutorials do what they say: their blocks run in order in one folder, and print and draw what the page shows.

A block of `sh` or `python` runs; one of `python FILE` is written to that file. A block of `text` below is what was printed. A comment `<!-- check` has
Python statements about what is said in the prose; they see the names of the `python` blocks. A picture is a file of the folder. With --write the page gets
what was printed and the pictures, in place of a comparison.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.image
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs/tutorials").glob("*.md")), ROOT / "docs/GALLERY.md", ROOT / "docs/GLOSSARY.md"]

BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<code>.*?)^```$|^<!-- check\n(?P<check>.*?)^-->$", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^]]*\]\(((?:tutorials/)?pictures/[^)]*\.png)\)")

# Fonts and the last bits of sums differ between machines: a part of all that is drawn on the ground.
PICTURE_TOLERANCE = 0.1
NUMBER_TOLERANCE = 0.02

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning", "ignore:FigureCanvasAgg is non-interactive")


@pytest.fixture
def folder(with_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, with the program and this Python on the path."""
    monkeypatch.chdir(with_examples)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("MPLBACKEND", "agg")
    matplotlib.use("agg")
    return with_examples


def run_shell(code: str) -> str:
    ran = subprocess.run(["bash", "-c", "set -euo pipefail\n" + code], capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, f"{code}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


def run_python(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def assert_alike(said: str, printed: str) -> None:
    """Words are equal, numbers within a tolerance."""
    words, run = said.split(), printed.split()
    assert len(words) == len(run) and all(map(alike, words, run)), f"the page says\n{said}\nand the run\n{printed}"


def alike(said: str, printed: str) -> bool:
    try:
        return float(said.strip("(),;:")) == pytest.approx(float(printed.strip("(),;:")), rel=NUMBER_TOLERANCE, abs=1e-6)
    except ValueError:
        return said == printed


def pixels(path: Path) -> Any:
    return np.asarray(matplotlib.image.imread(path), dtype=float)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_does_what_it_says(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    write = request.config.getoption("--write")
    text = page.read_text()
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    written = {}
    for block in BLOCK.finditer(text):
        code, language, file = block["code"] or "", block["language"], block["file"]
        if block["check"] is not None:
            exec(block["check"], names | {"printed": printed, "run_shell": run_shell})
        elif file:
            (folder / file).write_text(code)
        elif language == "sh":
            printed = run_shell(code)
        elif language == "python":
            printed = run_python(code, names)
        elif language == "text":
            written[block.span("code")] = printed
            if not write:
                assert_alike(code, printed)
    for picture in PICTURE.findall(text):
        drawn, shown = folder / Path(picture).name, page.parent / picture
        if write:
            shown.parent.mkdir(exist_ok=True)
            shutil.copy(drawn, shown)
        assert shown.stat().st_size < 100_000, picture
        a, b = pixels(drawn), pixels(shown)
        assert a.shape == b.shape, picture
        assert np.abs(a - b).sum() <= PICTURE_TOLERANCE * np.abs(b - np.median(b)).sum(), picture
    if write:
        for (start, end), output in sorted(written.items(), reverse=True):
            text = text[:start] + output + text[end:]
        page.write_text(text)
