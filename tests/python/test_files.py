"""Readers and writers, held against fabio, NumPy and the program."""

from pathlib import Path
from typing import Any

import fabio
import h5py
import numpy as np
import pytest
from conftest import CASES, FAST, GOLDEN, SLOW, Run, golden_counts, golden_photons

import nanobragg

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def test_files_are_byte_for_byte_those_of_the_program(inputs: Path, run: Run) -> None:
    words = [*CASES["comprehensive"], "-noprogress"]
    outputs = ["-floatfile", "p.bin", "-intfile", "p.img", "-noisefile", "pn.img", "-pngfile", "p.png"]
    assert run(*words, *outputs).returncode == 0
    experiment = nanobragg.Experiment(words)
    image = nanobragg.render(experiment)
    nanobragg.write_image("o.bin", image)
    nanobragg.write_image("o.img", nanobragg.counts(image, experiment), experiment)
    nanobragg.write_image("on.img", nanobragg.add_noise(image, experiment), experiment)
    nanobragg.write_image("o.png", image)
    for ours, theirs in [("o.bin", "p.bin"), ("o.img", "p.img"), ("on.img", "pn.img"), ("o.png", "p.png")]:
        assert Path(ours).read_bytes() == Path(theirs).read_bytes(), ours


def test_fabio_reads_what_is_written(tmp_path: Path) -> None:
    experiment = nanobragg.Experiment(CASES["cubic"])
    counts = nanobragg.counts(nanobragg.render(experiment), experiment)
    path = tmp_path / "a.smv"
    nanobragg.write_image(path, counts, experiment)
    with fabio.open(str(path)) as image:
        np.testing.assert_array_equal(image.data, counts)
        assert float(image.header["DISTANCE"]) == 80
    assert nanobragg.read_header(path)["DISTANCE"] == "80"


def test_counts_of_32_bits_and_photons_are_those_of_the_program(inputs: Path, run: Run) -> None:
    words = [*CASES["cubic"], "-noprogress"]
    experiment = nanobragg.Experiment(words)
    image = nanobragg.render(experiment)
    counts = nanobragg.counts(image, experiment)
    for ending, of_photons in [("cbf", False), ("tif", False), ("h5", False), ("tif", True), ("nxs", True)]:
        flag, pixels = ("-floatfile", image) if of_photons else ("-intfile", counts)
        assert run(*words, flag, f"p.{ending}").returncode == 0
        nanobragg.write_image(f"o.{ending}", pixels, experiment)
        assert Path(f"o.{ending}").read_bytes() == Path(f"p.{ending}").read_bytes(), ending
        if ending == "tif" or ending == "cbf":
            np.testing.assert_array_equal(nanobragg.read_image(f"o.{ending}"), pixels)


def test_fabio_reads_wide_counts_and_photons(tmp_path: Path) -> None:
    experiment = nanobragg.Experiment(CASES["cubic"])
    image = nanobragg.render(experiment)
    counts = nanobragg.counts(image, experiment) + 100_000
    for ending, pixels in [("cbf", counts), ("tiff", counts), ("tiff", image)]:
        path = str(tmp_path / f"a.{ending}")
        nanobragg.write_image(path, pixels, experiment)
        with fabio.open(path) as read:
            np.testing.assert_array_equal(read.data, pixels)
    nanobragg.write_image(tmp_path / "a.nxs", counts, experiment)
    np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.nxs"), counts)


def test_the_pixels_of_a_mask_are_marked(tmp_path: Path) -> None:
    used = np.ones((SLOW, FAST), bool)
    used[3:5, 7:20] = False
    experiment = nanobragg.Experiment(CASES["cubic"], mask=used)
    counts = nanobragg.counts(nanobragg.render(experiment), experiment)
    nanobragg.write_image(tmp_path / "a.nxs", counts, experiment)
    with h5py.File(tmp_path / "a.nxs") as file:
        mask = file["/entry/instrument/detector/pixel_mask"]
        assert mask.dtype == np.uint32
        # Bit 8: masked by the user.
        np.testing.assert_array_equal(mask[()], np.where(used, 0, 1 << 8))
    nanobragg.write_image(tmp_path / "a.cbf", counts, experiment)
    np.testing.assert_array_equal(nanobragg.read_mask(tmp_path / "a.cbf"), used)
    with fabio.open(str(tmp_path / "a.cbf")) as image:
        np.testing.assert_array_equal(image.data, np.where(used, counts, -1))


def test_dead_pixels_are_marked(tmp_path: Path) -> None:
    experiment = nanobragg.Experiment(CASES["cubic"], dead_pixels=0.05, badpix_seed=3)
    counts = nanobragg.add_noise(nanobragg.render(experiment), experiment)
    dead = counts == 0
    assert 50 < dead.sum() < 250
    nanobragg.write_image(tmp_path / "a.nxs", counts, experiment)
    with h5py.File(tmp_path / "a.nxs") as file:
        np.testing.assert_array_equal(file["/entry/instrument/detector/pixel_mask"][()], 2 * dead)
    nanobragg.write_image(tmp_path / "a.cbf", counts, experiment)
    np.testing.assert_array_equal(nanobragg.read_mask(tmp_path / "a.cbf"), ~dead)
    with fabio.open(str(tmp_path / "a.cbf")) as image:
        np.testing.assert_array_equal(image.data, np.where(dead, -2, counts))


def test_what_a_header_cannot_state_is_refused_or_warned_of(tmp_path: Path) -> None:
    experiment = nanobragg.Experiment(CASES["cubic"])
    zeros = np.zeros(experiment.shape, int)
    with pytest.raises(nanobragg.UsageError, match="fast 0 slow 0 is -1, .* 0 to 2147483647"):
        nanobragg.write_image(tmp_path / "a.cbf", zeros - 1, experiment)
    with pytest.raises(nanobragg.UsageError, match=r"is 0\.5,"):
        nanobragg.write_image(tmp_path / "a.cbf", zeros + 0.5, experiment)
    with pytest.raises(nanobragg.RunError, match="4 x 3 pixels .*, the other 61 x 47"):
        nanobragg.write_image(tmp_path / "a.tif", np.zeros((3, 4)), experiment)
    tilted = experiment.replace(detector_rotx=5)
    with pytest.warns(nanobragg.ExperimentWarning, match="a CBF or NeXus file can"):
        nanobragg.write_image(tmp_path / "a.tif", zeros, tilted)


@pytest.mark.parametrize("ending", ["bin", "img", "smv", "pgm", "BIN"])
def test_what_is_written_reads_back(ending: str, tmp_path: Path) -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / f"a.{ending}"
    for written in (image, image.astype(np.int64), image.tolist(), image.T.copy().T):
        nanobragg.write_image(path, written)
        read = nanobragg.read_image(path, shape=(3, 4))
        assert read.dtype == {"pgm": np.uint8, "img": np.uint16, "smv": np.uint16}.get(ending, np.float32)
        np.testing.assert_array_equal(read, image)


@pytest.mark.parametrize("order", ["little_endian", "big_endian"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32])
def test_every_type_of_dtrek_is_read_as_fabio_writes_it(dtype: Any, order: str, tmp_path: Path) -> None:
    # Numbers that show their sign and the order of their bytes.
    limits = np.finfo(dtype) if dtype is np.float32 else np.iinfo(dtype)
    image = np.array([[1, 2, limits.max], [limits.min, 100, 3]]).astype(dtype)
    path = tmp_path / "a.img"
    fabio.dtrekimage.DtrekImage(data=image, header={"BYTE_ORDER": order}).write(str(path))
    assert nanobragg.read_header(path)["BYTE_ORDER"] == order
    read = nanobragg.read_image(path)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    with fabio.open(str(path)) as theirs:
        np.testing.assert_array_equal(read, theirs.data)
    counts = dtype is not np.float32
    mark = (image == 2**32 - 1) | (counts & (image < 0))
    np.testing.assert_array_equal(nanobragg.read_mask(path), ~mark)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, ">u2", np.int64, np.float64, ">f4"])
def test_arrays_of_numpy_are_read(dtype: str | type, tmp_path: Path) -> None:
    image = np.arange(6).reshape(2, 3).astype(dtype)
    np.save(tmp_path / "a.npy", image)
    np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.npy"), image)
    np.save(tmp_path / "a.npy", np.stack([image, image]))
    np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.npy", (2, 2, 3)), [image, image])


def test_a_file_tells_which_pixels_are_measurements(tmp_path: Path) -> None:
    image = np.array([[-1, -2, 99], [100, 0, 101]], np.int32)
    path = tmp_path / "a.cbf"
    minicbf = "# Count_cutoff 100 counts\r\n"
    fabio.cbfimage.CbfImage(data=image, header={"_array_data.header_contents": minicbf}).write(str(path))
    read = nanobragg.read_image(path)
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, image)
    np.testing.assert_array_equal(nanobragg.read_mask(path), [[False, False, True], [False, True, False]])
    whole = nanobragg.compare(image, image)
    assert (whole["masked_pixels"], whole["equal_to_the_bit_pixels"]) == (2, 4)
    part = nanobragg.compare(image, image + 1, mask=image < 99, tolerance=0.2)
    assert (part["masked_pixels"], part["beyond_tolerance_pixels"]) == (5, 1)


def test_the_programs_images_are_read() -> None:
    path = GOLDEN / "expected" / "cubic.float"
    np.testing.assert_array_equal(nanobragg.read_image(path, (SLOW, FAST)), golden_photons("cubic"))
    path = GOLDEN / "expected" / "cubic.int.img"
    np.testing.assert_array_equal(nanobragg.read_image(str(path)), golden_counts("cubic", "int"))


def test_a_shape_is_asked_for_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    nanobragg.write_image(path, np.zeros((3, 4)))
    with pytest.raises(nanobragg.FileError, match=r"a\.bin: .* give shape=\(slow, fast\)"):
        nanobragg.read_image(path)
    with pytest.raises(nanobragg.FileError, match=r"a\.bin"):
        nanobragg.read_image(path, shape=(4, 4))
    nanobragg.write_image(path, np.zeros((3, 4)), format="smv")
    with pytest.raises(nanobragg.FileError, match=r"4 x 3 pixels \(fast x slow\), not 3 x 4"):
        nanobragg.read_image(path, shape=(4, 3))


def test_pixels_that_a_format_cannot_hold_are_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    nanobragg.write_image(path, [[1, 2]])
    before = path.read_bytes()
    for pixel, shown in [(1.5, "1.5"), (-1, "-1"), (65536, "65536"), (np.nan, "NaN")]:
        with pytest.raises(nanobragg.UsageError, match=f"fast 1 slow 0 is {shown}, .* 0 to 65535"):
            nanobragg.write_image(path, [[0, pixel]])
    with pytest.raises(nanobragg.UsageError, match="no format of this name"):
        nanobragg.write_image(tmp_path / "a.jpg", [[1]])
    with pytest.raises(nanobragg.UsageError, match=r"a\.cbf: .* give the experiment"):
        nanobragg.write_image(tmp_path / "a.cbf", [[1]])
    with pytest.raises(nanobragg.FileError, match="missing"):
        nanobragg.write_image(tmp_path / "missing" / "a.img", [[1]])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.img"]


def test_a_damaged_image_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    nanobragg.write_image(path, [[1, 2]])
    path.write_bytes(path.read_bytes()[:-1])
    for read in (nanobragg.read_image, nanobragg.read_header):
        with pytest.raises(nanobragg.FileError, match=r"a\.img"):
            read(path)


def test_reflections_read_back_to_the_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    indices = rng.integers(-99, 99, (300, 3))
    amplitudes = rng.uniform(-1, 1, 300) * 10.0 ** rng.integers(-30, 30, 300)
    path = tmp_path / "a.hkl"
    nanobragg.write_hkl(path, indices, amplitudes)
    read_indices, read_amplitudes = nanobragg.read_hkl(path)
    assert read_indices.dtype == np.int32 and read_amplitudes.dtype == np.float64
    np.testing.assert_array_equal(read_indices, indices)
    np.testing.assert_array_equal(read_amplitudes, amplitudes)
    np.testing.assert_array_equal(np.loadtxt(path), np.column_stack([indices, amplitudes]))
