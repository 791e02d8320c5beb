"""A series of shots on the ranks of an MPI job. Work is given out as ranks become free.

    mpiexec -n 16 python series.py SHOTS BATCH FOLDER FLAGS...

Each batch is a run of `nanoBragg -shots SHOTS -only FIRST LAST FLAGS...` with a NeXus file and a log of its own in FOLDER.
After a rank or the job was killed, the same command goes on: complete batches are only checked (SHA-256), and a batch
that was interrupted keeps the images that it has. In the end rank 0 writes FOLDER/manifest.json, with the SHA-256 of
each file, and FOLDER/all.h5, in which all images are one dataset.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
from mpi4py import MPI


def name(first: int) -> str:
    return f"batch_{first:07}"


def render(shots: int, first: int, last: int, folder: Path, flags: list[str]) -> None:
    """Renders the images of a batch that are not complete."""
    path = folder / name(first)
    files = ["-nexusfile", f"{path}.nxs", "-seriesfile", f"{path}.jsonl"]
    words = ["-shots", str(shots), "-only", str(first), str(last), *files, "-resume", "-threads", "1"]
    subprocess.run(["nanoBragg", *flags, *words, "-quiet"], check=True)


def manifest(folder: Path, firsts: list[int]) -> list[dict[str, Any]]:
    """The files of the series, from the last lines of their logs."""
    logs = ((folder / f"{name(first)}.jsonl").read_text().splitlines() for first in firsts)
    wholes = [next(json.loads(line)["whole"] for line in log if line.startswith('{"whole"')) for log in logs]
    (folder / "manifest.json").write_text(json.dumps(wholes, indent=1))
    return wholes


def join(folder: Path, wholes: list[dict[str, Any]]) -> None:
    """All images as one dataset."""
    names = [Path(whole["output"]["path"]).name for whole in wholes]
    with h5py.File(folder / names[0]) as file:
        _, *sides = file["entry/data/data"].shape
        dtype = file["entry/data/data"].dtype
    layout = h5py.VirtualLayout((wholes[-1]["last"], *sides), dtype)
    for whole, file in zip(wholes, names):
        shape = (whole["images"], *sides)
        layout[whole["first"] - 1 : whole["last"]] = h5py.VirtualSource(file, "entry/data/data", shape)
    with h5py.File(folder / "all.h5", "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)


def main() -> None:
    shots, batch, folder, flags = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    ranks = MPI.COMM_WORLD
    folder.mkdir(exist_ok=True)
    # A counter on rank 0, of which each rank takes the next number without a word from another.
    counter = MPI.Win.Allocate(MPI.INT64_T.Get_size() if ranks.rank == 0 else 0, comm=ranks)
    if ranks.rank == 0:
        counter.tomemory()[:] = bytes(MPI.INT64_T.Get_size())
    ranks.Barrier()

    def take() -> int:
        number, one = bytearray(8), (1).to_bytes(8, sys.byteorder)
        counter.Lock(0)
        counter.Fetch_and_op([one, MPI.INT64_T], [number, MPI.INT64_T], 0)
        counter.Unlock(0)
        return int.from_bytes(number, sys.byteorder)

    firsts = list(range(1, shots + 1, batch))
    while (at := take()) < len(firsts):
        render(shots, firsts[at], min(firsts[at] + batch - 1, shots), folder, flags)
        print(f"rank {ranks.rank}: {name(firsts[at])}", flush=True)
    ranks.Barrier()
    if ranks.rank == 0:
        join(folder, manifest(folder, firsts))
    counter.Free()


if __name__ == "__main__":
    main()
