"""Every format that the documents say DIALS reads, opened by dxtbx, the part of DIALS that does it.

Truth is worked out here from the flags and the axes of docs/CONVENTIONS.md, not from what the program says.
"""

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Run

FAST, SLOW, PIXEL_MM, DISTANCE_MM = 481, 199, 0.172, 123.4567891
WAVELENGTH, POLAR, OFFSET = 0.97931234, -0.3, 40
SAME_MM = 1e-6
COMMON = f"""-default_F 100 -cell 70 80 90 -misset 10 20 30 -N 5 -oversample 1 -fluence 1e26 -seed 1
    -detpixels_f {FAST} -detpixels_s {SLOW} -pixel {PIXEL_MM} -lambda {WAVELENGTH} -polar {POLAR}
    -phi 10 -osc 0.5 -phisteps 1 -exposure 0.25 -noprogress -nopgm""".split()

X, Y, Z = np.eye(3)


class Axes:
    """The axes of a convention: beam, fast, slow, of two-theta, spindle, and the electric field."""

    def __init__(self, beam: Any, fast: Any, slow: Any, twotheta: Any, spindle: Any, field: Any):
        self.beam, self.fast, self.slow = beam, fast, slow
        self.twotheta, self.spindle, self.field = twotheta, spindle, field

    def out(self, vector: Any) -> Any:
        """A vector of the run in the laboratory of dxtbx: x along the spindle, z to the source."""
        z = -self.beam
        return np.array([self.spindle @ vector, np.cross(z, self.spindle) @ vector, z @ vector])


AXES = {
    "mosflm": Axes(X, Z, -Y, -Z, Z, Z),
    "denzo": Axes(X, Z, -Y, -Z, Z, Z),
    "adxv": Axes(Z, X, -Y, -X, X, X),
    "xds": Axes(Z, X, Y, X, X, X),
    "dials": Axes(Z, X, Y, Y, Y, Y),
    "custom": Axes(X, Y, Z, Y, Z, Z),
}
CUSTOM = """-beam_vector 1 0 0 -fdet_vector 0 1 0 -sdet_vector 0 0 1 -odet_vector 1 0 0 -twotheta_axis 0 1 0
    -spindle_axis 0 0 1 -polar_vector 0 0 1""".split()
TURNS = {
    "plain": (False, (0.0, 0.0, 0.0), 0.0),
    "offset": (True, (0.0, 0.0, 0.0), 0.0),
    "rotated": (False, (5.0, 2.0, -3.0), 0.0),
    "two-theta": (False, (0.0, 0.0, 0.0), 12.0),
    "all": (True, (5.0, 2.0, -3.0), 12.0),
}
PLACEMENTS = [(convention, turn) for convention in AXES for turn in TURNS]
FORMATS = {
    "cbf": ("FormatCBFFullByteOffset",),
    "nxs": ("FormatNXmx",),
    "img": ("FormatSMVJHSim", "FormatSMVCMOS1"),
    "expt": (None,),
}


def turned(vector: Any, axis: Any, degrees: float) -> Any:
    angle = np.radians(degrees)
    along = axis * (axis @ vector)
    return along + np.cos(angle) * (vector - along) + np.sin(angle) * np.cross(axis, vector)


def centre(convention: str, offset: bool) -> tuple[list[str], float, float]:
    """Flags that put the beam spot or the near point, and where it is from the corner, in mm."""
    first, second = (31.7, 12.3) if offset else (40.3, 17.1)
    half, size_s = PIXEL_MM / 2, SLOW * PIXEL_MM
    beam = ["-Xbeam", str(first), "-Ybeam", str(second)]
    match convention:
        case "mosflm":
            return beam, second + half, first + half
        case "denzo":
            return beam, second, first
        case "adxv":
            return beam, first, size_s - second
        case "custom":
            return beam, first, second
    org = ["-ORGX", str(first), "-ORGY", str(second)]
    return org, (first - 0.5) * PIXEL_MM, (second - 0.5) * PIXEL_MM


def placed(convention: str, turn: str) -> tuple[list[str], Any]:
    """The flags of a placement, and the corner, fast and slow in the laboratory of dxtbx."""
    axes = AXES[convention]
    offset, angles, twotheta = TURNS[turn]
    flags, f_mm, s_mm = centre(convention, offset)
    flags = (CUSTOM if convention == "custom" else [f"-{convention}"]) + flags

    def swung(vector: Any) -> Any:
        for axis, degrees in zip((X, Y, Z), angles, strict=True):
            vector = turned(vector, axis, degrees)
        return turned(vector, axes.twotheta, twotheta)

    fast, slow = swung(axes.fast), swung(axes.slow)
    if convention in ("xds", "dials"):
        flags += ["-close_distance", str(DISTANCE_MM)]
        pivot, corner = "sample", swung(DISTANCE_MM * axes.beam)
    else:
        flags += ["-distance", str(DISTANCE_MM)]
        pivot, corner = "beam", DISTANCE_MM * axes.beam
    corner = corner - f_mm * fast - s_mm * slow
    for name, degrees in zip(("rotx", "roty", "rotz"), angles, strict=True):
        flags += [f"-detector_{name}", str(degrees)]
    flags += ["-twotheta", str(twotheta), "-pivot", pivot]
    return flags, np.array([axes.out(v) for v in (corner, fast, slow)])


Dxtbx = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx) -> Any:
    """Renders a list of command lines, and reads every image and every .expt that they wrote."""
    monkeypatch.chdir(tmp_path)

    def read(lines: dict[str, list[str]]) -> dict[str, Any]:
        for name, flags in lines.items():
            files = ["-noisefile", f"{name}_001.img", "-cbffile", f"{name}_001.cbf"]
            files += ["-nexusfile", f"{name}_001.nxs", "-exptfile", f"{name}_001.expt"]
            done = run(*COMMON, *flags, *files)
            assert done.returncode == 0, done.stderr
        return dxtbx(*(f"{name}_001.{end}" for name in lines for end in FORMATS))

    return read


def counts_of(path: Path) -> list[Any]:
    """The shape and the digest of the counts of an SMV image of ours."""
    counts = np.frombuffer(path.read_bytes()[-2 * FAST * SLOW :], "<u2").astype("<i4")
    return [[SLOW, FAST], hashlib.sha256(counts.tobytes()).hexdigest()]


def test_thirty_placements_in_four_formats(read: Any, tmp_path: Path) -> None:
    lines = {f"{convention}-{turn}": placed(convention, turn)[0] for convention, turn in PLACEMENTS}
    found = read(lines)
    faults = []
    for convention, turn in PLACEMENTS:
        axes = AXES[convention]
        corner, fast, slow = placed(convention, turn)[1]
        name = f"{convention}-{turn}"
        for end, classes in FORMATS.items():
            file = f"{name}_001.{end}"
            one = found[file]

            def check(what: str, is_so: bool, value: object, file: str = file) -> None:
                if not is_so:
                    faults.append(f"{file}: {what} {value}")

            if "error" in one:
                faults.append(f"{file}: {one['error']}")
                continue
            check("class", one.get("class") in classes, one.get("class"))
            (panel,) = one["panels"]
            f, s = PIXEL_MM * np.array(panel["points"]).T
            truth = corner + np.outer(f, fast) + np.outer(s, slow)
            worst = np.abs(np.array(panel["plane"]) - truth).max()
            check("plane off by", worst < SAME_MM, worst)
            deep = np.abs(np.array(panel["deep"]) - truth).max()
            # Gallium arsenide lets a photon in by 12 micrometres.
            check("depth", deep < (0.013 if end == "nxs" else SAME_MM), deep)
            check("size", panel["size"] == [FAST, SLOW], panel["size"])
            check("pixel", np.allclose(panel["pixel"], PIXEL_MM, atol=1e-12), panel["pixel"])
            check("wavelength", abs(one["wavelength"] - WAVELENGTH) < 1e-12, one["wavelength"])
            check("spindle", np.allclose(one["spindle"], [1, 0, 0], atol=1e-12), one["spindle"])
            check("beam", np.allclose(one["beam"], [0, 0, 1], atol=1e-12), one["beam"])
            check("scan", np.allclose(one["oscillation"], [10, 0.5]), one["oscillation"])
            check("images", one["images"] == 1, one["images"])
            if end != "expt":
                check("pixels", one["pixels"] == [counts_of(tmp_path / f"{name}_001.img")], one["pixels"])
            # The class for simulated images and that of NXmx take neither.
            if one.get("class") not in ("FormatSMVJHSim", "FormatNXmx"):
                normal = np.cross(axes.out(axes.field), [0, 0, 1])
                check("fraction", abs(one["fraction"] - (1 + POLAR) / 2) < 1e-12, one["fraction"])
                turn_of = np.abs(np.cross(one["normal"], normal)).max()
                check("normal", turn_of < 1e-9, one["normal"])
            if one.get("class") != "FormatSMVJHSim":
                check("exposure", one["exposure"] == [0.25], one["exposure"])
            # CBF, NXmx and the class of vectors have no pedestal in dxtbx.
            pedestal = OFFSET if one.get("class") in ("FormatSMVJHSim", None) else 0
            check("pedestal", panel["pedestal"] == pedestal, panel["pedestal"])
            check("gain", panel["gain"] == 1, panel["gain"])
            # A pixel of 0 counts is trusted, one of -1 is not; a full one need not be.
            lowest, highest = panel["trusted"]
            check("trusted", -1 <= lowest <= 0 and highest >= 65495, panel["trusted"])
            # No photon passes: DIALS corrects for those that do.
            passing = np.exp(-panel["mu"] * panel["thickness"])
            check("sensor", panel["mu"] == 0 or passing < 1e-12, panel["mu"])
    assert not faults, "\n".join(faults)


def test_a_sensor_is_that_of_the_run(read: Any) -> None:
    found = read({"sensor": [*placed("mosflm", "plain")[0], "-detector_thick", "450", "-detector_abs", "240"]})
    for end in ("cbf", "nxs", "expt"):
        (panel,) = found[f"sensor_001.{end}"]["panels"]
        assert panel["thickness"] == pytest.approx(0 if end == "cbf" else 0.45), end


def test_the_polarization_of_a_cbf_is_that_of_the_run(read: Any) -> None:
    flags = placed("mosflm", "plain")[0]
    polars = (-1, -0.5, 0, 0.99, 1)
    found = read({f"polar{i}": [*flags, "-polar", str(polar)] for i, polar in enumerate(polars)})
    for i, polar in enumerate(polars):
        assert found[f"polar{i}_001.cbf"]["fraction"] == pytest.approx((1 + polar) / 2, abs=1e-12)


def test_every_lattice_is_an_experiment_of_one_image(read: Any, tmp_path: Path) -> None:
    (tmp_path / "split.txt").write_text("0.5 0 0 12\n0.2 0 -1 0 1 0 0 0 0 1\n")
    flags = placed("mosflm", "plain")[0]
    found = read({"one": flags, "split": [*flags, "-lattice", "split.txt"]})
    one, split = (found[f"{name}_001.expt"] for name in ("one", "split"))
    assert one["models"] == split["models"] == [1, 1, 1, 1]
    (first,) = one["crystals"]
    assert len(split["crystals"]) == 3
    assert split["crystals"][0] == first
    axes = AXES["mosflm"]
    # The laboratory of the run: the spindle is Z, the beam X.
    out = np.array([axes.out(vector) for vector in np.eye(3)]).T
    for degrees, crystal in ((12, split["crystals"][1]), (90, split["crystals"][2])):
        for edge, other in zip(first, crystal, strict=True):
            turn = out @ turned(out.T @ np.array(edge), Z, degrees)
            assert np.abs(turn - other).max() < 1e-9


def test_another_offset_is_stated_where_dxtbx_reads_it(read: Any) -> None:
    found = read({"counts": [*placed("mosflm", "plain")[0], "-adc", "12.5"]})
    for end, pedestal in (("img", 12.5), ("expt", 12.5), ("cbf", 0), ("nxs", 0)):
        (panel,) = found[f"counts_001.{end}"]["panels"]
        assert panel["pedestal"] == pedestal, end


def test_the_mean_of_a_spectrum_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    energies, weights = [12000.0, 12010.0, 12050.0], [1.0, 4.0, 3.0]
    lines = "".join(f"{ev} {weight}\n" for ev, weight in zip(energies, weights, strict=True))
    Path("s.txt").write_text(f"# energy_eV weight\n{lines}")
    line = ["-default_F", 100, "-cell", 70, 80, 90, "-N", 1, "-distance", 100, "-detpixels", 20, "-noprogress"]
    done = run(*line, "-spectrum", "s.txt", "-nexusfile", "a.nxs", "-exptfile", "a.expt", "-nopgm")
    assert done.returncode == 0, done.stderr
    mean = np.average(12398.42 / np.array(energies), weights=weights)
    for file in dxtbx("a.nxs", "a.expt").values():
        assert file["wavelength"] == pytest.approx(mean, rel=1e-9)
    with h5py.File("a.nxs") as file:
        beam = file["entry/instrument/beam"]
        name = beam["incident_wavelength"].attrs["variant"].decode()
        wavelengths, found = beam[name][()], beam[f"{name}_weights"][()]
    assert sorted(12398.42 / wavelengths) == pytest.approx(energies, rel=1e-9)
    assert np.average(wavelengths, weights=found) == pytest.approx(mean, rel=1e-9)


def test_the_offset_that_dials_cannot_know_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["-default_F", 100, "-cell", 70, 80, 90, "-N", 1, "-lambda", 1, "-distance", 100, "-detpixels", 20]
    for flags, is_warned in (
        (["-noisefile", "a_1.cbf"], True),
        (["-nexusfile", "a.nxs"], True),
        (["-noisefile", "a_1.cbf", "-adc", 0], False),
        (["-noisefile", "a_1.img"], False),
        (["-nonoise", "-intfile", "a.tif", "-floatfile", "f.nxs"], False),
    ):
        done = run(*line, *flags, "-noprogress", "-nopgm")
        assert ("DIALS takes the offset of 40" in done.stderr) == is_warned, (flags, done.stderr)


def rendered(run: Run, detector: str, *flags: object) -> None:
    line = ["-default_F", 30, "-cell", 70, 80, 90, "-N", 2, "-lambda", 1, "-distance", 100, "-oversample", 1]
    done = run(*line, "-detector", detector, "-seed", 1, "-noprogress", "-nopgm", *flags)
    assert done.returncode == 0, done.stderr


# The pixels of all modules, and the cut-off.
GAPPED = {
    "pilatus300k": (3 * 487 * 195, 2**20 - 1),
    "eiger1m": (2 * 1030 * 514, 2**31 - 1),
}


@pytest.mark.parametrize("detector", GAPPED)
def test_gaps_are_masked_and_the_cutoff_is_known(
    detector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [f"{detector}_001.cbf", f"{detector}_001.nxs"]
    rendered(run, detector, "-cbffile", files[0], "-nexusfile", files[1], "-tiffile", f"{detector}.tif")
    found = dxtbx(*files)
    measuring, cutoff = GAPPED[detector]
    for file in files:
        one = found[file]
        assert "error" not in one, (file, one)
        (panel,) = one["panels"]
        assert one["images"] == 1, file
        assert one["unmasked"] == [measuring], file
        lowest, highest = panel["trusted"]
        assert -1 <= lowest <= 0 and cutoff - 1 <= highest <= cutoff, (file, panel["trusted"])
    fabio = pytest.importorskip("fabio")
    for file in [*files, f"{detector}.tif"]:
        data = np.asarray(fabio.open(file).data).astype(np.int64)
        data = data.reshape(data.shape[-2:])
        assert (data == -1).sum() == data.size - measuring, file
        assert data.min() == -1, file
    h5py = pytest.importorskip("h5py")
    with h5py.File(files[1]) as file:
        instrument = file["entry/instrument/detector"]
        mask = instrument["pixel_mask"][()]
        assert mask.shape == file["entry/data/data"].shape[1:]
        assert set(np.unique(mask)) == {0, 1}
        assert (mask == 0).sum() == measuring
        # Of the NXmx standard: a count above this is not valid.
        assert instrument["saturation_value"][()] == cutoff - 1
        assert instrument["sensor_material"][()] == b"Si"


def test_a_detector_of_panels_opens_with_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    rendered(run, "cspad", "-nexusfile", "cspad_001.nxs", "-exptfile", "cspad.expt", "-fluence", 1e22)
    found = dxtbx("cspad_001.nxs", "cspad.expt")
    for file in found.values():
        assert "error" not in file, file
        assert len(file["panels"]) == 64
        assert {tuple(panel["size"]) for panel in file["panels"]} == {(194, 185)}
        assert {panel["trusted"][1] for panel in file["panels"]} == {9463}
    assert found["cspad_001.nxs"]["unmasked"] == [194 * 185] * 64
    for one, other in zip(found["cspad_001.nxs"]["panels"], found["cspad.expt"]["panels"], strict=True):
        assert np.abs(np.array(one["plane"]) - np.array(other["plane"])).max() < SAME_MM


WIDTHS = """
clen = 0.1
photon_energy = 12000
adu_per_photon = 1
res = 10000
a/min_fs = 0
a/max_fs = 59
a/min_ss = 0
a/max_ss = 49
a/corner_x = -50
a/corner_y = -60
a/fs = x
a/ss = y
b/min_fs = 0
b/max_fs = 89
b/min_ss = 50
b/max_ss = 129
b/corner_x = -50
b/corner_y = 10
b/fs = x
b/ss = y
bad0/panel = a
bad0/min_fs = 10
bad0/max_fs = 20
bad0/min_ss = 5
bad0/max_ss = 9
"""


def test_masked_panels_of_several_widths_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.geom").write_text(WIDTHS)
    scene = "-geom p.geom -cell 70 -default_F 100 -N 10 -fluence 1e24 -seed 1 -nodefaultfiles -geomfile again.geom"
    done = run(*scene.split(), "-nexusfile", "a_001.nxs")
    assert done.returncode == 0, done.stderr
    done = run(*scene.replace("again", "b").split(), "-shots", "2", "-nexusfile", "b.nxs", "-nexus_images_per_file", "1")
    assert done.returncode == 0, done.stderr
    for name, found in dxtbx("a_001.nxs", "b.nxs").items():
        assert "error" not in found, (name, found)
        assert [tuple(panel["size"]) for panel in found["panels"]] == [(60, 50), (90, 80)]
        assert found["unmasked"] == [60 * 50 - 11 * 5, 90 * 80]
    h5py = pytest.importorskip("h5py")
    with h5py.File("a_001.nxs") as file:
        detector = file["entry/instrument/detector"]
        assert "pixel_mask" not in detector
        mask = detector["detectorSpecific/pixel_mask"][()]
    assert (mask[:50, :60] != 0).sum() == 55 and (mask[:50, 60:] != 0).all() and not mask[50:].any()
    # What CrystFEL is told, and what we read of our own file.
    assert "mask = /entry/instrument/detector/detectorSpecific/pixel_mask" in Path("again.geom").read_text()
    run("-img", "a_001.nxs", "-cell", 70, "-default_F", 100, "-N", 5, "-nodefaultfiles", "-geomfile", "c.geom")
    kept = [line for line in Path("c.geom").read_text().splitlines() if line.startswith("bad")]
    assert len(kept) == 5 and kept[0].endswith("panel = module_0000") and kept[2].endswith("_fs = 20"), kept


def test_a_picture_of_all_panels_is_where_its_header_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    fabio, h5py = pytest.importorskip("fabio"), pytest.importorskip("h5py")
    # Panels of several sizes, whole pixels apart. The last one is rotated by a right angle.
    corners = {"a": (-50, -60, 40, 50), "b": (5, -58, 33, 45), "c": (-48, 12, 51, 20), "d": (60, 10, 30, 25)}
    lines = ["clen = 0.08", "photon_energy = 12000", "adu_per_photon = 1", "res = 10000"]
    below = 0
    for name, (x, y, fast, slow) in corners.items():
        lines += [f"{name}/min_fs = 0", f"{name}/max_fs = {fast - 1}", f"{name}/min_ss = {below}", f"{name}/max_ss = {below + slow - 1}"]
        below += slow
        lines += [f"{name}/corner_x = {x}", f"{name}/corner_y = {y}"]
        lines += [f"{name}/fs = y", f"{name}/ss = -x"] if name == "d" else [f"{name}/fs = x", f"{name}/ss = y"]
    lines += ["bad0/panel = b", "bad0/min_fs = 10", "bad0/max_fs = 20", f"bad0/min_ss = {50 + 5}", f"bad0/max_ss = {50 + 9}"]
    Path("p.geom").write_text("\n".join(lines) + "\n")
    scene = "-geom p.geom -cell 70 -default_F 100 -N 10 -fluence 1e24 -seed 1 -adc 0 -nodefaultfiles -assemble -masked_counts 3"
    outputs = "-noisefile p_001.img -cbffile p_001.cbf -nexusfile p.nxs -exptfile p.expt -pgmfile p.pgm"
    done = run(*scene.split(), *outputs.split())
    assert done.returncode == 0, done.stderr
    found = dxtbx("p_001.cbf", "p_001.img", "p.expt")
    with h5py.File("p.nxs") as file:
        stack = file["entry/data/data"][0]
    for name, empty in {"p_001.cbf": -1, "p_001.img": 3}.items():
        (panel,) = found[name]["panels"]
        picture = np.asarray(fabio.open(name).data).astype(int)
        place = dict(zip(map(tuple, panel["points"]), np.array(panel["plane"]), strict=True))
        width, height = panel["size"]
        assert picture.shape == (height, width)
        fast, slow = (place[width, 0] - place[0, 0]) / width, (place[0, height] - place[0, 0]) / height
        assert abs(np.linalg.norm(fast) - 0.1) < 1e-9 and abs(fast @ slow) < 1e-12
        rest = np.full(picture.shape, True)
        below = 0
        for own, (_, _, columns, rows) in zip(found["p.expt"]["panels"], corners.values(), strict=True):
            there = dict(zip(map(tuple, own["points"]), np.array(own["plane"]), strict=True))
            along, down = (there[columns, 0] - there[0, 0]) / columns, (there[0, rows] - there[0, 0]) / rows
            y, x = np.mgrid[:rows, :columns] + 0.5
            middles = there[0, 0] + x[..., None] * along + y[..., None] * down - place[0, 0]
            assert np.abs(middles @ np.cross(fast, slow)).max() < 1e-9
            at = [middles @ axis / (axis @ axis) for axis in (slow, fast)]
            assert max(np.abs(one % 1 - 0.5).max() for one in at) < 1e-4
            here = tuple(one.astype(int) for one in at)
            expected = stack[below : below + rows, :columns]
            np.testing.assert_array_equal(picture[here], np.where(expected < 0, empty, expected))
            rest[here] = False
            below += rows
        assert rest.any() and (picture[rest] == empty).all()
    # The comment of the C program stands where fabio expects a number.
    assert Path("p.pgm").read_bytes().split()[1:3] == [str(side).encode() for side in picture.shape[::-1]]

    rendered(run, "cspad", "-nodefaultfiles", "-assemble", "-cbffile", "cspad_001.cbf", "-fluence", 1e22)
    picture = np.asarray(fabio.open("cspad_001.cbf").data)
    assert abs((picture >= 0).sum() / (64 * 194 * 185) - 1) < 0.01


def test_pixels_behind_a_beam_stop_are_masked_by_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    h5py = pytest.importorskip("h5py")
    rendered(run, "pilatus300k", "-nexusfile", "a.nxs", "-beamstop", "2,30", "-beamstop_mask")
    with h5py.File("a.nxs") as file:
        mask = file["entry/instrument/detector/pixel_mask"][()]
        data = file["entry/data/data"][0]
    # A disc of 1 mm at 30 mm, at 100 mm; the penumbra of a beam of 0.1 mm is 0.07 mm wide there.
    radius_px = (1 - 0.035) / 30 * 100 / 0.172
    hidden = (mask & 256 != 0).sum()
    gap = (mask & 1 != 0).sum()
    assert gap == 2 * 17 * 487
    assert abs(hidden / (np.pi * radius_px**2) - 1) < 0.15
    assert (data[mask != 0] == -1).all() and (data[mask == 0] >= 0).all()


# Panels in each module, and modules.
MODULES = {"jungfrau4m": (8, 8), "agipd1m": (8, 16)}

# Groups of panels that dials.refine would move, and the panels in each, from the models of an .expt and an NXmx file.
REFINABLE = """
import sys, json
from dxtbx.model.experiment_list import ExperimentListFactory
from dials.algorithms.refinement.parameterisation.detector_parameters import DetectorParameterisationHierarchical
expt = ExperimentListFactory.from_json_file(sys.argv[1], check_format=False)[0]
nxmx = ExperimentListFactory.from_filenames([sys.argv[2]])[0]
found = []
for one, level in ((expt, 1), (nxmx, 2)):
    refined = DetectorParameterisationHierarchical(one.detector, one.beam, level=level)
    found.append([list(group) for group in refined.get_panel_ids_by_group()])
json.dump(found, sys.stdout)
"""


@pytest.mark.parametrize("detector", MODULES)
def test_modules_can_be_refined_one_by_one(
    detector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    rendered(run, detector, "-nexusfile", "a.nxs", "-exptfile", "a.expt", "-roi", 0, 3, 0, 3, "-fluence", 1e22)
    line = ["/usr/bin/python3", "-c", REFINABLE, "a.expt", "a.nxs"]
    found = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    panels, modules = MODULES[detector]
    expected = [list(range(module * panels, (module + 1) * panels)) for module in range(modules)]
    assert found == [expected, expected]
    # Each panel is where it is without groups.
    one, two = dxtbx("a.expt", "a.nxs").values()
    for first, second in zip(one["panels"], two["panels"], strict=True):
        assert np.abs(np.array(first["plane"]) - np.array(second["plane"])).max() < SAME_MM


def test_gaps_of_an_expt_are_untrusted_in_dials_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, dxtbx: Dxtbx
) -> None:
    monkeypatch.chdir(tmp_path)
    rendered(run, "pilatus300k", "-nexusfile", "a.nxs", "-exptfile", "a.expt")
    panel = json.loads(Path("a.expt").read_text())["detector"][0]["panels"][0]
    # Two gaps of 17 rows below modules of 195.
    assert panel["mask"] == [[0, 195, 487, 212], [0, 407, 487, 424]]
    code = (
        "from dxtbx.model.experiment_list import ExperimentListFactory as F\n"
        "p = F.from_json_file('a.expt', check_format=False)[0].detector[0]\n"
        "print(p.get_untrusted_rectangle_mask().count(True))"
    )
    done = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 3 * 487 * 195
    line = ["-default_F", 30, "-cell", 70, 80, 90, "-N", 2, "-oversample", 1, "-noprogress", "-nopgm", "-nonoise"]
    done = run(*line, "-expt", "a.expt", "-nexusfile", "b.nxs")
    assert done.returncode == 0 and "mask is ignored" not in done.stderr, done.stderr
    h5py = pytest.importorskip("h5py")
    masks = []
    for name in ("a.nxs", "b.nxs"):
        with h5py.File(name) as file:
            masks.append(file["entry/instrument/detector/pixel_mask"][()] != 0)
    np.testing.assert_array_equal(*masks)
