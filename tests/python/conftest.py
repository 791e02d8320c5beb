"""What the tests share: the golden cases, and the program to hold the package against."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
FAST, SLOW = 61, 47
CASES = {case["name"]: case["args"] for case in json.loads((GOLDEN / "cases.json").read_text())}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--program", type=Path, help="the program nanoBragg to compare with")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    count = {kind: len(terminalreporter.getreports(kind)) for kind in ("passed", "failed", "error")}
    terminalreporter.write_line(f"{count['passed']} passed, {count['failed'] + count['error']} failed")


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the input files of the golden cases, in which the test then runs."""
    for file in (GOLDEN / "inputs").iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Runs the program; the test is skipped where none was named."""
    program = request.config.getoption("--program")
    if program is None:
        pytest.skip("no --program to compare with")
    # A test may have gone to a folder of its own before it asks.
    program = request.config.invocation_params.dir / program

    def run(*words: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, timeout=120
        )

    return run


def golden_photons(name: str) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """The float image of the C program."""
    return np.fromfile(GOLDEN / "expected" / f"{name}.float", dtype="<f4").reshape(SLOW, FAST)


def golden_counts(name: str, kind: str) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    """The integer or noise image of the C program: the end of its file, the header can run over."""
    content = (GOLDEN / "expected" / f"{name}.{kind}.img").read_bytes()
    return np.frombuffer(content[-2 * FAST * SLOW :], dtype="<u2").reshape(SLOW, FAST)
