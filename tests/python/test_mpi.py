"""The example of a series under MPI: two ranks, one of which is killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Run

pytest.importorskip("mpi4py", reason="mpi4py is not installed")

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "mpi" / "series.py"
MPIEXEC = Path(sys.executable).with_name("mpiexec")
SHOTS = 24
FLAGS = (
    "-cell 50 60 70 90 100 90 -default_F 30 -N 4 -lambda 1 -distance 60 -detpixels 50 -pixel 0.9 -oversample 1"
    " -nodefaultfiles -adc 0 -fluence 1e28 -osc 1 -phisteps 1"
).split()

pytestmark = [
    pytest.mark.skipif(not MPIEXEC.exists(), reason="mpiexec is not installed"),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc"),
]


def processes(folder: Path, program: str) -> list[int]:
    """Those that work in the folder and whose program has this name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        named = Path(os.fsdecode(words[0])).name.startswith(program)
        if named and any(os.fsencode(folder) in word for word in words):
            found.append(int(process.name))
    return found


def test_a_series_goes_on_after_a_rank_was_killed(
    tmp_path: Path, request: pytest.FixtureRequest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = request.config.invocation_params.dir / request.config.getoption("--program")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nanoBragg").symlink_to(program)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mpi"
    command = [str(word) for word in (MPIEXEC, "-n", 2, sys.executable, SCRIPT, SHOTS, 5, folder, *FLAGS)]
    ranks = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert ranks.stdout is not None
    assert ranks.stdout.readline().startswith("rank ")
    victim = next(iter(processes(folder, "python")))
    os.kill(victim, signal.SIGKILL)
    ranks.communicate(timeout=100)
    assert ranks.returncode != 0
    # What the rank had begun ends by itself.
    begun = time.monotonic()
    while processes(folder, "nanoBragg") and time.monotonic() - begun < 60:
        time.sleep(0.05)

    again = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert again.returncode == 0, again.stderr
    files = json.loads((folder / "manifest.json").read_text())
    assert [[file["first"], file["last"]] for file in files] == [[1, 5], [6, 10], [11, 15], [16, 20], [21, 24]]
    for file in files:
        content = Path(file["output"]["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["output"]["sha256"]
    done = run(*FLAGS, "-shots", SHOTS, "-nexusfile", "one.nxs", "-noprogress")
    assert done.returncode == 0, done.stderr
    with h5py.File(folder / "all.h5") as parts, h5py.File("one.nxs") as one:
        np.testing.assert_array_equal(parts["entry/data/data"][:], one["entry/data/data"][:])
