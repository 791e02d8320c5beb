"""`nanoBragg verify`, held against hashlib: what was changed, cut off, removed or never rendered is found."""

import hashlib
import json
from pathlib import Path

import pytest
from conftest import Run

WORDS = (
    "-detpixels_x 21 -detpixels_y 13 -pixel 2 -distance 60 -cell 50 60 70 -default_F 30 -N 4 -oversample 1 -seed 5 -nodefaultfiles"
    " -noprogress -threads 2"
).split()


def logged(log: str) -> dict[str, str]:
    """The files of a log with their SHA-256."""
    entries = [json.loads(line) for line in Path(log).read_text().splitlines()[1:]]
    outputs = [output for entry in entries for output in entry.get("outputs", [entry.get("whole", {}).get("output")])]
    return {output["path"]: output["sha256"] for output in outputs if output}


def test_changes_of_single_files_are_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "-shots", "4", "-cbffile", "s_#.cbf", "-truthfile", "t_#.csv"]
    assert run(*words).returncode == 0
    files = logged("series.jsonl")
    assert len(files) == 8
    assert all(hashlib.sha256(Path(path).read_bytes()).hexdigest() == digest for path, digest in files.items())
    done = run("verify", "series.jsonl")
    assert (done.returncode, done.stdout) == (0, "4 images in 8 files, all as written\n")

    changed = bytearray(Path("s_2.cbf").read_bytes())
    changed[-1] ^= 1
    Path("s_2.cbf").write_bytes(changed)
    cut = Path("t_3.csv").read_bytes()
    Path("t_3.csv").write_bytes(cut[:-1])
    Path("s_4.cbf").unlink()
    done = run("verify", "series.jsonl")
    assert done.returncode == 1
    for fault in (
        "s_2.cbf was changed: its SHA-256 is another",
        "s_4.cbf is missing",
        f"t_3.csv has {len(cut) - 1} bytes, and {len(cut)} were written",
    ):
        assert fault in done.stderr
    assert "s_1.cbf" not in done.stderr and "t_2.csv" not in done.stderr
    # What is found is what -resume renders again.
    assert "1 of 4 images are complete" in run(*words, "-resume").stdout + done.stdout
    assert run("verify", "series.jsonl").returncode == 0


def test_images_that_no_log_has_are_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "-shots", "5", "-nexusfile", "all.nxs"]
    for part in ("1/2", "2/2"):
        assert run(*words, "-shard", part).returncode == 0
    logs = ["series_1of2.jsonl", "series_2of2.jsonl"]
    done = run("verify", *logs)
    assert (done.returncode, done.stdout) == (0, "5 images in 2 files, all as written\n")
    done = run("verify", logs[0])
    assert done.returncode == 1 and "2 of 5 images are in no log: 2, 4" in done.stderr
    # The files go with their logs into another folder.
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in [*logs, "all_1of2.nxs", "all_2of2.nxs"]:
        Path(name).rename(moved / name)
    assert run("verify", *(moved / log for log in logs)).returncode == 0


def test_a_file_of_images_that_is_not_complete_is_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*WORDS, "-shots", "3", "-nexusfile", "all.nxs").returncode == 0
    log = Path("series.jsonl")
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(line for line in lines if '"whole"' not in line))
    done = run("verify", "series.jsonl")
    assert done.returncode == 1 and "with image 1 is not complete" in done.stderr


def test_what_is_no_log_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("verify").returncode == 2
    assert run("verify", "nothing.jsonl").returncode == 1
    Path("a.jsonl").write_text("{}\n")
    done = run("verify", "a.jsonl")
    assert done.returncode == 1 and "a.jsonl" in done.stderr
    assert run(*WORDS, "-shots", "1", "-cbffile", "a_#.cbf", "-seriesfile", "one.jsonl").returncode == 0
    assert run(*WORDS, "-shots", "1", "-N", "5", "-cbffile", "b_#.cbf", "-seriesfile", "two.jsonl").returncode == 0
    done = run("verify", "one.jsonl", "two.jsonl")
    assert done.returncode == 1 and "two.jsonl" in done.stderr
