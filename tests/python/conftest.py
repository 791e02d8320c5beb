"""What the tests share: the golden cases, and the program to hold the package against."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
FAST, SLOW = 61, 47
CASES = {case["name"]: case["args"] for case in json.loads((GOLDEN / "cases.json").read_text())}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--program", type=Path, help="the program nanoBragg to compare with")
    parser.addoption("--write", action="store_true", help="write outputs and pictures of the tutorials")


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


@pytest.fixture
def dxtbx() -> Callable[..., Any]:
    """What dxtbx reads in files. Only the system's Python may have it, of Debian's package python3-dials;
    the test is skipped without it, and fails where NANOBRAGG_DXTBX=required says that it must be there."""
    python = "/usr/bin/python3"
    script = Path(__file__).with_name("dxtbx_reading.py")
    if subprocess.run([python, "-c", "import dxtbx"], capture_output=True, check=False).returncode:
        if os.environ.get("NANOBRAGG_DXTBX") == "required":
            pytest.fail("the system's Python has no dxtbx")
        pytest.skip("the system's Python has no dxtbx (Debian: python3-dials)")

    def read(*paths: str) -> Any:
        done = subprocess.run([python, script, *paths], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return read


def golden_photons(name: str) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """The float image of the C program."""
    return np.fromfile(GOLDEN / "expected" / f"{name}.float", dtype="<f4").reshape(SLOW, FAST)


def golden_counts(name: str, kind: str) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    """The integer or noise image of the C program: the end of its file, the header can run over."""
    content = (GOLDEN / "expected" / f"{name}.{kind}.img").read_bytes()
    return np.frombuffer(content[-2 * FAST * SLOW :], dtype="<u2").reshape(SLOW, FAST)


@pytest.fixture
def with_examples(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that has the examples, beside `bin` with the program."""
    program = request.config.getoption("--program")
    if program is None:
        pytest.skip("no --program to run")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nanoBragg").symlink_to(request.config.invocation_params.dir / program)
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copytree(Path(__file__).resolve().parents[2] / "examples", folder / "examples")
    return folder
