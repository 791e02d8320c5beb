"""HDF5 images of other writers, made by h5py and hdf5plugin: their pixels, and which of them are measurements."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import h5py
import hdf5plugin
import numpy as np
import pytest

import nanobragg

FRAMES, SLOW, FAST = 3, 37, 53
KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "u8", "i8", "f8", "?"]
BYTE_ORDERS: list[Literal["<", ">"]] = ["<", ">"]
LAYOUTS: dict[str, dict[str, object]] = {
    "contiguous": {},
    "chunks": {"chunks": (1, SLOW, FAST)},
    "tiles": {"chunks": (2, 16, 20)},
    "gzip": {"chunks": (1, SLOW, FAST), "compression": "gzip", "shuffle": True},
    "fletcher": {"chunks": (1, 10, FAST), "fletcher32": True},
    "bslz4": {"chunks": (1, SLOW, FAST), **hdf5plugin.Bitshuffle(cname="lz4")},
    "bslz4 of small blocks": {"chunks": (1, SLOW, FAST), **hdf5plugin.Bitshuffle(nelems=64, cname="lz4")},
    "bitshuffle": {"chunks": (1, SLOW, FAST), **hdf5plugin.Bitshuffle(cname="none")},
    "lz4": {"chunks": (1, SLOW, FAST), **hdf5plugin.LZ4()},
}


def numbers(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of the type, from its least to its largest, of at most 32 bits."""
    random = np.random.default_rng(len(shape))
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return random.normal(0, 1e5, shape).astype(dtype)
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    narrow = np.dtype({"u8": "u4", "i8": "i4"}.get(kind, kind))
    info = np.iinfo(narrow)
    wide = random.integers(info.min, info.max, shape, dtype=narrow, endpoint=True)
    small = random.integers(0, 100, shape)
    return np.where(random.random(shape) < 0.1, wide, small).astype(dtype)


def write(path: Path, data: np.ndarray, **options: object) -> h5py.File:
    """A file of NXmx with these images, still open."""
    libver = options.pop("libver", "earliest")
    userblock = options.pop("userblock_size", 0)
    file = h5py.File(path, "w", libver=libver, userblock_size=userblock)
    group(file, "entry", "NXentry")
    group(file, "entry/data", "NXdata").attrs["signal"] = "data"
    group(file, "entry/instrument", "NXinstrument")
    group(file, "entry/instrument/detector", "NXdetector")
    file.create_dataset("entry/data/data", data=data, **options)
    return file


def group(file: h5py.Group, path: str, kind: str) -> h5py.Group:
    made = file.require_group(path)
    made.attrs["NX_class"] = np.bytes_(kind) if kind == "NXdata" else kind
    return made


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_types_and_layouts_read_as_h5py_wrote_them(tmp_path: Path, libver: str, layout: str) -> None:
    for kind, order in itertools.product(KINDS, BYTE_ORDERS):
        dtype = np.dtype(kind).newbyteorder(order)
        data = numbers(kind, (FRAMES, SLOW, FAST)).astype(dtype)
        path = tmp_path / f"{kind}.h5"
        write(path, data, libver=libver, **LAYOUTS[layout]).close()
        for frame in range(FRAMES):
            read = nanobragg.read_image(f"{path}#{frame + 1}")
            name = f"{layout} {libver} {order}{kind} frame {frame}"
            if kind in ("f8", "u8", "i8", "?"):
                narrow = {"f8": "f4", "?": "u1"}.get(kind, read.dtype)
                np.testing.assert_array_equal(read, data[frame].astype(narrow), err_msg=name)
            else:
                assert read.dtype == np.dtype(kind), name
                np.testing.assert_array_equal(read, data[frame], err_msg=name)


def test_one_image_needs_no_number_and_several_do(tmp_path: Path) -> None:
    path = tmp_path / "a.nxs"
    for shape in [(SLOW, FAST), (1, SLOW, FAST)]:
        data = numbers("u2", shape)
        write(path, data).close()
        names: list[Path | str] = [path, f"{path}#1"]
        for name in names:
            np.testing.assert_array_equal(nanobragg.read_image(name), data.reshape(SLOW, FAST))
    write(path, numbers("u2", (FRAMES, SLOW, FAST))).close()
    assert_refused(path, "3 images", "#1 to #3")
    for number in (0, 4):
        assert_refused(f"{path}#{number}", f"no image #{number}", "3")
    named = tmp_path / "b.nxs#2"
    write(named, numbers("u2", (SLOW, FAST))).close()
    assert nanobragg.read_image(named).shape == (SLOW, FAST)


def test_panels_are_one_below_the_other(tmp_path: Path) -> None:
    data = numbers("i4", (2, 4, SLOW, FAST))
    mask = np.zeros((4, SLOW, FAST), "u4")
    mask[3, 5, 6] = 256
    with write(tmp_path / "a.h5", data, chunks=(1, 1, SLOW, FAST)) as file:
        file["entry/instrument/detector/pixel_mask"] = mask
    read = nanobragg.read_image(f"{tmp_path}/a.h5#2", shape=(4, SLOW, FAST))
    np.testing.assert_array_equal(read, data[1])
    measured = nanobragg.read_mask(f"{tmp_path}/a.h5#2", shape=(4, SLOW, FAST))
    np.testing.assert_array_equal(measured, (mask == 0) & (data[1] >= 0))


@pytest.mark.parametrize("number", [0, 1])
def test_an_eiger_master_leads_to_its_data_files(tmp_path: Path, number: int) -> None:
    data = numbers("u4", (5, SLOW, FAST))
    bslz4 = LAYOUTS["bslz4"]
    for part, images in enumerate([data[:2], data[2:4], data[4:]], number):
        with h5py.File(tmp_path / f"run_data_{part:06}.h5", "w", libver="latest") as file:
            file.create_dataset("entry/data/data", data=images, **bslz4)
    master = tmp_path / "run_master.h5"
    mask = np.zeros((SLOW, FAST), "u4")
    mask[3:5] = 1
    with h5py.File(master, "w") as file:
        group(file, "entry", "NXentry")
        links = group(file, "entry/data", "NXdata")
        links.attrs["signal"] = f"data_{number:06}"
        for part in range(number, number + 3):
            place = f"run_data_{part:06}.h5"
            # An absolute path of the machine that measured counts by its last part.
            place = f"/ramdisk/{place}" if part == number + 1 else place
            links[f"data_{part:06}"] = h5py.ExternalLink(place, "/entry/data/data")
        detector = group(file, "entry/instrument/detector", "NXdetector")
        file["entry/instrument"].attrs["NX_class"] = "NXinstrument"
        detector["saturation_value"] = np.uint32(100)
        detector.create_dataset("detectorSpecific/pixel_mask", data=mask, **hdf5plugin.Bitshuffle(cname="lz4"))
    for frame in range(5):
        image = f"{master}#{frame + 1}"
        np.testing.assert_array_equal(nanobragg.read_image(image), data[frame])
        np.testing.assert_array_equal(nanobragg.read_mask(image), (mask == 0) & (data[frame] < 100))
    assert_refused(master, "5 images")

    # A master moved away with a symbolic link in its place.
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.h5"
    link.symlink_to(master)
    np.testing.assert_array_equal(nanobragg.read_image(f"{link}#5"), data[4])

    # What is before a missing file can be read.
    (tmp_path / f"run_data_{number + 1:06}.h5").unlink()
    np.testing.assert_array_equal(nanobragg.read_image(f"{master}#2"), data[1])
    refused: list[Path | str] = [master, f"{master}#3", f"{master}#5"]
    for name in refused:
        assert_refused(name, f"run_data_{number + 1:06}.h5", "not there")
    (tmp_path / f"run_data_{number + 1:06}.h5").write_text("no HDF5\n" * 99)
    assert_refused(f"{master}#5", f"run_data_{number + 1:06}.h5")


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    data = numbers("u2", (SLOW, FAST))
    inner = tmp_path / "inner"
    inner.mkdir()
    write(tmp_path / "secret.h5", data).close()
    for place in ["../secret.h5", str(tmp_path / "secret.h5"), "inner/../../secret.h5"]:
        with h5py.File(inner / "a.h5", "w") as file:
            file["entry/data/data"] = h5py.ExternalLink(place, "/entry/data/data")
        assert_refused(inner / "a.h5", "secret.h5")
    write(inner / "secret.h5", data).close()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/data"] = h5py.ExternalLink("inner/secret.h5", "/entry/data/data")
    np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.h5"), data)


def test_groups_are_found_by_class_and_data_by_signal(tmp_path: Path) -> None:
    data = numbers("u2", (SLOW, FAST))
    for libver in ["earliest", "latest"]:
        with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
            # Neither of these is an entry with images.
            group(file, "a_first", "NXentry")
            file["entry"] = 3
            file["elsewhere"] = h5py.ExternalLink("missing.h5", "/")
            entry = group(file, "scan_7", "NXentry")
            inside = group(entry, "eiger", "NXdata")
            inside.attrs["signal"] = "counts"
            inside["counts"] = h5py.SoftLink("/scan_7/beamline/camera/raw")
            group(entry, "beamline", "NXinstrument")
            camera = group(entry, "beamline/camera", "NXdetector")
            camera["raw"] = data
            camera["pixel_mask"] = (data == 7).astype("u1")
            camera["saturation_value"] = np.array([90.0])
        np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.h5"), data)
        measured = nanobragg.read_mask(tmp_path / "a.h5")
        np.testing.assert_array_equal(measured, (data != 7) & (data < 90))


def test_the_virtual_dataset_of_a_beamline_leads_to_the_numbered_ones(tmp_path: Path) -> None:
    data = numbers("u2", (2, SLOW, FAST))
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        group(file, "entry", "NXentry")
        inside = group(file, "entry/data", "NXdata")
        inside.attrs["signal"] = "data"
        inside["data_000001"] = data
        layout = h5py.VirtualLayout(data.shape, "u2")
        layout[:] = h5py.VirtualSource(inside["data_000001"])
        inside.create_virtual_dataset("data", layout)
    np.testing.assert_array_equal(nanobragg.read_image(f"{tmp_path}/a.h5#2"), data[1])
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.move("entry/data/data_000001", "entry/raw")
    assert_refused(f"{tmp_path}/a.h5#2", "virtual")


def test_pixels_are_measurements_unless_the_detector_says_otherwise(tmp_path: Path) -> None:
    data = numbers("f4", (FRAMES, SLOW, FAST))
    masks = (np.random.default_rng(5).random(data.shape) < 0.2).astype("u4") << 31
    path = tmp_path / "a.h5"
    with write(path, data) as file:
        detector = file["entry/instrument/detector"]
        detector["pixel_mask"] = masks
        detector["saturation_value"] = np.int64(100000)
        detector["underload_value"] = -50000.0
        detector["undefined_value"] = data[1, 2, 3]
    for frame in range(FRAMES):
        expected = (masks[frame] == 0) & (data[frame] < 100000) & (data[frame] >= -50000)
        expected[data[frame] == data[1, 2, 3]] = False
        np.testing.assert_array_equal(nanobragg.read_mask(f"{path}#{frame + 1}"), expected)

    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/pixel_mask"]
        file["entry/instrument/detector/pixel_mask"] = masks[:, :-1]
    assert_refused(f"{path}#1", "pixel_mask", "36")


# Where CrystFEL, cheetah at LCLS and SPring-8 keep images, `[image][slow][fast]` or one.
LAYOUTS_OF_OTHERS = ["/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/detector_corrected/data", "/data/data"]


@pytest.mark.parametrize("dataset", LAYOUTS_OF_OTHERS)
def test_a_dataset_of_any_layout_is_read_by_its_name(tmp_path: Path, dataset: str) -> None:
    data = numbers("i2", (FRAMES, SLOW, FAST))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(dataset, data=data, chunks=(1, SLOW, FAST), compression="gzip", shuffle=True)
        file["mask"] = np.ones((SLOW, FAST), "u1")
    for frame in range(FRAMES):
        np.testing.assert_array_equal(nanobragg.read_image(f"{path}:{dataset}#{frame + 1}"), data[frame])
    assert nanobragg.read_image(f"{path}:/mask").all()
    assert_refused(f"{path}:{dataset}", f"#1 to #{FRAMES}")
    assert_refused(f"{path}:{dataset}#4", "no image #4")
    assert_refused(f"{path}:{dataset}2", "there is no dataset", "holds")
    np.save(tmp_path / "a.npy", data[0])
    assert_refused(f"{tmp_path}/a.npy:/data", "only HDF5 files have datasets")


def test_a_file_behind_a_user_block_is_read(tmp_path: Path) -> None:
    data = numbers("i2", (SLOW, FAST))
    write(tmp_path / "a.h5", data, userblock_size=1024).close()
    np.testing.assert_array_equal(nanobragg.read_image(tmp_path / "a.h5"), data)


REFUSED: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "no group": (lambda file: file.__delitem__("entry"), "no images"),
    "no data": (lambda file: file.__delitem__("entry/data/data"), "no images"),
    "text": (lambda file: replace(file, np.array([[b"a", b"b"]])), "not numbers"),
    "a line": (lambda file: replace(file, np.arange(9)), "1 axes"),
    "no frames": (lambda file: replace(file, np.zeros((0, 4, 4), "u2")), "no images"),
    "no rows": (lambda file: replace(file, np.zeros((1, 0, 4), "u2")), "4 x 0"),
    "half floats": (lambda file: replace(file, np.zeros((4, 4), "f2")), "floats of 2 bytes"),
    "wide integers": (lambda file: replace(file, np.full((4, 4), 1 << 40)), "32 bits"),
    "too large": (lambda file: huge(file), "chunks, more than 65536"),
    "too many chunks": (lambda file: crumbs(file), "an image in 1048576 chunks"),
    "a filter": (lambda file: replace(file, numbers("u2", (40, 400)), **hdf5plugin.Blosc()), "filter id 32001"),
    "zstd": (lambda file: replace(file, numbers("u2", (40, 400)), **hdf5plugin.Bitshuffle(cname="zstd")), "zstd"),
}


def replace(file: h5py.File, data: np.ndarray, **options: object) -> None:
    del file["entry/data/data"]
    file.create_dataset("entry/data/data", data=data, **options)


def huge(file: h5py.File) -> None:
    del file["entry/data/data"]
    file.create_dataset("entry/data/data", (1, 1 << 20, 1 << 20), "u2", chunks=(1, 64, 64))


def crumbs(file: h5py.File) -> None:
    del file["entry/data/data"]
    file.create_dataset("entry/data/data", (1, 1024, 1024), "u1", chunks=(1, 1, 1))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_an_error_of_one_line(tmp_path: Path, name: str) -> None:
    change, says = REFUSED[name]
    path = tmp_path / "a.h5"
    with write(path, numbers("u2", (SLOW, FAST))) as file:
        change(file)
    assert_refused(path, says)


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path, numbers("u2", (SLOW, FAST)), **{**LAYOUTS["gzip"], "chunks": (SLOW, FAST)}).close()
    whole = path.read_bytes()
    for length in [*range(9, 100, 13), *range(100, len(whole) - 8, 97)]:
        path.write_bytes(whole[:length])
        assert_refused(path)


def test_an_image_of_another_format_cannot_be_chosen(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 4), "u2"))
    assert_refused(f"{tmp_path}/a.npy#1", "#1", "NPY")


def assert_refused(path: Path | str, *parts: str) -> None:
    with pytest.raises(nanobragg.FileError) as refusal:
        nanobragg.read_image(path)
    text = str(refusal.value)
    assert "\n" not in text and Path(str(path).split("#")[0].split(":/")[0]).name in text, text
    for part in parts:
        assert part in text, text
