"""HDF5 files of several images of a series, held against h5py: pixels, tables, data files and parts."""

import csv
import json
import re
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from conftest import Run

import nanobragg

assert hdf5plugin.PLUGIN_PATH

WORDS = (
    "-detpixels_x 61 -detpixels_y 43 -pixel 0.9 -distance 60 -cell 50 60 70 90 100 90 -default_F 30 -N 4 -oversample 1"
    " -mosaic 1 -mosaic_domains 3 -phisteps 1 -seed 5 -fluence 1e28 -nodefaultfiles -adc 0 -threads 2 -noprogress"
).split()


@pytest.fixture
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    """Runs the program with a small experiment in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def render(*words: object) -> "subprocess.CompletedProcess[str]":
        done = run(*WORDS, *words)
        assert done.returncode == 0, done.stderr
        return done

    return render


def numbered(count: int) -> "np.ndarray[tuple[int, ...], np.dtype[Any]]":
    """The counts of files with one image each."""
    return np.stack([nanobragg.read_image(f"one_{number:05}.cbf") for number in range(1, count + 1)])


@pytest.mark.parametrize("compression", ["none", "gzip", "bslz4"])
def test_every_compression_is_read(series: Run, compression: str) -> None:
    """The sides are odd, and a chunk does not end with a full block."""
    words = ["-compression", compression, "-floatfile", "f.h5", "-noisefile", "n.nxs", "-intfile", "i.img"]
    series(*words, "-truthfile", "t.h5")
    with h5py.File("f.h5") as floats, h5py.File("n.nxs") as counts, h5py.File("t.h5") as truth:
        images = [floats["entry/data/data"], counts["entry/data/data"]]
        filters = {"none": set(), "gzip": {"shuffle", "gzip"}, "bslz4": {"32008"}}[compression]
        columns = [truth["entry/truth/photons"], truth["entry/images/cell"]]
        assert all(set(dataset._filters) == filters for dataset in [*images, *columns])
        for image, name in zip(images, ["f.h5", "n.nxs"]):
            np.testing.assert_array_equal(image[0], nanobragg.read_image(name))
        np.testing.assert_allclose(truth["entry/images/cell"][0], [50, 60, 70, 90, 100, 90], rtol=1e-12)
        total = truth["entry/truth/photons"][:].sum() + truth["entry/images/background_photons"][0]
        np.testing.assert_allclose(total, images[0][0].sum(dtype=float), rtol=1e-4)


def quaternion_matrix(w: float, x: float, y: float, z: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_one_file_has_what_a_loader_needs(series: Run) -> None:
    words = ["-shots", 7, "-truth_floor", 5]
    one_file = ["-nexusfile", "all.nxs", "-truthfile", "all.nxs", "-labelfile", "all.nxs"]
    series(*words, *one_file, "-compression", "bslz4")
    apart = ["-cbffile", "one.cbf", "-truthfile", "t.csv", "-labelfile", "l.npy"]
    series(*words, *apart, "-seriesfile", "one.jsonl")
    log = [json.loads(line) for line in Path("one.jsonl").read_text().splitlines()[1:]]
    log.sort(key=lambda entry: entry["number"])
    with h5py.File("all.nxs") as file:
        np.testing.assert_array_equal(file["entry/data/data"][:], numbered(7))
        images, truth = file["entry/images"], file["entry/truth"]
        assert list(images["number"]) == [1, 2, 3, 4, 5, 6, 7]
        assert list(images["noise_seed"]) == [entry["noise_seed"] for entry in log]
        assert images["rows"][:].sum() == len(truth["photons"]) > 100
        for index in range(7):
            first, rows = images["first_row"][index], images["rows"][index]
            here = {name: column[first : first + rows] for name, column in truth.items() if column.ndim < 3}
            assert (here["image"] == index + 1).all()
            with open(f"t_{index + 1:05}.csv") as text:
                table = list(csv.DictReader(line for line in text if not line.startswith("#")))
            assert len(table) == rows
            for name, key in [("fast", "fast_px"), ("photons", "photons"), ("d", "d_angstrom"), ("f", "f_electrons")]:
                np.testing.assert_allclose(here[name], [float(row[key]) for row in table], rtol=1e-5, atol=1e-4)
            box = [[int(row[f"{axis}{end}_px"]) for axis in ("fast", "slow") for end in "01"] for row in table]
            assert here["box"].tolist() == box
            labels = truth["labels"][index]
            np.testing.assert_array_equal(labels, np.load(f"l_{index + 1:05}.npy"))
            slow, fast = np.nonzero(labels)
            assert len(slow) > 10
            of_pixel = here["box"][labels[slow, fast] - 1]
            assert ((of_pixel[:, 0] <= fast) & (fast < of_pixel[:, 1])).all()
            assert ((of_pixel[:, 2] <= slow) & (slow < of_pixel[:, 3])).all()
            assert here["hkl"].tolist() == [[int(row[index]) for index in "hkl"] for row in table]
            a_star, b_star, c_star = reciprocal = images["reciprocal"][index]
            assert reciprocal.tolist() == log[index]["reciprocal_per_angstrom"]
            u = quaternion_matrix(*images["orientation"][index])
            along = a_star / np.linalg.norm(a_star)
            up = np.cross(a_star, b_star) / np.linalg.norm(np.cross(a_star, b_star))
            np.testing.assert_allclose(u, np.stack([along, np.cross(up, along), up], axis=1), atol=1e-9)
            # The volume of the cell, from its lengths and angles and from the reciprocal vectors.
            a, b, c, *angles = images["cell"][index]
            cosines = np.cos(np.radians(angles))
            volume = a * b * c * np.sqrt(1 - cosines @ cosines + 2 * cosines.prod())
            assert volume * np.dot(np.cross(a_star, b_star), c_star) == pytest.approx(1, rel=1e-9)
    assert not list(Path().glob("*.part"))


def test_data_files_have_a_master_file(series: Run, dxtbx: Callable[..., Any]) -> None:
    words = ["-frames", 10, "-osc", 0.5, "-phi", 20, "-truth_floor", 5]
    series(*words, "-cbffile", "one.cbf", "-seriesfile", "one.jsonl")
    series(*words, "-nexusfile", "all_master.h5", "-nexus_images_per_file", 4, "-truthfile", "all_master.h5")
    images = numbered(10)
    names = sorted(path.name for path in Path().glob("*.h5"))
    assert names == ["all_data_000001.h5", "all_data_000002.h5", "all_data_000003.h5", "all_master.h5"]
    with h5py.File("all_master.h5") as master:
        entry = master["entry"]
        np.testing.assert_array_equal(entry["data/data"][:], images)
        for index, part in enumerate([images[:4], images[4:8], images[8:]], 1):
            np.testing.assert_array_equal(entry[f"data/data_{index:06}"][:], part)
            assert list(entry[f"images/data_{index:06}/number"]) == list(range(4 * index - 3, 4 * index - 3 + len(part)))
            assert len(entry[f"truth/data_{index:06}/hkl"]) > 10
        np.testing.assert_allclose(entry["sample/transformations/omega"][:], 20 + 0.5 * np.arange(10))
    with h5py.File("all_data_000002.h5") as part:
        np.testing.assert_allclose(part["entry/sample/transformations/omega"][:], 20 + 0.5 * np.arange(4, 8))
    np.testing.assert_array_equal(nanobragg.read_image("all_master.h5#6"), images[5])
    [master, part] = dxtbx("all_master.h5", "all_data_000002.h5").values()
    assert master["images"] == 10 and part["images"] == 4


def test_the_parts_of_a_series_are_joined_by_the_last(series: Run) -> None:
    words = ["-shots", 10, "-only", 2, 10, "-nexusfile", "all.nxs", "-nexus_images_per_file", 2]
    series("-shots", 10, "-cbffile", "one.cbf", "-seriesfile", "one.jsonl")
    for part in (3, 1):
        series(*words, "-shard", f"{part}/3")
        assert not Path("all.nxs").exists()
    series(*words, "-shard", "2/3")
    with h5py.File("all.nxs") as joined:
        np.testing.assert_array_equal(joined["entry/data/data"][:], numbered(10)[1:])


def test_a_series_of_tables_has_no_pixels(series: Run) -> None:
    series("-shots", 3, "-truthfile", "t.h5", "-cbffile", "one.cbf")
    with h5py.File("t.h5") as file:
        assert "data" not in file["entry"]
        assert list(file["entry/images/number"]) == [1, 2, 3]
        assert file["entry/images/rows"][:].sum() == len(file["entry/truth/hkl"]) > 30


def test_the_loaders_of_the_document_load(series: Run) -> None:
    """The blocks of SERIES.md, of the file that its walk makes."""
    Path("train").mkdir()
    one_file = ["-nexusfile", "train/all.nxs", "-truthfile", "train/all.nxs", "-labelfile", "train/all.nxs"]
    series("-shots", 9, "-truth_floor", 5, *one_file)
    text = (Path(__file__).resolve().parents[2] / "docs" / "SERIES.md").read_text()
    loader, storage = (block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "h5py" in block)
    found: dict[str, Any] = {}
    exec(loader, found)
    assert len(found["Images"]("train/all.nxs")) == 9
    counts, labels, spots = found["counts"], found["labels"], found["spots"]
    assert counts.shape == labels.shape == (43, 61)
    assert labels.max() == len(spots["hkl"]) > 10
    # Expected photons of all spots, and the counts with noise.
    assert abs(spots["photons"].sum() - counts.sum()) < 6 * np.sqrt(counts.sum()) + 5 * 300
    exec(storage, found)
    np.testing.assert_array_equal(found["counts"], counts)


@pytest.mark.parametrize("per_file", [0, 8])
def test_a_series_that_is_killed_loses_only_images_in_flight(
    series: Run, request: pytest.FixtureRequest, per_file: int
) -> None:
    """SIGKILL at moments of a fixed random sequence; the images in the end are those of an undisturbed run."""
    shots = 30
    words = ["-shots", shots, "-nexusfile", "all.nxs", "-truthfile", "all.nxs", "-truth_floor", 5]
    if per_file:
        words += ["-nexus_images_per_file", per_file]
    program = request.config.invocation_params.dir / request.config.getoption("--program")
    moments = random.Random(3)
    kept = 0
    for _ in range(3):
        command = [str(program), *WORDS, *map(str, words), "-resume"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        wanted, logged = kept + moments.randrange(2, 8), 0
        while logged < wanted and process.poll() is None:
            time.sleep(moments.uniform(0.001, 0.004))
            log = Path("series.jsonl")
            lines = log.read_text().splitlines() if log.exists() else []
            logged = sum('"number"' in line for line in lines)
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        if kept:
            assert f"{kept} of {shots} images are complete" in said
        lines = Path("series.jsonl").read_text().splitlines(keepends=True)
        kept = sum('"number"' in line for line in lines if line.endswith("\n"))
    said = series(*words, "-resume").stdout
    assert f"{kept} of {shots} images are complete" in said
    Path("fresh").mkdir()
    fresh = [str(word).replace("all.nxs", "fresh/all.nxs") for word in words]
    series(*fresh, "-seriesfile", "fresh/series.jsonl")
    with h5py.File("all.nxs") as one, h5py.File("fresh/all.nxs") as other:
        names: list[str] = []

        def compare(name: str, node: object) -> None:
            if isinstance(node, h5py.Dataset):
                np.testing.assert_array_equal(node[()], other[name][()])
                names.append(name)

        one.visititems(compare)
        assert "entry/data/data" in names
        if per_file:
            for index in range(1, 5):
                for table in ("images/data_%06d/reciprocal", "truth/data_%06d/photons", "data/data_%06d"):
                    name = f"entry/{table % index}"
                    np.testing.assert_array_equal(one[name][:], other[name][:])
    assert not list(Path().glob("*.part"))
