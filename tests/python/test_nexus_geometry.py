"""The geometry of NXmx files: of our own with many panels, and of files as facilities write them, which dxtbx and
`-img` must place alike. What places them is worked out here too."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Run

SAME_MM = 1e-6
# A small part of a picture: the geometry is that of the whole detector.
LINE = "-default_F 10 -cell 70 80 90 -N 1 -oversample 1 -fluence 1e20 -seed 1 -noprogress -nopgm -nonoise".split()
PART = ["-roi", 0, 3, 0, 3]

Dxtbx = Callable[..., Any]


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def render(*flags: object) -> str:
        done = run(*LINE, *PART, *flags, "-intfile", os.devnull, "-floatfile", os.devnull)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return render


def jungfrau() -> list[tuple[Any, Any, Any]]:
    """Corner, fast and slow of 64 chips of a JUNGFRAU 4M in pixels about the beam: 8 modules of 4 x 2 chips of 256
    pixels with 2 between them, in two columns 8 pixels apart and four rows 36 apart."""
    side, step = 256, 258
    wide, high = 4 * side + 3 * 2, 2 * side + 2
    across, down = 2 * wide + 8, 4 * high + 3 * 36
    return [
        (
            np.array([-across / 2 + column * (wide + 8) + x * step, down / 2 - row * (high + 36) - y * step]),
            np.array([1, 0]),
            np.array([0, -1]),
        )
        for row in range(4)
        for column in range(2)
        for y in range(2)
        for x in range(4)
    ]


def agipd() -> list[tuple[Any, Any, Any]]:
    """The same of an AGIPD 1M as European XFEL places it: four modules of eight chips in each quadrant, from its
    corner. x is to the left there, seen along the beam."""
    corners = [(-525, 625), (-550, -10), (520, -160), (542.5, 475)]
    away, up = [1, 1, -1, -1], [-1, -1, 1, 1]
    # Modules follow downwards in every quadrant.
    return [
        (
            np.array([-(x + away[q] * 66 * chip), y - module * (128 + 29)]),
            np.array([0, up[q]]),
            np.array([-away[q], 0]),
        )
        for q, (x, y) in enumerate(corners)
        for module in range(4)
        for chip in range(8)
    ]


KNOWN = {"jungfrau4m": (jungfrau, 0.075, [256, 256]), "agipd1m": (agipd, 0.2, [128, 64])}


@pytest.mark.parametrize("name", KNOWN)
def test_panels_are_where_their_layout_says_in_every_file(
    name: str, render: Callable[..., str], dxtbx: Dxtbx
) -> None:
    layout, pixel_mm, size = KNOWN[name]
    flags = ["-lambda", 1.3, "-distance", 130]
    render("-detector", name, *flags, "-nexusfile", "a.nxs", "-exptfile", "a.expt")
    render("-img", "a.nxs", "-exptfile", "again.expt")
    found = dxtbx("a.nxs", "a.expt", "again.expt")
    for file, one in found.items():
        assert "error" not in one, (file, one)
        assert len(one["panels"]) == len(layout()), file
        assert one["wavelength"] == pytest.approx(1.3, abs=1e-12)
        for panel, (corner, fast, slow) in zip(one["panels"], layout(), strict=True):
            assert panel["size"] == size, file
            at = np.array(panel["points"])
            x, y = pixel_mm * (corner + np.outer(at[:, 0], fast) + np.outer(at[:, 1], slow)).T
            truth = np.stack([x, y, np.full_like(x, -130)], axis=1)
            assert np.abs(np.array(panel["plane"]) - truth).max() < SAME_MM, (file, panel)


def stokes(one: Any) -> Any:
    """Q and U of the polarization: a fraction along a normal is the rest of it across."""
    x, y, _ = one["normal"]
    return (2 * one["fraction"] - 1) * np.array([x * x - y * y, 2 * x * y])


@pytest.mark.parametrize("convention", ["mosflm", "xds", "adxv", "dials"])
def test_what_is_written_is_read_again(convention: str, render: Callable[..., str], dxtbx: Dxtbx) -> None:
    flags = ["-detpixels_f", 41, "-detpixels_s", 23, "-pixel", 0.172, "-lambda", 0.97931234, "-polar", -0.3]
    flags += ["-detector_rotx", 5, "-detector_roty", 2, "-detector_rotz", -3, "-twotheta", 12]
    flags += ["-distance", 123.456, "-detector_thick", 450, "-detector_abs", 240, "-phi", 10, "-osc", 0.5]
    render(f"-{convention}", *flags, "-nexusfile", "a.nxs", "-exptfile", "a.expt")
    render("-img", "a.nxs", "-exptfile", "again.expt")
    found = dxtbx("a.nxs", "a.expt", "again.expt")
    first, again = found["a.expt"], found["again.expt"]
    assert again["oscillation"] == pytest.approx([10, 0.5], abs=1e-12)
    for name in ("wavelength", "spindle", "beam"):
        assert again[name] == pytest.approx(first[name], abs=1e-12), name
    assert stokes(again) == pytest.approx(stokes(first), abs=1e-12)
    for other in (first, found["a.nxs"]):
        (one,), (two,) = again["panels"], other["panels"]
        assert np.abs(np.array(one["plane"]) - np.array(two["plane"])).max() < SAME_MM
        assert one["thickness"] == pytest.approx(0.45)


def test_masked_pixels_of_a_file_are_masked_again(render: Callable[..., str]) -> None:
    render("-detector", "pilatus300k", "-lambda", 1, "-distance", 100, "-nexusfile", "a.nxs")
    render("-img", "a.nxs", "-nexusfile", "b.nxs")
    masks = []
    for name in ("a.nxs", "b.nxs"):
        with h5py.File(name) as file:
            masks.append(file["entry/instrument/detector/pixel_mask"][()] != 0)
    assert masks[0].sum() == 2 * 17 * 487
    np.testing.assert_array_equal(*masks)


def turned(axis: Any, degrees: float) -> Any:
    """The rotation about a unit vector."""
    x, y, z = axis
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across


def group(file: h5py.Group, path: str, kind: str) -> h5py.Group:
    made = file.require_group(path)
    # Fixed length, as readers of Eiger files expect.
    made.attrs["NX_class"] = np.bytes_(kind)
    return made


def axis(
    file: h5py.Group, path: str, value: object, kind: str, vector: object, on: str, **more: object
) -> None:
    made = file.create_dataset(path, data=np.asarray(value, "f8"))
    units = more.pop("units", "mm" if kind == "translation" else "deg")
    attributes = {"transformation_type": kind, "vector": np.asarray(vector, "f8"), "depends_on": on, "units": units}
    for name, attribute in (attributes | more).items():
        made.attrs[name] = attribute


def entry(path: Path | str, data: Any, wavelength: object, units: str = "angstrom") -> h5py.File:
    """A file of NXmx without detector modules and axes."""
    file = h5py.File(path, "w")
    group(file, "entry", "NXentry")["definition"] = "NXmx"
    group(file, "entry/data", "NXdata").attrs["signal"] = "data"
    file["entry/data/data"] = data
    group(file, "entry/source", "NXsource")["name"] = "a facility"
    group(file, "entry/sample", "NXsample")["name"] = "a crystal"
    group(file, "entry/instrument", "NXinstrument")["name"] = "a beamline"
    beam = group(file, "entry/instrument/beam", "NXbeam")
    beam["incident_wavelength"] = np.asarray(wavelength, "f8")
    beam["incident_wavelength"].attrs["units"] = units
    return file


def sensor(detector: h5py.Group, saturation: int) -> None:
    detector["sensor_material"] = "Si"
    detector["sensor_thickness"] = 450e-6
    detector["sensor_thickness"].attrs["units"] = "m"
    detector["saturation_value"] = saturation
    detector["underload_value"] = 0


def module(
    file: h5py.File, path: str, on: str, pixel_mm: float, origin: object, size: object, axes: Any
) -> None:
    made = group(file, path, "NXdetector_module")
    made["data_origin"], made["data_size"] = np.array(origin), np.array(size)
    for name, vector in zip(("fast", "slow"), axes, strict=True):
        # Pixels are in metres here, vectors of axes in millimetres.
        axis(file, f"{path}/{name}_pixel_direction", pixel_mm / 1000, "translation", vector, on, units="m")


def beamline(path: Path | str) -> list[Any]:
    """A rotation on an Eiger as a beamline with a kappa goniometer writes it: the detector on an arm of two-theta,
    the offset of its module in pixels' directions, relative and absolute paths, offsets without units."""
    file = entry(path, np.zeros((4, 23, 41), "u4"), 0.9763)
    detector = group(file, "entry/instrument/detector", "NXdetector")
    detector["type"] = "Pixel"
    sensor(detector, 33000)
    detector["depends_on"] = "/entry/instrument/detector/transformations/det_z"
    mask = np.zeros((23, 41), "u4")
    mask[5:7], mask[3, 8] = 1, 16
    detector["pixel_mask"] = mask
    arms = group(file, "entry/instrument/detector/transformations", "NXtransformations").name
    axis(file, f"{arms}/two_theta", [15.0], "rotation", [-1, 0, 0], ".")
    axis(file, f"{arms}/det_z", [171.25], "translation", [0, 0, 1], "two_theta", offset=np.array([0.5, -1.5, 2.0]))
    base = "/entry/instrument/detector/module"
    module(file, base, "module_offset", 0.075, [0, 0], [23, 41], ([-1, 0, 0], [0, -1, 0]))
    vector = np.array([3.2, 1.7, 0]) / np.hypot(3.2, 1.7)
    axis(file, f"{base}/module_offset", np.hypot(3.2, 1.7) / 1000, "translation", vector, f"{arms}/det_z", units="m")
    sample = file["entry/sample"]
    group(file, "entry/sample/transformations", "NXtransformations")
    gonio = "/entry/sample/transformations"
    sample["depends_on"] = f"{gonio}/phi"
    axis(file, f"{gonio}/phi", [12.0], "rotation", [-1, 0, 0], f"{gonio}/kappa")
    axis(file, f"{gonio}/kappa", [30.0], "rotation", [-0.7660444431, 0.6427876097, 0], f"{gonio}/omega")
    axis(file, f"{gonio}/omega", 90 + 0.1 * np.arange(4), "rotation", [-1, 0, 0], f"{gonio}/sam_z")
    axis(file, f"{gonio}/sam_z", [0.3], "translation", [0, 0, 1], ".")
    axis(file, f"{gonio}/omega_end", 90.1 + 0.1 * np.arange(4), "rotation", [-1, 0, 0], ".")
    file.close()
    arm = turned([-1, 0, 0], 15)
    corner = arm @ (np.array([3.2, 1.7, 0]) + [0, 0, 171.25] + np.array([0.5, -1.5, 2.0]))
    return [(corner, arm @ [-1, 0, 0], arm @ [0, -1, 0])]


def fel(path: Path | str, first: int = 2) -> list[Any]:
    """Stills on a JUNGFRAU of a free-electron laser: eight modules of two chips below each other in one dataset,
    each carried by its module, its quadrant and a rail, whose axes turn and have offsets; a wavelength for
    each image. With first = 3 the dataset has an axis of panels."""
    shape = (3, 16 * 12, 20) if first == 2 else (3, 16, 12, 20)
    file = entry(path, np.zeros(shape, "i4"), [1.25, 1.26, 1.27])
    base = "/entry/instrument/ELE_D0"
    detector = group(file, base, "NXdetector")
    sensor(detector, 120000)
    axes = group(file, f"{base}/transformations", "NXtransformations").name
    axis(file, f"{axes}/AXIS_RAIL", [95.0], "translation", [0, 0, 1], ".")
    zero, mm = np.zeros(3), {"offset_units": "mm"}
    axis(file, f"{axes}/AXIS_D0", 2.0, "rotation", [0, 0, -1], f"{axes}/AXIS_RAIL", offset=zero, **mm)
    places = []
    for q in range(2):
        on_q = np.array([11.0 * q, -7.0, 0.0])
        axis(file, f"{axes}/AXIS_D0Q{q}", 90.0 * q, "rotation", [0, 0, -1], f"{axes}/AXIS_D0", offset=on_q, **mm)
        for m in range(4):
            on_m = np.array([0.5 * m, 1.4 * m, 0.1 * q])
            name = f"AXIS_D0Q{q}M{m}"
            axis(file, f"{axes}/{name}", 0.3 * m, "rotation", [0, 0, -1], f"{axes}/AXIS_D0Q{q}", offset=on_m, **mm)
            for a in range(2):
                on_a = np.array([-1.5 + 1.6 * a, 0.45, 0])
                chip = f"{name}A{a}"
                axis(file, f"{axes}/{chip}", 0.0, "rotation", [0, 0, -1], f"{axes}/{name}", offset=on_a, **mm)
                number = (q * 4 + m) * 2 + a
                origin, size = ([number * 12, 0], [12, 20])
                if first == 3:
                    origin, size = [number, 0, 0], [1, 12, 20]
                directions = ([-1, 0, 0], [0, -1, 0])
                module(file, f"{base}/ARRAY_D0Q{q}M{m}A{a}", f"{axes}/{chip}", 0.075, origin, size, directions)
                turn = turned([0, 0, -1], 2.0), turned([0, 0, -1], 90.0 * q), turned([0, 0, -1], 0.3 * m)
                corner = turn[0] @ (turn[1] @ (turn[2] @ on_a + on_m) + on_q) + [0, 0, 95]
                whole = turn[0] @ turn[1] @ turn[2]
                places.append((corner, whole @ [-1, 0, 0], whole @ [0, -1, 0]))
    file.close()
    return places


def eiger_master(path: Path | str, with_geometry: bool) -> list[Any]:
    """The master file of an older Eiger 1M: no modules, a beam centre and a distance."""
    fast, slow = 1030, 1065
    with h5py.File(Path(path).with_name("eiger_data_000001.h5"), "w") as file:
        file.create_dataset("entry/data/data", (5, slow, fast), "u4", chunks=(1, slow, fast), compression="gzip")
    with h5py.File(path, "w") as file:
        group(file, "entry", "NXentry")
        links = group(file, "entry/data", "NXdata")
        links["data_000001"] = h5py.ExternalLink("eiger_data_000001.h5", "/entry/data/data")
        group(file, "entry/instrument", "NXinstrument")
        beam = group(file, "entry/instrument/beam", "NXbeam")
        beam["incident_wavelength"] = 1.0332
        beam["incident_wavelength"].attrs["units"] = "angstrom"
        detector = group(file, "entry/instrument/detector", "NXdetector")
        detector["description"] = np.bytes_("Dectris Eiger 1M")
        detector["detector_number"] = np.bytes_("E-08-0101")
        sensor(detector, 2**16 - 1)
        del detector["saturation_value"]
        lengths = {"x_pixel_size": 75e-6, "y_pixel_size": 75e-6, "detector_distance": 0.21}
        for name, metres in lengths.items():
            detector[name] = metres
            detector[name].attrs["units"] = "m"
        for name, seconds in {"count_time": 0.1, "frame_time": 0.1}.items():
            detector[name] = seconds
            detector[name].attrs["units"] = "s"
        detector["beam_center_x"], detector["beam_center_y"] = 18.5, 9.25
        specific = detector.create_group("detectorSpecific")
        specific["x_pixels_in_detector"], specific["y_pixels_in_detector"] = fast, slow
        specific["countrate_correction_count_cutoff"] = 12345
        specific["pixel_mask"] = np.zeros((slow, fast), "u4")
        if with_geometry:
            detector["geometry/orientation/value"] = np.array([-1.0, 0, 0, 0, -1, 0])
            detector["geometry/translation/distances"] = np.array([18.5 * 75e-6, 9.25 * 75e-6, -0.21])
        group(file, "entry/sample", "NXsample")
        turning = file.create_group("entry/sample/goniometer")
        turning["omega"] = 30 + 0.2 * np.arange(5)
        turning["omega_range_average"] = 0.2
    return [(np.array([18.5 * 0.075, 9.25 * 0.075, 210]), np.array([-1, 0, 0]), np.array([0, -1, 0]))]


def agrees(one: Any, places: Any, pixel_mm: float) -> None:
    """Panels are at these corners with these axes, which are in the frame of NeXus."""
    assert "error" not in one, one
    flip = np.array([-1, 1, -1])
    for panel, (corner, fast, slow) in zip(one["panels"], places, strict=True):
        f, s = pixel_mm * np.array(panel["points"]).T
        truth = flip * (corner + np.outer(f, fast) + np.outer(s, slow))
        assert np.abs(np.array(panel["plane"]) - truth).max() < SAME_MM


def test_the_rotation_of_a_beamline(render: Callable[..., str], dxtbx: Dxtbx) -> None:
    places = beamline("beamline.nxs")
    said = render("-img", "beamline.nxs#3", "-exptfile", "ours.expt", "-nexusfile", "ours.nxs")
    assert "detector, sensor, beam direction, wavelength, spindle, phi, masked pixels" in said, said
    found = dxtbx("beamline.nxs", "ours.expt")
    theirs, ours = found["beamline.nxs"], found["ours.expt"]
    for one in (theirs, ours):
        agrees(one, places, 0.075)
        assert one["wavelength"] == pytest.approx(0.9763, abs=1e-12)
        assert one["spindle"] == pytest.approx([1, 0, 0], abs=1e-12)
        assert one["panels"][0]["thickness"] == pytest.approx(0.45)
        assert one["panels"][0]["mu"] == pytest.approx(theirs["panels"][0]["mu"], rel=0.03)
    assert theirs["oscillation"] == pytest.approx([90, 0.1])
    assert ours["oscillation"] == pytest.approx([90.2, 0.1])
    # A count of 0 is trusted by every version of dxtbx.
    assert ours["panels"][0]["trusted"] == [-0.5, 32999]
    with h5py.File("beamline.nxs") as a, h5py.File("ours.nxs") as b:
        masks = [file["entry/instrument/detector/pixel_mask"][()] != 0 for file in (a, b)]
    np.testing.assert_array_equal(*masks)


def test_the_kappa_axis_carries_the_axis_of_a_phi_scan(render: Callable[..., str], dxtbx: Dxtbx) -> None:
    beamline("a.nxs")
    with h5py.File("a.nxs", "a") as file:
        gonio = file["entry/sample/transformations"]
        for name, values in (("omega", [25.0]), ("phi", 12 + 0.5 * np.arange(4))):
            attributes = dict(gonio[name].attrs)
            del gonio[name]
            gonio[name] = values
            gonio[name].attrs.update(attributes)
        del gonio["omega_end"]
    render("-img", "a.nxs", "-exptfile", "ours.expt")
    found = dxtbx("a.nxs", "ours.expt")
    kappa = turned([-0.7660444431, 0.6427876097, 0], 30.0)
    spindle = turned([-1, 0, 0], 25) @ kappa @ [-1, 0, 0] * [-1, 1, -1]
    for one in found.values():
        assert one["spindle"] == pytest.approx(spindle, abs=1e-9)
        assert one["oscillation"] == pytest.approx([12, 0.5])


def test_modules_on_a_chain_of_axes(render: Callable[..., str], dxtbx: Dxtbx) -> None:
    places = fel("fel.nxs")
    render("-img", "fel.nxs", "-exptfile", "ours.expt")
    render("-img", "fel.nxs#3", "-exptfile", "third.expt")
    found = dxtbx("fel.nxs", "ours.expt", "third.expt")
    for one in found.values():
        agrees(one, places, 0.075)
    assert [one["wavelength"] for one in found.values()] == pytest.approx([1.25, 1.25, 1.27], abs=1e-12)


def test_modules_in_an_axis_of_panels(render: Callable[..., str], dxtbx: Dxtbx) -> None:
    # dxtbx of DIALS 3.12 reads no data with an axis of panels, later ones do.
    places = fel("fel.nxs", first=3)
    with h5py.File("fel.nxs", "a") as file:
        mask = np.zeros((16, 12, 20), "u4")
        mask[7, 5, 6:9] = 1
        file["entry/instrument/ELE_D0/pixel_mask"] = mask
    render("-img", "fel.nxs", "-exptfile", "ours.expt", "-nexusfile", "ours.nxs")
    agrees(dxtbx("ours.expt")["ours.expt"], places, 0.075)
    with h5py.File("ours.nxs") as file:
        ours = file["entry/instrument/detector/pixel_mask"][()] != 0
    np.testing.assert_array_equal(ours, mask.reshape(16 * 12, 20) != 0)


@pytest.mark.parametrize("with_geometry", [True, False])
def test_a_master_file_without_modules(with_geometry: bool, render: Callable[..., str], dxtbx: Dxtbx) -> None:
    places = eiger_master("eiger_master.h5", with_geometry)
    render("-img", "eiger_master.h5#2", "-exptfile", "ours.expt")
    ours = dxtbx("ours.expt")["ours.expt"]
    agrees(ours, places, 0.075)
    assert ours["oscillation"] == pytest.approx([30.2, 0.2])
    assert ours["wavelength"] == pytest.approx(1.0332, abs=1e-12)
    if with_geometry:
        theirs = dxtbx("eiger_master.h5")["eiger_master.h5"]
        # dxtbx keeps its numbers in 32 bits.
        for one, two in zip(theirs["panels"], ours["panels"], strict=True):
            assert np.abs(np.array(one["plane"]) - np.array(two["plane"])).max() < 1e-4
        assert theirs["wavelength"] == pytest.approx(ours["wavelength"])


FAULTS: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "no detector": (lambda file: file.__delitem__("entry/instrument/detector"), "an NXdetector in an NXinstrument"),
    "no size": (
        lambda file: file.__delitem__("entry/instrument/detector/module/data_size"),
        "/entry/instrument/detector/module/data_size is missing",
    ),
    "an axis that is not there": (
        lambda file: file.__delitem__("entry/instrument/detector/transformations/two_theta"),
        "/entry/instrument/detector/transformations/two_theta is missing",
    ),
    "a circle": (
        lambda file: file["entry/instrument/detector/transformations/two_theta"].attrs.update(depends_on="det_z"),
        "depends_on that leads to '.'",
    ),
    "an unknown unit": (
        lambda file: file["entry/instrument/detector/transformations/det_z"].attrs.update(units="furlong"),
        '/entry/instrument/detector/transformations/det_z: found the units "furlong"',
    ),
    "no direction": (
        lambda file: file["entry/instrument/detector/module/fast_pixel_direction"].attrs.__delitem__("vector"),
        "/entry/instrument/detector/module/fast_pixel_direction: found no vector",
    ),
    "a wavelength of 0": (
        lambda file: file["entry/instrument/beam/incident_wavelength"].write_direct(np.array(0.0)),
        "/entry/instrument/beam/incident_wavelength: found 0, expected a number above 0",
    ),
    "a distance that is no number": (
        lambda file: file["entry/instrument/detector/transformations/det_z"].write_direct(np.array([np.nan])),
        "/entry/instrument/detector/transformations/det_z: found NaN",
    ),
    "a module larger than the mask": (
        lambda file: file["entry/instrument/detector/module/data_size"].write_direct(np.array([24, 41])),
        "/entry/instrument/detector/module/data_origin: found 41 x 24 pixels",
    ),
    "pixels that are not square": (
        lambda file: file["entry/instrument/detector/module/slow_pixel_direction"].write_direct(np.array(1e-4)),
        "module/slow_pixel_direction: found pixels of 0.075 x 0.1 mm, expected square pixels",
    ),
    "parallel axes": (
        lambda file: file["entry/instrument/detector/module/slow_pixel_direction"].attrs.update(vector=[-1.0, 0, 0]),
        "module/slow_pixel_direction: found a cosine of 1",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_with_a_fault_is_an_error_of_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    beamline("a.nxs")
    change, says = FAULTS[name]
    with h5py.File("a.nxs", "a") as file:
        change(file)
    done = run(*LINE, "-img", "a.nxs")
    assert done.returncode == 1, done.stdout
    (line,) = [line for line in done.stderr.splitlines() if "error: " in line]
    assert "a.nxs: " in line and says in line, line


def test_an_image_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    beamline("a.nxs")
    done = run(*LINE, "-img", "a.nxs#5")
    assert done.returncode == 1 and "no image #5; the file holds 4" in done.stderr


def test_a_flag_replaces_a_number_of_the_file(render: Callable[..., str], dxtbx: Dxtbx) -> None:
    beamline("a.nxs")
    render("-img", "a.nxs", "-lambda", 1.5, "-phi", 7, "-exptfile", "ours.expt")
    ours = dxtbx("ours.expt")["ours.expt"]
    assert ours["wavelength"] == pytest.approx(1.5)
    assert ours["oscillation"] == pytest.approx([7, 0.1])
    # The attenuation of silicon is that of the wavelength: its cube, roughly.
    assert ours["panels"][0]["mu"] == pytest.approx(14.0, rel=0.1)


def test_a_saved_experiment_has_the_geometry_of_the_file(render: Callable[..., str]) -> None:
    beamline("a.nxs")
    render("-img", "a.nxs", "-exptfile", "one.expt", "-save-experiment", "saved.toml")
    Path("a.nxs").unlink()
    render("-experiment", "saved.toml", "-exptfile", "two.expt")
    one, two = (json.loads(Path(name).read_text()) for name in ("one.expt", "two.expt"))
    assert one == two
